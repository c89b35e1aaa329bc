"""What can be wrong with a sample or a model, and how to say it; doubts about a solution are in `guards`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.errors import (
    CollinearityError,
    ModelError,
    ModelIdentificationError,
    SampleError,
)
from csat.structural.engine.discrepancy import Discrepancy
from csat.structural.engine.linear import RANK, allowed, definite
from csat.structural.engine.structure import Layout, Point, State, evaluate

#: Eigenvalues of the scaled curvature above this share of their sum leave no doubt about its rank.
_PLAIN = 1e-8
#: Steps after which equations between parameters are as near to holding as they will be.
_STEPS = 100


def check_sample(names: Sequence[str], cov: np.ndarray, shift: np.ndarray, n: int) -> None:
    """Refuse a covariance matrix that maximum likelihood cannot use.

    Parameters
    ----------
    names : (p,) variables.
    cov : (p, p). shift : (p,) means around the midpoints that sums were taken around: what they make of rounding
        counts as no variation.
    n : respondents behind it.

    Raises
    ------
    SampleError
        Too few respondents, or a variable without variation.
    CollinearityError
        A variable that repeats others.
    """
    if n <= len(names):
        raise SampleError.too_few(f"A structural model of {len(names)} observed variables", n, len(names) + 1)
    variance = np.diag(cov)
    flat = ~(variance > 1e-13 * np.where(np.isfinite(shift), shift, 0.0) ** 2)
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(names, flat, strict=True) if is_flat])
    sd = np.sqrt(variance)
    corr = cov / np.outer(sd, sd)
    if not definite(corr, 1e-10):
        values, vectors = np.linalg.eigh(corr)
        involved = [names[i] for i in np.argsort(-np.abs(vectors[:, 0])) if abs(vectors[i, 0]) > 1e-4]
        if values[0] < -1e-8:
            raise SampleError(
                f"The covariance matrix is not positive definite (smallest eigenvalue of its correlations: "
                f"{values[0]:.3g}); no data can have it. Look at {', '.join(map(repr, involved[:4]))}: a typing error, "
                "or covariances computed over different respondents."
            )
        raise CollinearityError.among(involved[0], involved[1:5])


def check_identified(here: State, discrepancy: Discrepancy, *, generic: bool) -> None:
    """Refuse a model whose implied moments stay the same while parameters change.

    Parameters
    ----------
    here : where to look, at theta (k,).
    generic : look at a point nearby, away from zero paths that hide or feign identification.

    Raises
    ------
    ModelIdentificationError
        Naming the parameters in the null space of the derivatives of the moments, constraints included.
    """
    layout, size = here.layout, here.size
    state = _nearby(here, discrepancy) if generic else here
    if state is None or not size or plainly_identified(state, discrepancy):
        return
    jacobian = moment_jacobian(state)
    length = np.linalg.norm(jacobian, axis=0)
    unit = 1.0 / np.where(length > 0, length, 1.0)
    slope = layout.restriction_slope(state.theta) * unit
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    triangle = np.linalg.qr(np.vstack([jacobian * unit, slope / np.where(length > 0, length, 1.0)]), mode="r")
    _, values, vectors = np.linalg.svd(triangle)
    rank = int((values > RANK * values[0]).sum())
    if rank < size:
        part = np.abs(vectors[rank:]).max(axis=0)
        loose = [name for name, share in zip(layout.names, part, strict=True) if share > 1e-3]
        raise ModelIdentificationError.naming(loose, layout.known, size)


def check_consistent(layout: Layout, *starts: np.ndarray) -> None:
    """Refuse equations between parameters that no values satisfy; starts (k,) are where to look from.

    Raises
    ------
    ModelError
        Naming the equations that contradict each other where they are nearest to holding together.
    """
    gaps = [_least_gap(layout, start) for start in starts]
    if not layout.constraints or any(not np.isfinite(gap).all() or np.abs(gap).max() < 1e-7 for gap in gaps):
        return
    size = np.abs(gaps[0])
    named = [repr(one.text) for one, gap in zip(layout.constraints, size, strict=True) if gap > 1e-6 * size.max()]
    what = f"The equations {', '.join(named)} contradict each other" if len(named) > 1 else f"{named[0]} cannot hold"
    raise ModelError(
        f"{what}: no values of the free parameters satisfy {'all of them' if len(named) > 1 else 'it'} (at best the "
        f"two sides differ by {size.max():.3g}). Take one of them out, or correct it; a parameter fixed by a number, "
        "or by another term with the same label, is not free."
    )


def _least_gap(layout: Layout, theta: np.ndarray) -> np.ndarray:
    """(q,) left minus right sides of the equations where Gauss–Newton steps from theta (k,) no longer lessen them."""
    gap = layout.restriction(theta)
    for _ in range(_STEPS):
        slope = layout.restriction_slope(theta)
        if not (np.isfinite(gap).all() and np.isfinite(slope).all()):
            break
        change = np.linalg.pinv(slope, rcond=RANK) @ gap
        tried = ((theta - part * change) for part in 0.5 ** np.arange(20.0))
        better = next((at for at in tried if np.linalg.norm(layout.restriction(at)) < np.linalg.norm(gap)), None)
        if better is None:
            break
        theta, gap = better, layout.restriction(better)
    return gap


def plainly_identified(state: State, discrepancy: Discrepancy) -> bool:
    """Whether the expected curvature, constraints included, is far from singular: no need to look closer.

    A model identified at one point is so almost everywhere, as derivatives have their highest rank almost everywhere.
    """
    curvature, slope = discrepancy.curvature(state), state.layout.restriction_slope(state.theta)
    diagonal = np.diag(curvature)
    unit = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    slope = slope * unit
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    slope = slope / np.where(length > 0, length, 1.0)
    held = curvature * unit[:, None] * unit + slope.T @ slope
    return definite(held, _PLAIN * len(unit))


def moment_jacobian(state: State) -> np.ndarray:
    """(d, k) derivatives of all implied moments, in units in which every Σ is the identity."""
    parts = []
    for g, point in enumerate(state.points):
        white = _whitener(point)
        by_sigma, by_mu = point.jacobian()
        turned = np.einsum("ia,abc,jb->ijc", white, by_sigma, white, optimize=True)
        parts.append(state.collect(g, turned.reshape(-1, turned.shape[-1])))
        if point.structure.means:
            parts.append(state.collect(g, white @ by_mu))
    return np.vstack(parts)


def _whitener(point: Point) -> np.ndarray:
    """(p, p) change of units after which Σ is the identity; if it is not positive definite, of unit variances."""
    try:
        return np.linalg.cholesky(point.inverse).T
    except np.linalg.LinAlgError:
        return np.diag(1.0 / np.sqrt(np.abs(np.diag(point.sigma))))


def _nearby(state: State, discrepancy: Discrepancy) -> State | None:
    """A point some tenths of a standard unit away, the same every time, where Σ is positive definite."""
    curvature = np.diag(discrepancy.curvature(state))
    unit = 1.0 / np.sqrt(np.where(curvature > 0, curvature, 1.0))
    # An irrational rotation fills −1 … 1 evenly: no parameter gets a special value, and no generator is needed.
    shift = 2.0 * np.modf(0.1 + np.arange(len(unit)) * (np.sqrt(5) - 1) / 2)[0] - 1.0
    tried = (evaluate(state.layout, state.theta + size * shift * unit) for size in (0.3, 0.1, 0.03, 0.01))
    return next((found for found in tried if proper(found)), None)


def proper(state: State) -> bool:
    """Whether every implied covariance matrix is positive definite."""
    return all(bool(np.isfinite(point.sigma).all() and definite(point.sigma)) for point in state.points)


def information_axes(information: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions in which parameters may move, and how much the data say about each.

    Parameters
    ----------
    information : (k, k), in any unit: it is scaled to a unit diagonal.
    slope : (q, k) derivatives of equations between parameters, which leave k − rank directions.

    Returns
    -------
    (d,) information along each direction, smallest first, and (k, d) directions.
    """
    scaled, free = _movable(information, slope)
    values, vectors = np.linalg.eigh(scaled)
    return values, vectors if free is None else free @ vectors


def _movable(information: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Information scaled to a unit diagonal, (d, d) along the directions that equations allow; these, None if all."""
    unit = 1.0 / np.sqrt(np.diag(information))
    scaled = information * unit[:, None] * unit
    if not len(slope):
        return scaled, None
    free = allowed(slope * unit)
    return free.T @ scaled @ free, free


def condition_number(information: np.ndarray, slope: np.ndarray) -> float:
    """Ratio of the largest to the smallest eigenvalue of the information, scaled to a unit diagonal.

    The scaling makes it the same in whatever unit a variable is measured; inf if singular. Equations between
    parameters, with derivatives `slope` (q, k), take away the directions that they forbid.
    """
    scaled, _ = _movable(information, slope)
    if not len(scaled):
        return 1.0
    values = np.linalg.eigvalsh(scaled)
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf
