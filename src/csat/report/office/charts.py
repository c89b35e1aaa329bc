"""Charts that Office draws itself and whose figures its users can edit, with the intervals of the result."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from csat.report.chart import Chart, Series
from csat.report.format import EXCEL, legal
from csat.report.office.fonts import GREY, INK, RULE, SERIES
from csat.report.text import width

if TYPE_CHECKING:
    from pptx.chart.chart import Chart as Drawn

Row = tuple[float | None, ...]

#: Colour of bars that carry intervals; grades from the best to the worst; answers from the middle outwards.
SKY, GRADES = "8CC4E8", ("2166AC", "67A9CF", "D9DEE2", "F4A582", "B2182B")
BELOW, ABOVE = ("D9DEE2", "F4A582", "B2182B"), ("D9DEE2", "67A9CF", "2166AC")
#: Categories that one chart shows legibly.
MOST = 24
#: How bars of several series lie: side by side, or in one row.
OVERLAP = {"bars": 0, "stacked": 100, "diverging": 100}


def drawable(chart: Chart | None) -> bool:
    """Whether Office can draw it honestly: bars from 0 and lines; points on a cropped axis stay pictures."""
    return chart is not None and chart.native and bool(chart.series) and chart.kind in (*OVERLAP, "lines")


def as_bars(chart: Chart) -> Chart | None:
    """Draw points of scores as bars from 0, with their intervals; None: it is not honest, or there are no figures."""
    points = [value for series in chart.series for value in series.values if value is not None]
    if chart.kind != "dots" or chart.unit != "score" or len(chart.series) != 1 or min(points, default=-1.0) < 0:
        return None
    return replace(chart, kind="bars")


def divided(chart: Chart) -> list[Chart]:
    """Split a chart of many rows into charts of about as many each."""
    count = len(chart.categories)
    if chart.kind == "lines" or count <= MOST:
        return [chart]
    step = math.ceil(count / math.ceil(count / MOST))
    return [
        replace(
            chart,
            categories=chart.categories[start : start + step],
            series=tuple(_cut(series, start, start + step) for series in chart.series),
        )
        for start in range(0, count, step)
    ]


def limits(chart: Chart) -> tuple[float, float, float]:
    """Ends of the axis of values and its step, over all of a chart's rows and intervals: bars begin at 0."""
    rows = [series.values for series in chart.series]
    if chart.kind in ("stacked", "diverging"):
        columns = list(zip(*rows, strict=True))
        ends = [
            sum(value for value in column if value is not None and (value > 0) == above)
            for column in columns
            for above in (True, False)
        ]
    else:
        ends = [value for row in rows for value in row if value is not None]
        ends += [value for series in chart.series for value in (*series.low, *series.high) if value is not None]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if chart.kind != "lines":
        low, high = min(low, 0.0), max(high, 0.0)
    step = _step(high - low)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step, step


def figures_of(chart: Chart) -> Any:
    """Figures of a chart, as computed, for python-pptx."""
    from pptx.chart.data import CategoryChartData

    code = EXCEL[chart.unit]
    # python-pptx writes formats into XML as they are; labels and axes have the whole one.
    data = CategoryChartData(number_format="0%" if "<" in code else code)
    data.categories = [legal(category) for category in chart.categories]
    for series in chart.series:
        data.add_series(legal(series.name) or legal(chart.title), series.values)
    return data


def type_of(chart: Chart) -> Any:
    """Its type in Office."""
    from pptx.enum.chart import XL_CHART_TYPE

    if chart.kind == "lines":
        return XL_CHART_TYPE.LINE_MARKERS
    return XL_CHART_TYPE.BAR_CLUSTERED if chart.kind == "bars" else XL_CHART_TYPE.BAR_STACKED


def finish(drawn: Drawn, chart: Chart, ends: tuple[float, float, float]) -> None:
    """Give a chart the style of the report: axes, colours, intervals, labels.

    Parameters
    ----------
    ends : of the axis of values, and its step: the same for all parts of one chart.
    """
    from pptx.util import Pt

    drawn.has_title = False
    drawn.font.size = Pt(10)
    drawn.font.color.rgb = _colour(INK)
    drawn.has_legend = len(chart.series) > 1
    if drawn.has_legend:
        from pptx.enum.chart import XL_LEGEND_POSITION

        drawn.legend.position = XL_LEGEND_POSITION.BOTTOM
        drawn.legend.include_in_layout = False
    _axes(drawn, chart, ends)
    plot = drawn.plots[0]
    if chart.kind in OVERLAP:
        plot.gap_width, plot.overlap = 60, OVERLAP[chart.kind]
    for position, (shape, series) in enumerate(zip(plot.series, chart.series, strict=True)):
        _paint(shape, chart, position)
        if series.low and series.high:
            _insert(shape, _intervals(series, chart.kind == "lines"))
        elif not any(other.low for other in chart.series):
            _label(shape, chart, position)


def _label(shape: Any, chart: Chart, position: int) -> None:
    """Write the figures at or in the marks, in a colour that is read there."""
    from pptx.util import Pt

    labels = shape.data_labels
    labels.show_value = True
    labels.number_format, labels.number_format_is_linked = _label_format(chart), False
    labels.font.size = Pt(9)
    inside = chart.kind in ("stacked", "diverging") and _dark(colours(chart)[position])
    labels.font.color.rgb = _colour("FFFFFF" if inside else INK)


def _axes(drawn: Drawn, chart: Chart, ends: tuple[float, float, float]) -> None:
    from pptx.enum.chart import XL_TICK_LABEL_POSITION
    from pptx.util import Pt

    values, names = drawn.value_axis, drawn.category_axis
    values.minimum_scale, values.maximum_scale, values.major_unit = ends
    values.tick_labels.number_format = _tick_format(chart, ends[2])
    values.tick_labels.number_format_is_linked = False
    values.major_gridlines.format.line.color.rgb = _colour(RULE)
    values.major_gridlines.format.line.width = Pt(0.5)
    values.format.line.fill.background()
    names.format.line.color.rgb = _colour(GREY)
    names.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    names.tick_labels.font.size = Pt(9 if len(chart.categories) > MOST // 2 or _long(chart) else 10)
    if chart.kind != "lines":
        # The first row on top, the figures below all the same.
        names.reverse_order = True
        values._element.find("{*}crosses").set("val", "max")


def colours(chart: Chart) -> list[str]:
    """Colour of each series: grades and answers in their order, other series told apart."""
    if chart.kind == "diverging":
        # An answer that nobody gave keeps its side by the sign of its zero.
        sides = [
            any(value is not None and math.copysign(1.0, value) < 0 for value in one.values) for one in chart.series
        ]
        return [
            _shade(BELOW if under else ABOVE, sides[:position].count(under), sides.count(under))
            for position, under in enumerate(sides)
        ]
    if chart.kind == "stacked" and len(chart.series) == len(GRADES):
        return list(GRADES)
    return [SERIES[position % len(SERIES)] for position in range(len(chart.series))]


def _shade(shades: tuple[str, ...], position: int, count: int) -> str:
    """From the middle outwards; the outermost is the darkest."""
    return shades[round(position * (len(shades) - 1) / (count - 1))] if count > 1 else shades[-1]


def _dark(colour: str) -> bool:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (0, 2, 4))
    return 0.3 * red + 0.59 * green + 0.11 * blue < 140


def _long(chart: Chart) -> bool:
    return max(map(width, chart.categories), default=0) > 40


def _format(chart: Chart) -> str:
    """Both sides of a diverging chart are shares; none of them is negative."""
    code = EXCEL[chart.unit]
    return f"{code};{code}" if chart.kind == "diverging" and ";" not in code else code


def _label_format(chart: Chart) -> str:
    """Shares in a row of bars are whole per cents, as in the picture, and nothing where there is no bar."""
    return "0%;0%;" if chart.kind in ("stacked", "diverging") and chart.unit == "percent" else _format(chart)


def _tick_format(chart: Chart, step: float) -> str:
    """Format of the axis: no more decimals than its steps have."""
    if chart.unit in ("percent", "chance", "percentage_points") and step > 0.0099:
        return "0%;0%" if chart.kind == "diverging" else "0%"
    return "0" if chart.unit == "score" and step > 0.99 else _format(chart)


def _paint(shape: Any, chart: Chart, position: int) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.util import Pt

    # Dark intervals must be seen before their bars.
    light = chart.kind == "bars" and len(chart.series) == 1 and bool(chart.series[0].low)
    colour = _colour(SKY if light else colours(chart)[position])
    if chart.kind != "lines":
        shape.format.fill.solid()
        shape.format.fill.fore_color.rgb = colour
        shape.format.line.color.rgb = _colour("FFFFFF")
        shape.invert_if_negative = False
        return
    styles = (XL_MARKER_STYLE.CIRCLE, XL_MARKER_STYLE.SQUARE, XL_MARKER_STYLE.TRIANGLE, XL_MARKER_STYLE.DIAMOND)
    shape.smooth = False
    shape.format.line.color.rgb = colour
    shape.format.line.width = Pt(2)
    shape.marker.style, shape.marker.size = styles[position % len(styles)], 7
    shape.marker.format.fill.solid()
    shape.marker.format.fill.fore_color.rgb = colour


def _intervals(series: Series, upright: bool) -> Any:
    """Both ends of the intervals, as distances from the values; python-pptx has no words for them."""
    from lxml import etree
    from pptx.oxml.ns import qn

    bars = etree.Element(qn("c:errBars"))
    head = (("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "0"))
    # Bars have their intervals along themselves; only lines say a direction.
    for tag, said in (("errDir", "y"), *head) if upright else head:
        etree.SubElement(bars, qn(f"c:{tag}"), val=said)
    sides: tuple[tuple[str, Row, int], ...] = (("plus", series.high, 1), ("minus", series.low, -1))
    for name, ends, sign in sides:
        literal = etree.SubElement(etree.SubElement(bars, qn(f"c:{name}")), qn("c:numLit"))
        etree.SubElement(literal, qn("c:formatCode")).text = "General"
        etree.SubElement(literal, qn("c:ptCount"), val=str(len(series.values)))
        for place, (value, end) in enumerate(zip(series.values, ends, strict=True)):
            if value is not None and end is not None:
                point = etree.SubElement(literal, qn("c:pt"), idx=str(place))
                etree.SubElement(point, qn("c:v")).text = repr(max(0.0, sign * (end - value)))
    line = etree.SubElement(etree.SubElement(bars, qn("c:spPr")), qn("a:ln"), w="12700")
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr"), val=INK)
    return bars


def _insert(shape: Any, bars: Any) -> None:
    """Put intervals where the schema wants them: before the categories of the series."""
    from pptx.oxml.ns import qn

    element = shape._element
    before = next(child for child in element if child.tag in (qn("c:cat"), qn("c:val")))
    before.addprevious(bars)


def _cut(series: Series, start: int, stop: int) -> Series:
    return replace(series, values=series.values[start:stop], low=series.low[start:stop], high=series.high[start:stop])


def _step(span: float) -> float:
    """Choose a round distance of which 4 to 10 make the span."""
    size = 10.0 ** math.floor(math.log10(span)) if span > 0 else 0.25
    return next(step for step in (size / 10, size / 5, size / 2, size, 2 * size) if span / step <= 8)


def _colour(name: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(name)
