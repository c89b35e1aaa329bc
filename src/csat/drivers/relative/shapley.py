"""LMG, the Shapley value of R²: every set of drivers in one sweep over the lattice of sets, with its exact gradient.

v(S) is the variance of the outcome that the drivers in S explain. A driver's part is Σ_S c_j(S)·v(S) over all sets, and
dv(S) = dC_yy − e_Sᵀ·dC·e_S with e_S = [b_S, −1], the residual on S as a combination of the variables. The gradient
of a part is therefore a weighted Gram matrix of coefficient vectors, which matrix products sum block by block.

Cost for m drivers: O(2^m) for the parts, O(2^m·m) for all coefficients and O(2^m·m³) multiply-adds, all of them in
matrix products, for the gradients. Sets are visited in blocks that fit into the cache, so that memory does not grow.
References: Lindeman, Merenda & Gold (1980), Introduction to Bivariate and Multivariate Analysis, 119 ff.; Shapley
(1953), A value for n-person games.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import lgamma

import numpy as np

#: Entries of the last states of a block of sets: what fits into the cache of a core.
BLOCK = 2**17


def lmg_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Average gain of explained variance of each player over all orders.

    Parameters
    ----------
    cov : (B, q, q) covariances of the players' columns, player by player, and the outcome, last. May be complex.
    sizes : (m,) columns of each player.

    Returns
    -------
    (B, m) array
        They sum to the explained variance.
    """
    m = len(sizes)
    inside, outside = _weights(m)
    out = np.zeros((len(cov), m), cov.dtype)
    whole = np.zeros(len(cov), cov.dtype)
    for members, states, rest in _blocks(cov, sizes, False):
        values = cov[:, -1:, -1] - expanded(states, rest)[..., 0, 0]
        size = len(members) + set_sizes(len(rest))
        weighted = values * inside[size]
        whole += values @ outside[size]
        out[:, members] += weighted.sum(axis=1, keepdims=True)
        for j in range(m - 1, m - 1 - len(rest), -1):
            half = weighted.shape[1] // 2
            out[:, j] += weighted[:, half:].sum(axis=1)
            weighted = weighted[:, :half] + weighted[:, half:]
    return out - whole[:, None]


def lmg_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Gradients of `lmg_parts` by a covariance matrix (q, q): (m, q, q), symmetric."""
    m, q = len(sizes), len(cov)
    inside, outside = _weights(m)
    out = np.zeros((m, q, q))
    whole = np.zeros((q, q))
    for members, states, rest in _blocks(cov[None], sizes, True):
        residual = _residuals(expanded_coefficients(states[0], q - states.shape[-1], rest))
        size = len(members) + set_sizes(len(rest))
        whole += _gram(residual * np.sqrt(outside[size])[:, None])
        weighted = residual * np.sqrt(inside[size])[:, None]
        if members:
            out[members] += _gram(weighted)
        for place in range(len(rest)):
            with_it = weighted.reshape(-1, 2, 2**place, q)[:, 1].reshape(-1, q)
            out[m - len(rest) + place] += _gram(with_it)
    return whole - out


def coalition_values(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Variance of the outcome explained by every set of players.

    Parameters
    ----------
    cov : (B, q, q) as for `lmg_parts`. sizes : (m,).

    Returns
    -------
    (B, 2^m) array
        Set S has player j if bit j of its position is set.
    """
    return cov[:, -1:, -1] - expanded(cov, sizes)[..., 0, 0]


def coalition_residuals(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(2^m, q) e_S = [b_S, −1] of every set of players, from one covariance matrix (q, q)."""
    return _residuals(expanded_coefficients(cov, 0, sizes))


def set_sizes(m: int) -> np.ndarray:
    """(2^m,) number of players in each set."""
    return np.bitwise_count(np.arange(2**m)).astype(int)


def _weights(m: int) -> tuple[np.ndarray, np.ndarray]:
    """(m+1,) weights by size of a set, for the players inside it, and (m+1,) for all of them.

    c_j(S) = inside(|S|)·[j ∈ S] − outside(|S|), with outside(s) = s!(m−1−s)!/m! the chance that S comes before j.
    """
    before = np.array([np.exp(lgamma(s + 1) + lgamma(m - s) - lgamma(m + 1)) for s in range(m)] + [0.0])
    return before + np.r_[0.0, before[:-1]], before


def _blocks(
    cov: np.ndarray, sizes: Sequence[int], coefficients: bool
) -> Iterator[tuple[list[int], np.ndarray, Sequence[int]]]:
    """Sets of players in blocks: the first few players are in or out, the rest still to be expanded.

    Yields
    ------
    members : which of the first players are in.
    states : (B, q or r, r) what is left of the covariances after them; with their coefficients above, if asked for.
    rest : sizes of the players to be expanded.
    """
    m = len(sizes)
    wide = cov.shape[-1] if coefficients else 2
    free = min(m, max(int(np.log2(BLOCK / (len(cov) * wide))), 1))
    stack: list[tuple[int, list[int], np.ndarray]] = [(0, [], cov)]
    while stack:
        done, members, states = stack.pop()
        if done == m - free:
            yield members, states, sizes[done:]
            continue
        at = cov.shape[-1] - states.shape[-1]
        taken = states
        for step in range(sizes[done]):
            taken = _with_pivot(taken, at + step) if coefficients else _swept(taken)
        left = _without(states, at, sizes[done]) if coefficients else states[..., sizes[done] :, sizes[done] :]
        stack += [(done + 1, [*members, done], taken), (done + 1, members, left)]


def expanded(states: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """(B, 2^m, r−Σ, r−Σ) what is left of covariances (B, r, r) after every set of players of these sizes.

    Each player in turn is swept out of half of the states (Schur complement) and dropped from the other half.
    """
    states = states[:, None]
    for size in sizes:
        taken = states
        for _ in range(size):
            taken = _swept(taken)
        states = np.concatenate([states[..., size:, size:], taken], axis=1)
    return states


def _swept(states: np.ndarray) -> np.ndarray:
    """Covariances (…, r, r) given the first variable: (…, r−1, r−1)."""
    column = states[..., 1:, :1]
    return states[..., 1:, 1:] - column * (column.swapaxes(-1, -2) / states[..., :1, :1])


def expanded_coefficients(state: np.ndarray, at: int, sizes: Sequence[int]) -> np.ndarray:
    """(2^m, q) coefficients of the outcome on every set of players, and the residual variance, last.

    Parameters
    ----------
    state : (q, r) covariances of the r variables from row `at` on, and above them the coefficients of those variables
        on the ones that were taken in before; rows of variables left out are zero.
    sizes : (m,) columns of the players from `at` on.
    """
    states = state[None]
    for size in sizes:
        out = np.empty((2, *states.shape[:2], states.shape[2] - size), states.dtype)
        out[0] = _without(states, at, size)
        taken = states
        for step in range(size):
            taken = _with_pivot(taken, at + step)
        out[1] = taken
        states = out.reshape(-1, *out.shape[2:])
        at += size
    return states[:, :, 0]


def _with_pivot(states: np.ndarray, at: int) -> np.ndarray:
    """States (S, q, r) with the variable of row `at`, their first column, taken into the regression: (S, q, r−1)."""
    row = states[:, at : at + 1, 1:] / states[:, at : at + 1, :1]
    out = states[:, :, 1:] - states[:, :, :1] * row
    out[:, at] = row[:, 0]
    return out


def _without(states: np.ndarray, at: int, size: int) -> np.ndarray:
    """States (S, q, r) with the first `size` variables left out: (S, q, r−size)."""
    out = states[:, :, size:].copy()
    out[:, at : at + size] = 0.0
    return out


def _residuals(coefficients: np.ndarray) -> np.ndarray:
    """e_S = [b_S, −1] in place of [b_S, residual variance]."""
    coefficients[:, -1] = -1.0
    return coefficients


def _gram(rows: np.ndarray) -> np.ndarray:
    return rows.T @ rows
