"""Exploratory factor analysis: what stands behind items before a model says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import CsatWarning, ModelError, OptionError, check_choice
from csat.model import Model
from csat.moments import Source, as_names, shown
from csat.results import Provenance, Shown
from csat.structural.extraction import (
    LEAST,
    Extracted,
    maximum_likelihood,
    minimum_residuals,
    principal_components,
)
from csat.structural.measures import rmsea, rmsea_interval, upper
from csat.structural.rotation import ROTATIONS, Rotated
from csat.structural.suitability import (
    Correlations,
    Suitability,
    correlations_of,
    doubts_of_items,
    suitability,
)

#: How factors are extracted.
METHODS: dict[str, Callable[[np.ndarray, int], Extracted]] = {
    "ml": maximum_likelihood,
    "minres": minimum_residuals,
    "pca": principal_components,
}


class HeywoodWarning(CsatWarning):
    """An item that its factors explain wholly."""


@dataclass(frozen=True, slots=True, eq=False)
class EfaTest:
    """χ² that the factors are enough, and indices made of it; NaN unless the method is "ml" with df above 0.

    objective : the minimum of F = log|Σ| − log|R| + tr(RΣ⁻¹) − p. chisq : with Bartlett's correction.
    """

    objective: float
    chisq: float
    df: int
    p: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    tli: float
    bic: float


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Efa(Shown):
    """An exploratory factor analysis.

    names : (p,) items. factors : (m,) names, the one that explains most first.
    pattern : (p, m) loadings, signs such that each factor's sum is positive. correlations : (m, m) of the factors.
    uniqueness : (p,) share of each item's variance that no factor explains. heywood : items at its least value.
    corr : (p, p) correlations of the items. n, left_out : respondents.
    method, rotation : as asked. test, suitability : see there. notes : doubts, as warned of.
    """

    names: tuple[str, ...]
    factors: tuple[str, ...]
    pattern: np.ndarray
    correlations: np.ndarray
    uniqueness: np.ndarray
    heywood: tuple[str, ...]
    corr: np.ndarray
    n: int
    left_out: int
    method: str
    rotation: str | None
    test: EfaTest
    suitability: Suitability
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def loadings(self) -> pd.DataFrame:
        """(p, m) loadings, items in the order they were asked for."""
        return pd.DataFrame(self.pattern, list(self.names), list(self.factors))

    @property
    def structure(self) -> pd.DataFrame:
        """(p, m) correlations of items and factors; the loadings if the factors are uncorrelated."""
        return pd.DataFrame(self.pattern @ self.correlations, list(self.names), list(self.factors))

    @property
    def factor_correlations(self) -> pd.DataFrame:
        """(m, m)."""
        return pd.DataFrame(self.correlations, list(self.factors), list(self.factors))

    @property
    def communality(self) -> np.ndarray:
        """(p,) share of each item's variance that the factors explain."""
        return np.asarray(np.sum((self.pattern @ self.correlations) * self.pattern, axis=1))

    @property
    def variance(self) -> pd.DataFrame:
        """One row per factor: ``factor``, ``squares`` (sum of squared loadings), ``share`` of all, ``cumulative``."""
        squares = _squares(self.pattern, self.correlations)
        share = squares / len(self.names)
        return pd.DataFrame(
            {"factor": list(self.factors), "squares": squares, "share": share, "cumulative": np.cumsum(share)}
        )

    @property
    def residuals(self) -> pd.DataFrame:
        """(p, p) sample minus reproduced correlations; on the diagonal what method "minres" and "ml" make 0."""
        left = self.corr - self.pattern @ self.correlations @ self.pattern.T - np.diag(self.uniqueness)
        return pd.DataFrame(left, list(self.names), list(self.names))

    @property
    def rmsr(self) -> float:
        """Root mean square of the residual correlations."""
        p = len(self.names)
        left = self.residuals.to_numpy() * (1.0 - np.eye(p))
        return float(np.sqrt(np.sum(left**2) / (p * (p - 1))))

    def tidy(self) -> pd.DataFrame:
        """One row per item, those of a factor together, highest loading first.

        Returns
        -------
        DataFrame
            ``term``, one column per factor, ``communality``, ``uniqueness``, ``complexity`` (how many factors an item
            has on average, Hofmann 1978), ``msa`` (sampling adequacy), ``main``, the factor it loads highest on.
        """
        size = np.abs(self.pattern)
        main = size.argmax(axis=1)
        square = self.pattern**2
        with np.errstate(invalid="ignore", divide="ignore"):
            complexity = square.sum(axis=1) ** 2 / (square**2).sum(axis=1)
        columns = {name: self.pattern[:, j] for j, name in enumerate(self.factors)}
        about = {
            "communality": self.communality, "uniqueness": self.uniqueness, "complexity": complexity,
            "msa": self.suitability.msa, "main": np.array(self.factors)[main],
        }  # fmt: skip
        order = np.lexsort((-size.max(axis=1), main))
        frame = pd.DataFrame({"term": list(self.names)} | columns | about)
        return frame.iloc[order].reset_index(drop=True)

    def glance(self) -> pd.DataFrame:
        """One row: sizes, explained share, χ² and indices, residuals, sampling adequacy and sphericity."""
        test, about = self.test, self.suitability
        return pd.DataFrame([{
            "n": self.n, "left_out": self.left_out, "items": len(self.names), "factors": len(self.factors),
            "method": self.method, "rotation": self.rotation, "explained": float(self.communality.mean()),
            "objective": test.objective, "chisq": test.chisq, "df": test.df, "p": test.p, "rmsea": test.rmsea,
            "rmsea_low": test.rmsea_low, "rmsea_high": test.rmsea_high, "tli": test.tli, "bic": test.bic,
            "rmsr": self.rmsr, "kmo": about.kmo, "sphericity": about.chisq, "sphericity_df": about.df,
            "sphericity_p": about.p, "sample": self.provenance.sample, "version": self.provenance.version,
        }])  # fmt: skip

    def model(self, cut: float = 0.4, names: Sequence[str] | None = None) -> Model:
        """A structural model to start from: every item measures the factor it loads highest on.

        Parameters
        ----------
        cut : least loading, in absolute value; items below it on every factor are left out.
        names : (m,) of the constructs; None: those of the factors.

        Raises
        ------
        OptionError
            If `cut` is no number between 0 and 1, or the names do not fit.
        ModelError
            If no item reaches the cut.

        Notes
        -----
        The model is suggested by the data; its fit to the same data says little. Estimate it on other respondents.
        """
        if not isinstance(cut, float | int) or isinstance(cut, bool) or not 0 <= cut <= 1:
            raise OptionError(f"cut is a loading between 0 and 1; found {shown(cut)}.")
        called = self.factors if names is None else as_names(names, "names")
        if len(called) != len(self.factors) or len(set(called)) < len(called) or set(called) & set(self.names):
            raise OptionError(f"{len(self.factors)} names are needed, different from each other and from the items.")
        table = self.tidy()
        table = table[table[list(self.factors)].abs().max(axis=1) >= cut]
        lines = [
            f"{name} =~ {' + '.join(table.loc[table['main'] == factor, 'term'])}"
            for name, factor in zip(called, self.factors, strict=True)
            if (table["main"] == factor).any()
        ]
        if not lines:
            raise ModelError(f"No item loads {cut:g} or more on any factor. Lower the cut.")
        return Model("\n".join(lines))


def efa(
    source: Source, names: Sequence[str], factors: int, *, method: str = "ml", rotation: str | None = "oblimin"
) -> Efa:
    """Explore which factors stand behind items.

    Parameters
    ----------
    source : a survey, a summary, or a published correlation matrix (`csat.from_covariance`), as that of
        `csat.polychoric` for ordered items. Respondents with an answer to every item count.
    names : items, three or more.
    factors : how many; see `csat.number_of_factors`.
    method : "ml", maximum likelihood, with a test; "minres", least residual correlations; "pca", principal components,
        which are no factors: they explain variance that items do not share.
    rotation : "oblimin" (correlated factors, γ = 0), "promax" (correlated, power 4), "varimax" (uncorrelated, Kaiser's
        normalisation), or None.

    Returns
    -------
    Efa

    Raises
    ------
    OptionError, UnknownColumnError
        Arguments that make no sense; more factors than the items can tell apart.
    SampleError, CollinearityError
        Too few respondents, items without variation, or items that repeat each other.
    ConvergenceError

    Warns
    -----
    HeywoodWarning
        If the factors explain an item wholly: its uniqueness stands at the least value allowed, .005.
    SamplingAdequacyWarning
        If the items share too little.
    DesignIgnoredWarning
        If the sample is weighted, stratified or clustered: the test does not know.

    Notes
    -----
    χ² has Bartlett's (1951) correction, n − 1 − (2p + 5)/6 − 2m/3 times F, as in R's factanal. RMSEA and its 90 %
    interval are those of (n − 1)·F. TLI is that of Tucker & Lewis (1973); BIC is χ² − df·log n, as in psych.

    References
    ----------
    Lawley & Maxwell (1971), Factor Analysis as a Statistical Method; Fabrigar, Wegener, MacCallum & Strahan (1999),
    Psychological Methods 4(3), 272–299.
    """
    check_choice("method", method, METHODS)
    if rotation is not None:
        check_choice("rotation", rotation, ROTATIONS)
    found, raised = correlations_of(source, names, "A factor analysis")
    m = _checked(factors, len(found.names), method)
    extracted = METHODS[method](found.corr, m)
    rotated = _ordered(_rotated(extracted.loadings, rotation))
    about = suitability(found.corr, found.n)
    heywood = tuple(name for name, bound in zip(found.names, extracted.bound, strict=True) if bound)
    raised += [*_heywood(heywood), *doubts_of_items(found.names, about)]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    return Efa(
        names=found.names,
        factors=tuple(f"F{j + 1}" for j in range(m)),
        pattern=rotated.loadings,
        correlations=rotated.correlations,
        uniqueness=extracted.uniqueness,
        heywood=heywood,
        corr=found.corr,
        n=found.n,
        left_out=found.left_out,
        method=method,
        rotation=rotation,
        test=_test(found, extracted, m, tested=method == "ml"),
        suitability=about,
        notes=tuple(text for _, text in raised),
        provenance=found.provenance,
    )


def _checked(factors: Any, p: int, method: str) -> int:
    """The number of factors, refused where the items cannot tell so many apart."""
    if not isinstance(factors, int | np.integer) or isinstance(factors, bool) or factors < 1:
        raise OptionError(f"factors is a whole number, 1 or more; found {shown(factors)}.")
    most = p if method == "pca" else max(m for m in range(p) if degrees_of_freedom(p, m) >= 0)
    if factors > most:
        raise OptionError(f"factors={factors}: {p} items can tell {most} factors apart at most.")
    return int(factors)


def degrees_of_freedom(p: int, m: int) -> int:
    """Correlations of p items less the free loadings of m factors.

    >>> degrees_of_freedom(9, 3)
    12
    """
    return ((p - m) ** 2 - (p + m)) // 2


def _rotated(loadings: np.ndarray, rotation: str | None) -> Rotated:
    m = loadings.shape[1]
    if rotation is None or m == 1:
        return Rotated(loadings, np.eye(m), np.eye(m))
    return ROTATIONS[rotation](loadings)


def _squares(pattern: np.ndarray, correlations: np.ndarray) -> np.ndarray:
    """(m,) sums of squared loadings; with correlated factors, what each adds to the communalities."""
    return np.asarray(np.diag(correlations @ pattern.T @ pattern))


def _ordered(rotated: Rotated) -> Rotated:
    """Factors with positive sums of loadings, the largest first."""
    sign = np.where(rotated.loadings.sum(axis=0) < 0, -1.0, 1.0)
    order = np.argsort(-_squares(rotated.loadings, rotated.correlations), kind="stable")
    signed = np.outer(sign, sign) * rotated.correlations
    return Rotated((rotated.loadings * sign)[:, order], signed[np.ix_(order, order)], (rotated.matrix * sign)[:, order])


def _heywood(names: Sequence[str]) -> list[tuple[Any, str]]:
    if not names:
        return []
    text = (
        f"Heywood case: the factors explain {', '.join(names)} wholly (uniqueness at its least value, {LEAST:g}). "
        "Too many factors, too few respondents, or items that nearly repeat each other: extract fewer factors, or "
        "leave an item out."
    )
    return [(HeywoodWarning, text)]


def _test(found: Correlations, extracted: Extracted, m: int, *, tested: bool) -> EfaTest:
    """χ² and indices at the factors extracted."""
    p, n = len(found.names), found.n
    df = degrees_of_freedom(p, m)
    if not tested:
        return EfaTest(np.nan, np.nan, df, *[np.nan] * 6)
    null = -float(np.linalg.slogdet(found.corr)[1])
    sigma = extracted.loadings @ extracted.loadings.T + np.diag(extracted.uniqueness)
    objective = float(np.linalg.slogdet(sigma)[1] + np.trace(np.linalg.solve(sigma, found.corr)) - p + null)
    corrected = n - 1 - (2 * p + 5) / 6 - 2 * m / 3
    chisq = max(corrected * objective, 0.0)
    if df == 0:
        return EfaTest(objective, chisq, df, *[np.nan] * 6)
    plain = max((n - 1) * objective, 0.0)
    low, high = rmsea_interval(plain, df, n - 1)
    worst = null / (p * (p - 1) / 2)
    return EfaTest(
        objective=objective, chisq=chisq, df=df, p=upper(chisq, df), rmsea=rmsea(plain, df, n - 1), rmsea_low=low,
        rmsea_high=high, tli=(worst - objective / df) / (worst - 1 / corrected), bic=chisq - df * float(np.log(n)),
    )  # fmt: skip
