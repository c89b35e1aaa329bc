"""The format html: a document as one page that needs nothing from anywhere else."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from html import escape
from importlib.util import find_spec
from pathlib import Path

from csat.errors import MissingDependencyError
from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Tabular
from csat.report.foreign import tamed
from csat.report.format import legal
from csat.report.html import environment, html_of, lines_of, prose, template_text
from csat.report.words import Word, words

#: What the page's script says; the script itself is the same in every page.
SCRIPT_WORDS = ("all", "rows", "ascending", "descending", "none")


def ready() -> None:
    """Refuse if the package that reads Markdown is not installed."""
    if find_spec("nbconvert") is None:
        raise MissingDependencyError.extra("nbconvert", "report", "Writing a page")  # noqa: S610


def render(document: Document, path: Path) -> None:
    """Write a document as a page."""
    path.write_text(page(document), encoding="utf-8", newline="\n")


def page(document: Document, *, font: bytes = b"") -> str:
    """Render a document: tables from their descriptions, charts embedded, Markdown escaped.

    Nothing is loaded or obeyed but the style and the script of this package, which the page names by their hashes.

    Parameters
    ----------
    font : a TrueType font that the page brings along, for where no font with Chinese glyphs may be installed.
    """
    sentences = words(document.lang).sentences
    block = partial(_block, lang=document.lang)
    body = [
        text
        for section in document.sections
        for text in (f'<h2 id="{section.anchor}">{escape(section.title)}</h2>\n', *map(block, section.blocks))
    ]
    style = template_text("table.css") + template_text("page.css") + _face(font)
    script = template_text("script.js")
    return legal(
        environment()
        .get_template("page.html.j2")
        .render(
            lang={"zh": "zh-Hans"}.get(document.lang, document.lang),
            title=document.title,
            policy=_policy(style, script, "data:" if font else "'none'"),
            style=style,
            script=script,
            script_words={name: sentences[f"page.{name}"] for name in SCRIPT_WORDS},
            sections=document.sections,
            head="\n".join(map(block, document.head)),
            body="\n".join(body),
            contents=sentences["page.contents"],
            skip=sentences["page.skip"],
            made=document.made,
        )
    )


def _policy(style: str, script: str, fonts: str) -> str:
    allowed = {
        "default-src": "'none'",
        "img-src": "data:",
        "font-src": fonts,
        "style-src": _hash(style),
        "script-src": _hash(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{what} {source}" for what, source in allowed.items())


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _face(font: bytes) -> str:
    if not font:
        return ""
    encoded = base64.b64encode(font).decode()
    face = f'@font-face {{ font-family: "csat Sans SC"; src: url("data:font/ttf;base64,{encoded}"); }}\n'
    return face + ':root { --font: "csat Sans SC"; }\n'


def _block(block: Block, lang: str) -> str:
    match block:
        case Prose(markdown):
            return prose(markdown)
        case Lines(form, lines, title):
            return lines_of(form, lines, title, lang)
        case Tabular(table, form):
            return html_of(table, form)
        case Picture():
            return _figure(block)
        case Missing(text, detail):
            small = f'<br><small lang="en">{escape(detail)}</small>' if detail else ""
            return f'<p class="missing">{escape(text)}{small}</p>'
        case Output(text, html):
            return _output(html, lang) if html else f"<pre>{escape(text)}</pre>"


def _output(html: str, lang: str) -> str:
    name = escape(words(lang).say(Word("page.output")))
    return f'<div class="csat output"><div class="scroll" role="group" aria-label="{name}">{tamed(html)}</div></div>'


def _figure(picture: Picture) -> str:
    width = "" if picture.width is None else f' width="{picture.width}"'
    encoded = base64.b64encode(picture.image).decode()
    image = f'<img src="data:{picture.mime};base64,{encoded}" alt="{escape(picture.alt)}"{width}>'
    return f'<figure class="scroll" tabindex="0">{image}</figure>'
