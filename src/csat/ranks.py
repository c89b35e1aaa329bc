"""Ranks of estimated figures, and how far they are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csat.distributions import two_sided_p
from csat.results import Estimates, ratio_to_error


def rank_of(figures: np.ndarray) -> np.ndarray:
    """(k,) ranks of figures (k,), 1 = highest; equal figures share the better rank, NaN where there is no figure."""
    return pd.Series(-figures).rank(method="min").to_numpy(float)


def rank_interval(estimates: Estimates, *, census: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous intervals of the true ranks, 1 = highest.

    Parameters
    ----------
    estimates : of the k figures that are ranked; their whole covariance is used.
    census : whether a difference with a standard error of 0 is sure, as where everyone was asked. False: it has no
        order, as in a sample of which all gave the same answer.

    Returns
    -------
    (k,), (k,) int arrays
        1 + the figures surely above … k − those surely below. Which are is found by Holm's step-down over all
        k·(k − 1) one-sided comparisons of two figures: the chance that any of them is wrong is at most 1 − level,
        so that at `level` all true ranks lie in their intervals, and picking the first one afterwards changes nothing.
        The first step is as strict as Bonferroni's; what it finds makes the next ones easier. A figure without a
        standard error can have any rank, and each comparison has the smaller degrees of freedom of its two figures.

    Sources: Klein, Wright & Wieczorek (2020), J. R. Stat. Soc. A 183, 1057–1083 (ranks from comparisons of pairs);
    Mogstad, Romano, Shaikh & Wilhelm (2024), Review of Economic Studies 91, 476–518 (step by step);
    Holm (1979), Scandinavian J. Statistics 6, 65–70.
    """
    size = len(estimates.term)
    above = _surely_above(estimates, census=census)
    return 1 + above.sum(axis=0), size - above.sum(axis=1)


def _surely_above(estimates: Estimates, *, census: bool) -> np.ndarray:
    """(k, k) whether the figure of the row lies above that of the column, by Holm's step-down."""
    p = _one_sided_p(estimates, census=census).ravel()
    size = len(estimates.term)
    order = np.argsort(p, kind="stable")
    left = np.maximum(size * (size - 1) - np.arange(len(p)), 1)
    steps = np.cumprod(p[order] <= (1 - estimates.level) / left).astype(bool)
    out = np.zeros(len(p), bool)
    out[order[steps]] = True
    return out.reshape(size, size)


def _one_sided_p(estimates: Estimates, *, census: bool) -> np.ndarray:
    """(k, k) p of the hypothesis that the figure of the row does not lie above that of the column; 1 if not known."""
    variance = np.diag(estimates.vcov)
    gap = estimates.estimate[:, None] - estimates.estimate[None, :]
    se = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * estimates.joint, 0.0))
    df = np.broadcast_to(np.asarray(estimates.df, float), len(gap))
    tail = two_sided_p(ratio_to_error(gap, se), np.minimum(df[:, None], df)) / 2
    tail = np.where((gap > 0) & np.isfinite(tail), tail, 1.0)
    return np.where((gap > 0) & (se == 0), 0.0, tail) if census else tail
