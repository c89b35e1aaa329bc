"""Equal answers with unequal weights, as R treats them: row by row, in the order of the file.

csat's own definitions need only the total weight of each answer, so that sorting a file changes nothing. The R
package survey looks at single rows inside a tie; these functions do the same, to reproduce its figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from csat.errors import OptionError, SampleError
from csat.moments import Source

#: How equal answers count.
TIES = ("weight", "rows")


def check_ties(ties: str) -> None:
    """Refuse an unknown treatment of ties."""
    if ties not in TIES:
        raise OptionError.choose("ties", ties, TIES)


@dataclass(frozen=True, slots=True)
class SortedRows:
    """Rows with an answer, a group and a weight; ascending, in file order among equals.

    value, weight : (n,). labels : (n,) group labels of each grouping column.
    """

    value: np.ndarray
    weight: np.ndarray
    labels: tuple[np.ndarray, ...]

    def inside(self, domain: tuple[str, ...]) -> tuple[np.ndarray, np.ndarray]:
        """Answers and weights of one group."""
        kept = np.ones(len(self.value), bool)
        for label, wanted in zip(self.labels, domain, strict=True):
            kept &= label == wanted
        return self.value[kept], self.weight[kept]


def sorted_rows(source: Source, name: str, by: Sequence[str]) -> SortedRows:
    """Sort the rows of a survey by their answer.

    Raises
    ------
    SampleError
        If the source has no rows.
    """
    frame, weight = getattr(source, "frame", None), getattr(source, "weight", None)
    if frame is None or weight is None:
        raise SampleError.needs_rows('Counting ties row by row (ties="rows")')
    columns = frame([name, *by])
    value = columns[name].to_numpy(float)
    labels = [pa.array(columns[c], from_pandas=True).cast(pa.string()) for c in by]
    taken = ~np.isnan(value) & (weight > 0)
    for label in labels:
        taken &= label.is_valid().to_numpy(zero_copy_only=False)
    order = np.argsort(value, kind="stable")
    order = order[taken[order]]
    texts = tuple(label.to_numpy(zero_copy_only=False)[order] for label in labels)
    return SortedRows(value[order], weight[order], texts)


def end_weights(value: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the first and of the last row of each distinct answer, (m,) each."""
    _, starts = np.unique(value, return_index=True)
    return weight[starts], weight[np.r_[starts[1:], len(value)][: len(starts)] - 1]


def row_midranks(value: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Per distinct answer (m,): the plain mean, over its rows, of the weights before a row and half its own."""
    _, where = np.unique(value, return_inverse=True)
    return np.bincount(where, np.cumsum(weight) - weight / 2) / np.bincount(where)
