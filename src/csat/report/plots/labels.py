"""Names beside points: moved, each time the chart is drawn, to where they cover neither each other nor the points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import csat.report.plots.style as style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

#: Half of the side of a marker, and the distances of a name from its point that are tried, in points.
MARKER, REACHES = 4.5, (3.0, 10.0, 20.0, 34.0, 50.0, 70.0)
#: Directions of a name from its point, the dearest first.
WAYS = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1)], float)
#: Beyond this distance a line joins name and point, in points.
JOINED = 12.0
SWEEPS = 8
#: How much covering a line matters, beside covering a text.
LINE = 0.15


def name_points(
    ax: Axes, points: np.ndarray, names: Sequence[str], avoid: Sequence[Artist] = (), size: float = 8.5
) -> list[Annotation]:
    """Write names beside points.

    Parameters
    ----------
    points : (k, 2) in data coordinates. names : (k,) texts, with line breaks where they are long.
    avoid : texts and level lines that are there already and must not be covered.
    size : of the letters.
    """
    from matplotlib.patheffects import withStroke

    made = [
        ax.annotate(
            name, (float(x), float(y)), xytext=(0, 0), textcoords="offset points", ha="center", va="center",
            fontsize=size, linespacing=1.05, annotation_clip=False, zorder=5, color=style.INK,
            arrowprops={"arrowstyle": "-", "lw": 0.6, "color": style.GREY, "shrinkA": 1, "shrinkB": 4},
            path_effects=[withStroke(linewidth=2.2, foreground=style.PAPER, alpha=0.8)],
        )
        for name, (x, y) in zip(names, points, strict=True)
    ]  # fmt: skip
    for label in made:
        label.set_in_layout(False)
    ax.add_artist(_placer(points, made, avoid))
    return made


def _placer(points: np.ndarray, labels: Sequence[Annotation], avoid: Sequence[Artist]) -> Artist:
    """An artist that draws nothing: it places the labels once the size of the axes is known, before they are drawn."""
    from matplotlib.artist import Artist
    from matplotlib.lines import Line2D
    from matplotlib.text import Text

    class Placer(Artist):
        def draw(self, renderer: Any) -> None:
            if self.axes is None:
                return
            scale = self.axes.figure.dpi / 72.0
            # Of the text alone: an annotation's own extent contains its line.
            boxes = [Text.get_window_extent(label, renderer) for label in labels]
            sizes = np.array([[box.width, box.height] for box in boxes]) / scale
            fixed = [
                [box.x0 - 2, box.y0 - 2, box.x1 + 2, box.y1 + 2]
                for box in (artist.get_window_extent(renderer) for artist in avoid)
            ]
            heavy = np.array([LINE if isinstance(artist, Line2D) else 1.0 for artist in avoid])
            frame = self.axes.get_window_extent(renderer)
            places = offsets(
                self.axes.transData.transform(points) / scale,
                sizes,
                np.column_stack([np.array(fixed).reshape(-1, 4) / scale, heavy]),
                np.array([frame.x0, frame.y0, frame.x1, frame.y1]) / scale,
            )
            for label, place, half in zip(labels, places, sizes / 2, strict=True):
                label.set_position((float(place[0]), float(place[1])))
                gap = np.hypot(*np.maximum(np.abs(place) - half, 0))
                if label.arrow_patch is not None:
                    label.arrow_patch.set_visible(bool(gap > JOINED))

    made = Placer()
    made.set_zorder(-10)
    made.set_in_layout(False)
    return made


def offsets(points: np.ndarray, sizes: np.ndarray, fixed: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Places of names relative to their points.

    Names are placed in turn, each where it costs least; further rounds let each name move again. Of several orders
    the one that ends best counts. All in one unit of length.

    Parameters
    ----------
    points : (k, 2). sizes : (k, 2) width and height of the names.
    fixed : (f, 5) boxes (x0, y0, x1, y1) not to cover, and how much each matters. frame : (4,) box to stay in.

    Returns
    -------
    (k, 2) offsets of the centres of the names.
    """
    markers = np.concatenate([points - MARKER, points + MARKER], axis=1)
    tries = [_tries(size) for size in sizes]
    costs = [
        _alone(point + tried, size, markers, fixed, frame) + _wish(tried, size)
        for point, tried, size in zip(points, tries, sizes, strict=True)
    ]
    boxes = [_boxes(point + tried, size) for point, tried, size in zip(points, tries, sizes, strict=True)]
    settled = [_settled(order, boxes, costs) for order in _orders(points)]
    best = min(settled, key=lambda found: found[0])[1] if settled else []
    return np.array([tried[at] for tried, at in zip(tries, best, strict=True)]).reshape(-1, 2)


def _orders(points: np.ndarray) -> list[list[int]]:
    """Orders to place the names in: the thickest crowd first, from the left, from above, and back."""
    apart = np.hypot(*np.moveaxis(points[:, None] - points[None], -1, 0))
    crowd = np.sort(apart, axis=1)[:, : min(4, len(points))].sum(axis=1)
    keys = (crowd, points[:, 0], -points[:, 0], points[:, 1], -points[:, 1])
    return [np.argsort(key, kind="stable").tolist() for key in keys]


def _settled(order: list[int], boxes: Sequence[np.ndarray], costs: Sequence[np.ndarray]) -> tuple[float, list[int]]:
    """The place (k,) of each name after some rounds, and what they cost together."""
    chosen: dict[int, int] = {}
    total = 0.0
    for _ in range(SWEEPS):
        before, total = dict(chosen), 0.0
        for j in order:
            others = np.array([boxes[i][at] for i, at in chosen.items() if i != j]).reshape(-1, 4)
            cost = costs[j] + 3.0 * _covered(boxes[j], others)
            chosen[j] = int(np.argmin(cost))
            total += float(cost[chosen[j]])
        if chosen == before:
            break
    return total, [chosen[j] for j in range(len(boxes))]


def _tries(size: np.ndarray) -> np.ndarray:
    """(c, 2) offsets to try for a name of a size."""
    half = size / 2
    return np.concatenate([WAYS * (half + MARKER + reach * np.where(np.abs(WAYS).sum(1) > 1, 0.7, 1.0)[:, None])
                           for reach in REACHES])  # fmt: skip


def _wish(tried: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(c,) dislike of distance, and of the less dear directions."""
    gap = np.hypot(*np.maximum(np.abs(tried) - size / 2, 0).T)
    return 1.5 * gap + np.tile(0.8 * np.arange(len(WAYS)), len(REACHES))


def _alone(
    centres: np.ndarray, size: np.ndarray, markers: np.ndarray, fixed: np.ndarray, frame: np.ndarray
) -> np.ndarray:
    """(c,) what a name costs wherever the others are: what it covers, and what sticks out of the frame."""
    boxes = _boxes(centres, size)
    out = np.maximum(frame[:2] + 2 - boxes[:, :2], 0).sum(axis=1) + np.maximum(boxes[:, 2:] - frame[2:] + 2, 0).sum(1)
    return 3.0 * (_covered(boxes, markers) + _covered(boxes, fixed[:, :4], fixed[:, 4])) + 40.0 * out


def _boxes(centres: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(c, 4) boxes of a name around its centres, with some air."""
    half = size / 2 + 1.0
    return np.concatenate([centres - half, centres + half], axis=1)


def _covered(boxes: np.ndarray, others: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
    """(c,) area of other boxes (o, 4) that each of the boxes (c, 4) covers, times their weight (o,)."""
    if not len(others):
        return np.zeros(len(boxes))
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.asarray((weight * np.maximum(high - low, 0).prod(axis=2)).sum(axis=1))
