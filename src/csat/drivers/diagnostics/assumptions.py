"""Tests of what ordinary standard errors assume: equal variance, normal residuals, the right form.

All of them take the rows as independent: strata and sampling units are not used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import f_tail
from csat.drivers.diagnostics.influence import RowFit
from csat.results import Unavailable

#: Fewest respondents for tests of normality with a χ² distribution, and most for Shapiro and Wilk's (Royston 1995).
FEWEST, MOST = 20, 5000
#: Cells of the table of squares and products that White's test works on at most: 80 MB.
WHITE_CELLS = 10**7
#: Singular values below this share of the largest are rounding error: the columns repeat each other.
RANK = 1e-9
#: Powers of the fitted values that Ramsey's test adds.
POWERS = (2, 3)
#: What a test is about → what it finds: (nothing against the assumption, something).
FINDINGS: Mapping[str, tuple[str, str]] = {
    "variance": ("equal_variance", "unequal_variance"),
    "normality": ("normal", "not_normal"),
    "form": ("form_fits", "form_misses"),
}


@dataclass(frozen=True, slots=True)
class Found:
    """A statistic with its degrees of freedom and p."""

    statistic: float
    df: float
    p: float
    df2: float = float("nan")


def tests_of(fit: RowFit, level: float) -> pd.DataFrame:
    """One row per test: ``test about statistic df df2 p kind note``; see `Diagnosis.tests`.

    Parameters
    ----------
    fit : on rows. level : p below 1 − level speaks against an assumption.
    """
    rows = []
    for name, (about, check) in CHECKS.items():
        found = Unavailable("no_variance") if fit.exact else check(fit)
        if isinstance(found, Unavailable):
            rows.append((name, about, np.nan, np.nan, np.nan, np.nan, "", str(found)))
        else:
            kind = FINDINGS[about][int(found.p < 1 - level)]
            rows.append((name, about, found.statistic, found.df, found.df2, found.p, kind, ""))
    return pd.DataFrame(rows, columns=["test", "about", "statistic", "df", "df2", "p", "kind", "note"])


def breusch_pagan(fit: RowFit) -> Found | Unavailable:
    """Whether the squared residuals depend on the drivers (Koenker 1981, J. Econometrics 17, 107–112: n·R²)."""
    return _variance_test(fit.scaled, fit.slopes)


def white(fit: RowFit) -> Found | Unavailable:
    """Whether they depend on the drivers, their squares and products (White 1980, Econometrica 48, 817–838)."""
    z = np.column_stack([np.ones(len(fit.residual)), fit.slopes])
    z /= np.sqrt(np.square(z).mean(axis=0))
    first, second = np.triu_indices(z.shape[1])
    if len(first) * len(z) > WHITE_CELLS:
        return Unavailable("too_many_columns")
    if 2 * len(first) > len(z):
        return Unavailable("too_few_answers")
    return _variance_test(fit.scaled, z[:, first] * z[:, second])


def _variance_test(residual: np.ndarray, columns: np.ndarray) -> Found | Unavailable:
    from statsmodels.stats.diagnostic import het_breuschpagan

    size, length = len(residual), np.linalg.norm(columns, axis=0)
    unit = columns / np.where(length > 0, length, 1.0)
    basis = independent(unit - unit.mean(axis=0)) * np.sqrt(size)
    df = basis.shape[1]
    if df == 0:
        return Unavailable("not_identified")
    if size < df + 2:
        return Unavailable("too_few_answers")
    statistic, p, _, _ = het_breuschpagan(_unit(residual), np.column_stack([np.ones(size), basis]))
    return Found(float(statistic), df, float(p))


def independent(columns: np.ndarray) -> np.ndarray:
    """(n, r) orthonormal columns that span `columns` of length 1 or less; r is their rank."""
    left, size, _ = np.linalg.svd(columns, full_matrices=False)
    return left[:, size > RANK]


def _unit(values: np.ndarray) -> np.ndarray:
    """Values with a mean square of 1: squares of very large or small units would lose digits."""
    return values / np.sqrt(np.mean(np.square(values)))


def jarque_bera(fit: RowFit) -> Found | Unavailable:
    """Skewness and kurtosis of the residuals (Jarque & Bera 1987, Int. Stat. Rev. 55, 163–172)."""
    from statsmodels.stats.stattools import jarque_bera as test

    if len(fit.residual) < FEWEST:
        return Unavailable("too_few_answers")
    statistic, p, _, _ = test(_unit(fit.scaled))
    return Found(float(statistic), 2, float(p))


def omnibus(fit: RowFit) -> Found | Unavailable:
    """Skewness and kurtosis, closer to χ² in small samples (D'Agostino & Pearson 1973, Biometrika 60, 613–622)."""
    from statsmodels.stats.stattools import omni_normtest

    if len(fit.residual) < FEWEST:
        return Unavailable("too_few_answers")
    statistic, p = omni_normtest(_unit(fit.scaled))
    return Found(float(statistic), 2, float(p))


def shapiro_wilk(fit: RowFit) -> Found | Unavailable:
    """How straight the normal plot of the residuals is (Shapiro & Wilk 1965; Royston 1995, Appl. Stat. 44, 547–551)."""
    from scipy.stats import shapiro

    if not 3 <= len(fit.residual) <= MOST:
        return Unavailable("too_few_answers" if len(fit.residual) < 3 else "too_many_answers")
    statistic, p = shapiro(_unit(fit.scaled))
    return Found(float(statistic), np.nan, float(p))


def reset(fit: RowFit) -> Found | Unavailable:
    """Whether powers of the fitted values explain more: bends, missing interactions (Ramsey 1969, JRSS B 31, 350–371).

    An F test from what the powers explain of the residuals; statsmodels' `linear_reset` forgets the weights.
    """
    extra = _unexplained_powers(fit)
    df, df2 = extra.shape[1], fit.df - extra.shape[1]
    if df == 0 or df2 < 1:
        return Unavailable("not_identified" if df == 0 else "too_few_answers")
    residual = _unit(fit.scaled)
    gain = float(np.square(residual @ extra).sum())
    statistic = (gain / df) / ((float(residual @ residual) - gain) / df2)
    return Found(statistic, df, float(f_tail(statistic, df, df2)), df2)


def _unexplained_powers(fit: RowFit) -> np.ndarray:
    """(n, r) orthonormal: what the drivers leave of powers of the fitted values, times √w; r < 2 if those are few.

    With a constant, powers around the mean add the same as powers of the values, and lose no digits.
    """
    root = np.sqrt(fit.weight)[:, None]
    fitted = fit.fitted - (np.average(fit.fitted, weights=fit.weight) if fit.has_constant else 0.0)
    powers = root * _unit(fitted)[:, None] ** np.array(POWERS)
    powers /= np.linalg.norm(powers, axis=0)
    space = np.linalg.qr(root * fit.design)[0]
    return independent(powers - space @ (space.T @ powers))


#: Name of a test → what it is about, and how it is made.
CHECKS: Mapping[str, tuple[str, Callable[[RowFit], Found | Unavailable]]] = {
    "breusch_pagan": ("variance", breusch_pagan),
    "white": ("variance", white),
    "jarque_bera": ("normality", jarque_bera),
    "omnibus": ("normality", omnibus),
    "shapiro_wilk": ("normality", shapiro_wilk),
    "reset": ("form", reset),
}
