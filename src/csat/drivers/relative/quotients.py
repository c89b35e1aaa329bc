"""Intervals of shares: quotients whose denominator is estimated too, by Fieller's method."""

from __future__ import annotations

import numpy as np

from csat.distributions import t_quantile
from csat.results import ROUNDING


def fieller(
    above: np.ndarray,
    below: np.ndarray,
    vcov: np.ndarray,
    df: np.ndarray | float,
    level: float,
    ends: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the intervals of k quotients: all θ for which above − θ·below may be zero.

    That difference is linear in what was estimated, so that its t test keeps its level where the delta method fails
    because the denominator is not known well.

    Parameters
    ----------
    above, below : (k,) numerators and denominators. vcov : (k, 2, 2) of each pair.
    df : of the t distribution, one number or (k,). level : of the intervals.
    ends : where a quotient can be. Where the denominator may be zero the set has no bounds, or a gap: the interval is
        then the shortest between the ends that holds all of it.

    Returns
    -------
    (k,), (k,) arrays
        The quotient itself where it does not vary; NaN where a figure or a variance is not known.

    Source: Fieller (1954), J. R. Stat. Soc. B 16, 175–185.
    """
    square = np.square(t_quantile((1 + level) / 2, np.broadcast_to(np.asarray(df, float), np.shape(above))))
    with np.errstate(invalid="ignore", divide="ignore"):
        quotient = above / below
        spread = vcov[:, 0, 0] - 2 * quotient * vcov[:, 0, 1] + np.square(quotient) * vcov[:, 1, 1]
        first, last = _roots(
            np.square(below) - square * vcov[:, 1, 1],
            above * below - square * vcov[:, 0, 1],
            np.square(above) - square * vcov[:, 0, 0],
            ends,
        )
    certain = spread <= ROUNDING * (vcov[:, 0, 0] + np.square(quotient) * vcov[:, 1, 1])
    unknown = ~np.isfinite(quotient + spread + square)
    low, high = (np.where(unknown, np.nan, np.where(certain, quotient, end)) for end in (first, last))
    return np.clip(low, *ends), np.clip(high, *ends)


def _roots(a: np.ndarray, b: np.ndarray, c: np.ndarray, ends: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """First and last θ between the ends with a·θ² − 2·b·θ + c ≤ 0."""
    reach = np.sqrt(np.maximum(np.square(b) - a * c, 0.0))
    one, other = (b - reach) / a, (b + reach) / a
    left, right = np.minimum(one, other), np.maximum(one, other)
    gap = (a < 0) & (np.square(b) > a * c)
    first = np.where(gap & (left < ends[0]), right, ends[0])
    last = np.where(gap & (right > ends[1]), left, ends[1])
    return np.where(a > 0, left, first), np.where(a > 0, right, last)


def share_intervals(
    parts: np.ndarray, vcov: np.ndarray, matrix: np.ndarray, df: np.ndarray | float, level: float,
    ends: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Ends of the intervals of linear combinations of m parts, in per cent of the sum of the parts.

    Parameters
    ----------
    parts, vcov : (m,) and (m, m). matrix : (k, m) a combination per row. df, level : of the intervals.
    ends : where a result can be, in per cent.
    """
    both = np.stack([matrix, np.ones_like(matrix)], axis=1)
    pairs = np.einsum("kim,mn,kjn->kij", both, vcov, both)
    low, high = fieller(
        matrix @ parts, np.full(len(matrix), parts.sum()), pairs, df, level, (ends[0] / 100, ends[1] / 100)
    )
    return 100 * low, 100 * high


def percentages(ends: tuple[float, float]) -> tuple[float, float]:
    """Where a share can be, in per cent, if parts can be between `ends`: without negative parts none exceeds 100."""
    return (0.0, 100.0) if ends[0] == 0 else (-np.inf, np.inf)
