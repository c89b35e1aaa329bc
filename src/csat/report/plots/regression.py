"""Charts of regressions: coefficients, odds ratios and average effects with their intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.report.chart import Form
from csat.report.description import Kind
from csat.report.format import MINUS
from csat.report.names import Names
from csat.report.plots.driver import about, named_terms, said, side_by_side
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.driver import too_few
from csat.report.tables.regression import each_row, groups_in, modelled, require_categorical
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers import Regression

FIGURES = ("estimate", "low", "high")


def coefficients(result: Regression, names: Names, ax: Axes | None) -> Axes:
    """Coefficients with intervals, largest first; grey where the interval spans zero; groups side by side."""
    frame = result.tidy().assign(n=each_row(result))[[bool(owner) for owner in result.owner]]
    axis = Word("plot.coefficient" if result.family == "linear" else "column.log_odds")
    title = Word("title.regression", {"outcome": names.running(result.outcome)})
    return _drawn(result, frame, names, ax, title, axis)


def odds(result: Regression, names: Names, ax: Axes | None) -> Axes:
    """Odds ratios on a logarithmic axis.

    Raises
    ------
    OptionError
        Of a linear regression.
    """
    require_categorical(result, "odds")
    kept = [bool(owner) for owner in result.owner]
    frame = result.odds_ratios().assign(n=each_row(result)[kept])  # type: ignore[attr-defined]
    title = Word("title.odds", {"outcome": names.running(result.outcome)})
    ax = _drawn(result, frame, names, ax, title, Word("column.odds"), null=1.0, kind="statistic")
    if len(ax.lines):
        from matplotlib.ticker import NullLocator

        ax.set_xscale("log")
        ticks = odds_ticks(*ax.get_xlim())
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
    return ax


def odds_ticks(low: float, high: float) -> list[float]:
    """Round odds ratios between two ends, about evenly apart on a logarithmic axis, 1 among them.

    >>> odds_ticks(0.8, 1.5), odds_ticks(0.03, 5)
    ([0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4], [0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0])
    """
    wide = [round(step * 10.0**power, 9) for power in range(-6, 7) for step in range(1, 10)]
    narrow = [step / 100 for step in range(50, 200)]
    apart = np.log(high / low) / 9
    kept: list[float] = []
    for tick in sorted({tick for tick in (*wide, *narrow) if low <= tick <= high}, key=_plainness):
        if all(abs(np.log(tick / other)) > apart for other in kept):
            kept.append(tick)
    return sorted(kept)


def _plainness(tick: float) -> tuple[int, int, float]:
    """1 first, then ticks of few digits, of these powers of ten, then 2 and 5; nearer to 1 before farther."""
    digits = f"{tick:.9g}".replace(".", "").strip("0")
    order = {"1": 0, "2": 1, "5": 1}.get(digits, 2)
    return (0 if tick == 1 else len(digits), order, abs(float(np.log(tick))))


def effects(result: Regression, names: Names, ax: Axes | None) -> Axes:
    """Average marginal effects, in percentage points.

    Raises
    ------
    OptionError
        Of a linear regression.
    """
    require_categorical(result, "effects")
    frame = result.effects.tidy()  # type: ignore[attr-defined]
    blanks = {"outcome": names.running(result.outcome), "answers": modelled(result)}
    title, axis = Word("title.effects", blanks), Word("column.effect")
    ax = _drawn(result, frame, names, ax, title, axis, kind="percentage_points")
    if len(ax.lines):
        from matplotlib.ticker import FuncFormatter

        ax.xaxis.set_major_formatter(FuncFormatter(_points))
    return ax


def _points(share: float, _: int | None) -> str:
    return f"{100 * share:g}".replace("-", MINUS)


def _drawn(
    result: Regression, frame: pd.DataFrame, names: Names, ax: Axes | None, title: Word, axis: Word,
    *, null: float = 0.0, kind: Kind = "estimate",
) -> Axes:  # fmt: skip
    """One chart for all of these: a row per driver, a line where a driver does nothing."""
    catalogue = words(names.lang)
    heading, sentences = catalogue.say(title), about(result.n, result.left_out, names)
    if too_few(result.n, names):
        return style.empty(ax, heading, sentences[-1])
    groups = groups_in(result)

    def finish(axes: Axes) -> list[str]:
        axes.axvline(null, color=style.GREY, lw=1, zorder=1)
        axes.set_xlabel(catalogue.say(axis))
        return sentences

    if groups:
        return side_by_side(ax, frame, groups, FIGURES, names, title=heading, finish=finish, level=level_of(result),
                            null=null, kind=kind)  # fmt: skip
    frame = frame.sort_values("estimate", ascending=False, kind="stable")
    labels = named_terms(frame["term"].tolist(), names)
    unclear = (frame["low"] <= null) & (frame["high"] >= null)
    colours = [style.GREY if spans else style.BLUE for spans in unclear]
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    bases = [names.bases.judge(float(np.sum(result.n)))] * len(frame)
    figures = [frame[name].to_numpy(float) for name in FIGURES]
    form: Form = "bars" if null == 0 else "dots"
    draw_rows(ax, labels, bases, *figures, kind=kind, colours=colours, form=form, null=null)
    below = finish(ax)
    fit = said(names, Word("plot.explained", {"r2": float(result.r2)})) if result.family == "linear" else []
    grey = said(names, Word("plot.unclear" if null == 0 else "plot.unclear_odds")) if unclear.any() else []
    style.below(ax, *fit, *remarks(bases, names.bases, catalogue, level_of(result)), *grey, *below)
    ax.set_title(heading)
    return ax
