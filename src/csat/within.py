"""Covariance within each group only: what is kept of thousands of groups, whose joint covariance fills no memory.

`WithinGroups` stands where a (k, k) covariance stands otherwise. Whoever takes it for that array is told in words what
is not known, so that no method can mistake blocks for a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeAlias

import numpy as np

from csat.errors import SampleError


@dataclass(frozen=True, slots=True, eq=False)
class WithinGroups:
    """Covariance of D·q figures, group by group; that of two groups is not kept.

    blocks : (D, q, q) covariance of the q figures of each group. Figures are listed group by group.
    """

    blocks: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """Of the array that it stands for."""
        size = self.blocks.shape[0] * self.blocks.shape[1]
        return size, size

    def combined(self, matrix: np.ndarray) -> np.ndarray | WithinGroups:
        """Covariance of linear combinations of the figures, each of figures of one group.

        Parameters
        ----------
        matrix : (m, D·q) a combination per row.

        Returns
        -------
        (m, m) array, or WithinGroups
            The array if all combinations are of one group.

        Raises
        ------
        SampleError
            If a combination takes figures of two groups, or if they are not listed group by group, as many of each.
        """
        size, q = self.blocks.shape[:2]
        by_group = matrix.reshape(len(matrix), size, q)
        used = (by_group != 0).any(axis=2)
        if (used.sum(axis=1) > 1).any():
            self._refuse()
        group = used.argmax(axis=1)
        own = by_group[np.arange(len(matrix)), group]
        listed, count = np.unique(group, return_counts=True)
        if len(listed) <= 1:
            block = self.blocks[listed].sum(axis=0)
            return own @ block @ own.T
        if len(set(count.tolist())) > 1 or (np.diff(group) < 0).any():
            raise SampleError(
                "Contrasts within several groups at once are listed group by group, in the order of the figures, "
                "as many of each group; or ask for those of one group at a time."
            )
        own = own.reshape(len(listed), -1, q)
        return WithinGroups(own @ self.blocks[listed] @ own.swapaxes(1, 2))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        self._refuse()

    def __getitem__(self, key: Any) -> np.ndarray:
        self._refuse()

    def _refuse(self) -> NoReturn:
        size, q = self.blocks.shape[:2]
        raise SampleError(
            f"Comparing groups needs the covariances between them, and these are not kept for {size} groups × {q} "
            "figures: only those within each group are. To compare, take fewer groups at a time, e.g. "
            "survey.where(column=[…]), a coarser column in by, or fewer figures."
        )


#: (k, k), or the blocks of its groups.
Covariance: TypeAlias = np.ndarray | WithinGroups


def changed(vcov: Covariance, change: Callable[[np.ndarray], np.ndarray]) -> Covariance:
    """The same kind of covariance after a `change` of arrays (…, q, q): of the whole, or of all blocks at once."""
    if isinstance(vcov, WithinGroups):
        return WithinGroups(change(vcov.blocks))
    return change(vcov)


def variances(vcov: Covariance) -> np.ndarray:
    """(k,) variances of the figures, whatever is kept of their covariance."""
    if isinstance(vcov, WithinGroups):
        return np.diagonal(vcov.blocks, axis1=1, axis2=2).ravel()
    return np.diag(vcov)


def blanked(vcov: Covariance, unknown: np.ndarray) -> Covariance:
    """The same covariance, NaN in the rows and columns of the figures that are `unknown` (k,)."""

    def change(entries: np.ndarray) -> np.ndarray:
        row = unknown.reshape(entries.shape[:-1])
        return np.where(row[..., :, None] | row[..., None, :], np.nan, entries)

    return changed(vcov, change)


def scaled(vcov: Covariance, factor: np.ndarray) -> Covariance:
    """Covariance of the figures times `factor` (k,)."""

    def change(entries: np.ndarray) -> np.ndarray:
        own = factor.reshape(entries.shape[:-1])
        return entries * own[..., :, None] * own[..., None, :]

    return changed(vcov, change)


def combined(vcov: Covariance, matrix: np.ndarray) -> Covariance:
    """Covariance of the linear combinations `matrix` (m, k) of figures with this one."""
    if isinstance(vcov, WithinGroups):
        return vcov.combined(matrix)
    return matrix @ vcov @ matrix.T
