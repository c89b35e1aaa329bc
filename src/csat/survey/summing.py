"""`summarise`: from the rows of a survey to the sums that its analyses need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from csat.design import Design, Replication
from csat.errors import OptionError
from csat.moments import (
    Everywhere,
    Groups,
    RowSource,
    Summary,
    Variable,
    WeightScores,
    answer_sums,
    as_names,
    as_variables,
    columns_of,
    group_names,
    joined_units,
    one_name,
    shown,
    source_of,
    term_of,
)
from csat.questionnaire import Questionnaire
from csat.replicates import unit_of_row
from csat.survey.rows import Survey

#: Column of the random groups of respondents.
RANDOM = "random group"
#: Without a questionnaire, numbers with more different answers than these are amounts, not answers on a scale.
MOST_ANSWERS = 20


def summarise(
    source: RowSource,
    items: Sequence[Variable] | None = None,
    by: str | Sequence[str] | None = None,
    *,
    sets: Mapping[str, Any] | None = None,
    levels: Sequence[str] | None = None,
    units: int | None = None,
) -> Summary:
    """Sum a survey up so that its analyses can be rerun without the respondents.

    Parameters
    ----------
    source : a survey.
    items : variables whose means and joint moments are kept; None: all scaled questions, without a questionnaire all
        numbers.
    by : all columns that a method may later group by (hall, quarter, brand …); each may use some of them.
    sets : name → what methods of complete answers (regressions, models) will need together: a list of variables, a
        `Model`, or ``{"outcome": …, "drivers": […]}``. None: the index tree's items, the study's outcome and
        processes, and its model.
    levels : items and columns of categories whose single answers are counted, for shares, boxes, quantiles and
        memberships; None: all items with levels, without a questionnaire those with at most 20 different answers.
    units : joins the sampling units of each stratum, or the respondents where there are none, to so many random groups
        that follow from their labels or ids, the same in every file. Cells then rest on more respondents, and what
        needs sampling units (regressions, robust tests, bootstraps) has them. A finite population correction is given
        up, so that standard errors err to the safe side. None: the units of the design.

    Returns
    -------
    Summary
        A source for every method that needs no single rows. ``summary.save(path)`` writes it as one file.

    Raises
    ------
    OptionError
        For arguments that make no sense, or a source that is a summary already.
    UnknownColumnError, SampleError
        For columns that do not exist or hold no numbers; for more sums than can be kept.

    Notes
    -----
    Each set and each kind of sums is one pass over the rows. Random groups: Wolter (2007), Introduction to Variance
    Estimation, chapter 2.
    """
    answers, groupers = _survey(source), group_names(by)
    _check_units(units)
    random = units is not None and _design(answers).psu is None
    answers = _in_random_groups(answers) if random else answers
    design = _design(answers)
    wanted = _items(answers, design, groupers) if items is None else as_variables(items)
    if not wanted:
        raise OptionError("items: no variable is named, and the survey has no scaled question or number.")
    everyone = answers.groups(wanted, groupers, "available")
    listed = {name: _complete(answers, design, part, groupers) for name, part in _sets(answers, sets).items()}
    counted = _counted(answers, wanted) if levels is None else list(as_names(levels, "levels"))
    counted += [column for column in _categories(answers, listed.values()) if column not in counted]
    totals = answer_sums(answers, everyone, counted, (design.stratum, design.psu)) if counted else None
    summary = Summary(everyone, listed, totals, answers.questionnaire, replace(design, calibration=None))
    return summary if units is None else _joined(summary, units, random)


def _joined(summary: Summary, units: int, random: bool) -> Summary:
    """The summary with fewer sampling units."""
    answers = summary.answers
    return replace(
        summary,
        everyone=joined_units(summary.everyone, units, random=random),
        sets={name: joined_units(part, units, random=random) for name, part in summary.sets.items()},
        answers=None if answers is None else replace(answers, sums=joined_units(answers.sums, units, random=random)),
        design=replace(summary.design, psu=RANDOM) if random else summary.design,
    )


def _survey(source: Any) -> RowSource:
    found = source_of(source)
    if not isinstance(found, RowSource):
        raise OptionError(f"source: the rows of a survey are needed; {type(found).__name__} is a summary already.")
    return found


def _design(source: RowSource) -> Design:
    return getattr(source, "design", Design())


def _in_random_groups(source: RowSource) -> RowSource:
    """The source with numbered random groups of respondents as sampling units, which follow from their ids."""
    identity = None if source.questionnaire is None else source.questionnaire.column_of_kind("id")
    if identity is None or identity not in getattr(source, "columns", ()):
        raise OptionError(
            "units joins respondents to random groups by their ids: the questionnaire needs a column of kind 'id' that "
            "is in the data, or the design a sampling unit: csat.Design(psu=…)."
        )
    if not isinstance(source, Survey):
        drawn: Any = source.replicated(Replication("subbootstrap"))  # puts them into groups; the draws are not needed
        return replace(drawn, design=replace(drawn.design, replication=None))
    if RANDOM in source.columns:
        raise OptionError(f"units adds a column {RANDOM!r}, but the data have one; rename it.")
    group = pa.array(unit_of_row(source.table.column(identity).combine_chunks())).cast(pa.string())
    return replace(
        source, table=source.table.append_column(RANDOM, group), design=replace(source.design, psu=RANDOM, fpc=None)
    )


def _check_units(units: Any) -> None:
    if units is None:
        return
    if not isinstance(units, int) or isinstance(units, bool) or units < 2:
        raise OptionError(f"units: a whole number of random groups per stratum, 2 or more; found {shown(units)}.")


def _complete(source: RowSource, design: Design, variables: list[Variable], by: tuple[str, ...]) -> Groups:
    """Moments of complete respondents; with what effective sizes and likelihoods need, where weights are unequal."""
    if design.weight is None or design.replication is not None:
        return source.groups(variables, by, "listwise")
    found = source.score_groups(variables, by, Everywhere(WeightScores()), "listwise")
    second = None if found.second is None else replace(found.second, score_sums=None, score_squares=None)
    return replace(found, score_squares=None, second=second)


def _items(source: RowSource, design: Design, by: Sequence[str]) -> list[Variable]:
    """All scaled questions, or all numbers that have no other role."""
    numbers: tuple[str, ...] = getattr(source, "numbers", ())
    asked = source.questionnaire
    if asked is not None and asked.codes:
        return [code for code in asked.codes if code in numbers]
    return [name for name in numbers if name not in design.columns and name not in by]


def _counted(source: RowSource, items: Sequence[Variable]) -> list[str]:
    """The items whose answers are on a scale of few levels."""
    asked = source.questionnaire
    columns = [name for name in items if isinstance(name, str)]
    if asked is not None:
        return [name for name in columns if name in asked.codes and asked.scale_of(name).levels]
    found = source.levels(columns)
    return [name for name, levels in zip(columns, found.levels, strict=True) if len(levels) <= MOST_ANSWERS]


def _categories(source: RowSource, sets: Iterable[Groups]) -> list[str]:
    """Columns of categories that the sets have recoded: methods look their levels up."""
    numbers: Sequence[str] = getattr(source, "numbers", ())
    columns = [column for part in sets for variable in part.variables for column in columns_of(variable)]
    return [column for column in dict.fromkeys(columns) if column not in numbers]


def _sets(source: RowSource, sets: Any) -> dict[str, list[Variable]]:
    if sets is None:
        return {} if source.questionnaire is None else _usual_sets(source, source.questionnaire)
    if not isinstance(sets, Mapping):
        raise OptionError(f"sets: names and what belongs to each, e.g. sets={{'drivers': […]}}; found {shown(sets)}.")
    return {one_name(name, "sets"): _variables(source, asked) for name, asked in sets.items()}


def _variables(source: RowSource, asked: Any) -> list[Variable]:
    """The variables of a set."""
    from csat.drivers.terms import terms_of
    from csat.model import Model

    if isinstance(asked, Model):
        return list(asked.observed)
    if isinstance(asked, Mapping):
        if set(asked) != {"outcome", "drivers"}:
            raise OptionError(f"sets: a regression is {{'outcome': …, 'drivers': […]}}; found {shown(asked)}.")
        return list(terms_of(source, asked["outcome"], asked["drivers"]).variables)
    return as_variables(asked)


def _usual_sets(source: RowSource, asked: Questionnaire) -> dict[str, list[Variable]]:
    """What the study's own analyses ask for together, as far as the data have it."""
    from csat.model import Model

    drivers = [process.code for process in asked.processes]
    usual: dict[str, list[Any]] = {
        "index": list(asked.leaves) if asked.root is not None else [],
        "drivers": [*drivers, asked.outcome] if asked.outcome is not None and drivers else [],
        "model": [] if asked.model is None else list(Model(asked.model).observed),
    }
    known: Sequence[str] = getattr(source, "numbers", ())
    return {
        name: list(dict.fromkeys(variables))
        for name, variables in usual.items()
        if variables and all(term_of(variable) in known for variable in variables)
    }
