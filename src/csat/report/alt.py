"""What a chart shows, in sentences for those who cannot see it; no sentence claims more than the intervals allow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from csat.report.chart import Chart, Series
from csat.report.format import number, signed
from csat.report.words import Word, words

#: Lines and bars described one by one at most, names listed at most, names of rows at most in one sentence.
MOST, LISTED = 4, 6


@dataclass(frozen=True, slots=True)
class Story:
    """What the figures alone do not say.

    null : value that means no difference, if there is one.
    clear : (k,) where the result itself says that a row differs from it; empty: the intervals say it.
    said : sentences on a picture that has no series.
    alike : whether all rows have one scale, so that one may be called the highest.
    """

    null: float | None = None
    clear: Sequence[bool | None] = ()
    said: Sequence[str] = ()
    alike: bool = True


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a chart with its name and, if it has one, its interval."""

    name: str
    value: float
    low: float | None
    high: float | None


def alt(chart: Chart, lang: str, story: Story | None = None) -> str:
    """Describe a chart.

    Parameters
    ----------
    chart : its `alt` is not read.
    lang : "en" or "zh". story : what else is known of it; None: nothing.

    Returns
    -------
    str
        What is drawn, how many rows, the highest and the lowest with their intervals, what differs.
    """
    catalogue, story = words(lang), story or Story()
    found: list[Word | str] = [_ended(chart.title), *story.said]
    if any(value is not None for series in chart.series for value in series.values):
        found += _described(chart, story, lang)
    space = "" if lang == "zh" else " "
    return space.join(catalogue.say(sentence) for sentence in found)


def _described(chart: Chart, story: Story, lang: str) -> Iterator[Word]:
    if chart.kind == "lines":
        yield from _lines(chart, lang)
    elif chart.kind in ("stacked", "diverging"):
        yield from _parts(chart, lang)
    else:
        yield from _rows(chart, story, lang)
    hidden = sum(value is None for series in chart.series for value in series.values)
    if hidden:
        yield Word("alt.hidden", {"count": hidden})


def _rows(chart: Chart, story: Story, lang: str) -> Iterator[Word]:
    many = len(chart.series) > 1
    if many:
        names = _listed([series.name for series in chart.series], lang)
        yield Word("alt.groups", {"rows": len(chart.categories), "count": len(chart.series), "names": names})
    figures = [figure for series in chart.series for figure in _figures(chart, series, lang, named=many)]
    if len(figures) == 1:
        yield Word("alt.one", {"row": _said(chart, figures[0], story)})
        return
    if not many:
        yield Word("alt.rows", {"rows": len(chart.categories)})
    if not story.alike:
        return
    top, bottom = max(figures, key=lambda one: one.value), min(figures, key=lambda one: one.value)
    ends = {"top": _said(chart, top, story), "bottom": _said(chart, bottom, story)}
    yield Word("alt.ends", ends)
    if story.null is not None:
        yield from _against(figures, story, many=many)
    elif None not in (top.low, bottom.high) and top is not bottom:
        yield Word("alt.apart" if _apart(top, bottom) else "alt.overlap")


def _against(figures: Sequence[Figure], story: Story, *, many: bool) -> Iterator[Word]:
    """How many rows differ from nothing, by the result's own verdicts or by the intervals."""
    null = float(story.null or 0.0)
    verdicts = list(story.clear) if story.clear and not many and len(story.clear) == len(figures) else None
    known = [figure for figure in figures if figure.low is not None and figure.high is not None]
    if verdicts is None and not known:
        return
    clear = verdicts or [_clear(figure, null) for figure in figures]
    above = sum(bool(sure) and figure.value > null for sure, figure in zip(clear, figures, strict=True))
    below = sum(bool(sure) and figure.value < null for sure, figure in zip(clear, figures, strict=True))
    blanks = {"null": f"{null:g}", "above": above, "below": below, "rest": len(figures) - above - below}
    yield Word("alt.against", blanks)


def _clear(figure: Figure, null: float) -> bool:
    return figure.low is not None and figure.high is not None and (figure.low > null or figure.high < null)


def _lines(chart: Chart, lang: str) -> Iterator[Word]:
    periods = {"first": chart.categories[0], "last": chart.categories[-1], "periods": len(chart.categories)}
    yield Word("alt.lines", {"count": len(chart.series), **periods})
    for series in chart.series[:MOST]:
        figures = _figures(chart, series, lang)
        if not figures:
            continue
        first, last = figures[0], figures[-1]
        if first is last:
            yield Word("alt.line_one", {"name": _plain(series.name), "row": _said(chart, last, Story())})
            continue
        ends = {"first": _said(chart, first, Story()), "last": _said(chart, last, Story())}
        yield Word("alt.line", {"name": _plain(series.name), **ends})
        if None not in (first.low, last.low):
            yield Word("alt.ends_apart" if _apart(first, last) or _apart(last, first) else "alt.ends_overlap")
    if len(chart.series) > MOST:
        yield Word("alt.further", {"count": len(chart.series) - MOST})


def _parts(chart: Chart, lang: str) -> Iterator[Word]:
    names = _listed([series.name for series in chart.series], lang)
    yield Word("alt.parts", {"rows": len(chart.categories), "names": names})
    shown = [at for at in range(len(chart.categories)) if any(series.values[at] is not None for series in chart.series)]
    for at in dict.fromkeys((shown[0], shown[-1])):
        if chart.kind == "diverging":
            yield _sides(chart, at)
            continue
        sizes = [(abs(series.values[at] or 0.0), series.name) for series in chart.series]
        size, name = max(sizes, key=lambda one: one[0])
        if size == 0:
            continue
        blanks = {"row": _plain(chart.categories[at]), "part": _plain(name), "share": number(size, chart.unit)}
        yield Word("alt.most", blanks)


def _sides(chart: Chart, at: int) -> Word:
    """What lies on both sides of 0 in a row."""
    values = [series.values[at] or 0.0 for series in chart.series]
    below, above = (number(abs(sum(value for value in values if sign * value > 0)), chart.unit) for sign in (-1, 1))
    return Word("alt.sides", {"row": _plain(chart.categories[at]), "below": below, "above": above})


def _figures(chart: Chart, series: Series, lang: str, *, named: bool = False) -> list[Figure]:
    """Figures of a series that are shown, each with the name of its row, or of its group and row."""
    empty: tuple[float | None, ...] = (None,) * len(series.values)
    join = "：" if lang == "zh" else ": "
    return [
        Figure(_plain(category) + (f"{join}{_plain(series.name)}" if named else ""), value, low, high)
        for category, value, low, high in zip(
            chart.categories, series.values, series.low or empty, series.high or empty, strict=True
        )
        if value is not None
    ]


def _said(chart: Chart, figure: Figure, story: Story) -> Word:
    """A row with its figure and interval."""
    write = signed if story.null == 0 and chart.unit in ("score", "estimate", "percentage_points") else number
    blanks = {"name": figure.name, "value": write(figure.value, chart.unit)}
    if figure.low is None or figure.high is None or chart.level is None:
        return Word("alt.figure", blanks)
    ends = {"low": number(figure.low, chart.unit), "high": number(figure.high, chart.unit), "level": chart.level}
    return Word("alt.figure_interval", {**blanks, **ends})


def _apart(top: Figure, bottom: Figure) -> bool:
    """Whether the interval of one lies wholly above that of the other."""
    return top.low is not None and bottom.high is not None and top.low > bottom.high


def _plain(name: str) -> str:
    return name.removesuffix(" ○").strip()


def _ended(title: str) -> Word | str:
    """The title as a sentence."""
    return title if title.endswith(tuple("。.?!？！")) else Word("alt.titled", {"title": title})


def _listed(names: Sequence[str], lang: str) -> str:
    kept = [_plain(name) for name in names if name]
    joint = "、" if lang == "zh" else ", "
    return joint.join(kept[:LISTED]) + ("…" if len(kept) > LISTED else "")
