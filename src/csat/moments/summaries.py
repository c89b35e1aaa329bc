"""Additive summaries of one group of respondents (`Moments`) and of their answers (`Levels`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from csat.errors import SampleError
from csat.moments.running import Places, Sum
from csat.moments.variables import basis, domain_order, first_moments, positions, shift_matrix


@dataclass(frozen=True, eq=False)
class Moments:
    """Weighted first and second moments of k variables.

    names : (k,) variables.
    gram : Σ w·zzᵀ. Under "listwise" z = [1, y] with y = x − midpoint over complete rows, shape (1+k, 1+k).
        Under "available" z = [1, m, m·y] with m = 1 where answered and 0 where not, shape (1+2k, 1+2k),
        so that means over different respondents keep their exact joint covariance.
    midpoint : (k,) known before the data (from the scale), which keeps sums additive and well conditioned.
    n : respondents, unweighted: never confuse with the sum of weights, `gram[0, 0]`.
    counts : (k,) respondents who answered each variable, unweighted.
    rule : "available" or "listwise".
    """

    names: tuple[str, ...]
    gram: np.ndarray
    midpoint: np.ndarray
    n: int
    counts: np.ndarray
    rule: str

    @property
    def weight(self) -> float:
        """Sum of weights."""
        return float(self.gram[0, 0])

    @cached_property
    def mean(self) -> np.ndarray:
        """(k,) weighted means; NaN where nobody answered."""
        answered, total = first_moments(self.gram, len(self.names), self.rule)
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.midpoint + total / answered

    @cached_property
    def cov(self) -> np.ndarray:
        """(k, k) weighted covariances, divided by the sum of weights.

        Under "available" each pair uses those who answered both (pairwise deletion); NaN where nobody did.
        """
        k = len(self.names)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.rule == "listwise":
                mean = self.gram[0, 1:] / self.weight
                return self.gram[1:, 1:] / self.weight - np.outer(mean, mean)
            both = self.gram[1 : 1 + k, 1 : 1 + k]
            mean = self.gram[1 + k :, 1 : 1 + k] / both
            return self.gram[1 + k :, 1 + k :] / both - mean * mean.T

    @property
    def sd(self) -> np.ndarray:
        """(k,) standard deviations with divisor n − 1 (in the unweighted case the sample SD)."""
        with np.errstate(invalid="ignore", divide="ignore"):
            variance = np.diag(self.cov) * self.counts / (self.counts - 1)
        return np.sqrt(np.where(self.counts > 1, variance, np.nan))

    @property
    def corr(self) -> np.ndarray:
        """(k, k) correlations; NaN for a variable without variation."""
        spread = np.sqrt(np.diag(self.cov))
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.cov / np.outer(spread, spread)

    def __getitem__(self, names: Sequence[str]) -> Moments:
        return self.select(names)

    def select(self, names: Sequence[str]) -> Moments:
        """The same moments of fewer variables, in the order asked for."""
        at = positions(names, self.names)
        keep = basis(at, len(self.names), self.rule)
        return replace(
            self,
            names=tuple(names),
            gram=self.gram[np.ix_(keep, keep)],
            midpoint=self.midpoint[at],
            counts=self.counts[at],
        )

    def recentre(self, midpoint: np.ndarray) -> Moments:
        """The same moments around another midpoint (exact algebra, no data)."""
        shift = shift_matrix(self.midpoint - midpoint, self.rule)
        return replace(self, gram=shift @ self.gram @ shift.T, midpoint=np.asarray(midpoint, float))

    def __add__(self, other: Moments) -> Moments:
        return self._combine(other, 1)

    def __sub__(self, other: Moments) -> Moments:
        return self._combine(other, -1)

    def _combine(self, other: Moments, sign: int) -> Moments:
        if self.names != other.names or self.rule != other.rule:
            raise SampleError(
                f"Only moments of the same variables under the same sample rule add up; found {self.names} "
                f"({self.rule}) and {other.names} ({other.rule})."
            )
        same = np.array_equal(self.midpoint, other.midpoint)
        gram = other.gram if same else other.recentre(self.midpoint).gram
        return replace(
            self, gram=self.gram + sign * gram, n=self.n + sign * other.n, counts=self.counts + sign * other.counts
        )

    def __repr__(self) -> str:
        return f"Moments of {len(self.names)} variables, n = {self.n}, rule = {self.rule!r}"


@dataclass(frozen=True, eq=False)
class Levels:
    """Counts of answers per domain and level, from which shares, medians and memberships follow exactly.

    names : (k,) items. levels : (k,) of the answer levels of each, in order.
    by, domains : the grouping columns and the D groups.
    weighted, unweighted : per item one array (D, number of levels).
    missing : (D, k) respondents without a valid answer, unweighted.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    weighted: tuple[np.ndarray, ...]
    unweighted: tuple[np.ndarray, ...]
    missing: np.ndarray

    def shares(self, name: str) -> np.ndarray:
        """(D, levels) weighted shares among those who answered `name`; NaN where nobody did."""
        counts = self.weighted[positions([name], self.names)[0]]
        with np.errstate(invalid="ignore", divide="ignore"):
            return counts / counts.sum(axis=1, keepdims=True)

    def bases(self, name: str) -> np.ndarray:
        """(D,) respondents who answered `name`, unweighted."""
        return self.unweighted[positions([name], self.names)[0]].sum(axis=1)

    def arranged(self, order: Sequence[Sequence[str]]) -> Levels:
        """The same counts, groups sorted by the order of labels of each grouping column."""
        at = domain_order(self.domains, order)
        return replace(
            self,
            domains=tuple(self.domains[d] for d in at),
            weighted=tuple(counts[at] for counts in self.weighted),
            unweighted=tuple(counts[at] for counts in self.unweighted),
            missing=self.missing[at],
        )

    def __add__(self, other: Levels) -> Levels:
        total = LevelTotal()
        total.add(self)
        total.add(other)
        return total.result()

    def __repr__(self) -> str:
        return f"Levels of {len(self.names)} items in {len(self.domains)} groups"


class LevelTotal:
    """A running sum of counts: each part is added in place; groups keep the order in which they were first met."""

    def __init__(self) -> None:
        self._first: Levels | None = None
        self._domains: Places[tuple[str, ...]] = Places()
        self._sums: list[Sum] = []

    def add(self, part: Levels) -> None:
        """Add one part.

        Raises
        ------
        SampleError
            If it counts other items, levels or groups than the parts before.
        """
        if self._first is None:
            self._first = part
            self._sums = [Sum() for _ in _arrays(part)]
        first = self._first
        if (part.names, part.levels, part.by) != (first.names, first.levels, first.by):
            raise SampleError("Only counts of the same items, levels and groups add up.")
        at = self._domains.of(part.domains)
        for total, values in zip(self._sums, _arrays(part), strict=True):
            total.add(at, values)

    def result(self) -> Levels:
        """The sum of all parts.

        Raises
        ------
        SampleError
            Without a part.
        """
        if self._first is None:
            raise SampleError("There are no counts to add; name at least one.")
        order = np.arange(len(self._domains))
        missing, *counts = (total.taken(order) for total in self._sums)
        k = len(self._first.names)
        return replace(
            self._first,
            domains=tuple(self._domains.labels),
            weighted=tuple(counts[:k]),
            unweighted=tuple(counts[k:]),
            missing=missing,
        )


def _arrays(counts: Levels) -> tuple[np.ndarray, ...]:
    return counts.missing, *counts.weighted, *counts.unweighted
