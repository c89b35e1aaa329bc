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
from csat.report.tables.cells import groups_of, level_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.comparisons import Gaps


def _rows(result: Gaps, names: Names) -> tuple[pd.DataFrame, list[str], str]:
    """Rows sorted by gap, their labels and the peer's name; several own groups are compared at the index only."""
    tidy = result.tidy()
    by = groups_of(tidy, "own")
    several = tidy[by].drop_duplicates().shape[0] > 1
    if several and "kind" in tidy:
        tidy = tidy[tidy["kind"] == "index"]
    frame = tidy.sort_values("estimate", ascending=False)
    terms = names.codes(list(frame["term"]))
    labels = group_labels(frame, by, names) if several and "kind" in tidy else terms
    smallest = frame[["n", "n_peer"]].min(axis=1).astype(float)
    if result.estimates.provenance.sample == "published":
        smallest[:] = np.nan
    return frame.assign(base=smallest), [style.wrap(label) for label in labels], names.value(by[0], result.against)


def dumbbell(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Own and peer score of each node on one line, largest lead first; the gap stands in the margin."""
    catalogue = words(names.lang)
    frame, labels, peer = _rows(result, names)
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
    own_labels = names.values(groups_of(frame, "own")[0], list(dict.fromkeys(frame[groups_of(frame, "own")[0]])))
    mine = own_labels[0] if len(own_labels) == 1 else catalogue.say(Word("plot.own"))
    ax.plot([], [], "o", ms=7, color=style.BLUE, label=mine)
    ax.plot([], [], "D", ms=5.5, color=style.ORANGE, label=peer)
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    style.below(ax, *remarks(bases, catalogue))
    style.title_over_legend(ax, catalogue.say(Word("title.gaps", {"peer": peer})))
    return ax


def bars(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Gaps with their intervals, largest lead first; grey where the interval spans zero."""
    catalogue = words(names.lang)
    frame, labels, peer = _rows(result, names)
    unclear = ((frame["low"] <= 0) & (frame["high"] >= 0)).to_numpy()
    behind = (frame["estimate"] < 0).to_numpy()
    colours = np.where(unclear, style.GREY, np.where(behind, style.ORANGE, style.BLUE)).tolist()
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high", "base")]
    bases = draw_rows(ax, labels, *figures, write=signed, colours=colours)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_xlabel(catalogue.say(Word("plot.gap")))
    style.below(ax, *remarks(bases, catalogue, level_of(result)))
    ax.set_title(catalogue.say(Word("title.gaps", {"peer": peer})))
    return ax


def signed(value: float) -> str:
    """Write a gap with its sign.

    >>> signed(5.29), signed(-15.47)
    ('+5.29', '−15.47')
    """
    text = number(value, "score")
    return text if text.startswith(MINUS) or float(text) == 0 else f"+{text}"
