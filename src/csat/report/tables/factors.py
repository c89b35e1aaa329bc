"""Tables about constructs and what they are made of: scores of respondents, correlations of latent responses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.remarks import remark
from csat.report.tables.cells import Show, describe, group_shows, interval, objects
from csat.report.tables.model import sample_notes
from csat.report.tables.structural import between, error_note
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Polychoric
    from csat.structural.factor_scores import FactorScores

N = ("n",)


def scores(result: FactorScores, names: Names) -> Table:
    """How well the scores of respondents stand for their constructs."""
    frame = result.tidy()
    frame["term"] = [names.construct(code) for code in frame["term"]]
    several = "group" in frame
    if several:
        frame["group"] = [names.category(group) for group in frame["group"]]
    shows = [
        *([Show("group")] if several else []),
        Show("term", heading=Word("column.construct")),
        Show("mean", "score", N),
        Show("sd", "score", N),
        Show("error", "score", N, Word("column.score_error")),
        Show("determinacy", "score", N),
        Show("reliability", "score", N),
        Show("n", "count"),
    ]
    notes = [
        Word(f"note.scores_{result.method}"),
        Word("note.determinacy"),
        *sample_notes(len(result.scores), result.left_out, names.bases),
    ]
    return describe("scores", Word("title.factor_scores"), frame, shows, names, notes=notes, label="term")


def correlations(result: Polychoric, names: Names) -> Table:
    """Correlations of the normal variables behind the answers, pair by pair."""
    frame, groups = _of_kind(result, names, threshold=False)
    pairs = [term.split(" ~~ ") for term in frame["term"]]
    frame["term"] = [f"{names.code(one)} ↔ {names.code(other)}" for one, other in pairs]
    frame["kind"] = objects([Word(f"correlation.{kind}") for kind in frame["kind"]])
    shows = [
        *group_shows(groups, names),
        Show("term"),
        Show("kind", heading=Word("column.correlation_kind")),
        Show("estimate", "score", N, Word("column.correlation")),
        Show("se", "score", N),
        *interval(result.estimates.level, N),
        Show("p", "p_value", N),
    ]
    notes = _notes(result, names)
    return describe("polychoric", Word("title.polychoric"), frame, shows, names, notes=notes, label="term")


def thresholds(result: Polychoric, names: Names) -> Table:
    """Where the normal variables behind the answers pass from one answer to the next."""
    frame, groups = _of_kind(result, names, threshold=True)
    answers = dict(zip(result.names, result.answers, strict=True))
    parts = [term.split(" | t") for term in frame["term"]]
    frame["term"] = [names.code(item) for item, _ in parts]
    frame["between"] = [between(answers[item], int(cut)) for item, cut in parts]
    shows = [
        *group_shows(groups, names),
        Show("term"),
        Show("between"),
        Show("estimate", "score", N),
        Show("se", "score", N),
        *interval(result.estimates.level, N),
    ]
    notes = _notes(result, names)
    return describe("thresholds", Word("title.polychoric_thresholds"), frame, shows, names, notes=notes, label="term")


def matrix(result: Polychoric, names: Names) -> Table:
    """The same correlations as a square, of the first group: what stands below the diagonal."""
    square = result.matrix()
    frame = pd.DataFrame(
        {name: [square.iloc[i, j] if j < i else None for i in range(len(square))] for j, name in enumerate(square)},
        dtype=object,
    ).assign(term=[names.code(code) for code in square], n=result.sizes[0])
    shows = [Show("term"), *(Show(name, "score", N, names.code(name)) for name in square.columns[:-1])]
    notes = _notes(result, names)
    return describe("polychoric_matrix", Word("title.polychoric"), frame, shows, names, notes=notes, label="term")


def _of_kind(result: Polychoric, names: Names, *, threshold: bool) -> tuple[pd.DataFrame, list[str]]:
    """The thresholds, or the correlations, with their groups in words."""
    tidy = result.tidy()
    groups = [name for name in result.estimates.keys if name != "kind"]
    frame = tidy[(tidy["kind"] == "threshold") == threshold].reset_index(drop=True)
    return frame.assign(**{group: names.values(group, list(frame[group])) for group in groups}), groups


def _notes(result: Polychoric, names: Names) -> list[Word | str]:
    return [
        Word("note.polychoric"),
        *map(remark, result.notes),
        *sample_notes(sum(result.sizes), result.left_out, names.bases),
        error_note(f"sandwich; {result.estimates.provenance.variance}"),
    ]
