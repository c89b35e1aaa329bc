"""What a composite membership says: the strongest grade, and where the score lies between two grades."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Scores and memberships that differ by less are the same.
TIE = 1e-9


@dataclass(frozen=True, slots=True)
class Between:
    """Where a score lies among the grades.

    upper, lower : grades around it, the same one if it is exactly there; empty if there is no score.
    position : way from `lower` (0) to `upper` (1). nearer : the nearer of the two, the better one half way.
    """

    upper: str
    lower: str
    position: float
    nearer: str


NOWHERE = Between("", "", float("nan"), "")


def between(score: float, codes: Sequence[str], scores: np.ndarray) -> Between:
    """Find the two grades around a score.

    Parameters
    ----------
    score : on 0–100. Beyond the best or worst grade it belongs to that grade.
    codes, scores : (g,) grades, best first.

    >>> between(68.22, ["satisfied", "basically_satisfied"], np.array([80.0, 60.0]))
    Between(upper='satisfied', lower='basically_satisfied', position=0.411, nearer='basically_satisfied')
    """
    if not (np.isfinite(score) and np.isfinite(scores).all()):
        return NOWHERE
    at = np.flatnonzero(np.abs(scores - score) < TIE)
    if at.size or score > scores[0] or score < scores[-1]:
        code = codes[int(at[0])] if at.size else codes[0] if score > scores[0] else codes[-1]
        return Between(code, code, 0.0, code)
    upper = int(np.flatnonzero(scores > score)[-1])
    position = float((score - scores[upper + 1]) / (scores[upper] - scores[upper + 1]))
    nearer = codes[upper] if position >= 0.5 else codes[upper + 1]
    return Between(codes[upper], codes[upper + 1], round(position, 12), nearer)


def strongest(membership: np.ndarray, codes: Sequence[str]) -> list[str]:
    """Grade of maximum membership of each row (k, g); the better one of equals; empty without memberships."""
    rounded = np.round(membership, 9)
    known = np.isfinite(membership).all(axis=1)
    best = np.where(known[:, None], rounded, 0.0).argmax(axis=1)
    return [codes[i] if fine else "" for i, fine in zip(best.tolist(), known.tolist(), strict=True)]
