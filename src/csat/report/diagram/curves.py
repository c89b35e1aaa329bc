"""Curves of a path diagram: from node to node, around the other nodes, apart from each other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Points of a curve. Between an arrow's end and a node, in inches.
POINTS, CLEAR = 61, 0.04
#: Air around a node that a curve does not enter.
AIR = 0.05
#: Distance within which two curves run together, and what that, a crossing and a covered node cost.
NEAR, TOGETHER, CROSSED, COVERED = 0.09, 6.0, 0.15, 40.0
ROUNDS = 3


def line(knots: np.ndarray) -> np.ndarray:
    """(n, 2) points of a curve through knots (k, 2): straight for two, else Catmull and Rom's."""
    if len(knots) == 2:
        return knots[0] + np.linspace(0, 1, POINTS)[:, None] * (knots[1] - knots[0])
    ends = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
    t = np.linspace(0, 1, 25)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(ends[:-3], ends[1:-2], ends[2:-1], ends[3:], strict=True)
    ]
    return _evenly(np.vstack(pieces))


def bezier(start: np.ndarray, first: np.ndarray, second: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(n, 2) points of a cubic Bézier curve."""
    t = np.linspace(0, 1, 4 * POINTS)[:, None]
    return _evenly((1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * first + 3 * (1 - t) * t**2 * second + t**3 * end)


def bow(start: np.ndarray, end: np.ndarray, towards: np.ndarray) -> np.ndarray:
    """(n, 2) points of an arc whose middle lies off the straight line by the vector `towards`."""
    reach = np.asarray(towards) * 4 / 3
    return bezier(start, start + reach, end + reach, end)


def _evenly(points: np.ndarray) -> np.ndarray:
    """(n, 2) points at equal distances along a curve."""
    steps = np.hypot(*np.diff(points, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(steps)])
    at = np.linspace(0, along[-1], POINTS)
    return np.column_stack([np.interp(at, along, points[:, 0]), np.interp(at, along, points[:, 1])])


def inside(points: np.ndarray, centre: np.ndarray, half: np.ndarray, is_round: bool, air: float = 0.0) -> np.ndarray:
    """(n,) whether points (n, 2) lie in a node with some air around it."""
    apart = np.abs(points - centre) / (half + air)
    return np.asarray((apart**2).sum(axis=-1) < 1 if is_round else apart.max(axis=-1) < 1)


def clipped(
    points: np.ndarray, ends: Sequence[tuple[np.ndarray, np.ndarray, bool]]
) -> np.ndarray:
    """The part of a curve between two nodes, each a centre, a half size and whether it is round."""
    fine = _fine(points)
    free = ~(inside(fine, *ends[0], CLEAR) | inside(fine, *ends[1], CLEAR))
    if not free.any():
        return points
    first = len(fine) - np.argmax(inside(fine, *ends[0], CLEAR)[::-1]) if inside(fine, *ends[0], CLEAR).any() else 0
    rest = inside(fine[first:], *ends[1], CLEAR)
    last = first + int(np.argmax(rest)) if rest.any() else len(fine)
    return _evenly(fine[first:last]) if last - first > 2 else points


def _fine(points: np.ndarray) -> np.ndarray:
    at, finer = np.arange(len(points)), np.linspace(0, len(points) - 1, 10 * len(points))
    return np.column_stack([np.interp(finer, at, points[:, 0]), np.interp(finer, at, points[:, 1])])


def covered(points: np.ndarray, boxes: np.ndarray, is_round: np.ndarray) -> float:
    """Share of a curve (n, 2) that lies on nodes, each (x, y, half width, half height) of (b, 4)."""
    if not len(boxes):
        return 0.0
    apart = np.abs(points[:, None] - boxes[None, :, :2]) / (boxes[None, :, 2:] + AIR)
    hit = np.where(is_round, (apart**2).sum(axis=-1) < 1, apart.max(axis=-1) < 1)
    return float(hit.any(axis=1).mean())


def chosen(candidates: Sequence[Sequence[tuple[float, np.ndarray]]], boxes: Sequence[np.ndarray],
           is_round: Sequence[np.ndarray]) -> list[np.ndarray]:  # fmt: skip
    """One curve for every arrow.

    Parameters
    ----------
    candidates : per arrow, curves (n, 2) with what each costs for its form.
    boxes, is_round : per arrow, the nodes that it must not cover: those it does not join.

    Returns
    -------
    list of ndarray
        The dearest arrows first choose what covers no node, runs along no other arrow and crosses few; then each may
        choose again.
    """
    alone = [
        np.array([form + COVERED * covered(points, box, kind) for form, points in tried])
        for tried, box, kind in zip(candidates, boxes, is_round, strict=True)
    ]
    order = np.argsort([-cost.min() for cost in alone], kind="stable").tolist()
    taken: dict[int, np.ndarray] = {}
    for _ in range(ROUNDS):
        for i in order:
            others = [points for j, points in taken.items() if j != i]
            cost = [own + sum(_between(points, other) for other in others)
                    for own, (_, points) in zip(alone[i], candidates[i], strict=True)]  # fmt: skip
            taken[i] = candidates[i][int(np.argmin(cost))][1]
    return [taken[i] for i in range(len(candidates))]


def _between(one: np.ndarray, other: np.ndarray) -> float:
    """What two curves cost together: running side by side away from their ends, and crossing."""
    middle = one[4:-4]
    apart = np.hypot(*np.moveaxis(middle[:, None] - other[None], -1, 0)).min(axis=1)
    return TOGETHER * float((apart < NEAR).mean()) + CROSSED * crossings(one, other)


def crossings(one: np.ndarray, other: np.ndarray) -> int:
    """How often two curves cross.

    >>> crossings(np.array([[0.0, 0], [1, 1]]), np.array([[0.0, 1], [1, 0]]))
    1
    """
    a, b = one[:-1, None], one[1:, None]
    c, d = other[None, :-1], other[None, 1:]

    def side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        return np.asarray((q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1])
                          - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0]))  # fmt: skip

    return int(((side(a, b, c) * side(a, b, d) < 0) & (side(c, d, a) * side(c, d, b) < 0)).sum())
