"""Structural models of answers with gaps: full-information maximum likelihood on patterns of answered variables.

Nobody is left out for a missing answer, and none is filled in: each respondent counts with the variables answered.
Estimates are those of complete answers if gaps depend on what was answered, not on what was not (missing at random;
Rubin 1976, Biometrika 63(3)). χ² compares with the unrestricted moments found by EM; standard errors come from the
observed information, as gaps that depend on answers ask for (Kenward & Molenberghs 1998, Statistical Science 13(3)).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from csat.errors import CsatWarning, IllConditionedWarning, OptionError
from csat.model import Model, Row
from csat.moments import Source
from csat.results import Provenance
from csat.structural.baseline import fitted_baseline
from csat.structural.engine.checks import condition_number, information_axes
from csat.structural.engine.discrepancy import hessian
from csat.structural.engine.solving import estimated
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import Layout, Point, State, build
from csat.structural.gaps.answered import Answered
from csat.structural.gaps.incomplete import PatternLikelihood, PatternSample, information, misfit
from csat.structural.gaps.patterned import Patterned, patterned, read_patterns
from csat.structural.gaps.unrestricted import Rows, Unrestricted, indices, moments_kept, robust_inference
from csat.structural.guards import doubts
from csat.structural.measures import Length, Measures, Statistic, free_parameters, goodness, measures_of
from csat.structural.ordered.ordinal import Asked
from csat.structural.result import Sem
from csat.structural.samples import check_groups, order_of_groups, reference_of
from csat.structural.uncertainty.robust import Robust, degrees_of_freedom, design_ignored, doubts_of_design
from csat.structural.uncertainty.sandwich import bordered_inverse
from csat.structural.uncertainty.scaled import Indices
from csat.structural.undefined import undefined

#: Estimators that know what to do without complete answers.
ESTIMATORS = ("ML", "MLR")


class MissingPredictorWarning(CsatWarning):
    """Respondents left out because a predictor is missing whose moments are taken from the sample."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A model at its estimates, beside its baseline and the unrestricted moments."""

    data: Patterned
    state: State
    null: State

    @cached_property
    def discrepancy(self) -> PatternLikelihood:
        """What is minimised."""
        return PatternLikelihood(self.data.samples)

    @cached_property
    def values(self) -> tuple[float, float, float]:
        """F of the model, of the baseline, and at the unrestricted moments."""
        parts = zip(self.data.samples, self.data.unrestricted, strict=True)
        least = sum(float(misfit(sample, np.asarray(whole.mean), whole.cov)) for sample, whole in parts)
        return float(self.discrepancy.value(self.state)), float(self.discrepancy.value(self.null)), least

    @cached_property
    def statistic(self) -> Statistic:
        """χ² of the model and of its baseline."""
        model, null, least = self.values
        df, null_df = (at.layout.known - free_parameters(at.layout) for at in (self.state, self.null))
        n = self.data.n
        return Statistic(max(n * (model - least), 0.0), df, max(n * (null - least), 0.0), null_df)

    @property
    def likelihoods(self) -> tuple[float, float]:
        """Log-likelihood of the model and of the unrestricted moments, given predictors that are the sample's."""
        model, _, least = self.values
        answers = sum(float(s.share @ s.answered.sum(axis=1)) for s in self.data.samples)
        constant = answers * np.log(2 * np.pi) + sum(map(self._predictors, range(len(self.data.samples))))
        half = self.data.n / 2
        return -half * (constant + model), -half * (constant + least)

    def _predictors(self, g: int) -> float:
        """Twice the log-likelihood per respondent of the predictors that are the sample's, of one group."""
        structure, sample = self.state.layout.groups[g], self.data.unrestricted[g]
        given = list(structure.predictors) if structure.sampled else []
        size = np.linalg.slogdet(sample.cov[np.ix_(given, given)])[1]
        return -float(sample.share) * float(size + len(given) * (1 + np.log(2 * np.pi)))

    @cached_property
    def information(self) -> np.ndarray:
        """(k, k) observed information per respondent."""
        return hessian(self.state.layout, self.discrepancy, self.state.theta) / 2

    @cached_property
    def proper(self) -> bool:
        """Whether the likelihood falls in every direction."""
        positive = bool((np.diag(self.information) > 0).all())
        return positive and bool((information_axes(self.information, self.slope)[0] > 0).all())

    @property
    def vcov(self) -> np.ndarray:
        """(k, k) covariance of the estimates."""
        return bordered_inverse(self.information * self.data.n, self.slope)

    @property
    def slope(self) -> np.ndarray:
        """(q, k) derivatives of the constraints."""
        return self.state.layout.restriction_slope(self.state.theta)

    def measures(self) -> Measures:
        """Fit; residuals are those from the unrestricted moments, for GFI from the available ones, as lavaan has it."""
        points, masses = self.state.points, self.data.masses
        lengths = [_length(sample, point) for sample, point in zip(self.data.samples, points, strict=True)]
        gfi = goodness(points, self.data.available, masses, lengths)
        return measures_of(
            self.state, self.data.unrestricted, masses, self.data.n, self.statistic, self.likelihoods, gfi
        )

    def indices(self) -> Indices:
        """CFI, TLI and RMSEA as they would be without gaps, if the answers are normal."""
        found = Unrestricted(self.data, moments_kept(self.state.layout.groups[0]))
        return indices(found, self.state, self.null, self.statistic)


def _length(sample: PatternSample, point: Point) -> Length:
    """Squared length of moments in the metric of the expected information, less where few answered."""
    weight = information(sample, point.mu, point.sigma, observed=False)
    i, j = np.tril_indices(len(point.sigma))

    def length(cov: np.ndarray, mean: np.ndarray) -> float:
        both = np.concatenate([mean, cov[i, j]])
        return float(both @ weight @ both)

    return length


def fiml_sem(source: Source, model: Model, asked: Asked) -> Sem:
    """Estimate a model of answers with gaps; see `csat.sem`."""
    _check(asked)
    found, labels = read_patterns(source, model, asked.group)
    check_groups(model, labels)
    rows = model.expand(
        groups=len(labels),
        equal=asked.equal,
        partial=asked.partial,
        means=True,
        reference=reference_of(asked.reference, labels),
        **asked.expansion,
    )
    data = patterned(found, labels, _given(rows, model.observed))
    layout = _layout(model, rows, data, labels)
    discrepancy = PatternLikelihood(data.samples)
    optimum = estimated(layout, discrepancy, starting_values(layout, data.unrestricted))
    fit = Fit(data, optimum.state, fitted_baseline(layout, data.unrestricted, discrepancy))
    design = replace(source.groups(list(model.observed), found.by, "available"), residuals=None)
    robust = None
    if asked.estimator == "MLR":
        robust = robust_inference(Rows(source, design), data, fit.state, fit.null, fit.statistic)
    curvature = discrepancy.curvature(optimum.state)
    doubtful = doubts(optimum.state, data.unrestricted, data.sizes, curvature)
    valueless, unscaled = undefined(layout, model.definitions, optimum.theta)
    raised = [
        *valueless,
        *_without_predictors(data.answered),
        *([] if robust else design_ignored(design, asked.estimator)),
        *((doubt.kind, doubt.text) for doubt in doubtful if doubt.raised),
        *_indefinite(fit),
        *(doubts_of_design(robust, design, fit.statistic.df) if robust else []),
    ]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=3)
    return Sem(
        model=model,
        estimator=asked.estimator,
        optimum=optimum,
        discrepancy=discrepancy,
        samples=data.unrestricted,
        sizes=data.sizes,
        vcov=_covariance(fit, robust),
        measures=fit.measures(),
        condition=condition_number(curvature, fit.slope),
        level=asked.level,
        engine="csat",
        notes=(
            *(text for _, text in raised),
            *(doubt.text for doubt in doubtful if not doubt.raised),
            *unscaled,
            *order_of_groups(model, labels),
        ),
        provenance=Provenance("fiml", robust.words if robust else "observed information"),
        left_out=data.answered.left_out + found.ungrouped,
        robust=robust,
        answered=data.answered,
        df=degrees_of_freedom(design) if robust else np.inf,
        group=asked.group,
        indices=None if robust else fit.indices(),
    )


def _check(asked: Asked) -> None:
    if asked.estimator not in ESTIMATORS:
        raise OptionError(
            f"missing='fiml' is a likelihood: estimator='ML' or 'MLR', not {asked.estimator!r}. "
            "'MLR' has robust standard errors and a corrected χ²."
        )
    if asked.means is False:
        raise OptionError("means=False: with missing='fiml' means are always estimated, as gaps may depend on them.")


def _given(rows: Sequence[Row], observed: Sequence[str]) -> list[int]:
    """Positions of predictors whose moments are the sample's."""
    names = {row.lhs for row in rows if row.sampled}
    return [i for i, name in enumerate(observed) if name in names]


def _layout(model: Model, rows: Sequence[Row], data: Patterned, labels: Sequence[str]) -> Layout:
    covs, means = [s.cov for s in data.unrestricted], [s.mean for s in data.unrestricted]
    return build(rows, model.observed, covs, means, labels, model.constraints)


def _covariance(fit: Fit, robust: Robust | None) -> np.ndarray:
    """(k, k) of the estimates; NaN where there is none."""
    if not fit.proper:
        return np.full_like(fit.information, np.nan)
    return fit.vcov if robust is None else robust.sandwich.covariance(fit.data.n)


def _without_predictors(answered: Answered) -> list[tuple[type[CsatWarning], str]]:
    lost = int(answered.unpredicted.sum())
    if not lost:
        return []
    text = (
        f"{lost} respondents are left out because a predictor is missing: its moments are taken from the sample "
        "(fixed_x=True), so that nothing is known of its distribution. fixed_x=False keeps them and takes predictors "
        "as normal."
    )
    return [(MissingPredictorWarning, text)]


def _indefinite(fit: Fit) -> list[tuple[type[CsatWarning], str]]:
    """Whether the likelihood has a direction in which it does not fall."""
    if fit.proper:
        return []
    text = (
        "The observed information is not positive definite: in some direction the likelihood does not fall, so that "
        "there are no standard errors. Too few respondents answered the same variables for this model; simplify it, "
        "or leave out the variables that few answered."
    )
    return [(IllConditionedWarning, text)]
