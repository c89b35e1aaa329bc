"""`Thresholds`: where the latent responses behind ordered items pass from one answer to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """Thresholds of a fitted model, group by group, item by item.

    group, item, number : (t,) the group's position, the item, and which of its thresholds, counted from 1.
    estimate : (t,) on the scale of the latent response, which has variance 1.
    joint : (k + t, k + t) covariance of the model's k free parameters and the thresholds.
    answers : ordered item → its answers; threshold j lies between the j-th and the next.
    """

    group: tuple[int, ...]
    item: tuple[str, ...]
    number: tuple[int, ...]
    estimate: np.ndarray
    joint: np.ndarray
    answers: Mapping[str, tuple[Any, ...]]

    @property
    def se(self) -> np.ndarray:
        """(t,) standard errors."""
        return np.sqrt(np.diag(self.joint)[len(self.joint) - len(self.estimate) :])

    def keys(self, labels: Sequence[str]) -> list[tuple[str, str, str, str, str]]:
        """(t,) lhs, op, rhs, group and label, as in ``Sem.tidy()``; `labels` are those of the groups."""
        found = zip(self.item, self.number, self.group, strict=True)
        return [(item, "|", f"t{number}", labels[group], "") for item, number, group in found]

    def named(self, labels: Sequence[str]) -> list[str]:
        """(t,) such as "x1 | t2", with the group's name if there are several."""
        keys = zip(self.keys(labels), self.group, strict=True)
        return [f"{item} | {cut}{f' ({labels[g]})' if len(labels) > 1 else ''}" for (item, _, cut, *_), g in keys]
