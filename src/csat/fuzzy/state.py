"""What an evaluation was made of, and its figures under any operator: of the sample and of every draw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from csat.distributions import t_quantile
from csat.fuzzy.operators import Operator, normalised
from csat.fuzzy.tree import Tree
from csat.fuzzy.verdict import strongest_at
from csat.moments import joint_fits
from csat.within import Covariance, WithinGroups

#: Memberships of nodes that are climbed at once: they take 160 MB.
AT_ONCE = 20_000_000


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Memberships of L leaves in D groups, and R draws of them and of the weights.

    tree : to climb. leaves : (D', L, g); D' = D + 1 if all groups together come last, else D.
    draws : (R, D', L, g), None if only weights or nothing were drawn. shares : node → (R, m) draws of weights.
    size : D, groups without the overall. replicates : R; 0 if nothing was drawn.
    unsure : (D·K,) nodes with too few answers or sampling units to tell how sure they are; None: all can be told.
    df : (D·K,) degrees of freedom of the sample behind each node; None: no answers were drawn.
    words : how the draws of the leaves were made.
    """

    tree: Tree
    leaves: np.ndarray
    draws: np.ndarray | None
    shares: Mapping[str, np.ndarray]
    size: int
    replicates: int
    unsure: np.ndarray | None = None
    df: np.ndarray | None = None
    words: str = "none"

    @property
    def made(self) -> str:
        """How draws were made, in words for `Provenance`."""
        return self.words if self.draws is not None else "draws of the weights" if self.shares else "none"

    def raw(self, compose: Operator) -> np.ndarray:
        """(D', K, g) composites of the sample."""
        return self.tree.climb(self.leaves, compose)

    def redrawn(self, compose: Operator, at: slice) -> np.ndarray:
        """(R, d, K, g) normalised composites of the draws in the groups `at`."""
        rows = self.leaves[None, at] if self.draws is None else self.draws[:, at]
        shares = {node: drawn[:, None] for node, drawn in self.shares.items()}
        return normalised(self.tree.climb(rows, compose, shares))

    def blocks(self) -> list[slice]:
        """Groups whose draws are climbed at once."""
        each = max(self.replicates, 1) * len(self.tree.nodes) * self.leaves.shape[-1]
        step = max(1, AT_ONCE // each)
        return [slice(start, min(start + step, self.size)) for start in range(0, self.size, step)]


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """Figures of k = D·K rows, group by group.

    raw, membership, se, low, high, probability : (k, g). score : (k,); score_low, score_high : (k,) of its draws.
    vcov : (k, k) of the scores over the draws, of thousands of groups within each only; NaN without.
    undefined : (k,) draws without memberships.
    """

    raw: np.ndarray
    membership: np.ndarray
    se: np.ndarray
    low: np.ndarray
    high: np.ndarray
    probability: np.ndarray
    score: np.ndarray
    score_low: np.ndarray
    score_high: np.ndarray
    vcov: Covariance
    undefined: np.ndarray


def summarised(state: State, compose: Operator, scores: np.ndarray, level: float) -> Summary:
    """All figures under an operator.

    Parameters
    ----------
    state : what to climb. compose : operator. scores : (g,) of the grades. level : of the intervals.

    Returns
    -------
    Summary
        Intervals are percentiles of the draws, at tails Φ(t) with t the quantile of Student's distribution, since a
        bootstrap of few units knows its own spread no better than a t-interval does (Hesterberg 2015, American
        Statistician 69, 371–386: expanded percentiles). Draws that leave a node without memberships do not count for
        it.
    """
    size = state.leaves.shape[-1]
    raw = state.raw(compose)[: state.size].reshape(-1, size)
    whole = normalised(raw)
    k = len(raw)
    unknown = np.full((k, size), np.nan)
    if not state.replicates:
        nothing = np.full(k, np.nan)
        return Summary(
            raw, whole, unknown, unknown, unknown, unknown, whole @ scores, nothing, nothing,
            covariance_of(np.full((2, k), np.nan), state.size), np.zeros(k, int),
        )  # fmt: skip
    nodes = len(state.tree.nodes)
    tails = _tails(state, level)
    parts = [
        _block(state.redrawn(compose, at), scores, tails[at.start * nodes : at.stop * nodes]) for at in state.blocks()
    ]
    se, low, high, probability = (np.concatenate([part[i] for part in parts]) for i in range(4))
    unknown_rows = ~np.isfinite(whole).all(axis=1) | (False if state.unsure is None else state.unsure)
    for figures in (se, low, high, probability):
        figures[unknown_rows] = np.nan
    drawn = np.concatenate([part[4] for part in parts], axis=1)
    drawn[:, unknown_rows] = np.nan
    ends = _percentiles(drawn, tails)
    return Summary(
        raw, whole, se, low, high, probability, whole @ scores, ends[0], ends[1],
        covariance_of(drawn, state.size),
        (~np.isfinite(np.concatenate([part[5] for part in parts], axis=1))).sum(axis=0),
    )  # fmt: skip


def _tails(state: State, level: float) -> np.ndarray:
    """(D·K,) probability below the lower end of the interval of each node."""
    from scipy.special import ndtr

    nodes = state.size * len(state.tree.nodes)
    df = np.full(nodes, np.inf) if state.df is None else np.broadcast_to(state.df, nodes)
    return np.asarray(ndtr(t_quantile((1 - level) / 2, np.where(df >= 1, df, np.inf))))


def _block(drawn: np.ndarray, scores: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, ...]:
    """se, low, high, probability (k, g), the scores of the draws (R, k) and whether they are defined (R, k)."""
    count, size = len(drawn), drawn.shape[-1]
    flat = drawn.reshape(count, -1, size)
    best = strongest_at(flat)
    known = np.maximum((best >= 0).sum(axis=0), 1)
    votes = np.stack([(best == j).sum(axis=0) for j in range(size)], axis=1)
    columns = flat.reshape(count, -1)
    low, high = _percentiles(columns, tails.repeat(size))
    shape = (-1, size)
    return (
        spread(columns).reshape(shape), low.reshape(shape), high.reshape(shape), votes / known[:, None], flat @ scores,
        np.where(best >= 0, 0.0, np.nan),
    )  # fmt: skip


def spread(columns: np.ndarray) -> np.ndarray:
    """(q,) standard deviations over the draws (R, q) that are defined; NaN for fewer than two."""
    known = np.isfinite(columns)
    count = known.sum(axis=0)
    filled = np.where(known, columns, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(known, columns - filled.sum(axis=0) / count, 0.0)
        return np.asarray(np.sqrt(np.square(apart).sum(axis=0) / np.where(count > 1, count - 1, np.nan)))


def covariance_of(columns: np.ndarray, groups: int) -> Covariance:
    """(q, q) covariance over the draws (R, q); a column that a draw leaves undefined uses the others' mean there.

    The columns are those of so many `groups`, one after the other; of thousands only that within each is kept.
    """
    known = np.isfinite(columns)
    count = known.sum(axis=0)
    filled = np.where(known, columns, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt((len(columns) - 1) / np.where(count > 1, count - 1, np.nan))
        apart = np.where(known, columns - filled.sum(axis=0) / count, 0.0) * scale
    if joint_fits(groups, columns.shape[1] // groups):
        return np.asarray(apart.T @ apart / (len(columns) - 1))
    each = apart.reshape(len(columns), groups, -1).swapaxes(0, 1)
    return WithinGroups(each.swapaxes(1, 2) @ each / (len(columns) - 1))


def _percentiles(columns: np.ndarray, tails: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(q,) ends of the draws (R, q) that leave out `tails` (q,) below and above: the (R + 1)·α-th smallest."""
    from csat.replicates.intervals import quantile

    return quantile(columns, tails), quantile(columns, 1 - tails)
