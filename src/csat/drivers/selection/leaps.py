"""The best subsets of terms of every size, by branch and bound on swept correlations.

Furnival & Wilson (1974), Technometrics 16, 499–511: leaving terms out never lowers the residual sum of squares, so
that no subset of a model that is already worse than the best known ones needs to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.drivers.selection.sweeps import Layout, outlook, swept

#: Models looked at together.
BLOCK = 2048
#: Numbers in the tables that wait, beyond which no new branches are opened before old ones are finished.
CROWD = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The best models found so far.

    inside : (b, m) terms. size : (b,) columns. rss : (b,) share of the outcome's variance not explained.
    """

    inside: np.ndarray
    size: np.ndarray
    rss: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What subsets are sought.

    corr : (1, p, p) correlations, the outcome last. wanted : (1+k,) models wanted of each number of columns.
    slack : how far rounding may move the rss of a model that is made by sweeping columns out of the full one.
    """

    corr: np.ndarray
    layout: Layout
    wanted: np.ndarray
    slack: float


@dataclass(frozen=True, slots=True, eq=False)
class Nodes:
    """Models whose terms from position `first` of an order on may still be left out, the earlier ones not.

    table : (N, f+1, f+1) swept correlations of the columns that may leave and the outcome.
    inside : (N, m) terms in each model. least : (N,) columns that stay.
    """

    table: np.ndarray
    inside: np.ndarray
    least: np.ndarray

    def __getitem__(self, at: np.ndarray | slice) -> Nodes:
        return Nodes(self.table[at], self.inside[at], self.least[at])


def problem_of(corr: np.ndarray, layout: Layout, most: int, count: int) -> Problem:
    """The `count` best models of each size up to `most` columns, as far as there are so many."""
    width, k = layout.width, int(layout.width.sum())
    ways = np.zeros(1 + k)
    ways[int(width[layout.forced].sum())] = 1
    for columns in width[~layout.forced].tolist():
        ways[columns:] += ways[:-columns].copy()
    wanted = np.where(np.arange(1 + k) <= most, np.minimum(ways, count), 0).astype(int)
    full = swept(corr, np.ones((1, k), bool))[0][0]
    inflation = float(np.max(-np.diag(full)[:-1]))
    return Problem(corr, layout, wanted, 1024 * float(np.finfo(float).eps) * inflation)


def best_models(problem: Problem) -> tuple[Known, int]:
    """The best models of each size, exactly; and how many models were looked at.

    Models are branches of a tree: the terms are put in an order, and a child leaves out one term and keeps all before
    it. Memory and time are O(f²) per model with f columns that may still leave. The number of models grows like 2^m at
    worst; with 30 candidates it is typically between ten thousand and a million.
    """
    known = _greedy(problem)
    layout, corr = problem.layout, problem.corr
    m, k = len(layout.columns), corr.shape[1] - 1
    inside = np.ones((1, m), bool)
    table = swept(corr, np.ones((1, k), bool))[0]
    loss = np.where(layout.forced, np.inf, outlook(table, inside, layout).change[0])
    order = np.argsort(-loss, kind="stable")
    first = int(layout.forced.sum())
    columns = [column for term in order[first:].tolist() for column in layout.columns[term]]
    root = Nodes(table[:, [*columns, k]][:, :, [*columns, k]], inside, np.array([k - len(columns)]))
    waiting, looked_at = {first: root}, 0
    while waiting:
        # many models of one position at a time, but the deepest ones first where too many wait
        crowded = sum(nodes.table.size for nodes in waiting.values()) > CROWD
        position = max(waiting, key=lambda at: at if crowded else len(waiting[at].least))
        nodes = waiting.pop(position)
        if len(nodes.least) > BLOCK:
            waiting[position], nodes = nodes[BLOCK:], nodes[:BLOCK]
        known, children = _expand(problem, known, nodes, order, position)
        looked_at += len(nodes.least) * (m - position)
        for at, child in children.items():
            waiting[at] = _joined(waiting[at], child) if at in waiting else child
    return known, looked_at


def _joined(one: Nodes, other: Nodes) -> Nodes:
    return Nodes(*(np.concatenate([getattr(one, name), getattr(other, name)]) for name in Nodes.__slots__))


def _expand(
    problem: Problem, known: Known, nodes: Nodes, order: np.ndarray, position: int
) -> tuple[Known, dict[int, Nodes]]:
    """Leave out each term that may leave; what is known now, and the children that may hold better models."""
    free = order[position:]
    width = problem.layout.width[free]
    start = np.cumsum(width) - width
    rss = nodes.table[:, -1:, -1] + _losses(nodes.table, start, width)
    known = _learned(problem, known, *_hopeful(problem, known, nodes, rss, free))
    least = nodes.least[:, None] + start
    # the child itself is known by now; what is left of it has fewer columns
    most = nodes.least[:, None] + (width.sum() - width) - 1
    open_ = rss <= _highest(_worst(problem, known), least, most) + problem.slack
    children = {}
    for at in np.flatnonzero(open_[:, :-1].any(axis=0)).tolist():
        child = nodes[open_[:, at]]
        table = _without(child.table[:, start[at] :, start[at] :], int(width[at]))
        child.inside[:, free[at]] = False
        children[position + at + 1] = Nodes(table, child.inside, least[open_[:, at], at])
    return known, children


def _hopeful(
    problem: Problem, known: Known, nodes: Nodes, rss: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The children (b, m) that may be among the best, and their rss (b,); `rss` (N, f) is that of all children."""
    width = problem.layout.width
    size = (nodes.inside @ width)[:, None] - width[free]
    node, at = np.nonzero(rss <= _worst(problem, known)[size] + problem.slack)
    models = nodes.inside[node]
    models[np.arange(len(node)), free[at]] = False
    return models, rss[node, at]


def _losses(table: np.ndarray, start: np.ndarray, width: np.ndarray) -> np.ndarray:
    """(N, f) rise of the rss if the `width` columns from a position `start` on left."""
    out = np.empty((len(table), len(start)))
    one = start[width == 1]
    out[:, width == 1] = table[:, one, -1] ** 2 / -table[:, one, one]
    for at in np.flatnonzero(width > 1).tolist():
        after = _without(table[:, start[at] :, start[at] :], int(width[at]))
        out[:, at] = after[:, -1, -1] - table[:, -1, -1]
    return out


def _without(table: np.ndarray, width: int) -> np.ndarray:
    """Tables (N, f−width, f−width) of (N, f, f) after the first `width` columns have left."""
    for _ in range(width):
        line = table[:, 0, 1:]
        table = table[:, 1:, 1:] - line[:, :, None] * line[:, None, :] / table[:, :1, :1]
    return table


def _greedy(problem: Problem) -> Known:
    """Models on the way from the smallest to the full one and back, by the best single step, and their neighbours."""
    layout, corr = problem.layout, problem.corr
    m = len(layout.columns)
    known = Known(np.empty((0, m), bool), np.empty(0, int), np.empty(0))
    for inside, enters in ((layout.forced.copy(), True), (np.ones(m, bool), False)):
        while True:
            table = swept(corr, inside[None, layout.owner])[0]
            ahead = outlook(table, inside[None], layout)
            change = -ahead.change[0] if enters else ahead.change[0]
            moving = np.flatnonzero(~inside if enters else inside & ~layout.forced)
            models = np.array([inside, *(inside ^ (np.arange(m) == term) for term in moving)])
            rss = np.r_[ahead.rss, ahead.rss + change[moving]]
            known = _learned(problem, known, models, rss)
            if not moving.size:
                break
            inside = models[1 + int(np.argmin(change[moving]))]
    return known


def _learned(problem: Problem, known: Known, models: np.ndarray, rss: np.ndarray) -> Known:
    """What is known after looking at more models; those that may be among the best are computed from scratch."""
    size = models @ problem.layout.width
    new = models[rss <= _worst(problem, known)[size] + problem.slack]
    if not len(new):
        return known
    parts = [new[at : at + BLOCK] for at in range(0, len(new), BLOCK)]
    exact = np.concatenate([known.rss, *(_rss(problem, part) for part in parts)])
    inside, first = np.unique(np.concatenate([known.inside, new]), axis=0, return_index=True)
    size, exact = inside @ problem.layout.width, exact[first]
    order = np.lexsort((exact, size))
    size = size[order]
    order = order[np.arange(len(size)) - np.searchsorted(size, size) < problem.wanted[size]]
    return Known(inside[order], inside[order] @ problem.layout.width, exact[order])


def _rss(problem: Problem, models: np.ndarray) -> np.ndarray:
    corr = np.repeat(problem.corr, len(models), axis=0)
    return swept(corr, models[:, problem.layout.owner])[0][:, -1, -1]


def _worst(problem: Problem, known: Known) -> np.ndarray:
    """(1+k,) rss that a model of each size has to beat: inf where some are still missing, −inf where none is wanted."""
    count = np.bincount(known.size, minlength=len(problem.wanted))
    worst = np.where(problem.wanted > 0, np.inf, -np.inf)
    full = (count == problem.wanted) & (count > 0)
    last = np.cumsum(count) - 1
    worst[full] = known.rss[last[full]]
    return worst


def _highest(worst: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The largest of `worst` from position `low` to `high` (any shape), −inf where there is none."""
    size = np.arange(len(worst))
    spans = np.maximum.accumulate(np.where(size[:, None] <= size, worst, -np.inf), axis=1)
    return np.where(low <= high, spans[low, np.maximum(high, 0)], -np.inf)
