"""Charts of a structural model other than its path diagram: loadings with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.style as style
from csat.report.doubts import beyond_one
from csat.report.names import Names
from csat.report.network.blocks import written
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.structural import notes_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.structural import Sem


def loadings(result: Sem, names: Names, ax: Axes | None) -> Axes:
    """Standardised loadings with intervals, construct by construct."""
    catalogue = words(names.lang)
    frame = result.standardized("all")
    frame = frame[frame["op"] == "=~"]
    constructs = list(dict.fromkeys(frame["lhs"]))
    labels = [
        style.wrap(f"{names.construct(lhs)} → {names.code(rhs)}", 44)
        for lhs, rhs in zip(frame["lhs"], frame["rhs"], strict=True)
    ]
    colours = [style.SERIES[constructs.index(lhs) % len(style.SERIES)] for lhs in frame["lhs"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.3)
    estimate, low, high = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    bases = [names.bases.judge(result.measures.n)] * len(frame)

    draw_rows(ax, labels, bases, estimate, low, high, colours=colours, write=written)
    ax.set_xlabel(catalogue.say(Word("plot.loading")))
    notes = [catalogue.say(note) for note in notes_of(result, names)]
    if any(beyond_one("=~", False, value) for value in estimate):
        notes.insert(0, catalogue.say(Word("plot.beyond_one")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *notes)
    ax.set_title(catalogue.say(Word("title.loadings")))
    return ax
