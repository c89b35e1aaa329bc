"""Row scores that tell how unequal weights are: what effective sizes and likelihoods of weighted rows need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from csat.moments.source import RowScores


@dataclass(frozen=True, slots=True)
class WeightScores:
    """log w / w and w of each row: their weighted sums are Σ log w and Σ w²."""

    size: int = 2

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, 2)."""
        return np.column_stack([np.log(weight) / weight, weight])


@dataclass(frozen=True, slots=True)
class Everywhere(Mapping[tuple[str, ...], RowScores]):
    """The same scores in every domain, whatever domains the rows turn out to have."""

    scores: RowScores

    def __getitem__(self, domain: tuple[str, ...]) -> RowScores:
        return self.scores

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        return iter([()])

    def __len__(self) -> int:
        return 1
