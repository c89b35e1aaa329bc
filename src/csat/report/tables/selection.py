"""Tables of selections: steps, what stayed out, how stable the selection is, the best model of every size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError
from csat.report.format import number
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, interval, objects
from csat.report.tables.driver import N, respondents, terms_named, too_few
from csat.report.tables.regression import coefficient_table
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Regression, Stepwise
    from csat.drivers.selection.stability import Stability
    from csat.drivers.selection.subsets import Subsets

#: Models of the replicates that a table shows.
MODELS = 10
#: Criterion of `Subsets.best` → its column.
CRITERIA = {"adjr2": "adj_r2", "aic": "aic", "bic": "bic", "cp": "cp"}


def steps(result: Stepwise, names: Names) -> Table:
    """What entered and left, in order, and what it did to the fit."""
    frame = result.tidy().assign(n=result.n)
    frame["term"] = terms_named(frame["term"], names)
    frame["action"] = objects([Word(f"action.{action}") for action in frame["action"]])
    tests = [Show("f", "statistic", N), Show("df1", "count"), Show("df2", "count"), Show("p", "p_value", N)]
    level = Word(f"criterion.{result.rule}")
    changes = [
        Show("statistic", "estimate" if result.rule == "adjr2" else "statistic", N, Word("column.criterion_change")),
        Show("criterion", "estimate" if result.rule == "adjr2" else "statistic", N, level),
    ]
    shows = [
        Show("step", "count"),
        Show("action", base=N),
        Show("term", base=N, heading=Word("column.driver")),
        *(tests if result.rule == "p" else changes),
        Show("r2", "estimate", N, marked=True),
        Show("adj_r2", "estimate", N),
        Show("r2_change", "estimate", N),
    ]
    title = Word("title.stepwise", {"outcome": names.running(result.outcome)})
    return describe("stepwise", title, frame, shows, names, notes=step_notes(result, names), label="term")


def step_notes(result: Stepwise, names: Names) -> list[Word | str]:
    """What was kept, by which rule, how it ended, and what to beware of."""
    kept = {"count": len(result.selected), "names": names.listed(names.drivers(result.selected))}
    outcome = Word("note.selected", kept) if result.selected else Word("note.nothing_entered")
    return [
        *([] if too_few(result.n, names) else [outcome]),
        *respondents(result.n, result.left_out, names),
        *rule_notes(result, names),
        Word("note.caution"),
        *_stable(result, names),
        Word("note.classical_steps" if result.rule == "p" else "note.criterion_design"),
    ]


def rule_notes(result: Stepwise, names: Names) -> list[Word]:
    """The rule, the direction, what was forced in, and an end other than the usual one."""
    limits = {"enter": result.enter, "remove": result.remove}
    forced = names.listed(names.drivers(result.forced))
    return [
        Word("note.step_rule", limits) if result.rule == "p" else Word(f"note.rule_{result.rule}"),
        *([] if result.direction == "both" else [Word(f"note.direction_{result.direction}")]),
        *([Word("note.forced", {"names": forced})] if result.forced else []),
        *([] if result.ended == "settled" else [Word(f"note.ended_{result.ended}")]),
    ]


def _stable(result: Stepwise, names: Names) -> list[Word]:
    """How often the replicates select the same drivers."""
    if result.stability is None or too_few(result.n, names):
        return []
    about = result.stability.glance().iloc[0]
    blanks = {"replicates": float(about["replicates"]), "share": number(float(about["share_of_chosen"]), "chance")}
    return [Word("note.same_selection", blanks)]


def final(result: Stepwise, names: Names) -> Table:
    """Coefficients of the model that the steps ended with.

    Raises
    ------
    SampleError
        If no candidate entered.
    """
    if result.final is None:
        raise SampleError("No candidate entered the stepwise regression: there is no final model to show.")
    from dataclasses import replace

    made: Regression = result.final
    table = coefficient_table(made, names, "final")
    return replace(table, notes=(*table.notes, Word("note.caution")))


def excluded(result: Stepwise, names: Names) -> Table:
    """Candidates that stayed out, and how near they were to entering."""
    frame = result.excluded.assign(n=result.n)
    frame["term"] = terms_named(frame["term"], names)
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("f", "statistic", N),
        Show("p", "p_value", N),
        *([] if result.rule == "p" else [_criterion(result)]),
        Show("tolerance", "estimate", N),
    ]
    kind = Word("note.classical_steps" if result.rule == "p" else "note.criterion_design")
    notes = [*respondents(result.n, result.left_out, names), Word("note.excluded"), kind]
    return describe("excluded", Word("title.excluded"), frame, shows, names, notes=notes)


def _criterion(result: Stepwise) -> Show:
    kind = "estimate" if result.rule == "adjr2" else "statistic"
    return Show("criterion", kind, N, Word(f"criterion.{result.rule}"))  # type: ignore[arg-type]


def stability(result: Stability | Stepwise, names: Names) -> Table:
    """How often replicates of the sample select each driver, with which sign, and its smoothed coefficient.

    Raises
    ------
    OptionError
        Of a selection that was not redone on replicates.
    """
    found = stability_of(result)
    frame = found.columns.assign(n=found.estimates.n)
    frame["chosen"] = objects([Word("answer.yes" if found.chosen[term] else "answer.no") for term in found.owner])
    frame = frame.iloc[np.argsort(-frame["frequency"].to_numpy(float), kind="stable")]
    frame["term"] = terms_named(frame["term"], names)
    frame["positive"] = frame["positive"].astype(object).where(frame["positive"].notna(), None)
    shows = [
        Show("term", heading=Word("column.driver")),
        Show("chosen", base=N),
        Show("frequency", "chance", N, marked=True),
        Show("positive", "chance", N),
        Show("estimate", "estimate", N, Word("column.smoothed")),
        *interval(found.estimates.level, N, "estimate"),
    ]
    notes = [*stability_notes(result, names), Word("note.smoothed")]
    return describe("stability", Word("title.stability"), frame, shows, names, notes=notes)


def stability_of(result: Any) -> Stability:
    """The stability itself, of a result that has it."""
    found: Stability | None = getattr(result, "stability", result)
    if found is None:
        raise OptionError("This selection was not redone on replicates: csat.stepwise(…, replicates=1000).")
    return found


def stability_notes(result: Stability | Stepwise, names: Names) -> list[Word | str]:
    """How many replicates of what, how often they agree with the sample, and where they failed."""
    found = stability_of(result)
    about = found.glance().iloc[0]
    drawn = next((key for text, key in DRAWN.items() if text in found.drawn), "declared")
    blanks = {"replicates": float(about["replicates"]), "drawn": Word(f"drawn.{drawn}")}
    n = float(found.estimates.n[0])
    share = number(float(about["share_of_chosen"]), "chance")
    agreement = Word("note.models_differ", {"models": float(about["models"]), "share": share})
    lost = {"count": float(found.failed)}
    used = float(found.replicates + found.failed)
    given = 0 < found.asked != used
    return [
        *respondents(n, getattr(result, "left_out", np.nan), names),
        Word("note.replicates", blanks),
        *([Word("note.replicates_declared", {"count": used, "asked": float(found.asked)})] if given else []),
        *([Word("note.replicates_lone")] if "lone units" in found.drawn else []),
        *([] if too_few(n, names) else [agreement]),
        *([Word("note.replicates_failed", lost)] if found.failed else []),
    ]


#: Part of `Stability.drawn` → its word.
DRAWN = {"of sampling units": "units", "of random groups": "groups", "of respondents": "respondents"}


def models(result: Stability | Stepwise, names: Names) -> Table:
    """The models that replicates select most often."""
    found = stability_of(result)
    frame = found.models.head(MODELS).assign(n=float(found.estimates.n[0]))
    frame["terms"] = _listed(frame["terms"], names)
    frame["whole"] = objects([Word("answer.yes") if whole else "" for whole in frame["whole"]])
    shows = [
        Show("terms", base=N, heading=Word("column.drivers")),
        Show("size", "count", N),
        Show("share", "chance", N, Word("column.frequency"), marked=True),
        Show("whole", base=N),
    ]
    return describe("models", Word("title.models"), frame, shows, names, notes=stability_notes(result, names))


def _listed(models_found: Iterable[Sequence[str]], names: Names) -> np.ndarray:
    return objects([names.listed(names.drivers(model)) or Word("term.none") for model in models_found])


def subsets(result: Subsets, names: Names) -> Table:
    """The best models of every size, and which criterion prefers which."""
    frame = result.tidy().assign(n=result.n)
    wanted = {name: terms for name, terms in result.best.items() if name in CRITERIA}
    frame["best"] = objects([_preferring(model, wanted, names) for model in frame["terms"]])
    frame["terms"] = _listed(frame["terms"], names)
    shows = [
        Show("size", "count"),
        Show("terms", base=N, heading=Word("column.drivers")),
        Show("r2", "estimate", N, marked=True),
        Show("adj_r2", "estimate", N),
        *(Show(name, "statistic", N, Word(f"criterion.{name}")) for name in ("cp", "aic", "bic")),
        Show("best", base=N),
    ]
    title = Word("title.subsets", {"outcome": names.running(result.outcome)})
    return describe("subsets", title, frame, shows, names, notes=subset_notes(result, names), label="terms")


def _preferring(model: Any, wanted: dict[str, Any], names: Names) -> str:
    from csat.report.words import words

    catalogue = words(names.lang)
    return names.listed([catalogue.say(Word(f"criterion.{name}")) for name, terms in wanted.items() if terms == model])


def subset_notes(result: Subsets, names: Names) -> list[Word | str]:
    """Who counts, what was forced in, and what to beware of."""
    forced = names.listed(names.drivers(result.forced))
    return [
        *respondents(result.n, result.left_out, names),
        *([Word("note.forced", {"names": forced})] if result.forced else []),
        Word("note.caution"),
        Word("note.criterion_design"),
    ]


def frame_of_best(result: Subsets) -> pd.DataFrame:
    """The best model of each size."""
    return result.table[result.table["rank"] == 1]
