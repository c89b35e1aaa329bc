"""Charts of gaps: both scores joined by a line, or the gaps with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.report.format import DASH, signed
from csat.report.names import Names
from csat.report.plots.index import group_labels
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import judge_rows, level_of
from csat.report.tables.gap import BOTH, Sides, corrected, sides_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.comparisons import Gaps

#: Bases of the own figure, of the peer's, of the gap.
BASES = (("n",), ("n_peer",), BOTH)
PALE = "#a9b3bb"
#: Lines between two scores that differ: own above, own below.
TINTS = ("#b9d6ea", "#f0c4a8")


def _rows(result: Gaps, names: Names) -> tuple[pd.DataFrame, list[str], Sides]:
    """Index and dimensions, then items, each sorted by gap; several own groups are compared at the index only."""
    tidy = result.tidy()
    sides = sides_of(result, tidy, names)
    several = bool(sides.groups) and sides.own is None
    if several and "kind" in tidy:
        tidy = tidy[tidy["kind"] == "index"]
    groups = sides.groups if several else []
    judged = {f"judged {'+'.join(base)}": judge_rows(tidy, base, groups, names.bases) for base in BASES}
    above = tidy["kind"].map({"index": 0, "dimension": 1}).fillna(2) if "kind" in tidy else 2
    last = [base.hidden for base in judged[f"judged {'+'.join(BOTH)}"]]
    order = tidy.assign(**judged, above=above, last=last, lead=-tidy["estimate"])
    frame = order.sort_values(["above", "last", "lead"], kind="stable")
    labels = names.codes(list(frame["term"]))
    if several:
        of_groups = group_labels(frame, sides.groups, names)
        many = frame["term"].nunique() > 1
        labels = [" · ".join(pair) for pair in zip(of_groups, labels, strict=True)] if many else of_groups
    return frame, style.wrap_rows(labels), sides


def _judged(frame: pd.DataFrame, base: tuple[str, ...]) -> list[Base]:
    """Verdicts on the rows; in a column of a frame they are plain texts."""
    return [Base(verdict) for verdict in frame[f"judged {'+'.join(base)}"]]


def _separate(ax: Axes, frame: pd.DataFrame) -> None:
    """Draw a line between index, dimensions and items."""
    levels = frame["above"].to_numpy()
    for row in np.flatnonzero(np.diff(levels)):
        ax.axhline(row + 0.5, color=style.GREY, lw=0.8, zorder=0)


def _weak(frame: pd.DataFrame) -> np.ndarray:
    """Rows whose gap is not shown to differ."""
    return (~frame["verdict"].isin(["different", ""])).to_numpy()


def dumbbell(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Own and peer score of each node on one line, with the interval of the gap around the own one.

    The margin has both scores and the gap; where no difference is shown the line is thin and the gap grey.
    """
    catalogue = words(names.lang)
    frame, labels, sides = _rows(result, names)
    ax = style.axes_for(ax, style.row_height(labels) + 2.0)
    weak = _weak(frame)
    for row, figures in enumerate(frame.to_dict("records")):
        _pair(ax, row, figures, [_judged(frame, base)[row] for base in BASES], weak=bool(weak[row]))
    style.label_rows(ax, labels)
    _separate(ax, frame)
    own_name = sides.own or catalogue.say(Word("plot.own"))
    ax.plot([], [], "o", ms=7, color=style.BLUE, label=own_name)
    ax.plot([], [], "D", ms=5.5, color=style.ORANGE, label=sides.peer)
    for key, bases, name in (
        ("own", _judged(frame, BASES[0]), own_name),
        ("peer", _judged(frame, BASES[1]), sides.peer),
    ):
        telling.rows(labels, frame[key], bases=bases, name=name)
    style.beside(ax, -0.75, catalogue.say(Word("plot.gap_beside")), color=style.GREY, fontsize=8.5)
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    bases = [base for name in BASES[:2] for base in _judged(frame, name)]
    around = [catalogue.say(Word("plot.gap_around", {"level": level_of(result)}))] if any(result.verdict) else []
    style.below(ax, *around, *remarks(bases, names.bases, catalogue), *_notes(result, weak, names, thin=True))
    style.title_over_legend(ax, catalogue.say(Word("title.gaps", {"peer": sides.peer})))
    return ax


def _pair(ax: Axes, row: int, figures: Mapping[Any, Any], judged: Sequence[Base], *, weak: bool) -> None:
    """One row of a dumbbell."""
    own, other, gap = (float(figures[name]) for name in ("own", "peer", "estimate"))
    mine, theirs, both = judged
    if both.hidden or not np.isfinite(gap):
        style.beside(ax, row, DASH, color=style.GREY)
        return
    joined: dict[str, Any] = {"color": style.RULE, "lw": 1.2} if weak else {"color": TINTS[gap < 0], "lw": 5.0}
    ax.plot([own, other], [row, row], zorder=1, solid_capstyle="butt", **joined)
    low, high = other + float(figures["low"]), other + float(figures["high"])
    if np.isfinite(low) and np.isfinite(high):
        ax.plot([low, high], [row, row], color=style.BLUE, lw=1.3, zorder=2, marker="|", ms=5, mew=1.3)
    hollow = [style.PAPER if base is Base.SMALL else colour
              for base, colour in ((mine, style.BLUE), (theirs, style.ORANGE))]  # fmt: skip
    ax.plot([other], [row], "D", ms=5.5, mfc=hollow[1], mec=style.ORANGE, mew=1.4, zorder=3)
    ax.plot([own], [row], "o", ms=7, mfc=hollow[0], mec=style.BLUE, mew=1.4, zorder=4)
    written = f"{own:.1f}   {other:.1f}   {signed(gap)}"
    style.beside(ax, row, written, color=style.GREY if weak else style.INK, fontsize=8.5)


def bars(result: Gaps, names: Names, ax: Axes | None) -> Axes:
    """Gaps with their intervals; grey and thin where no difference is shown."""
    catalogue = words(names.lang)
    frame, labels, sides = _rows(result, names)
    weak, behind = _weak(frame), (frame["estimate"] < 0).to_numpy()
    colours = np.where(weak, PALE, np.where(behind, style.ORANGE, style.BLUE)).tolist()
    ax = style.axes_for(ax, style.row_height(labels) + 1.8)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high")]
    bases = _judged(frame, BOTH)
    draw_rows(ax, labels, bases, *figures, write=signed, colours=colours, form="bars", null=0.0, clear=~weak)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    if any(result.verdict) and result.margin > 0:
        ax.axvspan(-result.margin, result.margin, color=style.RULE, alpha=0.45, lw=0, zorder=0)
    _separate(ax, frame)
    ax.set_xlabel(catalogue.say(Word("plot.gap")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *_notes(result, weak, names, band=True))
    ax.set_title(catalogue.say(Word("title.gaps", {"peer": sides.peer})))
    return ax


def _notes(result: Gaps, weak: np.ndarray, names: Names, *, band: bool = False, thin: bool = False) -> list[str]:
    if not any(result.verdict):
        return []
    alpha = {"alpha": 1 - level_of(result)}
    found = [Word("plot.thin" if thin else "plot.weak", alpha)] if weak.any() else []
    found += [Word("plot.margin", {"margin": result.margin})] if band and result.margin > 0 else []
    return [words(names.lang).say(note) for note in [*found, *corrected(result)]]
