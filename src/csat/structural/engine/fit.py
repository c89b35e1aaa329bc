"""Minimising a discrepancy: damped scoring, replicates together, judged by the gradient.

A pure function of a model's layout and a fit function; nothing here knows of data or names.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

import numpy as np

from csat.structural.engine.discrepancy import Curved, Discrepancy, hessian_at, is_curved
from csat.structural.engine.linear import RANK, definite, identity
from csat.structural.engine.structure import Layout, State, evaluate

#: Largest gradient at which an estimate counts as converged, in units of each parameter's own curvature.
TOLERANCE = 1e-8
#: Gradient below which exact second derivatives guide the search; farther off, expected ones lead more surely.
_NEAR = 0.06
#: Steps of a single fit before it turns to exact second derivatives wherever it is, and before it gives up.
_PATIENCE, _STEPS = 60, 300
#: Replicates stop sooner: their noise is larger. So many of them are worked on at once, for the processor's cache.
_BATCH_STEPS, BATCH_TOLERANCE, _BLOCK = (10, 40), 1e-7, 96

#: Share of its own square by which an equation gives way; it only matters for equations that repeat each other.
_REPEATED = 1e-13


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
    held = gradient + (slope.swapaxes(-1, -2) @ multipliers[..., None])[..., 0]
    return Optimum(state, held * unit, multipliers, iterations)


def _least_squares(slope: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """(…, q) multipliers that leave the smallest gradient."""
    if not slope.shape[-2]:
        return np.zeros(slope.shape[:-1])
    finite = np.where(np.isfinite(slope), slope, 0.0)
    return (np.linalg.pinv(finite.swapaxes(-1, -2), rcond=RANK) @ gradient[..., None])[..., 0]


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
    Scoring with Levenberg–Marquardt damping; equations between parameters enter each step by their multipliers. Near
    the optimum exact second derivatives take the place of expected ones, which makes convergence quadratic. Where
    that fails, they are tried from farther off; then BFGS of scipy in scaled parameters, and scoring again.
    """
    near = _NEAR if is_curved(discrepancy, layout) else 0.0
    found = _score(layout, discrepancy, start, _PATIENCE, near)
    if bool(found.converged) or not len(start):
        return found
    better = _score(layout, discrepancy, found.theta, _STEPS, np.inf)
    steps = found.iterations + better.iterations
    if not bool(better.converged) and not layout.constraints:
        better = _score(layout, discrepancy, _quasi_newton(layout, discrepancy, better.theta), _STEPS, np.inf)
        steps += better.iterations
    return Optimum(better.state, better.gradient, better.multipliers, steps)


@dataclass(frozen=True, slots=True, eq=False)
class _Local:
    """The fit function around a point: its quadratic model, and the constraints.

    gradient, unit : (k,). matrix : (k, k) second derivatives, exact or expected. gap : (q,). slope : (q, k).
    """

    gradient: np.ndarray
    unit: np.ndarray
    matrix: np.ndarray
    gap: np.ndarray
    slope: np.ndarray


def _local(discrepancy: Discrepancy, state: State, near: float, last: _Local | None) -> _Local:
    """Exact second derivatives where the scaled gradient is below `near` and they are convex, else expected ones.

    Where it vanishes no step will follow, and the `last` ones do.
    """
    layout, theta, gradient = state.layout, state.theta, discrepancy.gradient(state)
    unit = _unit(discrepancy.curvature(state)) if last is None else last.unit
    worst = np.abs(gradient * unit).max(initial=0.0)
    matrix = last.matrix if last is not None and worst < TOLERANCE else None
    if matrix is None and worst < near:
        exact = hessian_at(discrepancy, state)
        matrix = exact if definite(exact * unit[:, None] * unit, 1e-12) else None
    if matrix is None:
        matrix = discrepancy.curvature(state)
        unit = _unit(matrix)
    return _Local(gradient, unit, matrix, layout.restriction(theta), layout.restriction_slope(theta))


def _score(layout: Layout, discrepancy: Discrepancy, start: np.ndarray, steps: int, near: float) -> Optimum:
    """Damped scoring of one sample, with exact second derivatives where the scaled gradient is below `near`."""
    theta, damping = start, 0.0
    state = evaluate(layout, theta)
    value, here = float(discrepancy.value(state)), _local(discrepancy, state, near, None)
    for step in range(steps):
        change, multipliers = _step(here.matrix, here.unit, here.gradient, here.gap, here.slope, damping)
        held = (here.gradient + here.slope.T @ multipliers) * here.unit
        missed = float(np.abs(here.gap).sum())
        if np.abs(held).max(initial=0.0) < TOLERANCE and missed < 1e-9:
            return Optimum(state, held, multipliers, step)
        weight = 2.0 * float(np.abs(multipliers).max(initial=0.0))
        merit = value + weight * missed
        trial = evaluate(layout, theta + change)
        reached = float(discrepancy.value(trial))
        there = reached + weight * float(np.abs(layout.restriction(trial.theta)).sum())
        expected = -float(here.gradient @ change) - 0.5 * float(change @ here.matrix @ change) + weight * missed
        gain = (merit - there) / max(expected, 1e-300)
        # Rounding hides gains below ~1e-13 of F; there the quadratic model is trusted.
        if isfinite(there) and (gain > 1e-4 or expected < 1e-13 * max(abs(merit), 1e-2)):
            theta, state, value = trial.theta, trial, reached
            here = _local(discrepancy, state, near, here)
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


def _step(
    matrix: np.ndarray, unit: np.ndarray, gradient: np.ndarray, gap: np.ndarray, slope: np.ndarray,
    damping: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Step (…, k) and multipliers (…, q): (M + damping·diag M)·step + slopeᵀ·λ = −gradient, slope·step = −gap."""
    k, q = gradient.shape[-1], gap.shape[-1]
    scaled = matrix * unit[..., :, None] * unit[..., None, :]
    scaled = scaled + (np.asarray(damping)[..., None, None] + 1e-14) * identity(k)
    right = -(unit * gradient)
    if q:
        rows = slope * unit[..., None, :]
        # Equations that repeat each other would make the system singular.
        length = np.linalg.norm(rows, axis=-1)
        corner = -_REPEATED * np.where(length > 0, length, 1.0)[..., None] ** 2 * identity(q)
        scaled = np.concatenate(
            [np.concatenate([scaled, rows.swapaxes(-1, -2)], axis=-1), np.concatenate([rows, corner], axis=-1)], axis=-2
        )
        right = np.concatenate([right, -gap], axis=-1)
    try:
        found = np.linalg.solve(scaled, right[..., None])[..., 0]
    except np.linalg.LinAlgError:
        found = (np.linalg.pinv(np.nan_to_num(scaled)) @ right[..., None])[..., 0]
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


def minimise_many(layout: Layout, discrepancy: Discrepancy, *starts: np.ndarray) -> Optimum:
    """Estimate theta on R samples together.

    Parameters
    ----------
    discrepancy : of sample moments with a first axis of R replicates.
    starts : one or more (R, k), each tried for the replicates that have not converged from the one before.

    Returns
    -------
    Optimum
        Of all replicates; `converged` says which of them to use. Steps as in `minimise`, each replicate with a
        damping of its own; those that are done drop out of the batch.
    """
    size = len(starts[0])
    theta, held = starts[0].copy(), np.full_like(starts[0], np.inf)
    multipliers, value = np.zeros((size, len(layout.constraints))), np.full(size, np.inf)
    waiting, steps = np.arange(size), 0
    for start, most in zip(starts, _BATCH_STEPS, strict=False):
        for at in range(0, len(waiting), _BLOCK):
            block = waiting[at : at + _BLOCK]
            found = _many(layout.take(block), discrepancy.take(block), start[block], most)
            kept = (found.worst < BATCH_TOLERANCE) | (found.value < value[block])
            theta[block[kept]], held[block[kept]] = found.theta[kept], found.held[kept]
            multipliers[block[kept]], value[block[kept]] = found.multipliers[kept], found.value[kept]
            steps = max(steps, found.steps)
        waiting = waiting[~(np.max(np.abs(held[waiting]), axis=-1, initial=0.0) < BATCH_TOLERANCE)]
    return Optimum(evaluate(layout, theta), held, multipliers, steps, BATCH_TOLERANCE)


@dataclass(slots=True, eq=False)
class _Search:
    """Where r replicates are: theta, scaled gradient and units (r, k), multipliers (r, q), F, damping, last failure."""

    theta: np.ndarray
    held: np.ndarray
    unit: np.ndarray
    multipliers: np.ndarray
    value: np.ndarray
    damping: np.ndarray
    failed: np.ndarray
    steps: int = 0

    @property
    def worst(self) -> np.ndarray:
        """(r,) largest element of the scaled gradient."""
        return np.max(np.abs(self.held), axis=-1, initial=0.0)


def _many(layout: Layout, discrepancy: Discrepancy, start: np.ndarray, most: int) -> _Search:
    """Estimates of some replicates in at most so many steps."""
    r, near = len(start), _NEAR if is_curved(discrepancy, layout) else 0.0
    state = evaluate(layout, start)
    at = _Search(
        start.copy(), np.full_like(start, np.inf), _unit(discrepancy.curvature(state)),
        np.zeros((r, len(layout.constraints))), discrepancy.value(state), np.zeros(r), np.zeros(r, bool),
    )  # fmt: skip
    alive = np.arange(r)
    while len(alive) and at.steps < most:
        at.steps += 1
        part, here = discrepancy.take(alive), state.theta
        gap, slope = state.layout.restriction(here), state.layout.restriction_slope(here)
        gradient = part.gradient(state)
        exact = np.max(np.abs(gradient * at.unit[alive]), axis=-1, initial=0.0) < near
        exact &= ~at.failed[alive]
        matrix = _curvatures(part, state, exact)
        at.unit[alive[~exact]] = _unit(matrix[~exact])
        change, multipliers = _step(matrix, at.unit[alive], gradient, gap, slope, at.damping[alive])
        at.multipliers[alive] = multipliers
        held = (gradient + (slope.swapaxes(-1, -2) @ multipliers[..., None])[..., 0]) * at.unit[alive]
        at.held[alive] = held
        going = ~(np.max(np.abs(held), axis=-1, initial=0.0) < BATCH_TOLERANCE)
        going |= np.max(np.abs(gap), axis=-1, initial=0.0) >= 1e-9
        trial = evaluate(state.layout, here + change)
        there = part.value(trial)
        better = np.isfinite(there) & (there <= at.value[alive] + 1e-12 * np.abs(at.value[alive]) + _slack(gap))
        moved = alive[going & better]
        at.theta[moved], at.value[moved] = trial.theta[going & better], there[going & better]
        # An exact step that fails is tried again by scoring, and that with more and more damping.
        damping = at.damping[alive]
        grown = np.where(exact, damping, np.maximum(4.0 * damping, 1e-3))
        at.damping[alive] = np.where(better, np.where(damping < 1e-6, 0.0, 0.1 * damping), grown)
        at.failed[alive] = ~better
        left = going & (at.damping[alive] < 1e8)
        alive = alive[left]
        state = trial.take(left) if better[left].all() else evaluate(layout.take(alive), at.theta[alive])
    return at


def _curvatures(discrepancy: Discrepancy, state: State, exact: np.ndarray) -> np.ndarray:
    """(r, k, k) second derivatives of replicates: exact ones for those marked, expected ones for the others."""
    if not exact.any() or not isinstance(discrepancy, Curved):
        return discrepancy.curvature(state)
    if exact.all():
        return discrepancy.hessian(state)
    rest = ~exact
    matrix = np.empty((*state.theta.shape, state.size))
    matrix[exact] = discrepancy.take(exact).hessian(state.take(exact))
    matrix[rest] = discrepancy.take(rest).curvature(state.take(rest))
    return matrix


def _slack(gap: np.ndarray) -> np.ndarray:
    """How much F may rise while constraints are being met."""
    return np.where(np.max(np.abs(gap), axis=-1, initial=0.0) > 1e-9, np.inf, 0.0)
