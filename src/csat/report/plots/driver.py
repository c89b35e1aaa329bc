"""Charts of driver analysis: coefficients, steps, shares of importance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.style as style
from csat.report.format import number
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.driver import INTERCEPTS
from csat.report.tables.model import sample_notes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers import Importance, Regression, Stepwise


def regression(result: Regression, names: Names, ax: Axes | None) -> Axes:
    """Coefficients with intervals, largest first; grey where the interval spans zero."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.regression", {"outcome": names.running(result.outcome)}))
    about = _about(result.n, result.left_out, names)
    if names.bases.judge(result.n).hidden:
        return style.empty(ax, title, about[-1])
    frame = result.tidy()
    frame = frame[~frame["term"].isin(INTERCEPTS)].sort_values("estimate", ascending=False)
    labels = [style.wrap(name) for name in names.codes(list(frame["term"]))]
    unclear = (frame["low"] <= 0) & (frame["high"] >= 0)
    colours = [style.GREY if spans else style.BLUE for spans in unclear]
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    estimate, low, high = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    bases = [names.bases.judge(result.n)] * len(frame)
    draw_rows(ax, labels, bases, estimate, low, high, kind="estimate", colours=colours)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_xlabel(catalogue.say(Word("plot.coefficient")))
    fit = catalogue.say(Word("plot.explained", {"r2": result.r2}))
    grey = catalogue.say(Word("plot.unclear"))
    style.below(ax, fit, *remarks(bases, names.bases, catalogue, level_of(result)), grey, *about)
    ax.set_title(title)
    return ax


def _about(n: float, left_out: float, names: Names) -> list[str]:
    """Sentences on the respondents of a model."""
    return [words(names.lang).say(note) for note in sample_notes(n, left_out, names.bases)]


def importance(result: Importance, names: Names, ax: Axes | None) -> Axes:
    """Share of the explained variance of each driver, largest first."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.importance", {"outcome": names.running(result.outcome)}))
    n = float(result.estimates.n[0])
    about = _about(n, result.left_out, names)
    if names.bases.judge(n).hidden:
        return style.empty(ax, title, about[-1])
    frame = result.tidy().sort_values("rank", kind="stable")
    labels = [style.wrap(name) for name in names.codes(list(frame["term"]))]
    share = frame["share"].to_numpy(float) / 100
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.3)
    ax.barh(range(len(share)), share, height=0.62, color=style.BLUE)
    style.label_rows(ax, labels)
    for row, value in enumerate(share):
        style.beside(ax, row, number(float(value), "percent"))
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("plot.share")))
    style.below(ax, catalogue.say(Word("plot.explained", {"r2": result.r2})), *about)
    ax.set_title(title)
    return ax


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))


def steps(result: Stepwise, names: Names, ax: Axes | None) -> Axes:
    """R² after each step, and which driver came or went."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.stepwise", {"outcome": names.running(result.outcome)}))
    about = _about(result.n, result.left_out, names)
    if names.bases.judge(result.n).hidden:
        return style.empty(ax, title, about[-1])
    if result.steps.empty:
        return style.empty(ax, title, catalogue.say(Word("note.nothing_entered")))
    frame = result.tidy()
    moves = {"enter": "plot.step_in", "remove": "plot.step_out"}
    labels = [
        style.wrap(catalogue.say(Word(moves.get(action, "plot.step_in"), {"name": name})))
        for action, name in zip(frame["action"], names.codes(list(frame["term"])), strict=True)
    ]
    r2 = frame["r2"].to_numpy(float)
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.3)
    before = r2 - frame["r2_change"].to_numpy(float)
    gained = [style.BLUE if after >= start else style.ORANGE for start, after in zip(before, r2, strict=True)]
    ax.barh(range(len(r2)), before, height=0.62, color=style.RULE)
    ax.barh(range(len(r2)), r2 - before, left=before, height=0.62, color=gained)
    style.label_rows(ax, labels)
    for row, value in enumerate(r2):
        style.beside(ax, row, number(float(value), "estimate"))
    ax.set_xlabel(catalogue.say(Word("plot.r2")))
    style.below(ax, *about)
    ax.set_title(title)
    return ax
