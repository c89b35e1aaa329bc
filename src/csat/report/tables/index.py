"""Tables of an index: its tree, one row per group, its items ranked."""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.comparisons import letters
from csat.errors import OptionError
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import (
    WITHIN,
    Show,
    describe,
    group_shows,
    groups_of,
    interval,
    level_of,
    named,
    objects,
    only_where,
)
from csat.report.tables.dispersion import dispersion
from csat.report.tables.pairs import part
from csat.report.tables.standing import ADJUST, shown_groups
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.indices import Index

N = ("n",)


def nodes(result: Index, names: Names) -> Table:
    """Index, dimensions and items as a tree, for each group."""
    tidy = result.tidy()
    groups = groups_of(tidy, "estimate")
    frame = named(tidy, groups, names)
    # A standard deviation is of answers: it belongs to items; a mean of items has none.
    frame["sd"] = only_where(tidy["kind"] == "item", tidy["sd"])
    shows = [
        *group_shows(groups, names),
        Show("term"),
        Show("estimate", "score", N, Word("column.score"), marked=True),
        Show("se", "score", N),
        *interval(level_of(result), N),
        Show("sd", "score", N),
        Show("n", "count"),
    ]
    title, notes = Word("title.index"), [Word("note.node_base")]
    return describe("index", title, frame, shows, names, groups=groups, label="term", notes=notes)


def groups(result: Index, names: Names) -> Table:
    """One row per group: the index with its interval, then every dimension."""
    tidy = result.tidy()
    groups = groups_of(tidy, "estimate")
    if not groups:
        raise OptionError('kind="groups" needs an index by a column: csat.index(survey, by=…).')
    top = tidy[tidy["kind"] == "index"]
    frame = named(top, groups, names).reset_index(drop=True)
    parts = tidy[tidy["kind"] == "dimension"]
    shows = [
        *group_shows(groups, names),
        Show("n", "count"),
        Show("estimate", "score", N, Word("column.score"), marked=True),
        *interval(level_of(result), N),
    ]
    found = _letters(result, top, groups, names)
    if found is not None:
        frame["letter"], frame["higher_than"] = found["letter"].to_numpy(), found["higher_than"].to_numpy()
        shows += [Show("letter", base=N), Show("higher_than", base=N)]
    keys = pd.MultiIndex.from_frame(top[groups])
    for node, rows in parts.groupby("term", sort=False):
        at = rows.set_index(groups)
        if len(groups) == 1:
            at.index = pd.MultiIndex.from_arrays([at.index], names=groups)
        # A dimension may be called like a column of the table ("value", "low").
        own = f"node {node}" if node in WITHIN or node in frame else str(node)
        frame[own] = at["estimate"].reindex(keys).to_numpy()
        frame[f"n {node}"] = at["n"].reindex(keys).to_numpy()
        shows.append(Show(own, "score", (f"n {node}",), names.code(node)))
    by = " × ".join(map(names.running, groups))
    title, notes = Word("title.groups", {"by": by}), [Word("note.node_base")]
    if found is not None:
        notes += [Word("note.letters", {"alpha": 1 - level_of(result)}), Word(f"note.pairs_{ADJUST}")]
    return describe("groups", title, frame.drop(columns="depth"), shows, names, groups=groups, notes=notes)


def _letters(result: Index, top: pd.DataFrame, groups: list[str], names: Names) -> pd.DataFrame | None:
    """Letter of each group, and letters of those that its index exceeds; groups that are not shown take no part.

    None if fewer than two groups may be compared, or more than there are letters.
    """
    rows = shown_groups(result, names).index.tolist()
    if not 1 < len(rows) <= len(ascii_uppercase):
        return None
    found = letters(part(result.estimates, rows), groups, adjust=ADJUST)
    told = pd.DataFrame({"letter": found.letter, "higher_than": found.higher_than}, index=rows)
    return told.reindex(top.index, fill_value="")


def items(result: Index, names: Names) -> Table:
    """Items ranked by score within each group; the standard deviation tells agreement from dispute.

    Of everyone together, a column says where customers agree or are divided more than on other items.
    """
    tidy = result.tidy()
    groups = groups_of(tidy, "estimate")
    leaves = tidy[tidy["kind"] == "item"].copy()
    leaves["rank"] = (leaves.groupby(groups) if groups else leaves)["estimate"].rank(ascending=False, method="min")
    leaves = leaves.sort_values([*groups, "rank"], kind="stable").drop(columns="depth")
    leaves["rank"] = leaves["rank"].astype(float).where(leaves["estimate"].notna(), np.nan)
    shows = [
        *group_shows(groups, names),
        Show("rank", "count", N),
        Show("term"),
        Show("estimate", "score", N, Word("column.score"), marked=True),
        *interval(level_of(result), N),
        Show("sd", "score", N),
        *([] if groups else [Show("agreement", base=N)]),
        Show("n", "count"),
    ]
    frame, notes = named(leaves, groups, names), [Word("note.sd")]
    if not groups:
        found = dispersion(result, leaves.index.tolist(), names)
        frame["agreement"] = objects([Word(f"agreement.{said}") if said else "" for said in found])
        notes.append(Word("note.dispersion", {"alpha": 1 - level_of(result)}))
    return describe("items", Word("title.items"), frame, shows, names, groups=groups, notes=notes, label="term")
