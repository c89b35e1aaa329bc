"""Table of a fuzzy evaluation: membership in each grade, score, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.base import Base, judge
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named, objects
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation


def names_of_groups(tidy: pd.DataFrame) -> list[str]:
    """Columns that say which group a row belongs to: those between ``term`` and ``kind``."""
    return groups_of(tidy, "kind")


def evaluation(result: Evaluation, names: Names) -> Table:
    """One row per node and group: membership, score, where it lies among the grades."""
    return _table(result, result.tidy(), names)


def summary(result: Evaluation, names: Names) -> Table:
    """The same without the items."""
    tidy = result.tidy()
    return _table(result, tidy[tidy["kind"] != "item"], names)


def _table(result: Evaluation, tidy: pd.DataFrame, names: Names) -> Table:
    groups, grades = names_of_groups(tidy), result.grades
    frame = named(tidy, groups, names)
    frame["verdict"] = objects([_verdict(row, names) for row in tidy.to_dict("records")])
    n = ("n",)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        *(Show(grade, "percent", n, names.grade(grade)) for grade in grades),
        Show("score", "score", n, marked=True),
        *(interval(level_of(result), n) if "low" in tidy else []),
        Show("verdict"),
        Show("n", "count"),
    ]
    return describe("evaluation", Word("title.evaluation"), frame, shows, names.lang, label="term")


def _verdict(row: dict[Any, Any], names: Names) -> Word | str:
    hidden = judge(float(row["n"])) is Base.SUPPRESSED
    if hidden or not isinstance(row["upper"], str) or not isinstance(row["lower"], str):
        return "–"
    return names.verdict(row["upper"], row["lower"])
