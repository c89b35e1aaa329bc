"""Medians and other quantiles of weighted answers, with Woodruff's intervals.

Source of the interval: Woodruff (1952), J. American Stat. Assoc. 47, 635–646: find the interval of the share of
answers up to the quantile, and take both ends back to the scale of the answers by the same rule. Source of the
rules: Hyndman & Fan (1996), American Statistician 50, 361–365, with weights as in the R package survey.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.distributions import t_quantile
from csat.errors import OptionError, check_choice
from csat.estimation.answers import numbers_only
from csat.estimation.intervals import INTERVALS, share_bounds
from csat.estimation.ties import check_ties, end_weights, sorted_rows
from csat.moments import Levels, Recode, Source, first_moments, group_names, one_name, source_of
from csat.replicates import Statistic
from csat.results import Estimates, Provenance, Unavailable, check_level
from csat.variance import degrees_of_freedom, domain_covariance, mean_scores, method_of
from csat.within import Covariance, changed, scaled, variances

#: Distances between cumulative shares that are rounding, not answers.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct answers of one group.

    value : (m,) ascending. weight : (m,) total weight of each, positive.
    first, last : (m,) weight of the first and the last row of each answer.
    """

    value: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    last: np.ndarray


#: (counted answers, probabilities (q,)) → quantiles (q,).
Rule = Callable[[Counted, np.ndarray], np.ndarray]


def _stepped(meet: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> Rule:
    """The first answer whose cumulative share exceeds p; `meet` decides where it equals p.

    `meet` : (m,) answers and (m,) following answers → (m,) quantiles.
    """

    def rule(counted: Counted, p: np.ndarray) -> np.ndarray:
        cumulative = np.cumsum(counted.weight) / counted.weight.sum()
        at = np.minimum(np.searchsorted(cumulative, p - ROUNDING), len(cumulative) - 1)
        met = meet(counted.value, np.r_[counted.value[1:], counted.value[-1:]])
        return np.where(np.abs(cumulative[at] - p) <= ROUNDING, met[at], counted.value[at])

    return rule


def _line(own: float, last: float) -> Rule:
    """Interpolate: a row of weight w stands at (Σ weights up to it − own·w)/(W + last·weight of the last row).

    Rows with the same answer form a plateau between the first and the last of them.
    """

    def rule(counted: Counted, p: np.ndarray) -> np.ndarray:
        end = np.cumsum(counted.weight)
        start = end - counted.weight + (1 - own) * counted.first
        place = np.stack([start, end - own * counted.last], axis=1)
        return np.interp(p, place.ravel() / (end[-1] + last * counted.last[-1]), np.repeat(counted.value, 2))

    return rule


def _lower(here: np.ndarray, following: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return here


def _middle(here: np.ndarray, following: np.ndarray) -> np.ndarray:
    return (here + following) / 2


def _even(here: np.ndarray, following: np.ndarray) -> np.ndarray:
    return np.where(np.arange(len(here)) % 2 == 1, here, following)


#: Name → rule. "math" = "hf1", "school" = "hf2"; the numbers are those of Hyndman & Fan and of R's `quantile`.
RULES: dict[str, Rule] = {
    "math": _stepped(_lower),
    "school": _stepped(_middle),
    "hf1": _stepped(_lower),
    "hf2": _stepped(_middle),
    "hf3": _stepped(_even),
    "hf4": _line(0, 0),
    "hf5": _line(1 / 2, 0),
    "hf6": _line(0, 1),
    "hf7": _line(1, -1),
    "hf8": _line(1 / 3, 1 / 3),
    "hf9": _line(3 / 8, 1 / 4),
}


def quantile(
    source: Source,
    name: str,
    q: float | Sequence[float] = (0.25, 0.5, 0.75),
    by: str | Sequence[str] | None = None,
    *,
    rule: str = "math",
    interval: str = "t",
    ties: str = "weight",
    level: float = 0.95,
) -> Estimates:
    """Weighted quantiles of an item or a number column.

    Parameters
    ----------
    source : a survey.
    name : the item.
    q : one or more probabilities between 0 and 1; 0.5 is the median.
    by : grouping columns.
    rule : which answer stands for the probability p. "math" (or "hf1"): the smallest answer with a cumulative share
        of at least p, always an answer that was given. "school" (or "hf2"): the same, and half way to the next
        answer if the share is exactly p. "hf3": the answer at an even place instead. "hf4" … "hf9": interpolated
        between answers, with "hf7" the rule of spreadsheets and "hf6" that of SPSS. Between different answers
        they differ; inside a run of equal ones, so on a rating scale, hardly. (R's "shahvaish" is left out: its
        own quantiles lie outside its own intervals.)
    interval : of the share below the quantile, see `share`; its ends are taken back to answers.
    ties : for the interpolating rules. "weight": equal answers share their weight evenly, so that the order of the
        rows does not matter. "rows": each keeps its own weight in the order of the file, as in R.
    level : of the intervals.

    Returns
    -------
    Estimates
        A row per group and probability, which is in the key column ``q``. The interval is Woodruff's, the
        standard error its length over 2·t: on a short scale both may be zero. NaN where an end of the
        share's interval leaves 0–1. Correlations between rows are those of the shares below the quantiles.

    Raises
    ------
    OptionError
        For an unknown rule or interval, or a probability outside 0–1.
    SampleError
        If the column holds categories, or the source has no rows.
    """
    source = source_of(source)
    check_level(level)
    name = one_name(name, "name")
    wanted = _checked(q, rule, interval)
    check_ties(ties)
    groupers = group_names(by)
    levels = source.levels([name], groupers)
    counted = _counted(levels, name)
    if ties == "rows":
        counted = _with_rows(counted, source, name, levels)
    points = np.array([RULES[rule](c, wanted) if len(c.value) else np.full(len(wanted), np.nan) for c in counted])
    below = _shares_below(source, name, levels.levels[0], points, groupers)
    low_share, high_share = share_bounds(interval, below.share, below.se, below.n, below.df, level)
    low, high = (_taken_back(counted, ends, RULES[rule], len(wanted)) for ends in (low_share, high_share))
    se = (high - low) / (2 * t_quantile((1 + level) / 2, below.df))
    return Estimates(
        term=(name,) * points.size,
        estimate=points.ravel(),
        vcov=scaled(below.corr, se),
        df=below.df,
        n=below.n,
        n_eff=np.full(points.size, np.nan),
        unit="scale",
        provenance=Provenance("available", f"Woodruff, {below.method}"),
        level=level,
        keys=_keys(below.domains, groupers, wanted),
        unavailable={int(i): Unavailable("no_answers") for i in np.flatnonzero(below.n == 0)},
        bounds=(low, high),
    )


def _checked(q: float | Sequence[float], rule: str, interval: str) -> np.ndarray:
    check_choice("rule", rule, RULES)
    check_choice("interval", interval, INTERVALS)
    try:
        wanted = np.atleast_1d(np.asarray(q, float)).ravel()
    except (TypeError, ValueError, OverflowError):
        wanted = np.array([np.nan])
    if wanted.size == 0 or not ((wanted > 0) & (wanted < 1)).all():
        raise OptionError(f"q={str(q)[:60]}: probabilities lie between 0 and 1, e.g. q=0.5 for the median.")
    return wanted


def _counted(levels: Levels, name: str) -> list[Counted]:
    """The answers given in each domain, in ascending order, without those nobody gave."""
    values = np.array(numbers_only(name, levels.levels[0]))
    order = np.argsort(values)
    out = []
    for weight, rows in zip(levels.weighted[0], levels.unweighted[0], strict=True):
        given = order[weight[order] > 0]
        each = weight[given] / rows[given]
        out.append(Counted(values[given], weight[given], each, each))
    return out


def _with_rows(counted: Sequence[Counted], source: Source, name: str, levels: Levels) -> list[Counted]:
    rows = sorted_rows(source, name, levels.by)
    ends = [end_weights(*rows.inside(domain)) for domain in levels.domains]
    return [replace(group, first=first, last=last) for group, (first, last) in zip(counted, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Below:
    """Shares of answers up to the quantiles, domain by domain.

    share, se, n, df : (D·q,). corr : (D·q, D·q), or the blocks of the domains.
    """

    share: np.ndarray
    se: np.ndarray
    corr: Covariance
    n: np.ndarray
    df: np.ndarray
    domains: tuple[tuple[str, ...], ...]
    method: str


def _shares_below(
    source: Source, name: str, answers: Sequence[float], points: np.ndarray, by: tuple[str, ...]
) -> Below:
    """Estimate the shares of answers up to `points` (D, q), jointly for the domains."""
    cuts, column = np.unique(np.nan_to_num(points, nan=np.inf), return_inverse=True)
    column = column.reshape(points.shape)
    variables = [Recode(f"{name}≤{cut}", name, {a: float(a <= cut) for a in answers}) for cut in cuts.tolist()]
    groups = source.groups(variables, by, "available")
    k, rows = len(cuts), np.arange(len(points))[:, None]
    answered, total = first_moments(groups.over_domains(groups.gram), k, groups.rule)
    base, centred = np.where(answered > 0, answered, np.inf)[:, :1], total[rows, column]
    share = np.where(base < np.inf, groups.midpoint[column] + centred / base, np.nan)
    everyone = mean_scores(total / base, np.repeat(1 / base, k, axis=1), groups.rule)

    def again(at: slice) -> Statistic:
        own = column[at]

        def figures(totals: np.ndarray) -> np.ndarray:
            weights, sums = first_moments(totals[..., None, :], k, groups.rule)
            return (sums / weights)[..., np.arange(len(own))[:, None], own]

        return figures

    vcov = domain_covariance(groups, everyone[rows, column], again)
    n, df = groups.over_domains(groups.counts)[rows, column].ravel(), degrees_of_freedom(groups)[rows, column].ravel()
    se = np.where(n > 1, np.sqrt(np.maximum(variances(vcov), 0.0)), np.nan)
    return Below(
        np.clip(share, 0.0, 1.0).ravel(), se, changed(vcov, _correlations), n, df, groups.domains, method_of(groups)
    )


def _correlations(vcov: np.ndarray) -> np.ndarray:
    """Correlations (…, k, k); 0 with a share that has no variance, 1 with itself."""
    se = np.sqrt(np.maximum(np.diagonal(vcov, axis1=-2, axis2=-1), 0.0))
    scale = np.where(se > 0, se, np.inf)
    out = vcov / scale[..., :, None] / scale[..., None, :]
    return np.where(np.eye(vcov.shape[-1], dtype=bool), 1.0, out)


def _taken_back(counted: Sequence[Counted], shares: np.ndarray, rule: Rule, size: int) -> np.ndarray:
    """(D·q,) answers at the ends (D·q,) of the shares' intervals; NaN outside 0–1."""
    out = np.full((len(counted), size), np.nan)
    by_domain = shares.reshape(len(counted), size)
    for d, group in enumerate(counted):
        inside = (by_domain[d] >= -ROUNDING) & (by_domain[d] <= 1 + ROUNDING)
        if len(group.value):
            out[d, inside] = rule(group, np.clip(by_domain[d, inside], 0.0, 1.0))
    return out.ravel()


def _keys(domains: Sequence[tuple[str, ...]], by: tuple[str, ...], q: np.ndarray) -> dict[str, tuple]:
    labels = {name: tuple(domain[i] for domain in domains for _ in q) for i, name in enumerate(by)}
    return labels | {"q": tuple(q.tolist()) * len(domains)}
