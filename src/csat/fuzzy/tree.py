"""The tree that an evaluation climbs: which factors make up which node, with which weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csat.fuzzy.operators import Operator, normalised
from csat.questionnaire import Questionnaire

#: The root over factors that no dimension of the index tree holds together.
COMPOSITE = "composite"


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Nodes and weights.

    nodes : (K,) codes, each parent before its children, the root first. leaves : (L,) those without children.
    children : node → its children. shares : node → (m,) their weights, ≥ 0, sum 1.
    kinds : (K,) "index", "dimension" or "item". depths : (K,) steps from the root.
    """

    nodes: tuple[str, ...]
    leaves: tuple[str, ...]
    children: Mapping[str, tuple[str, ...]]
    shares: Mapping[str, np.ndarray]
    kinds: tuple[str, ...]
    depths: tuple[int, ...]

    @property
    def root(self) -> str:
        """The node on top."""
        return self.nodes[0]

    def matrix(self) -> np.ndarray:
        """(K, L) weight of each leaf in each node; rows sum to 1."""
        rows = dict(zip(self.leaves, np.eye(len(self.leaves)), strict=True))
        for node in reversed(self.nodes):
            if node not in rows:
                rows[node] = self.shares[node] @ np.stack([rows[child] for child in self.children[node]])
        return np.stack([rows[node] for node in self.nodes])

    def climb(
        self, memberships: np.ndarray, compose: Operator, shares: Mapping[str, np.ndarray] | None = None
    ) -> np.ndarray:
        """Compose memberships up the tree, level by level.

        Parameters
        ----------
        memberships : (…, L, g) of the leaves.
        compose : operator.
        shares : node → (…, m) other weights of its children, whose leading axes stretch to those of `memberships`.

        Returns
        -------
        (…, K, g) array
            As the operator left them; each was normalised before its parent used it. Children of weight 0 do not
            count, so that one without answers does no harm.
        """
        raw = {code: memberships[..., i, :] for i, code in enumerate(self.leaves)}
        weights = {**self.shares, **(shares or {})}
        for node in reversed(self.nodes):
            if node in raw:
                continue
            raw[node] = _composed(compose, weights[node], [normalised(raw[child]) for child in self.children[node]])
        return np.stack(np.broadcast_arrays(*(raw[node] for node in self.nodes)), axis=-2)

    def root_with(self, parent: str, share: np.ndarray, nodes: np.ndarray, compose: Operator) -> np.ndarray:
        """(…, g) normalised root if one node weighs its children by `share` (…, m); `nodes` (…, K, g) as they are."""
        place = {node: i for i, node in enumerate(self.nodes)}
        above = {child: node for node, below in self.children.items() for child in below}
        node, found = (
            parent,
            normalised(_composed(compose, share, [nodes[..., place[c], :] for c in self.children[parent]])),
        )
        while node in above:
            parent = above[node]
            rows = [found if child == node else nodes[..., place[child], :] for child in self.children[parent]]
            node, found = parent, normalised(_composed(compose, self.shares[parent], rows))
        return found


def _composed(compose: Operator, share: np.ndarray, rows: Sequence[np.ndarray]) -> np.ndarray:
    """(…, g) composite of rows (…, g) with weights (…, m); those that nowhere weigh anything do not count."""
    used = np.flatnonzero(share.reshape(-1, share.shape[-1]).max(axis=0) > 0)
    return compose(share[..., used], np.stack(np.broadcast_arrays(*(rows[i] for i in used.tolist())), axis=-2))


def tree_of_questionnaire(asked: Questionnaire, root: str | None = None) -> Tree:
    """The index tree, or the part of it below a node; an item alone is a tree without children."""
    top = asked.root if root is None else root
    dimensions = {dimension.code: dimension for dimension in asked.dimensions}
    nodes, depths = _walk({code: dimension.children for code, dimension in dimensions.items()}, str(top))
    inner = [node for node in nodes if node in dimensions]
    kinds = tuple(
        "item" if node not in dimensions else "index" if node == asked.root else "dimension" for node in nodes
    )
    return Tree(
        nodes,
        tuple(node for node in nodes if node not in dimensions),
        {node: dimensions[node].children for node in inner},
        {node: np.array(dimensions[node].shares, float) for node in inner},
        kinds,
        depths,
    )


def tree_over(parts: Sequence[Tree], shares: np.ndarray) -> Tree:
    """A root `COMPOSITE` over the roots of other trees, with their weights (m,)."""
    children = {code: below for part in parts for code, below in part.children.items()}
    weights = {code: share for part in parts for code, share in part.shares.items()}
    roots = tuple(part.root for part in parts)
    return Tree(
        (COMPOSITE, *(node for part in parts for node in part.nodes)),
        tuple(leaf for part in parts for leaf in part.leaves),
        {COMPOSITE: roots, **children},
        {COMPOSITE: shares, **weights},
        ("index", *("dimension" if kind == "index" else kind for part in parts for kind in part.kinds)),
        (0, *(depth + 1 for part in parts for depth in part.depths)),
    )


def flat_tree(factors: Sequence[str], shares: np.ndarray) -> Tree:
    """A root `COMPOSITE` over factors without children."""
    return tree_over([Tree((code,), (code,), {}, {}, ("item",), (0,)) for code in factors], shares)


def _walk(children: Mapping[str, tuple[str, ...]], root: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Codes from the root down, each parent before its children, and their depths."""
    found: list[tuple[str, int]] = []
    pending = [(root, 0)]
    while pending:
        code, depth = pending.pop()
        found.append((code, depth))
        pending.extend((child, depth + 1) for child in reversed(children.get(code, ())))
    return tuple(code for code, _ in found), tuple(depth for _, depth in found)
