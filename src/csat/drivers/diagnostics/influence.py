"""Least squares on rows: what every respondent does to the coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from csat.drivers.linear.least_squares import EXACT, among, check_collinear
from csat.drivers.terms import Terms
from csat.errors import SampleError
from csat.moments import Product, Recode, Variable, term_of

#: The name of the constant among the coefficients.
INTERCEPT = "(intercept)"
#: A row whose leverage is within this of 1 is fitted by a coefficient of its own: it has no residual to judge.
ALONE = 1e-10
#: Numbers whose squares are still numbers, and their inverses too.
LARGEST = 1e100


@dataclass(frozen=True, slots=True, eq=False)
class RowFit:
    """Weighted least squares on rows.

    names : (p,) coefficients. coef : (p,) in the units of the data. unscaled : (p,) diagonal of (XᵀWX)⁻¹.
    design : (n, p) standardized columns that span what X spans; the constant, if there is one, first.
    others : (n, p) residual of each column of X on the other columns.
    fitted, residual : (n,) in the units of the outcome. leverage : (n,) diagonal of the weighted hat matrix.
    standardized : (n,) internally studentized residuals √w·e / (σ·√(1−h)); NaN where nothing is left to judge.
    weight : (n,) of the rows. sigma : weighted residual standard deviation. df : n − p.
    exact : the drivers determine the outcome.
    """

    names: tuple[str, ...]
    coef: np.ndarray
    unscaled: np.ndarray
    design: np.ndarray
    others: np.ndarray
    fitted: np.ndarray
    residual: np.ndarray
    leverage: np.ndarray
    standardized: np.ndarray
    weight: np.ndarray
    sigma: float
    df: int
    exact: bool

    @property
    def slopes(self) -> np.ndarray:
        """(n, k) standardized columns without the constant."""
        return self.design[:, self.has_constant :]

    @property
    def has_constant(self) -> bool:
        """Whether the model has an intercept."""
        return self.names[0] == INTERCEPT

    @property
    def scaled(self) -> np.ndarray:
        """(n,) residuals √w·e, whose variance is σ² in every row if the weighted fit's assumptions hold."""
        return np.sqrt(self.weight) * self.residual

    @property
    def studentized(self) -> np.ndarray:
        """(n,) residuals over the σ of the other rows: t with n − p − 1 degrees of freedom.

        In closed form, for statsmodels fits once per respondent. Source: Cook & Weisberg (1982), Residuals and
        Influence in Regression, eq. 2.2.7.
        """
        if self.df < 2:
            return np.full_like(self.standardized, np.nan)
        with np.errstate(divide="ignore"):
            return self.standardized * np.sqrt((self.df - 1) / np.maximum(self.df - self.standardized**2, 0.0))

    @property
    def odds(self) -> np.ndarray:
        """(n,) h / (1 − h); NaN where nothing is left to judge."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isnan(self.standardized), np.nan, self.leverage / (1 - self.leverage))

    @property
    def cooks_d(self) -> np.ndarray:
        """(n,) how far all fitted values move without the row (Cook 1977, Technometrics 19, 15–18)."""
        return self.standardized**2 * self.odds / len(self.names)

    @property
    def dffits(self) -> np.ndarray:
        """(n,) how far the row's own fitted value moves, in its standard errors (Belsley, Kuh & Welsch 1980, 2.11)."""
        return self.studentized * np.sqrt(self.odds)


def matrix_of(rows: pd.DataFrame, variables: Sequence[Variable]) -> np.ndarray:
    """(n, k) values of variables, NaN where missing.

    Raises
    ------
    SampleError
        If a variable holds categories.
    """
    return np.column_stack([_values(rows, variable) for variable in variables])


def _values(rows: pd.DataFrame, variable: Variable) -> np.ndarray:
    if isinstance(variable, Product):
        return np.prod([_values(rows, part) for part in variable.parts], axis=0)
    if isinstance(variable, Recode):
        column = pa.array(rows[variable.column], from_pandas=True)
        found = pc.index_in(column, value_set=pa.array(list(variable.values)).cast(column.type), skip_nulls=True)
        return np.array([*variable.values.values(), np.nan], float)[found.fill_null(-1).to_numpy(zero_copy_only=False)]
    column = rows[variable]
    if not pd.api.types.is_numeric_dtype(column):
        raise SampleError.categories(variable, list(column.dropna().unique()))
    return column.to_numpy(float)


def fit_rows(x: np.ndarray, y: np.ndarray, weight: np.ndarray, terms: Terms, intercept: bool) -> RowFit:
    """Weighted least squares through statsmodels, with the influence of each row.

    Parameters
    ----------
    x : (n, k) drivers, y : (n,) outcome, complete. weight : (n,) above 0.
    terms : names of drivers and outcome. intercept : whether the model has a constant.

    Raises
    ------
    SampleError
        Too few rows, a variable that does not vary (without an intercept: that is 0 throughout), or one too large.
    CollinearityError
        If a driver is an exact linear combination of earlier ones.
    """
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.outliers_influence import OLSInfluence

    names = terms.names
    if len(y) < len(names) + intercept + 1:
        what = among(f"A regression on {len(names)} drivers", [terms.labels[owner] for owner in terms.owner])
        raise SampleError.too_few(what, len(y), len(names) + intercept + 1)
    centre, spread = _centre_and_spread(np.column_stack([x, y]), weight, [*names, term_of(terms.outcome)], intercept)
    design, back = _standardized(x, centre[:-1], spread[:-1], intercept)
    whole = (design[:, intercept:].T * weight) @ design[:, intercept:]
    check_collinear(whole, names, [terms.labels[owner] for owner in terms.owner])
    root = np.sqrt(weight)
    # OLSInfluence ignores weights; on rows multiplied by √w it is the influence on the weighted fit.
    fit = OLS(root * y, root[:, None] * design).fit()
    influence = OLSInfluence(fit)
    exact = bool(fit.ssr < EXACT * spread[-1] ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        judged = (influence.hat_matrix_diag < 1 - ALONE) & (not exact)
        standardized = np.where(judged, influence.resid_studentized_internal, np.nan)
    unscaled = np.diag(back @ fit.normalized_cov_params @ back.T)
    fitted = design @ fit.params
    return RowFit(
        names=((INTERCEPT,) if intercept else ()) + names,
        coef=back @ fit.params,
        unscaled=unscaled,
        design=design,
        others=(fit.model.pinv_wexog.T @ back.T) / root[:, None] / unscaled,
        fitted=fitted,
        residual=y - fitted,
        leverage=np.minimum(influence.hat_matrix_diag, 1.0),
        standardized=standardized,
        weight=weight,
        sigma=float(np.sqrt(fit.ssr / (len(y) - design.shape[1]))),
        df=len(y) - design.shape[1],
        exact=exact,
    )


def _centre_and_spread(
    values: np.ndarray, weight: np.ndarray, names: Sequence[str], intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(k+1,) weighted means (0 without an intercept) and roots of the weighted sums of squares around them."""
    for name, largest in zip(names, np.abs(values).max(axis=0).tolist(), strict=True):
        if largest and not 1 / LARGEST < largest < LARGEST:
            fate = "overflow" if largest >= LARGEST else "vanish"
            raise SampleError(f"The largest value of {name!r} is {largest:.3g}: squares {fate}. Give it another unit.")
    centre = np.average(values, axis=0, weights=weight) * intercept
    spread = np.sqrt(weight @ np.square(values - centre))
    flat = spread <= EXACT * np.sqrt(weight @ np.square(values))
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(names, flat, strict=True) if is_flat])
    return centre, spread


def _standardized(
    x: np.ndarray, centre: np.ndarray, spread: np.ndarray, intercept: bool
) -> tuple[np.ndarray, np.ndarray]:
    """(n, p) standardized columns, so that units do not matter to precision, and (p, p) their way back to the data."""
    scaled = (x - centre) / spread
    if not intercept:
        return scaled, np.diag(1 / spread)
    back = np.diag(np.r_[1.0, 1 / spread])
    back[0, 1:] = -centre / spread
    return np.column_stack([np.ones(len(x)), scaled]), back
