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
    weight = None if rows.equal else rows.weight
    bases: dict[int, np.ndarray] = {}
    cell, found = np.empty(len(domain), np.intp), []
    for name, of_item in zip(names, levels, strict=True):
        numbers, place = numbered(batch.column(name), of_item)
        base = bases.setdefault(len(place), domain * len(place))
        np.add(base, numbers, out=cell)
        found.append(_of_item(cell, place, weight, (len(rows.domains), len(of_item))))
    weighted, unweighted, missing = zip(*found, strict=True) if found else ((), (), ())
    absent = np.stack(missing, axis=1) if missing else np.zeros((len(rows.domains), 0), int)
    return Levels(tuple(names), tuple(levels), tuple(by), tuple(rows.domains), weighted, unweighted, absent)


def _of_item(
    cell: np.ndarray, place: np.ndarray, weight: np.ndarray | None, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted and unweighted counts (D, levels), and missing (D,), of rows in cells of (domain, number)."""
    size = (shape[0] + 1) * len(place)
    listed, missing = _placed(np.bincount(cell, minlength=size), place, shape)
    if weight is None:
        return listed.astype(float), listed, missing
    return _placed(np.bincount(cell, weight, minlength=size), place, shape)[0], listed, missing


def _placed(counts: np.ndarray, place: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Counts (D, levels) of the numbers at their levels, and (D,) of the numbers that are no level."""
    table = counts.reshape(-1, len(place))[: shape[0]]
    known = np.flatnonzero(place >= 0)
    listed = np.zeros(shape, counts.dtype)
    for number in known.tolist():
        listed[:, place[number]] += table[:, number]
    return listed, table.sum(axis=1) - listed.sum(axis=1)
