"""A mixture of recursive regressions by EM: both steps are matrix products over all starts at once."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.linear import inverse

#: Gain of the log-likelihood per respondent that ends a run, and most steps.
SETTLED, MOST_STEPS = 1e-9, 5000
#: A residual variance (of standardized scores) below this is a segment of respondents who agree exactly: no solution.
LEAST_VARIANCE = 1e-4
#: Probabilities held at once.
MOST_CELLS = 2 * 10**7


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """Runs along the leading axes (…), K segments, q constructs.

    shares : (…, K). paths : (…, K, q, q) row: explained. variances : (…, K, q) residual; NaN for what nothing explains.
    r2 : (…, K, q) explained share of the sum of squares. loglik : (…,) of the explained constructs. steps : (…,) taken.
    sound : (…,) settled, and no segment is too small or without residual variance.
    """

    shares: np.ndarray
    paths: np.ndarray
    variances: np.ndarray
    r2: np.ndarray
    loglik: np.ndarray
    steps: np.ndarray
    sound: np.ndarray

    def __getitem__(self, at: int) -> Mixture:
        """One run."""
        return Mixture(*(getattr(self, field.name)[at] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Scores as EM needs them: products (n, t) of upper triangles, weight (n,) with a mean of 1."""

    products: np.ndarray
    weight: np.ndarray
    blocks: Blocks

    @classmethod
    def of(cls, scores: np.ndarray, weight: np.ndarray, blocks: Blocks) -> Rows:
        """From scores (n, q)."""
        upper = np.triu_indices(scores.shape[1])
        return cls(scores[:, upper[0]] * scores[:, upper[1]], weight * (len(weight) / weight.sum()), blocks)

    def squares(self, memberships: np.ndarray) -> np.ndarray:
        """(…, q, q) weighted sums of squares and products under memberships (…, n)."""
        q = len(self.blocks.constructs)
        upper = np.triu_indices(q)
        flat = (memberships * self.weight) @ self.products
        out = np.empty((*flat.shape[:-1], q, q))
        out[..., upper[0], upper[1]] = flat
        out[..., upper[1], upper[0]] = flat
        return out

    def densities(self, precision: np.ndarray) -> np.ndarray:
        """(…, n) −½·yᵀΩy for precisions Ω (…, q, q)."""
        upper = np.triu_indices(precision.shape[-1])
        flat = precision[..., upper[0], upper[1]] * np.where(upper[0] == upper[1], -0.5, -1.0)
        return np.asarray(flat @ self.products.T)


def expected(rows: Rows, found: Mixture) -> tuple[np.ndarray, np.ndarray]:
    """(…, K, n) memberships of respondents in segments, and (…,) log-likelihood."""
    explained = rows.blocks.endogenous
    residual = np.eye(found.paths.shape[-1]) - found.paths
    scaled = np.where(explained, 1.0 / found.variances, 0.0)[..., None] * residual
    precision = residual.swapaxes(-1, -2) @ scaled
    level = np.log(found.shares) - 0.5 * np.sum(np.log(2 * np.pi * found.variances[..., explained]), axis=-1)
    logs = rows.densities(precision) + level[..., None]
    top = logs.max(axis=-2, keepdims=True)
    parts = np.exp(logs - top)
    whole = parts.sum(axis=-2, keepdims=True)
    each = (top + np.log(whole))[..., 0, :]
    return parts / whole, each @ rows.weight


def maximised(rows: Rows, memberships: np.ndarray) -> Mixture:
    """Shares, paths and variances from memberships (…, K, n)."""
    blocks, squares = rows.blocks, rows.squares(memberships)
    size = memberships @ rows.weight
    paths, variances = np.zeros(squares.shape), np.full(squares.shape[:-1], np.nan)
    for j, by in blocks.explained:
        across = squares[..., by, j]
        paths[..., j, by] = (inverse(squares[..., by[:, None], by]) @ across[..., None])[..., 0]
        variances[..., j] = (squares[..., j, j] - np.sum(paths[..., j, by] * across, axis=-1)) / size
    own = np.diagonal(squares, axis1=-2, axis2=-1) / size[..., None]
    lead = size.shape[:-1]
    shares = size / size.sum(axis=-1, keepdims=True)
    most = 2 + max(len(by) for _, by in blocks.explained)
    sound = (size > most).all(axis=-1) & (variances[..., blocks.endogenous] > LEAST_VARIANCE).all(axis=(-2, -1))
    return Mixture(shares, paths, variances, 1 - variances / own, np.full(lead, -np.inf), np.zeros(lead, int), sound)


def fitted(rows: Rows, segments: int, starts: int, seed: int) -> Mixture:
    """(starts,) runs of EM from random partitions of the respondents into K = `segments`.

    Source: Dempster, Laird & Rubin (1977), Journal of the Royal Statistical Society B 39(1), 1–38.
    """
    rng, n = np.random.default_rng(seed), len(rows.weight)
    at_once = max(1, MOST_CELLS // (n * segments))
    sizes = [min(at_once, starts - done) for done in range(0, starts, at_once)]
    runs = []
    for size in sizes:
        first = rng.integers(segments, size=(size, 1, n)) == np.arange(segments)[:, None]
        runs.append(_run(rows, first.astype(float)))
    return Mixture(*(np.concatenate([getattr(run, field.name) for run in runs]) for field in fields(Mixture)))


def _run(rows: Rows, memberships: np.ndarray) -> Mixture:
    """EM from memberships (S, K, n); runs that have settled, or came to nothing, leave the batch."""
    n, active = len(rows.weight), np.arange(len(memberships))
    with np.errstate(all="ignore"):
        state = maximised(rows, memberships)
        unsettled = replace(state, sound=np.zeros(len(active), bool))
        final = [np.array(getattr(unsettled, field.name)) for field in fields(Mixture)]
        before = np.full(len(active), -np.inf)
        for step in range(1, MOST_STEPS + 1):
            memberships, loglik = expected(rows, state)
            done = ~(loglik - before > SETTLED * n) | ~state.sound
            sound = state.sound & np.isfinite(loglik)
            state = replace(state, loglik=loglik, steps=np.full(len(active), step), sound=sound)
            for whole, field in zip(final, fields(Mixture), strict=True):
                whole[active[done]] = getattr(state, field.name)[done]
            if done.all():
                return Mixture(*final)
            active, before = active[~done], loglik[~done]
            state = maximised(rows, memberships[~done])
    return Mixture(*final)
