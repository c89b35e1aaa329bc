"""How far a calibrated weight may go from its design weight: the distances of Deville & Särndal.

Calibration chooses factors g = F(xᵀλ) with the λ that meets the targets. F is the inverse of the distance's
derivative; λ minimises Σ d·Φ(xᵀλ) − tᵀλ, where Φ is the integral of F. A `Distance` is a bundle of Φ, F and F′.
Source: Deville & Särndal (1992), Journal of the American Statistical Association 87, 376–382.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: exp() overflows beyond; factors of e^50 are not weights.
STEEPEST = 50.0


@dataclass(frozen=True, slots=True)
class Distance:
    """Φ (`value`), F (`factor`) and F′ (`slope`), each of u = xᵀλ elementwise; F(0) = 1 and F′(0) = 1."""

    value: Callable[[np.ndarray], np.ndarray]
    factor: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


def linear(low: float, high: float) -> Distance:
    """χ² distance, the regression estimator (GREG): g = 1 + u, cut at `low` and `high` (may be ∓∞)."""

    def value(u: np.ndarray) -> np.ndarray:
        inside = np.clip(1 + u, low, high)
        return inside * (1 + u) - inside**2 / 2

    return Distance(
        value, lambda u: np.clip(1 + u, low, high), lambda u: ((1 + u >= low) & (1 + u <= high)).astype(float)
    )


def exponential(low: float, high: float) -> Distance:  # noqa: ARG001 (one signature for all distances)
    """Raking ratio: g = exp(u), always positive, without an upper bound."""

    def power(u: np.ndarray) -> np.ndarray:
        return np.exp(np.minimum(u, STEEPEST))

    return Distance(power, power, power)


def logit(low: float, high: float) -> Distance:
    """Factors between `low` and `high` along a logistic curve; low < 1 < high."""
    from scipy.special import expit

    steep = (high - low) / ((high - 1) * (1 - low))
    shift = np.log((1 - low) / (high - 1))

    def value(u: np.ndarray) -> np.ndarray:
        return low * u + (high - low) / steep * np.logaddexp(0, steep * u + shift)

    def factor(u: np.ndarray) -> np.ndarray:
        return low + (high - low) * expit(steep * u + shift)

    def slope(u: np.ndarray) -> np.ndarray:
        p = expit(steep * u + shift)
        return steep * (high - low) * p * (1 - p)

    return Distance(value, factor, slope)
