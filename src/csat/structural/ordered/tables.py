"""Polychoric correlations: the normal distribution behind a table of two ordered items, by two-step likelihood.

Thresholds come from the margins, the correlation from the table given the thresholds; all tables are worked on at
once. Source: Olsson (1979), Psychometrika 44(4), 443–460, section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csat.structural.ordered.binormal import (
    binormal_cdf,
    binormal_density,
    normal_cdf,
    normal_density,
    normal_quantile,
    rectangles,
)
from csat.structural.ordered.categories import Counts

#: Correlations beyond this are called perfect: the likelihood rises to the edge.
PERFECT = 0.9999
#: Smallest probability of a cell, the rounding error of a difference of areas.
_LEAST = 1e-16
_STEPS = 80
#: Last step of a search; Newton's steps are then as exact as their slopes.
_STEP = 1e-9

#: Slope and curvature of log-likelihoods at correlations, each (m,); and a curvature that is never positive.
Slopes = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


def thresholds_of(counts: Counts) -> np.ndarray:
    """(o, K + 1) limits of each item's categories: −inf, the thresholds, inf, and inf beyond the last category."""
    share = np.cumsum(counts.single, axis=1) / counts.single.sum(axis=1, keepdims=True)
    limits = np.full((len(share), counts.single.shape[1] + 1), np.inf)
    limits[:, 0] = -np.inf
    inner = np.arange(1, limits.shape[1]) < counts.sizes[:, None]
    limits[:, 1:][inner] = normal_quantile(share[inner])
    return limits


def adjusted(counts: Counts) -> tuple[np.ndarray, np.ndarray]:
    """(m, K, K) tables, those of 2 × 2 cells with one empty cell filled up by ½; (m,) which ones that were.

    The margins stay as they are. Without it such a correlation would be ±1 however few respondents there are;
    larger tables need no such help. Source: Brown & Benedetti (1977), Psychometrika 42(3), 347–355.
    """
    tables = counts.tables.copy()
    four = (counts.sizes[counts.pairs] == 2).all(axis=1)
    corner = tables[:, :2, :2]
    filled = four & ((corner == 0).sum(axis=(1, 2)) == 1)
    on_diagonal = (corner[:, 0, 0] == 0) | (corner[:, 1, 1] == 0)
    shift = np.where(filled, np.where(on_diagonal, 0.5, -0.5), 0.0)
    tables[:, :2, :2] += shift[:, None, None] * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return tables, filled


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The normal distribution cut into the cells of m tables at correlations rho (m,).

    a, b : (m, K + 1) limits of rows and columns.
    """

    a: np.ndarray
    b: np.ndarray
    rho: np.ndarray

    def _on(self, function: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
        return function(self.a[:, :, None], self.b[:, None, :], self.rho[:, None, None])

    @property
    def cells(self) -> np.ndarray:
        """(m, K, K) probabilities, not below the rounding error."""
        return np.maximum(rectangles(self._on(binormal_cdf)), _LEAST)

    @property
    def slopes(self) -> tuple[np.ndarray, np.ndarray]:
        """First and second derivatives of the probabilities by rho, each (m, K, K)."""
        first, second = binormal_density(self.a[:, :, None], self.b[:, None, :], self.rho[:, None, None])
        return rectangles(first), rectangles(second)

    def by_threshold(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives of the content of all cells below each limit: of rows, of columns.

        Returns
        -------
        (m, K + 1, K) and (m, K, K + 1) arrays
            Moving limit k of the rows by dτ moves so much probability from row k + 1 to row k, column by column.
        """
        spread = np.sqrt((1.0 - self.rho) * (1.0 + self.rho))[:, None, None]
        rows = _moved(self.a, self.b, self.rho[:, None, None], spread)
        columns = _moved(self.b, self.a, self.rho[:, None, None], spread)
        return rows, columns.swapaxes(-1, -2)


def _moved(limits: np.ndarray, others: np.ndarray, rho: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(m, K + 1, K) density at each limit times the content of the other variable's categories there."""
    at = np.where(np.isfinite(limits), limits, 0.0)[:, :, None]
    below = normal_cdf((others[:, None, :] - rho * at) / spread)
    return normal_density(limits)[:, :, None] * np.diff(below, axis=-1)


def correlations_of(tables: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(m,) correlations at which the tables (m, K, K) are most likely; ±1 where the likelihood rises to the edge.

    Parameters
    ----------
    a, b : (m, K + 1) limits of the rows and columns.
    """
    total = tables.sum(axis=(1, 2))

    def slopes(rho: np.ndarray, which: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        grid = Grid(a[which], b[which], rho)
        cells, (first, second) = grid.cells, grid.slopes
        counted = tables[which] / cells
        slope = np.sum(counted * first, axis=(1, 2))
        exact = np.sum(counted * second, axis=(1, 2)) - np.sum(counted * first**2 / cells, axis=(1, 2))
        expected = -total[which] * np.sum(first**2 / cells, axis=(1, 2))
        return slope, exact, expected

    return climbed(slopes, _linear(tables))


def _linear(tables: np.ndarray) -> np.ndarray:
    """(m,) correlations of the category numbers: where to start."""
    k = np.arange(tables.shape[1], dtype=float)
    total = tables.sum(axis=(1, 2))
    row, column = tables.sum(axis=2) / total[:, None], tables.sum(axis=1) / total[:, None]
    mean_row, mean_column = row @ k, column @ k
    product = np.einsum("mab,a,b->m", tables, k, k) / total - mean_row * mean_column
    spread = np.sqrt((row @ k**2 - mean_row**2) * (column @ k**2 - mean_column**2))
    return np.clip(product / np.maximum(spread, 1e-300), -0.9, 0.9)


def climbed(slopes: Callable[..., tuple[np.ndarray, np.ndarray, np.ndarray]], start: np.ndarray) -> np.ndarray:
    """(m,) maxima of m likelihoods over −1 … 1; ±1 where one rises to the edge.

    Parameters
    ----------
    slopes : maps correlations (k,) and which of the likelihoods (k,) they belong to, to slope, curvature, and
        expected curvature.
    start : (m,).

    Notes
    -----
    Newton steps where the likelihood is concave, else scoring; each stays between the ends that the signs of the
    slopes have left, and falls back on their middle.
    """
    rho = start.copy()
    low, high = np.full_like(rho, -PERFECT), np.full_like(rho, PERFECT)
    going = np.arange(len(rho))
    for _ in range(_STEPS):
        here = rho[going]
        slope, exact, expected = slopes(here, going)
        low[going], high[going] = np.where(slope > 0, here, low[going]), np.where(slope > 0, high[going], here)
        curvature = np.where(exact < 0, exact, np.minimum(expected, -1e-300))
        trial = here - slope / curvature
        inside = (trial > low[going]) & (trial < high[going])
        trial = np.where(inside, trial, (low[going] + high[going]) / 2)
        rho[going] = trial
        going = going[np.abs(trial - here) > _STEP]
        if not len(going):
            break
    return np.where(np.abs(rho) > PERFECT - 10 * _STEP, np.sign(rho), rho)
