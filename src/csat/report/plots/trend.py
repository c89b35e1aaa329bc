"""Charts over time: lines with interval bands, and a change split into its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
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


FIGURES = ("estimate", "low", "high")
#: Height of a line of a label at the end of a line, and what surrounds the axes, in inches.
LINE, AROUND = 0.17, 1.2


def lines(result: Trend, names: Names, ax: Axes | None) -> Axes:
    """Index and first dimensions over the periods, a line each, named at its end; with groups, their index.

    One line has a band; of several, every figure has its interval, so that they can be told apart where they overlap.
    """
    catalogue = words(names.lang)
    tidy = result.tidy()
    by = trend_groups(tidy)
    periods = list(dict.fromkeys(tidy["period"]))
    frame = tidy[tidy["depth"] == 0] if by else tidy[tidy["depth"] <= 1]
    frame = frame.assign(line=group_labels(frame, by, names) if by else names.codes(list(frame["term"])))
    verdicts = judge_rows(frame, ("n",), by, names.bases)
    frame["base"] = [str(base) for base in verdicts]
    parts = [(str(label), part) for label, part in frame.groupby("line", sort=False)]
    said = period_names(periods, names)
    ax = style.axes_for(ax, max(4.2, 0.36 * len(parts) + 1.6))
    spots = np.linspace(-1, 1, len(parts)) * min(0.1, 0.03 * len(parts)) if len(parts) > 1 else [0.0]
    ends = [
        _line(ax, part, periods, place, float(spot), band=len(parts) == 1)
        for place, ((_, part), spot) in enumerate(zip(parts, spots, strict=True))
    ]
    _tell(parts, periods, said)
    ax.set_xlim(-0.25, len(periods) - 0.75)
    ax.set_xticks(range(len(periods)), _ticks(frame, periods, said, names), linespacing=1.3)
    ax.grid(visible=True, axis="y")
    ax.margins(y=0.08)
    name_ends(ax, ends, [label for label, _ in parts])
    ax.set_xlabel(catalogue.say(Word("plot.score")))
    key = "plot.bands" if len(parts) == 1 else "plot.whiskers"
    style.below(ax, catalogue.say(Word(key, {"level": level_of(result)})), *remarks(verdicts, names.bases, catalogue))
    ax.set_title(catalogue.say(Word("title.trend")))
    return ax


def _ticks(frame: pd.DataFrame, periods: list[str], said: list[str], names: Names) -> list[str]:
    """Names of the periods, with the respondents behind the figures that are shown."""
    out = []
    shown = np.array([not Base(base).hidden for base in frame["base"]], bool)
    for period, name in zip(periods, said, strict=True):
        sizes = frame.loc[(frame["period"] == period) & shown, "n"].to_numpy(float)
        if not len(sizes):
            out.append(style.wrap(name, 14))
            continue
        low, high = float(sizes.min()), float(sizes.max())
        base = Word("plot.n", {"n": low}) if low == high else Word("plot.n_range", {"low": low, "high": high})
        known = np.isfinite(sizes).all()
        out.append("\n".join([style.wrap(name, 14), *([words(names.lang).say(base)] if known else [])]))
    return out


def _figures(part: pd.DataFrame, periods: list[str]) -> tuple[list[np.ndarray], list[Base]]:
    """Estimate and interval per period, and the base; a period that is not there has none of them."""
    at = part.set_index("period").reindex(periods)
    bases = [Base(one) if isinstance(one, str) else Base.ENOUGH for one in at["base"]]
    return [at[name].to_numpy(float) for name in FIGURES], bases


def _tell(parts: list[tuple[str, pd.DataFrame]], periods: list[str], said: list[str]) -> None:
    for label, part in parts:
        figures, bases = _figures(part, periods)
        telling.rows(said, *figures, bases=bases, name=label, kind="lines")


def _line(
    ax: Axes, part: pd.DataFrame, periods: list[str], place: int, spot: float, *, band: bool
) -> tuple[float, float, str]:
    """One line; a period whose figure is hidden, or that is not there, leaves a gap. Gives its last point, colour."""
    figures, bases = _figures(part, periods)
    shown = np.array([not base.hidden for base in bases])
    values, low, high = (np.where(shown, figure, np.nan) for figure in figures)
    turn, at = divmod(place, len(style.SERIES))
    colour, mark = style.SERIES[at], style.MARKS[at]
    x = np.arange(len(periods)) + spot
    if band:
        ax.fill_between(x, low, high, color=colour, alpha=0.14, lw=0)
    else:
        ax.vlines(x, low, high, color=colour, lw=1.1, alpha=0.75, zorder=1.5)
    ax.plot(x, values, color=colour, lw=2.2 if place == 0 else 1.6, ls=style.DASHES[(at + turn) % len(style.DASHES)])
    hollow = np.array([base is Base.SMALL for base in bases])
    for small, fill in ((False, colour), (True, style.PAPER)):
        ax.plot(x[hollow == small], values[hollow == small], mark, ms=6, mfc=fill, mec=colour, mew=1.4)
    known = np.flatnonzero(np.isfinite(values))
    last = known[-1] if len(known) else -1
    return float(x[last]), float(values[last]), colour


def name_ends(ax: Axes, ends: Sequence[tuple[float, float, str]], names: Sequence[str]) -> None:
    """Write names and last figures of lines to the right of their ends, apart from each other, joined to the ends."""
    known = [place for place, (_, y, _) in enumerate(ends) if np.isfinite(y)]
    labels = [style.wrap(f"{names[place]}  {number(ends[place][1], 'score')}", 26, 3) for place in known]
    low, high = ax.get_ylim()
    line = (high - low) * LINE / (ax.figure.get_size_inches()[1] - AROUND)  # type: ignore[union-attr]
    heights = [line * (1 + label.count("\n")) for label in labels]
    right = ax.get_xlim()[1]
    for place, label, y in zip(known, labels, apart([ends[at][1] for at in known], heights, low, high), strict=True):
        x, end, colour = ends[place]
        ax.plot([x, right], [end, y], color=colour, lw=0.8, alpha=0.8, zorder=1, clip_on=False)
        style.beside(ax, y, label, fontsize=9, linespacing=1.1)
    ax.set_ylim(low, high)


def apart(wanted: Sequence[float], heights: Sequence[float], low: float, high: float) -> list[float]:
    """Places near the wanted ones where labels of these heights do not touch.

    >>> apart([1.0, 1.1, 3.0], [1.0, 1.0, 1.0], 0.0, 4.0)
    [0.55, 1.55, 3.0]
    """
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    groups: list[tuple[list[int], float, float]] = []
    for at in order:
        # A group of touching labels: its members, the middle that they wish for, its height.
        members, middle, height = [at], wanted[at], heights[at]
        while groups and middle - height / 2 < groups[-1][1] + groups[-1][2] / 2:
            others, centre, size = groups.pop()
            count = len(others) + len(members)
            middle = (centre * len(others) + middle * len(members)) / count
            members, height = others + members, size + height
        room = (low + height / 2, high - height / 2)
        groups.append((members, min(max(middle, room[0]), max(room)), height))
    out = [0.0] * len(wanted)
    for members, middle, height in groups:
        edge = middle - height / 2
        for at in members:
            out[at] = round(edge + heights[at] / 2, 9)
            edge += heights[at]
    return out


def changes(result: Trend, names: Names, ax: Axes | None) -> Axes:
    """Change of each node in the last period, with its interval; pale where it is within noise."""
    catalogue = words(names.lang)
    frame = result.changes.tidy().assign(verdict=list(result.verdict))
    groups = [name for name in trend_groups(result.tidy()) if name in frame]
    frame = frame[frame["period"] == result.tidy()["period"].iloc[-1]]
    labels = names.codes(list(frame["term"]))
    if groups:
        labels = [" · ".join(pair) for pair in zip(group_labels(frame, groups, names), labels, strict=True)]
    labels = style.wrap_rows(labels)
    if not labels:
        return style.empty(ax, catalogue.say(Word("title.changes")), catalogue.say(Word("note.one_period")))
    verdict = frame["verdict"].to_numpy()
    colours = np.select([verdict == "up", verdict == "down"], [style.BLUE, style.ORANGE], PALE).tolist()
    clear = np.isin(verdict, ("up", "down"))
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    bases = judge_rows(frame, ("n",), groups, names.bases)
    figures = [frame[x].to_numpy(float) for x in FIGURES]
    draw_rows(ax, labels, bases, *figures, write=signed, colours=colours, form="bars", null=0.0, clear=clear)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    since = period_names([str(frame["since"].iloc[0])], names)[0]
    ax.set_xlabel(catalogue.say(Word("plot.change", {"since": since})))
    pale = [catalogue.say(Word("plot.noise"))] if "within noise" in verdict else []
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *pale)
    period = period_names([str(frame["period"].iloc[0])], names)[0]
    ax.set_title(catalogue.say(Word("title.changes_since", {"since": since, "period": period})))
    return ax


def split(result: ChangeSplit, names: Names, ax: Axes | None) -> Axes:
    """Change of index and dimensions: mix and real change, with intervals."""
    catalogue = words(names.lang)
    tidy = result.tidy()
    frame = tidy[tidy["kind"] != "item"] if (tidy["kind"] != "item").any() else tidy
    order = {term: place for place, term in enumerate(dict.fromkeys(frame["term"]))}
    frame = frame.assign(place=frame["term"].map(order)).sort_values("place", kind="stable")
    parts = [catalogue.say(Word(f"part.{part}")) for part in frame["part"]]
    labels = style.wrap_rows([" · ".join(x) for x in zip(names.codes(list(frame["term"])), parts, strict=True)])
    colours = [{"change": style.INK, "mix": style.AMBER, "real": style.BLUE}[part] for part in frame["part"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.4)
    bases = judge_rows(frame, ("n",), (), names.bases)
    figures = [frame[x].to_numpy(float) for x in FIGURES]
    draw_rows(ax, labels, bases, *figures, write=signed, colours=colours, form="bars", null=0.0)
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    before, after = period_names([result.before, result.after], names)
    ax.set_xlabel(catalogue.say(Word("plot.change_points")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)))
    ax.set_title(catalogue.say(Word("title.split", {"before": before, "after": after})))
    return ax
