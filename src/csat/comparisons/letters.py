"""Column letters: which groups score higher than which others, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_uppercase

import numpy as np
import pandas as pd

from csat.comparisons.result import ADJUSTMENTS, adjusted
from csat.distributions import two_sided_p
from csat.errors import OptionError, check_choice
from csat.moments import as_names
from csat.results import Estimates, Shown, estimates_of, insert_before, ratio_to_error


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Letters(Shown):
    """Estimates of groups, each with the letters of the groups that it exceeds.

    estimates : a row per group and term. letter : (k,) of the row's own group. higher_than : (k,) letters, "" if none.
    """

    estimates: Estimates
    letter: tuple[str, ...]
    higher_than: tuple[str, ...]
    adjust: str

    def tidy(self) -> pd.DataFrame:
        """The estimates with ``letter`` and ``higher_than`` before the note."""
        columns = {"letter": list(self.letter), "higher_than": list(self.higher_than)}
        return insert_before(self.estimates.tidy(), "note", columns)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(adjust=self.adjust, groups=len(set(self.letter)))


def letters(estimates: Estimates, by: str | Sequence[str], *, adjust: str = "holm") -> Letters:
    """Test all pairs of groups within each term and give letters, as a comparison table does.

    Parameters
    ----------
    estimates : of groups, e.g. ``csat.index(s, by="branch").estimates`` or ``csat.mean(s, "overall", by="branch")``.
    by : the key columns that make the groups.
    adjust : correction within each term, over the pairs of groups: "holm", "bh" or "none".

    Returns
    -------
    Letters
        Group A exceeds group B if the difference is positive and its adjusted p below 1 − level.

    Raises
    ------
    OptionError
        If the estimates have no such key column, fewer than 2 or more than 26 groups.
    """
    estimates_of(estimates)
    check_choice("adjust", adjust, ADJUSTMENTS)
    names = as_names(by)
    missing = [name for name in names if name not in estimates.keys]
    if missing:
        raise OptionError(
            f"These estimates have no groups {missing[0]!r}; their key columns are {list(estimates.keys)}."
        )
    groups = list(zip(*(estimates.keys[name] for name in names), strict=True))
    labels = list(dict.fromkeys(groups))
    if not 2 <= len(labels) <= len(ascii_uppercase):
        raise OptionError(f"Letters need 2 to {len(ascii_uppercase)} groups; found {len(labels)}.")
    own = [ascii_uppercase[labels.index(group)] for group in groups]
    higher: list[set[str]] = [set() for _ in own]
    for term in dict.fromkeys(estimates.term):
        rows = [i for i, name in enumerate(estimates.term) if name == term]
        for winner, loser in _significant(estimates, rows, adjust):
            higher[winner].add(own[loser])
    return Letters(estimates, tuple(own), tuple("".join(sorted(found)) for found in higher), adjust)


def _significant(estimates: Estimates, rows: Sequence[int], adjust: str) -> list[tuple[int, int]]:
    """Pairs (higher, lower) of rows that differ."""
    pairs = list(combinations(rows, 2))
    first, second = np.array(pairs, int).reshape(-1, 2).T
    variance = np.diag(estimates.vcov)
    gap = estimates.estimate[first] - estimates.estimate[second]
    se = np.sqrt(np.maximum(variance[first] + variance[second] - 2 * estimates.vcov[first, second], 0.0))
    df = np.broadcast_to(np.asarray(estimates.df, float), len(variance))
    p = adjusted(two_sided_p(ratio_to_error(gap, se), np.minimum(df[first], df[second])), adjust)
    return [(pair if gap[i] > 0 else pair[::-1]) for i, pair in enumerate(pairs) if p[i] < 1 - estimates.level]
