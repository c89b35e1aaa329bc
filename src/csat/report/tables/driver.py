"""Tables of driver analysis: coefficients, steps, shares of importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csat.errors import SampleError
from csat.report.base import CAREFUL, Base, judge
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, level_of, objects, only_where
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Importance, Regression, Stepwise

INTERCEPTS = frozenset({"(intercept)", "(Intercept)", "Intercept", "intercept", "const"})


def _term(code: Any, names: Names) -> str | Word:
    return Word("term.intercept") if code in INTERCEPTS else names.code(code)


def base_notes(n: float) -> list[Word]:
    """Warn below a model fitted to few respondents; a model is not suppressed, its method has its own least n."""
    return [] if judge(n) is Base.ENOUGH else [Word("note.small_model", {"n": n, "most": CAREFUL})]


def regression(result: Regression, names: Names) -> Table:
    """Coefficients with intervals and standardised ones; fit below."""
    return _coefficients(result, names, "regression")


def _coefficients(result: Regression, names: Names, name: str) -> Table:
    frame = result.tidy()
    frame["beta"] = only_where(~frame["term"].isin(INTERCEPTS), frame["beta"])
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    about = result.glance().iloc[0].to_dict()
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("estimate", "estimate", heading=Word("column.coefficient")),
        Show("se", "estimate"),
        Show("statistic", "statistic", heading=Word("column.t")),
        Show("p", "p_value"),
        *interval(level_of(result), kind="estimate"),
        Show("beta", "estimate"),
    ]
    notes = [
        Word("note.regression", {name: float(about[name]) for name in ("n", "r2", "adj_r2", "f", "df1", "df2")}),
        *base_notes(float(about["n"])),
    ]
    return describe(
        name,
        Word(f"title.{name}", {"outcome": names.running(result.outcome)}),
        frame,
        shows,
        names.lang,
        notes=notes,
    )


def steps(result: Stepwise, names: Names) -> Table:
    """What entered and left, in order, and what it did to the fit."""
    frame = result.tidy()
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    frame["action"] = objects([Word(f"action.{action}") for action in frame["action"]])
    shows = [
        Show("step", "count"),
        Show("action"),
        Show("term", heading=Word("column.driver")),
        Show("f", "statistic"),
        Show("df1", "count"),
        Show("df2", "count"),
        Show("p", "p_value"),
        Show("r2", "estimate"),
        Show("adj_r2", "estimate"),
        Show("r2_change", "estimate"),
    ]
    kept = {"count": len(result.selected), "names": _listed(result.selected, names)}
    notes = [Word("note.selected", kept) if result.selected else Word("note.nothing_entered"), Word("note.caution")]
    return describe(
        "stepwise",
        Word("title.stepwise", {"outcome": names.running(result.outcome)}),
        frame,
        shows,
        names.lang,
        notes=notes,
        label="term",
    )


def _listed(codes: tuple[str, ...], names: Names) -> str:
    return ("、" if names.lang == "zh" else ", ").join(names.codes(codes))


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
    frame = result.excluded.copy()
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    kinds = {"f": "statistic", "p": "p_value"}
    shows = [Show("term", heading=Word("column.driver"))]
    shows += [Show(name, kinds[name]) for name in kinds if name in frame]  # type: ignore[arg-type]
    return describe("excluded", Word("title.excluded"), frame, shows, names.lang)


def importance(result: Importance, names: Names) -> Table:
    """Each driver's share of the explained variance, largest first."""
    frame = result.tidy().sort_values("rank", kind="stable")
    frame["term"] = objects([_term(code, names) for code in frame["term"]])
    frame["share"] = frame["share"] / 100.0
    about = result.glance().iloc[0].to_dict()
    shows = [
        Show("rank", "count"),
        Show("term", heading=Word("column.driver")),
        Show("share", "percent"),
        Show("estimate", "estimate", heading=Word("column.r2_points")),
        *interval(level_of(result), kind="estimate"),
    ]
    adds_up = "note.importance" if result.method == "lmg" else "note.importance_alone"
    notes = [Word(adds_up, {"r2": float(about["r2"]), "n": float(about["n"])}), *base_notes(float(about["n"]))]
    return describe(
        "importance",
        Word("title.importance", {"outcome": names.running(result.outcome)}),
        frame,
        shows,
        names.lang,
        notes=notes,
        label="term",
    )
