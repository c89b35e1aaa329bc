"""What all sentences by rule share: names in a row, and the list that holds the sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from csat.report.description import Cell, Column
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.report.names import Names

#: Names that a sentence lists before it only counts the others.
MOST = 5


def listed(names: Sequence[str], texts: Names) -> Word | str:
    """The first names in a row, and how many more there are."""
    first = texts.listed(list(names[:MOST]))
    more = len(names) - MOST
    return Word("sentence.more", {"names": first, "more": more}) if more > 0 else first


def bracketed(name: str, figure: str, texts: Names) -> str:
    """A name with a figure in brackets."""
    return f"{name}（{figure}）" if texts.lang == "zh" else f"{name} ({figure})"


def quoted(name: str) -> str:
    """A name between quotation marks: those of items may hold commas."""
    return f"“{name}”"


def advice_of(
    name: str,
    title: Word,
    lines: Iterable[Word],
    texts: Names,
    *,
    notes: Sequence[Word | str] = (),
    base: Word | str | None = None,
) -> Advice:
    """Put sentences into a list, a row each, whom they are about first among its notes."""
    rows = tuple((Cell(line),) for line in lines)
    whom: list[Word | str] = [] if base is None else [Word("note.base", {"base": base})]
    shown = tuple(notes) if rows else ()
    return Advice(Table(name, title, (Column("sentence", title),), rows, texts.lang, notes=(*whom, *shown)))


def top_of(tidy: pd.DataFrame) -> pd.Series:
    """Row of the index itself."""
    return tidy[tidy["kind"] == "index"].iloc[0]
