"""Sizes of what a path diagram shows, in inches: nodes with their names, and the boxes of their indicators."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from csat.report.doubts import impossible
from csat.report.format import number
from csat.report.lines import wrap
from csat.report.network.graph import Graph, Node

#: Size of letters in points: names, R², values on arrows, indicators.
NAME, SHARE, VALUE, ITEM = 9.5, 8.0, 9.0, 8.0
#: Columns and lines that a name may take in a node, and in an indicator's box.
NODE_WRAP, ITEM_WRAP = (16, 3), (18, 2)
#: Distance of lines, in sizes of the letters.
LEADING = 1.3
#: Between the boxes of indicators; from a node to them, beneath it and beside it.
BETWEEN, BENEATH, BESIDE = 0.06, 0.14, 0.62
#: How far boxes beneath a node stand to the right of the line that leads to them.
INDENT = 0.2
#: Widest and narrowest half of a node.
HALF = (0.46, 0.86)

Side = Literal["beneath", "beside"]

_WIDTHS = {"Lu": 0.7, "Nd": 0.6, "Zs": 0.32, "Po": 0.36, "Pd": 0.42}


def advance(text: str, size: float) -> float:
    """Width of a line of text in inches, about.

    >>> advance("0.45", 9.0) < advance("满意度", 9.0) < 0.4
    True
    """
    ems = (
        1.0 if unicodedata.east_asian_width(char) in "WF" else _WIDTHS.get(unicodedata.category(char), 0.6)
        for char in text
    )
    return sum(ems) * size / 72


@dataclass(frozen=True, slots=True)
class Shape:
    """A node or an indicator's box.

    lines : its name. said : what stands below the name of a node, right of that of an indicator.
    half : half its width and height. at : its centre, relative to its block or in the picture.
    """

    code: str
    lines: tuple[str, ...]
    said: str
    round: bool
    half: tuple[float, float]
    at: tuple[float, float] = (0.0, 0.0)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Block:
    """A node with the boxes of its indicators, around the centre of the node.

    items : their places are relative to the node. side : where they stand.
    reach : how far it extends to the left, right, up and down.
    """

    node: Shape
    items: tuple[Shape, ...]
    side: Side
    reach: tuple[float, float, float, float]


def blocks_of(graph: Graph, sides: dict[str, Side], r2: str) -> dict[str, Block]:
    """The blocks of a model; nodes are equally large, and so are boxes.

    Parameters
    ----------
    sides : where the indicators of each node stand. r2 : how an explained share is written, "R² = {r2:.2f}".
    """
    nodes = [_sized(node, r2) for node in graph.structural]
    half = tuple(np.max([shape.half for shape in nodes], axis=0).tolist())
    values = {(edge.source, edge.target): edge.value for edge in graph.edges if edge.kind == "loading"}
    boxes = {node.code: _boxed(node, values) for node in graph.nodes if node.owner}
    box = tuple(np.max([shape.half for shape in boxes.values()], axis=0).tolist()) if boxes else (0.0, 0.0)
    out = {}
    for shape in nodes:
        own = [_with(boxes[item.code], box) for item in graph.indicators(shape.code)]
        # A rectangle has room in its corners: it may be lower than an ellipse.
        height = half[1] if shape.round else 0.85 * half[1]
        out[shape.code] = _block(_with(shape, (half[0], height)), own, sides[shape.code])
    return out


def _sized(node: Node, r2: str) -> Shape:
    lines = tuple(wrap(node.name, *NODE_WRAP).split("\n"))
    said = " · ".join(filter(None, (node.mark, r2.format(r2=node.r2) if np.isfinite(node.r2) else "")))
    width = max(*(advance(line, NAME) for line in lines), advance(said, SHARE))
    height = (len(lines) * NAME + bool(said) * SHARE) * LEADING / 72
    # Text fills the rectangle inside an ellipse: its corners lie on the curve.
    half = (float(np.clip(width / 2 / 0.8, *HALF)), max(0.26, height / 2 / 0.66))
    return Shape(node.code, lines, said, node.latent, half)


def _boxed(node: Node, values: dict[tuple[str, str], float]) -> Shape:
    lines = tuple(wrap(node.name, *ITEM_WRAP).split("\n"))
    value = values.get((node.owner, node.code), values.get((node.code, node.owner), np.nan))
    said = written(value)
    width = max(advance(line, ITEM) for line in lines) + advance(said, ITEM) + 0.26
    return Shape(node.code, lines, said, False, (width / 2, (len(lines) * ITEM * LEADING / 72 + 0.07) / 2), (0, 0),
                 node.owner)  # fmt: skip


def written(value: float) -> str:
    """A standardised value on an arrow; beyond ±1 with a mark."""
    return number(value, "score") + (" !" if impossible(value) else "")


def _with(shape: Shape, half: tuple[float, ...], at: tuple[float, float] = (0.0, 0.0)) -> Shape:
    return Shape(shape.code, shape.lines, shape.said, shape.round, (half[0], half[1]), at, shape.owner)


def _block(node: Shape, items: Sequence[Shape], side: Side) -> Block:
    width, height = node.half
    if not items:
        return Block(node, (), side, (width, width, height, height))
    box, tall = items[0].half, 2 * items[0].half[1] + BETWEEN
    if side == "beneath":
        x = -width + INDENT + box[0] + 0.06
        y = [-height - BENEATH - box[1] - at * tall for at in range(len(items))]
        reach = (width, max(width, x + box[0]), height, box[1] - y[-1])
    else:
        x = width + BESIDE + box[0]
        y = [((len(items) - 1) / 2 - at) * tall for at in range(len(items))]
        half = max(height, y[0] + box[1])
        reach = (width, x + box[0], half, half)
    return Block(node, tuple(_with(item, item.half, (x, at)) for item, at in zip(items, y, strict=True)), side, reach)
