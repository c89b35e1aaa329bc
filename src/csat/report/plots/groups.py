"""Charts about groups: league tables with rank intervals, column letters, and results of a row per figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.names import Names
from csat.report.plots.estimate import estimates
from csat.report.plots.index import group_labels
from csat.report.plots.rows import draw_rows, hidden_last, remarks
from csat.report.tables.cells import groups_of, judge_rows, level_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.comparisons import Letters
    from csat.estimation import Crosstab, Difference
    from csat.shrinkage import Shrunken


def league(result: Shrunken, names: Names, ax: Axes | None) -> Axes:
    """Shrunken figures with intervals, best first; direct ones as crosses, the interval of the rank in the margin."""
    catalogue = words(names.lang)
    frame = result.tidy().sort_values("rank", kind="stable")
    by = groups_of(frame, "estimate")
    frame = hidden_last(frame, by, names.bases)
    labels = style.wrap_rows(group_labels(frame, by, names))
    ax = style.axes_for(ax, style.row_height(labels) + 1.7)
    bases = judge_rows(frame, ("n",), by, names.bases)
    figures = [frame[x].to_numpy(float) for x in ("estimate", "low", "high")]
    draw_rows(ax, labels, bases, *figures, shown=False, name=catalogue.say(Word("plot.shrunken")))
    telling.rows(labels, frame["direct"], bases=bases, name=catalogue.say(Word("plot.direct")))
    for row, (direct, low, high, base) in enumerate(
        zip(frame["direct"], frame["rank_low"], frame["rank_high"], bases, strict=True)
    ):
        if base.hidden:
            style.beside(ax, row, "–", color=style.GREY)
            continue
        ax.plot([direct], [row], "x", ms=5.5, color=style.ORANGE, mew=1.4, zorder=4)
        style.beside(ax, row, f"{low:.0f}–{high:.0f}")
    style.beside(ax, -0.75, catalogue.say(Word("plot.rank")), color=style.GREY, fontsize=8.5)
    ax.axvline(result.mean, color=style.GREY, lw=1, ls=(0, (4, 3)), zorder=1)
    ax.plot([], [], "o", ms=6.5, color=style.BLUE, label=catalogue.say(Word("plot.shrunken")))
    ax.plot([], [], "x", ms=5.5, color=style.ORANGE, mew=1.4, label=catalogue.say(Word("plot.direct")))
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), catalogue.say(Word("plot.common_mean")))
    title = catalogue.say(Word("title.league", {"name": names.code(frame["term"].iloc[0])}))
    style.title_over_legend(ax, title)
    return ax


def letters(result: Letters, names: Names, ax: Axes | None) -> Axes:
    """The figure of the first term in each group, with its letter and the letters that it exceeds."""
    catalogue = words(names.lang)
    tidy = result.tidy()
    by = groups_of(tidy, "estimate")
    frame: pd.DataFrame = tidy[tidy["term"] == tidy["term"].iloc[0]].sort_values("estimate", ascending=False)
    frame = hidden_last(frame, by, names.bases)
    labels = [
        f"{name} ({letter})" for name, letter in zip(group_labels(frame, by, names), frame["letter"], strict=True)
    ]
    labels = style.wrap_rows(labels)
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    bases = judge_rows(frame, ("n",), by, names.bases)
    draw_rows(ax, labels, bases, *(frame[x].to_numpy(float) for x in ("estimate", "low", "high")), shown=False)
    for row, (higher, base) in enumerate(zip(frame["higher_than"], bases, strict=True)):
        style.beside(ax, row, "–" if base.hidden else higher, color=style.INK)
    note = catalogue.say(Word("note.letters", {"alpha": 1 - level_of(result)}))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), note)
    ax.set_title(catalogue.say(Word("title.letters_of", {"name": names.code(frame["term"].iloc[0])})))
    return ax


def crosstab(result: Crosstab, names: Names, ax: Axes | None) -> Axes:
    """Shares of the cells with intervals."""
    return estimates(result.shares, names, ax)


def difference(result: Difference, names: Names, ax: Axes | None) -> Axes:
    """Figures of the groups with intervals."""
    return estimates(result.groups, names, ax)
