"""Where a driver lies on the map of performance and importance, and how probable each quadrant is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.drivers.maps.orthants import below, below_both

#: Quadrants of Martilla & James (1977), in the order of the probabilities: important and done well, important and done
#: badly, unimportant and done badly, unimportant and done well.
QUADRANTS = ("keep_up", "concentrate", "low_priority", "overkill")


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Places of k drivers relative to the cut of one map.

    horizontal, vertical : (k,) how far performance and importance lie above the cut.
    vcov : (2k, 2k) covariance of both, performance first; it contains the uncertainty of the cut.
    df : of their t distribution. diagonal : cut by the iso-line where horizontal = vertical.
    """

    horizontal: np.ndarray
    vertical: np.ndarray
    vcov: np.ndarray
    df: float
    diagonal: bool

    @property
    def quadrant(self) -> list[str]:
        """(k,) quadrants of the estimates; what lies on a line counts as above it."""
        right, up = self.horizontal >= 0, self.vertical >= 0
        urgent = self.vertical > self.horizontal if self.diagonal else up & ~right
        rest = np.where(up, "keep_up", np.where(right, "overkill", "low_priority"))
        return np.where(
            np.isfinite(self.horizontal + self.vertical), np.where(urgent, "concentrate", rest), ""
        ).tolist()

    @property
    def probabilities(self) -> np.ndarray:
        """(k, 4) probability of each of `QUADRANTS`; they sum to 1."""
        k = len(self.horizontal)
        pairs = np.array([[j, k + j] for j in range(k)])
        blocks = self.vcov[pairs[:, :, None], pairs[:, None, :]]
        points = np.stack([self.horizontal, self.vertical], axis=1)
        zones = diagonal_zones if self.diagonal else cross_zones
        return np.array([zones(point, block, self.df) for point, block in zip(points, blocks, strict=True)])


def cross_zones(point: np.ndarray, vcov: np.ndarray, df: float) -> list[float]:
    """Probabilities of `QUADRANTS` around a cross-hair at 0; `point` (2,) is (performance, importance) − cut."""
    limits, rho = _standardized(np.eye(2), point, vcov)
    right, up, both = below(limits[0], df), below(limits[1], df), below_both(limits[0], limits[1], rho, df)
    return _sound([both, up - both, 1 - right - up + both, right - both])


def diagonal_zones(point: np.ndarray, vcov: np.ndarray, df: float) -> list[float]:
    """Probabilities of `QUADRANTS` where all above the diagonal is "concentrate"; `point` (2,) is standardized.

    Below the diagonal the cross-hair at 0 tells the other three apart; each is a wedge, that is an orthant of two
    linear combinations.
    """
    under, right, up = np.array([1.0, -1.0]), np.array([1.0, 0.0]), np.array([0.0, 1.0])
    wedges = ((under, up), (under, -right), (right, -up))
    keep, low, over = (_both_positive(np.stack(sides), point, vcov, df) for sides in wedges)
    above, _ = _standardized(np.stack([-under, up]), point, vcov)
    return _sound([keep, below(above[0], df), low, over])


def _both_positive(sides: np.ndarray, point: np.ndarray, vcov: np.ndarray, df: float) -> float:
    """Probability that two linear combinations (2, 2) of the point are both above 0."""
    limits, rho = _standardized(sides, point, vcov)
    return below_both(limits[0], limits[1], rho, df)


def _standardized(sides: np.ndarray, point: np.ndarray, vcov: np.ndarray) -> tuple[np.ndarray, float]:
    """(2,) two linear combinations in standard errors, and their correlation; without error they are certain."""
    value, cov = sides @ point, sides @ vcov @ sides.T
    se = np.sqrt(np.maximum(np.diag(cov), 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        limits = value / se
        rho = cov[0, 1] / (se[0] * se[1]) if (se > 0).all() else 0.0
    return limits, float(np.clip(rho, -1.0, 1.0)) if np.isfinite(cov).all() else float("nan")


def _sound(zones: list[float]) -> list[float]:
    """Without the rounding of the integrals."""
    return np.clip(zones, 0.0, 1.0).tolist()


def deviations(size: int) -> np.ndarray:
    """(k, k) contrasts of k figures with their mean."""
    return np.eye(size) - 1 / size


def standardized(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values (k,) around their mean in standard deviations (divisor k − 1), and the (k, k) derivatives.

    NaN for fewer than three values, whose standardized places are fixed, and where all values are the same.
    """
    size = len(values)
    spread = float(values.std(ddof=1))
    if size < 3 or not spread > 1e-12 * np.abs(values).max():
        return np.full(size, np.nan), np.full((size, size), np.nan)
    scaled = (values - values.mean()) / spread
    return scaled, (deviations(size) - np.outer(scaled, scaled) / (size - 1)) / spread
