"""`CategoricalRegression`: what a logit has besides what every regression has: odds ratios, average effects, levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.drivers.linear.result import Regression
from csat.results import Estimates


@dataclass(frozen=True, slots=True, eq=False, repr=False, kw_only=True)
class CategoricalRegression(Regression):
    """A fitted logit or ordered logit.

    Coefficients are differences in log odds: of the higher of two values, or of a higher level whichever the cut. The
    rows of an ordered logit end with its thresholds "1|2", "2|3" …: log odds of a level up to the first, for drivers
    of zero. `beta` is the coefficient times the driver's standard deviation; partial correlations, `r2`, `adj_r2` and
    `sigma` are not defined. `loglik`, `aic` and `bic` count weights as if their mean were 1; with a sampling design
    they describe, and test nothing. `glance` adds ``modelled``, ``levels``, ``null_loglik``, pseudo-R² of McFadden
    (1974), Cox & Snell (1989) and Nagelkerke (1991), and ``rounds`` of Newton's method.

    effects : (M,) per group, average marginal effects on the probability of the higher value, or of the top level,
        as a share: per unit of a numeric driver, against the reference of a category. One for each driver that stands
        in the model by itself or in interactions.
    levels : a row per level of the outcome (and group): level, n, and weighted share.
    empty : levels of the outcome that only respondents who were left out gave.
    """

    effects: Estimates
    levels: pd.DataFrame
    empty: tuple[float, ...]

    def odds_ratios(self) -> pd.DataFrame:
        """Odds ratio per unit of each driver, with its interval and the p of its coefficient.

        Returns
        -------
        DataFrame
            term, groups, estimate, low, high, p, note; without intercepts and thresholds.
        """
        table = self.coefficients.tidy()
        figures = ["estimate", "low", "high"]
        table[figures] = np.exp(table[figures].clip(upper=700.0))
        columns = ["term", *self.coefficients.keys, *figures, "p", "note"]
        return table.loc[[bool(owner) for owner in self.owner], columns].reset_index(drop=True)
