"""Table of plain survey estimates: means, totals, shares, quantiles, net promoter scores, ratios, contributions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from csat.report.description import Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, groups_of, interval, named, objects
from csat.report.words import Word
from csat.results import Estimates

KINDS: dict[str, Kind] = {"share": "percent", "points": "score", "scale": "score", "NPS points": "score"}
#: Standard errors of figures of a kind.
SPREADS: dict[Kind, Kind] = {"percent": "percentage_points"}
#: Key columns that are figures about the row, no groups.
FIGURES: dict[str, Kind] = {"q": "plain", "weight": "percent"}
#: Columns that say what a difference is taken from.
AGAINST = ("against", "since", "expected")
N = ("n",)


def groups_in(tidy: pd.DataFrame) -> list[str]:
    """Columns that say which group a figure belongs to."""
    return [name for name in groups_of(tidy, "estimate") if name not in (*FIGURES, *AGAINST, "part")]


def answers_of(tidy: pd.DataFrame, names: Names) -> dict[str, list[str]]:
    """Texts of the answers that shares are about, by the name of their column."""
    return {
        name: [names.value(term, value) for term, value in zip(tidy["term"], tidy[name], strict=True)]
        for name in ("level", "value")
        if name in tidy
    }


def unit_of(result: Estimates, names: Names) -> Word:
    """What the figures are measured in: the scale of the question, where all have the same one."""
    scales = {scale_of(term, names) for term in result.term}
    if result.unit == "scale" and len(scales) == 1 and None not in scales:
        low, high = next(iter(scales))  # type: ignore[misc]
        return Word("unit.scale", {"low": low, "high": high})
    key = f"unit.{result.unit.replace(' ', '_').lower()}"
    return Word(key if key in KNOWN_UNITS else "unit.other")


KNOWN_UNITS = frozenset({"unit.share", "unit.points", "unit.nps_points"})


def scale_of(term: str, names: Names) -> tuple[float, float] | None:
    """Ends of the scale of a question; None for anything else."""
    asked = names.questionnaire
    if asked is None or term not in asked.codes:
        return None
    scale = asked.scale_of(term)
    return float(scale.low), float(scale.high)


def title_of(result: Estimates, names: Names) -> Word:
    """Title that carries the variables and the unit of the figures."""
    terms = list(dict.fromkeys(result.term))
    said = names.listed(names.codes(terms[:3])) + ("…" if len(terms) > 3 else "")
    return Word("title.estimates_of", {"names": said, "unit": unit_of(result, names)})


def estimates(result: Estimates, names: Names) -> Table:
    """One row per figure and group."""
    tidy = result.tidy()
    groups = groups_in(tidy)
    frame = named(tidy, groups, names)
    answers = answers_of(tidy, names)
    frame = frame.assign(**answers)
    if "part" in tidy:
        frame["part"] = objects([Word(f"part.{part}") for part in tidy["part"]])
    for column in AGAINST:
        if column in tidy:
            frame[column] = _texts(tidy, column, groups, names)
    kind = KINDS.get(result.unit, "estimate")
    spread = SPREADS.get(kind, "estimate")
    tested = result.null is not None
    shows = [
        *([Show("part", heading=Word("column.piece"))] if "part" in tidy else []),
        *group_shows(groups, names),
        Show("term"),
        *(Show(name) for name in AGAINST if name in tidy),
        *(Show(name, heading=Word("column.answer")) for name in answers),
        *(Show(name, kind_of) for name, kind_of in FIGURES.items() if name in tidy),
        Show("estimate", kind, N, marked=True),
        Show("se", spread, N, Word("column.se_points") if spread == "percentage_points" else None),
        *interval(result.level, N, kind),
        *([Show("p", "p_value", N)] if tested else []),
        Show("n", "count"),
    ]
    return describe("estimates", title_of(result, names), frame, shows, names, groups=groups, label="term")


def _texts(tidy: pd.DataFrame, column: str, groups: list[str], names: Names) -> list[str]:
    if column == "expected":
        return names.codes(list(tidy[column]))
    whose: Any = "period" if column == "since" else groups[0] if len(groups) == 1 else None
    return names.values(whose, list(tidy[column])) if whose else [str(value) for value in tidy[column]]
