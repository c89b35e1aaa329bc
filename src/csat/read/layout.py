"""Where the header stands: tables often have a title above it."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence

from csat.errors import DataError, OptionError
from csat.questionnaire.scales import folded, number_in
from csat.read.faults import TableError

#: Rows among which the header is looked for.
LOOKED_AT = 30

#: Characters among which they are looked for.
_SAMPLE = 1 << 20

#: A row with fewer cells than this is no header of a survey when a title could be meant.
_FEWEST = 3


def check_header_row(header_row: object) -> None:
    """Refuse what is no row number; `OptionError`."""
    if header_row is not None and (isinstance(header_row, bool) or not isinstance(header_row, int) or header_row < 1):
        raise OptionError(f"header_row={header_row!r}: the row of the names is a whole number from 1 upwards.")


def check_header(source: str, rows: Sequence[Sequence[object]], first: int, expected: Collection[str]) -> None:
    """Refuse a first row that is no header while a later one looks like it.

    Parameters
    ----------
    source : for the message.
    rows : the first of the file, each with its cells.
    first : place of the row that would be taken as the header.
    expected : codes and texts of the questionnaire's columns, folded; empty if it is not known.

    Raises
    ------
    TableError
        Naming the row that looks like the header.
    """
    known = [len({folded(str(cell)) for cell in row if _filled(cell)} & set(expected)) for row in rows]
    best = max(range(first, len(rows)), key=known.__getitem__)
    if known[best] >= 2 and known[best] >= 2 * known[first] and best != first:
        found = f"it holds {known[best]} names that the questionnaire knows"
        raise TableError.other_header(source, first + 1, best + 1, found)
    names = next((place for place in range(first + 1, len(rows)) if _only_words(rows[place])), None)
    if names is not None and not known[first] and sum(map(_filled, rows[first])) == 1:
        found = f"it holds {sum(map(_filled, rows[names]))} names"
        raise TableError.other_header(source, first + 1, names + 1, found)


def _only_words(row: Sequence[object]) -> bool:
    """Tell whether a row could be a header: several cells, none of them a number."""
    cells = [str(cell) for cell in row if _filled(cell)]
    return len(cells) >= _FEWEST and all(number_in(cell) is None for cell in cells)


def records(text: str, separator: str) -> list[list[str]]:
    """Split the first rows of a text into cells, as far as quotation marks allow."""
    found: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text[:_SAMPLE], newline=""), delimiter=separator):
            found.append(row)
            if len(found) == LOOKED_AT:
                break
    except csv.Error:
        return found
    return found


def below(source: str, text: str, header_row: int) -> str:
    """Text from the header on; rows above it are left out.

    Raises
    ------
    DataError
        If the text has fewer rows.
    """
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        for _ in range(header_row - 1):
            next(reader)
    except (StopIteration, csv.Error):
        raise DataError(f"{source}: header_row={header_row}, but the file has fewer rows.") from None
    rest = text.split("\n", reader.line_num)[-1] if reader.line_num else text
    if not rest.strip():
        raise DataError(f"{source}: header_row={header_row}, but there is nothing from that row on.")
    return rest


def _filled(cell: object) -> bool:
    return cell is not None and str(cell).strip() != ""
