"""Respondents compressed to cells: the combinations of categories (and numbers) that occur."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csat.errors import UnknownColumnError, WeightingError
from csat.weighting.targets import Margin, Targets, label_of


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """M cells of n respondents.

    row : (n,) cell of each respondent. n, weight : (M,) respondents and Σ of design weights.
    codes : per margin (M,) positions among its categories. numbers : (M, V) values of the numbers.
    """

    row: np.ndarray
    n: np.ndarray
    weight: np.ndarray
    codes: tuple[np.ndarray, ...]
    numbers: np.ndarray

    def matrix(self, targets: Targets) -> np.ndarray:
        """(M, q) one column per target: indicators of the categories, then the numbers."""
        blocks = [_indicators(code, len(m.categories)) for m, code in zip(targets.margins, self.codes, strict=True)]
        return np.hstack([*blocks, self.numbers])

    def sums(self, targets: Targets, values: np.ndarray) -> np.ndarray:
        """(q,) Σ values × column of `matrix`, without building it."""
        pairs = zip(targets.margins, self.codes, strict=True)
        counts = [np.bincount(code, values, minlength=len(margin.categories)) for margin, code in pairs]
        return np.concatenate([*counts, values @ self.numbers])

    def spread(self, low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(q,) smallest and largest of per-cell values (M,) within each category; over all cells for a number."""
        ranges = [extremes(code, low, high, int(code.max()) + 1) for code in self.codes]
        ranges += [(low.min(keepdims=True), high.max(keepdims=True))] * self.numbers.shape[1]
        return np.concatenate([at_least for at_least, _ in ranges]), np.concatenate([at_most for _, at_most in ranges])

    def weighed(self, weight: np.ndarray) -> Cells:
        """The same cells with other weights of the respondents (n,)."""
        return replace(self, weight=np.bincount(self.row, weight, minlength=len(self.n)))


def extremes(code: np.ndarray, low: np.ndarray, high: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """(size,) smallest of `low` and largest of `high` among the entries of each code."""
    at_least, at_most = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(at_least, code, low)
    np.maximum.at(at_most, code, high)
    return at_least, at_most


def _indicators(code: np.ndarray, size: int) -> np.ndarray:
    return (code[:, None] == np.arange(size)).astype(float)


def compress(frame: pd.DataFrame, weight: np.ndarray, targets: Targets) -> tuple[Cells, Targets]:
    """Compress respondents to cells.

    Parameters
    ----------
    frame : n respondents with the columns of the targets.
    weight : (n,) design weights.
    targets : what to meet.

    Returns
    -------
    The cells, and the targets without categories that nobody is in and nobody should be.

    Raises
    ------
    UnknownColumnError, WeightingError
        For a column that is not there, empty values, a category without target, or a target without respondents.
    """
    absent = [column for column in targets.columns if column not in frame.columns]
    if absent:
        raise UnknownColumnError.among(absent[0], [str(c) for c in frame.columns], "the data to be weighted")
    labelled = {column: _labels(frame[column], column) for m in targets.margins for column in m.columns}
    coded = [_coded(margin, labelled) for margin in targets.margins]
    numbers = [_values(frame[m.name], m.name) for m in targets.numbers]
    row, first = _combinations([*(code for _, code in coded), *(pd.factorize(x)[0] for x in numbers)], len(frame))
    values = np.column_stack(numbers)[first] if numbers else np.zeros((len(first), 0))
    size = len(first)
    cells = Cells(
        row, np.bincount(row, minlength=size), np.bincount(row, weight, minlength=size),
        tuple(code[first] for _, code in coded), values,
    )  # fmt: skip
    return cells, replace(targets, margins=tuple(margin for margin, _ in coded))


def _labels(column: pd.Series, name: str) -> tuple[np.ndarray, list[str]]:
    """Codes into the labels found in a column."""
    codes, values = pd.factorize(column)
    empty = int((codes < 0).sum())
    if empty:
        raise WeightingError.at(
            name, None, f"{empty} of {len(codes)} respondents have no value",
            "Fill it in, give them a category of their own with a target, or leave these respondents out.",
        )  # fmt: skip
    words = [label_of(value) for value in values]
    known = list(dict.fromkeys(words))
    place = {word: i for i, word in enumerate(known)}
    return np.array([place[word] for word in words], int)[codes], known


def _values(column: pd.Series, name: str) -> np.ndarray:
    values = pd.to_numeric(column, errors="coerce").to_numpy(float)
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise WeightingError.at(
            name, None, f"{bad} of {len(values)} respondents have no finite number",
            "A single total belongs to a column of numbers without gaps; categories need {category: target}.",
        )  # fmt: skip
    return values


def _coded(margin: Margin, labelled: dict[str, tuple[np.ndarray, list[str]]]) -> tuple[Margin, np.ndarray]:
    """The margin without impossible categories, and each respondent's position among those left."""
    columns = [labelled[column] for column in margin.columns]
    row, first = _combinations([codes for codes, _ in columns], len(columns[0][0]))
    found = [tuple(words[codes[i]] for codes, words in columns) for i in first]
    counts = np.bincount(row, minlength=len(found))
    _check_categories(margin, dict(zip(found, counts.tolist(), strict=True)))
    kept = [i for i, category in enumerate(margin.categories) if category in set(found)]
    place = {margin.categories[i]: new for new, i in enumerate(kept)}
    fewer = Margin(margin.columns, tuple(margin.categories[i] for i in kept), margin.targets[kept])
    return fewer, np.array([place[category] for category in found], int)[row]


def _check_categories(margin: Margin, found: dict[tuple[str, ...], int]) -> None:
    target = dict(zip(margin.categories, margin.targets.tolist(), strict=True))
    for category, n in found.items():
        if target.get(category, 0.0) <= 0:
            known = ", ".join(repr(label) for label in margin.labels[:8])
            said = "has the target 0" if category in target else f"has no target (targets are given for {known})"
            raise WeightingError.at(
                margin.name, ":".join(category), f"{said} but {n} respondents",
                "Give it a target above 0, merge it with another category, or leave these respondents out.",
            )  # fmt: skip
    for category, figure in target.items():
        if figure > 0 and category not in found:
            raise WeightingError.at(
                margin.name, ":".join(category), f"the target is {figure:.10g} but nobody in the data is in it",
                "No weight can make up for that: merge it with a similar category, in the data and in the targets.",
            )  # fmt: skip


def _combinations(codes: Sequence[np.ndarray], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Distinct combinations of code columns: (n,) position of each row, and the first row of each."""
    row = np.zeros(n, np.int64)
    for code in codes:
        row = pd.factorize(row * (int(code.max(initial=0)) + 1) + code)[0]
    first = np.empty(int(row.max(initial=-1)) + 1, np.int64)
    first[row[::-1]] = np.arange(n)[::-1]
    return row, first
