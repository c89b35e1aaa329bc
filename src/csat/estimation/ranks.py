"""Rank tests between groups, for any design."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from csat.errors import OptionError, SampleError, check_choice
from csat.estimation.answers import numbers_only
from csat.estimation.differences import Difference, compared
from csat.estimation.ties import check_ties, row_midranks, sorted_rows
from csat.moments import Recode, Source, group_names, one_name, source_of
from csat.variance import by_domain, combine, means


def _itself(rank: np.ndarray) -> np.ndarray:
    return rank


def _normal(rank: np.ndarray) -> np.ndarray:
    from scipy.special import ndtri

    return ndtri(rank)


def _above(rank: np.ndarray) -> np.ndarray:
    return (rank > 0.5).astype(float)


#: Name → score of a rank between 0 and 1.
SCORES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "wilcoxon": _itself,
    "kruskal": _itself,
    "vanderwaerden": _normal,
    "median": _above,
}


def ranktest(
    source: Source,
    name: str,
    by: str | Sequence[str],
    *,
    kind: str = "wilcoxon",
    against: str | None = None,
    ties: str = "weight",
    level: float = 0.95,
) -> Difference:
    """Test whether the groups have the same distribution, by ranks: for answers without a fair unit.

    Every answer is replaced by its estimated rank in the population, between 0 and 1 (the share below it and half
    the share that equals it), scored, and the scores' means are compared as in `difference`.

    Parameters
    ----------
    source : a survey.
    name : an item or a number column.
    by : one or more grouping columns.
    kind : scores. "wilcoxon" or "kruskal": the rank itself (two groups: Wilcoxon–Mann–Whitney; more:
        Kruskal–Wallis); "vanderwaerden": its normal quantile; "median": 1 above one half, else 0.
    against : the group to compare with; None: the first.
    ties : "weight": the rank of an answer depends on its total weight. "rows": R's `svyranktest`, which averages
        over the rows with the same answer and so depends on their order if their weights differ.
    level : of the intervals.

    Returns
    -------
    Difference
        Differences of mean scores.

    Raises
    ------
    OptionError
        For an unknown kind.
    SampleError
        If fewer than two groups have two answers, or the column holds categories.

    Notes
    -----
    Source: Lumley & Scott (2013), Biometrika 100, 831–842.
    """
    source = source_of(source)
    against = None if against is None else one_name(against, "against")
    name = one_name(name, "name")
    check_choice("kind", kind, SCORES)
    check_ties(ties)
    groupers = group_names(by)
    if not groupers:
        raise OptionError("ranktest needs by=…: the column whose groups are compared.")
    values, rank = _ranks(source, name, groupers, ties)
    scored = Recode(name, name, dict(zip(values.tolist(), SCORES[kind](rank).tolist(), strict=True)))
    groups = source.groups([scored], groupers, "available")
    found = by_domain(combine(means(groups), np.eye(1)), groups, [name], "rank score", level)
    return compared(found, groups, groupers, against, "equal ranks")


def _ranks(source: Source, name: str, by: tuple[str, ...], ties: str) -> tuple[np.ndarray, np.ndarray]:
    """Answers given by members of the groups (m,), and their ranks between 0 and 1."""
    levels = source.levels([name], by)
    values = np.array(numbers_only(name, levels.levels[0]))
    weight = levels.weighted[0].sum(axis=0)
    order = np.argsort(values)
    given = order[weight[order] > 0]
    if not given.size:
        raise SampleError.too_few(f"A rank test of {name!r}", 0, 2)
    if ties == "weight":
        below = np.cumsum(weight[given]) - weight[given] / 2
    else:
        rows = sorted_rows(source, name, by)
        below = row_midranks(rows.value, rows.weight)
    return values[given], below / weight.sum()
