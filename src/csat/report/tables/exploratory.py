"""Tables of exploratory factor analysis: loadings, their errors, what factors explain, how many there are."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from csat.report.format import number as figure
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.remarks import remark
from csat.report.tables.cells import Show, describe, interval, objects
from csat.report.tables.model import sample_notes
from csat.report.tables.structural import bounded, chance_of, error_note
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.structural import Efa, FactorNumber

N = ("n",)


def loadings(result: Efa, names: Names) -> Table:
    """Loadings of every item on every factor, those of a factor together, with what all of them explain."""
    frame = result.tidy().assign(n=result.n)
    frame["term"] = names.codes(list(frame["term"]))
    shows = [
        Show("term"),
        *(Show(factor, "score", N, factor) for factor in result.factors),
        Show("communality", "score", N),
        Show("msa", "score", N),
    ]
    return describe("efa", Word("title.efa"), frame, shows, names, notes=notes_of(result, names), label="term")


def errors(result: Efa, names: Names) -> Table:
    """Loadings and factor correlations one by one, with their standard errors."""
    frame = result.estimates.tidy()
    relations = [term.split(" ") for term in frame["term"]]
    frame["relation"] = [
        f"{left} → {names.code(right)}" if op == "=~" else f"{left} ↔ {right}" for left, op, right in relations
    ]
    shows = [
        Show("relation", heading=Word("column.parameter")),
        Show("estimate", "score", N),
        Show("se", "score", N),
        *interval(result.estimates.level, N),
        Show("p", "p_value", N),
    ]
    notes = notes_of(result, names)
    return describe("efa_errors", Word("title.efa_errors"), frame, shows, names, notes=notes, label="relation")


def variance(result: Efa, names: Names) -> Table:
    """How much of the items' variance each factor explains."""
    frame = result.variance.assign(n=result.n)
    shows = [
        Show("factor", heading=Word("column.latent_factor")),
        Show("squares", "score", N),
        Show("share", "percent", N, Word("column.share_of_variance")),
        Show("cumulative", "percent", N),
    ]
    notes = notes_of(result, names)
    return describe("efa_variance", Word("title.efa_variance"), frame, shows, names, notes=notes, label="factor")


def number(result: Efa | FactorNumber, names: Names) -> Table:
    """Eigenvalues beside those of uncorrelated items."""
    found = number_of(result)
    frame = found.tidy().assign(n=found.n)
    frame["factor"] = [str(place) for place in frame["factor"]]
    frame["kept"] = objects(["✓" if kept else None for kept in frame["keep"]])
    shows = [
        Show("factor", heading=Word("column.latent_factor")),
        Show("eigenvalue", "score", N),
        Show("share", "percent", N, Word("column.share_of_variance")),
        Show("random", "score", N, Word("column.random_eigenvalue")),
        Show("limit", "score", N, Word("column.random_limit", {"level": found.level})),
        Show("kept"),
    ]
    notes = [
        rules_line(found),
        adequacy_line(found, names),
        *map(remark, found.notes),
        *sample_notes(found.n, found.left_out, names.bases),
    ]
    return describe("factor_number", Word("title.factor_number"), frame, shows, names, notes=notes, label="factor")


def number_of(result: Efa | FactorNumber) -> FactorNumber:
    """The number of factors behind a factor analysis, or itself."""
    from csat.structural import Efa

    return result.number if isinstance(result, Efa) else result


def notes_of(result: Efa, names: Names) -> list[Word | str]:
    """How factors were found and how they fit, doubts, who counts, and what standard errors assume."""
    hidden = names.bases.judge(result.n).hidden
    made = result.provenance.variance
    return [
        Word("note.efa", {"method": Word(f"factor.{result.method}"),
                          "rotation": Word(f"factor.{result.rotation or 'none'}")}),
        *([] if hidden else [fit_line(result, names), *correlations_line(result, names),
                             adequacy_line(result.number, names)]),
        *map(remark, result.notes),
        *sample_notes(result.n, result.left_out, names.bases),
        *([] if made == "none" else [error_note(made)]),
    ]  # fmt: skip


def fit_line(result: Efa, names: Names) -> Word:
    """What the factors explain and, under maximum likelihood, whether they are enough."""
    explained = {"share": float(result.communality.mean()), "rmsr": bounded(result.rmsr, names)}
    test = result.test
    if not np.isfinite(test.p):
        return Word("note.efa_explained", explained)
    said = {
        name: bounded(value, names)
        for name, value in (
            ("tli", test.tli),
            ("rmsea", test.rmsea),
            ("low", test.rmsea_low),
            ("high", test.rmsea_high),
        )
    }
    about = {"df": figure(test.df, "count"), "chisq": figure(test.chisq, "statistic"), "p": chance_of(test.p, names)}
    return Word("note.efa_fit", explained | said | about)


def correlations_line(result: Efa, names: Names) -> list[Word]:
    """Correlations of the factors, if the rotation lets them correlate."""
    pairs = list(combinations(range(len(result.factors)), 2))
    if not pairs or np.array_equal(result.correlations, np.eye(len(result.factors))):
        return []
    said = [
        f"{result.factors[a]} ↔ {result.factors[b]} {figure(float(result.correlations[a, b]), 'score')}"
        for a, b in pairs
    ]
    return [Word("note.factor_correlations", {"listed": names.listed(said)})]


def adequacy_line(found: FactorNumber, names: Names) -> Word:
    """Sampling adequacy and sphericity."""
    about = found.suitability
    test = {
        "df": figure(about.df, "count"), "chisq": figure(about.chisq, "statistic"), "p": chance_of(about.p, names),
    }  # fmt: skip
    return Word("note.adequacy", {"kmo": bounded(about.kmo, names)} | test)


def rules_line(found: FactorNumber) -> Word:
    """The number of factors by each rule."""
    return Word("note.factor_rules", {"parallel": found.parallel, "map": found.map, "kaiser": found.kaiser})
