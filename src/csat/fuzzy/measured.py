"""What factors are measured by: items, or dimensions made of items, as linear combinations of what a source sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import OptionError, UnknownItemError
from csat.moments import Source, Variable, as_names
from csat.questionnaire import Questionnaire
from csat.scoring import score_items

#: What is compared between factors: scores on 0–100, answers as they are, or both ends of what occurs as 0 and 1.
POINTS, ANSWERS, RANGE = VALUES = ("points", "answers", "range")


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """m factors as combinations of k variables: factor = matrix @ (offset + slope · variable).

    factors : (m,) codes. codes : (k,) items behind the variables. variables : (k,). slope, offset : (k,).
    matrix : (m, k) weights of the items in the factors.
    """

    factors: tuple[str, ...]
    codes: tuple[str, ...]
    variables: tuple[Variable, ...]
    slope: np.ndarray
    offset: np.ndarray
    matrix: np.ndarray

    @property
    def single(self) -> bool:
        """Whether each factor is one item."""
        return self.factors == self.codes

    def turn(self, midpoint: np.ndarray) -> np.ndarray:
        """(1 + m, 1 + k) matrix from rows [1, variable − midpoint] to rows [1, factor]."""
        out = np.zeros((1 + len(self.factors), 1 + len(self.codes)))
        out[0, 0] = 1.0
        out[1:, 0] = self.matrix @ (self.offset + self.slope * midpoint)
        out[1:, 1:] = self.matrix * self.slope
        return out


def factor_codes(factors: Any, asked: Questionnaire | None) -> tuple[str, ...]:
    """Codes of the factors: those listed, the children of a dimension, or of the index.

    Raises
    ------
    OptionError
        For fewer than two, the same twice, or none where no index tree says which.
    """
    if factors is None or isinstance(factors, str):
        if asked is None or asked.root is None:
            raise OptionError(f"factors={factors!r}: without an index tree, list the factors: factors=['a', 'b', …].")
        return asked.dimension(asked.root if factors is None else factors).children
    listed = as_names(factors, "factors")
    if len(listed) < 2 or len(set(listed)) < len(listed):
        raise OptionError(f"factors: two or more different codes are needed; found {list(listed)}.")
    return listed


def measured(source: Source, factors: Sequence[str], asked: Questionnaire | None, values: str) -> Measured:
    """How the source's columns make up the factors.

    Raises
    ------
    OptionError
        For answers as they are of a dimension, whose items may have different scales.
    UnknownItemError
        For a code that neither the questionnaire nor the data know.
    """
    leaves = {factor: _leaves(factor, asked) for factor in factors}
    codes = tuple(dict.fromkeys(code for made in leaves.values() for code in made))
    composed = [factor for factor, made in leaves.items() if tuple(made) != (factor,)]
    if values == ANSWERS and composed:
        raise OptionError(f"values='answers': {composed[0]!r} is made of items; use values='points'.")
    _check_known(source, codes, asked)
    place = {code: i for i, code in enumerate(codes)}
    matrix = np.zeros((len(leaves), len(codes)))
    for row, made in enumerate(leaves.values()):
        for code, weight in made.items():
            matrix[row, place[code]] = weight
    variables, slope, offset = list[Variable](codes), np.ones(len(codes)), np.zeros(len(codes))
    on_scale = [i for i, code in enumerate(codes) if asked is not None and code in asked.codes]
    if values != ANSWERS and asked is not None and on_scale:
        scored = score_items(asked, [codes[i] for i in on_scale])
        slope[on_scale], offset[on_scale] = scored.slope, scored.offset
        for i, variable in zip(on_scale, scored.variables, strict=True):
            variables[i] = variable
    return Measured(tuple(factors), codes, tuple(variables), slope, offset, matrix)


def _leaves(factor: str, asked: Questionnaire | None) -> dict[str, float]:
    """Items of a factor with their weights."""
    if asked is None or factor in asked.codes or factor not in asked.nodes:
        return {factor: 1.0}
    row = asked.tree_matrix([factor])[0]
    return {leaf: float(weight) for leaf, weight in zip(asked.leaves, row, strict=True) if weight > 0}


def _check_known(source: Source, codes: Sequence[str], asked: Questionnaire | None) -> None:
    columns = getattr(source, "columns", None) or getattr(source, "names", None)
    known = [*(columns or ()), *(asked.codes if asked is not None else ())]
    for code in codes:
        if code not in known:
            nodes = asked.nodes if asked is not None else ()
            raise UnknownItemError.among(code, list(dict.fromkeys([*known, *nodes])), "factor")
