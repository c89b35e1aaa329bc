"""Covariance-based structural equation models: maximum likelihood on moments.

The estimator is csat's own; semopy can be asked for a second opinion. Definitions follow lavaan
(Rosseel 2012, Journal of Statistical Software 48(2)).
"""

from __future__ import annotations

import warnings

import numpy as np

from csat.errors import (
    ConvergenceError,
    DesignIgnoredWarning,
    ModelError,
    OptionError,
    UnknownColumnError,
    check_choice,
)
from csat.model import Model
from csat.moments import Groups, Source, shown, source_of
from csat.results import Provenance, check_level
from csat.structural.checks import check_identified, check_sample, condition_number, doubts
from csat.structural.fit import TOLERANCE, Optimum, minimise
from csat.structural.measures import Measures, measures_of
from csat.structural.result import Sem
from csat.structural.second import minimise_with_semopy
from csat.structural.start import starting_values
from csat.structural.structure import Structure, build, evaluate

__all__ = ["Measures", "Sem", "sem"]

_ENGINES = {"csat": minimise, "semopy": minimise_with_semopy}
_LIKELIHOODS = ("normal", "wishart")


def sem(
    source: Source,
    model: Model | str,
    *,
    estimator: str = "ML",
    likelihood: str = "normal",
    level: float = 0.95,
    std_lv: bool = False,
    fixed_x: bool = True,
    auto_cov_y: bool = True,
    orthogonal: bool = False,
    engine: str = "csat",
) -> Sem:
    """Estimate a structural equation model by maximum likelihood.

    Parameters
    ----------
    source : a survey, a saved summary, or a published covariance matrix (`csat.from_covariance`). Respondents with
        an answer to every observed variable of the model count.
    model : a `Model`, or its text.
    estimator : "ML"; standard errors from the expected information.
    likelihood : "normal" (covariances with divisor n) or "wishart" (n − 1).
    level : of the intervals, between 0 and 1.
    std_lv : standardize constructs (variance 1) instead of fixing their first loadings.
    fixed_x : take the moments of observed predictors from the sample instead of estimating them.
    auto_cov_y : let the residuals of variables that explain nothing else covary.
    orthogonal : keep exogenous constructs uncorrelated.
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
    NegativeVarianceWarning, LatentCovarianceWarning, StandardizedPathWarning, IllConditionedWarning
        If the solution cannot be trusted. The same sentences are kept in ``Sem.notes``.
    DesignIgnoredWarning
        If the sample is weighted, clustered or stratified: weights enter the estimates, but these standard errors
        and tests are those of a simple random sample.

    Notes
    -----
    Fisher scoring with analytic derivatives on a RAM structure. Converged means that every element of the gradient,
    in units of that parameter's curvature, is below 1e-8. Variances are not bounded: a Heywood case is reported.
    """
    source = source_of(source)
    model = Model(model) if isinstance(model, str) else model
    if not isinstance(model, Model):
        raise OptionError(f"model is a text such as 'loyalty ~ quality', or a csat.Model; found {shown(model)}.")
    _check_options(model, estimator, likelihood, level, engine)
    groups = _listwise(source, model)
    moments = groups.moments()
    check_sample(model.observed, moments.cov, moments.mean, moments.n)
    n = moments.n
    sample, scale = (moments.cov, n) if likelihood == "normal" else (moments.cov * n / (n - 1), n - 1)
    rows = model.expand(std_lv=std_lv, fixed_x=fixed_x, auto_cov_y=auto_cov_y, orthogonal=orthogonal)
    optimum = _estimate(build(rows, model.observed, sample), sample, engine)
    information = optimum.point.information()
    condition = condition_number(information)
    raised = [*_design_ignored(groups), *doubts(optimum.point, condition)]
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    return Sem(
        model=model,
        optimum=optimum,
        sample=sample,
        vcov=np.linalg.inv(information * scale / 2) if len(information) else information,
        measures=measures_of(optimum.point, sample, n, scale),
        condition=condition,
        level=level,
        engine=engine,
        notes=tuple(text for _, text in raised),
        provenance=Provenance("published" if groups.published else "listwise", "expected information"),
        left_out=groups.incomplete,
    )


def _check_options(model: Model, estimator: str, likelihood: str, level: float, engine: str) -> None:
    for option, found, allowed in (
        ("estimator", estimator, ("ML",)),
        ("likelihood", likelihood, _LIKELIHOODS),
        ("engine", engine, tuple(_ENGINES)),
    ):
        check_choice(option, found, allowed)
    check_level(level)
    intercept = next((term for term in model.terms if term.op == "~1"), None)
    if intercept is not None:
        raise ModelError.at(
            model.syntax,
            intercept.position,
            "intercepts (~ 1) are not estimated: sem() fits covariances. Leave it out.",
        )


def _listwise(source: Source, model: Model) -> Groups:
    try:
        return source.groups(list(model.observed), rule="listwise")
    except UnknownColumnError as error:
        raise UnknownColumnError(
            f"{error} The model takes every name for a column that no =~ or <~ has on its left; "
            f"its constructs are {', '.join(map(repr, model.latents)) or 'none'}."
        ) from None


def _estimate(structure: Structure, sample: np.ndarray, engine: str) -> Optimum:
    start = starting_values(structure, sample)
    if evaluate(structure, start) is None:
        raise ModelError(
            "The starting values imply a covariance matrix that is not positive definite. "
            "Change the values given with start(…)*, or fixed variances and covariances that contradict each other."
        )
    check_identified(structure, start, generic=True)
    optimum = _ENGINES[engine](structure, sample, start)
    if engine == "csat" and not optimum.converged:
        worst = structure.names[int(np.argmax(np.abs(optimum.gradient)))]
        raise ConvergenceError.stopped("Maximum likelihood", optimum.iterations, optimum.worst, TOLERANCE, worst)
    check_identified(structure, optimum.point.theta, generic=False)
    return optimum


def _design_ignored(groups: Groups) -> list[tuple[type[DesignIgnoredWarning], str]]:
    """The design that plain ML standard errors leave out, in words."""
    weight = groups.gram[:, 0, 0]
    squares = weight if groups.square is None else groups.square[:, 0, 0]
    parts = [
        word
        for word, present in (
            ("weights", not (np.allclose(weight, groups.n) and np.allclose(squares, groups.n))),
            ("strata", len(groups.strata) > 1),
            ("sampling units", len(groups.psus) > 0),
        )
        if present
    ]
    if not parts:
        return []
    text = (
        f"The sample has {', '.join(parts)}; standard errors, tests and fit measures of estimator='ML' are those of a "
        "simple random sample of the same n. Weights enter the estimates, scaled to sum to n."
    )
    return [(DesignIgnoredWarning, text)]
