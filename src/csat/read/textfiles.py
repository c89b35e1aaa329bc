"""Text files: encoding and separator are found out, every cell is read as text."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from csat.errors import DataError
from csat.questionnaire.decode import encoding_of
from csat.read.raw import Raw, named

#: Separators that are tried.
SEPARATORS = (",", ";", "\t")

#: Characters within which the first row must end.
HEADER_SIZE = 1 << 20

_SPOKEN = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_text(path: Path, encoding: str | None = None) -> Raw:
    """Read a .csv, .tsv or .txt file.

    Parameters
    ----------
    path : of the file.
    encoding : None finds out: UTF-8 (with or without mark), UTF-16 with mark, GB18030.

    Raises
    ------
    DataError
        If it is empty, no text, in another encoding, or rows have different numbers of cells.
    """
    data = path.read_bytes()
    found = encoding or encoding_of(data)
    text = _decoded(path, data, found)
    header, separator = _header(path, text)
    _check_quotes(path, text, separator)
    columns = _cells(path, text, header, separator)
    size = len(columns[0])
    by_name, notes = named(path.name, header, columns)
    how = (f"encoding {found}", f"separated by {_SPOKEN[separator]}", *notes)
    return Raw(path.name, by_name, np.arange(size) + 2, False, how)


def _decoded(path: Path, data: bytes, encoding: str | None) -> str:
    if data.startswith(b"PK\x03\x04"):
        raise DataError(f"{path.name}: this is no text but an Excel workbook or archive; rename it to .xlsx.")
    if encoding is None:
        raise DataError(
            f"{path.name}: the text is neither UTF-8, UTF-16 nor GB18030. Name its encoding, for example "
            'read_survey(..., encoding="latin-1"), or save it again as UTF-8.'
        )
    try:
        text = data.decode(encoding)
    except LookupError:
        raise DataError(
            f"{path.name}: encoding={encoding!r} is not known; try 'utf-8', 'gb18030' or 'latin-1'."
        ) from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path.name}: byte {error.start} is not {encoding}; leave `encoding` out to have it found out."
        ) from None
    if "\x00" in text:
        raise DataError(
            f"{path.name}: holds null characters; it is no text, or UTF-16 without a mark (encoding='utf-16-le')."
        )
    if not text.strip():
        raise DataError(f"{path.name}: the file is empty.")
    return text.removeprefix("\ufeff")


def _header(path: Path, text: str) -> tuple[list[str], str]:
    """Read the names in the first row, and the separator that splits it into most of them."""
    if not text.partition("\n")[0].strip():
        raise DataError(f"{path.name}: the first row is blank; it must hold the names of the columns.")
    try:
        rows = {
            candidate: next(csv.reader(io.StringIO(text[:HEADER_SIZE], newline=""), delimiter=candidate))
            for candidate in SEPARATORS
        }
    except csv.Error:
        raise _open_quote(path, 1) from None
    separator = max(SEPARATORS, key=lambda candidate: len(rows[candidate]))
    return rows[separator], separator


def _check_quotes(path: Path, text: str, separator: str) -> None:
    """Refuse a quotation mark that is never closed: it would swallow the rows that follow."""
    if text.count('"') % 2 == 0:
        return
    row = 1
    try:
        for _ in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            row += 1
    except csv.Error:
        raise _open_quote(path, row) from None


def _open_quote(path: Path, row: int) -> DataError:
    return DataError(f"{path.name}, row {row}: a quotation mark is opened but not closed; it swallows what follows.")


def _cells(path: Path, text: str, header: list[str], separator: str) -> list[pa.Array]:
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
        raise DataError(
            f"{path.name}: cannot be read as a table separated by {_SPOKEN[separator]} ({error})."
        ) from None
    if ragged:
        row, cells = ragged[0]
        more = f" ({len(ragged)} rows in all)" if len(ragged) > 1 else ""
        raise DataError(
            f"{path.name}, row {row}: {cells} cells, but the header has {len(header)}{more}. "
            "A separator inside an answer must stand in quotes."
        )
    return [column.slice(1).combine_chunks() for column in table.columns]
