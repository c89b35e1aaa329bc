"""From a model to a picture: places of nodes, curves of arrows, places of values, all in inches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from csat.report.network.blocks import VALUE, Block, Shape, Side, advance, blocks_of, written
from csat.report.network.graph import Edge, Graph
from csat.report.network.labels import spots
from csat.report.network.layers import Layers, Thing, layered, spread
from csat.report.network.routes import leader, list_of, routed

#: Widest and highest picture that is not made smaller, in inches.
PAGE = (8.0, 10.0)
#: Scale from which on no other direction is tried.
ENOUGH = 0.85
MARGIN = 0.12
#: Between layers that follow each other to the right or downwards, between nodes of a layer, around a long arrow.
RIGHT, DOWN, GAP, BEND = 1.0, 0.62, 0.34, 0.42
#: Factors by which distances grow until no value covers another.
GROW = (1.0, 1.2, 1.45, 1.75, 2.1)
#: Most indicators that stand beside a node.
FAN = 8


@dataclass(frozen=True, slots=True)
class Arrow:
    """An arrow as drawn.

    points : (n, 2) of its curve, from cause to effect. spot : centre of its value; None where a box shows it.
    """

    edge: Edge
    points: np.ndarray
    spot: np.ndarray | None
    said: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes and arrows of a model.

    low, high : (2,) corners. tidy : no value covers another or a node.
    """

    graph: Graph
    shapes: tuple[Shape, ...]
    arrows: tuple[Arrow, ...]
    low: np.ndarray
    high: np.ndarray
    tidy: bool

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in inches."""
        width, height = (self.high - self.low).tolist()
        return width, height

    @property
    def scale(self) -> float:
        """What makes it fit a page; 1 if it does."""
        return min(1.0, PAGE[0] / self.size[0], PAGE[1] / self.size[1])


#: From the blocks of a model and its arrows to the centres of its nodes.
Places = Callable[[Mapping[str, Block], Iterable[tuple[str, str]]], Mapping[str, np.ndarray]]


def picture_of(graph: Graph, r2: str = "R² = {r2:.2f}", places: Places | None = None) -> Picture:
    """Lay out a model: causes left and effects right, or top down where that fits a page better.

    Parameters
    ----------
    r2 : how an explained share is written in a node.
    places : who says where the nodes of the structural part stand; None: own layers.
    """
    nodes = [node.code for node in graph.structural]
    paths = [(edge.source, edge.target) for edge in graph.edges if edge.kind == "path"]
    layers = layered(nodes, paths)
    if places is not None:
        blocks = _blocks(graph, layers, "right", r2)
        return _drawn(graph, layers, blocks, "right", places(blocks, paths), {})
    found = _grown(graph, layers, "right", r2)
    if found.tidy and found.scale > ENOUGH:
        return found
    return max(found, _grown(graph, layers, "down", r2), key=lambda tried: (tried.tidy, round(tried.scale, 2)))


def _grown(graph: Graph, layers: Layers, way: str, r2: str) -> Picture:
    """The smallest picture in which no value covers another, else the largest."""
    blocks = _blocks(graph, layers, way, r2)
    for factor in GROW:
        centres, bends = _placed(layers, blocks, way, factor)
        found = _drawn(graph, layers, blocks, way, centres, bends)
        if found.tidy:
            break
    return found


def _blocks(graph: Graph, layers: Layers, way: str, r2: str) -> dict[str, Block]:
    """Boxes of indicators stand where no arrows leave: beside the last layer, beneath the others; top down, beside."""
    last = set(layers.columns[-1])
    crowded = len(layers.columns) > 1 and any(
        (edge.both and {edge.source, edge.target} <= last) or _across(edge, graph) for edge in graph.edges
    )
    sides: dict[str, Side] = {
        node.code: "beside" if way == "down" or (
            node.code in last and not crowded and len(graph.indicators(node.code)) <= FAN
        ) else "beneath"
        for node in graph.structural
    }  # fmt: skip
    return blocks_of(graph, sides, r2)


def _across(edge: Edge, graph: Graph) -> bool:
    """Whether an arrow joins indicators of two constructs."""
    owners = {node.owner for node in graph.nodes if node.code in (edge.source, edge.target)}
    return len(owners) == 2 and "" not in owners


def _placed(
    layers: Layers, blocks: Mapping[str, Block], way: str, factor: float
) -> tuple[dict[str, np.ndarray], dict[Thing, np.ndarray]]:
    """Centres (2,) of the nodes; where long arrows enter and leave the layers (2, 2) that they pass."""
    down = way == "down"
    extents: dict[Thing, tuple[float, float]] = {}
    before, after = [], []
    for column in layers.columns:
        reaches = np.array([blocks[thing].reach for thing in column if isinstance(thing, str)]).reshape(-1, 4)
        most = reaches.max(axis=0) if len(reaches) else np.zeros(4)
        before.append(float(most[2 if down else 0]))
        after.append(float(most[3 if down else 1]))
        for thing in column:
            if isinstance(thing, str):
                left, right, up, below = blocks[thing].reach
                extents[thing] = (left, right) if down else (up, below)
    across = spread(layers, extents, GAP * factor, BEND * factor)
    step = (DOWN if down else RIGHT) * factor
    along = np.cumsum([0.0, *(a + step + b for a, b in zip(after[:-1], before[1:], strict=True))])
    centres: dict[str, np.ndarray] = {}
    bends: dict[Thing, np.ndarray] = {}
    for x, column, near, far in zip(along, layers.columns, before, after, strict=True):
        for thing in column:
            ways = [x] if isinstance(thing, str) else [x - near, x + far]
            knots = np.array([(across[thing], -way) if down else (way, -across[thing]) for way in ways])
            if isinstance(thing, str):
                centres[thing] = knots[0]
            else:
                bends[thing] = knots
    return centres, bends


def _drawn(
    graph: Graph, layers: Layers, blocks: Mapping[str, Block], way: str, centres: Mapping[str, np.ndarray],
    bends: Mapping[Thing, np.ndarray],
) -> Picture:  # fmt: skip
    shapes = _shapes(blocks, centres)
    owned = {(e.source, e.target): e for e in graph.edges if e.kind == "loading" and _owns(e, shapes)}
    free = sorted((e for e in graph.edges if (e.source, e.target) not in owned), key=lambda edge: edge.both)
    drawn = routed(free, layers, blocks, shapes, way, bends)
    said = [written(edge.value) for edge in free]
    sizes = np.array([[advance(text, VALUE) + 0.06, VALUE * 1.25 / 72 + 0.02] for text in said]).reshape(-1, 2)
    lists = [list_of(block, shapes) for block in blocks.values() if block.items]
    boxes = np.array([*([*shape.at, *shape.half] for shape in shapes.values()), *lists]).reshape(-1, 4)
    found, tidy = spots(drawn, sizes, boxes, [0.5] * len(free))
    arrows = [Arrow(*row) for row in zip(free, drawn, found, said, strict=True)]
    arrows += [Arrow(edge, leader(edge, blocks, shapes), None, "") for edge in owned.values()]
    corners = np.vstack([
        boxes[:, :2] - boxes[:, 2:], boxes[:, :2] + boxes[:, 2:], found - sizes / 2, found + sizes / 2,
        *(arrow.points for arrow in arrows),
    ])  # fmt: skip
    return Picture(graph, tuple(shapes.values()), tuple(arrows), corners.min(axis=0) - MARGIN,
                   corners.max(axis=0) + MARGIN, tidy)  # fmt: skip


def _shapes(blocks: Mapping[str, Block], centres: Mapping[str, np.ndarray]) -> dict[str, Shape]:
    """Nodes and boxes at their places in the picture."""
    out = {}
    for code, block in blocks.items():
        x, y = (float(value) for value in centres[code])
        out[code] = replace(block.node, at=(x, y))
        out |= {item.code: replace(item, at=(x + item.at[0], y + item.at[1])) for item in block.items}
    return out


def _owns(edge: Edge, shapes: Mapping[str, Shape]) -> bool:
    return shapes[edge.target].owner == edge.source or shapes[edge.source].owner == edge.target
