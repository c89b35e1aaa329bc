"""Charts of a structural model: the path diagram and the loadings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
from csat.report.doubts import beyond_one
from csat.report.format import number
from csat.report.names import Names
from csat.report.plots.layers import Layout, lay_out
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.structural import notes_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.structural import Sem

#: In inches: a node's half axes, and the distance of layers and rows.
HALF_WIDTH, HALF_HEIGHT, ACROSS, DOWN = 0.86, 0.37, 2.75, 1.0
CLEAR = 0.05


@dataclass(frozen=True, slots=True)
class Arrow:
    """A path: its points from node to node in inches, its standardised value, whether it is clearly not zero."""

    points: np.ndarray
    value: float
    clear: bool
    both: bool = False


def paths(result: Sem, names: Names, ax: Axes | None) -> Axes:
    """Constructs as ellipses with R², paths with standardised values; a model without paths shows correlations."""
    catalogue = words(names.lang)
    notes = [catalogue.say(note) for note in notes_of(result, names)]
    if names.bases.judge(result.measures.n).hidden:
        return style.empty(ax, catalogue.say(Word("title.paths")), " ".join(notes))
    frame = result.standardized("all")
    regressions = frame[frame["op"] == "~"]
    measured = frame.loc[frame["op"].isin(["=~", "<~"]), "lhs"]
    nodes = list(dict.fromkeys([*measured, *regressions["rhs"], *regressions["lhs"]]))
    if len(regressions):
        layout = lay_out(nodes, list(zip(regressions["rhs"], regressions["lhs"], strict=True)))
        at = {node: np.array([x * ACROSS, -y * DOWN]) for node, (x, y) in layout.place.items()}
        arrows = _arrows(regressions, layout, at)
    else:
        at = _circle(nodes)
        arrows = _correlations(
            frame[(frame["op"] == "~~") & frame["lhs"].isin(nodes) & (frame["lhs"] != frame["rhs"])], at
        )
    places = np.array(list(at.values()))
    bends = np.concatenate([arrow.points for arrow in arrows]) if arrows else places
    margin = np.array([HALF_WIDTH + 0.15, HALF_HEIGHT + 0.2])
    low = np.minimum(places.min(0), bends.min(0)) - margin
    high = np.maximum(places.max(0), bends.max(0)) + margin
    ax = style.axes_for(ax, float(high[1] - low[1]) + 0.75, float(high[0] - low[0]) + 0.2)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.axis("off")
    _draw_arrows(ax, arrows, places)
    if any(abs(arrow.value) > 1 for arrow in arrows):
        notes.insert(0, catalogue.say(Word("plot.beyond_one")))
    style.notes_under(ax, [*notes, catalogue.say(Word("plot.dashed"))])
    explained = dict(zip(result.r2["term"], result.r2["r2"], strict=True))
    for node, centre in at.items():
        _draw_node(ax, centre, names.construct(node), explained.get(node, np.nan), names)
    ax.set_title(catalogue.say(Word("title.paths" if len(regressions) else "title.correlations")))
    return ax


def _circle(nodes: Sequence[str]) -> dict[str, np.ndarray]:
    angle = np.pi / 2 - 2 * np.pi * np.arange(len(nodes)) / len(nodes)
    radius = max(1.6, 0.5 * len(nodes))
    return {
        node: radius * np.array([1.35 * np.cos(turn), np.sin(turn)]) for node, turn in zip(nodes, angle, strict=True)
    }


def _edge_of(centre: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """Point where the ellipse around `centre` ends in the direction of another point."""
    way = towards - centre
    return centre + way / np.hypot(way[0] / (HALF_WIDTH + CLEAR), way[1] / (HALF_HEIGHT + CLEAR))


def _arrows(regressions: pd.DataFrame, layout: Layout, at: dict[str, np.ndarray]) -> list[Arrow]:
    arrows = []
    for cause, effect, value, p in zip(*(regressions[name] for name in ("rhs", "lhs", "estimate", "p")), strict=True):
        middle = [np.array([x * ACROSS, -y * DOWN]) for x, y in layout.bends[cause, effect]]
        knots = np.array([at[cause], *middle, at[effect]])
        ends = [_edge_of(knots[0], knots[1]), *knots[1:-1], _edge_of(knots[-1], knots[-2])]
        arrows.append(Arrow(_smooth(np.array(ends)), float(value), bool(p < 0.05)))
    return arrows


def _correlations(covariances: pd.DataFrame, at: dict[str, np.ndarray]) -> list[Arrow]:
    return [
        Arrow(
            _smooth(np.array([_edge_of(at[one], at[other]), _edge_of(at[other], at[one])])),
            float(value),
            bool(p < 0.05),
            True,
        )
        for one, other, value, p in zip(*(covariances[name] for name in ("lhs", "rhs", "estimate", "p")), strict=True)
    ]


def _smooth(knots: np.ndarray) -> np.ndarray:
    """Points of a curve through the knots (centripetal Catmull–Rom; a straight line for two)."""
    if len(knots) == 2:
        return knots[0] + np.linspace(0, 1, 41)[:, None] * (knots[1] - knots[0])
    ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, 25)[:, None]
    pieces = []
    for a, b, c, d in zip(ends[:-3], ends[1:-2], ends[2:-1], ends[3:], strict=True):
        pieces.append(0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3))
    return np.vstack(pieces)


def _draw_arrows(ax: Axes, arrows: Sequence[Arrow], nodes: np.ndarray) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    placed: list[np.ndarray] = list(nodes)
    for position, arrow in enumerate(arrows):
        colour = style.GREY if not arrow.clear else style.BLUE if arrow.value >= 0 else style.ORANGE
        ax.add_patch(
            FancyArrowPatch(
                path=Path(arrow.points), arrowstyle="<|-|>" if arrow.both else "-|>", mutation_scale=11, color=colour,
                lw=0.9 + 2.6 * min(1.0, abs(arrow.value)), ls="-" if arrow.clear else (0, (4, 3)),
                shrinkA=0, shrinkB=0, zorder=1,
            )
        )  # fmt: skip
        others = [other.points for place, other in enumerate(arrows) if place != position]
        spot = _spot(arrow.points, placed, others)
        placed.append(spot)
        ax.text(
            spot[0], spot[1], _value(arrow.value), ha="center", va="center", fontsize=9, color=colour,
            zorder=2,
            bbox={"boxstyle": "round,pad=0.15", "fc": style.PAPER, "ec": "none"},
        )  # fmt: skip


def _value(value: float) -> str:
    return number(value, "score") + (" !" if abs(value) > 1 else "")


def _spot(points: np.ndarray, placed: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> np.ndarray:
    """Point of a path that is farthest from labels and nodes, then from the other paths."""
    share = np.linspace(0, 1, len(points))
    middle = (share > 0.22) & (share < 0.78)
    inner, off_centre = points[middle], np.abs(share[middle] - 0.5)
    labels = np.array(placed)
    apart = np.min(np.hypot(*np.moveaxis((inner[:, None] - labels[None]) / (1.0, 0.62), -1, 0)), axis=1)
    lines = np.vstack(others) if others else points[:0]
    free = np.full(len(inner), 1.0)
    if len(lines):
        free = np.min(np.hypot(*np.moveaxis(inner[:, None] - lines[None], -1, 0)), axis=1)
    worth = np.minimum(apart, 0.7) + np.minimum(free, 0.3) - 0.3 * off_centre
    return inner[int(np.argmax(worth))]


def _draw_node(ax: Axes, centre: np.ndarray, name: str, r2: float, names: Names) -> None:
    from matplotlib.patches import Ellipse

    ax.add_patch(
        Ellipse(
            (float(centre[0]), float(centre[1])), 2 * HALF_WIDTH, 2 * HALF_HEIGHT, fc="#eef4f9", ec=style.BLUE, lw=1.3,
            zorder=3,
        )
    )  # fmt: skip
    lifted = 0.09 if np.isfinite(r2) else 0.0
    ax.text(
        centre[0], centre[1] + lifted, style.wrap(name, 16, 2), ha="center", va="center", fontsize=9.5, zorder=4,
        linespacing=1.05,
    )  # fmt: skip
    if np.isfinite(r2):
        said = words(names.lang).say(Word("plot.explained", {"r2": r2}))
        ax.text(centre[0], centre[1] - 0.22, said, ha="center", va="center", fontsize=8, color=style.GREY, zorder=4)


def loadings(result: Sem, names: Names, ax: Axes | None) -> Axes:
    """Standardised loadings with intervals, construct by construct."""
    catalogue = words(names.lang)
    frame = result.standardized("all")
    frame = frame[frame["op"] == "=~"]
    constructs = list(dict.fromkeys(frame["lhs"]))
    labels = [
        style.wrap(f"{names.construct(lhs)} → {names.code(rhs)}", 44)
        for lhs, rhs in zip(frame["lhs"], frame["rhs"], strict=True)
    ]
    colours = [style.SERIES[constructs.index(lhs) % len(style.SERIES)] for lhs in frame["lhs"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.3)
    estimate, low, high = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    bases = [names.bases.judge(result.measures.n)] * len(frame)

    draw_rows(ax, labels, bases, estimate, low, high, colours=colours, write=_value)
    ax.set_xlabel(catalogue.say(Word("plot.loading")))
    notes = [catalogue.say(note) for note in notes_of(result, names)]
    if any(beyond_one("=~", False, value) for value in estimate):
        notes.insert(0, catalogue.say(Word("plot.beyond_one")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *notes)
    ax.set_title(catalogue.say(Word("title.loadings")))
    return ax
