"""Tables on slides: native ones, divided where they are longer or wider than a slide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from csat.report.office.deck import ACROSS, BOTTOM, INCH, LINE, MARGIN, TOP, Deck, lines_in
from csat.report.office.fonts import GREY, INK, RULE
from csat.report.office.grid import Entry, Grid, fitted, split
from csat.report.office.prose import Run

if TYPE_CHECKING:
    from pptx.slide import Slide

#: Sizes in points and inches: letters, notes, space above and below a line, left and right of it, one indent.
LETTERS, NOTES, ABOVE, BESIDE, INDENT = 11, 10, 0.03, 0.06, 0.14
#: Letters of a table that has room, and of one that would just not fit on one slide; inches for rows and notes.
LARGE, SMALL, ROWS = 13.0, 9.5, BOTTOM - TOP - 0.1
#: Height that notes may take below a table; the notes pane has all of them.
MOST_NOTES = 1.5
#: Mean width of a half-wide character, most of them figures, in parts of the size of its letters.
LETTER = 0.52
#: Widths of columns in parts of what their letters take, as far as there is room.
AIR = 1.15
#: Half-wide characters side by side.
ROOM = int(ACROSS * INCH / (LETTERS * LETTER))
#: A table style of Office without colours and lines.
PLAIN = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"


@dataclass(frozen=True, slots=True)
class Page:
    """What of a table stands on one slide.

    table : its rows and columns.
    sizes : widths of the columns in inches, the same on every slide of a table.
    heights : of the headings and of each row in inches.
    notes : below it.
    points : size of its letters.
    """

    table: Grid
    sizes: Sequence[float]
    heights: Sequence[float]
    notes: tuple[str, ...]
    points: float = LETTERS

    @property
    def high(self) -> float:
        """Inches that it takes with its notes."""
        return sum(self.heights) + _noted(self.notes) + 0.1

    def draw(self, deck: Deck, slide: Slide, name: str, top: float = TOP) -> float:
        """Draw it below `top` and return where it ends, in inches from the top."""
        from pptx.util import Emu, Inches

        sizes, heights = self.sizes, self.heights
        shape = slide.shapes.add_table(len(heights), len(sizes), *map(Inches, (MARGIN, top, sum(sizes), sum(heights))))
        shape._element.xpath(".//p:cNvPr")[0].set("descr", name)
        made: Any = shape.table
        shape._element.xpath(".//a:tableStyleId")[0].text = PLAIN
        made.horz_banding = False
        for column, size in zip(list(made.columns), sizes, strict=True):
            column.width = Emu(int(Inches(size)))
        lines = [tuple(Entry(head) for head in self.table.heads), *self.table.rows]
        for number, (row, height, entries) in enumerate(zip(list(made.rows), heights, lines, strict=True)):
            row.height = Inches(height)
            depth = self.table.depths[number - 1] if number else 0
            for place, (cell, entry) in enumerate(zip(list(row.cells), entries, strict=True)):
                indent = depth * (place == self.table.label)
                _fill(deck, cell, entry, number == 0, self.table.numeric[place], indent, self.points)
        return top + sum(heights)

    def larger(self) -> Page:
        """The same in larger letters, if half a slide has room for them."""
        ratio = min(LARGE / LETTERS, ACROSS / sum(self.sizes), (BOTTOM - TOP) / 2 / sum(self.heights))
        if ratio < 1.05:
            return self
        sizes, heights = ([size * ratio for size in part] for part in (self.sizes, self.heights))
        return replace(self, sizes=sizes, heights=heights, points=round(LETTERS * ratio, 1))


def place(whole: Grid) -> list[Page]:
    """Divide a table into what fits on slides: groups of columns, then of rows; notes where they belong."""
    pages = []
    for wide in split(whole, ROOM):
        sizes, heights, points = _widths(wide), _heights(wide), float(LETTERS)
        smaller = [height * SMALL / LETTERS for height in heights]
        if len(_divided(wide, heights, ROWS)) == 2 and len(_divided(wide, smaller, ROWS)) == 1:
            heights, points = smaller, SMALL
        for start, stop in _evenly(wide, heights):
            part = wide.part(start, stop)
            pages.append(Page(part, sizes, [heights[0], *heights[start + 1 : stop + 1]], below(part), points))
    return pages


def below(table: Grid) -> tuple[str, ...]:
    """Footnotes of these rows, and the notes that there is room for."""
    kept: list[str] = list(table.marked())
    for note in table.notes:
        if _noted([*kept, note]) <= MOST_NOTES:
            kept.append(note)
    return tuple(kept)


def _evenly(table: Grid, heights: Sequence[float]) -> list[tuple[int, int]]:
    """Divide the rows into as few slides as hold them, about as many on each: first row and the one after the last."""
    room = ROWS
    pages = _divided(table, heights, room)
    while len(pages) > 1 and room > 1:
        fewer = _divided(table, heights, room - 0.1)
        if len(fewer) > len(pages):
            break
        pages, room = fewer, room - 0.1
    return pages


def _divided(table: Grid, heights: Sequence[float], room: float) -> list[tuple[int, int]]:
    """Fill one slide after the other."""
    pages, start = [], 0
    while start == 0 or start < len(table.rows):
        stop = start + 1
        while stop < len(table.rows):
            used = heights[0] + sum(heights[start + 1 : stop + 2]) + _noted(below(table.part(start, stop + 1)))
            if used > room:
                break
            stop += 1
        pages.append((start, stop))
        start = stop
    return pages


def _noted(notes: Sequence[str]) -> float:
    lines = sum(lines_in(note, ACROSS, NOTES) for note in notes)
    return (lines * LINE + len(notes) / 3) * NOTES / INCH


def _widths(table: Grid) -> list[float]:
    """Inches of each column; where there is room, more than its letters take: programs set them differently."""
    sizes = fitted(table, ROOM)
    air = min(AIR, ROOM / sum(sizes))
    return [size * max(1.0, air) * LETTERS * LETTER / INCH for size in sizes]


def _heights(table: Grid) -> list[float]:
    """Inches of each row, the headings first."""
    sizes = fitted(table, ROOM)
    lines = [
        # Bold, and broken between words: headings need more room than their letters.
        table.lines([Entry(head) for head in table.heads], [size / 1.2 for size in sizes]),
        *(table.lines(row, sizes, depth) for depth, row in zip(table.depths, table.rows, strict=True)),
    ]
    return [max(count, 1) * LETTERS * LINE / INCH + 2 * ABOVE for count in lines]


def _fill(deck: Deck, cell: Any, entry: Entry, heading: bool, number: bool, depth: int, points: float) -> None:
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Inches

    cell.margin_top = cell.margin_bottom = Inches(ABOVE)
    cell.margin_left, cell.margin_right = Inches(BESIDE + INDENT * depth), Inches(BESIDE)
    cell.vertical_anchor = MSO_ANCHOR.BOTTOM if heading else MSO_ANCHOR.MIDDLE
    line = cell.text_frame.paragraphs[0]
    if number:
        line.alignment = PP_ALIGN.RIGHT
    if entry.text:
        deck.run(line, Run(entry.text, bold=heading), points)
    # Without a size of its own an empty cell makes its row as high as the largest letters.
    line._p.get_or_add_endParaRPr().set("sz", str(int(points * 100)))
    if entry.mark:
        deck.run(line, Run(entry.mark), points, GREY, raised=True)
    _rule(cell, INK if heading else RULE, 12700 if heading else 6350)


def _rule(cell: Any, colour: str, thick: int) -> None:
    """Draw the line below a cell; python-pptx has no words for it."""
    from lxml import etree
    from pptx.oxml.ns import qn

    line = etree.Element(qn("a:lnB"), w=str(thick))
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val=colour)
    cell._tc.get_or_add_tcPr().insert(0, line)
