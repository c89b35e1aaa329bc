"""Tables of driver analysis: coefficients, steps, shares of importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csat.errors import SampleError
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, level_of, objects, only_where
from csat.report.tables.model import sample_notes
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Importance, Regression, Stepwise

INTERCEPTS = frozenset({"(intercept)", "(Intercept)", "Intercept", "intercept", "const"})
N = ("n",)


def _term(code: Any, names: Names) -> str | Word:
    return Word("term.intercept") if code in INTERCEPTS else names.code(code)


def regression(result: Regression, names: Names) -> Table:
    """Coefficients with intervals and standardised ones; fit below."""
    return _coefficients(result, names, "regression")


def _coefficients(result: Regression, names: Names, name: str) -> Table:
    frame = result.tidy().assign(n=result.n)
    frame["beta"] = only_where(~frame["term"].isin(INTERCEPTS), frame["beta"])
    frame["vif"] = only_where(~frame["term"].isin(INTERCEPTS), frame["vif"])
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    about = result.glance().iloc[0].to_dict()
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("estimate", "estimate", N, Word("column.coefficient"), marked=True),
        Show("se", "estimate", N),
        Show("statistic", "statistic", N, Word("column.t")),
        Show("p", "p_value", N),
        *interval(level_of(result), N, "estimate"),
        Show("beta", "estimate", N),
        Show("vif", "statistic", N),
    ]
    fit = Word("note.regression", {name: float(about[name]) for name in ("n", "r2", "adj_r2", "f", "df1", "df2")})
    notes = [
        *([] if names.bases.judge(result.n).hidden else [fit]),
        *sample_notes(result.n, result.left_out, names.bases),
        Word(f"note.se_{'design' if about['se'] == 'linearisation' else 'other'}", {"kind": str(about["se"])}),
    ]
    title = Word(f"title.{name}", {"outcome": names.running(result.outcome)})
    return describe(name, title, frame, shows, names, notes=notes)


def steps(result: Stepwise, names: Names) -> Table:
    """What entered and left, in order, and what it did to the fit."""
    frame = result.tidy().assign(n=result.n)
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    frame["action"] = objects([Word(f"action.{action}") for action in frame["action"]])
    shows = [
        Show("step", "count"),
        Show("action", base=N),
        Show("term", base=N, heading=Word("column.driver")),
        Show("f", "statistic", N),
        Show("df1", "count"),
        Show("df2", "count"),
        Show("p", "p_value", N),
        Show("r2", "estimate", N, marked=True),
        Show("adj_r2", "estimate", N),
        Show("r2_change", "estimate", N),
    ]
    return describe(
        "stepwise",
        Word("title.stepwise", {"outcome": names.running(result.outcome)}),
        frame,
        shows,
        names,
        notes=_step_notes(result, names),
        label="term",
    )


def _step_notes(result: Stepwise, names: Names) -> list[Word | str]:
    kept = {"count": len(result.selected), "names": names.listed(names.codes(result.selected))}
    outcome = Word("note.selected", kept) if result.selected else Word("note.nothing_entered")
    hidden = names.bases.judge(result.n).hidden
    rule = [Word("note.step_rule", {"enter": result.enter, "remove": result.remove})] if result.rule == "p" else []
    base = sample_notes(result.n, result.left_out, names.bases)
    return [*([] if hidden else [outcome]), *base, *rule, Word("note.caution"), Word("note.classical_steps")]


def final(result: Stepwise, names: Names) -> Table:
    """Coefficients of the model that the steps ended with.

    Raises
    ------
    SampleError
        If no candidate entered.
    """
    if result.final is None:
        raise SampleError("No candidate entered the stepwise regression: there is no final model to show.")
    return _coefficients(result.final, names, "final")


def excluded(result: Stepwise, names: Names) -> Table:
    """Candidates that stayed out, and how near they were to entering."""
    frame = result.excluded.assign(n=result.n)
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    kinds = {"f": "statistic", "p": "p_value"}
    shows = [Show("term", heading=Word("column.driver"))]
    shows += [Show(name, kinds[name], N) for name in kinds if name in frame]  # type: ignore[arg-type]
    notes = [*sample_notes(result.n, result.left_out, names.bases), Word("note.classical_steps")]
    return describe("excluded", Word("title.excluded"), frame, shows, names, notes=notes)


def importance(result: Importance, names: Names) -> Table:
    """Each driver's share of the explained variance, largest first."""
    frame = result.tidy().sort_values("rank", kind="stable")
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    frame["share"] = frame["share"] / 100.0
    about = result.glance().iloc[0].to_dict()
    shows = [
        Show("rank", "count", N),
        Show("term", heading=Word("column.driver")),
        Show("share", "percent", N, marked=True),
        Show("estimate", "estimate", N, Word("column.r2_points")),
        *interval(level_of(result), N, "estimate"),
    ]
    adds_up = "note.importance" if result.method == "lmg" else "note.importance_alone"
    hidden = names.bases.judge(float(about["n"])).hidden
    notes = [
        *([] if hidden else [Word(adds_up, {"r2": float(about["r2"]), "n": float(about["n"])})]),
        Word("note.importance_interval"),
        *sample_notes(float(about["n"]), result.left_out, names.bases),
    ]
    return describe(
        "importance",
        Word("title.importance", {"outcome": names.running(result.outcome)}),
        frame,
        shows,
        names,
        notes=notes,
        label="term",
    )
