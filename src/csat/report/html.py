"""Tables as HTML: a semantic table with caption, headers with scope, and footnotes; everything escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from csat.report.description import Cell, Column, Description
from csat.report.format import ILLEGAL, shown
from csat.report.words import Word, words

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


#: Heading of the first of two columns → that of the second, what stands above both, and what is left for each.
PAIRS: Mapping[str, tuple[str, str, str, str]] = {
    "column.low": ("column.high", "page.interval", "page.from", "page.to"),
    "column.low_of": ("column.high_of", "page.interval_of", "page.from", "page.to"),
}


def to_html(table: Description) -> str:
    """Render a table for a notebook: as on a page, with the style that it needs, in the theme's own colours."""
    return styled(table_of(table))


def to_cards(table: Description) -> str:
    """Render big figures for a notebook, with the style that they need."""
    return styled(cards_of(table))


def styled(html: str) -> str:
    """Put the style of tables before them."""
    return f"<style>\n{template_text('table.css')}</style>\n{html}"


@cache
def template_text(name: str) -> str:
    """Read a file of the templates as it is."""
    return (files("csat.report") / "templates" / name).read_text(encoding="utf-8")


def table_of(table: Description) -> str:
    """Render a table: one ``<table>`` element that scrolls if it must, and its notes below."""
    catalogue = words(table.lang)
    marks = {note: letter(position) for position, note in enumerate(table.footnotes())}

    def cell_of(position: int, column: Column, cell: Cell) -> dict[str, Any]:
        return {
            "head": position == table.label,
            "number": column.kind != "text",
            "text": shown(cell, column.kind, catalogue),
            "mark": marks[cell.note] if cell.note else "",
            "value": _sorted_by(cell, column),
        }

    return (
        environment()
        .get_template("table.html.j2")
        .render(
            lang=table.lang,
            title=table.say(table.title),
            columns=len(table.columns),
            heads=heads(table),
            rows=[
                {
                    "depth": depth,
                    "cells": [cell_of(i, *pair) for i, pair in enumerate(zip(table.columns, row, strict=True))],
                }
                for depth, row in table.indented()
            ],
            footnotes=[(mark, catalogue.say(note)) for note, mark in marks.items()],
            notes=[table.say(note) for note in table.notes],
        )
    )


def _sorted_by(cell: Cell, column: Column) -> str | None:
    """What a figure is sorted by: more digits than are shown, fewer than differ from machine to machine."""
    if column.kind == "text" or cell.missing or not cell.applies or not isinstance(cell.value, int | float):
        return None
    return f"{cell.value:.9g}" if math.isfinite(cell.value) else ("1e999" if cell.value > 0 else "-1e999")


def heads(table: Description) -> list[list[dict[str, Any]]]:
    """Lines of headings; both ends of an interval stand below one heading."""
    upper: list[dict[str, Any]] = []
    lower: list[dict[str, Any]] = []
    position = 0
    while position < len(table.columns):
        column = table.columns[position]
        pair = pair_of(table, position)
        if pair is None:
            upper.append(_head(table, position, table.say(column.heading)))
            position += 1
            continue
        above, *ends = pair
        upper.append({**_head(table, None, above), "across": 2})
        lower += [_head(table, position + i, end) for i, end in enumerate(ends)]
        position += 2
    if not lower:
        return [upper]
    return [[{**head, "down": 1 if head["across"] > 1 else 2} for head in upper], lower]


def pair_of(table: Description, position: int) -> tuple[str, str, str] | None:
    """What stands above and in two columns that are one interval."""
    first, *rest = (column.heading for column in table.columns[position : position + 2])
    if not isinstance(first, Word) or first.key not in PAIRS or not rest:
        return None
    second, *said = PAIRS[first.key]
    if not isinstance(rest[0], Word) or rest[0].key != second:
        return None
    above, low, high = (table.say(Word(key, first.blanks)) for key in said)
    return above, low, high


def _head(table: Description, position: int | None, text: str) -> dict[str, Any]:
    column = None if position is None else table.columns[position]
    return {
        "text": text,
        "position": position,
        "number": column is not None and column.kind != "text",
        "filter": column.name if column is not None and column.name in table.filters else "",
        "across": 1,
        "down": 1,
    }


def cards_of(table: Description) -> str:
    """Render rows of label, figure and remark as big figures."""
    catalogue = words(table.lang)
    cards = [
        {
            "label": shown(label, "text", catalogue),
            "figure": shown(figure, "score", catalogue),
            "remarks": [catalogue.say(note) for note in (_said(remark), figure.note) if note],
        }
        for label, figure, remark in table.rows
    ]
    notes = [table.say(note) for note in table.notes]
    return environment().get_template("headline.html.j2").render(lang=table.lang, cards=cards, notes=notes)


def _said(cell: Cell) -> Word | str | None:
    return cell.value if isinstance(cell.value, str | Word) else None


def to_sentences(table: Description) -> str:
    """Render a table of one column of sentences as a list."""
    sentences = [shown(row[0], "text", words(table.lang)) for row in table.rows]
    notes = [table.say(note) for note in table.notes]
    return environment().get_template("advice.html.j2").render(lang=table.lang, sentences=sentences, notes=notes)


#: Form of a table → its rendering.
FORMS: Mapping[str, Callable[[Description], str]] = {
    "table": table_of,
    "cards": cards_of,
    "sentences": to_sentences,
}


def html_of(table: Description, form: str = "table") -> str:
    """Render a table for a page, in its form: "table", "cards" or "sentences"."""
    return FORMS[form](table)


def lines_of(form: str, lines: Sequence[str], title: str, lang: str) -> str:
    """Render a "masthead" or a "method"."""
    return environment().get_template(f"{form}.html.j2").render(lang=lang, title=title, lines=lines)


def prose(markdown: str) -> str:
    """Render Markdown; HTML in it is shown, not obeyed, and headings have no anchors."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def heading(self, text: str, level: int, **attrs: Any) -> str:  # noqa: ARG002
            return f"<h{level}>{text}</h{level}>\n"

    renderer = Renderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(markdown)
