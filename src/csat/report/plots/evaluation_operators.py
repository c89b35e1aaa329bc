"""Operator strip: the verdict under each operator, and how sure it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.format import DASH
from csat.report.lines import balanced
from csat.report.names import Names
from csat.report.plots.evaluation_grades import box, chance, legend_of, letters_on, look, row_labels, verdicts_said
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.evaluation import grade_text, names_of_groups
from csat.report.tables.evaluation_doubt import strip
from csat.report.tables.evaluation_notes import probability_notes, scale_notes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation

#: Columns of a grade's name in a cell and of an operator's name above it.
CELL, HEAD = 20, 16


def operators(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """A row per dimension, or per group, and a cell per operator: the verdict in its colour, its probability."""
    catalogue = words(names.lang)
    frame = strip(result)
    by = names_of_groups(frame)
    known = list(dict.fromkeys(frame["operator"]))
    own = frame["operator"].to_numpy() == known[0]
    bases = judge_rows(frame[own], ("n",), by, names.bases)
    labels = [style.wrap(label, 30) for label in row_labels(frame[own], by, names, bases)]
    ax = style.axes_for(ax, len(labels) * 0.48 + 2.2, 9.0)
    for place, record in enumerate(frame.to_dict("records")):
        row, column = divmod(place, len(known))
        hidden = bases[row].hidden or not record["verdict"]
        if hidden:
            ax.text(column, row, DASH, ha="center", va="center", color=style.GREY)
            continue
        _cell(ax, column, row, record["verdict"], result, not record["agree"])
        text = [balanced(grade_text(record["verdict"], names), CELL, 2), chance(record, result.score.level)]
        colour = look(result.grades.index(record["verdict"]), len(result.grades))[0]
        ax.text(
            column, row, "\n".join(filter(None, text)), ha="center", va="center", fontsize=8, color=letters_on(colour),
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip
    style.label_rows(ax, labels)
    ax.grid(visible=False)
    heads = [balanced(catalogue.say(Word(f"operator.{name}")), HEAD, 2) for name in known]
    ax.set_xticks(range(len(known)), heads, fontsize=8.5)
    ax.set_xlim(-0.5, len(known) - 0.5)
    ax.spines[:].set_visible(False)
    legend_of(ax, result.grades, names)
    telling.says(*verdicts_said(frame[own], bases, result.score.level, names))
    framed = Word("fuzzy.plot.framed", {"operator": Word(f"operator.{result.operator}")})
    notes = [
        framed,
        Word("fuzzy.plot.doubt"),
        *scale_notes(result, names)[1:],
        *probability_notes(result, result.verdicts(), names),
    ]
    style.below(ax, *remarks(bases, names.bases, catalogue), *map(catalogue.say, notes))
    style.title_over_legend(ax, catalogue.say(Word("fuzzy.title.operators")))
    return ax


def _cell(ax: Axes, column: int, row: int, grade: str, result: Evaluation, other: bool) -> None:
    """A grade's colour; framed where it is another one than under the evaluation's own operator."""
    colour, hatch = look(result.grades.index(grade), len(result.grades))
    at = (column - 0.47, row - 0.42, 0.94, 0.84)
    box(ax, *at, facecolor=colour, hatch=hatch, edgecolor=style.PAPER)
    if other:
        box(ax, *at, facecolor="none", edgecolor=style.INK, linewidth=2.2)
