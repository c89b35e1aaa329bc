"""Every node of the index across a few groups, with letters where groups differ."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.bases import Base
from csat.errors import OptionError
from csat.report.description import Cell, Column
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import base_note, level_of
from csat.report.tables.pairs import pairs_of
from csat.report.tables.standing import column_of
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.indices import Index

#: Groups that stand side by side in a table that can be read.
MOST = 6


def across(result: Index, names: Names) -> Table:
    """One row per node: the score in each group, and letters of the groups that it exceeds.

    Pairs of groups are corrected (Holm) within the index, over all dimensions together, and over all items together.

    Raises
    ------
    OptionError
        If the index has no groups, those of several columns, or fewer than two or more than six.
    """
    column, tidy = column_of(result), result.tidy()
    groups = list(dict.fromkeys(tidy[column]))
    if not 1 < len(groups) <= MOST:
        raise OptionError(f'kind="across" puts 2 to {MOST} groups side by side; {column!r} has {len(groups)}.')
    terms = list(dict.fromkeys(tidy["term"]))
    at = {(term, group): row for row, (term, group) in enumerate(zip(tidy["term"], tidy[column], strict=True))}
    rows = [[at[term, group] for group in groups] for term in terms]
    verdict = {r: found for row in rows for r, found in zip(row, _verdicts(tidy, row, names), strict=True)}
    open_to = [[r for r in row if not verdict[r].hidden] for row in rows]
    higher = _higher(result, tidy, open_to, groups, column)
    cells = [
        (Cell(names.code(term)), *(cell for r in row for cell in _pair(tidy, r, verdict[r], higher.get(r, ""), names)))
        for term, row in zip(terms, rows, strict=True)
    ]
    heads = [
        head
        for letter, group in zip(ascii_uppercase, groups, strict=False)
        for head in (
            Column(str(group), f"{names.value(column, group)} ({letter})", "score"),
            Column(f"{group} higher", Word("column.higher_than")),
        )
    ]
    depths = tuple(int(tidy["depth"][row[0]]) for row in rows)
    about = [Word("note.letters", {"alpha": 1 - level_of(result)}), Word("note.across")]
    title = Word("title.across", {"by": names.running(column)})
    head = Column("term", Word("column.term"))
    return Table("across", title, (head, *heads), tuple(cells), names.lang, depths, notes=tuple(about))


def _verdicts(tidy: pd.DataFrame, row: Sequence[int], names: Names) -> tuple[Base, ...]:
    return names.bases.judge_groups([float(tidy["n"][r]) for r in row])


def _pair(tidy: pd.DataFrame, row: int, base: Base, higher: str, names: Names) -> tuple[Cell, Cell]:
    """The score of a group with what its base asks to be said, and the letters beside it."""
    score, note = float(tidy["estimate"][row]), base_note(base, names.bases)
    if base.hidden or not np.isfinite(score):
        return Cell(None, note), Cell("")
    return Cell(score, note), Cell(higher)


def _higher(
    result: Index, tidy: pd.DataFrame, families: Sequence[Sequence[int]], groups: Sequence[str], column: str
) -> dict[int, str]:
    """Row → letters of the groups that it exceeds."""
    letter = dict(zip(groups, ascii_uppercase, strict=False))
    found: dict[int, set[str]] = {}
    for kind in ("index", "dimension", "item"):
        pairs = pairs_of(result.estimates, [rows for rows in families if rows and tidy["kind"][rows[0]] == kind])
        for one in pairs[pairs["apart"].astype(bool)].to_dict("records"):
            found.setdefault(int(one["high"]), set()).add(letter[tidy[column][int(one["low"])]])
    return {row: "".join(sorted(letters)) for row, letters in found.items()}
