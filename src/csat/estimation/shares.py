"""Shares of answers, boxes and the net promoter score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from csat.errors import SampleError, UnknownColumnError
from csat.estimation.answers import answers_of
from csat.moments import Recode, Source, as_names
from csat.results import Estimates
from csat.variance import by_domain, combine, means


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
