"""The format docx: a document with headings, tables and pictures that stay editable in Word."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.errors import MissingDependencyError
from csat.report.document import Block, Document, Lines, Missing, Output, Picture, Prose, Tabular
from csat.report.format import legal
from csat.report.office import grid
from csat.report.office.fonts import BLUE, FIXED, GREY, INK, RULE, TAGS, set_fonts, set_theme
from csat.report.office.prose import Paragraph, Run, paragraphs
from csat.report.office.zipped import settle
from csat.report.words import Word, words

if TYPE_CHECKING:
    from docx.document import Document as File

#: Page, margins and the width between them in inches: A4.
PAGE, MARGIN = (8.27, 11.69), 0.8
ACROSS, HIGH = PAGE[0] - 2 * MARGIN, PAGE[1] - 2 * MARGIN - 1.2
#: Points of texts, of tables and of notes; half-wide characters across, at the size of tables.
BODY, TABLE, SMALL = 10.5, 8.5, 8
ROOM = int(ACROSS * 72 / (TABLE * 0.53))


def ready() -> None:
    """Refuse if python-docx or the package that reads Markdown is not installed."""
    for module, package in (("docx", "python-docx"), ("mistune", "mistune")):
        if find_spec(module) is None:
            raise MissingDependencyError.extra(package, "report", "Writing a Word document")  # noqa: S610


def render(document: Document, path: Path) -> None:
    """Write a document for Word."""
    import docx

    file = docx.Document()
    _settings(file, document)
    writer = Text(file, document.lang)
    file.add_paragraph(legal(document.title), style="Title")
    for block in document.head:
        writer.block(block)
    for section in document.sections:
        file.add_heading(legal(section.title), level=1)
        for block in section.blocks:
            writer.block(block)
    writer.small([document.made])
    file.save(str(path))
    settle(path)


class Text:
    """Blocks of a document, one below the other."""

    def __init__(self, file: File, lang: str) -> None:
        self.file, self.lang = file, lang

    def block(self, block: Block) -> None:
        """Write a block."""
        match block:
            case Prose(markdown):
                for part in paragraphs(markdown):
                    self._paragraph(part)
            case Lines(form, lines):
                for line in lines:
                    self._paragraph(Paragraph((Run(legal(line)),), "bullet" if form == "method" else "text"))
            case Missing(text, detail):
                self._paragraph(Paragraph((Run(legal(text), italic=True),)))
                self.small([detail] if detail else [])
            case Output(text):
                self._paragraph(Paragraph((Run(legal(text).expandtabs(), fixed=True),), "code"))
            case Tabular(table, "cards"):
                self._cards(grid.cards(table))
                self.small([table.say(note) for note in table.notes])
            case Tabular(table, "sentences"):
                self._run(self.file.add_paragraph(style="Caption"), Run(legal(table.say(table.title))))
                for line in grid.sentences(table):
                    self._paragraph(Paragraph((Run(line),), "bullet"))
                self.small([table.say(note) for note in table.notes])
            case Tabular(table):
                self._table(grid.grid(table))
            case Picture():
                self._picture(block)

    def small(self, lines: Iterable[str]) -> None:
        """Write small print: a paragraph each."""
        for line in lines:
            self._run(self.file.add_paragraph(style="Notes"), Run(legal(line)))

    def _paragraph(self, part: Paragraph) -> None:
        styles = {"bullet": "List Bullet", "number": "List Number", "code": "Output"}
        # Sections have the first level; what analysts put below them starts at the second.
        style = f"Heading {min(part.level + 1, 9)}" if part.form == "heading" else styles.get(part.form, "Normal")
        line = self.file.add_paragraph(style=style)
        for run in part.runs:
            self._run(line, run)

    def _run(self, line: Any, run: Run, raised: bool = False, points: float | None = None, colour: str = "") -> None:
        from docx.shared import Pt, RGBColor

        made = line.add_run(run.text)
        made.bold, made.italic = run.bold or None, run.italic or None
        made.font.superscript = raised or None
        if run.fixed:
            made.font.name = FIXED
        if points:
            made.font.size = Pt(points)
        if colour:
            made.font.color.rgb = RGBColor.from_string(colour)

    def _cards(self, cards: Sequence[tuple[str, str, list[str]]]) -> None:
        columns = grid.beside(len(cards))
        table = self.file.add_table(-(-len(cards) // columns), columns)
        for position, (label, figure, remarks) in enumerate(cards):
            cell = table.rows[position // columns].cells[position % columns]
            self._run(cell.paragraphs[0], Run(label), points=9, colour=GREY)
            size = 20 if len(figure) < 10 else 12
            self._run(cell.add_paragraph(), Run(figure, bold=True), points=size, colour=BLUE)
            for remark in remarks:
                self._run(cell.add_paragraph(), Run(remark), points=9)

    def _table(self, whole: grid.Grid) -> None:
        parts = grid.split(whole, ROOM)
        for number, part in enumerate(parts, start=1):
            blanks = {"title": whole.title, "number": number, "count": len(parts)}
            title = whole.title if len(parts) == 1 else words(self.lang).say(Word("office.part", blanks))
            self._run(self.file.add_paragraph(style="Caption"), Run(title))
            self._native(part, title)
        self.small((*(f"({mark}) {text}" for mark, text in whole.footnotes), *whole.notes))

    def _native(self, part: grid.Grid, title: str) -> None:
        from docx.shared import Inches

        made = self.file.add_table(1 + len(part.rows), len(part.heads))
        made.autofit = False
        _describe_table(made, title)
        sizes = [Inches(size * ACROSS / ROOM) for size in grid.fitted(part, ROOM)]
        for column, size in zip(list(made.columns), sizes, strict=True):
            column.width = size
        lines = [tuple(grid.Entry(head) for head in part.heads), *part.rows]
        for position, (row, entries) in enumerate(zip(list(made.rows), lines, strict=True)):
            _keep(row, heading=position == 0)
            depth = part.depths[position - 1] if position else 0
            for place, (cell, entry) in enumerate(zip(row.cells, entries, strict=True)):
                cell.width = sizes[place]
                indent = depth if place == part.label else 0
                self._fill(cell, entry, position == 0, part.numeric[place], indent)

    def _fill(self, cell: Any, entry: grid.Entry, heading: bool, number: bool, depth: int) -> None:
        from docx.enum.text import WD_ALIGN_PARAGRAPH
        from docx.shared import Inches

        line = cell.paragraphs[0]
        line.style = "Cell"
        if number:
            line.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        if depth:
            line.paragraph_format.left_indent = Inches(0.12 * depth)
        self._run(line, Run(entry.text, bold=heading))
        if entry.mark:
            self._run(line, Run(entry.mark), raised=True)
        _rule(cell, INK if heading else RULE, 8 if heading else 4)

    def _picture(self, picture: Picture) -> None:
        from docx.shared import Emu, Inches

        made = self.file.add_paragraph(style="Picture").add_run().add_picture(io.BytesIO(picture.image))
        ratio = min(Inches(ACROSS) / made.width, Inches(HIGH) / made.height)
        made.width, made.height = Emu(int(made.width * ratio)), Emu(int(made.height * ratio))
        made._inline.docPr.set("descr", legal(picture.alt))


def _settings(file: File, document: Document) -> None:
    """Page, styles, header and footer."""
    from docx.shared import Inches

    properties = file.core_properties
    properties.title, properties.author, properties.language = legal(document.title), "csat", TAGS[document.lang]
    properties.comments, properties.last_modified_by, properties.revision = "", "csat", 1
    set_theme(file.part.package)
    section = file.sections[0]
    section.page_width, section.page_height = Inches(PAGE[0]), Inches(PAGE[1])
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Inches(MARGIN)
    _styles(file)
    head = section.header.paragraphs[0]
    head.style = "Notes"
    head.add_run(legal(document.title))
    _page_number(section.footer.paragraphs[0])


def _styles(file: File) -> None:
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    for name in ("Notes", "Cell", "Output", "Picture"):
        file.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH).base_style = file.styles["Normal"]
    looks = {
        "Normal": (BODY, INK, 4), "Title": (20, INK, 6), "Heading 1": (16, INK, 6), "Heading 2": (13, INK, 4),
        "Heading 3": (11.5, INK, 4), "Heading 4": (BODY, INK, 4),
        "Caption": (10, INK, 3), "Notes": (SMALL, GREY, 1), "Cell": (TABLE, INK, 0),
        "Output": (SMALL, INK, 4), "Picture": (BODY, INK, 2),
    }  # fmt: skip
    for name, (points, colour, after) in looks.items():
        style: Any = file.styles[name]
        set_fonts(style, latin=FIXED if name == "Output" else "Arial")
        style.font.size, style.font.color.rgb, style.font.italic = Pt(points), RGBColor.from_string(colour), False
        style.paragraph_format.space_after = Pt(after)
        style.paragraph_format.keep_with_next = name.startswith("Heading") or name in ("Caption", "Picture") or None
    for lang in list(file.styles.element.iter(qn("w:lang"))):
        # Of letters between Chinese characters: as Chinese they would be broken within words.
        lang.set(qn("w:val"), "en-US")
        lang.set(qn("w:eastAsia"), "zh-CN")


def _element(parent: Any, name: str, **attributes: str) -> Any:
    """Add an element of Word's own."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    made = OxmlElement(f"w:{name}")
    for key, value in attributes.items():
        made.set(qn(f"w:{key}"), value)
    parent.append(made)
    return made


def _page_number(line: Any) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH

    line.style, line.alignment = "Notes", WD_ALIGN_PARAGRAPH.RIGHT
    field = _element(line._p, "fldSimple", instr="PAGE")
    _element(_element(field, "r"), "t").text = "1"


def _keep(row: Any, heading: bool) -> None:
    """Keep a row on one page; the headings come again on every page."""
    properties = row._tr.get_or_add_trPr()
    _element(properties, "cantSplit")
    if heading:
        _element(properties, "tblHeader")


def _describe_table(table: Any, title: str) -> None:
    """Say in the table itself what it shows, and that its first row and first column are headings."""
    from docx.oxml.ns import qn

    properties = table._tbl.tblPr
    look = properties.find(qn("w:tblLook"))
    if look is not None:
        properties.remove(look)
    margins = _element(properties, "tblCellMar")
    for side in ("left", "right"):
        _element(margins, side, w="50", type="dxa")
    _element(properties, "tblLook", val="00A0", firstRow="1", firstColumn="1", noHBand="1", noVBand="1")
    _element(properties, "tblCaption", val=title)


def _rule(cell: Any, colour: str, eighths: int) -> None:
    """Draw the line below a cell."""
    borders = _element(cell._tc.get_or_add_tcPr(), "tcBorders")
    _element(borders, "bottom", val="single", sz=str(eighths), space="0", color=colour)
