"""Hadamard matrices, from which balanced half samples are read."""

from __future__ import annotations

import numpy as np


def hadamard(at_least: int) -> np.ndarray:
    """The smallest Hadamard matrix at hand with at least so many rows.

    Parameters
    ----------
    at_least : rows wanted, 1 or more.

    Returns
    -------
    (n, n) array of ±1
        Its columns are orthogonal; the first is all ones. Made by Paley's first construction (1933, J. Math. Phys.
        12, 311–320) for a prime q ≡ 3 mod 4, doubled after Sylvester as often as needed.
    """
    order = at_least
    while (base := _base(order)) is None:
        order += 1
    matrix = _paley(base - 1) if base > 1 else np.ones((1, 1))
    while len(matrix) < order:
        matrix = np.kron(np.array([[1.0, 1.0], [1.0, -1.0]]), matrix)
    return matrix


def _base(order: int) -> int | None:
    """The order from which doubling leads to `order`: 1, or q + 1; None if neither does."""
    while order > 1:
        if (order - 1) % 4 == 3 and _is_prime(order - 1):
            return order
        if order % 2:
            return None
        order //= 2
    return order


def _is_prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _paley(q: int) -> np.ndarray:
    """(q+1, q+1) Hadamard matrix from the squares of the integers modulo the prime q ≡ 3 mod 4."""
    is_square = np.full(q, -1.0)
    is_square[np.arange(1, q) ** 2 % q] = 1.0
    is_square[0] = 0.0
    residues = np.arange(q)
    matrix = np.eye(q + 1)
    matrix[0, 1:] = 1.0
    matrix[1:, 0] = -1.0
    matrix[1:, 1:] += is_square[(residues[:, None] - residues) % q]
    return matrix * matrix[:, :1]
