"""From answers to grades: how far each answer level belongs to each grade."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from csat.errors import MembershipError, check_choice
from csat.questionnaire import Grade, Item, Questionnaire

#: (l,) scores on 0–100 and the grades, best first, to (l, g) memberships whose rows sum to 1.
Membership = Callable[[np.ndarray, Sequence[Grade]], np.ndarray]


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

    peaks = np.array([grade.score for grade in grades])[::-1]
    inside = np.clip(np.asarray(scores, float), peaks[0], peaks[-1])
    feet = np.r_[peaks[0], peaks, peaks[-1]]
    triangles = [trimf(inside, feet[i : i + 3]) for i in range(len(peaks))]
    return np.stack(triangles[::-1], axis=1)


#: Name → membership function.
MEMBERSHIPS: Mapping[str, Membership] = {"share": share, "triangular": triangular}


def level_memberships(
    item: Item, grades: Sequence[Grade], levels: Sequence[float], membership: str = "share"
) -> np.ndarray:
    """Memberships of the answer levels of an item.

    Parameters
    ----------
    item : with its scale.
    grades : (g,) best first.
    levels : (l,) answers, in scale points.
    membership : "share" or "triangular". Under "share" a scale with as many levels as there are grades is matched
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
        For a continuous scale.
    """
    check_choice("membership", membership, MEMBERSHIPS)
    known = item.scale.levels
    if not known:
        raise MembershipError.continuous(item.code, item.scale.name)
    scores = item.scale.score(np.array(levels, float))
    if membership == "share" and len(known) == len(grades):
        order = item.scale.score(np.array(known)).argsort()[::-1]
        place = {known[at]: rank for rank, at in enumerate(order.tolist())}
        return np.eye(len(grades))[[place[float(level)] for level in levels]]
    return MEMBERSHIPS[membership](scores, grades)


def level_scores(asked: Questionnaire, code: str, membership: str) -> dict[float, float]:
    """Answer level → Σ membership · grade score: what an answer adds to the defuzzified score."""
    item = asked.item(code)
    levels = item.scale.levels
    values = level_memberships(item, asked.grades, levels, membership) @ np.array([g.score for g in asked.grades])
    return dict(zip(levels, values.tolist(), strict=True))
