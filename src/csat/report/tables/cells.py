"""From a tidy frame to the rows of a `Table`: footnotes for what is missing, the rule for small bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.bases import Base, Bases
from csat.report.description import Cell, Column, Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.words import Word
from csat.results import REASONS

#: Columns of any tidy frame that are figures or marks about the row, not groups that it belongs to.
NOT_GROUPS = frozenset({"term", "kind", "depth", "parent", "level", "value", "unit"})


@dataclass(frozen=True, slots=True)
class Show:
    """How a tidy column appears.

    name : of the tidy column.
    kind : of its numbers.
    base : columns with the respondents that its figures rest on; empty: never suppressed.
    heading : a word or data; None = the catalogue's ``column.<name>``.
    marked : a small base puts its mark on this column.
    """

    name: str
    kind: Kind = "text"
    base: tuple[str, ...] = ()
    heading: Word | str | None = None
    marked: bool = False

    def column(self) -> Column:
        """Describe the column."""
        return Column(self.name, Word(f"column.{self.name}") if self.heading is None else self.heading, self.kind)


def describe(
    name: str,
    title: Word | str,
    frame: pd.DataFrame,
    shows: Sequence[Show],
    names: Names,
    *,
    groups: Sequence[str] = (),
    notes: Sequence[Word | str] = (),
    label: str | None = None,
) -> Table:
    """Build a table from a frame whose texts are already in the language of `names`.

    A column ``note`` explains the row's missing figures; a column ``depth`` indents the row's label; a column
    ``about <name>`` holds the footnotes of the column of that name. `groups` are columns whose rows add up to a
    total: a group that would give away a hidden one is withheld too; a page lets its readers choose among them.
    """
    records = frame.to_dict("records")
    bases = names.bases
    judged = {base: judge_rows(frame, base, groups, bases) for base in {show.base for show in shows}}
    depths = tuple(int(depth) for depth in frame["depth"]) if "depth" in frame else ()
    columns = [show.name for show in shows]
    return Table(
        name,
        title,
        tuple(show.column() for show in shows),
        tuple(
            tuple(_cell(record, show, judged[show.base][row], bases) for show in shows)
            for row, record in enumerate(records)
        ),
        names.lang,
        depths,
        tuple(notes),
        columns.index(label) if label in columns else 0,
        tuple(name for name in groups if name in columns),
    )


#: Columns that tell one figure of a group from another: groups add up within them.
WITHIN = ("code", "term", "expected", "level", "value", "period", "part")


def judge_rows(frame: pd.DataFrame, base: Sequence[str], groups: Sequence[str], bases: Bases) -> list[Base]:
    """Judge each row of a frame on its smallest base; rows of groups together with the other groups."""
    sizes = [smallest_base(record, base) for record in frame.to_dict("records")]
    if not groups or not base:
        return [bases.judge(size) for size in sizes]
    found = [Base.ENOUGH] * len(sizes)
    keys = [name for name in WITHIN if name in frame and name not in groups]
    inside = list(zip(*(frame[name] for name in keys), strict=True)) if keys else [()] * len(sizes)
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(inside):
        places.setdefault(tuple(map(str, key)), []).append(place)
    for together in places.values():
        for place, verdict in zip(together, bases.judge_groups([sizes[i] for i in together]), strict=True):
            found[place] = verdict
    return found


def base_note(verdict: Base, bases: Bases) -> Word | None:
    """Say why a base hides or marks a figure."""
    if verdict is Base.ENOUGH:
        return None
    blanks = {"least": bases.suppress, "most": bases.flag - 1} if verdict is Base.SMALL else {"least": bases.suppress}
    return Word(f"base.{verdict}", {} if verdict is Base.WITHHELD else blanks)


def _cell(record: dict[Any, Any], show: Show, verdict: Base, bases: Bases) -> Cell:
    value = record[show.name]
    if value is None:
        return Cell(applies=False)
    about = record.get(f"about {show.name}") or None
    if isinstance(value, str | Word):
        return Cell("" if verdict.hidden else value, about) if show.base else Cell(value, about)
    if verdict.hidden:
        # A figure without any answer is missing for its own reason; a small base would hide that.
        reason = _reason(record) if smallest_base(record, show.base) == 0 else None
        return Cell(None, reason or base_note(verdict, bases))
    figure = float(value)
    if np.isnan(figure):
        # A base that is not known needs no footnote: the figures beside it carry the reason.
        return Cell(None, None if show.kind == "count" else _reason(record))
    if show.marked and verdict is Base.SMALL:
        return Cell(figure, base_note(verdict, bases))
    return Cell(figure, about)


def smallest_base(record: Mapping[Any, Any], base: Sequence[str]) -> float:
    """Respondents that a figure rests on: the smallest of its bases; inf if none is known."""
    sizes = np.array([float(record[name]) for name in base])
    return float(sizes[~np.isnan(sizes)].min(initial=np.inf))


def _reason(record: dict[Any, Any]) -> Word | None:
    said = record.get("note") or ""
    return next((Word(f"reason.{key}") for key, text in REASONS.items() if text == said), None)


def groups_of(frame: pd.DataFrame, before: str) -> list[str]:
    """Name the columns that say which group a row belongs to: those ahead of the first figure."""
    ahead = list(frame.columns[: list(frame.columns).index(before)])
    return [name for name in ahead if name not in NOT_GROUPS]


def named(frame: pd.DataFrame, groups: Sequence[str], names: Names) -> pd.DataFrame:
    """Replace codes by their texts in ``term`` and in the group columns."""
    said = {group: names.values(group, list(frame[group])) for group in groups}
    return frame.assign(code=frame["term"], term=names.codes(list(frame["term"])), **said)


def group_shows(groups: Sequence[str], names: Names) -> list[Show]:
    """Columns of the groups, headed by their texts."""
    return [Show(group, heading=names.code(group)) for group in groups]


def interval(level: float, base: tuple[str, ...] = (), kind: Kind = "score") -> list[Show]:
    """Both ends of an interval, headed by its level."""
    return [Show(end, kind, base, Word(f"column.{end}", {"level": level})) for end in ("low", "high")]


def level_of(result: Any) -> float:
    """Level of a result's intervals: its own, or that of the estimates inside it."""
    for holder in ("estimates", "coefficients", "score", "levels"):
        inner = getattr(result, holder, None)
        if inner is not None and hasattr(inner, "level"):
            return float(inner.level)
    return float(getattr(result, "level", 0.95))


def only_where(applies: pd.Series, values: pd.Series) -> pd.Series:
    """Keep the values of rows that the column applies to; None, an empty cell, elsewhere."""
    return values.astype(object).where(applies, None)


def objects(values: Sequence[Any]) -> np.ndarray:
    """Words and texts as a column of a frame."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
