"""How many respondents a gap needs, and which gap so many respondents can show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import t_quantile
from csat.errors import OptionError, SampleError
from csat.moments import Source, as_names
from csat.questionnaire import Questionnaire
from csat.results import Shown
from csat.scoring import score_items, tree_of
from csat.variance import combine, means

#: What a group is compared with → number of samples in the comparison.
AGAINST = {"group": 2, "target": 1}

#: What is done about several comparisons.
ADJUSTMENTS = ("bonferroni", "none")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SampleSize(Shown):
    """Respondents per group and the gap they show.

    group : (k,) labels; one empty label if no survey's groups were asked for.
    gap : (k,) difference that is found with probability `power`, in units of `sd`.
    respondents : (k,) completed interviews in the group (and as many in the other, against="group").
    invited : (k,) people to approach, under the response rate; the respondents themselves without one.
    sd, deff : (k,) standard deviation of single scores, design effect.
    alpha : two-sided error rate of one comparison, after the adjustment.
    """

    group: tuple[str, ...]
    gap: np.ndarray
    respondents: np.ndarray
    invited: np.ndarray
    sd: np.ndarray
    deff: np.ndarray
    level: float
    power: float
    alpha: float
    comparisons: int
    against: str
    population: float | None
    response_rate: float | None

    def tidy(self) -> pd.DataFrame:
        """A row per group."""
        columns = ("gap", "respondents", "invited", "sd", "deff")
        return pd.DataFrame({"group": list(self.group), **{name: getattr(self, name) for name in columns}})

    def glance(self) -> pd.DataFrame:
        """One row: what was assumed."""
        columns = ("level", "power", "alpha", "comparisons", "against", "population", "response_rate")
        return pd.DataFrame({name: [getattr(self, name)] for name in columns})


def sample_size(
    gap: float = 2.0,
    *,
    sd: float | None = None,
    source: Source | None = None,
    by: str | Sequence[str] | None = None,
    node: str | None = None,
    deff: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 1,
    adjust: str = "bonferroni",
    against: str = "group",
    population: float | None = None,
    response_rate: float | None = None,
    questionnaire: Questionnaire | None = None,
) -> SampleSize:
    """Respondents per group to show a gap between two groups of equal size, or to a fixed target.

    The power is that of the two-sided t test with n/deff independent answers per group. A finite population then
    lowers the variance by 1 − n/N in each group.

    Parameters
    ----------
    gap : difference to find, in the units of `sd` (points of 0–100 for an index), positive.
    sd : standard deviation of single scores; or take it from a survey by `source`.
    source : a survey like the one planned: its index has the SD and the design effect.
    by : grouping columns of `source`: a row per group, with its own SD and design effect.
    node : of the index tree; None: its root.
    deff : design effect of weights and clusters; None: that of `source`, 1 with `sd`.
    level : 1 − error rate of all comparisons together.
    power : probability to find the gap, if it is real.
    comparisons : how many gaps will be tested.
    adjust : "bonferroni" divides the error rate by `comparisons`; "none" does not.
    against : "group" (both sides are samples of this size) or "target" (a fixed number).
    population : customers in a group, for the finite population correction; None: very many.
    response_rate : part of the invited who answer, to know how many to invite.
    questionnaire : needed if the source has none.

    Returns
    -------
    SampleSize

    Raises
    ------
    OptionError
        For values that make no sense, or without `sd` and `source`.
    SampleError
        If a group of the source has no standard deviation.

    Notes
    -----
    Sources: Cohen (1988), Statistical Power Analysis, ch. 2; Cochran (1977), Sampling Techniques, 4.6; the same as
    R's `power.t.test`.

    Examples
    --------
    >>> sample_size(2.0, sd=18).respondents.tolist()
    [1273]
    >>> sample_size(2.0, sd=18, deff=1.5, population=20_000, response_rate=0.2).invited.tolist()
    [8715]
    """
    _within("gap", gap, 0.0, np.inf)
    plan = _plan(level, power, comparisons, adjust, against, population, response_rate)
    group, spread, effect = _spread(sd, source, by, node, deff, questionnaire)
    effective = np.array([_needed(gap / one, plan) for one in spread])
    respondents = np.ceil(_in_population(effective * effect, population) - 1e-9).astype(int)
    return _sized(group, np.full(len(spread), float(gap)), respondents, spread, effect, plan)


def detectable_gap(
    n: int,
    *,
    sd: float | None = None,
    source: Source | None = None,
    by: str | Sequence[str] | None = None,
    node: str | None = None,
    deff: float | None = None,
    level: float = 0.95,
    power: float = 0.8,
    comparisons: int = 1,
    adjust: str = "bonferroni",
    against: str = "group",
    population: float | None = None,
    response_rate: float | None = None,
    questionnaire: Questionnaire | None = None,
) -> SampleSize:
    """The smallest gap that `n` respondents per group find with probability `power`.

    Parameters are those of `sample_size`, of which it is the inverse.

    Examples
    --------
    >>> detectable_gap(300, sd=18).gap.round(2).tolist()
    [4.12]
    """
    _within("n", n, 1.0, np.inf)
    if population is not None and n >= population:
        raise OptionError(f"n={n} of a population of {population:g}: everyone was asked, and any gap is a fact.")
    plan = _plan(level, power, comparisons, adjust, against, population, response_rate)
    group, spread, effect = _spread(sd, source, by, node, deff, questionnaire)
    left = 1.0 if population is None else 1 - n / population
    gap = np.array([_shown(n / (one * left), plan) for one in effect]) * spread
    return _sized(group, gap, np.full(len(spread), int(n)), spread, effect, plan)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of a test: see `SampleSize`."""

    level: float
    power: float
    alpha: float
    comparisons: int
    against: str
    population: float | None
    response_rate: float | None


def _plan(
    level: float,
    power: float,
    comparisons: int,
    adjust: str,
    against: str,
    population: float | None,
    response_rate: float | None,
) -> Plan:
    if adjust not in ADJUSTMENTS:
        raise OptionError.choose("adjust", adjust, ADJUSTMENTS)
    if against not in AGAINST:
        raise OptionError.choose("against", against, AGAINST)
    _within("level", level, 0.0, 1.0)
    if comparisons < 1 or comparisons != int(comparisons):
        raise OptionError(f"comparisons={comparisons!r} must be a whole number, 1 or more.")
    alpha = (1 - level) / (comparisons if adjust == "bonferroni" else 1)
    _within("power", power, alpha, 1.0)
    if population is not None:
        _within("population", population, 1.0, np.inf)
    if response_rate is not None and not 0 < response_rate <= 1:
        raise OptionError(f"response_rate={response_rate!r} must be more than 0 and at most 1 (0.3 = 30 per cent).")
    return Plan(level, power, alpha, int(comparisons), against, population, response_rate)


def _within(option: str, value: float, low: float, high: float) -> None:
    if not low < value < high:
        end = f" and less than {high:g}" if np.isfinite(high) else ""
        raise OptionError(f"{option}={value!r} must be more than {low:g}{end}.")


def _spread(
    sd: float | None,
    source: Source | None,
    by: str | Sequence[str] | None,
    node: str | None,
    deff: float | None,
    questionnaire: Questionnaire | None,
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """Labels, standard deviations and design effects, each (k,)."""
    if deff is not None:
        _within("deff", deff, 0.0, np.inf)
    if (sd is None) == (source is None):
        raise OptionError(
            "Give either sd=… (standard deviation of single scores; 15 to 25 points are usual for an index) or "
            "source=… (a survey to take it from)."
        )
    if source is None:
        if by is not None or node is not None:
            raise OptionError("by= and node= choose figures of a survey: they go with source=, not with sd=.")
        _within("sd", float(sd or 0.0), 0.0, np.inf)
        return ("",), np.array([sd], float), np.array([1.0 if deff is None else deff])
    label, spread, effect = _observed(source, as_names(by), node, questionnaire)
    return label, spread, effect if deff is None else np.full(len(effect), float(deff))


def _observed(
    source: Source, by: tuple[str, ...], node: str | None, questionnaire: Questionnaire | None
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    """SD of the single scores and design effect of a node's mean in each group of a survey."""
    asked = tree_of(source, questionnaire)
    items, matrix = score_items(asked), asked.tree_matrix([str(asked.root) if node is None else node])
    groups = source.groups(items.variables, by, "available")
    found = combine(means(groups), matrix * items.slope, matrix @ items.offset)
    labels = tuple(" × ".join(domain) for domain in groups.domains)
    sd = np.sqrt(np.diag(found.vcov) * found.n_eff)
    if not np.isfinite(sd).all():
        at = int(np.flatnonzero(~np.isfinite(sd))[0])
        raise SampleError(
            f"Group {labels[at]!r} has no standard deviation to plan with ({int(found.n[at])} complete answers, or all "
            "alike): leave it out with survey.where(…), or give sd=…."
        )
    return labels, sd, found.n / found.n_eff


def _power(n: float, effect: float, plan: Plan) -> float:
    """Power of the t test with n independent answers per group, for a gap of `effect` standard deviations."""
    from scipy.special import nctdtr

    samples = AGAINST[plan.against]
    df = samples * (n - 1)
    return 1 - float(nctdtr(df, effect * np.sqrt(n / samples), t_quantile(1 - plan.alpha / 2, df)))


def _needed(effect: float, plan: Plan) -> float:
    """Independent answers per group for a gap of `effect` standard deviations; at least 2."""
    normal = AGAINST[plan.against] * (_reach(plan) / effect) ** 2
    return _crossing(lambda n: _power(n, effect, plan) - plan.power, 2.0, max(normal, 2.0))


def _shown(n: float, plan: Plan) -> float:
    """Gap in standard deviations that n independent answers per group show."""
    if n <= 1:
        raise OptionError(
            f"n is worth only {n:.2g} independent answers under this design effect: more than 1 are needed."
        )
    normal = _reach(plan) * np.sqrt(AGAINST[plan.against] / n)
    return _crossing(lambda effect: _power(n, effect, plan) - plan.power, normal / 4, normal)


def _reach(plan: Plan) -> float:
    """Standard errors between no gap and the gap to find, under the normal distribution."""
    return float(t_quantile(1 - plan.alpha / 2, np.inf) + t_quantile(plan.power, np.inf))


def _crossing(distance: Callable[[float], float], low: float, guess: float) -> float:
    """Where a rising function becomes positive: `low` if it already is there, else found from `guess` upwards."""
    from scipy.optimize import brentq

    if distance(low) >= 0:
        return low
    high = guess * 1.01
    while distance(high) < 0:
        high *= 1.5
    return float(brentq(distance, low, high, xtol=1e-10, rtol=1e-14))


def _in_population(n: np.ndarray, population: float | None) -> np.ndarray:
    """Respondents with the precision of n drawn from an endless population: Cochran (1977), 4.6."""
    return n if population is None else n / (1 + n / population)


def _sized(
    group: tuple[str, ...], gap: np.ndarray, respondents: np.ndarray, sd: np.ndarray, deff: np.ndarray, plan: Plan
) -> SampleSize:
    rate = 1.0 if plan.response_rate is None else plan.response_rate
    invited = np.ceil(respondents / rate - 1e-9).astype(int)
    return SampleSize(
        group=group,
        gap=gap,
        respondents=respondents,
        invited=invited,
        sd=sd,
        deff=deff,
        level=plan.level,
        power=plan.power,
        alpha=plan.alpha,
        comparisons=plan.comparisons,
        against=plan.against,
        population=plan.population,
        response_rate=plan.response_rate,
    )
