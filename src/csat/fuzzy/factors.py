"""`weights=` of an evaluation: other weights in the index tree, or a one-level evaluation of chosen factors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import MembershipError, OptionError, UnknownItemError
from csat.fuzzy.tree import COMPOSITE, Tree, tree_of_questionnaire, tree_over
from csat.moments import shown
from csat.questionnaire import Questionnaire
from csat.results import Estimates

#: Weights may miss a sum of 1 by this much.
TOLERANCE = 1e-6

#: (R, m) weights as they could have come out, from their number and a seed; None if their uncertainty is not known.
Draw = Callable[[int, int], np.ndarray | None]


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """Weights of some factors: `values` by code, and how they are drawn (None: they are fixed)."""

    values: Mapping[str, float]
    draw: Draw | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """A tree with its weights; `draws` node → (R, m) draws of its children's weights, `fixed` nodes without draws."""

    tree: Tree
    draws: Mapping[str, np.ndarray] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()


def shares_of(weights: Any) -> Shares | None:
    """Weights by name, from a mapping, a Series, `FactorWeights`, or a result that has such `weights`; else None."""
    found = weights if callable(getattr(weights, "draws", None)) else getattr(weights, "weights", None)
    estimates, draw = getattr(found, "estimates", None), getattr(found, "draws", None)
    if isinstance(estimates, Estimates) and callable(draw):
        return Shares(dict(zip(estimates.term, estimates.estimate.tolist(), strict=True)), draw)
    if isinstance(weights, Mapping | pd.Series):
        items = {str(code): value for code, value in weights.items()}
        if items and all(isinstance(value, int | float | np.number) for value in items.values()):
            with suppress(OverflowError):
                return Shares({code: float(value) for code, value in items.items()})
    return None


def weighed(asked: Questionnaire, weights: Any, size: int, seed: int, drawn: bool) -> Weighed:
    """The tree to climb.

    Parameters
    ----------
    asked : with the index tree.
    weights : None, weights by code (of the children of one dimension, which it re-weighs; else of any factors, which
        become a tree of one level under `COMPOSITE`), or dimension → weights by child.
    size, seed, drawn : whether weights are drawn, and how often.

    Raises
    ------
    OptionError
        For anything else.
    UnknownItemError, MembershipError
        For factors that the questionnaire does not have, or weights that are negative or do not sum to 1.
    """
    if weights is None:
        tree = tree_of_questionnaire(asked)
        return Weighed(tree, {}, tuple(tree.shares) if drawn else ())
    flat = shares_of(weights)
    named = {node: shares_of(found) for node, found in weights.items()} if isinstance(weights, Mapping) else {}
    if flat is None and (not named or None in named.values()):
        raise OptionError(
            "weights= of a survey are weights by code ({'C11': 0.6, 'C12': 0.4}), the result of csat.factor_weights "
            f"or csat.ahp, or a table of them by dimension; found {shown(weights)}."
        )
    if flat is not None:
        parent = _parent_of(asked, flat)
        if parent is None:
            return _drawn(_over(asked, flat), {COMPOSITE: flat}, size, seed, drawn)
        named = {parent: flat}
    given = {node: found for node, found in named.items() if found is not None}
    return _drawn(_reweighed(asked, given), given, size, seed, drawn)


def _parent_of(asked: Questionnaire, flat: Shares) -> str | None:
    """The dimension of the tree whose children these are."""
    return next((d.code for d in asked.dimensions if set(d.children) == set(flat.values)), None)


def _reweighed(asked: Questionnaire, given: Mapping[str, Shares]) -> Tree:
    known = {dimension.code: dimension for dimension in asked.dimensions}
    for node, found in given.items():
        if node not in known:
            raise UnknownItemError.among(node, tuple(known), "dimension")
        if set(found.values) != set(known[node].children):
            raise MembershipError.shape(
                f"The weights of {node!r}", sorted(found.values), f"weights for {sorted(known[node].children)}"
            )
    shares = {node: _checked(found, known[node].children) for node, found in given.items()}
    weights = {node: dict(zip(known[node].children, share.tolist(), strict=True)) for node, share in shares.items()}
    return tree_of_questionnaire(asked.with_weights(weights))


def _over(asked: Questionnaire, flat: Shares) -> Tree:
    """One level over factors of the questionnaire; a factor that is a dimension keeps what is below it."""
    known = (*(dimension.code for dimension in asked.dimensions), *asked.codes)
    for code in flat.values:
        if code not in known:
            raise UnknownItemError.among(code, known, "factor")
    tree = tree_over([tree_of_questionnaire(asked, code) for code in flat.values], _checked(flat, list(flat.values)))
    twice = {node for node in tree.nodes if tree.nodes.count(node) > 1}
    if twice:
        raise OptionError(f"weights: {sorted(twice)[0]!r} counts twice, by itself and in a dimension that contains it.")
    return tree


def _checked(found: Shares, order: Any) -> np.ndarray:
    """(m,) weights in order, divided by their sum, which may be off by rounding only."""
    values = np.array([found.values[code] for code in order], float)
    for i in np.flatnonzero(~((values >= 0) & np.isfinite(values)))[:1].tolist():
        raise MembershipError.negative_weight(order[i], float(values[i]))
    if abs(values.sum() - 1) > TOLERANCE:
        raise MembershipError.weight_sum(float(values.sum()))
    return values / values.sum()


def _drawn(tree: Tree, given: Mapping[str, Shares], size: int, seed: int, drawn: bool) -> Weighed:
    """Draw the weights of each node that has some to draw; each node gets a seed of its own."""
    if not drawn:
        return Weighed(tree)
    draws = {}
    for place, (node, found) in enumerate(given.items()):
        made = None if found.draw is None else found.draw(size, seed + 1 + place)
        if made is not None:
            order = [list(found.values).index(child) for child in tree.children[node]]
            draws[node] = np.asarray(made)[:, order]
    return Weighed(tree, draws, tuple(node for node in tree.shares if node not in draws))


def typed_weights(
    weights: Any, factors: tuple[str, ...], size: int, seed: int, drawn: bool
) -> Mapping[str, np.ndarray]:
    """Draws of the weights of a typed-in matrix, if they can be drawn."""
    found = shares_of(weights)
    if not drawn or found is None or found.draw is None:
        return {}
    made = found.draw(size, seed + 1)
    order = [list(found.values).index(factor) for factor in factors]
    return {} if made is None else {COMPOSITE: np.asarray(made)[:, order]}
