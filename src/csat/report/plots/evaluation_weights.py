"""Charts of factor weights: their intervals and the judges' range, and several sets side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.evaluation_notes import node
from csat.report.tables.evaluation_weights import MEASURED, comparison_notes, method_word, set_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Ahp, FactorWeights, WeightComparison

#: Marks of the sets, which differ in shape too; more sets begin again, open.
MARKS = ("o", "s", "^", "D", "v", "P")


def weights(result: FactorWeights, names: Names, ax: Axes | None) -> Axes:
    """Each factor's weight with its interval, heaviest first."""
    return _weights(result, names, ax, None)


def of_judges(result: Ahp, names: Names, ax: Axes | None) -> Axes:
    """The same of pairwise judgements; several judges' lowest and highest weights as thin lines."""
    return _weights(result.weights, names, ax, result.judge_values if len(result.judges) > 1 else None)


def _weights(result: FactorWeights, names: Names, ax: Axes | None, judged: np.ndarray | None) -> Axes:
    catalogue = words(names.lang)
    order = np.argsort(-result.values, kind="stable")
    labels = [style.wrap(catalogue.say(node(result.factors[i], names))) for i in order.tolist()]
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    found = result.estimates
    sized = result.method in MEASURED
    bases = [names.bases.judge(float(found.n[i])) if sized else Base.ENOUGH for i in order.tolist()]
    low, high = found.interval
    draw_rows(ax, labels, bases, found.estimate[order], low[order], high[order], kind="percent", form="bars")
    telling.level(found.level)
    said = []
    if judged is not None:
        for row, i in enumerate(order.tolist()):
            ax.plot([judged[:, i].min(), judged[:, i].max()], [row + 0.26] * 2, color=style.GREY, lw=1.0, marker="|")
        said.append(catalogue.say(Word("fuzzy.plot.judges_range")))
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("fuzzy.plot.weight")))
    level = found.level if result.uncertain else None
    style.below(ax, *remarks(bases, names.bases, catalogue, level), *said)
    ax.set_title(catalogue.say(Word("fuzzy.title.weights", {"method": method_word(result.method)})))
    return ax


def compared(result: WeightComparison, names: Names, ax: Axes | None) -> Axes:
    """Weights of the factors in every set, a mark per set."""
    catalogue = words(names.lang)
    order = np.argsort(-np.mean([found.values for found in result.weights], axis=0), kind="stable").tolist()
    labels = [style.wrap(catalogue.say(node(result.factors[i], names))) for i in order]
    size = len(result.sets)
    ax = style.axes_for(ax, len(labels) * max(0.34, 0.14 * size) + 1.9)
    offsets = np.linspace(-0.28, 0.28, size)
    for place, (name, found) in enumerate(zip(result.sets, result.weights, strict=True)):
        colour, mark = style.SERIES[place % len(style.SERIES)], MARKS[place % len(MARKS)]
        ax.plot(
            found.values[order], np.arange(len(order)) + offsets[place], mark, ms=6, color=colour,
            mfc=colour if place < len(MARKS) else style.PAPER, label=catalogue.say(set_text(name, names)),
        )  # fmt: skip
        telling.rows(labels, found.values[order], name=catalogue.say(set_text(name, names)), unit="percent")
    style.label_rows(ax, labels)
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("fuzzy.plot.weight")))
    style.below(ax, *map(catalogue.say, comparison_notes(result, names)))
    style.title_over_legend(ax, catalogue.say(Word("fuzzy.title.factors")))
    return ax


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import FuncFormatter

    ax.set_xlim(left=min(0.0, ax.get_xlim()[0]))
    ax.xaxis.set_major_formatter(FuncFormatter(style.percent_tick))
