"""Where a source repeats an interview: two passes over the identifiers at most, and none where a database counts."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import closing

import numpy as np
import pyarrow as pa

from csat.errors import DataError
from csat.read.universe import Universe
from csat.replicates import row_hash
from csat.streams.database import Query
from csat.streams.faults import StreamError
from csat.streams.ids import among, hashes_on_disk, later_ones
from csat.streams.lazy import Lazy
from csat.streams.origin import Origin

#: Repeated identifiers beyond which the column names no interviews.
MOST_REPEATS = 5_000_000

#: What hands out usable rows: their identifiers and their places in the source.
Usable = Callable[[], Generator[tuple[pa.Array, np.ndarray], None, None]]


def places_of_repeats(origin: Origin, column: str, usable: Usable, universe: Universe | None) -> np.ndarray:
    """Places, sorted, of the usable rows whose identifier stands in an earlier usable row.

    Parameters
    ----------
    origin : of the rows.
    column : of the source that holds the identifiers.
    usable : hands out the identifiers of usable rows, as often as asked.
    universe : rows that are read at all.

    Raises
    ------
    StreamError
        For a database, whose rows have no order that would make one of them the first.
    DataError
        If the column is no identifier.
    """
    if isinstance(origin, Query | Lazy):
        found = origin.repeated(column, universe)
        if found:
            raise StreamError.repeated(origin.name, column, found)
        return np.zeros(0, np.int64)
    return repeats_in(usable, origin.name, column)


def repeats_in(usable: Usable, source: str, column: str) -> np.ndarray:
    """Places of the rows that repeat an earlier identifier; see `places_of_repeats`."""
    with hashes_on_disk() as hashes:
        with closing(usable()) as rows:
            for names, _ in rows:
                hashes.add(row_hash(names))
        twice = hashes.repeated()
    if not len(twice):
        return np.zeros(0, np.int64)
    if len(twice) > MOST_REPEATS:
        raise DataError(
            f"{source}: more than {MOST_REPEATS:,} values of {column!r} occur more than once; it does not name "
            "interviews. Give the column another kind in the study."
        )
    with closing(usable()) as rows:
        return later_ones(pair for names, places in rows for pair in _suspects(names, places, twice))


def _suspects(names: pa.Array, places: np.ndarray, twice: np.ndarray) -> Iterator[tuple[str, int]]:
    found = among(row_hash(names), twice)
    return zip(names.filter(pa.array(found)).to_pylist(), places[found].tolist(), strict=True)
