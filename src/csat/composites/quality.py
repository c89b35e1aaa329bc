"""How well constructs are measured and explained: reliability, collinearity, effect sizes; for many samples at once."""

from __future__ import annotations

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.linear import inverse
from csat.composites.solution import Solution, variance_inflation


def average_variance(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…, q) average variance extracted: the mean squared loading of a construct."""
    return blocks.summed(np.square(solution.loadings)) / blocks.sizes


def composite_reliability(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…, q) ρC of the sum of the items, from their loadings (Werts, Linn & Jöreskog 1974); 1 for single items."""
    total = np.square(blocks.summed(solution.loadings))
    return total / (total + blocks.summed(1.0 - np.square(solution.loadings)))


def standardized_alpha(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, q) Cronbach's alpha of standardized items; corr (…, p, p) of the items; 1 for single items."""
    sizes = blocks.sizes
    with_blocks = corr @ blocks.member
    total = blocks.summed(with_blocks[..., np.arange(len(blocks.block)), blocks.block])
    with np.errstate(invalid="ignore", divide="ignore"):
        found = sizes / np.maximum(sizes - 1, 1) * (1.0 - sizes / total)
    return np.where(sizes > 1, found, 1.0)


def item_inflation(corr: np.ndarray, blocks: Blocks) -> np.ndarray:
    """(…, p) variance inflation of each item among those of its construct; corr (…, p, p) of the items."""
    out = np.ones(corr.shape[:-1])
    for j in range(len(blocks.constructs)):
        at = blocks.columns(j)
        if len(at) > 1:
            out[..., at] = np.diagonal(inverse(corr[..., at[:, None], at]), axis1=-2, axis2=-1)
    return out


def effect_sizes(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…, q, q) Cohen's f²: what R² loses without the path, over the unexplained share; NaN without a path.

    Without a predictor R² falls by the squared coefficient over its variance inflation.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        lost = np.square(solution.paths) / variance_inflation(solution.corr, blocks)
        return lost / (1.0 - solution.r2[..., :, None])


def adjusted_r2(r2: np.ndarray, blocks: Blocks, n: np.ndarray) -> np.ndarray:
    """(…, q) R² less what as many unrelated predictors would explain; n (…) respondents."""
    predictors = blocks.paths.sum(axis=1)
    rest = np.asarray(n, float)[..., None] - 1.0
    with np.errstate(invalid="ignore", divide="ignore"):
        found = 1.0 - (1.0 - r2) * rest / (rest - predictors)
    return np.where(rest > predictors, found, np.nan)


def goodness_of_fit(solution: Solution, blocks: Blocks) -> np.ndarray:
    """(…) GoF: root of the mean squared loading of items that share a construct times the mean R².

    Source: Tenenhaus, Amato & Esposito Vinzi (2004), Proceedings of the XLII SIS Scientific Meeting.
    """
    shared = blocks.sizes[blocks.block] > 1
    if not shared.any():
        return np.full(solution.loadings.shape[:-1], np.nan)
    return np.sqrt(
        np.mean(np.square(solution.loadings[..., shared]), axis=-1)
        * np.mean(solution.r2[..., blocks.endogenous], axis=-1)
    )
