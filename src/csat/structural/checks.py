"""What can be wrong with a sample, a model or a solution, and how to say it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from csat.errors import (
    CollinearityError,
    CsatWarning,
    IllConditionedWarning,
    LatentCovarianceWarning,
    ModelIdentificationError,
    NegativeVarianceWarning,
    SampleError,
    StandardizedPathWarning,
)
from csat.structural.discrepancy import Discrepancy
from csat.structural.structure import Layout, Point, State, evaluate
from csat.structural.values import table_values

#: Condition number of the information, each parameter in its own unit, above which results are called unstable.
ILL_CONDITIONED = 1e6
#: Singular values below this share of the largest count as zero.
_RANK = 1e-7


def check_sample(names: Sequence[str], cov: np.ndarray, mean: np.ndarray, n: int) -> None:
    """Refuse a covariance matrix that maximum likelihood cannot use.

    Parameters
    ----------
    names : (p,) variables.
    cov : (p, p); mean : (p,), zero if unknown: sets what counts as no variation.
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
    flat = ~(variance > 1e-13 * np.where(np.isfinite(mean), mean, 0.0) ** 2)
    if flat.any():
        raise SampleError.constant([name for name, is_flat in zip(names, flat, strict=True) if is_flat])
    sd = np.sqrt(variance)
    values, vectors = np.linalg.eigh(cov / np.outer(sd, sd))
    if values[0] < 1e-10:
        involved = [names[i] for i in np.argsort(-np.abs(vectors[:, 0])) if abs(vectors[i, 0]) > 1e-4]
        if values[0] < -1e-8:
            raise SampleError(
                f"The covariance matrix is not positive definite (smallest eigenvalue of its correlations: "
                f"{values[0]:.3g}); no data can have it. Look at {', '.join(map(repr, involved[:4]))}: a typing error, "
                "or covariances computed over different respondents."
            )
        raise CollinearityError.among(involved[0], involved[1:5])


def check_identified(layout: Layout, discrepancy: Discrepancy, theta: np.ndarray, *, generic: bool) -> None:
    """Refuse a model whose implied moments stay the same while parameters change.

    Parameters
    ----------
    theta : (k,) where to look.
    generic : look at a point nearby, away from zero paths that hide or feign identification.

    Raises
    ------
    ModelIdentificationError
        Naming the parameters in the null space of the derivatives of the moments, constraints included.
    """
    state: State | None = evaluate(layout, theta)
    if generic and state is not None:
        state = _nearby(state, discrepancy)
    if state is None or not len(theta):
        return
    jacobian = moment_jacobian(state)
    size = np.linalg.norm(jacobian, axis=0)
    unit = 1.0 / np.where(size > 0, size, 1.0)
    slope = layout.restriction_slope(state.theta) * unit
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    triangle = np.linalg.qr(np.vstack([jacobian * unit, slope / np.where(length > 0, length, 1.0)]), mode="r")
    _, values, vectors = np.linalg.svd(triangle)
    rank = int((values > _RANK * values[0]).sum())
    if rank < len(theta):
        part = np.abs(vectors[rank:]).max(axis=0)
        loose = [name for name, share in zip(layout.names, part, strict=True) if share > 1e-3]
        raise ModelIdentificationError.naming(loose, layout.known, len(theta))


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
    return all(
        bool(np.isfinite(point.sigma).all() and np.linalg.eigvalsh(point.sigma)[0] > 0) for point in state.points
    )


def condition_number(information: np.ndarray) -> float:
    """Ratio of the largest to the smallest eigenvalue of the information, scaled to a unit diagonal.

    The scaling makes it the same in whatever unit a variable is measured; inf if singular.
    """
    if not len(information):
        return 1.0
    unit = 1.0 / np.sqrt(np.diag(information))
    values = np.linalg.eigvalsh(information * np.outer(unit, unit))
    return float(values[-1] / values[0]) if values[0] > 0 else np.inf


def doubts(state: State, condition: float) -> Iterator[tuple[type[CsatWarning], str]]:
    """Reasons not to trust a solution: each a kind of warning and its wording."""
    labels = state.layout.labels
    where = ["" if len(labels) == 1 else f" in group {label!r}" for label in labels]
    for point, place in zip(state.points, where, strict=True):
        yield from _negative_variances(point, state.theta, place)
        yield from _latent_covariance(point, place)
    yield from _large_paths(state)
    if condition > ILL_CONDITIONED:
        yield (
            IllConditionedWarning,
            f"The information matrix is nearly singular (condition number {condition:.2g}, expected below "
            f"{ILL_CONDITIONED:.0g}): some parameters can hardly be told apart, and their estimates would change a lot "
            "with a few answers. Look for constructs that correlate near 1, and merge them or leave paths out.",
        )


def _negative_variances(point: Point, theta: np.ndarray, place: str) -> Iterator[tuple[type[CsatWarning], str]]:
    st = point.structure
    _, s, _ = st.matrices(theta)
    bad = [f"{st.variables[i]} ({s[i, i]:.3g})" for i in np.flatnonzero(np.diag(s) < 0)]
    if bad:
        yield (
            NegativeVarianceWarning,
            f"Negative variance (Heywood case) of {', '.join(bad)}{place}: the model is wrong for these data or the "
            "sample is too small. Do not report this solution; leave the variable out, or fix its variance.",
        )


def _latent_covariance(point: Point, place: str) -> Iterator[tuple[type[CsatWarning], str]]:
    st = point.structure
    block = point.total[st.p :, st.p :]
    variance = np.diag(block)
    sd = np.sqrt(np.where(variance > 0, variance, 1.0))
    if len(block) and np.linalg.eigvalsh(block / np.outer(sd, sd))[0] < -1e-10:
        yield (
            LatentCovarianceWarning,
            f"The covariance matrix of the constructs {', '.join(st.latents)}{place} is not positive definite: some "
            "correlation lies beyond 1 or some variance below 0. Merge constructs that cannot be told apart.",
        )


def _large_paths(state: State) -> Iterator[tuple[type[CsatWarning], str]]:
    layout = state.layout
    values = table_values(layout, (), state.theta, "all")
    several = len(layout.labels) > 1
    large = [
        f"{row.lhs} ~ {row.rhs}{f' ({layout.labels[row.group]})' if several else ''} ({value:.2f})"
        for row, value in zip(layout.rows, values, strict=True)
        if row.op == "~" and abs(value) > 1
    ]
    if large:
        yield (
            StandardizedPathWarning,
            f"Standardized path beyond ±1: {', '.join(large)}. Predictors that correlate highly make such paths; they "
            "do not measure importance.",
        )
