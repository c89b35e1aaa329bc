"""Chart of a fuzzy evaluation: how membership is spread over the grades, and the score it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.report.base import Base, judge
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.index import group_labels
from csat.report.plots.rows import remarks
from csat.report.tables.evaluation import names_of_groups
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation


def evaluation(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Index and dimensions; with groups, the index of each group."""
    tidy = result.tidy()
    by = names_of_groups(tidy)
    if by:
        frame = tidy[tidy["kind"] == "index"]
        return _stacks(frame, result.grades, group_labels(frame, by, names), names, ax)
    frame = tidy[tidy["kind"] != "item"]
    return _stacks(frame, result.grades, names.codes(list(frame["term"])), names, ax)


def items(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Items, best first."""
    tidy = result.tidy()
    frame = tidy[tidy["kind"] == "item"].sort_values("score", ascending=False)
    by = names_of_groups(tidy)
    labels = names.codes(list(frame["term"]))
    if by:
        labels = [" · ".join(parts) for parts in zip(group_labels(frame, by, names), labels, strict=True)]
    return _stacks(frame, result.grades, labels, names, ax)


def _stacks(frame: pd.DataFrame, grades: Sequence[str], labels: list[str], names: Names, ax: Axes | None) -> Axes:
    catalogue = words(names.lang)
    labels = [style.wrap(label, 30) for label in labels]
    ax = style.axes_for(ax, style.row_height(labels, 0.36) + 1.5)
    bases = [judge(float(n)) for n in frame["n"]]
    hidden = np.array([base is Base.SUPPRESSED for base in bases])
    shares = np.where(hidden[:, None], 0.0, np.nan_to_num(frame[list(grades)].to_numpy(float)))
    left = np.zeros(len(frame))
    for place, grade in enumerate(grades):
        colour = style.GRADES[round(place * (len(style.GRADES) - 1) / max(1, len(grades) - 1))]
        ax.barh(range(len(frame)), shares[:, place], left=left, height=0.66, color=colour, label=names.grade(grade))
        left += shares[:, place]
    _scores(ax, frame["score"].to_numpy(float), bases)
    ax.plot([], [], "D", ms=5, color=style.INK, label=catalogue.say(Word("plot.score_mark")))
    style.label_rows(ax, labels)
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("plot.membership")))
    style.below(ax, *remarks(bases, catalogue))
    style.title_over_legend(ax, catalogue.say(Word("title.evaluation")))
    return ax


def _scores(ax: Axes, scores: np.ndarray, bases: list[Base]) -> None:
    for row, (score, base) in enumerate(zip(scores, bases, strict=True)):
        if base is Base.SUPPRESSED or not np.isfinite(score):
            style.beside(ax, row, DASH, color=style.GREY)
            continue
        fill = style.PAPER if base is Base.SMALL else style.INK
        ax.plot([score / 100], [row], "D", ms=5.5, mfc=fill, mec=style.INK, mew=1.2, zorder=3)
        style.beside(ax, row, number(float(score), "score"))


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
