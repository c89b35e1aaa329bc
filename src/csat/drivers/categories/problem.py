"""A categorical regression from what was asked to the maximum of its likelihood, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from csat.drivers.categories.effects import Plan, averages, moves_of, plan_of
from csat.drivers.categories.estimating import Solved
from csat.drivers.categories.likelihood import Cumulative, Domain, Optimum, maximise, standardised, with_absent
from csat.drivers.categories.outcomes import Answers, Counts, answers_of, check_levels, levels_asked, word
from csat.drivers.categories.separation import separation
from csat.drivers.linear.least_squares import Fit, fit_least_squares
from csat.drivers.linear.passes import Sums, summed
from csat.drivers.terms import Terms, complete_with
from csat.errors import CollinearityError, CsatError, SampleError
from csat.moments import Groups, RowSource, Source, Variable, term_of
from csat.results import Unavailable


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What is to be fitted.

    terms, family : of the model. plan : its average effects. sums : what was summed first, by group.
    source, groups : the same rows without strata, units and replicates, for sums that need no variance.
    answers : of the outcome. fits : group → least squares on its drivers: their means, spreads and collinearity.
    faults : group → why it has no model.
    """

    terms: Terms
    family: str
    plan: Plan
    sums: Sums
    source: RowSource
    groups: Groups
    answers: Answers
    fits: Mapping[Domain, Fit]
    faults: Mapping[Domain, Unavailable]

    @property
    def outcome(self) -> str:
        """Name of the outcome."""
        return term_of(self.terms.outcome)

    @property
    def names(self) -> tuple[str, ...]:
        """(K,) names of the coefficients: an intercept first, or thresholds last."""
        levels = [word(level) for level in self.answers.levels.tolist()]
        cuts = tuple("|".join(pair) for pair in pairwise(levels))
        return ("(intercept)", *self.terms.names) if self.family == "logit" else (*self.terms.names, *cuts)

    @property
    def slopes(self) -> slice:
        """Which of the coefficients belong to drivers."""
        first = int(self.family == "logit")
        return slice(first, first + len(self.terms.columns))

    def scale(self, domain: Domain) -> tuple[np.ndarray, np.ndarray]:
        """(k,) means and standard deviations of a group's drivers."""
        fit = self.fits[domain]
        return fit.mean, fit.spread[:-1] / np.sqrt(fit.weight)

    def start(self, domain: Domain) -> Cumulative:
        """The model of a group without any effect."""
        at, position = self.groups.domains.index(domain), 1 + len(self.terms.columns)
        basis = standardised(self.groups, *self.scale(domain))
        cuts = self.answers.cuts(at) - self.groups.midpoint[position - 1]
        return Cumulative(basis, position, cuts, np.zeros(basis.shape[1]), self.answers.start(at))

    def to_data(self, domain: Domain) -> np.ndarray:
        """(K, P) from the parameters of standardised drivers to the coefficients; rows of 0 for absent thresholds."""
        mean, spread = self.scale(domain)
        k = len(mean)
        out = np.zeros((len(self.names), k + len(self.answers.levels) - 1))
        out[self.slopes, :k] = np.diag(1 / spread)
        for j, place in enumerate(self.answers.threshold(self.groups.domains.index(domain))):
            if place >= 0:
                row, sign = (0, -1.0) if self.family == "logit" else (k + j, 1.0)
                out[row, :k], out[row, k + place] = sign * mean / spread, sign
        return out


def problem_of(source: RowSource, terms: Terms, family: str, complete: Any, by: Sequence[str]) -> Problem:
    """Sum what a categorical regression needs, and check that there can be one.

    Raises
    ------
    OptionError, SampleError, CollinearityError
        As `fit_categorical`; with `by` a group that cannot have a model is a fault, not an error.
    """
    asked, plan = levels_asked(source, terms.outcome, family), plan_of(terms)
    sums = summed(source, _variables(source, terms, complete, plan), by)
    fits, faults = _fits(sums.groups, terms)
    position = 1 + len(terms.columns)
    counts = Counts((asked[1:] + asked[:-1]) / 2 - sums.groups.midpoint[position - 1], position)
    plain = source.undesigned() if hasattr(source, "undesigned") else source
    groups = plain.score_groups(sums.groups.variables, by, dict.fromkeys(sums.groups.domains, counts))
    answers = answers_of(groups.over_domains(np.asarray(groups.score_sums)), asked)
    check_levels(term_of(terms.outcome), family, answers.levels.tolist())
    for at, domain in enumerate(groups.domains):
        parameters = len(terms.columns) + len(answers.given(at)) - 1
        if domain in fits and fits[domain].n <= parameters:
            if not by:
                what = f"A regression on {len(terms.columns)} drivers for {len(answers.levels)} levels"
                raise SampleError.too_few(what, fits[domain].n, parameters + 1)
            del fits[domain]
            faults[domain] = Unavailable("few_answers")
    return Problem(terms, family, plan, sums, plain, groups, answers, fits, faults)


def _fits(groups: Groups, terms: Terms) -> tuple[dict[Domain, Fit], dict[Domain, Unavailable]]:
    """Least squares on the drivers of each group, or why it can have no model; without groups that is an error."""
    labels = [terms.labels[owner] for owner in terms.owner]
    fits, faults = {}, {}
    for domain in groups.domains:
        moments = groups.moments(domain).select([*terms.names, term_of(terms.outcome)])
        try:
            fits[domain] = fit_least_squares(moments, labels=labels)
        except (SampleError, CollinearityError) as error:
            if not groups.by:
                raise
            faults[domain] = _fault(error, moments.n, len(labels) + 2)
    return fits, faults


def _variables(source: Source, terms: Terms, complete: Any, plan: Plan) -> list[Variable]:
    """What a row must have answered, and what the effects of interactions are made of."""
    found = complete_with(source, terms, complete)
    names = {term_of(variable) for variable in found}
    return [*found, *(extra for extra in plan.extras if term_of(extra) not in names)]


def _fault(error: CsatError, n: int, needed: int) -> Unavailable:
    if isinstance(error, CollinearityError):
        return Unavailable("collinear")
    if n < needed:
        return Unavailable("few_answers" if n else "no_answers")
    return Unavailable("constant")


def solved(problem: Problem) -> tuple[dict[Domain, Solved], dict[Domain, Unavailable], int]:
    """The models at their maxima, why other groups have none, and the steps of Newton's method.

    Raises
    ------
    SampleError
        Without groups: if drivers predict the outcome without error.
    ConvergenceError
        If no maximum is found although there is one.
    """
    faults = dict(problem.faults)
    starts = models = {domain: problem.start(domain) for domain in problem.fits}
    what, rounds = f"The regression of {problem.outcome!r} (family={problem.family!r})", 0
    while models:
        found = maximise(problem.source, problem.groups, models, what)
        rounds += found.rounds
        if not found.endless:
            return _at(problem, found), faults, rounds
        for domain, direction in found.endless.items():
            if not problem.groups.by:
                names, start = problem.terms.names, (domain, starts[domain])
                raise separation(problem.source, problem.groups, start, direction, names, problem.outcome)
            faults[domain] = Unavailable("separated")
        models = {domain: model for domain, model in found.models.items() if domain not in found.endless}
    return {}, faults, rounds


def _at(problem: Problem, found: Optimum) -> dict[Domain, Solved]:
    """What is told of the models at their maxima."""
    groups, models = problem.groups, found.models
    moves = {domain: moves_of(problem.plan, groups, *problem.scale(domain)) for domain in models}
    average = averages(problem.source, groups, models, moves)
    inverse = np.linalg.inv(with_absent(found.derived.information, models))
    own = {domain: np.isfinite(model.theta) for domain, model in models.items()}
    return {
        domain: Solved(
            model,
            inverse[i] * np.outer(own[domain], own[domain]),
            problem.to_data(domain),
            moves[domain],
            average[domain],
            problem.fits[domain].weight,
            problem.fits[domain].n,
            float(found.derived.value[i]) * problem.fits[domain].n / problem.fits[domain].weight,
        )
        for i, (domain, model) in enumerate(models.items())
    }
