"""One text file: its header, its encoding, and its rows in pieces."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from csat.errors import DataError
from csat.questionnaire.decode import encoding_of
from csat.read.layout import check_header, records
from csat.read.raw import named
from csat.read.textfiles import SEPARATORS, SPOKEN, broken_cells, decoded, header_of, open_quote
from csat.read.universe import Universe
from csat.streams.faults import StreamError
from csat.streams.origin import TEXT

#: Bytes at the beginning of a file that tell its encoding, separator and header.
LOOKED_AT = 1 << 20

#: Bytes that are parsed at once: at most, and at least, since a row has to fit; and of a cell, about.
BLOCK, LEAST_BLOCK, CELL = 1 << 22, 1 << 20, 4

#: Bytes in memory per byte of text.
GROWTH = 4


@dataclass(frozen=True, slots=True)
class TextSheet:
    """How a text file is read.

    called : name for messages. header : cells of the first row. separator, encoding : of the file.
    first : row of the header, from 1. places : column → its place in the header.
    """

    path: Path
    called: str
    header: tuple[str, ...]
    separator: str
    encoding: str
    first: int
    places: dict[str, int]
    notes: tuple[str, ...] = ()

    @property
    def families(self) -> dict[str, str]:
        """Every column is text."""
        return dict.fromkeys(self.places, TEXT)

    @property
    def rows(self) -> None:
        """How many rows there are, is known when they have been read."""

    @property
    def size(self) -> int:
        """Bytes of the table in memory, about."""
        return GROWTH * self.path.stat().st_size

    @property
    def filled(self) -> bool:
        """A text file may have blank rows."""
        return False

    def batches(
        self, names: Sequence[str], rows: int, universe: Universe | None
    ) -> Generator[tuple[dict[str, pa.Array], np.ndarray], None, None]:
        """Columns and row numbers, piece by piece."""
        del universe
        read = [name for name in names if name in self.places] or [next(iter(self.places))]
        done = self.first
        try:
            block = min(BLOCK, max(rows * CELL * len(self.header), LEAST_BLOCK))
            for batch in self._reader(read, threads=True, block=block):
                for start in range(0, batch.num_rows, rows):
                    part = batch.slice(start, rows)
                    columns = {name: part.column(str(self.places[name])) for name in read}
                    broken_cells(self.called, columns, self.header, self.separator, done)
                    yield columns, np.arange(part.num_rows) + done + 1
                    done += part.num_rows
        except (pa.ArrowException, OSError, UnicodeError) as error:
            raise self._fault(error, done) from None

    def _reader(self, names: Sequence[str], threads: bool, block: int = BLOCK) -> Generator[pa.RecordBatch, None, None]:
        """Batches of text; a row with another number of cells, and an open quotation mark, end the stream."""
        found: list[tuple[int | None, int]] = []

        def ragged(row: Any) -> str:
            found.append((row.number, row.actual_columns))
            return "skip"

        with _Counted(self.path) as file:
            with self._parser(file, names, ragged, threads, block) as reader:
                for batch in reader:
                    if found:
                        break
                    yield batch
            marks = file.marks
        if found:
            raise self._ragged(*(self._where(names) if threads else found[0]))
        if marks % 2 and not self.encoding.lower().startswith("utf-16"):
            raise open_quote(self.called, self._open_quote() or self.first)

    def _parser(
        self, file: _Counted, names: Sequence[str], ragged: Callable[[Any], str], threads: bool, block: int
    ) -> Any:
        places = [str(place) for place in range(len(self.header))]
        reading = arrow_csv.ReadOptions(
            use_threads=threads, column_names=places, block_size=block, skip_rows=self.first - 1,
            skip_rows_after_names=1,
            encoding="utf8" if self.encoding in ("utf-8", "utf-8-sig") else self.encoding,
        )  # fmt: skip
        parsing = arrow_csv.ParseOptions(
            delimiter=self.separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=ragged
        )
        converting = arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(places, pa.string()),
            strings_can_be_null=False,
            include_columns=[str(self.places[name]) for name in names],
        )
        return arrow_csv.open_csv(pa.PythonFile(file, mode="r"), reading, parsing, converting)

    def _where(self, names: Sequence[str]) -> tuple[int | None, int]:
        """Find the row with another number of cells again, by one thread, which counts rows."""
        try:
            for _ in self._reader(names, threads=False):
                pass
        except _RaggedError as error:
            return error.place
        return None, 0

    def _ragged(self, row: int | None, cells: int) -> DataError:
        return _RaggedError(
            f"{self.called}, row {row}: {cells} cells, but the header has {len(self.header)}. A separator inside an "
            "answer must stand in quotes.",
            (row, cells),
        )

    def _fault(self, error: Exception, done: int) -> DataError:
        """Word what stopped the reader; the usual cause is a quotation mark that is never closed."""
        row = self._open_quote()
        if row is not None:
            return open_quote(self.called, row)
        if "UTF8" in str(error) or isinstance(error, UnicodeError):
            return StreamError(
                f"{self.called}, after row {done}: the text is not {self.encoding}, though it begins so. Name the "
                'encoding, for example read_survey(..., encoding="gb18030"), or save the file again as UTF-8.'
            )
        return StreamError.damaged(self.called, error, done)

    def _open_quote(self) -> int | None:
        """Row in which a quotation mark is opened and not closed."""
        row = self.first
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                for _ in range(self.first):
                    next(file)
                for _ in csv.reader(file, delimiter=self.separator, strict=True):
                    row += 1
        except csv.Error:
            return row + 1
        except UnicodeError:
            return None
        return None


class _Counted(io.FileIO):
    """A file that counts the quotation marks that it hands out: an odd number means that one is never closed."""

    marks = 0

    def read(self, size: int | None = -1) -> bytes:
        """The next bytes."""
        data = super().read(-1 if size is None else size) or b""
        self.marks += data.count(b'"')
        return data


class _RaggedError(DataError):
    """A row with another number of cells than the header; `place` is its number and its cells."""

    def __init__(self, text: str, place: tuple[int | None, int]) -> None:
        super().__init__(text)
        self.place = place


def text_sheet(
    path: Path, called: str, encoding: str | None, header_row: int | None, expected: Collection[str]
) -> TextSheet:
    """Find encoding, separator and header of a file from its beginning.

    Raises
    ------
    DataError
        If it is empty, no text, or its first row is no header.
    """
    with path.open("rb") as file:
        data = file.read(LOOKED_AT)
        start = _whole_lines(data) if file.read(1) else data
    found = encoding or encoding_of(start)
    text = decoded(called, start, found)
    first = header_row or 1
    if header_row is None:
        tables = [records(text, separator) for separator in SEPARATORS]
        check_header(called, max(tables, key=lambda rows: max(map(len, rows), default=0)), 0, expected)
    below = text.split("\n", first - 1)[-1] if text.count("\n") >= first - 1 else ""
    header, separator = header_of(called, below)
    columns, notes = named(called, header, [pa.nulls(0)] * len(header))
    places = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
    how: tuple[str, ...] = (f"encoding {found}", f"separated by {SPOKEN[separator]}")
    how += (f"header in row {header_row}",) if header_row is not None else ()
    return TextSheet(
        path, called, tuple(header), separator, found or "utf-8", first, {name: places[name] for name in columns},
        (*how, *notes),
    )  # fmt: skip


def _whole_lines(data: bytes) -> bytes:
    """The lines that are complete at the beginning of a file; in UTF-16 every character has an even place."""
    wide = {codecs.BOM_UTF16_LE: b"\n\x00", codecs.BOM_UTF16_BE: b"\x00\n"}.get(data[:2])
    if wide is None:
        return data[: data.rfind(b"\n") + 1] or data
    end = data.rfind(wide)
    while end % 2:
        end = data.rfind(wide, 0, end)
    return data[: end + 2]
