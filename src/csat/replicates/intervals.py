"""Intervals from draws of a bootstrap: percentiles, plain or corrected for bias and acceleration, and their mirror.

Source: Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 5.2 and 5.3; Efron (1987), Journal
of the American Statistical Association 82, 171–185.
"""

from __future__ import annotations

import numpy as np

#: How an interval comes from quantiles of draws: percentiles; their mirror at the estimate; percentiles that make up
#: for a bias of the median; and for a standard error that changes with the parameter.
QUANTILES = ("percentile", "basic", "bias-corrected", "bca")


def interval_of(
    draws: np.ndarray, estimate: np.ndarray, level: float, method: str, acceleration: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper ends (q,) at `level` by a method of `QUANTILES`.

    Parameters
    ----------
    draws : (R, q) figures of the draws, NaN where a draw has none. estimate : (q,) those of the sample.
    acceleration : (q,) skewness of the figures' linear part over 6; used by "bca".

    Returns
    -------
    (q,) lower and (q,) upper ends
        NaN where all draws lie on one side of the estimate, so that the correction is infinite, or there are none;
        the estimate itself where all draws agree with it.
    """
    from scipy.special import ndtr, ndtri

    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    draws = np.where(np.isfinite(draws), draws, np.nan)  # an overflow is no figure
    apart = np.abs(draws - estimate) > 1e-10 * np.maximum(np.abs(estimate), 1e-300)
    same = np.isfinite(estimate) & ~apart.any(axis=0)
    if method in ("percentile", "basic"):
        asked = np.broadcast_to(tails[:, None], (2, len(estimate)))
    else:
        counted = np.maximum(np.isfinite(draws).sum(axis=0), 1)
        bias = ndtri((draws < estimate).sum(axis=0) / counted)
        skewed = acceleration if method == "bca" else np.zeros(len(estimate))
        with np.errstate(invalid="ignore"):
            shifted = bias + ndtri(tails)[:, None]
            asked = ndtr(bias + shifted / (1 - skewed * shifted))
    low, high = (np.where(same, estimate, quantile(draws, probability)) for probability in asked)
    return (2 * estimate - high, 2 * estimate - low) if method == "basic" else (low, high)


def quantile(draws: np.ndarray, probability: np.ndarray) -> np.ndarray:
    """(q,) quantiles of the draws (R, q) at probabilities (q,), interpolated on the scale of normal quantiles.

    The (R + 1)·α-th smallest draw, as R's boot and lavaan have it; beyond the first or last draw, that one.
    """
    from scipy.special import ndtri

    ordered = np.sort(draws, axis=0)  # NaN come last
    counted = np.isfinite(draws).sum(axis=0)
    known = np.isfinite(probability) & (probability > 0) & (probability < 1) & (counted > 0)
    alpha = np.where(known, probability, 0.5)
    rank = (counted + 1) * alpha
    below = np.clip(np.floor(rank).astype(int), 1, np.maximum(counted, 1))
    above = np.minimum(below + 1, np.maximum(counted, 1))
    low, high = (np.take_along_axis(ordered, (at - 1)[None], axis=0)[0] for at in (below, above))
    ends = ndtri(np.stack([below, below + 1, rank]) / (counted + 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.clip(np.nan_to_num((ends[2] - ends[0]) / (ends[1] - ends[0])), 0.0, 1.0)
    return np.where(known, low + share * (high - low), np.nan)


def acceleration_of(moves: np.ndarray, *, draws: bool) -> np.ndarray:
    """(q,) acceleration: skewness over 6 of the linear part of figures; 0 where they do not move.

    Parameters
    ----------
    moves : (m, q) how far each sampled unit moves the figures in first order, or each draw of a bootstrap if `draws`.
    """
    apart = moves - moves.mean(axis=0)
    second, third = np.sum(apart**2, axis=0), np.sum(apart**3, axis=0)
    varies = second > 1e-20 * np.maximum(np.max(np.abs(moves), axis=0, initial=0.0) ** 2, 1e-300)
    skewness = np.where(varies, third / np.where(varies, second, 1.0) ** 1.5, 0.0)
    return skewness * (np.sqrt(len(moves)) if draws else 1.0) / 6.0
