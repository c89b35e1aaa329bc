"""Counts of answers per domain and level, of one batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from csat.moments import Levels
from csat.reduce.rows import Rows, numbered


def counted(
    batch: pa.RecordBatch, rows: Rows, names: Sequence[str], levels: Sequence[tuple[Any, ...]], by: Sequence[str]
) -> Levels:
    """Count the answers to each item, domain by domain; rows outside every domain are left out."""
    domain = rows.domain if rows.inside.all() else np.where(rows.inside, rows.domain, len(rows.domains))
    weight = None if (rows.weight == 1).all() else rows.weight
    found = [
        _of_item(batch.column(name), levels_of, domain, weight, len(rows.domains))
        for name, levels_of in zip(names, levels, strict=True)
    ]
    weighted, unweighted, missing = zip(*found, strict=True) if found else ((), (), ())
    absent = np.stack(missing, axis=1) if missing else np.zeros((len(rows.domains), 0), int)
    return Levels(tuple(names), tuple(levels), tuple(by), tuple(rows.domains), weighted, unweighted, absent)


def _of_item(
    column: pa.Array, levels: tuple[Any, ...], domain: np.ndarray, weight: np.ndarray | None, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted and unweighted counts (D, levels), and missing (D,)."""
    numbers, place = numbered(column, levels)
    width = len(place)
    cell = domain * width
    cell += numbers
    shape = (size + 1, width)

    def by_level(counts: np.ndarray) -> np.ndarray:
        out = np.zeros((size, len(levels) + 1), counts.dtype)
        np.add.at(out.T, place, counts.reshape(shape)[:size].T)
        return out

    unweighted = by_level(np.bincount(cell, minlength=shape[0] * width))
    if weight is None:
        weighted = unweighted.astype(float)
    else:
        weighted = by_level(np.bincount(cell, weight, minlength=shape[0] * width))
    return weighted[:, :-1], unweighted[:, :-1], unweighted[:, -1]
