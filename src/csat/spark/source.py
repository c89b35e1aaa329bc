"""`SparkSource`: a survey in a Spark frame. Executors clean and sum their rows; the driver adds sums."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.errors import DataError, OptionError
from csat.moments import Groups, Levels, Patterns, RowScores, Variable, check_grouped
from csat.questionnaire import Questionnaire
from csat.read import INSIDE, ROW
from csat.read.batch import roles_of
from csat.read.universe import Universe
from csat.spark.faults import SparkError
from csat.spark.frame import Frame, frame_of
from csat.spark.ship import ship
from csat.spark.tasks import Counting, Finding, Looking, Patterning, Summing, Task, Totalling
from csat.spark.work import COLUMNS, Work
from csat.streams import RowsError, Stream
from csat.streams.budget import Counted, Sums
from csat.streams.reader import Dress, Helpers, Marks, Reader, Settings
from csat.streams.stages import HELPER, RANDOM_GROUPS
from csat.streams.stream import ROWS_ONLY


@dataclass(frozen=True, slots=True, eq=False)
class SparkReader(Reader):
    """Has the executors sum; no row comes here."""

    @property
    def frame(self) -> Frame:
        """The source."""
        if not isinstance(self.origin, Frame):
            raise OptionError("A SparkReader reads a Spark frame.")
        return self.origin

    def rows(
        self, names: Sequence[str], marks: Marks | None = None, helpers: Helpers | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        """Rows stay where they are; `RowsError`."""
        del marks, helpers
        raise no_rows(", ".join(names) or "rows")

    def read_through(self, names: Sequence[str]) -> None:
        """A job that only counts what is in some columns."""
        self.run(Looking(None), names)

    def run(self, task: Task, names: Sequence[str], marks: Marks | None = None, helpers: Helpers | None = None) -> Any:
        """One job: the sums of all rows, and the ledger with what becomes of rows and cells.

        Parameters
        ----------
        task : what to sum.
        names : columns of the survey that it needs, besides those of the design.
        marks, helpers : as in `Reader.rows`.

        Raises
        ------
        DataError
            For answers that the study does not know, and whatever a worker could not read.
        MissingDependencyError
            If a worker lacks a package.
        """
        self._check_repeated()
        roles, universe = self.roles, self.settings.universe
        dress = Dress(marks or {}, helpers or {})
        asked = dict.fromkeys((*names, *roles.design.columns, *dress.needs))
        wanted = tuple(name for name in asked if name not in (ROW, INSIDE) and not name.startswith(HELPER))
        table = roles.in_table
        read = [table[name] for name in wanted if name in table]
        if not roles.filled:
            read += roles.names
        read += universe.wanted if universe is not None else ()
        work = Work(self.frame.name, replace(roles, known={}), universe, wanted, dress, task)
        ship(self.frame.frame.sparkSession.sparkContext)
        total, found = work.joined(self.frame.parts(list(dict.fromkeys(read)), universe, work, COLUMNS))
        if found.ledger is None and universe is not None:
            raise universe.nobody(self.frame.name)
        self.book.close(found, roles, self.settings.on_unknown)
        return total

    def middle(self, name: str) -> None:
        """Find a number near the middle of a plain number, once."""
        column = self.roles.in_table.get(name)
        if column is not None and name not in self.book.middles:
            self.book.middles[name] = self.frame.middle(column)

    def _check_repeated(self) -> None:
        """Refuse interviews that occur twice, once; only where the study has a column of kind "id"."""
        if self.book.repeated is not None:
            return
        identity = self.roles.asked.column_of_kind("id")
        column = None if identity is None else self.roles.in_table.get(identity)
        found = [] if column is None else self.frame.repeated(column, self.settings.universe)
        if column is not None and found:
            raise SparkError.repeated(self.frame.name, column, found)
        self.book.repeated = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SparkSource(Stream):
    """Answers in a Spark frame. Build it with `csat.read_survey(frame)`.

    Everything that needs only sums takes it like a survey: each figure is one job or two, and the rows stay with the
    executors. What needs the respondents themselves says so.
    """

    @property
    def cluster(self) -> SparkReader:
        """Runs the jobs."""
        if not isinstance(self.reader, SparkReader):
            raise OptionError("A SparkSource needs a SparkReader.")
        return self.reader

    def __len__(self) -> int:
        """Respondents inside the domain; counted in a job if there is one, else known from any earlier job."""
        if not self.marks and self.reader.book.rows is not None:
            return self.reader.book.rows[1]
        return int(self._run(Looking(self._mark), []) or 0)

    def batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        """Rows stay with the executors; `RowsError`."""
        raise no_rows(", ".join(columns) or "rows")

    def collected(self) -> NoReturn:
        """Rows stay with the executors; `RowsError`."""
        raise no_rows("a table")

    def _run(self, task: Task, columns: Sequence[str]) -> Any:
        wanted = list(dict.fromkeys((*columns, *self.design.columns)))
        self._known([name for name in wanted if not name.startswith(HELPER)])
        return self.cluster.run(task, wanted, self.marks, self._used)

    def _reduced(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...], rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:  # fmt: skip
        found: Groups = self._run(Summing(names, middle, by, rule, self.design, self._mark, scores), columns)
        check_grouped(by, found.domains, found.ungrouped)
        return found

    def _totalled(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...], rule: str
    ) -> tuple[Groups, Groups]:
        task = Totalling(names, middle, by, rule, self.design, self._mark)
        found: tuple[Groups, Groups] = self._run(task, columns)
        check_grouped(by, found[0].domains, found[0].ungrouped)
        return found

    def _patterned(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...]
    ) -> Patterns:
        found: Patterns = self._run(Patterning(names, middle, by, self.design, self._mark), columns)
        check_grouped(by, found.domains, found.ungrouped)
        return found

    def _counted(self, names: list[str], values: Sequence[Sequence[Any]], by: tuple[str, ...]) -> Levels:
        listed = tuple(tuple(levels) for levels in values)
        task = Counting(tuple(names), listed, by, self.design, self._mark)
        counts, ungrouped = self._run(task, [*names, *by])
        check_grouped(by, counts.domains, ungrouped)
        found: Levels = counts
        return found

    def _counted_cells(self, sums: Sums) -> Counted:
        """Cells of all rows, at most: those with an empty stratum are counted once more."""
        table = self.reader.roles.in_table
        columns = {name: table[name] for name in sums.columns if name in table}
        if not columns:
            return Counted({}, 1, RANDOM_GROUPS, RANDOM_GROUPS)
        by = [columns[name] for name in sums.by]
        universe = self.reader.settings.universe
        sets = [*([name] for name in columns.values()), list(columns.values()), *([by] if by else [])]
        *each, cells, domains = self.cluster.frame.distinct(sets if by else [*sets, sets[0]], universe)
        found = dict(zip(columns, each, strict=True))
        drawn = RANDOM_GROUPS if len(columns) < len(sums.columns) else 1
        units = 0 if sums.design.psu is None else found.get(sums.design.psu, drawn)
        groups = {name: found[name] for name in sums.by}
        return Counted(groups, domains if by else 1, units, max(cells * drawn, 1))

    def _occurring(self, column: str) -> set[str]:
        found: set[str] = self._run(Finding(column, self._mark), [column])
        return found

    def _middle(self, name: str) -> float:
        if name in self.reader.roles.floating:
            self.cluster.middle(name)
        return Stream._middle(self, name)

    def __getattr__(self, name: str) -> Any:
        if name in ROWS_ONLY:
            raise no_rows(name)
        raise AttributeError(f"A SparkSource has no {name!r}.")

    def __repr__(self) -> str:
        return Stream.__repr__(self).replace("Stream (no rows in memory)", "SparkSource (rows stay with the executors)")


def opened_spark(
    data: Any,
    questionnaire: Questionnaire | None,
    design: Design | None,
    *,
    on_unknown: str,
    on_absent: str,
    universe: Universe | None,
) -> SparkSource:
    """Settle what every column of a Spark frame is, from names and types; one job counts rows.

    Parameters
    ----------
    data : `pyspark.sql.DataFrame`.
    questionnaire, design, on_unknown, on_absent : see `csat.read_survey`.
    universe : rows that are read at all; None: all.

    Raises
    ------
    DataError
        If columns are absent, or Spark cannot count the rows.
    """
    asked = Questionnaire(name="") if questionnaire is None else questionnaire
    design = asked.design if design is None else design
    origin = frame_of(data)
    for name in origin.columns:
        if name in (ROW, INSIDE) or name.startswith(HELPER):
            raise DataError(f"{origin.name}: the column name {name!r} is reserved; rename the column.")
    if universe is not None:
        universe.check(tuple(origin.columns))
    if not origin.total:
        raise DataError.no_rows(origin.name)
    roles = roles_of(origin.head(), asked, design, on_absent=on_absent, filled=origin.filled)
    roles = replace(roles, days=dict(origin.days))
    reader = SparkReader(origin, roles, Settings(universe, on_unknown, 0, 1))
    return SparkSource(reader, questionnaire, design)


def no_rows(what: str) -> RowsError:
    """Word a request for rows."""
    return RowsError(
        f"{what!r} needs the respondents' rows, and those of a Spark frame stay with the executors. Choose the part "
        "that you need in Spark and hand it over as a table: csat.read_survey(frame.where(…).toArrow(), …)."
    )
