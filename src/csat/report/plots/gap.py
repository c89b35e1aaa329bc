"""Charts of gaps: both scores joined by a line, or the gaps with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.report.base import Base, judge
from csat.report.format import DASH, MINUS, number
from csat.report.names import Names
from csat.report.plots.index import group_labels
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of, smallest_base
from csat.report.tables.gap import BOTH, Sides, sides_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.comparisons import Gaps


def _rows(result: Gaps, names: Names) -> tuple[pd.DataFrame, list[str], Sides]:
    """Rows sorted by gap, their labels, both sides; several own groups are compared at the index only."""
    tidy = result.tidy()
    sides = sides_of(result, tidy, names)
    several = bool(sides.groups) and sides.own is None
    if several and "kind" in tidy:
        tidy = tidy[tidy["kind"] == "index"]
    frame = tidy.sort_values("estimate", ascending=False)
    labels = names.codes(list(frame["term"]))
    if several:
        of_groups = group_labels(frame, sides.groups, names)
        many = frame["term"].nunique() > 1
        labels = [" · ".join(pair) for pair in zip(of_groups, labels, strict=True)] if many else of_groups
    smallest = [smallest_base(row, BOTH) for row in frame.to_dict("records")]
    return frame.assign(base=smallest), [style.wrap(label) for label in labels], sides


def dumbbell(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Own and peer score of each node on one line, largest lead first; the gap stands in the margin."""
    catalogue = words(names.lang)
    frame, labels, sides = _rows(result, names)
    ax = style.axes_for(ax, style.row_height(labels) + 1.6)
    bases = [judge(base) for base in frame["base"]]
    for row, (own, other, gap, base) in enumerate(
        zip(frame["own"], frame["peer"], frame["estimate"], bases, strict=True)
    ):
        if base is Base.SUPPRESSED or not np.isfinite(gap):
            style.beside(ax, row, DASH, color=style.GREY)
            continue
        fill = (style.PAPER, style.PAPER) if base is Base.SMALL else (style.BLUE, style.ORANGE)
        ax.plot([own, other], [row, row], color=style.RULE if gap >= 0 else "#f0c4a8", lw=4, zorder=1)
        ax.plot([other], [row], "D", ms=5.5, mfc=fill[1], mec=style.ORANGE, mew=1.4, zorder=2)
        ax.plot([own], [row], "o", ms=7, mfc=fill[0], mec=style.BLUE, mew=1.4, zorder=3)
        style.beside(ax, row, signed(float(gap)))
    style.label_rows(ax, labels)
    mine = sides.own or catalogue.say(Word("plot.own"))
    ax.plot([], [], "o", ms=7, color=style.BLUE, label=mine)
    ax.plot([], [], "D", ms=5.5, color=style.ORANGE, label=sides.peer)
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    style.below(ax, *remarks(bases, catalogue))
    style.title_over_legend(ax, catalogue.say(Word("title.gaps", {"peer": sides.peer})))
    return ax


def bars(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Gaps with their intervals, largest lead first; grey where the difference is not clear."""
    catalogue = words(names.lang)
    frame, labels, sides = _rows(result, names)
    unclear = (~frame["verdict"].isin(["different", ""])).to_numpy()
    behind = (frame["estimate"] < 0).to_numpy()
    colours = np.where(unclear, style.GREY, np.where(behind, style.ORANGE, style.BLUE)).tolist()
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high", "base")]
    bases = draw_rows(ax, labels, *figures, write=signed, colours=colours)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_xlabel(catalogue.say(Word("plot.gap")))
    style.below(ax, *remarks(bases, catalogue, level_of(result)))
    ax.set_title(catalogue.say(Word("title.gaps", {"peer": sides.peer})))
    return ax


def signed(value: float) -> str:
    """Write a gap with its sign.

    >>> signed(5.29), signed(-15.47)
    ('+5.29', '−15.47')
    """
    text = number(value, "score")
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"
