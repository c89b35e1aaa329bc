"""Table of direct, indirect and total effects of a structural model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, objects, only_where
from csat.report.tables.structural import error_note, notes_of, statistic_heading
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Sem
    from csat.structural.effects import Effects

N = ("n",)


def effects_of_model(result: Sem, names: Names) -> Table:
    """Effects between all variables that paths connect, with the fit of the model."""
    return _table(result.effects(), names, notes_of(result, names))


def effects(result: Effects, names: Names) -> Table:
    """The same, and single ways if they were asked for."""
    return _table(result, names, [error_note(result.estimates.provenance.variance)])


def _table(result: Effects, names: Names, notes: Sequence[Word | str]) -> Table:
    frame = result.tidy().assign(n=result.estimates.n)
    ways = zip(frame["rhs"], frame["via"], frame["lhs"], strict=True)
    frame["about"] = objects([" → ".join(map(names.construct, _steps(*way))) for way in ways])
    frame["relation"] = objects([Word(f"effect.{kind}") for kind in frame["kind"]])
    several = result.group is not None
    if several:
        frame["group"] = [names.value(result.group or "", group) for group in frame["group"]]
    fixed = frame["se"] == 0
    for name in ("se", "statistic", "p", "low", "high"):
        frame[name] = only_where(~fixed, frame[name])
    shows = [
        *([Show("group")] if several else []),
        Show("about", heading=Word("column.effect_of")),
        Show("relation", heading=Word("column.effect_kind")),
        Show("estimate", "estimate", N),
        Show("se", "estimate", N),
        Show("statistic", "statistic", N, statistic_heading(result.estimates.df)),
        Show("p", "p_value", N),
        *interval(result.estimates.level, N, "estimate"),
        Show("std_all", "estimate", N),
    ]
    said = [Word("note.sem_effects"), *_circles(result), *([Word("note.fixed")] if fixed.any() else []), *notes]
    return describe("effects", Word("title.sem_effects"), frame, shows, names, notes=said, label="about")


def _steps(cause: Any, via: Any, outcome: Any) -> list[str]:
    return [cause, *(str(via).split(" → ") if via else []), outcome]


def _circles(result: Effects) -> list[Word]:
    """What the effects stand on where paths form a circle."""
    index = float(result.stability.max())
    return [Word("note.sem_effects_circle", {"index": number(index, "estimate")})] if index > 0 else []
