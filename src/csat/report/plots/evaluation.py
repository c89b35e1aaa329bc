"""Chart of a fuzzy evaluation: how membership is spread over the grades, and the score it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.index import group_labels
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.evaluation import names_of_groups, scale_notes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation

#: A segment at least this long carries its share.
LABELLED = 0.07
#: Letters on these colours (the ends of the scale of grades) are white.
DARK = frozenset({style.GRADES[0], style.GRADES[-1]})


def evaluation(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Index and dimensions; with groups, the index of each group."""
    tidy = result.verdicts()
    by = names_of_groups(tidy)
    if by:
        frame = tidy[tidy["kind"] == "index"]
        return _stacks(result, frame, group_labels(frame, by, names), names, ax)
    frame = tidy[tidy["kind"] != "item"]
    return _stacks(result, frame, names.codes(list(frame["term"])), names, ax)


def items(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Items, best first."""
    tidy = result.verdicts()
    frame = tidy[tidy["kind"] == "item"].sort_values("score", ascending=False)
    by = names_of_groups(tidy)
    labels = names.codes(list(frame["term"]))
    if by:
        labels = [" · ".join(parts) for parts in zip(group_labels(frame, by, names), labels, strict=True)]
    return _stacks(result, frame, labels, names, ax)


def _stacks(result: Evaluation, frame: pd.DataFrame, labels: list[str], names: Names, ax: Axes | None) -> Axes:
    catalogue = words(names.lang)
    labels = [style.wrap(label, 30) for label in labels]
    ax = style.axes_for(ax, style.row_height(labels, 0.36) + 1.7)
    bases = judge_rows(frame, ("n",), names_of_groups(result.verdicts()), names.bases)
    hidden = np.array([base.hidden for base in bases])
    shares = np.where(hidden[:, None], 0.0, np.nan_to_num(frame[list(result.grades)].to_numpy(float)))
    _segments(ax, shares, [names.grade(grade) for grade in result.grades])
    for row, score in enumerate(frame["score"].to_numpy(float)):
        known = not hidden[row] and np.isfinite(score)
        text = number(float(score), "score") if known else DASH
        style.beside(ax, row, text, color=style.INK if known else style.GREY)
    style.label_rows(ax, labels)
    style.beside(ax, -0.75, catalogue.say(Word("plot.score_mark")), color=style.GREY, fontsize=8.5)
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("plot.membership")))
    notes = [catalogue.say(note) for note in scale_notes(result, names)]
    style.below(ax, *remarks(bases, names.bases, catalogue), *notes)
    style.title_over_legend(ax, catalogue.say(Word("title.evaluation")))
    return ax


def _segments(ax: Axes, shares: np.ndarray, grades: Sequence[str]) -> None:
    """Stack the shares (rows, grades), each segment with its per cent where there is room."""
    left = np.zeros(len(shares))
    for place, grade in enumerate(grades):
        colour = style.GRADES[round(place * (len(style.GRADES) - 1) / max(1, len(grades) - 1))]
        part = shares[:, place]
        ax.barh(range(len(shares)), part, left=left, height=0.66, color=colour, label=grade)
        for row in np.flatnonzero(part >= LABELLED).tolist():
            ax.text(
                left[row] + part[row] / 2, row, f"{100 * part[row]:.0f}", ha="center", va="center", fontsize=8,
                color=style.PAPER if colour in DARK else style.INK,
            )  # fmt: skip
        left += part


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
