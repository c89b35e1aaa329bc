"""Markdown as paragraphs of plain runs, for media that have styles of their own. HTML in it is text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from csat.report.format import legal


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look."""

    text: str
    bold: bool = False
    italic: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Runs in a row.

    form : "heading" of some level, "bullet" or "number" of some depth, "code" whose lines stay, or "text".
    """

    runs: tuple[Run, ...]
    form: Literal["text", "heading", "bullet", "number", "code"] = "text"
    level: int = 1

    @property
    def text(self) -> str:
        """What it says."""
        return "".join(run.text for run in self.runs)


def paragraphs(markdown: str) -> list[Paragraph]:
    """Read Markdown; pictures and links keep their words, a link its address."""
    import mistune

    tree = mistune.create_markdown(renderer="ast", plugins=["table"])(legal(markdown))
    return [paragraph for node in tree if isinstance(node, dict) for paragraph in _read(node)]


def _read(node: Mapping[str, Any], depth: int = 1) -> Iterator[Paragraph]:
    match node["type"]:
        case "heading":
            yield Paragraph(_runs(node), "heading", node["attrs"]["level"])
        case "paragraph" | "block_text":
            yield Paragraph(_runs(node))
        case "block_code":
            yield Paragraph((Run(node["raw"].rstrip("\n"), fixed=True),), "code")
        case "block_html":
            yield Paragraph((Run(node["raw"].strip()),))
        case "list":
            form: Literal["bullet", "number"] = "number" if node["attrs"].get("ordered") else "bullet"
            for item in node["children"]:
                for position, found in enumerate(
                    part for child in item["children"] for part in _read(child, depth + 1)
                ):
                    first = position == 0 and found.form == "text"
                    yield Paragraph(found.runs, form, depth) if first else found
        case "table_head" | "table_row":
            yield Paragraph((Run(" | ".join(_plain(cell) for cell in node["children"])),))
        case _:
            for child in node.get("children", ()):
                yield from _read(child, depth)


def _runs(node: Mapping[str, Any], **look: bool) -> tuple[Run, ...]:
    return tuple(run for child in node["children"] for run in _run(child, look))


def _run(node: Mapping[str, Any], look: Mapping[str, bool]) -> Iterator[Run]:
    match node["type"]:
        case "softbreak" | "linebreak":
            yield Run(" ", **look)
        case "strong":
            yield from _runs(node, **{**look, "bold": True})
        case "emphasis":
            yield from _runs(node, **{**look, "italic": True})
        case "codespan":
            yield Run(node["raw"], **{**look, "fixed": True})
        case "link":
            yield from _runs(node, **look)
            if node["attrs"]["url"] != _plain(node):
                yield Run(f" ({node['attrs']['url']})", **look)
        case _ if "children" in node:
            yield from _runs(node, **look)
        case _:
            yield Run(node.get("raw", ""), **look)


def _plain(node: Mapping[str, Any]) -> str:
    return "".join(run.text for run in _runs(node))
