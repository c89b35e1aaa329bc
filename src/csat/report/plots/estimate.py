"""Chart of plain survey estimates: a dot and an interval per figure and group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.style as style
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import groups_of
from csat.report.tables.estimate import KINDS, answers_of
from csat.report.words import Word, words
from csat.results import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def estimates(result: Estimates, names: Names, ax: Axes | None) -> Axes:
    """Estimates in their order, with intervals."""
    catalogue = words(names.lang)
    frame = result.tidy()
    columns = [names.values(group, list(frame[group])) for group in groups_of(frame, "estimate")]
    columns.append(names.codes(list(frame["term"])))
    columns += answers_of(frame, names).values()
    varying = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    labels = [style.wrap(" · ".join(parts)) for parts in zip(*varying, strict=True)]
    ax = style.axes_for(ax, style.row_height(labels) + 1.3)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high", "n")]
    kind = KINDS.get(result.unit, "estimate")
    bases = draw_rows(ax, labels, *figures, kind=kind)
    if kind == "percent":
        from matplotlib.ticker import PercentFormatter

        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
    style.below(ax, *remarks(bases, catalogue, result.level))
    ax.set_title(catalogue.say(Word("title.estimates")))
    return ax
