"""Ranks of estimated figures, and how far they are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from csat.distributions import t_quantile
from csat.results import Estimates


def rank_of(figures: np.ndarray) -> np.ndarray:
    """(k,) ranks of figures (k,), 1 = highest; equal figures share the better rank, NaN where there is no figure."""
    return pd.Series(-figures).rank(method="min").to_numpy(float)


def rank_interval(estimates: Estimates) -> tuple[np.ndarray, np.ndarray]:
    """Simultaneous intervals of the true ranks, 1 = highest.

    Parameters
    ----------
    estimates : of the k figures that are ranked; their whole covariance is used.

    Returns
    -------
    (k,), (k,) int arrays
        1 + the figures surely above … k − those surely below, by all pairwise differences with Bonferroni: at `level`
        all true ranks lie in their intervals. A figure without a standard error can have any rank.

    Source: Klein, Wright & Wieczorek (2020), J. R. Stat. Soc. A 183, 1057–1083.
    """
    size = len(estimates.term)
    variance = np.diag(estimates.vcov)
    gap = estimates.estimate[:, None] - estimates.estimate[None, :]
    se = np.sqrt(np.maximum(variance[:, None] + variance[None, :] - 2 * estimates.vcov, 0.0))
    pairs = max(size * (size - 1) / 2, 1)
    reach = t_quantile(1 - (1 - estimates.level) / 2 / pairs, float(np.min(estimates.df))) * se
    with np.errstate(invalid="ignore"):
        above = gap > reach
    return 1 + above.sum(axis=0), size - above.sum(axis=1)
