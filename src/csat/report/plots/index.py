"""Charts of an index: its nodes, its groups, its items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, hidden_last, remarks
from csat.report.tables.cells import groups_of, judge_rows, level_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.indices import Index


#: Width of intervals and size of dots by level of the tree.
WEIGHTS, DOTS = (2.8, 2.0, 1.3), (8.5, 7.0, 5.5)


def index(result: Index, names: Names, ax: Axes | None) -> Axes:
    """Draw the groups if there are any, else the index and its dimensions."""
    return groups(result, names, ax) if groups_of(result.tidy(), "estimate") else nodes(result, names, ax)


def group_labels(frame: pd.DataFrame, groups: list[str], names: Names) -> list[str]:
    """Name each row's group, joined over the grouping columns."""
    columns = [names.values(group, list(frame[group])) for group in groups]
    return [" · ".join(parts) for parts in zip(*columns, strict=True)]


def nodes(result: Index, names: Names, ax: Axes | None) -> Axes:
    """Index and dimensions with intervals, indented and lighter by level; groups side by side in colours."""
    tidy = result.tidy()
    frame = tidy[tidy["kind"] != "item"]
    by = groups_of(tidy, "estimate")
    if by:
        return _side_by_side(result, frame, by, names, ax)
    labels = style.wrap_rows(names.codes(list(frame["term"])))
    return _chart(result, frame, labels, Word("title.nodes"), names, ax, [int(depth) for depth in frame["depth"]])


def groups(result: Index, names: Names, ax: Axes | None) -> Axes:
    """The index of each group, best first."""
    tidy = result.tidy()
    by = groups_of(tidy, "estimate")
    if not by:
        raise OptionError('kind="groups" needs an index by a column: csat.index(survey, by=…).')
    frame = hidden_last(tidy[tidy["kind"] == "index"].sort_values("estimate", ascending=False), by, names.bases)
    labels = style.wrap_rows(group_labels(frame, by, names))
    title = Word("title.groups", {"by": " × ".join(map(names.running, by))})
    return _chart(result, frame, labels, title, names, ax)


def items(result: Index, names: Names, ax: Axes | None) -> Axes:
    """Items with intervals, best first."""
    tidy = result.tidy()
    if groups_of(tidy, "estimate"):
        raise OptionError('kind="items" draws one ranking; take the index without by=, or of one group (survey.where).')
    frame = hidden_last(tidy[tidy["kind"] == "item"].sort_values("estimate", ascending=False), (), names.bases)
    labels = style.wrap_rows(names.codes(list(frame["term"])))
    return _chart(result, frame, labels, Word("title.items"), names, ax)


def _chart(
    result: Index,
    frame: pd.DataFrame,
    labels: list[str],
    title: Word,
    names: Names,
    ax: Axes | None,
    depths: list[int] | None = None,
) -> Axes:
    catalogue = words(names.lang)
    ax = style.axes_for(ax, style.row_height(labels) + 1.3)
    figures = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    bases = judge_rows(frame, ("n",), groups_of(result.tidy(), "estimate"), names.bases)
    if depths is None:
        draw_rows(ax, labels, bases, *figures)
    else:
        thick, size = ([by_level[min(2, depth)] for depth in depths] for by_level in (WEIGHTS, DOTS))
        estimate, low, high = figures
        draw_rows(ax, labels, bases, estimate, low, high, depths=depths, thick=thick, size=size)
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)))
    ax.set_title(catalogue.say(title))
    return ax


def _side_by_side(result: Index, frame: pd.DataFrame, by: list[str], names: Names, ax: Axes | None) -> Axes:
    catalogue = words(names.lang)
    frame = frame.assign(group=group_labels(frame, by, names))
    kinds = list(dict.fromkeys(frame["group"]))
    if len(kinds) > len(style.SERIES):
        raise OptionError(
            f'kind="nodes" draws up to {len(style.SERIES)} groups; there are {len(kinds)}. Use kind="groups".'
        )
    terms = list(dict.fromkeys(frame["term"]))
    labels = [style.wrap(name) for name in names.codes(terms)]
    ax = style.axes_for(ax, len(terms) * (0.2 + 0.15 * len(kinds)) + 1.6)
    offsets = np.linspace(-0.24, 0.24, len(kinds)) if len(kinds) > 1 else [0.0]
    bases = judge_rows(frame, ("n",), by, names.bases)
    verdicts = dict(zip(frame.index, bases, strict=True))
    for offset, group, colour, mark in zip(offsets, kinds, style.SERIES, style.MARKS, strict=False):
        part = frame[frame["group"] == group]
        figures = [part[name].to_numpy(float) for name in ("estimate", "low", "high")]
        before, own = len(ax.lines), [verdicts[row] for row in part.index]
        draw_rows(ax, labels, own, *figures, colours=[colour] * len(part), shown=False, name=group)
        for line in ax.lines[before:]:
            line.set_ydata(np.asarray(line.get_ydata(), float) + offset)
            line.set_marker(mark if line.get_marker() == "o" else line.get_marker())
        ax.plot([], [], mark, color=colour, label=group)
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)))
    style.title_over_legend(ax, catalogue.say(Word("title.nodes")))
    return ax
