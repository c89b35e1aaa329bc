"""`Reader`: passes over a source. Pieces are cleaned, accounted for and handed on; what a pass finds is kept."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.questionnaire import Questionnaire
from csat.read import INSIDE, ROW, Ledger
from csat.read.batch import Part, Roles, clean_batch, not_asked
from csat.read.cells import TEXT, keys_of, places_in
from csat.read.raw import Raw
from csat.read.universe import Universe
from csat.streams.book import Book, Findings
from csat.streams.memory import rows_for, width_of
from csat.streams.origin import Origin
from csat.streams.passes import in_order
from csat.streams.progress import Tick, shown
from csat.streams.repeats import places_of_repeats
from csat.streams.stages import HELPER, Helper

#: Column → codes of the rows inside a domain; helper column → how it is made.
Marks = Mapping[str, tuple[str, ...]]
Helpers = Mapping[str, Helper]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a source is read in passes.

    universe : rows that are read at all; None: every row.
    on_unknown : "raise" or "missing", see `csat.read_survey`.
    memory : bytes that batches under way may take.
    threads : that clean batches.
    progress : bar, or what to call after each batch.
    """

    universe: Universe | None
    on_unknown: str
    memory: int
    threads: int
    progress: bool | Tick = False


@dataclass(frozen=True, slots=True)
class Dress:
    """Columns that are added to clean rows: helpers, and the mark of a domain."""

    marks: Marks
    helpers: Helpers

    @property
    def needs(self) -> list[str]:
        """Columns that they are made of."""
        return [*self.marks, *(column for helper in self.helpers.values() for column in helper.needs)]

    def __call__(self, rows: pa.RecordBatch, source: str) -> pa.RecordBatch:
        """Add the columns; `source` names the file within a folder, and is empty for a single file."""
        for name, helper in self.helpers.items():
            rows = rows.append_column(name, helper(rows, source))
        if not self.marks:
            return rows
        mark = np.logical_and.reduce([_among(rows.column(name), codes) for name, codes in self.marks.items()])
        return rows.append_column(INSIDE, pa.array(mark))


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads a source as often as asked, under a memory bound.

    origin : files, folder or query. roles : what every column is. book : what passes have found.
    """

    origin: Origin
    roles: Roles
    settings: Settings
    book: Book = field(default_factory=Book)

    def rows(
        self, names: Sequence[str], marks: Marks | None = None, helpers: Helpers | None = None
    ) -> Generator[pa.RecordBatch, None, None]:
        """One pass: batches of kept rows with the columns asked for, those of the design, helpers, marks and `ROW`.

        Parameters
        ----------
        names : columns of the survey.
        marks : of a domain; adds `INSIDE`.
        helpers : columns to make.

        Raises
        ------
        DataError
            At the end of the pass, for answers that the study does not know; for a part that cannot be read, at once.
        """
        self._find_repeated()
        dress = Dress(marks or {}, helpers or {})
        asked = dict.fromkeys((*names, *self.roles.design.columns, *dress.needs))
        wanted = [name for name in asked if name not in (ROW, INSIDE) and not name.startswith(HELPER)]
        found = Findings()
        with closing(self._parts(wanted, self.book.repeated, dress)) as parts:
            for part in parts:
                found.add(part)
                yield part.rows
        if found.ledger is None and self.settings.universe is not None:
            raise self.settings.universe.nobody(self.origin.name)
        self.book.close(found, self.roles, self.settings.on_unknown)

    def ledger(self, questionnaire: Questionnaire | None) -> Ledger:
        """The ledger of the whole source; columns that no pass has read yet are counted now, in one pass."""
        book, roles, universe = self.book, self.roles, self.settings.universe
        left = [name for name in roles.columns if name not in book.cells and name not in roles.design.columns]
        if left or book.rows is None:
            self.read_through(left)
        notes = (*self.origin.notes, *roles.notes, *([f"only rows with {universe}"] if universe else []))
        return book.ledger(roles, notes, questionnaire)

    def read_through(self, names: Sequence[str]) -> None:
        """A pass that does nothing but enter into the book what it finds in some columns."""
        for _ in self.rows(names):
            pass

    def _parts(
        self, wanted: Sequence[str], repeated: np.ndarray | None, dress: Dress, *, places: bool = False
    ) -> Generator[Part, None, None]:
        """Clean the pieces of the source in several threads, and say how far it is.

        With `places`, rows are numbered through the whole source.
        """
        table = self.roles.in_table
        universe = self.settings.universe
        read = [table[name] for name in wanted if name in table]
        if not self.roles.filled:
            read = list(dict.fromkeys((*read, *self.roles.names)))
        read = list(dict.fromkeys((*read, *(universe.wanted if universe is not None else ()))))
        threads = self.settings.threads
        width = width_of((self._kind(name) for name in read), self.origin.typed)
        rows = rows_for(self.settings.memory, width, threads)

        def work(piece: tuple[Raw, int]) -> tuple[Part | None, int]:
            raw, start = piece
            size = len(raw.rows)
            raw = replace(raw, rows=np.arange(start, start + size)) if places else raw
            rows, again = within(raw, universe, self.roles.days, _slice(repeated, start, size))
            part = self._cleaned(rows, again, wanted) if len(rows.rows) else None
            file = "" if raw.source == self.roles.source else raw.source
            part = part if part is None else replace(part, rows=dress(part.rows, file))
            return part, start + size

        pieces = _placed(self.origin.pieces(read, rows, universe))
        with shown(self.settings.progress) as tick, closing(in_order(pieces, work, threads)) as done:
            for part, so_far in done:
                tick(so_far, self.origin.total)
                if part is not None:
                    yield part

    def _kind(self, column: str) -> pa.DataType:
        """Type of the clean values of a column of the source."""
        return self.roles.kinds.get(self.roles.names.get(column, column), TEXT)

    def _cleaned(self, raw: Raw, repeated: np.ndarray | None, wanted: Sequence[str]) -> Part:
        part = clean_batch(raw, self.roles, repeated, wanted)
        return not_asked(part, [name for name in wanted if name not in part.rows.schema.names], self.roles)

    def _find_repeated(self) -> None:
        """Find the rows that repeat an interview, once; only where the study has a column of kind "id"."""
        if self.book.repeated is not None:
            return
        identity = self.roles.asked.column_of_kind("id")
        column = None if identity is None else self.roles.in_table.get(identity)
        if identity is None or column is None:
            self.book.repeated = np.zeros(0, np.int64)
        else:
            universe = self.settings.universe
            self.book.repeated = places_of_repeats(self.origin, column, lambda: self._identified(identity), universe)

    def _identified(self, identity: str) -> Generator[tuple[pa.Array, np.ndarray], None, None]:
        """Identifiers of the usable rows, and the places of these rows in the source; a pass."""
        wanted = list(dict.fromkeys((identity, *self.roles.design.columns)))
        with closing(self._parts(wanted, np.zeros(0, np.int64), Dress({}, {}), places=True)) as parts:
            for part in parts:
                rows = part.rows.filter(part.rows.column(identity).is_valid())
                yield rows.column(identity), rows.column(ROW).to_numpy()


def _among(column: pa.Array, codes: Sequence[str]) -> np.ndarray:
    """Mark the rows (n,) whose group is one of these; each group is looked at once."""
    encoded = column.dictionary_encode()
    known = pc.is_in(keys_of(encoded.dictionary), pa.array(codes, pa.string())).to_numpy(zero_copy_only=False)
    return np.append(known, False)[places_in(encoded)]


def _placed(pieces: Generator[Raw, None, None]) -> Generator[tuple[Raw, int], None, None]:
    """Each piece with the place of its first row in the whole source."""
    start = 0
    with closing(pieces):
        for raw in pieces:
            yield raw, start
            start += len(raw.rows)


def _slice(repeated: np.ndarray | None, start: int, size: int) -> np.ndarray | None:
    """Mark (size,) the rows from `start` on that repeat an interview."""
    if repeated is None:
        return None
    marks = np.zeros(size, bool)
    low, high = np.searchsorted(repeated, [start, start + size])
    marks[repeated[low:high] - start] = True
    return marks


def within(
    raw: Raw, universe: Universe | None, days: Mapping[str, bool], repeated: np.ndarray | None
) -> tuple[Raw, np.ndarray | None]:
    """The rows of the universe."""
    if universe is None:
        return raw, repeated
    kept = universe.inside_of(raw, days)
    if kept.all():
        return raw, repeated
    columns = {name: column.filter(pa.array(kept)) for name, column in raw.columns.items()}
    return replace(raw, columns=columns, rows=raw.rows[kept]), None if repeated is None else repeated[kept]
