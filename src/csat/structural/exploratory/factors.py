"""The result of an exploratory factor analysis, and the structural model that it suggests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.errors import ModelError, OptionError
from csat.model import Model
from csat.moments import as_names, shown
from csat.results import Estimates, Provenance, Shown
from csat.structural.exploratory.factor_fit import EfaTest
from csat.structural.exploratory.suitability import FactorNumber, Suitability


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Efa(Shown):
    """An exploratory factor analysis.

    names : (p,) items. factors : (m,) names, the one that explains most first.
    pattern : (p, m) loadings, signs such that each factor's sum is positive. correlations : (m, m) of the factors.
    uniqueness : (p,) share of each item's variance that no factor explains. heywood : items at its least value.
    corr : (p, p) correlations of the items. n, left_out : respondents.
    method, rotation : as asked. test, suitability : see there.
    estimates : loadings "F1 =~ q1", item by item, then factor correlations "F1 ~~ F2" (keys `item`, `factor`), with
        their joint covariance where the method has one.
    number : eigenvalues beside those of uncorrelated items, and how many factors they speak for.
    notes : doubts, as warned of, and some that are no warnings.
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
    estimates: Estimates
    number: FactorNumber
    notes: tuple[str, ...]
    provenance: Provenance

    @property
    def loadings(self) -> pd.DataFrame:
        """(p, m) loadings, items in the order they were asked for."""
        return pd.DataFrame(self.pattern, list(self.names), list(self.factors))

    @property
    def errors(self) -> pd.DataFrame:
        """(p, m) standard errors of the loadings; NaN where there are none (see ``estimates``)."""
        se = self.estimates.se[: self.pattern.size].reshape(self.pattern.shape)
        return pd.DataFrame(se, list(self.names), list(self.factors))

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
        squares = squares_of(self.pattern, self.correlations)
        share = squares / len(self.names)
        return pd.DataFrame(
            {"factor": list(self.factors), "squares": squares, "share": share, "cumulative": np.cumsum(share)}
        )

    @property
    def residuals(self) -> pd.DataFrame:
        """(p, p) sample minus reproduced correlations; the diagonal is 0 but for items explained wholly."""
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
            "objective": test.objective, "chisq": test.chisq, "df": test.df, "p": test.p, "scaling": test.scaling,
            "rmsea": test.rmsea, "rmsea_low": test.rmsea_low, "rmsea_high": test.rmsea_high, "tli": test.tli,
            "bic": test.bic, "rmsr": self.rmsr, "parallel": self.number.parallel, "kmo": about.kmo,
            "sphericity": about.chisq, "sphericity_df": about.df, "sphericity_p": about.p,
            "level": self.estimates.level, "sample": self.provenance.sample,
            "variance": self.provenance.variance, "version": self.provenance.version,
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


def squares_of(pattern: np.ndarray, correlations: np.ndarray) -> np.ndarray:
    """(m,) sums of squared loadings; with correlated factors, what each adds to the communalities."""
    return np.asarray(np.diag(correlations @ pattern.T @ pattern))
