"""`Importance`: parts of R², shares, ranks and notes, of one group or of several, and their differences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import two_sided_p
from csat.drivers.relative.notes import Note
from csat.drivers.relative.quotients import percentages, share_intervals
from csat.drivers.relative.shares import MEASURES
from csat.errors import OptionError, check_choice
from csat.moments import shown
from csat.results import Estimates, Shown, insert_before

#: Columns of these results beyond those of every result: no grouping column may have them.
OWN_COLUMNS = frozenset({
    "share", "share_low", "share_high", "draw_se", "outcome", "method", "r2", "r2_always", "ungrouped", "draws", "rule",
    "variance", "version", "group", "p_greater",
})  # fmt: skip
KINDS = ("drivers", "groups")
#: What is compared → its estimates.
FIGURES = ("estimate", "share")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Differences(Shown):
    """Differences of importance.

    estimates : with their joint covariance; keys "against" and the grouping columns, or "group" and "against".
    p_greater : probability that the first is truly greater, from the t distribution of the difference.
    """

    estimates: Estimates
    p_greater: np.ndarray

    def tidy(self) -> pd.DataFrame:
        """A row per pair, with ``p_greater`` before the ``note``."""
        return insert_before(self.estimates.tidy(), "note", {"p_greater": self.p_greater})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Importance(Shown):
    """Importance of each of m drivers; with `by` of each of D groups, group by group: K = D·m figures.

    outcome : dependent variable. method : measure of importance. adds_up : its parts sum to `r2` − `r2_always`.
    estimates : (K,) parts of R². shares : (K,) per cent of their sum, with their own errors.
    rank, rank_low, rank_high : (K,) 1 = most important, and where the true rank lies, for all drivers of a group at
        once; NaN where there is no figure.
    r2, r2_always : of all drivers, and of those forced in alone; with `by` arrays (D,), as `left_out`.
    left_out : respondents who do not count: without an answer to one of the variables, or under "pairwise" and "em" to
        any; NaN if not known. ungrouped : respondents that belong to no group.
    draws : orders sampled, 0 if all were visited. draw_se : (K,) error of that sampling, contained in `estimates`.
    notes : what to beware of.
    pairs : (D, p, p) respondents who answered both of two variables (columns of the model, then the outcome) where
        gaps are allowed and it is known; else None.
    """

    outcome: str
    method: str
    adds_up: bool
    estimates: Estimates
    shares: Estimates
    rank: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray
    r2: Any
    r2_always: Any
    left_out: Any
    ungrouped: int
    draws: int
    draw_se: np.ndarray
    notes: tuple[Note, ...]
    pairs: np.ndarray | None = None

    @property
    def share(self) -> np.ndarray:
        """(K,) per cent of the sum of the parts."""
        return self.shares.estimate

    @property
    def groups(self) -> pd.DataFrame:
        """The D groups: a row each, a column per grouping column."""
        keys = pd.DataFrame({name: list(column) for name, column in self.estimates.keys.items()})
        return keys.iloc[:: self._size].reset_index(drop=True) if len(keys.columns) else pd.DataFrame(index=[0])

    @property
    def _size(self) -> int:
        """Drivers."""
        return len(dict.fromkeys(self.estimates.term))

    def tidy(self) -> pd.DataFrame:
        """A row per driver (and group); shares, ranks and the error of sampled orders stand before the ``note``."""
        low, high = self.shares.interval
        columns = {
            "share": self.share,
            "share_low": low,
            "share_high": high,
            "rank": _whole(self.rank),
            "rank_low": _whole(self.rank_low),
            "rank_high": _whole(self.rank_high),
            "draw_se": self.draw_se,
        }
        return insert_before(self.estimates.tidy(), "note", columns)

    def glance(self) -> pd.DataFrame:
        """One row about the whole, or about each group."""
        about = self.estimates.glance().iloc[0]
        groups = self.groups
        size = len(groups)
        return groups.assign(
            outcome=self.outcome,
            method=self.method,
            r2=np.broadcast_to(self.r2, size),
            r2_always=np.broadcast_to(self.r2_always, size),
            n=self.estimates.n.reshape(size, -1).min(axis=1),
            left_out=np.broadcast_to(self.left_out, size),
            ungrouped=self.ungrouped,
            draws=self.draws,
            draw_se=self.draw_se.reshape(size, -1).max(axis=1),
            rule=about["sample"],
            variance=about["variance"],
            level=about["level"],
            version=about["version"],
        )

    def differences(self, kind: str = "drivers", *, of: str = "estimate", against: str | None = None) -> Differences:
        """Compare the importance of drivers, or of groups.

        Parameters
        ----------
        kind : "drivers" (pairs of drivers, within each group) or "groups" (pairs of groups, for each driver).
        of : "estimate" (parts of R²) or "share" (per cent of their sum: where R² differs between groups).
        against : the driver or the group (its label; several grouping columns joined by " × ") that all others are
            compared with; None: every pair, the first named minus the later one.

        Returns
        -------
        Differences
            With `p_greater` = P(a > b) from the t distribution around the difference: what a one-sided test leaves of
            doubt, and a Bayesian's probability under a flat prior. No correction for the number of pairs.
            A driver's share is above another's if and only if its part is: within a group the tests of shares are
            those of the parts, `se` is that of the difference if the true one were zero, and intervals are Fieller's
            (1954), within ±100. Shares of groups with different R² are compared by the delta method, whose tests are
            too ready to find differences where an R² is below about four standard errors.

        Raises
        ------
        OptionError
            For an unknown kind, figure, driver or group, or groups where there is only one.
        """
        check_choice("kind", kind, KINDS)
        check_choice("of", of, FIGURES)
        rows = list(self._driver_pairs(against) if kind == "drivers" else self._group_pairs(against))
        if not rows:
            raise OptionError(f"kind={kind!r}: there is only one of them; a difference needs two.")
        matrix = np.zeros((len(rows), len(self.estimates.term)))
        for row, (first, second, _) in enumerate(rows):
            matrix[row, first], matrix[row, second] = 1.0, -1.0
        keys = {name: tuple(labels[name] for _, _, labels in rows) for name in rows[0][2]}
        found = self.shares if of == "share" and kind == "groups" else self.estimates
        estimates = found.contrast(matrix, [found.term[first] for first, _, _ in rows], keys)
        if of == "share":
            ends = percentages(MEASURES[self.method].ends)
            widest = (-ends[1], ends[1])
            estimates = self._as_shares(estimates, matrix, widest) if kind == "drivers" else _cut(estimates, widest)
        statistic = estimates.statistic
        tail = two_sided_p(statistic, estimates.df) / 2
        return Differences(estimates, np.where(statistic > 0, 1 - tail, tail))

    def _as_shares(self, found: Estimates, matrix: np.ndarray, ends: tuple[float, float]) -> Estimates:
        """Differences of parts (q,), each within a group, in per cent of the sum of its group's parts."""
        m = self._size
        group = np.argmax(matrix != 0, axis=1) // m
        df = np.broadcast_to(found.df, len(group))
        low, high = np.full((2, len(group)), np.nan)
        for d in np.unique(group):
            own, at = group == d, slice(d * m, (d + 1) * m)
            low[own], high[own] = share_intervals(
                self.estimates.estimate[at], self.estimates.vcov[at, at], matrix[own, at], df[own], found.level, ends
            )
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = 100 / self.estimates.estimate.reshape(-1, m).sum(axis=1)[group]
            vcov = found.vcov * np.outer(scale, scale)
        return replace(found, estimate=found.estimate * scale, vcov=vcov, unit="per cent", bounds=(low, high))

    def _driver_pairs(self, against: Any) -> Iterator[tuple[int, int, dict[str, Any]]]:
        """Positions of the two figures, and the labels of their row."""
        labels = self.estimates.term[: self._size]
        for d in range(len(self.groups)):
            keys = {str(name): label for name, label in self.groups.iloc[d].items()}
            for first, second in _pairs(labels, against):
                yield d * len(labels) + first, d * len(labels) + second, {"against": labels[second], **keys}

    def _group_pairs(self, against: Any) -> Iterator[tuple[int, int, dict[str, Any]]]:
        labels = [" × ".join(map(str, row)) for row in self.groups.itertuples(index=False)]
        pairs = _pairs(labels, against)
        for j in range(self._size):
            for first, second in pairs:
                keys = {"group": labels[first], "against": labels[second]}
                yield first * self._size + j, second * self._size + j, keys


def _cut(found: Estimates, ends: tuple[float, float]) -> Estimates:
    """The same figures, their intervals cut where a figure cannot be."""
    low, high = found.interval
    return replace(found, bounds=(np.clip(low, *ends), np.clip(high, *ends)))


def _pairs(labels: Sequence[str], against: Any) -> list[tuple[int, int]]:
    """Positions of the pairs to compare."""
    if against is None:
        return list(combinations(range(len(labels)), 2))
    if not isinstance(against, str):
        raise OptionError(f"against is one of {', '.join(map(repr, labels[:5]))} …; found {shown(against)}.")
    check_choice("against", against, dict.fromkeys(labels))
    second = list(labels).index(against)
    return [(first, second) for first in range(len(labels)) if first != second]


def _whole(ranks: np.ndarray) -> np.ndarray:
    """Ranks as whole numbers, unless some are missing."""
    return ranks.astype(int) if np.isfinite(ranks).all() else ranks
