"""Standard errors, tests and intervals of every row of the parameter table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from csat.distributions import t_quantile, two_sided_p
from csat.model import Definition
from csat.results import ratio_to_error
from csat.structural.engine.structure import Layout
from csat.structural.engine.values import table_jacobian


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """What the table says of each of its r rows; all (r,). Field names are columns of ``Sem.tidy()``."""

    estimate: np.ndarray
    se: np.ndarray
    statistic: np.ndarray
    p: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def columns(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def symmetric_figures(estimate: np.ndarray, se: np.ndarray, level: float, df: float = np.inf) -> Figures:
    """Tests against 0 and intervals estimate ± t·se, from estimates and standard errors (r,)."""
    statistic = ratio_to_error(estimate, se)
    half = t_quantile((1 + level) / 2, df) * se
    return Figures(estimate, se, statistic, two_sided_p(statistic, df), estimate - half, estimate + half)


def delta_errors(
    layout: Layout, definitions: Sequence[Definition], theta: np.ndarray, vcov: np.ndarray, kind: str
) -> np.ndarray:
    """(r,) standard errors of `table_values` by the delta method, from the covariance (k, k) of theta."""
    slope = table_jacobian(layout, definitions, theta, kind)
    return np.sqrt(np.maximum(np.sum((slope @ vcov) * slope, axis=1), 0.0))


def without_noise(estimate: np.ndarray, se: np.ndarray) -> np.ndarray:
    """(r,) standard errors: 0 where only rounding moves a value (a variance over itself), NaN without a value."""
    kept = np.where(se < 1e-10 * np.maximum(np.abs(estimate), 1e-300), 0.0, se)
    return np.where(np.isfinite(estimate), kept, np.nan)
