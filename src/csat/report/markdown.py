"""The format md: a document as Markdown in one file. Text from data is text: escaped, never markup."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Tabular
from csat.report.format import legal
from csat.report.office import grid

#: Characters that Markdown or HTML would obey.
OBEYED = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
#: What would begin a list at the start of a line.
BEGINNING = re.compile(r"^([-+=]|\d+[.)](?=\s|$))")


def ready() -> None:
    """Nothing more than csat itself is needed."""


def render(document: Document, path: Path) -> None:
    """Write a document as Markdown; pictures are embedded."""
    path.write_text(markdown(document), encoding="utf-8", newline="\n")


def markdown(document: Document) -> str:
    """Give a document as Markdown: pipe tables with their notes below, a line each."""
    parts = [f"# {plain(document.title)}"]
    for block in document.head:
        parts += _block(block)
    for section in document.sections:
        parts.append(f"## {plain(section.title)}")
        for block in section.blocks:
            parts += _block(block)
    return "\n\n".join((*parts, f"*{plain(document.made)}*")) + "\n"


def plain(text: str) -> str:
    r"""Escape what Markdown would obey; line breaks become spaces.

    >>> plain("1. <b> | *x*")
    '1\\. \\<b\\> \\| \\*x\\*'
    """
    line = OBEYED.sub(r"\\\1", " ".join(legal(text).split()))
    return BEGINNING.sub(lambda found: f"{found[1][:-1]}\\{found[1][-1]}", line)


def _block(block: Block) -> Iterator[str]:
    match block:
        case Prose(text):
            # HTML in an analyst's text is text in every format.
            yield re.sub(r"<(?=[a-zA-Z/!?])", r"\\<", legal(text).strip())
        case Lines(_, lines):
            yield _list(map(plain, lines))
        case Missing(text, detail):
            yield f"*{plain(text)}*"
            if detail:
                yield plain(detail)
        case Output(text):
            yield "\n".join(f"    {line}" for line in legal(text).splitlines())
        case Tabular(table, "cards"):
            yield _list(
                " — ".join((f"{plain(label)}: **{plain(figure)}**", *map(plain, remarks)))
                for label, figure, remarks in grid.cards(table)
            )
            yield from (plain(table.say(note)) for note in table.notes)
        case Tabular(table, "sentences"):
            yield _list(map(plain, grid.sentences(table)))
            yield from (plain(table.say(note)) for note in table.notes)
        case Tabular(table):
            yield from _table(grid.grid(table))
        case Picture():
            yield f"![{plain(block.alt)}](data:{block.mime};base64,{base64.b64encode(block.image).decode()})"


def _list(lines: Iterator[str] | map[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(table: grid.Grid) -> Iterator[str]:
    def line(cells: Iterator[str]) -> str:
        return f"| {' | '.join(cells)} |"

    def cell(entry: grid.Entry, indent: int) -> str:
        # An ordinary space at the start of a cell would be lost.
        return "\u2003" * indent + plain(entry.text) + (f"<sup>{entry.mark}</sup>" if entry.mark else "")

    yield f"**{plain(table.title)}**"
    yield "\n".join(
        (
            line(map(plain, table.heads)),
            line("---:" if number else ":---" for number in table.numeric),
            *(
                line(cell(entry, depth * (place == table.label)) for place, entry in enumerate(row))
                for depth, row in zip(table.depths, table.rows, strict=True)
            ),
        )
    )
    notes = (*(f"({mark}) {text}" for mark, text in table.footnotes), *table.notes)
    yield from map(plain, notes)
