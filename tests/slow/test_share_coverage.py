"""Do intervals of shares of R² cover, and do tied drivers stay tied? Simulation; results in docs/coverage.md.

Run with `make slow`. Set CSAT_COVERAGE=path to add the table of results to that file.
"""

import os
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.drivers.relative.shapley import lmg_parts

pytestmark = pytest.mark.slow

DRAWS = 2000
DRIVERS = ["a", "b", "c", "d"]
PAIRS = list(combinations(range(4), 2))
#: Coefficients of four drivers that correlate by 0.4: all the same, and one after the other.
EFFECTS = {"tied": (1.0, 1.0, 1.0, 1.0), "graded": (3.0, 2.0, 1.0, 0.0)}
CASES = list(product(EFFECTS, (60, 200), (0.1, 0.3)))


def population(effects, r2):
    """(5, 5) correlations of the drivers and the outcome."""
    corr = np.full((5, 5), 0.4) + 0.6 * np.eye(5)
    b = np.array(effects)
    corr[:4, 4] = corr[4, :4] = corr[:4, :4] @ (b * np.sqrt(r2 / (b @ corr[:4, :4] @ b)))
    return corr


def simulate(effects, n, r2, seed):
    """Shares of `DRAWS` samples: covered by Fieller's interval and by ± t·se, wide open, tests and their intervals."""
    corr = population(effects, r2)
    parts = lmg_parts(corr[None], [1] * 4)[0]
    share = 100 * parts / parts.sum()
    gaps = np.array([share[i] - share[j] for i, j in PAIRS])
    rng, root = np.random.default_rng(seed), np.linalg.cholesky(corr)
    found = []
    for _ in range(DRAWS):
        rows = pd.DataFrame(rng.normal(size=(n, 5)) @ root.T, columns=[*DRIVERS, "y"])
        got = csat.importance(csat.read_survey(rows), "y", DRIVERS)
        (low, high), first_order = got.shares.interval, 2 * got.shares.se
        tests = got.differences(of="share").tidy()
        found.append([
            ((low <= share) & (share <= high)).mean(),
            (np.abs(got.share - share) <= first_order).mean(),
            ((high - low) > 99.99).mean(),
            ((tests["low"] <= gaps + 1e-9) & (gaps - 1e-9 <= tests["high"])).mean(),
            (tests["p"] < 0.05).mean(),
        ])  # fmt: skip
    return dict(zip(("cover", "first_order", "open", "gaps", "different"), np.mean(found, axis=0), strict=True))


@pytest.mark.parametrize(("shape", "n", "r2"), CASES)
def test_shares_cover_and_tied_drivers_stay_tied(shape, n, r2):
    got = simulate(EFFECTS[shape], n, r2, CASES.index((shape, n, r2)))
    if "CSAT_COVERAGE" in os.environ:
        with Path(os.environ["CSAT_COVERAGE"]).open("a") as file:
            print(f"{shape}, n = {n}, R² = {r2}:", {name: round(100 * p, 1) for name, p in got.items()}, file=file)
    assert got["cover"] > 0.89, "first-order variances of small parts are what is left"
    assert got["cover"] > got["first_order"] - 0.01
    assert got["gaps"] > 0.94
    if shape == "tied":
        assert got["different"] < 0.05 + 3 * 0.0049
