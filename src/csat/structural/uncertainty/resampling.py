"""Standard errors of a structural model from refits on replicates of its sample, all in one batch.

Nothing is assumed of the distribution of the answers, nor that estimates are linear in the moments. Replicates on
which the search finds no optimum are left out and counted; those with impossible estimates (a negative variance, a
correlation beyond 1) are counted too, and kept.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.errors import ConvergenceError, CsatWarning, OptionError, check_choice, check_switch
from csat.moments import Source
from csat.results import Provenance
from csat.structural.engine.discrepancy import Discrepancy, MaximumLikelihood, Sample, hessian_at, logdet
from csat.structural.engine.fit import Optimum, minimise_many
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import State, evaluate
from csat.structural.least_squares import least_squares
from csat.structural.result import Sem
from csat.structural.samples import Data
from csat.structural.uncertainty.replicated import (
    Replicates,
    declared_replicates,
    drawn_replicates,
    simulated_replicates,
    under_the_model,
    unit_jackknife,
    with_own_predictors,
)
from csat.structural.uncertainty.resampled import Resampled
from csat.structural.uncertainty.sandwich import bordered_inverse

#: Where standard errors come from: the estimator's own formula, or refits.
SOURCES = ("estimator", "bootstrap", "replicates", "parametric")
#: Fewest draws of a bootstrap.
FEWEST = 50
#: Part of a replicate's deviation at which derivatives are taken.
_PART = 1e-3


class ReplicatesWarning(CsatWarning):
    """Replicates of a sample on which a model has no estimates."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """What `sem` was asked: where standard errors come from, number and seed of draws, and whether χ² is tested too."""

    se: str = "estimator"
    replicates: int = 1000
    seed: int = 1
    bollen_stine: bool = False

    def __post_init__(self) -> None:
        check_choice("se", self.se, SOURCES)
        for name, least in (("replicates", FEWEST), ("seed", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise OptionError(f"{name}={value!r}: a whole number, {least} or more, is needed.")
        check_switch("bollen_stine", self.bollen_stine)
        if self.bollen_stine and self.se != "bootstrap":
            raise OptionError(f"bollen_stine=True tests χ² by draws from the sample: se='bootstrap', not {self.se!r}.")

    @property
    def designed(self) -> bool:
        """Whether standard errors follow the sampling design."""
        return self.se in ("bootstrap", "replicates")


def check_resampling(asked: Resampling, estimator: str, missing: str, engine: str, *, ordinal: bool) -> None:
    """Refuse refits of what takes more than the moments of complete answers."""
    if asked.se == "estimator":
        return
    if ordinal or missing != "listwise":
        what = f"estimator={estimator!r}" if ordinal else f"missing={missing!r}"
        raise OptionError(
            f"se={asked.se!r} refits a model to the moments of complete answers; {what} needs more than these. Its own "
            "robust standard errors (estimator='WLSMV' or 'MLR') follow the design too: leave se out."
        )
    if engine != "csat":
        raise OptionError(f"engine={engine!r} fits one sample: leave se={asked.se!r} out, or the engine.")


def resample(result: Sem, source: Source, data: Data, asked: Resampling, *, wishart: bool) -> Sem:
    """The same estimates with standard errors, intervals and, if asked for, a test from refits on replicates.

    Parameters
    ----------
    result : of `source`. data : the moments behind it, fitted with a divisor of n − 1 if `wishart`.

    Raises
    ------
    OptionError, SampleError, DesignError
        If the source has no replicates of this kind.
    ConvergenceError
        If fewer than half of the replicates have estimates.

    Warns
    -----
    ReplicatesWarning
        If some replicates have no estimates.
    """
    replicates = _replicates(result, source, data, asked, wishart=wishart)
    fitted = _refitted(result, replicates.samples)
    used = np.asarray(fitted.converged)
    moves, by_draws = _moves(result, source, data, replicates, wishart=wishart)
    found = Resampled(
        fitted.state.layout, fitted.theta, moves, by_draws, used, _improper(fitted.state), replicates.scaling,
        replicates.df, replicates.words, replicates.drawn,
    )  # fmt: skip
    check_used(found)
    scale = sum(data.multipliers(wishart=wishart))
    if asked.se == "parametric":
        found = _tested(found, result, replicates.samples, fitted, scale)
    elif asked.bollen_stine:
        turned = under_the_model(replicates.samples, result.samples, result.optimum.state.points)
        found = _tested(found, result, turned, _refitted(result, turned), scale)
    notes = _notes(found)
    if not used.all():
        warnings.warn(notes[0], ReplicatesWarning, stacklevel=3)
    words = f"{found.words}, {len(used)} replicates"
    return replace(
        result,
        vcov=found.covariance(result.optimum.theta),
        resampled=found,
        df=np.inf if found.drawn else found.df,
        notes=(*result.notes, *notes),
        provenance=Provenance(result.provenance.sample, words, result.provenance.version),
    )


def _replicates(result: Sem, source: Source, data: Data, asked: Resampling, *, wishart: bool) -> Replicates:
    means = result.samples[0].mean is not None
    if asked.se == "parametric":
        points = result.optimum.state.points
        return simulated_replicates(points, result.samples, data.masses, asked.replicates, asked.seed)
    if asked.se == "replicates":
        return declared_replicates(data.summary, means=means, wishart=wishart)
    return drawn_replicates(source, data.summary, asked.replicates, asked.seed, means=means, wishart=wishart)


def _refitted(result: Sem, samples: tuple[Sample, ...]) -> Optimum:
    """The model on every replicate.

    The search begins where one Newton step with the sample's own second derivatives leads; where that fails, from
    the starting values of the sample.
    """
    theta, size = result.optimum.theta, len(samples[0].cov)
    layout, discrepancy = with_own_predictors(result.layout, samples), _discrepancy(result, samples)
    again = starting_values(result.layout, result.samples)
    with np.errstate(all="ignore"):
        here = evaluate(layout, np.tile(theta, (size, 1)))
        moved = evaluate(layout, theta - discrepancy.gradient(here) @ _bread(result))
        better = discrepancy.value(moved) < discrepancy.value(here)
        start = np.where(better[:, None], moved.theta, theta)
        return minimise_many(layout, discrepancy, start, np.tile(again, (size, 1)))


def _first_order(result: Sem, replicates: Replicates) -> np.ndarray:
    """(R, k) how far each replicate moves the estimates in first order, by central differences of the gradient."""

    def gradient(part: float) -> np.ndarray:
        samples = replicates.linear(result.samples, part)
        layout = with_own_predictors(result.layout, samples)
        theta = np.tile(result.optimum.theta, (len(replicates.weights), 1))
        return _discrepancy(result, samples).gradient(evaluate(layout, theta))

    with np.errstate(all="ignore"):
        return (gradient(-_PART) - gradient(_PART)) @ _bread(result) / (2.0 * _PART)


def _moves(
    result: Sem, source: Source, data: Data, replicates: Replicates, *, wishart: bool
) -> tuple[np.ndarray, bool]:
    """(m, k) how far each sampled unit moves the estimates in first order; or each draw, and that it is these."""
    means, simulated = result.samples[0].mean is not None, not np.isfinite(replicates.df)
    units = None
    if replicates.drawn and not simulated:
        units = unit_jackknife(source, data.summary, means=means, wishart=wishart)
    if units is None:
        return _first_order(result, replicates), True
    # Without a unit estimates move the other way.
    return -_first_order(result, units) * units.scaling.rscales[:, None], False


def _bread(result: Sem) -> np.ndarray:
    """(k, k) inverse of the second derivatives of the fit function, within the constraints."""
    bend = hessian_at(result.discrepancy, result.optimum.state)
    return bordered_inverse(bend, result.layout.restriction_slope(result.optimum.theta))


def _discrepancy(result: Sem, samples: tuple[Sample, ...]) -> Discrepancy:
    """The fit function of a result, of other samples."""
    if isinstance(result.discrepancy, MaximumLikelihood):
        return MaximumLikelihood(samples)
    return least_squares(result.estimator, samples)


def _improper(state: State) -> np.ndarray:
    """(R,) whether a replicate has a negative variance, or constructs that correlate beyond 1."""
    found = np.zeros(len(state.theta), bool)
    for point in state.points:
        st = point.structure
        found |= (np.diagonal(st.matrices(state.theta)[1], axis1=-2, axis2=-1) < 0).any(axis=-1)
        block = point.total[:, st.p :, st.p :]
        if block.shape[-1]:
            sd = np.sqrt(np.abs(np.diagonal(block, axis1=-2, axis2=-1)))
            corr = block / np.maximum(sd[:, :, None] * sd[:, None, :], 1e-300)
            found |= np.linalg.eigvalsh(np.nan_to_num(corr))[:, 0] < -1e-10
    return found


def _tested(found: Resampled, result: Sem, samples: Sequence[Sample], fitted: Optimum, scale: float) -> Resampled:
    """With the share of χ² that are as large as the sample's among draws in which the model holds."""
    value = _discrepancy(result, tuple(samples)).value(fitted.state)
    if isinstance(result.discrepancy, MaximumLikelihood):
        value = value - sum(np.asarray(s.share) * (logdet(s.cov) + s.cov.shape[-1]) for s in samples)
    used = np.asarray(fitted.converged) & np.isfinite(value)
    larger = int((scale * value[used] >= result.measures.chisq).sum())
    return found.with_test((larger + 1) / (int(used.sum()) + 1), int(used.sum()))


def check_used(found: Resampled) -> None:
    """Refuse replicates of which fewer than half have estimates: what the others would say is not like these."""
    used, size = int(found.used.sum()), len(found.used)
    if used < max(2, size / 2):
        raise ConvergenceError(
            f"Only {used} of {size} replicates ({found.words}) have estimates: this model cannot be resampled on these "
            "data. Simplify it, merge constructs that cannot be told apart, or use the estimator's own standard errors."
        )


def _notes(found: Resampled) -> list[str]:
    """What became of the replicates, in words."""
    counts = found.counts
    size, failed, improper = (counts[f"replicates{end}"] for end in ("", "_failed", "_improper"))
    notes = []
    if failed:
        notes.append(
            f"{failed} of {size} replicates ({found.words}) have no estimates, as the search found no optimum; they "
            "are left out of standard errors and intervals."
        )
    if improper:
        notes.append(
            f"{improper} of {size} replicates have a negative variance or constructs that correlate beyond 1; they "
            "count in standard errors and intervals."
        )
    return notes
