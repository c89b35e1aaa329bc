"""How nearly the drivers repeat each other: condition indices and variance proportions of Belsley, Kuh & Welsch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from csat.drivers.linear.least_squares import Fit


def dimensions(fit: Fit | None, q: int) -> tuple[np.ndarray, np.ndarray]:
    """Condition indices, and the share of each coefficient's variance that each dimension makes.

    Of the columns of the model in the units of the data, the intercept too, each scaled to length 1. From the
    singular values of a triangular factor of the columns, not of their products: those would square the condition.
    Source: Belsley, Kuh & Welsch (1980), Regression Diagnostics, 3.2.

    Returns
    -------
    indices, shares
        (q,) ascending from 1; (q, q) dimension × coefficient, each column adding up to 1. NaN without a fit or means.
    """
    if fit is None or not np.isfinite(fit.coef).all():
        return np.full(q, np.nan), np.full((q, q), np.nan)
    factor = np.zeros((q, q))
    if fit.intercept:
        factor[0, 0] = np.sqrt(fit.weight)
        factor[0, 1:] = factor[0, 0] * fit.mean
    factor[q - len(fit.beta) :, q - len(fit.beta) :] = np.linalg.cholesky(fit.corr).T * fit.spread[:-1]
    _, values, vectors = np.linalg.svd(factor / np.sqrt(np.square(factor).sum(axis=0)))
    parts = np.square(vectors / values[:, None])
    return values[0] / values, parts / parts.sum(axis=0)


def collinearity_table(
    names: Sequence[str],
    found: Sequence[tuple[np.ndarray, np.ndarray]],
    by: Sequence[str] = (),
    groups: Sequence[Sequence[str]] = ((),),
) -> pd.DataFrame:
    """A row per group, dimension and coefficient: the grouping columns, dimension, condition_index, term, share.

    `found` are the `dimensions` of each group, whose labels are `groups`.
    """
    q = len(names)
    rows = range(len(groups) * q * q)
    labels = {name: [groups[row // (q * q)][i] for row in rows] for i, name in enumerate(by)}
    figures = {
        "dimension": np.tile(np.repeat(np.arange(1, q + 1), q), len(groups)),
        "condition_index": np.concatenate([np.repeat(indices, q) for indices, _ in found]),
        "term": [*names] * (q * len(groups)),
        "share": np.concatenate([shares.ravel() for _, shares in found]),
    }
    return pd.DataFrame(labels | figures)
