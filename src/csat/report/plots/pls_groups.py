"""Charts of path models of composites in groups: differences with what chance would give, and segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import number, signed
from csat.report.lines import size_of
from csat.report.names import Names
from csat.report.plots.gap import PALE
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.pls_groups import group_label, kind_word, relation_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.composites import PlsDifferences, Segments

#: Columns of the names of rows.
COLUMNS = 44
#: Criteria for the number of segments that the chart has.
CRITERIA = ("aic3", "aic4", "bic", "caic")


def differences(result: PlsDifferences, names: Names, ax: Axes | None, *, of: str | None = None) -> Axes:
    """Differences of one kind of figure with their intervals, paths if there are; pale where within chance."""
    say = words(names.lang).say
    frame = result.tidy().assign(n=result.estimates.n)
    kinds = list(dict.fromkeys(frame["kind"]))
    kind = of or ("path" if "path" in kinds else kinds[0])
    if kind not in kinds:
        raise OptionError(f"This result has no differences of kind {kind!r}; it has {', '.join(kinds)}.")
    frame = frame[frame["kind"] == kind]
    joint = "：" if names.lang == "zh" else ": "
    labels = [
        _joined(
            relation_text(kind, lhs, rhs, names) + joint, f"{group_label(one, names)} − {group_label(other, names)}"
        )
        for lhs, rhs, one, other in zip(frame["lhs"], frame["rhs"], frame["group"], frame["against"], strict=True)
    ]
    bases = [names.bases.judge(float(n)) for n in frame["n"]]
    level = result.estimates.level
    within = ~(frame["p_adjusted"].to_numpy(float) < 1 - level)
    permuted = result.null_low is not None
    ax = style.axes_for(ax, style.row_height(labels) + 1.5 + 0.17 * permuted)
    if permuted:
        for row, (low, high, base) in enumerate(zip(frame["null_low"], frame["null_high"], bases, strict=True)):
            if not base.hidden and np.isfinite(high - low):
                ax.barh([row], [high - low], left=[low], height=0.5, color=style.RULE, zorder=1)
    figures = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    colours = np.where(within, PALE, style.BLUE).tolist()
    draw_rows(ax, labels, bases, *figures, write=signed, colours=colours, form="bars", null=0.0, clear=~within)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1.5)
    ax.set_xlabel(say(Word("plot.difference_of", {"kind": kind_word(kind)})))
    blanks = {"adjusted": Word(f"plot.p_{result.adjust}"), "alpha": 1 - level}
    said = [Word("plot.chance_range", {"level": level})] if permuted else []
    said += [Word("plot.within_chance", blanks)] if within.any() else []
    style.below(ax, *remarks(bases, names.bases, words(names.lang), level), *map(say, said))
    ax.set_title(say(Word("title.pls_differences")))
    return ax


def _joined(first: str, second: str) -> str:
    """Both parts of the name of a row, on lines of their own if it is long."""
    if sum(map(size_of, first + second)) <= COLUMNS:
        return first + second
    return f"{style.wrap(first, COLUMNS, 2)}\n{style.wrap(second, COLUMNS, 2)}"


def criteria(result: Segments, names: Names, ax: Axes | None) -> Axes:
    """Criteria for the number of segments, each less its smallest value, which the legend gives."""
    say = words(names.lang).say
    title = say(Word("title.segments"))
    verdict = names.bases.judge(len(result.probabilities))
    if verdict.hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    frame = result.criteria
    ax = style.axes_for(ax, 4.2)
    for name, colour, mark, dash in zip(CRITERIA, style.SERIES, style.MARKS, style.DASHES, strict=False):
        values = frame[name].to_numpy(float)
        best = int(np.argmin(values))
        label = f"{say(Word(f'column.{name}'))}: {number(values[best], 'statistic')}"
        ax.plot(
            frame["segments"],
            values - values[best],
            mark,
            ls=dash,
            color=colour,
            lw=1.5,
            ms=5,
            mfc=style.PAPER,
            label=label,
        )
        ax.plot([frame["segments"].iloc[best]], [0], mark, ms=8, color=colour, zorder=3)
    counts = [f"{k}" for k in frame["segments"]]
    for name in CRITERIA:
        values = frame[name].to_numpy(float)
        telling.rows(counts, values - values.min(), name=say(Word(f"column.{name}")), kind="lines")
    ax.set_xticks(
        frame["segments"].tolist(),
        [
            f"{k}\n{say(Word('column.entropy'))} {number(entropy, 'score')}" if k > 1 else f"{k}"
            for k, entropy in zip(frame["segments"], frame["entropy"], strict=True)
        ],
    )
    ax.grid(visible=True, axis="y")
    ax.set_ylabel(say(Word("plot.criteria")))
    ax.set_xlabel(say(Word("plot.segments")))
    style.below(ax, say(Word("plot.smallest")), say(Word("plot.n", {"n": len(result.probabilities)})))
    style.title_over_legend(ax, title)
    return ax


def paths(result: Segments, names: Names, ax: Axes | None) -> Axes:
    """Paths of the segments, a colour each, and those of everybody as grey crosses."""
    say = words(names.lang).say
    title = say(Word("title.segment_paths"))
    if names.bases.judge(len(result.probabilities)).hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    everybody = say(Word("column.everybody"))
    around = "（{}）" if names.lang == "zh" else " ({})"
    labels = [
        _joined(relation_text("path", lhs, rhs, names), around.format(f"{everybody} {number(float(value), 'score')}"))
        for (lhs, rhs), value in zip(result.names, result.whole, strict=True)
    ]
    tidy = result.tidy()
    bases = [names.bases.judge(float(n)) for n in tidy.drop_duplicates("segment")["n"]]
    shown = [(k, base) for k, base in enumerate(bases, 1) if not base.hidden]
    ax = style.axes_for(ax, style.row_height(labels, 0.25 + 0.2 * len(shown)) + 2.0)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    telling.rows(labels, result.whole, name=everybody)
    for row, value in enumerate(result.whole):
        ax.plot([value, value], [row - 0.3, row + 0.3], color=style.GREY, lw=1.6, zorder=2)
    ax.plot([], [], "|", ms=9, color=style.GREY, mew=1.6, label=everybody)
    reach = min(0.3, 0.1 * len(shown))
    spots = np.linspace(-reach, reach, len(shown)) if len(shown) > 1 else [0.0]
    for (k, base), spot in zip(shown, spots, strict=True):
        _segment(ax, tidy[tidy["segment"] == k], base, float(spot), names, labels)
    style.label_rows(ax, labels)
    ax.set_xlabel(say(Word("plot.segment_path")))
    style.below(ax, *remarks(bases, names.bases, words(names.lang)), say(Word("note.segments_found")))
    style.title_over_legend(ax, title)
    return ax


def _segment(ax: Axes, part: pd.DataFrame, base: Base, spot: float, names: Names, labels: Sequence[str]) -> None:
    """Paths of one segment, a little above or below the middle of their rows, with their figures in the margin."""
    first = part.iloc[0]
    at = int(first["segment"]) - 1
    colour = style.SERIES[at % len(style.SERIES)]
    values = part["estimate"].to_numpy(float)
    blanks = {"k": at + 1, "share": float(first["share"]), "n": float(first["n"])}
    label = words(names.lang).say(Word("column.segment", blanks))
    telling.rows(labels, values, bases=[base] * len(values), name=label)
    ax.plot(
        values, np.arange(len(values)) + spot, "o" if at < len(style.SERIES) else "s", ms=6.5, mew=1.5, zorder=3,
        mfc=style.PAPER if base is Base.SMALL else colour, mec=colour,
        label=label,
    )  # fmt: skip
    for row, value in enumerate(values.tolist()):
        style.beside(ax, row + spot, number(value, "score"), color=colour, fontsize=8.5)
