"""Relative importance: how much of R² belongs to each driver, whatever the order (LMG, the Shapley value)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import lgamma
from typing import Any

import numpy as np
import pandas as pd

from csat.drivers.least_squares import fit_least_squares
from csat.drivers.regression import variables_of
from csat.errors import OptionError, check_choice
from csat.moments import Groups, RowSource, Source, source_of
from csat.results import Estimates, Provenance, Shown, Unavailable, insert_before
from csat.variance import degrees_of_freedom, gradient, linearised, method_of

METHODS = ("lmg", "first", "last")
#: 2^k subsets are visited; beyond this many drivers that no longer fits into memory.
MOST_DRIVERS = 22
#: Up to this many drivers the exact gradient costs less than a second.
MOST_WITH_ERRORS = 12


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Importance(Shown):
    """Importance of each driver.

    estimates : parts of R² (for "lmg" they sum to it).
    share : (k,) per cent of their sum. rank : (k,) 1 = most important.
    left_out : respondents without an answer to one of the variables.
    """

    outcome: str
    method: str
    estimates: Estimates
    share: np.ndarray
    rank: np.ndarray
    r2: float
    left_out: int

    def tidy(self) -> pd.DataFrame:
        """A row per driver, with ``share`` and ``rank`` before the ``note``."""
        return insert_before(self.estimates.tidy(), "note", {"share": self.share, "rank": self.rank})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(
            outcome=self.outcome, method=self.method, r2=self.r2, n=int(self.estimates.n[0]), left_out=self.left_out
        )


def importance(
    source: Source, outcome: str, drivers: Sequence[Any], *, method: str = "lmg", level: float = 0.95
) -> Importance:
    """Relative importance of the drivers of an outcome.

    Parameters
    ----------
    source : survey or summary; complete answers only ("listwise").
    outcome : dependent variable.
    drivers : (k,) at most 22.
    method : "lmg" (average gain in R² over all orders: Lindeman, Merenda & Gold 1980, the Shapley value),
        "first" (R² alone), "last" (gain in R² when entered last).
    level : of the intervals.

    Returns
    -------
    Importance
        Standard errors by Taylor linearisation of the exact gradient (design-based); not computable for a summary
        without rows, nor beyond 12 drivers.

    Raises
    ------
    OptionError, SampleError, CollinearityError
    """
    check_choice("method", method, METHODS)
    names = variables_of(outcome, drivers)
    k = len(names) - 1
    if k > MOST_DRIVERS:
        raise OptionError(f"importance takes up to {MOST_DRIVERS} drivers; {k} were given.")
    groups = source_of(source).groups(names, (), "listwise")
    moments = groups.moments()
    fit = fit_least_squares(moments)

    def parts(gram: np.ndarray) -> np.ndarray:
        return split_r2(_correlations(gram), method)

    values = parts(moments.gram[None])[0]
    vcov, reason = _covariance(source, groups, moments.gram, parts, k)
    estimates = Estimates(
        term=tuple(names[:-1]),
        estimate=values,
        vcov=vcov,
        df=float(degrees_of_freedom(groups).min()),
        n=np.full(k, moments.n),
        n_eff=np.full(k, np.nan),
        unit="share of R²",
        provenance=Provenance("listwise", "none" if reason else method_of(groups)),
        level=level,
        unavailable=dict.fromkeys(range(k), reason) if reason else {},
    )
    rank = np.argsort(np.argsort(-values)) + 1
    return Importance(names[-1], method, estimates, 100 * values / values.sum(), rank, fit.r2, groups.incomplete)


def _covariance(
    source: Source, groups: Groups, gram: np.ndarray, parts: Callable[[np.ndarray], np.ndarray], k: int
) -> tuple[np.ndarray, Unavailable | None]:
    nothing = np.full((k, k), np.nan)
    if k > MOST_WITH_ERRORS:
        return nothing, Unavailable("too_many_drivers")
    if groups.published or not (groups.psus or isinstance(source, RowSource)):
        return nothing, Unavailable("no_rows")

    def again(grams: np.ndarray) -> np.ndarray:
        return parts(grams.reshape(-1, *gram.shape)).reshape(*grams.shape[:-2], k)

    return linearised(source, groups, gradient(parts, gram)[None], again)[0, :, 0, :], None


def _correlations(gram: np.ndarray) -> np.ndarray:
    """(B, p, p) correlations of [drivers, outcome] from Gram matrices; analytic, for complex steps."""
    mean = gram[:, :1, 1:] / gram[:, :1, :1]
    cov = gram[:, 1:, 1:] / gram[:, :1, :1] - mean.transpose(0, 2, 1) * mean
    spread = np.sqrt(np.diagonal(cov, axis1=1, axis2=2))
    return cov / (spread[:, :, None] * spread[:, None, :])


def split_r2(corr: np.ndarray, method: str) -> np.ndarray:
    """Parts of R² per driver: (B, k) from correlations (B, 1+k, 1+k), the outcome last."""
    k = corr.shape[1] - 1
    if method == "first":
        return corr[:, :k, k] ** 2
    explained = all_r2(corr)
    if method == "last":
        full = explained[:, -1:]
        return full - explained[:, [2**k - 1 - 2**j for j in range(k)]]
    size = np.array([bin(s).count("1") for s in range(2**k)])
    share = np.exp([lgamma(m + 1) + lgamma(k - m) - lgamma(k + 1) if m < k else -np.inf for m in range(k + 1)])
    out = np.empty((len(corr), k), explained.dtype)
    subsets = np.arange(2**k)
    for j in range(k):
        without = subsets[(subsets >> j) & 1 == 0]
        gain = explained[:, without | 1 << j] - explained[:, without]
        out[:, j] = gain @ share[size[without]]
    return out


def all_r2(corr: np.ndarray) -> np.ndarray:
    """R² of the outcome on every subset of drivers.

    Parameters
    ----------
    corr : (B, 1+k, 1+k) correlations, the outcome last.

    Returns
    -------
    (B, 2^k) array
        Subset S has driver j if bit j of its position is set. Costs O(2^k) per matrix: each driver in turn is
        swept out of half of the states (Schur complement) and dropped from the other half.
    """
    state = corr[:, None]
    k = corr.shape[1] - 1
    for _ in range(k):
        rest = state[..., 1:, 1:]
        column = state[..., 1:, :1]
        swept = rest - column * column.swapaxes(-1, -2) / state[..., :1, :1]
        state = np.concatenate([rest, swept], axis=1)
    return 1 - state[..., 0, 0]
