"""How well a structure fits: χ² and the indices made of it, as lavaan 0.6 defines them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from csat.distributions import chi2_tail, noncentral_chi2, noncentrality
from csat.structural.engine.discrepancy import Sample, distance
from csat.structural.engine.linear import allowed
from csat.structural.engine.structure import Layout, Point, State, Structure

#: RMSEA up to which a fit is called close (Browne & Cudeck 1992, Sociological Methods & Research 21(2)).
_CLOSE = 0.05
#: Relative size of the rounding error of a fit function.
_ROUNDING = 32 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class Measures:
    """Fit of one model; NaN where a measure is not defined (p at no degrees of freedom, NFI beyond the baseline's).

    Field names are the columns of ``Sem.glance()``.
    """

    n: int
    npar: int
    chisq: float
    df: int
    p: float
    baseline_chisq: float
    baseline_df: int
    baseline_p: float
    cfi: float
    tli: float
    nfi: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    rmsea_p: float
    srmr: float
    gfi: float
    loglik: float
    unrestricted_loglik: float
    aic: float
    bic: float
    sabic: float


#: Squared length of covariances (p, p) and means (p,).
Length = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, slots=True)
class Statistic:
    """χ² of a model and of its baseline, with degrees of freedom; `tested` if it is distributed as χ²."""

    chisq: float
    df: int
    baseline: float
    baseline_df: int
    tested: bool = True


def free_parameters(layout: Layout) -> int:
    """Parameters that are free after the equations between them."""
    k = len(layout.names)
    if not layout.constraints:
        return k
    slope = np.nan_to_num(layout.restriction_slope(np.full(k, 0.5)))
    return allowed(slope).shape[1]


def measures_of(
    state: State, samples: Sequence[Sample], sizes: Sequence[float], scale: float, statistic: Statistic,
    loglik: tuple[float, float], gfi: float,
) -> Measures:  # fmt: skip
    """Fit measures at the estimates.

    Parameters
    ----------
    samples : (G,) the moments that were fitted. sizes : (G,) respondents of each group, by weight.
    scale : what multiplies the fit function: all respondents, or less one per group (Wishart).
    statistic : χ² of the model and of its baseline.
    loglik : of the model and of the unrestricted one; NaN where the estimator has none. gfi : see `goodness`.
    """
    chisq, df, null, null_df = statistic.chisq, statistic.df, statistic.baseline, statistic.baseline_df
    n, k = round(sum(sizes)), free_parameters(state.layout)
    low, high = rmsea_interval(chisq, df, scale, len(sizes))
    logl = loglik[0]
    return Measures(
        n=n, npar=k, chisq=chisq, df=df, p=upper(chisq, df) if statistic.tested else np.nan,
        baseline_chisq=null, baseline_df=null_df, baseline_p=upper(null, null_df) if statistic.tested else np.nan,
        cfi=cfi(chisq, df, null, null_df), tli=tli(chisq, df, null, null_df),
        nfi=(null - chisq) / null if null > 0 and df <= null_df else np.nan,
        rmsea=rmsea(chisq, df, scale, len(sizes)), rmsea_low=low, rmsea_high=high,
        rmsea_p=rmsea_p(chisq, df, scale, len(sizes)),
        srmr=_srmr(state.points, samples, sizes), gfi=gfi,
        loglik=logl, unrestricted_loglik=loglik[1], aic=2 * k - 2 * logl, bic=k * np.log(n) - 2 * logl,
        sabic=k * np.log((n + 2) / 24) - 2 * logl,
    )  # fmt: skip


def likelihood_statistic(
    state: State, samples: Sequence[Sample], multipliers: Sequence[float], value: float
) -> Statistic:
    """χ² of a maximum likelihood fit, and of its baseline, in closed form.

    Parameters
    ----------
    multipliers : (G,) respondents of each group, or one less (Wishart). value : F at the estimates.

    Notes
    -----
    Observed predictors whose moments are taken from the sample are conditioned on: they do not count in the degrees
    of freedom. In the baseline model predictors stay correlated with each other; means are free.
    """
    layout = state.layout
    scale = float(np.sum(multipliers))
    saturated = sum(
        m / scale * (_logdet(sample.cov) + len(sample.cov)) for m, sample in zip(multipliers, samples, strict=True)
    )
    # A difference within the rounding error of its terms is none: the fit is perfect.
    apart = value - saturated
    chisq = scale * apart if apart > _ROUNDING * (abs(value) + abs(saturated)) else 0.0
    df = layout.known - free_parameters(layout)
    null, null_df = 0.0, 0
    for structure, sample, m in zip(layout.groups, samples, multipliers, strict=True):
        distance, own = _baseline(structure, sample)
        null, null_df = null + m * distance, null_df + own
    return Statistic(chisq, df, null, null_df)


def _baseline(structure: Structure, sample: Sample) -> tuple[float, int]:
    """F and degrees of freedom of the model in which only predictors covary."""
    p, x = structure.p, list(structure.predictors)
    y = [i for i in range(p) if i not in x]
    logdet_x = _logdet(sample.cov[np.ix_(x, x)])
    value = float(np.log(np.diag(sample.cov)[y]).sum()) + logdet_x - _logdet(sample.cov)
    return value, p * (p + 1) // 2 - len(x) * (len(x) + 1) // 2 - len(y)


def likelihoods(state: State, samples: Sequence[Sample], sizes: Sequence[float]) -> tuple[float, float]:
    """Log-likelihood of the model and of the unrestricted one, given predictors whose moments are the sample's."""
    model = unrestricted = 0.0
    for point, sample, n in zip(state.points, samples, sizes, strict=True):
        st = point.structure
        given = list(st.predictors) if st.sampled else []
        constant = (st.p - len(given)) * np.log(2 * np.pi) - _logdet(sample.cov[np.ix_(given, given)]) - len(given)
        d = distance(point, sample)
        whole = sample.cov if d is None else sample.cov + np.outer(d, d)
        model -= n / 2 * (constant + _logdet(point.sigma) + float(np.vdot(point.inverse, whole)))
        unrestricted -= n / 2 * (constant + _logdet(sample.cov) + st.p)
    return float(model), float(unrestricted)


def _logdet(matrix: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def upper(chisq: float, df: float) -> float:
    """Upper-tail probability of χ²; NaN without degrees of freedom."""
    return float(chi2_tail(chisq, df)) if df > 0 else np.nan


def cfi(chisq: float, df: float, null: float, null_df: float) -> float:
    """Bentler (1990), Psychological Bulletin 107(2)."""
    misfit = max(chisq - df, 0.0)
    worst = max(misfit, null - null_df, 0.0)
    return 1.0 - misfit / worst if worst > 0 else 1.0


def tli(chisq: float, df: float, null: float, null_df: float) -> float:
    """Tucker & Lewis (1973), Psychometrika 38(1)."""
    worst = (null - null_df) * df
    return 1.0 - (chisq - df) * null_df / worst if df > 0 and worst != 0 else 1.0


def rmsea(chisq: float, df: float, scale: float, groups: int = 1) -> float:
    """Root mean square error of approximation (Steiger 1998, Structural Equation Modeling 5(4), for groups)."""
    return float(np.sqrt(max(chisq / scale / df - 1 / scale, 0.0) * groups)) if df > 0 else 0.0


def rmsea_p(chisq: float, df: float, scale: float, groups: int = 1) -> float:
    """Probability of so large a χ² if RMSEA is `_CLOSE`."""
    return 1.0 - float(noncentral_chi2(chisq, df, scale * df * _CLOSE**2 / groups)) if df > 0 else np.nan


def rmsea_interval(chisq: float, df: float, scale: float, groups: int = 1) -> tuple[float, float]:
    """90 % interval of RMSEA from the noncentral χ² (Steiger 1990, Multivariate Behavioral Research 25(2))."""
    if df <= 0:
        return 0.0, 0.0
    low, high = (np.sqrt(noncentrality(chisq, df, p) / (scale * df) * groups) for p in (0.95, 0.05))
    return float(low), float(high)


def _srmr(points: Sequence[Point], samples: Sequence[Sample], sizes: Sequence[float]) -> float:
    """Root mean square of the standardized residuals, variances and means included (Bentler 1995)."""
    parts = []
    for point, sample in zip(points, samples, strict=True):
        sd = np.sqrt(np.diag(sample.cov))
        lower = np.tril_indices(len(sample.cov))
        residuals = ((sample.cov - point.sigma) / np.outer(sd, sd))[lower]
        d = distance(point, sample)
        parts.append(np.sqrt(np.mean((residuals if d is None else np.r_[residuals, d / sd]) ** 2)))
    return float(np.average(parts, weights=sizes))


def goodness(
    points: Sequence[Point], samples: Sequence[Sample], sizes: Sequence[float], lengths: Sequence[Length]
) -> float:
    """GFI of Jöreskog and Sörbom: one less the squared length of the residuals over that of the sample moments.

    Parameters
    ----------
    lengths : (G,) how to measure the moments of each group. Means count if the model has intercepts; groups are
        averaged by size. Moments that are taken from the sample (those of predictors) are no achievement: they leave
        both lengths.
    """
    shares = []
    for point, sample, length in zip(points, samples, lengths, strict=True):
        given = list(point.structure.predictors) if point.structure.sampled else []
        cov, mean = sample.cov.copy(), np.zeros(len(sample.cov)) if sample.mean is None else sample.mean.copy()
        cov[np.ix_(given, given)] = 0.0
        mean[given] = 0.0
        apart = distance(point, sample)
        left = length(sample.cov - point.sigma, np.zeros_like(mean) if apart is None else apart)
        shares.append(left / length(cov, mean))
    return 1.0 - float(np.average(shares, weights=sizes))


def in_metric(metric: np.ndarray) -> Length:
    """½ tr (CM)² + mᵀMm: weights of the normal distribution at M⁻¹."""

    def length(cov: np.ndarray, mean: np.ndarray) -> float:
        turned = metric @ cov
        return float(np.vdot(turned, turned.T) / 2 + mean @ metric @ mean)

    return length


def unweighted(cov: np.ndarray, mean: np.ndarray) -> float:
    """Sum of squares of all moments, each covariance once."""
    return float(np.sum(np.tril(cov) ** 2) + mean @ mean)
