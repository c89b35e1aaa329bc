"""LMG from sampled orders, for more drivers than all sets can be visited of, with the error of the sampling.

Orders are drawn in blocks: a random order, all its rotations, and the reverse of each. Within a block every driver
stands at every place equally often (stratified) and before every other as often as after it (antithetic), so that
blocks vary far less than single orders; they are independent, and their spread gives the error of their mean.
Cost: O(k³) per order for the parts of k columns, O(k³) more for the gradients.
References: Castro, Gómez & Tejada (2009), Computers & Operations Research 36, 1726–1730; Castro, Gómez, Molina & Tejada
(2017), ibid. 82, 180–188 (stratified by place).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

#: Entries of the triangular factors that are worked on at once.
WORK = 2**20


def draw_orders(m: int, draws: int, seed: int) -> np.ndarray:
    """Draw orders of m players: at least `draws` of them, in whole blocks, and at least two blocks.

    Parameters
    ----------
    seed : of the generator; the same seed gives the same orders.

    Returns
    -------
    (blocks, 2m, m) int array
        Players in the order of their entry.
    """
    blocks = max(-(-draws // (2 * m)), 2)
    rng = np.random.default_rng(seed)
    first = rng.permuted(np.tile(np.arange(m), (blocks, 1)), axis=1)
    turned = first[:, (np.arange(m)[:, None] + np.arange(m)) % m]
    return np.concatenate([turned, turned[:, :, ::-1]], axis=1)


def sampled_parts(cov: np.ndarray, sizes: Sequence[int], orders: np.ndarray) -> np.ndarray:
    """Average gain of explained variance of each player, block by block.

    Parameters
    ----------
    cov : (B, q, q) covariances of the players' columns, player by player, and the outcome, last.
    sizes : (m,) columns of each player. orders : of `draw_orders`.

    Returns
    -------
    (blocks, B, m) array
        Each block sums to the explained variance; their mean is the estimate.
    """
    blocks, m = len(orders), len(sizes)
    out = np.zeros((blocks, len(cov), m))
    owner = np.repeat(np.arange(m), sizes)
    for _, block, columns in _batches(sizes, orders):
        place = (block[:, None] * m + owner[columns]).ravel()
        for b, matrix in enumerate(cov):
            _, gains = _factored(matrix, columns)
            out[:, b] += np.bincount(place, (gains**2).ravel(), minlength=blocks * m).reshape(blocks, m)
    return out / orders.shape[1]


def sampled_slopes(cov: np.ndarray, sizes: Sequence[int], orders: np.ndarray) -> np.ndarray:
    """Gradients of the mean of `sampled_parts` by a covariance matrix (q, q): (m, q, q), symmetric."""
    m, q = len(sizes), len(cov)
    out = np.zeros((m, q, q))
    for players, _, columns in _batches(sizes, orders):
        residual = _residuals(cov, columns)
        entered = np.cumsum(np.asarray(sizes)[players], axis=1)
        place = np.argsort(players, axis=1)
        rows = np.arange(len(players))
        for j in range(m):
            last = entered[rows, place[:, j]]
            after, before = residual[rows, last], residual[rows, last - sizes[j]]
            out[j] += before.T @ before - after.T @ after
    return out / (orders.shape[0] * orders.shape[1])


def _batches(sizes: Sequence[int], orders: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Some orders (n, m) at a time, their blocks (n,), and their columns (n, k) in order of entry."""
    flat = orders.reshape(-1, len(sizes))
    block = np.repeat(np.arange(len(orders)), orders.shape[1])
    start = np.cumsum(sizes) - sizes
    offset = np.arange(max(sizes))
    listed = np.where(offset < np.asarray(sizes)[:, None], start[:, None] + offset, -1)
    step = max(WORK // (int(np.sum(sizes)) + 1) ** 2, 1)
    for at in range(0, len(flat), step):
        players = flat[at : at + step]
        spread = listed[players].reshape(len(players), -1)
        yield players, block[at : at + step], spread[spread >= 0].reshape(len(players), -1)


def _factored(cov: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, k, k) L⁻¹ of the columns in each order, and (n, k) L⁻¹·c, whose squares are the gains of each column."""
    ordered = cov[columns[:, :, None], columns[:, None, :]]
    inverse = np.linalg.inv(np.linalg.cholesky(ordered))
    return inverse, (inverse @ cov[columns, -1][:, :, None])[..., 0]


def _residuals(cov: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(n, 1+k, 1+k) e_S = [b_S, −1] of the first 0 … k columns of each order.

    Column i of L⁻ᵀ times its entry of L⁻¹·c is what taking in variable i adds to the coefficients.
    """
    inverse, gains = _factored(cov, columns)
    size, k = columns.shape
    out = np.zeros((size, 1 + k, 1 + k))
    out[:, :, -1] = -1.0
    steps = np.cumsum(inverse * gains[:, :, None], axis=1)
    out[np.arange(size)[:, None, None], np.arange(1, 1 + k)[:, None], columns[:, None, :]] = steps
    return out
