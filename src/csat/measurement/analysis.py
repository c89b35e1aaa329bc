"""`reliability`: internal consistency and discriminant validity of scales, with design-based errors."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from csat.errors import OptionError, SampleError, check_choice
from csat.measurement.doubts import (
    Remark,
    factor_remarks,
    of_failures,
    of_normal_theory,
    reversed_items,
    sizes,
)
from csat.measurement.factors import FactorModel
from csat.measurement.figures import Figures, Label
from csat.measurement.inference import ERRORS, INTERVALS, Inference, Sample, ends, infer
from csat.measurement.result import Reliability
from csat.measurement.scales import Scales, scales_of
from csat.measurement.sums import covariances
from csat.model import Model
from csat.moments import Groups, Source, check_grouped, check_size, group_names, shown, source_of
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Provenance, Unavailable, check_level, without_rounding
from csat.scoring import check_questionnaire
from csat.structural.uncertainty.resampling import FEWEST
from csat.structural.uncertainty.robust import design_ignored

#: Who counts → the sample rule of the sums. Factor models of scales.
RULES = {"listwise": "listwise", "pairwise": "available"}
FACTORS = ("joint", "separate")
#: Most draws of a bootstrap.
MOST = 100_000
#: Standard errors below this share of a figure are rounding.
NOISE = 1e-10
#: Key columns of the figures.
KEYS = ("kind", "scale", "other", "measure")
#: Variance of an item below this share of its squared mean, around the midpoint of the sums, is rounding.
FLAT = 1e-13
#: Two answers leave no doubt about a reliability: its standard error would be 0.
LEAST = 3


def reliability(
    source: Source,
    scales: Mapping[str, str | Sequence[str]] | Model | None = None,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    missing: str = "listwise",
    factors: str = "joint",
    se: str | None = None,
    interval: str | None = None,
    replicates: int = 1000,
    seed: int = 1,
    questionnaire: Questionnaire | None = None,
) -> Reliability:
    """Tell how well scales are measured and how far they differ, with standard errors that follow the design.

    Parameters
    ----------
    source : a survey, a summary, or a published covariance matrix (`csat.from_covariance`).
    scales : table of scales and their items; or a model, whose constructs with ``=~`` are the scales. None: the
        dimensions of the questionnaire that stand right above items.
    by : grouping columns; every group is analysed by itself, with a joint covariance.
    level : of the intervals.
    missing : "listwise", respondents with an answer to every item of every scale count; "pairwise", each covariance
        over those who answered both items.
    factors : "joint", omega, CR and AVE come from one factor model of all scales with correlated factors; "separate",
        from a model of each scale by itself (two items are then taken to measure it alike).
    se : "design", by linearisation, or by refits on the replicate weights that the design declares; "bootstrap", by
        refits on samples drawn from the sample; "normal", for normal answers of a simple random sample. None: "design",
        and "normal" for a published matrix.
    interval : "transformed", symmetric on a scale without end, see Notes; "delta", estimate ± t·se; "percentile" of the
        draws of a bootstrap, its default.
    replicates : number of draws. seed : of the draws; the same seed gives the same figures.
    questionnaire : whose dimensions are the scales, if the source has none.

    Returns
    -------
    Reliability
        ``tidy()`` has every figure; ``constructs()``, ``items()`` and ``discriminant()`` one row per scale, item and
        pair. Thresholds of the literature are in `csat.measurement.LIMITS` and in the table, and judge nothing.

    Raises
    ------
    OptionError
        Arguments that make no sense, an item in two scales, no scale with two items.
    UnknownColumnError, QuestionnaireError
        Items, groups or dimensions that do not exist.
    SampleError
        Too few respondents, items without variation; standard errors that need rows where there are none.

    Warns
    -----
    ReversedItemWarning
        If items of one scale correlate negatively, by more than chance.
    FactorModelWarning, ImproperFactorsWarning
        If the factor model has no solution, or one with impossible values.
    DesignIgnoredWarning
        If se="normal" meets weights, strata or sampling units.
    ReplicatesWarning
        If the factor model has no optimum on some replicates.

    Notes
    -----
    Omega is the variance that the factor gives to the sum of the items, over the observed variance of the sum
    (McDonald 1999, Test Theory, equation 6.20), as semTools' compRelSEM has it. Figures do not depend on the divisor
    of covariances. Derivatives of all figures are exact, those of the factor model included (its parameters move by one
    Newton step), so that linearisation for a simple random sample is the asymptotically distribution-free error of
    Maydeu-Olivares, Coffman & Hartmann (2007, Psychological Methods 12(2)). Intervals are symmetric for −log(1 − x) of
    reliabilities (Bonett 2002, Journal of Educational and Behavioral Statistics 27(4)), the logit of AVE, Fisher's z of
    correlations and the logarithm of HTMT. ρA is a matter of PLS: its weights depend on the paths (`csat.pls`).
    """
    rule, se, interval = _options(source, level, missing, factors, se, interval, replicates, seed)
    keys = _grouping(by)
    asked = scales_of(source, scales, None if questionnaire is None else check_questionnaire(questionnaire))
    figures = Figures(FactorModel(asked, factors == "joint"))
    groups = source.groups(list(asked.items), keys, rule)
    check_grouped(keys, groups.domains, groups.ungrouped)
    check_size(keys, groups.domains, len(figures.labels))
    if groups.published:
        se = _of_published(se)
    sample, missed = _sample(figures, groups)
    found = infer(source, figures, sample, se or "design", replicates, seed)
    remarks = [*_remarks(figures.model, sample), *_of_errors(groups, se, found), *sizes(asked)]
    for remark in remarks:
        if remark.kind is not None:
            warnings.warn(remark.text, remark.kind, stacklevel=2)
    mean, sd, missing_share = _answers(source, asked, groups)
    return Reliability(
        scales=asked,
        by=keys,
        domains=groups.domains,
        estimates=_estimates(figures, sample, found, missed, level, interval or _usual(se)),
        mean=mean,
        sd=sd,
        missing=missing_share,
        sizes=tuple(sample.sizes.tolist()),
        left_out=groups.ungrouped + groups.incomplete,
        factors=factors,
        remarks=tuple(remarks),
        failed=found.failed,
    )


def _options(
    source: Any, level: Any, missing: Any, factors: Any, se: Any, interval: Any, replicates: Any, seed: Any
) -> tuple[str, str | None, str | None]:
    """The sample rule, standard errors and intervals asked for; refuses what does not go together."""
    source_of(source)
    check_level(level)
    check_choice("missing", missing, RULES)
    check_choice("factors", factors, FACTORS)
    if se is not None:
        check_choice("se", se, ERRORS)
    if interval is not None:
        check_choice("interval", interval, INTERVALS)
    for name, value, least in (("replicates", replicates, FEWEST), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise OptionError(f"{name} is a whole number, {least} or more; found {shown(value)}.")
    if replicates > MOST:
        raise OptionError(f"replicates is {MOST} at most: beyond, nothing changes but the time it takes.")
    if interval == "percentile" and se != "bootstrap":
        raise OptionError("interval='percentile' takes draws of a bootstrap: add se='bootstrap'.")
    if missing == "pairwise" and se in ("bootstrap", "normal"):
        raise OptionError(f"se={se!r} takes complete answers: leave missing='pairwise' out, or use se='design'.")
    return RULES[missing], se, interval


def _grouping(by: Any) -> tuple[str, ...]:
    keys = group_names(by)
    for name in keys:
        if name in KEYS:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    return keys


def _of_published(se: str | None) -> str:
    if se in (None, "normal"):
        return "normal"
    raise SampleError(
        f"se={se!r} needs respondents; a published covariance matrix has none. Leave se out: normal answers of a "
        "simple random sample are then assumed."
    )


def _usual(se: str | None) -> str:
    return "percentile" if se == "bootstrap" else "transformed"


def _sample(figures: Figures, groups: Groups) -> tuple[Sample, dict[int, str]]:
    """Figures of every group, and why those of some groups are missing altogether.

    Raises
    ------
    SampleError
        Without groups: too few respondents, or an item without variation.
    """
    grams = groups.over_domains(groups.gram)
    covs = covariances(grams, groups.rule)
    n = groups.over_domains(groups.counts).min(axis=1)
    missed = {}
    for g, domain in enumerate(groups.domains):
        flat = _flat(groups, domain, covs[g])
        if n[g] >= LEAST and not flat and np.isfinite(covs[g]).all():
            continue
        if not groups.by and n[g] < LEAST:
            raise SampleError.too_few("Reliability", int(n[g]), LEAST)
        if not groups.by and flat:
            raise SampleError.constant(flat)
        if n[g] >= LEAST and flat:  # scales of other items have figures
            at = np.isin(groups.names, flat)
            covs[g] = np.where(at[:, None] | at, np.nan, covs[g])
            continue
        missed[g] = ("no_answers", "one_answer", "fewer_than_items")[n[g]] if n[g] < LEAST else "no_answers"
        covs[g] = np.nan
    fits = tuple(
        figures.model.fit(cov, int(size)) if np.isfinite(cov).all() else None for cov, size in zip(covs, n, strict=True)
    )
    with np.errstate(all="ignore"):
        values = np.stack([figures.at(cov, fit) for cov, fit in zip(covs, fits, strict=True)])
    values[~np.isfinite(values)] = np.nan
    return Sample(groups, covs, fits, n, values), missed


def _flat(groups: Groups, domain: tuple[str, ...], cov: np.ndarray) -> list[str]:
    """Items that do not vary."""
    around = np.nan_to_num(groups.moments(domain).mean - groups.midpoint)
    return [name for name, v, m in zip(groups.names, np.diag(cov), around, strict=True) if not v > FLAT * m**2]


def _remarks(model: FactorModel, sample: Sample) -> Iterator[Remark]:
    for domain, cov, fit, n in zip(sample.groups.domains, sample.covs, sample.fits, sample.sizes, strict=True):
        if np.isfinite(cov).any():
            yield from reversed_items(model.scales, cov, float(n), domain)
            yield from factor_remarks(model, fit, domain)


def _of_errors(groups: Groups, se: str | None, found: Inference) -> Iterator[Remark]:
    if se == "normal" and design_ignored(groups, "ML"):
        yield of_normal_theory()
    if found.failed and found.draws is not None:
        yield of_failures(found.failed, len(found.draws))


def _estimates(
    figures: Figures, sample: Sample, found: Inference, missed: Mapping[int, str], level: float, interval: str
) -> Estimates:
    labels, size = figures.labels, len(sample.values)
    flat = sample.values.ravel()
    vcov = without_rounding(found.vcov, np.square(flat), NOISE**2)
    df = np.repeat(found.df, len(labels))
    vague = ~np.isfinite(flat) | (df < 1) | ~np.isfinite(np.diag(vcov))
    vcov[vague], vcov[:, vague] = np.nan, np.nan
    low, high = ends(labels, sample.values, Inference(vcov, found.df, found.words, found.draws), level, interval)
    groups = sample.groups
    keys = {name: tuple(d[i] for d in groups.domains for _ in labels) for i, name in enumerate(groups.by)}
    about = {name: tuple(getattr(label, name) for label in labels) * size for name in KEYS}
    return Estimates(
        term=tuple(label.term for label in labels) * size,
        estimate=flat,
        vcov=vcov,
        df=df,
        n=np.repeat(sample.sizes, len(labels)),
        n_eff=np.full(len(flat), np.nan),
        unit="share",
        provenance=Provenance("published" if groups.published else _rule(groups), found.words),
        level=level,
        keys=keys | about,
        unavailable=_reasons(figures, sample, vague, missed),
        bounds=(np.where(vague, np.nan, low), np.where(vague, np.nan, high)),
    )


def _rule(groups: Groups) -> str:
    return next(name for name, rule in RULES.items() if rule == groups.rule)


def _reasons(figures: Figures, sample: Sample, vague: np.ndarray, missed: Mapping[int, str]) -> dict[int, Unavailable]:
    """Why figures, or their errors, are missing."""
    size = len(figures.labels)
    found = {}
    for at in np.flatnonzero(vague).tolist():
        g, q = divmod(at, size)
        if g in missed:
            reason = missed[g]
        elif _scales_of(figures.labels[q]) & _constant(figures.model.scales, sample.covs[g]):
            reason = "constant"
        elif figures.single[q]:
            reason = "one_item"
        elif figures.modelled[q] and sample.fits[g] is None:
            reason = "no_factor_model"
        else:
            reason = "not_identified" if not np.isfinite(sample.values[g, q]) else "df_zero"
        found[at] = Unavailable(reason)
    return found


def _constant(scales: Scales, cov: np.ndarray) -> set[str]:
    """Scales with an item that does not vary, which has no covariances (p, p)."""
    flat = ~np.isfinite(np.diag(cov))
    return {name for name, at in zip(scales.names, scales.places, strict=True) if flat[at].any()}


def _scales_of(label: Label) -> set[str]:
    return {label.scale, label.other}


def _answers(source: Source, scales: Scales, groups: Groups) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Means, SDs (divisor n − 1) and shares of respondents without an answer, (D, p) each.

    Of all who answered an item; of those who count, and without shares, where the source remembers only these.
    """
    try:
        every = source.groups(list(scales.items), groups.by, "available")
    except SampleError:
        every = groups
    parts = [every.moments(domain) for domain in groups.domains]
    mean, sd = (np.stack([getattr(part, name) for part in parts]) for name in ("mean", "sd"))
    n, counts = np.array([part.n for part in parts])[:, None], np.stack([part.counts for part in parts])
    unknown = every.rule == "listwise" and bool(every.incomplete)
    with np.errstate(invalid="ignore", divide="ignore"):
        return mean, sd, np.where(unknown, np.nan, 1.0 - counts / n)
