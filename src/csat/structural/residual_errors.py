"""How sure the residuals of a model are: what the sample moments leave of them after estimation.

Estimates move with the sample moments s by L = (ΔᵀWΔ)⁻¹ΔᵀW, so that residuals s − σ(θ) move by I − ΔL; Γ/n is the
covariance of s. A *standardized* residual is one over its own standard error, approximately standard normal if the
model is true; a *normalized* one is over the standard error of the sample moment, which is larger.
Source: Bentler & Dijkstra (1985), in Krishnaiah (ed.), Multivariate Analysis VI, 9–42; Haberman (1973), Biometrics
29(1); Jöreskog & Sörbom (1981), LISREL V.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import OptionError
from csat.structural.engine.discrepancy import DiagonalLeastSquares, Discrepancy, LeastSquares, Sample, distance
from csat.structural.engine.structure import Point, State
from csat.structural.gaps.incomplete import PatternLikelihood, PatternSample, information, moment_slopes
from csat.structural.uncertainty.robust import Robust
from csat.structural.uncertainty.sandwich import bordered_inverse

#: Residuals in units of a standard error.
NORMALIZED, STANDARDIZED = "normalized", "standardized"
#: Residuals below this share of the moments are what rounding and the end of a search leave of 0.
_NOTHING = 1e-6
#: Variances of residuals below this share of the moment's own are the rounding error of 0.
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """Residuals of a group over a standard error: covariances (p, p), means (p,), NaN without intercepts."""

    cov: np.ndarray
    mean: np.ndarray


def residuals_over_errors(
    kind: str, state: State, samples: Sequence[Sample], discrepancy: Discrepancy, robust: Robust | None, n: float
) -> tuple[Residuals, ...]:
    """(G,) residuals of each group, as `kind` says.

    Parameters
    ----------
    kind : "normalized" or "standardized". state : at the estimates. samples : (G,) moments that were fitted.
    discrepancy : what was minimised. robust : whose covariance of the moments counts; None: normal theory.
    n : respondents of all groups.

    Returns
    -------
    tuple of Residuals
        0 for what is fitted exactly by itself (moments of predictors among them); NaN where there is no standard error.

    Raises
    ------
    OptionError
        If the covariance of the moments is not known.
    """
    if isinstance(discrepancy, DiagonalLeastSquares):
        raise OptionError(
            f"kind={kind!r}: standard errors of residuals are not available for correlations of ordered items. Use "
            "kind='cor'."
        )
    kept = _kept(state)
    observed = isinstance(discrepancy, PatternLikelihood) or (robust is not None and robust.form.observed)
    patterns = _patterns(samples, discrepancy)
    own = [_information(p, s.mean, s.cov, observed=observed) for p, s in zip(patterns, samples, strict=True)]
    gamma = _blocks([np.linalg.inv(w[np.ix_(kept, kept)]) for w in own])
    if robust is not None:
        known = robust.gamma
        gamma = _of_spread(robust, samples, own, kept, state) if known is None else known
    left = np.eye(len(gamma))
    if kind == STANDARDIZED:
        slope = np.concatenate([state.collect(g, moment_slopes(at)[kept]) for g, at in enumerate(state.points)])
        weight = _weights(state, own, patterns, discrepancy, kept, observed=observed)
        inner = slope.T @ weight
        bread = bordered_inverse(inner @ slope, state.layout.restriction_slope(state.theta))
        left = left - slope @ bread @ inner
    size = len(kept)
    variance = np.einsum("ab,bc,ac->a", left, gamma, left, optimize=True)
    errors = np.sqrt(np.where(variance > _ROUNDING * np.diag(gamma), variance / n, 0.0))
    return tuple(
        _over(point, sample, errors[g * size : (g + 1) * size], kept)
        for g, (point, sample) in enumerate(zip(state.points, samples, strict=True))
    )


def _kept(state: State) -> np.ndarray:
    """(r,) positions, among means and the lower triangle, of the moments that the model speaks of."""
    structure = state.points[0].structure
    given = np.isin(np.arange(structure.p), structure.predictors if structure.sampled else ())
    i, j = np.tril_indices(structure.p)
    return np.flatnonzero(np.r_[~given & structure.means, ~(given[i] & given[j])])


def _patterns(samples: Sequence[Sample], discrepancy: Discrepancy) -> list[PatternSample]:
    """(G,) answers of each group by their patterns; one if all are complete."""
    if isinstance(discrepancy, PatternLikelihood):
        return list(discrepancy.samples)
    p = len(samples[0].cov)
    return [
        PatternSample(np.ones((1, p), bool), np.array([float(s.share)]), _mean(s.mean, p)[None], s.cov[None])
        for s in samples
    ]


def _mean(mean: np.ndarray | None, size: int) -> np.ndarray:
    return np.zeros(size) if mean is None else mean


def _information(pattern: PatternSample, mean: np.ndarray | None, cov: np.ndarray, *, observed: bool) -> np.ndarray:
    """(q, q) about unrestricted moments, times the share of the group."""
    return information(pattern, _mean(mean, len(cov)), cov, observed=observed)


def _of_spread(
    robust: Robust, samples: Sequence[Sample], own: Sequence[np.ndarray], kept: np.ndarray, state: State
) -> np.ndarray:
    """(G·r, G·r) Γ from the rows, of moments cleared of what those of given predictors explain of them."""
    spread = robust.spread
    if spread is None:
        raise OptionError("The covariance of the moments is not known.")
    means = state.points[0].structure.means
    joint = spread.moments([float(s.share) for s in samples], means=means)
    p = len(samples[0].cov)
    all_of = slice(None) if means else slice(p, None)
    onto = _blocks([np.linalg.solve(w[np.ix_(kept, kept)], w[kept])[:, all_of] for w in own])
    size = joint.shape[0] * joint.shape[1]
    return onto @ joint.reshape(size, size) @ onto.T


def _blocks(parts: Sequence[np.ndarray]) -> np.ndarray:
    """(G·r, G·q) with the parts (r, q) on its diagonal."""
    rows, columns = parts[0].shape
    out = np.zeros((len(parts) * rows, len(parts) * columns))
    for g, part in enumerate(parts):
        out[g * rows : (g + 1) * rows, g * columns : (g + 1) * columns] = part
    return out


def _weights(
    state: State, own: Sequence[np.ndarray], patterns: Sequence[PatternSample], discrepancy: Discrepancy,
    kept: np.ndarray, *, observed: bool,
) -> np.ndarray:  # fmt: skip
    """(G·r, G·r) W: information at the model's moments; under least squares, what weighted the residuals."""
    if isinstance(discrepancy, LeastSquares):
        unit = all(np.array_equal(metric, np.eye(len(metric))) for metric in discrepancy.metrics)
        found = [np.eye(len(w)) * float(s.share) for w, s in zip(own, discrepancy.samples, strict=True)]
        whole = found if unit else own
    else:
        pairs = zip(state.points, patterns, strict=True)
        whole = [
            _information(pattern, at.mu if at.structure.means else None, at.sigma, observed=observed)
            for at, pattern in pairs
        ]
    return _blocks([w[np.ix_(kept, kept)] for w in whole])


def _over(point: Point, sample: Sample, errors: np.ndarray, kept: np.ndarray) -> Residuals:
    p = len(sample.cov)
    i, j = np.tril_indices(p)
    spread = np.zeros(p + len(i))
    spread[kept] = errors
    sd, apart = np.sqrt(np.diag(sample.cov)), distance(point, sample)
    residual = np.concatenate([np.zeros(p) if apart is None else apart, (sample.cov - point.sigma)[i, j]])
    size = np.concatenate([sd, sd[i] * sd[j]])
    found = np.divide(residual, spread, out=np.full(len(residual), np.nan), where=spread > 0)
    found = np.where(np.abs(residual) <= _NOTHING * size, 0.0, found)
    cov = np.zeros((p, p))
    cov[i, j] = cov[j, i] = found[p:]
    return Residuals(cov, np.full(p, np.nan) if apart is None else found[:p])
