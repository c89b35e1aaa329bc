"""Exact intervals and tests for counts: Poisson rates and the ratio of two of them.

Sources: Garwood (1936), Biometrika 28, 437–442 (rate); Przyborowski & Wilenski (1940), Biometrika 31, 313–323
(two counts given their sum), with the interval of Clopper & Pearson (1934), Biometrika 26, 404–413.
"""

from __future__ import annotations

import numpy as np


def count_bounds(count: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the exact interval of a Poisson mean.

    Parameters
    ----------
    count : (k,) counts found, 0 or more. level : between 0 and 1.

    >>> [round(float(end[0]), 3) for end in count_bounds(np.array([10.0]), 0.95)]
    [4.795, 18.39]
    """
    from scipy.special import gammainccinv, gammaincinv

    tail = (1 - level) / 2
    low = np.where(count > 0, gammaincinv(np.maximum(count, 1e-300), tail), 0.0)
    return low, np.asarray(gammainccinv(count + 1, tail))


def ratio_bounds(
    after: np.ndarray, before: np.ndarray, exposure: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the exact interval of the ratio of two Poisson rates, given the sum of the counts.

    Parameters
    ----------
    after, before : (k,) counts. exposure : (k,) of the counts before over that of those after.

    Returns
    -------
    tuple of numpy.ndarray
        (k,) lower ends, 0 where nothing was counted after; (k,) upper ends, inf where nothing was counted before; NaN
        where nothing was counted at all.
    """
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    low = np.where(after > 0, betaincinv(np.maximum(after, 1e-300), before + 1, tail), 0.0)
    high = np.where(before > 0, betaincinv(after + 1, np.maximum(before, 1e-300), 1 - tail), 1.0)
    with np.errstate(divide="ignore"):
        ends = exposure * low / (1 - low), exposure * high / (1 - high)
    nothing = after + before == 0
    return np.where(nothing, np.nan, ends[0]), np.where(nothing, np.nan, ends[1])


def same_rate(after: int, before: int, share: float) -> float:
    """Two-sided p of equal rates: the chance of a split of the sum that is no likelier than the one found.

    share : of all exposure that belongs to `after`. 1 if nothing was counted.
    """
    from scipy.stats import binomtest

    return float(binomtest(after, after + before, share).pvalue) if after + before else 1.0
