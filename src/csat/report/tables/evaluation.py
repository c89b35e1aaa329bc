"""Table of a fuzzy evaluation: membership in each grade, score, verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named, objects
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation

N = ("n",)


def names_of_groups(tidy: pd.DataFrame) -> list[str]:
    """Columns that say which group a row belongs to: those between ``term`` and ``kind``."""
    return groups_of(tidy, "kind")


def evaluation(result: Evaluation, names: Names) -> Table:
    """One row per node and group: membership, score, where it lies among the grades."""
    return _table(result, result.verdicts(), names)


def summary(result: Evaluation, names: Names) -> Table:
    """The same without the items."""
    tidy = result.verdicts()
    return _table(result, tidy[tidy["kind"] != "item"], names)


def _table(result: Evaluation, tidy: pd.DataFrame, names: Names) -> Table:
    groups, grades = names_of_groups(tidy), result.grades
    frame = named(tidy, groups, names)
    frame["verdict"] = objects([_verdict(row, names) for row in tidy.to_dict("records")])
    shows = [
        *group_shows(groups, names),
        Show("term"),
        *(Show(grade, "percent", N, names.grade(grade)) for grade in grades),
        Show("score", "score", N, marked=True),
        *(interval(level_of(result), N) if "low" in tidy else []),
        Show("verdict", base=N),
        Show("n", "count"),
    ]
    notes = [*scale_notes(result, names), Word("note.node_base")]
    title = Word("title.evaluation")
    return describe("evaluation", title, frame, shows, names, groups=groups, label="term", notes=notes)


def scale_notes(result: Evaluation, names: Names) -> list[Word | str]:
    """How the evaluation was made, and whether its score may be held against the index."""
    made = Word(
        "note.evaluation",
        {"operator": Word(f"operator.{result.operator}"), "membership": Word(_membership(result.membership_kind))},
    )
    mean = [Word("note.of_mean")] if result.of == "mean" else []
    return [made, *mean, *([] if comparable(result, names) else [Word("note.fuzzy_scale")])]


def _membership(kind: str) -> str:
    return f"membership.{kind.replace(' ', '_')}"


def comparable(result: Evaluation, names: Names) -> bool:
    """Whether the score stands on the 0–100 of the index: answers keep their score, or have those of the grades."""
    asked = names.questionnaire
    if result.membership_kind == "triangular":
        return True
    if asked is None or not asked.leaves:
        return False
    scores = {grade.score for grade in asked.grades}
    return all(_on_grades(asked.scale_of(leaf), scores) for leaf in asked.leaves)


def _on_grades(scale: Any, scores: set[float]) -> bool:
    import numpy as np

    return bool(scale.levels) and set(np.round(scale.score(np.array(scale.levels, float)), 9).tolist()) <= scores


def _verdict(row: dict[Any, Any], names: Names) -> Word | str:
    if not isinstance(row["upper"], str) or not isinstance(row["lower"], str):
        return "–"
    return names.verdict(row["upper"], row["lower"])
