"""The result of a comparison, and the verdict on each of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import benjamini_hochberg, holm, t_quantile, two_sided_p
from csat.errors import OptionError, check_choice
from csat.results import Estimates, Shown, insert_before, ratio_to_error

DIFFERENT, EQUIVALENT, UNDECIDED = "different", "equivalent", "undecided"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Gaps(Shown):
    """Own minus peer, row by row.

    estimates : the gaps, with their joint covariance; null 0.
    own, peer : (k,) the two figures of each gap, in points. n_peer : (k,) base of the peer (NaN if unknown).
    against : what the peer is.
    adjust : correction for the number of rows compared: "holm" (family-wise error), "bh" (false discovery rate),
        "none".
    margin : gaps within ± this many points are of no practical weight.
    """

    estimates: Estimates
    own: np.ndarray
    peer: np.ndarray
    n_peer: np.ndarray
    against: str
    adjust: str = "holm"
    margin: float = 2.0

    def __post_init__(self) -> None:
        check_choice("adjust", self.adjust, ADJUSTMENTS)
        if not isinstance(self.margin, int | float | np.number) or not 0 <= self.margin < np.inf:
            raise OptionError(f"margin={self.margin!r}: the margin is a number of points, 0 or more.")

    @property
    def p(self) -> np.ndarray:
        """(k,) two-sided p of each gap on its own; NaN where it has no standard error, or one of 0."""
        return two_sided_p(ratio_to_error(self.estimates.estimate, self.estimates.se), self.estimates.df)

    @property
    def adjusted_p(self) -> np.ndarray:
        """(k,) p corrected for all rows that could be tested."""
        return adjusted(self.p, self.adjust)

    @property
    def verdict(self) -> tuple[str, ...]:
        """(k,) "equivalent", "different" or "undecided"; empty where nothing can be tested.

        Equivalent: the gap lies within the margin by two one-sided tests. Different: its adjusted p is below 1 − level.
        Equivalence goes first: a gap that is surely small is not worth a headline, however sure it is not 0.
        Source: Schuirmann (1987), J. Pharmacokinetics and Biopharmaceutics 15, 657–680.
        """
        alpha = 1 - self.estimates.level
        reach = np.abs(self.estimates.estimate) + t_quantile(1 - alpha, self.estimates.df) * self.estimates.se
        words = np.select(
            [~np.isfinite(self.p), reach < self.margin, self.adjusted_p < alpha], ["", EQUIVALENT, DIFFERENT], UNDECIDED
        )
        return tuple(words.tolist())

    def tidy(self) -> pd.DataFrame:
        """A row per gap, with ``own peer`` before it, ``adjusted_p``, ``n_peer`` and ``verdict``."""
        frame = insert_before(self.estimates.tidy(), "estimate", {"own": self.own, "peer": self.peer})
        frame = insert_before(frame, "low", {"adjusted_p": self.adjusted_p})
        frame = insert_before(frame, "n_eff", {"n_peer": self.n_peer})
        return insert_before(frame, "note", {"verdict": list(self.verdict)})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        verdict = self.verdict
        counts = {word: verdict.count(word) for word in (DIFFERENT, EQUIVALENT, UNDECIDED)}
        return self.estimates.glance().assign(against=self.against, adjust=self.adjust, margin=self.margin, **counts)


#: Corrections of p values for their number. Those of statsmodels collect the garbage of the whole process each time.
ADJUSTMENTS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": np.copy,
}


def adjusted(p: np.ndarray, adjust: str) -> np.ndarray:
    """Correct p values for the number that could be computed; NaN stay NaN."""
    return ADJUSTMENTS[adjust](p)
