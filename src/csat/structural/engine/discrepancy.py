"""What is minimised: how far sample moments lie from implied ones, with gradient and expected curvature.

Every function here takes a `State` with leading axes, so that replicates are computed together, and (for gradients)
complex parameters, so that exact second derivatives come from one more evaluation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeGuard, runtime_checkable

import numpy as np

from csat.structural.engine.bending import likelihood_bend, second_slopes
from csat.structural.engine.structure import Layout, Point, State, evaluate

_STEP = 1e-20


class Discrepancy(Protocol):
    """A fit function F of theta; χ² is n·F at its minimum and (n/2)·∂²F the information."""

    def value(self, state: State) -> np.ndarray:
        """(…) F without constants; inf where Σ is not positive definite."""

    def gradient(self, state: State) -> np.ndarray:
        """(…, k) ∂F/∂θ; θ may be complex."""

    def curvature(self, state: State) -> np.ndarray:
        """(…, k, k) expected ∂²F/∂θ²."""

    def take(self, which: np.ndarray) -> Discrepancy:
        """The same function of some replicates (first axis of the sample moments)."""


@runtime_checkable
class Curved(Discrepancy, Protocol):
    """A fit function that knows its exact second derivatives better than complex steps of its gradient do."""

    def hessian(self, state: State) -> np.ndarray:
        """(…, k, k) exact ∂²F/∂θ²."""

    def take(self, which: np.ndarray) -> Curved:
        """The same function of some replicates."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Moments of one group.

    cov : (…, p, p). mean : (…, p), None where the model has no means. share : of all respondents in this group.
    """

    cov: np.ndarray
    mean: np.ndarray | None
    share: np.ndarray | float = 1.0

    def take(self, which: np.ndarray) -> Sample:
        """Moments of some replicates."""
        share = self.share if np.ndim(self.share) == 0 else np.asarray(self.share)[which]
        return replace(self, cov=self.cov[which], mean=None if self.mean is None else self.mean[which], share=share)


def distance(point: Point, sample: Sample) -> np.ndarray | None:
    """(…, p) sample minus implied means; None without a mean structure."""
    return None if sample.mean is None else sample.mean - point.mu


def _share(sample: Sample, axes: int) -> np.ndarray:
    share = np.asarray(sample.share)
    return share.reshape(*share.shape, *([1] * axes)) if share.ndim else share


@dataclass(frozen=True, slots=True, eq=False)
class MaximumLikelihood:
    """F = Σ_g share·(log|Σ| + tr(S Σ⁻¹) + dᵀΣ⁻¹d), d sample minus implied means (Jöreskog 1969)."""

    samples: tuple[Sample, ...]

    def value(self, state: State) -> np.ndarray:
        """(…) F; inf where Σ is not positive definite."""
        total: np.ndarray = np.zeros(state.theta.shape[:-1])
        for point, sample in zip(state.points, self.samples, strict=True):
            d = distance(point, sample)
            whole = sample.cov if d is None else sample.cov + d[..., :, None] * d[..., None, :]
            trace = (point.inverse * whole).sum(axis=(-1, -2))
            total = total + _share(sample, 0) * (logdet(point.sigma) + trace)
        return np.where(np.isfinite(total), total, np.inf)

    def gradient(self, state: State) -> np.ndarray:
        """(…, k) ∂F/∂θ."""
        total: np.ndarray = np.zeros(state.theta.shape)
        for g, (point, sample) in enumerate(zip(state.points, self.samples, strict=True)):
            d = distance(point, sample)
            whole = sample.cov if d is None else sample.cov + d[..., :, None] * d[..., None, :]
            by_sigma = point.inverse - point.inverse @ whole @ point.inverse
            by_mu = None if d is None else -2.0 * (point.inverse @ d[..., None])[..., 0]
            total = total + _share(sample, 1) * state.collect(g, point.pull(by_sigma, by_mu))
        return total

    def curvature(self, state: State) -> np.ndarray:
        """(…, k, k) expected ∂²F/∂θ²."""
        return _by_metric(state, self.samples, [point.inverse for point in state.points])

    def hessian(self, state: State) -> np.ndarray:
        """(…, k, k) exact ∂²F/∂θ²."""
        total: np.ndarray = np.zeros((*state.theta.shape, state.size))
        for g, (point, sample) in enumerate(zip(state.points, self.samples, strict=True)):
            d = distance(point, sample)
            whole = sample.cov if d is None else sample.cov + d[..., :, None] * d[..., None, :]
            total = total + _share(sample, 2) * state.collect_square(g, likelihood_bend(point, whole, d))
        return total

    def take(self, which: np.ndarray) -> MaximumLikelihood:
        """The same function of some replicates."""
        return MaximumLikelihood(tuple(sample.take(which) for sample in self.samples))


@dataclass(frozen=True, slots=True, eq=False)
class LeastSquares:
    """F = Σ_g share·(½ tr[(S − Σ) M]² + dᵀMd): generalised (M = S⁻¹) or unweighted (M = I) least squares.

    metrics : (G,) of (…, p, p). Browne (1974), South African Statistical Journal 8, 1–24.
    """

    samples: tuple[Sample, ...]
    metrics: tuple[np.ndarray, ...]

    def value(self, state: State) -> np.ndarray:
        """(…) F; inf where Σ is not positive definite."""
        total: np.ndarray = np.zeros(state.theta.shape[:-1])
        for point, sample, metric in zip(state.points, self.samples, self.metrics, strict=True):
            apart = (sample.cov - point.sigma) @ metric
            part = np.sum(apart * apart.swapaxes(-1, -2), axis=(-1, -2)) / 2
            d = distance(point, sample)
            if d is not None:
                part = part + np.sum(d * (metric @ d[..., None])[..., 0], axis=-1)
            total = total + _share(sample, 0) * part
        return np.where(np.isfinite(total), total, np.inf)

    def gradient(self, state: State) -> np.ndarray:
        """(…, k) ∂F/∂θ."""
        total: np.ndarray = np.zeros(state.theta.shape)
        for g, (point, sample, metric) in enumerate(zip(state.points, self.samples, self.metrics, strict=True)):
            by_sigma = -metric @ (sample.cov - point.sigma) @ metric
            d = distance(point, sample)
            by_mu = None if d is None else -2.0 * (metric @ d[..., None])[..., 0]
            total = total + _share(sample, 1) * state.collect(g, point.pull(by_sigma, by_mu))
        return total

    def curvature(self, state: State) -> np.ndarray:
        """(…, k, k) Gauss–Newton ∂²F/∂θ²."""
        return _by_metric(state, self.samples, self.metrics)

    def hessian(self, state: State) -> np.ndarray:
        """(…, k, k) exact ∂²F/∂θ²."""
        total = self.curvature(state)
        for g, (point, sample, metric) in enumerate(zip(state.points, self.samples, self.metrics, strict=True)):
            d = distance(point, sample)
            by_mu = None if d is None else -2.0 * (metric @ d[..., None])[..., 0]
            cells = second_slopes(point, -metric @ (sample.cov - point.sigma) @ metric, by_mu)
            total = total + _share(sample, 2) * state.collect_square(g, cells)
        return total

    def take(self, which: np.ndarray) -> LeastSquares:
        """The same function of some replicates."""
        metrics = tuple(metric if metric.ndim == 2 else metric[which] for metric in self.metrics)
        return LeastSquares(tuple(sample.take(which) for sample in self.samples), metrics)


@dataclass(frozen=True, slots=True, eq=False)
class DiagonalLeastSquares:
    """F = Σ_g Σ_i≤j w·(s − σ)² + Σ_g Σ v·(m − μ)²: each moment by itself (diagonally weighted least squares).

    weights : (G,) of symmetric (…, p, p), 0 where a moment does not count. of_means : (G,) of (…, p).
    The shares of the groups are in the weights. Muthén, du Toit & Spisic (1997), unpublished technical report.
    """

    samples: tuple[Sample, ...]
    weights: tuple[np.ndarray, ...]
    of_means: tuple[np.ndarray, ...]

    def value(self, state: State) -> np.ndarray:
        """(…) F; inf where it is not finite."""
        total: np.ndarray = np.zeros(state.theta.shape[:-1])
        parts = zip(state.points, self.samples, self.weights, self.of_means, strict=True)
        for point, sample, weight, of_mean in parts:
            total = total + np.sum(_halved(weight) * (sample.cov - point.sigma) ** 2, axis=(-1, -2))
            d = distance(point, sample)
            if d is not None:
                total = total + np.sum(of_mean * d * d, axis=-1)
        return np.where(np.isfinite(total), total, np.inf)

    def gradient(self, state: State) -> np.ndarray:
        """(…, k) ∂F/∂θ."""
        total: np.ndarray = np.zeros(state.theta.shape)
        parts = zip(state.points, self.samples, self.weights, self.of_means, strict=True)
        for g, (point, sample, weight, of_mean) in enumerate(parts):
            by_sigma = -2.0 * _halved(weight) * (sample.cov - point.sigma)
            d = distance(point, sample)
            by_mu = None if d is None else -2.0 * of_mean * d
            total = total + state.collect(g, point.pull(by_sigma, by_mu))
        return total

    def curvature(self, state: State) -> np.ndarray:
        """(…, k, k) Gauss–Newton ∂²F/∂θ²."""
        total: np.ndarray = np.zeros((*state.theta.shape, state.size))
        parts = zip(state.points, self.samples, self.weights, self.of_means, strict=True)
        for g, (point, sample, weight, of_mean) in enumerate(parts):
            by_sigma, by_mu = point.jacobian()
            flat = by_sigma.reshape(*by_sigma.shape[:-3], -1, by_sigma.shape[-1])
            wide = np.broadcast_to(_halved(weight), by_sigma.shape[:-1]).reshape(*flat.shape[:-1], 1)
            cells = flat.swapaxes(-1, -2) @ (wide * flat)
            if sample.mean is not None:
                cells = cells + by_mu.swapaxes(-1, -2) @ (of_mean[..., None] * by_mu)
            total = total + 2.0 * state.collect_square(g, cells)
        return total

    def take(self, which: np.ndarray) -> DiagonalLeastSquares:
        """The same function of some replicates."""
        weights = tuple(weight if weight.ndim == 2 else weight[which] for weight in self.weights)
        of_means = tuple(weight if weight.ndim == 1 else weight[which] for weight in self.of_means)
        return DiagonalLeastSquares(tuple(sample.take(which) for sample in self.samples), weights, of_means)


def _halved(weight: np.ndarray) -> np.ndarray:
    """Weights of a symmetric matrix's cells, of which those off the diagonal stand there twice."""
    return weight * np.where(np.eye(weight.shape[-1], dtype=bool), 1.0, 0.5)


def _by_metric(state: State, samples: Sequence[Sample], metrics: Sequence[np.ndarray]) -> np.ndarray:
    total: np.ndarray = np.zeros((*state.theta.shape, state.size))
    for g, (point, sample, metric) in enumerate(zip(state.points, samples, metrics, strict=True)):
        cells = point.curvature(metric, means=sample.mean is not None)
        total = total + _share(sample, 2) * state.collect_square(g, cells)
    return total


def logdet(sigma: np.ndarray) -> np.ndarray:
    """(…) log-determinants; inf where a matrix is not positive definite."""
    try:
        diagonal = np.diagonal(np.linalg.cholesky(sigma), axis1=-1, axis2=-2)
    except np.linalg.LinAlgError:
        if sigma.ndim == 2:
            return np.asarray(np.inf)
        half = len(sigma) // 2
        return np.concatenate([logdet(sigma[:half]), logdet(sigma[half:])]) if half else logdet(sigma[0])[None]
    return 2.0 * np.log(diagonal).sum(axis=-1)


def is_curved(discrepancy: Discrepancy, layout: Layout) -> TypeGuard[Curved]:
    """Whether exact second derivatives cost about as much as expected ones."""
    known = isinstance(discrepancy, MaximumLikelihood | LeastSquares | Curved)
    return known and not any(len(group.units) for group in layout.groups)


def hessian_at(discrepancy: Discrepancy, state: State) -> np.ndarray:
    """(k, k) exact ∂²F/∂θ² of one sample, from complex steps of the gradient unless it knows better."""
    if is_curved(discrepancy, state.layout):
        return discrepancy.hessian(state)
    nudged = state.theta + 1j * _STEP * np.eye(state.size)
    slopes = discrepancy.gradient(evaluate(state.layout, nudged)).imag / _STEP
    return (slopes + slopes.T) / 2


def hessian(layout: Layout, discrepancy: Discrepancy, theta: np.ndarray) -> np.ndarray:
    """`hessian_at` theta (k,)."""
    return hessian_at(discrepancy, evaluate(layout, theta))
