"""Tables for a terminal and for other programs: aligned text, CSV, JSON."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Sequence

from csat.report.description import Cell, Column, Description
from csat.report.format import shown
from csat.report.html import letter
from csat.report.words import Word, words


def width(text: str) -> int:
    """Columns that a text takes in a terminal: a Chinese character takes two.

    >>> width("满意 ok")
    7
    """
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _pad(text: str, to: int, right: bool) -> str:
    space = " " * (to - width(text))
    return space + text if right else text + space


def to_text(table: Description) -> str:
    """Render a table with aligned columns, its title above and its notes below."""
    catalogue = words(table.lang)
    marks = {note: letter(position) for position, note in enumerate(table.footnotes())}
    head = [_one_line(table.say(column.heading)) for column in table.columns]
    body = [
        [
            "  " * (depth if position == table.label else 0)
            + _one_line(shown(cell, column.kind, catalogue))
            + (f"({marks[cell.note]})" if cell.note else "")
            for position, (column, cell) in enumerate(zip(table.columns, row, strict=True))
        ]
        for depth, row in table.indented()
    ]
    numeric = [column.kind != "text" for column in table.columns]
    widths = [max(map(width, column)) for column in zip(head, *body, strict=True)]
    lines = [
        "  ".join(_pad(text, to, right) for text, to, right in zip(line, widths, numeric, strict=True)).rstrip()
        for line in (head, ["─" * to for to in widths], *body)
    ]
    below = [f"({mark}) {catalogue.say(note)}" for note, mark in marks.items()]
    return "\n".join([table.say(table.title), *lines, *below, *map(table.say, table.notes)])


def _one_line(text: str) -> str:
    """Data may hold line breaks and control characters; a terminal line must not."""
    return "".join(char if char.isprintable() else " " for char in text)


def _raw(cell: Cell, column: Column, table: Description) -> float | str | None:
    """Value for a program: figures unrounded, counts whole, what is not shown None."""
    if cell.missing or isinstance(cell.value, Word):
        return table.say(cell.value) if isinstance(cell.value, Word) else None
    whole = (cell.kind or column.kind) == "count" and isinstance(cell.value, float) and cell.value.is_integer()
    return int(cell.value) if whole and isinstance(cell.value, float) else cell.value


def to_csv(table: Description) -> str:
    """Render the figures unrounded; headers are the tidy names; what is not shown is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    for row in table.rows:
        values = (_raw(cell, column, table) for column, cell in zip(table.columns, row, strict=True))
        writer.writerow(["" if value is None else harmless(value) for value in values])
    return out.getvalue()


def harmless(value: float | str) -> float | str:
    """Text that a spreadsheet would run as a formula gets an apostrophe in front.

    >>> harmless("=1+1"), harmless(-2.5)
    ("'=1+1", -2.5)
    """
    return f"'{value}" if isinstance(value, str) and value.lstrip()[:1] in ("=", "+", "-", "@") and value else value


def to_json(tables: Sequence[Description]) -> str:
    """Render tables as JSON: title, notes, and one object per row with the unrounded figures."""
    return json.dumps(
        [
            {
                "name": table.name,
                "title": table.say(table.title),
                "rows": [
                    {column.name: _raw(cell, column, table) for column, cell in zip(table.columns, row, strict=True)}
                    for row in table.rows
                ],
                "notes": [table.say(note) for note in (*table.footnotes(), *table.notes)],
            }
            for table in tables
        ],
        ensure_ascii=False,
        indent=2,
    )
