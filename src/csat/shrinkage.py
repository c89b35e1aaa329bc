"""Small branches: direct figures drawn towards the mean of all (Fay–Herriot), and ranks with intervals.

A league table of direct figures rewards small branches, which scatter most. The shrunken figure is the best
prediction when branches differ by a random effect; the rank interval says how far the order is known at all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csat.errors import SampleError, check_choice
from csat.ranks import rank_interval, rank_of
from csat.results import Estimates, Provenance, Shown, estimates_of, insert_before

#: Points of the grid on which the variance between groups is looked for.
GRID = 60


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Shrunken(Shown):
    """Shrunken figures beside the direct ones.

    estimates : empirical best predictions, with their mean squared errors as covariance; df = inf.
    direct : the figures that went in.
    weight : (D,) share of the direct figure in the prediction; the rest is the common mean.
    between : variance between branches, REML. mean : the common mean.
    rank : (D,) by the prediction, 1 = highest. rank_low, rank_high : (D,) where the true rank lies, for all branches
        at once.
    """

    estimates: Estimates
    direct: Estimates
    weight: np.ndarray
    between: float
    mean: float
    rank: np.ndarray
    rank_low: np.ndarray
    rank_high: np.ndarray

    def tidy(self) -> pd.DataFrame:
        """A row per branch: prediction, then ``direct direct_se weight rank rank_low rank_high`` before the note."""
        columns = {
            "direct": self.direct.estimate,
            "direct_se": self.direct.se,
            "weight": self.weight,
            "rank": self.rank,
            "rank_low": self.rank_low,
            "rank_high": self.rank_high,
        }
        return insert_before(self.estimates.tidy(), "note", columns)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(mean=self.mean, between_sd=float(np.sqrt(self.between)))


def shrink(estimates: Estimates, term: str | None = None) -> Shrunken:
    """Draw the figures of branches towards their common mean, each by how unsure it is.

    Parameters
    ----------
    estimates : of several groups, e.g. ``csat.index(s, by="branch").estimates``.
    term : which figure; None: the first (the index).

    Returns
    -------
    Shrunken
        Model: θ̂ = θ + e, θ = μ + v, with the whole sampling covariance of e (branches may share sampling units) and
        v ~ N(0, A). A by REML; mean squared errors g1 + g2 + 2·g3. A branch without a standard error of its own (fewer
        than two answers) gets the common mean. Sources: Fay & Herriot (1979), J. Am. Stat. Assoc. 74, 269–277;
        Prasad & Rao (1990), ibid. 85, 163–171; Datta & Lahiri (2000), Statistica Sinica 10, 613–627.
        Rank intervals: 1 + the branches surely above … D − those surely below, by all comparisons of two direct
        figures with Holm's correction, simultaneously for all branches (Klein, Wright & Wieczorek 2020, J. R. Stat.
        Soc. A 183, 1057–1083; Mogstad, Romano, Shaikh & Wilhelm 2024, Rev. Econ. Stud. 91, 476–518).

    Raises
    ------
    SampleError
        With fewer than three branches that have a standard error.
    """
    direct = _of_term(estimates_of(estimates), term)
    known = np.isfinite(direct.se) & np.isfinite(direct.estimate)
    if known.sum() < 3:
        raise SampleError(
            f"Shrinking needs at least 3 groups with a standard error; {int(known.sum())} found. "
            "With fewer, the spread between groups cannot be told from sampling error."
        )
    y, v = direct.estimate[known], direct.vcov[np.ix_(known, known)]
    between = reml_variance(y, v)
    mean, mean_variance, prediction, mse, own = _predict(y, v, between)
    size = len(known)
    estimate, vcov, weight = np.full(size, mean), np.eye(size) * (between + mean_variance), np.zeros(size)
    estimate[known], weight[known] = prediction, own
    vcov[np.ix_(known, known)] = mse
    low, high = rank_interval(direct)
    shrunk = replace(
        direct,
        estimate=estimate,
        vcov=vcov,
        df=np.inf,
        n_eff=np.full(size, np.nan),
        provenance=Provenance(direct.provenance.sample, "Fay–Herriot, REML"),
        unavailable={},
    )
    rank = rank_of(estimate).astype(int)
    return Shrunken(shrunk, direct, weight, between, mean, rank, low, high)


def _of_term(estimates: Estimates, term: str | None) -> Estimates:
    if term is not None:
        check_choice("term", term, dict.fromkeys(estimates.term))
    wanted = estimates.term[0] if term is None else term
    at = [i for i, name in enumerate(estimates.term) if name == wanted]
    df = np.broadcast_to(np.asarray(estimates.df, float), len(estimates.term))[at]
    return replace(
        estimates,
        term=tuple(wanted for _ in at),
        estimate=estimates.estimate[at],
        vcov=estimates.vcov[np.ix_(at, at)],
        df=df,
        n=estimates.n[at],
        n_eff=estimates.n_eff[at],
        keys={name: tuple(column[i] for i in at) for name, column in estimates.keys.items()},
        unavailable={new: estimates.unavailable[old] for new, old in enumerate(at) if old in estimates.unavailable},
    )


def reml_variance(y: np.ndarray, v: np.ndarray) -> float:
    """Variance A between groups by restricted maximum likelihood, y ~ N(μ·1, A·I + v); 0 at the boundary.

    The best point of a wide grid brackets the maximum, where the score is then brought to zero.

    Parameters
    ----------
    y : (D,) direct figures. v : (D, D) their sampling covariance.
    """
    from scipy.optimize import brentq

    largest = 10 * float(np.var(y, ddof=1) + np.trace(v) / len(y))
    grid = np.r_[0.0, np.geomspace(largest * 1e-6, largest, GRID)]
    best = int(np.argmax([_restricted(between, y, v)[0] for between in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, GRID)]
    if _restricted(low, y, v)[1] <= 0:
        return 0.0
    return float(brentq(lambda between: _restricted(between, y, v)[1], low, high, xtol=1e-12 * largest))


def _restricted(between: float, y: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """Restricted log-likelihood (but for a constant) and its slope."""
    total = between * np.eye(len(y)) + v
    inverse = np.linalg.inv(total)
    ones = inverse.sum(axis=1)
    projection = inverse - np.outer(ones, ones) / ones.sum()
    residual = projection @ y
    likelihood = -(np.linalg.slogdet(total)[1] + np.log(ones.sum()) + y @ residual) / 2
    return float(likelihood), float((residual @ residual - np.trace(projection)) / 2)


def _predict(y: np.ndarray, v: np.ndarray, between: float) -> tuple[float, float, np.ndarray, np.ndarray, np.ndarray]:
    """Mean, its variance, predictions, their mean squared error matrix, own weights."""
    identity = np.eye(len(y))
    inverse = np.linalg.inv(between * identity + v)
    ones = inverse.sum(axis=1)
    mean_variance = 1 / ones.sum()
    mean = float(ones @ y * mean_variance)
    gain = between * inverse
    prediction = mean + gain @ (y - mean)
    left = (identity - gain).sum(axis=1)
    slope = inverse - between * inverse @ inverse
    projection = inverse - np.outer(ones, ones) * mean_variance
    spread = 2 / np.sum(projection * projection)
    g1 = between * (identity - gain)
    g2 = np.outer(left, left) * mean_variance
    g3 = slope @ (between * identity + v) @ slope.T * spread
    return mean, float(mean_variance), prediction, (g1 + g1.T) / 2 + g2 + 2 * g3, np.diag(gain)
