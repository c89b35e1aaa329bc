"""What a composite membership says: the strongest grade and how clearly it leads, and other readings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

#: Scores and memberships that differ by less are the same.
TIE = 1e-9

#: Methods of scikit-fuzzy that turn memberships into one score.
DEFUZZIFIERS = ("centroid", "bisector", "mom", "som", "lom")

#: Lower bounds of the effectiveness of maximum membership, and what they are called.
EFFECTIVE = ((np.inf, "wholly"), (1.0, "very"), (0.5, "fairly"), (TIE, "hardly"), (-np.inf, "not"))


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


def strongest_at(membership: np.ndarray) -> np.ndarray:
    """(…) position of the grade of maximum membership (…, g); the better one of equals; -1 without memberships."""
    known = np.isfinite(membership).all(axis=-1)
    best = np.where(known[..., None], np.round(membership, 9), 0.0).argmax(axis=-1)
    return np.where(known, best, -1)


def strongest(membership: np.ndarray, codes: Sequence[str]) -> list[str]:
    """Grade of maximum membership of each row (k, g); the better one of equals; empty without memberships."""
    return [codes[i] if i >= 0 else "" for i in strongest_at(membership).tolist()]


def tied(membership: np.ndarray) -> np.ndarray:
    """(k,) whether several grades share the maximum of (k, g): under M(∧,∨) many small weights cut all grades alike."""
    rounded = np.round(np.nan_to_num(membership, nan=-1.0), 9)
    return np.asarray(((rounded == rounded.max(axis=1, keepdims=True)).sum(axis=1) > 1) & (rounded >= 0).all(axis=1))


def effectiveness(membership: np.ndarray) -> np.ndarray:
    """How far the maximum membership may decide, (k,) from (k, g).

    α = (g·β − 1) / (2γ·(g − 1)), with β the largest membership and γ the second largest, both as shares of the sum:
    the lead over an even spread, (g·β − 1)/(g − 1) in 0–1, against the largest that the second can get, 2γ in 0–1.
    0 if all grades are alike, infinite if one has it all. The Chinese literature on fuzzy comprehensive evaluation
    calls the principle very effective from α = 1, fairly effective from 0.5, hardly effective below, and then reads
    B by another rule (weighted average, level characteristic value, closeness).
    """
    size = membership.shape[1]
    ordered = np.sort(membership / membership.sum(axis=1, keepdims=True), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((size * ordered[:, -1] - 1) / (2 * ordered[:, -2] * (size - 1)))


def effective(alpha: np.ndarray) -> list[str]:
    """Words for an effectiveness: "wholly", "very", "fairly", "hardly", "not"; empty for NaN."""
    return [next((word for low, word in EFFECTIVE if value >= low), "") for value in alpha.tolist()]


def characteristic(membership: np.ndarray) -> np.ndarray:
    """Level characteristic value (级别特征值) H = Σ j·b_j, j = 1 the best grade: (k,) from (k, g).

    Source: Chen Shouyu (1994), Theory and Application of Systems Fuzzy Decision-making, Dalian UT Press.
    """
    return membership @ np.arange(1.0, membership.shape[1] + 1)


def closeness(membership: np.ndarray) -> np.ndarray:
    """Asymmetric closeness (非对称贴近度) of memberships (k, g) to each grade: (k, g), 1 where the grade has it all.

    N(B, V_j) = 1 − 2/(g(g + 1)) · Σ p·|b − v_j| with V_j = 1 at grade j and 0 elsewhere: the Hamming closeness of
    fuzzy sets with places p = 1, 2 … as weights, which makes it asymmetric. Here the places are counted outwards from
    grade j (p = 1 at j, 2 beside it …), since what lies far from a grade speaks most against it; counted from the best
    grade on, the rule would prefer good grades whatever B is. Largest N = least Σ|i − j|·b_i + 2(1 − b_j): a reading
    half way between the median grade and the strongest one.
    """
    size = membership.shape[1]
    place = np.abs(np.subtract.outer(np.arange(size), np.arange(size))) + 1.0
    apart = np.abs(membership[:, :, None] - np.eye(size))
    return np.asarray(1 - 2 / (size * (size + 1)) * np.einsum("ij,kij->kj", place, apart))


def defuzzified(membership: np.ndarray, scores: np.ndarray, method: str) -> np.ndarray:
    """One score (k,) of memberships (k, g) over the grade scores (g,), by a method of `DEFUZZIFIERS`.

    scikit-fuzzy joins the memberships by straight lines: "centroid" and "bisector" halve that area, "mom", "som" and
    "lom" are the mean, smallest and largest score of maximum membership. NaN without memberships or scores.
    """
    from skfuzzy import defuzz

    out = np.full(len(membership), np.nan)
    if np.isfinite(scores).all():
        for i in np.flatnonzero(np.isfinite(membership).all(axis=1)).tolist():
            out[i] = defuzz(scores[::-1].copy(), membership[i, ::-1].copy(), method)
    return out
