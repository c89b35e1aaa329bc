"""Chart of rewards against penalties: two bars per driver with their intervals, and the band that is negligible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.report.names import Names
from csat.report.plots.driver import about, named_terms, said
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.driver import ordered_by, too_few
from csat.report.tables.priority import HIGH, LOW, unit_word
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers.maps.contrasts import Asymmetry

#: Side → colour, hatching, place within the row, and the answers that its bars rest on.
SIDES = {"penalty": (style.LIGHT_ORANGE, "////", -0.19, LOW), "reward": (style.LIGHT_BLUE, "", 0.19, HIGH)}


def asymmetry(result: Asymmetry, names: Names, ax: Axes | None) -> Axes:
    """Penalty of low answers to the left, reward of high ones to the right, the widest effect first."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.asymmetry", {"outcome": names.running(result.outcome)}))
    n = float(result.estimates.n[0])
    sentences = about(n, result.left_out, names)
    if too_few(n, names):
        return style.empty(ax, title, sentences[-1])
    frame = ordered_by(result.tidy(), [], "range", rising=False)
    labels = named_terms(frame["term"].tolist(), names)
    ax = style.axes_for(ax, style.row_height(labels, 0.44) + 1.9)
    ax.axvspan(-result.negligible, result.negligible, color=style.RULE, alpha=0.55, lw=0, zorder=0)
    bases = [base for side in SIDES for base in _bars(ax, frame, side, names)]
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    style.label_rows(ax, labels)
    for row, found in enumerate(frame["class"]):
        colour = style.GREY if found in ("unclear", "indifferent") else style.INK
        style.beside(ax, row, catalogue.say(Word(f"class.{found}")), color=colour)
    ax.set_xlabel(catalogue.say(Word("plot.effect", {"unit": unit_word(result)})))
    band = said(names, Word("plot.negligible"))
    style.below(ax, *band, *remarks(bases, names.bases, catalogue, result.estimates.level), *sentences)
    style.title_over_legend(ax, title)
    return ax


def _bars(ax: Axes, frame: pd.DataFrame, side: str, names: Names) -> list[Base]:
    """The bars of one side; open for small bands, none for hidden ones."""
    colour, hatch, shift, needed = SIDES[side]
    bases = judge_rows(frame, needed, (), names.bases)
    side_name = words(names.lang).say(Word(f"column.{side}"))
    telling.rows(
        named_terms(frame["term"].tolist(), names), *(frame[f"{side}{part}"] for part in ("", "_low", "_high")),
        bases=bases, name=side_name, kind="bars", null=0.0,
    )  # fmt: skip
    for row, base in enumerate(bases):
        value, low, high = (float(frame[f"{side}{part}"].iloc[row]) for part in ("", "_low", "_high"))
        if base.hidden or not np.isfinite(value):
            continue
        small = base is Base.SMALL
        ax.barh(
            [row + shift], [value], height=0.34, color=style.PAPER if small else colour, hatch="" if small else hatch,
            edgecolor=colour if small else style.PAPER, lw=1.2 if small else 0.4, zorder=2,
        )  # fmt: skip
        ax.plot([low, high], [row + shift] * 2, color=style.INK, lw=1.4, zorder=3, marker="|", ms=4, mew=1.4)
    style.legend_bar(ax, colour, hatch, side_name)
    return bases
