"""`Solution`: everything that follows from the covariance matrix of the items, for any number of samples at once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.linear import inverse, regressions
from csat.composites.outer import MOST_STEPS, TOLERANCE, outer_weights


@dataclass(frozen=True, slots=True)
class Settings:
    """How weights are found: inner `scheme`; standardized items (`scaled`); `tolerance` and `most` steps."""

    scheme: str = "path"
    scaled: bool = True
    tolerance: float = TOLERANCE
    most: int = MOST_STEPS


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Estimates of samples along the leading axes (…), for the p columns and q constructs of `Blocks`.

    sd : (…, p) standard deviations of the items.
    weights : (…, p) of the items as they were used (standardized, or in their own unit if not scaled); constructs have
        a variance of 1.
    cross : (…, p, q) correlations of items and composites.
    proxies : (…, q, q) correlations of the composites.
    rho_a : (…, q) reliability of the composites after Dijkstra and Henseler; 1 for single items and mode B.
    loadings : (…, p) on the own construct, corrected where the construct is.
    corr : (…, q, q) correlations of the constructs, corrected where they are.
    paths : (…, q, q) coefficients; row: explained, column: explaining. total : (…, q, q) total effects.
    r2 : (…, q) explained share of variance; NaN for what nothing explains.
    steps : (…,) rounds taken. converged : (…,).
    """

    sd: np.ndarray
    weights: np.ndarray
    cross: np.ndarray
    proxies: np.ndarray
    rho_a: np.ndarray
    loadings: np.ndarray
    corr: np.ndarray
    paths: np.ndarray
    total: np.ndarray
    r2: np.ndarray
    steps: np.ndarray
    converged: np.ndarray

    def __getitem__(self, at: int | slice | np.ndarray | tuple[int | slice, ...]) -> Solution:
        """The same of some of the samples: an index of the leading axes."""
        return Solution(*(getattr(self, field.name)[at] for field in fields(self)))

    @property
    def indirect(self) -> np.ndarray:
        """(…, q, q) effects through other constructs."""
        return self.total - self.paths


def solve(cov: np.ndarray, blocks: Blocks, settings: Settings) -> Solution:
    """Partial least squares on covariance matrices.

    Parameters
    ----------
    cov : (…, p, p) covariances of the columns of `blocks`; the divisor does not matter.

    Returns
    -------
    Solution
        NaN where a sample has a constant item, or collinear items in mode B; `converged` is False there.

    Source: Lohmöller (1989), ch. 2; Dijkstra & Henseler (2015), MIS Quarterly 39(2), 297–316, for the correction.
    """
    lead, p = cov.shape[:-2], cov.shape[-1]
    flat = np.ascontiguousarray(cov, float).reshape(-1, p, p)
    with np.errstate(all="ignore"):
        sd = np.sqrt(np.diagonal(flat, axis1=1, axis2=2))
        used = flat / (sd[:, :, None] * sd[:, None, :]) if settings.scaled else flat
        outer = outer_weights(used, blocks, settings.scheme, tolerance=settings.tolerance, most=settings.most)
        found = _inner(used, outer.weights, blocks)
    parts = (sd, outer.weights, *found, outer.steps, outer.converged)
    return Solution(*(part.reshape((*lead, *part.shape[1:])) for part in parts))


def _inner(cov: np.ndarray, weights: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, ...]:
    """From weights (m, p) to all that follows from them, in the order of `Solution`."""
    with_composites = cov @ (weights[:, :, None] * blocks.member)
    proxies = blocks.member.T @ (weights[:, :, None] * with_composites)
    cross = with_composites / np.sqrt(np.diagonal(cov, axis1=1, axis2=2))[:, :, None]
    rho_a = dijkstra_henseler(cov, weights, blocks)
    own = np.take_along_axis(cross, blocks.block[None, :, None], axis=2)[..., 0]
    loadings = np.where(blocks.consistent[blocks.block], _consistent_loadings(cov, weights, rho_a, blocks), own)
    corr = disattenuated(proxies, np.where(blocks.consistent, rho_a, 1.0))
    paths = regressions(corr, blocks.explained)
    r2 = np.where(blocks.endogenous, np.sum(paths * corr, axis=2), np.nan)
    return cross, proxies, rho_a, loadings, corr, paths, total_effects(paths), r2


def dijkstra_henseler(cov: np.ndarray, weights: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(m, q) reliability ρA of composites in mode A; 1 for single items and other weights.

    Source: Dijkstra & Henseler (2015), equation 3: the multiple of the weights that reproduces the covariances of
    different items of a block best.
    """
    squares = np.square(weights)
    length = blocks.summed(squares)
    fourth = blocks.summed(np.square(squares))
    variance = np.diagonal(cov, axis1=1, axis2=2)
    off = 1.0 - blocks.summed(squares * variance)
    known = np.array([mode == "A" for mode in blocks.modes]) & (blocks.sizes > 1)
    return np.where(known, np.square(length) * off / (np.square(length) - fourth), 1.0)


def _consistent_loadings(cov: np.ndarray, weights: np.ndarray, rho_a: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(m, p) loadings of standardized items as multiples of the weights."""
    factor = np.sqrt(rho_a) / blocks.summed(np.square(weights))
    return weights * factor[:, blocks.block] / np.sqrt(np.diagonal(cov, axis1=1, axis2=2))


def disattenuated(proxies: np.ndarray, reliability: np.ndarray) -> np.ndarray:
    """Correlations (…, q, q) of constructs from those of their composites with reliabilities (…, q)."""
    root = np.sqrt(reliability)
    corr = proxies / (root[..., :, None] * root[..., None, :])
    at = np.arange(corr.shape[-1])
    corr[..., at, at] = 1.0
    return corr


def total_effects(paths: np.ndarray) -> np.ndarray:
    """(…, q, q) effects over all ways of a model without circles."""
    total, step = paths.copy(), paths
    for _ in range(paths.shape[-1] - 2):
        step = step @ paths
        total += step
    return total


def variance_inflation(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q, q) variance inflation of each explaining construct (column) in the equation of the row; NaN elsewhere."""
    out = np.full(corr.shape, np.nan)
    for j, by in blocks.explained:
        among = inverse(corr[..., by[:, None], by])
        out[..., j, by] = np.diagonal(among, axis1=-2, axis2=-1)
    return out
