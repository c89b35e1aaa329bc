"""Tables over time: levels and changes of a trend, and a change split into mix and real change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, level_of, named, objects
from csat.report.words import Word

if TYPE_CHECKING:
    import pandas as pd

    from csat.trends import ChangeSplit, Trend

N = ("n",)


def trend_groups(tidy: pd.DataFrame) -> list[str]:
    """Grouping columns of a trend besides the period."""
    return [name for name in groups_of(tidy, "estimate") if name != "period"]


def verdict_of(said: str) -> Word | str:
    """Word of a verdict on a change; empty without one."""
    return Word(f"change.{said.replace(' ', '_')}") if said else ""


def period_names(periods: list[str], names: Names) -> list[str]:
    """Texts of periods: those of the study's period column."""
    settings = {} if names.questionnaire is None else names.questionnaire.settings
    column = settings.get("period_column")
    return names.values(column, periods) if column else [str(period) for period in periods]


def trend(result: Trend, names: Names) -> Table:
    """Every node in every period, with its change and whether that is more than noise."""
    return _table(result, result.tidy(), names, "trend")


def changes(result: Trend, names: Names) -> Table:
    """The last period alone: how each node changed."""
    tidy = result.tidy()
    last = tidy[(tidy["period"] == tidy["period"].iloc[-1]) & (tidy["since"] != "")]
    return _table(result, last, names, "changes")


def _table(result: Trend, tidy: pd.DataFrame, names: Names, key: str) -> Table:
    groups = trend_groups(tidy)
    frame = named(tidy, groups, names)
    for column in ("period", "since"):
        frame[column] = period_names(list(tidy[column]), names)
    frame.loc[tidy["since"] == "", "since"] = ""
    frame["verdict"] = objects([verdict_of(said) for said in tidy["verdict"]])
    first = tidy["since"] == ""
    for column in ("change", "noise", "change_p"):
        frame[column] = frame[column].astype(object).where(~first, None)
    shows = [
        *group_shows(groups, names),
        Show("term"),
        Show("period"),
        Show("estimate", "score", N, Word("column.score"), marked=True),
        *interval(level_of(result), N),
        Show("since"),
        Show("change", "score", N),
        Show("noise", "score", N),
        Show("change_p", "p_value", N, Word("column.p")),
        Show("verdict", base=N, heading=Word("column.change_verdict")),
        Show("n", "count"),
    ]
    notes = [Word("note.noise", {"level": level_of(result)}), Word("note.node_base")]
    title, same = Word(f"title.{key}"), frame[["since", "period"]].drop_duplicates()
    if len(same) == 1:
        title = Word("title.changes_since", {name: str(same[name].iloc[0]) for name in ("since", "period")})
        shows = [show for show in shows if show.name not in same]
    return describe(key, title, frame, shows, names, groups=groups, notes=notes, label="term")


def split(result: ChangeSplit, names: Names) -> Table:
    """The change of each node, and what of it is mix and what is real."""
    tidy = result.tidy()
    frame = named(tidy, [], names)
    frame["part"] = objects([Word(f"part.{part}") for part in tidy["part"]])
    shows = [
        Show("term"),
        Show("part", heading=Word("column.piece")),
        Show("estimate", "score", N, Word("column.change"), marked=True),
        Show("se", "score", N),
        *interval(level_of(result), N),
        Show("p", "p_value", N),
        Show("n", "count"),
    ]
    mix = names.listed([names.running(column) for column in result.mix])
    before, after = period_names([result.before, result.after], names)
    title = Word("title.split", {"before": before, "after": after})
    return describe("split", title, frame, shows, names, notes=[Word("note.split", {"mix": mix})], label="term")
