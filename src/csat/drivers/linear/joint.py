"""Joint tests of the coefficients of a term, and its generalised variance inflation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from csat.distributions import f_tail
from csat.drivers.linear.least_squares import Fit
from csat.drivers.terms import Terms


class TermTest(NamedTuple):
    """A term's joint test, and its generalised variance inflation: as it is, and comparable with √VIF.

    `gvif_scaled` = gvif^(1/(2·df)).
    """

    term: str
    df: int
    f: float
    df2: float
    p: float
    gvif: float
    gvif_scaled: float


def wald(estimate: np.ndarray, vcov: np.ndarray, at: Sequence[int]) -> float:
    """Wald's χ² of the hypothesis that the coefficients at some positions are zero.

    Parameters
    ----------
    estimate : (q,). vcov : (q, q). at : positions tested; none gives 0.

    Returns
    -------
    float
        bᵀV⁻¹b; NaN if one of them is not known, does not vary, or the others determine it.
    """
    if not at:
        return 0.0
    b, v = estimate[list(at)], vcov[np.ix_(at, at)]
    se = np.sqrt(np.diag(v))
    if not (np.isfinite(b).all() and np.isfinite(v).all() and (se > 0).all()):
        return float("nan")
    corr, t = v / np.outer(se, se), b / se
    if len(b) == 1:
        return float(t[0] ** 2)
    if np.linalg.matrix_rank(corr, hermitian=True) < len(b):
        return float("nan")
    return float(t @ np.linalg.solve(corr, t))


def term_tests(
    terms: Terms, estimate: np.ndarray, vcov: np.ndarray, df2: float, gvif: np.ndarray | None = None
) -> list[TermTest]:
    """Test each term given all others but those that contain it (type II).

    A term is tested in a model without the interactions that it is part of: its statistic is the Wald statistic of
    term and interactions together less that of the interactions, so that it does not depend on the reference level or
    the zero of another driver (Fox 2016, Applied Regression Analysis, 3rd ed., 8.2; Anova(type = 2) of his R package
    car). Without interactions it is the usual joint Wald test (regTermTest of R's survey).

    Parameters
    ----------
    terms : (m,).
    estimate, vcov : (k,) and (k, k) of the columns, without intercept or thresholds.
    df2 : denominator degrees of freedom.
    gvif : (m,) generalised variance inflation; None: not defined.

    Returns
    -------
    (m,) list
        f is the Wald statistic over its degrees of freedom.
    """
    out = []
    for term, label in enumerate(terms.labels):
        own = terms.of(term)
        above = [j for other in range(len(terms.labels)) if term in terms.needs[other] for j in terms.of(other)]
        f = (wald(estimate, vcov, [*own, *above]) - wald(estimate, vcov, above)) / len(own)
        p = float(f_tail(f, len(own), df2)) if df2 > 0 else float("nan")
        inflation = float("nan") if gvif is None else float(gvif[term])
        out.append(TermTest(label, len(own), f, df2, p, inflation, inflation ** (1 / (2 * len(own)))))
    return out


def term_table(
    tests: Sequence[Sequence[TermTest]], by: Sequence[str] = (), groups: Sequence[Sequence[str]] = ((),)
) -> pd.DataFrame:
    """One row per group and term: the grouping columns, then the fields of `TermTest`.

    `groups` are the labels of each group, in the order of `tests`.
    """
    rows = [(*labels, *test) for labels, each in zip(groups, tests, strict=True) for test in each]
    return pd.DataFrame(rows, columns=[*by, *TermTest._fields])


def generalised_vif(fit: Fit, terms: Terms) -> np.ndarray:
    """(m,) generalised variance inflation of each term: det(R_own)·det(R_others)/det(R) of the drivers' correlations.

    Source: Fox & Monette (1992), J. Am. Stat. Assoc. 87, 178–183, eq. 10. For a term of one column it is the VIF.
    """
    return np.array([_inflation(fit, terms.of(term)) for term in range(len(terms.labels))])


def _inflation(fit: Fit, own: list[int]) -> float:
    if len(own) == 1:
        return float(1 / fit.tolerance[own[0]])
    block = np.ix_(own, own)
    return float(np.linalg.det(fit.corr[block]) * np.linalg.det(fit.precision[block]))
