"""The correlations of items that a path model implies, and how far the sample's are from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.solution import Solution


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far implied correlations are from the sample's, along the leading axes (…).

    srmr : root of the mean squared residual over the p·(p + 1)/2 correlations. d_uls : sum of their squares.
    d_g : geodesic distance, half the squared natural logarithms of relative eigenvalues (cSEM takes those to base 10).
    d_ml : discrepancy of maximum likelihood. nfi : normed fit index (Bentler & Bonett 1980).
    NaN where a matrix is not positive definite.
    """

    srmr: np.ndarray
    d_uls: np.ndarray
    d_g: np.ndarray
    d_ml: np.ndarray
    nfi: np.ndarray


def implied_constructs(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…, q, q) correlations of constructs if they were connected by the paths alone.

    Those that nothing explains correlate as in the sample; residuals of the others are uncorrelated, with the variances
    that R² leaves. Where this makes a variance other than 1, it is set to 1, as cSEM does.
    """
    q = len(blocks.constructs)
    left = np.where(blocks.endogenous, 1.0 - solution.r2, 0.0)
    source = np.where(np.logical_or.outer(blocks.endogenous, blocks.endogenous), 0.0, solution.corr)
    source = source + left[..., None] * np.eye(q)
    spread = np.eye(q) + solution.total
    out = spread @ source @ spread.swapaxes(-1, -2)
    at = np.arange(q)
    out[..., at, at] = 1.0
    return out


def implied_items(corr: np.ndarray, solution: Solution, blocks: Blocks, *, saturated: bool = False) -> np.ndarray:
    """(…, p, p) correlations of items that the model implies.

    Items of different constructs correlate through these. Items of one correlate as its loadings say if it is
    corrected for attenuation (a common factor), else, as a composite, as in the sample.

    Parameters
    ----------
    corr : (…, p, p) of the sample. saturated : constructs correlate as estimated, not as paths say.
    """
    constructs = solution.corr if saturated else implied_constructs(solution, blocks)
    load = solution.loadings
    between = constructs[..., blocks.block[:, None], blocks.block] * load[..., :, None] * load[..., None, :]
    same = np.equal.outer(blocks.block, blocks.block)
    factor = blocks.consistent[blocks.block]
    out = np.where(same & ~factor, corr, between)
    at = np.arange(out.shape[-1])
    out[..., at, at] = 1.0
    return out


def distances(corr: np.ndarray, implied: np.ndarray) -> Distances:
    """Measures of fit of implied to sample correlations, both (…, p, p).

    Source: Dijkstra & Henseler (2015), Computational Statistics & Data Analysis 81, 10–23.
    """
    p = corr.shape[-1]
    d_uls = 0.5 * np.sum(np.square(corr - implied), axis=(-2, -1))
    d_uls = d_uls + 0.5 * np.sum(np.square(np.diagonal(corr - implied, axis1=-2, axis2=-1)), axis=-1)
    with np.errstate(all="ignore"):
        roots = _relative_roots(corr, implied)
        logs = np.log(np.where(roots > 0, roots, np.nan))
        d_ml = np.sum(-logs + roots, axis=-1) - p
        null = -np.sum(np.log(np.where(roots > 0, np.linalg.eigvalsh(_finite(corr)), np.nan)), axis=-1)
        d_g = 0.5 * np.sum(np.square(logs), axis=-1)
        return Distances(np.sqrt(d_uls / (p * (p + 1) / 2)), d_uls, d_g, d_ml, 1.0 - d_ml / null)


def _relative_roots(corr: np.ndarray, implied: np.ndarray) -> np.ndarray:
    """(…, p) eigenvalues of implied⁻¹·corr; NaN where one of them is not positive definite."""
    values, vectors = np.linalg.eigh(_finite(implied))
    positive = values[..., :1] > 1e-10
    half = vectors / np.sqrt(np.where(positive, values, np.nan))[..., None, :]
    turned = half.swapaxes(-1, -2) @ _finite(corr) @ half
    known = np.isfinite(turned).all(axis=(-2, -1), keepdims=True)
    roots = np.linalg.eigvalsh(np.where(known, turned, 0.0))
    return np.where(known[..., 0], roots, np.nan)


def _finite(matrices: np.ndarray) -> np.ndarray:
    """Matrices (…, p, p) with zeros for those that are not numbers throughout, which a decomposition would refuse."""
    return np.where(np.isfinite(matrices).all(axis=(-2, -1), keepdims=True), matrices, 0.0)
