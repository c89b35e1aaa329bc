"""`Weights`: calibrated weights, and how the sample looks before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.results import Shown


@dataclass(frozen=True, slots=True, eq=False)
class Balance:
    """The sample against its targets, one entry per target.

    margin, category : (q,) names; the category of a number is empty.
    n : (q,) respondents. target, before, after : (q,) totals; before with the design weights.
    size : (q,) population that shares refer to; NaN for a number. base : (q,) the same before.
    low, high : (q,) smallest and largest factor in the category.
    """

    margin: tuple[str, ...]
    category: tuple[str, ...]
    n: np.ndarray
    target: np.ndarray
    before: np.ndarray
    after: np.ndarray
    base: np.ndarray
    size: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Weights(Shown):
    """Calibrated weights.

    weights : (n,) design weight × factor.
    factor : (n,) g = weight / design weight.
    method : as asked for.
    converged : the targets are met to the tolerance (after trimming without recalibration they are not).
    iterations : of the last solution: sweeps over the margins, or Newton steps. rounds : solutions, 1 without trimming.
    trimmed : respondents whose weight was cut.
    balance : the sample against its targets, before and after.
    """

    weights: np.ndarray
    factor: np.ndarray
    method: str
    converged: bool
    iterations: int
    rounds: int
    trimmed: int
    balance: Balance

    @property
    def deff(self) -> float:
        """Design effect of unequal weights, n·Σw²/(Σw)² (Kish 1992, J. Official Statistics 8, 183–200)."""
        return float(len(self.weights) * (self.weights**2).sum() / self.weights.sum() ** 2)

    @property
    def n_eff(self) -> float:
        """Effective sample size, n divided by `deff`."""
        return len(self.weights) / self.deff

    def tidy(self) -> pd.DataFrame:
        """One row per target: margin, category, n, totals and shares before and after, range of factors."""
        b = self.balance
        return pd.DataFrame(
            {
                "margin": list(b.margin),
                "category": list(b.category),
                "n": b.n,
                "target": b.target,
                "before": b.before,
                "after": b.after,
                "share_target": b.target / b.size,
                "share_before": b.before / b.base,
                "share_after": b.after / b.size,
                "factor_low": b.low,
                "factor_high": b.high,
            }
        )

    def glance(self) -> pd.DataFrame:
        """One row: method, sum and range of the weights, what unequal weights cost, how it was found."""
        low, high = float(self.weights.min()), float(self.weights.max())
        return pd.DataFrame(
            {
                "method": [self.method],
                "n": [len(self.weights)],
                "sum": [float(self.weights.sum())],
                "min": [low],
                "max": [high],
                "ratio": [high / low],
                "deff": [self.deff],
                "n_eff": [self.n_eff],
                "efficiency": [1 / self.deff],
                "trimmed": [self.trimmed],
                "converged": [self.converged],
                "iterations": [self.iterations],
                "rounds": [self.rounds],
            }
        )
