"""`factor_weights`: one door to weights of factors, given, from answers, or read off another result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, check_choice
from csat.fuzzy.ahp import Ahp
from csat.fuzzy.measured import ANSWERS, POINTS, RANGE, VALUES, factor_codes, measured
from csat.fuzzy.objective import METHODS as OBJECTIVE
from csat.fuzzy.objective import check_rule, of_answers, of_groups, weights_of
from csat.fuzzy.weights import FactorWeights, check_shares, without_uncertainty
from csat.moments import Source, as_names, group_names, shown, source_of
from csat.questionnaire import Questionnaire
from csat.results import check_level
from csat.scoring import questionnaire_of

if TYPE_CHECKING:
    from csat.fuzzy.derived import Result

#: Ways to weigh the factors of a survey.
GIVEN, EQUAL = "given", "equal"
METHODS = (EQUAL, GIVEN, *OBJECTIVE)


def factor_weights(
    source: Source | Result | Ahp | FactorWeights | Mapping[str, float] | pd.Series,
    factors: str | Sequence[str] | None = None,
    *,
    method: str | None = None,
    by: str | Sequence[str] | None = None,
    values: str = POINTS,
    rule: str | None = None,
    of: str | None = None,
    outcome: str | None = None,
    group: str | Sequence[str] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> FactorWeights:
    """Weights of factors, ≥ 0 with sum 1, with their uncertainty.

    Parameters
    ----------
    source : a survey (or a summary), weighed by `method`; a mapping factor → weight, taken as it is; or a result:
        `regress` (standardized coefficients), `importance` (shares), `sem` and `pls` (see `of`, `outcome`).
    factors : codes of items, processes or dimensions; one dimension: its children; None: the children of the index,
        or all that the result has.
    method : of a survey. "equal"; "given" in the index tree; from the answers x, over respondents, each as often as its
        weight says: "entropy" (d = 1 + Σ p·ln p/ln N with p = x/Σx), "cv" (SD over mean), "critic"
        (SD · Σ(1 − r) over the other factors: Diakoulaki et al. 1995), "sd", "mean". Each divided by its sum.
    by : over the means of these groups instead of over respondents, each group once: what tells branches apart.
    values : "points" of 0–100, so that scales with other ends compare (columns without a scale are taken as they are);
        "answers" as they are; "range" (with `by`): between the lowest and the highest group, as textbooks of CRITIC do.
    rule : "available" (each factor over those who answered it; default of "mean" and "entropy") or "listwise" (those
        who answered all; default of the others, which need covariances).
    of : construct of a structural or path model whose items are weighed, by standardized loadings (`sem`) or outer
        weights (`pls`).
    outcome : variable of such a model that the factors act on, weighed by total effects (standardized in `sem`).
    group : of a result by groups, the one to use.
    level : of the intervals.
    questionnaire : needed if the survey has none and factors are dimensions.

    Returns
    -------
    FactorWeights
        Standard errors are design-based, from the exact derivatives of the weights (delta method), or carried on from
        the result; under replicate weights figures of covariances are computed anew with each. NaN for given and equal
        weights, and where the source has no rows. Negative coefficients, shares, loadings or effects count as 0, and a
        note says so; the draws know how likely they are positive.

    Raises
    ------
    OptionError, UnknownItemError
        For arguments that make no sense, or codes that are not known.
    MembershipError
        For given weights that are negative or do not sum to 1.
    SampleError
        For factors without answers or variation.

    Notes
    -----
    Entropy weights do not change with the number of respondents: 1 − e = (E[x·ln x]/E[x] − ln E[x])/ln N, and ln N
    divides out, so that they follow from Σw·x and Σw·x·ln x. Neither they nor "cv" survive a shift of the scale: 1–5
    and 0–100 give other weights, and "values" says which was meant.

    Examples
    --------
    >>> factor_weights({"quality": 0.6, "price": 0.4}).values.tolist()
    [0.6, 0.4]
    """
    check_level(level)
    if isinstance(source, Ahp | FactorWeights):
        unused = {"factors": factors, "method": method, "by": by, "rule": rule, "of": of, "outcome": outcome}
        _only(type(source).__name__, **unused, group=group)
        return source.weights if isinstance(source, Ahp) else source
    if not isinstance(source, Source | Mapping | pd.Series):
        # Not at the top: the results of other rooms, and what they are made with, load in half a second.
        from csat.fuzzy.derived import Result, from_result

        if isinstance(source, Result):
            _only(type(source).__name__, method=method, by=by, rule=rule)
            return from_result(source, factors, of, outcome, group, level)
    _only(type(source).__name__, of=of, outcome=outcome, group=group)
    if isinstance(source, Mapping | pd.Series):
        _only(type(source).__name__, method=None if method == GIVEN else method, by=by, rule=rule)
        return given(source, factors, level)
    return _of_source(source_of(source), factors, method, by, values, rule, level, questionnaire)


def _only(origin: str, **unused: Any) -> None:
    """Refuse arguments that do not belong to weights of this origin."""
    for name, value in unused.items():
        if value is not None:
            raise OptionError(f"{name}= has no meaning for weights from {origin}; leave it out.")


def given(weights: Any, factors: Any = None, level: float = 0.95) -> FactorWeights:
    """Weights as somebody gave them, by name; `factors` may say which, in which order."""
    found = {str(name): value for name, value in weights.items()}
    if len(found) < len(weights):
        raise OptionError(
            f"Two weights have the same name; one per factor is needed: {list(map(str, weights.keys()))}."
        )
    wanted = list(found) if factors is None else list(as_names(factors, "factors"))
    if not found or len(wanted) != len(found) or set(wanted) != set(found):
        raise OptionError(f"Weights are needed for exactly the factors {wanted}; found those of {list(found)}.")
    numbers = [found[name] for name in wanted]
    for name, value in zip(wanted, numbers, strict=True):
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise OptionError(f"The weight of {name!r} is a number; found {shown(value)}.")
    try:
        shares = np.array(numbers, float)
    except OverflowError:
        raise OptionError(
            "The weights are numbers between 0 and 1; one of them is too large to compute with."
        ) from None
    return without_uncertainty(wanted, check_shares(shares, wanted), GIVEN, "given_weights", level=level)


def equal(factors: Sequence[str], level: float = 0.95) -> FactorWeights:
    """The same weight for each."""
    return without_uncertainty(factors, np.full(len(factors), 1 / len(factors)), EQUAL, "given_weights", level=level)


def _of_source(
    source: Source, factors: Any, method: Any, by: Any, values: Any, rule: Any, level: float,
    questionnaire: Questionnaire | None,
) -> FactorWeights:  # fmt: skip
    check_choice("method", method, METHODS)
    check_choice("values", values, VALUES)
    asked = questionnaire_of(source, questionnaire)
    codes = factor_codes(factors, asked)
    groupers = group_names(by)
    if method in (EQUAL, GIVEN):
        _only(f"method={method!r}", **{"by": by, "rule": rule})
        return equal(codes, level) if method == EQUAL else _of_tree(codes, asked, level)
    sample = check_rule(rule, method)
    made = measured(source, codes, asked, values)
    if groupers:
        found, notes = of_groups(source, made, method, groupers, values)
        return weights_of(found, codes, method, level, notes)
    if values == RANGE:
        raise OptionError("values='range' compares groups by their lowest and highest: name them, by='…'.")
    found = of_answers(source, made, method, sample, asked, ANSWERS if values == ANSWERS else POINTS)
    return weights_of(found, codes, method, level, ())


def _of_tree(codes: Sequence[str], asked: Questionnaire | None, level: float) -> FactorWeights:
    """The weights that the index tree gives the children of one dimension."""
    for dimension in () if asked is None else asked.dimensions:
        if set(dimension.children) == set(codes):
            found = dict(zip(dimension.children, dimension.shares, strict=True))
            return given(found, codes, level)
    raise OptionError(f"method='given': {list(codes)} are not the children of one dimension of the index tree.")
