"""Gradients of figures by the totals of their group, applied to the cells of the groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

#: Multiplications that one thread does before others would have woken up.
FEW = 10**6


@dataclass(frozen=True, slots=True, eq=False)
class Gradients:
    """Gradients of q figures of D groups, for C cells: never repeated for each cell, which takes C·q·p numbers.

    matrices : (D, q, p). of : (C,) group of each cell.
    """

    matrices: np.ndarray
    of: np.ndarray

    def times(self, totals: np.ndarray) -> np.ndarray:
        """(C, q) scores of totals (C, p)."""
        out = np.zeros((len(self.of), self.matrices.shape[1]))
        for group, cells in self._groups():
            out[cells] = _product(totals[cells], self.matrices[group])
        return out

    def sizes(self, totals: np.ndarray) -> np.ndarray:
        """(C, q) sums of the sizes of the terms of the scores."""
        out = np.zeros((len(self.of), self.matrices.shape[1]))
        for group, cells in self._groups():
            out[cells] = _product(np.abs(totals[cells]), np.abs(self.matrices[group]))
        return out

    def products(self, squares: np.ndarray) -> np.ndarray:
        """(C, q, q) products of scores, from those of rows (C, p, p)."""
        of_cell = self.matrices[self.of]
        return of_cell @ squares @ of_cell.transpose(0, 2, 1)

    def squared(self) -> Gradients:
        """Their squares."""
        return replace(self, matrices=np.square(self.matrices))

    def _groups(self) -> Iterator[tuple[int, slice | np.ndarray]]:
        """Each group with cells, and the positions of these."""
        size = len(self.matrices)
        in_order = bool((self.of[1:] >= self.of[:-1]).all())
        order = np.arange(len(self.of)) if in_order else np.argsort(self.of, kind="stable")
        ends = np.searchsorted(self.of if in_order else self.of[order], np.arange(size + 1)).tolist()
        for group, (start, end) in enumerate(pairwise(ends)):
            if end > start:
                yield group, slice(start, end) if in_order else order[start:end]


def _product(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(n, q) products of rows (n, p) with others (q, p)."""
    few = len(rows) * others.size < FEW
    return np.einsum("np,qp->nq", rows, others) if few else rows @ others.T
