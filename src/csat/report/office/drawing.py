"""Pictures and charts on slides: as large as is legible, divided where they have too many rows."""

from __future__ import annotations

import io
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from csat.report.chart import Chart
from csat.report.document import Picture
from csat.report.format import legal
from csat.report.office import charts
from csat.report.office.deck import ACROSS, BOTTOM, LINE, TOP, Deck, lines_in
from csat.report.office.fonts import GREY
from csat.report.office.marks import redrawn

if TYPE_CHECKING:
    from pptx.slide import Slide

Box = tuple[float, float, float, float]

#: Inches beside texts; the smallest and the largest part of its natural size that a picture is shown in.
BESIDE, SMALLEST, LARGEST = 7.9, 0.78, 1.4
#: Inches of a row of a chart, at least and at best, and of its axis and legend; of a chart of lines; points of notes.
ROW, BEST, AROUND, LINES, NOTES = 0.2, 0.4, 0.9, 3.4, 10
#: CSS pixels of an inch.
PIXELS = 110


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture that will stand on a slide.

    chart : what Office draws itself; None: the image.
    title : above it. alt : for those who do not see it. notes : below it.
    size : of the image in inches, as it is meant.
    ends : of the axis of values and its step, the same for all parts of a chart.
    """

    picture: Picture
    chart: Chart | None
    title: str
    alt: str
    notes: tuple[str, ...]
    size: tuple[float, float]
    ends: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def of(cls, picture: Picture, section: str) -> Drawing:
        """Decide whether Office draws it, for its form or because the image would be too small to be read."""
        chart, size = picture.chart, _size(picture)
        title = chart.title if chart is not None and chart.title else section
        notes = tuple(map(legal, chart.notes)) if chart is not None else ()
        if chart is not None and not charts.drawable(chart):
            tall = size[1] * SMALLEST > BOTTOM - TOP
            chart = charts.as_bars(chart) if tall else None
        ends = (0.0, 0.0, 0.0) if chart is None else charts.limits(chart)
        notes = notes if chart is None else redrawn(notes, chart.kind == "lines")
        return cls(picture, chart, title, picture.alt, notes, size, ends)

    @property
    def wide(self) -> float:
        """Inches that it takes beside texts."""
        return BESIDE

    def least(self) -> float:
        """Inches of height that it is legible with."""
        if self.chart is None:
            return self.size[1] * min(SMALLEST, BESIDE / self.size[0])
        if len(charts.divided(self.chart)) > 1:
            return 2 * (BOTTOM - TOP)
        return self._of_rows(ROW) + self._below(BESIDE)

    def parts(self) -> list[Drawing]:
        """Divide it into what single slides hold."""
        if self.chart is None:
            return [self]
        return [replace(self, chart=part) for part in charts.divided(self.chart)]

    def draw(self, deck: Deck, slide: Slide, box: Box) -> float:
        """Draw into a box and return where it ends."""
        left, top, wide, high = box
        if self.chart is None:
            return _fit(slide, self.picture, self.size, box)
        from pptx.util import Inches

        below = self._below(wide)
        used = min(high - below, self._of_rows(BEST))
        place = (Inches(left), Inches(top), Inches(wide), Inches(used))
        frame: Any = slide.shapes.add_chart(charts.type_of(self.chart), *place, charts.figures_of(self.chart))
        _describe(frame, self.alt)
        charts.finish(frame.chart, self.chart, self.ends)
        if self.notes:
            deck.text(slide, self.notes, (left, top + used + 0.05, wide, below), NOTES, GREY)
        return top + used + below

    def _of_rows(self, row: float) -> float:
        if self.chart is None or self.chart.kind == "lines":
            return LINES if row == ROW else LINES * 1.4
        beside = len(self.chart.series) if self.chart.kind == "bars" else 1
        return AROUND + row * len(self.chart.categories) * (1 + (beside - 1) * 0.6)

    def _below(self, wide: float) -> float:
        return _height(self.notes, wide) + 0.1 if self.notes else 0.0


def _height(notes: Sequence[str], wide: float) -> float:
    return sum(lines_in(note, wide, NOTES) * LINE for note in notes) * NOTES / 72


def _size(picture: Picture) -> tuple[float, float]:
    """Inches of an image as a page shows it."""
    if picture.mime != "image/png" or len(picture.image) < 24:
        return ACROSS, BOTTOM - TOP
    across, down = struct.unpack(">II", picture.image[16:24])
    wide = (picture.width or across) / PIXELS
    return wide, wide * down / max(1, across)


def _fit(slide: Slide, picture: Picture, size: tuple[float, float], box: Box) -> float:
    """Place an image in a box, no larger than its letters bear, and return where it ends."""
    from pptx.util import Inches

    left, top, wide, high = box
    scale = min(wide / size[0], high / size[1], LARGEST)
    start = left + (wide - size[0] * scale) / 2
    place = map(Inches, (start, top, size[0] * scale, size[1] * scale))
    shape = slide.shapes.add_picture(io.BytesIO(picture.image), *place)
    _describe(shape, picture.alt)
    return top + size[1] * scale


def _describe(shape: Any, alt: str) -> None:
    """Give a picture or a chart its text for those who do not see it."""
    shape._element.xpath(".//p:cNvPr")[0].set("descr", legal(alt))
