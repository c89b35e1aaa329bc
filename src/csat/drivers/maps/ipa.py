"""Importance–performance analysis: what matters and how well it is done, with the probability of each quadrant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from csat.drivers.maps.axes import EFFECTS, SHARE, STATED, Figures, Plan, figures
from csat.drivers.maps.maps import AXES, COLUMNS, Ipa
from csat.drivers.maps.quadrants import Place, deviations, standardized
from csat.drivers.maps.scored import check_drivers, codes_of, drivers_of, number_in, outcome_of, scores_of
from csat.drivers.relative.shares import MEASURES
from csat.errors import OptionError, SampleError
from csat.moments import Source, check_size, group_names, shown, source_of
from csat.questionnaire import Questionnaire
from csat.results import Estimates, check_level

__all__ = ["Ipa", "ipa"]

CUTS = ("means", "iso")
#: Points that a perfect score has.
FULL = 100.0


def ipa(
    source: Source,
    outcome: Any = None,
    drivers: Any = None,
    *,
    importance: str | Mapping[Any, Any] | Sequence[Any] = "lmg",
    cut: str | tuple[float, float] = "means",
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
) -> Ipa:
    """Map how important drivers are against how well they are rated.

    Performance and importance are functions of the same moments, over the respondents who answered everything
    ("listwise"), so that each driver has a joint covariance of both (design-based), an ellipse, and a probability for
    each quadrant that counts the uncertainty of the cut too.

    Parameters
    ----------
    source : survey or summary. A summary without rows and units gives the map without standard errors.
    outcome : dependent variable; None: the outcome of the study. Not needed for stated importance; if it is named
        there, the coefficients and the potential are added.
    drivers : (k,) at least two questions, by code or as items; None: the processes of the study. With a questionnaire
        performance is the mean score on 0–100 and all coefficients are in points; without one both are in the
        units of the data, which must then be the same for all drivers.
    importance : derived: a measure of `csat.importance` ("lmg", "johnson", "first", "last", "pratt" …; in per cent
        of the sum), "correlation", "beta" (standardized coefficient) or "b" (points of the outcome per point of the
        driver). Stated: the items that ask how important each driver is, as a table driver → item or a list in the
        order of the drivers; their mean score.
    cut : "means": lines at the mean performance and the mean importance of the drivers. Two numbers (performance,
        importance): lines there, known without error. "iso": both axes are standardized over the drivers (their
        mean is 0, their standard deviation 1); above the diagonal, where a driver ranks higher in importance than
        in performance, is "concentrate", and below it the lines at the means tell the other quadrants apart
        (Abalo, Varela & Manzano 2007; the line of equal priority is Slack's 1994. They put both axes on one
        scale by rankings; standardizing does so for importance that has a unit of its own).
    by : grouping columns; a map per group, jointly estimated.
    level : of intervals and ellipses.

    Returns
    -------
    Ipa
        Quadrants (Martilla & James 1977): "keep_up", "concentrate", "low_priority", "overkill". Probabilities treat
        the estimates as bivariate t around the truth, as the intervals do; those of shares compare parts of R² with
        the cut in parts, which needs no division by an estimated R². Intervals of shares are those of
        `csat.importance` (Fieller's); their standard errors and ellipses are of first order. ``distance`` is the place
        above the iso-line, whatever the cut. ``potential`` is b · (100 − performance): the difference in the outcome
        that goes with a perfect score, all else equal; an association, not a promise. ``priority`` ranks by potential,
        or by distance where there is none.

    Raises
    ------
    OptionError
        For arguments that make no sense, or that the source's questionnaire cannot supply.
    SampleError, CollinearityError
        Too few respondents, a constant driver, exact collinearity, a summary without means.

    Sources: Martilla & James (1977), J. Marketing 41(1), 77–79; Slack (1994), Int. J. Operations & Production
    Management 14(5), 59–75; Abalo, Varela & Manzano (2007), J. Business Research 60, 115–121.
    """
    check_level(level)
    asked = source_of(source).questionnaire
    rule, given = _cut_of(cut)
    method, goal, terms, stated = _asked(asked, outcome, drivers, importance)
    groupers = group_names(by)
    _check_columns(groupers)
    if rule == "iso" and len(terms) < 3:
        raise OptionError("cut='iso' standardizes the axes over the drivers: it needs at least 3 of them.")
    known, rated = _same_units(asked, terms, "drivers"), _same_units(asked, stated, "importance items")
    items = scores_of(asked, [*terms, *stated, *(() if goal is None else (goal,))])
    groups = source.groups(items.variables, groupers, "listwise")
    check_size(groupers, groups.domains, 3 * len(terms))
    if np.isnan(groups.midpoint).any():
        raise SampleError("Performance is a mean, and this summary has none: csat.from_covariance(…, mean=…).")
    plan = Plan(items, groups.midpoint, len(terms), method, goal is not None)
    found = figures(source, groups, plan, level)
    per = f"{'points' if asked is not None and goal in asked.codes else 'units'} per {'point' if known else 'unit'}"
    derived = per if method == "b" else EFFECTS.get(method, SHARE)
    units = (_unit(known), _unit(rated) if method == STATED else derived, per)
    slopes, potential = (None, None) if goal is None else _effects(found, terms, per, known)
    return Ipa(
        outcome=goal,
        importance=method,
        rule=rule,
        terms=terms,
        by=groupers,
        groups=groups.domains,
        slopes=slopes,
        potential=potential,
        left_out=groups.incomplete,
        ungrouped=groups.ungrouped,
        **_maps(found, plan, terms, units, rule, given),
    )


def _cut_of(cut: Any) -> tuple[str, tuple[float, float]]:
    """The rule of the cut, and the numbers if they are given."""
    if isinstance(cut, str):
        if cut not in CUTS:
            raise OptionError.choose("cut", cut, [*CUTS, "(performance, importance)"])
        return cut, (math.nan, math.nan)
    pair = cut.tolist() if isinstance(cut, np.ndarray) else cut
    numbers = [number_in(value) for value in pair] if isinstance(pair, tuple | list) else []
    if len(numbers) != 2 or not np.isfinite(numbers).all():
        raise OptionError(f"cut is 'means', 'iso' or two numbers (performance, importance); found {shown(cut)}.")
    return "given", (numbers[0], numbers[1])


def _asked(
    asked: Questionnaire | None, outcome: Any, drivers: Any, importance: Any
) -> tuple[str, str | None, tuple[str, ...], tuple[str, ...]]:
    """Method, outcome, drivers and the items of stated importance."""
    if isinstance(importance, str):
        if importance not in (*MEASURES, *EFFECTS):
            raise OptionError.choose("importance", importance, [*MEASURES, *EFFECTS, "items of stated importance"])
        goal = outcome_of(asked, outcome)
        terms = drivers_of(asked, drivers, goal)
        _check_number(importance, len(terms))
        return importance, goal, terms, ()
    named = None if outcome is None else outcome_of(asked, outcome)
    if isinstance(importance, Mapping):
        pairs = dict(zip(codes_of(importance, "importance"), codes_of(importance.values(), "importance"), strict=True))
        terms = check_drivers(tuple(pairs), named) if drivers is None else drivers_of(asked, drivers, named)
        if set(terms) != set(pairs):
            odd = sorted(set(terms) ^ set(pairs))[0]
            raise OptionError(f"importance= must name an item for exactly the drivers; they differ at {odd!r}.")
        stated = tuple(pairs[term] for term in terms)
    else:
        stated = codes_of(importance, "importance")
        terms = drivers_of(asked, drivers, named)
        if len(stated) != len(terms):
            raise OptionError(
                f"importance= lists {len(stated)} items for {len(terms)} drivers: one for each is needed."
            )
    everything = [*terms, *stated, *(() if named is None else (named,))]
    twice = [code for code in everything if everything.count(code) > 1]
    if twice:
        raise OptionError(f"{twice[0]!r} is named twice; drivers and their importance items must all differ.")
    return STATED, named, terms, stated


def _check_number(method: str, size: int) -> None:
    most = MEASURES[method].most if method in MEASURES else None
    if most is not None and size > most:
        raise OptionError(
            f"importance={method!r} takes up to {most} drivers; {size} were given. 'johnson' takes any number."
        )


def _check_columns(by: Sequence[str]) -> None:
    for name in by:
        if name in COLUMNS or name in ("axis", "unit"):
            raise OptionError(f"by: column {name!r} has the name of a result's column; rename it in the data.")


def _same_units(asked: Questionnaire | None, codes: Sequence[str], what: str) -> bool:
    """Whether the questionnaire puts the variables on 0–100; refuse a mixture, which no map can show."""
    known = [asked is not None and code in asked.codes for code in codes]
    if any(known) and not all(known):
        raise OptionError(
            f"{codes[known.index(False)]!r} is no scaled question of the questionnaire, so that its place on 0–100 is "
            f"not known; {what} on one map need the same units."
        )
    return all(known)


def _unit(known: bool) -> str:
    return "points" if known else "scale"


def _lines(both: np.ndarray, rule: str, given: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Where the lines of maps of performance and importance (D, 2, k) cross, and the iso-lines: (D, 2) each."""
    centre, spread = both.mean(axis=2), both.std(axis=2, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = spread[:, 1] / spread[:, 0]
    iso = np.stack([centre[:, 1] - slope * centre[:, 0], slope], axis=1)
    return np.broadcast_to(np.array(given), centre.shape) if rule == "given" else centre, iso


def _apart(both: np.ndarray, rule: str, given: tuple[float, float], *, shared: bool) -> tuple[np.ndarray, np.ndarray]:
    """How far the drivers lie above the cut (D, 2k), by the rule of the cut, and the derivatives (D, 2k, 2k).

    both : (D, 2, k) performance and importance; `shared`: importance in parts of R², while the cut is so many per cent
        of their sum. A share is above it if and only if its part is, and the sum is estimated with it.
    """
    size, _, k = both.shape
    flat = both.reshape(size, 2 * k)
    if rule == "iso":
        return _scaled(both)
    if rule == "means":
        contrast = np.kron(np.eye(2), deviations(k))
        return flat @ contrast.T, np.broadcast_to(contrast, (size, 2 * k, 2 * k))
    contrast, cut = np.eye(2 * k), np.repeat(given, k)
    if shared:
        contrast[k:, k:] -= given[1] / FULL
        cut[k:] = 0.0
    return flat @ contrast.T - cut, np.broadcast_to(contrast, (size, 2 * k, 2 * k))


def _scaled(both: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardized performance and importance (D, 2k) from (D, 2, k), and the derivatives (D, 2k, 2k)."""
    size, _, k = both.shape
    scaled, jacobian = np.empty((size, 2, k)), np.zeros((size, 2, k, 2, k))
    for d, axis in np.ndindex(size, 2):
        scaled[d, axis], jacobian[d, axis, :, axis] = standardized(both[d, axis])
    return scaled.reshape(size, 2 * k), jacobian.reshape(size, 2 * k, 2 * k)


def _maps(
    found: Figures, plan: Plan, terms: tuple[str, ...], units: tuple[str, str, str], rule: str,
    given: tuple[float, float],
) -> dict[str, Any]:  # fmt: skip
    """The parts of `Ipa` that follow from the figures; `units` are those of performance, importance and slopes."""
    k, size = len(terms), len(found.value)
    both = found.value[:, : 2 * k].reshape(size, 2, k)
    places = _places(found, plan, rule, given)
    scaled, by_axis = _scaled(both)
    apart = np.hstack([-np.eye(k), np.eye(k)])
    cuts, lines = _lines(both, rule, given)
    return {
        "estimates": _shown(found, plan, terms, units),
        "distance": found.named(terms, scaled @ apart.T, found.padded(apart @ by_axis), "standard deviations"),
        "quadrant": tuple(zone for place in places for zone in place.quadrant),
        "zones": np.concatenate([place.probabilities for place in places]),
        "cuts": cuts,
        "lines": lines,
    }


def _places(found: Figures, plan: Plan, rule: str, given: tuple[float, float]) -> list[Place]:
    """Where the drivers of each map lie relative to its cut."""
    at, size = plan.judged, len(found.value)
    value, slopes = _apart(found.value[:, at].reshape(size, 2, plan.k), rule, given, shared=plan.shared)
    return [
        Place(
            value[d, : plan.k],
            value[d, plan.k :],
            slopes[d] @ found.vcov[d, :, d][np.ix_(at, at)] @ slopes[d].T,
            float(found.df[d]),
            rule == "iso",
        )
        for d in range(size)
    ]


def _shown(found: Figures, plan: Plan, terms: tuple[str, ...], units: tuple[str, str, str]) -> Estimates:
    """Performance and importance, with the intervals of the shares where importance is one."""
    k = len(terms)
    axes = {
        "axis": tuple(axis for axis in AXES for _ in terms),
        "unit": tuple(unit for unit in units[:2] for _ in terms),
    }
    out = found.named(terms * 2, found.value[:, : 2 * k], found.some(0, 2 * k), "per axis", axes, None)
    if not plan.shared:
        return out
    ends = [end.reshape(-1, 2 * k).copy() for end in out.interval]
    for end, of_shares in zip(ends, found.share_intervals(plan), strict=True):
        end[:, k:] = of_shares
    return replace(out, bounds=(ends[0].ravel(), ends[1].ravel()))


def _effects(found: Figures, terms: tuple[str, ...], unit: str, known: bool) -> tuple[Estimates, Estimates | None]:
    """Coefficients, and what goes with a perfect score: b · (100 − performance); degrees of freedom as in `regress`."""
    k = len(terms)
    slope, room = found.value[:, 2 * k : 3 * k], FULL - found.value[:, :k]
    slopes = found.named(terms, slope, found.some(2 * k, 3 * k), unit, lost=k)
    if not known:
        return slopes, None
    jacobian = np.zeros((len(slope), k, found.value.shape[1]))
    at = np.arange(k)
    jacobian[:, at, at], jacobian[:, at, 2 * k + at] = -slope, room
    return slopes, found.named(terms, slope * room, jacobian, unit.split(" per ", maxsplit=1)[0], lost=k)
