"""Dots with intervals, one row each: the picture of most results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
from csat.bases import Base, Bases
from csat.report.description import Kind
from csat.report.format import DASH, number
from csat.report.words import Word, Words

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_rows(
    ax: Axes,
    labels: Sequence[str],
    bases: Sequence[Base],
    estimate: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    *,
    write: Callable[[float], str] | None = None,
    kind: Kind = "score",
    colours: Sequence[str] | None = None,
    shown: bool = True,
) -> None:
    """Draw estimates (k,) with their intervals; open dots for small bases, a dash instead of hidden ones."""
    for row, base in enumerate(bases):
        colour = colours[row] if colours is not None else style.BLUE
        if base.hidden or not np.isfinite(estimate[row]):
            if shown:
                style.beside(ax, row, DASH, color=style.GREY)
            continue
        if np.isfinite(low[row]) and np.isfinite(high[row]):
            ax.plot([low[row], high[row]], [row, row], color=colour, lw=1.8, solid_capstyle="butt", zorder=2)
        fill = style.PAPER if base is Base.SMALL else colour
        ax.plot([estimate[row]], [row], "o", ms=6.5, mfc=fill, mec=colour, mew=1.5, zorder=3)
        if shown:
            style.beside(ax, row, write(float(estimate[row])) if write else number(float(estimate[row]), kind))
    style.label_rows(ax, labels)


def remarks(verdicts: list[Base], bases: Bases, catalogue: Words, level: float | None = None) -> list[str]:
    """Explain bars, open dots and what is not shown, where the chart has them."""
    said = []
    if level is not None:
        said.append(catalogue.say(Word("plot.interval", {"level": level})))
    if Base.SMALL in verdicts:
        said.append(catalogue.say(Word("plot.small", {"least": bases.suppress, "most": bases.flag - 1})))
    hidden, withheld = verdicts.count(Base.SUPPRESSED), verdicts.count(Base.WITHHELD)
    if hidden:
        said.append(catalogue.say(Word("plot.hidden", {"count": hidden, "least": bases.suppress})))
    if withheld:
        said.append(catalogue.say(Word("plot.withheld", {"count": withheld})))
    return said
