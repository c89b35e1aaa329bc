"""Shares of answers, boxes and the net promoter score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from csat.errors import OptionError, SampleError, UnknownColumnError, check_choice
from csat.estimation.answers import answers_of, scale_answers, values_of
from csat.estimation.intervals import INTERVALS, with_interval
from csat.moments import Recode, Source, as_names, group_names, one_name, shown, source_of
from csat.results import Estimates
from csat.variance import by_domain, estimated_means


def share(
    source: Source,
    name: str,
    by: str | Sequence[str] | None = None,
    *,
    values: Sequence[Any] | None = None,
    interval: str = "beta",
    level: float = 0.95,
) -> Estimates:
    """Weighted share of each answer among those who gave a valid one.

    Parameters
    ----------
    source : a survey.
    name : an item or a category column.
    by : grouping columns.
    values : the answers to list. None: every level of the scale, or every category found.
    interval : "beta" (Clopper–Pearson on the effective sample size: Korn & Graubard 1998; never leaves 0–1, right for
        rare answers, says something at 0 and 1), "wilson" (on the effective sample size), "logit" (also called
        "xlogit"), "asin", or "t" (share ± t·se, may leave 0–1).
    level : of the intervals.

    Returns
    -------
    Estimates
        A row per group and answer; the answer is in the key column ``value``. A ``contrast`` of shares has the
        plain t interval.

    Notes
    -----
    Source: Korn & Graubard (1998), Survey Methodology 24, 193–201; see `csat.estimation.intervals`.
    """
    source = source_of(source)
    check_choice("interval", interval, INTERVALS)
    name = one_name(name, "name")
    answers = list(answers_of(source, name))
    if not (values is None or isinstance(values, list | tuple)):
        raise OptionError(f"values: a list of answers is needed, e.g. values=[1, 2]; found {shown(values)}.")
    listed = answers if values is None else list(values)
    for value in listed:
        if value not in answers:
            raise UnknownColumnError.among(str(value), [str(a) for a in answers], f"the answers of {name!r}")
    variables = [Recode(f"{name}={v}", name, {a: float(a == v) for a in answers}) for v in listed]
    groups, _, combined = estimated_means(source, variables, group_names(by), np.eye(len(listed)))
    keys = {"value": tuple(listed) * len(groups.domains)}
    return with_interval(by_domain(combined, groups, [name] * len(listed), "share", level, keys), interval)


def box(
    source: Source,
    names: str | Sequence[str],
    by: str | Sequence[str] | None = None,
    *,
    top: int | None = None,
    bottom: int | None = None,
    levels: Sequence[float] | None = None,
    interval: str = "beta",
    level: float = 0.95,
) -> Estimates:
    """Weighted share of the respondents in the top (or bottom) box of an item.

    The customer effort score has no function of its own: it is ``mean(s, "effort")`` and, as the share that
    found it easy, ``box(s, "effort", levels=(5, 6, 7))`` on its 1–7 scale.

    Parameters
    ----------
    source : a survey.
    names : one or more items.
    by : grouping columns.
    top : the k best answers of the scale; 2 if nothing is said.
    bottom : the k worst answers.
    levels : the answers themselves, e.g. (9, 10).
    interval : see `share`.
    level : of the intervals.

    Returns
    -------
    Estimates
        A row per group and item; the answers of the box are in the key column ``box``.

    Raises
    ------
    OptionError
        If several of `top`, `bottom` and `levels` are given, or the scale has no such box.
    SampleError
        If `top` or `bottom` is asked of a column whose scale is not known.
    """
    source = source_of(source)
    check_choice("interval", interval, INTERVALS)
    listed, groupers = as_names(names), group_names(by)
    boxes = [_box_of(source, name, top, bottom, levels) for name in listed]
    variables = [
        Recode(name, name, {answer: float(answer in chosen) for answer in values_of(source, name)})
        for name, chosen in zip(listed, boxes, strict=True)
    ]
    groups, _, combined = estimated_means(source, variables, groupers, np.eye(len(listed)))
    keys = {"box": tuple(", ".join(f"{answer:g}" for answer in chosen) for chosen in boxes) * len(groups.domains)}
    return with_interval(by_domain(combined, groups, listed, "share", level, keys), interval)


def _box_of(
    source: Source, name: str, top: int | None, bottom: int | None, levels: Sequence[float] | None
) -> tuple[float, ...]:
    """The answers of the box, in the order of the scale."""
    for what, size in (("top", top), ("bottom", bottom)):
        if not (size is None or (isinstance(size, int) and not isinstance(size, bool))):
            raise OptionError(f"{what}: how many answers make the box, e.g. {what}=2; found {shown(size)}.")
    if sum(option is not None for option in (top, bottom, levels)) > 1:
        raise OptionError("A box is one of top=k, bottom=k or levels=[…]; several of them were given.")
    known = scale_answers(source, name)
    if levels is not None:
        for value in levels:
            if known is not None and value not in known:
                raise OptionError.choose(f"levels of {name!r}: value", value, [float(answer) for answer in known])
        return tuple(sorted(float(value) for value in levels))
    if known is None:
        raise SampleError(
            f"The scale of {name!r} is not known, so neither are its best and worst answers: "
            "read the survey with a questionnaire, or name the answers, e.g. levels=[9, 10]."
        )
    k = 2 if top is None and bottom is None else top if top is not None else bottom
    if k is None or not 1 <= k < len(known):
        raise OptionError(f"A box of {name!r} holds 1 to {len(known) - 1} of its {len(known)} answers; {k} were asked.")
    return tuple(known[:k] if bottom is not None else known[-k:])


def nps(source: Source, name: str, by: str | Sequence[str] | None = None, *, level: float = 0.95) -> Estimates:
    """Net promoter score: per cent of 9–10 minus per cent of 0–6 on a 0–10 (or 1–10) item.

    Source: Reichheld (2003), Harvard Business Review 81(12), 46–54. Unit: points from −100 to 100.
    """
    source = source_of(source)
    name = one_name(name, "name")
    answers = scale_answers(source, name) or source.levels([name]).levels[0]
    if not answers or isinstance(answers[0], str) or min(answers) < 0 or max(answers) != 10:
        raise SampleError(
            f"The net promoter score needs a 0–10 (or 1–10) item; {name!r} has the answers {list(answers)}."
        )
    variable = Recode(name, name, {a: 100.0 * ((a >= 9) - (a <= 6)) for a in answers})
    groups, _, combined = estimated_means(source, [variable], group_names(by), np.eye(1))
    return by_domain(combined, groups, [name], "NPS points", level)
