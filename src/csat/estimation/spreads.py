"""Variances and standard deviations of answers, with their own standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from csat.estimation.answers import values_of
from csat.moments import Groups, Recode, Source, as_names
from csat.results import Estimates
from csat.variance import Combined, by_domain, means


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
    groups, combined = _variances(source, as_names(names), as_names(by))
    return by_domain(combined, groups, as_names(names), "scale²", level)


def sd(
    source: Source, names: str | Sequence[str], by: str | Sequence[str] | None = None, *, level: float = 0.95
) -> Estimates:
    """Weighted standard deviations of the answers; parameters and formula are those of `var`.

    The standard error is that of the variance over twice the standard deviation; where everyone answered the
    same there is none.
    """
    groups, variance = _variances(source, as_names(names), as_names(by))
    estimate = np.sqrt(variance.estimate)
    with np.errstate(divide="ignore"):
        slope = np.where(estimate > 0, 0.5 / estimate, np.nan)
    vcov = variance.vcov * slope[:, None] * slope
    combined = Combined(estimate, vcov, variance.n, variance.n_eff, variance.df)
    return by_domain(combined, groups, as_names(names), "scale", level)


def _variances(source: Source, names: tuple[str, ...], by: tuple[str, ...]) -> tuple[Groups, Combined]:
    answers = [values_of(source, name) for name in names]
    centre = source.groups(list(names)).moments().mean
    variables = [
        *(_power(name, values, c, 1) for name, values, c in zip(names, answers, centre, strict=True)),
        *(_power(name, values, c, 2) for name, values, c in zip(names, answers, centre, strict=True)),
    ]
    groups = source.groups(variables, by, "available")
    found, k = means(groups), len(names)
    n = found.n[:, :k]
    with np.errstate(divide="ignore", invalid="ignore"):
        fair = np.where(n > 1, n / (n - 1), np.nan)
    first, second = found.mean[:, :k], found.mean[:, k:]
    slopes = np.concatenate([_diagonals(-2 * first * fair), _diagonals(fair)], axis=2)
    size = n.size
    vcov = np.einsum("dqk,dkel,erl->dqer", slopes, found.vcov, slopes).reshape(size, size)
    variance = np.maximum(second - first**2, 0.0) * fair
    return groups, Combined(variance.ravel(), vcov, n.ravel(), np.full(size, np.nan), found.df)


def _power(name: str, values: Sequence[Any], centre: float, power: int) -> Recode:
    """(x − centre)^power, from its values."""
    return Recode(f"{name}^{power}", name, {value: (value - centre) ** power for value in values})


def _diagonals(values: np.ndarray) -> np.ndarray:
    """(D, k, k) diagonal matrices of (D, k) values."""
    return values[:, :, None] * np.eye(values.shape[1])
