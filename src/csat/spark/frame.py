"""`Frame`: a Spark frame as a source, of which the driver sees names, types and counts, never a row."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

from csat.questionnaire.decode import quoted
from csat.read.raw import Raw, is_text, named, plain
from csat.read.universe import Universe
from csat.spark.faults import SparkError, worded
from csat.streams.origin import MOMENT, NUMBER, TEXT
from csat.streams.parquet import size_of

T = TypeVar("T")

#: Parts that reach the driver at most; so many are merged to one before.
FEW = 4


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Columns and counts of a Spark frame; see `csat.streams.origin.Origin`.

    frame : `pyspark.sql.DataFrame`. stored : name → its column in the frame. families : name → family of types.
    empty : name → array without rows, in the type in which Spark hands it to Python.
    """

    frame: Any
    name: str
    stored: Mapping[str, str]
    families: Mapping[str, str]
    empty: Mapping[str, pa.Array]
    total: int | None
    filled: bool
    days: Mapping[str, bool]
    notes: tuple[str, ...] = ()
    typed: bool = True
    ordered: bool = False

    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Columns of the frame and their families."""
        return {name: {family: self.name} for name, family in self.families.items()}

    @property
    def lacking(self) -> Mapping[str, Sequence[str]]:
        """A frame has all its columns in every row."""
        return {}

    @property
    def size(self) -> int:
        """Bytes of the rows in memory, about."""
        return size_of(self.total or 0, self.families.values())

    def head(self) -> Raw:
        """The columns without a row: their types tell numbers from text."""
        return Raw(self.name, self.empty, np.zeros(0, int), True)

    def pieces(self, names: Sequence[str], rows: int, universe: Universe | None) -> Generator[Raw, None, None]:
        """Rows stay with the executors; see `csat.spark.work.Work`."""
        del names, rows, universe
        yield from ()

    def selected(self, names: Sequence[str], universe: Universe | None) -> Any:
        """The frame with the columns asked for; some rows outside the universe are left out."""
        from pyspark.sql import functions as f

        frame = self.frame
        for condition in () if universe is None else self._conditions(universe):
            frame = frame.where(condition)
        # a row needs some column to be counted
        read = list(names) or [next(iter(self.stored))]
        return frame.select(*(f.col(_quoted(self.stored[name])).alias(name) for name in read))

    def parts(self, names: Sequence[str], universe: Universe | None, work: Any, columns: str) -> list[dict[str, Any]]:
        """Run the work on each partition and bring the parts, merged by the executors to a few, to the driver."""

        def run() -> list[dict[str, Any]]:
            found = self.selected(names, universe).mapInArrow(work.summed, columns)
            for mergers in _tree(self.frame.sparkSession.sparkContext.defaultParallelism):
                found = found.repartition(mergers).mapInArrow(work.merged, columns)
            return [row.asDict() for row in found.collect()]

        return told(self.name, run)

    def repeated(self, column: str, universe: Universe | None) -> list[str]:
        """A few values of a column that occur more than once; counted by Spark."""
        from pyspark.sql import functions as f

        def run() -> list[Any]:
            text = f.trim(f.col(_quoted(column)).cast("string")).alias("value")
            asked = dict.fromkeys((column, *(universe.wanted if universe is not None else ())))
            values = self.selected(list(asked), universe).select(text).where("value is not null and value <> ''")
            counts = values.groupBy("value").count().where("count > 1")
            return counts.orderBy("value").limit(3).collect()

        return [f"{quoted(row['value'])} {row['count']} times" for row in told(self.name, run)]

    def middle(self, column: str) -> float:
        """A number near the middle of a column, to subtract before summing."""
        from pyspark.sql import functions as f

        text = f"try_cast({_quoted(self.stored[column])} as double)"
        ends = told(self.name, lambda: self.frame.agg(f.expr(f"min({text})"), f.expr(f"max({text})")).first())
        found = [end for end in ends if end is not None and math.isfinite(end)]
        return sum(found) / 2 if len(found) == 2 else 0.0

    def distinct(self, sets: Sequence[Sequence[str]], universe: Universe | None) -> list[int]:
        """Different values of each set of columns that occur, in one job; rows with an empty one are left out."""
        from pyspark.sql import functions as f

        frame = self.frame
        for condition in () if universe is None else self._conditions(universe):
            frame = frame.where(condition)
        asked = [f.count_distinct(*(f.col(_quoted(self.stored[name])) for name in names)) for names in sets]
        return list(told(self.name, lambda: frame.agg(*asked).first()))

    def _conditions(self, universe: Universe) -> list[Any]:
        from pyspark.sql import functions as f

        found = []
        for name, values in universe.wanted.items():
            column, family = f.col(_quoted(self.stored[name])), self.families[name]
            if family == TEXT:
                found.append(f.trim(column.cast("string")).isin(list(values)))
            elif family == NUMBER:
                found.append(column.isin(universe.numbers(name)))
        return found  # csat writes moments in its own way, and compares them itself


def _tree(processors: int) -> list[int]:
    """How many parts are left each time that the executors merge: as many as processors, then a quarter, …, `FEW`."""
    left = [processors]
    while left[-1] > FEW:
        left.append(max(left[-1] // FEW, FEW))
    return left


def is_spark(data: Any) -> bool:
    """Whether something is a Spark frame, without importing pyspark."""
    kind = type(data)
    return kind.__module__.startswith("pyspark.sql.") and hasattr(data, "mapInArrow")


def frame_of(data: Any) -> Frame:
    """Look at a Spark frame: its columns, and in one pass how many rows it has and whether some may be blank.

    Raises
    ------
    SparkError
        For a frame of Spark Connect, and if Spark cannot run the pass.
    """
    if ".connect" in type(data).__module__:
        raise SparkError.connect()
    name = "Spark frame"
    header = data.columns
    arrays = told(name, lambda: [column.combine_chunks() for column in data.limit(0).toArrow().columns])
    by_name, notes = named(name, header, arrays)
    strange = [column for column, array in by_name.items() if plain(array) is None]
    if strange:
        notes.append(f"left out, neither numbers nor text: {', '.join(strange)}")
    empty = {column: array for column, array in by_name.items() if column not in strange}
    stored = {column.strip(): column for column in header}
    total, filled, days = _counted(data, name, empty, stored)
    families = {column: _family(array) for column, array in empty.items()}
    return Frame(data, name, stored, families, empty, total, filled, days, tuple(notes))


def told(name: str, work: Callable[[], T]) -> T:
    """Do what Spark is asked, with its errors in csat's words."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        return work()
    except (PySparkException, Py4JError) as error:
        raise worded(name, error) from None


def _counted(
    data: Any, name: str, empty: Mapping[str, pa.Array], stored: Mapping[str, str]
) -> tuple[int, bool, dict[str, bool]]:
    """Rows; whether a column of whole numbers is never empty, so that no row is blank; which moments are all days."""
    from pyspark.sql import functions as f

    whole = [column for column, array in empty.items() if pa.types.is_integer(array.type)]
    moments = [column for column, array in empty.items() if pa.types.is_timestamp(array.type)]
    asked = [f.count(f.lit(1)), *(f.count(f.col(_quoted(stored[column]))) for column in whole)]
    for column in moments:
        moment = f.col(_quoted(stored[column]))
        asked.append(f.count_if(f.date_trunc("day", moment) != moment))
    total, *found = told(name, lambda: data.agg(*asked).first())
    days = {column: not count for column, count in zip(moments, found[len(whole) :], strict=True)}
    return total, any(count == total for count in found[: len(whole)]), days


def _family(array: pa.Array) -> str:
    if pa.types.is_timestamp(array.type):
        return MOMENT
    read = plain(array)
    return TEXT if read is None or is_text(read) else NUMBER


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
