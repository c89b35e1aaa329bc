"""Curves of a path diagram: from node to node, around the other nodes, apart from each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

#: Points of a curve. Between an arrow's end and a node, in inches.
POINTS, CLEAR = 61, 0.04
#: Air around a node that a curve does not enter.
AIR = 0.05
#: Distance within which two curves run together, and what that, a crossing and a covered node cost.
NEAR, TOGETHER, CROSSED, COVERED = 0.1, 5.0, 0.35, 40.0
#: Share of a curve that is near another where they merely cross.
PASSING = 0.12
#: Touching a node at all costs as much as this share of the curve on it.
TOUCHED = 0.3
#: Points of a curve that is held against another; rounds of choosing.
COARSE, ROUNDS = 20, 3


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


def rounded(knots: np.ndarray) -> np.ndarray:
    """(n, 2) points of a line through knots (k, 2) with its corners cut off again and again (Chaikin)."""
    points = knots
    for _ in range(4):
        a, b = points[:-1], points[1:]
        inner = np.stack([0.75 * a + 0.25 * b, 0.25 * a + 0.75 * b], axis=1).reshape(-1, 2)
        points = np.vstack([points[0], inner[1:-1], points[-1]])
    return _evenly(points)


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


def clipped(points: np.ndarray, ends: Sequence[tuple[np.ndarray, np.ndarray, bool]]) -> np.ndarray:
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
    share = float(hit.any(axis=1).mean())
    return share + TOUCHED * (share > 0)


@dataclass(frozen=True, slots=True)
class Wish:
    """The curves that an arrow may take.

    ends : nodes that it joins. forms : (c,) of (n, 2). cost : (c,) of their form, and of the nodes that they cover.
    """

    ends: tuple[str, str]
    forms: tuple[np.ndarray, ...]
    cost: np.ndarray


def chosen(wishes: Sequence[Wish], first: int) -> list[np.ndarray]:
    """One curve for every arrow.

    Parameters
    ----------
    wishes : of the arrows. first : how many of them choose before the others.

    Returns
    -------
    list of ndarray
        Each arrow in turn takes the form that, with what the others have taken, runs along none, crosses few and
        covers no node; some rounds, first of the paths, then of the covariances beside them.
    """
    thin = [np.stack([form[:: len(form) // COARSE] for form in wish.forms]) for wish in wishes]
    together: dict[tuple[int, int], np.ndarray] = {}
    for i, j in combinations(range(len(wishes)), 2):
        shared = bool({*wishes[i].ends} & {*wishes[j].ends})
        together[i, j] = _together(thin[i], thin[j], shared)
        together[j, i] = together[i, j].T
    taken: dict[int, int] = {}
    for part in (range(first), range(first, len(wishes))):
        order = sorted(part, key=lambda i: -float(wishes[i].cost.min()))
        for _ in range(ROUNDS):
            for i in order:
                cost = wishes[i].cost + sum(together[i, j][:, form] for j, form in taken.items() if j != i)
                taken[i] = int(np.argmin(cost))
    return [wish.forms[taken[i]] for i, wish in enumerate(wishes)]


def _together(one: np.ndarray, other: np.ndarray, shared: bool) -> np.ndarray:
    """(a, b) what forms (a, m, 2) of an arrow cost beside forms (b, m, 2) of another; `shared` if of the same node."""
    apart = np.hypot(*np.moveaxis(one[:, None, :, None] - other[None, :, None], -1, 0))
    # Arrows of one node are close there in any case.
    air = NEAR if not shared else NEAR / 2
    beside = np.maximum((apart.min(axis=-1) < air).mean(axis=-1) - PASSING, 0)
    return TOGETHER * beside + CROSSED * crossings(one, other)


def crossings(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(a, b) how often curves (a, m, 2) cross curves (b, n, 2).

    >>> crossings(np.array([[[0.0, 0], [1, 1]]]), np.array([[[0.0, 1], [1, 0]]]))
    array([[1]])
    """
    a, b = one[:, None, :-1, None], one[:, None, 1:, None]
    c, d = other[None, :, None, :-1], other[None, :, None, 1:]
    hit = (_side(a, b, c) * _side(a, b, d) < 0) & (_side(c, d, a) * _side(c, d, b) < 0)
    return np.asarray(hit.sum(axis=(-1, -2)))


def _side(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
    """Positive where r lies left of the line from p to q."""
    (a, b), (c, d) = np.moveaxis(q - p, -1, 0), np.moveaxis(r - p, -1, 0)
    return np.asarray(a * d - b * c)
