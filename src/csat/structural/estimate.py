"""`sem`: from a source and a model to estimates, their uncertainty and the fit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from csat.errors import OptionError, SampleError, check_choice, check_switch
from csat.model import EQUAL, Model
from csat.moments import Source, as_names, shown, source_of
from csat.results import Provenance, check_level
from csat.structural.engine.checks import condition_number
from csat.structural.engine.discrepancy import MaximumLikelihood
from csat.structural.engine.solving import estimated
from csat.structural.engine.start import starting_values
from csat.structural.engine.structure import build
from csat.structural.gaps.fiml import fiml_sem
from csat.structural.gaps.pairwise import doubts_of_pairs, pairwise, pairwise_covariance
from csat.structural.guards import doubts
from csat.structural.least_squares import (
    WORDS,
    least_squares,
    least_squares_information,
    least_squares_statistic,
    lengths_of,
)
from csat.structural.measures import goodness, in_metric, likelihood_statistic, likelihoods, measures_of
from csat.structural.ordered.categories import names_among
from csat.structural.ordered.ordinal import ORDINAL, Asked, ordinal_sem
from csat.structural.result import Sem
from csat.structural.samples import Data, check_groups, listwise, order_of_groups, reference_of
from csat.structural.uncertainty.gamma import check_rows, moment_covariance
from csat.structural.uncertainty.resampling import Resampling, check_resampling, resample
from csat.structural.uncertainty.robust import (
    FORMS,
    Robust,
    degrees_of_freedom,
    design_ignored,
    doubts_of_design,
    robust_inference,
)
from csat.structural.uncertainty.sandwich import bordered_inverse
from csat.structural.undefined import undefined

_ENGINES = ("csat", "semopy")
_LIKELIHOODS = ("normal", "wishart")
ESTIMATORS = ("ML", *FORMS, "GLS", "ULS", *ORDINAL)
#: What becomes of respondents with missing answers.
MISSING = ("listwise", "fiml", "pairwise")
#: Estimators that maximize the likelihood; they differ in standard errors and tests.
_LIKELY = ("ML", *FORMS)


def sem(
    source: Source,
    model: Model | str,
    *,
    estimator: str = "ML",
    likelihood: str = "normal",
    group: str | None = None,
    equal: str | Sequence[str] = (),
    partial: str | Sequence[str] = (),
    reference: str | None = None,
    means: bool | None = None,
    level: float = 0.95,
    std_lv: bool = False,
    fixed_x: bool | None = None,
    auto_cov_y: bool = True,
    orthogonal: bool = False,
    ordered: bool | str | Sequence[str] = (),
    missing: str = "listwise",
    se: str = "estimator",
    replicates: int = 1000,
    seed: int = 1,
    bollen_stine: bool = False,
    engine: str = "csat",
) -> Sem:
    """Estimate a structural equation model.

    Parameters
    ----------
    source : a survey, a saved summary, or a published covariance matrix (`csat.from_covariance`). Respondents with
        an answer to every observed variable of the model count.
    model : a `Model`, or its text.
    estimator : "ML", standard errors from the expected information; "MLR", "MLM", "MLMV": the same estimates with
        robust standard errors and a corrected χ², see Notes; "GLS" or "ULS" (least squares). Standard errors under
        "ULS" are lavaan's: they take all moments as equally precise, and its χ² has no p value.
    likelihood : "normal" (covariances with divisor n) or "wishart" (n − 1); least squares use n − 1.
    group : column whose categories each get the model, estimated together. Groups stand in the order of the
        questionnaire, else sorted; so do the parts of ``c(a, b)*x`` (lavaan: in order of appearance); a note says so.
    equal : kinds of parameters that groups share: "loadings", "intercepts", "residuals", "residual.covariances",
        "lv.variances", "lv.covariances", "regressions", "means".
    partial : relations that stay free all the same, e.g. "x3 ~1".
    reference : group whose constructs have mean 0 (and variance 1 under `std_lv`) where what groups share sets those
        of the others; None: the first.
    means : estimate intercepts; None: if the model has some, if there are groups, or sampling units under a robust
        estimator.
    level : of the intervals, between 0 and 1.
    std_lv : standardize constructs (variance 1) instead of fixing their first loadings.
    fixed_x : take the moments of observed predictors from the sample instead of estimating them; None: except under
        least squares of numbers ("GLS", "ULS"), as lavaan.
    auto_cov_y : let the residuals of variables that explain nothing else covary.
    orthogonal : keep exogenous constructs uncorrelated.
    ordered : items whose answers are ordered categories; True: all observed variables. With estimator="WLSMV", or
        "DWLS". An item may have up to 12 categories.
    missing : "listwise", respondents with an answer to every variable of the model count; "fiml", all with any answer
        do, by full-information maximum likelihood (estimators "ML" and "MLR"), see Notes; "pairwise", each covariance
        over those who answered both variables ("MLM", which "ML" becomes, "MLR" and "MLMV").
    se : "estimator", standard errors as the estimator has them; "bootstrap", from refits on samples drawn from the
        sample; "replicates", from refits on the replicate weights that the design declares; "parametric", from refits
        on samples drawn from the model's own normal distribution. See Notes.
    replicates : number of draws. seed : of the draws; the same seed gives the same figures.
    bollen_stine : with se="bootstrap", test χ² by draws from a sample that is turned so that the model holds.
    engine : "csat", or "semopy" as an independent second estimator.

    Returns
    -------
    Sem

    Raises
    ------
    ModelError
        If the text cannot be read, or uses what this estimator does not have.
    ModelIdentificationError
        If different parameters fit equally well; it names them.
    UnknownColumnError, SampleError, CollinearityError
        If the data lack a variable, respondents or variation, or repeat a variable.
    ConvergenceError
        If no optimum is found.

    Warns
    -----
    NegativeVarianceWarning, LatentCovarianceWarning
        If a variance is below 0 (a Heywood case), or the covariances of the constructs are impossible together: the
        solution must not be reported.
    StandardizedPathWarning
        If a standardized path lies beyond ±1.
    LatentCorrelationWarning, DiscriminantValidityWarning
        If constructs correlate near 1, or their indicators correlate across as much as within (HTMT).
    EmpiricalIdentificationWarning, IllConditionedWarning, NearCollinearityWarning
        If these data hardly tell parameters apart (under missing="fiml" also: if the likelihood does not fall in some
        direction), or observed variables nearly repeat each other.
    FewCasesWarning, SmallGroupWarning
        If there are too few respondents, or too few in some group, for so many parameters.
    FewUnitsWarning, ScalingWarning
        If the sampling units are too few for a robust test of this model, or its correction does not exist.
    MissingPredictorWarning, PairwiseWarning
        If respondents are left out for a missing predictor, or covariances are over different respondents.
    SparseCategoryWarning, IndefiniteCorrelationWarning, KurtosisWarning
        Of ordered items: if an answer is rare, the correlations behind the answers contradict each other, or a
        continuous variable beside them is far from normal.
    ReplicatesWarning
        If some replicates have no estimates.
    UndefinedWarning
        If a definition (``:=``) has no value at the estimates, as a ratio with 0 below.
    DesignIgnoredWarning
        If the sample is weighted, clustered or stratified and the estimator is not a robust one: weights enter the
        estimates, but these standard errors and tests are those of a simple random sample.

    The sentences name the constructs and say what to do. They, and some that are no warnings (weak indicators), are
    kept in ``Sem.notes``, and as values in ``Sem.doubts``; `csat.structural.guards` has the limits.

    Notes
    -----
    Fisher scoring with analytic derivatives on a RAM structure. Converged means that every element of the gradient,
    in units of that parameter's curvature, is below 1e-8. Variances are not bounded: a Heywood case is reported.

    "WLSMV" and "DWLS" fit polychoric and polyserial correlations (see `csat.polychoric`) by diagonally weighted least
    squares, in the delta parametrisation: thresholds (rows with op "|") are free, latent responses have variance 1 and
    intercept 0, residual variances follow. "WLSMV" adds robust standard errors and a χ² corrected for mean and
    variance from the full covariance of thresholds and correlations, which follows the design; "DWLS" takes every
    correlation as independent of the others. Robust fit indices are those of Savalei (2021).

    missing="fiml" takes from each respondent the answers given and fills in none: estimates are those of complete
    answers if gaps depend on what was answered only (missing at random). χ² and residuals compare with the unrestricted
    moments, found by EM; standard errors come from the observed information, under "MLR" from a sandwich of it and
    single scores. Who answered nothing is left out; so is who lacks a predictor whose moments are the sample's
    (fixed_x=True), as lavaan does. Robust CFI, TLI and RMSEA are those that complete answers would have (Zhang &
    Savalei 2023, Psychological Methods 28(2)). missing="pairwise" is right only if gaps have nothing to do with
    answers; its standard errors and scaled χ² come from the joint covariance of the moments of the pairs.

    Robust estimators need the respondents' rows, or the sums of declared sampling units. "MLR": observed information
    and the sums of single scores, χ² corrected as by Yuan and Bentler (lavaan's "yuan.bentler.mplus"). "MLM": expected
    information and the covariance Γ of the sample moments, χ² of Satorra and Bentler. "MLMV": the same, χ² corrected
    for its variance too. All follow the design of the survey, so that the scores' covariance comes from strata,
    sampling units or replicate weights (Skinner, Holt & Smith 1989, Analysis of Complex Surveys, ch. 3; Oberski 2014,
    Journal of Statistical Software 57(1)); χ² is divided by tr UΓ / df with the same Γ. With sampling units or
    replicate weights single parameters are tested by t with the degrees of freedom of the design (lavaan: z).

    se="bootstrap" draws sampling units (or respondents) within strata, with replacement; weights stay with them.
    Bootstrap weights that the design declares are used instead. Intervals are percentiles of the draws;
    ``Sem.intervals`` has others. se="replicates" takes any replicate weights (jackknife, balanced half samples …) and
    intervals of Student's t. Both hold for any distribution of the answers, for paths near 0 and products of paths,
    and follow the design. Replicates without an optimum are left out, and counted in ``Sem.glance()`` with those that
    have impossible estimates. ``p_bootstrap`` is the share of draws, the sample counted as one, with a χ² as large as
    the sample's if the model holds (Bollen & Stine 1992, Sociological Methods & Research 21(2)).
    """
    source = source_of(source)
    model = Model(model) if isinstance(model, str) else model
    if not isinstance(model, Model):
        raise OptionError(f"model is a text such as 'loyalty ~ quality', or a csat.Model; found {shown(model)}.")
    equal, partial = as_names(equal, "equal"), as_names(partial, "partial")
    _check_options(estimator, likelihood, level, engine, equal)
    _check_sharing(group, equal, partial)
    fixed_x = estimator not in WORDS if fixed_x is None else fixed_x
    _check_missing(missing, estimator, likelihood, engine)
    expansion = {"std_lv": std_lv, "fixed_x": fixed_x, "auto_cov_y": auto_cov_y, "orthogonal": orthogonal}
    for option, switch in (*expansion.items(), ("means", False if means is None else means)):
        check_switch(option, switch)
    asked = Asked(estimator, ordered, group, equal, partial, reference, means, level, expansion)
    resampling = Resampling(se, replicates, seed, bollen_stine)
    check_resampling(resampling, estimator, missing, engine, ordinal=estimator in ORDINAL)
    if estimator in ORDINAL:
        return ordinal_sem(source, model, asked)
    if names_among(ordered, model.observed, "ordered"):
        raise OptionError(f"estimator={estimator!r} takes answers as numbers; for ordered=… use estimator='WLSMV'.")
    if missing == "fiml":
        return fiml_sem(source, model, asked)
    pairs = pairwise(source, model, group) if missing == "pairwise" else None
    data: Data = listwise(source, model, group) if pairs is None else pairs
    if pairs is not None and estimator == "ML":
        estimator = "MLM"
    has_means = _has_means(model, means, data, equal, clustered=estimator in FORMS and bool(data.summary.psus))
    if estimator in FORMS and pairs is None:
        check_rows(source, data.summary)
    wishart = likelihood == "wishart" or estimator not in _LIKELY
    samples = data.samples(means=has_means, wishart=wishart)
    rows = model.expand(
        means=has_means, groups=len(data.labels), equal=equal, partial=partial,
        reference=reference_of(reference, data.labels), **expansion,
    )  # fmt: skip
    layout = build(
        rows, model.observed, [s.cov for s in samples], [s.mean for s in samples], data.labels, model.constraints
    )
    discrepancy = MaximumLikelihood(samples) if estimator in _LIKELY else least_squares(estimator, samples)
    optimum = estimated(layout, discrepancy, starting_values(layout, samples), engine)
    multipliers = data.multipliers(wishart=wishart)
    scale = sum(multipliers)
    curvature = discrepancy.curvature(optimum.state)
    if isinstance(discrepancy, MaximumLikelihood):
        value = float(discrepancy.value(optimum.state))
        statistic = likelihood_statistic(optimum.state, samples, multipliers, value)
        loglik = likelihoods(optimum.state, samples, data.masses)
        precision, lengths = curvature, [in_metric(point.inverse) for point in optimum.state.points]
    else:
        statistic = least_squares_statistic(estimator, optimum.state, discrepancy, samples, scale)
        loglik = (np.nan, np.nan)
        precision = least_squares_information(estimator, optimum.state, discrepancy)
        lengths = lengths_of(discrepancy, estimator)
    if pairs is not None:
        statistic, loglik = replace(statistic, tested=False), (np.nan, np.nan)
    robust = None
    if estimator in FORMS:
        spread = moment_covariance(source, data.summary) if pairs is None else pairwise_covariance(source, pairs)
        robust = robust_inference(estimator, optimum.state, samples, spread, statistic, scale)
    found = doubts(optimum.state, samples, data.sizes, curvature)
    valueless, unscaled = undefined(layout, model.definitions, optimum.theta)
    raised = [
        *valueless,
        *([] if pairs is None else doubts_of_pairs(pairs.answered)),
        *([] if robust else design_ignored(data.summary, estimator, tests_only=resampling.designed)),
        *((doubt.kind, doubt.text) for doubt in found if doubt.raised),
        *(doubts_of_design(robust, data.summary, statistic.df) if robust else []),
    ]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    slope = layout.restriction_slope(optimum.theta)
    information = bordered_inverse(precision * scale / 2, slope)
    result = Sem(
        model=model,
        estimator=estimator,
        optimum=optimum,
        discrepancy=discrepancy,
        samples=samples,
        sizes=data.sizes,
        vcov=robust.sandwich.covariance(scale) if robust else information,
        measures=measures_of(
            optimum.state,
            samples,
            data.masses,
            scale,
            statistic,
            loglik,
            goodness(optimum.state.points, samples, data.masses, lengths),
        ),
        condition=condition_number(curvature, slope),
        level=level,
        engine=engine,
        notes=(
            *(text for _, text in raised),
            *(doubt.text for doubt in found if not doubt.raised),
            *unscaled,
            *order_of_groups(model, data.labels),
        ),
        provenance=Provenance("published" if data.summary.published else missing, _variance_words(estimator, robust)),
        left_out=data.summary.ungrouped + (data.summary.incomplete if pairs is None else pairs.answered.left_out),
        robust=robust,
        answered=None if pairs is None else pairs.answered,
        df=degrees_of_freedom(data.summary) if robust else np.inf,
        group=group,
    )
    return result if se == "estimator" else resample(result, source, data, resampling, wishart=wishart)


def _check_options(estimator: str, likelihood: str, level: float, engine: str, equal: Sequence[str]) -> None:
    for option, found, allowed in (
        ("estimator", estimator, ESTIMATORS),
        ("likelihood", likelihood, _LIKELIHOODS),
        ("engine", engine, _ENGINES),
        *(("equal", kind, EQUAL) for kind in equal),
    ):
        check_choice(option, found, allowed)
    check_level(level)
    if likelihood == "wishart" and estimator in ORDINAL:
        raise OptionError("likelihood='wishart' is for estimator='ML'; ordered items have no such likelihood.")
    if likelihood == "wishart" and estimator in FORMS:
        raise OptionError(f"likelihood='wishart' is for estimator='ML'; {estimator} takes covariances with divisor n.")
    if engine == "semopy" and estimator != "ML":
        raise OptionError("engine='semopy' is a second opinion on estimator='ML' only.")


def _check_sharing(group: str | None, equal: Sequence[str], partial: Sequence[str]) -> None:
    """Refuse what would have no effect."""
    if equal and group is None:
        raise OptionError(f"equal={list(equal)} says what groups share; name the column of the groups in group=….")
    if partial and not equal:
        raise OptionError(f"partial={list(partial)} frees what equal=… ties; say in equal=… what groups share.")


def _check_missing(missing: str, estimator: str, likelihood: str, engine: str) -> None:
    """Refuse what only complete answers have."""
    check_choice("missing", missing, MISSING)
    if missing == "listwise":
        return
    if estimator in ORDINAL:
        raise OptionError(f"estimator={estimator!r} takes complete answers: leave missing={missing!r} out.")
    if estimator in WORDS:
        raise OptionError(
            f"estimator={estimator!r} takes complete answers: leave missing={missing!r} out, or use estimator='MLR'."
        )
    if likelihood == "wishart":
        raise OptionError(f"likelihood='wishart' is for complete answers; missing={missing!r} has no such likelihood.")
    if engine == "semopy":
        raise OptionError(f"engine='semopy' takes complete answers: leave missing={missing!r} out, or the engine.")


def _has_means(model: Model, asked: bool | None, data: Data, equal: Sequence[str], *, clustered: bool) -> bool:
    """Whether intercepts are estimated; refuses a model that speaks of more groups than there are, or lacks means."""
    check_groups(model, data.labels)
    written = any(term.op == "~1" for term in model.terms)
    needed = written or bool({"intercepts", "means"} & set(equal))
    wanted = needed or len(data.labels) > 1 or clustered if asked is None else asked
    if needed and not wanted:
        raise OptionError("means=False, but the model, or equal=…, speaks of intercepts.")
    known = all(np.isfinite(mean).all() for mean in data.means)
    if wanted and not known:
        raise SampleError("Intercepts need means: give from_covariance(…, mean=…), or sem(…, means=False).")
    return wanted


def _variance_words(estimator: str, robust: Robust | None) -> str:
    if robust is not None:
        return robust.words
    return WORDS.get(estimator, "expected information")
