"""Charts of what to do first: the map of importance and performance, and rewards against penalties."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.lines import balanced
from csat.report.names import Names
from csat.report.plots.driver import about, said, without_errors
from csat.report.plots.labels import name_points
from csat.report.plots.rows import remarks
from csat.report.tables.cells import judge_rows, level_of
from csat.report.tables.driver import too_few
from csat.report.tables.priority import ZONES, importance_word, title_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from csat.drivers.maps.maps import Ipa

#: Maps that one figure may hold, and drivers up to which each has its ellipse.
MOST_MAPS, MOST_ELLIPSES = 9, 12
#: Width and height of a quadrant's name, as parts of the axes.
BOX = (0.3, 0.07)


class Mark(NamedTuple):
    """How the drivers of a quadrant look."""

    shape: str
    colour: str


MARKS: Mapping[str, Mark] = {
    "keep_up": Mark("o", style.BLUE),
    "concentrate": Mark("D", style.ORANGE),
    "low_priority": Mark("s", style.GREY),
    "overkill": Mark("^", style.GREEN),
    "": Mark("x", style.GREY),
}


def ipa(result: Ipa, names: Names, ax: Axes | None) -> Axes:
    """Importance against performance: names, quadrants, confidence ellipses; a panel per group.

    Raises
    ------
    OptionError
        If several maps were to share the one axes given, or one figure were to hold too many.
    """
    catalogue = words(names.lang)
    k = len(result.terms)
    n = result.performance.n[::k]
    title, sentences = catalogue.say(title_of(result, names)), about(n, result.left_out, names)
    if too_few(n, names):
        return style.empty(ax, title, sentences[-1])
    axes = _panels(result, ax)
    shown = _shown(result, names)
    _limits(axes[0], result, shown)
    for panel, group in zip(axes, result.groups, strict=True):
        label = " · ".join(names.values(by, [value])[0] for by, value in zip(result.by, group, strict=True))
        _map(panel, result.of(*group), names, label, small=len(axes) > 1, shown=shown[group])
        if result.by:
            panel.set_title(label, fontsize=10)
    for panel in axes:
        panel.set_xlabel(catalogue.say(Word("column.performance")))
    below = [*_explained(result, names), *remarks(list(shown.values()), names.bases, catalogue), *sentences]
    if len(axes) == 1:
        style.below(axes[0], *below)
        axes[0].set_title(title)
    else:
        axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
        style.under_panels(axes[0].figure, below, 150)  # type: ignore[arg-type]
    return axes[0]


def _shown(result: Ipa, names: Names) -> dict[tuple[str, ...], Base]:
    """Whether each map may be shown."""
    frame = result.tidy().groupby(list(result.by), sort=False).first().reset_index() if result.by else result.tidy()[:1]
    frame = frame.drop(columns="term", errors="ignore")
    return dict(zip(result.groups, judge_rows(frame, ("n",), list(result.by), names.bases), strict=True))


def _panels(result: Ipa, ax: Axes | None) -> list[Axes]:
    size = len(result.groups)
    if size == 1:
        return [style.axes_for(ax, 6.4)]
    if ax is not None:
        raise OptionError(f"There are {size} maps: draw them without ax=, or one of them, result.of(…).")
    if size > MOST_MAPS:
        raise OptionError(
            f"One figure holds up to {MOST_MAPS} maps; there are {size}. Draw some of them, result.of(…)."
        )
    from matplotlib import pyplot

    rows = -(-size // 2)
    made = pyplot.subplots(rows, 2, figsize=(11.0, 5.2 * rows + 1.2), dpi=100, sharex=True, sharey=True, squeeze=False)
    for spare in made[1].ravel()[size:]:
        spare.remove()
    for panel in made[1].ravel()[:size]:
        panel.tick_params(labelbottom=True, labelleft=True)
    return list(made[1].ravel()[:size])


def _map(ax: Axes, result: Ipa, names: Names, label: str, *, small: bool, shown: Base) -> None:
    """One map: dots, names, quadrants and ellipses."""
    ax.set_ylabel(words(names.lang).say(importance_word(result)))
    if result.importances.unit == "per cent":
        from matplotlib.ticker import FuncFormatter

        ax.yaxis.set_major_formatter(FuncFormatter(partial(style.percent_tick, whole=100.0)))
    ax.spines["left"].set_visible(True)
    if shown.hidden:
        ax.text(0.5, 0.5, "–", transform=ax.transAxes, ha="center", color=style.GREY)
        return
    _tell(result, names, label)
    points = np.stack([result.performance.estimate, result.importances.estimate], axis=1)
    corners = _quadrants(ax, result, names, 8.0 if small else 9.5)
    sure = result.zones.max(axis=1) >= level_of(result)
    for term, point, zone, certain in zip(result.terms, points, result.quadrant, sure, strict=True):
        mark = MARKS[zone]
        if len(result.terms) <= MOST_ELLIPSES:
            outline = result.ellipse(term, 120)
            ax.fill(*outline.T, fc=mark.colour, ec="none", alpha=0.02 if small else 0.05, zorder=1)
            ax.plot(*outline.T, color=mark.colour, lw=0.8, alpha=0.45, zorder=1)
        ax.plot(
            [point[0]], [point[1]], mark.shape, ms=7, mec=mark.colour, mew=1.5, zorder=4,
            mfc=mark.colour if certain else style.PAPER,
        )  # fmt: skip
    most = 20 if small else 24
    known = np.isfinite(points).all(axis=1)
    labels = [balanced(name, most, 3) for name in names.drivers(result.terms)]
    written = [label for label, finite in zip(labels, known, strict=True) if finite]
    name_points(ax, points[known], written, corners, 7.5 if small else 8.5)


def _tell(result: Ipa, names: Names, label: str) -> None:
    """Tell which drivers lie in which quadrant, and of which that is sure."""
    texts, level = names.drivers(result.terms), level_of(result)
    zones = {zone: [text for text, own in zip(texts, result.quadrant, strict=True) if own == zone] for zone in ZONES}
    told = [Word("alt.titled", {"title": label})] if label else []
    told += [Word("alt.points", {"name": Word(f"quadrant.{zone}"), "names": names.listed(own)})
            for zone, own in zones.items() if own]  # fmt: skip
    sure = [text for text, chance in zip(texts, result.zones.max(axis=1), strict=True) if chance >= level]
    listed = names.listed(sure) if sure else Word("alt.none")
    drawn = np.isfinite(result.estimates.se).any()
    telling.says(*said(names, *told, *([Word("alt.sure", {"level": level, "names": listed})] if drawn else [])))


def _limits(ax: Axes, result: Ipa, shown: Mapping[tuple[str, ...], Base]) -> None:
    """Room for the points, ellipses and lines of all maps that are shown."""
    at = [place for place, group in enumerate(result.groups) if not shown[group].hidden]
    k = len(result.terms)
    outlines = [] if k > MOST_ELLIPSES else [
        result.of(*result.groups[place]).ellipse(term, 60) for place in at for term in result.terms
    ]  # fmt: skip
    for axis, estimates in enumerate((result.performance, result.importances)):
        figures = [estimates.estimate.reshape(-1, k)[at].ravel()]
        ends = np.concatenate([*figures, *(outline[:, axis] for outline in outlines)])
        ends, cuts = ends[np.isfinite(ends)], result.cuts[at, axis]
        if not len(ends):
            continue
        low, high = _roomy(np.append(ends, cuts[np.isfinite(cuts)]), cuts[np.isfinite(cuts)], (0.22, 0.12)[axis])
        if axis and estimates.unit == "per cent" and not (estimates.estimate < 0).any():
            low = max(low, -0.07 * high)
        (ax.set_xlim, ax.set_ylim)[axis](low, high)


def _roomy(ends: np.ndarray, cuts: np.ndarray, share: float) -> tuple[float, float]:
    """Limits around all `ends` that leave a share of the axis on both sides of the lines, for the quadrants' names."""
    air = 0.1 * float(np.ptp(ends)) or 1.0
    low, high = float(ends.min()) - air, float(ends.max()) + air
    if len(cuts):
        high = max(high, (float(cuts.max()) - share * low) / (1 - share))
        low = min(low, (float(cuts.min()) - share * high) / (1 - share))
    return low, high


def _quadrants(ax: Axes, result: Ipa, names: Names, size: float) -> list[Artist]:
    """Lines between the quadrants, and their names in the corners."""
    x, y = (float(cut) for cut in result.cuts[0])
    diagonal = result.rule == "iso"
    dashes = (0, (2, 3)) if diagonal else "-"
    right, low = ax.get_xlim()[1], ax.get_ylim()[0]
    left, top = (x, y) if diagonal else (ax.get_xlim()[0], ax.get_ylim()[1])
    level = ax.plot([left, right], [y, y], color=style.GREY, lw=1, ls=dashes, zorder=2)
    upright = ax.plot([x, x], [low, top], color=style.GREY, lw=1, ls=dashes, zorder=2)
    if diagonal and np.isfinite(result.lines[0]).all():
        ax.axline((x, y), slope=float(result.lines[0, 1]), color=style.GREY, lw=1.2, zorder=2)
    # Under the diagonal the upper right corner belongs to another quadrant: "keep up" lies just above the line.
    above = (y - low) / np.ptp(ax.get_ylim())
    corners = {
        "concentrate": (0.0, 1.0, -1),
        "keep_up": (1.0, above, 1) if diagonal else (1.0, 1.0, -1),
        "low_priority": (0.0, 0.0, 1),
        "overkill": (1.0, 0.0, 1),
    }
    free = {zone: _free(ax, result, *corners[zone]) for zone in ZONES}
    return [*level, *upright, *(_corner(ax, zone, free[zone], names, size) for zone in ZONES)]


def _free(ax: Axes, result: Ipa, x: float, y: float, way: int) -> tuple[float, float, int]:
    """The place of a quadrant's name, moved inwards as long as a point lies there."""
    points = np.stack([result.performance.estimate, result.importances.estimate], axis=1)
    low, high = np.array([ax.get_xlim(), ax.get_ylim()]).T
    across, up = ((points - low) / (high - low)).T
    beside = np.abs(across - x) < BOX[0]
    for step in range(4):
        at = y + way * BOX[1] * step
        if not (beside & (up * way > at * way - 0.02) & (up * way < at * way + BOX[1])).any():
            return x, at, way
    return x, y, way


def _corner(ax: Axes, zone: str, place: tuple[float, float, int], names: Names, size: float) -> Artist:
    """The name of a quadrant at a place of the axes; it stands above (1) or hangs below (−1) it."""
    from matplotlib.patheffects import withStroke

    x, y, way = place
    return ax.annotate(
        words(names.lang).say(Word(f"quadrant.{zone}")), (x, y), xycoords="axes fraction",
        xytext=(-6 if x else 6, 6 * way), textcoords="offset points", ha="right" if x else "left",
        va="bottom" if way > 0 else "top", fontsize=size, color=MARKS[zone].colour, zorder=3.5,
        path_effects=[withStroke(linewidth=3, foreground=style.PAPER)],
    )  # fmt: skip


def _explained(result: Ipa, names: Names) -> list[str]:
    level = {"level": level_of(result)}
    drawn = np.isfinite(result.estimates.se).any()
    out = [Word("plot.ellipses", level)] if drawn and len(result.terms) <= MOST_ELLIPSES else []
    out += [Word("plot.open_quadrant", level)] if drawn else []
    out += [Word("plot.iso")] if result.rule == "iso" else []
    return [*said(names, *out), *([] if drawn else without_errors(result.estimates, names))]
