"""How sure the figures of a reliability analysis are: by the design, by replicates, or by the normal distribution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from csat.distributions import t_quantile
from csat.errors import SampleError
from csat.measurement.factors import Fit
from csat.measurement.figures import Figures, Label
from csat.measurement.sums import ManyForms, by_gram
from csat.moments import Groups, RowSource, Source
from csat.replicates.intervals import quantile
from csat.structural.uncertainty.replicated import Replicates, declared_replicates, drawn_replicates
from csat.variance import degrees_of_freedom, linearised, linearised_scores, method_of

#: A function of numbers, one by one.
Curve = Callable[[np.ndarray], np.ndarray]
#: Where standard errors come from, and how intervals are made of them.
ERRORS = ("design", "bootstrap", "normal")
INTERVALS = ("transformed", "delta", "percentile")
#: Scale without end on which the sampling distribution of a figure is nearly symmetric. Those of the factor model are
#: not bounded by 1, and nearly symmetric as they are.
SCALES = {
    **dict.fromkeys(("alpha", "alpha_std", "omega", "omega_model", "rho_c", "alpha_without"), "complement"),
    **dict.fromkeys(("ave", "ave_raw"), "logit"),
    **dict.fromkeys(("loading", "correlation"), "straight"),
    "item_rest": "fisher",
    **dict.fromkeys(("htmt", "htmt2"), "log"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Figures of D groups and what they were computed from.

    groups : sums of products. covs : (D, p, p), divisor n. fits : (D,) factor models; None where there is none.
    sizes : (D,) respondents. values : (D, q) figures, NaN where there is none.
    """

    groups: Groups
    covs: np.ndarray
    fits: tuple[Fit | None, ...]
    sizes: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """vcov : (D·q, D·q). df : (D,). draws : (R, D·q) figures on replicates, if there are some. words : the method.

    drawn : whether quantiles of the draws are intervals. failed : replicates on which a factor model has no optimum.
    """

    vcov: np.ndarray
    df: np.ndarray
    words: str
    draws: np.ndarray | None = None
    drawn: bool = False
    failed: int = 0


def infer(source: Source, figures: Figures, sample: Sample, se: str, replicates: int, seed: int) -> Inference:
    """Covariance of all figures of all groups.

    Parameters
    ----------
    se : of `ERRORS`. replicates, seed : of a bootstrap.

    Raises
    ------
    SampleError
        If the source has neither rows nor sampling units.
    """
    groups = sample.groups
    if se == "normal":
        return _normal(figures, sample)
    with np.errstate(invalid="ignore", divide="ignore"):  # of groups without a complete answer
        if se == "bootstrap":
            drawn = drawn_replicates(source, groups, replicates, seed, means=False, wishart=False)
            return _replicated(figures, sample, drawn)
        if groups.replication is not None and groups.rule == "listwise":
            return _replicated(figures, sample, declared_replicates(groups, means=False, wishart=False))
    return _linearised(source, figures, sample)


def _linearised(source: Source, figures: Figures, sample: Sample) -> Inference:
    groups = sample.groups
    if not groups.psus and not isinstance(source, RowSource):
        raise SampleError.needs_rows("A standard error without sampling units (se='normal' needs none)")
    grams = groups.over_domains(groups.gram)
    scores = np.zeros((len(grams), len(figures.labels), *grams.shape[1:]))
    for g, (cov, fit) in enumerate(zip(sample.covs, sample.fits, strict=True)):
        if np.isfinite(cov).any():
            scores[g] = by_gram(figures.slopes(cov, fit), grams[g], groups.rule)
    if groups.psus or groups.replication is not None:
        vcov = linearised(source, groups, scores)
    else:
        forms = {domain: ManyForms(each) for domain, each in zip(groups.domains, scores, strict=True)}
        vcov = linearised_scores(source, groups, forms)
    size = vcov.shape[0] * vcov.shape[1]
    return Inference(vcov.reshape(size, size), degrees_of_freedom(groups).min(axis=1), method_of(groups))


def _normal(figures: Figures, sample: Sample) -> Inference:
    """cov(θ_q, θ_r) = 2/n·tr(D_q S D_r S) with D = ∂θ/∂S (van Zyl, Neudecker & Nel 2000, Psychometrika 65(3))."""
    size, q = len(sample.covs), len(figures.labels)
    vcov = np.zeros((size, q, size, q))
    for g, (cov, fit, n) in enumerate(zip(sample.covs, sample.fits, sample.sizes, strict=True)):
        if np.isfinite(cov).any():
            along = figures.slopes(cov, fit) @ np.nan_to_num(cov)  # items that do not vary have none
            vcov[g, :, g] = 2.0 / n * np.einsum("qij,rji->qr", along, along, optimize=True)
    return Inference(vcov.reshape(size * q, size * q), np.full(size, np.inf), "normal theory")


def _replicated(figures: Figures, sample: Sample, replicates: Replicates) -> Inference:
    """Every figure computed anew on every replicate, factor models refitted."""
    parts, failed = [], np.zeros(len(replicates.weights), bool)
    for part, fit in zip(replicates.samples, sample.fits, strict=True):
        theta = None if fit is None else figures.model.refit(fit, part.cov)
        if theta is not None:
            failed |= np.isnan(theta).any(axis=-1)
        with np.errstate(all="ignore"):
            parts.append(figures.values(part.cov, theta))
    draws = np.concatenate(parts, axis=-1)
    draws[~np.isfinite(draws)] = np.nan
    return Inference(
        _spread(draws, sample.values.ravel(), replicates),
        np.full(len(sample.covs), replicates.df),
        f"{replicates.words}, {len(draws)} replicates",
        draws,
        replicates.drawn,
        int(failed.sum()),
    )


def _spread(draws: np.ndarray, centre: np.ndarray, replicates: Replicates) -> np.ndarray:
    """(q, q) covariance of figures from draws (R, q); a missing one counts as deviating like the others on average."""
    rule, known = replicates.scaling, np.isfinite(draws)
    mass = rule.rscales @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = centre if rule.mse else np.where(known, draws, 0.0).sum(axis=0) / known.sum(axis=0)
        raised = np.where(mass > 0, np.sqrt(rule.rscales.sum() / mass), np.nan)
    apart = np.where(known, draws - middle, 0.0) * np.sqrt(rule.rscales)[:, None] * raised
    return np.asarray(rule.scale * apart.T @ apart)


def ends(
    labels: Sequence[Label], values: np.ndarray, found: Inference, level: float, interval: str
) -> tuple[np.ndarray, np.ndarray]:
    """(D·q,) lower and upper ends of the intervals of figures (D, q).

    interval : of `INTERVALS`. On the scale of `SCALES` half the width is t·se times the scale's slope at the figure.
    """
    flat = values.ravel()
    if interval == "percentile" and found.draws is not None:
        tails = ((1 - level) / 2, (1 + level) / 2)
        low, high = (quantile(found.draws, np.full(len(flat), tail)) for tail in tails)
        return low, high
    se = np.sqrt(np.maximum(np.diag(found.vcov), 0.0))
    half = np.repeat(t_quantile((1 + level) / 2, found.df), len(labels)) * se
    if interval == "delta":
        return flat - half, flat + half
    scales = np.array([SCALES[label.measure] for label in labels] * len(values))
    return _transformed(flat, half, scales)


def _transformed(x: np.ndarray, half: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ends of x ± half, straight where x lies outside the range of its scale."""
    inside = np.where(scales == "log", x > 0, np.where(scales == "logit", (x > 0) & (x < 1), x < 1))
    inside &= (scales != "fisher") | (x > -1)
    low, high = x - half, x + half
    with np.errstate(all="ignore"):
        for name, (there, slope, back) in _TRANSFORMS.items():
            at = inside & (scales == name)
            z, width = there(x[at]), half[at] * slope(x[at])
            low[at], high[at] = back(z - width), back(z + width)
    return low, high


#: Name → the transformation, its slope, and its inverse; all of them increase.
_TRANSFORMS: dict[str, tuple[Curve, Curve, Curve]] = {
    "complement": (lambda x: -np.log1p(-x), lambda x: 1 / (1 - x), lambda z: -np.expm1(-z)),
    "logit": (lambda x: np.log(x / (1 - x)), lambda x: 1 / (x * (1 - x)), lambda z: 1 / (1 + np.exp(-z))),
    "fisher": (np.arctanh, lambda x: 1 / (1 - x**2), np.tanh),
    "log": (np.log, lambda x: 1 / x, np.exp),
}
