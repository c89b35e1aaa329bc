"""The format pptx: a document as slides whose tables and charts stay editable."""

from __future__ import annotations

import io
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.errors import MissingDependencyError
from csat.report.chart import Chart
from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Section, Tabular
from csat.report.format import legal
from csat.report.office import charts, grid
from csat.report.office.deck import ACROSS, BOTTOM, INCH, LINE, MARGIN, TOP, Deck, lines_in
from csat.report.office.fonts import BLUE, GREY, INK
from csat.report.office.prose import Paragraph, Run, paragraphs
from csat.report.office.tables import place
from csat.report.words import Word, words

if TYPE_CHECKING:
    from pptx.slide import Slide

#: Sizes of letters in points: of texts, notes below tables and charts, outputs of an analyst's own.
BODY, SMALL, FIXED_SIZE = 16, 10, 11
#: Cards side by side.
CARDS = 4
#: Inches by which the few words that open a section stand lower than other texts.
DIVIDER = 1.6


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
    """The slides of a section: texts gather until something needs a slide of its own."""

    def __init__(self, deck: Deck, section: str, lang: str) -> None:
        self.deck, self.section, self.catalogue = deck, section, words(lang)
        self.waiting: list[Paragraph] = []
        self.opening = True

    def write(self, blocks: Sequence[Block]) -> None:
        """Write blocks in their order."""
        for block in blocks:
            self._write(block)
        self._flush()

    def _write(self, block: Block) -> None:
        match block:
            case Prose(markdown):
                self.waiting += paragraphs(markdown)
            case Lines(_, lines):
                self.waiting += [Paragraph((Run(legal(line)),), "bullet") for line in lines]
            case Missing(text):
                self.waiting.append(Paragraph((Run(legal(text), italic=True),)))
            case Output(text):
                self._flush()
                self._output(text)
            case Tabular(table, "cards"):
                self._cards(grid.cards(table), [table.say(note) for note in table.notes])
            case Tabular(table, "sentences"):
                self.waiting += [Paragraph((Run(line),), "bullet") for line in grid.sentences(table)]
                self._flush(table.say(table.title), [table.say(note) for note in table.notes])
            case Tabular(table):
                self._flush()
                self._table(grid.grid(table))
            case Picture():
                self._flush()
                self._picture(block)

    def numbered(self, title: str, number: int, count: int) -> str:
        """Title of one of several slides with the same content."""
        blanks = {"title": title, "number": number, "count": count}
        return title if count == 1 else self.catalogue.say(Word("office.part", blanks))

    def _flush(self, title: str = "", notes: Sequence[str] = ()) -> None:
        """Put the texts that wait on as many slides as they need, their notes below."""
        waiting, self.waiting = self.waiting, []
        below = _height([Paragraph((Run(note),)) for note in notes], SMALL)
        room = BOTTOM - TOP - below - 0.1
        points = BODY if _height(waiting, BODY) <= room else BODY - 2
        pages = _pages(waiting, room, points)
        for number, page in enumerate(pages, start=1):
            slide = self.deck.slide(self.numbered(title or self.section, number, len(pages)), self.section, notes)
            top = TOP
            if self.opening and not title and _height(page, points) < DIVIDER:
                _lower(slide)
                top = TOP + DIVIDER
            self.opening = False
            self.deck.text(slide, page, (MARGIN, top, ACROSS, BOTTOM - top - below), points)
            self._below(slide, notes, BOTTOM - below)

    def _below(self, slide: Slide, notes: Sequence[str], top: float) -> None:
        if notes:
            self.deck.text(slide, notes, (MARGIN, top, ACROSS, BOTTOM - top), SMALL, GREY)

    def _output(self, text: str) -> None:
        lines = legal(text).expandtabs().splitlines()
        most = int((BOTTOM - TOP) * INCH / FIXED_SIZE / LINE / 1.35)
        pages = [lines[start : start + most] for start in range(0, len(lines), most)]
        for number, page in enumerate(pages, start=1):
            slide = self.deck.slide(self.numbered(self.section, number, len(pages)))
            content = [Paragraph((Run(line, fixed=True),)) for line in page]
            self.deck.text(slide, content, (MARGIN, TOP, ACROSS, BOTTOM - TOP), FIXED_SIZE)

    def _cards(self, cards: list[tuple[str, str, list[str]]], notes: Sequence[str]) -> None:
        text, self.waiting = self.waiting, []
        high = _height(text, BODY - 2)
        slide = self.deck.slide(self.section, notes=notes)
        if text:
            self.deck.text(slide, text, (MARGIN, TOP, ACROSS, high), BODY - 2, GREY)
        wide = ACROSS / CARDS
        for position, (label, figure, remarks) in enumerate(cards):
            row, column = divmod(position, CARDS)
            left, top = MARGIN + column * wide, TOP + high + 0.3 + row * 2.1
            inside = wide - 0.3
            size = 32 if lines_in(figure, inside, 32) == 1 else 20
            made = [(label, 13, GREY), (figure, size, BLUE), *((remark, 12, INK) for remark in remarks)]
            frame = self.deck.text(slide, [""] * len(made), (left, top, inside, 2), 12).text_frame
            for line, (said, points, colour) in zip(frame.paragraphs, made, strict=True):
                self.deck.run(line, Run(said, bold=points == size), points, colour)
        self._below(slide, notes, BOTTOM - _height([Paragraph((Run(note),)) for note in notes], SMALL))

    def _table(self, whole: grid.Grid) -> None:
        pages = place(whole)
        every = (*(f"({mark}) {text}" for mark, text in whole.footnotes), *whole.notes)
        for number, page in enumerate(pages, start=1):
            title = self.numbered(whole.title, number, len(pages))
            slide = self.deck.slide(title, self.section, every)
            end = page.draw(self.deck, slide, whole.title)
            notes = page.notes
            if notes:
                self.deck.text(slide, notes, (MARGIN, end + 0.1, ACROSS, BOTTOM - end), SMALL, GREY)

    def _picture(self, picture: Picture) -> None:
        chart = picture.chart
        title = chart.title if chart is not None and chart.title else self.section
        if chart is not None and charts.drawable(chart):
            self._chart(chart, title, picture.alt)
            return
        slide = self.deck.slide(title, self.section, [picture.alt, *(chart.notes if chart else ())])
        _fit(slide, picture)

    def _chart(self, chart: Chart, title: str, alt: str) -> None:
        from pptx.util import Inches

        parts, ends = charts.divided(chart), charts.limits(chart)
        below = _height([Paragraph((Run(note),)) for note in chart.notes], SMALL)
        high = BOTTOM - TOP - below - 0.1
        for number, part in enumerate(parts, start=1):
            slide = self.deck.slide(self.numbered(title, number, len(parts)), self.section, [alt, *chart.notes])
            box = (Inches(MARGIN), Inches(TOP), Inches(ACROSS), Inches(high))
            frame: Any = slide.shapes.add_chart(charts.type_of(part), *box, charts.figures_of(part))
            _describe(frame, alt)
            charts.finish(frame.chart, part, ends)
            self._below(slide, [legal(note) for note in chart.notes], BOTTOM - below)


def _lower(slide: Slide) -> None:
    """Make a slide that opens a section."""
    from pptx.util import Inches

    title: Any = slide.shapes.title
    left, width, height = title.left, title.width, title.height
    title.left, title.top, title.width, title.height = left, Inches(0.55 + DIVIDER), width, height


def _height(content: Sequence[Paragraph], points: float) -> float:
    """Inches that paragraphs take over the whole width."""
    lines = sum(lines_in(paragraph.text, ACROSS - 0.3, points) for paragraph in content)
    return (lines * LINE + len(content) / 3) * points / INCH


def _pages(content: Sequence[Paragraph], room: float, points: float) -> list[list[Paragraph]]:
    """Divide paragraphs into slides."""
    pages: list[list[Paragraph]] = []
    for paragraph in content:
        if not pages or _height([*pages[-1], paragraph], points) > room:
            pages.append([])
        pages[-1].append(paragraph)
    return pages


def _fit(slide: Slide, picture: Picture) -> None:
    """Place a picture as large as fits."""
    from pptx.util import Emu, Inches

    shape = slide.shapes.add_picture(io.BytesIO(picture.image), Inches(MARGIN), Inches(TOP))
    ratio = min(Inches(ACROSS) / shape.width, Inches(BOTTOM - TOP) / shape.height)
    shape.width, shape.height = Emu(int(shape.width * ratio)), Emu(int(shape.height * ratio))
    shape.left = Emu(Inches(MARGIN) + int((Inches(ACROSS) - shape.width) / 2))
    _describe(shape, picture.alt)


def _describe(shape: Any, alt: str) -> None:
    """Give a picture or a chart its text for those who do not see it."""
    shape._element.xpath(".//p:cNvPr")[0].set("descr", legal(alt))
