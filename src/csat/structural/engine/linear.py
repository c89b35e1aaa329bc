"""Linear algebra on stacks of matrices."""

from __future__ import annotations

from functools import cache

import numpy as np

#: Singular values below this share of the largest count as zero.
RANK = 1e-7


@cache
def identity(size: int) -> np.ndarray:
    """(size, size) identity, made once; it cannot be written to."""
    out = np.eye(size)
    out.setflags(write=False)
    return out


def inverted(matrix: np.ndarray) -> np.ndarray:
    """Inverses (…, p, p); NaN for singular ones."""
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:
        if matrix.ndim == 2:
            return np.full_like(matrix, np.nan)
        return np.stack([inverted(one) for one in matrix])


def allowed(slope: np.ndarray) -> np.ndarray:
    """(k, k − r) orthonormal directions along which equations with derivatives (q, k) hold; r is their rank.

    Equations count by their direction, not by their unit; those that say nothing (0 = 0) or repeat others are no limit.
    """
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    kept = slope[length[:, 0] > 0] / length[length[:, 0] > 0]
    if not len(kept):
        return np.eye(slope.shape[1])
    _, values, turned = np.linalg.svd(kept)
    return turned[int((values > RANK * values[0]).sum()) :].T


def definite(matrix: np.ndarray, least: float = 0.0) -> bool:
    """Whether all eigenvalues of a symmetric matrix (p, p) lie above `least`."""
    try:
        np.linalg.cholesky(matrix - least * identity(len(matrix)) if least else matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def picked(matrix: np.ndarray, flat: np.ndarray) -> np.ndarray:
    """Entries of matrices (…, r, s) at flat positions of any shape: (…, *shape)."""
    return matrix.reshape(*matrix.shape[:-2], -1).take(flat, axis=-1)


def total_effects(a: np.ndarray, causes: np.ndarray) -> np.ndarray:
    """E = (I − A)⁻¹ (…, m, m), from the inverse of the block of A among `causes`: E = I + A(I − A)⁻¹.

    Parameters
    ----------
    causes : (n,) columns of A (…, m, m) that are not all zero.
    """
    columns = a[..., causes]
    out = np.empty_like(a)
    out[...] = identity(a.shape[-1])
    out[..., causes] += columns @ inverted(identity(len(causes)) - columns[..., causes, :])
    return out
