"""Maximum likelihood on moments: Fisher scoring, damped, judged by its gradient.

A pure function of a covariance matrix and a structure; nothing here knows of data or names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.structural.structure import Point, Structure, evaluate

#: Largest gradient at which an estimate counts as converged, in units of each parameter's own curvature.
TOLERANCE = 1e-8
_STEPS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where an optimiser stopped.

    point : the structure at the estimates.
    gradient : (k,) scaled gradient, ∂F / √(expected ∂²F): the same in whatever unit a variable is measured.
    iterations : number of steps tried.
    """

    point: Point
    gradient: np.ndarray
    iterations: int

    @property
    def worst(self) -> float:
        """Largest element of the scaled gradient."""
        return float(np.max(np.abs(self.gradient), initial=0.0))

    @property
    def converged(self) -> bool:
        """Whether the scaled gradient vanishes."""
        return self.worst < TOLERANCE


def scaled_gradient(point: Point, sample: np.ndarray) -> np.ndarray:
    """(k,) gradient of the discrepancy, each element divided by the root of its expected curvature."""
    curvature = np.diag(point.information())
    return point.gradient(sample) / np.sqrt(np.where(curvature > 0, curvature, 1.0))


def minimise(structure: Structure, sample: np.ndarray, start: np.ndarray) -> Optimum:
    """Estimate theta by maximum likelihood.

    Parameters
    ----------
    sample : (p, p) covariance, positive definite.
    start : (k,) values at which Σ is positive definite.

    Returns
    -------
    Optimum
        Converged or not: the caller decides what that means.

    Notes
    -----
    Fisher scoring with Levenberg–Marquardt damping; where it crawls (expected and actual curvature differ
    much, or the model is nearly singular), BFGS of scipy in scaled parameters, then scoring again.
    """
    found = _score(structure, sample, start)
    if found.converged or not len(start):
        return found
    better = _score(structure, sample, _quasi_newton(structure, sample, found.point))
    return Optimum(better.point, better.gradient, found.iterations + better.iterations)


def _score(structure: Structure, sample: np.ndarray, start: np.ndarray) -> Optimum:
    """Damped Fisher scoring."""
    point = evaluate(structure, start)
    if point is None:
        raise np.linalg.LinAlgError("start is not admissible")
    value, damping = point.discrepancy(sample), 0.0
    for step in range(_STEPS):
        gradient, information = point.gradient(sample), point.information()
        curvature = np.diag(information).copy()
        curvature[curvature <= 0] = 1.0
        scaled = gradient / np.sqrt(curvature)
        if np.max(np.abs(scaled), initial=0.0) < TOLERANCE:
            return Optimum(point, scaled, step)
        change = _direction(information, curvature, gradient, damping)
        trial = evaluate(structure, point.theta + change)
        expected = -float(gradient @ change) - 0.5 * float(change @ information @ change)
        gain = np.nan if trial is None else (value - trial.discrepancy(sample)) / max(expected, 1e-300)
        # Rounding hides gains below ~1e-14 of F; there the quadratic model is trusted.
        if trial is not None and (gain > 1e-4 or expected < 1e-13 * abs(value)):
            point, value = trial, trial.discrepancy(sample)
            damping = 0.0 if damping < 1e-6 else damping * (0.1 if gain > 0.5 else 0.5)
        elif damping > 1e8:
            break
        else:
            damping = max(4.0 * damping, 1e-3)
    return Optimum(point, scaled_gradient(point, sample), _STEPS)


def _direction(information: np.ndarray, curvature: np.ndarray, gradient: np.ndarray, damping: float) -> np.ndarray:
    """Solve (I + damping · diag I) step = −gradient, in units in which diag I is one."""
    unit = 1.0 / np.sqrt(curvature)
    matrix = information * np.outer(unit, unit) + (damping + 1e-14) * np.eye(len(gradient))
    return -unit * np.linalg.solve(matrix, unit * gradient)


def _quasi_newton(structure: Structure, sample: np.ndarray, point: Point) -> np.ndarray:
    """BFGS from a point, in parameters scaled by their expected curvature."""
    from scipy.optimize import minimize

    curvature = np.diag(point.information())
    unit = 1.0 / np.sqrt(np.where(curvature > 0, curvature, 1.0))

    def value_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        here = evaluate(structure, x * unit)
        if here is None:
            return 1e10, np.zeros_like(x)
        return here.discrepancy(sample), here.gradient(sample) * unit

    found = minimize(
        value_and_slope, point.theta / unit, jac=True, method="BFGS", options={"gtol": TOLERANCE, "maxiter": 2000}
    )
    return np.asarray(found.x) * unit
