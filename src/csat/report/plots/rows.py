"""Dots with intervals, one row each: the picture of most results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base, Bases
from csat.report.chart import Form
from csat.report.description import Kind
from csat.report.format import DASH, number
from csat.report.tables.cells import judge_rows
from csat.report.words import Word, Words

if TYPE_CHECKING:
    import pandas as pd
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
    name: str = "",
    form: Form = "dots",
    null: float | None = None,
    clear: Sequence[bool] | np.ndarray = (),
    depths: Sequence[int] = (),
    thick: Sequence[float] | None = None,
    size: Sequence[float] | None = None,
) -> None:
    """Draw estimates (k,) with their intervals; open dots for small bases, a dash instead of hidden ones.

    `name`, `form`, `null` and `clear` go into what the chart tells about itself, see `telling.rows`. `depths` indents
    the labels; `thick` and `size` are of the intervals and dots of each row.
    """
    telling.rows(
        labels, estimate, low, high, bases=bases, name=name, kind=form, unit=kind, null=null, clear=clear,
    )  # fmt: skip
    shades = list(colours) if colours is not None else [style.BLUE] * len(bases)
    known = np.array([not base.hidden for base in bases], bool) & np.isfinite(estimate)
    ended = known & np.isfinite(low) & np.isfinite(high)
    _intervals(ax, np.flatnonzero(ended), low, high, shades, thick)
    _dots(ax, np.flatnonzero(known), estimate, shades, bases, size)
    for row in range(len(bases) if shown else 0):
        if known[row]:
            style.beside(ax, row, write(float(estimate[row])) if write else number(float(estimate[row]), kind))
        else:
            style.beside(ax, row, DASH, color=style.GREY)
    style.label_rows(ax, labels, depths=depths)


def _intervals(
    ax: Axes, rows: np.ndarray, low: np.ndarray, high: np.ndarray, colours: Sequence[str], thick: Sequence[float] | None
) -> None:
    for row in rows.tolist():
        ax.plot(
            [low[row], high[row]], [row, row], color=colours[row], lw=thick[row] if thick else 1.8,
            solid_capstyle="butt", zorder=2,
        )  # fmt: skip


def _dots(
    ax: Axes, rows: np.ndarray, estimate: np.ndarray, colours: Sequence[str], bases: Sequence[Base],
    size: Sequence[float] | None,
) -> None:  # fmt: skip
    for row in rows.tolist():
        fill = style.PAPER if bases[row] is Base.SMALL else colours[row]
        ax.plot(
            [estimate[row]], [row], "o", ms=size[row] if size else 6.5, mfc=fill, mec=colours[row], mew=1.5, zorder=3
        )


def hidden_last(frame: pd.DataFrame, by: Sequence[str], bases: Bases) -> pd.DataFrame:
    """Rows of a ranking with those that are not shown at its end: their place would tell what they hide."""
    hidden = [base.hidden for base in judge_rows(frame, ("n",), by, bases)]
    return frame.iloc[np.argsort(hidden, kind="stable")]


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
