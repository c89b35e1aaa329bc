"""Tables of what a study is made of: its questions in their tree, its structural model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.questionnaire.scales import text_of
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.model import Model
    from csat.questionnaire import Questionnaire

#: What a line of a model says → word.
SAID = {"=~": "measured", "<~": "composed", "~": "explained", "~~": "covaries", "~1": "mean", "~*~": "scaled"}


def questionnaire(asked: Questionnaire, names: Names) -> Table:
    """The index tree with the weight of each part, then the other questions."""
    texts = Names(names.lang, asked, names.spoken)
    rows = [] if asked.root is None else _tree(asked, asked.root, texts)
    known = {row["code"] for row in rows}
    rows += [_row(asked, item.code, texts) for item in asked.scaled if item.code not in known]
    shows = [
        Show("term"),
        Show("code"),
        Show("kind", heading=Word("column.part_kind")),
        Show("weight", "percent"),
        Show("scale"),
    ]
    title = Word("title.questionnaire", {"name": text_of(asked.texts, names.lang, asked.name)})
    frame = pd.DataFrame(rows, columns=["term", "code", "kind", "weight", "scale", "depth"])
    frame["weight"] = frame["weight"].astype(object).where(frame["weight"].notna(), None)
    outcome = [] if asked.outcome is None else [Word("note.outcome", {"name": texts.code(asked.outcome)})]
    return describe("questionnaire", title, frame, shows, names, label="term", notes=outcome)


def _tree(asked: Questionnaire, node: str, texts: Names, weight: float | None = None, depth: int = 0) -> list[Any]:
    rows = [_row(asked, node, texts, weight, depth)]
    if asked.kind(node) == "item":
        return rows
    part = asked.dimension(node)
    weights = part.weights or ((None,) if part.estimated else (1 / len(part.children),)) * len(part.children)
    for child, share in zip(part.children, weights, strict=True):
        rows += _tree(asked, child, texts, share, depth + 1)
    return rows


def _row(asked: Questionnaire, code: str, texts: Names, weight: float | None = None, depth: int = 0) -> dict[str, Any]:
    above = code in asked.nodes and asked.kind(code) != "item"
    usual = "process" if code in {process.code for process in asked.processes} else "item"
    scale = None if above else asked.scale_of(code)
    return {
        "term": texts.code(code),
        "code": code,
        "kind": Word(f"part_kind.{asked.kind(code) if above else usual}"),
        "weight": weight,
        "scale": "" if scale is None else f"{scale.low:g}–{scale.high:g}",
        "depth": depth,
    }


def model(result: Model, names: Names) -> Table:
    """A line per construct and relation: what measures it, what explains it, what goes with it."""
    lines: dict[tuple[str, str], list[str]] = {}
    for term in result.terms:
        lines.setdefault((term.lhs, term.op), []).append(term.rhs)
    rows = [
        {"term": names.construct(lhs), "relation": _said(op), "of": names.listed([_side(rhs, names) for rhs in found])}
        for (lhs, op), found in lines.items()
    ]
    rows += [
        {"term": one.name, "relation": Word("part_kind.defined"), "of": one.text.strip()} for one in result.definitions
    ]
    shows = [Show("term", heading=Word("column.construct")), Show("relation"), Show("of", heading=Word("column.with"))]
    title = Word("title.model", {"constructs": len(result.latents), "observed": len(result.observed)})
    return describe("model", title, pd.DataFrame(rows, columns=["term", "relation", "of"]), shows, names, label="term")


def _said(op: str) -> Word | str:
    return Word(f"part_kind.{SAID[op]}") if op in SAID else op


def _side(name: str, names: Names) -> str:
    return " × ".join(names.construct(part) for part in name.split(":"))
