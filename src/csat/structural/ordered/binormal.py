"""The bivariate normal distribution over whole grids of thresholds at once: what tables of answers are made of."""

from __future__ import annotations

import numpy as np

#: Beyond this many standard deviations nothing is left in double precision: it stands for infinity.
FAR = 40.0


def normal_cdf(x: np.ndarray) -> np.ndarray:
    """Standard normal distribution function."""
    from scipy.special import ndtr

    return np.asarray(ndtr(x))


def normal_quantile(p: np.ndarray) -> np.ndarray:
    """Standard normal quantile; ±inf at 1 and 0."""
    from scipy.special import ndtri

    return np.asarray(ndtri(p))


def normal_density(x: np.ndarray) -> np.ndarray:
    """Standard normal density; 0 at ±inf."""
    return np.exp(-0.5 * np.square(x)) / np.sqrt(2.0 * np.pi)


def binormal_cdf(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """Probability that X ≤ h and Y ≤ k, for standard normal X and Y that correlate at rho.

    Parameters
    ----------
    h, k : limits, ±inf allowed. rho : correlations between −1 and 1, both excluded. They broadcast.

    Returns
    -------
    ndarray
        With an absolute error below 1e-14.

    Notes
    -----
    The area is that of two half planes less two of Owen's T functions, which scipy gives to double precision at any
    correlation; quadrature over the correlation (Genz 2004) would need series of its own near ±1.
    Source: Owen (1956), Annals of Mathematical Statistics 27(4), 1075–1090.
    """
    from scipy.special import owens_t

    # −0.0 would turn the sign of a slope: adding 0.0 makes it 0.0.
    h, k = np.broadcast_arrays(np.clip(h, -FAR, FAR) + 0.0, np.clip(k, -FAR, FAR) + 0.0)
    spread = np.sqrt((1.0 - rho) * (1.0 + rho))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope_h, slope_k = (k - rho * h) / (h * spread), (h - rho * k) / (k * spread)
    origin = (h == 0) & (k == 0)
    level = np.sqrt((1.0 - rho) / (1.0 + rho))
    parts = owens_t(h, np.where(origin, level, slope_h)) + owens_t(k, np.where(origin, level, slope_k))
    apart = (h * k < 0) | ((h * k == 0) & (h + k < 0))
    return np.clip(0.5 * (normal_cdf(h) + normal_cdf(k) - apart) - parts, 0.0, 1.0)


def binormal_density(h: np.ndarray, k: np.ndarray, rho: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density of the same distribution, which is also the derivative of its `binormal_cdf` by rho; and its derivative.

    Parameters
    ----------
    h, k : places, ±inf allowed (density 0). rho : correlations between −1 and 1, both excluded. They broadcast.

    Returns
    -------
    density, slope : ∂Φ₂/∂ρ and ∂²Φ₂/∂ρ². Plackett (1954), Biometrika 41, 351–360.
    """
    h, k = np.clip(h, -FAR, FAR), np.clip(k, -FAR, FAR)
    rest = (1.0 - rho) * (1.0 + rho)
    form = (h * h - 2.0 * rho * h * k + k * k) / rest
    density = np.exp(-0.5 * form) / (2.0 * np.pi * np.sqrt(rest))
    return density, density * (rho + h * k - rho * form) / rest


def rectangles(corners: np.ndarray) -> np.ndarray:
    """(…, a, b) content of the cells of a grid, from a function at its corners (…, a + 1, b + 1)."""
    return np.diff(np.diff(corners, axis=-1), axis=-2)
