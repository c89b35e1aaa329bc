"""Least squares on moments: coefficients, their inverse, and the scores behind their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.errors import CollinearityError, SampleError
from csat.moments import Moments

#: A driver whose tolerance (1 − R² on the others) is below this repeats them to machine precision.
EXACT = 1e-12
#: Variance inflation, and share of the outcome left to explain, at which Gram matrices have lost five digits or more.
MOST_INFLATED, LEAST_LEFT = 1e5, 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Least squares on moments, of q coefficients on k drivers: q = 1+k with an intercept, else k.

    Rows are z = [1, x − midpoint]; the columns X of the model are basis·z: z itself with an intercept, else x.

    coef : (q,) intercept first, in the units of the data.
    centred : (1+k,) what is left of the outcome is (y − midpoint) − z·centred.
    basis : (q, 1+k). inverse : (q, q) (XᵀWX)⁻¹. to_data : (q, q) from the coefficients of X to `coef`.
    beta : (k,) standardized. tolerance : (k,) 1 − R² of each driver on the others.
    corr : (k, k) correlations of the drivers, `precision` their inverse; spread : (k+1,) roots of the sums of squares
        of drivers and outcome. All four are around the means, or around zero without an intercept.
    mean : (k,) of the drivers. weight : Σw. rss, tss : weighted sums of squares. n : respondents.
    """

    coef: np.ndarray
    centred: np.ndarray
    basis: np.ndarray
    inverse: np.ndarray
    to_data: np.ndarray
    beta: np.ndarray
    tolerance: np.ndarray
    corr: np.ndarray
    precision: np.ndarray
    spread: np.ndarray
    mean: np.ndarray
    weight: float
    rss: float
    tss: float
    n: int

    @property
    def intercept(self) -> bool:
        """Whether there is one."""
        return len(self.coef) > len(self.beta)

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        return self.n - len(self.coef)

    @property
    def r2(self) -> float:
        """Share of the outcome's squares explained: around its mean, or around zero without an intercept."""
        return 1 - self.rss / self.tss

    @property
    def exact(self) -> bool:
        """Whether the drivers determine the outcome: what is left is rounding error."""
        return self.rss < EXACT * self.tss

    @property
    def fragile(self) -> bool:
        """Whether sums of products are too coarse for it, so that the rows have to correct it."""
        inflated = 1 / self.tolerance.min(initial=1.0)
        return bool(inflated > MOST_INFLATED or self.rss < LEAST_LEFT * self.tss)

    def moved(self, change: np.ndarray, rss: float) -> Fit:
        """The same fit after a correction (q,) of the coefficients of X."""
        slopes = change[self.intercept :]
        centred = self.centred + change @ self.basis
        beta = self.beta + slopes * self.spread[:-1] / self.spread[-1]
        return replace(self, coef=self.coef + self.to_data @ change, centred=centred, beta=beta, rss=rss)


def fit_least_squares(moments: Moments, intercept: bool = True, labels: Sequence[str] = ()) -> Fit:
    """Least squares of the last variable of listwise `moments` on the others.

    Works on correlations, so that units do not matter to precision.

    Parameters
    ----------
    moments : of k drivers and the outcome.
    intercept : False: through the origin; then everything is about squares around zero.
    labels : (k,) the terms that the drivers belong to, for messages; none: their own names.

    Raises
    ------
    SampleError
        Too few respondents, a variable without variation, or no means for a regression through the origin.
    CollinearityError
        If a driver is an exact linear combination of earlier ones.
    """
    k = len(moments.names) - 1
    if moments.n < k + intercept + 1:
        raise SampleError.too_few(among(f"A regression on {k} drivers", labels), moments.n, k + intercept + 1)
    around = moments if intercept else _around_zero(moments)
    gram, weight = around.gram, moments.weight
    centre = gram[0, 1:] / weight * intercept
    products = gram[1:, 1:] - weight * np.outer(centre, centre)
    spread = np.sqrt(np.maximum(np.diag(products), 0.0))
    flat = spread <= 1e-12 * np.sqrt(np.diag(gram)[1:])
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(moments.names, flat, strict=True) if is_flat])
    corr = products / np.outer(spread, spread)
    check_collinear(corr[:k, :k], moments.names[:k], labels)
    precision = np.linalg.inv(corr[:k, :k])
    beta = np.linalg.solve(corr[:k, :k], corr[:k, k])
    slopes = beta * spread[k] / spread[:k]
    inner = precision / np.outer(spread[:k], spread[:k])
    coef, centred, basis, inverse, to_data = _coordinates(moments, slopes, inner, centre, intercept)
    return Fit(
        coef, centred, basis, inverse, to_data, beta, 1 / np.diag(precision), corr[:k, :k], precision, spread,
        moments.mean[:k], weight, float(spread[k] ** 2 * max(corr[k, k] - beta @ corr[:k, k], 0.0)),
        float(spread[k] ** 2), moments.n,
    )  # fmt: skip


def among(what: str, labels: Sequence[str]) -> str:
    """Say with a method that is short of answers which of its terms has the most columns, if one has several."""
    listed = list(labels)
    largest = max(listed, key=listed.count, default="")
    width = listed.count(largest)
    return f"{what} ({width} of them for the levels of {largest!r})" if width > 1 else what


def _around_zero(moments: Moments) -> Moments:
    if not np.isfinite(moments.midpoint).all():
        raise SampleError(
            "A regression through the origin needs the means of the variables; this covariance matrix was published "
            "without them. Give from_covariance(…, mean=…), or keep the intercept."
        )
    return moments.recentre(np.zeros(len(moments.names)))


def _coordinates(
    moments: Moments, slopes: np.ndarray, inner: np.ndarray, centre: np.ndarray, intercept: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """`coef`, `centred`, `basis`, `inverse` and `to_data` of a fit from its slopes and their inverse (k, k)."""
    k = len(slopes)
    shift = slopes @ moments.midpoint[:k] - moments.midpoint[k]
    if not intercept:
        basis = np.hstack([moments.midpoint[:k, None], np.eye(k)])
        return slopes, np.r_[shift, slopes], basis, inner, np.eye(k)
    whole = np.empty((1 + k, 1 + k))
    whole[1:, 1:] = inner
    whole[0, 1:] = whole[1:, 0] = -inner @ centre[:k]
    whole[0, 0] = 1 / moments.weight + centre[:k] @ inner @ centre[:k]
    start = centre[k] - slopes @ centre[:k]
    to_data = np.eye(1 + k)
    to_data[0, 1:] = -moments.midpoint[:k]
    return np.r_[start - shift, slopes], np.r_[start, slopes], np.eye(1 + k), whole, to_data


def check_collinear(corr: np.ndarray, names: Sequence[str], labels: Sequence[str] = ()) -> None:
    """Refuse a driver that earlier ones determine exactly (Gram–Schmidt on the correlations).

    `labels` are the terms that the drivers belong to: a category is left out as a whole, not one of its columns.
    """
    left = corr.copy()
    for j in range(len(names)):
        if left[j, j] < EXACT:
            weights = np.linalg.lstsq(corr[:j, :j], corr[:j, j], rcond=None)[0]
            raise _repeated([i for i in range(j) if abs(weights[i]) > 1e-6], j, names, labels or names)
        left -= np.outer(left[:, j], left[j]) / left[j, j]


def _repeated(others: Sequence[int], j: int, names: Sequence[str], labels: Sequence[str]) -> CollinearityError:
    terms = [label for label in dict.fromkeys(labels[i] for i in others) if label != labels[j]]
    if terms:
        return CollinearityError.among(labels[j], terms)
    return CollinearityError.among(names[j], [names[i] for i in others])


def coefficient_scores(fit: Fit, size: int) -> np.ndarray:
    """(q, p, p) influence of a row on each coefficient of X: (XᵀWX)⁻¹x·(y − xᵀb), as quadratic forms in z.

    z = [1, drivers, outcome, further variables] around the midpoints has length p = `size`.
    """
    q, used = fit.basis.shape
    residual = np.r_[-fit.centred, 1.0, np.zeros(size - used - 1)]
    left = np.hstack([fit.inverse @ fit.basis, np.zeros((q, size - used))])
    product = left[:, :, None] * residual
    return (product + product.transpose(0, 2, 1)) / 2


def least_squares(gram: np.ndarray, k: int) -> np.ndarray:
    """Coefficients (…, 1+k) around the midpoints, from Gram matrices (…, p, p) of [1, k drivers, outcome, …]."""
    return np.linalg.solve(gram[..., : 1 + k, : 1 + k], gram[..., : 1 + k, 1 + k, None])[..., 0]
