"""Groups in the order of their index, with what is known of their ranks and who exceeds whom."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.bases import Base
from csat.comparisons import letters
from csat.errors import OptionError
from csat.ranks import rank_interval, rank_of
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import (
    Show,
    describe,
    group_shows,
    groups_of,
    interval,
    judge_rows,
    level_of,
    named,
)
from csat.report.tables.pairs import part
from csat.report.words import Word
from csat.shrinkage import shrink

if TYPE_CHECKING:
    from csat.indices import Index

N = ("n",)
#: Groups with a standard error from which on figures are drawn towards their mean before they are ranked.
SHRUNKEN = 3
#: Correction of the letters, over all pairs of groups.
ADJUST = "holm"


def column_of(index: Index) -> str:
    """The one column whose groups an index has.

    Raises
    ------
    OptionError
        If the index has no groups, or those of several columns.
    """
    columns = groups_of(index.tidy(), "estimate")
    if len(columns) != 1:
        raise OptionError("This is about the groups of one column: csat.index(survey, by=…).")
    return columns[0]


def judged(index: Index, names: Names) -> tuple[pd.DataFrame, list[Base]]:
    """Rows of the index itself, a group each, and what their bases allow: the same as in the table of groups."""
    tidy = index.tidy()
    tops = tidy[tidy["kind"] == "index"]
    return tops, judge_rows(tops, N, groups_of(tidy, "estimate"), names.bases)


def shown_groups(index: Index, names: Names) -> pd.DataFrame:
    """Rows of the index itself of the groups that may be shown."""
    tops, verdicts = judged(index, names)
    hidden = np.array([verdict.hidden for verdict in verdicts], bool)
    return tops[~hidden & tops["estimate"].notna().to_numpy()]


def ranked_groups(index: Index, names: Names) -> pd.DataFrame:
    """Groups that may be shown, by rank: the rows of the index with ``rank rank_low rank_high direct_rank shrunken``.

    The rank is that of the shrunken figures (`csat.shrink`), from three groups on; ``direct_rank`` that of the index.
    """
    tops = shown_groups(index, names)
    if tops.empty:
        return tops.assign(rank=[], rank_low=[], rank_high=[], direct_rank=[], shrunken=[])
    direct = part(index.estimates, tops.index.tolist())
    low, high = rank_interval(direct, census=False)
    figures = direct.estimate
    if np.isfinite(direct.se).sum() >= SHRUNKEN:
        figures = shrink(direct).estimates.estimate
    ranks = {"rank": rank_of(figures), "rank_low": low, "rank_high": high, "direct_rank": rank_of(direct.estimate)}
    return tops.assign(**ranks, shrunken=figures).sort_values("rank", kind="stable")


def is_shrunken(ranked: pd.DataFrame) -> bool:
    """Whether shrinking changes the order of ranked groups, so that the shrunken figures are shown."""
    return bool((ranked["rank"] != ranked["direct_rank"]).any())


def standing(index: Index, names: Names) -> Table:
    """A row per group: rank with its interval, index, letters of the groups that it exceeds; hidden groups last."""
    column, frame = column_of(index), ranked_groups(index, names)
    lettered = 1 < len(frame) <= len(ascii_uppercase)
    if lettered:
        rows = sorted(frame.index)
        found = letters(part(index.estimates, rows), column, adjust=ADJUST)
        told = pd.DataFrame({"letter": found.letter, "higher_than": found.higher_than}, index=rows)
        frame = frame.join(told)
    shrunken = is_shrunken(frame)
    tops = judged(index, names)[0]
    frame = pd.concat([frame, tops[~tops.index.isin(frame.index)]])
    shows = [
        Show("rank", "count", N),
        *group_shows([column], names),
        Show("estimate", "score", N, Word("column.score"), marked=True),
        *interval(level_of(index), N),
        *([Show("letter", base=N), Show("higher_than", base=N)] if lettered else []),
        *([Show("shrunken", "score", N)] if shrunken else []),
        Show("rank_low", "count", N),
        Show("rank_high", "count", N),
        Show("n", "count"),
    ]
    level = level_of(index)
    notes = [Word("standing.ranks", {"level": level})]
    notes += [Word("standing.shrunken")] if shrunken else []
    notes += [Word("note.letters", {"alpha": 1 - level}), Word(f"note.pairs_{ADJUST}")] if lettered else []
    names_of = named(frame.drop(columns="depth"), [column], names)
    title = Word("title.standing", {"name": names.code(index.estimates.term[0])})
    return describe("standing", title, names_of, shows, names, groups=[column], notes=notes)
