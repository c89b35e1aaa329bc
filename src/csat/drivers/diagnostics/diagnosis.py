"""Diagnosis of a regression: which respondents move it, and whether its assumptions hold. Reads the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import t_quantile
from csat.drivers.diagnostics.assumptions import tests_of
from csat.drivers.diagnostics.influence import RowFit, fit_rows, matrix_of
from csat.drivers.terms import complete_with, terms_of
from csat.errors import OptionError, SampleError
from csat.moments import Source, TableSource, columns_of, shown, source_of, term_of
from csat.results import Shown, check_level
from csat.version import __version__

#: Rows that `Diagnosis.tidy` shows.
SHOWN = 20


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Diagnosis(Shown):
    """What respondents do to a regression, and what tests say of its assumptions.

    The tests, and σ behind the studentized residuals, take the rows as independent with variance σ²/w: strata, sampling
    units and replicate weights are not used. With weights, residuals are compared after multiplication by √w, as R's
    `lm(weights=)` does. Where the tests speak against the assumptions, the design-based errors of `csat.regress` stay
    valid.

    outcome : dependent variable. coefficients : (p,) by name, in the units of the data.
    rows : (n, 8) one row per respondent who answered everything, the index is the row in the source:
        ``fitted residual`` (outcome units), ``standardized`` (internally studentized), ``studentized`` (externally: t
        with n − p − 1 degrees of freedom if all is well), ``leverage`` (diagonal of the hat matrix; sums to p),
        ``cooks_d``, ``dffits``, ``weight``. NaN where a coefficient exists for one row only (leverage 1), or where
        the drivers determine the outcome.
    tests : ``test`` ("breusch_pagan", "white", "jarque_bera", "omnibus", "shapiro_wilk", "reset"), ``about``
        ("variance", "normality", "form"), ``statistic df df2 p``, ``kind`` ("equal_variance", "unequal_variance",
        "normal", "not_normal", "form_fits", "form_misses") and ``note``, why there is none.
    others : (n, p) residual of each column of X on the other columns, in units of the data.
    unscaled : (p,) diagonal of (XᵀWX)⁻¹. sigma : weighted residual standard deviation. df : n − p.
    left_out : respondents without an answer to one of the variables. level : of tests and of the outlier test.
    """

    outcome: str
    coefficients: pd.Series
    rows: pd.DataFrame
    tests: pd.DataFrame
    others: pd.DataFrame
    unscaled: np.ndarray
    sigma: float
    df: int
    left_out: int
    level: float

    @property
    def limits(self) -> pd.DataFrame:
        """The usual limits and how many rows are beyond: ``limit column value rows``.

        "outlier": |studentized| > 3; "outlier_bonferroni": |studentized| beyond its t quantile at (1 − level)/n, the
        outlier test of all rows at once; "leverage" > 2p/n and "leverage_high" > 3p/n (Belsley, Kuh & Welsch 1980,
        Regression Diagnostics, ch. 2); "cooks_d" > 4/n and "cooks_d_high" > 1 (Cook & Weisberg 1982).
        """
        frame = pd.DataFrame(self._limits(), columns=["limit", "column", "value"])
        return frame.assign(rows=self._beyond().sum(axis=0))

    @property
    def flagged(self) -> pd.DataFrame:
        """The rows beyond a limit, largest Cook's D first: the columns of `rows`, and ``limits``, names with blanks."""
        names = [name for name, _, _ in self._limits()]
        which = self._beyond() @ (1 << np.arange(len(names)))
        words = [" ".join(name for i, name in enumerate(names) if code >> i & 1) for code in range(1 << len(names))]
        frame = self.rows.assign(limits=np.array(words, object)[which])[which > 0]
        return frame.sort_values("cooks_d", ascending=False, kind="stable")

    def _limits(self) -> list[tuple[str, str, float]]:
        n, p = self.rows.shape[0], len(self.coefficients)
        outlier = float(t_quantile(1 - (1 - self.level) / (2 * n), self.df - 1))
        return [
            ("outlier", "studentized", 3.0),
            ("outlier_bonferroni", "studentized", outlier),
            ("leverage", "leverage", 2 * p / n),
            ("leverage_high", "leverage", 3 * p / n),
            ("cooks_d", "cooks_d", 4 / n),
            ("cooks_d_high", "cooks_d", 1.0),
        ]

    def _beyond(self) -> np.ndarray:
        """(n, 6) whether each row is beyond each limit; what is NaN is not."""
        return np.column_stack([self.rows[column].abs().to_numpy() > value for _, column, value in self._limits()])

    @property
    def dfbetas(self) -> pd.DataFrame:
        """(n, p) change of each coefficient without the row, in its standard errors from the other rows.

        Source: Belsley, Kuh & Welsch (1980), Regression Diagnostics, eq. 2.7.
        """
        rows = self.rows
        root = np.sqrt(rows["weight"])
        pull = rows["studentized"] * root / np.sqrt(1 - rows["leverage"].clip(upper=1))
        return self.others.mul(pull, axis=0) * np.sqrt(self.unscaled)

    def partial(self, term: str) -> pd.DataFrame:
        """Added-variable data of a coefficient: what the other drivers leave of it and of the outcome.

        Parameters
        ----------
        term : name of a coefficient.

        Returns
        -------
        pandas.DataFrame
            (n, 3) ``x_residual y_residual weight``. The weighted slope through the origin is the coefficient, and what
            is left around that line are the residuals of the whole regression.

        Raises
        ------
        OptionError
            If there is no such coefficient.
        """
        if not isinstance(term, str) or term not in self.coefficients.index:
            raise OptionError.choose("term", term, self.coefficients.index)
        x = self.others[term]
        y = self.rows["residual"] + x * self.coefficients[term]
        return pd.DataFrame({"x_residual": x, "y_residual": y, "weight": self.rows["weight"]})

    def tidy(self) -> pd.DataFrame:
        """The most influential of the flagged rows, at most 20: ``row``, the columns of `rows`, ``limits``."""
        return self.flagged.head(SHOWN).reset_index(names="row")

    def glance(self) -> pd.DataFrame:
        """One row: the fit, p of each test, how many rows are flagged, and the largest Cook's D."""
        facts = {
            "outcome": self.outcome,
            "n": len(self.rows),
            "left_out": self.left_out,
            "df": self.df,
            "sigma": self.sigma,
            **dict(zip(self.tests["test"], self.tests["p"], strict=True)),
            "flagged": int(self._beyond().any(axis=1).sum()),
            "max_cooks_d": self.rows["cooks_d"].max(),
            "rule": "listwise",
            "assumes": "independent rows",
            "version": __version__,
        }
        return pd.DataFrame([facts])


def diagnose(
    source: Source,
    outcome: Any,
    drivers: Any,
    *,
    intercept: bool = True,
    complete: Sequence[Any] = (),
    level: float = 0.95,
) -> Diagnosis:
    """Residuals, leverage, influence and tests of assumptions of a weighted regression, respondent by respondent.

    The only part of the driver analysis that reads rows; it needs a survey. The fit is that of `csat.regress`.

    Parameters
    ----------
    source : a survey. Rows that miss one of the variables are left out ("listwise").
    outcome : dependent variable.
    drivers : names, items and processes of a questionnaire, `Factor`, `Recode`, or interactions "a:b".
    intercept, complete : as in `csat.regress`.
    level : tests speak against an assumption at p < 1 − level.

    Returns
    -------
    Diagnosis

    Raises
    ------
    OptionError
        Arguments that make no sense.
    SampleError, CollinearityError
        A summary without rows, too few respondents, a constant variable, exact collinearity.
    UnknownColumnError
        If there is no such column.
    """
    check_level(level)
    if not isinstance(intercept, bool | np.bool_):
        raise OptionError(f"intercept is True or False; found {shown(intercept)}.")
    table = source_of(source)
    if not isinstance(table, TableSource):
        raise SampleError.needs_rows("A diagnosis")
    terms = terms_of(table, outcome, drivers, intercept=intercept)
    variables = complete_with(table, terms, complete)
    rows = table.frame(list(dict.fromkeys(column for variable in variables for column in columns_of(variable))))
    values, k = matrix_of(rows, variables), len(terms.columns)
    kept = ~np.isnan(values).any(axis=1)
    fit = fit_rows(values[kept, :k], values[kept, k], table.weight[kept], terms, intercept)
    return _diagnosis(fit, term_of(terms.outcome), rows.index[kept], len(rows), level)


def _diagnosis(fit: RowFit, outcome: str, index: pd.Index, asked: int, level: float) -> Diagnosis:
    """The result of a fit; `index` (n,) names its rows, of `asked` respondents in all."""
    columns = ("fitted", "residual", "standardized", "studentized", "leverage", "cooks_d", "dffits", "weight")
    return Diagnosis(
        outcome=outcome,
        coefficients=pd.Series(fit.coef, index=list(fit.names)),
        rows=pd.DataFrame({column: getattr(fit, column) for column in columns}, index=index),
        tests=tests_of(fit, level),
        others=pd.DataFrame(fit.others, index=index, columns=list(fit.names)),
        unscaled=fit.unscaled,
        sigma=fit.sigma,
        df=fit.df,
        left_out=asked - len(index),
        level=level,
    )
