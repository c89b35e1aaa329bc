"""Covariances of items from sums of products under either sample rule, and how each respondent moves them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Rows whose products are held at once.
_BLOCK = 8192


def covariances(gram: np.ndarray, rule: str) -> np.ndarray:
    """(…, p, p) covariances with divisor n, from Gram matrices of [1, y] ("listwise") or [1, m, m·y] ("available").

    Under "available" each pair is taken over those who answered both; NaN where nobody did.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        if rule == "listwise":
            mean = gram[..., 0, 1:] / gram[..., :1, 0]
            return np.asarray(gram[..., 1:, 1:] / gram[..., :1, :1] - mean[..., :, None] * mean[..., None, :])
        both, mean, products = _pairs(gram)
        return np.asarray(products / both - mean * mean.swapaxes(-1, -2))


def _pairs(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of those who answered both items, means of the row's item among them, sums of products: (…, p, p)."""
    p = (gram.shape[-1] - 1) // 2
    both = gram[..., 1 : 1 + p, 1 : 1 + p]
    return both, gram[..., 1 + p :, 1 : 1 + p] / both, gram[..., 1 + p :, 1 + p :]


def by_gram(slopes: np.ndarray, gram: np.ndarray, rule: str) -> np.ndarray:
    """Derivatives by the Gram matrix (g, g) of figures with symmetric derivatives (q, p, p) by the covariances.

    Returns
    -------
    (q, g, g) symmetric matrices D: zᵀDz is what a respondent with row z adds to a figure in first order.
    """
    cov = covariances(gram, rule)
    out = np.zeros((len(slopes), *gram.shape))
    if rule == "listwise":
        weight = gram[0, 0]
        mean = gram[0, 1:] / weight
        along = slopes @ mean
        out[:, 1:, 1:] = slopes / weight
        out[:, 0, 1:] = out[:, 1:, 0] = -along / weight
        out[:, 0, 0] = (along @ mean - np.sum(slopes * cov, axis=(1, 2))) / weight
        return out
    p = len(cov)
    both, mean, _ = _pairs(gram)
    share = slopes / both
    # Σ w·y_i over those with both i and j stands in row p + i, column j, and again transposed.
    crossed = -share * mean.T
    out[:, 1 + p :, 1 + p :] = share
    out[:, 1 + p :, 1 : 1 + p] = crossed
    out[:, 1 : 1 + p, 1 + p :] = crossed.swapaxes(1, 2)
    out[:, 1 : 1 + p, 1 : 1 + p] = share * (mean * mean.T - cov)
    return out


@dataclass(frozen=True, slots=True, eq=False)
class ManyForms:
    """Scores s_q = zᵀ·D_q·z for many symmetric D (q, g, g): the products of a row are made once for all of them."""

    matrices: np.ndarray

    @property
    def size(self) -> int:
        """Figures per row."""
        return len(self.matrices)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, q) scores of rows z (n, g)."""
        rows, columns = np.triu_indices(self.matrices.shape[-1])
        folded = (self.matrices[:, rows, columns] * np.where(rows == columns, 1.0, 2.0)).T
        out = np.empty((len(z), len(self.matrices)))
        for at in range(0, len(z), _BLOCK):
            part = z[at : at + _BLOCK]
            out[at : at + _BLOCK] = (part[:, rows] * part[:, columns]) @ folded
        return out
