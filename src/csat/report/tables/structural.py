"""Tables of a structural model: parameters and fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.description import Cell, Column, Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, level_of, objects, only_where
from csat.report.tables.driver import base_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Sem

#: Fit figures in the order they are read, and what they are.
FIT: dict[str, Kind] = {
    "n": "count", "npar": "count", "chisq": "statistic", "df": "count", "p": "p_value", "cfi": "estimate",
    "tli": "estimate", "rmsea": "estimate", "rmsea_low": "estimate", "rmsea_high": "estimate", "srmr": "estimate",
    "logl": "statistic", "aic": "statistic", "bic": "statistic",
}  # fmt: skip

#: Fit figures with a usual limit.
GUIDED = frozenset({"cfi", "tli", "rmsea", "srmr"})


def parameters(result: Sem, names: Names) -> Table:
    """Loadings, paths, covariances and variances, standardised beside the raw ones."""
    return _table(result, result.tidy(), names, "sem")


def paths(result: Sem, names: Names) -> Table:
    """Paths between constructs, and what is derived from them."""
    frame = result.tidy()
    return _table(result, frame[frame["op"].isin(["~", ":="])], names, "sem_paths")


def loadings(result: Sem, names: Names) -> Table:
    """Loadings of the indicators."""
    frame = result.tidy()
    return _table(result, frame[frame["op"].isin(["=~", "<~"])], names, "sem_loadings")


def _table(result: Sem, frame: pd.DataFrame, names: Names, key: str) -> Table:
    frame = frame.copy()
    frame["about"] = objects([_relation(lhs, op, rhs, names) for lhs, op, rhs in _triples(frame)])
    frame["relation"] = objects([Word(f"relation.{_kind(op, lhs == rhs)}") for lhs, op, rhs in _triples(frame)])
    # A fixed parameter has no standard error by design: its cells stay empty instead of carrying a dash.
    fixed = ~(frame["se"] > 0)
    for name in ("se", "statistic", "p", "low", "high"):
        frame[name] = only_where(~fixed, frame[name])
    shows = [
        Show("relation"),
        Show("about", heading=Word("column.parameter")),
        Show("estimate", "estimate"),
        Show("se", "estimate"),
        Show("statistic", "statistic", heading=Word("column.z")),
        Show("p", "p_value"),
        *interval(level_of(result), kind="estimate"),
        Show("std_all", "estimate"),
    ]
    fixed_note = [Word("note.fixed")] if fixed.any() else []
    notes = [*fixed_note, Word("note.simple_sample"), *base_notes(float(result.glance()["n"].iloc[0]))]
    return describe(key, Word(f"title.{key}"), frame, shows, names.lang, notes=notes, label="about")


def _triples(frame: pd.DataFrame) -> list[tuple[str, str, str]]:
    return list(zip(frame["lhs"], frame["op"], frame["rhs"], strict=True))


def _kind(op: str, same: bool) -> str:
    kinds = {"=~": "loading", "<~": "weight", "~": "path", "~1": "intercept", ":=": "defined"}
    return kinds.get(op, "variance" if same else "covariance")


def _relation(lhs: str, op: str, rhs: str, names: Names) -> str:
    left, right = names.construct(lhs), names.construct(rhs)
    if op in ("=~", "<~"):
        return f"{left} → {right}" if op == "=~" else f"{right} → {left}"
    if op == "~":
        return f"{right} → {left}"
    if op == "~~":
        return left if lhs == rhs else f"{left} ↔ {right}"
    return left


def fit(result: Sem, names: Names) -> Table:
    """Fit measures, one per row, with the usual limits for reading them."""
    about: dict[Any, Any] = result.glance().iloc[0].to_dict()
    known = [name for name in FIT if name in about]
    return Table(
        "fit",
        Word("title.fit"),
        (
            Column("measure", Word("column.measure")),
            Column("value", Word("column.value"), "estimate"),
            Column("guide", Word("column.guide")),
        ),
        tuple(
            (
                Cell(Word(f"fit.{name}")),
                Cell(float(about[name]), kind=FIT[name]),
                Cell(Word(f"guide.{name}")) if name in GUIDED else Cell(applies=False),
            )
            for name in known
        ),
        names.lang,
        notes=(Word("note.simple_sample"), *base_notes(float(about["n"]))),
    )
