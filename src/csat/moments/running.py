"""Sums that grow while more labels are met."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

L = TypeVar("L", bound=Hashable)


class Places(Generic[L]):
    """Labels and the position of each, in the order in which they were first met."""

    def __init__(self) -> None:
        self.place: dict[L, int] = {}
        self._last: tuple[Sequence[L], np.ndarray] = ((), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.place)

    @property
    def labels(self) -> list[L]:
        """The labels, in the order in which they were first met."""
        return list(self.place)

    def of(self, labels: Sequence[L]) -> np.ndarray:
        """Positions of the labels; new ones go to the end."""
        if labels != self._last[0]:  # most batches bring the same ones
            place = self.place
            self._last = labels, np.array([place.setdefault(label, len(place)) for label in labels], np.int64)
        return self._last[1]

    def sorted(self) -> Sorted[L]:
        """The labels in their own order."""
        labels = self.labels
        order = np.array(sorted(range(len(labels)), key=labels.__getitem__), np.int64)  # type: ignore[arg-type]
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return Sorted(tuple(labels[i] for i in order.tolist()), order, rank)


class Numbers:
    """Numbers and the position of each, in the order in which they were first met; many at once."""

    def __init__(self) -> None:
        self._known = self._at = np.zeros(0, np.int64)

    @property
    def labels(self) -> np.ndarray:
        """The numbers, in the order in which they were first met."""
        out = np.empty_like(self._known)
        out[self._at] = self._known
        return out

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Positions of the numbers; new ones go to the end."""
        new = np.sort(numbers[~self._is_known(numbers)])
        if len(new):
            new = new[np.append(True, new[1:] != new[:-1])]
            known = np.concatenate([self._known, new])
            order = np.argsort(known, kind="stable")
            self._at = np.concatenate([self._at, np.arange(len(self._at), len(known))])[order]
            self._known = known[order]
        return self._at[np.searchsorted(self._known, numbers)]

    def _is_known(self, numbers: np.ndarray) -> np.ndarray:
        if not len(self._known):
            return np.zeros(len(numbers), bool)
        found = np.minimum(np.searchsorted(self._known, numbers), len(self._known) - 1)
        return self._known[found] == numbers


@dataclass(frozen=True, slots=True)
class Sorted(Generic[L]):
    """Labels in order; `order` (m,) tells where each was, `rank` (m,) where each went."""

    labels: tuple[L, ...]
    order: np.ndarray
    rank: np.ndarray


class Sum:
    """An array that others are added to, and that grows by doubling."""

    def __init__(self) -> None:
        self.values: np.ndarray | None = None

    def add(self, at: np.ndarray, values: np.ndarray) -> None:
        """Add values (m, …) to the places `at` (m,), each of which occurs once."""
        total = self.room(int(at.max(initial=-1)) + 1, values.shape[1:], values.dtype)
        if np.array_equal(at, np.arange(len(at))):
            total[: len(at)] += values
        else:
            total[at] += values

    def room(self, size: int, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
        """The array itself, with room for `size` values (…) at least; it is theirs who add to it until it grows."""
        known = 0 if self.values is None else len(self.values)
        if self.values is None or size > known:
            grown = np.zeros((max(size, 2 * known), *shape), kind)
            if self.values is not None:
                grown[:known] = self.values
            self.values = grown
        return self.values

    def taken(self, order: np.ndarray) -> np.ndarray:
        """The values of so many places in another order."""
        values = np.zeros(0) if self.values is None else self.values
        return values[: len(order)] if np.array_equal(order, np.arange(len(order))) else values[order]
