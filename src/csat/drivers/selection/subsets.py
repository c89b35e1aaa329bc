"""The best model of every size among all subsets of the candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.linear.least_squares import EXACT
from csat.drivers.selection.asked import check_parts, check_whole, correlations_of, terms_asked
from csat.drivers.selection.criteria import adjusted_r2, information, penalty
from csat.drivers.selection.leaps import Known, best_models, problem_of
from csat.drivers.selection.sweeps import Layout, layout_of, swept
from csat.drivers.terms import Terms, terms_of
from csat.errors import OptionError, check_choice
from csat.moments import Source, source_of, term_of
from csat.results import Shown

#: Figures to compare models of different sizes by.
CRITERIA = ("adjr2", "bic", "aic", "cp")
#: Beyond this many candidates even the best case takes minutes.
MOST_CANDIDATES = 50
#: Models of one size that can be asked for.
MOST_RANKS = 1000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Subsets(Shown):
    """The best models of every size.

    table : a row per model: size (columns beside the intercept), rank within the size, terms, rss, r2, adj_r2, cp,
        aic, bic. rss in units of the outcome, with weights that sum to n; aic and bic as R's `AIC` and `BIC` of an
        `lm` (Gaussian likelihood with the variance as a parameter); Mallows' cp with the variance of the full model.
    best : criterion → terms of the model that it prefers, over all sizes.
    criterion : the one asked for; `selected` are its terms.
    n : respondents; left_out : those without an answer to one of the candidates.
    looked_at : models compared on the way.
    """

    outcome: str
    table: pd.DataFrame
    best: Mapping[str, tuple[str, ...]]
    criterion: str
    forced: tuple[str, ...]
    n: int
    left_out: int
    looked_at: int

    caution = (
        "The same data chose the model: its p-values are optimistic. The criteria take respondents as a simple random "
        "sample; they do not know the design."
    )

    @property
    def selected(self) -> tuple[str, ...]:
        """Terms of the model that `criterion` prefers."""
        return self.best[self.criterion]

    def tidy(self) -> pd.DataFrame:
        """A row per model."""
        return self.table.copy()

    def glance(self) -> pd.DataFrame:
        """One row about the comparison."""
        facts = {
            "outcome": self.outcome,
            "criterion": self.criterion,
            "selected": len(self.selected),
            "n": self.n,
            "left_out": self.left_out,
            "models": len(self.table),
            "looked_at": self.looked_at,
            "note": self.caution,
        }
        return pd.DataFrame([facts])


def best_subsets(
    source: Source,
    outcome: Any,
    candidates: Any,
    *,
    criterion: str = "adjr2",
    forced: Any = (),
    most: int | None = None,
    best: int = 1,
) -> Subsets:
    """The subsets of the candidates with the smallest residual sum of squares, of every size.

    Exact, by branch and bound (Furnival & Wilson 1974, Technometrics 16, 499–511), from moments alone: the number of
    respondents costs nothing beyond one pass. The time grows exponentially at worst; 30 candidates typically take less
    than a second, 40 some seconds. A factor comes in or stays out as a whole; its size is its number of columns.
    Weights count as if they summed to n.

    Parameters
    ----------
    source : survey or summary; complete answers to all candidates only.
    outcome : dependent variable.
    candidates : terms to choose from, at most 50: names, items, `Factor`, `Recode`.
    criterion : "adjr2", "bic", "aic" or "cp": what `selected` compares sizes by.
    forced : terms that are in every model; named among the candidates or not.
    most : largest size of interest, in columns; None: all.
    best : models shown of each size.

    Returns
    -------
    Subsets

    Raises
    ------
    OptionError
        Arguments that make no sense, or an interaction of candidates: subsets know no hierarchy.
    SampleError, CollinearityError
        Too few respondents, a constant variable, or candidates that repeat others exactly.
    """
    check_choice("criterion", criterion, CRITERIA)
    check_whole("best", best, 1, MOST_RANKS)
    answers = source_of(source)
    asked, fixed = terms_asked(candidates, forced)
    terms = terms_of(answers, outcome, asked)
    layout = layout_of(terms, fixed)
    _check_asked(terms, layout)
    k = len(terms.columns)
    if most is not None:
        check_whole("most", most, 1, k)
    groups = answers.groups(terms.variables, (), "listwise")
    moments = groups.moments()
    corr, variance = correlations_of(moments, terms, np.ones(k, bool))
    known, looked_at = best_models(problem_of(corr, layout, k if most is None else int(most), int(best)))
    full = float(swept(corr, np.ones((1, k), bool))[0][0, -1, -1])
    table = _table(known, terms, moments.n, full, variance)
    return Subsets(
        outcome=term_of(terms.outcome),
        table=table,
        best=_best(table),
        criterion=criterion,
        forced=terms.labels[:fixed],
        n=moments.n,
        left_out=groups.incomplete,
        looked_at=looked_at,
    )


def _check_asked(terms: Terms, layout: Layout) -> None:
    check_parts(terms, layout)
    loose = layout.needs & ~layout.forced
    if loose.any():
        term = int(np.argwhere(loose)[0][0])
        raise OptionError(
            f"{terms.labels[term]!r} is an interaction of candidates; a subset may lack its parts. Force the parts, or "
            "use csat.stepwise, which keeps them together."
        )
    free = int((~layout.forced).sum())
    if free > MOST_CANDIDATES:
        raise OptionError(
            f"best_subsets takes up to {MOST_CANDIDATES} candidates; {free} were given. Use csat.stepwise."
        )


def _table(known: Known, terms: Terms, n: int, full: float, variance: float) -> pd.DataFrame:
    """The models by size and rank; `full` is the unexplained share of the full model, `variance` the outcome's."""
    k = len(terms.columns)
    rss = np.where(known.rss < EXACT, 0.0, np.where(known.size == 0, 1.0, known.rss))
    df = n - 1 - known.size
    noise = 0.0 if full < EXACT else full / (n - 1 - k)
    constant = n * (1 + np.log(2 * np.pi * variance))
    with np.errstate(divide="ignore", invalid="ignore"):
        # without noise a model either explains everything, and then cp is what it is expected to be, or it is no model
        cp = np.where(noise > 0, rss / noise - n + 2 * (1 + known.size), np.where(rss > 0, np.inf, 1.0 + known.size))
        # the variance is a parameter too
        scores = {
            name: np.where(rss > 0, information(rss, df - 1, n, penalty(name, n)) + constant, -np.inf)
            for name in ("aic", "bic")
        }
    columns = {
        "size": known.size,
        "rank": 1 + np.arange(len(rss)) - np.searchsorted(known.size, known.size),
        "terms": pd.Series([_labels(terms, model) for model in known.inside], dtype=object),
        "rss": rss * variance * n,
        "r2": 1 - rss,
        "adj_r2": adjusted_r2(rss, df, n),
        "cp": cp,
        **scores,
    }
    return pd.DataFrame(columns)


def _labels(terms: Terms, model: np.ndarray) -> tuple[str, ...]:
    return tuple(terms.labels[term] for term in np.flatnonzero(model).tolist())


def _best(table: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The terms that each criterion prefers; the smaller model of two that are equal."""
    columns = {"adjr2": -table["adj_r2"], "bic": table["bic"], "aic": table["aic"], "cp": table["cp"]}
    return {name: table["terms"].iloc[int(np.argmin(columns[name]))] for name in CRITERIA}
