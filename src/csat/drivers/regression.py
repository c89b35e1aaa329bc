"""Weighted least squares from moments, with design-based, heteroscedasticity-consistent or classical errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.least_squares import Fit, coefficient_scores, fit_least_squares, least_squares
from csat.errors import OptionError, SampleError, check_choice
from csat.moments import Groups, Source, as_names, shown, source_of
from csat.results import Estimates, Provenance, Shown, Test, Unavailable, insert_before
from csat.variance import degrees_of_freedom, linearised, method_of, quadratic, row_squares

SE = ("design", "classical", "HC0", "HC1")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Regression(Shown):
    """A fitted regression.

    coefficients : intercept first.
    beta, vif : (1+k,) standardized coefficients and variance inflation, NaN for the intercept.
    r2, adj_r2 : explained share. sigma : weighted residual standard deviation. test : all slopes are zero.
    n : respondents. left_out : respondents without an answer to one of the variables. outcome : dependent variable.
    """

    outcome: str
    coefficients: Estimates
    beta: np.ndarray
    vif: np.ndarray
    r2: float
    adj_r2: float
    sigma: float
    test: Test
    n: int
    left_out: int

    def tidy(self) -> pd.DataFrame:
        """A row per coefficient, with ``beta`` and ``vif`` before the ``note``."""
        return insert_before(self.coefficients.tidy(), "note", {"beta": self.beta, "vif": self.vif})

    def glance(self) -> pd.DataFrame:
        """One row about the fit."""
        made = self.coefficients.provenance
        facts = {
            "outcome": self.outcome,
            "n": self.n,
            "left_out": self.left_out,
            "r2": self.r2,
            "adj_r2": self.adj_r2,
            "sigma": self.sigma,
            "f": self.test.statistic,
            "df1": self.test.df,
            "df2": self.test.df2,
            "p": self.test.p,
            "rule": made.sample,
            "se": made.variance,
            "version": made.version,
        }
        return pd.DataFrame([facts])


def regress(
    source: Source,
    outcome: str,
    drivers: Sequence[Any],
    *,
    se: str = "design",
    complete: Sequence[str] = (),
    level: float = 0.95,
) -> Regression:
    """Weighted least squares with an intercept.

    Parameters
    ----------
    source : survey, or a summary. Rows that miss one of the variables are left out ("listwise").
    outcome : dependent variable.
    drivers : (k,) variables: codes, or items and processes of a questionnaire.
    se : "design" (Taylor linearisation: Binder 1983; t with units − strata − k degrees of freedom),
        "classical" (constant error variance), "HC0" or "HC1" (White 1980; ·n/(n−1−k)).
    complete : further variables that a row must have answered; fixes the sample when models are compared.
    level : of the intervals.

    Returns
    -------
    Regression
        If the drivers determine the outcome exactly, standard errors are 0 and nothing is tested. The overall test is
        Wald's F on the covariance chosen (for "classical" the usual F).

    Raises
    ------
    OptionError
        Arguments that make no sense.
    SampleError, CollinearityError
        Too few respondents, a constant variable, no rows for the covariance asked, exact collinearity.
    """
    check_choice("se", se, SE)
    names = variables_of(outcome, drivers)
    everything = [*names, *(name for name in as_names(complete, "complete") if name not in names)]
    groups = source_of(source).groups(everything, (), "listwise")
    fit = fit_least_squares(groups.moments().select(names))
    vcov, df = _covariance(source, groups, fit, se)
    if fit.exact:
        vcov = np.zeros_like(vcov)
    to_data = np.eye(len(names))
    to_data[0, 1:] = -groups.midpoint[: len(names) - 1]
    vcov = to_data @ vcov @ to_data.T
    k, n = len(names) - 1, fit.n
    coefficients = Estimates(
        term=("(intercept)", *names[:-1]),
        estimate=fit.coef,
        vcov=vcov,
        df=df,
        n=np.full(len(names), n),
        n_eff=np.full(len(names), np.nan),
        unit="outcome units",
        provenance=Provenance("listwise", method_of(groups) if se == "design" else se),
        level=level,
        null=0.0,
        unavailable={} if np.isfinite(fit.coef[0]) else {0: Unavailable("no_rows")},
    )
    return Regression(
        outcome=names[-1],
        coefficients=coefficients,
        beta=np.r_[np.nan, fit.beta],
        vif=np.r_[np.nan, 1 / fit.tolerance],
        r2=fit.r2,
        adj_r2=1 - (1 - fit.r2) * (n - 1) / fit.df,
        sigma=float(np.sqrt(fit.rss / fit.df)),
        test=_wald(fit.coef[1:], vcov[1:, 1:], k, df),
        n=n,
        left_out=groups.incomplete,
    )


def variables_of(outcome: Any, drivers: Any) -> list[str]:
    """Names of the drivers and, last, the outcome, each given as a code or as an item of a questionnaire.

    Raises
    ------
    OptionError
        Without a driver, for what is neither, or for a variable that is named twice.
    """
    one = isinstance(drivers, str) or hasattr(drivers, "code")
    if not one and not isinstance(drivers, Iterable):
        raise OptionError(f"drivers are names of variables; found {shown(drivers)}.")
    names = [_code_of(driver, "a driver") for driver in ([drivers] if one else drivers)]
    if not names:
        raise OptionError("No driver is named: name at least one.")
    names.append(_code_of(outcome, "the outcome"))
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if twice:
        raise OptionError(f"{twice[0]!r} is named twice; outcome and drivers must all differ.")
    return names


def _code_of(variable: Any, what: str) -> str:
    code = getattr(variable, "code", variable)
    if not isinstance(code, str):
        raise OptionError(f"{what} is the name of a variable or an item of a questionnaire; found {shown(variable)}.")
    return code


def _covariance(source: Source, groups: Groups, fit: Fit, se: str) -> tuple[np.ndarray, float]:
    """Covariance of the coefficients around the midpoints, and its degrees of freedom."""
    k = len(fit.beta)
    if se == "classical":
        return fit.inverse * fit.rss / fit.df, float(fit.df)
    scores = coefficient_scores(fit, 1 + len(groups.names))
    if se == "design":
        vcov = linearised(source, groups, scores[None], lambda gram: least_squares(gram, k))[0, :, 0, :]
        units = float(degrees_of_freedom(groups).min())
        df = units - k
        if df < 1:
            raise SampleError(
                f"{k} drivers but only {units:g} degrees of freedom in the design (units with answers minus strata): "
                "use fewer drivers, or se='classical' with its assumptions."
            )
        return vcov, df
    squares = row_squares(source, groups, quadratic(groups, scores[None]))[0]
    return squares * (fit.n / fit.df if se == "HC1" else 1.0), float(fit.df)


def _wald(slopes: np.ndarray, vcov: np.ndarray, k: int, df: float) -> Test:
    statistic = float(slopes @ np.linalg.solve(vcov, slopes) / k) if vcov.any() else float("nan")
    return Test("all slopes are zero", statistic, k, df)
