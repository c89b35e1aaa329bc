"""What the sums of a source will take: cells are counted before its rows are summed, in a pass over few columns."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.moments import RowScores
from csat.moments.guards import MOST_BYTES, Budget, budget
from csat.moments.running import Numbers
from csat.read.cells import keys_of, places_in
from csat.reduce.rows import combine

#: Labels of a column beyond which counting stops.
MOST_LABELS = 2_000_000
#: How many codes fit beside a place into one 64-bit number.
CODES = 2**32


@dataclass(frozen=True, slots=True)
class Counted:
    """Different values of the grouping columns, groups, units, and cells (group, stratum, unit) that occur."""

    groups: Mapping[str, int]
    domains: int
    units: int
    cells: int


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums that are asked for; see `csat.moments.guards.budget`."""

    variables: int
    by: tuple[str, ...]
    rule: str
    design: Design
    scores: int = 0
    totals: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that make the cells."""
        design = self.design
        return tuple(dict.fromkeys(name for name in (*self.by, design.stratum, design.psu) if name is not None))

    def fit(self, found: Counted, rows: int | None) -> Budget:
        """What they take; refused if it is too much, or groups are respondents.

        Raises
        ------
        SampleError
            See `csat.moments.guards.budget`.
        """
        return self._budget(found, rows, MOST_BYTES)

    def surely_fit(self, rows: int | None, labels: Mapping[str, int]) -> bool:
        """Whether they fit whatever the rows say: few rows, or groups whose number the study knows."""
        bounds = [] if rows is None else [rows]
        if all(name in labels for name in self.columns):
            # every column may be empty in some rows
            bounds.append(math.prod(labels[name] + 1 for name in self.columns))
        most = min(bounds, default=None)
        if most is None:
            return False
        return self._budget(Counted({}, most, 0, most), None, 2**63).bytes <= MOST_BYTES

    def _budget(self, found: Counted, rows: int | None, allowed: int) -> Budget:
        return budget(
            self.variables, found.cells, rule=self.rule, groups=found.groups, domains=found.domains, units=found.units,
            rows=rows, scores=self.scores, replicates=len(self.design.replicates), totals=self.totals, allowed=allowed,
        )  # fmt: skip


def sums_of(
    names: Sequence[object], by: Sequence[str], rule: str, design: Design,
    scores: Mapping[tuple[str, ...], RowScores] | None = None, *, totals: bool = False,
) -> Sums:  # fmt: skip
    """The sums that a call asks for."""
    size = next(iter(scores.values())).size if scores else 0
    return Sums(len(names), tuple(by), rule, design, size, totals)


class CellCounter:
    """Counts the cells of batches."""

    def __init__(self, sums: Sums, inside: str | None) -> None:
        self.sums, self.inside = sums, inside
        self.known: dict[str, dict[str, int]] = {name: {} for name in sums.columns}
        self.cells = np.zeros((0, len(sums.columns)), int)
        self._places = [Numbers() for _ in sums.columns]

    def add(self, batch: pa.RecordBatch) -> bool:
        """Count a batch; False when there are so many labels that counting on would take too much memory."""
        rows = batch if self.inside is None else batch.filter(batch.column(self.inside))
        if self.known and rows.num_rows:
            distinct, _ = combine([self._codes(rows.column(name), words) for name, words in self.known.items()])
            self._add_cells(distinct)
        return all(len(words) <= MOST_LABELS for words in self.known.values())

    def result(self) -> Counted:
        """What was counted so far; a row without a group belongs to no cell."""
        by, columns = self.sums.by, list(self.known)
        cells = self.cells[(self.cells[:, [columns.index(name) for name in by]] >= 0).all(axis=1)]
        domains = np.unique(cells[:, [columns.index(name) for name in by]], axis=0) if by else np.zeros((1, 0))
        units = self.sums.design.psu
        return Counted(
            {name: len(self.known[name]) for name in by},
            len(domains),
            0 if units is None else len(self.known[units]),
            max(len(cells), 1),
        )

    def _add_cells(self, cells: np.ndarray) -> None:
        """Add different cells (m, columns), those that are new; found by place after place, not by sorting all."""
        place = np.zeros(len(cells), np.int64)
        for codes, numbers in zip(cells.T, self._places, strict=True):
            place = numbers.of(place * CODES + codes + 1)
        new = np.flatnonzero(place >= len(self.cells))
        self.cells = np.concatenate([self.cells, cells[new[np.argsort(place[new])]]])

    @staticmethod
    def _codes(column: pa.Array, words: dict[str, int]) -> np.ndarray:
        encoded = column.dictionary_encode()
        labels = keys_of(encoded.dictionary).to_pylist()
        codes = [-1 if label is None else words.setdefault(label, len(words)) for label in labels]
        return np.array([*codes, -1], int)[places_in(encoded)]


def counted_cells(batches: Generator[pa.RecordBatch, None, None], sums: Sums, inside: str | None) -> Counted:
    """The cells of a source."""
    counter = CellCounter(sums, inside)
    for batch in batches:
        if not counter.add(batch):
            break
    return counter.result()


def watched(
    batches: Generator[pa.RecordBatch, None, None], sums: Sums, inside: str | None
) -> Generator[pa.RecordBatch, None, None]:
    """The same batches, each counted before it is summed: for text, where a pass of its own would take as long."""
    counter = CellCounter(sums, inside)
    seen = 0
    for batch in batches:
        before = len(counter.cells)
        counter.add(batch)
        seen += batch.num_rows
        if len(counter.cells) > before:
            sums.fit(counter.result(), None)
        yield batch
