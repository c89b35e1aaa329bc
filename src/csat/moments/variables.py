"""What is summed: variables, recoded or not, and their places in a Gram matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.errors import UnknownColumnError

RULES = ("available", "listwise")


@dataclass(frozen=True, slots=True)
class Recode:
    """A variable made from a column by a map from answer to value: a share, top-box, NPS or grade score.

    term : name of the new variable.
    column : where the answers are.
    values : answer (a level, or a category's code) → value. Answers that are not listed count as missing.
    """

    term: str
    column: str
    values: Mapping[Any, float]

    @property
    def midpoint(self) -> float:
        """Half way between the smallest and the largest value."""
        return (min(self.values.values()) + max(self.values.values())) / 2


@dataclass(frozen=True, slots=True)
class Product:
    """The product of variables: what an interaction in a regression is made of. Missing if a part is missing.

    term : name of the new variable.
    parts : columns or recoded columns.
    """

    term: str
    parts: tuple[str | Recode, ...]


Variable = str | Recode | Product


def term_of(variable: Variable) -> str:
    """Name a variable, made of others or not."""
    return variable if isinstance(variable, str) else variable.term


def columns_of(variable: Variable) -> tuple[str, ...]:
    """The columns that a variable is made of."""
    if isinstance(variable, Product):
        return tuple(column for part in variable.parts for column in columns_of(part))
    return (variable.column,) if isinstance(variable, Recode) else (variable,)


def positions(names: Sequence[str], known: Sequence[str]) -> np.ndarray:
    """Where each of `names` is in `known`."""
    place = {name: i for i, name in enumerate(known)}
    for name in names:
        if name not in place:
            raise UnknownColumnError.among(name, list(known), "this summary")
    return np.array([place[name] for name in names], int)


def basis(at: np.ndarray, k: int, rule: str) -> np.ndarray:
    """Rows of the Gram matrix that belong to the variables at positions `at`."""
    return np.r_[0, 1 + at] if rule == "listwise" else np.r_[0, 1 + at, 1 + k + at]


def first_moments(gram: np.ndarray, k: int, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Sums of weights of those who answered, and of w·y: each (…, k)."""
    if rule == "listwise":
        return np.repeat(gram[..., 0, :1], k, axis=-1), gram[..., 0, 1:]
    return gram[..., 0, 1 : 1 + k], gram[..., 0, 1 + k :]


def shift_matrix(shift: np.ndarray, rule: str) -> np.ndarray:
    """The matrix that adds `shift` to y in z = [1, y] or [1, m, m·y]."""
    k = len(shift)
    if rule == "listwise":
        out = np.eye(1 + k)
        out[1:, 0] = shift
        return out
    out = np.eye(1 + 2 * k)
    out[1 + k :, 1 : 1 + k] = np.diag(shift)
    return out


def domain_order(domains: Sequence[tuple[str, ...]], order: Sequence[Sequence[str]]) -> list[int]:
    """Positions of the domains, sorted by the order of labels of each grouping column."""
    place = [{label: i for i, label in enumerate(labels)} for labels in order]
    return sorted(range(len(domains)), key=lambda d: [p[label] for p, label in zip(place, domains[d], strict=True)])
