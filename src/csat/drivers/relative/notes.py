"""What to beware of in an analysis of importance, as values that tables can put into any language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from csat.bases import Bases
from csat.drivers.linear.least_squares import Fit
from csat.drivers.relative.players import Players
from csat.errors import CsatWarning
from csat.moments import term_of

#: Kind of note → its wording in English; `report/locale` has the other languages.
NOTES: Mapping[str, str] = {
    "sign_flip": "{term}: its correlation with the outcome is {r:+.2f}, its coefficient beside the other drivers "
    "{beta:+.2f}. Its importance says nothing about direction; look for drivers that it overlaps with.",
    "suppressor": "{term}: it explains more beside the other drivers than alone (coefficient {beta:+.2f}, correlation "
    "{r:+.2f}): a suppressor, which clears others of what has nothing to do with the outcome.",
    "suppressor_group": "{term}: adds {last:.3f} to R² beside the others but explains {first:.3f} alone: a suppressor.",
    "negative_share": "{term}: a negative share ({share:.1f} %). With drivers that overlap like these the measure does "
    "not split R²; use method='lmg'.",
    "noise": "{term}: the interval of its importance reaches 0; it cannot be told from chance.",
    "few_cases": "{n:.0f} respondents for {k:.0f} columns of drivers, {cases:.1f} each; 10 or more are needed for "
    "figures that last.",
    "collinear": "{term}: variance inflation {vif:.1f}. It nearly repeats other drivers; how they share importance is "
    "known poorly.",
    "small_sample": "All figures rest on {n:.0f} respondents only.",
    "small_base": "{term}: answered by {n:.0f} respondents only.",
    "small_pair": "{term}: only {n:.0f} respondents answered both.",
    "first_order": "The replicate weights did not compute these figures anew: the standard errors are of first order.",
    "not_psd": "The pairwise correlations contradict each other (smallest eigenvalue {eigenvalue:.3g}): no data can "
    "have them. Use missing='em'.",
}
#: Variance inflation, respondents per column, and excess of a coefficient or of a gain, that are worth a note.
INFLATED, CASES, EXCESS, GAIN = 5.0, 10.0, 0.02, 0.005
#: An eigenvalue of a correlation matrix below this is not rounding.
NOT_PSD = -1e-10


class CorrelationsWarning(CsatWarning):
    """Pairwise correlations that no data can have."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something to beware of.

    kind : key of `NOTES`. term : driver it is about; "" for the whole. group : labels of the group it is about.
    figures : what the wording shows.
    """

    kind: str
    term: str = ""
    group: tuple[str, ...] = ()
    figures: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        about = f"{' × '.join(self.group)}: " if self.group else ""
        return about + NOTES[self.kind].format(term=self.term, **self.figures)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What notes about one group are made from.

    corr : (p, p) correlations of the model's columns and the outcome. fit : the regression. first, last : (m,) R² of
    each player alone, and its gain when entered last. low, high : (m,) ends of the intervals of the parts.
    share : (m,) per cent. answered : (p,) respondents per variable. pairs : (p, p) who answered both, if gaps are
    allowed and it is known.
    """

    group: tuple[str, ...]
    corr: np.ndarray
    fit: Fit
    first: np.ndarray
    last: np.ndarray
    low: np.ndarray
    high: np.ndarray
    share: np.ndarray
    answered: np.ndarray
    pairs: np.ndarray | None


def contradiction(corr: np.ndarray, group: tuple[str, ...]) -> Note | None:
    """A note on correlations (p, p) that no data can have; None if some data can."""
    smallest = float(np.linalg.eigvalsh(corr)[0])
    return Note("not_psd", "", group, {"eigenvalue": smallest}) if smallest < NOT_PSD else None


def notes_of(players: Players, facts: Facts) -> Iterator[Note]:
    """Everything to beware of in one group."""
    yield from _sample(players, facts)
    for j, label in enumerate(players.labels):
        yield from _direction(players, facts, j, label)
        if facts.share[j] < 0:
            yield Note("negative_share", label, facts.group, {"share": float(facts.share[j])})
        if facts.low[j] <= 0 <= facts.high[j]:
            yield Note("noise", label, facts.group)


def _direction(players: Players, facts: Facts, j: int, label: str) -> Iterator[Note]:
    own = players.columns[j]
    if len(own) > 1:
        if facts.last[j] > facts.first[j] + GAIN:
            figures = {"first": float(facts.first[j]), "last": float(facts.last[j])}
            yield Note("suppressor_group", label, facts.group, figures)
        return
    r, beta, vif = facts.corr[own[0], -1], facts.fit.beta[own[0]], 1 / facts.fit.tolerance[own[0]]
    figures = {"r": float(r), "beta": float(beta)}
    if r * beta < 0 and min(abs(r), abs(beta)) > EXCESS:
        yield Note("sign_flip", label, facts.group, figures)
    elif abs(beta) > abs(r) + EXCESS:
        yield Note("suppressor", label, facts.group, figures)
    if vif > INFLATED:
        yield Note("collinear", label, facts.group, {"vif": float(vif)})


def _sample(players: Players, facts: Facts) -> Iterator[Note]:
    k, n = len(facts.fit.beta), facts.fit.n
    if n < CASES * k:
        yield Note("few_cases", "", facts.group, {"n": float(n), "k": float(k), "cases": n / k})
    least = Bases().flag
    names = [term_of(variable) for variable in players.terms.variables]
    if len(set(facts.answered.tolist())) == 1:
        if facts.answered[0] < least:
            yield Note("small_sample", "", facts.group, {"n": float(facts.answered[0])})
    else:
        for at in np.flatnonzero(facts.answered < least).tolist():
            yield Note("small_base", names[at], facts.group, {"n": float(facts.answered[at])})
    if facts.pairs is not None:
        yield from _pairs(names, facts, least)


def _pairs(names: Sequence[str], facts: Facts, least: int) -> Iterator[Note]:
    """Pairs that fewer answered than their variables would let expect to be enough."""
    pairs = np.asarray(facts.pairs)
    own = np.diag(pairs)
    rows, columns = np.triu_indices(len(pairs), 1)
    small = (pairs[rows, columns] < least) & (np.minimum(own[rows], own[columns]) >= least)
    for i, j in zip(rows[small].tolist(), columns[small].tolist(), strict=True):
        yield Note("small_pair", f"{names[i]} × {names[j]}", facts.group, {"n": float(pairs[i, j])})
