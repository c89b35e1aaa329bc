"""Table of gaps: own score, the other's score, the difference with its interval and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import (
    Show,
    describe,
    group_shows,
    groups_of,
    interval,
    level_of,
    named,
    objects,
)
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.comparisons import Gaps

BOTH = ("n", "n_peer")


@dataclass(frozen=True, slots=True)
class Sides:
    """Who is compared with whom: the grouping columns, the own group's name if there is one, the peer's name."""

    groups: list[str]
    own: str | None
    peer: str


def sides_of(result: Gaps, tidy: pd.DataFrame, names: Names) -> Sides:
    """Name both sides; a peer that is no group ("all", "published" …) has a word of the catalogue."""
    groups = [name for name in groups_of(tidy, "own") if name != "expected"]
    one = bool(groups) and tidy[groups].drop_duplicates().shape[0] == 1
    own = " · ".join(names.value(group, tidy[group].iloc[0]) for group in groups) if one else None
    catalogue, usual = words(names.lang), f"peer.{result.against}"
    known = names.value(groups[0], result.against) if groups else result.against
    return Sides(groups, own, catalogue.say(Word(usual)) if usual in catalogue else known)


def corrected(result: Gaps) -> list[Word]:
    """Say what of the figures is corrected for the number of rows: p values, never intervals."""
    each = [] if result.adjust == "none" else [Word("compared.intervals")]
    return [Word(f"note.adjust_{result.adjust}"), *each]


def gaps(result: Gaps, names: Names) -> Table:
    """One row per node and group: own, peer, gap."""
    tidy = result.tidy()
    sides = sides_of(result, tidy, names)
    frame = named(tidy, sides.groups, names)
    if "expected" in tidy:
        frame["expected"] = names.codes(list(tidy["expected"]))
    frame["verdict"] = objects([Word(f"gap.{found}") if found else "" for found in tidy["verdict"]])
    tested = any(result.verdict)
    shows = [
        *group_shows([] if sides.own else sides.groups, names),
        Show("term"),
        *([Show("expected")] if "expected" in tidy else []),
        Show("own", "score", ("n",), sides.own, marked=True),
        Show("peer", "score", ("n_peer",), sides.peer, marked=True),
        Show("estimate", "score", BOTH, Word("column.gap")),
        *interval(level_of(result), BOTH),
        *(
            [Show("adjusted_p", "p_value", BOTH), Show("verdict", base=BOTH, heading=Word("column.gap_verdict"))]
            if tested
            else []
        ),
        *(Show(base, "count") for base in BOTH if tidy[base].notna().any()),
    ]
    notes = [Word("note.gap")]
    if tested:
        notes.append(Word("note.gap_verdict", {"margin": result.margin, "alpha": 1 - level_of(result)}))
        notes += corrected(result)
    title = Word("title.gaps", {"peer": sides.peer})
    groups = [] if sides.own else sides.groups
    return describe("gaps", title, frame, shows, names, groups=groups, label="term", notes=notes)
