"""Inference of diagonally weighted least squares: standard errors, χ² and indices, plain and corrected.

With Δ the derivatives of the fitted moments, w their inverse variances and V their covariance, the estimates move with
the moments by L = (ΔᵀwΔ)⁻¹Δᵀw. Definitions of the fit measures follow lavaan 0.6.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from csat.structural.engine.structure import State, Structure
from csat.structural.measures import Measures, Statistic, free_parameters, measures_of
from csat.structural.ordered.latent_moments import Moments
from csat.structural.ordered.thresholds import Thresholds
from csat.structural.uncertainty.robust import Form, Robust
from csat.structural.uncertainty.sandwich import Sandwich, bordered_inverse
from csat.structural.uncertainty.scaled import NO_INDICES, Scaled, Traces, robust_indices, scaled_measures, with_indices

#: How the standard errors and the test of WLSMV are made.
WLSMV = Form(observed=False, adjusted=True, words="robust sandwich, diagonal weights")


@dataclass(frozen=True, eq=False)
class Fit:
    """A model of ordered items at its estimates. state : there. moments : what was fitted."""

    state: State
    moments: Moments

    @cached_property
    def slopes(self) -> np.ndarray:
        """(f, k) derivatives Δ of the fitted moments."""
        parts = []
        for g, point in enumerate(self.state.points):
            by_sigma, by_mu = point.jacobian()
            own = self.moments.vector([by_sigma], [by_mu if point.structure.means else None])
            parts.append(self.state.collect(g, own))
        return np.concatenate(parts)

    @cached_property
    def weighted(self) -> np.ndarray:
        """(f, k) wΔ."""
        return self.moments.weights[self.moments.fitted, None] * self.slopes

    @cached_property
    def bread(self) -> np.ndarray:
        """(k, k) (ΔᵀwΔ)⁻¹, bordered by constraints."""
        information = self.slopes.T @ self.weighted
        return bordered_inverse(information, self.state.layout.restriction_slope(self.state.theta))

    @cached_property
    def covariance(self) -> np.ndarray:
        """(f, f) V of the fitted moments."""
        kept = self.moments.fitted
        return self.moments.joint[np.ix_(kept, kept)]

    @property
    def middle(self) -> np.ndarray:
        """(k, k) ΔᵀwVwΔ."""
        return self.weighted.T @ self.covariance @ self.weighted

    @property
    def residuals(self) -> np.ndarray:
        """(f,) sample minus implied moments."""
        points = self.state.points
        implied = [point.mu if point.structure.means else None for point in points]
        return self.sample - self.moments.vector([point.sigma for point in points], implied)

    @property
    def sample(self) -> np.ndarray:
        """(f,) the fitted moments."""
        return self.moments.vector([s.cov for s in self.moments.samples], [s.mean for s in self.moments.samples])

    def statistic(self) -> Statistic:
        """χ² of the model, and of the baseline in which only predictors are related."""
        own = self.moments.weights[self.moments.fitted]
        df = self.state.layout.known - free_parameters(self.state.layout)
        unrelated = np.isin(self.moments.fitted, self.unrelated)
        null = np.sum((own * self.sample**2)[unrelated])
        return Statistic(float(np.sum(own * self.residuals**2)), df, float(null), len(self.unrelated))

    @property
    def unrelated(self) -> np.ndarray:
        """Places of the covariances that are 0 in the baseline: all but those of two predictors."""
        kept = []
        for structure in self.state.layout.groups:
            x = np.isin(np.arange(structure.p), structure.predictors)
            i, j = np.triu_indices(structure.p, 1)
            kept.append(~(x[i] & x[j]))
        return self.moments.positions(3)[np.concatenate(kept)]

    def sandwich(self) -> Sandwich:
        """Robust covariance of the estimates, and traces of UΓ, U = w − wΔ(ΔᵀwΔ)⁻¹Δᵀw."""
        weight = self.moments.weights[self.moments.fitted]
        product = weight[:, None] * self.covariance - self.weighted @ (self.bread @ self.weighted.T @ self.covariance)
        scale = self.moments.scale
        trace, square = float(np.trace(product)), float(np.vdot(product, product.T))
        return Sandwich(self.bread * scale, self.middle / scale, trace, square)

    def null_traces(self) -> tuple[float, float]:
        """Traces of UΓ and of its square in the baseline: the pairs by themselves."""
        at = self.unrelated
        block = self.moments.joint[np.ix_(at, at)] * self.moments.weights[at, None]
        return float(len(at)), float(np.vdot(block, block.T))


def robust_inference(fit: Fit, statistic: Statistic) -> Robust:
    """Robust covariance, and χ² corrected for mean and variance."""
    sandwich, null = fit.sandwich(), fit.null_traces()
    traces = Traces(sandwich.trace, null[0], sandwich.square, null[1])
    scaled = scaled_measures(statistic, traces, fit.moments.scale, len(fit.moments.sizes))
    return Robust(WLSMV, None, sandwich, _by_likelihood(fit, statistic, scaled))


def _by_likelihood(fit: Fit, statistic: Statistic, scaled: Scaled) -> Scaled:
    """With robust indices from the normal likelihood of the correlations at these estimates.

    NaN with continuous variables, or where a matrix is not positive definite. Source: Savalei (2021), Improving fit
    indices in structural equation modeling with categorical data, Multivariate Behavioral Research 56(3), 390–407.
    """
    points, samples, sizes = fit.state.points, fit.moments.samples, fit.moments.sizes
    matrices = [*(point.sigma for point in points), *(sample.cov for sample in samples)]
    proper = all(np.linalg.eigvalsh(matrix)[0] > 1e-8 for matrix in matrices)
    if len(fit.moments.continuous) or not proper or not statistic.df:
        return with_indices(scaled, NO_INDICES)
    logs = [float(np.linalg.slogdet(sample.cov)[1]) for sample in samples]
    chisq = null = 0.0
    for point, sample, log, n in zip(points, samples, logs, sizes, strict=True):
        trace = float(np.vdot(point.inverse, sample.cov)) - len(sample.cov)
        chisq += n * (float(np.linalg.slogdet(point.sigma)[1]) + trace - log)
        null += n * (float(np.linalg.slogdet(_unrelated(point.structure, sample.cov))[1]) - log)
    factor, null_factor = _likelihood_factors(fit, statistic)
    indices = robust_indices(chisq, factor, null, null_factor, statistic, fit.moments.scale, len(sizes))
    return with_indices(scaled, indices)


def _likelihood_factors(fit: Fit, statistic: Statistic) -> tuple[float, float]:
    """Expected χ² of the likelihood per degree of freedom, of the model and of the baseline."""
    sizes = np.array(fit.moments.sizes, float)
    q = len(fit.covariance) // len(sizes)
    share = np.repeat(sizes / sizes.sum(), q)
    root = np.sqrt(np.repeat((sizes - 1.0) / sizes, q) * sizes.sum())
    gamma = fit.covariance * root[:, None] * root
    left = np.eye(len(gamma)) - fit.slopes @ fit.bread @ fit.weighted.T
    spread = left @ gamma @ left.T
    total = null = 0.0
    for g, (point, sample) in enumerate(zip(fit.state.points, fit.moments.samples, strict=True)):
        own = slice(g * q, (g + 1) * q)
        total += share[g * q] * float(np.vdot(_correlation_weight(point.inverse), spread[own, own]))
        null += share[g * q] * float(np.vdot(_null_weight(point.structure, sample.cov), gamma[own, own]))
    return total / statistic.df, null / statistic.baseline_df


def _null_weight(structure: Structure, cov: np.ndarray) -> np.ndarray:
    """(f, f) U of the baseline: information about correlations, less what the predictors' free ones take."""
    weight = _correlation_weight(np.linalg.inv(_unrelated(structure, cov)))
    x = np.isin(np.arange(structure.p), structure.predictors)
    i, j = np.triu_indices(structure.p, 1)
    given = weight[:, x[i] & x[j]]
    return weight - given @ np.linalg.pinv(given[x[i] & x[j]], hermitian=True) @ given.T


def _unrelated(structure: Structure, cov: np.ndarray) -> np.ndarray:
    """(p, p) covariances of the baseline: those of two predictors, else none."""
    x = np.isin(np.arange(structure.p), structure.predictors)
    return np.where(np.outer(x, x) | np.eye(structure.p, dtype=bool), cov, 0.0)


def _correlation_weight(inverse: np.ndarray) -> np.ndarray:
    """(f, f) information per respondent about the correlations, under normality."""
    i, j = np.triu_indices(len(inverse), 1)
    return inverse[np.ix_(i, i)] * inverse[np.ix_(j, j)] + inverse[np.ix_(i, j)] * inverse[np.ix_(j, i)]


def fit_measures(fit: Fit, statistic: Statistic) -> Measures:
    """Fit measures; GFI weighs all moments, thresholds too, as the fit function does; SRMR leaves out means."""
    moments = fit.moments
    bare = [replace(sample, mean=None) for sample in moments.samples]
    found = measures_of(fit.state, bare, moments.sizes, moments.scale, statistic, (np.nan, np.nan), _gfi(fit))
    return replace(found, npar=found.npar + sum(len(cut) for group in moments.thresholds for cut in group))


def _gfi(fit: Fit) -> float:
    moments = fit.moments
    size = len(moments.sizes)
    cut = np.concatenate([one for group in moments.thresholds for one in group])
    beside = np.sum((moments.weights[moments.positions(0)] * cut**2).reshape(size, -1), axis=1)
    weight = moments.weights[moments.fitted]
    apart = np.sum((weight * fit.residuals**2).reshape(size, -1), axis=1)
    whole = np.sum((weight * fit.sample**2).reshape(size, -1), axis=1) + beside
    return float(np.average(1.0 - apart / whole, weights=moments.sizes))


def thresholds_of(
    fit: Fit, vcov: np.ndarray, names: Sequence[str], answers: Sequence[tuple[Any, ...]], *, robust: bool
) -> Thresholds:
    """Thresholds of the model, with the joint covariance of parameters and thresholds.

    Parameters
    ----------
    vcov : (k, k) of the parameters. names, answers : (p,) of the variables.
    robust : with the covariance between moments, which plain least squares takes as none.

    Notes
    -----
    Latent responses have intercept 0: where a predictor with a mean moves one, its thresholds move along.
    """
    moments = fit.moments
    g, at, number = _places(moments)
    centre, slope = _centres(fit)
    own, turn = moments.positions(0), slope[g, at]
    across = np.zeros((len(vcov), len(own)))
    if robust:
        across = fit.bread @ fit.weighted.T @ moments.joint[np.ix_(moments.fitted, own)]
    beside = across + vcov @ turn.T
    corner = moments.joint[np.ix_(own, own)] + turn @ beside + across.T @ turn.T
    return Thresholds(
        group=tuple(g.tolist()),
        item=tuple(names[one] for one in at.tolist()),
        number=tuple(number.tolist()),
        estimate=np.concatenate([cut for group in moments.thresholds for cut in group]) + centre[g, at],
        joint=np.block([[vcov, beside], [beside.T, corner]]),
        answers={names[one]: tuple(answers[one]) for one in moments.ordered.tolist()},
    )


def _places(moments: Moments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(t,) group, variable and number of each threshold."""
    found = [
        (g, at, number)
        for g, group in enumerate(moments.thresholds)
        for at, cut in zip(moments.ordered.tolist(), group, strict=True)
        for number in range(1, len(cut) + 1)
    ]
    g, at, number = np.array(found, int).reshape(-1, 3).T
    return g, at, number


def _centres(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """(G, p) implied means and their derivatives (G, p, k); zero in a model without means."""
    points, state = fit.state.points, fit.state
    shape = (len(points), points[0].structure.p)
    if not points[0].structure.means:
        return np.zeros(shape), np.zeros((*shape, state.size))
    return (
        np.stack([point.mu for point in points]),
        np.stack([state.collect(g, point.jacobian()[1]) for g, point in enumerate(points)]),
    )
