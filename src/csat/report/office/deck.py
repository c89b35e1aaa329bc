"""A wide presentation: slides with a title, texts, footers and notes, in the report's fonts and colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.report.format import legal
from csat.report.office.fonts import FIXED, GREY, INK, TAGS, set_theme
from csat.report.office.prose import Paragraph, Run
from csat.report.office.zipped import settle
from csat.report.text import width

if TYPE_CHECKING:
    from pptx.slide import Slide
    from pptx.text.text import TextFrame

#: Size of a slide and its parts in inches.
WIDE, HIGH, MARGIN = 13.333, 7.5, 0.6
ACROSS = WIDE - 2 * MARGIN
TOP, BOTTOM = 1.45, 6.9
#: Points of an inch, height of a line and mean width of a half-wide character, in parts of the size of its letters.
INCH, LINE, LETTER = 72, 1.32, 0.56
#: Position of the layout that only has a title in python-pptx's template.
TITLE_ONLY = 5


def lines_in(text: str, inches: float, points: float) -> int:
    """Count the lines that a text takes.

    >>> lines_in("x" * 100, 5, 12)
    2
    """
    room = max(1.0, inches * INCH / (points * LETTER))
    return max(1, -int(-width(text) // room))


class Deck:
    """A presentation in the making.

    Parameters
    ----------
    title : of the report, in the footers.
    lang : "en" or "zh".
    """

    def __init__(self, title: str, lang: str) -> None:
        import pptx

        self.show = pptx.Presentation()
        self.title, self.tag = legal(title), TAGS[lang]
        _widen(self.show)
        set_theme(self.show.part.package)

    def save(self, path: Path) -> None:
        """Write the file; nothing in it tells when."""
        properties = self.show.core_properties
        properties.title, properties.author, properties.language = self.title, "csat", self.tag
        properties.last_modified_by, properties.revision = "csat", 1
        self.show.save(str(path))
        settle(path)

    def slide(self, title: str, above: str = "", notes: Iterable[str] = ()) -> Slide:
        """Begin a slide.

        Parameters
        ----------
        above : small text above the title: the section.
        notes : lines of the notes pane.
        """
        slide = self.show.slides.add_slide(self.show.slide_layouts[TITLE_ONLY])
        text = legal(title)
        points = next((size for size in (26, 22, 18) if lines_in(text, ACROSS, size) == 1), 16)
        frame = slide.shapes.title.text_frame
        self.write(frame, [Paragraph((Run(text, bold=True),))], points)
        if above and above != title:
            self.text(slide, [above], (MARGIN, 0.28, ACROSS, 0.3), 11, colour=GREY)
        self._footer(slide)
        self.note(slide, notes)
        return slide

    def note(self, slide: Slide, notes: Iterable[str]) -> None:
        """Add lines to the notes pane of a slide."""
        said = [legal(note) for note in notes]
        if said:
            frame: Any = slide.notes_slide.notes_text_frame
            frame.text = "\n".join([frame.text, *said] if frame.text else said)

    def text(
        self,
        slide: Slide,
        content: Sequence[str | Paragraph],
        box: tuple[float, float, float, float],
        points: float,
        colour: str = INK,
    ) -> Any:
        """Put paragraphs into a box: left, top, width and height in inches."""
        from pptx.util import Inches

        shape = slide.shapes.add_textbox(*map(Inches, box))
        frame = shape.text_frame
        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
        made = [part if isinstance(part, Paragraph) else Paragraph((Run(legal(part)),)) for part in content]
        self.write(frame, made, points, colour)
        return shape

    def write(self, frame: TextFrame, content: Sequence[Paragraph], points: float, colour: str = INK) -> None:
        """Fill a frame with paragraphs; text is text, never a field or a link."""
        from pptx.util import Pt

        for position, paragraph in enumerate(content):
            line = frame.paragraphs[0] if position == 0 else frame.add_paragraph()
            if len(content) > 1:
                line.space_after = Pt(points / 3)
            if paragraph.form in ("bullet", "number"):
                _bullet(line, points, paragraph)
            for run in paragraph.runs:
                self.run(line, run, points * (1.15 if paragraph.form == "heading" else 1), colour)

    def run(self, line: Any, run: Run, points: float, colour: str = INK, raised: bool = False) -> None:
        """Add a run of text to a line; `raised`: as the mark of a footnote."""
        from pptx.dml.color import RGBColor
        from pptx.util import Pt

        made = line.add_run()
        made.text = run.text
        font = made.font
        font.size, font.bold, font.italic = Pt(round(points, 1)), run.bold or None, run.italic or None
        font.color.rgb = RGBColor.from_string(colour)
        if run.fixed:
            font.name = FIXED
        properties = made._r.get_or_add_rPr()
        properties.set("lang", self.tag)
        if self.tag != "en-US":
            properties.set("altLang", "en-US")
        if raised:
            properties.set("baseline", "30000")

    def _footer(self, slide: Slide) -> None:
        from lxml import etree
        from pptx.enum.text import PP_ALIGN
        from pptx.oxml.ns import qn

        self.text(slide, [self.title], (MARGIN, 7.1, ACROSS - 1, 0.25), 9, GREY)
        number = self.text(slide, [""], (WIDE - MARGIN - 0.8, 7.1, 0.8, 0.25), 9, GREY)
        line = number.text_frame.paragraphs[0]
        line.alignment = PP_ALIGN.RIGHT
        for run in list(line.runs):
            line._p.remove(run._r)
        field = etree.SubElement(line._p, qn("a:fld"), id="{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", type="slidenum")
        etree.SubElement(field, qn("a:rPr"), lang=self.tag, sz="900")
        etree.SubElement(field, qn("a:t")).text = str(len(self.show.slides))


def _bullet(line: Any, points: float, paragraph: Paragraph) -> None:
    """Hang a paragraph behind its mark."""
    from lxml import etree
    from pptx.oxml.ns import qn

    step = int(points * 1.1 * 12700)
    properties = line._p.get_or_add_pPr()
    properties.set("marL", str(step * paragraph.level))
    properties.set("indent", str(-step))
    if paragraph.form == "number":
        etree.SubElement(properties, qn("a:buAutoNum"), type="arabicPeriod")
    else:
        etree.SubElement(properties, qn("a:buChar"), char="•")


def _widen(show: Any) -> None:
    """Make the 4:3 template 16:9: what is placed keeps its place in proportion, titles get ours."""
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Emu, Inches

    wide = Inches(WIDE)
    ratio = wide / show.slide_width
    show.slide_width, show.slide_height = wide, Inches(HIGH)
    for page in (show.slide_master, *show.slide_layouts):
        for shape in page.placeholders:
            if shape._element.spPr.xfrm is not None:
                shape.left, shape.width = Emu(int(shape.left * ratio)), Emu(int(shape.width * ratio))
    for page in (show.slide_master, show.slide_layouts[TITLE_ONLY]):
        title = next(shape for shape in page.placeholders if shape.placeholder_format.type in (1, 3))
        title.left, title.top, title.width, title.height = map(Inches, (MARGIN, 0.55, ACROSS, 0.75))
        frame = title.text_frame
        frame.margin_left = frame.margin_right = 0
        frame.vertical_anchor = MSO_ANCHOR.MIDDLE
        frame.paragraphs[0].alignment = PP_ALIGN.LEFT
        levels = page._element.find(".//{*}titleStyle/{*}lvl1pPr")
        if levels is not None:
            levels.set("algn", "l")
