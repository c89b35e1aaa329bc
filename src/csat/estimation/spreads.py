"""Variances and standard deviations of answers, with their own standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from csat.estimation.answers import values_of
from csat.moments import Groups, Recode, Source, as_names, first_moments, group_names, source_of
from csat.replicates import Statistic
from csat.results import Estimates
from csat.variance import Combined, by_domain, describe, domain_covariance, mean_scores
from csat.within import scaled


def var(
    source: Source, names: str | Sequence[str], by: str | Sequence[str] | None = None, *, level: float = 0.95
) -> Estimates:
    """Weighted variances of the answers, each over everyone who answered.

    The variance is the weighted mean of (x − x̄)² times n/(n − 1), as in R (`svyvar`). It is a function of the
    means of x and x², so their joint covariance gives that of all variances (linearisation).

    Parameters
    ----------
    source : a survey.
    names : items or number columns.
    by : grouping columns.
    level : of the intervals.

    Returns
    -------
    Estimates
        In squared units of the answers.

    Raises
    ------
    SampleError
        If a column holds categories, or the source has no rows.
    """
    source = source_of(source)
    groups, combined = _variances(source, as_names(names), group_names(by))
    return by_domain(combined, groups, as_names(names), "scale²", level)


def sd(
    source: Source, names: str | Sequence[str], by: str | Sequence[str] | None = None, *, level: float = 0.95
) -> Estimates:
    """Weighted standard deviations of the answers; parameters and formula are those of `var`.

    The standard error is that of the variance over twice the standard deviation; where everyone answered the
    same there is none.
    """
    source = source_of(source)
    groups, variance = _variances(source, as_names(names), group_names(by))
    estimate = np.sqrt(variance.estimate)
    with np.errstate(divide="ignore"):
        slope = np.where(estimate > 0, 0.5 / estimate, np.nan)
    combined = Combined(estimate, scaled(variance.vcov, slope), variance.n, variance.n_eff, variance.df)
    return by_domain(combined, groups, as_names(names), "scale", level)


def _variances(source: Source, names: tuple[str, ...], by: tuple[str, ...]) -> tuple[Groups, Combined]:
    answers = [values_of(source, name) for name in names]
    centre = source.groups(list(names)).moments().mean
    variables = [
        *(_power(name, values, c, 1) for name, values, c in zip(names, answers, centre, strict=True)),
        *(_power(name, values, c, 2) for name, values, c in zip(names, answers, centre, strict=True)),
    ]
    groups = source.groups(variables, by, "available")
    found, k = describe(groups), len(names)
    n = found.n[:, :k]
    with np.errstate(divide="ignore", invalid="ignore"):
        fair = np.where(n > 1, n / (n - 1), np.nan)

    def again(at: slice) -> Statistic:
        return lambda totals: _from_powers(groups.midpoint + _means_of(totals, 2 * k, groups.rule)) * fair[at]

    vcov = domain_covariance(groups, _scores(groups, found.mean, fair), again)
    variance = np.maximum(_from_powers(found.mean), 0.0) * fair
    df = found.df[:, :k].ravel()
    return groups, Combined(variance.ravel(), vcov, n.ravel(), np.full(n.size, np.nan), df)


def _means_of(totals: np.ndarray, k: int, rule: str) -> np.ndarray:
    """(…, k) means, around the midpoints, from (…, p) totals."""
    answered, sums = first_moments(totals[..., None, :], k, rule)
    return sums / answered


def _from_powers(mean: np.ndarray) -> np.ndarray:
    """(…, k) mean squares about the mean from (…, 2k) means of first and second powers."""
    first, second = np.split(mean, 2, axis=-1)
    return second - first**2


def _scores(groups: Groups, mean: np.ndarray, fair: np.ndarray) -> np.ndarray:
    """(D, k, p) gradients of the variances by the totals Σ w·z of each domain."""
    both = mean.shape[1]
    answered, _ = first_moments(groups.over_domains(groups.gram), both, groups.rule)
    share = np.divide(1.0, answered, out=np.zeros_like(answered), where=answered > 0)
    of_means = mean_scores(np.nan_to_num(mean - groups.midpoint), share, groups.rule)
    first = np.nan_to_num(mean[:, : both // 2])
    slopes = np.concatenate([_diagonals(-2 * first * fair), _diagonals(fair)], axis=2)
    return slopes @ of_means


def _power(name: str, values: Sequence[Any], centre: float, power: int) -> Recode:
    """(x − centre)^power, from its values."""
    return Recode(f"{name}^{power}", name, {value: (value - centre) ** power for value in values})


def _diagonals(values: np.ndarray) -> np.ndarray:
    """(D, k, k) diagonal matrices of (D, k) values."""
    return values[:, :, None] * np.eye(values.shape[1])
