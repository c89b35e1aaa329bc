"""Tables of a fuzzy evaluation: membership in each grade, score, verdict and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.description import Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named, objects
from csat.report.tables.evaluation_notes import node, probability_notes, scale_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation

N = ("n",)


def names_of_groups(tidy: pd.DataFrame) -> list[str]:
    """Columns that say which group a row belongs to: those between ``term`` and ``kind``."""
    return groups_of(tidy, "kind")


def evaluation(result: Evaluation, names: Names) -> Table:
    """One row per node and group: memberships, score, where it lies among the grades, how sure the verdict is."""
    return _table(result, worded(result, names), names)


def summary(result: Evaluation, names: Names) -> Table:
    """The same without the items."""
    frame = worded(result, names)
    return _table(result, frame[frame["kind"] != "item"], names)


def _table(result: Evaluation, frame: pd.DataFrame, names: Names) -> Table:
    groups = names_of_groups(frame)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        *(Show(grade, "percent", N, names.grade(grade)) for grade in result.grades),
        fuzzy("strongest", base=N),
        *_probability(result),
        *_score(result),
        *counted(frame),
    ]
    notes = [
        *scale_notes(result, names), *probability_notes(result, frame, names, decisive=True), *base_notes(frame),
    ]  # fmt: skip
    title = Word("title.evaluation")
    return describe("evaluation", title, frame, shows, names, groups=groups, label="term", notes=notes)


def verdicts(result: Evaluation, names: Names) -> Table:
    """What the memberships of each node say, read in every way: maximum, effectiveness, score, value, closeness."""
    frame = worded(result, names)
    groups = names_of_groups(frame)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        fuzzy("strongest", base=N),
        *_probability(result),
        fuzzy("effectiveness", "score", N),
        fuzzy("effective", base=N),
        fuzzy("characteristic", "score", N),
        fuzzy("closest", base=N),
        *_score(result),
        *counted(frame),
        *([fuzzy("left_out", "count")] if counted(frame) else []),
    ]
    notes = [
        Word("fuzzy.note.readings"), *scale_notes(result, names), *probability_notes(result, frame, names),
        *base_notes(frame),
    ]  # fmt: skip
    title = Word("fuzzy.title.verdicts")
    return describe("verdicts", title, frame, shows, names, groups=groups, label="term", notes=notes)


def memberships(result: Evaluation, names: Names) -> Table:
    """A row per node and grade: membership with its interval, and the probability that it is the verdict."""
    tidy = result.tidy().rename(columns={"node": "term"})
    groups = names_of_groups(tidy)
    frame = nodes_named(tidy, groups, names)
    frame["level"] = frame["grade"]
    frame["grade"] = [names.grade(grade) for grade in frame["grade"]]
    drawn = bool(result.replicates)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        fuzzy("grade"),
        fuzzy("membership", "percent", N, marked=True),
        *([Show("se", "percent", N), *interval(level_of(result), N, "percent")] if drawn else []),
        *([fuzzy("probability", "chance", N)] if drawn else []),
        *counted(frame),
    ]
    notes = [*scale_notes(result, names), *probability_notes(result, frame, names), *base_notes(frame)]
    title = Word("fuzzy.title.memberships")
    return describe("memberships", title, frame, shows, names, groups=groups, label="term", notes=notes)


def worded(result: Evaluation, names: Names) -> pd.DataFrame:
    """`verdicts()` with strongest and closest grade, decision, effectiveness and place of the score in words."""
    tidy = result.verdicts()
    frame = nodes_named(tidy, names_of_groups(tidy), names)
    records = tidy.to_dict("records")
    frame["strongest"] = [grade_text(grade, names) for grade in tidy["verdict"]]
    frame["closest"] = [grade_text(grade, names) for grade in tidy["closest"]]
    frame["effective"] = objects([Word(f"fuzzy.effective.{word}") if word else "–" for word in tidy["effective"]])
    frame["reading"] = objects([decision(row) for row in records])
    frame["between"] = objects([place(row, names) for row in records])
    return frame


def nodes_named(tidy: pd.DataFrame, groups: list[str], names: Names) -> pd.DataFrame:
    """As `named`; the root over typed-in or chosen factors, which no questionnaire knows, has a name too."""
    frame = named(tidy, groups, names)
    frame["term"] = objects([node(code, names) for code in tidy["term"]])
    return frame


def grade_text(code: str, names: Names) -> str:
    """Text of a grade; a dash for none."""
    return names.grade(code) if code else "–"


def decision(row: dict[Any, Any]) -> Word:
    """Whether a verdict is sure enough."""
    if row["tied"]:
        return Word("fuzzy.tied")
    if np.isnan(row["probability"]):
        return Word("fuzzy.not_drawn")
    return Word("fuzzy.sure" if row["decided"] else "fuzzy.close")


def place(row: dict[Any, Any], names: Names) -> Word | str:
    """Where a score lies among the grades."""
    if not (row["upper"] and row["lower"]):
        return "–"
    return names.verdict(row["upper"], row["lower"])


def fuzzy(name: str, kind: Kind = "text", base: tuple[str, ...] = (), *, marked: bool = False) -> Show:
    """A column headed by a word of the fuzzy evaluation."""
    return Show(name, kind, base, Word(f"fuzzy.column.{name}"), marked)


def counted(frame: pd.DataFrame) -> list[Show]:
    """The column of respondents, if these are known."""
    return [fuzzy("n", "count")] if frame["n"].notna().any() else []


def base_notes(frame: pd.DataFrame) -> list[Word]:
    """What the respondents of a node are, if these are known."""
    return [Word("note.node_base")] if counted(frame) else []


def _probability(result: Evaluation) -> list[Show]:
    return [fuzzy("probability", "chance", N), fuzzy("reading", base=N)] if result.replicates else []


def _score(result: Evaluation) -> list[Show]:
    """The score, its interval and the grades around it, where grades have scores."""
    if not np.isfinite(result.grade_scores).all():
        return []
    ends = interval(level_of(result), N) if np.isfinite(result.score.se).any() else []
    return [Show("score", "score", N, marked=True), *ends, Show("between", base=N, heading=Word("column.score_place"))]
