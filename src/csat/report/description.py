"""What a table says, before any medium: columns, rows of floats, notes.

A `Description` is built once from a result and rendered by `csat.report.html`, `csat.report.excel` and
`csat.report.text`. Its figures are floats as computed; decimals and languages belong to the renderers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

from csat.report.words import Word, words

Kind = Literal[
    "text",
    "score",
    "tenths",
    "percent",
    "percentage_points",
    "chance",
    "p_value",
    "count",
    "estimate",
    "statistic",
    "plain",
]
Value = float | str | Word | None

#: Under this type a notebook keeps the description of a table beside its HTML; the workbook is made from it.
TABLE_MIME = "application/vnd.csat.table+json"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    name : the tidy column it shows; the header in CSV and JSON.
    heading : a word of the catalogue, or data (a text of the questionnaire).
    kind : what the numbers are, which decides their decimals and alignment.
    """

    name: str
    heading: Word | str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and what must be said about it.

    value : a float, data text, a word, or None: a figure that is not shown.
    note : footnote of this cell.
    applies : False where the column does not apply to the row; the cell stays empty.
    kind : what the number is, where it differs from the column's kind.
    """

    value: Value = None
    note: Word | None = None
    applies: bool = True
    kind: Kind | None = None

    @property
    def missing(self) -> bool:
        """Whether a dash stands for the value."""
        return self.value is None or (isinstance(self.value, float) and math.isnan(self.value))


@dataclass(frozen=True, slots=True, repr=False)
class Description:
    """A table for people, not yet in any medium.

    name : short latin name, used for sheets and files.
    title : caption.
    columns, rows : each row has one cell per column.
    lang : language of the data texts in it, and of the words when rendered.
    depths : indent of each row's label column; empty means none.
    notes : remarks on the whole table.
    label : position of the column that names the row.
    filters : names of columns of texts by which a page lets its readers choose rows.
    """

    name: str
    title: Word | str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    lang: str = "en"
    depths: tuple[int, ...] = ()
    notes: tuple[Word | str, ...] = ()
    label: int = 0
    filters: tuple[str, ...] = ()

    def footnotes(self) -> tuple[Word, ...]:
        """Each distinct cell note, in reading order."""
        return tuple(dict.fromkeys(cell.note for row in self.rows for cell in row if cell.note is not None))

    def indented(self) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        """Rows with their indent."""
        return zip(self.depths or (0,) * len(self.rows), self.rows, strict=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; `from_dict` undoes it."""
        return {
            "name": self.name,
            "title": _plain(self.title),
            "lang": self.lang,
            "columns": [
                {"name": column.name, "heading": _plain(column.heading), "kind": column.kind} for column in self.columns
            ],
            "rows": [
                [[_plain(cell.value), _plain(cell.note), cell.applies, cell.kind] for cell in row] for row in self.rows
            ],
            "depths": list(self.depths),
            "notes": [_plain(note) for note in self.notes],
            "label": self.label,
            "filters": list(self.filters),
        }

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Build a table from what `to_dict` gave."""
        return cls(
            plain["name"],
            _rich(plain["title"]),
            tuple(Column(column["name"], _rich(column["heading"]), column["kind"]) for column in plain["columns"]),
            tuple(
                tuple(Cell(_rich(value), _rich(note), applies, kind) for value, note, applies, kind in row)
                for row in plain["rows"]
            ),
            plain["lang"],
            tuple(plain["depths"]),
            tuple(_rich(note) for note in plain["notes"]),
            plain["label"],
            tuple(plain.get("filters", ())),
        )

    def say(self, word: Word | str) -> str:
        """Put a word of this table into its language."""
        return words(self.lang).say(word)


def _plain(value: Any) -> Any:
    if isinstance(value, Word):
        return value.to_dict()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _rich(value: Any) -> Any:
    return Word.from_dict(value) if isinstance(value, dict) else value
