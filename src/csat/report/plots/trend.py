"""Charts over time: lines with interval bands, and a change split into its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.bases import Base
from csat.report.format import number, signed
from csat.report.names import Names
from csat.report.plots.gap import PALE
from csat.report.plots.index import group_labels
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import judge_rows, level_of
from csat.report.tables.trend import period_names, trend_groups
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.trends import ChangeSplit, Trend


def lines(result: Trend, names: Names, ax: Axes | None) -> Axes:
    """Index and first dimensions over the periods, a line and an interval band each; with groups, their index."""
    catalogue = words(names.lang)
    tidy = result.tidy()
    by = trend_groups(tidy)
    periods = list(dict.fromkeys(tidy["period"]))
    frame = tidy[tidy["depth"] == 0] if by else tidy[tidy["depth"] <= 1]
    frame = frame.assign(line=group_labels(frame, by, names) if by else names.codes(list(frame["term"])))
    verdicts = judge_rows(frame, ("n",), by, names.bases)
    frame["hidden"] = [base.hidden for base in verdicts]
    frame["small"] = [base is Base.SMALL for base in verdicts]
    ax = style.axes_for(ax, 4.4)
    for place, (label, part) in enumerate(frame.groupby("line", sort=False)):
        colour = style.SERIES[place % len(style.SERIES)]
        _line(ax, part, periods, str(label), colour, dashed=place >= len(style.SERIES))
    ax.set_xticks(range(len(periods)), [style.wrap(name, 14) for name in period_names(periods, names)])
    ax.set_xlim(-0.25, len(periods) - 0.75)
    ax.grid(visible=True, axis="y")
    ax.set_ylabel(catalogue.say(Word("plot.score")))
    bands = catalogue.say(Word("plot.bands", {"level": level_of(result)}))
    style.below(ax, bands, *remarks(verdicts, names.bases, catalogue))
    style.title_over_legend(ax, catalogue.say(Word("title.trend")))
    return ax


def _line(ax: Axes, part: pd.DataFrame, periods: list[str], label: str, colour: str, *, dashed: bool) -> None:
    """One line; a period whose figure is hidden, or that is not there, leaves a gap in it."""
    at = part.set_index("period").reindex(periods)
    shown = ~at["hidden"].eq(True).to_numpy()
    values, low, high = (np.where(shown, at[name].to_numpy(float), np.nan) for name in ("estimate", "low", "high"))
    x = np.arange(len(periods))
    ax.fill_between(x, low, high, color=colour, alpha=0.1, lw=0)
    last = [number(float(value), "score") for value in values[-1:] if np.isfinite(value)]
    ax.plot(x, values, color=colour, lw=1.8, ls="--" if dashed else "-", label=" ".join([label, *last]))
    hollow = at["small"].eq(True).to_numpy()
    for small, fill in ((False, colour), (True, style.PAPER)):
        ax.plot(x[hollow == small], values[hollow == small], "o", ms=5.5, mfc=fill, mec=colour, mew=1.4)


def changes(result: Trend, names: Names, ax: Axes | None) -> Axes:
    """Change of each node in the last period, with its interval; pale where it is within noise."""
    catalogue = words(names.lang)
    frame = result.changes.tidy().assign(verdict=list(result.verdict))
    groups = [name for name in trend_groups(result.tidy()) if name in frame]
    frame = frame[frame["period"] == result.tidy()["period"].iloc[-1]]
    labels = names.codes(list(frame["term"]))
    if groups:
        labels = [" · ".join(pair) for pair in zip(group_labels(frame, groups, names), labels, strict=True)]
    labels = [style.wrap(label) for label in labels]
    if not labels:
        return style.empty(ax, catalogue.say(Word("title.changes")), catalogue.say(Word("note.one_period")))
    verdict = frame["verdict"].to_numpy()
    colours = np.select([verdict == "up", verdict == "down"], [style.BLUE, style.ORANGE], PALE).tolist()
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    bases = judge_rows(frame, ("n",), groups, names.bases)
    draw_rows(ax, labels, bases, *(frame[x].to_numpy(float) for x in FIGURES), write=signed, colours=colours)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    since = period_names([str(frame["since"].iloc[0])], names)[0]
    ax.set_xlabel(catalogue.say(Word("plot.change", {"since": since})))
    pale = [catalogue.say(Word("plot.noise"))] if "within noise" in verdict else []
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *pale)
    period = period_names([str(frame["period"].iloc[0])], names)[0]
    ax.set_title(catalogue.say(Word("title.changes_since", {"since": since, "period": period})))
    return ax


FIGURES = ("estimate", "low", "high")


def split(result: ChangeSplit, names: Names, ax: Axes | None) -> Axes:
    """Change of index and dimensions: mix and real change, with intervals."""
    catalogue = words(names.lang)
    tidy = result.tidy()
    frame = tidy[tidy["kind"] != "item"] if (tidy["kind"] != "item").any() else tidy
    order = {term: place for place, term in enumerate(dict.fromkeys(frame["term"]))}
    frame = frame.assign(place=frame["term"].map(order)).sort_values("place", kind="stable")
    parts = [catalogue.say(Word(f"part.{part}")) for part in frame["part"]]
    labels = [style.wrap(" · ".join(x)) for x in zip(names.codes(list(frame["term"])), parts, strict=True)]
    colours = [{"change": style.INK, "mix": style.AMBER, "real": style.BLUE}[part] for part in frame["part"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    bases = judge_rows(frame, ("n",), (), names.bases)
    draw_rows(ax, labels, bases, *(frame[x].to_numpy(float) for x in FIGURES), write=signed, colours=colours)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    before, after = period_names([result.before, result.after], names)
    ax.set_xlabel(catalogue.say(Word("plot.change_points")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)))
    ax.set_title(catalogue.say(Word("title.split", {"before": before, "after": after})))
    return ax
