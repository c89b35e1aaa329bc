"""Robust inference of models of answers with gaps: against the unrestricted moments that make the answers most likely.

With W the observed information about the unrestricted means and covariances, Δ the derivatives of a model's, J the
covariance of the scores of single respondents and W_c the information that complete answers would hold, everything here
is a trace of products of these. Moments of predictors that are taken from the sample are left out throughout.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, RowSource, Source
from csat.structural.engine.discrepancy import MaximumLikelihood, Sample, hessian
from csat.structural.engine.structure import State, Structure
from csat.structural.gaps.casewise import PatternScores, ScoreCovariance, score_covariance
from csat.structural.gaps.incomplete import PatternLikelihood, PatternSample, information, moment_slopes
from csat.structural.gaps.patterned import Patterned
from csat.structural.measures import Statistic
from csat.structural.uncertainty.robust import FORMS, Robust
from csat.structural.uncertainty.sandwich import Sandwich, bordered_inverse
from csat.structural.uncertainty.scaled import (
    NO_INDICES,
    Indices,
    Traces,
    robust_indices,
    scaled_measures,
    with_indices,
)


@dataclass(frozen=True, eq=False)
class Unrestricted:
    """Information about the unrestricted moments of each group.

    data : what was fitted. kept : (r,) positions of the moments that a model speaks of, means first, then the lower
    triangle of Σ row by row. scores : covariance (G, r, G, r) of the sums of single scores; None: not known.
    """

    data: Patterned
    kept: np.ndarray
    scores: np.ndarray | None = None

    @cached_property
    def weights(self) -> list[np.ndarray]:
        """(G,) of (r, r) W per respondent."""
        parts = zip(self.data.samples, self.data.unrestricted, strict=True)
        return [self._of_kept(sample, whole, observed=True) for sample, whole in parts]

    @cached_property
    def complete(self) -> list[np.ndarray]:
        """(G,) of (r, r) W_c per respondent, if nothing were missing."""
        return [self._of_kept(_as_complete(whole), whole, observed=False) for whole in self.data.unrestricted]

    @cached_property
    def turned(self) -> list[np.ndarray]:
        """(G,) of (r, r) W⁻¹W_c."""
        return [np.linalg.solve(weight, full) for weight, full in zip(self.weights, self.complete, strict=True)]

    def _of_kept(self, sample: PatternSample, whole: Sample, *, observed: bool) -> np.ndarray:
        found = information(sample, np.asarray(whole.mean), whole.cov, observed=observed)
        return found[np.ix_(self.kept, self.kept)]

    def trace(self) -> float:
        """Trace of W⁻¹J over all groups."""
        parts = enumerate(self.weights)
        joint = np.asarray(self.scores)
        return float(sum(np.trace(np.linalg.solve(weight, joint[g, :, g])) for g, weight in parts))

    @property
    def covariance(self) -> np.ndarray:
        """(G·r, G·r) W⁻¹JW⁻¹, of the moments of all groups, times n."""
        joint, inverse = np.asarray(self.scores), [np.linalg.inv(weight) for weight in self.weights]
        return np.block([[a @ joint[g, :, h] @ b for h, b in enumerate(inverse)] for g, a in enumerate(inverse)])

    def slopes(self, state: State) -> list[np.ndarray]:
        """(G,) of (r, k) Δ."""
        return [state.collect(g, moment_slopes(point)[self.kept]) for g, point in enumerate(state.points)]

    def expected_misfit(self, state: State) -> float:
        """What the discrepancy of complete answers between unrestricted and implied moments, times n, comes to.

        That is its expectation if the model is true: the mean of W_c-squared residuals left by L = I − WΔ(ΔᵀWΔ)⁻¹Δᵀ,
        tr(W_c·Lᵀ·W⁻¹JW⁻¹·L), which is tr(W_c·W⁻¹·L) where J = W. Source: Zhang & Savalei (2023), Psychological Methods
        28(2), 263–283, corrections FIML-C (V3) and (V6).
        """
        maps = self.slopes(state)
        inner = sum(m.T @ w @ m for m, w in zip(maps, self.weights, strict=True))
        bread = bordered_inverse(np.asarray(inner), state.layout.restriction_slope(state.theta))
        whole = np.asarray(sum(m.T @ full @ m for m, full in zip(maps, self.complete, strict=True)))
        if self.scores is None:
            return float(sum(np.trace(turned) for turned in self.turned)) - float(np.vdot(bread, whole))
        first = sum(self._both_sides(g) for g in range(len(maps)))
        far = [turned @ m for turned, m in zip(self.turned, maps, strict=True)]
        cross, middle = _across(maps, self.scores, far), _across(maps, self.scores, maps)
        return float(first - 2.0 * np.vdot(bread, cross) + np.trace(bread @ middle @ bread @ whole))

    def _both_sides(self, g: int) -> float:
        """Trace of W_c·W⁻¹JW⁻¹ in a group."""
        joint = np.asarray(self.scores)[g, :, g]
        return float(np.trace(np.linalg.solve(self.weights[g], joint @ self.turned[g])))


def _across(left: Sequence[np.ndarray], joint: np.ndarray, right: Sequence[np.ndarray]) -> np.ndarray:
    size = len(left) * joint.shape[1]
    return np.concatenate(left).T @ joint.reshape(size, size) @ np.concatenate(right)


def _as_complete(whole: Sample) -> PatternSample:
    p = len(whole.cov)
    mean = np.asarray(whole.mean)
    return PatternSample(np.ones((1, p), bool), np.array([float(whole.share)]), mean[None], whole.cov[None])


def moments_kept(structure: Structure) -> np.ndarray:
    """(r,) positions of the moments that a model speaks of: all but those of predictors taken from the sample."""
    given = np.isin(np.arange(structure.p), structure.predictors if structure.sampled else ())
    i, j = np.tril_indices(structure.p)
    return np.flatnonzero(np.r_[~given, ~(given[i] & given[j])])


def indices(found: Unrestricted, state: State, null: State, statistic: Statistic) -> Indices:
    """Robust CFI, TLI and RMSEA: what they would be without gaps, from the discrepancy of complete answers.

    Parameters
    ----------
    state, null : of the model and of its baseline. statistic : their χ².
    """
    df, null_df = statistic.df, statistic.baseline_df
    if not df or not null_df:
        return NO_INDICES
    samples = found.data.unrestricted
    likelihood = MaximumLikelihood(samples)
    least = sum(float(s.share) * (float(np.linalg.slogdet(s.cov)[1]) + len(s.cov)) for s in samples)
    chisq, baseline = (found.data.n * (float(likelihood.value(at)) - least) for at in (state, null))
    factor, null_factor = found.expected_misfit(state) / df, found.expected_misfit(null) / null_df
    return robust_indices(chisq, factor, baseline, null_factor, statistic, found.data.n, len(samples))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Where single scores come from. source : with rows. groups : under "available", for the design."""

    source: Source
    groups: Groups

    def covariance(
        self, data: Patterned, moments: Sequence[tuple[np.ndarray, np.ndarray]], maps: Sequence[np.ndarray],
        needed: np.ndarray,
    ) -> ScoreCovariance:  # fmt: skip
        """Of the sums of scores at (G,) means and covariances, turned by (G,) maps (q, r)."""
        scores = {
            domain: PatternScores(mu - self.groups.midpoint, sigma, onto, needed)
            for domain, (mu, sigma), onto in zip(self.groups.domains, moments, maps, strict=True)
        }
        return score_covariance(self.source, self.groups, scores, data.n, data.weight)


def check_rows(source: Source) -> None:
    """Refuse a source without rows.

    Raises
    ------
    SampleError
    """
    if not isinstance(source, RowSource):
        raise SampleError.needs_rows("Robust standard errors with missing answers")


def robust_inference(rows: Rows, data: Patterned, state: State, null: State, statistic: Statistic) -> Robust:
    """Sandwich of observed information and single scores, and fit corrected as by Yuan and Bentler.

    Parameters
    ----------
    state, null : of the model and of its baseline, at their estimates. statistic : their χ².
    """
    structure = state.layout.groups[0]
    needed = np.array(structure.predictors if structure.sampled else (), int)
    kept = moments_kept(structure)
    identity = np.eye(structure.p * (structure.p + 3) // 2)[:, kept]
    whole = [(np.asarray(sample.mean), sample.cov) for sample in data.unrestricted]
    scores = rows.covariance(data, whole, [identity] * len(whole), needed)
    found = Unrestricted(data, kept, scores.joint)
    limit = found.trace()
    own, baseline = (_sandwich(rows, data, at, limit, needed) for at in (state, null))
    scaled = scaled_measures(statistic, Traces(own.trace, baseline.trace), data.n, len(whole))
    if np.isfinite(scaled.chisq_scaled):
        scaled = with_indices(scaled, indices(found, state, null, statistic))
    form = replace(FORMS["MLR"], words=f"{FORMS['MLR'].words}; {scores.method}")
    return Robust(form, None, own, scaled, found.covariance)


def _sandwich(rows: Rows, data: Patterned, state: State, limit: float, needed: np.ndarray) -> Sandwich:
    """Of the estimates of a model; limit : tr W⁻¹J of the unrestricted moments."""
    half = hessian(state.layout, PatternLikelihood(data.samples), state.theta) / 2
    bread = bordered_inverse(half, state.layout.restriction_slope(state.theta))
    maps = [state.collect(g, moment_slopes(point)) for g, point in enumerate(state.points)]
    moments = [(point.mu, point.sigma) for point in state.points]
    middle = rows.covariance(data, moments, maps, needed).total
    return Sandwich(bread, middle, limit - float(np.vdot(bread, middle)), np.nan)
