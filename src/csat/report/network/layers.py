"""Layers and order of the nodes of a path diagram: from cause to effect, with few crossings.

Source: Sugiyama, Tagawa & Toda (1981), IEEE Transactions on Systems, Man, and Cybernetics 11(2), 109-125.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, pairwise, permutations

import numpy as np

Link = tuple[str, str]
#: A node, or the point at which a long arrow passes a layer: (cause, effect, layer).
Thing = str | tuple[str, str, int]

#: Widest layers of a graph whose best order is looked for among all; sweeps where one is wider.
EXACT, SWEEPS = 6, 12
#: What a crossing counts, against a unit of length and against two nodes that stand in another order than the model's.
CROSSING, LENGTH, TURNED = 1000.0, 1.0, 0.01
#: Stiffness of arrows between two nodes, a node and a bend, two bends: long arrows are to be straight.
STIFF = (1.0, 2.0, 8.0)
ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Layers:
    """Nodes and bends, layer by layer.

    columns : layers from causes to effects, each in order.
    chains : arrow → its cause, the bends that it passes, its effect.
    """

    columns: tuple[tuple[Thing, ...], ...]
    chains: Mapping[Link, tuple[Thing, ...]]

    @property
    def links(self) -> tuple[tuple[Thing, Thing], ...]:
        """Pieces of arrows between neighbouring layers, the earlier layer first."""
        pieces = [pair for chain in self.chains.values() for pair in pairwise(chain)]
        layer = {thing: at for at, column in enumerate(self.columns) for thing in column}
        return tuple((a, b) if layer[a] < layer[b] else (b, a) for a, b in pieces)


def layered(nodes: Sequence[str], links: Iterable[Link]) -> Layers:
    """Layers of a graph in an order with few crossings; arrows that close a cycle run backwards."""
    links = tuple(dict.fromkeys(links))
    layer = layer_of(nodes, links)
    columns: list[list[Thing]] = [[] for _ in range(1 + max(layer.values(), default=-1))]
    for node in nodes:
        columns[layer[node]].append(node)
    chains: dict[Link, tuple[Thing, ...]] = {}
    for cause, effect in links:
        step = 1 if layer[cause] < layer[effect] else -1
        bends = [(cause, effect, at) for at in range(layer[cause] + step, layer[effect], step)]
        for bend in bends:
            # Ahead of the nodes: of two orders that cost the same, long arrows run on the left, lists on the right.
            columns[bend[2]].insert(0, bend)
        chains[cause, effect] = (cause, *bends, effect)
    found = Layers(tuple(map(tuple, columns)), chains)
    return Layers(_in_order(found.columns, found.links), chains)


def layer_of(nodes: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """Longest way from a source to each node, arrows that close a cycle turned round."""
    back = back_links(nodes, links)
    causes: dict[str, list[str]] = {node: [] for node in nodes}
    for cause, effect in links:
        a, b = (effect, cause) if (cause, effect) in back else (cause, effect)
        causes[b].append(a)

    @cache
    def depth(node: str) -> int:
        return 1 + max(map(depth, causes[node]), default=-1)

    return {node: depth(node) for node in nodes}


def back_links(nodes: Sequence[str], links: Sequence[Link]) -> frozenset[Link]:
    """Arrows that lead back to where a walk along the arrows came from; sources are walked from first."""
    effects = {node: [effect for cause, effect in links if cause == node] for node in nodes}
    reached = {effect for _, effect in links}
    done: set[str] = set()
    back: set[Link] = set()

    def walk(node: str, above: tuple[str, ...]) -> None:
        for effect in effects[node]:
            if effect in above:
                back.add((node, effect))
            elif effect not in done:
                walk(effect, (*above, effect))
        done.add(node)

    for node in sorted(nodes, key=lambda node: node in reached):
        if node not in done:
            walk(node, (node,))
    return frozenset(back)


def _in_order(
    columns: tuple[tuple[Thing, ...], ...], links: Sequence[tuple[Thing, Thing]]
) -> tuple[tuple[Thing, ...], ...]:
    if max(map(len, columns)) <= EXACT:
        return _best(columns, links)
    flipped = tuple(column[::-1] for column in columns)
    tried = (_swept(start, columns, links, forth) for start in (columns, flipped) for forth in (True, False))
    return min(tried, key=lambda found: _cost(found, columns, links))


def _best(
    columns: tuple[tuple[Thing, ...], ...], links: Sequence[tuple[Thing, Thing]]
) -> tuple[tuple[Thing, ...], ...]:
    """The cheapest order of all: what an order costs depends on the layer before only, so layer by layer will do."""
    ranks = [np.array(list(permutations(range(len(column)))), float) for column in columns]
    place = {thing: at for column in columns for at, thing in enumerate(column)}
    layer = {thing: x for x, column in enumerate(columns) for thing in column}
    cost, steps = TURNED * _inversions(ranks[0]), []
    for x in range(1, len(columns)):
        ends = np.array([(place[a], place[b]) for a, b in links if layer[a] == x - 1], int).reshape(-1, 2)
        whole = cost[:, None] + _between(ranks[x - 1], ranks[x], ends) + TURNED * _inversions(ranks[x])
        steps.append(whole.argmin(axis=0))
        cost = whole.min(axis=0)
    chosen = [int(cost.argmin())]
    for step in reversed(steps):
        chosen.append(int(step[chosen[-1]]))
    return tuple(
        tuple(column[at] for at in np.argsort(rank[order]))
        for column, rank, order in zip(columns, ranks, reversed(chosen), strict=True)
    )


def _inversions(ranks: np.ndarray) -> np.ndarray:
    """(n,) pairs of things that orders (n, w) turn round."""
    pairs = list(combinations(range(ranks.shape[1]), 2))
    return np.sum([ranks[:, i] > ranks[:, j] for i, j in pairs], axis=0) if pairs else np.zeros(len(ranks))


def _between(one: np.ndarray, other: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """(n, m) crossings and length of links (l, 2) between orders (n, w) of a layer and (m, v) of the next."""
    i, j = np.triu_indices(len(ends), 1)
    before = np.sign(one[:, ends[i, 0]] - one[:, ends[j, 0]])
    after = np.sign(other[:, ends[i, 1]] - other[:, ends[j, 1]])
    crossed = (np.abs(before) @ np.abs(after).T - before @ after.T) / 2
    middles = (one.shape[1] - 1) / 2, (other.shape[1] - 1) / 2
    length = sum(
        (np.abs(one[:, a, None] - middles[0] - other[None, :, b] + middles[1]) for a, b in ends),
        start=np.zeros(crossed.shape),
    )
    return np.asarray(CROSSING * crossed + LENGTH * length)


def _cost(
    tried: Sequence[Sequence[Thing]], first: Sequence[Sequence[Thing]], links: Sequence[tuple[Thing, Thing]]
) -> float:
    """Crossings, then length of the arrows, then how far nodes stand from the order of the model."""
    row = {thing: y for column in tried for thing, y in zip(column, _even(len(column)), strict=True)}
    layer = {thing: at for at, column in enumerate(tried) for thing in column}
    ends = np.array([(layer[a], row[a], row[b]) for a, b in links]).reshape(-1, 3)
    same = ends[:, None, 0] == ends[None, :, 0]
    side = (ends[:, None, 1] - ends[None, :, 1]) * (ends[:, None, 2] - ends[None, :, 2])
    place = {thing: at for column in first for at, thing in enumerate(column)}
    turned = sum(place[a] > place[b] for column in tried for at, a in enumerate(column) for b in column[at + 1 :])
    length = float(np.abs(ends[:, 1] - ends[:, 2]).sum())
    return CROSSING * float((same & (side < 0)).sum()) / 2 + LENGTH * length + TURNED * turned


def _swept(
    start: tuple[tuple[Thing, ...], ...],
    first: Sequence[Sequence[Thing]],
    links: Sequence[tuple[Thing, Thing]],
    forth: bool,
) -> tuple[tuple[Thing, ...], ...]:
    """Order each layer by its neighbours, to and fro; keep the best order met."""
    near: dict[Thing, list[Thing]] = {thing: [] for column in start for thing in column}
    for a, b in links:
        near[a].append(b)
        near[b].append(a)
    found = best = start
    for sweep in range(SWEEPS):
        places = range(len(found)) if forth == (sweep % 2 == 0) else range(len(found) - 1, -1, -1)
        for at in places:
            found = (*found[:at], _reordered(found, at, near, first, links), *found[at + 1 :])
        best = min(best, found, key=lambda tried: _cost(tried, first, links))
    return best


def _reordered(
    found: tuple[tuple[Thing, ...], ...],
    at: int,
    near: Mapping[Thing, Sequence[Thing]],
    first: Sequence[Sequence[Thing]],
    links: Sequence[tuple[Thing, Thing]],
) -> tuple[Thing, ...]:
    """The order of one layer by the mean row of its neighbours, then each pair of neighbours swapped if it helps."""
    row = {thing: y for column in found for thing, y in zip(column, _even(len(column)), strict=True)}
    mean = {thing: float(np.mean([row[other] for other in near[thing]] or [row[thing]])) for thing in found[at]}
    order = tuple(sorted(found[at], key=lambda thing: mean[thing]))

    def cost(tried: tuple[Thing, ...]) -> float:
        return _cost((*found[:at], tried, *found[at + 1 :]), first, links)

    for i in range(len(order) - 1):
        swapped = (*order[:i], order[i + 1], order[i], *order[i + 2 :])
        order = min(order, swapped, key=cost)
    return order


def _even(count: int) -> list[float]:
    return [place - (count - 1) / 2 for place in range(count)]


def spread(
    layers: Layers, extents: Mapping[Thing, tuple[float, float]], gap: float, bend_gap: float
) -> dict[Thing, float]:
    """Coordinates across the layers: near what a thing is linked with, and apart from its neighbours.

    Parameters
    ----------
    extents : how far a thing reaches before and after its centre. Bends need none.
    gap : least distance of two nodes of a layer. bend_gap : the same where one of them is a bend.

    Returns
    -------
    dict
        Thing → coordinate; the middle of all is 0. Least squares of the arrows' slopes, layer by layer until nothing
        moves; within a layer exactly (isotonic regression).
    """
    stiff: dict[Thing, list[tuple[Thing, float]]] = {thing: [] for column in layers.columns for thing in column}
    for a, b in layers.links:
        weight = STIFF[isinstance(a, tuple) + isinstance(b, tuple)]
        stiff[a].append((b, weight))
        stiff[b].append((a, weight))
    offsets = [_offsets(column, extents, gap, bend_gap) for column in layers.columns]
    at = {
        thing: float(y) for column, shift in zip(layers.columns, offsets, strict=True)
        for thing, y in zip(column, shift - (shift[0] + shift[-1]) / 2, strict=True)
    }  # fmt: skip
    for turn in range(ROUNDS):
        pairs = list(zip(layers.columns, offsets, strict=True))
        for column, shift in pairs if turn % 2 == 0 else pairs[::-1]:
            at |= dict(zip(column, _settled(column, shift, stiff, at), strict=True))
    low = min(at[thing] - extents.get(thing, (0.0, 0.0))[0] for thing in at)
    high = max(at[thing] + extents.get(thing, (0.0, 0.0))[1] for thing in at)
    return {thing: y - (low + high) / 2 for thing, y in at.items()}


def _offsets(
    column: Sequence[Thing], extents: Mapping[Thing, tuple[float, float]], gap: float, bend_gap: float
) -> np.ndarray:
    """Coordinates of a layer packed as closely as it may be."""
    steps = [0.0]
    for one, other in pairwise(column):
        air = bend_gap if isinstance(one, tuple) or isinstance(other, tuple) else gap
        steps.append(extents.get(one, (0.0, 0.0))[1] + air + extents.get(other, (0.0, 0.0))[0])
    return np.cumsum(steps)


def _settled(
    column: Sequence[Thing],
    shift: np.ndarray,
    stiff: Mapping[Thing, Sequence[tuple[Thing, float]]],
    at: Mapping[Thing, float],
) -> list[float]:
    """Coordinates of a layer nearest to the means of what its things are linked with, no closer than packed."""
    weight = np.array([sum(w for _, w in stiff[thing]) or 0.01 for thing in column])
    wish = np.array([
        sum(w * at[other] for other, w in stiff[thing]) / sum(w for _, w in stiff[thing]) if stiff[thing] else at[thing]
        for thing in column
    ])  # fmt: skip
    return (isotonic(wish - shift, weight) + shift).tolist()


def isotonic(wish: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(k,) never falling values nearest to `wish` (k,), by pooling neighbours that fall.

    >>> isotonic(np.array([1.0, 4.0, 2.0]), np.ones(3)).tolist()
    [1.0, 3.0, 3.0]
    """
    pools: list[tuple[float, float, int]] = []
    for value, w in zip(wish.tolist(), weight.tolist(), strict=True):
        pools.append((value, w, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, v, m), (b, w, n) = pools[-2:]
            pools[-2:] = [((a * v + b * w) / (v + w), v + w, m + n)]
    return np.repeat([value for value, _, _ in pools], [count for _, _, count in pools])
