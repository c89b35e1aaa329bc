"""Counts of answers per domain and level, of one batch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from csat.moments import Levels
from csat.reduce.rows import Rows, numbered

#: Joint counts of two items at most.
MOST_COUNTS = 2**15
#: A number for each row, the level that each number means, and how many levels there are.
Numbered = tuple[np.ndarray, np.ndarray, int]
#: Weighted and unweighted counts (D, levels + 1).
Counts = tuple[np.ndarray, np.ndarray]


def counted(
    batch: pa.RecordBatch, rows: Rows, names: Sequence[str], levels: Sequence[tuple[Any, ...]], by: Sequence[str]
) -> Levels:
    """Count the answers to each item, domain by domain; rows outside every domain are left out."""
    domain = rows.domain if rows.inside.all() else np.where(rows.inside, rows.domain, len(rows.domains))
    weight = None if rows.equal else rows.weight
    room = np.empty(len(domain), int)
    found: list[Counts] = []
    while len(found) < len(names):
        pair = range(len(found), min(len(found) + 2, len(names)))
        items = [(*numbered(batch.column(names[j]), levels[j]), len(levels[j])) for j in pair]
        found += _counts(items, domain, weight, len(rows.domains), room)
    weighted, unweighted = (tuple(counts[side][:, :-1] for counts in found) for side in (0, 1))
    missing = np.stack([plain[:, -1] for _, plain in found], axis=1) if found else np.zeros((len(rows.domains), 0), int)
    return Levels(tuple(names), tuple(levels), tuple(by), tuple(rows.domains), weighted, unweighted, missing)


def _counts(
    items: list[Numbered], domain: np.ndarray, weight: np.ndarray | None, domains: int, cell: np.ndarray
) -> list[Counts]:
    """Weighted and unweighted counts (D, levels + 1) of items, the last of answers that are no level.

    Two items are counted jointly if the counts stay in the cache: that is faster than one after the other. `cell` (n,)
    is room to work in.
    """
    shape = (domains + 1, *(len(place) for _, place, _ in items))
    if len(items) > 1 and math.prod(shape) > MOST_COUNTS:
        return [counts for item in items for counts in _counts([item], domain, weight, domains, cell)]
    key = items[0][0]
    for numbers, place, _ in items[1:]:
        key = key * len(place) + numbers
    np.multiply(domain, math.prod(shape[1:]), out=cell)
    cell += key
    plain = np.bincount(cell, minlength=math.prod(shape)).reshape(shape)[:domains]
    heavy = None if weight is None else np.bincount(cell, weight, minlength=math.prod(shape)).reshape(shape)[:domains]
    out = []
    for axis, (_, place, levels) in enumerate(items, 1):
        unweighted = _placed(plain, axis, place, levels)
        out.append((unweighted.astype(float) if heavy is None else _placed(heavy, axis, place, levels), unweighted))
    return out


def _placed(table: np.ndarray, axis: int, place: np.ndarray, levels: int) -> np.ndarray:
    """(D, levels + 1) counts of the numbers along one axis (D, …) at their levels; last those that are no level."""
    counts = table if table.ndim == 2 else table.sum(axis=3 - axis)
    out = np.zeros((len(counts), levels + 1), counts.dtype)
    for number, at in enumerate(place.tolist()):
        out[:, at] += counts[:, number]
    return out
