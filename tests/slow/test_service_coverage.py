"""How often the intervals of the service room hold the truth: exactly where that can be summed, else by simulation."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

import csat
from csat.service.intervals import count_bounds, ratio_bounds
from csat.service.survival import curve_of, open_quantile_bounds, ordered_bounds

pytestmark = pytest.mark.slow

RUNS = 2000
#: Four standard errors of a share of .95 in so many runs.
SLACK = 4 * np.sqrt(0.95 * 0.05 / RUNS)


@pytest.mark.parametrize("mean", [0.3, 1, 4, 20, 150])
def test_exact_rates_hold_at_least_their_level(mean):
    counts = np.arange(0, int(mean + 12 * np.sqrt(mean) + 20))
    low, high = count_bounds(counts.astype(float), 0.95)
    held = poisson.pmf(counts, mean)[(low <= mean) & (mean <= high)].sum()
    assert 0.95 <= held <= 1


@pytest.mark.parametrize(("before", "after"), [(2, 2), (10, 15), (60, 30)])
def test_exact_ratios_hold_at_least_their_level(before, after):
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(150), np.arange(150)))
    low, high = ratio_bounds(y.astype(float), x.astype(float), np.ones(len(x)), 0.95)
    chance = poisson.pmf(x, before) * poisson.pmf(y, after)
    with np.errstate(invalid="ignore"):
        held = (low <= after / before) & (after / before <= high) | (x + y == 0)
    assert 0.95 <= chance[held].sum() <= 1


def test_audits_hold_their_level_over_halls(rng):
    held = []
    for _ in range(RUNS // 2):
        hall = np.clip(rng.normal(0.75, 0.1, 12), 0.3, 0.98)
        score = rng.binomial(20, np.repeat(hall, 2)) / 20
        table = pd.DataFrame({
            "criterion": "p", "full_marks": 20, "score": 20 * score, "site": np.repeat(np.arange(12), 2),
            "visit": np.tile([1, 2], 12),
        })  # fmt: skip
        low, high = csat.audits(table).estimates.interval
        held.append(low[0] <= 0.75 <= high[0])
    assert np.mean(held) == pytest.approx(0.95, abs=0.03)


@pytest.mark.parametrize(("n", "limit"), [(60, 24), (400, 24), (150, 60)])
def test_overruns_hold_their_level_with_open_cases(rng, n, limit):
    """Log-normal durations; every case was accepted at another time before the log was written."""
    truth = 1 - _normal(np.log(limit / 10))
    held = []
    for _ in range(RUNS):
        hours, seen = 10 * np.exp(rng.normal(size=n)), rng.uniform(1, 24 * 14, n)
        table = pd.DataFrame({"step": "s", "hours": np.minimum(hours, seen), "open": hours > seen})
        ends = _share_interval(table, limit)
        held.append(ends[0] <= truth <= ends[1])
    assert np.mean(held) == pytest.approx(0.95, abs=SLACK + 0.012)


@pytest.mark.parametrize(("n", "share"), [(30, 0.5), (120, 0.5), (120, 0.9)])
def test_quantiles_hold_at_least_their_level(rng, n, share):
    truth = float(np.quantile(rng.exponential(size=4_000_000), share))
    closed, opened = [], []
    for _ in range(RUNS):
        hours = rng.exponential(size=n)
        low, high = ordered_bounds(hours, share, 0.95)
        closed.append(not low > truth and not high < truth)
        seen = rng.uniform(0.1, 8, n)
        low, high = open_quantile_bounds(curve_of(np.minimum(hours, seen), hours <= seen), share, 0.95)
        opened.append(not low > truth and not high < truth)
    assert np.mean(closed) > 0.95 - SLACK
    assert np.mean(opened) == pytest.approx(0.95, abs=SLACK + 0.02)


def _share_interval(table, limit):
    from csat.estimation.intervals import share_bounds

    curve = curve_of(table["hours"].to_numpy(), ~table["open"].to_numpy())
    share = np.array([curve.at(limit)])
    se = np.sqrt([curve.variance_at(limit)])
    return [end[0] for end in share_bounds("wilson", share, se, np.array([float(len(table))]), np.inf, 0.95)]


def _normal(z):
    from scipy.special import ndtr

    return float(ndtr(z))
