"""Table of gaps: own score, the other's score, the difference with its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.comparisons import Gaps


def gaps(result: Gaps, names: Names) -> Table:
    """One row per node and group: own, peer, gap."""
    tidy = result.tidy()
    groups = groups_of(tidy, "own")
    frame = named(tidy, groups, names)
    if result.estimates.provenance.sample == "published":
        # Printed tables come without bases: unknown is not few.
        frame[["n", "n_peer"]] = np.nan
    peer = names.value(groups[0], result.against)
    both = ("n", "n_peer")
    # One own group stands in the heading instead of in every row.
    one = tidy[groups].drop_duplicates().shape[0] == 1
    own = frame[groups[0]].iloc[0] if one else None
    shows = [
        *group_shows([] if one else groups, names),
        Show("term"),
        Show("own", "score", ("n",), own, marked=True),
        Show("peer", "score", ("n_peer",), peer, marked=True),
        Show("estimate", "score", both, Word("column.gap")),
        *interval(level_of(result), both),
        Show("p", "p_value", both),
        Show("n", "count"),
        Show("n_peer", "count"),
    ]
    return describe(
        "gaps", Word("title.gaps", {"peer": peer}), frame, shows, names.lang, label="term", notes=[Word("note.gap")]
    )
