"""Did an improvement work? Satisfaction and complaints before and after, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.comparisons import Gaps
from csat.errors import OptionError, UnknownColumnError
from csat.moments import shown
from csat.results import Shown, check_level
from csat.service.change import DOWN, UP, ComplaintChanges

#: What both changes say together: (satisfaction, complaints) → word. Better: more satisfied, fewer complaints.
FINDINGS: Mapping[tuple[int, int], str] = {
    (1, 1): "both better",
    (-1, -1): "both worse",
    (1, -1): "opposed",
    (-1, 1): "opposed",
    (1, 0): "satisfaction better",
    (-1, 0): "satisfaction worse",
    (0, 1): "complaints better",
    (0, -1): "complaints worse",
    (0, 0): "neither shown",
}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BeforeAfter(Shown):
    """Changes of satisfaction next to changes of complaints; two observations, no proof that one made the other.

    frame : a row per pair: ``term`` (the cause), ``node`` (of the index), the change of the score with its interval and
        base, the ratio of the complaint rates with its interval and counts, ``finding`` (see `FINDINGS`).
    before, after : the periods of the complaints. level : of all intervals and verdicts.
    """

    frame: pd.DataFrame
    before: str
    after: str
    level: float

    def tidy(self) -> pd.DataFrame:
        """A row per pair."""
        return self.frame.copy()

    def glance(self) -> pd.DataFrame:
        """One row: the periods and how often each finding occurs."""
        counts = {word.replace(" ", "_"): int((self.frame["finding"] == word).sum()) for word in set(FINDINGS.values())}
        return pd.DataFrame([{"before": self.before, "after": self.after, **dict(sorted(counts.items()))}])


def before_after(scores: Gaps, complaints: ComplaintChanges, pairs: Mapping[str, str]) -> BeforeAfter:
    """Put the change of satisfaction next to the change of complaints.

    Parameters
    ----------
    scores : of `csat.gaps` between the two periods, after as the own group and before as the peer:
        ``gaps(survey, by="quarter", own="2026Q3", against="2026Q2")``.
    complaints : of `csat.complaint_changes`, without groups.
    pairs : cause → node of the index that it is about, e.g. ``{"repair": "P8", "total": "satisfaction"}``.

    Returns
    -------
    BeforeAfter
        A side counts as changed if its own verdict says so: "different" of the gap, "up" or "down" of the complaints,
        each corrected for its number of comparisons.

    Raises
    ------
    OptionError, UnknownColumnError
        If a result is of another kind or has groups, or a pair names what it does not have.
    """
    if not isinstance(scores, Gaps) or not isinstance(complaints, ComplaintChanges):
        found = scores if not isinstance(scores, Gaps) else complaints
        raise OptionError(f"before_after takes a result of gaps and one of complaint_changes; found {shown(found)}.")
    check_level(scores.estimates.level)
    if len(set(scores.estimates.term)) < len(scores.estimates.term) or complaints.by:
        raise OptionError("before_after compares two periods: gaps with one own group, complaint_changes without by=….")
    if (
        not isinstance(pairs, Mapping)
        or not pairs
        or not all(isinstance(x, str) for pair in pairs.items() for x in pair)
    ):
        raise OptionError(f'pairs is a table, cause → node, e.g. {{"repair": "P8"}}; found {shown(pairs)}.')
    own = {label for labels in scores.estimates.keys.values() for label in labels}
    if scores.against == complaints.after or complaints.before in own:
        raise OptionError(
            f"The gaps are of {complaints.before!r} against {complaints.after!r}, the complaints the other way round: "
            f"gaps(…, own={complaints.after!r}, against={complaints.before!r})."
        )
    rows = [_row(scores, complaints, cause, node) for cause, node in pairs.items()]
    return BeforeAfter(pd.DataFrame(rows), complaints.before, complaints.after, scores.estimates.level)


def _row(scores: Gaps, complaints: ComplaintChanges, cause: str, node: str) -> dict[str, Any]:
    at = _place(node, scores.estimates.term, "the gaps")
    there = _place(cause, complaints.estimates.term, "the complaints")
    low, high = (end[at] for end in scores.estimates.interval)
    ratio_low, ratio_high = (end[there] for end in complaints.estimates.interval)
    change = float(scores.estimates.estimate[at])
    moved = int(np.sign(change)) if scores.verdict[at] == "different" else 0
    fewer = {DOWN: 1, UP: -1}.get(complaints.verdict[there], 0)
    return {
        "term": cause, "node": node, "estimate": change, "low": low, "high": high,
        "n": float(np.fmin(scores.estimates.n[at], scores.n_peer[at])),
        "count_before": complaints.counts[there, 0], "count_after": complaints.counts[there, 1],
        "ratio": complaints.estimates.estimate[there], "ratio_low": ratio_low, "ratio_high": ratio_high,
        "finding": FINDINGS[moved, fewer],
    }  # fmt: skip


def _place(name: str, terms: tuple[str, ...], where: str) -> int:
    if name not in terms:
        raise UnknownColumnError.among(name, terms, where)
    return terms.index(name)
