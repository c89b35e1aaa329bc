"""Weighted least squares from moments, with design-based, heteroscedasticity-consistent or classical errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from csat.drivers.linear.collinearity import collinearity_table
from csat.drivers.linear.figures import about
from csat.drivers.linear.joint import term_table
from csat.drivers.linear.least_squares import Fit, fit_least_squares
from csat.drivers.linear.passes import Sums, refined, summed
from csat.drivers.linear.result import OWN_COLUMNS, Regression
from csat.drivers.linear.sandwich import POWERS, SE, covariance, determined_alone
from csat.drivers.terms import Terms, complete_with, terms_of
from csat.errors import CollinearityError, OptionError, SampleError, check_choice
from csat.moments import Groups, Source, check_size, group_names, shown, source_of, term_of
from csat.results import Estimates, Provenance, Unavailable, check_level
from csat.variance import method_of

FAMILIES = ("linear", "logit", "ordered")


def regress(
    source: Source,
    outcome: Any,
    drivers: Any,
    *,
    family: str = "linear",
    se: str = "design",
    intercept: bool = True,
    by: str | Sequence[str] | None = None,
    complete: Sequence[Any] = (),
    level: float = 0.95,
) -> Regression:
    """What each driver adds to an outcome, the others equal.

    Parameters
    ----------
    source : survey, or a summary. Rows that miss one of the variables are left out ("listwise").
    outcome : dependent variable: a code, an item of a questionnaire, or a `Recode`.
    drivers : (m,) terms: codes, items and processes of a questionnaire, `Recode`, `Factor` or columns of text (a 0/1
        column per level but the first), interactions "a:b".
    family : "linear" (weighted least squares), "logit" (an outcome of two values) or "ordered" (cumulative logit).
    se : "design" (Taylor linearisation, Binder 1983, or the replicate weights of the design; t with units − strata + 1
        − q degrees of freedom for q coefficients), "classical" (constant error variance), or "HC0", "HC1", "HC2",
        "HC3" (White 1980; MacKinnon & White 1985, with the leverage of weighted rows).
    intercept : False: through the origin, in the units of the data. The first factor then keeps all of its levels;
        R², β, partial correlations, tolerance and VIF are about squares around zero.
    by : grouping columns: a regression for each group, with the joint covariance of all coefficients. A group without
        enough different answers has NaN and a reason.
    complete : further variables that a row must have answered; fixes the sample when models are compared.
    level : of the intervals.

    Returns
    -------
    Regression
        A coefficient that one respondent determines alone (the only one of a level) has no standard error but the
        classical one. If the drivers determine the outcome exactly, standard errors are 0 and nothing is tested. The
        overall test is Wald's F on the covariance chosen (for "classical" the usual F). Where drivers nearly
        repeat each other, or leave almost nothing to explain, and the rows are at hand, further passes correct the
        coefficients: `refined` in `glance` counts them. aic, bic and loglik are those of R's lm: weights count as
        inverse variances.

    Raises
    ------
    OptionError
        Arguments that make no sense.
    SampleError, CollinearityError
        Too few respondents, a constant variable, no rows for the covariance asked, exact collinearity.
    """
    check_choice("family", family, FAMILIES)
    check_choice("se", se, SE)
    check_level(level)
    if not isinstance(intercept, bool | np.bool_):
        raise OptionError(f"intercept is True or False; found {shown(intercept)}.")
    groupers = _groupers(by)
    answers = source_of(source)
    if family != "linear":
        if not intercept:
            raise OptionError(f"intercept=False is for family='linear'; with family={family!r} leave it out.")
        from csat.drivers.categories.categorical import fit_categorical

        return fit_categorical(answers, terms_of(answers, outcome, drivers), family, se, complete, level, groupers)
    terms = terms_of(answers, outcome, drivers, intercept=bool(intercept))
    sums = summed(answers, complete_with(answers, terms, complete), groupers)
    q = len(terms.columns) + bool(intercept)
    check_size(groupers, sums.groups.domains, q)
    fits, faults = _fits(sums.groups, terms, bool(intercept))
    fits, passes = refined(answers, sums.groups, fits)
    vcov, df = covariance(answers, sums.groups, fits, q, se)
    alone = np.flatnonzero(determined_alone(answers, sums.groups, fits, se))
    vcov[alone] = vcov[:, alone] = np.nan
    lone = dict.fromkeys(alone.tolist(), Unavailable("full_leverage"))
    estimates = _estimates(sums, terms, fits, faults, vcov, df, se, level, lone)
    return _result(sums, terms, fits, estimates, passes)


def _groupers(by: Any) -> tuple[str, ...]:
    names = group_names(by)
    for name in names:
        if name in OWN_COLUMNS:
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")
    return names


def _fits(groups: Groups, terms: Terms, intercept: bool) -> tuple[list[Fit | None], dict[int, Unavailable]]:
    """A fit for each domain, or why there is none; without groups that is an error."""
    labels = [terms.labels[owner] for owner in terms.owner]
    fits: list[Fit | None] = []
    faults: dict[int, Unavailable] = {}
    for d, domain in enumerate(groups.domains):
        moments = groups.moments(domain).select([*terms.names, term_of(terms.outcome)])
        try:
            fits.append(fit_least_squares(moments, intercept, labels))
        except (SampleError, CollinearityError) as error:
            if not groups.by:
                raise
            fits.append(None)
            faults[d] = _fault(error, moments.n, len(labels) + intercept)
    return fits, faults


def _fault(error: Exception, n: int, q: int) -> Unavailable:
    if isinstance(error, CollinearityError):
        return Unavailable("collinear")
    if n <= q:
        return Unavailable("few_answers" if n else "no_answers")
    return Unavailable("constant")


def _estimates(
    sums: Sums, terms: Terms, fits: Sequence[Fit | None], faults: Mapping[int, Unavailable], vcov: np.ndarray,
    df: np.ndarray, se: str, level: float, lone: Mapping[int, Unavailable],
) -> Estimates:  # fmt: skip
    """The coefficients of all domains, domain by domain; `lone` ones are determined by one respondent each."""
    groups, q = sums.groups, len(vcov) // len(fits)
    names = (*(["(intercept)"] * (q - len(terms.columns))), *terms.names)
    estimate = np.concatenate([np.full(q, np.nan) if fit is None else fit.coef for fit in fits])
    n = groups.over_domains(groups.n)
    vague = np.flatnonzero(~np.isfinite(np.diag(vcov))).tolist()
    missing = {i: Unavailable("full_leverage" if se in POWERS else "not_identified") for i in vague} | dict(lone)
    missing |= {i: Unavailable("df_zero") for i in range(len(vcov)) if df[i // q] < 1}
    missing |= {i: Unavailable("no_rows") for i in np.flatnonzero(~np.isfinite(estimate)).tolist()}
    missing |= {d * q + j: fault for d, fault in faults.items() for j in range(q)}
    return Estimates(
        term=names * len(fits),
        estimate=estimate,
        vcov=vcov,
        df=np.repeat(df, q) if groups.by else float(df[0]),
        n=np.repeat(n, q),
        n_eff=np.repeat(sums.kish, q),
        unit="outcome units",
        provenance=Provenance("listwise", method_of(groups) if se == "design" else se),
        level=level,
        null=0.0,
        keys={by: tuple(domain[i] for domain in groups.domains for _ in range(q)) for i, by in enumerate(groups.by)},
        unavailable=missing,
    )


def _result(
    sums: Sums, terms: Terms, fits: Sequence[Fit | None], estimates: Estimates, passes: np.ndarray
) -> Regression:
    """Everything about the fits, put into its places."""
    groups, size = sums.groups, len(fits)
    q = len(estimates.term) // size
    usual = estimates.provenance.variance == "classical"
    df = np.broadcast_to(estimates.df, len(estimates.term))[::q]
    found = [
        about(fit, terms, estimates.estimate[at], estimates.vcov[at, at], df[d], sums.log_weights[d], usual=usual)
        for d, fit in enumerate(fits)
        for at in [slice(d * q, (d + 1) * q)]
    ]

    def each(figures: Sequence[Any] | np.ndarray) -> Any:
        return np.array(figures) if groups.by else np.array(figures).item()

    n = groups.over_domains(groups.n)
    loglik = np.array([figures.loglik for figures in found])
    tolerance = np.concatenate([figures.tolerance for figures in found])
    with np.errstate(invalid="ignore", divide="ignore"):
        penalty = np.log(n)
    owner = (*[""] * (q - len(terms.columns)), *(terms.labels[owner] for owner in terms.owner))
    return Regression(
        outcome=term_of(terms.outcome),
        family="linear",
        coefficients=estimates,
        owner=owner * size,
        beta=np.concatenate([figures.beta for figures in found]),
        partial=np.concatenate([figures.partial for figures in found]),
        semipartial=np.concatenate([figures.semipartial for figures in found]),
        vif=1 / tolerance,
        tolerance=tolerance,
        terms=term_table([figures.terms for figures in found], groups.by, groups.domains),
        tests=tuple(figures.test for figures in found),
        n=each(n),
        left_out=each(sums.left_out),
        n_eff=each(sums.kish),
        r2=each([figures.r2 for figures in found]),
        adj_r2=each([figures.adj_r2 for figures in found]),
        sigma=each([figures.sigma for figures in found]),
        loglik=each(loglik),
        aic=each(2 * (q + 1) - 2 * loglik),
        bic=each(penalty * (q + 1) - 2 * loglik),
        condition=each([figures.dimensions[0][-1] for figures in found]),
        collinearity=collinearity_table(
            estimates.term[:q], [figures.dimensions for figures in found], groups.by, groups.domains
        ),
        further={"refined": each(passes)} | ({"ungrouped": groups.ungrouped} if groups.by else {}),
    )
