"""Sums over the rows of a batch: Gram matrices, squares, replicates and row scores, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from csat.moments import Groups, RowScores, Variable, term_of
from csat.moments.running import Sum
from csat.reduce.grams import Given, add_rows, grams_of, totals_of
from csat.reduce.rows import Rows, combine

#: Rows whose scores are computed at once, so that the work space stays small.
SCORE_ROWS = 8192
#: Codes that are sorted at once.
DIGIT = 2**16
#: Numbers that the sums of one batch take at most; beyond, its rows are added to the running sums, in place.
MOST_SUMS = 2**20


@dataclass(frozen=True, slots=True)
class Summed:
    """The sums of a batch; with many cells its rows instead of their products, which then take more than the rows.

    groups : without `gram`, `square` and `counts` if rows are given. given : those rows, or None.
    starts : (C + 1,) where each cell starts among them.
    """

    groups: Groups
    given: Given | None
    starts: np.ndarray

    def fill(self, at: np.ndarray, gram: Sum, square: Sum, counts: Sum) -> None:
        """Add the rows to running sums; `at` (C,) tells the place of each cell."""
        if self.given is None:
            return
        size, every = int(at.max()) + 1, self.given.every
        p, k = len(self.given.basis(every)), len(self.given.names)
        squares = None if self.groups.square is None else square.room(size, (p, p), np.dtype(float))
        answered = counts.room(size, (k,), np.dtype(int))
        add_rows(self.given, self.starts, every, at, gram.room(size, (p, p), np.dtype(float)), squares, answered)
        if self.given.listwise:
            answered[at] += np.diff(self.starts)[:, None]


def sums_of(
    rows: Rows, values: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, by: Sequence[str], rule: str,
    scores: Mapping[tuple[str, ...], RowScores] | None, replicates: np.ndarray | None,
) -> Summed:  # fmt: skip
    """Sum the rows of a batch, cell by cell; `values` (n, k) are NaN where missing."""
    given, starts, cells = _given(rows, values, variables, midpoint, rule)
    waits = scores is None and replicates is None and len(cells) * len(given.basis(given.every)) ** 2 > MOST_SUMS
    found = _groups(rows, given, starts, cells, variables, by)
    gram, square, counts = (_nothing if waits else grams_of)(given, starts, squares=not rows.psus)
    of_rows = weighted = None
    order = given.order
    if scores is not None or replicates is not None:
        z = given.all_rows()
        of_rows = None if scores is None else _row_scores(z, rows.weight[order], starts, cells, rows.domains, scores)
        weighted = None if of_rows is None else of_rows * rows.weight[order, None]
    groups = replace(
        found,
        gram=gram,
        square=square,
        counts=counts,
        score_sums=None if weighted is None else _over_cells(weighted, starts),
        score_squares=None if weighted is None else _score_squares(weighted, starts),
        replicate_sums=None
        if replicates is None
        else _replicate_sums(
            z if of_rows is None else of_rows,
            replicates[order],
            rows.domain[order],
            len(rows.domains),
            of_rows is None and rule == "listwise",
        ),
    )
    return Summed(groups, given if waits else None, starts)


def totals_and_products(
    rows: Rows, values: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, by: Sequence[str], rule: str
) -> tuple[Groups, Summed]:
    """Totals of the cells of a batch, a `gram` of one row (C, 1, p), and products of whole domains without a design."""
    given, starts, cells = _given(rows, values, variables, midpoint, rule)
    totals, counts = totals_of(given, starts)
    found = replace(_groups(rows, given, starts, cells, variables, by), gram=totals, counts=counts)
    first = np.flatnonzero(np.diff(cells[:, 0], prepend=-1))
    edges, domains = np.r_[starts[first], starts[-1]], cells[first]
    waits = len(domains) * totals.shape[2] ** 2 > MOST_SUMS
    gram, _, counts = (_nothing if waits else grams_of)(given, edges, squares=False)
    whole = replace(
        found, strata=("",), psus=(), units=np.array([len(rows.weight)]), population=np.array([np.inf]),
        domain=domains[:, 0], stratum=np.zeros(len(domains), int), psu=np.full(len(domains), -1), n=np.diff(edges),
        gram=gram, counts=counts,
    )  # fmt: skip
    return found, Summed(whole, given if waits else None, edges)


def _given(
    rows: Rows, values: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, rule: str
) -> tuple[Given, np.ndarray, np.ndarray]:
    """The rows to sum, sorted by cell; where each cell starts (C + 1,), and the cells' codes (C, 3)."""
    complete = ~np.isnan(values).any(axis=1) if rule == "listwise" else None
    keep = rows.inside if complete is None else rows.inside & complete
    order, starts, cells = _sorted_cells(rows, keep)
    weight = None if rows.equal else rows.weight
    return Given(values, midpoint, order, weight, rule == "listwise", tuple(map(term_of, variables))), starts, cells


def _groups(
    rows: Rows, given: Given, starts: np.ndarray, cells: np.ndarray, variables: Sequence[Variable], by: Sequence[str]
) -> Groups:
    """Cells without their sums."""
    gram, square, counts = _nothing(given, starts, squares=False)
    return Groups(
        names=given.names,
        made_of=tuple(variables),
        rule="listwise" if given.listwise else "available",
        midpoint=np.asarray(given.midpoint, float),
        by=tuple(by),
        domains=tuple(rows.domains),
        strata=tuple(rows.strata),
        psus=tuple(rows.psus),
        units=rows.units,
        population=rows.population,
        domain=cells[:, 0],
        stratum=cells[:, 1],
        psu=cells[:, 2],
        gram=gram,
        square=square,
        n=np.diff(starts),
        counts=counts,
        ungrouped=rows.ungrouped,
        incomplete=int(rows.inside.sum()) - len(given.order),
    )


def _nothing(given: Given, starts: np.ndarray, squares: bool) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:  # noqa: ARG001
    """No sums yet, in the shape of those of `grams_of`."""
    empty = np.zeros((len(starts) - 1, 0, 0))
    return empty, empty if squares else None, np.zeros((len(starts) - 1, 0), int)


def _over_cells(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(C, q) sums of rows (n, q) that come sorted by cell; no cell is empty."""
    return np.add.reduceat(rows, starts[:-1], axis=0) if len(starts) > 1 else np.zeros((0, rows.shape[1]))


def _replicate_sums(z: np.ndarray, weights: np.ndarray, domain: np.ndarray, size: int, products: bool) -> np.ndarray:
    """(D, R, p) sums of w_r·z, or (D, R, p, p) of w_r·zzᵀ; rows come sorted by domain, weights are (n, R)."""
    p, replicates = z.shape[1], weights.shape[1]
    first, second = np.triu_indices(p)
    out = np.zeros((size, replicates, len(first) if products else p))
    bounds = np.searchsorted(domain, np.arange(size + 1))
    for d in range(size):
        for start in range(bounds[d], bounds[d + 1], SCORE_ROWS):
            part = slice(start, min(start + SCORE_ROWS, bounds[d + 1]))
            terms = z[part][:, first] * z[part][:, second] if products else z[part]
            out[d] += weights[part].T @ terms
    if not products:
        return out
    square = np.empty((size, replicates, p, p))
    square[..., first, second] = square[..., second, first] = out
    return square


def _sorted_cells(rows: Rows, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kept rows sorted by cell, where each cell starts (C+1,), and the cells' codes (C, 3)."""
    kept = np.flatnonzero(keep)
    taken = slice(None) if len(kept) == len(keep) else kept
    cells, where = combine([codes[taken] for codes in (rows.domain, rows.stratum, rows.psu)])
    starts = np.r_[0, np.cumsum(np.bincount(where, minlength=len(cells)))].astype(int)
    return kept[_order(where, len(cells))], starts, cells


def _order(codes: np.ndarray, size: int) -> np.ndarray:
    """What sorts codes below `size`, ties in their order: 16 bits at a time, which numpy sorts by counting."""
    if size <= DIGIT:
        return np.argsort(codes.astype(np.uint16), kind="stable")
    low = np.argsort((codes % DIGIT).astype(np.uint16), kind="stable")
    return low[_order(codes[low] // DIGIT, size // DIGIT + 1)]


def _row_scores(
    z: np.ndarray, weight: np.ndarray, starts: np.ndarray, cells: np.ndarray, domains: list[tuple[str, ...]],
    scores: Mapping[tuple[str, ...], RowScores],
) -> np.ndarray:  # fmt: skip
    """(n, q) scores of the rows, each by the scores of its domain; rows come sorted by cell."""
    parts = [np.zeros((0, next(iter(scores.values())).size))]
    edges = np.flatnonzero(np.diff(cells[:, 0], prepend=-1, append=-1))
    for first, last in pairwise(edges.tolist()):
        of_domain = scores.get(domains[cells[first, 0]])
        for start in range(starts[first], starts[last], SCORE_ROWS):
            part = slice(start, min(start + SCORE_ROWS, starts[last]))
            size = part.stop - part.start
            parts.append(np.zeros((size, parts[0].shape[1])) if of_domain is None else of_domain(z[part], weight[part]))
    return np.concatenate(parts)


def _score_squares(weighted: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(C, q, q) sums of w²·ssᵀ over the rows of each cell."""
    parts = [weighted[start:end] for start, end in pairwise(starts.tolist())]
    q = weighted.shape[1]
    return np.array([part.T @ part for part in parts]).reshape(len(parts), q, q)
