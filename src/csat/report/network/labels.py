"""Places of the values on the arrows: on their own arrow, off nodes, off other values, off other arrows if possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

#: Share of an arrow near its ends on which no value stands.
ENDS = 0.12
#: What covering costs: another value or a node, per share of the value; another arrow, per point of it.
TEXT, ARROW = 30.0, 0.6
#: What standing off the wished place costs, per share of the arrow.
OFF = 1.2
SWEEPS = 6


def spots(
    curves: Sequence[np.ndarray], sizes: np.ndarray, boxes: np.ndarray, wish: Sequence[float]
) -> tuple[np.ndarray, bool]:
    """Centres of values.

    Parameters
    ----------
    curves : (k,) of (n, 2), arrows in inches. sizes : (k, 2) width and height of their values.
    boxes : (b, 4) nodes as centre and half size. wish : (k,) share of the arrow at which a value likes to stand.

    Returns
    -------
    (k, 2) centres, and whether no value covers another or a node.
    """
    tries = [_tries(curve) for curve in curves]
    alone = [
        OFF * np.abs(share - wished) + TEXT * _on_boxes(points, size, boxes)
        + ARROW * _on_curves(points, size, [curve for j, curve in enumerate(curves) if j != i])
        for i, ((share, points), size, wished) in enumerate(zip(tries, sizes, wish, strict=True))
    ]  # fmt: skip
    order = np.argsort([len(curve) and float(np.hypot(*(curve[-1] - curve[0]))) for curve in curves], kind="stable")
    place = {int(i): tries[i][1][int(np.argmin(alone[i]))] for i in order}
    for _ in range(SWEEPS):
        for i in order.tolist():
            others = [j for j in place if j != i]
            cost = alone[i] + TEXT * sum(
                (_overlap(tries[i][1], sizes[i], place[j], sizes[j]) for j in others), start=np.zeros(len(tries[i][1]))
            )
            place[i] = tries[i][1][int(np.argmin(cost))]
    found = np.array([place[i] for i in range(len(curves))]).reshape(-1, 2)
    return found, _free(found, sizes, boxes)


def _tries(curve: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of an arrow and their points."""
    share = np.linspace(0, 1, len(curve))
    inner = (share >= ENDS) & (share <= 1 - ENDS)
    return share[inner], curve[inner]


def _overlap(points: np.ndarray, size: np.ndarray, other: np.ndarray, of_other: np.ndarray) -> np.ndarray:
    """(c,) shares of a value at points (c, 2) that another rectangle covers."""
    left = np.minimum(points + size / 2, other + of_other / 2) - np.maximum(points - size / 2, other - of_other / 2)
    return np.asarray(np.maximum(left, 0).prod(axis=-1) / min(size.prod(), of_other.prod()))


def _on_boxes(points: np.ndarray, size: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return sum((_overlap(points, size, box[:2], 2 * box[2:]) for box in boxes), start=np.zeros(len(points)))


def _on_curves(points: np.ndarray, size: np.ndarray, curves: Sequence[np.ndarray]) -> np.ndarray:
    """(c,) how many arrows pass under a value at points (c, 2)."""
    under = np.zeros(len(points))
    for curve in curves:
        apart = np.abs(points[:, None] - curve[None]) / (size / 2)
        under += (apart.max(axis=-1) < 1).any(axis=1)
    return under


def _free(found: np.ndarray, sizes: np.ndarray, boxes: np.ndarray) -> bool:
    pairs = [(i, j) for i in range(len(found)) for j in range(i)]
    clash = any(_overlap(found[i][None], sizes[i], found[j], sizes[j])[0] > 0 for i, j in pairs)
    covers = any(_on_boxes(found[i][None], sizes[i], boxes)[0] > 0 for i in range(len(found)))
    return not (clash or covers)
