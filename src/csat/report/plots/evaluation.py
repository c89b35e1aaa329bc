"""Charts of a fuzzy evaluation: how membership is spread over the grades, and the score it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.evaluation_grades import look, row_labels, said, write_on
from csat.report.plots.rows import hidden_last, remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.evaluation import names_of_groups
from csat.report.tables.evaluation_notes import probability_notes, scale_notes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation

#: A segment at least this long carries its share.
LABELLED = 0.07


def evaluation(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Membership bars of the index and its dimensions, or of the factors; with groups, of the index of each group."""
    tidy = result.verdicts()
    by = names_of_groups(tidy)
    inner = tidy["depth"] == 0 if by else tidy["kind"] != "item"
    flat = not by and inner.sum() == 1
    return _stacks(result, tidy if flat else tidy[inner], by, names, ax)


def items(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Membership bars of the items, best first."""
    tidy = result.verdicts()
    frame = tidy[tidy["kind"] == "item"]
    key = frame["score"] if frame["score"].notna().any() else -frame["characteristic"]
    by = names_of_groups(tidy)
    best = hidden_last(frame.loc[key.sort_values(ascending=False).index], by, names.bases)
    return _stacks(result, best, by, names, ax)


def _stacks(result: Evaluation, frame: pd.DataFrame, by: list[str], names: Names, ax: Axes | None) -> Axes:
    catalogue = words(names.lang)
    bases = judge_rows(frame, ("n",), by, names.bases)
    labels = [style.wrap(label, 30) for label in row_labels(frame, by, names, bases)]
    own, height = ax is None, style.row_height(labels, 0.36) + 1.2
    ax = style.axes_for(ax, height)
    hidden = np.array([base.hidden for base in bases])
    shares = np.where(hidden[:, None], 0.0, np.nan_to_num(frame[list(result.grades)].to_numpy(float)))
    parts = [names.grade(grade) for grade in result.grades]
    telling.shares(labels, parts, frame[list(result.grades)].to_numpy(float), bases)
    _segments(ax, shares, [names.grade(grade) for grade in result.grades])
    for row, record in enumerate(frame.to_dict("records")):
        known = not hidden[row] and bool(record["verdict"])
        style.beside(
            ax, row, _beside(record, result.score.level, names) if known else DASH,
            color=style.INK if known else style.GREY,
        )  # fmt: skip
    style.label_rows(ax, labels)
    style.beside(ax, -0.75, catalogue.say(Word(_heading(result))), color=style.GREY, fontsize=8.5)
    _percent(ax)
    ax.set_xlabel(catalogue.say(Word("plot.membership")))
    doubt = [Word("fuzzy.plot.doubt")] if result.replicates else []
    notes = [*doubt, *scale_notes(result, names), *probability_notes(result, frame, names)]
    style.below(ax, *remarks(bases, names.bases, catalogue), *map(catalogue.say, notes))
    lines = style.title_over_legend(ax, catalogue.say(Word("title.evaluation")))
    figure = ax.get_figure(root=True)
    if own and figure is not None:
        # The notes and the legend take no room from the rows.
        figure.set_figheight(height + 0.25 * lines + 0.17 * (1 + ax.get_xlabel().count("\n")))
    return ax


def _heading(result: Evaluation) -> str:
    return "fuzzy.plot.strongest" if np.isfinite(result.grade_scores).all() else "fuzzy.plot.grade"


def _beside(record: dict[Any, Any], level: float, names: Names) -> str:
    """Score, strongest grade, how sure."""
    score = float(record["score"])
    grade = said(record, level, names)
    return f"{number(score, 'score')} · {grade}" if np.isfinite(score) else grade


def _segments(ax: Axes, shares: np.ndarray, grades: Sequence[str]) -> None:
    """Stack the shares (rows, grades), each segment with its per cent where there is room."""
    left = np.zeros(len(shares))
    for place, grade in enumerate(grades):
        colour, hatch = look(place, len(grades))
        part = shares[:, place]
        ax.barh(
            range(len(shares)), part, left=left, height=0.66, color=colour, hatch=hatch, edgecolor=style.PAPER,
            linewidth=0.6, label=grade,
        )  # fmt: skip
        for row in np.flatnonzero(part >= LABELLED).tolist():
            write_on(
                ax, left[row] + part[row] / 2, row, f"{100 * part[row]:.0f}", colour, hatched=bool(hatch), fontsize=8
            )
        left += part


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.set_xlim(0, 1)
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
