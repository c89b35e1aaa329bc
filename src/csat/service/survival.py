"""Durations of which some are not over yet: the product-limit curve, its variance and its quantiles.

Sources: Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457–481; Greenwood (1926), Reports on Public Health and Medical
Subjects 33 (variance); Brookmeyer & Crowley (1982), Biometrics 38, 29–41 (intervals of quantiles).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.distributions import t_quantile


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The product-limit estimate.

    times : (m,) distinct lengths at which cases ended, rising. at_risk, ended : (m,) cases as long at least, and those
        that ended then. survival : (m,) share that is longer. n : cases.
    """

    times: np.ndarray
    at_risk: np.ndarray
    ended: np.ndarray
    survival: np.ndarray
    n: int

    def at(self, limit: float) -> float:
        """Share of cases longer than `limit`."""
        place = int(np.searchsorted(self.times, limit, side="right"))
        return float(self.survival[place - 1]) if place else 1.0

    @property
    def hazard_variance(self) -> np.ndarray:
        """(m,) Greenwood's sum: the variance of log survival; inf once nobody is left."""
        with np.errstate(divide="ignore"):
            return np.cumsum(self.ended / (self.at_risk * (self.at_risk - self.ended)))

    def variance_at(self, limit: float) -> float:
        """Greenwood's variance of `at(limit)`; 0 where all or none are longer."""
        place = int(np.searchsorted(self.times, limit, side="right"))
        share = self.at(limit)
        return float(share**2 * self.hazard_variance[place - 1]) if place and share > 0 else 0.0


def curve_of(length: np.ndarray, ended: np.ndarray) -> Curve:
    """Product-limit curve of (n,) lengths, of which (n,) `ended` are over; the others are longer than they are now."""
    times = np.unique(length[ended])
    sorted_all, sorted_ended = np.sort(length), np.sort(length[ended])
    at_risk = len(length) - np.searchsorted(sorted_all, times, side="left")
    events = np.searchsorted(sorted_ended, times, side="right") - np.searchsorted(sorted_ended, times, side="left")
    return Curve(times, at_risk.astype(float), events.astype(float), np.cumprod(1 - events / at_risk), len(length))


def influence(length: np.ndarray, ended: np.ndarray, curve: Curve, limit: float) -> np.ndarray:
    """(n,) what each case adds to the error of the curve at `limit`, by the infinitesimal jackknife.

    Source: Reid (1981), Annals of Statistics 9, 78–92. Without open cases: the share less whether the case is longer.
    """
    before = curve.times <= limit
    times, at_risk, events = curve.times[before], curve.at_risk[before], curve.ended[before]
    place = np.searchsorted(times, np.minimum(length, limit), side="right")
    paid = np.concatenate([[0.0], np.cumsum(events / (at_risk * (at_risk - events)))])[place]
    own = ended & (length <= limit)
    jump = np.zeros(len(length))
    left = at_risk - events
    jump[own] = 1 / left[place[own] - 1]
    return curve.at(limit) * (paid - jump)


def quantile_of(curve: Curve, share: float) -> float:
    """The length that `share` of the cases do not exceed; NaN if the curve does not come so far.

    Where exactly this share is not longer, the middle of the flat stretch that begins there.
    """
    return _crossing(curve.times, curve.survival, 1 - share)


def _crossing(times: np.ndarray, survival: np.ndarray, height: float) -> float:
    near = np.abs(survival - height) <= 1e-12
    below = np.flatnonzero((survival < height) | near)
    if not len(below):
        return float("nan")
    first = int(below[0])
    if near[first]:
        later = np.flatnonzero(survival < survival[first] - 1e-12)
        return float((times[first] + times[later[0]]) / 2) if len(later) else float(times[first])
    return float(times[first])


def open_quantile_bounds(curve: Curve, share: float, level: float) -> tuple[float, float]:
    """Interval of a quantile where cases are open: the lengths whose own log-log interval holds the share.

    An end that the curve does not reach is NaN.
    """
    z = float(t_quantile((1 + level) / 2, np.inf))
    inner = (curve.survival > 0) & (curve.survival < 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(curve.survival)
        spread = z * np.sqrt(curve.hazard_variance) / np.abs(log)
        ends = [np.where(inner, np.exp(log * np.exp(sign * spread)), np.nan) for sign in (1, -1)]
    return _crossing(curve.times, ends[0], 1 - share), _crossing(curve.times, ends[1], 1 - share)


def ordered_bounds(length: np.ndarray, share: float, level: float) -> tuple[float, float]:
    """Exact interval of a quantile of (n,) lengths that are all known: two of them, by the binomial distribution.

    The ends are the ranks that leave at most half of 1 − level on each side; NaN where no length is far enough out.
    Source: Conover (1999), Practical Nonparametric Statistics, 3rd ed., 3.2.
    """
    from scipy.stats import binom

    n, tail = len(length), (1 - level) / 2
    values = np.sort(length)
    below = binom.cdf(np.arange(n), n, share)
    ranks = np.flatnonzero(below <= tail)
    low = float(values[ranks[-1]]) if len(ranks) else float("nan")
    high_ranks = np.flatnonzero(below >= 1 - tail)
    return low, float(values[high_ranks[0]]) if len(high_ranks) else float("nan")
