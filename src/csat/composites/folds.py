"""Predictions of answers by path models that have not seen them: all folds at once, from sums of their rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.draws import usable
from csat.composites.items import ItemMoments, item_moments
from csat.composites.linear import inverse
from csat.composites.solution import Settings, Solution, solve

#: Numbers in the covariance matrices of the folds that are estimated at once; each array of that size takes 32 MB.
MOST_CELLS = 4 * 10**6
#: An item that varies less than this share of its variance does not vary.
FLAT = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is predicted of what.

    values : (n, p) answers, one column for each of the blocks'. weight : (n,). columns : (c,) those that are predicted.
    earliest : constructs are predicted by those that nothing explains, not by what explains them directly.
    by_linear : (p, c) the items that the linear model predicts each column by.
    """

    values: np.ndarray
    weight: np.ndarray
    columns: np.ndarray
    blocks: Blocks
    settings: Settings
    earliest: bool
    by_linear: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Predictions (n, c) of answers; NaN where a fold's model has no estimates.

    pls, linear, mean : by models, and by means of items, without the row's fold. pls_in, linear_in : by models that
    have seen the row: on average over the other folds.
    """

    pls: np.ndarray
    linear: np.ndarray
    mean: np.ndarray
    pls_in: np.ndarray
    linear_in: np.ndarray


def predicted(task: Task, fold: np.ndarray) -> Predicted:
    """Predict each row by models of the others.

    Parameters
    ----------
    fold : (n,) of each row, 0, 1, …, F − 1.

    Notes
    -----
    The sums of the training rows are those of all rows less those of the fold. A prediction is linear in the answers,
    so that predictions by all models that have seen a row follow from the sum of their coefficients.
    """
    middle = task.weight @ task.values / task.weight.sum()
    z = np.column_stack([np.ones(len(fold)), task.values - middle])
    order = np.argsort(fold, kind="stable")
    edges = np.searchsorted(fold[order], np.arange(fold.max() + 2))
    total = (z * task.weight[:, None]).T @ z
    n, c = len(fold), len(task.columns)
    out = np.full((2, n, c), np.nan)
    means = np.full((n, c), np.nan)
    sums, used = np.zeros((2, z.shape[1], c)), np.zeros((2, c))
    step = max(1, MOST_CELLS // z.shape[1] ** 2)
    for start in range(0, len(edges) - 1, step):
        part = edges[start : start + step + 1]
        rows = order[part[0] : part[-1]]
        gram = total - _sums_of(z[rows], task.weight[rows], part - part[0])
        lines, centre = _lines(gram, task, np.diag(total)[1:] / total[0, 0])
        own = np.repeat(np.arange(len(gram)), np.diff(part))
        out[:, rows] = np.stack([_at_rows(z[rows], each, own) for each in lines])
        means[rows] = centre[own]
        known = np.isfinite(lines).all(axis=2, keepdims=True)
        sums += np.where(known, lines, 0.0).sum(axis=1)
        used += known[:, :, 0].sum(axis=1)
    seen = [_seen(z @ sums[k], out[k], used[k]) for k in range(2)]
    back = middle[task.columns]
    return Predicted(out[0] + back, out[1] + back, means + back, seen[0] + back, seen[1] + back)


def _seen(by_all: np.ndarray, own: np.ndarray, used: np.ndarray) -> np.ndarray:
    """(n, c) mean prediction by the models of the other folds."""
    left = used - np.isfinite(own)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(left > 0, (by_all - np.nan_to_num(own)) / left, np.nan)


def _sums_of(z: np.ndarray, weight: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """(F, 1 + p, 1 + p) sums of w·z·zᵀ over the rows of each fold, which follow one another."""
    if len(edges) - 1 == len(z):
        return np.asarray((z * weight[:, None])[:, :, None] * z[:, None, :])
    return np.stack([(z[a:b] * weight[a:b, None]).T @ z[a:b] for a, b in pairwise(edges.tolist())])


def _at_rows(z: np.ndarray, lines: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(n, c) predictions by each row's own model; `lines` (F, 1 + p, c)."""
    if len(own) == len(lines):
        return np.asarray((z[:, None, :] @ lines)[:, 0])
    out = np.empty((len(z), lines.shape[2]))
    edges = np.searchsorted(own, np.arange(len(lines) + 1)).tolist()
    for f, (a, b) in enumerate(pairwise(edges)):
        out[a:b] = z[a:b] @ lines[f]
    return out


def _lines(gram: np.ndarray, task: Task, variance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Intercepts and slopes (2, F, 1 + p, c) of path model and linear model of each training set, and means (F, c).

    `variance` (p,) of all rows: a difference of sums leaves a little of it where an item does not vary.
    """
    p = len(task.blocks.items)
    items = item_moments(gram, np.zeros(p), task.blocks)
    flat = np.diagonal(items.cov, axis1=1, axis2=2) <= FLAT * variance
    items = replace(items, cov=np.where(flat[:, :, None], np.nan, items.cov))
    with np.errstate(all="ignore"):
        slopes = np.stack(
            [
                _path_slopes(solve(items.cov, task.blocks, task.settings), task),
                _linear_slopes(items, task.by_linear, task.columns),
            ]
        )
    centre = items.mean[:, task.columns]
    shift = centre - (items.mean[:, None, :] @ slopes)[:, :, 0]
    return np.concatenate([shift[:, :, None], slopes], axis=2), centre


def _path_slopes(found: Solution, task: Task) -> np.ndarray:
    """(F, p, c) from answers to composites, to the predicted construct, to its items.

    Source: Shmueli, Ray, Velasquez Estrada & Chatla (2016), Journal of Business Research 69(10), 4552–4564.
    """
    blocks, owner = task.blocks, task.blocks.block[task.columns]
    ways = np.where(blocks.endogenous, 0.0, found.total) if task.earliest else found.paths
    raw = found.weights / found.sd if task.settings.scaled else found.weights
    by_item = ways[:, owner][:, :, blocks.block] * raw[:, None, :]
    out = by_item * (found.loadings * found.sd)[:, task.columns, None]
    return np.where(usable(found)[:, None, None], out, np.nan).swapaxes(1, 2)


def _linear_slopes(items: ItemMoments, by: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(F, p, c) regressions of each column on items; NaN where these repeat each other."""
    corr = items.corr
    sd = np.sqrt(np.diagonal(items.cov, axis1=1, axis2=2))
    out = np.zeros((len(corr), len(by), len(columns)))
    kinds, place = np.unique(by, axis=1, return_inverse=True)
    for kind, mask in enumerate(kinds.T):
        at, to = np.flatnonzero(mask), np.flatnonzero(np.ravel(place) == kind)
        found = inverse(corr[:, at[:, None], at]) @ corr[:, at[:, None], columns[to]]
        out[:, at[:, None], to] = found * sd[:, columns[to]][:, None, :] / sd[:, at, None]
    return out
