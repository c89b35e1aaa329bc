"""Importance–performance map of a path model: what the target gains from each construct or item, and how it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import number
from csat.report.lines import balanced
from csat.report.names import Names
from csat.report.plots.driver import in_short
from csat.report.plots.labels import name_points
from csat.report.plots.rows import remarks
from csat.report.tables.composites import item_text
from csat.report.tables.ipma import has_errors, notes_of
from csat.report.tables.pls_groups import construct_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from csat.composites.ipma import Ipma

#: Maps that one figure may hold; points up to which each has its cross.
MOST_MAPS, MOST_CROSSES = 9, 16
#: Points that are described in words at most.
SPOKEN = 6
#: Figure → its axis, in the order x, y.
AXES = ("importance", "performance")


def constructs(result: Ipma, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """The constructs that lead to the target; a panel per group, or one group."""
    return _maps(result, names, ax, "construct", group)


def items(result: Ipma, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """The items of these constructs, coloured by construct."""
    return _maps(result, names, ax, "item", group)


def _maps(result: Ipma, names: Names, ax: Axes | None, kind: str, group: str | None) -> Axes:
    catalogue = words(names.lang)
    target = construct_text(result.target, names)
    title = catalogue.say(Word("title.pls_ipma", {"target": target}))
    places = _chosen(result, group)
    frame = result.tidy()
    rows = len(frame) // len(result.domains)
    frame = frame.assign(_d=np.arange(len(frame)) // rows)[frame["kind"] == kind]
    parts = [frame[frame["_d"] == d] for d in places]
    bases = [names.bases.judge(float(part["n"].iloc[0])) for part in parts]
    sentences = [catalogue.say(note) for note in in_short(notes_of(result, names))]
    if all(base.hidden for base in bases):
        return style.empty(ax, title, " ".join([*remarks(bases, names.bases, catalogue), *sentences]))
    axes = _panels(len(parts), ax)
    cuts = result.cuts(kind)[places]
    shown = [part for part, base in zip(parts, bases, strict=True) if not base.hidden]
    _limits(axes[0], pd.concat(shown), cuts)
    for panel, part, cut, base, d in zip(axes, parts, cuts, bases, places, strict=True):
        panel.set_xlabel(catalogue.say(Word("plot.ipma_importance", {"target": target})))
        panel.set_ylabel(catalogue.say(Word("plot.ipma_performance")))
        panel.spines["left"].set_visible(True)
        if len(axes) > 1:
            panel.set_title(_group_text(result, d, names), fontsize=10)
        if base.hidden or not np.isfinite(part[list(AXES)]).all(axis=1).any():
            panel.text(0.5, 0.5, "–", transform=panel.transAxes, ha="center", color=style.GREY)
        else:
            _map(panel, part, cut, names, base, small=len(axes) > 1)
    level = {"level": result.estimates.level}
    drawn = has_errors(result) and len(parts[0]) <= MOST_CROSSES
    below = [catalogue.say(Word("plot.ipma_cross", level) if drawn else Word("plot.ipma_means"))]
    below += [*remarks(bases, names.bases, catalogue), *sentences]
    if len(axes) == 1 and result.by:
        below.insert(1, catalogue.say(Word("plot.n", {"n": float(parts[0]["n"].iloc[0])})))
        title = catalogue.say(Word("title.of_group", {"title": title, "group": _group_text(result, places[0], names)}))
    return _finished(axes, title, below)


def _chosen(result: Ipma, group: str | None) -> list[int]:
    """Positions of the groups to draw."""
    labels = [" × ".join(domain) for domain in result.domains]
    if group is not None and group not in labels:
        raise OptionError.choose("group", group, labels)
    return list(range(len(labels))) if group is None else [labels.index(group)]


def _group_text(result: Ipma, at: int, names: Names) -> str:
    pairs = zip(result.by, result.domains[at], strict=True)
    return " · ".join(names.value(by, value) for by, value in pairs)


def _panels(size: int, ax: Axes | None) -> list[Axes]:
    if size == 1:
        return [style.axes_for(ax, 6.4)]
    if ax is not None or size > MOST_MAPS:
        raise OptionError(
            f"There are {size} maps, and {'one' if ax is not None else MOST_MAPS} can be drawn here: name one, group=…."
        )
    from matplotlib import pyplot

    rows = -(-size // 2)
    made = pyplot.subplots(rows, 2, figsize=(11.0, 5.2 * rows + 1.2), dpi=100, sharex=True, sharey=True, squeeze=False)
    for spare in made[1].ravel()[size:]:
        spare.remove()
    for panel in made[1].ravel()[:size]:
        panel.tick_params(labelbottom=True, labelleft=True)
    return list(made[1].ravel()[:size])


def _limits(ax: Axes, frame: pd.DataFrame, cuts: np.ndarray) -> None:
    """Room for all points, their intervals and the means, with some air."""
    crossed = len(frame["term"].unique()) <= MOST_CROSSES
    for at, (name, cut) in enumerate(zip(AXES, cuts.T, strict=True)):
        columns = [name, *([f"{name}_low", f"{name}_high"] if crossed else [])]
        ends = np.append(frame[columns].to_numpy(float).ravel(), cut)
        ends = ends[np.isfinite(ends)]
        air = 0.12 * float(np.ptp(ends)) or 1.0
        (ax.set_xlim, ax.set_ylim)[at](float(ends.min()) - air, float(ends.max()) + air)


def _map(ax: Axes, frame: pd.DataFrame, cut: np.ndarray, names: Names, base: Base, *, small: bool) -> None:
    """Points with their crosses, names, and lines at the means."""
    frame = frame.dropna(subset=list(AXES))
    lines = [ax.axvline(float(cut[0]), color=style.GREY, lw=1, zorder=1),
             ax.axhline(float(cut[1]), color=style.GREY, lw=1, zorder=1)]  # fmt: skip
    colours = _colours(frame, small=small)
    for row, code in zip(frame.to_dict("records"), frame["construct"], strict=True):
        lines += _point(ax, row, colours[code], base, crossed=len(frame) <= MOST_CROSSES)
    if len(set(colours.values())) > 1:
        for code, colour in colours.items():
            ax.plot([], [], "o", color=colour, label=construct_text(code, names))
    order = frame.sort_values("importance", ascending=False, kind="stable")
    pairs = zip(_texts(order, names), order["importance"], order["performance"], strict=True)
    listed = [f"{text} {number(float(x), 'score')} / {number(float(y), 'score')}" for text, x, y in pairs]
    heads = " / ".join(words(names.lang).say(Word(f"column.{name}")) for name in AXES)
    telling.says(words(names.lang).say(Word("alt.points", {"name": heads, "names": names.listed(listed[:SPOKEN])})))
    labels = [balanced(text, 20 if small else 24, 3) for text in _texts(frame, names)]
    points = frame[list(AXES)].to_numpy(float)
    name_points(ax, points, labels, lines, 7.5 if small else 8.5)


def _point(ax: Axes, row: dict[Any, Any], colour: str, base: Base, *, crossed: bool) -> list[Line2D]:
    """A dot with its cross; returns the lines of the cross."""
    x, y = float(row["importance"]), float(row["performance"])
    fill = style.PAPER if base is Base.SMALL else colour
    ax.plot([x], [y], "o", ms=7, mec=colour, mew=1.5, mfc=fill, zorder=4)
    if not crossed:
        return []
    look: dict[str, Any] = {"color": colour, "lw": 1.2, "alpha": 0.6, "zorder": 2}
    across, up = ([row[f"{name}_low"], row[f"{name}_high"]] for name in AXES)
    return [*ax.plot(across, [y, y], **look), *ax.plot([x, x], up, **look)]


def _colours(frame: pd.DataFrame, *, small: bool) -> dict[str, str]:
    """Construct → colour: one for all, or one for the items of each in a chart with room for a legend."""
    codes = list(dict.fromkeys(frame["construct"]))
    if small or (frame["kind"] == "construct").all() or len(codes) > len(style.SERIES):
        return dict.fromkeys(codes, style.BLUE)
    return dict(zip(codes, style.SERIES, strict=False))


def _texts(frame: pd.DataFrame, names: Names) -> list[str]:
    said = {"construct": construct_text, "item": item_text}
    return [said[kind](term, names) for kind, term in zip(frame["kind"], frame["term"], strict=True)]


def _finished(axes: Sequence[Axes], title: str, below: Sequence[str]) -> Axes:
    """Title and notes of one map, or around several."""
    if len(axes) == 1:
        style.below(axes[0], *below)
        if axes[0].get_legend_handles_labels()[1]:
            style.title_over_legend(axes[0], title)
        else:
            axes[0].set_title(title, fontsize=11.5)
    else:
        axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
        style.under_panels(axes[0].figure, below, 150)  # type: ignore[arg-type]
    return axes[0]
