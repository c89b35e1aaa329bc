"""Moments per pattern of answered variables, from a stream of batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.errors import OptionError
from csat.moments import Patterns, Variable, check_grouped, join_patterns, term_of
from csat.reduce.rows import Rows, combine, matrix_of, rows_of
from csat.reduce.stream import joined, over_batches

#: Variables whose answered marks fit into one whole number.
BITS = 62
#: Entries of the products of rows that are held at once.
PRODUCTS = 2**21
#: Batches whose patterns wait to be added.
PARTS = 16


def patterns(
    batches: Iterable[pa.RecordBatch],
    variables: Sequence[Variable],
    midpoint: np.ndarray,
    *,
    by: Sequence[str] = (),
    design: Design,
    inside: str | None = None,
    threads: int | None = None,
    partial: bool = False,
) -> Patterns:
    """Sum a stream of batches into moments per domain and pattern of answered variables.

    Parameters
    ----------
    batches, variables, midpoint, by, design, inside, threads, partial : as `csat.reduce.groups`; of the design only
        the weight counts.

    Returns
    -------
    Patterns

    Raises
    ------
    OptionError
        Without a variable.
    SampleError
        If nobody belongs to a group.
    """
    if not variables:
        raise OptionError("No variable is named; name at least one.")

    def kernel(batch: pa.RecordBatch) -> Patterns:
        rows = rows_of(batch, by, design, inside)
        return _summed(rows, matrix_of(batch, variables) - midpoint, variables, midpoint, by)

    total = _Total()
    over_batches(joined(batches), kernel, total, rows=lambda batch: batch.num_rows, threads=threads)
    found = join_patterns(total.parts)
    if not partial:
        check_grouped(by, found.domains, found.ungrouped)
    return found


class _Total:
    """Adds the patterns of batches: those of several at once, since patterns have to be looked up each time."""

    def __init__(self) -> None:
        self.parts: list[Patterns] = []

    def add(self, part: Patterns) -> None:
        self.parts.append(part)
        if len(self.parts) == PARTS:
            self.parts = [join_patterns(self.parts)]


def _summed(
    rows: Rows, y: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, by: Sequence[str]
) -> Patterns:
    """The patterns of one batch; `y` (n, k) is around the midpoints, NaN where missing."""
    answered = ~np.isnan(y)
    some = answered.any(axis=1)
    kept = np.flatnonzero(rows.inside & some)
    cells, where = combine([rows.domain[kept], *_marks(answered[kept])])
    order = np.argsort(where, kind="stable")
    kept, cell = kept[order], where[order]
    z = np.hstack([np.ones((len(kept), 1)), np.where(answered[kept], y[kept], 0.0)])
    first = np.searchsorted(cell, np.arange(len(cells)))
    silent = rows.domain[rows.inside & ~some]
    return Patterns(
        names=tuple(term_of(variable) for variable in variables),
        midpoint=np.asarray(midpoint, float),
        by=tuple(by),
        domains=tuple(rows.domains),
        domain=cells[:, 0],
        answered=answered[kept[first]],
        gram=_grams(z, rows.weight[kept], cell, len(cells)),
        n=np.bincount(cell, minlength=len(cells)),
        silent=np.bincount(silent, minlength=len(rows.domains)),
        ungrouped=rows.ungrouped,
    )


def _marks(answered: np.ndarray) -> list[np.ndarray]:
    """Columns of whole numbers that tell the patterns (n, k) apart."""
    k = answered.shape[1]
    parts = [answered[:, at : at + BITS] for at in range(0, k, BITS)]
    return [part @ (1 << np.arange(part.shape[1])) for part in parts]


def _grams(z: np.ndarray, weight: np.ndarray, cell: np.ndarray, size: int) -> np.ndarray:
    """(C, p, p) sums of w·zzᵀ; rows come sorted by cell. Products are summed run by run, not cell by cell."""
    first, second = np.triu_indices(z.shape[1])
    summed = np.zeros((size, len(first)))
    step = max(PRODUCTS // len(first), 1)
    for start in range(0, len(z), step):
        part = slice(start, start + step)
        rows, at = z[part], cell[part]
        starts = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
        weighted = rows * weight[part, None]
        summed[at[starts]] += np.add.reduceat(weighted[:, first] * rows[:, second], starts, axis=0)
    out = np.empty((size, z.shape[1], z.shape[1]))
    out[:, first, second] = out[:, second, first] = summed
    return out
