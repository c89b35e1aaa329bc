"""Covariances of least squares coefficients: by design, classical, or consistent under unequal error variances."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csat.drivers.linear.least_squares import EXACT, Fit, coefficient_scores
from csat.errors import SampleError
from csat.moments import Groups, RowSource, Source
from csat.variance import degrees_of_freedom, linearised, quadratic, row_squares, score_sums

#: Kinds of covariance, and the power of 1 − h that the squared residuals of two of them are divided by.
SE = ("design", "classical", "HC0", "HC1", "HC2", "HC3")
POWERS = {"HC2": 1, "HC3": 2}
#: A row whose leverage is this near to 1 determines a coefficient alone: it has no residual.
ALONE = 1e-10
#: Part of a coefficient's spread that such a row has in it, below which it is rounding error.
TRACE = 1e-5
#: A column whose squares lie this near to the square of its sum, in rows, may differ from a constant in one row only.
FEW = 40


def covariance(
    source: Source, groups: Groups, fits: Sequence[Fit | None], q: int, se: str
) -> tuple[np.ndarray, np.ndarray]:
    """Joint covariance of the coefficients of all domains, in the units of the data, and degrees of freedom.

    Parameters
    ----------
    source, groups : where the fits come from.
    fits : (D,) of q coefficients each, None where there is none.
    se : one of `SE`.

    Returns
    -------
    vcov, df
        (D·q, D·q), zero where a fit is exact, NaN where there is none, where a row has leverage 1 (HC2, HC3) or
        without degrees of freedom; and (D,), 0 or more.

    Raises
    ------
    SampleError
        Without rows, or without enough sampling units if there are no other groups.
    """
    if se != "classical" and groups.published:
        raise SampleError(
            f"se={se!r} needs the respondents' rows; this source is a summary without rows. Say se='classical', "
            "or pass a Survey."
        )
    size, known = len(fits), [fit for fit in fits if fit is not None]
    df = np.array([0 if fit is None else fit.df for fit in fits], float)
    if se == "design":
        df = degrees_of_freedom(groups).min(axis=1) + 1 - q
        _check_units(groups, known, df)
    out = np.zeros((size, q, size, q))
    if known and se == "design":
        out = linearised(source, groups, _influence(groups, fits, q), _again(fits, q))
    elif known:
        out[np.arange(size), :, np.arange(size), :] = _blocks(source, groups, fits, q, se)
    turns = [np.full((q, q), np.nan) if fit is None else fit.to_data * (not fit.exact) for fit in fits]
    for d, turn in enumerate(turns):
        out[d] = np.einsum("ij,jdk->idk", turn, out[d])
        out[:, :, d] = np.einsum("dik,jk->dij", out[:, :, d], turn)
    out[df < 1] = np.nan
    out[:, :, df < 1] = np.nan
    return out.reshape(size * q, size * q), np.maximum(df, 0)


def determined_alone(source: Source, groups: Groups, fits: Sequence[Fit | None], se: str) -> np.ndarray:
    """(D, q) coefficients that a single row determines, so that its residual of 0 tells nothing about their error.

    "design", "HC0" and "HC1" would take that 0 for certainty; "classical" borrows the error from the other rows, HC2
    and HC3 are not defined. Leverages take a pass over the rows. It is made only where columns are made of
    categories or products, or where the sums leave it open that a number differs from a constant in one row.
    """
    size, q = len(fits), max((len(fit.coef) for fit in fits if fit is not None), default=0)
    rare = {domain: fit for domain, fit in zip(groups.domains, fits, strict=True) if fit is not None and not fit.exact}
    if se not in ("design", "HC0", "HC1") or not rare or not isinstance(source, RowSource) or not _may(groups, rare):
        return np.zeros((size, q), bool)
    return score_sums(source, groups, {domain: _Alone(fit) for domain, fit in rare.items()}) > 0


def _may(groups: Groups, fits: Mapping[tuple[str, ...], Fit]) -> bool:
    """Whether a row may have leverage 1: numbers z around the middle of their range all lie at its ends then."""
    used = len(next(iter(fits.values())).centred)
    if not all(isinstance(variable, str) for variable in groups.variables[: used - 1]):
        return True
    for domain in fits:
        moments = groups.moments(domain)
        total, squares = moments.gram[0, 1:used], np.diag(moments.gram)[1:used]
        if (moments.weight * squares * (1 - FEW / moments.n) <= total**2).any():
            return True
    return False


@dataclass(frozen=True, slots=True, eq=False)
class _Alone:
    """Marks the coefficients, in the units of the data, that a row determines alone."""

    fit: Fit

    @property
    def size(self) -> int:
        """Coefficients."""
        return len(self.fit.coef)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q)."""
        fit = self.fit
        x = z[:, : len(fit.centred)] @ fit.basis.T
        pulls = x @ fit.inverse
        alone = 1 - weight * (x * pulls).sum(axis=1) <= ALONE
        spread = np.sqrt(np.diag(fit.to_data @ fit.inverse @ fit.to_data.T))
        return alone[:, None] * (np.sqrt(weight)[:, None] * np.abs(pulls @ fit.to_data.T) > TRACE * spread)


def _check_units(groups: Groups, known: Sequence[Fit], df: np.ndarray) -> None:
    if groups.by or df[0] >= 1:
        return
    units = df[0] - 1 + len(known[0].coef)
    raise SampleError(
        f"{len(known[0].beta)} drivers but only {units:g} degrees of freedom in the design (units with answers minus "
        "strata): use fewer drivers, or se='classical' with its assumptions."
    )


def _blocks(source: Source, groups: Groups, fits: Sequence[Fit | None], q: int, se: str) -> np.ndarray:
    """(D, q, q) covariances that take rows as independent."""
    if se == "classical":
        return np.array([np.zeros((q, q)) if fit is None else fit.inverse * fit.rss / fit.df for fit in fits])
    if se in POWERS:
        pairs = zip(groups.domains, fits, strict=True)
        return row_squares(source, groups, {d: _LeftOut(fit, POWERS[se]) for d, fit in pairs if fit is not None})
    squares = row_squares(source, groups, quadratic(groups, _influence(groups, fits, q)))
    factor = [1.0 if fit is None or se == "HC0" else fit.n / fit.df for fit in fits]
    return squares * np.array(factor)[:, None, None]


def _influence(groups: Groups, fits: Sequence[Fit | None], q: int) -> np.ndarray:
    """(D, q, p, p) influence of a row on the coefficients of each domain, zero where there is no fit."""
    p = 1 + len(groups.names)
    return np.array([np.zeros((q, p, p)) if fit is None else coefficient_scores(fit, p) for fit in fits])


@dataclass(frozen=True, slots=True, eq=False)
class _LeftOut:
    """Influence of each row with its residual raised by what it hides of itself: e/√(1−h) or e/(1−h).

    h = w·xᵀ(XᵀWX)⁻¹x is the leverage of the weighted row. power : 1 (HC2) or 2 (HC3).
    """

    fit: Fit
    power: int

    @property
    def size(self) -> int:
        """Coefficients."""
        return len(self.fit.coef)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q); NaN for a row with leverage 1."""
        used = len(self.fit.centred)
        x = z[:, :used] @ self.fit.basis.T
        pulls = x @ self.fit.inverse
        room = 1 - weight * (x * pulls).sum(axis=1)
        left = (z[:, used] - z[:, :used] @ self.fit.centred) / np.where(room > ALONE, room, np.nan) ** (self.power / 2)
        return pulls * left[:, None]


def _again(fits: Sequence[Fit | None], q: int) -> Callable[[np.ndarray], np.ndarray]:
    """How the coefficients (…, D, q) of X change with the Gram matrices (…, D, p, p); zero without a fit."""

    def changes(grams: np.ndarray) -> np.ndarray:
        out = np.zeros((*grams.shape[:-2], q))
        for d, fit in enumerate(fits):
            if fit is not None:
                out[..., d, :] = _change(grams[..., d, :, :], fit)
        if len(fits) == 1 and not np.isfinite(out).all():
            raise np.linalg.LinAlgError
        return out

    return changes


def _change(grams: np.ndarray, fit: Fit) -> np.ndarray:
    """(…, q) correction of the coefficients under other Gram matrices (…, p, p); NaN where those are singular."""
    used = len(fit.centred)
    size = np.r_[np.sqrt([fit.weight] * fit.intercept), fit.spread[:-1]]
    basis = fit.basis / size[:, None]
    normal = basis @ grams[..., :used, :used] @ basis.T
    inverse = np.full(normal.shape, np.nan)
    regular = np.linalg.matrix_rank(normal, tol=EXACT, hermitian=True) == len(size)
    inverse[regular] = np.linalg.inv(normal[regular])
    left = basis @ grams[..., :used, : used + 1] @ np.r_[-fit.centred, 1.0]
    return (inverse @ left[..., None])[..., 0] / size
