"""Exploratory factor analysis: what stands behind items before a model says so."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from csat.errors import CsatWarning, ModelError, OptionError, check_choice
from csat.moments import Source, shown, source_of
from csat.results import Estimates, Provenance, Unavailable
from csat.structural.exploratory.extraction import (
    LEAST,
    Extracted,
    maximum_likelihood,
    minimum_residuals,
    principal_components,
)
from csat.structural.exploratory.factor_fit import EfaTest, fit_of, most_factors, no_test
from csat.structural.exploratory.factors import Efa, squares_of
from csat.structural.exploratory.loading_errors import RESTING, LoadingErrors, Spread, loading_errors, spread_of
from csat.structural.exploratory.rotation import ROTATIONS, Rotated
from csat.structural.exploratory.suitability import (
    Correlations,
    FactorNumber,
    check_draws,
    correlations_of,
    doubts_of_design,
    doubts_of_items,
    number_of,
    suitability,
)

#: How factors are extracted.
METHODS: dict[str, Callable[[np.ndarray, int], Extracted]] = {
    "ml": maximum_likelihood,
    "minres": minimum_residuals,
    "pca": principal_components,
}
#: Least loading of an item that counts for its factor, and how many such items a factor of a model needs.
_COUNTS, _NEEDED = 0.4, 3


class HeywoodWarning(CsatWarning):
    """An item that its factors explain wholly."""


def efa(
    source: Source,
    items: Sequence[str] | None = None,
    factors: int | str = "parallel",
    *,
    method: str = "ml",
    rotation: str | None = "oblimin",
    level: float = 0.95,
    draws: int = 500,
    seed: int = 1,
) -> Efa:
    """Explore which factors stand behind items: the step before a structural model says so.

    Parameters
    ----------
    source : a survey, a summary, or a published correlation matrix (`csat.from_covariance`). Respondents with an answer
        to every item count. For ordered items give the correlations of ``found = csat.polychoric(…)`` as
        ``csat.from_covariance(found.matrix(), found.sizes[0])``.
    items : three or more; None: all questions on a scale, or all of a published matrix.
    factors : how many; "parallel": as many as exceed uncorrelated items, see `csat.number_of_factors`.
    method : "ml", maximum likelihood, with a test; "minres", least residual correlations; "pca", principal components,
        which are no factors: they explain variance that items do not share.
    rotation : "oblimin" (correlated factors, γ = 0), "promax" (correlated, power 4), "varimax" (uncorrelated, Kaiser's
        normalisation), or None.
    level : of the intervals, and quantile of the random eigenvalues that a factor must exceed.
    draws, seed : of the parallel analysis.

    Returns
    -------
    Efa

    Raises
    ------
    OptionError, UnknownColumnError
        Arguments that make no sense; more factors than the items can tell apart.
    ModelError
        If the parallel analysis finds no factor.
    SampleError, CollinearityError
        Too few respondents, items without variation, or items that repeat each other.
    ConvergenceError

    Warns
    -----
    HeywoodWarning
        If the factors explain an item wholly: its uniqueness stands at the least value allowed, .005.
    SamplingAdequacyWarning
        If the items share too little.
    DesignIgnoredWarning
        If the sample is weighted, stratified or clustered and the source is a summary that cannot tell what follows.

    Notes
    -----
    Factors are extracted from several starts, drawn with a fixed seed, and rotations too; the best optimum counts.
    χ² has Bartlett's (1951) correction, n − 1 − (2p + 5)/6 − 2m/3 times F, as in R's factanal. RMSEA and its 90 %
    interval are those of (n − 1)·F. TLI is that of Tucker & Lewis (1973); BIC is χ² − df·log n, as in psych.

    Standard errors are those of loadings of standardized items and their rotation (Jennrich 1973, 1974): under "ml"
    from the expected information, under "minres" from normal answers. Components, promax and solutions with an item
    explained wholly have none. Under weights, strata, sampling units or replicate weights they are sandwiches with the
    design's covariance of the sample moments, and χ² of the factors and of sphericity is divided by its mean over df.

    References
    ----------
    Lawley & Maxwell (1971), Factor Analysis as a Statistical Method; Fabrigar, Wegener, MacCallum & Strahan (1999),
    Psychological Methods 4(3), 272–299.
    """
    check_choice("method", method, METHODS)
    if rotation is not None:
        check_choice("rotation", rotation, ROTATIONS)
    check_draws(draws, level, seed)
    source = source_of(source)
    _check_factors(factors)
    found = correlations_of(source, items, "A factor analysis")
    spread = spread_of(source, found.groups) if found.designed else None
    about = suitability(found.corr, found.n, 1.0 if spread is None else spread.of_none)
    raised = [*([] if spread else doubts_of_design(found, "standard errors and tests")),
              *doubts_of_items(found.names, about)]  # fmt: skip
    number = number_of(found, spread, about, draws, level, seed, tuple(text for _, text in raised))
    m = _checked(factors, number, method)
    extracted = METHODS[method](found.corr, m)
    rotated = _ordered(_rotated(extracted.loadings, rotation))
    heywood = tuple(name for name, bound in zip(found.names, extracted.bound, strict=True) if bound)
    raised += _heywood(heywood)
    for kind, text in raised:
        warnings.warn(text, kind, stacklevel=2)
    known = method != "pca" and rotation in RESTING and not heywood
    errors = _errors(rotated, found.n, method, rotation, spread, known=known)
    called = tuple(f"F{j + 1}" for j in range(m))
    provenance = Provenance(found.sample, _variance(method, spread, known=known))
    return Efa(
        names=found.names,
        factors=called,
        pattern=rotated.loadings,
        correlations=rotated.correlations,
        uniqueness=extracted.uniqueness,
        heywood=heywood,
        corr=found.corr,
        n=found.n,
        left_out=found.left_out,
        method=method,
        rotation=rotation,
        test=_test(found, extracted, m, method, spread),
        suitability=about,
        estimates=_estimates(rotated, errors, found, called, level, provenance),
        number=number,
        notes=(
            *(text for _, text in raised),
            *_thin(rotated.loadings, called),
        ),
        provenance=provenance,
    )


def _check_factors(factors: Any) -> None:
    if isinstance(factors, str) and factors == "parallel":
        return
    if not isinstance(factors, int | np.integer) or isinstance(factors, bool) or factors < 1:
        raise OptionError(f"factors is a whole number, 1 or more, or 'parallel'; found {shown(factors)}.")


def _checked(factors: int | str, number: FactorNumber, method: str) -> int:
    """The number of factors, refused where the items cannot tell so many apart."""
    p = len(number.names)
    most = p if method == "pca" else most_factors(p)
    if isinstance(factors, str):
        if not number.parallel:
            raise ModelError(
                f"The parallel analysis finds no factor: the largest eigenvalue, {number.eigenvalues[0]:.3g}, does not "
                f"exceed {number.limit[0]:.3g}, that of uncorrelated items. Choose items that measure something in "
                "common, or say factors=1."
            )
        if number.parallel > most:
            raise OptionError(
                f"factors='parallel' finds {number.parallel} factors, but {p} items can tell {most} apart at most. "
                f"Add items, or say factors={most}."
            )
        return number.parallel
    if factors > most:
        raise OptionError(f"factors={factors}: {p} items can tell {most} factors apart at most.")
    return factors


def _rotated(loadings: np.ndarray, rotation: str | None) -> Rotated:
    m = loadings.shape[1]
    if rotation is None or m == 1:
        return Rotated(loadings, np.eye(m), np.eye(m))
    return ROTATIONS[rotation](loadings)


def _ordered(rotated: Rotated) -> Rotated:
    """Factors with positive sums of loadings, the largest first."""
    sign = np.where(rotated.loadings.sum(axis=0) < 0, -1.0, 1.0)
    order = np.argsort(-squares_of(rotated.loadings, rotated.correlations), kind="stable")
    signed = np.outer(sign, sign) * rotated.correlations
    return Rotated((rotated.loadings * sign)[:, order], signed[np.ix_(order, order)], (rotated.matrix * sign)[:, order])


def _heywood(names: Sequence[str]) -> list[tuple[Any, str]]:
    if not names:
        return []
    text = (
        f"Heywood case: the factors explain {', '.join(names)} wholly (uniqueness at its least value, {LEAST:g}). "
        "Too many factors, too few respondents, or items that nearly repeat each other: extract fewer factors, or "
        "leave an item out."
    )
    return [(HeywoodWarning, text)]


def _thin(pattern: np.ndarray, factors: Sequence[str]) -> list[str]:
    """Factors that stand on few items, in words."""
    size = np.abs(pattern)
    counts = ((size >= _COUNTS) & (size == size.max(axis=1, keepdims=True))).sum(axis=0)
    thin = [f"{name} ({count})" for name, count in zip(factors, counts.tolist(), strict=True) if count < _NEEDED]
    if not thin:
        return []
    return [
        f"Factors with fewer than {_NEEDED} items that load {_COUNTS:g} or more on them first: {', '.join(thin)}. They "
        "may not show again, and a model with such a construct may not be identified; extract fewer factors, or add "
        "items."
    ]


def _errors(
    rotated: Rotated, n: int, method: str, rotation: str | None, spread: Spread | None, *, known: bool
) -> LoadingErrors:
    if known:
        return loading_errors(rotated.loadings, rotated.correlations, n, method, rotation, spread)
    m = len(rotated.correlations)
    return LoadingErrors(np.full((rotated.loadings.size + m * (m - 1) // 2,) * 2, np.nan), np.nan)


def _variance(method: str, spread: Spread | None, *, known: bool) -> str:
    if not known:
        return "none"
    if spread is not None:
        return f"sandwich; {spread.method}"
    return "expected information" if method == "ml" else "normal-theory information"


def _test(found: Correlations, extracted: Extracted, m: int, method: str, spread: Spread | None) -> EfaTest:
    """χ² and indices at the factors extracted; the scaling is the same for every rotation."""
    if method != "ml":
        return no_test(len(found.names), m)
    if spread is None:
        scalings = (1.0, 1.0)
    elif extracted.bound.any():
        scalings = (np.nan, np.nan)
    else:
        plain = loading_errors(extracted.loadings, np.eye(m), found.n, method, None, spread)
        scalings = (plain.scaling, spread.of_none)
    return fit_of(found.corr, extracted.loadings, extracted.uniqueness, found.n, scalings)


def _estimates(
    rotated: Rotated, errors: LoadingErrors, found: Correlations, factors: Sequence[str], level: float, made: Provenance
) -> Estimates:
    """Loadings and, where the rotation lets factors correlate, their correlations as estimates."""
    above = np.triu_indices(len(factors), 1)
    pairs = [] if np.array_equal(rotated.correlations, np.eye(len(factors))) else list(combinations(factors, 2))
    about = [(name, factor) for name in found.names for factor in factors]
    size = len(about) + len(pairs)
    vcov = errors.vcov[:size, :size]
    return Estimates(
        term=(*(f"{factor} =~ {name}" for name, factor in about), *(f"{a} ~~ {b}" for a, b in pairs)),
        estimate=np.concatenate([rotated.loadings.ravel(), rotated.correlations[above]])[:size],
        vcov=vcov,
        df=np.inf,
        n=np.full(size, found.n),
        n_eff=np.full(size, np.nan),
        unit="scale",
        provenance=made,
        level=level,
        null=0.0,
        keys={
            "item": (*(name for name, _ in about), *(b for _, b in pairs)),
            "factor": (*(factor for _, factor in about), *(a for a, _ in pairs)),
        },
        unavailable=dict.fromkeys(np.flatnonzero(np.isnan(np.diag(vcov))).tolist(), Unavailable("no_loading_error")),
    )
