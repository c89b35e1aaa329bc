"""The format pptx: a document as slides whose tables and charts stay editable."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.errors import MissingDependencyError
from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.format import legal
from csat.report.office import grid
from csat.report.office.deck import ACROSS, BOTTOM, HIGH, INCH, LINE, MARGIN, TOP, Deck, lines_in
from csat.report.office.drawing import Drawing
from csat.report.office.fonts import BLUE, GREY, INK
from csat.report.office.prose import Paragraph, Run, paragraphs
from csat.report.office.tables import place
from csat.report.words import Word, words

if TYPE_CHECKING:
    from pptx.slide import Slide

#: Sizes of letters in points: of texts, notes below tables and charts, outputs of an analyst's own.
BODY, SMALL, FIXED_SIZE = 16, 10, 11
#: Cards are not wider than so many side by side are.
CARDS = 4
#: Inches by which the few words that open a section stand lower than other texts.
DIVIDER = 1.6
#: Inches of a title below another thing, between two things, and of texts that stand above a picture, not beside it.
CAPTION, GAP, SHORT = 0.38, 0.2, 0.75


def ready() -> None:
    """Refuse if python-pptx or the package that reads Markdown is not installed."""
    for module, package in (("pptx", "python-pptx"), ("mistune", "mistune")):
        if find_spec(module) is None:
            raise MissingDependencyError.extra(package, "report", "Writing slides")  # noqa: S610


def render(document: Document, path: Path) -> None:
    """Write a document as slides."""
    deck = Deck(document.title, document.lang)
    _first(deck, document)
    head = Section("", document.title, tuple(block for block in document.head if not isinstance(block, Prose | Lines)))
    for section in (head, *document.sections):
        Flow(deck, section.title, document.lang).write(section.blocks)
    deck.save(path)


def _first(deck: Deck, document: Document) -> None:
    """Put title, facts and what stands before the first section on a slide."""
    from pptx.util import Inches

    text = [part for block in document.head if isinstance(block, Prose) for part in paragraphs(block.markdown)]
    facts = next((block.lines for block in document.head if isinstance(block, Lines)), document.facts)
    slide = deck.slide(document.title)
    title: Any = slide.shapes.title
    title.left, title.top, title.width, title.height = map(Inches, (MARGIN, 1.5, ACROSS, 1.2))
    headings = [part for part in text if part.form == "heading"]
    if headings:
        deck.text(slide, headings[:1], (MARGIN, 1.1, ACROSS, 0.4), BODY, BLUE)
    deck.text(slide, facts, (MARGIN, 2.8, ACROSS, 2.4), BODY, GREY)
    rest = [*(part for part in text if part not in headings[:1]), Paragraph((Run(document.made),))]
    deck.text(slide, rest, (MARGIN, 5.6, ACROSS, 1.2), BODY - 4, GREY)


class Flow:
    """The slides of a section: what belongs together shares a slide as far as there is room."""

    def __init__(self, deck: Deck, section: str, lang: str) -> None:
        self.deck, self.section, self.catalogue = deck, section, words(lang)
        self.waiting: list[Paragraph] = []
        self.heading, self.notes = "", list[str]()
        self.slide: Slide | None = None
        self.title, self.top = "", TOP
        self.opening = True

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks in their order."""
        for block in blocks:
            self._write(block)
        self._flush()

    def _write(self, block: Block) -> None:
        match block:
            case Prose(markdown):
                self._flush(bool(self.notes))
                self.waiting += paragraphs(markdown)
            case Lines(_, lines):
                self.waiting += [Paragraph((Run(legal(line)),), "bullet") for line in lines]
            case Missing(text, detail):
                self.waiting.append(Paragraph((Run(legal(text), italic=True),)))
                self.notes += [detail] if detail else []
            case Output(text):
                self._flush()
                self._output(text)
            case Tabular(table, "cards"):
                self._cards(grid.cards(table), [table.say(note) for note in table.notes])
            case Tabular(table, "sentences"):
                self._flush(bool(self.notes))
                self.waiting += [Paragraph((Run(line),), "bullet") for line in grid.sentences(table)]
                self.heading, self.notes = table.say(table.title), [table.say(note) for note in table.notes]
            case Tabular(table):
                self._table(grid.grid(table))
            case Picture():
                self._picture(Drawing.of(block, self.section))

    def numbered(self, title: str, number: int, count: int) -> str:
        """Title of one of several slides with the same content."""
        blanks = {"title": title, "number": number, "count": count}
        return title if count == 1 else self.catalogue.say(Word("office.part", blanks))

    def _open(self, title: str, notes: Sequence[str] = ()) -> Slide:
        """Begin a slide; without notes of its own it waits for those of what comes onto it."""
        self.slide, self.title, self.top = self.deck.slide(title, self.section, notes), title, TOP
        self.opening = False
        return self.slide

    def _room(self) -> float:
        """Inches that are left on the slide that has been begun."""
        return 0.0 if self.slide is None else BOTTOM - self.top

    def _place(self, title: str, high: float, notes: Sequence[str] = ()) -> Slide:
        """Find room of some height: below what is there, under a title of its own, or on a new slide."""
        caption = CAPTION * (title != self.title)
        if self.slide is None or high + caption > self._room():
            return self._open(title, notes)
        if caption:
            self.deck.text(self.slide, [Paragraph((Run(title, bold=True),))], (MARGIN, self.top, ACROSS, 0.3), 13)
            self.top += caption
        self.deck.note(self.slide, notes)
        return self.slide

    def _flush(self, wanted: bool = True, then: float = HIGH) -> None:
        """Put the texts that wait below what is there, or on as many slides as they need.

        Parameters
        ----------
        then : inches of what comes next; a few words stand alone only if it has no room below them.
        """
        if not wanted or not self.waiting:
            return
        waiting, self.waiting = self.waiting, []
        notes, self.notes = self.notes, []
        title, self.heading = self.heading or self.section, ""
        below = height(_lines(notes), SMALL)
        if height(waiting, BODY - 2) + below + CAPTION <= self._room():
            self._place(title, 0.0, notes)
            self._words(waiting, notes, BODY - 2)
            return
        room = BOTTOM - TOP - below - 0.1
        points = next((size for size in (BODY, BODY - 2, BODY - 3) if height(waiting, size) <= room), BODY - 2)
        pages = divided(waiting, room, points)
        for number, page in enumerate(pages, start=1):
            high = height(page, points)
            alone = high + below + then + CAPTION + GAP > BOTTOM - TOP
            lower = self.opening and alone and title == self.section and high < DIVIDER
            slide = self._open(self.numbered(title, number, len(pages)), notes)
            if lower:
                _lower(slide)
                self.top += DIVIDER
            self._words(page, notes, points)
            if lower:
                self.slide = None

    def _words(self, content: Sequence[Paragraph], notes: Sequence[str], points: float, wide: float = ACROSS) -> None:
        """Write paragraphs and their small print where the slide has come to."""
        if self.slide is None:
            return
        high = height(content, points, wide)
        self.deck.text(self.slide, content, (MARGIN, self.top, wide, high), points)
        self.top += high + 0.1
        self._small(notes, wide)

    def _small(self, notes: Sequence[str], wide: float = ACROSS) -> None:
        if notes and self.slide is not None:
            high = height(_lines(notes), SMALL, wide)
            self.deck.text(self.slide, notes, (MARGIN, self.top, wide, high), SMALL, GREY)
            self.top += high + GAP

    def _output(self, text: str) -> None:
        lines = legal(text).expandtabs().splitlines()
        most = int((BOTTOM - TOP) * INCH / FIXED_SIZE / LINE / 1.35)
        pages = [lines[start : start + most] for start in range(0, len(lines), most)]
        for number, page in enumerate(pages, start=1):
            slide = self._open(self.numbered(self.section, number, len(pages)))
            content = [Paragraph((Run(line, fixed=True),)) for line in page]
            self.deck.text(slide, content, (MARGIN, TOP, ACROSS, BOTTOM - TOP), FIXED_SIZE)
            self.slide = None

    def _cards(self, cards: list[tuple[str, str, list[str]]], notes: Sequence[str]) -> None:
        text, self.waiting = self.waiting, []
        slide = self._open(self.section, notes)
        if text:
            high = height(text, BODY - 2)
            self.deck.text(slide, text, (MARGIN, TOP, ACROSS, high), BODY - 2, GREY)
            self.top += high + 0.2
        columns = grid.beside(len(cards))
        for start in range(0, len(cards), columns):
            self.top = self._row(slide, cards[start : start + columns], ACROSS / max(columns, CARDS)) + 0.1
        self._small(notes)

    def _row(self, slide: Slide, cards: Sequence[tuple[str, str, list[str]]], wide: float) -> float:
        """Put cards of some width side by side and return where the longest one ends."""
        inside, ends = wide - 0.3, [self.top]
        for column, (label, figure, remarks) in enumerate(cards):
            size = 32 if lines_in(figure, inside, 32) == 1 else 20
            made = [(label, 13, GREY), (figure, size, BLUE), *((remark, 12, INK) for remark in remarks)]
            high = sum(height(_lines([said]), points, inside) for said, points, _ in made)
            box = (MARGIN + column * wide, self.top, inside, high)
            frame = self.deck.text(slide, [""] * len(made), box, 12).text_frame
            for line, (said, points, colour) in zip(frame.paragraphs, made, strict=True):
                self.deck.run(line, Run(said, bold=points == size), points, colour)
            ends.append(self.top + high)
        return max(ends)

    def _table(self, whole: grid.Grid) -> None:
        pages = place(whole)
        self._flush(then=pages[0].high if len(pages) == 1 else HIGH)
        every = (*(f"({mark}) {text}" for mark, text in whole.footnotes), *whole.notes)
        for number, page in enumerate(pages, start=1):
            if len(pages) == 1 and page.high + CAPTION > self._room():
                page = page.larger()
            slide = self._place(self.numbered(whole.title, number, len(pages)), page.high, every if number == 1 else ())
            self.deck.note(slide, () if number == 1 or self.top > TOP else every)
            self.top = page.draw(self.deck, slide, whole.title, self.top) + 0.1
            together = number < len(pages) and self._room() >= pages[number].high + CAPTION + GAP
            if not together or page.notes != pages[number].notes:
                self._small(page.notes)
            else:
                self.top += 0.1

    def _picture(self, drawing: Drawing) -> None:
        """Draw below short texts or beside longer ones, if it is legible there, else on a slide of its own."""
        self._flush(self.slide is not None)
        if self.waiting and self._beside(drawing):
            return
        self._flush(then=drawing.least())
        notes = [drawing.alt, *(note for note in drawing.notes if note != drawing.alt)]
        if drawing.least() + CAPTION <= self._room():
            slide = self._place(drawing.title, drawing.least(), notes)
            self.top = drawing.draw(self.deck, slide, (MARGIN, self.top, ACROSS, BOTTOM - self.top)) + GAP
            return
        parts = drawing.parts()
        for number, part in enumerate(parts, start=1):
            slide = self._open(self.numbered(drawing.title, number, len(parts)), notes)
            self.top = part.draw(self.deck, slide, (MARGIN, TOP, ACROSS, BOTTOM - TOP)) + GAP

    def _beside(self, drawing: Drawing) -> bool:
        """Put the texts that wait on the left of a slide and a picture on the right, if both fit."""
        left = ACROSS - drawing.wide - GAP
        room = BOTTOM - TOP - height(_lines(self.notes), SMALL, left) - 0.1
        points = next((size for size in (BODY - 2, BODY - 4) if height(self.waiting, size, left) <= room), None)
        if points is None or height(self.waiting, BODY - 2) < SHORT or drawing.least() > BOTTOM - TOP:
            return False
        slide = self._open(self.heading or self.section, [*self.notes, drawing.alt, *drawing.notes])
        self._words(self.waiting, self.notes, points, left)
        self.waiting, self.notes, self.heading = [], [], ""
        box = (MARGIN + left + GAP, TOP, drawing.wide, BOTTOM - TOP)
        drawing.draw(self.deck, slide, box)
        self.slide = None
        return True


def height(content: Sequence[Paragraph], points: float, wide: float = ACROSS) -> float:
    """Inches that paragraphs take over a width."""
    lines = sum(lines_in(paragraph.text, wide - 0.3, points) for paragraph in content)
    return (lines * LINE + len(content) / 3) * points / INCH


def divided(content: Sequence[Paragraph], room: float, points: float) -> list[list[Paragraph]]:
    """Divide paragraphs into slides, about as much on each as on the others."""
    pages = _pages(content, room, points)
    while len(pages) > 1 and room > 0.5:
        fewer = _pages(content, room - 0.25, points)
        if len(fewer) > len(pages):
            break
        pages, room = fewer, room - 0.25
    return pages


def _pages(content: Sequence[Paragraph], room: float, points: float) -> list[list[Paragraph]]:
    pages: list[list[Paragraph]] = []
    for paragraph in content:
        if not pages or height([*pages[-1], paragraph], points) > room:
            pages.append([])
        pages[-1].append(paragraph)
    return pages


def _lines(texts: Sequence[str]) -> list[Paragraph]:
    return [Paragraph((Run(legal(text)),)) for text in texts]


def _lower(slide: Slide) -> None:
    """Make a slide that opens a section."""
    from pptx.util import Inches

    title: Any = slide.shapes.title
    left, width, height = title.left, title.width, title.height
    title.left, title.top, title.width, title.height = left, Inches(0.55 + DIVIDER), width, height
