"""Extraction of common factors from correlations: uniquenesses that maximize the likelihood, or least residuals.

Given uniquenesses the loadings have a closed form, from the largest eigenvalues; what is left is a function of p
numbers, minimised by Newton's method with its exact second derivatives. Sources: Jöreskog (1967), Psychometrika 32(4),
443–482 (maximum likelihood); Harman & Jones (1966), Psychometrika 31(3), 351–368 (minimum residuals).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csat.errors import ConvergenceError

#: Least uniqueness, as in R's factanal and psych: an item that its factors explain wholly is a Heywood case.
LEAST = 0.005
_ROUNDS, _HALVINGS, _FLAT = 200, 40, 1e-10
#: Random starts beside the usual one; a fixed seed, so that the same correlations always have the same factors.
_STARTS, _SEED = 10, 19670401
#: Rounding of F, a sum of terms of size 1.
_ROUNDING = 1e-14
#: Difference of F below which two optima are the same.
_SAME = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """Unrotated factors.

    loadings : (p, m), largest factor first. uniqueness : (p,). bound : (p,) whether it stands at its least value.
    """

    loadings: np.ndarray
    uniqueness: np.ndarray
    bound: np.ndarray


#: Value, slope (p,) and curvature (p, p) by the parameters (p,), one per item.
Profile = Callable[[np.ndarray], tuple[float, np.ndarray, np.ndarray]]


def maximum_likelihood(corr: np.ndarray, m: int) -> Extracted:
    """Factors under which normal answers with these correlations (p, p) are most likely."""
    starts = np.log(_starts(corr, m))
    logs, bound = _lowest(lambda x: _likelihood(corr, m, x), starts, float(np.log(LEAST)), 0.0)
    psi = np.exp(logs)
    scale = np.sqrt(psi)
    values, vectors = _descending(corr / np.outer(scale, scale))
    loadings = scale[:, None] * vectors[:, :m] * np.sqrt(np.maximum(values[:m] - 1.0, 0.0))
    return Extracted(loadings, psi, bound)


def minimum_residuals(corr: np.ndarray, m: int) -> Extracted:
    """Factors that leave the least squares of the residual correlations (p, p)."""
    psi, bound = _lowest(lambda x: _residuals(corr, m, x), _starts(corr, m), LEAST, 1.0)
    values, vectors = _descending(corr - np.diag(psi))
    return Extracted(vectors[:, :m] * np.sqrt(np.maximum(values[:m], 0.0)), psi, bound)


def principal_components(corr: np.ndarray, m: int) -> Extracted:
    """The m linear combinations of the items with the largest variances, as correlations with the items."""
    values, vectors = _descending(corr)
    loadings = vectors[:, :m] * np.sqrt(values[:m])
    return Extracted(loadings, 1.0 - np.sum(loadings**2, axis=1), np.zeros(len(corr), bool))


def _descending(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, vectors = np.linalg.eigh(matrix)
    return values[::-1], vectors[:, ::-1]


def _starts(corr: np.ndarray, m: int) -> np.ndarray:
    """(starts, p) uniquenesses to begin with: that of Jöreskog (1967, equation 26), and others drawn at random."""
    usual = np.clip((1.0 - 0.5 * m / len(corr)) / np.diag(np.linalg.inv(corr)), 2 * LEAST, 1.0)
    drawn = np.random.default_rng(_SEED).uniform(0.1, 0.9, (_STARTS, len(corr)))
    return np.vstack([usual, drawn])


def _likelihood(corr: np.ndarray, m: int, logs: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """F = Σ (λ − log λ − 1) over all but the m largest eigenvalues λ of Ψ^-½ R Ψ^-½, by log Ψ."""
    half = np.exp(-logs / 2)
    values, vectors = _descending(corr * np.outer(half, half))
    kept, left, w, v = values[:m], values[m:], vectors[:, :m], vectors[:, m:]
    value = float(np.sum(left - np.log(left) - 1.0))
    slope = v**2 @ (1.0 - left)
    ratio = (1.0 - left) * (left + kept[:, None]) / (left - kept[:, None])
    curvature = (v @ v.T) * (v @ (left[:, None] * v.T)) - _crossed(v, w, ratio.T)
    return value, slope, curvature


def _residuals(corr: np.ndarray, m: int, psi: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """F = ½ Σ γ² over all but the m largest eigenvalues γ of R − Ψ, by Ψ."""
    values, vectors = _descending(corr - np.diag(psi))
    kept, left, w, v = values[:m], values[m:], vectors[:, :m], vectors[:, m:]
    ratio = left / (left - kept[:, None])
    curvature = (v @ v.T) ** 2 + 2.0 * _crossed(v, w, ratio.T)
    return float(np.sum(left**2) / 2), -(v**2) @ left, curvature


def _crossed(v: np.ndarray, w: np.ndarray, ratio: np.ndarray) -> np.ndarray:
    """(p, p) Σ ratio_jl · v_ij v_kj w_il w_kl over the eigenvectors left out, j, and kept, l."""
    pairs = (v[:, :, None] * w[:, None, :]).reshape(len(v), -1)
    return (pairs * ratio.ravel()) @ pairs.T


def _lowest(profile: Profile, starts: np.ndarray, least: float, most: float) -> tuple[np.ndarray, np.ndarray]:
    """The lowest of the optima that are reached from several starts: the parameters, and which stand at `least`.

    Raises
    ------
    ConvergenceError
    """
    found = [end for start in starts if (end := _minimise(profile, start, least, most)) is not None]
    if not found:
        raise ConvergenceError(
            f"The factors did not converge in {_ROUNDS} rounds: too many factors for these items, or items that nearly "
            "repeat each other. Extract fewer factors, or use method='minres'."
        )
    value = min(end[0] for end in found)
    # The first of those that differ by rounding, so that equal optima are found the same way.
    _, x, bound = next(end for end in found if end[0] <= value + _SAME)
    return x, bound


def _minimise(
    profile: Profile, start: np.ndarray, least: float, most: float
) -> tuple[float, np.ndarray, np.ndarray] | None:
    """Newton's method between bounds: value, parameters, and which stand at the lower one; None: no optimum reached.

    No optimum lies beyond the upper bound, uniqueness 1; it keeps early steps from going far astray.
    """
    x = start
    value, slope, curvature = profile(x)
    for _ in range(_ROUNDS):
        low, high = (x <= least) & (slope > 0), (x >= most) & (slope < 0)
        held = low | high
        if np.abs(np.where(held, 0.0, slope)).max() < _FLAT:
            return value, x, low
        step = np.zeros_like(x)
        step[~held] = _newton(curvature[np.ix_(~held, ~held)], slope[~held])
        size = 1.0 / max(1.0, float(np.abs(step).max()))
        for _ in range(_HALVINGS):
            trial = np.clip(x + size * step, least, most)
            found = profile(trial)
            if found[0] <= value + 1e-4 * float(slope @ (trial - x)) + _ROUNDING:
                break
            size /= 2
        x, (value, slope, curvature) = trial, found
    return None


def _newton(curvature: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """A descent direction: Newton's where the function is convex, with negative curvature turned round where not."""
    values, vectors = np.linalg.eigh(curvature)
    size = np.maximum(np.abs(values), 1e-6 * max(float(np.abs(values).max()), 1e-12))
    return -vectors @ ((vectors.T @ slope) / size)
