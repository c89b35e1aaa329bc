"""Logistic and ordered logistic regression from passes over the rows, with the errors of the sampling design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.categories.categorical_result import CategoricalRegression
from csat.drivers.categories.estimating import KINDS, Solved, covariance
from csat.drivers.categories.likelihood import Domain
from csat.drivers.categories.outcomes import word
from csat.drivers.categories.problem import Problem, problem_of, solved
from csat.drivers.linear.collinearity import collinearity_table, dimensions
from csat.drivers.linear.joint import TermTest, generalised_vif, term_table, term_tests, wald
from csat.drivers.terms import Terms
from csat.errors import OptionError, SampleError
from csat.moments import RowSource, Source, check_size
from csat.results import Estimates, Provenance, Test, Unavailable
from csat.variance import degrees_of_freedom, method_of


def fit_categorical(
    source: Source, terms: Terms, family: str, se: str, complete: Any, level: float, by: Sequence[str] = ()
) -> CategoricalRegression:
    """Pseudo maximum likelihood of a logit ("logit") or a proportional odds model ("ordered").

    Logit: the log odds of the higher of two values are b₀ + xᵀb. Ordered: those of Y ≤ j are ζ_j − xᵀb, as in polr of
    R's MASS: a positive coefficient speaks for higher levels.

    Parameters
    ----------
    source : a survey: a summary has no rows. Rows that miss one of the variables are left out ("listwise").
    terms : drivers and outcome. An outcome is numeric, with two values or, for "ordered", three levels or more.
    family : "logit" or "ordered".
    se : "design" (linearisation with the observed information, or the replicate weights of the design, under which the
        parameters take one Newton step; t with units − strata − k degrees of freedom for k slopes), "classical"
        (inverse information, with weights of mean 1), "HC0" or "HC1" (sandwich; · n/(n − parameters)). Others than
        "design" are normal.
    complete : further variables that a row must have answered.
    level : of the intervals.
    by : grouping columns: a model for each group, with the joint covariance of all coefficients.

    Returns
    -------
    CategoricalRegression

    Raises
    ------
    OptionError
        For an `se` that there is only for linear regression.
    SampleError, CollinearityError
        Too few respondents or sampling units, a constant variable, an outcome with the wrong number of values, no
        rows, drivers that repeat each other, or that predict the outcome without error (separation).
    ConvergenceError
        If no maximum is found although there is one.
    """
    if se not in KINDS:
        raise OptionError(f"se={se!r} is for family='linear'; with family={family!r} choose one of {', '.join(KINDS)}.")
    if not isinstance(source, RowSource):
        raise SampleError.needs_rows(f"A regression with family={family!r}")
    problem = problem_of(source, terms, family, complete, by)
    check_size(by, problem.groups.domains, len(problem.names) + len(problem.plan.names))
    df = _degrees(problem, se)
    models, faults, rounds = solved(problem)
    figures = _figures(source, problem, models, faults, df, se)
    k = len(problem.names)
    coefficients = _estimates(problem, figures, problem.names, np.arange(k), level, f"log odds of {problem.outcome}")
    order = problem.plan.order(problem.names)
    names = [problem.plan.names[i] for i in order]
    effects = _estimates(problem, figures, names, k + np.array(order, int), level, "share")
    return _result(problem, models, coefficients, effects, rounds)


def _degrees(problem: Problem, se: str) -> np.ndarray:
    """(D,) degrees of freedom: of the design, or infinite; too few are an error if there is but one group."""
    groups, k = problem.sums.groups, len(problem.terms.columns)
    if se != "design":
        return np.full(len(groups.domains), np.inf)
    units = degrees_of_freedom(groups).min(axis=1)
    if not groups.by and units[0] - k < 1:
        raise SampleError(
            f"{k} drivers but only {units[0]:g} degrees of freedom in the design (units with answers minus strata): "
            "use fewer drivers, or se='classical' with its assumptions."
        )
    return np.maximum(units - k, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """All that is estimated: K coefficients and M effects for each of D groups.

    estimate : (D, K+M), NaN where there is none. vcov : (D, K+M, D, K+M). df : (D,).
    missing : (group, figure) → why it is not there. variance : how the covariance was made.
    """

    estimate: np.ndarray
    vcov: np.ndarray
    df: np.ndarray
    missing: Mapping[tuple[int, int], Unavailable]
    variance: str


def _figures(
    source: RowSource,
    problem: Problem,
    models: Mapping[Domain, Solved],
    faults: Mapping[Domain, Unavailable],
    df: np.ndarray,
    se: str,
) -> Figures:
    """Estimates and their joint covariance, with a reason for each that is missing."""
    domains, k = problem.groups.domains, len(problem.names)
    q = k + len(problem.plan.names)
    estimate, vcov = np.full((len(domains), q), np.nan), np.zeros((len(domains), q, len(domains), q))
    if models:
        vcov = covariance(source, problem.sums.groups, models, se)
    missing = {(at, j): Unavailable("df_zero") for at in np.flatnonzero(df < 1).tolist() for j in range(q)}
    for at, domain in enumerate(domains):
        known = np.zeros(q, bool)
        if domain in models:
            each = models[domain]
            known = np.r_[each.to_data.any(axis=1), np.full(q - k, problem.answers.count[at, -1] > 0)]
            estimate[at] = np.where(known, each.figures(np.zeros(len(each.inverse)), each.average.effect), np.nan)
            vague = ~np.isfinite(vcov[at].diagonal(axis1=0, axis2=2)[at])
            missing |= {(at, j): Unavailable("not_identified") for j in np.flatnonzero(vague).tolist()}
        known_well = known & (df[at] >= 1)
        vcov[at, ~known_well] = vcov[:, :, at, ~known_well] = np.nan
        reason = faults.get(domain, Unavailable("no_answers"))
        missing |= {(at, j): reason for j in np.flatnonzero(~known).tolist()}
    return Figures(estimate, vcov, df, missing, method_of(problem.sums.groups) if se == "design" else se)


def _estimates(
    problem: Problem, figures: Figures, names: Sequence[str], at: np.ndarray, level: float, unit: str
) -> Estimates:
    """Some of the figures of every group, named."""
    groups, size = problem.groups, len(at)
    labels = {name: tuple(d[i] for d in groups.domains for _ in names) for i, name in enumerate(groups.by)}
    place = {int(figure): i for i, figure in enumerate(at)}
    count = len(groups.domains) * size
    return Estimates(
        term=tuple(names) * len(groups.domains),
        estimate=figures.estimate[:, at].ravel(),
        vcov=figures.vcov[:, at][:, :, :, at].reshape(count, count),
        df=np.repeat(figures.df, size) if groups.by else float(figures.df[0]),
        n=np.repeat(groups.over_domains(groups.n), size),
        n_eff=np.repeat(problem.sums.kish, size),
        unit=unit,
        provenance=Provenance("listwise", figures.variance),
        level=level,
        null=0.0,
        keys=labels,
        unavailable={d * size + place[j]: why for (d, j), why in figures.missing.items() if j in place},
    )


def _result(
    problem: Problem, models: Mapping[Domain, Solved], coefficients: Estimates, effects: Estimates, rounds: int
) -> CategoricalRegression:
    """Everything about the models, put into its places."""
    groups, terms, size = problem.groups, problem.terms, len(problem.names)
    n = groups.over_domains(groups.n)
    df = np.broadcast_to(coefficients.df, len(coefficients.term))[::size]
    found = [
        _tests(problem, domain, coefficients.estimate[at], coefficients.vcov[at, at], float(df[d]))
        for d, domain in enumerate(groups.domains)
        for at in [slice(d * size + problem.slopes.start, d * size + problem.slopes.stop)]
    ]
    tolerance = _by_slope(problem, {domain: fit.tolerance for domain, fit in problem.fits.items()})
    around = [dimensions(problem.fits.get(domain), 1 + len(terms.columns)) for domain in groups.domains]
    owner = [""] * size
    owner[problem.slopes] = [terms.labels[term] for term in terms.owner]

    def each(figures: np.ndarray) -> Any:
        return figures if groups.by else figures.item()

    facts = _likelihoods(problem, models)
    return CategoricalRegression(
        outcome=problem.outcome,
        family=problem.family,
        coefficients=coefficients,
        owner=tuple(owner) * len(groups.domains),
        beta=_by_slope(problem, {domain: _standardized(each) for domain, each in models.items()}),
        partial=np.full(len(coefficients.term), np.nan),
        semipartial=np.full(len(coefficients.term), np.nan),
        vif=1 / tolerance,
        tolerance=tolerance,
        terms=term_table([tests for tests, _ in found], groups.by, groups.domains),
        tests=tuple(test for _, test in found),
        n=each(n),
        left_out=each(problem.sums.left_out),
        n_eff=each(problem.sums.kish),
        r2=each(np.full(len(n), np.nan)),
        adj_r2=each(np.full(len(n), np.nan)),
        sigma=each(np.full(len(n), np.nan)),
        condition=each(np.array([indices[-1] for indices, _ in around])),
        collinearity=collinearity_table(("(intercept)", *terms.names), around, groups.by, groups.domains),
        **{name: each(facts[name]) for name in ("loglik", "aic", "bic")},
        further={
            "modelled": _modelled(problem),
            "levels": len(problem.answers.levels),
            **{name: each(facts[name]) for name in ("null_loglik", "r2_mcfadden", "r2_cox_snell", "r2_nagelkerke")},
            "rounds": rounds,
            **({"ungrouped": groups.ungrouped} if groups.by else {}),
        },
        effects=effects,
        levels=_level_table(problem),
        empty=problem.answers.empty,
    )


def _tests(
    problem: Problem, domain: Domain, slopes: np.ndarray, vcov: np.ndarray, df: float
) -> tuple[list[TermTest], Test]:
    """Joint tests of the terms of one group, and of all slopes."""
    k = len(slopes)
    inflation = generalised_vif(problem.fits[domain], problem.terms) if domain in problem.fits else None
    f = wald(slopes, vcov, range(k)) / k
    return term_tests(problem.terms, slopes, vcov, df, inflation), Test("all slopes are zero", f, k, df)


def _by_slope(problem: Problem, figures: Mapping[Domain, np.ndarray]) -> np.ndarray:
    """(D·K,) figures (k,) of the drivers of each group; NaN for constants, and for groups without figures."""
    domains = problem.groups.domains
    out = np.full((len(domains), len(problem.names)), np.nan)
    for at, domain in enumerate(domains):
        if domain in figures:
            out[at, problem.slopes] = figures[domain]
    return out.ravel()


def _standardized(found: Solved) -> np.ndarray:
    """(k,) log odds per standard deviation of each driver, with divisor n − 1."""
    return found.model.beta * np.sqrt(found.n / (found.n - 1))


def _likelihoods(problem: Problem, models: Mapping[Domain, Solved]) -> dict[str, np.ndarray]:
    """(D,) each: log-likelihoods, criteria and pseudo-R², with weights of mean 1.

    Sources: McFadden (1974), in Zarembka (ed.), Frontiers in Econometrics, 105–142; Cox & Snell (1989), The Analysis
    of Binary Data, 2nd ed., 208–209; Nagelkerke (1991), Biometrika 78, 691–692.
    """
    groups = problem.groups
    n, null = groups.over_domains(groups.n).astype(float), problem.answers.null
    found = [models.get(domain) for domain in groups.domains]
    loglik = np.array([np.nan if each is None else each.loglik for each in found])
    parameters = np.array([0 if each is None else each.parameters for each in found])
    with np.errstate(invalid="ignore", divide="ignore"):
        cox_snell = -np.expm1(2 * (null - loglik) / n)
        return {
            "loglik": loglik,
            "aic": 2 * parameters - 2 * loglik,
            "bic": np.log(n) * parameters - 2 * loglik,
            "null_loglik": null,
            "r2_mcfadden": 1 - loglik / null,
            "r2_cox_snell": cox_snell,
            "r2_nagelkerke": cox_snell / -np.expm1(2 * null / n),
        }


def _modelled(problem: Problem) -> str:
    """What coefficients and effects are about: the higher value, or the top level."""
    sign = "=" if problem.family == "logit" else "≥"
    return f"{problem.outcome} {sign} {word(problem.answers.levels[-1])}"


def _level_table(problem: Problem) -> pd.DataFrame:
    """A row per group and level: how many gave it, and their weighted share."""
    answers, groups = problem.answers, problem.groups
    size, levels = len(groups.domains), len(answers.levels)
    total = answers.weighted.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        share = answers.weighted / total
    labels = {name: [d[i] for d in groups.domains for _ in range(levels)] for i, name in enumerate(groups.by)}
    figures = {"level": np.tile(answers.levels, size), "n": answers.count.ravel(), "share": share.ravel()}
    return pd.DataFrame(labels | figures)
