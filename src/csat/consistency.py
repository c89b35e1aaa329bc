"""How well items agree within a scale and differ between scales: functions of covariances alone.

Every function takes arrays with leading axes, so that groups and replicates are computed together, and complex
numbers, so that derivatives are imaginary parts (Squire & Trapp 1998, SIAM Review 40(1), 110–112). Covariances and
correlations may have any divisor: every figure is the same for a multiple of the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def correlations(cov: np.ndarray) -> np.ndarray:
    """(…, k, k) correlations of covariances (…, k, k); not finite where a variance is not positive."""
    sd = np.sqrt(np.diagonal(cov, axis1=-2, axis2=-1))
    return np.asarray(cov / (sd[..., :, None] * sd[..., None, :]))


def alpha(cov: np.ndarray) -> np.ndarray:
    """(…) coefficient alpha of items with covariances (…, k, k); of correlations, standardized alpha. NaN for one item.

    Of two items standardized alpha is the Spearman–Brown coefficient 2r / (1 + r).
    Source: Cronbach (1951), Psychometrika 16(3), 297–334.

    >>> round(float(alpha(np.array([[1.0, 0.5], [0.5, 1.0]]))), 6)
    0.666667
    """
    k = cov.shape[-1]
    if k < 2:
        return np.full(cov.shape[:-2], np.nan)
    own = np.trace(cov, axis1=-2, axis2=-1)
    return np.asarray(k / (k - 1) * (1.0 - own / cov.sum(axis=(-2, -1))))


def alpha_without(cov: np.ndarray) -> np.ndarray:
    """(…, k) alpha of the other items, without each in turn; NaN where fewer than two are left."""
    k = cov.shape[-1]
    if k < 3:
        return np.full(cov.shape[:-1], np.nan)
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    own = variance.sum(axis=-1)[..., None] - variance
    return np.asarray((k - 1) / (k - 2) * (1.0 - own / _sum_without(cov)))


def item_rest(cov: np.ndarray) -> np.ndarray:
    """(…, k) corrected item-total correlations: of each item with the sum of the others."""
    variance = np.diagonal(cov, axis1=-2, axis2=-1)
    across = cov.sum(axis=-1) - variance
    return np.asarray(across / np.sqrt(variance * _sum_without(cov)))


def _sum_without(cov: np.ndarray) -> np.ndarray:
    """(…, k) variance of the sum of the other items."""
    rows = cov.sum(axis=-1)
    return rows.sum(axis=-1)[..., None] - 2.0 * rows + np.diagonal(cov, axis1=-2, axis2=-1)


def composite_reliability(loadings: np.ndarray) -> np.ndarray:
    """(…) share of the variance of the sum of standardized items that their construct explains: CR, Jöreskog's rho.

    Parameters
    ----------
    loadings : (…, k) standardized.

    Source: Werts, Linn & Jöreskog (1974), Educational and Psychological Measurement 34(1), 25–33.
    """
    common = loadings.sum(axis=-1) ** 2
    return np.asarray(common / (common + (1.0 - loadings**2).sum(axis=-1)))


def variance_extracted(loadings: np.ndarray) -> np.ndarray:
    """(…) average variance extracted, AVE: mean of squared standardized loadings (…, k).

    Source: Fornell & Larcker (1981), Journal of Marketing Research 18(1), 39–50.
    """
    return np.asarray((loadings**2).mean(axis=-1))


def heterotrait_ratio(
    corr: np.ndarray, one: Sequence[int] | np.ndarray, other: Sequence[int] | np.ndarray, *, geometric: bool = False
) -> np.ndarray:
    """(…) heterotrait-monotrait ratio of two constructs: HTMT, or HTMT2 with geometric means.

    The mean size of the correlations between the items of two constructs, over the geometric mean of the mean sizes
    within each. inf where items within a construct do not correlate at all.

    Parameters
    ----------
    corr : (…, p, p) correlations. one, other : positions of the items of each construct, two or more.
    geometric : means over correlations are geometric, as befits items with different loadings.

    Source: Henseler, Ringle & Sarstedt (2015), Journal of the Academy of Marketing Science 43(1), 115–135, equation 6;
    Roemer, Schuberth & Henseler (2021), Industrial Management & Data Systems 121(12), 2637–2650, for HTMT2.
    """
    across = _mean(corr[..., np.asarray(one)[:, None], np.asarray(other)].reshape(*corr.shape[:-2], -1), geometric)
    within = np.sqrt(_within(corr, one, geometric) * _within(corr, other, geometric))
    positive = within.real > 0
    return np.where(positive, across / np.where(positive, within, 1.0), np.inf)


def _within(corr: np.ndarray, at: Sequence[int] | np.ndarray, geometric: bool) -> np.ndarray:
    rows, columns = np.triu_indices(len(at), 1)
    place = np.asarray(at)
    return _mean(corr[..., place[rows], place[columns]], geometric)


def _mean(values: np.ndarray, geometric: bool) -> np.ndarray:
    """(…) mean of the sizes of values (…, m)."""
    sizes = np.where(values.real < 0, -values, values)
    if not geometric:
        return np.asarray(sizes.mean(axis=-1))
    with np.errstate(divide="ignore"):
        return np.asarray(np.exp(np.log(sizes).mean(axis=-1)))
