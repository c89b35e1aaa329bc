"""Minimising a discrepancy: damped scoring, replicates together, judged by the gradient.

A pure function of a model's layout and a fit function; nothing here knows of data or names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csat.structural.discrepancy import Discrepancy, hessian
from csat.structural.structure import Layout, State, evaluate

#: Largest gradient at which an estimate counts as converged, in units of each parameter's own curvature.
TOLERANCE = 1e-8
#: Steps of scoring before a single fit turns to exact second derivatives, and before it gives up.
_PATIENCE, _STEPS = 60, 300
#: Replicates stop sooner: their noise is larger.
_BATCH_STEPS, BATCH_TOLERANCE = 100, 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the search stopped.

    state : the model at the estimates.
    gradient : (…, k) scaled gradient, ∂F / √(expected ∂²F), without the part that constraints hold: the same in
        whatever unit a variable is measured.
    multipliers : (…, q) of the constraints.
    iterations : number of steps tried.
    tolerance : largest element of the gradient at convergence.
    """

    state: State
    gradient: np.ndarray
    multipliers: np.ndarray
    iterations: int
    tolerance: float = TOLERANCE

    @property
    def theta(self) -> np.ndarray:
        """(…, k) estimates."""
        return self.state.theta

    @property
    def worst(self) -> np.ndarray:
        """(…) largest element of the scaled gradient."""
        return np.max(np.abs(self.gradient), axis=-1, initial=0.0)

    @property
    def converged(self) -> np.ndarray:
        """(…) whether the scaled gradient vanishes and the constraints hold."""
        held = np.max(np.abs(self.state.layout.restriction(self.theta)), axis=-1, initial=0.0) < 1e-7
        return (self.worst < self.tolerance) & held


def optimum_at(layout: Layout, discrepancy: Discrepancy, theta: np.ndarray, iterations: int = 0) -> Optimum:
    """Judge an estimate by its gradient."""
    state = evaluate(layout, theta)
    gradient, curvature = discrepancy.gradient(state), discrepancy.curvature(state)
    slope = layout.restriction_slope(theta)
    unit = _unit(curvature)
    multipliers = _least_squares(slope * unit[..., None, :], -gradient * unit)
    held = gradient + np.squeeze(slope.swapaxes(-1, -2) @ multipliers[..., None], -1)
    return Optimum(state, held * unit, multipliers, iterations)


def _least_squares(slope: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """(…, q) multipliers that leave the smallest gradient."""
    if not slope.shape[-2]:
        return np.zeros(slope.shape[:-1])
    return np.squeeze(np.linalg.pinv(slope.swapaxes(-1, -2)) @ gradient[..., None], -1)


def minimise(layout: Layout, discrepancy: Discrepancy, start: np.ndarray) -> Optimum:
    """Estimate theta.

    Parameters
    ----------
    start : (k,) values at which F is finite.

    Returns
    -------
    Optimum
        Converged or not: the caller decides what that means.

    Notes
    -----
    Scoring with Levenberg–Marquardt damping; equations between parameters enter each step by their multipliers. Where
    scoring crawls (expected and actual curvature differ much, or the model is nearly singular), Newton steps with
    exact second derivatives; where those fail too, BFGS of scipy in scaled parameters, then scoring again.
    """
    found = _score(layout, discrepancy, start, _PATIENCE, newton=False)
    if bool(found.converged) or not len(start):
        return found
    better = _score(layout, discrepancy, found.theta, _STEPS, newton=True)
    steps = found.iterations + better.iterations
    if not bool(better.converged) and not layout.constraints:
        better = _score(layout, discrepancy, _quasi_newton(layout, discrepancy, better.theta), _STEPS, newton=True)
        steps += better.iterations
    return Optimum(better.state, better.gradient, better.multipliers, steps)


def _score(layout: Layout, discrepancy: Discrepancy, start: np.ndarray, steps: int, *, newton: bool) -> Optimum:
    """Damped scoring of one sample."""
    theta, damping = start, 0.0
    state = evaluate(layout, theta)
    value = float(discrepancy.value(state))
    for step in range(steps):
        gradient, curvature = discrepancy.gradient(state), discrepancy.curvature(state)
        gap, slope = layout.restriction(theta), layout.restriction_slope(theta)
        unit = _unit(curvature)
        matrix = _convex(hessian(layout, discrepancy, theta), curvature) if newton else curvature
        change, multipliers = _step(matrix, unit, gradient, gap, slope, damping)
        held = (gradient + slope.T @ multipliers) * unit
        if np.max(np.abs(held), initial=0.0) < TOLERANCE and np.max(np.abs(gap), initial=0.0) < 1e-9:
            return Optimum(state, held, multipliers, step)
        weight = 2.0 * np.max(np.abs(multipliers), initial=0.0)
        merit = value + weight * np.abs(gap).sum()
        trial = evaluate(layout, theta + change)
        there = float(discrepancy.value(trial)) + weight * np.abs(layout.restriction(theta + change)).sum()
        expected = -float(gradient @ change) - 0.5 * float(change @ matrix @ change) + weight * np.abs(gap).sum()
        gain = (merit - there) / max(expected, 1e-300)
        # Rounding hides gains below ~1e-13 of F; there the quadratic model is trusted.
        if np.isfinite(there) and (gain > 1e-4 or expected < 1e-13 * max(abs(merit), 1e-2)):
            theta, state, value = theta + change, trial, float(discrepancy.value(trial))
            damping = 0.0 if damping < 1e-6 else damping * (0.1 if gain > 0.5 else 0.5)
        elif damping > 1e8:
            break
        else:
            damping = max(4.0 * damping, 1e-3)
    return optimum_at(layout, discrepancy, theta, steps)


def _unit(curvature: np.ndarray) -> np.ndarray:
    """(…, k) one over the root of each parameter's curvature."""
    diagonal = np.diagonal(curvature, axis1=-1, axis2=-2)
    return 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))


def _convex(exact: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Exact second derivatives where they are convex, else the expected ones."""
    unit = _unit(expected)
    values = np.linalg.eigvalsh(exact * unit[:, None] * unit)
    return exact if values[0] > 1e-12 * values[-1] else expected


def _step(
    matrix: np.ndarray, unit: np.ndarray, gradient: np.ndarray, gap: np.ndarray, slope: np.ndarray,
    damping: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Step (…, k) and multipliers (…, q): (M + damping·diag M)·step + slopeᵀ·λ = −gradient, slope·step = −gap."""
    k, q = gradient.shape[-1], gap.shape[-1]
    scaled = matrix * unit[..., :, None] * unit[..., None, :]
    scaled = scaled + (np.asarray(damping)[..., None, None] + 1e-14) * np.eye(k)
    right = -(unit * gradient)
    if q:
        rows = slope * unit[..., None, :]
        corner = np.zeros((*gradient.shape[:-1], q, q))
        scaled = np.concatenate(
            [np.concatenate([scaled, rows.swapaxes(-1, -2)], axis=-1), np.concatenate([rows, corner], axis=-1)], axis=-2
        )
        right = np.concatenate([right, -gap], axis=-1)
    try:
        found = np.linalg.solve(scaled, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        found = np.squeeze(np.linalg.pinv(scaled) @ right[..., None], -1)
    return unit * found[..., :k], found[..., k:]


def _quasi_newton(layout: Layout, discrepancy: Discrepancy, theta: np.ndarray) -> np.ndarray:
    """BFGS from theta, in parameters scaled by their expected curvature."""
    from scipy.optimize import minimize

    unit = _unit(discrepancy.curvature(evaluate(layout, theta)))

    def value_and_slope(x: np.ndarray) -> tuple[float, np.ndarray]:
        here = evaluate(layout, x * unit)
        value = float(discrepancy.value(here))
        if not np.isfinite(value):
            return 1e10, np.zeros_like(x)
        return value, discrepancy.gradient(here) * unit

    found = minimize(
        value_and_slope, theta / unit, jac=True, method="BFGS", options={"gtol": TOLERANCE, "maxiter": 2000}
    )
    return np.asarray(found.x) * unit


def minimise_many(layout: Layout, discrepancy: Discrepancy, start: np.ndarray) -> Optimum:
    """Estimate theta on R samples together, from one start or one each.

    Parameters
    ----------
    discrepancy : of sample moments with a first axis of R replicates.
    start : (R, k).

    Returns
    -------
    Optimum
        Of all replicates; `converged` says which of them to use. Scoring as in `minimise`, each replicate with a
        damping of its own; those that are done drop out of the batch.
    """
    theta = start.copy()
    damping, alive = np.zeros(len(theta)), np.arange(len(theta))
    value = discrepancy.value(evaluate(layout, theta))
    for _ in range(_BATCH_STEPS):
        part, here = discrepancy.take(alive), theta[alive]
        state = evaluate(layout, here)
        gradient, curvature = part.gradient(state), part.curvature(state)
        gap, slope = layout.restriction(here), layout.restriction_slope(here)
        unit = _unit(curvature)
        change, multipliers = _step(curvature, unit, gradient, gap, slope, damping[alive])
        held = (gradient + np.squeeze(slope.swapaxes(-1, -2) @ multipliers[..., None], -1)) * unit
        going = ~(np.max(np.abs(held), axis=-1, initial=0.0) < BATCH_TOLERANCE)
        going |= np.max(np.abs(gap), axis=-1, initial=0.0) >= 1e-9
        trial = here + change
        there = part.value(evaluate(layout, trial))
        better = np.isfinite(there) & (there <= value[alive] + 1e-12 * np.abs(value[alive]) + _slack(gap))
        move = going & better
        theta[alive[move]], value[alive[move]] = trial[move], there[move]
        grown = np.maximum(4.0 * damping[alive], 1e-3)
        shrunk = np.where(damping[alive] < 1e-6, 0.0, 0.1 * damping[alive])
        damping[alive] = np.where(better, shrunk, grown)
        alive = alive[going & (damping[alive] < 1e8)]
        if not len(alive):
            break
    found = optimum_at(layout, discrepancy, theta, _BATCH_STEPS)
    return replace(found, tolerance=10 * BATCH_TOLERANCE)


def _slack(gap: np.ndarray) -> np.ndarray:
    """How much F may rise while constraints are being met."""
    return np.where(np.max(np.abs(gap), axis=-1, initial=0.0) > 1e-9, np.inf, 0.0)
