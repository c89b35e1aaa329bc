"""Tables as a workbook: a contents sheet, a sheet per table, a notes sheet. Numbers stay numbers."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from csat.errors import MissingDependencyError
from csat.report.description import Cell, Column, Description, Kind
from csat.report.document import Document
from csat.report.format import EXCEL, legal, number, shown
from csat.report.html import letter
from csat.report.office.fonts import EAST, LATIN
from csat.report.text import width
from csat.report.words import Word, Words, words

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

#: Characters that Excel forbids in sheet names.
FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
#: Characters of a sheet's name, of a column of texts, of a sheet that is nothing but sentences; points of a line.
LONGEST_NAME, WIDEST, SENTENCES, LINE = 31, 60, 110, 15
#: Rows from which a table has a filter; points that fit on a page across and down, upright and lying; points of a
#: character; the scale below which a table goes on over several pages.
FILTERED, UPRIGHT, LYING, CHARACTER, SMALLEST = 5, (500.0, 720.0), (740.0, 480.0), 5.8, 0.55
#: Excel's number of the paper.
A4 = 9
#: One font for Latin and Chinese in a workbook: two of them would not stand on one line.
FACES = {"en": LATIN, "zh": EAST}
#: A workbook of the same tables has the same bytes: no clock in it.
CREATED = datetime.datetime(2000, 1, 1)


def write_workbook(
    tables: Sequence[Description],
    path: str | Path,
    *,
    title: str = "",
    lang: str = "en",
    facts: Sequence[str] = (),
    method: Sequence[str] = (),
) -> Path:
    """Write tables into one Excel workbook.

    Text that comes from data is written as text, whatever it begins with: never a formula, never a link.

    Parameters
    ----------
    tables : one sheet each, in this order.
    path : of the .xlsx file.
    title : first line of the contents sheet.
    lang : of the contents and notes sheets.
    facts : lines of the contents sheet under the title: period, own group, filter, data, weights.
    method : sentences of the notes sheet: how the figures were made.

    Raises
    ------
    MissingDependencyError
        Without the package xlsxwriter.
    """
    ready()
    import xlsxwriter

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "nan_inf_to_errors": False,
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": legal(title), "created": CREATED})
        styles = Styles(book, FACES[lang])
        catalogue = words(lang)
        names = sheet_names([table.say(table.title) for table in tables], catalogue)
        _contents(book, styles, [title, *facts], list(zip(names, tables, strict=True)), catalogue)
        for name, table in zip(names, tables, strict=True):
            _sheet(book.add_worksheet(name), styles, table)
        _notes(book, styles, list(zip(names, tables, strict=True)), method, catalogue)
    return Path(path)


def ready() -> None:
    """Refuse if xlsxwriter is not installed."""
    if find_spec("xlsxwriter") is None:
        raise MissingDependencyError.extra("xlsxwriter", "report", "Writing a workbook")  # noqa: S610


def render(document: Document, path: Path) -> None:
    """Write the tables of a document, cards and sentences among them, as a workbook."""
    write_workbook(
        document.tables(),
        path,
        title=document.title,
        lang=document.lang,
        facts=document.facts,
        method=document.method,
    )


class Styles:
    """The cell formats of a workbook, made once each."""

    def __init__(self, book: Workbook, font: str) -> None:
        face = {"font_name": font, "font_size": 10, "valign": "vcenter"}
        self.title = book.add_format({**face, "bold": True, "font_size": 13})
        self.head = book.add_format({**face, "bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom"})
        self.head_inner = book.add_format(
            {**face, "bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom", "align": "left", "indent": 1}
        )
        self.head_number = book.add_format(
            {**face, "bold": True, "text_wrap": True, "bottom": 1, "valign": "bottom", "align": "right"}
        )
        self.note = book.add_format({**face, "font_color": "#555555"})
        self.wrapped = book.add_format({**face, "text_wrap": True})
        self.link = book.add_format({**face, "font_color": "#0b5394", "underline": 1})
        self.dash = book.add_format({**face, "align": "right", "font_color": "#555555"})
        self.number = {kind: book.add_format({**face, "num_format": code}) for kind, code in EXCEL.items()}
        # Of none or of all replicates: what is so is said as it is.
        self.settled = book.add_format({**face, "num_format": "0%"})
        self.text = [
            book.add_format({**face, "align": "left", "indent": depth, "text_wrap": True}) for depth in range(8)
        ]


def sheet_names(titles: Sequence[str], catalogue: Words) -> list[str]:
    """Make titles into distinct, valid sheet names."""
    taken = {catalogue.say(Word("page.contents")).casefold(), catalogue.say(Word("page.notes")).casefold()}
    names = []
    for title in titles:
        stem = FORBIDDEN.sub(" ", legal(title)).strip() or catalogue.say(Word("page.table"))
        tries = (stem[:LONGEST_NAME], *(f"{stem[: LONGEST_NAME - 4]} {number}" for number in range(2, 1000)))
        name = next(name for name in map(str.strip, tries) if name.casefold() not in taken)
        taken.add(name.casefold())
        names.append(name)
    return names


def _contents(
    book: Workbook, styles: Styles, head: Sequence[str], named: list[tuple[str, Description]], catalogue: Words
) -> None:
    sheet = book.add_worksheet(catalogue.say(Word("page.contents")))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, WIDEST)
    sheet.set_column(1, 1, 34)
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 0)
    for row, line in enumerate(head):
        sheet.write_string(row, 0, legal(line), styles.note if row else styles.title)
    for row, (name, table) in enumerate(named, start=len(head) + 1):
        title = legal(table.say(table.title))
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, title or name)
        if name != title:
            sheet.write_string(row, 1, name, styles.note)


def _sheet(sheet: Worksheet, styles: Styles, table: Description) -> None:
    catalogue = words(table.lang)
    marks = {note: letter(position) for position, note in enumerate(table.footnotes())}
    noted = [any(row[place].note for row in table.rows) for place in range(len(table.columns))]
    # A mark needs a cell of its own: beside a number it would turn the number into text.
    starts = [place + sum(noted[:place]) for place in range(len(table.columns))]
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, legal(table.say(table.title)), styles.title)
    for start, column in zip(starts, table.columns, strict=True):
        heading = legal(table.say(column.heading))
        inner = styles.head_inner if start else styles.head
        sheet.write_string(2, start, heading, inner if column.kind == "text" else styles.head_number)
    for start, has_marks in zip(starts, noted, strict=True):
        if has_marks:
            sheet.write_string(2, start + 1, catalogue.say(Word("column.mark")), styles.head)
            sheet.set_column(start + 1, start + 1, 5.5)
    sizes = _widths(table, catalogue)
    for start, size in zip(starts, sizes, strict=True):
        sheet.set_column(start, start, size)
    heights = _heights(table, sizes, catalogue)
    for line, height in enumerate(heights, start=2):
        sheet.set_row(line, height)
    for line, (depth, row) in enumerate(table.indented(), start=3):
        for place, (column, cell) in enumerate(zip(table.columns, row, strict=True)):
            # Text beside a right-aligned number needs room.
            indent = (depth if place == table.label else 0) + (place > 0)
            _write(sheet, styles, (line, starts[place]), column, cell, indent, catalogue)
            if cell.note:
                sheet.write_string(line, starts[place] + 1, marks[cell.note], styles.note)
    below = [f"({mark}) {catalogue.say(note)}" for note, mark in marks.items()]
    for line, text in enumerate([*below, *map(table.say, table.notes)], start=4 + len(table.rows)):
        sheet.write_string(line, 0, legal(text), styles.note)
    sheet.freeze_panes(3, starts[table.label] + 1)
    if len(table.rows) >= FILTERED and not any(table.depths):
        sheet.autofilter(2, 0, 2 + len(table.rows), starts[-1] + noted[-1])
    _print(sheet, sum(sizes) + 5.5 * sum(noted), sum(heights) + LINE * (4 + len(below) + len(table.notes)))


def _print(sheet: Worksheet, wide: float, high: float) -> None:
    """Set up pages: one, upright or lying, whichever shrinks the table less; several where it would be too small."""
    scales = {page: min(1.0, page[0] / (wide * CHARACTER), page[1] / high) for page in (UPRIGHT, LYING)}
    best = max(scales, key=lambda page: scales[page])
    one_page = scales[best] >= SMALLEST
    if (best if one_page else UPRIGHT if wide * CHARACTER <= UPRIGHT[0] else LYING) == LYING:
        sheet.set_landscape()
    sheet.set_paper(A4)
    sheet.fit_to_pages(1, 1 if one_page else 0)
    sheet.repeat_rows(2)


def _heights(table: Description, sizes: Sequence[float], catalogue: Words) -> list[float]:
    """Points of the headings and of each row: not every program finds them by itself."""
    heads = [table.say(column.heading) for column in table.columns]
    lines = [2]
    for depth, row in table.indented():
        texts = [shown(cell, column.kind, catalogue) for cell, column in zip(row, table.columns, strict=True)]
        indents = [2 * depth if place == table.label else 0 for place in range(len(texts))]
        lines.append(max(map(_lines, texts, sizes, indents), default=1))
    lines[0] = max(2, *(_lines(head, size * 0.9, 0) for head, size in zip(heads, sizes, strict=True)))
    return [LINE * count + (3 if count > 1 else 0) for count in lines]


def _lines(text: str, size: float, indent: int) -> int:
    return max(1, math.ceil(width(text) / max(1.0, size - 1 - indent)))


def _write(
    sheet: Worksheet, styles: Styles, at: tuple[int, int], column: Column, cell: Cell, indent: int, catalogue: Words
) -> None:
    kind: Kind = cell.kind or column.kind
    if isinstance(cell.value, (int, float)) and not cell.missing:
        settled = kind == "chance" and number(cell.value, kind)[:1].isdigit()
        sheet.write_number(*at, cell.value, styles.settled if settled else styles.number[kind])
    elif column.kind == "text":
        sheet.write_string(*at, legal(shown(cell, kind, catalogue)), styles.text[min(indent, len(styles.text) - 1)])
    else:
        sheet.write_string(*at, shown(cell, kind, catalogue), styles.dash)


def _widths(table: Description, catalogue: Words) -> list[float]:
    """Column widths in characters, two for a Chinese one; headings may take two lines, without splitting a word."""
    sizes = []
    most = SENTENCES if len(table.columns) == 1 else WIDEST
    for place, column in enumerate(table.columns):
        indent = max(table.depths, default=0) * 2 if place == table.label else 0
        body = max((width(shown(row[place], column.kind, catalogue)) for row in table.rows), default=0) + indent
        heading = table.say(column.heading)
        longest = max((width(word) for word in heading.split() if word.isascii()), default=0) * 1.15
        sizes.append(float(min(most, max(body, longest, width(heading) / 2 + 2, 7) + 2)))
    return sizes


def _notes(
    book: Workbook,
    styles: Styles,
    named: list[tuple[str, Description]],
    method: Sequence[str],
    catalogue: Words,
) -> None:
    sheet = book.add_worksheet(catalogue.say(Word("page.notes")))
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 110)
    from csat.version import __version__

    general: list[Word | str] = [Word("page.rounding"), *method, Word("page.made", {"version": __version__})]
    sheet.write_string(0, 0, catalogue.say(Word("page.notes")), styles.title)
    lines: list[tuple[str, str]] = [("", catalogue.say(text)) for text in general]
    for name, table in named:
        lines += [(name, table.say(note)) for note in (*table.footnotes(), *table.notes)]
    for row, (name, text) in enumerate(lines, start=2):
        sheet.write_string(row, 0, name, styles.note)
        sheet.write_string(row, 1, legal(text), styles.wrapped)
