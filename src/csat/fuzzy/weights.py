"""`FactorWeights`: what every way of weighing factors returns, and how its uncertainty is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pandas as pd

from csat.errors import MembershipError, OptionError
from csat.results import Estimates, Provenance, Shown, Unavailable, insert_before

#: Weights may miss a sum of 1 by this much.
TOLERANCE = 1e-6
#: More draws than this are a slip.
MOST_DRAWS = 10**6

#: Kind of note → its wording in English; `report/locale` has the other languages.
NOTES: Mapping[str, str] = {
    "inconsistent": "{term}: the judgements contradict each other, CR = {cr:.3f} (accepted: {accept:.2f}).",
    "negative": "{term}: {value:.3f} is negative. A weight cannot be, so it counts as 0; look why it runs against the "
    "others.",
    "clipped": "{term}: the other weights point the same way and more strongly ({value:.3f}); it counts as 0.",
    "not_significant": "{term}: its interval reaches 0; whether it matters at all cannot be told from chance.",
    "left_out": "{count:.0f} respondents without an answer to one of the factors are left out.",
    "ungrouped": "{count:.0f} respondents that belong to no group are left out.",
    "empty_groups": "{count:.0f} groups without answers to one of the factors are left out.",
    "fixed_sd": "The standard errors take the standard deviations of the answers as known.",
    "no_spread": "{term}: nobody differs on it; its weight is 0.",
    "disagree": "{term}: the judges' weights run from {low:.3f} to {high:.3f}.",
    "unlike": "{term}: its judge's weights correlate {r:.2f} with those of the others together.",
    "unknown_part": "The uncertainty of {term} is not known: the standard errors are those of the other parts only.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Something to beware of: `kind` is a key of `NOTES`, `term` the factor, judge or method that it is about."""

    kind: str
    term: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        return NOTES[self.kind].format(term=self.term, **self.figures)


class Redraw(Protocol):
    """Draws weights by another way than normal noise, e.g. by drawing judges again."""

    def __call__(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size, m) weights, each row ≥ 0 with sum 1."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class FactorWeights(Shown):
    """Weights of factors, A: ≥ 0, with sum 1.

    estimates : (m,) terms are the factors' codes; vcov has rank m − 1 at most, NaN where there is no uncertainty to
        tell (given weights, one judge).
    method : "given", "equal", "ahp", "entropy", "cv", "critic", "sd", "mean", "drivers", "sem", "pls", "combined".
    notes : what to beware of.
    redraw : how to draw them if not with normal noise from `vcov`.
    """

    estimates: Estimates
    method: str
    notes: tuple[Note, ...] = ()
    redraw: Redraw | None = None

    @property
    def factors(self) -> tuple[str, ...]:
        """(m,) codes."""
        return self.estimates.term

    @property
    def values(self) -> np.ndarray:
        """(m,) weights."""
        return self.estimates.estimate

    @property
    def uncertain(self) -> bool:
        """Whether the weights can be drawn."""
        return self.redraw is not None or bool(np.isfinite(self.estimates.vcov).all())

    def tidy(self) -> pd.DataFrame:
        """One row per factor: ``term``, ``method``, ``rank`` (1 = heaviest), then the columns of `Estimates`."""
        rank = pd.Series(self.values).rank(ascending=False, method="average")
        return insert_before(
            self.estimates.tidy(), "estimate", {"method": [self.method] * len(self.factors), "rank": list(rank)}
        )

    def glance(self) -> pd.DataFrame:
        """One row: the method, how it was made, its notes and the effective number of factors 1/Σa²."""
        return self.estimates.glance().assign(
            method=self.method,
            effective=1 / float(np.square(self.values).sum()),
            notes=" ".join(map(str, self.notes)),
        )

    def draws(self, size: int, seed: int = 0) -> np.ndarray | None:
        """Weights as they could have come out; None if they carry no uncertainty.

        Parameters
        ----------
        size : draws, R. seed : the same seed gives the same draws.

        Returns
        -------
        (R, m) array
            Rows ≥ 0 with sum 1. Weights of several judges are formed anew from judges drawn again; others come from
            the normal distribution with `vcov`, where weights below 0 count as 0 (`clipped` counts such draws).
        """
        found = self._drawn(size, seed)
        if found is None or self.redraw is not None:
            return found
        positive = np.maximum(found, 0.0)
        return np.asarray(positive / positive.sum(axis=1, keepdims=True))

    def clipped(self, size: int, seed: int = 0) -> int:
        """How many of the same draws had a weight below 0."""
        found = self._drawn(size, seed)
        return 0 if found is None else int((found < 0).any(axis=1).sum())

    def _drawn(self, size: int, seed: int) -> np.ndarray | None:
        """(R, m) draws before weights below 0 are cut off."""
        rng = np.random.default_rng(check_count("seed", seed, 0, 2**63))
        size = check_count("size", size, 1, MOST_DRAWS)
        if not self.uncertain:
            return None
        if self.redraw is not None:
            return self.redraw(size, rng)
        values, vectors = np.linalg.eigh(self.estimates.vcov)
        noise = rng.standard_normal((size, len(values))) * np.sqrt(np.maximum(values, 0.0))
        return np.asarray(self.values + noise @ vectors.T)


def check_count(name: str, found: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`; `OptionError` for anything else."""
    whole = isinstance(found, int | np.integer) and not isinstance(found, bool)
    if not whole or not low <= found <= high:
        raise OptionError(f"{name}={str(found)[:20]}: a whole number from {low} to {high} is needed.")
    return int(found)


def without_uncertainty(
    factors: Sequence[str], values: np.ndarray, method: str, reason: str, notes: Sequence[Note] = (),
    sample: str = "published", level: float = 0.95, n: float = np.nan,
) -> FactorWeights:  # fmt: skip
    """Weights (m,) without standard errors; `reason` is a key of `REASONS`."""
    size = len(factors)
    unknown = np.full(size, np.nan)
    estimates = Estimates(
        tuple(factors), np.asarray(values, float), np.full((size, size), np.nan), np.nan, np.full(size, n), unknown,
        "share", Provenance(sample, "none"), level, None, {}, dict.fromkeys(range(size), Unavailable(reason)),
    )  # fmt: skip
    return FactorWeights(estimates, method, tuple(notes))


def check_shares(values: np.ndarray, factors: Sequence[str]) -> np.ndarray:
    """Refuse weights (m,) that are negative, not finite, or do not sum to 1."""
    for i in np.flatnonzero(~((values >= 0) & np.isfinite(values)))[:1].tolist():
        raise MembershipError.negative_weight(factors[i], float(values[i]))
    if abs(values.sum() - 1) > TOLERANCE:
        raise MembershipError.weight_sum(float(values.sum()))
    return values
