"""Tables about groups: column letters, league tables with rank intervals, cross tables, differences, sample sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.description import Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named, objects
from csat.report.tables.estimate import KINDS, SPREADS
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.comparisons import Letters
    from csat.estimation import Crosstab, Difference
    from csat.planning import SampleSize
    from csat.results import Test
    from csat.shrinkage import Shrunken

N = ("n",)


def letters(result: Letters, names: Names) -> Table:
    """Each group's figure, its letter, and the letters of the groups that it exceeds."""
    tidy = result.tidy()
    groups = groups_of(tidy, "estimate")
    frame = named(tidy, groups, names)
    kind = KINDS.get(result.estimates.unit, "estimate")
    shows = [
        *group_shows(groups, names),
        Show("letter"),
        Show("term"),
        Show("estimate", kind, N, marked=True),
        *interval(level_of(result), N, kind),
        Show("higher_than", base=N),
        Show("n", "count"),
    ]
    alpha = {"alpha": 1 - level_of(result)}
    notes = [Word("note.letters", alpha), Word(f"note.pairs_{result.adjust}")]
    return describe("letters", Word("title.letters"), frame, shows, names, groups=groups, notes=notes, label="term")


def league(result: Shrunken, names: Names) -> Table:
    """Groups by their shrunken figure, with the direct one and the interval of the rank."""
    tidy = result.tidy().sort_values("rank", kind="stable").drop(columns="depth", errors="ignore")
    groups = groups_of(tidy, "estimate")
    frame = named(tidy, groups, names)
    kind = KINDS.get(result.estimates.unit, "estimate")
    shows = [
        Show("rank", "count", N),
        *group_shows(groups, names),
        Show("direct", kind, N, marked=True),
        Show("estimate", kind, N, Word("column.shrunken")),
        *interval(level_of(result), N, kind),
        Show("weight", "percent", N, Word("column.own_weight")),
        Show("rank_low", "count", N),
        Show("rank_high", "count", N),
        Show("n", "count"),
    ]
    about = {"mean": result.mean, "level": level_of(result)}
    title = Word("title.league", {"name": names.code(tidy["term"].iloc[0])})
    return describe("league", title, frame, shows, names, groups=groups, notes=[Word("note.league", about)])


def crosstab(result: Crosstab, names: Names) -> Table:
    """A share per cell, and the test of independence below."""
    tidy = result.tidy()
    both = groups_of(tidy, "estimate")
    frame = named(tidy, both, names).drop(columns="term")
    shows = [
        *group_shows(both, names),
        Show("estimate", "percent", N, marked=True),
        Show("se", SPREADS["percent"], N, Word("column.se_points")),
        *interval(level_of(result.shares), N, "percent"),
        Show("n", "count"),
    ]
    title = Word("title.crosstab", {"row": names.code(both[0]), "column": names.running(both[-1])})
    return describe("crosstab", title, frame, shows, names, notes=[_test(result.test, "note.rao_scott")])


def difference(result: Difference, names: Names) -> Table:
    """Each group minus the reference, and the test that all are equal."""
    tidy = result.tidy()
    groups = [name for name in groups_of(tidy, "estimate") if name != "against"]
    frame = named(tidy, groups, names)
    peer = result.against if len(groups) != 1 else names.value(groups[0], result.against)
    shows = [
        *group_shows(groups, names),
        Show("estimate", "score", N, Word("column.difference"), marked=True),
        Show("se", "estimate", N),
        *interval(level_of(result), N),
        Show("p", "p_value", N),
        Show("n", "count"),
    ]
    title = Word("title.difference", {"name": names.code(tidy["term"].iloc[0]), "peer": peer})
    return describe("difference", title, frame, shows, names, notes=[_test(result.test, "note.equal_groups")])


def _test(result: Test, key: str) -> Word:
    df2 = float("inf") if result.df2 is None else float(result.df2)
    return Word(key, {"f": float(result.statistic), "df1": float(result.df), "df2": df2, "p": float(result.p)})


def test(result: Test, names: Names) -> Table:
    """One test: statistic, degrees of freedom, p."""
    frame = result.tidy()
    shows = [Show("null"), Show("statistic", "statistic"), Show("df", "statistic", heading=Word("column.df1"))]
    shows += [] if result.df2 is None else [Show("df2", "statistic")]
    return describe("test", Word("title.test"), frame, [*shows, Show("p", "p_value")], names)


def sample_size(result: SampleSize, names: Names) -> Table:
    """Respondents that a gap needs, group by group."""
    frame = result.tidy()
    grouped = any(result.group)
    shows = [
        *([Show("group")] if grouped else []),
        Show("gap", "score"),
        Show("respondents", "count", heading=Word("column.n")),
        *([Show("invited", "count")] if result.response_rate is not None else []),
        Show("sd", "score"),
        Show("deff", "statistic"),
    ]
    about = {"power": result.power, "level": result.level, "comparisons": float(result.comparisons)}
    notes = [Word(f"note.planned_{result.against}", about)]
    return describe("sample_size", Word("title.sample_size"), frame, shows, names, notes=notes)


def weights(result: Any, names: Names) -> Table:
    """The sample against its targets, before and after weighting."""
    frame = result.tidy()
    frame["category"] = [
        names.value(margin, value) for margin, value in zip(frame["margin"], frame["category"], strict=True)
    ]
    frame["margin"] = names.codes(list(frame["margin"]))
    shares: list[tuple[str, Kind]] = [(name, "percent") for name in ("share_target", "share_before", "share_after")]
    shows = [
        Show("margin"),
        Show("category", heading=Word("column.group")),
        Show("n", "count"),
        *(Show(name, kind) for name, kind in shares),
        Show("factor_low", "statistic"),
        Show("factor_high", "statistic"),
    ]
    about = {"deff": result.deff, "n_eff": result.n_eff, "low": result.weights.min(), "high": result.weights.max()}
    notes = [Word("note.weights", {name: float(value) for name, value in about.items()})]
    return describe("weights", Word("title.weights"), frame, shows, names, notes=notes)


def check(result: Any, names: Names) -> Table:
    """What a check of a printed table found."""
    frame: pd.DataFrame = result.tidy()
    if "term" in frame:
        frame["term"] = names.codes(list(frame["term"]))
    frame["finding"] = objects([Word(f"finding.{found}") for found in frame["finding"]])
    shows = [
        Show(
            name,
            "text" if frame[name].dtype == object or name in ("term", "finding") else "plain",
            heading=_heading(name),
        )
        for name in frame.columns
    ]
    return describe("check", Word("title.check"), frame, shows, names)


def _heading(name: str) -> Word | str:
    usual = {"term": "column.term", "finding": "column.finding", "rank": "column.rank", "score": "column.score"}
    return Word(usual[name]) if name in usual else name
