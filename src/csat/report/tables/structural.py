"""Tables of a structural model: parameters and fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.description import Cell, Column, Kind
from csat.report.doubts import beyond_one, doubts_of
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, base_note, describe, interval, level_of, objects, only_where
from csat.report.tables.model import sample_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Sem

#: Fit figures in the order they are read, and what they are.
FIT: dict[str, Kind] = {
    "n": "count", "npar": "count", "chisq": "statistic", "df": "count", "p": "p_value", "cfi": "estimate",
    "tli": "estimate", "rmsea": "estimate", "rmsea_low": "estimate", "rmsea_high": "estimate", "srmr": "estimate",
    "loglik": "statistic", "aic": "statistic", "bic": "statistic",
}  # fmt: skip

#: Fit figures with a usual limit.
GUIDED = frozenset({"cfi", "tli", "rmsea", "srmr"})
#: Fit figures that say how large the model is, not how it fits.
SIZES = frozenset({"n", "npar", "df"})
N = ("n",)


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
    frame = frame.assign(n=result.measures.n)
    triples = list(zip(frame["lhs"], frame["op"], frame["rhs"], strict=True))
    beyond = [
        beyond_one(op, lhs == rhs, value) for (lhs, op, rhs), value in zip(triples, frame["std_all"], strict=True)
    ]
    frame["about std_all"] = objects([Word("note.beyond_one") if out else None for out in beyond])
    frame["about"] = objects([_relation(lhs, op, rhs, names) for lhs, op, rhs in triples])
    frame["relation"] = objects([Word(f"relation.{_kind(op, lhs == rhs)}") for lhs, op, rhs in triples])
    # A fixed parameter has no standard error by design: its cells stay empty instead of carrying a dash.
    fixed = ~(frame["se"] > 0)
    for name in ("se", "statistic", "p", "low", "high"):
        frame[name] = only_where(~fixed, frame[name])
    shows = [
        Show("relation"),
        Show("about", heading=Word("column.parameter")),
        Show("estimate", "estimate", N),
        Show("se", "estimate", N),
        Show("statistic", "statistic", N, Word("column.z")),
        Show("p", "p_value", N),
        *interval(level_of(result), N, "estimate"),
        Show("std_all", "estimate", N),
    ]
    notes = [*notes_of(result, names), *([Word("note.fixed")] if fixed.any() else [])]
    return describe(key, Word(f"title.{key}"), frame, shows, names, notes=notes, label="about")


def notes_of(result: Sem, names: Names) -> list[Word | str]:
    """Doubts first, then the respondents and what the standard errors assume."""
    plain = result.provenance.variance == "expected information"
    left_out = result.left_out
    return [
        *doubts_of(result, names),
        *sample_notes(result.measures.n, left_out, names.bases),
        *([Word("note.simple_sample")] if plain else []),
    ]


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
    verdict = names.bases.judge(float(about["n"]))
    hidden = Cell(None, base_note(verdict, names.bases))
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
                hidden if verdict.hidden and name not in SIZES else Cell(float(about[name]), kind=FIT[name]),
                Cell(Word(f"guide.{name}")) if name in GUIDED else Cell(applies=False),
            )
            for name in FIT
            if name in about
        ),
        names.lang,
        notes=tuple(notes_of(result, names)),
    )
