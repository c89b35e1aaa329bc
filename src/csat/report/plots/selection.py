"""Charts of selections: the path of the steps, how often replicates select a driver, the best model of a size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.description import Kind
from csat.report.format import number
from csat.report.names import Names
from csat.report.plots.driver import about, named_terms, percent, said
from csat.report.tables.driver import too_few
from csat.report.tables.selection import CRITERIA, frame_of_best, stability_notes, stability_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers import Stepwise
    from csat.drivers.selection.subsets import Subsets

#: Fills of bars of drivers that the whole sample does not keep.
PALE_BLUE, PALE_ORANGE = "#b3d1e6", "#f2c9ad"
#: R² that is rounding error.
NOTHING = 1e-9
MOVES = {"enter": "plot.step_in", "remove": "plot.step_out"}


def steps(result: Stepwise, names: Names, ax: Axes | None) -> Axes:
    """R² after each step, which driver came or went, and the criterion where the rule has one."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.stepwise", {"outcome": names.running(result.outcome)}))
    sentences = about(result.n, result.left_out, names)
    if too_few(result.n, names):
        return style.empty(ax, title, sentences[-1])
    if result.steps.empty:
        return style.empty(ax, title, catalogue.say(Word("note.nothing_entered")))
    frame = result.tidy()
    labels = [
        style.wrap(catalogue.say(Word(MOVES.get(action, "plot.step_in"), {"name": name})))
        for action, name in zip(frame["action"], names.drivers(list(frame["term"])), strict=True)
    ]
    r2 = frame["r2"].to_numpy(float)
    before = r2 - frame["r2_change"].to_numpy(float)
    gains = frame["action"].eq("enter").to_numpy()
    if before[0] > NOTHING:
        # What was in the model before the first step, because it is forced in or the search starts from all.
        labels = [style.wrap(catalogue.say(Word("plot.step_start"))), *labels]
        r2, before, gains = np.r_[before[0], r2], np.r_[before[0], before], np.r_[True, gains]
        begin = {"r2": before[0], "criterion": result.start_criterion}
        frame = pd.concat([pd.DataFrame([begin]), frame[["r2", "criterion"]]], ignore_index=True)
    hatch = np.where(gains, "", "////").tolist()
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.5)
    ax.barh(range(len(r2)), before, height=0.62, color=style.RULE)
    ax.barh(
        range(len(r2)), r2 - before, left=before, height=0.62, edgecolor=style.PAPER, lw=0.5,
        color=[style.BLUE if gain else style.ORANGE for gain in gains], hatch=hatch,
    )  # fmt: skip
    style.label_rows(ax, labels)
    telling.rows(labels, r2, bases=[names.bases.judge(float(np.max(result.n)))] * len(r2), kind="bars", unit="estimate")
    _write_fit(ax, result, frame, names)
    ax.set_xlim(0, float(max(r2.max(), before.max(), 1e-9)) * 1.04)
    ax.set_xlabel(catalogue.say(Word("plot.r2")))
    left = [] if gains.all() else said(names, Word("plot.hatched_left"))
    style.below(ax, *left, *said(names, *_endings(result, names)), *sentences)
    ax.set_title(title)
    return ax


def _write_fit(ax: Axes, result: Stepwise, frame: pd.DataFrame, names: Names) -> None:
    """Write R², and the criterion of the rule, into the margin."""
    kind: Kind = "estimate" if result.rule == "adjr2" else "statistic"
    head = words(names.lang).say(Word("column.r2"))
    if result.rule != "p":
        head += "  " + words(names.lang).say(Word(f"criterion.{result.rule}"))
        style.beside(ax, -0.75, head, color=style.GREY, fontsize=8.5)
    for row, (fit, level) in enumerate(zip(frame["r2"], frame["criterion"], strict=True)):
        text = number(float(fit), "estimate")
        style.beside(ax, row, text if result.rule == "p" else f"{text}  {number(float(level), kind)}")


def _endings(result: Stepwise, names: Names) -> list[Word]:
    """What was always in, an unusual end, and that p-values are optimistic."""
    forced = names.listed(names.drivers(result.forced))
    return [
        *([Word("note.forced", {"names": forced})] if result.forced else []),
        *([] if result.ended == "settled" else [Word(f"note.ended_{result.ended}")]),
        Word("note.caution"),
    ]


def stability(result: Any, names: Names, ax: Axes | None) -> Axes:
    """Share of replicates that select each driver, split by the sign of its coefficient.

    Raises
    ------
    OptionError
        Of a selection that was not redone on replicates.
    """
    catalogue = words(names.lang)
    found = stability_of(result)
    title = catalogue.say(Word("title.stability"))
    sentences = said(names, *stability_notes(result, names))
    if too_few(found.estimates.n[0], names):
        return style.empty(ax, title, sentences[-1])
    frame = found.tidy().sort_values("frequency", ascending=False, kind="stable")
    labels = named_terms(frame["term"].tolist(), names)
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.8)
    _bars_by_sign(ax, frame, names, labels)
    style.label_rows(ax, labels)
    for row, share in enumerate(frame["frequency"]):
        style.beside(ax, row, number(float(share), "chance"))
    ax.set_xlim(0, 1)
    percent(ax)
    ax.set_xlabel(catalogue.say(Word("plot.selected")))
    pale = [] if frame["chosen"].all() else said(names, Word("plot.pale_not_kept"))
    style.below(ax, *pale, *sentences)
    style.title_over_legend(ax, title)
    return ax


def _bars_by_sign(ax: Axes, frame: pd.DataFrame, names: Names, labels: list[str]) -> None:
    """Stacked bars: positive, negative (hatched), and no single sign; pale where the whole sample keeps out."""
    frequency, kept = frame["frequency"].to_numpy(float), frame["chosen"].to_numpy(bool)
    positive = np.where(frame["positive"].notna(), frame["positive"].fillna(0.0), np.nan) * frequency
    several = np.isnan(positive) & (frequency > 0)
    parts = [
        ("plot.positive", np.nan_to_num(positive), (style.BLUE, PALE_BLUE), ""),
        ("plot.negative", np.where(np.isnan(positive), 0.0, frequency - positive), (style.ORANGE, PALE_ORANGE), "////"),
        ("plot.several_signs", np.where(several, frequency, 0.0), (style.GREY, "#c9d0d5"), ""),
    ]
    left = np.zeros(len(frame))
    for key, width, (dark, pale), hatch in parts:
        if not (width > 0).any():
            continue
        ax.barh(
            range(len(frame)), width, left=left, height=0.62, hatch=hatch, edgecolor=style.PAPER, lw=0.5,
            color=[dark if inside else pale for inside in kept],
        )  # fmt: skip
        said_key = words(names.lang).say(Word(key))
        style.legend_bar(ax, dark, hatch, said_key)
        telling.rows(labels, width, name=said_key, kind="stacked", unit="chance")
        left += width


def subsets(result: Subsets, names: Names, ax: Axes | None) -> Axes:
    """The criterion by size of the model, and which drivers are in the best model of each size."""
    catalogue = words(names.lang)
    title = catalogue.say(Word("title.subsets", {"outcome": names.running(result.outcome)}))
    sentences = [*about(result.n, result.left_out, names), *said(names, Word("note.caution"))]
    if too_few(result.n, names):
        return style.empty(ax, title, sentences[-2])
    best = frame_of_best(result)
    _tell(result, names)
    terms = list(dict.fromkeys(term for model in best["terms"] for term in model))
    labels = [style.wrap(name, 34, 1) for name in names.drivers(terms)]
    made = [ax] if ax is not None else _two_panels(len(labels))
    _criterion_path(made[0], result, best, names)
    if len(made) > 1:
        _members(made[1], result, best, terms, labels)
    made[-1].set_xlabel(catalogue.say(Word("plot.size")))
    style.below(made[-1], *said(names, Word("plot.ring")), *sentences)
    made[0].set_title(title)
    return made[0]


def _tell(result: Subsets, names: Names) -> None:
    chosen = names.listed(names.drivers(list(result.selected)))
    heading = words(names.lang).say(Word(f"criterion.{result.criterion}"))
    telling.says(*said(names, Word("alt.points", {"name": heading, "names": chosen})))


def _two_panels(rows: int) -> list[Axes]:
    from matplotlib import pyplot

    heights = [2.2, 0.27 * rows + 0.3]
    size = (style.FIGURE_WIDTH, sum(heights) + 1.7)
    made = pyplot.subplots(2, 1, figsize=size, dpi=110, height_ratios=heights, sharex=True, squeeze=False)[1]
    return list(made[:, 0])


def _criterion_path(ax: Axes, result: Subsets, best: pd.DataFrame, names: Names) -> None:
    """The criterion of the best model of each size; others pale; a ring around the one preferred."""
    column = CRITERIA[result.criterion]
    level = best[column].where(np.isfinite(best[column]))
    others = result.table[result.table["rank"] > 1]
    ax.plot(others["size"], others[column], "o", ms=4, color=style.RULE, zorder=1)
    ax.plot(best["size"], level, "-o", color=style.BLUE, ms=5, lw=1.4, zorder=2)
    chosen = best[[set(terms) == set(result.selected) for terms in best["terms"]]]
    ax.plot(chosen["size"], chosen[column], "o", ms=12, mfc="none", mec=style.ORANGE, mew=1.8, zorder=3)
    ax.set_ylabel(words(names.lang).say(Word(f"criterion.{result.criterion}")))
    ax.grid(visible=True, axis="y")
    _focus(ax, level.to_numpy(float), higher=result.criterion == "adjr2")


def _focus(ax: Axes, level: np.ndarray, *, higher: bool) -> None:
    """Show the models near the best: far worse ones (the smallest) would flatten the rest."""
    known = np.sort(level[np.isfinite(level)] * (-1 if higher else 1))
    if len(known) < 4:
        return
    reach = 4 * (np.median(known) - known[0]) + 1e-12
    worst = known[known <= known[0] + reach].max()
    ends = np.array([known[0] - 0.12 * (worst - known[0]), worst + 0.12 * (worst - known[0])]) * (-1 if higher else 1)
    ax.set_ylim(*sorted(ends.tolist()))


def _members(ax: Axes, result: Subsets, best: pd.DataFrame, terms: list[str], labels: list[str]) -> None:
    """A dot where a driver is in the best model of a size; those of the preferred model are orange squares."""
    from matplotlib.ticker import MaxNLocator

    for size, model in zip(best["size"], best["terms"], strict=True):
        preferred = set(model) == set(result.selected)
        inside = [row for row, term in enumerate(terms) if term in model]
        ax.plot(
            [size] * len(inside), inside, "s" if preferred else "o", ms=6, ls="none",
            color=style.ORANGE if preferred else style.BLUE,
        )  # fmt: skip
    style.label_rows(ax, labels, "both")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
