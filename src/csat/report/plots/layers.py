"""Places for the nodes of a path diagram: layers from cause to effect, few crossings.

Source: Sugiyama, Tagawa and Toda (1981), IEEE Trans. Syst. Man Cybern. 11(2), 109-125.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Edge = tuple[str, str]
SWEEPS = 12


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions in columns and rows.

    place : node → (layer, row); rows are centred around 0.
    bends : edge → points between its ends, one per layer that it passes.
    """

    place: Mapping[str, tuple[float, float]]
    bends: Mapping[Edge, tuple[tuple[float, float], ...]]

    @property
    def layers(self) -> int:
        """Number of layers."""
        return 1 + int(max(x for x, _ in self.place.values()))

    @property
    def rows(self) -> float:
        """Height in rows, from the first to the last."""
        points = [*self.place.values(), *(point for bends in self.bends.values() for point in bends)]
        heights = [y for _, y in points]
        return max(heights) - min(heights)


def layer_of(nodes: Sequence[str], edges: Sequence[Edge]) -> dict[str, int]:
    """Longest way from a source to each node; an edge that closes a cycle does not count."""
    causes: dict[str, list[str]] = {node: [cause for cause, effect in edges if effect == node] for node in nodes}
    layer: dict[str, int] = {}

    def depth(node: str, path: tuple[str, ...]) -> int:
        if node in layer:
            return layer[node]
        ahead = [depth(cause, (*path, node)) for cause in causes[node] if cause not in (*path, node)]
        found = 1 + max(ahead, default=-1)
        if not path:
            layer[node] = found
        return found

    return {node: depth(node, ()) for node in nodes}


def lay_out(nodes: Sequence[str], edges: Sequence[Edge]) -> Layout:
    """Place nodes so that arrows run from left to right, past each other where that is possible."""
    layer = layer_of(nodes, edges)
    columns: list[list[object]] = [[] for _ in range(1 + max(layer.values()))]
    for node in nodes:
        columns[layer[node]].append(node)
    chains: dict[Edge, list[object]] = {}
    for cause, effect in edges:
        first, last = layer[cause], layer[effect]
        passed: list[object] = [(cause, effect, at) for at in range(first + 1, last)]
        for place, dummy in zip(range(first + 1, last), passed, strict=True):
            columns[place].append(dummy)
        chains[cause, effect] = [cause, *passed, effect]
    links = [pair for chain in chains.values() for pair in pairwise(chain)]
    row = _rows(columns, links)
    at = {thing: (float(x), row[thing]) for x, column in enumerate(columns) for thing in column}
    return Layout(
        {node: at[node] for node in nodes},
        {edge: tuple(at[thing] for thing in chain[1:-1]) for edge, chain in chains.items()},
    )


def _rows(columns: list[list[object]], links: Sequence[tuple[object, object]]) -> dict[object, float]:
    """Order each column by the mean row of its neighbours, sweeping to and fro; spread evenly around 0."""
    near: dict[object, list[object]] = {thing: [] for column in columns for thing in column}
    for one, other in links:
        near[one].append(other)
        near[other].append(one)
    row = {thing: place for column in columns for thing, place in zip(column, _spread(len(column)), strict=True)}
    for sweep in range(SWEEPS):
        for column in columns if sweep % 2 == 0 else reversed(columns):
            centre = {thing: float(np.mean([row[other] for other in near[thing]] or [row[thing]])) for thing in column}
            column.sort(key=lambda thing, centre=centre: centre[thing])  # type: ignore[misc]
            row |= dict(zip(column, _spread(len(column)), strict=True))
    return row


def _spread(count: int) -> list[float]:
    return [place - (count - 1) / 2 for place in range(count)]
