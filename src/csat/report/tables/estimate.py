"""Table of plain survey estimates: means, totals, shares, net promoter scores, ratios."""

from __future__ import annotations

import pandas as pd

from csat.report.description import Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, named
from csat.report.words import Word
from csat.results import Estimates

KINDS: dict[str, Kind] = {"share": "percent", "points": "score", "scale": "score", "NPS points": "score"}


def answers_of(tidy: pd.DataFrame, names: Names) -> dict[str, list[str]]:
    """Texts of the answers that shares are about, by the name of their column."""
    return {
        name: [names.value(term, value) for term, value in zip(tidy["term"], tidy[name], strict=True)]
        for name in ("level", "value")
        if name in tidy
    }


def estimates(result: Estimates, names: Names) -> Table:
    """One row per figure and group."""
    tidy = result.tidy()
    groups = groups_of(tidy, "estimate")
    frame = named(tidy, groups, names)
    answers = answers_of(tidy, names)
    frame = frame.assign(**answers)
    kind, n = KINDS.get(result.unit, "estimate"), ("n",)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        *(Show(name, heading=Word("column.answer")) for name in answers),
        Show("estimate", kind, n, marked=True),
        Show("se", "estimate", n),
        *interval(result.level, n, kind),
        Show("n", "count"),
    ]
    return describe("estimates", Word("title.estimates"), frame, shows, names.lang, label="term")
