"""Sums over the rows of a batch: Gram matrices, squares, replicates and row scores, cell by cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, RowScores, Variable, term_of
from csat.reduce.rows import Rows, combine

#: Rows whose scores are computed at once, so that the work space stays small.
SCORE_ROWS = 8192
#: Larger numbers overflow in sums of squares, and in products of those; as many times smaller ones vanish.
LARGEST = 1e70


def sums_of(
    rows: Rows, y: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, by: Sequence[str], rule: str,
    scores: Mapping[tuple[str, ...], RowScores] | None, replicates: np.ndarray | None,
) -> Groups:  # fmt: skip
    """Sum the rows of a batch, cell by cell; `y` (n, k) is around the midpoints, NaN where missing."""
    answered = ~np.isnan(y)
    keep = rows.inside & answered.all(axis=1) if rule == "listwise" else rows.inside
    order, starts, cells = _sorted_cells(rows, keep)
    y, answered, weight = y[order], answered[order], rows.weight[order]
    one = np.ones((len(order), 1))
    z = np.hstack([one, y]) if rule == "listwise" else np.hstack([one, answered, np.where(answered, y, 0.0)])
    size, p = len(cells), z.shape[1]
    gram = np.zeros((size, p, p))
    square = None if rows.psus else np.zeros((size, p, p))
    _check_sizes(z, variables)
    for c in range(size):
        part = slice(starts[c], starts[c + 1])
        weighted = z[part] * weight[part, None]
        gram[c] = weighted.T @ z[part]
        if square is not None:
            square[c] = weighted.T @ weighted
    bounds = starts[:-1]
    of_rows = None if scores is None else _row_scores(z, weight, starts, cells, rows.domains, scores)
    counts = np.add.reduceat(answered, bounds, axis=0, dtype=int) if size else np.zeros((0, y.shape[1]), int)
    return Groups(
        names=tuple(term_of(variable) for variable in variables),
        made_of=tuple(variables),
        rule=rule,
        midpoint=np.asarray(midpoint, float),
        by=tuple(by),
        domains=tuple(rows.domains),
        strata=tuple(rows.strata),
        psus=tuple(rows.psus),
        units=np.bincount(rows.stratum, minlength=len(rows.strata)),
        population=rows.population,
        domain=cells[:, 0],
        stratum=cells[:, 1],
        psu=cells[:, 2],
        gram=gram,
        square=square,
        n=np.diff(starts),
        counts=counts,
        ungrouped=rows.ungrouped,
        incomplete=int(rows.inside.sum()) - len(order),
        score_sums=None if of_rows is None else np.add.reduceat(of_rows * weight[:, None], bounds) if size else of_rows,
        score_squares=None if of_rows is None else _score_squares(of_rows * weight[:, None], starts),
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


def _check_sizes(z: np.ndarray, variables: Sequence[Variable]) -> None:
    """Refuse numbers whose squares overflow or vanish when they are summed."""
    largest = np.abs(z).max(axis=0, initial=0.0)[-len(variables) :]
    far = np.flatnonzero(~(largest < LARGEST))
    if far.size:
        at = int(far[0])
        raise SampleError(
            f"{term_of(variables[at])!r} has values {largest[at]:.3g} away from the middle of their range; beyond "
            f"{LARGEST:.0e} they cannot be squared and summed. Check the column, or give it another unit."
        )
    near = np.flatnonzero((largest > 0) & (largest < 1 / LARGEST))
    if near.size:
        at = int(near[0])
        raise SampleError(
            f"The values of {term_of(variables[at])!r} differ by {2 * largest[at]:.3g} at most; differences this small "
            "vanish when they are squared. Check the column, or give it another unit."
        )


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
    cells, where = combine([rows.domain[kept], rows.stratum[kept], rows.psu[kept]])
    order = np.argsort(where, kind="stable")
    starts = np.r_[0, np.cumsum(np.bincount(where, minlength=len(cells)))].astype(int)
    return kept[order], starts, cells


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
