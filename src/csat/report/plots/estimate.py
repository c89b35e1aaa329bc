"""Chart of plain survey estimates: a dot and an interval per figure and group, a panel per scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.estimate import KINDS, answers_of, groups_in, scale_of, title_of
from csat.report.words import Word, words
from csat.results import Estimates

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def estimates(result: Estimates, names: Names, ax: Axes | None) -> Axes:
    """Estimates in their order, with intervals; questions on different scales in panels of their own.

    Returns the first panel.

    Raises
    ------
    OptionError
        If several scales were to share the one axes given.
    """
    catalogue = words(names.lang)
    telling.level(result.level)
    frame = result.tidy()
    labels = _labels(frame, names)
    bases = judge_rows(frame, ("n",), groups_in(frame), names.bases)
    panels = _panels(result, names)
    if len(panels) > 1 and ax is not None:
        raise OptionError("These questions have different scales: draw them without ax=, or one scale at a time.")
    made = [ax] if ax is not None else _axes([[labels[i] for i in rows] for rows in panels])
    for axes, rows in zip(made, panels, strict=True):
        _panel(axes, result, frame.iloc[rows], [labels[i] for i in rows], [bases[i] for i in rows])
        scale = scale_of(result.term[rows[0]], names) if len(panels) > 1 else None
        if scale is not None:
            axes.set_xlabel(catalogue.say(Word("unit.scale", {"low": scale[0], "high": scale[1]})), loc="left")
    sizes = frame["n"].to_numpy(float)
    said = catalogue.say(_bases_word(sizes)) if np.isfinite(sizes).all() else ""
    style.below(made[-1], *remarks(bases, names.bases, catalogue, result.level), said)
    made[0].set_title(style.wrap(catalogue.say(title_of(result, names)), 64, 2))
    return made[0]


def _bases_word(sizes: np.ndarray) -> Word:
    low, high = float(sizes.min()), float(sizes.max())
    return Word("plot.n", {"n": low}) if low == high else Word("plot.n_range", {"low": low, "high": high})


def _labels(frame: pd.DataFrame, names: Names) -> list[str]:
    columns = [names.values(group, list(frame[group])) for group in groups_in(frame)]
    columns.append(names.codes(list(frame["term"])))
    columns += answers_of(frame, names).values()
    if "q" in frame:
        columns.append([f"{q:.0%}" for q in frame["q"]])
    if "part" in frame:
        columns.append([words(names.lang).say(Word(f"part.{part}")) for part in frame["part"]])
    varying = [column for column in columns if len(set(column)) > 1] or columns[-1:]
    return style.wrap_rows([" · ".join(parts) for parts in zip(*varying, strict=True)])


def _panels(result: Estimates, names: Names) -> list[list[int]]:
    """Positions of the rows of each scale."""
    if result.unit != "scale":
        return [list(range(len(result.term)))]
    found: dict[object, list[int]] = {}
    for position, term in enumerate(result.term):
        found.setdefault(scale_of(term, names), []).append(position)
    return list(found.values())


def _axes(labels: list[list[str]]) -> list[Axes]:
    from matplotlib import pyplot

    heights = [style.row_height(part) + 0.6 for part in labels]
    size = (style.FIGURE_WIDTH, sum(heights) + 0.8)
    made = pyplot.subplots(len(labels), 1, figsize=size, dpi=110, height_ratios=heights, squeeze=False)[1]
    return list(made[:, 0])


def _panel(ax: Axes, result: Estimates, frame: pd.DataFrame, labels: list[str], bases: list[Base]) -> None:
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high")]
    kind = KINDS.get(result.unit, "estimate")
    draw_rows(ax, labels, bases, *figures, kind=kind)
    if kind == "percent":
        from matplotlib.ticker import PercentFormatter

        ax.xaxis.set_major_formatter(PercentFormatter(1.0))
