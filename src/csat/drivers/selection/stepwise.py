"""Stepwise selection: the rule of SPSS REGRESSION by p, R's `step` by AIC or BIC, and adjusted R²."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.linear.regression import SE, Regression, regress
from csat.drivers.selection.asked import check_parts, check_whole, correlations_of, terms_asked
from csat.drivers.selection.criteria import DIRECTIONS, RULES, STARTS, Rule
from csat.drivers.selection.history import left_out_table, step_table
from csat.drivers.selection.search import ENDS, Task, search
from csat.drivers.selection.stability import MOST_REPLICATES, Stability, stability_of
from csat.drivers.selection.sweeps import layout_of
from csat.drivers.terms import Terms, terms_of
from csat.errors import OptionError, check_choice
from csat.moments import Groups, Source, source_of, term_of
from csat.results import Shown, check_level


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Stepwise(Shown):
    """A finished selection.

    steps : a row per move: ``step action term statistic p r2 adj_r2 criterion``, then ``f df1 df2 r2_change sigma
        drivers``. `statistic` is the partial F under rule "p", else the change of the criterion; `p` is that of the
        partial F; `criterion`, `r2` … are those after the move (`criterion` is NaN under "p", which has none).
    final : the last model refitted (None if nothing is in it).
    selected : terms in the model, forced ones first, then in order of entry.
    excluded : the others: f df1 df2 p tolerance criterion if they entered next; NaN where they may not.
    n : respondents, fixed before the first step; left_out : those without an answer to one of the candidates.
    ended : "settled", "cycling" if a model came back, or "exact" if the terms in the model determine the outcome, so
        that no further F exists.
    start_criterion : of the model before the first step.
    stability : the selection redone on replicates of the sample; None if that was not asked for.

    Notes
    -----
    The p-values of a model chosen by looking at the data are too small (Freedman 1983, Am. Stat. 37, 152–155):
    `caution` says so wherever the result is shown.
    """

    outcome: str
    steps: pd.DataFrame
    final: Regression | None
    selected: tuple[str, ...]
    excluded: pd.DataFrame
    n: int
    left_out: int
    ended: str
    enter: float
    remove: float
    direction: str
    rule: str = "p"
    start: str = "empty"
    forced: tuple[str, ...] = ()
    start_criterion: float = float("nan")
    stability: Stability | None = None

    @property
    def caution(self) -> str:
        """What the reader of the result has to know."""
        always = "p-values after a selection are optimistic: the same data chose the drivers and tested them."
        if self.rule == "p":
            return always
        return f"{always} The criterion takes respondents as a simple random sample; it does not know the design."

    def tidy(self) -> pd.DataFrame:
        """The step table."""
        return self.steps.copy()

    def glance(self) -> pd.DataFrame:
        """One row about the selection."""
        last = self.steps.iloc[-1] if len(self.steps) else None
        r2 = self.final.r2 if self.final is not None else 0.0
        facts = {
            "outcome": self.outcome,
            "rule": self.rule,
            "selected": len(self.selected),
            "n": self.n,
            "left_out": self.left_out,
            "steps": len(self.steps),
            "ended": self.ended,
            "r2": r2 if last is None else last["r2"],
            "start_criterion": self.start_criterion,
            "criterion": self.start_criterion if last is None else last["criterion"],
            "direction": self.direction,
            "start": self.start,
            "enter": self.enter,
            "remove": self.remove,
            "replicates": 0 if self.stability is None else self.stability.replicates,
            "note": self.caution,
        }
        return pd.DataFrame([facts])


def stepwise(
    source: Source,
    outcome: Any,
    candidates: Any,
    *,
    rule: str = "p",
    direction: str = "both",
    enter: float = 0.05,
    remove: float = 0.10,
    tolerance: float = 1e-4,
    forced: Any = (),
    start: str | None = None,
    se: str | None = None,
    level: float = 0.95,
    replicates: int = 0,
    seed: int = 1,
) -> Stepwise:
    """Select drivers step by step.

    Under ``rule="p"``, as SPSS REGRESSION does: at each step the term in the model with the largest p leaves if
    p ≥ `remove`; only if none leaves does the term outside with the smallest p enter, if p ≤ `enter`. F tests are the
    classical ones on weighted moments with n respondents. Under "aic" and "bic", as R's `step`: of all single moves
    the one that makes n·log(RSS/n) + k·(coefficients) smallest, with k = 2 or log n, as long as it falls. Under
    "adjr2" the move to the largest adjusted R², as long as it rises. Weights count as if they summed to n.

    A factor moves as a whole. An interaction enters only when its parts are in the model, and they stay as long as
    it does.

    Parameters
    ----------
    source : survey or summary. The sample is fixed before the first step: complete answers to all candidates.
    outcome : dependent variable.
    candidates : terms that may enter: names, items, `Factor`, `Recode`, interactions "a:b".
    rule : "p", "aic", "bic" or "adjr2".
    direction : "both", "forward" (never remove) or "backward" (start full, never enter).
    enter, remove : probabilities of F, for "p"; `enter` < `remove`.
    tolerance : share of its variance that each column must have left when it enters, and that those in the model must
        keep (SPSS: 0.0001). 1e-12 admits all but exact repetitions, as R does.
    forced : terms that are in the model from the start and never leave; named among the candidates or not.
    start : "empty" (forced terms only) or "full". None: "full" for "backward", else "empty".
    se, level : of the final model, as in `regress`; `level` of the intervals of `stability` too. None: "design", for a
        printed matrix "classical"; `final` says which.
    replicates : how often the selection is redone on bootstrap replicates of the sample, for `stability`; 0: not. A
        thousand are usual. Bootstrap weights that the design declares are used, whatever their number.
    seed : of the replicates that csat makes.

    Returns
    -------
    Stepwise

    Raises
    ------
    OptionError, SampleError, CollinearityError
        As for `regress`; terms that are in the model at the start may not be exactly collinear.
    """
    check_choice("rule", rule, RULES)
    check_choice("direction", direction, DIRECTIONS)
    start = _checked_start(start, direction)
    _check_limits(enter, remove, tolerance)
    if se is not None:
        check_choice("se", se, SE)
    check_level(level)
    check_whole("replicates", replicates, 0, MOST_REPLICATES)
    if replicates == 1:
        raise OptionError("replicates=1: one replicate has no spread. A thousand are usual; 0 leaves them out.")
    check_whole("seed", seed, 0, 2**32 - 1)
    answers = source_of(source)
    asked, fixed = terms_asked(candidates, forced)
    how = Rule(rule, direction, float(enter), float(remove), float(tolerance))
    task, groups = _task(answers, terms_of(answers, outcome, asked), fixed, how, full=start == "full")
    corr, variance = correlations_of(groups.moments(), task.terms, task.begin[task.layout.owner])
    found = search(corr, task)
    steps, start_criterion = step_table(corr, found, task, variance)
    inside, labels = found.inside[0], task.terms.labels
    chosen = sorted(np.flatnonzero(inside).tolist(), key=lambda term: (term >= fixed, found.entered[0, term]))
    kept = [asked[term] for term in chosen]
    se = se or ("classical" if groups.published else "design")
    return Stepwise(
        outcome=term_of(task.terms.outcome),
        steps=steps,
        final=regress(answers, outcome, kept, se=se, level=level, complete=asked) if kept else None,
        selected=tuple(labels[term] for term in chosen),
        excluded=left_out_table(found, task, variance),
        n=task.n,
        left_out=groups.incomplete,
        ended=ENDS[int(found.ended[0])],
        enter=enter,
        remove=remove,
        direction=direction,
        rule=rule,
        start=start,
        forced=labels[:fixed],
        start_criterion=start_criterion,
        stability=stability_of(answers, groups, task, inside, level, replicates, seed) if replicates else None,
    )


def _task(source: Source, terms: Terms, fixed: int, rule: Rule, *, full: bool) -> tuple[Task, Groups]:
    """What to select from, the first `fixed` terms always in; and the sums over those who answered everything."""
    layout = layout_of(terms, fixed)
    check_parts(terms, layout)
    groups = source.groups(terms.variables, (), "listwise")
    return Task(terms, layout, rule, layout.forced | full, int(groups.n.sum())), groups


def _checked_start(start: Any, direction: str) -> str:
    if start is None:
        return "full" if direction == "backward" else "empty"
    check_choice("start", start, STARTS)
    wrong = {("forward", "full"): "enter", ("backward", "empty"): "leave"}.get((direction, start))
    if wrong is not None:
        raise OptionError(f"direction={direction!r} with start={start!r}: no term could ever {wrong}.")
    return str(start)


def _check_limits(enter: Any, remove: Any, tolerance: Any) -> None:
    """Refuse limits that are no numbers, or that would let steps cycle."""
    if not all(isinstance(limit, int | float | np.number) for limit in (enter, remove)) or not 0 < enter < remove <= 1:
        raise OptionError(
            f"enter={enter!r} and remove={remove!r}: 0 < enter < remove ≤ 1 is needed, or steps would cycle."
        )
    if not isinstance(tolerance, float | np.floating) or not 0 < tolerance < 1:
        raise OptionError(f"tolerance={tolerance!r}: a share of variance, above 0 and below 1, e.g. 0.0001.")
