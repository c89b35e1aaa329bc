"""Tables as HTML: a semantic table with caption, headers with scope, and footnotes; everything escaped."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from csat.report.description import Cell, Column, Description
from csat.report.format import ILLEGAL, shown
from csat.report.words import words

if TYPE_CHECKING:
    import jinja2


@cache
def environment() -> jinja2.Environment:
    """Templates of this package; every value put into them is escaped."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.PackageLoader("csat.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_legal,
    )


def _legal(value: Any) -> Any:
    """What XML forbids is left out; Markup stays Markup."""
    return type(value)(ILLEGAL.sub("", value)) if isinstance(value, str) and ILLEGAL.search(value) else value


def letter(position: int) -> str:
    """Name the footnote at a position: a to z, then aa, ab and so on."""
    ahead, last = divmod(position, 26)
    return (letter(ahead - 1) if ahead else "") + chr(ord("a") + last)


def to_html(table: Description) -> str:
    """Render a table as one ``<table>`` element."""
    catalogue = words(table.lang)
    marks = {note: letter(position) for position, note in enumerate(table.footnotes())}

    def cell_of(position: int, column: Column, cell: Cell, depth: int) -> dict[str, Any]:
        return {
            "head": position == table.label,
            "number": column.kind != "text",
            "text": shown(cell, column.kind, catalogue),
            "mark": marks[cell.note] if cell.note else "",
            "depth": depth if position == table.label else 0,
        }

    return (
        environment()
        .get_template("table.html.j2")
        .render(
            lang=table.lang,
            title=table.say(table.title),
            columns=[{"text": table.say(column.heading), "number": column.kind != "text"} for column in table.columns],
            rows=[
                [
                    cell_of(i, column, cell, depth)
                    for i, (column, cell) in enumerate(zip(table.columns, row, strict=True))
                ]
                for depth, row in table.indented()
            ],
            footnotes=[(mark, catalogue.say(note)) for note, mark in marks.items()],
            notes=[table.say(note) for note in table.notes],
        )
    )
