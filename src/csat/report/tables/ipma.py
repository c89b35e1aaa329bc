"""Table of the importance–performance map of a path model: constructs, each followed by its items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, only_where
from csat.report.tables.composites import item_text, remark_word
from csat.report.tables.model import sample_notes
from csat.report.tables.pls_groups import construct_text, errors_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.composites.ipma import Ipma

N = ("n",)
#: Figures with intervals.
AXES = ("importance", "performance")


def ipma(result: Ipma, names: Names) -> Table:
    """Importance and performance with intervals, potential and priority; by construct, and by item below each."""
    frame = result.tidy()
    places = {code: at for at, code in enumerate(dict.fromkeys(frame["construct"]))}
    group = frame.groupby(list(result.by), sort=False).ngroup() if result.by else 0
    frame = frame.assign(_group=group, _at=frame["construct"].map(places), depth=(frame["kind"] == "item").astype(int))
    frame = frame.sort_values(["_group", "_at", "depth"], kind="stable").reset_index(drop=True)
    drawn = has_errors(result)
    for name in AXES:
        fixed = frame[f"{name}_se"] == 0
        for end in ("low", "high"):
            frame[f"{name}_{end}"] = only_where(~fixed, frame[f"{name}_{end}"])
    frame = frame.assign(
        about=[
            construct_text(term, names) if kind == "construct" else item_text(term, names)
            for kind, term in zip(frame["kind"], frame["term"], strict=True)
        ],
        **{name: names.values(name, list(frame[name])) for name in result.by},
    )
    level = result.estimates.level
    ends = {name: [Show(f"{name}_{end.name}", end.kind, N, end.heading) for end in interval(level)] for name in AXES}
    shows = [
        *group_shows(result.by, names),
        Show("about", heading=Word("column.construct_item")),
        Show("importance", "estimate", N),
        *([Show(end.name, "estimate", N, end.heading) for end in ends["importance"]] if drawn else []),
        Show("performance", "score", N),
        *(ends["performance"] if drawn else []),
        Show("potential", "score", N),
        Show("priority", "count", N),
        *([Show("n", "count")] if result.by else []),
    ]
    target = construct_text(result.target, names)
    notes = [Word("note.pls_ipma", {"target": target}), *notes_of(result, names)]
    title = Word("title.pls_ipma", {"target": target})
    return describe("pls_ipma", title, frame, shows, names, notes=notes, label="about")


def has_errors(result: Ipma) -> bool:
    """Whether there are standard errors."""
    return bool(np.isfinite(result.estimates.se).any())


def notes_of(result: Ipma, names: Names) -> list[Word | str]:
    """Doubts, who counts, and how the standard errors were made."""
    sizes = result.importance.n.reshape(len(result.domains), -1)[:, 0]
    if has_errors(result):
        errors = [*errors_notes(result.estimates.provenance.variance), Word(f"interval.{result.interval}")]
    else:
        errors = [Word("reason.no_rows")]
    return [
        *(remark_word(note, names) for note in result.notes),
        *sample_notes(float(sizes.sum()), result.left_out, names.bases),
        *errors,
    ]
