"""Tails and quantiles of the reference distributions, exact for small probabilities (never 1 − cdf).

scipy.special loads on first use: it would make `import csat` a third slower.
"""

from __future__ import annotations

import numpy as np


def two_sided_p(statistic: np.ndarray, df: np.ndarray | float) -> np.ndarray:
    """Two-sided p of Student's t; df = inf means normal."""
    from scipy.special import ndtr, stdtr

    df = np.broadcast_to(np.asarray(df, float), np.shape(statistic))
    finite = np.isfinite(df)
    below = -np.abs(statistic)
    known = np.where(df > 0, stdtr(np.where(finite & (df > 0), df, 1.0), below), np.nan)
    return 2.0 * np.where(finite, known, np.asarray(ndtr(below)))


def t_quantile(probability: float, df: np.ndarray | float) -> np.ndarray:
    """Quantile of Student's t; df = inf means normal."""
    from scipy.special import ndtri, stdtrit

    df = np.asarray(df, float)
    finite = np.isfinite(df)
    known = np.where(df > 0, stdtrit(np.where(finite & (df > 0), df, 1.0), probability), np.nan)
    return np.where(finite, known, float(ndtri(probability)))


def f_tail(statistic: np.ndarray | float, df1: np.ndarray | float, df2: np.ndarray | float) -> np.ndarray:
    """Upper tail of the F distribution; df2 = inf means χ²/df1."""
    from scipy.special import chdtrc, fdtrc

    finite = np.isfinite(df2)
    known = fdtrc(df1, np.where(finite, df2, 1.0), statistic)
    return np.where(finite, known, chdtrc(df1, np.asarray(df1) * statistic))


def chi2_tail(statistic: np.ndarray | float, df: float) -> np.ndarray:
    """Upper tail of the χ² distribution."""
    from scipy.special import chdtrc

    return np.asarray(chdtrc(df, statistic))


def noncentral_chi2(statistic: float, df: float, shift: float) -> float:
    """Distribution function of the χ² with noncentrality `shift`."""
    from scipy.special import chndtr

    return float(chndtr(statistic, df, shift))


def noncentrality(statistic: float, df: float, probability: float) -> float:
    """The noncentrality at which a χ² variable lies below `statistic` with this probability; 0 if less even there."""
    from scipy.special import chndtrinc

    return float(chndtrinc(statistic, df, probability)) if noncentral_chi2(statistic, df, 0.0) > probability else 0.0


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p (k,) for the number that could be computed; NaN stay NaN.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65–70.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(6).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p)[: np.isfinite(p).sum()]  # NaN come last
    steps = p[order] * np.arange(len(order), 0, -1)
    out = np.full(len(p), np.nan)
    out[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return out


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Correct p (k,) for the share of false discoveries among those that could be computed; NaN stay NaN.

    Source: Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57, 289–300.

    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p)[: np.isfinite(p).sum()][::-1]  # NaN come last
    steps = p[order] * len(order) / np.arange(len(order), 0, -1)
    out = np.full(len(p), np.nan)
    out[order] = np.minimum(np.minimum.accumulate(steps), 1.0)
    return out
