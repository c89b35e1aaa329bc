"""`Lazy`: the rows of a polars LazyFrame, run anew for every pass; and DuckDB relations, which are queries."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from csat.questionnaire.decode import LONGEST, quoted
from csat.questionnaire.scales import number_in
from csat.read.raw import Raw, named, plain
from csat.read.universe import Universe
from csat.streams.faults import StreamError
from csat.streams.files import HEAD_ROWS
from csat.streams.origin import NUMBER
from csat.streams.parquet import family_of, size_of

T = TypeVar("T")

#: Name of a relation in its own queries.
RELATION = "csat_relation"


@dataclass(frozen=True, slots=True, eq=False)
class Lazy:
    """A LazyFrame as a source; see `csat.streams.origin.Origin`. Its rows have no fixed places."""

    frame: Any
    kinds: Mapping[str, str]
    total: int
    filled: bool
    notes: tuple[str, ...] = ()
    name: str = "polars LazyFrame"
    typed: bool = True
    ordered: bool = False

    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Columns and their families."""
        return {name: {family: self.name} for name, family in self.kinds.items()}

    @property
    def lacking(self) -> Mapping[str, Sequence[str]]:
        """It has all its columns in every row."""
        return {}

    @property
    def size(self) -> int:
        """Bytes of the rows in memory, about."""
        return size_of(self.total, self.kinds.values())

    def head(self) -> Raw:
        """The first rows."""
        table = told(self.name, lambda: self.frame.head(HEAD_ROWS).collect().to_arrow()).combine_chunks()
        columns = {name: table.column(name).combine_chunks() for name in self.kinds}
        return Raw(self.name, columns, np.arange(table.num_rows), True)

    def pieces(self, names: Sequence[str], rows: int, universe: Universe | None) -> Generator[Raw, None, None]:
        """Tables of at most `rows` rows; polars reads the columns that are wanted."""
        del universe
        read = list(names) or [next(iter(self.kinds))]
        parts = iter(told(self.name, lambda: self.frame.select(read).collect_batches(chunk_size=rows)))
        done = 0
        while (part := told(self.name, lambda: next(parts, None))) is not None:
            for batch in part.to_arrow().to_batches(max_chunksize=rows):
                columns = {name: batch.column(name) for name in read}
                yield Raw(self.name, columns, np.arange(batch.num_rows) + done, True)
                done += batch.num_rows

    def repeated(self, column: str, universe: Universe | None) -> list[str]:
        """A few values of a column that occur more than once."""
        import polars as pl

        inside, wanted = self.frame, {} if universe is None else universe.wanted
        for name, values in wanted.items():
            cell = pl.col(name).cast(pl.String).str.strip_chars()
            number = self.kinds[name] == NUMBER
            numbers = [number_in(value) for value in values]
            inside = inside.filter(pl.col(name).cast(pl.Float64).is_in(numbers) if number else cell.is_in(values))
        text = pl.col(column).cast(pl.String).str.strip_chars()
        counts = inside.select(value=text).filter(pl.col("value") != "").group_by("value").len()
        asked = counts.filter(pl.col("len") > 1).sort("value").head(3)
        found = told(self.name, lambda: asked.collect().rows())
        return [f"{quoted(str(value))} {times} times" for value, times in found]


@dataclass(frozen=True, slots=True)
class Related:
    """A DuckDB relation, asked like a connection."""

    relation: Any

    def sql(self, query: str) -> Any:
        """A query of the relation."""
        return self.relation.query(RELATION, query)

    def execute(self, query: str) -> Any:
        """The same."""
        return self.sql(query)


def is_relation(data: Any) -> bool:
    """Whether something is a DuckDB relation, without importing DuckDB."""
    return type(data).__name__ == "DuckDBPyRelation" and hasattr(data, "query")


def is_lazy(data: Any) -> bool:
    """Whether something is a polars LazyFrame, without importing polars."""
    return type(data).__module__.startswith("polars.") and hasattr(data, "collect_batches")


def lazy_of(frame: Any) -> Lazy:
    """Look at a LazyFrame: its columns, and in one pass how many rows it has and whether some may be blank.

    Raises
    ------
    StreamError
        If polars cannot run it.
    """
    import polars as pl

    name = "polars LazyFrame"
    empty = told(name, lambda: frame.head(0).collect().to_arrow())
    columns, notes = named(name, empty.column_names, [plain(column) for column in empty.columns])
    strange = [column for column, values in columns.items() if values is None]
    notes += [f"left out, neither numbers nor text: {', '.join(strange)}"] if strange else []
    kinds = {column: family_of(empty.schema.field(column).type)
             for column in empty.column_names if columns.get(column) is not None}  # fmt: skip
    if not kinds:
        raise StreamError(f"{name}: no column holds numbers or text.")
    whole = [field.name for field in empty.schema if field.name in kinds and pa.types.is_integer(field.type)]
    asked = frame.select(pl.len().alias("(rows)"), *(pl.col(column).null_count() for column in whole))
    total, *nulls = told(name, lambda: asked.collect().row(0))
    return Lazy(frame, kinds, int(total), any(count == 0 for count in nulls), tuple(notes))


def told(name: str, work: Callable[[], T]) -> T:
    """Do what polars is asked, with its errors in csat's words."""
    from polars.exceptions import PolarsError

    try:
        return work()
    except (PolarsError, pa.ArrowException, OSError) as error:
        words = str(error).partition("\n")[0]
        raise StreamError(f"{name}: its rows cannot be fetched ({words[: 6 * LONGEST]}).") from None
