"""Hierarchy view: the index tree as nested boxes, each with its score, its verdict and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.evaluation_grades import box as draw_box
from csat.report.plots.evaluation_grades import legend_of, look, said, verdicts_said
from csat.report.plots.index import group_labels
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows
from csat.report.tables.evaluation import names_of_groups
from csat.report.tables.evaluation_notes import node, probability_notes, scale_notes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.fuzzy import Evaluation

#: Inches: a column of nodes, the column of the lowest nodes, a row, what surrounds the boxes, a grade's stripe.
COLUMN, LAST, ROW, AROUND, STRIPE = 1.65, 4.9, 0.27, 2.0, 0.11
#: Columns of text in a node's box and in a lowest node's.
WIDE, LOWEST = 19, 46


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place, in inches and rows: from `left` to `right`, from row `top` to before row `bottom`."""

    left: float
    right: float
    top: int
    bottom: int

    @property
    def lowest(self) -> bool:
        """Whether it is one row high."""
        return self.bottom - self.top == 1


def hierarchy(result: Evaluation, names: Names, ax: Axes | None, group: str | None = None) -> Axes:
    """The index tree with the verdict of every node; of an evaluation by groups, of one of them."""
    tidy = result.verdicts()
    by = names_of_groups(tidy)
    bases = judge_rows(tidy, ("n",), by, names.bases)
    at, title = _rows_of(tidy, by, group, names)
    frame, shown = tidy[at], [base for base, own in zip(bases, at, strict=True) if own]
    boxes = _boxes(result.state.tree.nodes, result.state.tree.children, result.state.tree.depths)
    rows = max(box.bottom for box in boxes)
    catalogue = words(names.lang)
    right = max(box.right for box in boxes)
    ax = style.axes_for(ax, rows * ROW + AROUND, right + 0.4)
    for box, record, base in zip(boxes, frame.to_dict("records"), shown, strict=True):
        _draw(ax, box, record, base, result, names)
    ax.set(xlim=(0, right), ylim=(rows, 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    legend_of(ax, result.grades, names)
    telling.says(*verdicts_said(frame, shown, result.score.level, names))
    boxed = [Word("fuzzy.plot.hierarchy"), Word("fuzzy.plot.doubt")]
    notes = [*boxed, *scale_notes(result, names), *probability_notes(result, frame, names)]
    style.below(ax, *remarks(shown, names.bases, catalogue), *map(catalogue.say, notes))
    style.title_over_legend(ax, catalogue.say(title))
    return ax


def _rows_of(tidy: pd.DataFrame, by: list[str], group: str | None, names: Names) -> tuple[np.ndarray, Word]:
    """Which rows to draw, and the title."""
    if not by:
        if group is not None:
            raise OptionError("group= is for an evaluation by groups: evaluate(…, by=…).")
        return np.ones(len(tidy), bool), Word("fuzzy.title.hierarchy")
    plain = [" · ".join(map(str, label)) for label in zip(*(tidy[name] for name in by), strict=True)]
    labels = group_labels(tidy, by, names)
    if group is None or group not in {*plain, *labels}:
        found = dict.fromkeys(labels)
        if group is None:
            raise OptionError(f'kind="hierarchy" draws one group; name it with group=, one of {", ".join(found)}.')
        raise OptionError.choose("group", group, tuple(found))
    at = np.array([group in pair for pair in zip(plain, labels, strict=True)])
    return at, Word("fuzzy.title.hierarchy_of", {"group": labels[int(np.flatnonzero(at)[0])]})


def _boxes(nodes: tuple[str, ...], children: Mapping[str, tuple[str, ...]], depths: tuple[int, ...]) -> list[Box]:
    """A box per node, in their order: as high as what is below it, the lowest ones reaching to the right edge."""
    deepest = max(depths)
    edge = deepest * COLUMN + LAST
    leaves = [code for code in nodes if code not in children]
    row = {code: (place, place + 1) for place, code in enumerate(leaves)}
    for code in reversed(nodes):
        if code in children:
            ends = [row[child] for child in children[code]]
            row[code] = (min(top for top, _ in ends), max(bottom for _, bottom in ends))
    return [
        Box(depth * COLUMN, (depth + 1) * COLUMN if code in children else edge, *row[code])
        for code, depth in zip(nodes, depths, strict=True)
    ]


def _draw(ax: Axes, box: Box, record: dict[Any, Any], base: Base, result: Evaluation, names: Names) -> None:
    known = not base.hidden and bool(record["verdict"])
    top, height, width = box.top + 0.06, box.bottom - box.top - 0.12, box.right - box.left - 0.06
    draw_box(
        ax, box.left + 0.03, top, width, height, facecolor=style.PAPER, edgecolor=style.GREY, linewidth=0.8,
        linestyle="--" if base is Base.SMALL else "-",
    )  # fmt: skip
    if known:
        colour, hatch = look(result.grades.index(record["verdict"]), len(result.grades))
        stripe = {"facecolor": colour, "hatch": hatch, "edgecolor": style.PAPER, "linewidth": 0.0}
        draw_box(ax, box.left + 0.03, top, STRIPE, height, **stripe)
    name = words(names.lang).say(node(record["term"], names)) + (" ○" if base is Base.SMALL else "")
    grade = said(record, result.score.level, names) if known else DASH
    score = number(record["score"], "score") if known and np.isfinite(record["score"]) else ""
    middle = (box.top + box.bottom) / 2
    start = box.left + 0.03 + STRIPE + 0.07
    if box.lowest:
        how: dict[str, Any] = {"va": "center", "fontsize": 8, "in_layout": False}
        ax.text(start, middle, style.wrap(name, LOWEST, 1), ha="left", **how)
        ax.text(box.right - 0.1, middle, f"{score}  {grade}".strip(), ha="right", **how)
        return
    lines = (box.bottom - box.top) * ROW / 0.16
    text = [style.wrap(name, WIDE, max(1, min(3, int(lines) - 2))), *filter(None, (score, grade))]
    ax.text(start, middle, "\n".join(text), ha="left", va="center", fontsize=8, linespacing=1.25)
