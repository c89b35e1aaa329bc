"""Agreement of rankings: Kendall's W of several, and tau-b of two."""

from __future__ import annotations

import numpy as np
import pandas as pd


def ranks_of(figures: np.ndarray) -> np.ndarray:
    """(r, k) ranks of the figures of each row, 1 = highest; equal figures share their mean rank."""
    return np.asarray(pd.DataFrame(-np.asarray(figures, float)).rank(axis=1, method="average").to_numpy(float))


def kendall_w(figures: np.ndarray) -> float:
    """Kendall's coefficient of concordance of r rankings of k objects, corrected for ties; 1 = all the same.

    W = 12·S/(r²(k³ − k) − r·ΣT), S the squares of the rank sums around their mean, T = Σ(t³ − t) over the ties of a
    ranking (Kendall & Gibbons 1990, Rank Correlation Methods, 6.9). NaN for one ranking, one object, or ties only.
    Objects that lack a figure somewhere are left out.
    """
    figures = np.asarray(figures, float)
    ranks = ranks_of(figures[:, np.isfinite(figures).all(axis=0)])
    r, k = ranks.shape
    if r < 2 or k < 2:
        return float("nan")
    sums = ranks.sum(axis=0)
    ties = sum(float((np.unique(row, return_counts=True)[1].astype(float) ** 3).sum() - k) for row in ranks)
    most = r**2 * (k**3 - k) - r * ties
    return float(12 * np.square(sums - sums.mean()).sum() / most) if most > 1e-9 else float("nan")


def kendall_tau(first: np.ndarray, second: np.ndarray) -> float:
    """Kendall's tau-b of two rankings of the same objects that have both; NaN if one of them ties all."""
    both = np.isfinite(first) & np.isfinite(second)
    first, second = first[both], second[both]
    upper = np.triu_indices(len(first), 1)
    one = np.sign(np.subtract.outer(first, first))[upper]
    two = np.sign(np.subtract.outer(second, second))[upper]
    most = np.sqrt(float(np.square(one).sum()) * float(np.square(two).sum()))
    return float((one * two).sum() / most) if most > 0 else float("nan")
