"""χ² and fit indices corrected for answers that are not normal, or not a simple random sample.

Definitions as in lavaan 0.6: "scaled" indices put the corrected χ² into the usual formulas; "robust" ones estimate
what the index would be in the population (Brosseau-Liard & Savalei 2014, Multivariate Behavioral Research 49(5), for
CFI and TLI; Brosseau-Liard, Savalei & Li 2012, ibid. 47(6), for RMSEA).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from csat.structural.measures import Statistic, cfi, rmsea, rmsea_interval, rmsea_p, tli, upper


@dataclass(frozen=True, slots=True)
class Traces:
    """tr UΓ and tr (UΓ)² of a model and of its baseline; squares are NaN unless χ² is adjusted for its variance."""

    model: float
    baseline: float
    model_square: float = np.nan
    baseline_square: float = np.nan


@dataclass(frozen=True, slots=True)
class Indices:
    """What CFI, TLI and RMSEA would be in the population, or without gaps; NaN where a measure is not defined.

    Field names are the columns of ``Sem.glance()``.
    """

    cfi_robust: float
    tli_robust: float
    rmsea_robust: float
    rmsea_low_robust: float
    rmsea_high_robust: float
    rmsea_p_robust: float


#: Of a model without such indices.
NO_INDICES = Indices(*[np.nan] * 6)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Corrected fit of one model; NaN where a measure is not defined.

    scaling : what χ² was divided by. shift : what was added then (0 unless adjusted for mean and variance).
    Field names are the columns of ``Sem.glance()``.
    """

    chisq_scaled: float
    df_scaled: int
    p_scaled: float
    scaling: float
    shift: float
    baseline_chisq_scaled: float
    baseline_p_scaled: float
    baseline_scaling: float
    cfi_scaled: float
    tli_scaled: float
    rmsea_scaled: float
    rmsea_low_scaled: float
    rmsea_high_scaled: float
    rmsea_p_scaled: float
    cfi_robust: float
    tli_robust: float
    rmsea_robust: float
    rmsea_low_robust: float
    rmsea_high_robust: float
    rmsea_p_robust: float


@dataclass(frozen=True, slots=True)
class Correction:
    """χ² → χ²/scaling + shift. factor : tr UΓ / df, the scaling that corrects the mean alone."""

    scaling: float
    shift: float
    factor: float

    def of(self, chisq: float) -> float:
        """The corrected χ²."""
        return chisq / self.scaling + self.shift


def correction(df: int, trace: float, square: float = np.nan) -> Correction:
    """How to correct a χ² whose expectation is tr UΓ instead of df.

    Parameters
    ----------
    df : degrees of freedom. trace : tr UΓ. square : tr (UΓ)²; NaN corrects the mean alone.

    Returns
    -------
    Correction
        NaN if the trace is not positive; none (1) without degrees of freedom.

    Source: Satorra & Bentler (1994), in von Eye & Clogg, Latent Variables Analysis, 399–419; with `square` Asparouhov &
    Muthén (2010), Simple second order chi-square correction.

    >>> correction(10, 15.0).of(30.0)
    20.0
    """
    if df == 0:
        return Correction(1.0, 0.0, 1.0)
    if not trace > 0:
        return Correction(np.nan, np.nan, np.nan)
    if np.isnan(square):
        return Correction(trace / df, 0.0, trace / df)
    scaling = float(np.sqrt(square / df))
    return Correction(scaling, df - trace / scaling, trace / df)


def scaled_measures(statistic: Statistic, traces: Traces, scale: float, groups: int) -> Scaled:
    """Corrected χ² and indices.

    Parameters
    ----------
    statistic : plain χ² of the model and of its baseline. traces : of both.
    scale : what multiplies the fit function. groups : number of groups.

    Returns
    -------
    Scaled
        All NaN if the correction is not positive: few respondents, or a model far off. CFI and TLI are NaN if that
        of the baseline is not.
    """
    df, null_df = statistic.df, statistic.baseline_df
    own = correction(df, traces.model, traces.model_square)
    null = correction(null_df, traces.baseline, traces.baseline_square)
    if not own.factor > 0:
        return Scaled(np.nan, df, *[np.nan] * (len(fields(Scaled)) - 2))
    chisq = own.of(statistic.chisq)
    # Corrected for its mean alone, χ² is compared with one whose mean is tr UΓ.
    adjusted = not np.isnan(traces.model_square)
    tested, mean = (chisq, float(df)) if adjusted else (statistic.chisq, own.factor * df)
    low, high = rmsea_interval(tested, mean, scale, groups)
    robust_low, robust_high = (end * np.sqrt(own.scaling) for end in rmsea_interval(chisq, df, scale, groups))
    return Scaled(
        chisq_scaled=chisq, df_scaled=df, p_scaled=upper(chisq, df), scaling=own.scaling if df else np.nan,
        shift=own.shift, **_against_baseline(statistic, own, null),
        rmsea_scaled=rmsea(tested, mean, scale, groups), rmsea_low_scaled=low, rmsea_high_scaled=high,
        rmsea_p_scaled=rmsea_p(tested, mean, scale, groups),
        rmsea_robust=rmsea(statistic.chisq / own.factor, df, scale / own.factor, groups),
        rmsea_low_robust=float(robust_low), rmsea_high_robust=float(robust_high),
        rmsea_p_robust=rmsea_p(chisq, df, scale / own.scaling, groups),
    )  # fmt: skip


def _against_baseline(statistic: Statistic, own: Correction, null: Correction) -> dict[str, float]:
    """What compares a model with its baseline; NaN if the baseline's χ² cannot be corrected."""
    names = ("baseline_chisq_scaled", "baseline_p_scaled", "baseline_scaling")
    if not null.factor > 0:
        return dict.fromkeys((*names, "cfi_scaled", "tli_scaled", "cfi_robust", "tli_robust"), np.nan)
    df, null_df = statistic.df, statistic.baseline_df
    chisq, baseline = own.of(statistic.chisq), null.of(statistic.baseline)
    central = tli(statistic.chisq / own.factor, df, statistic.baseline / null.factor, null_df)
    return dict(zip(names, (baseline, upper(baseline, null_df), null.scaling), strict=True)) | {
        "cfi_scaled": cfi(chisq, df, baseline, null_df),
        "tli_scaled": tli(chisq, df, baseline, null_df),
        "cfi_robust": cfi(statistic.chisq, own.factor * df, statistic.baseline, null.factor * null_df),
        "tli_robust": 1.0 - own.factor / null.factor * (1.0 - central),
    }


def robust_indices(
    chisq: float, factor: float, null: float, null_factor: float, statistic: Statistic, scale: float, groups: int
) -> Indices:
    """Indices made of a χ² of their own.

    Parameters
    ----------
    chisq, null : of the model and of its baseline. factor, null_factor : their expectations over degrees of freedom.
    statistic : for the degrees of freedom. scale : what multiplies the fit function. groups : number of groups.
    """
    df, null_df, own = statistic.df, statistic.baseline_df, scale / factor
    worst = (null - null_factor * null_df) * df
    low, high = rmsea_interval(chisq / factor, df, own, groups)
    return Indices(
        cfi_robust=cfi(chisq, factor * df, null, null_factor * null_df),
        tli_robust=1.0 - (chisq - factor * df) * null_df / worst if worst != 0 else 1.0,
        rmsea_robust=rmsea(chisq / factor, df, own, groups),
        rmsea_low_robust=low,
        rmsea_high_robust=high,
        rmsea_p_robust=rmsea_p(chisq / factor, df, own, groups),
    )


def with_indices(scaled: Scaled, found: Indices) -> Scaled:
    """The same corrected fit with other robust indices."""
    return replace(
        scaled,
        cfi_robust=found.cfi_robust,
        tli_robust=found.tli_robust,
        rmsea_robust=found.rmsea_robust,
        rmsea_low_robust=found.rmsea_low_robust,
        rmsea_high_robust=found.rmsea_high_robust,
        rmsea_p_robust=found.rmsea_p_robust,
    )
