"""How little a weight must change to flip the verdict of the root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from csat.fuzzy.operators import Operator, normalised
from csat.fuzzy.state import State
from csat.fuzzy.tree import Tree
from csat.fuzzy.verdict import strongest_at

#: Weights that are tried on the way from 0 to 1 before the nearest flip is narrowed down, and halvings for that.
STEPS, HALVINGS = 400, 40

#: Why no change flips the verdict.
ONLY, NEVER, UNKNOWN = "the only child", "no weight from 0 to 1 flips it", "no valid answers"


def sensitivity(
    state: State, compose: Operator, grades: Sequence[str], keys: Mapping[str, tuple[Any, ...]]
) -> pd.DataFrame:
    """The smallest change of each weight that gives the root another verdict; its siblings keep their proportions.

    Parameters
    ----------
    state : the tree and the memberships of its leaves. compose : operator. grades : (g,) codes.
    keys : grouping column → (D·K,) labels, group by group.

    Returns
    -------
    DataFrame
        A row per group, parent and child: the grouping columns, ``parent child weight change flips_at verdict
        new_verdict note``. The weight is tried in steps of 1/400, then the nearest flip is halved in; memberships that
        differ by less than 1e-9 count as equal there, as everywhere. Under operators of minima and maxima a verdict
        that holds only between two steps is not found. A child without valid answers leads to no verdict.
    """
    tree, size = state.tree, state.size
    nodes = normalised(tree.climb(state.leaves[:size], compose))
    now = strongest_at(nodes[:, 0])
    labels = {name: column[:: len(tree.nodes)] for name, column in keys.items()}
    parts = []
    for parent in (node for node in tree.nodes if node in tree.children):
        for place, child in enumerate(tree.children[parent]):
            weight = float(tree.shares[parent][place])
            flips, new = _nearest(tree, compose, nodes, parent, place, now)
            lost = (now < 0) | _unanswered(tree, nodes, parent, place)
            note = np.where(lost, UNKNOWN, ONLY if len(tree.children[parent]) == 1 else NEVER)
            parts.append(
                pd.DataFrame(
                    labels
                    | {
                        "parent": parent, "child": child, "weight": weight, "change": flips - weight, "flips_at": flips,
                        "verdict": _named(now, grades), "new_verdict": _named(new, grades),
                        "note": np.where(np.isfinite(flips), "", note),
                    },
                    index=range(size),
                )
            )  # fmt: skip
    whole = pd.concat(parts, keys=range(len(parts))).reset_index(level=0, drop=True)
    return whole.sort_index(kind="stable").reset_index(drop=True)


def _unanswered(tree: Tree, nodes: np.ndarray, parent: str, place: int) -> np.ndarray:
    """(D,) whether a child that gets some weight on the way has no valid answers."""
    share = tree.shares[parent]
    rest = np.delete(share, place)
    gets = np.insert(rest > 0 if rest.sum() > 0 else np.ones(len(rest), bool), place, True)
    at = [tree.nodes.index(child) for child, some in zip(tree.children[parent], gets.tolist(), strict=True) if some]
    return ~np.isfinite(nodes[:, at]).all(axis=(1, 2))


def _named(at: np.ndarray, grades: Sequence[str]) -> list[str]:
    return [grades[i] if i >= 0 else "" for i in at.tolist()]


def _nearest(
    tree: Tree, compose: Operator, nodes: np.ndarray, parent: str, place: int, now: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(D,) weight of the child nearest to its own that flips the verdict, NaN without; and the new verdict, -1."""
    share = tree.shares[parent]
    weight = share[place]
    if len(share) == 1:
        return np.full(len(now), np.nan), np.full(len(now), -1)

    def verdicts(wanted: np.ndarray) -> np.ndarray:
        """(T, D) verdicts of the root for weights (T, D), or (T, 1), of the child."""
        return strongest_at(tree.root_with(parent, _moved(share, place, wanted), nodes[None], compose))

    def flips_under(wanted: np.ndarray) -> np.ndarray:
        """(T, D) whether there is another verdict."""
        found = verdicts(wanted)
        return (found != now) & (found >= 0)

    grid = np.linspace(0.0, 1.0, STEPS + 1)
    flipped = flips_under(grid[:, None])
    found = []
    for side in (grid < weight, grid > weight):
        distance = np.where(flipped & side[:, None], np.abs(grid - weight)[:, None], np.inf)
        nearest = distance.argmin(axis=0)
        there = np.isfinite(distance.min(axis=0)) & (now >= 0)
        inner, outer = np.full(len(now), weight), np.where(there, grid[nearest], weight)
        for _ in range(HALVINGS):
            middle = (inner + outer) / 2
            other = flips_under(middle[None])[0]
            inner, outer = np.where(other, inner, middle), np.where(other, middle, outer)
        found.append(np.where(there, outer, np.nan))
    apart = np.abs(np.array(found) - weight)
    side_at = np.where(np.isfinite(apart), apart, np.inf).argmin(axis=0)
    flips = np.array(found)[side_at, np.arange(len(now))]
    new = verdicts(np.where(np.isfinite(flips), flips, weight)[None])[0]
    return flips, np.where(np.isfinite(flips), new, -1)


def _moved(share: np.ndarray, place: int, wanted: np.ndarray) -> np.ndarray:
    """(…, m) weights of which one is as `wanted` (…); the others share the rest as before, equally if they had none."""
    rest = np.delete(share, place)
    rest = rest / rest.sum() if rest.sum() > 0 else np.full(len(rest), 1 / len(rest))
    return np.insert((1 - wanted)[..., None] * rest, place, wanted, axis=-1)
