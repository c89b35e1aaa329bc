"""How well so many factors reproduce correlations: χ² and indices made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.structural.measures import rmsea, rmsea_interval, upper


@dataclass(frozen=True, slots=True, eq=False)
class EfaTest:
    """χ² that the factors are enough, and indices made of it; NaN unless the method is "ml" with df above 0.

    objective : the minimum of F = log|Σ| − log|R| + tr(RΣ⁻¹) − p. chisq : with Bartlett's correction, divided by
        `scaling`, which is 1 for a simple random sample and mean(χ²)/df under the survey's design.
    """

    objective: float
    chisq: float
    df: int
    p: float
    scaling: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    tli: float
    bic: float


def degrees_of_freedom(p: int, m: int) -> int:
    """Correlations of p items less the free loadings of m factors.

    >>> degrees_of_freedom(9, 3)
    12
    """
    return ((p - m) ** 2 - (p + m)) // 2


def most_factors(p: int) -> int:
    """How many common factors the correlations of p items can tell apart.

    >>> [most_factors(p) for p in (3, 4, 5, 6, 9)]
    [1, 1, 2, 3, 5]
    """
    return max(m for m in range(p) if degrees_of_freedom(p, m) >= 0)


def no_test(p: int, m: int) -> EfaTest:
    """The test of a method that has none."""
    return EfaTest(np.nan, np.nan, degrees_of_freedom(p, m), *[np.nan] * 7)


def fit_of(
    corr: np.ndarray, loadings: np.ndarray, uniqueness: np.ndarray, n: int, scalings: tuple[float, float]
) -> EfaTest:
    """χ² and indices of maximum likelihood.

    Parameters
    ----------
    corr : (p, p). loadings : (p, m) of uncorrelated factors. uniqueness : (p,). n : respondents.
    scalings : of χ² of the factors, and of that of no correlation at all; NaN: not known.

    References
    ----------
    Bartlett (1951), Biometrika 38(3/4), 337–344; Tucker & Lewis (1973), Psychometrika 38(1), 1–10; Satorra & Bentler
    (1994), in von Eye & Clogg, Latent Variables Analysis, 399–419, on the scaling.
    """
    p, m = loadings.shape
    df = degrees_of_freedom(p, m)
    null = -float(np.linalg.slogdet(corr)[1])
    sigma = loadings @ loadings.T + np.diag(uniqueness)
    objective = float(np.linalg.slogdet(sigma)[1] + np.trace(np.linalg.solve(sigma, corr)) - p + null)
    corrected = n - 1 - (2 * p + 5) / 6 - 2 * m / 3
    if df == 0:
        return EfaTest(objective, max(corrected * objective, 0.0), df, *[np.nan] * 7)
    chisq = max(corrected * objective / scalings[0], 0.0)
    plain = max((n - 1) * objective / scalings[0], 0.0)
    low, high = rmsea_interval(plain, df, n - 1)
    worst = null / scalings[1] / (p * (p - 1) / 2)
    return EfaTest(
        objective=objective, chisq=chisq, df=df, p=upper(chisq, df), scaling=scalings[0],
        rmsea=rmsea(plain, df, n - 1), rmsea_low=low, rmsea_high=high,
        tli=(worst - objective / scalings[0] / df) / (worst - 1 / corrected), bic=chisq - df * float(np.log(n)),
    )  # fmt: skip
