"""Means, totals and ratios, by group and with their design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.errors import SampleError, check_choice
from csat.moments import RULES, Groups, Source, Variable, as_variables, group_names, one_name, source_of, term_of
from csat.results import Estimates
from csat.variance import Combined, by_domain, degrees_of_freedom, domain_covariance, estimated_means, totals_covariance
from csat.within import blanked


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
        With the joint covariance of all rows; ``contrast`` gives differences with their standard errors. Of thousands
        of groups only the covariance within each group is kept.
    """
    source = source_of(source)
    check_choice("rule", rule, RULES)
    variables = as_variables(names)
    groups, _, combined = estimated_means(source, variables, group_names(by), np.eye(len(variables)), rule=rule)
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
    source = source_of(source)
    check_choice("rule", rule, RULES)
    variables, groupers = as_variables(names), group_names(by)
    groups = source.groups(variables, groupers, rule)
    linear = _to_values(groups)
    estimate = (groups.over_domains(groups.gram[:, 0, :]) @ linear.T).ravel()
    scores = np.repeat(linear[None], len(groups.domains), axis=0)
    vcov = domain_covariance(groups, scores)
    n = groups.over_domains(groups.counts).ravel()
    combined = Combined(
        np.where(n > 0, estimate, np.nan),
        blanked(vcov, n < 2),
        n,
        np.full(len(n), np.nan),
        degrees_of_freedom(groups).ravel(),
    )
    return by_domain(combined, groups, [term_of(v) for v in variables], "total", level)


def totals(groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """(D, k) weighted totals of every variable in every domain, and their (D, k, D, k) covariance."""
    linear = _to_values(groups)
    total = groups.over_domains(groups.gram[:, 0, :]) @ linear.T
    return total, totals_covariance(groups, np.repeat(linear[None], len(total), axis=0))


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
    source = source_of(source)
    numerator = one_name(numerator, "numerator")
    denominator = one_name(denominator, "denominator")
    groups = source.groups([numerator, denominator], group_names(by), "listwise")
    linear = _to_values(groups)
    above, below = (groups.over_domains(groups.gram[:, 0, :]) @ linear.T).T
    if (below == 0).any():
        raise SampleError(f"The total of {denominator!r} is zero in a group: a ratio to it does not exist.")
    estimate = above / below
    scores = (linear[0] - estimate[:, None] * linear[1]) / below[:, None]

    def again(totals: np.ndarray) -> np.ndarray:
        both = totals @ linear.T
        return both[..., :1] / both[..., 1:]

    vcov = domain_covariance(groups, scores[:, None, :], lambda _: again)
    df = degrees_of_freedom(groups).min(axis=1)
    combined = Combined(estimate, vcov, groups.over_domains(groups.n), np.full(len(estimate), np.nan), df)
    return by_domain(combined, groups, [f"{numerator}/{denominator}"], "ratio", level)
