"""The index tree as pure functions of its dimensions."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from csat.errors import QuestionnaireError, closest
from csat.questionnaire.parts import Dimension

#: Dimension code → dimension.
Tree = Mapping[str, Dimension]


def check_tree(tree: Tree, root: str | None, leaves: Collection[str]) -> None:
    """Refuse what is not one tree from `root` down to items.

    Parameters
    ----------
    tree : every dimension.
    root : the index; None if the study has none.
    leaves : codes that may stand at the ends (items, processes).

    Raises
    ------
    QuestionnaireError
        For unknown children, two parents, a cycle, or a dimension that nobody reaches.
    """
    if root is None:
        if tree:
            raise QuestionnaireError.at("study", "index", 'name the dimension on top of the tree: index = "…".')
        return
    if root not in tree:
        raise QuestionnaireError.at("study", "index", f"{root!r} is no dimension. Did you mean {closest(root, tree)}?")
    _check_children(tree, leaves)
    _check_circles(tree)
    _check_parents(tree)
    _check_reach(tree, root)


def _check_children(tree: Tree, leaves: Collection[str]) -> None:
    known = [*tree, *leaves]
    for node in tree.values():
        for child in node.children:
            if child not in tree and child not in leaves:
                raise QuestionnaireError.at(
                    f"dimensions.{node.code}",
                    "children",
                    f"{child!r} is neither an item, a process nor a dimension. Did you mean {closest(child, known)}?",
                )


def _check_parents(tree: Tree) -> None:
    parent: dict[str, str] = {}
    for node in tree.values():
        for child in node.children:
            other = parent.setdefault(child, node.code)
            if other != node.code:
                raise QuestionnaireError.at(
                    f"dimensions.{node.code}",
                    "children",
                    f"{child!r} has two parents, {other!r} and {node.code!r}; it can count in one place only.",
                )


def _check_circles(tree: Tree) -> None:
    for code in tree:
        trail = _circle(tree, code)
        if trail:
            raise QuestionnaireError.at(
                f"dimensions.{code}", "children", f"the tree runs in a circle: {' → '.join(trail)}."
            )


def _check_reach(tree: Tree, root: str) -> None:
    reached = walk(tree, root)
    for code in tree:
        if code not in reached:
            raise QuestionnaireError.at(
                f"dimensions.{code}",
                None,
                f"is an orphan: no dimension under the index {root!r} has it as a child. Add it there or take it out.",
            )


def _circle(tree: Tree, start: str) -> list[str]:
    """Codes from `start` back to itself, or nothing."""
    trail, pending = [start], [iter(tree[start].children)]
    while pending:
        child = next(pending[-1], None)
        if child is None:
            pending.pop()
            trail.pop()
        elif child == start:
            return [*trail, start]
        elif child in tree and child not in trail:
            trail.append(child)
            pending.append(iter(tree[child].children))
    return []


def walk(tree: Tree, root: str) -> list[str]:
    """Codes from `root` down, each parent before its children (pre-order); a circle is entered once."""
    found: dict[str, None] = {}
    pending = [root]
    while pending:
        code = pending.pop()
        if code not in found:
            found[code] = None
            pending.extend(reversed(tree[code].children if code in tree else ()))
    return list(found)


def parents(tree: Tree) -> dict[str, str]:
    """Child → parent."""
    return {child: node.code for node in tree.values() for child in node.children}


def leaf_weights(tree: Tree, node: str) -> dict[str, float]:
    """Weight of each leaf below `node`; they sum to 1. A leaf has itself, with weight 1.

    Raises
    ------
    QuestionnaireError
        If weights are still to be estimated.
    """
    if node not in tree:
        return {node: 1.0}
    weights: dict[str, float] = {}
    for child, share in zip(tree[node].children, tree[node].shares, strict=True):
        weights |= {leaf: share * weight for leaf, weight in leaf_weights(tree, child).items()}
    return weights
