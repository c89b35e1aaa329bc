"""One Parquet file: what its footer says, and its rows in pieces."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from csat.moments import SUMMARY
from csat.read.faults import TableError
from csat.read.raw import named, plain
from csat.read.universe import Universe
from csat.streams.faults import StreamError
from csat.streams.origin import MOMENT, NOTHING, NUMBER, TEXT

#: Bytes that a column chunk is read by.
BUFFER = 1 << 18

#: Bytes per value below which a column of text holds each word once.
CODED = 4


@dataclass(frozen=True, slots=True)
class ParquetSheet:
    """What the footer of a file says.

    called : name for messages. stored : column → its name in the file. families : column → family of types.
    coded : stored names of text that is read as a dictionary. rows : in the file. size : bytes of the table in
    memory, about. filled : no row can be blank. notes : on columns left out.
    """

    path: Path
    called: str
    stored: dict[str, str]
    families: dict[str, str]
    coded: tuple[str, ...]
    rows: int
    size: int
    filled: bool
    notes: tuple[str, ...] = ()

    def batches(
        self, names: Sequence[str], rows: int, universe: Universe | None
    ) -> Generator[tuple[dict[str, pa.Array], np.ndarray], None, None]:
        """Columns and row numbers, piece by piece; row groups without a wanted value are skipped."""
        from pyarrow import parquet

        # a row needs some column to be counted
        read = [name for name in names if name in self.stored] or [next(iter(self.stored))]
        try:
            with parquet.ParquetFile(
                self.path, pre_buffer=False, buffer_size=BUFFER, read_dictionary=self.coded
            ) as file:
                kept = _row_groups(file.metadata, self.stored, universe)
                sizes = [file.metadata.row_group(group).num_rows for group in kept]
                numbers = _Numbers(_starts(file.metadata)[kept], np.array(sizes, int))
                stored = [self.stored[name] for name in read]
                for batch in file.iter_batches(rows, row_groups=kept, columns=stored) if kept else ():
                    columns = {name: batch.column(self.stored[name]) for name in read}
                    yield columns, numbers.take(batch.num_rows)
        except (pa.ArrowException, OSError) as error:
            raise StreamError.damaged(self.called, error) from None


def parquet_sheet(path: Path, called: str) -> ParquetSheet:
    """Read the footer of a file.

    Raises
    ------
    StreamError
        If it is no Parquet file, or not a whole one.
    """
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            metadata, schema = file.metadata, file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise StreamError.damaged(called, error) from None
    if SUMMARY in (metadata.metadata or {}):
        raise TableError.summary(called)
    empty = [plain(pa.array([], field.type)) if _has_values(field.type) else None for field in schema]
    columns, notes = named(called, schema.names, empty)
    strange = [name for name, column in columns.items() if column is None]
    notes += [f"left out, neither numbers nor text: {', '.join(strange)}"] if strange else []
    stored = {name.strip(): name for name in schema.names}
    readable = [name for name, column in columns.items() if column is not None]
    families = {name: family_of(schema.field(stored[name]).type) for name in readable}
    return ParquetSheet(
        path,
        called,
        {name: stored[name] for name in readable},
        families,
        tuple(_repetitive(metadata, [stored[name] for name in readable if families[name] == TEXT])),
        metadata.num_rows,
        size_of(metadata.num_rows, families.values()),
        _filled(metadata, {stored[name] for name in readable if _never_blank(schema.field(stored[name]).type)}),
        tuple(notes),
    )


def family_of(kind: pa.DataType) -> str:
    """Family of a type: what can be put into one column with it."""
    if pa.types.is_dictionary(kind):
        return family_of(kind.value_type)
    if isinstance(kind, pa.ExtensionType):
        return family_of(kind.storage_type)
    if pa.types.is_null(kind):
        return NOTHING
    if pa.types.is_timestamp(kind):
        return MOMENT
    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return NUMBER if any(fits(kind) for fits in numbers) else TEXT


def size_of(rows: int, families: Iterable[str]) -> int:
    """Bytes of a table in memory, about: 8 per number, 24 per short text."""
    return rows * sum(24 if family == TEXT else 8 for family in families)


def _has_values(kind: pa.DataType) -> bool:
    return not pa.types.is_nested(kind)


def _never_blank(kind: pa.DataType) -> bool:
    """Whether a value of the type that is not null cannot be blank: no text, no NaN."""
    kinds = (pa.types.is_integer, pa.types.is_boolean, pa.types.is_decimal, pa.types.is_temporal)
    return any(fits(kind) for fits in kinds)


def _filled(metadata: Any, sure: set[str]) -> bool:
    """Whether each row group has a column without nulls, so that no row is blank."""
    return all(
        any(
            column.path_in_schema in sure and column.statistics is not None and column.statistics.null_count == 0
            for column in map(metadata.row_group(group).column, range(metadata.num_columns))
        )
        for group in range(metadata.num_row_groups)
    )


def _repetitive(metadata: Any, names: Sequence[str]) -> list[str]:
    """Columns whose values take so few bytes that the file must hold each word once."""
    sizes = dict.fromkeys(names, 0)
    for group in range(metadata.num_row_groups):
        for column in map(metadata.row_group(group).column, range(metadata.num_columns)):
            if column.path_in_schema in sizes:
                sizes[column.path_in_schema] += column.total_uncompressed_size
    return [name for name, size in sizes.items() if size < CODED * max(metadata.num_rows, 1)]


def _starts(metadata: Any) -> np.ndarray:
    """Number of the first row of each row group."""
    sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return np.cumsum([0, *sizes])


def _row_groups(metadata: Any, stored: dict[str, str], universe: Universe | None) -> list[int]:
    """Row groups that may hold a row of the universe, as far as their statistics tell."""
    every = range(metadata.num_row_groups)
    if universe is None:
        return list(every)
    wanted = {stored[name]: name for name in universe.wanted if name in stored}
    return [group for group in every if _may_hold(metadata.row_group(group), wanted, universe)]


def _may_hold(group: Any, wanted: dict[str, str], universe: Universe) -> bool:
    for place in range(group.num_columns):
        column = group.column(place)
        name, figures = wanted.get(column.path_in_schema), column.statistics
        if name is None or figures is None or not figures.has_min_max:
            continue
        if not universe.may_hold(name, figures.min, figures.max):
            return False
    return True


@dataclass(slots=True)
class _Numbers:
    """Row numbers of the row groups that are read, handed out in order."""

    starts: np.ndarray
    sizes: np.ndarray
    done: int = 0

    def take(self, count: int) -> np.ndarray:
        """Numbers (count,) of the next rows."""
        ends = np.cumsum(self.sizes)
        place = np.arange(self.done, self.done + count)
        first = int(np.searchsorted(ends, self.done, side="right"))
        if first < len(ends) and self.done + count <= ends[first]:
            self.done += count
            return place + (self.starts[first] - ends[first] + self.sizes[first])
        group = np.searchsorted(ends, place, side="right")
        self.done += count
        return self.starts[group] + place - (ends - self.sizes)[group]
