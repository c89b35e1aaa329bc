"""Intervals for a share that stay between 0 and 1, for any design.

All take the effective sample size n_eff = p(1 − p)/se², or put the interval on a scale without ends. Sources:
Korn & Graubard (1998), Survey Methodology 24, 193–201; Franco, Little, Louis & Slud (2019), J. Survey Stat.
Methodol. 7, 334–364. "logit", "beta" and "asin" are the definitions of `svyciprop` in the R package survey, where
"xlogit" and "logit" are two routes to the same interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from csat.distributions import t_quantile
from csat.errors import check_choice
from csat.results import Estimates

#: (share, se, n, df, level) → lower and upper ends, each (k,).
Interval = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]

#: A share with a smaller standard error is known exactly (a share of strata, say).
EXACT = 1e-9


def plain(share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray, level: float) -> tuple:  # noqa: ARG001
    """Share ± t·se; it may leave 0–1."""
    half = t_quantile((1 + level) / 2, df) * se
    return share - half, share + half


def logit(share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray, level: float) -> tuple:  # noqa: ARG001
    """The t interval of log(p/(1 − p)), taken back; no interval at a share of 0 or 1."""
    from scipy.special import expit

    inner = (share > 0) & (share < 1)
    p = np.where(inner, share, 0.5)
    half = np.where(inner, t_quantile((1 + level) / 2, df) * se / (p * (1 - p)), np.nan)
    centre = np.log(p / (1 - p))
    return expit(centre - half), expit(centre + half)


def arcsine(share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray, level: float) -> tuple:  # noqa: ARG001
    """The t interval of asin √p, taken back; no interval at a share of 0 or 1."""
    inner = (share > 0) & (share < 1)
    p = np.where(inner, share, 0.5)
    half = np.where(inner, t_quantile((1 + level) / 2, df) * se / (2 * np.sqrt(p * (1 - p))), np.nan)
    centre = np.arcsin(np.sqrt(p))
    ends = np.clip(np.stack([centre - half, centre + half]), 0, np.pi / 2)
    return tuple(np.sin(ends) ** 2)


def beta(share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray, level: float) -> tuple:
    """Clopper–Pearson with n_eff·(t(n − 1)/t(df))² answers (Korn & Graubard 1998); n answers at a share of 0 or 1."""
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        few = (t_quantile(1 - tail, np.maximum(n - 1.0, 1.0)) / t_quantile(1 - tail, df)) ** 2
    size = effective(share, se, n) * few
    yes, no = size * share, size * (1 - share)
    low = np.where(share > 0, betaincinv(np.maximum(yes, 1e-300), no + 1, tail), share)
    high = np.where(share < 1, betaincinv(yes + 1, np.maximum(no, 1e-300), 1 - tail), share)
    return low, high


def wilson(share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray, level: float) -> tuple:
    """Wilson's score interval with n_eff answers and Student's t; n answers at a share of 0 or 1."""
    t2 = t_quantile((1 + level) / 2, df) ** 2 / effective(share, se, n)
    half = np.sqrt(t2 * share * (1 - share) + t2**2 / 4)
    centre = share + t2 / 2
    return np.maximum((centre - half) / (1 + t2), 0.0), np.minimum((centre + half) / (1 + t2), 1.0)


INTERVALS: dict[str, Interval] = {
    "t": plain, "logit": logit, "xlogit": logit, "beta": beta, "wilson": wilson, "asin": arcsine
}  # fmt: skip


def effective(share: np.ndarray, se: np.ndarray, n: np.ndarray) -> np.ndarray:
    """(k,) p(1 − p)/se²; n where everyone or nobody gave the answer, for there se says nothing."""
    settled = (share <= 0) | (share >= 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(settled, n, share * (1 - share) / se**2)


def share_bounds(
    kind: str, share: np.ndarray, se: np.ndarray, n: np.ndarray, df: np.ndarray | float, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the intervals of k shares.

    Parameters
    ----------
    kind : one of `INTERVALS`.
    share, se, n : (k,) estimates, standard errors, unweighted bases; NaN gives NaN.
    df : degrees of freedom of the design, inf for a normal interval.
    level : between 0 and 1.

    Raises
    ------
    OptionError
        For an unknown kind.
    """
    check_choice("interval", kind, INTERVALS)
    df = np.broadcast_to(np.asarray(df, float), share.shape)
    exact = (share > 0) & (share < 1) & (se < EXACT)
    low, high = INTERVALS[kind](share, np.where(exact, np.nan, se), n, df, level)
    otherwise = np.where(np.isnan(se), np.nan, share)
    settled = exact | np.isnan(se)
    return np.where(settled, otherwise, low), np.where(settled, otherwise, high)


def with_interval(estimates: Estimates, kind: str) -> Estimates:
    """The same shares with another interval."""
    if kind == "t":
        return estimates
    bounds = share_bounds(kind, estimates.estimate, estimates.se, estimates.n, estimates.df, estimates.level)
    return replace(estimates, bounds=bounds)
