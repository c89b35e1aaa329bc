"""Outer weights that do not depend on the other constructs: equal ones, and those of a common factor."""

from __future__ import annotations

import numpy as np

from csat.composites.blocks import Blocks

#: Sweeps of the least-squares factor solution, and the change of a loading that ends them.
_SWEEPS, _SMALL = 1000, 1e-11
#: Least unique variance of a standardized item, as in R's factanal: an item never is the factor itself.
_UNIQUE = 0.005


def fixed_weights(cov: np.ndarray, blocks: Blocks) -> tuple[np.ndarray, np.ndarray]:
    """Weights of the blocks in mode "unit" and "factor", up to their length.

    Parameters
    ----------
    cov : (m, p, p) covariances of the columns of `blocks`.

    Returns
    -------
    (k,) columns and (m, k) their weights
        "factor": the weights of regression factor scores (Thurstone 1935) after a factor fitted to the block's
        correlations by least squares (minres: Harman & Jones 1966, Psychometrika 31, 351–368).
    """
    weights = np.ones(cov.shape[:2])
    for j, mode in enumerate(blocks.modes):
        at = blocks.columns(j)
        if mode == "factor":
            block = cov[:, at[:, None], at]
            sd = np.sqrt(np.diagonal(block, axis1=1, axis2=2))
            load = one_factor(block / (sd[:, :, None] * sd[:, None, :]))
            weights[:, at] = load / np.maximum(1.0 - np.square(load), _UNIQUE) / sd
    columns = np.flatnonzero(np.isin(np.array(blocks.modes), ("unit", "factor"))[blocks.block])
    return columns, weights[:, columns]


def one_factor(corr: np.ndarray) -> np.ndarray:
    """Loadings (m, k) of one factor on correlations (m, k, k) by least squares; equal ones for two items.

    Each loading in turn becomes the best one given the others, until none changes.
    """
    k = corr.shape[-1]
    load = corr.sum(axis=2) / np.sqrt(corr.sum(axis=(1, 2)))[:, None]
    if k == 2:
        return np.repeat(np.sqrt(np.maximum(corr[:, 0, 1], 0.0))[:, None], 2, axis=1)
    for _ in range(_SWEEPS):
        before = load.copy()
        for i in range(k):
            others = np.delete(np.arange(k), i)
            rest = load[:, others]
            load[:, i] = np.sum(corr[:, i, others] * rest, axis=1) / np.sum(np.square(rest), axis=1)
            load[:, i] = np.clip(load[:, i], -1.0, 1.0)
        if not np.any(np.abs(load - before) > _SMALL):
            break
    return load
