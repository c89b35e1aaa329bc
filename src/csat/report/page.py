"""The format html: a document as one page that needs nothing from anywhere else."""

from __future__ import annotations

import base64
from functools import partial
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from csat.errors import MissingDependencyError
from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Tabular
from csat.report.format import legal
from csat.report.html import environment, html_of, lines_of, prose
from csat.report.words import Word, words


def ready() -> None:
    """Refuse if the package that reads Markdown is not installed."""
    if find_spec("nbconvert") is None:
        raise MissingDependencyError.extra("nbconvert", "report", "Writing a page")  # noqa: S610


def render(document: Document, path: Path) -> None:
    """Write a document as a page."""
    path.write_text(page(document), encoding="utf-8")


def page(document: Document) -> str:
    """Render a document: tables from their descriptions, charts embedded, Markdown escaped."""
    say = words(document.lang).say
    block = partial(_block, lang=document.lang)
    body = [
        text
        for section in document.sections
        for text in (f'<h2 id="{section.anchor}">{escape(section.title)}</h2>\n', *map(block, section.blocks))
    ]
    return legal(
        environment()
        .get_template("page.html.j2")
        .render(
            lang={"zh": "zh-Hans"}.get(document.lang, document.lang),
            title=document.title,
            style=(files("csat.report") / "templates" / "page.css").read_text(encoding="utf-8"),
            sections=document.sections,
            head="\n".join(map(block, document.head)),
            body="\n".join(body),
            contents=say(Word("page.contents")),
            skip=say(Word("page.skip")),
            made=document.made,
        )
    )


def _block(block: Block, lang: str) -> str:
    match block:
        case Prose(markdown):
            return prose(markdown)
        case Lines(form, lines, title):
            return f'<div class="scroll">{lines_of(form, lines, title, lang)}</div>'
        case Tabular(table, form):
            return f'<div class="scroll">{html_of(table, form)}</div>'
        case Picture():
            return _figure(block)
        case Missing(text):
            return f'<p class="missing">{escape(text)}</p>'
        case Output(text, html):
            return f'<div class="scroll">{html}</div>' if html else f"<pre>{escape(text)}</pre>"


def _figure(picture: Picture) -> str:
    width = "" if picture.width is None else f' width="{picture.width}"'
    encoded = base64.b64encode(picture.image).decode()
    return f'<figure><img src="data:{picture.mime};base64,{encoded}" alt="{escape(picture.alt)}"{width}></figure>'
