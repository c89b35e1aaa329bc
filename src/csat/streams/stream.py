"""`Stream`: a source of answers larger than memory. A figure that follows from sums is one or two passes over it."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat import reduce
from csat.design import Design, Replication
from csat.errors import SampleError
from csat.moments import Groups, Levels, Patterns, RowScores, Variable, columns_of
from csat.moments.guards import as_names, as_variables
from csat.questionnaire import Questionnaire
from csat.read import INSIDE, ROW, Ledger
from csat.read.cells import keys_of
from csat.read.choices import by_number, chosen
from csat.streams.budget import Counted, Sums, counted_cells, sums_of, watched
from csat.streams.faults import RowsError
from csat.streams.reader import Helpers, Marks, Reader
from csat.streams.stages import HELPER, UNIT, Grouped, Joined, sampled_share, second_stage
from csat.streams.summed import Summed

#: What only rows in memory can give.
ROWS_ONLY = ("frame", "scores", "quality", "table", "weight", "n_eff")

#: Different values of a column that are still categories or levels.
MOST_VALUES = 100_000


def values_in(batches: Iterable[pa.RecordBatch], column: str, inside: str | None) -> set[str]:
    """Values that occur in a column of some batches, of the rows that are `inside`.

    Raises
    ------
    SampleError
        If there are more than `MOST_VALUES`.
    """
    found: set[str] = set()
    for batch in batches:
        rows = batch if inside is None else batch.filter(batch.column(inside))
        found.update(keys_of(pc.unique(rows.column(column))).drop_null().to_pylist())
        if len(found) > MOST_VALUES:
            raise SampleError(
                f"{column!r} holds more than {MOST_VALUES:,} different values: it is no column of groups."
            )
    return found


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stream(Summed):
    """Answers that are read anew for every figure, a batch at a time. Build it with `csat.read_survey`.

    Everything that needs only sums takes a stream like a survey; what needs the respondents themselves says so.

    Parameters
    ----------
    reader : passes over the source.
    questionnaire : what was asked; None if it is not known.
    design : columns of weight, stratum, unit ….
    marks : column → codes of the rows inside a domain, see `where`.
    helpers : columns that csat adds.
    """

    reader: Reader
    questionnaire: Questionnaire | None
    design: Design
    marks: Marks = field(default_factory=dict)
    helpers: Helpers = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.reader.roles.columns

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that can be a variable: scaled questions, numbers, weights."""
        return tuple(name for name in self.columns if name in self.reader.roles.floating)

    @property
    def ledger(self) -> Ledger:
        """What became of every row and cell. Columns that no pass has read yet are counted now, in one pass."""
        return self.reader.ledger(self.questionnaire)

    def __len__(self) -> int:
        """Respondents inside the domain; counted in a pass if there is one, else known from any earlier pass."""
        if not self.marks and self.reader.book.rows is not None:
            return self.reader.book.rows[1]
        with closing(self.batches([])) as batches:
            return sum(int(pc.sum(batch.column(INSIDE)).as_py() or 0) if self.marks else batch.num_rows
                       for batch in batches)  # fmt: skip

    def __bool__(self) -> bool:
        return True

    def categories(self, column: str) -> tuple[str, ...]:
        """Categories that occur in a column, in the order of the questionnaire, then of the alphabet; one pass.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        """
        self._known([column])
        return self._ordered(column, self._values(column, inside=True))

    def keys(self, column: str) -> list[str]:
        """Labels that occur in a grouping column, in all rows; one pass."""
        self._known([column])
        return list(self._values(column, inside=False))

    def where(self, /, **equal: Any) -> Stream:
        """Respondents of a domain, with the whole design kept: the others still count in strata and units.

        Parameters
        ----------
        **equal : column = value, or a list of values, by code or by label; see `csat.survey.Survey.where`.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        OptionError
            If a column has no such category.
        """
        self._known(list(equal))
        marks = dict(self.marks)
        for column, wanted in equal.items():
            values = wanted if isinstance(wanted, list | tuple | set) else [wanted]
            found = self.keys(column)
            codes = tuple(chosen(self.questionnaire, column, value, found) for value in values)
            marks[column] = tuple(code for code in codes if code in marks.get(column, codes))
        return replace(self, marks=marks)

    def batches(self, columns: Sequence[str]) -> Generator[pa.RecordBatch, None, None]:
        """Read the rows in batches, those outside a domain too; the end of the stream enters the ledger.

        Parameters
        ----------
        columns : to hand over, besides those of the design and the mark of the domain.

        Yields
        ------
        pyarrow.RecordBatch
            At least one, perhaps without rows.
        """
        wanted = list(dict.fromkeys((*columns, *self.design.columns)))
        self._known([name for name in wanted if not name.startswith(HELPER)])
        kept = [*wanted, *([INSIDE] if self.marks else [])]
        with closing(self.reader.rows(wanted, self.marks, self._used)) as rows:
            for batch in rows:
                yield batch.select([*kept, *([] if kept else [ROW])])

    def patterns(self, names: Sequence[Variable], by: Sequence[str] = ()) -> Patterns:
        """Weighted moments per domain and pattern of answered variables; see `csat.moments.Patterns`."""
        names, by = as_variables(names), as_names(by)
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        middle = np.array([self._midpoint(name) for name in names], float)
        found = self._patterned(names, [*columns, *by], middle, tuple(by))
        return found.arranged(self._orders(by, found.domains))

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Weighted and unweighted counts of answers per domain; see `csat.moments.Levels`.

        The levels of a question come from its scale; those of another column take a pass of their own.
        """
        names, by = as_names(names, "names"), as_names(by)
        self._known([*names, *(name for name in by if name not in self._used)])
        values = [self._levels_of(name) for name in names]
        counted = self._counted(list(names), values, tuple(by))
        return counted.arranged(self._orders(by, counted.domains))

    def replicated(self, replication: Replication) -> Stream:
        """The same respondents under replicate weights that csat makes from the design, whatever it declared before.

        Without declared units, random groups of rows in each stratum are drawn; a respondent's group follows from the
        identifier, or from file and row, so that it is the same in every pass (Wolter 2007, Introduction to Variance
        Estimation, ch. 2).

        Parameters
        ----------
        replication : kind, number and seed of the replicates.

        Raises
        ------
        SampleError
            For a database without units and without a column of kind "id": its rows have no fixed places.
        """
        design = replace(self.design, replicates=(), replication=replication, calibration=None, ssu=None, fpc2=None)
        if design.psu is not None:
            return replace(self, design=design)
        identity = self.reader.roles.asked.column_of_kind("id")
        if identity is None and not self.reader.origin.ordered:
            raise SampleError(
                f"Replicates of {self.reader.origin.name} need something that names each respondent: rows of a "
                "database have no fixed places. Declare sampling units, Design(psu=…), or a column of kind 'id' in the "
                "study."
            )
        grouped = Grouped((identity,) if identity is not None else (ROW,), replication.seed)
        return replace(self, helpers={**self.helpers, UNIT: grouped}, design=replace(design, psu=UNIT, fpc=None))

    def undesigned(self) -> Stream:
        """The same respondents and weights without strata, units and replicates: for sums that need no variance."""
        return replace(self, design=Design(weight=self.design.weight))

    def collected(self) -> pa.Table:
        """All rows in memory, as the table of a survey."""
        kinds = self.reader.roles.kinds
        plain = [(name, pa.float64() if name in self.numbers else pa.string()) for name in kinds]
        schema = pa.schema([*plain, (ROW, pa.int64())])
        batches = [batch.select([*self.columns, ROW]).cast(schema) for batch in self.reader.rows(self.columns)]
        return pa.Table.from_batches(batches).combine_chunks()

    def _groups(
        self, names: Sequence[Variable], by: Sequence[str], rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:  # fmt: skip
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        self._check_replication()
        self._check_sums(sums_of(names, by, rule, self.design, scores))
        middle = np.array([self._midpoint(name) for name in names], float)
        summed = self._reduced(names, [*columns, *by], middle, tuple(by), rule, scores)
        if self.design.fpc2 is not None:
            needs = tuple(name for name in (self.design.stratum, self.design.psu) if name is not None)
            inner = replace(self, helpers={**self.helpers, UNIT: Joined(needs)}, design=second_stage(self.design))
            within = inner._reduced(names, [*columns, *by], middle, tuple(by), rule, scores)
            summed = replace(summed, second=replace(within, share=sampled_share(summed, within)))
        return replace(summed.arranged(self._orders(by, summed.domains)), questionnaire=self.questionnaire)

    def totals(
        self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available"
    ) -> tuple[Groups, Groups]:
        """Totals per (domain, stratum, unit), and moments of the domains; see `csat.variance.lean.TotalSource`."""
        columns = [column for name in names for column in columns_of(name)]
        self._known([*columns, *by])
        self._check_sums(sums_of(names, by, rule, self.design, totals=True))
        middle = np.array([self._midpoint(name) for name in names], float)
        found = self._totalled(names, [*columns, *by], middle, tuple(by), rule)
        cells, whole = (part.arranged(self._orders(by, part.domains)) for part in found)
        return replace(cells, questionnaire=self.questionnaire), whole

    def _totalled(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...], rule: str
    ) -> tuple[Groups, Groups]:
        sums = sums_of(names, by, rule, self.design, totals=True)
        with closing(self.batches(columns)) as batches:
            return reduce.totals(
                self._watched(batches, sums), list(names), middle, by=by, rule=rule, design=self.design,
                inside=self._mark,
            )  # fmt: skip

    def _reduced(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...], rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:  # fmt: skip
        sums = sums_of(names, by, rule, self.design, scores)
        with closing(self.batches(columns)) as batches:
            return reduce.groups(
                self._watched(batches, sums), list(names), middle, by=by, rule=rule, design=self.design,
                inside=self._mark, scores=scores,
            )  # fmt: skip

    def _patterned(
        self, names: Sequence[Variable], columns: Sequence[str], middle: np.ndarray, by: tuple[str, ...]
    ) -> Patterns:
        with closing(self.batches(columns)) as batches:
            return reduce.patterns(batches, names, middle, by=by, design=self.design, inside=self._mark)

    def _counted(self, names: list[str], values: Sequence[Sequence[Any]], by: tuple[str, ...]) -> Levels:
        with closing(self.batches([*names, *by])) as batches:
            return reduce.levels(batches, names, values, by=by, design=self.design, inside=self._mark)

    def _check_sums(self, sums: Sums) -> None:
        """Refuse sums that would not fit, before the pass; text, whose rows are not known, is watched in the pass."""
        rows = self.reader.origin.total
        asked = self.questionnaire
        labels = {} if asked is None else {column.code: len(column.labels) for column in asked.columns if column.labels}
        if rows is not None and not sums.surely_fit(rows, labels):
            sums.fit(self._cells(sums), rows)

    def _cells(self, sums: Sums) -> Counted:
        """Cells that occur; a pass over their columns unless one has counted them before."""
        key = (sums.columns, sums.by, tuple(sorted(self.marks.items())))
        if key not in self.reader.book.cells_found:
            self.reader.book.cells_found[key] = self._counted_cells(sums)
        return self.reader.book.cells_found[key]

    def _counted_cells(self, sums: Sums) -> Counted:
        with closing(self.batches(sums.by)) as batches:
            return counted_cells(batches, sums, self._mark)

    def _watched(
        self, batches: Generator[pa.RecordBatch, None, None], sums: Sums
    ) -> Generator[pa.RecordBatch, None, None]:
        return batches if self.reader.origin.total is not None else watched(batches, sums, self._mark)

    def _check_replication(self) -> None:
        design = self.design
        if design.replication is not None and not design.replicates and design.psu is None:
            raise SampleError(
                f"{self.reader.origin.name}: replicate weights of single respondents need all rows at once. Declare "
                "sampling units, Design(psu=…), name given replicate weights, Design(replicates=…), or leave "
                "replication out and ask the method for a bootstrap, which draws random groups of respondents."
            )

    def _values(self, column: str, *, inside: bool) -> tuple[str, ...]:
        """Values that occur in a column; a pass unless one has found them before."""
        stream = self if inside else replace(self, marks={})
        key = (column, tuple(sorted(stream.marks.items())))
        if key not in self.reader.book.answers:
            self.reader.book.answers[key] = tuple(sorted(stream._occurring(column), key=by_number))
        return self.reader.book.answers[key]

    def _occurring(self, column: str) -> set[str]:
        with closing(self.batches([column])) as batches:
            return values_in(batches, column, self._mark)

    def _levels_of(self, name: str) -> tuple[Any, ...]:
        asked = self.questionnaire
        if asked is not None and name in asked.codes and asked.scale_of(name).levels:
            return asked.scale_of(name).levels
        values = self._values(name, inside=False)
        return tuple(sorted(map(float, values))) if name in self.numbers else self._ordered(name, values)

    def _ordered(self, column: str, found: Sequence[str]) -> tuple[str, ...]:
        described = None if self.questionnaire is None else self.questionnaire.column(column)
        first = [code for code in described.labels if code in found] if described is not None else []
        return (*first, *sorted(set(found) - set(first), key=by_number))

    def _orders(self, by: Sequence[str], domains: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Order of the labels of each grouping column, those that occur."""
        return [self._ordered(name, [labels[place] for labels in domains]) for place, name in enumerate(by)]

    def _middle(self, name: str) -> float:
        """A number near the middle of a column that is no scaled question."""
        if name not in self.reader.roles.floating:
            raise SampleError.categories(name, self.categories(name))
        return self.reader.book.middles.get(name, 0.0)

    @property
    def _used(self) -> Helpers:
        """Helper columns that the design names."""
        return {name: helper for name, helper in self.helpers.items() if name in self.design.columns}

    @property
    def _mark(self) -> str | None:
        return INSIDE if self.marks else None

    def __getattr__(self, name: str) -> Any:
        if name in ROWS_ONLY:
            raise RowsError.asked(name, self.reader.origin.name)
        raise AttributeError(f"A Stream has no {name!r}.")

    def __repr__(self) -> str:
        total = self.reader.origin.total
        facts = {
            "source": self.reader.origin.name,
            "rows": "known after a pass" if total is None else f"{total:,}",
            "memory": f"{self.reader.settings.memory >> 20} MB for batches",
            "columns": f"{', '.join(self.columns[:8])}{' …' if len(self.columns) > 8 else ''} ({len(self.columns)})",
        }
        if self.reader.settings.universe is not None:
            facts["only"] = str(self.reader.settings.universe)
        if self.marks:
            facts["where"] = ", ".join(f"{name} = {' or '.join(codes)}" for name, codes in self.marks.items())
        return "\n".join(["Stream (no rows in memory)", *(f"  {name}: {fact}" for name, fact in facts.items())])
