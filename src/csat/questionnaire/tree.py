"""The index tree as pure functions of its dimensions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from csat.errors import QuestionnaireError, closest
from csat.questionnaire.parts import Dimension

#: Dimension code → dimension.
Tree = Mapping[str, Dimension]

#: Dimensions above each other; more is a mistake.
DEEPEST = 50

#: Codes of a circle that an error lists.
_NAMED = 12


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
        For unknown children, two parents, a cycle, a dimension that nobody reaches, or more than `DEEPEST` levels.
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
    _check_depth(tree, root)


def _check_children(tree: Tree, leaves: Collection[str]) -> None:
    known = dict.fromkeys((*tree, *leaves))
    for node in tree.values():
        for child in node.children:
            if child not in known:
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
    """Walk down from every dimension once; what stands on the way down must not come again."""
    finished: set[str] = set()
    for start in tree:
        trail: dict[str, None] = {}
        pending: list[tuple[str, Iterator[str]]] = []
        _enter(tree, start, finished, trail, pending)
        while pending:
            code, children = pending[-1]
            child = next(children, None)
            if child is None:
                pending.pop()
                trail.pop(code)
                finished.add(code)
            else:
                _enter(tree, child, finished, trail, pending)


def _enter(
    tree: Tree, code: str, finished: set[str], trail: dict[str, None], pending: list[tuple[str, Iterator[str]]]
) -> None:
    if code in trail:
        way = list(trail)
        circle = [*way[way.index(code) :], code]
        raise QuestionnaireError.at(
            f"dimensions.{code}", "children", f"the tree runs in a circle: {' → '.join(circle[-_NAMED:])}."
        )
    if code not in tree or code in finished:
        return
    trail[code] = None
    pending.append((code, iter(tree[code].children)))


def _check_depth(tree: Tree, root: str) -> None:
    level, depth = [root], 0
    while level:
        if depth > DEEPEST:
            raise QuestionnaireError.at(
                f"dimensions.{level[0]}", "children", f"the tree is more than {DEEPEST} dimensions deep."
            )
        level = [child for code in level for child in tree[code].children if child in tree]
        depth += 1


def _check_reach(tree: Tree, root: str) -> None:
    reached = set(walk(tree, root))
    for code in tree:
        if code not in reached:
            raise QuestionnaireError.at(
                f"dimensions.{code}",
                None,
                f"is an orphan: no dimension under the index {root!r} has it as a child. Add it there or take it out.",
            )


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
