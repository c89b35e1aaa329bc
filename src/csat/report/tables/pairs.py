"""Figures compared two by two, as sentences need it: which of them differ once all comparisons are counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from csat.comparisons.result import adjusted
from csat.results import Estimates


def part(estimates: Estimates, rows: Sequence[int]) -> Estimates:
    """Some rows of estimates, with their joint covariance and key columns."""
    matrix = np.zeros((len(rows), len(estimates.term)))
    matrix[np.arange(len(rows)), rows] = 1.0
    keys = {name: tuple(column[row] for row in rows) for name, column in estimates.keys.items()}
    return estimates.contrast(matrix, [estimates.term[row] for row in rows], keys)


def pairs_of(estimates: Estimates, families: Sequence[Sequence[int]], adjust: str = "holm") -> pd.DataFrame:
    """Compare every two rows of each family; p values are corrected for all comparisons of all families together.

    Parameters
    ----------
    estimates : with their joint covariance.
    families : positions of rows that may be compared with each other (the groups of one item).

    Returns
    -------
    DataFrame
        ``high low`` (positions; the first has the higher figure), ``gap gap_low gap_high p``, and ``apart``: whether
        the corrected p lies below 1 − level.
    """
    pairs = [(a, b) if _figure(estimates, a) >= _figure(estimates, b) else (b, a) for rows in families
             for a, b in combinations(rows, 2)]  # fmt: skip
    if not pairs:
        return pd.DataFrame(columns=["high", "low", "gap", "gap_low", "gap_high", "p", "apart"])
    first, second = np.array(pairs, int).T
    matrix = np.zeros((len(pairs), len(estimates.term)))
    every = np.arange(len(pairs))
    matrix[every, first], matrix[every, second] = 1.0, -1.0
    gaps = estimates.contrast(matrix, [estimates.term[row] for row in first]).tidy()
    p = adjusted(gaps["p"].to_numpy(float), adjust)
    return pd.DataFrame(
        {
            "high": first,
            "low": second,
            "gap": gaps["estimate"],
            "gap_low": gaps["low"],
            "gap_high": gaps["high"],
            "p": p,
            "apart": p < 1 - estimates.level,
        }
    )


def _figure(estimates: Estimates, row: int) -> float:
    figure = float(estimates.estimate[row])
    return figure if np.isfinite(figure) else -np.inf
