"""Least squares on moments: coefficients, their inverse, and the scores behind their standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import CollinearityError, SampleError
from csat.moments import Moments

#: A driver whose tolerance (1 − R² on the others) is below this repeats them to machine precision.
EXACT = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Least squares on moments.

    coef : (1+k,) intercept first, in the units of the data (around the midpoints `centre`).
    inverse : (1+k, 1+k) (XᵀWX)⁻¹ in coordinates around the midpoints.
    beta : (k,) standardized. tolerance : (k,) 1 − R² of each driver on the others. rss, tss : weighted sums of squares.
    n : respondents. df : n − 1 − k.
    """

    coef: np.ndarray
    centred: np.ndarray
    inverse: np.ndarray
    beta: np.ndarray
    tolerance: np.ndarray
    rss: float
    tss: float
    n: int

    @property
    def df(self) -> int:
        """Residual degrees of freedom."""
        return self.n - len(self.coef)

    @property
    def r2(self) -> float:
        """Share of the outcome's variance explained."""
        return 1 - self.rss / self.tss

    @property
    def exact(self) -> bool:
        """Whether the drivers determine the outcome: what is left is rounding error."""
        return self.rss < EXACT * self.tss


def fit_least_squares(moments: Moments) -> Fit:
    """Least squares of the last variable of listwise `moments` on the others.

    Works on correlations, so that units do not matter to precision.

    Raises
    ------
    SampleError
        Too few respondents, or a variable without variation.
    CollinearityError
        If a driver is an exact linear combination of earlier ones.
    """
    k = len(moments.names) - 1
    if moments.n < k + 2:
        raise SampleError.too_few(f"A regression on {k} drivers", moments.n, k + 2)
    gram, weight = moments.gram, moments.weight
    centre = gram[0, 1:] / weight
    products = gram[1:, 1:] - weight * np.outer(centre, centre)
    spread = np.sqrt(np.maximum(np.diag(products), 0.0))
    flat = spread <= 1e-12 * np.sqrt(np.diag(gram)[1:])
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(moments.names, flat, strict=True) if is_flat])
    corr = products / np.outer(spread, spread)
    check_collinear(corr[:k, :k], moments.names[:k])
    inverse = np.linalg.inv(corr[:k, :k]) if k else np.zeros((0, 0))
    beta = np.linalg.solve(corr[:k, :k], corr[:k, k]) if k else np.zeros(0)
    slopes = beta * spread[k] / spread[:k]
    rss = float(spread[k] ** 2 * max(corr[k, k] - beta @ corr[:k, k], 0.0))
    whole = np.zeros((1 + k, 1 + k))
    whole[1:, 1:] = inverse / np.outer(spread[:k], spread[:k])
    whole[0, 1:] = whole[1:, 0] = -whole[1:, 1:] @ centre[:k]
    whole[0, 0] = 1 / weight + centre[:k] @ whole[1:, 1:] @ centre[:k]
    start = centre[k] - slopes @ centre[:k]
    intercept = start + moments.midpoint[k] - slopes @ moments.midpoint[:k]
    return Fit(
        np.r_[intercept, slopes],
        np.r_[start, slopes],
        whole,
        beta,
        1 / np.diag(inverse),
        rss,
        float(spread[k] ** 2),
        moments.n,
    )


def check_collinear(corr: np.ndarray, names: Sequence[str]) -> None:
    """Refuse a driver that earlier ones determine exactly (Gram–Schmidt on the correlations)."""
    left = corr.copy()
    for j, name in enumerate(names):
        if left[j, j] < EXACT:
            weights = np.linalg.lstsq(corr[:j, :j], corr[:j, j], rcond=None)[0]
            raise CollinearityError.among(
                name, [other for other, weight in zip(names, weights, strict=False) if abs(weight) > 1e-6]
            )
        left -= np.outer(left[:, j], left[j]) / left[j, j]


def coefficient_scores(fit: Fit, size: int) -> np.ndarray:
    """(1+k, p, p) influence of a row on each coefficient: (XᵀWX)⁻¹x·(y − xᵀb), as quadratic forms in z.

    z = [1, drivers, outcome, further variables] has length p = `size`.
    """
    k = len(fit.beta)
    residual = np.r_[-fit.centred, 1.0, np.zeros(size - k - 2)]
    left = np.hstack([fit.inverse, np.zeros((1 + k, size - k - 1))])
    product = left[:, :, None] * residual
    return (product + product.transpose(0, 2, 1)) / 2


def least_squares(gram: np.ndarray, k: int) -> np.ndarray:
    """Coefficients (…, 1+k) around the midpoints, from Gram matrices (…, p, p) of [1, k drivers, outcome, …]."""
    return np.linalg.solve(gram[..., : 1 + k, : 1 + k], gram[..., : 1 + k, 1 + k, None])[..., 0]
