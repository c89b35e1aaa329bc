"""Text files: encoding and separator are found out, every cell is read as text."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from csat.errors import DataError
from csat.questionnaire.decode import bytes_of, encoding_of
from csat.read.faults import TableError
from csat.read.layout import below, check_header, records
from csat.read.raw import Raw, named

#: Separators that are tried.
SEPARATORS = (",", ";", "\t")

#: Characters within which the first row must end.
HEADER_SIZE = 1 << 20

#: A table of fewer columns is too like prose for its rows to be known inside a cell.
_NARROWEST = 3

#: Separators in words.
SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_text(
    path: Path, encoding: str | None = None, header_row: int | None = None, expected: Collection[str] = ()
) -> Raw:
    """Read a .csv, .tsv or .txt file.

    Parameters
    ----------
    path : of the file.
    encoding : None finds out: UTF-8 (with or without mark), UTF-16 with mark, GB18030.
    header_row : row that names the columns, from 1; None takes the first.
    expected : names that the header may hold, folded.

    Raises
    ------
    DataError
        If it is empty, no text, in another encoding, or rows have different numbers of cells.
    """
    data = bytes_of(path)
    found = encoding or encoding_of(data)
    text = decoded(path.name, data, found)
    if header_row is None:
        tables = [records(text, separator) for separator in SEPARATORS]
        check_header(path.name, max(tables, key=lambda rows: max(map(len, rows), default=0)), 0, expected)
    else:
        text = below(path.name, text, header_row)
    first = header_row or 1
    header, separator = header_of(path.name, text)
    _check_quotes(path, text, separator, first)
    columns = _cells(path, text, header, separator, first)
    size = len(columns[0])
    by_name, notes = named(path.name, header, columns)
    # without a quotation mark no cell can hold a line break
    broken = broken_cells(path.name, by_name, header, separator, first) if '"' in text else []
    where = [f"header in row {header_row}"] if header_row is not None else []
    how = (f"encoding {found}", f"separated by {SPOKEN[separator]}", *where, *notes, *broken)
    return Raw(path.name, by_name, np.arange(size) + first + 1, False, how)


def decoded(source: str, data: bytes, encoding: str | None) -> str:
    """Text of the bytes of a file; `DataError` if they are none, or empty."""
    if data.startswith(b"PK\x03\x04"):
        raise DataError(f"{source}: this is no text but an Excel workbook or archive; rename it to .xlsx.")
    if encoding is None:
        raise DataError(
            f"{source}: the text is neither UTF-8, UTF-16 nor GB18030. Name its encoding, for example "
            'read_survey(..., encoding="latin-1"), or save it again as UTF-8.'
        )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{source}: byte {error.start} is not {encoding}; leave `encoding` out to have it found out."
        ) from None
    except (LookupError, ValueError):
        raise DataError(f"{source}: encoding={encoding!r} is not known; try 'utf-8', 'gb18030' or 'latin-1'.") from None
    if "\x00" in text:
        raise DataError(
            f"{source}: holds null characters; it is no text, or UTF-16 without a mark (encoding='utf-16-le')."
        )
    if not text.strip():
        raise DataError(f"{source}: the file is empty.")
    return text.removeprefix("\ufeff")


def header_of(source: str, text: str) -> tuple[list[str], str]:
    """Read the names in the first row, and the separator that splits it into most of them."""
    if not text.partition("\n")[0].strip():
        raise DataError(
            f"{source}: the first row is blank; it must hold the names of the columns. If they stand lower, pass "
            "header_row=, in the shell --header-row."
        )
    try:
        rows = {
            candidate: next(csv.reader(io.StringIO(text[:HEADER_SIZE], newline=""), delimiter=candidate))
            for candidate in SEPARATORS
        }
    except csv.Error:
        raise open_quote(source, 1) from None
    separator = max(SEPARATORS, key=lambda candidate: len(rows[candidate]))
    return rows[separator], separator


def _check_quotes(path: Path, text: str, separator: str, first: int) -> None:
    """Refuse a quotation mark that is never closed: it would swallow the rows that follow."""
    if text.count('"') % 2 == 0:
        return
    row = first
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            row += 1
    except csv.Error:
        raise open_quote(path.name, row) from None


def open_quote(source: str, row: int) -> DataError:
    """Word a quotation mark that is never closed."""
    return DataError(f"{source}, row {row}: a quotation mark is opened but not closed; it swallows what follows.")


def _cells(path: Path, text: str, header: list[str], separator: str, first: int) -> list[pa.Array]:
    """Read one text column per name of the header."""
    ragged: list[tuple[int, int]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        ragged.append((row.number or 0, row.actual_columns))
        return "skip"

    places = [str(place) for place in range(len(header))]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.encode("utf-8")),
            arrow_csv.ReadOptions(use_threads=False, column_names=places, block_size=1 << 24),
            arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
            ),
            arrow_csv.ConvertOptions(column_types=dict.fromkeys(places, pa.string()), strings_can_be_null=False),
        )
    except pa.ArrowException as error:
        raise DataError(f"{path.name}: cannot be read as a table separated by {SPOKEN[separator]} ({error}).") from None
    if ragged:
        row, cells = ragged[0]
        more = f" ({len(ragged)} rows in all)" if len(ragged) > 1 else ""
        raise DataError(
            f"{path.name}, row {row + first - 1}: {cells} cells, but the header has {len(header)}{more}. "
            "A separator inside an answer must stand in quotes."
        )
    return [column.slice(1).combine_chunks() for column in table.columns]


def broken_cells(
    source: str, columns: Mapping[str, pa.Array], header: Sequence[str], separator: str, first: int
) -> list[str]:
    """Note cells with line breaks; refuse one whose lines look like rows that a quotation mark swallowed."""
    notes = []
    places = {name.strip(): place for place, name in reversed(list(enumerate(header)))}
    for name, column in columns.items():
        broken = pc.match_substring(column, "\n").to_numpy(zero_copy_only=False)
        rows = np.flatnonzero(broken)
        for row in rows:
            lines = column[int(row)].as_py().replace("\r\n", "\n").split("\n")
            if _like_rows(lines, places.get(name, 0), len(header), separator):
                raise TableError.swallowed(source, int(row) + first + 1, name, len(lines))
        if len(rows):
            notes.append(f"cells with line breaks in {name!r}: {len(rows)} (first in row {rows[0] + first + 1})")
    return notes


def _like_rows(lines: list[str], place: int, width: int, separator: str) -> bool:
    """Tell whether the lines of a cell are the rest of its row, whole rows, and the beginning of a row.

    In prose a separator is followed by a blank, in a table it is not.
    """
    if width < _NARROWEST:
        return False
    counts = [line.count(separator) - line.count(f"{separator} ") for line in lines]
    whole = any(count == width - 1 for count in counts[1:-1])
    return whole or (counts[0] == width - 1 - place and counts[-1] == place)
