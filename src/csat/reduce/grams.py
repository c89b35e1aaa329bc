"""Gram matrices of the rows of a batch, cell by cell, a few rows at a time: what stays in the cache is fast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from csat.errors import SampleError

#: Rows that are multiplied at once.
ROWS = 2048
#: Larger numbers overflow in sums of squares, and in products of those; as many times smaller ones vanish.
LARGEST = 1e70


@dataclass(frozen=True)
class Given:
    """What is multiplied: z = [1, y] under "listwise", [1, m, m·y] under "available", of the rows in `order`.

    values : (n, k) of all rows of the batch, NaN where missing; midpoint : (k,) to subtract.
    order : rows to take, sorted by cell. weight : (n,) of all rows, or None if all weigh 1.
    names : (k,) of the variables.
    """

    values: np.ndarray
    midpoint: np.ndarray
    order: np.ndarray
    weight: np.ndarray | None
    listwise: bool
    names: tuple[str, ...]

    @cached_property
    def weights(self) -> np.ndarray | None:
        """(n,) weights of the rows in order; None if all weigh 1."""
        return None if self.weight is None else self.weight[self.order]

    @property
    def gaps(self) -> np.ndarray:
        """Positions of the variables that somebody left out: of the others m is the 1 that z begins with."""
        if self.listwise:
            return np.zeros(0, int)
        with np.errstate(over="ignore", invalid="ignore"):
            return np.flatnonzero(np.isnan(self.values.sum(axis=0)))

    def basis(self, gaps: np.ndarray) -> np.ndarray:
        """Position in [1, m of the gaps, m·y] of each entry of z."""
        k = len(self.names)
        last = 1 + len(gaps) + np.arange(k)
        if self.listwise:
            return np.r_[0, last]
        m = np.zeros(k, int)
        m[gaps] = 1 + np.arange(len(gaps))
        return np.r_[0, m, last]

    def rows(self, start: int, stop: int, gaps: np.ndarray) -> np.ndarray:
        """(r, 1 + gaps + k) rows [1, m of the gaps, m·y]."""
        y = self.values.take(self.order[start:stop], axis=0)
        y -= self.midpoint
        out = np.empty((len(y), 1 + len(gaps) + y.shape[1]))
        out[:, 0] = 1
        if len(gaps):
            absent = np.isnan(y)
            out[:, 1 : 1 + len(gaps)] = ~(absent if len(gaps) == y.shape[1] else absent[:, gaps])
            np.copyto(y, 0.0, where=absent)
        out[:, 1 + len(gaps) :] = y
        return out

    @property
    def every(self) -> np.ndarray:
        """Positions of all variables whose m stands in z."""
        return np.zeros(0, int) if self.listwise else np.arange(len(self.names))

    def all_rows(self) -> np.ndarray:
        """(n, p) rows z."""
        return self.rows(0, len(self.order), self.every)


def grams_of(given: Given, starts: np.ndarray, squares: bool) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    """Sums of the rows of each cell.

    Parameters
    ----------
    given : the rows, sorted by cell.
    starts : (C + 1,) where each cell starts; none is empty.
    squares : whether Σ w²·zzᵀ is wanted too.

    Returns
    -------
    gram : (C, p, p) Σ w·zzᵀ.
    square : (C, p, p) Σ w²·zzᵀ, or None.
    counts : (C, k) rows with a value.
    """
    gaps, cells = given.gaps, len(starts) - 1
    p = 1 + len(gaps) + len(given.names)
    gram, counts = np.zeros((cells, p, p)), np.zeros((cells, len(gaps)), int)
    square = np.zeros((cells, p, p)) if squares and given.weights is not None else None
    add_rows(given, starts, gaps, np.arange(cells), gram, square, counts)
    at = given.basis(gaps)
    gram = _expanded(gram, at)
    if squares:
        square = gram.copy() if square is None else _expanded(square, at)
    out = np.repeat(np.diff(starts)[:, None], len(given.names), axis=1)
    out[:, gaps] = counts
    return gram, square, out


def add_rows(
    given: Given, starts: np.ndarray, gaps: np.ndarray, at: np.ndarray, gram: np.ndarray, square: np.ndarray | None,
    counts: np.ndarray,
) -> None:  # fmt: skip
    """Add the rows of the cells to sums, in place.

    Parameters
    ----------
    given, starts : as in `grams_of`.
    gaps : (g,) variables whose m stands in z.
    at : (C,) where the sums of each cell are.
    gram, square : (…, 1 + g + k, 1 + g + k), `square` may be None. counts : (…, g) rows with a value.
    """
    weight = given.weights
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(given.order), ROWS):
            stop = min(start + ROWS, len(given.order))
            z = given.rows(start, stop, gaps)
            first, edges = _cells_between(starts, start, stop)
            cells = at[first : first + len(edges) - 1]
            _add(gram, square, z, None if weight is None else weight[start:stop], cells, edges)
            if len(gaps):
                counts[cells] += np.add.reduceat(z[:, 1 : 1 + len(gaps)], edges[:-1], axis=0).astype(int)
    _check_sizes(given, gram)


def totals_of(given: Given, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Totals of the rows of each cell, which take no products: (C, 1, p) Σ w·z and (C, k) rows with a value.

    given, starts : as in `grams_of`.
    """
    k, sizes, weight = len(given.names), np.diff(starts), given.weight
    room = len(sizes) + 1  # the last place is that of rows that are left out
    cell = np.full(len(given.values), room - 1)
    cell[given.order] = np.repeat(np.arange(len(sizes)), sizes)
    gaps = set(given.gaps.tolist())
    counts = np.repeat(sizes[:, None], k, axis=1)
    out = np.empty((len(sizes), 1, 1 + (k if given.listwise else 2 * k)))
    out[:, 0, :-k] = (sizes if weight is None else np.bincount(cell, weight, room)[:-1])[:, None]
    for j in range(k):
        y = given.values[:, j] - given.midpoint[j]
        if j in gaps:
            present = ~np.isnan(y)
            y[~present] = 0.0
            counts[:, j] = np.bincount(cell[present], minlength=room)[:-1]
            out[:, 0, 1 + j] = counts[:, j] if weight is None else np.bincount(cell, present * weight, room)[:-1]
        out[:, 0, j - k] = np.bincount(cell, y if weight is None else y * weight, room)[:-1]
    return out, counts


def _cells_between(starts: np.ndarray, start: int, stop: int) -> tuple[int, np.ndarray]:
    """The first cell of the rows from start to stop, and where the cells begin and end among them."""
    first = int(np.searchsorted(starts, start, side="right")) - 1
    last = int(np.searchsorted(starts, stop, side="left"))
    return first, np.clip(starts[first : last + 1] - start, 0, stop - start)


def _add(
    gram: np.ndarray, square: np.ndarray | None, z: np.ndarray, weight: np.ndarray | None, cells: np.ndarray,
    edges: np.ndarray,
) -> None:  # fmt: skip
    """Add the products of rows z (r, p) to their cells; `weight` is None where all weigh 1."""
    wz = z if weight is None else z * weight[:, None]
    for c, (low, high) in zip(cells.tolist(), pairwise(edges.tolist()), strict=True):
        products = wz[low:high].T @ z[low:high]
        gram[c] += products
        if square is not None:
            square[c] += products if weight is None else wz[low:high].T @ wz[low:high]


def _expanded(gram: np.ndarray, at: np.ndarray) -> np.ndarray:
    """(C, p, p) sums of the whole z."""
    return gram if len(at) == gram.shape[1] else gram[:, at[:, None], at]


def _check_sizes(given: Given, gram: np.ndarray) -> None:
    """Refuse numbers whose squares overflow or vanish when they are summed; the sums tell where to look."""
    k = len(given.names)
    with np.errstate(over="ignore", invalid="ignore"):
        squares = np.diagonal(gram, axis1=1, axis2=2)[:, -k:].sum(axis=0)
    for j in np.flatnonzero(~((squares > LARGEST**-1.9) & (squares < LARGEST**1.9))).tolist():
        y = given.values[given.order, j] - given.midpoint[j]
        _check_size(given.names[j], float(np.fmax.reduce(np.abs(y), initial=0.0)))


def _check_size(name: str, largest: float) -> None:
    if not largest < LARGEST:
        raise SampleError(
            f"{name!r} has values {largest:.3g} away from the middle of their range; beyond "
            f"{LARGEST:.0e} they cannot be squared and summed. Check the column, or give it another unit."
        )
    if 0 < largest < 1 / LARGEST:
        raise SampleError(
            f"The values of {name!r} differ by {2 * largest:.3g} at most; differences this small "
            "vanish when they are squared. Check the column, or give it another unit."
        )
