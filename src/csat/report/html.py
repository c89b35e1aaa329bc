"""Tables as HTML: a semantic table with caption, headers with scope, and footnotes; everything escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
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


def to_cards(table: Description) -> str:
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
    "table": to_html,
    "cards": to_cards,
    "sentences": to_sentences,
}


def html_of(table: Description, form: str = "table") -> str:
    """Render a table in its form: "table", "cards" or "sentences"."""
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
