"""The two solvers: iterative proportional fitting over margins, and Newton's method for any distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.errors import WeightingError
from csat.weighting.cells import Cells
from csat.weighting.distances import Distance
from csat.weighting.targets import Targets

#: Added to the diagonal of Newton's matrix, relatively: margins share their total, so it is singular without.
RIDGE = 1e-12
SHORTEST_STEP = 1e-9


@dataclass(frozen=True, slots=True)
class Solution:
    """factor : (M,) of each cell. iterations : sweeps over the margins, or Newton steps."""

    factor: np.ndarray
    iterations: int


def farthest(reached: np.ndarray, targets: Targets, scale: np.ndarray) -> tuple[float, int]:
    """The largest relative miss, and the position of its target."""
    miss = np.abs(reached - targets.goal) / scale
    at = int(np.argmax(miss))
    return float(miss[at]), at


def rake(cells: Cells, targets: Targets, *, tolerance: float, iterations: int) -> Solution | None:
    """Iterative proportional fitting: multiply the factors margin by margin until all are met.

    None if the margins are not met to `tolerance` (relative) after `iterations` sweeps; `calibrate` with the
    exponential distance has the same solution and converges faster where cells are sparse.
    Source: Deming & Stephan (1940), Annals of Mathematical Statistics 11, 427–444.
    """
    factor, goal = np.ones(len(cells.weight)), targets.goal
    for sweep in range(1, iterations + 1):
        for margin, code in zip(targets.margins, cells.codes, strict=True):
            factor *= (margin.targets / np.bincount(code, cells.weight * factor))[code]
        miss, _ = farthest(cells.sums(targets, cells.weight * factor), targets, goal)
        if miss <= tolerance:
            return Solution(factor, sweep)
    return None


def calibrate(
    cells: Cells, targets: Targets, distance: Distance, *, tolerance: float, iterations: int, method: str
) -> Solution:
    """Newton's method on the dual of the calibration problem, with step halving.

    The design weights are first scaled to the population, so that the distance is measured from the average factor.

    Raises
    ------
    WeightingError
        If the targets are not met to `tolerance` (relative) after `iterations` steps.
    """
    start = cells.weight * level(cells, targets)
    x, goal = cells.matrix(targets), targets.goal
    scale = np.abs(goal)
    last = slice(len(goal) - len(targets.numbers), None)
    scale[last] = np.maximum(scale[last], start @ np.abs(x[:, last]))
    if targets.margins:
        x, goal = _centred(x, goal, start, last)
    unit = np.sqrt(start @ x**2 / start.sum())
    unit[unit == 0] = 1.0
    dual = _Dual(x / unit, start, goal / unit, distance)
    point = np.zeros(x.shape[1])
    for step in range(iterations + 1):
        factor = distance.factor(dual.x @ point)
        reached = cells.sums(targets, start * factor)
        miss, at = farthest(reached, targets, scale)
        if miss <= tolerance:
            return Solution(factor * level(cells, targets), step)
        point = dual.improved(point)
    raise WeightingError.not_met(method, iterations, targets.places[at], float(targets.goal[at]), float(reached[at]))


def level(cells: Cells, targets: Targets) -> float:
    """The average factor: population by Σ of design weights; 1 if only numbers are given."""
    return float(targets.margins[0].targets.sum() / cells.weight.sum()) if targets.margins else 1.0


def _centred(x: np.ndarray, goal: np.ndarray, weight: np.ndarray, numbers: slice) -> tuple[np.ndarray, np.ndarray]:
    """Numbers around their mean (margins hold the constant), for better conditioning."""
    mean = np.zeros(len(goal))
    mean[numbers] = weight @ x[:, numbers] / weight.sum()
    return x - mean, goal - mean * weight.sum()


@dataclass(frozen=True, slots=True)
class _Dual:
    """min over λ of Σ d·Φ(xᵀλ) − tᵀλ: x (M, q), weight d (M,), goal t (q,)."""

    x: np.ndarray
    weight: np.ndarray
    goal: np.ndarray
    distance: Distance

    def improved(self, point: np.ndarray) -> np.ndarray:
        """One Newton step (q,), halved until it helps; the best it can do if none does."""
        u = self.x @ point
        miss = self.goal - self.x.T @ (self.weight * self.distance.factor(u))
        curve = self.x.T @ (self.x * (self.weight * self.distance.slope(u))[:, None])
        curve[np.diag_indices_from(curve)] += RIDGE * (self.weight.sum() + np.diag(curve).max())
        move = np.linalg.solve(curve, miss)
        value, step = self._value(point), 1.0
        while step > SHORTEST_STEP:
            there = point + step * move
            if self._value(there) <= value - 1e-4 * step * float(miss @ move) or self._miss(there) < np.abs(miss).max():
                return there
            step /= 2
        return point + step * move

    def _value(self, point: np.ndarray) -> float:
        return float(self.weight @ self.distance.value(self.x @ point) - self.goal @ point)

    def _miss(self, point: np.ndarray) -> float:
        return float(np.abs(self.goal - self.x.T @ (self.weight * self.distance.factor(self.x @ point))).max())
