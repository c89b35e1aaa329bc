"""Tables of regressions: coefficients, odds, effects, joint tests, overlap of the drivers, fit, groups compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, interval, level_of, named, objects, only_where
from csat.report.tables.driver import INTERCEPTS, N, error_note, respondents, terms_named, too_few
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Regression

#: Variance inflation above which a coefficient's footnote warns.
INFLATED = 5.0


def coefficients(result: Regression, names: Names) -> Table:
    """Coefficients with intervals, and standardised ones or odds ratios; fit below."""
    return coefficient_table(result, names, "regression")


def coefficient_table(result: Regression, names: Names, name: str) -> Table:
    """Coefficients under the title of that name: "regression", or "final" of a selection."""
    groups = groups_in(result)
    frame = _rows(result, groups, names)
    driven = pd.Series([bool(owner) for owner in result.owner])
    linear = result.family == "linear"
    with np.errstate(over="ignore"):
        frame["odds"] = only_where(driven, np.exp(frame["estimate"]))
    frame["beta"] = only_where(driven, frame["beta"])
    frame["about vif"] = _inflated(result)
    frame["vif"] = only_where(driven, frame["vif"])
    normal = bool(np.isinf(result.coefficients.df).all())
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("estimate", "estimate", N, Word("column.coefficient" if linear else "column.log_odds"), marked=True),
        Show("se", "estimate", N),
        Show("statistic", "statistic", N, Word("column.z" if normal else "column.t")),
        Show("p", "p_value", N),
        *interval(level_of(result), N, "estimate"),
        Show("beta", "estimate", N) if linear else Show("odds", "statistic", N),
        Show("vif", "statistic", N),
    ]
    title = Word(f"title.{name}", {"outcome": names.running(result.outcome)})
    return describe(name, title, frame, shows, names, groups=groups, notes=notes_of(result, names), label="term")


def _inflated(result: Regression) -> np.ndarray:
    """(K,) footnotes of large variance inflation; interactions have it by construction."""
    crossed = any(":" in owner for owner in result.owner)
    return objects([Word("beware.overlap") if vif > INFLATED and not crossed else "" for vif in result.vif])


def groups_in(result: Regression) -> list[str]:
    """Grouping columns."""
    return list(result.coefficients.keys)


def each_row(result: Regression) -> np.ndarray:
    """(K,) respondents behind each coefficient."""
    return np.repeat(np.atleast_1d(np.asarray(result.n, float)), len(result.owner) // len(result.tests))


def _rows(result: Regression, groups: list[str], names: Names) -> pd.DataFrame:
    """The tidy table with names instead of codes; thresholds are named by the answers they part."""
    tidy = result.tidy().assign(n=each_row(result))
    return named(tidy, groups, names).assign(term=coefficient_names(result, names))


def coefficient_names(result: Regression, names: Names) -> np.ndarray:
    """(K,) texts of the coefficients."""
    terms = result.coefficients.term
    said = terms_named(terms, names)
    for place, (owner, term) in enumerate(zip(result.owner, terms, strict=True)):
        if not owner and term not in INTERCEPTS:
            said[place] = Word("term.threshold", {"cut": term})
    return said


def notes_of(result: Regression, names: Names) -> list[Word | str]:
    """Fit, respondents, and what errors and coefficients mean."""
    single = len(result.tests) == 1
    return [
        *([_fit(result)] if single and not too_few(result.n, names) else []),
        *_meaning(result, names),
        *respondents(result.n, result.left_out, names),
        *error_note(result.coefficients.provenance.variance),
    ]


def _fit(result: Regression) -> Word:
    about = result.glance().iloc[0].to_dict()
    figures = {name: float(about[name]) for name in ("n", "f", "df1")}
    said = Word("note.f_test", figures | {"df2": _df(about["df2"])})
    if result.family == "linear":
        blanks = {"n": figures["n"], "r2": float(result.r2), "adj_r2": float(result.adj_r2), "test": said}
        return Word("note.regression", blanks)
    return Word("note.pseudo_r2", {"n": figures["n"], "r2": float(about["r2_nagelkerke"]), "test": said})


def _df(value: float) -> str:
    return "∞" if np.isinf(value) else f"{value:.0f}"


def _meaning(result: Regression, names: Names) -> list[Word]:
    """What a coefficient of a logit says."""
    if result.family == "linear":
        return []
    blanks = {"outcome": names.running(result.outcome), "answers": modelled(result)}
    return [Word(f"note.{result.family}", blanks)]


def modelled(result: Regression) -> str:
    """The answers whose probability a logit is about: "= 1", or "≥ 10"."""
    return str(result.further["modelled"]).removeprefix(result.outcome).strip()


def require_categorical(result: Regression, kind: str) -> None:
    """Refuse a linear regression where odds are asked for."""
    if result.family == "linear":
        raise OptionError(f'kind="{kind}" needs a regression with family="logit" or family="ordered".')


def odds(result: Regression, names: Names) -> Table:
    """Odds ratios with their intervals.

    Raises
    ------
    OptionError
        Of a linear regression.
    """
    require_categorical(result, "odds")
    groups = groups_in(result)
    driven = [bool(owner) for owner in result.owner]
    frame = result.odds_ratios()  # type: ignore[attr-defined]
    frame = named(frame.assign(n=each_row(result)[driven]), groups, names)
    frame["term"] = coefficient_names(result, names)[driven]
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("estimate", "statistic", N, Word("column.odds"), marked=True),
        *interval(level_of(result), N, "statistic"),
        Show("p", "p_value", N),
    ]
    title = Word("title.odds", {"outcome": names.running(result.outcome)})
    return describe("odds", title, frame, shows, names, groups=groups, notes=notes_of(result, names), label="term")


def effects(result: Regression, names: Names) -> Table:
    """Average marginal effects on the share of the answers modelled.

    Raises
    ------
    OptionError
        Of a linear regression.
    """
    require_categorical(result, "effects")
    groups, found = groups_in(result), result.effects  # type: ignore[attr-defined]
    frame = named(found.tidy(), groups, names).assign(term=terms_named(found.term, names))
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("estimate", "percentage_points", N, Word("column.effect"), marked=True),
        Show("se", "percentage_points", N),
        *interval(found.level, N, "percentage_points"),
        Show("p", "p_value", N),
    ]
    blanks = {"outcome": names.running(result.outcome), "answers": modelled(result)}
    notes = [Word("note.effects"), *respondents(result.n, result.left_out, names)]
    title = Word("title.effects", blanks)
    return describe("effects", title, frame, shows, names, groups=groups, notes=notes, label="term")


def terms(result: Regression, names: Names) -> Table:
    """Joint tests of the terms, and their variance inflation."""
    groups = groups_in(result)
    size = len(result.terms) // len(result.tests)
    rows = np.repeat(np.atleast_1d(np.asarray(result.n, float)), size)
    frame = named(result.terms.assign(n=rows), groups, names).assign(term=terms_named(result.terms["term"], names))
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("f", "statistic", N, marked=True),
        Show("df", "count", N, Word("column.df1")),
        Show("df2", "plain", N),
        Show("p", "p_value", N),
        Show("gvif", "statistic", N),
        Show("gvif_scaled", "statistic", N),
    ]
    notes = [
        Word("note.terms"),
        *respondents(result.n, result.left_out, names),
        *error_note(result.coefficients.provenance.variance),
    ]
    title = Word("title.terms", {"outcome": names.running(result.outcome)})
    return describe("terms", title, frame, shows, names, groups=groups, notes=notes, label="term")


def overlap(result: Regression, names: Names) -> Table:
    """How much each driver has of its own: partial and semipartial correlations, tolerance, variance inflation."""
    groups = groups_in(result)
    driven = [bool(owner) for owner in result.owner]
    frame = _rows(result, groups, names)[driven]
    linear = result.family == "linear"
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        *([Show("partial", "estimate", N), Show("semipartial", "estimate", N)] if linear else []),
        Show("tolerance", "estimate", N),
        Show("vif", "statistic", N),
    ]
    condition = np.asarray(result.condition, float)
    largest = Word("note.condition", {"condition": float(np.nanmax(condition))}) if np.isfinite(condition).any() else ""
    notes = [*([largest] if largest else []), *respondents(result.n, result.left_out, names)]
    title = Word("title.overlap", {"outcome": names.running(result.outcome)})
    return describe("overlap", title, frame, shows, names, groups=groups, notes=notes, label="term")


def fit(result: Regression, names: Names) -> Table:
    """How well the regression fits, a row per group."""
    groups = groups_in(result)
    frame = result.glance()
    frame = frame.assign(**{group: names.values(group, list(frame[group])) for group in groups})
    measures = ("r2", "adj_r2", "sigma") if result.family == "linear" else ("r2_mcfadden", "r2_nagelkerke")
    shows = [
        *group_shows(groups, names),
        Show("n", "count"),
        *(Show(name, "estimate", N, marked=name == measures[0]) for name in measures),
        Show("f", "statistic", N),
        Show("df1", "count", N),
        Show("df2", "plain", N),
        Show("p", "p_value", N),
        *(Show(name, "statistic", N) for name in ("aic", "bic", "condition")),
    ]
    title = Word("title.regression_fit", {"outcome": names.running(result.outcome)})
    notes = [*respondents(result.n, result.left_out, names), *error_note(result.coefficients.provenance.variance)]
    return describe("regression_fit", title, frame, shows, names, groups=groups, notes=notes)


def differences(result: Regression, names: Names) -> Table:
    """Each group's coefficients against the mean of the other groups.

    Raises
    ------
    OptionError
        Of a regression without groups.
    """
    groups, found = groups_in(result), result.differences()
    frame = named(found.tidy(), groups, names).assign(term=terms_named(found.term, names))
    frame = frame[np.resize([bool(owner) for owner in result.owner], len(frame))]
    shows = [
        *group_shows(groups, names),
        Show("term", heading=Word("column.driver")),
        Show("estimate", "estimate", N, Word("column.difference"), marked=True),
        Show("se", "estimate", N),
        *interval(found.level, N, "estimate"),
        Show("p", "p_value", N),
    ]
    notes = [Word("note.against_others"), Word("note.adjust_none"), *respondents(result.n, result.left_out, names)]
    title = Word("title.regression_groups", {"outcome": names.running(result.outcome)})
    return describe("regression_groups", title, frame, shows, names, groups=groups, notes=notes, label="term")
