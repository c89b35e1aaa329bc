"""Exact second derivatives of functions of implied moments, by picking entries of matrix products.

A path from cause c to effect r with coefficient x moves every column of E by ∂e_k = e_r·E_ck and every column of T by
∂t_l = e_r·T_cl + t_c·E_lr; variances and covariances move no column of E, and T by what the paths of the other cell
say. Second derivatives are therefore products of single entries, as first ones are (see `structure`).
"""

from __future__ import annotations

import numpy as np

from csat.structural.engine.linear import picked
from csat.structural.engine.structure import Point


def second_slopes(point: Point, by_sigma: np.ndarray, by_mu: np.ndarray | None) -> np.ndarray:
    """(…, c, c) tr(by_sigma·∂²Σ) + by_muᵀ·∂²μ for pairs of free cells.

    Parameters
    ----------
    point : of a structure without `units`. by_sigma : (…, p, p) symmetric. by_mu : (…, p), or None without means.
    """
    at = point.structure.places
    products = point.crossed(by_sigma)
    both = np.concatenate([point.reach, point.total], axis=-1)
    lead = picked(products, at.beside) * (2.0 * at.half)
    if by_mu is not None:
        shift = (point.effects.swapaxes(-1, -2) @ by_mu[..., None])[..., 0]
        lead += shift[..., at.i[at.paths], None] * point.carried[..., None, :]
    lead *= picked(both, at.reached)
    lead += picked(both, at.crossed) * picked(products, at.along) * (2.0 * at.second_half)
    cells = np.zeros((*lead.shape[:-2], lead.shape[-1], lead.shape[-1]), lead.dtype)
    cells[..., at.paths, :] = lead
    return cells + cells.swapaxes(-1, -2)


def likelihood_bend(point: Point, second: np.ndarray, apart: np.ndarray | None) -> np.ndarray:
    """(…, c, c) second derivatives of log|Σ| + tr(W Σ⁻¹) by the free cells, with the moments' own derivatives.

    Parameters
    ----------
    second : (…, p, p) W, sample moments about the implied means. apart : (…, p) sample minus implied means, or None.
    """
    at, inverse = point.structure.places, point.inverse
    turned = inverse @ second @ inverse
    by_mu = None if apart is None else -2.0 * (inverse @ apart[..., None])[..., 0]
    cells = second_slopes(point, inverse - turned, by_mu)
    plain, other = point.crossed(inverse), point.crossed(2.0 * turned - inverse)
    aa, ab = picked(plain, at.aa), picked(plain, at.ab)
    across = ab.swapaxes(-1, -2) * picked(other, at.ab)
    first = aa * picked(other, at.bb) + picked(plain, at.bb) * picked(other, at.aa) + across + across.swapaxes(-1, -2)
    first *= at.half[:, None] * at.half
    cells += first
    if by_mu is None:
        return cells
    carried = point.carried
    level = (point.basis.swapaxes(-1, -2) @ by_mu[..., None])[..., 0] / -2.0
    slope = level[..., at.b, None] * aa + level[..., at.i, None] * ab.swapaxes(-1, -2)
    slope = 2.0 * at.half[:, None] * slope * carried[..., None, :]
    return cells + slope + slope.swapaxes(-1, -2) + 2.0 * aa * carried[..., :, None] * carried[..., None, :]
