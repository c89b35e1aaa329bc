"""Measures of importance that have a closed form, and the table of all measures, each with its exact gradient.

Every measure takes covariances of the players' columns, player by player, and the outcome, last, and returns parts of
the outcome's variance. R is the correlation matrix of the columns, r their covariances with the outcome after scaling
each column to variance 1, β = R⁻¹r, ω = R^(−1/2)·r.
References: Grömping (2007), The American Statistician 61, 139–147 (first, last, betasq, pratt); Genizi (1993),
Statistica Sinica 3, 407–420, and Johnson (2000), Multivariate Behavioral Research 35, 1–19 (the same quantity by two
roads); Zuber & Strimmer (2011), Statistical Applications in Genetics and Molecular Biology 10, 34 (CAR scores).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from csat.drivers.relative.proportional import pmvd_parts, pmvd_slopes
from csat.drivers.relative.shapley import lmg_parts, lmg_slopes

Parts = Callable[[np.ndarray, Sequence[int]], np.ndarray]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of importance.

    parts : covariances (B, q, q), sizes (m,) → (B, m). slopes : one covariance matrix (q, q), sizes → (m, q, q).
    adds_up : the parts sum to what is explained. ends : smallest and largest part of R² there can be.
    together : which players may have several columns: "any", "numbers" (not the columns of a factor, since the parts
        would depend on its reference level) or "none".
    most : players up to which all their sets are visited; None: they need not be.
    """

    parts: Parts
    slopes: Parts
    adds_up: bool
    ends: tuple[float, float] = (0.0, 1.0)
    together: str = "any"
    most: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """Covariances with the columns scaled to variance 1.

    corr : (B, k, k). cross : (B, k) with the outcome. spread : (B, k) standard deviations that were divided by.
    """

    corr: np.ndarray
    cross: np.ndarray
    spread: np.ndarray

    @property
    def beta(self) -> np.ndarray:
        """(B, k) coefficients."""
        return np.linalg.solve(self.corr, self.cross[..., None])[..., 0]


def standard(cov: np.ndarray) -> Standard:
    """Scale the columns of covariances (B, q, q), the outcome last, to variance 1."""
    spread = np.sqrt(np.diagonal(cov, axis1=1, axis2=2)[:, :-1])
    corr = cov[:, :-1, :-1] / (spread[:, :, None] * spread[:, None, :])
    return Standard(corr, cov[:, :-1, -1] / spread, spread)


def roots(corr: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Square root (B, k, k) of correlation matrices, roots of the eigenvalues (B, k), eigenvectors (B, k, k)."""
    values, vectors = np.linalg.eigh(corr)
    root = np.sqrt(np.maximum(values, 0.0))
    return (vectors * root[:, None, :]) @ vectors.swapaxes(1, 2), root, vectors


def _summed(columns: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Parts of columns (B, k, …) added up over each player's own: (B, m, …)."""
    return np.add.reduceat(columns, [0, *accumulate(sizes[:-1])], axis=1)


def _ranges(sizes: Sequence[int]) -> list[list[int]]:
    ends = np.cumsum(sizes).tolist()
    return [list(range(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def explained(cov: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """(B,) variance of the outcome explained by some columns of covariances (B, q, q)."""
    used = list(columns)
    cross = cov[:, used, -1:]
    return (cross * np.linalg.solve(cov[:, used][:, :, used], cross)).sum(axis=(1, 2))


def residual_on(cov: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """(q,) e = [b, −1] of the regression of the outcome on some columns of one covariance matrix (q, q)."""
    used = list(columns)
    out = np.zeros(len(cov))
    out[used] = np.linalg.solve(cov[np.ix_(used, used)], cov[used, -1])
    out[-1] = -1.0
    return out


def first_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, m) what each player explains alone."""
    return np.stack([explained(cov, own) for own in _ranges(sizes)], axis=1)


def first_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(m, q, q) gradients of `first_parts`."""
    residual = np.array([residual_on(cov, own) for own in _ranges(sizes)])
    nothing = residual_on(cov, [])
    return np.outer(nothing, nothing) - residual[:, :, None] * residual[:, None, :]


def last_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, m) what each player adds to all others."""
    k = cov.shape[1] - 1
    inverse = np.linalg.inv(cov[:, :k, :k])
    b = (inverse @ cov[:, :k, -1:])[..., 0]
    gains = [
        (b[:, own, None] * np.linalg.solve(inverse[:, own][:, :, own], b[:, own, None])).sum(axis=(1, 2))
        for own in _ranges(sizes)
    ]
    return np.stack(gains, axis=1)


def last_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(m, q, q) gradients of `last_parts`."""
    everything = range(len(cov) - 1)
    full = residual_on(cov, everything)
    residual = np.array([residual_on(cov, [j for j in everything if j not in own]) for own in _ranges(sizes)])
    return residual[:, :, None] * residual[:, None, :] - np.outer(full, full)


def betasq_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:  # noqa: ARG001
    """(B, k) squared standardized coefficients."""
    return standard(cov).beta ** 2


def betasq_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:  # noqa: ARG001
    """(k, q, q) gradients of `betasq_parts`."""
    scaled = standard(cov[None])
    return _by_cov(scaled, *_through_beta(scaled, np.diag(2 * scaled.beta[0])))


def pratt_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, m) standardized coefficient times covariance; of several columns the sum, whatever their coding."""
    scaled = standard(cov)
    return _summed(scaled.beta * scaled.cross, sizes)


def pratt_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(m, q, q) gradients of `pratt_parts`."""
    scaled = standard(cov[None])
    by_corr, by_cross = _through_beta(scaled, np.diag(scaled.cross[0]))
    return _summed(_by_cov(scaled, by_corr, by_cross + np.diag(scaled.beta[0]))[None], sizes)[0]


def car_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, m) squared CAR scores ω², covariances of the outcome with the decorrelated columns."""
    scaled = standard(cov)
    return _summed(_decorrelated(scaled)[1] ** 2, sizes)


def car_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(m, q, q) gradients of `car_parts`."""
    scaled = standard(cov[None])
    omega = _decorrelated(scaled)[1][0]
    k = len(omega)
    return _summed(_by_cov(scaled, *_through_root(scaled, np.diag(2 * omega), np.zeros((k, k, k))))[None], sizes)[0]


def johnson_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, m) relative weights (R^(1/2))²·ω², squared element by element."""
    root, omega = _decorrelated(standard(cov))
    return _summed((root**2 @ (omega**2)[..., None])[..., 0], sizes)


def johnson_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(m, q, q) gradients of `johnson_parts`."""
    scaled = standard(cov[None])
    root, omega = (found[0] for found in _decorrelated(scaled))
    k = len(omega)
    by_root = np.zeros((k, k, k))
    by_root[np.arange(k), np.arange(k)] = 2 * root * omega**2
    return _summed(_by_cov(scaled, *_through_root(scaled, 2 * root**2 * omega, by_root))[None], sizes)[0]


def _decorrelated(scaled: Standard) -> tuple[np.ndarray, np.ndarray]:
    """R^(1/2) (B, k, k) and ω (B, k)."""
    root, _, _ = roots(scaled.corr)
    return root, np.linalg.solve(root, scaled.cross[..., None])[..., 0]


def _through_beta(scaled: Standard, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients of `weights` (n, k) times dβ by R (n, k, k) and by r (n, k), from dβ = R⁻¹(dr − dR·β)."""
    by_cross = np.linalg.solve(scaled.corr[0], weights.T).T
    return -by_cross[:, :, None] * scaled.beta[0], by_cross


def _through_root(scaled: Standard, weights: np.ndarray, by_root: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients by R (n, k, k) and r (n, k) of `weights` (n, k) times dω plus ⟨`by_root` (n, k, k), dR^(1/2)⟩.

    A = R^(1/2) gives dω = A⁻¹(dr − dA·ω), and dA solves the Lyapunov equation dA·A + A·dA = dR, which the eigenvectors
    of R turn into a division (Higham 2008, Functions of Matrices, ch. 6).
    """
    root, values, vectors = (found[0] for found in roots(scaled.corr))
    omega = np.linalg.solve(root, scaled.cross[0])
    by_cross = np.linalg.solve(root, weights.T).T
    whole = by_root - by_cross[:, :, None] * omega
    turned = vectors.T @ (whole + whole.swapaxes(1, 2)) @ vectors / 2
    return vectors @ (turned / (values[:, None] + values)) @ vectors.T, by_cross


def _by_cov(scaled: Standard, by_corr: np.ndarray, by_cross: np.ndarray) -> np.ndarray:
    """Gradients by R (n, k, k) and r (n, k) as symmetric gradients (n, q, q) by the covariances."""
    corr, cross, spread = scaled.corr[0], scaled.cross[0], scaled.spread[0]
    k = len(spread)
    out = np.zeros((len(by_cross), k + 1, k + 1))
    out[:, :k, :k] = (by_corr + by_corr.swapaxes(1, 2)) / 2
    scale = (out[:, :k, :k] * corr).sum(axis=2) + by_cross * cross / 2
    out[:, :k, -1] = out[:, -1, :k] = by_cross / 2
    out[:, np.arange(k), np.arange(k)] -= scale
    unit = np.r_[spread, 1.0]
    return out / (unit[:, None] * unit)


#: Most players for which all sets are visited: LMG of 24 takes half a minute, PMVD of 18 some seconds.
MOST_LMG, MOST_PMVD = 24, 18

MEASURES: Mapping[str, Measure] = {
    "lmg": Measure(lmg_parts, lmg_slopes, True, most=MOST_LMG),
    "johnson": Measure(johnson_parts, johnson_slopes, True, together="numbers"),
    "first": Measure(first_parts, first_slopes, False),
    "last": Measure(last_parts, last_slopes, False),
    "betasq": Measure(betasq_parts, betasq_slopes, False, (0.0, np.inf), together="none"),
    "pratt": Measure(pratt_parts, pratt_slopes, True, (-np.inf, np.inf)),
    "genizi": Measure(johnson_parts, johnson_slopes, True, together="numbers"),
    "car": Measure(car_parts, car_slopes, True, together="numbers"),
    "pmvd": Measure(pmvd_parts, pmvd_slopes, True, most=MOST_PMVD),
}
