"""PMVD, Feldman's proportional marginal variance decomposition, exactly and with its gradient.

Orders of the drivers count in inverse proportion to what they leave to be explained after each step, so that a driver
without effect in the full model gets nothing. The part of a driver is then Ortmann's proportional value of the dual
game w(S) = v(N) − v(N∖S), which needs no orders: P(S) = w(S) / Σ_{j∈S} 1/P(S∖j), P(∅) = 1, part_j = P(N)/P(N∖j).
Cost: O(m·2^m) for the parts, O(m²·2^m) for the gradients, and O(m·2^m) memory.
References: Feldman (2005), Relative Importance and Value, manuscript; Ortmann (2000), Math. Methods of Operations
Research 51, 235–248; Grömping (2007), The American Statistician 61, 139–147.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.drivers.relative.shapley import coalition_residuals, coalition_values, set_sizes

#: A player whose gain when entered last is below this share of the explained variance has no effect.
NO_EFFECT = 1e-13


def pmvd_parts(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Parts of the explained variance.

    Parameters
    ----------
    cov : (B, q, q) covariances of the players' columns, player by player, and the outcome, last. May be complex.
    sizes : (m,) columns of each player.

    Returns
    -------
    (B, m) array
        They sum to the explained variance; 0 for a player without effect when entered last.
    """
    m = len(sizes)
    out = np.zeros((len(cov), m), cov.dtype)
    values = coalition_values(cov, sizes)
    active = _active(values, m)
    for pattern in np.unique(active, axis=0):
        rows = np.flatnonzero((active == pattern).all(axis=1))
        players = np.flatnonzero(pattern)
        if players.size:
            games = _dual(values[np.ix_(rows, _subsets(players))])
            out[np.ix_(rows, players)] = _values(_potential(games), len(players)) * games[:, -1:]
    return out


def pmvd_slopes(cov: np.ndarray, sizes: Sequence[int]) -> np.ndarray:
    """Gradients of `pmvd_parts` by a covariance matrix (q, q): (m, q, q), symmetric; 0 for a player without effect."""
    m, q = len(sizes), len(cov)
    out = np.zeros((m, q, q))
    values = coalition_values(cov[None], sizes)
    players = np.flatnonzero(_active(values, m)[0])
    if not players.size:
        return out
    subsets = _subsets(players)
    game = _dual(values[:, subsets])[0]
    residual = coalition_residuals(cov, sizes)[subsets[::-1]]
    potential = _potential(game[None])
    parts = _values(potential, len(players))[0] * game[-1]
    everybody = len(game) - 1
    visits = _visits(potential[0], game, np.r_[everybody, everybody - 2 ** np.arange(len(players))])
    for j, player in enumerate(players.tolist()):
        slope = np.zeros(len(game))
        slope[1:] = parts[j] * (visits[0] - visits[1 + j])[1:] / game[1:]
        # dw(S) = e_{N∖S}ᵀ·dC·e_{N∖S} − e_Nᵀ·dC·e_N
        out[player] = (residual * slope[:, None]).T @ residual - slope.sum() * np.outer(residual[0], residual[0])
    return out


def _dual(values: np.ndarray) -> np.ndarray:
    """(B, 2^a) w(S) = v(N) − v(N∖S): reversed, since the complement of a set has the opposite bits."""
    return values[:, -1:] - values[:, ::-1]


def _active(values: np.ndarray, m: int) -> np.ndarray:
    """(B, m) whether a player explains something that the others do not; without them, the others explain the same."""
    everything = values[:, -1:].real
    return everything - values[:, 2**m - 1 - 2 ** np.arange(m)].real > NO_EFFECT * everything


def _subsets(players: np.ndarray) -> np.ndarray:
    """(2^a,) positions, among the sets of all players, of the sets of some of them."""
    members = np.arange(2 ** len(players))[:, None] >> np.arange(len(players)) & 1
    return members @ (2**players)


def _levels(m: int) -> list[np.ndarray]:
    """Positions of the sets of each size, 0 … m."""
    size = set_sizes(m)
    return [np.flatnonzero(size == s) for s in range(m + 1)]


def _potential(games: np.ndarray) -> np.ndarray:
    """(B, 2^a) P(S) of games (B, 2^a) without idle players, of games scaled to w(N) = 1."""
    m = games.shape[1].bit_length() - 1
    out = np.ones_like(games)
    scaled = games / games[:, -1:]
    for size, sets in enumerate(_levels(m)[1:], start=1):
        players = np.nonzero(sets[:, None] >> np.arange(m) & 1)[1].reshape(-1, size)
        out[:, sets] = scaled[:, sets] / (1 / out[:, sets[:, None] ^ (1 << players)]).sum(axis=2)
    return out


def _values(potential: np.ndarray, m: int) -> np.ndarray:
    """(B, a) shares of w(N): P(N) / P(N∖j)."""
    return potential[:, -1:] / potential[:, 2**m - 1 - 2 ** np.arange(m)]


def _visits(potential: np.ndarray, game: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """(n, 2^a) chance that each set is met when players leave one by one, from each of the sets `starts` (n,).

    Player j leaves S with probability (1/P(S∖j)) / Σ_i (1/P(S∖i)). These are the derivatives of ln P by ln w.
    """
    m = len(game).bit_length() - 1
    out = np.zeros((len(starts), len(game)))
    out[np.arange(len(starts)), starts] = 1.0
    inverse_sum = np.zeros(len(game))
    inverse_sum[1:] = potential[1:] / game[1:] * game[-1]
    for sets in _levels(m)[:0:-1]:
        for j in range(m):
            having = sets[sets >> j & 1 == 1]
            fewer = having ^ (1 << j)
            out[:, fewer] += out[:, having] * (inverse_sum[having] / potential[fewer])
    return out
