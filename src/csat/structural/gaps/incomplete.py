"""Likelihood of answers with gaps: every pattern of answered variables by the part of the model that it shows.

The fit function is minus twice the log-likelihood of normal variables per respondent, without constants, as for
complete answers (Finkbeiner 1979, Psychometrika 44(4); Arbuckle 1996, in Marcoulides & Schumacker, Advanced Structural
Equation Modeling, 243–277). Inverses of the answered blocks are padded with zeros to (p, p), all patterns at once, so
that gradients are pulled through the structure as those of complete answers are. Second derivatives are a matrix in
means and covariances, whatever the number of patterns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csat.normal import inverses, log_determinants
from csat.structural.engine.bending import second_slopes
from csat.structural.engine.discrepancy import logdet
from csat.structural.engine.structure import Point, State


@dataclass(frozen=True, slots=True, eq=False)
class PatternSample:
    """Moments of one group, by pattern of answered variables.

    answered : (J, p) variables that the respondents of each pattern answered.
    share : (…, J) of the respondents of all groups, by weight.
    mean : (…, J, p), cov : (…, J, p, p) with divisor n; zero where not answered.
    """

    answered: np.ndarray
    share: np.ndarray
    mean: np.ndarray
    cov: np.ndarray

    def take(self, which: np.ndarray) -> PatternSample:
        """Moments of some replicates."""
        return replace(self, share=self.share[which], mean=self.mean[which], cov=self.cov[which])


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """Patterns beside implied moments.

    inverse : (…, J, p, p) of the answered blocks of Σ. apart : (…, J, p) answered minus implied means.
    second : (…, J, p, p) moments of the answers about the implied means. All zero where not answered.
    """

    inverse: np.ndarray
    apart: np.ndarray
    second: np.ndarray

    @property
    def turned(self) -> np.ndarray:
        """(…, J, p) Σ⁻¹d."""
        return np.squeeze(self.inverse @ self.apart[..., None], -1)


def _seen(sample: PatternSample, mu: np.ndarray, sigma: np.ndarray) -> _Seen:
    apart = np.where(sample.answered, sample.mean - mu[..., None, :], 0.0)
    second = sample.cov + apart[..., :, None] * apart[..., None, :]
    return _Seen(inverses(sample.answered, sigma), apart, second)


def misfit(sample: PatternSample, mu: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """(…) the part of one group in F at μ (…, p) and Σ (…, p, p); inf where Σ is not positive definite."""
    whole = logdet(sigma)
    fine = np.where(np.isfinite(whole)[..., None, None], sigma, np.eye(sigma.shape[-1]))
    seen = _seen(sample, mu, fine)
    each = log_determinants(sample.answered, fine) + np.sum(seen.inverse * seen.second, axis=(-1, -2))
    return np.where(np.isfinite(whole), np.sum(sample.share * each, axis=-1), np.inf)


def slopes(sample: PatternSample, mu: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of `misfit` by Σ (…, p, p) and by μ (…, p); both may be complex."""
    return _slopes(sample.share, _seen(sample, mu, sigma))


def _slopes(share: np.ndarray, seen: _Seen) -> tuple[np.ndarray, np.ndarray]:
    by_sigma = seen.inverse - seen.inverse @ seen.second @ seen.inverse
    by_mu = -2.0 * np.sum(share[..., None] * seen.turned, axis=-2)
    return np.sum(share[..., None, None] * by_sigma, axis=-3), by_mu


def information(sample: PatternSample, mu: np.ndarray, sigma: np.ndarray, *, observed: bool) -> np.ndarray:
    """(…, q, q) half the second derivatives of `misfit` by the means and the lower triangle of Σ, row by row.

    Parameters
    ----------
    observed : exact second derivatives; else their expectation if the gaps do not depend on the answers.

    Notes
    -----
    With K the padded inverse of a pattern and H = K·T·K, T the moments of its answers about μ, the second derivative
    along symmetric directions A and B of Σ is tr(KAHB) + tr(HAKB) − tr(KAKB), in expectation tr(KAKB). Sums over
    patterns of K ⊗ H are one matrix product of lower triangles; q = p + p(p+1)/2.
    """
    return _information(sample.share, _seen(sample, mu, sigma), observed=observed)


def _information(share: np.ndarray, seen: _Seen, *, observed: bool) -> np.ndarray:
    p = seen.inverse.shape[-1]
    i, j = np.tril_indices(p)
    inverse = seen.inverse[..., i, j]
    weighted = (share[..., None] * inverse).swapaxes(-1, -2)
    out = np.zeros((*seen.apart.shape[:-2], p + len(i), p + len(i)))
    out[..., :p, :p] = np.sum(share[..., None, None] * seen.inverse, axis=-3)
    if not observed:
        out[..., p:, p:] = _both_ways(weighted @ inverse, p)
        return out
    turned = seen.inverse @ seen.second @ seen.inverse
    crossed = weighted @ turned[..., i, j]
    out[..., p:, p:] = _both_ways(crossed + crossed.swapaxes(-1, -2) - weighted @ inverse, p)
    out[..., :p, p:] = _mean_by_covariance(share, seen)
    out[..., p:, :p] = out[..., :p, p:].swapaxes(-1, -2)
    return out


def _both_ways(products: np.ndarray, p: int) -> np.ndarray:
    """(…, p*, p*) ½ Σ tr(X A Y B) for unit directions A, B of a symmetric matrix, from products of lower triangles."""
    i, j = np.tril_indices(p)
    place = np.empty((p, p), int)
    place[i, j] = place[j, i] = np.arange(len(i))
    half = np.where(i == j, 0.5, 1.0)
    one = products[..., place[np.ix_(i, i)], place[np.ix_(j, j)]]
    other = products[..., place[np.ix_(i, j)], place[np.ix_(j, i)]]
    return (one + other) * half[:, None] * half


def _mean_by_covariance(share: np.ndarray, seen: _Seen) -> np.ndarray:
    """(…, p, p*) Σ over patterns of K·A·Kd for unit directions A."""
    p = seen.inverse.shape[-1]
    i, j = np.tril_indices(p)
    weighted = share[..., None, None] * seen.inverse
    flat = weighted.reshape(*weighted.shape[:-2], p * p).swapaxes(-1, -2)
    crossed = (flat @ seen.turned).reshape(*weighted.shape[:-3], p, p, p)
    return (crossed[..., i, j] + crossed[..., j, i]) * np.where(i == j, 0.5, 1.0)


def moment_slopes(point: Point) -> np.ndarray:
    """(…, q, c) derivatives of the means and the lower triangle of Σ by the free cells of a group."""
    by_sigma, by_mu = point.jacobian()
    i, j = np.tril_indices(point.structure.p)
    return np.concatenate([by_mu, by_sigma[..., i, j, :]], axis=-2)


def _along(point: Point, middle: np.ndarray) -> np.ndarray:
    """(…, c, c) second derivatives by the free cells, of `middle`, half those by the moments."""
    delta = moment_slopes(point)
    return 2.0 * delta.swapaxes(-1, -2) @ middle @ delta


@dataclass(frozen=True, slots=True, eq=False)
class PatternLikelihood:
    """F = Σ_g Σ_j share·(log|Σ_o| + tr(S_o Σ_o⁻¹) + dᵀΣ_o⁻¹d) over patterns j with answered variables o."""

    samples: tuple[PatternSample, ...]

    def value(self, state: State) -> np.ndarray:
        """(…) F; inf where Σ is not positive definite."""
        total: np.ndarray = np.zeros(state.theta.shape[:-1])
        for point, sample in zip(state.points, self.samples, strict=True):
            total = total + misfit(sample, point.mu, point.sigma)
        return np.where(np.isfinite(total), total, np.inf)

    def gradient(self, state: State) -> np.ndarray:
        """(…, k) ∂F/∂θ."""
        total: np.ndarray = np.zeros(state.theta.shape)
        for g, (point, sample) in enumerate(zip(state.points, self.samples, strict=True)):
            total = total + state.collect(g, point.pull(*slopes(sample, point.mu, point.sigma)))
        return total

    def curvature(self, state: State) -> np.ndarray:
        """(…, k, k) expected ∂²F/∂θ² if the gaps do not depend on the answers."""
        total: np.ndarray = np.zeros((*state.theta.shape, state.size))
        for g, (point, sample) in enumerate(zip(state.points, self.samples, strict=True)):
            middle = information(sample, point.mu, point.sigma, observed=False)
            total = total + state.collect_square(g, _along(point, middle))
        return total

    def hessian(self, state: State) -> np.ndarray:
        """(…, k, k) exact ∂²F/∂θ²: of the moments, and of the structure."""
        total: np.ndarray = np.zeros((*state.theta.shape, state.size))
        for g, (point, sample) in enumerate(zip(state.points, self.samples, strict=True)):
            seen = _seen(sample, point.mu, point.sigma)
            middle = _information(sample.share, seen, observed=True)
            bent = second_slopes(point, *_slopes(sample.share, seen))
            total = total + state.collect_square(g, _along(point, middle) + bent)
        return total

    def take(self, which: np.ndarray) -> PatternLikelihood:
        """The same function of some replicates."""
        return PatternLikelihood(tuple(sample.take(which) for sample in self.samples))
