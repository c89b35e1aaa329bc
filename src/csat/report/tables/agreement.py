"""Table of one model by several estimators, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, objects
from csat.report.tables.model import sample_notes
from csat.report.tables.pls_groups import construct_text, errors_notes, group_label, kind_word, relation_text
from csat.report.tables.structural import error_note
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.agreement import Agreement, Column

N = ("n",)


def agreement(result: Agreement, names: Names) -> Table:
    """Standardized paths, loadings, weights and R² by every estimator, and differences from the first."""
    frame = result.tidy()
    groups, kinds, lhs, rhs = zip(*result.keys, strict=True) if result.keys else ((), (), (), ())
    smallest = dict(zip(result.groups, np.min([column.sizes for column in result.columns], axis=0), strict=True))
    frame["n"] = [smallest[group] for group in groups]
    frame["kind"] = objects([kind_word(kind) for kind in kinds])
    frame["about"] = [relation_text(*row, names) for row in zip(kinds, lhs, rhs, strict=True)]
    several = len(result.groups) > 1
    if several:
        frame["group"] = [group_label(group, names) for group in groups]
    shows = [
        *([Show("group")] if several else []),
        Show("kind", heading=Word("column.relation")),
        Show("about", heading=Word("column.parameter")),
        *(show for column in result.columns for show in _of(column, result.level)),
        *(_apart(column, result.columns[0]) for column in result.columns[1:]),
        Show("n", "count"),
    ]
    notes = [
        Word("note.agreement"),
        *([Word("note.agreement_uneven")] if result.uneven else []),
        *_notes(result, names),
    ]
    return describe("agreement", Word("title.agreement"), frame, shows, names, notes=notes, label="about")


def _of(column: Column, level: float) -> list[Show]:
    """Estimate and interval of a result, under its name; without standard errors only the estimate."""
    blanks = {"result": column.name, "level": level}
    ends = ("low", "high") if np.isfinite(column.figures[1]).any() else ()
    return [
        Show(f"estimate_{column.name}", "estimate", N, column.name),
        *(Show(f"{end}_{column.name}", "estimate", N, Word(f"column.{end}_of", blanks)) for end in ends),
    ]


def _apart(column: Column, first: Column) -> Show:
    heading = Word("column.less", {"one": column.name, "other": first.name})
    return Show(f"difference_{column.name}", "estimate", N, heading)


def _notes(result: Agreement, names: Names) -> list[Word]:
    """Who counts in each result, how its errors were made, and which constructs are turned round."""
    said = []
    for column in result.columns:
        errors = errors_notes(column.variance) if column.method.startswith("PLS") else [error_note(column.variance)]
        about = [*sample_notes(sum(column.sizes), column.left_out, names.bases), *errors]
        said += [Word("note.of_group", {"group": column.name, "note": note}) for note in about]
    for code, group, name in result.turned:
        where = [construct_text(code, names), *([group_label(group, names)] if group else [])]
        said.append(Word("note.agreement_turned", {"construct": " · ".join(where), "result": name}))
    return said
