"""A table as texts, for media that set them themselves: both ends of an interval in one column, marks apart."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from csat.report.description import Cell, Column, Description
from csat.report.format import legal, shown
from csat.report.html import letter, pair_of
from csat.report.text import width
from csat.report.words import Words, words

#: A column of texts may give way down to this many characters.
LEAST = 24
#: So many cards have room side by side.
CARDS = 5


@dataclass(frozen=True, slots=True)
class Entry:
    """The text of a cell, and the letters of its footnotes."""

    text: str
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table whose figures are rounded for reading.

    heads : (k,) headings.
    numeric : (k,) whether a column holds figures, which stand on the right.
    rows : k entries each.
    depths : indent of each row's label.
    label : position of the column that names the row.
    footnotes : letter and text, of every mark in the rows.
    notes : on the whole table.
    """

    title: str
    heads: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[Entry, ...], ...]
    depths: tuple[int, ...]
    label: int
    footnotes: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]

    def sizes(self) -> list[int]:
        """Columns' widths in characters, two for a Chinese one; headings may take two lines."""
        return [
            max(self._heading(place), *(self._size(row[place], depth, place) for depth, row in self._deep()), 4) + 2
            for place in range(len(self.heads))
        ]

    def marked(self) -> tuple[str, ...]:
        """Footnotes of the marks in these rows, each after its letter."""
        used = {mark for row in self.rows for entry in row for mark in entry.mark.split(",")}
        return tuple(f"({mark}) {text}" for mark, text in self.footnotes if mark in used)

    def columns(self, places: Sequence[int]) -> Grid:
        """Only the columns at some places; the first names the rows."""
        return replace(
            self,
            heads=tuple(self.heads[i] for i in places),
            numeric=tuple(self.numeric[i] for i in places),
            rows=tuple(tuple(row[i] for i in places) for row in self.rows),
            label=0,
        )

    def part(self, start: int, stop: int) -> Grid:
        """Only the rows from `start` to before `stop`."""
        return replace(self, rows=self.rows[start:stop], depths=self.depths[start:stop])

    def _deep(self) -> Iterator[tuple[int, tuple[Entry, ...]]]:
        return zip(self.depths, self.rows, strict=True)

    def _heading(self, place: int) -> int:
        head = self.heads[place]
        # Bold letters are wider; no word is split, and Chinese ones not into single characters.
        longest = max((width(word) for word in head.split() if word.isascii()), default=0) * 1.2
        return max(math.ceil(longest), width(head) // 2 + 1, min(width(head), 6))

    def lines(self, row: Sequence[Entry], sizes: Sequence[float], depth: int = 0) -> int:
        """Count the lines of a row whose columns have some widths in characters."""
        return max(
            _lines(self._size(entry, depth, place), size - 1.5)
            for place, (entry, size) in enumerate(zip(row, sizes, strict=True))
        )

    def _size(self, entry: Entry, depth: int, place: int) -> int:
        return width(entry.text) + entry.text.count("%") + len(entry.mark) + (2 * depth if place == self.label else 0)


def grid(table: Description) -> Grid:
    """Round the figures of a table and put its words into its language."""
    catalogue = words(table.lang)
    letters = {note: letter(position) for position, note in enumerate(table.footnotes())}

    def entry(column: Column, *cells: Cell) -> Entry:
        texts = [_line(shown(cell, column.kind, catalogue)) for cell in cells]
        marks = dict.fromkeys(letters[cell.note] for cell in cells if cell.note)
        return Entry(texts[0] if len(cells) == 1 else _interval(cells, texts), ",".join(marks))

    places = list(_places(table))
    return Grid(
        _line(table.say(table.title)),
        tuple(_line(head) for head, _ in places),
        tuple(table.columns[at[0]].kind != "text" for _, at in places),
        tuple(tuple(entry(table.columns[at[0]], *(row[i] for i in at)) for _, at in places) for row in table.rows),
        table.depths or (0,) * len(table.rows),
        [at[0] for _, at in places].index(table.label) if table.label in {at[0] for _, at in places} else 0,
        tuple((mark, _line(catalogue.say(note))) for note, mark in letters.items()),
        tuple(_line(table.say(note)) for note in table.notes),
    )


def split(whole: Grid, room: int) -> list[Grid]:
    """Divide a table that is wider than a page into tables that are not; each begins with the rows' names.

    Parameters
    ----------
    room : characters that fit beside each other.
    """
    sizes = [size if number else min(size, LEAST) for size, number in zip(whole.sizes(), whole.numeric, strict=True)]
    first = min(sizes[whole.label], room // 3)
    parts: list[list[int]] = [[]]
    used = first
    for place, size in enumerate(sizes):
        if place == whole.label:
            continue
        if parts[-1] and used + size > room:
            parts.append([])
            used = first
        parts[-1].append(place)
        used += size
    return [whole.columns([whole.label, *part]) for part in parts]


def fitted(table: Grid, room: float) -> list[float]:
    """Columns' widths in characters that fit into `room`: columns of texts give way, those of figures do not."""
    sizes = table.sizes()
    loose = sorted(size for size, number in zip(sizes, table.numeric, strict=True) if not number)
    left = max(room - sum(sizes) + sum(loose), room / 4)
    most = float(left)
    for position, size in enumerate(loose):
        # The shorter columns have what they need; the longer ones share what is left.
        most = left / (len(loose) - position)
        if size > most:
            break
        left -= size
        most = float(size)
    made = [float(size) if number else min(size, most) for size, number in zip(sizes, table.numeric, strict=True)]
    return [size * min(1.0, room / sum(made)) for size in made]


def sentences(table: Description) -> list[str]:
    """Give the sentences of a table of one column."""
    catalogue: Words = words(table.lang)
    return [_line(shown(row[0], "text", catalogue)) for row in table.rows]


def cards(table: Description) -> list[tuple[str, str, list[str]]]:
    """Give label, figure and remarks of each row of a table of big figures."""
    catalogue = words(table.lang)
    return [
        (
            _line(shown(label, "text", catalogue)),
            shown(figure, "score", catalogue),
            [
                _line(catalogue.say(said))
                for said in (remark.value, figure.note, remark.note)
                if said and not isinstance(said, float)
            ],
        )
        for label, figure, remark in table.rows
    ]


def beside(count: int) -> int:
    """Cards of one row: as few rows as hold them, about as many in each.

    >>> [beside(count) for count in (1, 4, 5, 6, 7, 11)]
    [1, 4, 5, 3, 4, 4]
    """
    return math.ceil(count / max(1, math.ceil(count / CARDS))) or 1


def _places(table: Description) -> Iterator[tuple[str, tuple[int, ...]]]:
    place = 0
    while place < len(table.columns):
        pair = pair_of(table, place)
        yield (table.say(table.columns[place].heading), (place,)) if pair is None else (pair[0], (place, place + 1))
        place += 1 if pair is None else 2


def _lines(size: int, room: float) -> int:
    """Count lines; those that end between words are not full."""
    return 1 if size <= room else math.ceil(1.15 * size / max(1.0, room))


def _interval(cells: Sequence[Cell], texts: Sequence[str]) -> str:
    if all(cell.missing or not cell.applies for cell in cells):
        return texts[0]
    return f"[{texts[0]}, {texts[1]}]"


def _line(text: str) -> str:
    """Data may hold line breaks and what XML forbids; a line of a document must not."""
    return " ".join(legal(text).split())
