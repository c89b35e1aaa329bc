"""Plain survey estimates: means, totals, shares, ratios, net promoter score, by group and with their design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from csat.errors import SampleError, UnknownColumnError
from csat.moments import Groups, Recode, Source, Variable, as_names, as_variables, term_of
from csat.results import Estimates
from csat.variance import Combined, by_domain, combine, means, stratified


def mean(
    source: Source,
    names: str | Sequence[Variable],
    by: str | Sequence[str] | None = None,
    *,
    rule: str = "available",
    level: float = 0.95,
) -> Estimates:
    """Weighted means in the units of the answers.

    Parameters
    ----------
    source : survey or summary.
    names : one or more variables.
    by : one or more grouping columns; a row per group and variable.
    rule : "available" (each variable over everyone who answered it) or "listwise" (over those who answered all).
    level : of the intervals, between 0 and 1.

    Returns
    -------
    Estimates
        With the joint covariance of all rows; ``contrast`` gives differences with their standard errors.
    """
    variables, groupers = as_variables(names), as_names(by)
    groups = source.groups(variables, groupers, rule)
    combined = combine(means(groups), np.eye(len(variables)))
    return by_domain(combined, groups, [term_of(v) for v in variables], "scale", level)


def total(
    source: Source,
    names: str | Sequence[Variable],
    by: str | Sequence[str] | None = None,
    *,
    rule: str = "available",
    level: float = 0.95,
) -> Estimates:
    """Weighted totals of the answers: Σ w·x over those who answered. Weights must add up to the population.

    Parameters are those of `mean`; `n_eff` is not defined for a total.
    """
    variables, groupers = as_variables(names), as_names(by)
    groups = source.groups(variables, groupers, rule)
    linear = _to_values(groups)
    sums = groups.gram[:, 0, :] @ linear.T
    squares = None if groups.square is None else linear @ groups.square @ linear.T
    size = len(groups.domains) * len(variables)
    vcov = stratified(groups, sums, squares).reshape(size, size)
    n = groups.over_domains(groups.counts).ravel()
    vcov[n < 2, :] = vcov[:, n < 2] = np.nan
    estimate = np.where(n > 0, groups.over_domains(sums).ravel(), np.nan)
    combined = Combined(estimate, vcov, n, np.full(size, np.nan), groups.df)
    return by_domain(combined, groups, [term_of(v) for v in variables], "total", level)


def _to_values(groups: Groups) -> np.ndarray:
    """(k, p) matrix that turns a sum of w·z into sums of w·x, in the units of the data."""
    k = len(groups.names)
    if groups.rule == "listwise":
        return np.hstack([groups.midpoint[:, None], np.eye(k)])
    return np.hstack([np.zeros((k, 1)), np.diag(groups.midpoint), np.eye(k)])


def share(
    source: Source,
    name: str,
    by: str | Sequence[str] | None = None,
    *,
    values: Sequence[Any] | None = None,
    level: float = 0.95,
) -> Estimates:
    """Weighted share of each answer among those who gave a valid one.

    Parameters
    ----------
    source : a survey.
    name : an item or a category column.
    by : grouping columns.
    values : the answers to list. None: every level of the scale, or every category found.
    level : of the intervals.

    Returns
    -------
    Estimates
        A row per group and answer; the answer is in the key column ``value``. Intervals are the plain t ones.
    """
    answers = list(answers_of(source, name))
    listed = answers if values is None else list(values)
    for value in listed:
        if value not in answers:
            raise UnknownColumnError.among(str(value), [str(a) for a in answers], f"the answers of {name!r}")
    variables = [Recode(f"{name}={v}", name, {a: float(a == v) for a in answers}) for v in listed]
    groupers = as_names(by)
    groups = source.groups(variables, groupers, "available")
    combined = combine(means(groups), np.eye(len(listed)))
    keys = {"value": tuple(listed) * len(groups.domains)}
    return by_domain(combined, groups, [name] * len(listed), "share", level, keys)


def nps(source: Source, name: str, by: str | Sequence[str] | None = None, *, level: float = 0.95) -> Estimates:
    """Net promoter score: per cent of 9–10 minus per cent of 0–6 on a 0–10 (or 1–10) item.

    Source: Reichheld (2003), Harvard Business Review 81(12), 46–54. Unit: points from −100 to 100.
    """
    answers = list(answers_of(source, name))
    if not answers or isinstance(answers[0], str) or min(answers) < 0 or max(answers) != 10:
        raise SampleError(f"The net promoter score needs a 0–10 (or 1–10) item; {name!r} has the answers {answers}.")
    variable = Recode(name, name, {a: 100.0 * ((a >= 9) - (a <= 6)) for a in answers})
    groups = source.groups([variable], as_names(by), "available")
    return by_domain(combine(means(groups), np.eye(1)), groups, [name], "NPS points", level)


def ratio(
    source: Source, numerator: str, denominator: str, by: str | Sequence[str] | None = None, *, level: float = 0.95
) -> Estimates:
    """Ratio of two weighted totals over those who answered both, e.g. complaints per customer contact."""
    groups = source.groups([numerator, denominator], as_names(by), "listwise")
    above, below = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    linear = _to_values(groups)
    sums = groups.gram[:, 0, :] @ linear.T
    totals = groups.over_domains(sums)
    if (totals @ below == 0).any():
        raise SampleError(f"The total of {denominator!r} is zero in a group: a ratio to it does not exist.")
    estimate = (totals @ above) / (totals @ below)
    scores = ((above - estimate[:, None] * below) / (totals @ below)[:, None])[groups.domain]
    squares = None
    if groups.square is not None:
        products = linear @ groups.square @ linear.T
        squares = np.einsum("ci,cij,cj->c", scores, products, scores)[:, None, None]
    size = len(estimate)
    vcov = stratified(groups, (scores * sums).sum(axis=1)[:, None], squares).reshape(size, size)
    n = groups.over_domains(groups.n)
    combined = Combined(estimate, vcov, n, np.full(size, np.nan), groups.df)
    return by_domain(combined, groups, [f"{numerator}/{denominator}"], "ratio", level)


def answers_of(source: Source, name: str) -> Sequence[Any]:
    """The possible answers of an item (its levels) or a category column (the labels found)."""
    if source.questionnaire is not None and name in source.questionnaire.codes:
        levels = source.questionnaire.scale_of(name).levels
        if levels:
            return levels
    categories = getattr(source, "categories", None)
    if categories is None:
        raise SampleError.needs_rows(f"The shares of {name!r}")
    return categories(name)
