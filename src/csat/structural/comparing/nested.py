"""Differences of χ² between a structural model and one nested in it, plain and corrected.

A model is nested in another if the other can reproduce whatever moments it implies. That is tried: the larger model is
fitted to the moments that the smaller one implies (Bentler & Satorra 2010, Psychological Methods 15(2)). Where it fits
them are the parameters that the strictly positive correction needs, however the two models are parametrised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import OptionError
from csat.results import Unavailable
from csat.structural.engine.discrepancy import MaximumLikelihood, Sample
from csat.structural.engine.fit import minimise
from csat.structural.engine.linear import allowed
from csat.structural.engine.structure import State
from csat.structural.measures import rmsea, upper
from csat.structural.result import Sem
from csat.structural.uncertainty.robust import Robust, sandwich_of
from csat.structural.uncertainty.sandwich import expected_middle

#: Misfit per respondent up to which the larger model counts as reproducing the smaller one's moments.
_REPRODUCED = 1e-7


@dataclass(frozen=True, slots=True)
class Difference:
    """Test of the restrictions that a smaller model adds to a larger one.

    chisq : (corrected) difference of χ². df : restrictions. p : upper tail.
    scaling, shift : what the plain difference was divided by, and what was added then; NaN if plain.
    rmsea : misfit per restriction of the plain difference; NaN if corrected.
    reason : why there is no test, None if there is one.
    """

    chisq: float
    df: int
    p: float
    scaling: float = np.nan
    shift: float = 0.0
    rmsea: float = np.nan
    reason: Unavailable | None = None


def _none(df: int, reason: str, scaling: float = np.nan) -> Difference:
    return Difference(np.nan, df, np.nan, scaling, reason=Unavailable(reason))


def difference(large: Sem, small: Sem, method: str, a_matrix: str) -> Difference:
    """Test a model against a larger one that was fitted to the same moments.

    Parameters
    ----------
    method : of `METHODS`. a_matrix : for "satorra-2000", see `compare_models`.
    """
    df = small.measures.df - large.measures.df
    if df == 0:
        return _none(df, "same_df")
    there = reproduced(large, small)
    if there is None:
        return _none(df, "not_nested")
    plain = small.measures.chisq - large.measures.chisq
    if method == "plain":
        n = float(sum(large.sizes))
        return Difference(plain, df, upper(plain, df), rmsea=rmsea(plain, df, n, len(large.sizes)))
    scaling, shift = METHODS[method](_Pair(large, small, there, a_matrix), df)
    if not scaling > 0:
        return _none(df, "negative_scaling", scaling)
    chisq = plain / scaling + shift
    return Difference(chisq, df, upper(chisq, df), scaling, shift)


def reproduced(large: Sem, small: Sem) -> State | None:
    """The larger model where it implies the moments of the smaller one; None if it cannot."""
    order = [small.observed.index(name) for name in large.observed]
    implied = tuple(
        Sample(point.sigma[np.ix_(order, order)], None if sample.mean is None else point.mu[order], sample.share)
        for point, sample in zip(small.optimum.state.points, large.samples, strict=True)
    )
    discrepancy = MaximumLikelihood(implied)
    with np.errstate(all="ignore"):
        found = minimise(large.layout, discrepancy, large.optimum.theta)
    least = sum(float(s.share) * (float(np.linalg.slogdet(s.cov)[1]) + len(s.cov)) for s in implied)
    return found.state if float(discrepancy.value(found.state)) - least < _REPRODUCED else None


@dataclass(frozen=True, slots=True, eq=False)
class _Pair:
    """Two nested models; there : the larger one where it implies the moments of the smaller one."""

    large: Sem
    small: Sem
    there: State
    a_matrix: str

    @property
    def robust(self) -> tuple[Robust, Robust]:
        """Robust inference of the larger and the smaller model."""
        found = [model.robust for model in (self.large, self.small) if model.robust is not None]
        return found[0], found[1]


def _trace(model: Sem, robust: Robust) -> float:
    return robust.sandwich.trace if model.measures.df else 0.0


def _bentler_2001(pair: _Pair, df: int) -> tuple[float, float]:
    """Satorra & Bentler (2001), Psychometrika 66(4), 507–514."""
    large, small = pair.robust
    return (_trace(pair.small, small) - _trace(pair.large, large)) / df, 0.0


def _bentler_2010(pair: _Pair, df: int) -> tuple[float, float]:
    """Satorra & Bentler (2010), Psychometrika 75(2), 243–248: the larger model at the smaller one's estimates."""
    large, small = pair.robust
    if large.spread is None:
        beside = "" if pair.large.answered is None else " with missing='fiml'"
        raise OptionError(
            f"method='satorra-bentler-2010' is not for estimator={pair.large.estimator!r}{beside}; leave it out."
        )
    between = sandwich_of(large.form, pair.there, pair.large.samples, large.spread).trace
    return (_trace(pair.small, small) - between * (pair.large.measures.df > 0)) / df, 0.0


def _satorra_2000(pair: _Pair, df: int) -> tuple[float, float]:
    """Satorra (2000), in Heijmans, Pollock & Satorra, Innovations in Multivariate Statistical Analysis, 233–247.

    The restrictions a(θ) = 0 of the larger model have derivative A; P = bread, U = PAᵀ(APAᵀ)⁻¹AP, and the difference
    is compared with the mean and the variance, 2·tr(UM)², that it has then, M = ΔᵀWΓWΔ (scaled and shifted, as lavaan).
    """
    large, _ = pair.robust
    state, bread = pair.large.optimum.state, large.sandwich.bread
    a = restrictions(state if pair.a_matrix == "delta" else pair.there, pair.small.optimum.state, _order(pair))
    # Weights that are not those of the normal distribution have their own middle.
    middle = large.sandwich.middle
    if large.spread is not None:
        middle = expected_middle(state, pair.large.samples, large.spread)
    u = bread @ a.T @ np.linalg.pinv(a @ bread @ a.T, hermitian=True) @ a @ bread
    product = u @ middle
    scaling = float(np.sqrt(np.vdot(product, product.T) / df))
    return scaling, df - float(np.trace(product)) / scaling


def restrictions(large: State, small: State, order: Sequence[int]) -> np.ndarray:
    """(m, k) A: derivatives of the restrictions that make the smaller model of the larger one.

    What moves the moments of the larger model but not along those of the smaller one: the complement of Δ₁⁺Δ₀, in
    parameters that satisfy the constraints.

    Parameters
    ----------
    order : (p,) positions of the larger model's variables in the smaller model.
    """
    one, none = (_free_directions(state) for state in (large, small))
    steps = np.linalg.pinv(_derivatives(large, range(len(order))) @ one) @ _derivatives(small, order) @ none
    vectors, values, _ = np.linalg.svd(steps, full_matrices=True)
    rank = int((values > 1e-9 * values.max(initial=0.0)).sum())
    return vectors[:, rank:].T @ one.T


def _free_directions(state: State) -> np.ndarray:
    """(k, k − r) orthonormal directions that keep the constraints."""
    return allowed(state.layout.restriction_slope(state.theta))


def _derivatives(state: State, order: Sequence[int]) -> np.ndarray:
    """(moments, k) derivatives of the implied means and covariances, group by group, variables in a given order."""
    at = np.asarray(order)
    i, j = np.tril_indices(len(at))
    parts = []
    for g, point in enumerate(state.points):
        by_sigma, by_mu = point.jacobian()
        parts.append(state.collect(g, by_sigma[at[i], at[j]]))
        if point.structure.means:
            parts.append(state.collect(g, by_mu[at]))
    return np.vstack(parts)


def _order(pair: _Pair) -> list[int]:
    return [pair.small.observed.index(name) for name in pair.large.observed]


#: How differences are corrected: the pair and its restrictions → scaling and shift.
METHODS = {
    "satorra-bentler-2001": _bentler_2001,
    "satorra-bentler-2010": _bentler_2010,
    "satorra-2000": _satorra_2000,
}
