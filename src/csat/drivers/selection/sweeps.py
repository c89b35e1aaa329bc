"""Many least-squares models at once: the sweep operator on stacks of correlation matrices.

Sweeping a column puts it into the model (Goodnight 1979, American Statistician 33, 149–158). Of a matrix of
correlations swept on the columns S, the block (S, S) is −inv(corr of S), (S, rest) holds the slopes of the rest on S,
and (rest, rest) what S leaves of the rest. The outcome is the last column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from csat.drivers.linear.least_squares import EXACT

if TYPE_CHECKING:
    from csat.drivers.terms import Terms


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Which columns a term has, and which terms may not be without each other.

    columns : (m,) of the positions of each term's columns. needs : (m, m) whether term i needs term j in the model.
    forced : (m,) terms that never leave.
    """

    columns: tuple[tuple[int, ...], ...]
    needs: np.ndarray
    forced: np.ndarray

    @property
    def width(self) -> np.ndarray:
        """(m,) columns of each term."""
        return np.array([len(columns) for columns in self.columns], int)

    @property
    def places(self) -> np.ndarray:
        """(m, w) positions of each term's columns, -1 where it has fewer than the widest."""
        out = np.full((len(self.columns), int(self.width.max())), -1)
        for term, columns in enumerate(self.columns):
            out[term, : len(columns)] = columns
        return out

    @property
    def owner(self) -> np.ndarray:
        """(k,) term of each column."""
        return np.repeat(np.arange(len(self.columns)), self.width)


def layout_of(terms: Terms, forced: int) -> Layout:
    """The layout of `terms`, the first of which are `forced`."""
    size = len(terms.labels)
    needs = np.array([[j in terms.needs[i] for j in range(size)] for i in range(size)], bool)
    columns = tuple(tuple(terms.of(term)) for term in range(size))
    return Layout(columns, needs.reshape(size, size), np.arange(size) < forced)


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """What would happen to each of B models if a term came in or went out.

    rss : (B,) share of the outcome's variance that is not explained.
    change : (B, m) by how much `rss` would fall if the term entered, or rise if it left.
    room : (B, m) smallest tolerance of a column in the model if the term entered; 0 for terms inside.
    """

    rss: np.ndarray
    change: np.ndarray
    room: np.ndarray


def correlations(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Correlations of the columns of Gram matrices.

    Parameters
    ----------
    gram : (B, 1+p, 1+p) of [1, columns].

    Returns
    -------
    (B, p, p) correlations, (B, p) roots of the sums of squares around the mean, (B, p) whether a column is constant
        The correlations of constant columns are 0.
    """
    weight = np.maximum(gram[:, :1, :1], np.finfo(float).tiny)
    products = gram[:, 1:, 1:] - gram[:, 1:, :1] * gram[:, :1, 1:] / weight
    spread = np.sqrt(np.maximum(np.diagonal(products, axis1=1, axis2=2), 0.0))
    flat = spread <= EXACT * np.sqrt(np.diagonal(gram, axis1=1, axis2=2)[:, 1:])
    safe = np.where(flat, np.inf, spread)
    return products / (safe[:, :, None] * safe[:, None, :]), spread, flat


def sweep(table: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> None:
    """Put one column each into the models of `rows`, in place.

    table : (B, p, p). rows : (b,) positions of models. columns : (b,) column that enters each of them.
    """
    part = table[rows]
    at = np.arange(len(rows))
    line = part[at, columns]
    pivot = line[at, columns][:, None]
    part -= (line[:, :, None] * line[:, None, :]) / pivot[:, :, None]
    part[at, columns] = part[at, :, columns] = line / pivot
    part[at, columns, columns] = -1 / pivot[:, 0]
    table[rows] = part


def swept(corr: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The tables of models, made from the correlations.

    Undoing a sweep would keep its rounding; after a column has left, the table is made anew.

    Parameters
    ----------
    corr : (B, p, p). inside : (B, p-1) columns in each model.

    Returns
    -------
    (B, p, p) tables, (B,) smallest share of variance that a column still had when it entered
    """
    table = corr.copy()
    least = np.ones(len(corr))
    for column in range(inside.shape[1]):
        rows = np.flatnonzero(inside[:, column])
        least[rows] = np.minimum(least[rows], table[rows, column, column])
        rows = rows[least[rows] > EXACT]
        sweep(table, rows, np.full(len(rows), column))
    return table, least


def outlook(table: np.ndarray, inside: np.ndarray, layout: Layout) -> Outlook:
    """Look one move ahead, for each model and each term.

    Parameters
    ----------
    table : (B, p, p) swept. inside : (B, m) terms in each model.
    """
    columns_inside = inside[:, layout.owner]
    change = np.empty(inside.shape)
    room = np.empty(inside.shape)
    single = np.flatnonzero(layout.width == 1)
    at = np.array([layout.columns[term][0] for term in single.tolist()], int)
    change[:, single], room[:, single] = _with_one(table, at, columns_inside)
    for term in np.flatnonzero(layout.width > 1).tolist():
        change[:, term], room[:, term] = _with_several(table, layout.columns[term], columns_inside)
    return Outlook(table[:, -1, -1], change, np.where(inside, 0.0, room))


def _with_one(table: np.ndarray, at: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Change of rss and smallest tolerance, each (B, a), if one of the columns `at` (a,) moved."""
    own = np.diagonal(table, axis1=1, axis2=2)
    pivot = own[:, at]
    safe = np.where(np.abs(pivot) > EXACT, pivot, 1.0)
    change = np.where(np.abs(pivot) > EXACT, table[:, at, -1] ** 2 / np.abs(safe), 0.0)
    inflation = -own[:, :-1, None] + table[:, :-1, at] ** 2 / safe[:, None, :]
    worst = np.where(inside[:, :, None], inflation, 1.0).max(axis=1, initial=1.0)
    room = np.where(pivot > EXACT, np.minimum(pivot, 1 / worst), 0.0)
    return change, room


def _with_several(table: np.ndarray, columns: tuple[int, ...], inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same, each (B,), if several columns moved together."""
    after = table.copy()
    able = np.ones(len(table), bool)
    change = np.zeros(len(table))
    for column in columns:
        pivot = np.abs(after[:, column, column])
        able &= pivot > EXACT
        rows = np.flatnonzero(able)
        change[rows] += after[rows, column, -1] ** 2 / pivot[rows]
        sweep(after, rows, np.full(len(rows), column))
    members = inside.copy()
    members[:, list(columns)] = True
    inflation = np.where(members, -np.diagonal(after, axis1=1, axis2=2)[:, :-1], 1.0)
    return np.where(able, change, 0.0), np.where(able, 1 / np.maximum(inflation.max(axis=1), 1.0), 0.0)
