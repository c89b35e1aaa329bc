"""Charts of relative importance: shares with intervals, of one analysis or of several groups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.report.format import number
from csat.report.names import Names
from csat.report.plots.driver import about, named_terms, percent, said, side_by_side, without_errors
from csat.report.plots.rows import remarks
from csat.report.tables.cells import level_of
from csat.report.tables.driver import too_few
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers import Importance

FIGURES = ("share", "share_low", "share_high")


def importance(result: Importance, names: Names, ax: Axes | None) -> Axes:
    """Share of the explained variance of each driver with its interval, largest first; groups side by side."""
    title = words(names.lang).say(Word("title.importance", {"outcome": names.running(result.outcome)}))
    n = result.glance()["n"].to_numpy(float)
    sentences = about(n, result.left_out, names)
    if too_few(n, names):
        return style.empty(ax, title, sentences[-1])
    if len(result.groups) > 1:
        return _groups(result, names, ax, title, sentences)
    return _bars(result, names, ax, title, sentences)


def _axis(ax: Axes, result: Importance, names: Names) -> None:
    ax.set_xlabel(words(names.lang).say(Word("plot.share" if result.adds_up else "column.share_of_sum")))
    percent(ax, 100.0)


def _bars(result: Importance, names: Names, ax: Axes | None, title: str, sentences: list[str]) -> Axes:
    catalogue = words(names.lang)
    frame = result.tidy().sort_values("rank", kind="stable")
    labels = named_terms(frame["term"].tolist(), names)
    base = names.bases.judge(float(frame["n"].min()))
    vague = {note.term for note in result.notes if note.kind == "noise"}
    share, low, high = (frame[name].to_numpy(float) for name in FIGURES)
    colours = [style.LIGHT_GREY if term in vague else style.LIGHT_BLUE for term in frame["term"]]
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.5)
    ax.barh(
        range(len(share)), share, height=0.62, edgecolor=style.GREY if base is Base.SMALL else style.PAPER, lw=1.0,
        color=[style.PAPER] * len(share) if base is Base.SMALL else colours,
    )  # fmt: skip
    ax.hlines(range(len(share)), low, high, color=style.INK, lw=1.4, zorder=3)
    ax.plot(np.r_[low, high], np.tile(np.arange(len(share)), 2), "|", ms=6, mew=1.4, color=style.INK, zorder=3)
    style.label_rows(ax, labels)
    telling.rows(
        labels, share / 100, low / 100, high / 100, bases=[base] * len(share), kind="bars", unit="percent"
    )  # fmt: skip
    for row, value in enumerate(share):
        style.beside(ax, row, number(float(value) / 100, "chance"))
    _axis(ax, result, names)
    fit = said(names, Word("plot.explained", {"r2": float(result.r2)}))
    grey = said(names, Word("plot.noise_share")) if vague else []
    level = level_of(result) if np.isfinite(low).any() else None
    marks = remarks([base] * len(share), names.bases, catalogue, level)
    style.below(ax, *fit, *marks, *(without_errors(result.estimates, names) if level is None else grey), *sentences)
    ax.set_title(title)
    return ax


def _groups(result: Importance, names: Names, ax: Axes | None, title: str, sentences: list[str]) -> Axes:
    """Drivers in the order of their mean rank."""
    frame = result.tidy()
    order = frame.groupby("term", sort=False)["share"].mean().sort_values(ascending=False, kind="stable").index
    place = {term: at for at, term in enumerate(order)}
    frame = frame.iloc[np.argsort(frame["term"].map(place).to_numpy(), kind="stable")]
    by = list(result.estimates.keys)

    def finish(axes: Axes) -> list[str]:
        axes.set_xlim(left=min(0.0, axes.get_xlim()[0]))
        _axis(axes, result, names)
        return sentences

    return side_by_side(ax, frame, by, FIGURES, names, title=title, finish=finish, level=level_of(result))
