"""From an executed notebook to one HTML page that needs nothing from anywhere else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from csat import errors
from csat.report.description import TABLE_MIME
from csat.report.format import legal
from csat.report.html import environment, to_html
from csat.report.jupyter import Table
from csat.report.notebook import Notebook, tags_of, text_of_cell
from csat.report.words import Word, words
from csat.version import __version__

#: A cell with this tag may fail with an error of csat: the page then says why the figure is missing.
MAY_FAIL = "raises-exception"
#: How Python begins a warning: file, line, category.
WARNED_AT = re.compile(r"^\S.*?:\d+: \w*Warning: ")
#: A name that a cell binds.
ASSIGNED = re.compile(r"^(\w+) = ", re.MULTILINE)
#: How outputs begin that stay as they are although the workbook has them as tables.
OWN_FORMS = ('<dl class="headline"', '<ul class="advice"')
HEADING = re.compile(r"^#{1,2} +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation."""

    anchor: str
    title: str


def page(notebook: Notebook, *, title: str, lang: str) -> str:
    """Render an executed notebook without its code.

    Parameters
    ----------
    notebook : with outputs. Tables are rendered again from their descriptions, charts embedded, Markdown escaped.
    title : of the page.
    lang : of the page, "en" or "zh".

    Raises
    ------
    ReportError
        If a cell that may not fail did.
    """
    catalogue = words(lang)
    sections: list[Section] = []
    head: list[str] = []
    body: list[str] = []
    current = title
    lost: set[str] = set()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            if sections or not _begins_section(cell):
                body.append(_markdown(text_of_cell(cell), sections))
            else:
                head, body = body, [_markdown(text_of_cell(cell), sections)]
            current = sections[-1].title if sections else title
        elif cell["cell_type"] == "code":
            alt = catalogue.say(Word("page.figure", {"section": current}))
            body += [_output(output, cell, alt, lost) for output in cell["outputs"]]
            if any(output["output_type"] == "error" for output in cell["outputs"]):
                lost |= set(ASSIGNED.findall(text_of_cell(cell)))
    return legal(
        environment()
        .get_template("page.html.j2")
        .render(
            lang={"zh": "zh-Hans"}.get(lang, lang),
            title=title,
            style=(files("csat.report") / "templates" / "page.css").read_text(encoding="utf-8"),
            sections=sections,
            head="\n".join(filter(None, head)),
            body="\n".join(filter(None, body)),
            contents=catalogue.say(Word("page.contents")),
            skip=catalogue.say(Word("page.skip")),
            made=catalogue.say(Word("page.made", {"version": __version__})),
        )
    )


def _begins_section(cell: Mapping[str, Any]) -> bool:
    """Whether a cell starts with a heading of the second level: what stands before the first one is the head."""
    return text_of_cell(cell).lstrip().startswith("## ")


def tables_of(notebook: Notebook) -> list[Table]:
    """Tables that a notebook shows, in order."""
    return [
        Table.from_dict(output["data"][TABLE_MIME])
        for cell in notebook["cells"]
        for output in cell.get("outputs", ())
        if TABLE_MIME in output.get("data", {})
    ]


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


def _markdown(source: str, sections: list[Section]) -> str:
    """Render Markdown; HTML in it is shown, not obeyed. Second-level headings enter the navigation."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

    class Renderer(IPythonRenderer):
        def heading(self, text: str, level: int, **attrs: Any) -> str:  # noqa: ARG002
            if level != 2:
                return f"<h{level}>{text}</h{level}>\n"
            anchor = f"section-{len(sections) + 1}"
            sections.append(Section(anchor, re.sub(r"<[^>]+>", "", text)))
            return f'<h2 id="{anchor}">{text}</h2>\n'

    renderer = Renderer(escape=True, allow_harmful_protocols=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(source)


def _output(output: Mapping[str, Any], cell: Mapping[str, Any], alt: str, lost: Set[str]) -> str:
    kind = output["output_type"]
    if kind == "error":
        return _failure(output, cell, lost)
    if kind == "stream":
        return f"<pre>{escape(_joined(output['text']))}</pre>" if output["name"] == "stdout" else ""
    return _shown(output["data"], output.get("metadata", {}), alt)


def _shown(data: Mapping[str, Any], metadata: Mapping[str, Any], alt: str) -> str:
    if TABLE_MIME in data and not _joined(data.get("text/html", "")).startswith(OWN_FORMS):
        return f'<div class="scroll">{to_html(Table.from_dict(data[TABLE_MIME]))}</div>'
    if "text/html" in data:
        return f'<div class="scroll">{_joined(data["text/html"])}</div>'
    for mime in ("image/png", "image/jpeg"):
        if mime in data:
            size = metadata.get(mime, {})
            width = f' width="{int(size["width"])}"' if "width" in size else ""
            encoded = _joined(data[mime]).replace("\n", "")
            return f'<figure><img src="data:{mime};base64,{encoded}" alt="{escape(alt)}"{width}></figure>'
    if "text/markdown" in data:
        return _markdown(_joined(data["text/markdown"]), [])
    plain = _joined(data.get("text/plain", ""))
    # An object's address, such as that of axes at the end of a cell, tells a reader nothing.
    return "" if plain.startswith("<") or not plain else f"<pre>{escape(plain)}</pre>"


def _failure(output: Mapping[str, Any], cell: Mapping[str, Any], lost: Set[str]) -> str:
    """Say why a figure is missing; a cell that only lacks a name `lost` with an earlier one says nothing."""
    known = getattr(errors, output["ename"], None)
    ours = isinstance(known, type) and issubclass(known, errors.CsatError)
    follows = output["ename"] == "NameError" and any(f"'{name}'" in output["evalue"] for name in lost)
    if MAY_FAIL not in tags_of(cell) or not (ours or follows):
        raise errors.ReportError.cell_failed(output["ename"], output["evalue"])
    return f'<p class="missing">{escape(output["evalue"])}</p>' if ours else ""


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
