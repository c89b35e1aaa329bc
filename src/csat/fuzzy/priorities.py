"""Priorities of reciprocal matrices: eigenvector and geometric mean, how consistent they are, and their derivatives."""

from __future__ import annotations

import numpy as np

from csat.errors import ConvergenceError

#: Saaty's random index RI of m factors: mean CI of random reciprocal matrices on the scale 1/9 … 9, m = 1 … 15.
#: Saaty (1980), The Analytic Hierarchy Process, McGraw-Hill, p. 21.
RANDOM_INDEX = (0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
#: Geometric consistency index that corresponds to CR = 0.10 with 3, 4, and more factors: Aguarón & Moreno-Jiménez
#: (2003), European J. Operational Research 147, 137–145.
GEOMETRIC_LIMITS = {3: 0.31, 4: 0.35}
GEOMETRIC_LIMIT = 0.37
EIGENVECTOR, GEOMETRIC = METHODS = ("eigenvector", "geometric-mean")
#: Relative distance of the bounds of λmax at which the power method stops, and its most steps.
_CLOSE, _STEPS = 1e-13, 20_000


def principal(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Largest eigenvalues λmax (…) and their eigenvectors (…, m) with sum 1, of positive matrices (…, m, m).

    By the power method, all matrices at once: min (Aw)ᵢ/wᵢ ≤ λmax ≤ max (Aw)ᵢ/wᵢ (Collatz–Wielandt) tells when to stop.
    """
    w = np.full(matrices.shape[:-1], 1 / matrices.shape[-1])
    for _ in range(_STEPS):
        moved = (matrices @ w[..., None])[..., 0]
        ratio = moved / w
        w = moved / moved.sum(axis=-1, keepdims=True)
        if (np.ptp(ratio, axis=-1) <= _CLOSE * ratio.max(axis=-1)).all():
            return ratio.mean(axis=-1), w
    raise ConvergenceError("The principal eigenvector did not settle: use method='geometric-mean'.")


def geometric_mean(matrices: np.ndarray) -> np.ndarray:
    """(…, m) normalised geometric means of the rows: least squares of logarithms (Crawford & Williams 1985)."""
    return softmax(np.log(matrices).mean(axis=-1))


def softmax(logarithms: np.ndarray) -> np.ndarray:
    """(…, m) weights with sum 1 from their logarithms up to a constant."""
    raised = np.exp(logarithms - logarithms.max(axis=-1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=-1, keepdims=True))


def priorities(matrices: np.ndarray, method: str) -> np.ndarray:
    """(…, m) weights by the eigenvector or by geometric means."""
    return principal(matrices)[1] if method == EIGENVECTOR else geometric_mean(matrices)


def consistency_index(largest: np.ndarray, m: int) -> np.ndarray:
    """(…) CI = (λmax − m)/(m − 1) ≥ 0; 0 for one or two factors, which cannot contradict each other."""
    if m <= 2:
        return np.zeros_like(largest)
    index = (largest - m) / (m - 1)
    return np.where(index < 1e-11, 0.0, index)


def consistency_ratio(matrices: np.ndarray) -> np.ndarray:
    """(…) CR = CI/RI of matrices (…, m, m); NaN beyond the table of RI."""
    m = matrices.shape[-1]
    if m > len(RANDOM_INDEX):
        return np.full(matrices.shape[:-2], np.nan)
    if m <= 2:
        return np.zeros(matrices.shape[:-2])
    return np.asarray(consistency_index(principal(matrices)[0], m) / RANDOM_INDEX[m - 1])


def geometric_index(matrices: np.ndarray) -> np.ndarray:
    """(…) GCI = 2/((m−1)(m−2)) · Σ_{i<j} ln²(aᵢⱼ·wⱼ/wᵢ), w the geometric means; 0 for one or two factors."""
    m = matrices.shape[-1]
    if m <= 2:
        return np.zeros(matrices.shape[:-2])
    logs = np.log(matrices)
    centre = logs.mean(axis=-1)
    error = logs - (centre[..., :, None] - centre[..., None, :])
    return np.asarray(np.square(error).sum(axis=(-2, -1)) / ((m - 1) * (m - 2)))


def geometric_limit(m: int) -> float:
    """GCI up to which m factors count as consistent; NaN for one or two."""
    return np.nan if m < 3 else GEOMETRIC_LIMITS.get(m, GEOMETRIC_LIMIT)


def pairs_of(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the m(m − 1)/2 judgements above the diagonal."""
    rows, columns = np.triu_indices(m, 1)
    return rows, columns


def from_logs(logs: np.ndarray, m: int) -> np.ndarray:
    """(…, m, m) reciprocal matrices of the logarithms (…, m(m−1)/2) of the judgements above the diagonal."""
    rows, columns = pairs_of(m)
    full = np.zeros((*logs.shape[:-1], m, m))
    full[..., rows, columns] = logs
    full[..., columns, rows] = -logs
    return np.exp(full)


def slopes(matrix: np.ndarray, method: str) -> np.ndarray:
    """(m, m(m−1)/2) derivatives of the weights by the logarithms of the judgements above the diagonal."""
    m = len(matrix)
    rows, columns = pairs_of(m)
    at = np.arange(len(rows))
    if method == GEOMETRIC:
        w = geometric_mean(matrix)
        logs = np.zeros((m, len(rows)))
        logs[rows, at], logs[columns, at] = 1 / m, -1 / m
        return np.asarray((np.diag(w) - np.outer(w, w)) @ logs)
    largest, w = principal(matrix)
    change = np.zeros((m, len(rows)))
    change[rows, at] = matrix[rows, columns] * w[columns]
    change[columns, at] = -matrix[columns, rows] * w[rows]
    # (A − λI)·dw − w·dλ = −dA·w with Σ dw = 0.
    bordered = np.zeros((m + 1, m + 1))
    bordered[:m, :m] = matrix - largest * np.eye(m)
    bordered[:m, m], bordered[m, :m] = -w, 1.0
    return np.asarray(np.linalg.solve(bordered, np.vstack([-change, np.zeros(len(rows))]))[:m])
