"""How well a covariance structure fits: χ² and the indices made of it, as lavaan 0.6 defines them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csat.distributions import chi2_tail, noncentral_chi2
from csat.structural.structure import Point

#: RMSEA up to which a fit is called close (Browne & Cudeck 1992, Sociological Methods & Research 21(2)).
_CLOSE = 0.05


@dataclass(frozen=True, slots=True)
class Measures:
    """Fit of one model; NaN where a measure is not defined (p at no degrees of freedom).

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
    logl: float
    unrestricted_logl: float
    aic: float
    bic: float
    sabic: float


def measures_of(point: Point, sample: np.ndarray, n: int, scale: int) -> Measures:
    """Fit measures at the estimates.

    Parameters
    ----------
    sample : (p, p) the covariance that was fitted.
    n : respondents.
    scale : what multiplies the fit function: n (normal likelihood) or n − 1 (Wishart).

    Notes
    -----
    Observed predictors whose moments are taken from the sample are conditioned on: they count neither in the
    degrees of freedom nor in the log-likelihood. In the baseline model predictors stay correlated with each other.
    """
    st = point.structure
    p, k = st.p, len(st.names)
    x = list(st.predictors)
    given = x if st.sampled else []
    logdet, logdet_x, logdet_given = _logdet(sample), *(_logdet(sample[np.ix_(v, v)]) for v in (x, given))
    chisq = max(scale * (point.discrepancy(sample) - logdet - p), 0.0)
    df = st.known - k
    y = [i for i in range(p) if i not in x]
    null = scale * (float(np.log(np.diag(sample)[y]).sum()) + logdet_x - logdet)
    null_df = p * (p + 1) // 2 - len(x) * (len(x) + 1) // 2 - len(y)
    constant = (p - len(given)) * np.log(2 * np.pi) - logdet_given - len(given)
    saturated = -n / 2 * (constant + logdet + p)
    logl = -n / 2 * (constant + point.discrepancy(sample))
    low, high = _rmsea_interval(chisq, df, scale)
    return Measures(
        n=n, npar=k, chisq=chisq, df=df, p=_upper(chisq, df),
        baseline_chisq=null, baseline_df=null_df, baseline_p=_upper(null, null_df),
        cfi=_cfi(chisq, df, null, null_df), tli=_tli(chisq, df, null, null_df),
        nfi=(null - chisq) / null if null > 0 else np.nan,
        rmsea=np.sqrt(max(chisq / scale / df - 1 / scale, 0.0)) if df > 0 else 0.0, rmsea_low=low, rmsea_high=high,
        rmsea_p=1.0 - noncentral_chi2(chisq, df, scale * df * _CLOSE**2) if df > 0 else np.nan,
        srmr=_srmr(sample, point.sigma), gfi=_gfi(point, sample),
        logl=logl, unrestricted_logl=saturated, aic=2 * k - 2 * logl, bic=k * np.log(n) - 2 * logl,
        sabic=k * np.log((n + 2) / 24) - 2 * logl,
    )  # fmt: skip


def _logdet(matrix: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def _upper(chisq: float, df: int) -> float:
    return float(chi2_tail(chisq, df)) if df > 0 else np.nan


def _cfi(chisq: float, df: int, null: float, null_df: int) -> float:
    """Bentler (1990), Psychological Bulletin 107(2)."""
    misfit = max(chisq - df, 0.0)
    worst = max(misfit, null - null_df, 0.0)
    return 1.0 - misfit / worst if worst > 0 else 1.0


def _tli(chisq: float, df: int, null: float, null_df: int) -> float:
    """Tucker & Lewis (1973), Psychometrika 38(1)."""
    worst = (null - null_df) * df
    return 1.0 - (chisq - df) * null_df / worst if df > 0 and worst != 0 else 1.0


def _rmsea_interval(chisq: float, df: int, scale: int) -> tuple[float, float]:
    """90 % interval of RMSEA from the noncentral χ² (Steiger 1990, Multivariate Behavioral Research 25(2))."""
    from scipy.optimize import brentq

    if df < 1:
        return 0.0, 0.0
    ends = []
    for probability, most in ((0.95, chisq), (0.05, max(scale, 4 * chisq))):
        if noncentral_chi2(chisq, df, 0.0) < probability or noncentral_chi2(chisq, df, most) > probability:
            ends.append(0.0)
        else:
            centre = brentq(lambda shift, wanted=probability: noncentral_chi2(chisq, df, shift) - wanted, 0.0, most)
            ends.append(float(np.sqrt(centre / (scale * df))))
    return ends[0], ends[1]


def _srmr(sample: np.ndarray, sigma: np.ndarray) -> float:
    """Root mean square of the standardized residuals, variances included (Bentler 1995)."""
    sd = np.sqrt(np.diag(sample))
    lower = np.tril_indices(len(sample))
    return float(np.sqrt(np.mean(((sample - sigma) / np.outer(sd, sd))[lower] ** 2)))


def _gfi(point: Point, sample: np.ndarray) -> float:
    """Jöreskog & Sörbom's GFI under ML weights: 1 − tr(Σ⁻¹(S − Σ))² / tr(Σ⁻¹S)².

    Moments that are taken from the sample (those of predictors) are no achievement: they leave both traces.
    """
    given = list(point.structure.predictors) if point.structure.sampled else []
    whole = sample.copy()
    whole[np.ix_(given, given)] = 0.0
    apart, total = point.inverse @ (sample - point.sigma), point.inverse @ whole
    return 1.0 - float(np.sum(apart * apart.T) / np.sum(total * total.T))
