"""Sandwiches: how estimates and fit respond to the sample moments, and the covariances that follow.

Everything is linear algebra on three things per group: derivatives Δ of the implied moments, their weight matrix W
under normality, and the covariance of the sample moments (`MomentCovariance`). Vectors of a group hold a 1, means (if
the model has some), and covariances as a lower triangle row by row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.structural.engine.discrepancy import MaximumLikelihood, Sample, distance, hessian
from csat.structural.engine.linear import allowed, inverted
from csat.structural.engine.structure import Point, State
from csat.structural.uncertainty.gamma import MomentCovariance, observed_in


@dataclass(frozen=True, slots=True, eq=False)
class Sandwich:
    """bread · middle · bread / n is a covariance of the estimates, for information per respondent.

    bread : (k, k) inverse information, bordered by constraints. middle : (k, k) covariance of the scores.
    trace : tr UΓ, expectation of χ² under the model whatever the distribution of the answers.
    square : tr (UΓ)², half its variance; NaN under the observed information, where U is not formed.
    """

    bread: np.ndarray
    middle: np.ndarray
    trace: float
    square: float

    def covariance(self, n: float) -> np.ndarray:
        """(k, k) of the estimates from n respondents."""
        return self.bread @ self.middle @ self.bread / n


def observed_sandwich(state: State, samples: Sequence[Sample], spread: MomentCovariance) -> Sandwich:
    """Observed information and single scores, as MLR.

    tr UΓ is taken as tr A₁Γ − tr(bread · middle) with A₁ the information about unrestricted moments at the sample's
    own (Asparouhov & Muthén 2005, Multivariate modelling of complex survey data, Proceedings of the FCSM).
    """
    information = hessian(state.layout, MaximumLikelihood(tuple(samples)), state.theta) / 2
    bread = bordered_inverse(information, state.layout.restriction_slope(state.theta))
    joint = _of_model(spread.joint, state)
    maps = [state.collect(g, _exact_scores(*pair)) for g, pair in enumerate(zip(state.points, samples, strict=True))]
    middle = _middle(maps, joint)
    weights = _weights(state, samples, [np.linalg.inv(sample.cov) for sample in samples])
    return Sandwich(bread, middle, _diagonal_trace(weights, joint) - float(np.vdot(bread, middle)), np.nan)


def expected_sandwich(
    state: State, samples: Sequence[Sample], spread: MomentCovariance, *, second: bool = False
) -> Sandwich:
    """Expected information, and scores linear in the sample moments, as MLM; `second` asks for tr (UΓ)² too.

    U = W − WΔ(ΔᵀWΔ)⁻¹ΔᵀW (Satorra & Bentler 1994, in von Eye & Clogg, Latent Variables Analysis, 399–419).
    """
    information = MaximumLikelihood(tuple(samples)).curvature(state) / 2
    bread = bordered_inverse(information, state.layout.restriction_slope(state.theta))
    joint = _of_model(spread.joint, state)
    maps = expected_scores(state, samples)
    middle = _middle(maps, joint)
    weights = _weights(state, samples, [point.inverse for point in state.points])
    trace = _diagonal_trace(weights, joint) - float(np.vdot(bread, middle))
    square = _square_trace(weights, maps, bread, joint) if second else np.nan
    return Sandwich(bread, middle, trace, square)


def _square_trace(
    weights: Sequence[np.ndarray], maps: Sequence[np.ndarray], bread: np.ndarray, joint: np.ndarray
) -> float:
    """The trace of (UΓ)², U over all groups."""
    size, q = joint.shape[:2]
    across = np.concatenate(maps)
    u = -across @ bread @ across.T
    for g, weight in enumerate(weights):
        u[g * q : (g + 1) * q, g * q : (g + 1) * q] += weight
    product = u @ joint.reshape(size * q, size * q)
    return float(np.vdot(product, product.T))


def expected_middle(state: State, samples: Sequence[Sample], spread: MomentCovariance) -> np.ndarray:
    """(k, k) ΔᵀWΓWΔ over all groups."""
    return _middle(expected_scores(state, samples), _of_model(spread.joint, state))


def bordered_inverse(information: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """(k, k) covariance of estimates that satisfy equations: the upper left block of the bordered inverse.

    Parameters
    ----------
    information : (k, k). slope : (q, k) derivative of the equations, which may repeat each other.

    Returns
    -------
    ndarray
        Z(ZᵀIZ)⁻¹Zᵀ, the columns of Z spanning the directions that the equations allow; NaN if that is singular.

    Source: Aitchison & Silvey (1958), Ann. Math. Stat. 29, 813–828.
    """
    if not len(slope):
        return inverted(information)
    size = np.abs(np.diag(information))
    unit = 1.0 / np.sqrt(np.where(size > 0, size, 1.0))
    free = unit[:, None] * allowed(slope * unit)
    return free @ inverted(free.T @ information @ free) @ free.T


def _of_model(joint: np.ndarray, state: State) -> np.ndarray:
    """The covariance of the sums without means, if the model has none."""
    if state.points[0].structure.means:
        return joint
    kept = np.r_[0, 1 + observed_in(joint.shape[1]) : joint.shape[1]]
    return joint[:, kept][..., kept]


def _middle(maps: Sequence[np.ndarray], joint: np.ndarray) -> np.ndarray:
    across = np.concatenate(maps)
    return across.T @ joint.reshape(len(across), len(across)) @ across


def _exact_scores(point: Point, sample: Sample) -> np.ndarray:
    """(1 + q, c) casewise ∂log-likelihood by the free cells, as a linear function of [1, d, dᵢdⱼ − sᵢⱼ].

    With e = y − μ = d + δ it is ½ tr K(eeᵀ − Σ) + ∂μᵀΣ⁻¹e, K = Σ⁻¹∂ΣΣ⁻¹.
    """
    by_sigma, by_mu = point.jacobian()
    k = np.einsum("ia,abc,bj->ijc", point.inverse, by_sigma, point.inverse, optimize=True)
    d = distance(point, sample)
    if d is None:
        return np.vstack([np.einsum("ijc,ij->c", k, sample.cov - point.sigma) / 2, _triangle(k)])
    slope = point.inverse @ by_mu
    constant = np.einsum("ijc,ij->c", k, sample.cov + np.outer(d, d) - point.sigma) / 2 + d @ slope
    return np.vstack([constant, np.einsum("ijc,j->ic", k, d) + slope, _triangle(k)])


def expected_scores(state: State, samples: Sequence[Sample]) -> list[np.ndarray]:
    """(G,) of (1 + q, k) WΔ: scores linear in the sample moments, given the predictors."""
    maps = []
    for g, (point, sample) in enumerate(zip(state.points, samples, strict=True)):
        by_sigma, by_mu = point.jacobian()
        k = np.einsum("ia,abc,bj->ijc", point.inverse, by_sigma, point.inverse, optimize=True)
        rows = [np.zeros((1, k.shape[2])), *([point.inverse @ by_mu] if point.structure.means else []), _triangle(k)]
        given = _given(point, sample)
        scores = np.vstack(rows)
        maps.append(state.collect(g, scores if given is None else given[1].T @ scores[given[0]]))
    return maps


def _triangle(k: np.ndarray) -> np.ndarray:
    """(p*, c) coefficients of the products in ½ tr K(ddᵀ − S)."""
    i, j = np.tril_indices(len(k))
    return k[i, j] * np.where(i == j, 0.5, 1.0)[:, None]


def _weights(state: State, samples: Sequence[Sample], inverses: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(G,) of (1 + q, 1 + q) W of the moments given the predictors, over the share of the group."""
    out = []
    for point, sample, inverse in zip(state.points, samples, inverses, strict=True):
        weight, given = _normal_weight(inverse, means=point.structure.means), _given(point, sample)
        if given is not None:
            kept, onto = given
            weight = onto.T @ weight[np.ix_(kept, kept)] @ onto
        out.append(weight / float(sample.share))
    return out


def _normal_weight(inverse: np.ndarray, *, means: bool) -> np.ndarray:
    """(1 + q, 1 + q) information per respondent about unrestricted moments, zero for the leading 1.

    Σ⁻¹ about the means and ½ Dᵀ(Σ⁻¹ ⊗ Σ⁻¹)D about the covariances (Magnus & Neudecker 2019, Matrix Differential
    Calculus, 15.3).
    """
    p = len(inverse)
    i, j = np.tril_indices(p)
    double = np.where(i == j, 1.0, 2.0)
    block = inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]
    first = 1 + p * means
    out = np.zeros((first + len(i), first + len(i)))
    if means:
        out[1:first, 1:first] = inverse
    out[first:, first:] = block * np.outer(double, double) / 4
    return out


def _given(point: Point, sample: Sample) -> tuple[np.ndarray, np.ndarray] | None:
    """Moments that a model speaks of, given its predictors: their positions (r,), and (r, 1 + q) to make them.

    With predictors whose moments are the sample's, moments of the others are cleared of what the predictors' moments
    explain of them in the sample. None without such predictors.
    """
    st = point.structure
    means, p = sample.mean is not None, st.p
    x = np.isin(np.arange(p), st.predictors if st.sampled else ())
    if not x.any():
        return None
    i, j = np.tril_indices(p)
    kept = np.flatnonzero(np.r_[False, *([~x] if means else []), ~(x[i] & x[j])])
    weight = _normal_weight(np.linalg.inv(sample.cov), means=means)
    return kept, np.linalg.solve(weight[np.ix_(kept, kept)], weight[kept])


def _diagonal_trace(weights: Sequence[np.ndarray], joint: np.ndarray) -> float:
    return float(sum(np.vdot(weight, joint[g, :, g]) for g, weight in enumerate(weights)))
