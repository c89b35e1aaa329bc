"""From answers to grades: how far a score on 0–100 belongs to each grade.

"share" goes by the grades' cut points. The functions stand on the grades' scores: each is 1 at the score of its grade
and neighbours cross half way between two scores. Rows are divided by their sum, so that everyone belongs to the grades
once; scores beyond the best or worst grade's score belong wholly to that grade.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from csat.errors import MembershipError, check_choice
from csat.questionnaire import Grade, Item

#: (l,) scores on 0–100 and the grades, best first, to (l, g) memberships whose rows sum to 1.
Membership = Callable[[np.ndarray, Sequence[Grade]], np.ndarray]

#: Memberships of one answer may miss a sum of 1 by this much.
ROUNDING = 1e-9


def share(scores: np.ndarray, grades: Sequence[Grade]) -> np.ndarray:
    """Each score belongs wholly to the best grade whose lower bound (`cut`, inclusive) it reaches."""
    cuts = np.array([grade.cut for grade in grades])
    reached = np.asarray(scores, float)[:, None] >= cuts - 1e-9
    return np.eye(len(cuts))[reached.argmax(axis=1)]


def triangular(scores: np.ndarray, grades: Sequence[Grade]) -> np.ndarray:
    """Each score is split between its two neighbouring grades, in proportion to nearness.

    The triangles stand on the grade scores, so that the memberships of a score, times the grade scores, give
    the score back. A score below the worst grade's score (20 by default) belongs wholly to the worst grade, one
    above the best grade's score wholly to the best.
    """
    from skfuzzy import trimf

    peaks, inside = _placed(scores, grades)
    feet = np.r_[peaks[0], peaks, peaks[-1]]
    triangles = [trimf(inside, feet[i : i + 3]) for i in range(len(peaks))]
    return np.stack(triangles[::-1], axis=1)


def trapezoidal(scores: np.ndarray, grades: Sequence[Grade]) -> np.ndarray:
    """Flat for a quarter of the way from the score of a grade to the next, then a straight slope to the other flat."""
    from skfuzzy import trapmf

    peaks, inside = _placed(scores, grades)
    start, end = _ramps(peaks)
    left, top = np.r_[peaks[0], start], np.r_[peaks[0], end]
    flat, right = np.r_[start, peaks[-1]], np.r_[end, peaks[-1]]
    shapes = [trapmf(inside, corners) for corners in np.stack([left, top, flat, right], axis=1)]
    return _whole(np.stack(shapes[::-1], axis=1))


def gaussian(scores: np.ndarray, grades: Sequence[Grade]) -> np.ndarray:
    """Bell curves around the grade scores, about ½ half way to the next, divided by their sum."""
    from skfuzzy import gaussmf

    peaks, inside = _placed(scores, grades)
    gaps = np.diff(peaks)
    reach = (np.r_[gaps[0], gaps] + np.r_[gaps, gaps[-1]]) / 4
    sigma = reach / np.sqrt(2 * np.log(2))
    curves = [gaussmf(inside, peak, width) for peak, width in zip(peaks, sigma, strict=True)]
    return _whole(np.stack(curves[::-1], axis=1))


def ridge(scores: np.ndarray, grades: Sequence[Grade]) -> np.ndarray:
    """Ridge-shaped functions (岭形分布): like "trapezoidal", the slope a quarter turn of a sine to either side.

    Rising from a to b: ½ + ½·sin(π/(b − a)·(x − (a + b)/2)); falling: its complement. One of the standard
    distributions of Chinese textbooks of fuzzy mathematics beside the triangular, trapezoidal and normal one.
    """
    peaks, inside = _placed(scores, grades)
    start, end = _ramps(peaks)
    turn = np.clip((inside[:, None] - (start + end) / 2) / (end - start), -0.5, 0.5)
    risen = 0.5 + 0.5 * np.sin(np.pi * turn)
    one, nothing = np.ones((len(inside), 1)), np.zeros((len(inside), 1))
    return _whole((np.hstack([one, risen]) - np.hstack([risen, nothing]))[:, ::-1])


def _placed(scores: np.ndarray, grades: Sequence[Grade]) -> tuple[np.ndarray, np.ndarray]:
    """Grade scores in ascending order, and the scores moved in between them."""
    peaks = np.array([grade.score for grade in grades])[::-1]
    return peaks, np.clip(np.asarray(scores, float), peaks[0], peaks[-1])


def _ramps(peaks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the slopes between neighbouring peaks begin and end: the middle half of the way."""
    gaps = np.diff(peaks)
    return peaks[:-1] + gaps / 4, peaks[1:] - gaps / 4


def _whole(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


#: Name → membership function.
MEMBERSHIPS: Mapping[str, Membership] = {
    "share": share,
    "triangular": triangular,
    "trapezoidal": trapezoidal,
    "gaussian": gaussian,
    "ridge": ridge,
}


def score_memberships(scores: np.ndarray, grades: Sequence[Grade], membership: str) -> np.ndarray:
    """(…, g) memberships of scores (…) on 0–100; NaN where a score is NaN."""
    flat = np.asarray(scores, float).ravel()
    known = np.isfinite(flat)
    out = np.full((flat.size, len(grades)), np.nan)
    if known.any():
        out[known] = MEMBERSHIPS[membership](flat[known], grades)
    return out.reshape(*np.shape(scores), len(grades))


def level_memberships(
    item: Item, grades: Sequence[Grade], levels: Sequence[float], membership: str = "share"
) -> np.ndarray:
    """Memberships of the answers to an item.

    Parameters
    ----------
    item : with its scale.
    grades : (g,) best first.
    levels : (l,) answers, in scale points; of a continuous scale those that occur.
    membership : one of `MEMBERSHIPS`. Under "share" a scale with as many levels as there are grades is matched
        level by grade (5 very satisfied … 1 very dissatisfied); any other by the score of the level and the cuts.

    Returns
    -------
    numpy.ndarray
        (l, g), rows sum to 1.

    Raises
    ------
    OptionError
        For an unknown membership.
    MembershipError
        If memberships of an answer do not sum to 1.
    """
    check_choice("membership", membership, MEMBERSHIPS)
    known = item.scale.levels
    if membership == "share" and len(known) == len(grades):
        order = item.scale.score(np.array(known)).argsort()[::-1]
        place = {known[at]: rank for rank, at in enumerate(order.tolist())}
        return np.eye(len(grades))[[place[float(level)] for level in levels]]
    rows = score_memberships(item.scale.score(np.array(levels, float)), grades, membership)
    for i in np.flatnonzero(~(np.abs(rows.sum(axis=1) - 1) < ROUNDING))[:1].tolist():
        raise MembershipError.row_sum(f"{item.code} = {levels[i]:g}", float(rows[i].sum()))
    return rows
