"""The Gram matrices of a source's groups under replicate weights: those of its design, drawn, or without each unit.

A model of moments needs nothing else of a replicate, so that it can be fitted to all replicates in one batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.design import Replication
from csat.errors import OptionError, SampleError
from csat.moments import Groups, RowSource, Source, UnitSource
from csat.replicates.covariance import Scaling, replicate_sums, scaling_of

#: Kinds of replicate weights that are draws from the sample.
DRAWN = ("bootstrap", "subbootstrap")
#: At most so many units are left out in turn.
MOST_UNITS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Redone:
    """A sample done again R times.

    grams : (R, D, 1 + k, 1 + k) Gram matrices of its D groups. scaling : how variances come from spread.
    words : how the replicates were made. drawn : whether each is a sample from the sample, so that quantiles of figures
        are intervals.
    """

    grams: np.ndarray
    scaling: Scaling
    words: str
    drawn: bool


def can_be_redone(source: Source, summary: Groups) -> bool:
    """Whether replicates can be made of a source: it has rows, or remembers sampling units."""
    return not summary.published and (isinstance(source, RowSource) or bool(summary.psus))


def declared(summary: Groups) -> Redone:
    """Replicates that the design declares, given or made of its units; `summary` under the rule "listwise".

    Raises
    ------
    OptionError
        If the design declares none.
    """
    replication = summary.replication
    if replication is None:
        raise OptionError(
            "se='replicates' computes figures anew under replicate weights; this source has none. Declare "
            "csat.Design(…, replication=csat.Replication('JKn')), or use se='bootstrap'."
        )
    grams = replicate_sums(summary, grams=True)
    scaling = scaling_of(summary, len(grams))
    # Quantiles are intervals only if the plain variance of the replicates is that of the design.
    plain = np.all(np.abs(scaling.scale * scaling.rscales * (len(grams) - 1) - 1) < 0.1)
    drawn = replication.kind in DRAWN and bool(plain)
    return Redone(grams, scaling, f"replicates: {replication.kind}", drawn)


def bootstrap(source: Source, summary: Groups, size: int, seed: int) -> Redone:
    """Draws of n − 1 of the n units of each stratum; units are sampling units if there are some, else respondents.

    Such draws have the variance of the design in strata of any size (Rao & Wu 1988, JASA 83, 231–241). Bootstrap
    weights that the design declares are used instead. In a large survey random groups of respondents are drawn.

    Raises
    ------
    SampleError
        For a published matrix, or a summary without rows or units.
    """
    if summary.replication is not None and summary.replication.kind in DRAWN:
        found = declared(summary)
        if found.drawn:
            return found
    again = _again(source, summary, Replication("subbootstrap", size=size, seed=seed), "A bootstrap")
    grams = replicate_sums(again, grams=True)
    of = "sampling units" if summary.psus else "random groups of respondents" if again.psus else "respondents"
    given = ", calibrated weights taken as given" if summary.calibrated else ""
    return Redone(grams, scaling_of(again, len(grams)), f"bootstrap of {of}{given}", True)


def jackknife(source: Source, summary: Groups) -> Redone:
    """Each sampling unit, or each respondent if there are none, left out in turn.

    Raises
    ------
    SampleError
        For a published matrix, or a summary without rows or units; with more than `MOST_UNITS` units.
    """
    if summary.units.sum() > MOST_UNITS:
        raise SampleError(
            f"A jackknife leaves each of {int(summary.units.sum())} units out in turn; at most {MOST_UNITS} are. "
            "Use a bootstrap, or declare larger sampling units."
        )
    again = _again(source, summary, Replication("JKn"), "A jackknife")
    grams = replicate_sums(again, grams=True)
    return Redone(grams, scaling_of(again, len(grams)), "jackknife", False)


def _again(source: Source, summary: Groups, replication: Replication, what: str) -> Groups:
    """The same sums under replicate weights to be made."""
    if not can_be_redone(source, summary) or not isinstance(source, UnitSource):
        raise SampleError.needs_rows(what)
    return source.replicated(replication).groups(list(summary.variables), summary.by, "listwise")
