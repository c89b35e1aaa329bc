"""What the charts of the driver analysis share: sentences below, groups side by side, axes in per cent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.description import Kind
from csat.report.names import Names
from csat.report.plots.index import group_labels
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.driver import respondents
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.results import Estimates

PALE = "#b9c2c9"


#: Notes that the table beside a chart has: how many are left out stands in the chart, not what that may mean.
AT_LENGTH = ("note.many_left_out", "note.simple_sample", "note.se_")


def in_short(notes: Iterable[Word | str]) -> list[Word | str]:
    """Notes without those that only tables have."""
    return [note for note in notes if isinstance(note, str) or not note.key.startswith(AT_LENGTH)]


def said(names: Names, *sentences: Word | str) -> list[str]:
    """Words in the language of the chart."""
    return [words(names.lang).say(sentence) for sentence in sentences]


def about(n: Any, left_out: Any, names: Names) -> list[str]:
    """Sentences on the respondents of a model."""
    return said(names, *in_short(respondents(n, left_out, names)))


def without_errors(estimates: Estimates, names: Names) -> list[str]:
    """Why there are no intervals to draw."""
    reasons = dict.fromkeys(reason.reason for reason in estimates.unavailable.values())
    return said(names, *(Word(f"reason.{reason}") for reason in reasons))


def named_terms(terms: Sequence[Any], names: Names, most: int = 34) -> list[str]:
    """Texts of terms as labels of rows."""
    return [style.wrap(name, most) for name in names.drivers(terms)]


def percent(ax: Axes, whole: float = 1.0) -> None:
    """Write the figures of the horizontal axis as per cent of `whole`."""
    from matplotlib.ticker import FuncFormatter

    ax.xaxis.set_major_formatter(FuncFormatter(partial(style.percent_tick, whole=whole)))


def side_by_side(
    ax: Axes | None,
    frame: pd.DataFrame,
    by: Sequence[str],
    figures: tuple[str, str, str],
    names: Names,
    *,
    title: str,
    finish: Callable[[Axes], Sequence[str]],
    level: float,
    kind: Kind = "percent",
    null: float | None = None,
) -> Axes:
    """Dots with intervals: a row per term, the groups below each other in it, told apart by colour and mark.

    Parameters
    ----------
    frame : ``term``, the grouping columns `by`, ``n`` and the `figures` (estimate, low, high); rows in their order.
    finish : names the axis and gives the sentences below.
    kind : what the figures are. null : the value of a driver that does nothing, if there is one.

    Raises
    ------
    OptionError
        For more groups than marks.
    """
    labels = pd.Series(group_labels(frame, list(by), names), index=frame.index)
    groups, terms = list(dict.fromkeys(labels)), list(dict.fromkeys(frame["term"]))
    if len(groups) > len(style.MARKS):
        raise OptionError(f"Up to {len(style.MARKS)} groups can be told apart in one chart; there are {len(groups)}.")
    rows = named_terms(terms, names)
    step = min(0.16, 0.66 / len(groups))
    ax = style.axes_for(ax, max(style.row_height(rows), len(terms) * (0.14 + 0.14 * len(groups))) + 1.7)
    bases = judge_rows(frame, ("n",), list(by), names.bases)
    _tell(frame.assign(group=labels.to_numpy()), bases, rows, figures, kind, null)
    for (_, row), label, base in zip(frame.iterrows(), labels, bases, strict=True):
        at = groups.index(label)
        y = terms.index(row["term"]) + step * (at - (len(groups) - 1) / 2)
        _dot(ax, y, [float(row[name]) for name in figures], style.SERIES[at], style.MARKS[at], base)
    for at, group in enumerate(groups):
        ax.plot([], [], style.MARKS[at], color=style.SERIES[at], ms=5.5, label=group)
    style.label_rows(ax, rows)
    for edge in range(1, len(terms)):
        ax.axhline(edge - 0.5, color=style.RULE, lw=0.8, zorder=0)
    below = finish(ax)
    style.below(ax, *remarks(list(bases), names.bases, words(names.lang), level), *below)
    style.title_over_legend(ax, title)
    return ax


def _tell(
    frame: pd.DataFrame, bases: Sequence[Base], rows: Sequence[str], figures: tuple[str, str, str], kind: Kind,
    null: float | None,
) -> None:  # fmt: skip
    """Tell a series per group over all terms; a term that a group lacks has no figure."""
    terms = list(dict.fromkeys(frame["term"]))
    frame = frame.assign(base=bases)
    scale = 100.0 if kind == "percent" else 1.0
    for group in dict.fromkeys(frame["group"]):
        part = frame[frame["group"] == group].set_index("term").reindex(terms)
        values, low, high = (part[name].to_numpy(float) / scale for name in figures)
        known = [Base(one) if isinstance(one, str) else Base.ENOUGH for one in part["base"]]
        telling.rows(rows, values, low, high, bases=known, name=group, unit=kind, null=null)


def _dot(ax: Axes, y: float, figures: Sequence[float], colour: str, mark: str, base: Base) -> None:
    estimate, low, high = figures
    if base.hidden or not np.isfinite(estimate):
        return
    if np.isfinite(low) and np.isfinite(high):
        ax.plot([low, high], [y, y], color=colour, lw=1.5, solid_capstyle="butt", zorder=2)
    fill = style.PAPER if base is Base.SMALL else colour
    ax.plot([estimate], [y], mark, ms=5.5, mfc=fill, mec=colour, mew=1.3, zorder=3)
