"""Means, totals and ratios, by group and with their design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, Source, Variable, as_names, as_variables, term_of
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
    estimate, vcov = totals(groups)
    size = estimate.size
    vcov = vcov.reshape(size, size)
    n = groups.over_domains(groups.counts).ravel()
    vcov[n < 2, :] = vcov[:, n < 2] = np.nan
    combined = Combined(np.where(n > 0, estimate.ravel(), np.nan), vcov, n, np.full(size, np.nan), groups.df)
    return by_domain(combined, groups, [term_of(v) for v in variables], "total", level)


def totals(groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """(D, k) weighted totals of every variable in every domain, and their (D, k, D, k) covariance."""
    linear = _to_values(groups)
    sums = groups.gram[:, 0, :] @ linear.T
    squares = None if groups.square is None else linear @ groups.square @ linear.T
    return groups.over_domains(sums), stratified(groups, sums, squares)


def _to_values(groups: Groups) -> np.ndarray:
    """(k, p) matrix that turns a sum of w·z into sums of w·x, in the units of the data."""
    k = len(groups.names)
    if groups.rule == "listwise":
        return np.hstack([groups.midpoint[:, None], np.eye(k)])
    return np.hstack([np.zeros((k, 1)), np.diag(groups.midpoint), np.eye(k)])


def ratio(
    source: Source, numerator: str, denominator: str, by: str | Sequence[str] | None = None, *, level: float = 0.95
) -> Estimates:
    """Ratio of two weighted totals over those who answered both, e.g. complaints per customer contact."""
    groups = source.groups([numerator, denominator], as_names(by), "listwise")
    above, below = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    linear = _to_values(groups)
    sums = groups.gram[:, 0, :] @ linear.T
    both = groups.over_domains(sums)
    if (both @ below == 0).any():
        raise SampleError(f"The total of {denominator!r} is zero in a group: a ratio to it does not exist.")
    estimate = (both @ above) / (both @ below)
    scores = ((above - estimate[:, None] * below) / (both @ below)[:, None])[groups.domain]
    squares = None
    if groups.square is not None:
        products = linear @ groups.square @ linear.T
        squares = np.einsum("ci,cij,cj->c", scores, products, scores)[:, None, None]
    size = len(estimate)
    vcov = stratified(groups, (scores * sums).sum(axis=1)[:, None], squares).reshape(size, size)
    n = groups.over_domains(groups.n)
    combined = Combined(estimate, vcov, n, np.full(size, np.nan), groups.df)
    return by_domain(combined, groups, [f"{numerator}/{denominator}"], "ratio", level)
