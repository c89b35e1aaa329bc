"""Which way arrows may take: straight, along the layers, around nodes, outside a layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

import csat.report.network.curves as curves
from csat.report.network.blocks import BESIDE, INDENT, Block, Shape
from csat.report.network.graph import Edge
from csat.report.network.layers import Layers, Thing

#: A node as a curve sees it: centre, half size, whether it is round.
End = tuple[np.ndarray, np.ndarray, bool]

#: How far an arrow leaves, and arrives, in the direction of the layers, in distances of the layers.
LEAVING = ((0.4, 0.4), (0.8, 0.8), (1.1, 0.4), (0.4, 1.1), (1.3, 0.7), (0.7, 1.3), (1.5, 0.1))
#: Forms of an arrow, the best by themselves, that are held against those of the others.
MOST = 6
#: How far the middle of an arrow may lie off its straight line, in inches.
BOWS = (0.35, -0.35, 0.7, -0.7, 1.1, -1.1)
#: How far the arcs of covariances reach, per node that they span, beside a column and above a row.
DEPTH = {"right": 0.44, "down": 0.32}


def leader(edge: Edge, blocks: Mapping[str, Block], shapes: Mapping[str, Shape]) -> np.ndarray:
    """From a construct to the box of its indicator, or from the box if the construct is composed of it."""
    reflective = shapes[edge.target].owner == edge.source
    node, item = (shapes[edge.source], shapes[edge.target]) if reflective else (
        shapes[edge.target], shapes[edge.source])  # fmt: skip
    centre, end = np.array(node.at), np.array([item.at[0] - item.half[0] - curves.CLEAR / 2, item.at[1]])
    if blocks[node.code].side == "beneath":
        x = end[0] - 0.2 + curves.CLEAR
        foot = centre[1] - node.half[1] * np.sqrt(max(0.0, 1 - ((x - centre[0]) / node.half[0]) ** 2))
        points = np.array([[x, foot if node.round else centre[1] - node.half[1]], [x, end[1]], end])
    else:
        points = curves.clipped(curves.line(np.array([centre, end])), [_end(node), _end(item)])
    return points if reflective else points[::-1]


def _end(shape: Shape) -> End:
    return np.array(shape.at), np.array(shape.half), shape.round


def routed(
    edges: Sequence[Edge], layers: Layers, blocks: Mapping[str, Block], shapes: Mapping[str, Shape], way: str,
    bends: Mapping[Thing, np.ndarray],
) -> list[np.ndarray]:  # fmt: skip
    """Curves of the arrows that are not between a construct and its own boxes; paths choose first."""
    lists = {code: list_of(block, shapes) for code, block in blocks.items() if block.items}
    wishes = []
    for edge in edges:
        ends = [_end(shapes[edge.source]), _end(shapes[edge.target])]
        forms = _forms(edge, ends, layers, shapes, way, bends)
        drawn = [curves.clipped(points, ends) for _, points in forms]
        boxes, kinds = _obstacles(edge, shapes, lists)
        cost = np.array([form + curves.COVERED * curves.covered(points, boxes, kinds)
                         for (form, _), points in zip(forms, drawn, strict=True)])  # fmt: skip
        best = np.argsort(cost, kind="stable")[:MOST]
        wishes.append(curves.Wish((edge.source, edge.target), tuple(drawn[at] for at in best), cost[best]))
    return curves.chosen(wishes, sum(not edge.both for edge in edges))


def list_of(block: Block, shapes: Mapping[str, Shape]) -> np.ndarray:
    """(4,) the boxes of a node's indicators and the lines that lead to them, as centre and half size."""
    node, boxes = shapes[block.node.code], [shapes[item.code] for item in block.items]
    corners = np.array([[*np.subtract(box.at, box.half), *np.add(box.at, box.half)] for box in boxes])
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    low[0] = node.at[0] + node.half[0] + BESIDE / 2 if block.side == "beside" else low[0] - INDENT
    return np.concatenate([(low + high) / 2, (high - low) / 2])


def _obstacles(
    edge: Edge, shapes: Mapping[str, Shape], lists: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """What an arrow must not cover: nodes that it does not join, and lists of indicators that it does not lead to."""
    owners = {shapes[code].owner for code in (edge.source, edge.target)}
    nodes = [shape for code, shape in shapes.items() if code not in (edge.source, edge.target)]
    boxes = [np.array([*shape.at, *shape.half]) for shape in nodes]
    boxes += [box for code, box in lists.items() if code not in owners]
    kinds = [shape.round for shape in nodes] + [False] * (len(boxes) - len(nodes))
    return np.array(boxes).reshape(-1, 4), np.array(kinds, bool)


def _forms(
    edge: Edge, ends: Sequence[End], layers: Layers, shapes: Mapping[str, Shape],
    way: str, bends: Mapping[Thing, np.ndarray],
) -> list[tuple[float, np.ndarray]]:  # fmt: skip
    """Curves that an arrow may take, with what each costs for its form."""
    start, end = ends[0][0], ends[1][0]
    if edge.both:
        return _arcs(edge, start, end, layers, shapes, way)
    forms = [(0.0, curves.line(np.array([start, end])))]
    chain = layers.chains.get((edge.source, edge.target), ())
    forward = end[0] > start[0] if way == "right" else end[1] < start[1]
    passed = [bends[thing] if forward else bends[thing][::-1] for thing in chain[1:-1] if thing in bends]
    if passed:
        knots = np.vstack([start, *passed, end])
        forms += [(0.1, curves.rounded(knots)), (0.2, curves.line(knots))]
    ahead = (end - start) * ((1, 0) if way == "right" else (0, 1))
    forms += [(0.2 + 0.15 * (leave + arrive), curves.bezier(start, start + leave * ahead, end - arrive * ahead, end))
              for leave, arrive in LEAVING]  # fmt: skip
    return forms + [(0.3 + 0.5 * abs(depth), curves.bow(start, end, depth * _normal(start, end))) for depth in BOWS]


def _normal(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    way = end - start
    return np.array([-way[1], way[0]]) / max(float(np.hypot(*way)), 1e-9)


def _arcs(
    edge: Edge, start: np.ndarray, end: np.ndarray, layers: Layers, shapes: Mapping[str, Shape], way: str
) -> list[tuple[float, np.ndarray]]:
    """Arcs of a covariance: outside the first or the last layer, beside a list of boxes, else to either side."""
    one, other = shapes[edge.source], shapes[edge.target]
    for column, side in ((layers.columns[0], -1.0), (layers.columns[-1], 1.0)):
        nodes = [thing for thing in column if isinstance(thing, str)]
        if edge.source in nodes and edge.target in nodes:
            span = abs(nodes.index(edge.source) - nodes.index(edge.target))
            out = np.array([side, 0.0]) if way == "right" else np.array([0.0, -side])
            width = one.half[0 if way == "right" else 1]
            base = width + DEPTH[way] * span
            return [(0.0, curves.bow(start, end, base * out)), (0.4, curves.bow(start, end, 1.25 * base * out))]
    if one.owner and other.owner:
        return _beside(one, other)
    normal = _normal(start, end)
    return [(0.2 + 0.4 * abs(depth), curves.bow(start, end, depth * normal)) for depth in (0.0, *BOWS)]


def _beside(one: Shape, other: Shape) -> list[tuple[float, np.ndarray]]:
    """Curves between two boxes: around the right of both, or from the right of one to the left of the other."""
    sides = [np.array([shape.at[0] + shape.half[0] + curves.CLEAR, shape.at[1]]) for shape in (one, other)]
    rightmost = max(sides[0][0], sides[1][0])
    reach = 0.29 + 0.4 * abs(one.at[1] - other.at[1])
    forms = []
    for further in (0.0, 0.2, 0.4):
        first, second = (np.array([rightmost + reach + further, side[1]]) for side in sides)
        forms.append((0.1 + 0.2 * further, curves.bezier(sides[0], first, second, sides[1])))
    left, right = (one, other) if one.at[0] <= other.at[0] else (other, one)
    start = np.array([left.at[0] + left.half[0] + curves.CLEAR, left.at[1]])
    end = np.array([right.at[0] - right.half[0] - curves.CLEAR, right.at[1]])
    gap = np.array([end[0] - start[0], 0.0])
    if gap[0] >= 0.3:
        way = 1 if left is one else -1
        forms += [(0.1, curves.bezier(start, start + part * gap, end - part * gap, end)[::way])
                  for part in (0.3, 0.5, 0.8)]  # fmt: skip
    return forms
