"""`Resampled`: estimates of a model on replicates of its sample, and the inference that follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.distributions import two_sided_p
from csat.model import Definition
from csat.replicates import Scaling
from csat.replicates.intervals import acceleration_of, interval_of
from csat.results import ratio_to_error
from csat.structural.engine.structure import Layout
from csat.structural.engine.values import table_jacobian, table_values
from csat.structural.figures import Figures, symmetric_figures, without_noise


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """Estimates of a model on R replicates.

    layout : of the model; its fixed values may have a first axis of R (moments of predictors).
    theta : (R, k) where the search stopped. moves : (m, k) how far each sampled unit moves estimates in first order;
        each replicate, if there are too many units (`by_draws`).
    used : (R,) which of them converged. improper : (R,) whether a variance is negative, or constructs correlate
        beyond 1; they count all the same, as leaving them out would make intervals too short.
    scaling : how variances come from spread. df : degrees of freedom of variances.
    words : how the replicates were made. drawn : whether quantiles of figures are intervals.
    p : probability of a χ² as large as the sample's if the model holds, from draws in which it does; NaN if not
        asked for. tests : such draws that converged.
    """

    layout: Layout
    theta: np.ndarray
    moves: np.ndarray
    by_draws: bool
    used: np.ndarray
    improper: np.ndarray
    scaling: Scaling
    df: float
    words: str
    drawn: bool
    p: float = np.nan
    tests: int = 0

    def values(self, definitions: Sequence[Definition], kind: str) -> np.ndarray:
        """(used, rows + definitions) the parameter table of every replicate with estimates."""
        at = np.flatnonzero(self.used)
        return table_values(self.layout.take(at), definitions, self.theta[at], kind)

    def spread(self, draws: np.ndarray, centre: np.ndarray) -> np.ndarray:
        """(q,) standard errors of figures (used, q); `centre` (q,) those of the sample. NaN counts as not drawn.

        Replicates without a figure are taken to deviate as much as the others do on average.
        """
        known = np.isfinite(draws)
        factor = np.where(known, self.scaling.rscales[self.used][:, None], 0.0)
        mass = factor.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            middle = centre if self.scaling.mse else np.where(known, draws, 0.0).sum(axis=0) / known.sum(axis=0)
            squares = np.sum(factor * np.where(known, draws - middle, 0.0) ** 2, axis=0)
            return np.sqrt(self.scaling.scale * squares * (self.scaling.rscales.sum() / mass))

    def covariance(self, theta: np.ndarray) -> np.ndarray:
        """(k, k) covariance of the estimates; theta (k,) those of the sample."""
        draws, factor = self.theta[self.used], self.scaling.rscales[self.used]
        apart = (draws - (theta if self.scaling.mse else draws.mean(axis=0))) * np.sqrt(factor)[:, None]
        return self.scaling.scale * (self.scaling.rscales.sum() / factor.sum()) * (apart.T @ apart)

    def figures(
        self, layout: Layout, definitions: Sequence[Definition], theta: np.ndarray, kind: str, level: float, method: str
    ) -> Figures:
        """Inference about every row of the table.

        Parameters
        ----------
        layout, theta : of the sample itself. kind : as in `table_values`. method : of `intervals.METHODS`.
        """
        estimate, draws = table_values(layout, definitions, theta, kind), self.values(definitions, kind)
        fixed = [row.sampled for row in layout.rows] + [False] * len(definitions)
        if kind == "raw":  # taken as given, as in all other standard errors
            draws[:, fixed] = estimate[fixed]
        se = without_noise(estimate, self.spread(draws, estimate))
        if method == "normal":
            return symmetric_figures(estimate, se, level, self.df)
        slope = table_jacobian(layout, definitions, theta, kind) if method == "bca" else np.zeros((len(se), len(theta)))
        skewed = acceleration_of(self.moves @ slope.T, draws=self.by_draws)
        low, high = interval_of(draws, estimate, level, method, skewed)
        statistic = ratio_to_error(estimate, se)
        return Figures(estimate, se, statistic, two_sided_p(statistic, np.inf), low, high)

    @property
    def counts(self) -> dict[str, float]:
        """What became of the replicates: columns of ``Sem.glance()``."""
        found = {
            "replicates": len(self.used), "replicates_used": int(self.used.sum()),
            "replicates_failed": int((~self.used).sum()), "replicates_improper": int((self.improper & self.used).sum()),
        }  # fmt: skip
        return found | ({"p_bootstrap": self.p, "tests_used": self.tests} if np.isfinite(self.p) else {})

    def with_test(self, p: float, tests: int) -> Resampled:
        """The same with a test of the model."""
        return replace(self, p=p, tests=tests)
