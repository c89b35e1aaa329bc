"""A report before any medium: sections of tables, pictures and text. Every writer of a format reads only this."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from csat.report.chart import Chart
from csat.report.description import Description
from csat.report.words import Word, words
from csat.version import __version__

#: Under this type a notebook keeps the sentences of masthead and method beside their HTML, as JSON of `Lines`.
LINES_MIME = "application/vnd.csat.lines+json"


@dataclass(frozen=True, slots=True)
class Prose:
    """Text in Markdown, without the headings that begin sections. HTML in it is text, never markup."""

    markdown: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Sentences of the report about itself.

    form : "masthead" (title and facts on one line) or "method" (a list).
    lines : plain text in the document's language.
    title : of a masthead; empty otherwise.
    """

    form: Literal["masthead", "method"]
    lines: tuple[str, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class Tabular:
    """A table, or what is described as one.

    table : its columns, rows and notes.
    form : "table"; "cards": big figures, each row a label, a figure and a remark; "sentences": a row each.
    """

    table: Description
    form: Literal["table", "cards", "sentences"] = "table"


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart as an image.

    image : bytes of the file.
    mime : "image/png" or "image/jpeg".
    alt : for a reader who does not see it; never empty.
    width : in CSS pixels; None: as wide as the image is.
    chart : what it shows, for media that draw their own; None if the drawing does not say.
    """

    image: bytes
    mime: str
    alt: str
    width: int | None = None
    chart: Chart | None = None


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a figure could not be computed.

    text : a sentence in the document's language.
    detail : as the error says it, in English, for small print; empty where the sentence says all.
    """

    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """What a cell of an analyst's own notebook showed, neither a table nor a chart of csat.

    text : preformatted, for every medium.
    html : the same as the notebook showed it, for pages; empty: there is only the text.
    """

    text: str
    html: str = ""


Block = Prose | Lines | Tabular | Picture | Missing | Output


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a report with a heading.

    anchor : name for links, distinct in its document.
    title : plain text.
    """

    anchor: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A report in one language.

    title : of the study; the name of the file's content wherever a format has one.
    lang : "en" or "zh".
    head : what stands before the first section.
    sections : in reading order.
    facts : period, own group, filter, data, weights: a line each.
    method : how the figures were made, a sentence each.
    """

    title: str
    lang: str
    head: tuple[Block, ...]
    sections: tuple[Section, ...]
    facts: tuple[str, ...] = ()
    method: tuple[str, ...] = ()

    @property
    def made(self) -> str:
        """Say which version of csat made it."""
        return words(self.lang).say(Word("page.made", {"version": __version__}))

    def blocks(self) -> Iterator[Block]:
        """Every block of head and sections, in reading order."""
        yield from self.head
        for section in self.sections:
            yield from section.blocks

    def tables(self) -> tuple[Description, ...]:
        """Every table, cards and sentences among them, in reading order."""
        return tuple(block.table for block in self.blocks() if isinstance(block, Tabular))
