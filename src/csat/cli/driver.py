"""The verb ``csat drivers``: which analyses with which options, and what is left out where data do not allow it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csat.cli.options import DRIVER_TABLES, USUAL_REPLICATES, USUAL_TABLES
from csat.cli.shell import Asked, each, in_shell
from csat.errors import OptionError, SampleError

#: A result and the kind of table that it is shown as.
Shown = tuple[Any, str | None]


@dataclass(frozen=True, slots=True)
class Question:
    """What drives what, in one group of respondents."""

    part: Asked
    outcome: Any
    drivers: Sequence[Any]
    asked: argparse.Namespace


def drivers(asked: argparse.Namespace) -> None:
    """Show the tables asked for, group by group."""
    _check_usage(asked)
    each(asked, lambda part: _tables(_question(part, asked)))


def _check_usage(asked: argparse.Namespace) -> None:
    """End with the exit code of wrong usage where options contradict each other."""
    wrong = None
    if not asked.enter < asked.remove:
        wrong = f"--enter {asked.enter:g} --remove {asked.remove:g}: 0 < enter < remove ≤ 1 is needed"
    elif asked.family != "linear" and "diagnosis" in (asked.tables or ()) and len(asked.tables) < len(DRIVER_TABLES):
        wrong = f"--tables diagnosis is about the linear regression: leave it out, or --family {asked.family}"
    if wrong is not None:
        sys.stderr.write(f"csat drivers: error: {wrong}\n")
        raise SystemExit(2)


def _outcome(part: Asked, text: str) -> Any:
    """The outcome named; COLUMN=VALUE is 1 for those who gave the value and 0 for the others."""
    from csat.drivers.categories.outcomes import word
    from csat.moments import Recode

    column, sign, value = text.partition("=")
    if not sign or text in part.survey.columns:
        return text
    column, value = column.strip(), value.strip()
    levels = part.survey.levels([column]).levels[0]
    names = [level if isinstance(level, str) else word(float(level)) for level in levels]
    if value not in names:
        raise OptionError.choose(f"value of {column!r} in --outcome", value, names)
    return Recode(
        f"{column}={value}", column, {level: float(name == value) for level, name in zip(levels, names, strict=True)}
    )


def _question(part: Asked, asked: argparse.Namespace) -> Question:
    study = part.study
    outcome, terms = asked.outcome or study.outcome, asked.drivers or study.processes
    if outcome is None or not terms:
        raise OptionError(
            f"{asked.study} names no outcome or no processes; add outcome = … to [study] and a [processes] table, "
            "or name them: --outcome CODE --drivers CODE,CODE."
        )
    return Question(part, _outcome(part, outcome), list(terms), asked)


def _tables(question: Question) -> list[Shown]:
    """The tables; usual ones that these drivers do not allow are left out with a note, unless asked for by name.

    ``--tables all`` names none: what these drivers do not allow is left out.
    """
    asked = question.asked
    shown: list[Shown] = []
    problems: dict[str, OptionError | SampleError] = {}
    for name in asked.tables or USUAL_TABLES:
        try:
            shown += ANALYSES[name](question)
        except (OptionError, SampleError) as problem:
            if asked.tables and len(asked.tables) < len(DRIVER_TABLES):
                raise
            problems[name] = problem
    if problems and not shown:
        raise next(iter(problems.values()))
    for name, why in problems.items():
        sys.stderr.write(f"csat: note: {name} is left out: {in_shell(str(why), asked)}\n")
    return shown


def _importance(question: Question) -> list[Shown]:
    from csat.drivers import importance

    asked = question.asked
    found = importance(question.part.survey, question.outcome, question.drivers, method=asked.method, level=asked.level)
    return [(found, None)]


def _ipa(question: Question) -> list[Shown]:
    from csat.drivers import ipa

    asked = question.asked
    found = ipa(
        question.part.survey, question.outcome, question.drivers, importance=asked.method, cut=asked.cut,
        level=asked.level,
    )  # fmt: skip
    return [(found, None), *([] if found.potential is None else [(found, "priorities")])]


def _regression(question: Question) -> list[Shown]:
    from csat.drivers import regress

    asked = question.asked
    how = {"family": asked.family, "se": asked.se, "level": asked.level}
    found = regress(question.part.survey, question.outcome, question.drivers, **how)
    several = len(set(found.owner) - {""}) < sum(bool(owner) for owner in found.owner)
    kinds = [None, *(["terms"] if several else []), *(["effects"] if asked.family != "linear" else [])]
    return [(found, kind) for kind in kinds]


def _stepwise(question: Question) -> list[Shown]:
    from csat.drivers import stepwise

    asked = question.asked
    how = {"rule": asked.rule, "direction": asked.direction, "enter": asked.enter, "remove": asked.remove}
    how |= {"se": asked.se, "level": asked.level, "seed": asked.seed}

    def select(replicates: int) -> Any:
        return stepwise(question.part.survey, question.outcome, question.drivers, replicates=replicates, **how)

    wanted = USUAL_REPLICATES if asked.replicates is None else asked.replicates
    try:
        found = select(wanted)
    except SampleError:
        # Replicates of a small sample may leave nothing to select from, where the sample itself does.
        if asked.replicates is not None:
            raise
        found = select(0)
    kinds = [None, *([] if found.final is None else ["final"]), *([] if found.stability is None else ["stability"])]
    return [(found, kind) for kind in kinds]


def _penalty(question: Question) -> list[Shown]:
    from csat.drivers import reward_penalty

    how = {"se": question.asked.se, "level": question.asked.level}
    return [(reward_penalty(question.part.survey, question.outcome, question.drivers, **how), None)]


def _subsets(question: Question) -> list[Shown]:
    from csat.drivers import best_subsets

    rule = question.asked.rule
    criterion = "adjr2" if rule == "p" else rule
    return [(best_subsets(question.part.survey, question.outcome, question.drivers, criterion=criterion), None)]


def _diagnosis(question: Question) -> list[Shown]:
    from csat.drivers import diagnose

    if question.asked.family != "linear":
        raise OptionError(f"it is about the linear regression, not family='{question.asked.family}'.")
    found = diagnose(question.part.survey, question.outcome, question.drivers, level=question.asked.level)
    return [(found, None), (found, "flagged")]


ANALYSES: Mapping[str, Callable[[Question], list[Shown]]] = dict(
    zip(
        DRIVER_TABLES,
        (_importance, _ipa, _regression, _stepwise, _penalty, _subsets, _diagnosis),
        strict=True,
    )
)
