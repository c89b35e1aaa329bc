"""The factor model behind omega and AVE: every item measures its scale alone, fitted by maximum likelihood.

Fitted to all scales together, with correlated factors, or to each scale by itself. The latter are independent
problems, and the same as one model with uncorrelated factors, whose likelihood is the sum of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from csat.measurement.scales import Scales
from csat.model import Model
from csat.structural.engine.discrepancy import MaximumLikelihood, Sample, hessian_at
from csat.structural.engine.fit import minimise, minimise_many
from csat.structural.engine.linear import definite, inverted
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import Layout, State, build, evaluate

#: Smallest eigenvalue of correlations that a likelihood can be fitted to.
LEAST = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """A factor model at some parameters.

    loading, unique : (…, p) loadings and residual variances of the items; NaN for those outside the model. Loadings
        of a scale have a positive sum. correlation : (…, c, c) of the factors; NaN where the model has none.
    """

    loading: np.ndarray
    unique: np.ndarray
    correlation: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A factor model at its optimum. bread : (k, k) inverse of the second derivatives of the fit function."""

    state: State
    bread: np.ndarray


@dataclass(frozen=True, eq=False)
class FactorModel:
    """A model of the scales with two items or more.

    scales : all of them. joint : whether factors correlate.
    """

    scales: Scales
    joint: bool

    @cached_property
    def used(self) -> np.ndarray:
        """(m,) positions of the items in the model."""
        return np.concatenate([self.scales.places[c] for c in self.scales.several])

    @cached_property
    def owner(self) -> np.ndarray:
        """(m,) which factor each of these items measures."""
        sizes = [len(self.scales.members[c]) for c in self.scales.several]
        return np.repeat(np.arange(len(sizes)), sizes)

    @cached_property
    def layout(self) -> Layout:
        """Where each parameter stands; names of items and scales need not be those of a model text."""
        alone = not self.joint or len(self.scales.several) == 1
        lines = []
        for factor in range(len(self.scales.several)):
            own = np.flatnonzero(self.owner == factor)
            # Two items alone tell one loading: they are taken to measure their factor alike.
            label = f"l{factor}*" if alone and len(own) == 2 else ""
            lines.append(f"f{factor} =~ " + " + ".join(f"{label}x{at}" for at in own))
        rows = Model("\n".join(lines)).expand(std_lv=True, orthogonal=alone)
        return build(rows, [f"x{at}" for at in range(len(self.used))], [np.eye(len(self.used))], [None])

    def inner(self, cov: np.ndarray) -> np.ndarray:
        """(…, m, m) covariances of the items in the model, from those of all items (…, p, p).

        Those between scales that are fitted one by one are 0: they say nothing about the parameters.
        """
        found = cov[..., self.used[:, None], self.used]
        return found if self.joint else np.where(self.owner[:, None] == self.owner, found, 0.0)

    def fit(self, cov: np.ndarray, n: int) -> Fit | None:
        """The model fitted to covariances (p, p) of n respondents; None if it cannot be."""
        inner = self.inner(cov)
        sd = np.sqrt(np.diag(inner))
        most = len(inner) if self.joint else int(np.bincount(self.owner).max())
        if n <= most or not definite(inner / np.outer(sd, sd), LEAST):
            return None
        samples = (Sample(inner, None),)
        discrepancy = MaximumLikelihood(samples)
        with np.errstate(all="ignore"):
            found = minimise(self.layout, discrepancy, starting_values(self.layout, samples))
            bread = inverted(hessian_at(discrepancy, found.state))
        return Fit(found.state, bread) if bool(found.converged) and np.isfinite(bread).all() else None

    def refit(self, fit: Fit, cov: np.ndarray) -> np.ndarray:
        """(R, k) parameters on replicates of the covariances (R, p, p); NaN where the search finds no optimum."""
        theta = np.full((len(cov), fit.state.size), np.nan)
        usable = np.isfinite(cov).all(axis=(-1, -2))
        if usable.any():
            discrepancy = MaximumLikelihood((Sample(self.inner(cov[usable]), None),))
            again = np.tile(fit.state.theta, (int(usable.sum()), 1))
            with np.errstate(all="ignore"):
                moved = self.moved(fit, cov[usable])
                near = np.isfinite(discrepancy.value(evaluate(self.layout, moved)))
                found = minimise_many(self.layout, discrepancy, np.where(near[:, None], moved, again), again)
            theta[usable] = np.where(found.converged[:, None], found.theta, np.nan)
        return theta

    def moved(self, fit: Fit, cov: np.ndarray) -> np.ndarray:
        """(…, k) parameters that covariances (…, p, p) near those of the fit lead to, exact in first order.

        One Newton step from the optimum with its own second derivatives. It is linear in the covariances, which may
        be complex, so that derivatives of whatever follows from it are those of the estimates.
        """
        gradient = MaximumLikelihood((Sample(self.inner(cov), None),)).gradient(fit.state)
        return np.asarray(fit.state.theta - gradient @ fit.bread)

    def at(self, theta: np.ndarray) -> Factors:
        """Loadings, residual variances and correlations at theta (…, k), real or complex."""
        a, s, _ = self.layout.groups[0].matrices(theta)
        m, several, lead = len(self.used), self.scales.several, theta.shape[:-1]
        own = np.arange(m)
        loading = a[..., own, m + self.owner]
        total = np.stack([loading[..., self.owner == f].sum(axis=-1) for f in range(len(several))], axis=-1)
        sign = np.where(total.real < 0, -1.0, 1.0)
        p, c = len(self.scales.items), len(self.scales.names)
        loadings, unique = (np.full((*lead, p), np.nan, theta.dtype) for _ in range(2))
        loadings[..., self.used] = loading * sign[..., self.owner]
        unique[..., self.used] = s[..., own, own]
        correlation = np.full((*lead, c, c), np.nan, theta.dtype)
        if self.joint:
            at = np.array(several)
            correlation[..., at[:, None], at] = s[..., m:, m:] * sign[..., :, None] * sign[..., None, :]
        return Factors(loadings, unique, correlation)
