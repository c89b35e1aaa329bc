"""Verdict strip: scores with intervals on the ladder of grades, and beside it the probability of each verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import number
from csat.report.lines import balanced
from csat.report.names import Names
from csat.report.plots.evaluation_grades import box, letters_on, look, row_labels
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.evaluation import names_of_groups
from csat.report.tables.evaluation_notes import probability_notes, scale_notes
from csat.report.tables.evaluation_weights import comparison_notes, root_bases, set_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation, WeightComparison

#: Columns of a grade's name above the ladder and the probabilities; width of the chart in inches.
NAME, WIDTH = 12, 9.6


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Rows of a verdict strip.

    labels : (k,). bases : (k,). score, low, high : (k,). probability : (k, g), NaN without draws.
    """

    labels: Sequence[str]
    bases: Sequence[Base]
    score: np.ndarray
    low: np.ndarray
    high: np.ndarray
    probability: np.ndarray


def verdict(result: Evaluation, names: Names, ax: Axes | None) -> Axes:
    """Verdict strip of the index and its dimensions, or of the factors; with groups, of the index of each group."""
    tidy = result.verdicts()
    by = names_of_groups(tidy)
    inner = tidy["depth"] == 0 if by else tidy["kind"] != "item"
    frame = tidy if not by and inner.sum() == 1 else tidy[inner]
    bases = judge_rows(frame, ("n",), by, names.bases)
    score, low, high = (frame[name].to_numpy(float) for name in ("score", "low", "high"))
    rows = Strip(row_labels(frame, by, names), bases, score, low, high, result.probability[frame.index.to_numpy()])
    said = [*scale_notes(result, names), *probability_notes(result, frame, names)]
    return _draw(rows, result, names, ax, said, Word("fuzzy.title.ladder"))


def compared(result: WeightComparison, names: Names, ax: Axes | None) -> Axes:
    """Verdict strip of the root under each set of weights; of groups, group by group."""
    tidy, first = result.tidy(), result.evaluations[0]
    frame = tidy.assign(term=tidy["set"], n=root_bases(result))
    bases = judge_rows(frame, ("n",), list(result.by), names.bases)
    roots = [np.flatnonzero(np.asarray(one.score.keys["depth"]) == 0) for one in result.evaluations]
    chances = np.concatenate([one.probability[at] for one, at in zip(result.evaluations, roots, strict=True)])
    sets = [words(names.lang).say(set_text(name, names)) for name in tidy["set"]]
    groups = [" · ".join(names.value(by, row[by]) for by in result.by) for row in tidy.to_dict("records")]
    labels = [" · ".join(filter(None, pair)) for pair in zip(sets, groups, strict=True)]
    score, low, high = (tidy[name].to_numpy(float) for name in ("score", "low", "high"))
    rows = Strip(labels, bases, score, low, high, chances)
    return _draw(rows, first, names, ax, comparison_notes(result, names), Word("fuzzy.title.comparison"))


def _draw(
    rows: Strip, result: Evaluation, names: Names, ax: Axes | None, said: Sequence[Word | str], title: Word
) -> Axes:
    if not np.isfinite(result.grade_scores).all():
        raise OptionError(
            'kind="verdict" needs grades with scores: evaluate(…, grades=[Grade(code, texts, score, cut), …]).'
        )
    catalogue = words(names.lang)
    labels = [style.wrap(label, 30) for label in rows.labels]
    ax = style.axes_for(ax, style.row_height(labels, 0.34) + 2.3, WIDTH)
    draw_rows(ax, labels, rows.bases, rows.score, rows.low, rows.high, shown=False)
    _ladder(ax, result, names)
    for row, base in enumerate(rows.bases):
        if not base.hidden and np.isfinite(rows.score[row]):
            _number(ax, row, float(rows.score[row]), float(rows.high[row]))
    if np.isfinite(rows.probability).any():
        _probabilities(ax, rows, result, names)
    ax.set_xlabel(catalogue.say(Word("fuzzy.plot.ladder")))
    level = result.score.level if np.isfinite(rows.low).any() else None
    style.below(ax, *remarks(list(rows.bases), names.bases, catalogue, level), *map(catalogue.say, said))
    ax.set_title(catalogue.say(title), pad=52)
    return ax


def _number(ax: Axes, row: int, score: float, high: float) -> None:
    end = high if np.isfinite(high) else score
    ax.annotate(
        number(score, "score"), (end, row), xytext=(8, 0), textcoords="offset points", va="center", fontsize=8.5,
        color=style.INK, bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.6},
    )  # fmt: skip


def _ladder(ax: Axes, result: Evaluation, names: Names) -> None:
    """Rungs at the scores of the grades, their names above."""
    scores, size = result.grade_scores, len(result.grades)
    unit = _unit(scores)
    ax.grid(visible=False, axis="x")
    ax.set_xticks(sorted(scores.tolist()))
    for place, (grade, score) in enumerate(zip(result.grades, scores.tolist(), strict=True)):
        ax.plot([score, score], [-0.6, len(ax.get_yticks()) - 0.4], color=style.RULE, lw=1.2, zorder=0)
        colour, hatch = look(place, size)
        box(
            ax, score - 0.25 * unit, -0.9, 0.5 * unit, 0.26, facecolor=colour, hatch=hatch, edgecolor=style.PAPER,
            clip_on=False,
        )  # fmt: skip
        _named(ax, score, names.grade(grade))
    ax.set_xlim(scores.min() - 0.6 * unit, scores.max() + 0.6 * unit)


def _unit(scores: np.ndarray) -> float:
    """Usual distance of two grades."""
    return float(scores.max() - scores.min()) / max(1, len(scores) - 1) or 1.0


def _named(ax: Axes, x: float, name: str) -> None:
    """A grade's name above the rows."""
    ax.annotate(
        balanced(name, NAME, 3), (x, -0.98), ha="center", va="bottom", fontsize=8, color=style.INK,
        annotation_clip=False,
    )  # fmt: skip


def _probabilities(ax: Axes, rows: Strip, result: Evaluation, names: Names) -> None:
    """A column per grade to the right, in the order of the ladder: its probability, darker where it is more likely."""
    unit, order = _unit(result.grade_scores), np.argsort(result.grade_scores, kind="stable").tolist()
    start = float(result.grade_scores.max()) + 1.5 * unit
    for column, place in enumerate(order):
        x = start + column * unit
        _named(ax, x, names.grade(result.grades[place]))
        for row, base in enumerate(rows.bases):
            chance = rows.probability[row, place]
            if base.hidden or not np.isfinite(chance):
                continue
            shade = _shade(float(chance))
            box(ax, x - 0.47 * unit, row - 0.36, 0.94 * unit, 0.72, facecolor=shade, edgecolor="none")
            if chance > 0:
                ax.text(x, row, number(float(chance), "chance"), ha="center", va="center", fontsize=8,
                        color=letters_on(shade))  # fmt: skip
    ax.set_xlim(right=start + (len(order) - 0.45) * unit)
    above = words(names.lang).say(Word("fuzzy.plot.probability"))
    ax.annotate(
        above, (start - 0.5 * unit, len(rows.bases) - 0.4), xytext=(0, -4), textcoords="offset points", va="top",
        fontsize=8.5, color=style.GREY, annotation_clip=False,
    )  # fmt: skip


@cache
def _shade(chance: float) -> str:
    """From paper to ink."""
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    return to_hex(LinearSegmentedColormap.from_list("chance", ["#f1f4f6", "#33414e"])(chance))
