"""From an executed notebook to a document: the cells' outputs without their code."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from html import unescape
from typing import Any

from csat import errors
from csat.report.chart import CHART_MIME, Chart
from csat.report.description import TABLE_MIME, Description
from csat.report.document import LINES_MIME, Block, Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.html import prose
from csat.report.notebook import Notebook, tags_of, text_of_cell
from csat.report.unable import unable
from csat.report.words import Word, words

#: A cell with this tag may fail with an error of csat: the report then says why the figure is missing.
MAY_FAIL = "raises-exception"
#: How Python begins a warning: file, line, category.
WARNED_AT = re.compile(r"^\S.*?:\d+: \w*Warning: ")
#: A name that a cell binds.
ASSIGNED = re.compile(r"^(\w+) = ", re.MULTILINE)
HEADING = re.compile(r"^#{1,2} +(.+?)\s*$", re.MULTILINE)
#: A line of Markdown that begins a section, and one that begins or ends text in which nothing does.
SECTION, FENCE = re.compile(r" {0,3}##[ \t]+(.+?)(?:[ \t]+#+)?[ \t]*$"), re.compile(r" {0,3}(`{3,}|~{3,})")
#: What is no text in HTML.
MARKUP = re.compile(r"<(style|script)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)


def document_of(
    notebook: Notebook, lang: str, *, title: str, facts: Sequence[str] = (), method: Sequence[str] = ()
) -> Document:
    """Read what an executed notebook shows.

    Parameters
    ----------
    notebook : with outputs. Second-level headings of its Markdown cells begin the sections.
    lang : of the document, "en" or "zh".
    title : of the study.
    facts, method : see `Document`.

    Raises
    ------
    ReportError
        If a cell that may not fail did.
    """
    drafts: list[tuple[str, list[Block]]] = [("", [])]
    lost: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            for heading, text in _parts(text_of_cell(cell)):
                if heading:
                    drafts.append((_plain(prose(heading)), []))
                if text.strip():
                    drafts[-1][1].append(Prose(text))
        elif cell["cell_type"] == "code":
            alt = words(lang).say(Word("page.figure", {"section": drafts[-1][0] or title}))
            said = [block for block in drafts[-1][1] if isinstance(block, Missing)]
            drafts[-1][1].extend(block for block in _blocks(cell, alt, lost, lang) if block not in said)
            if any(output["output_type"] == "error" for output in cell["outputs"]):
                lost |= set(ASSIGNED.findall(text_of_cell(cell)))
    (_, head), *rest = drafts
    sections = tuple(Section(f"section-{i}", name, tuple(blocks)) for i, (name, blocks) in enumerate(rest, 1))
    return Document(title, lang, tuple(head), sections, tuple(facts), tuple(method))


def remarks_of(notebook: Notebook) -> list[str]:
    """What the cells wrote to stderr, each line once; of a warning its sentence, without place and source line."""
    lines = (
        line
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if output["output_type"] == "stream" and output["name"] == "stderr"
        for line in _joined(output["text"]).splitlines()
    )
    said = (WARNED_AT.sub("", line) for line in lines if line.strip() and not line.startswith("  "))
    return list(dict.fromkeys(said))


def section_titles(cell: Mapping[str, Any]) -> list[str]:
    """Headings of a Markdown cell, for progress."""
    return HEADING.findall(text_of_cell(cell)) if cell["cell_type"] == "markdown" else []


def _parts(source: str) -> Iterator[tuple[str, str]]:
    """Split Markdown at its second-level headings: pairs of heading and text; no heading stands for none."""
    lines: list[str] = []
    heading = fence = ""
    for line in source.splitlines(keepends=True):
        marks = FENCE.match(line)
        if marks and not fence:
            fence = marks[1]
        elif marks and marks[1].startswith(fence):
            fence = ""
        begins = None if fence else SECTION.match(line.rstrip("\n"))
        if begins:
            yield heading, "".join(lines)
            heading, lines = begins[1], []
        else:
            lines.append(line)
    yield heading, "".join(lines)


def _plain(html: str) -> str:
    """Text of HTML."""
    return unescape(MARKUP.sub("", html)).strip()


def _blocks(cell: Mapping[str, Any], alt: str, lost: Set[str], lang: str) -> Iterator[Block]:
    for output in cell["outputs"]:
        kind = output["output_type"]
        if kind == "error":
            yield from _failure(output, cell, lost, lang)
        elif kind != "stream":
            yield from _shown(output["data"], output.get("metadata", {}), alt)
        elif output["name"] == "stdout":
            yield Output(_joined(output["text"]))


def _shown(data: Mapping[str, Any], metadata: Mapping[str, Any], alt: str) -> Iterator[Block]:
    """The richest form that csat knows of what a cell showed."""
    image = next((mime for mime in ("image/png", "image/jpeg") if mime in data), None)
    plain = _joined(data.get("text/plain", ""))
    # An object's address, such as that of axes at the end of a cell, tells a reader nothing.
    plain = "" if plain.startswith("<") else plain
    if TABLE_MIME in data:
        yield Tabular(Description.from_dict(data[TABLE_MIME]), data[TABLE_MIME].get("form", "table"))
    elif LINES_MIME in data:
        said = data[LINES_MIME]
        yield Lines(said["form"], tuple(said["lines"]), said["title"])
    elif "text/html" in data:
        html = _joined(data["text/html"])
        yield Output(plain or _plain(html), html)
    elif image:
        width = metadata.get(image, {}).get("width")
        chart = Chart.from_dict(data[CHART_MIME]) if CHART_MIME in data else None
        said = (chart and chart.alt) or alt
        yield Picture(base64.b64decode(_joined(data[image])), image, said, width and int(width), chart)
    elif "text/markdown" in data:
        yield Prose(_joined(data["text/markdown"]))
    elif plain:
        yield Output(plain)


def _failure(output: Mapping[str, Any], cell: Mapping[str, Any], lost: Set[str], lang: str) -> Iterator[Block]:
    """Say why a figure is missing; a cell that only lacks a name `lost` with an earlier one says nothing."""
    ours = output["ename"] in _names(errors.CsatError)
    follows = output["ename"] == "NameError" and any(f"'{name}'" in output["evalue"] for name in lost)
    if MAY_FAIL not in tags_of(cell) or not (ours or follows):
        raise errors.ReportError.cell_failed(output["ename"], output["evalue"])
    if ours:
        said, detail = unable(output["ename"], output["evalue"])
        yield Missing(words(lang).say(said), detail)


def _names(kind: type) -> set[str]:
    """Names of a class and of all that are made from it, in whichever room they stand."""
    made: list[type] = kind.__subclasses__()
    return {kind.__name__}.union(*map(_names, made))


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
