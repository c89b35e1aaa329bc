"""Whether complaints changed between two periods: exact ratios of rates, corrected for the number of causes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import holm
from csat.errors import OptionError, check_choice
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level, insert_before
from csat.service.complaints import Counts, counts_of
from csat.service.faults import ServiceError
from csat.service.intervals import count_bounds, ratio_bounds, same_rate
from csat.service.log import TOTAL, Log, positive, read_log
from csat.service.roles import ROLES

UP, DOWN, NOISE = "up", "down", "within noise"

#: Corrections for the number of causes.
ADJUSTMENTS = ("holm", "none")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ComplaintChanges(Shown):
    """Complaints after against before, cause by cause.

    estimates : rate after over rate before per group and cause, then their "total"; unit "ratio"; 1 = no change. Its
        intervals are exact; its standard errors are those of the delta method.
    counts : (k, 2) complaints before and after. customers : (k, 2).
    p : (k,) two-sided exact p of no change, each on its own.
    before, after : the periods. adjust : correction of p for the causes (totals are each on their own).
    per : customers that rates are given for. by : grouping columns.
    """

    estimates: Estimates
    counts: np.ndarray
    customers: np.ndarray
    p: np.ndarray
    before: str
    after: str
    adjust: str
    per: float
    by: tuple[str, ...]

    @property
    def rates(self) -> np.ndarray:
        """(k, 2) complaints per `per` customers, before and after."""
        return self.counts / self.customers * self.per

    @property
    def rate_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """(k, 2) lower and upper ends of the exact intervals of the rates."""
        low, high = count_bounds(self.counts, self.estimates.level)
        return low / self.customers * self.per, high / self.customers * self.per

    @property
    def adjusted_p(self) -> np.ndarray:
        """(k,) p corrected for the number of causes in all groups; the totals are not among them."""
        causes = np.array([term != TOTAL for term in self.estimates.term])
        corrected = self.p.copy()
        if self.adjust == "holm":
            corrected[causes] = holm(self.p[causes])
        return corrected

    @property
    def verdict(self) -> tuple[str, ...]:
        """(k,) "up", "down" (fewer complaints) or "within noise"; empty where nothing was counted."""
        sure = self.adjusted_p < 1 - self.estimates.level
        ratio = self.estimates.estimate
        words = np.select([np.isnan(ratio), sure & (ratio > 1), sure & (ratio < 1)], ["", UP, DOWN], NOISE)
        return tuple(words.tolist())

    def tidy(self) -> pd.DataFrame:
        """A row per group and cause, then the total: counts and rates before and after, ratio, p and verdict."""
        frame = self.estimates.tidy().drop(columns=["statistic", "p"])
        columns = {
            "count_before": self.counts[:, 0], "count_after": self.counts[:, 1],
            "rate_before": self.rates[:, 0], "rate_after": self.rates[:, 1],
        }  # fmt: skip
        frame = insert_before(frame, "estimate", columns)
        frame = insert_before(frame, "low", {"p": self.p, "adjusted_p": self.adjusted_p})
        return insert_before(frame, "note", {"verdict": list(self.verdict)})

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        verdict = self.verdict
        counts = {"up": verdict.count(UP), "down": verdict.count(DOWN), "within_noise": verdict.count(NOISE)}
        return self.estimates.glance().assign(before=self.before, after=self.after, adjust=self.adjust, **counts)


def complaint_changes(
    table: Any,
    before: str,
    after: str,
    *,
    by: str | Sequence[str] | None = None,
    customers: Mapping[str, float] | None = None,
    per: float = 1000,
    adjust: str = "holm",
    level: float = 0.95,
    columns: Mapping[str, str] | None = None,
) -> ComplaintChanges:
    """Compare the complaints of two periods, cause by cause.

    Parameters
    ----------
    table : as in `csat.complaints`, with a column ``period``.
    before, after : two of its periods.
    by : further columns: a comparison in each group.
    customers : period → customers, where the table does not hold them; ``{before: 1, after: 1}`` says that they are
        equally many. Not with `by`.
    per : customers that rates are given for.
    adjust : "holm" keeps the chance of one false change among all causes below 1 − level; "none".
    level : of the intervals (each on its own) and of the verdict.
    columns : role → column, where it has another name.

    Returns
    -------
    ComplaintChanges
        The ratio of the rates with its exact interval, and the exact p of no change: given their sum, the counts split
        like a binomial. Both take complaints to come independently; see `csat.complaints`.

    Raises
    ------
    OptionError
        If a period is not in the table, or customers are not known.

    Notes
    -----
    Sources: Przyborowski & Wilenski (1940), Biometrika 31, 313–323; Holm (1979), Scand. J. Stat. 6, 65–70. The figures
    are those of `poisson.test` in R.
    """
    check_level(level)
    check_choice("adjust", adjust, ADJUSTMENTS)
    per = positive("per", per)
    log = read_log(table, ROLES["complaints"], ("cause", "period"), columns)
    period = log.texts("period")
    found = list(dict.fromkeys(period))
    for name, label in (("before", before), ("after", after)):
        check_choice(name, label, found)
    if before == after:
        raise OptionError(f"before and after are both {before!r}: a period has not changed since itself.")
    named, _, _ = log.labels(by)
    if log.names["period"] in named:
        raise OptionError("by: the periods are compared already; leave their column out.")
    if customers is not None and named:
        raise OptionError("customers= is for a table without groups; with by=… the table needs a column of customers.")
    both = log.only((period == before) | (period == after))
    if customers is None:
        _same_branches(both, before, after)
    counted = counts_of(both, (*named, log.names["period"]), customers)
    return _compared(counted, before, after, per, adjust, level)


def _same_branches(log: Log, before: str, after: str) -> None:
    """Refuse a branch with rows in one period only: its customers would be missing in the other."""
    if not log.has("branch") or not log.has("customers"):
        return
    period, branch = log.texts("period"), log.texts("branch")
    there = [set(branch[period == label]) for label in (before, after)]
    for name in dict.fromkeys(branch):
        if not all(name in found for found in there):
            label = after if name in there[0] else before
            raise ServiceError(
                f"{log.source}: {name} has no rows in {label}, so that its customers would be missing there: a branch "
                "without complaints needs a row with 0; leave out one that did not exist."
            )


def _compared(counted: Counts, before: str, after: str, per: float, adjust: str, level: float) -> ComplaintChanges:
    place = {group: i for i, group in enumerate(counted.groups)}
    groups = list(dict.fromkeys(group[:-1] for group in counted.groups))
    size = len(counted.causes) + 1
    counts, customers = np.zeros((len(groups), size, 2)), np.full((len(groups), size, 2), np.nan)
    for g, group in enumerate(groups):
        for t, label in enumerate((before, after)):
            at = place.get((*group, label))
            if at is None:
                where = " · ".join(group)
                raise OptionError(f"{where} has no rows in {label}: a group without complaints needs a row with 0.")
            counts[g, :, t], customers[g, :, t] = counted.with_total()[at], counted.customers[at]
    if np.isnan(customers).any():
        raise OptionError(
            "The customers of both periods are not known: add a column 'customers', or pass customers={…}; "
            f"customers={{{before!r}: 1, {after!r}: 1}} says that they are equally many."
        )
    flat, base = counts.reshape(-1, 2), customers.reshape(-1, 2)
    keys = {name: tuple(group[i] for group in groups for _ in range(size)) for i, name in enumerate(counted.by[:-1])}
    terms = (*counted.causes, TOTAL) * len(groups)
    share = base[:, 1] / base.sum(axis=1)
    p = np.array([same_rate(int(x), int(y), float(s)) for (y, x), s in zip(flat, share, strict=True)])
    p = np.where(flat.sum(axis=1) == 0, np.nan, p)
    ratios = _ratios(flat, base, terms, keys, level, size)
    return ComplaintChanges(ratios, flat, base, p, before, after, adjust, per, counted.by[:-1])


def _ratios(
    counts: np.ndarray,
    customers: np.ndarray,
    terms: tuple[str, ...],
    keys: Mapping[str, tuple[Any, ...]],
    level: float,
    size: int,
) -> Estimates:
    exposure = customers[:, 0] / customers[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = counts[:, 1] / counts[:, 0] * exposure
        inverse = (1 / counts).sum(axis=1)
        vcov = np.diag(np.where((counts > 0).all(axis=1), inverse, np.nan) * ratio**2)
        for last in range(size - 1, len(ratio), size):
            here = slice(last - size + 1, last)
            vcov[last, here] = vcov[here, last] = inverse[last] * ratio[last] * ratio[here]
    vcov = np.where(np.isfinite(vcov), vcov, np.nan)
    none = dict.fromkeys(np.flatnonzero(counts.sum(axis=1) == 0).tolist(), Unavailable("no_complaints"))
    some = dict.fromkeys(np.flatnonzero((counts == 0).any(axis=1)).tolist(), Unavailable("none_in_one"))
    return Estimates(
        terms, ratio, vcov, np.inf, customers.min(axis=1), np.full(len(ratio), np.nan), "ratio",
        Provenance("complaints", "Poisson"), level, None, keys, some | none,
        ratio_bounds(counts[:, 1], counts[:, 0], exposure, level),
    )  # fmt: skip
