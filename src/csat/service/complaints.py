"""Complaints by cause: rates per thousand customers with exact intervals, and the few causes that make most of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.estimation.intervals import share_bounds
from csat.moments import check_size, shown
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level, insert_before
from csat.service.audits import ranked
from csat.service.faults import ServiceError
from csat.service.intervals import count_bounds
from csat.service.log import MOST, TOTAL, TOTAL_WORDS, Log, positive, read_log, refuse_repeats
from csat.service.roles import NEEDED, ROLES


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Counts:
    """Complaints counted: (groups, causes) `count`, (groups,) `customers` (NaN: not known)."""

    causes: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    by: tuple[str, ...]
    count: np.ndarray
    customers: np.ndarray

    def with_total(self) -> np.ndarray:
        """(groups, causes + 1) counts, all causes together last."""
        return np.column_stack([self.count, self.count.sum(axis=1)])

    def keys(self, repeats: int) -> dict[str, tuple[str, ...]]:
        """Grouping columns of a result with so many rows per group."""
        return {name: tuple(g[i] for g in self.groups for _ in range(repeats)) for i, name in enumerate(self.by)}


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Complaints(Shown):
    """What customers complain of.

    estimates : complaints per `per` customers, per group and cause, then their "total"; unit "rate"; `n` customers.
    shares : share of each cause in the group's complaints; unit "share"; `n` complaints. No row for the total.
    count : (k,) complaints, a row per row of `estimates`.
    per : customers that rates are given for. by : grouping columns.
    silent : dissatisfied customers assumed to stay silent for each complaint; None: nothing is assumed.
    periods : that were added up in each group; rates are then per customer and period.
    """

    estimates: Estimates
    shares: Estimates
    count: np.ndarray
    per: float
    by: tuple[str, ...]
    silent: float | None = None
    periods: int = 1

    @property
    def dissatisfied(self) -> np.ndarray:
        """(k,) customers behind the complaints under the assumption `silent`; NaN without it. Not an estimate."""
        return np.full(len(self.count), np.nan) if self.silent is None else self.count * (1 + self.silent)

    def tidy(self) -> pd.DataFrame:
        """A row per group and cause, then the total.

        ``count`` before the rate ``estimate``; after its interval ``share`` of the complaints with ``share_low
        share_high``, ``complaints`` that the share rests on, ``rank`` (1 = most) and ``cumulative`` share;
        ``dissatisfied`` where `silent` is assumed.
        """
        frame = insert_before(self.estimates.tidy(), "estimate", {"count": self.count})
        low, high = self.shares.interval
        group = list(zip(*(self.shares.keys[name] for name in self.by), strict=True)) if self.by else None
        columns = {"share": self.shares.estimate, "share_low": low, "share_high": high, "complaints": self.shares.n}
        columns |= ranked(self.shares.estimate, group or [()] * len(self.shares.term))
        inside = (frame["term"] != TOTAL).to_numpy()
        wide = {name: np.full(len(frame), np.nan) for name in columns}
        for name, values in columns.items():
            wide[name][inside] = values
        assumed = {} if self.silent is None else {"dissatisfied": self.dissatisfied}
        return insert_before(frame, "note", wide | assumed)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        last = np.array([term == TOTAL for term in self.estimates.term])
        return self.estimates.glance().assign(
            per=self.per, complaints=int(self.count[last].sum()), silent=np.nan if self.silent is None else self.silent
        )


def complaints(
    table: Any,
    *,
    by: str | Sequence[str] | None = None,
    customers: float | Mapping[str, float] | None = None,
    per: float = 1000,
    silent: float | None = None,
    level: float = 0.95,
    columns: Mapping[str, str] | None = None,
) -> Complaints:
    """Complaints by cause: counts, rates per customers, shares in order of size.

    Parameters
    ----------
    table : path of a .csv or .xlsx file, or a frame. A row per cause (and branch, period …) with its ``complaints``
        and, if known, the ``customers`` of that branch and period; or a log with a row per complaint. Further
        columns: ``branch``, ``period``.
    by : columns to tabulate by. None: all together. Over several periods customers add up to customer-periods.
    customers : where the table does not hold them: one number, or group → number if `by` names one column.
    per : customers that rates are given for: 1000, 10000.
    silent : dissatisfied customers who stay silent for each one who complains, as an assumption: 24 is the rule of
        thumb "one in 25". None: nothing is assumed. It multiplies the counts; the data cannot support or refute it.
    level : of the intervals.
    columns : role → column, where it has another name.

    Returns
    -------
    Complaints
        Rates with Garwood's exact interval for a Poisson count, shares with Wilson's, each on its own. Both hold if
        complaints come independently: an outage that makes hundreds complain at once, or people who complain again,
        make counts vary more than the intervals say.

    Raises
    ------
    DataError
        For counts that are no whole numbers, or customers that differ within a branch and period, naming the row.

    Notes
    -----
    Sources: Garwood (1936), Biometrika 28, 437–442; Wilson (1927), J. Am. Stat. Assoc. 22, 209–212.

    >>> found = complaints(pd.DataFrame({"cause": ["repair", "bill"], "complaints": [30, 10], "customers": [5000] * 2}))
    >>> found.tidy()[["term", "estimate", "share"]].values.tolist()[:2]
    [['repair', 6.0, 0.75], ['bill', 2.0, 0.25]]
    """
    check_level(level)
    per = positive("per", per)
    silent = None if silent is None else positive("silent", silent)
    log = read_log(table, ROLES["complaints"], NEEDED["complaints"], columns)
    counted = counts_of(log, by, customers)
    added = log.has("period") and log.names["period"] not in counted.by and customers is None
    return Complaints(
        _rates(counted, per, level), _shares(counted, level), counted.with_total().ravel(), per, counted.by, silent,
        len(set(log.texts("period"))) if added else 1,
    )  # fmt: skip


def counts_of(log: Log, by: Any, customers: Any) -> Counts:
    """Count the complaints of each group and cause, and its customers."""
    named, groups, group = log.labels(by)
    cause = log.texts("cause")
    total = np.array([word.casefold() in TOTAL_WORDS for word in cause], bool)
    if total.any():
        raise log.fault("cause", int(np.flatnonzero(total)[0]), "a row of sums would be counted twice; leave it out.")
    causes = tuple(dict.fromkeys(cause))
    check_size(named, groups, 2 * len(causes) + 1)
    place = {name: i for i, name in enumerate(causes)}
    units = _units(log, named)
    weight = _counted(log, units, cause) if log.has("complaints") else np.ones(len(log))
    cell = group * len(causes) + np.array([place[name] for name in cause], int)
    if weight.sum() > MOST:
        raise ServiceError(f"{log.source}: {weight.sum():.3g} complaints in all; beyond {MOST:.0e} they are not exact.")
    count = np.bincount(cell, weight, minlength=len(groups) * len(causes)).reshape(len(groups), len(causes))
    known = _customers(log, units, group, len(groups)) if customers is None else _given(customers, named, groups)
    return Counts(causes, tuple(groups), named, count, known)


def _units(log: Log, by: Sequence[str]) -> list[tuple[Any, ...]]:
    """Whose customers a row is about: group, branch and period, as far as the table has them."""
    names = dict.fromkeys((*by, *(log.names[role] for role in ("branch", "period") if log.has(role))))
    columns = [log.texts(name) for name in names]
    return list(zip(*columns, strict=True)) if columns else [()] * len(log)


def _counted(log: Log, units: Sequence[tuple[Any, ...]], cause: np.ndarray) -> np.ndarray:
    """(n,) complaints of each row, whole numbers."""
    count = log.numbers("complaints")
    wrong = np.flatnonzero((count < 0) | (count != np.floor(count)) | (count > MOST))
    if len(wrong):
        at = int(wrong[0])
        raise log.fault("complaints", at, f"{count[at]:g} is no count of complaints: a whole number, 0 or more.")
    remedy = "Add them up, or name the column that tells them apart in by=…."
    refuse_repeats(log, [(*unit, word) for unit, word in zip(units, cause, strict=True)], "cause", remedy)
    return count


def _customers(log: Log, units: Sequence[tuple[Any, ...]], group: np.ndarray, size: int) -> np.ndarray:
    """(groups,) customers: those of each unit once."""
    if not log.has("customers"):
        return np.full(size, np.nan)
    number = log.numbers("customers")
    first: dict[tuple[Any, ...], int] = {}
    sums = np.zeros(size)
    for i, unit in enumerate(units):
        if number[i] <= 0:
            raise log.fault("customers", i, f"{number[i]:g} customers: a number above 0 is needed.")
        if unit not in first:
            first[unit] = i
            sums[group[i]] += number[i]
        elif number[i] != number[first[unit]]:
            where = " · ".join(unit) or "the table"
            raise log.fault(
                "customers",
                i,
                f"{number[i]:,.0f} customers, but row {log.rows[first[unit]]} says {number[first[unit]]:,.0f} for "
                f"{where}. Every cause of a branch and period has the same customers; name what else tells them "
                "apart in by=….",
            )
    return sums


def _given(customers: Any, by: Sequence[str], groups: Sequence[tuple[str, ...]]) -> np.ndarray:
    """(groups,) customers from the argument."""
    if not isinstance(customers, Mapping | pd.Series):
        number = positive("customers", customers)
        if len(groups) > 1:
            raise OptionError(
                f"customers={number:g} is one number for {len(groups)} groups; give a table, group → customers."
            )
        return np.full(len(groups), number)
    if len(by) != 1:
        raise OptionError(f"customers is a table, group → number: that needs one column in by; found {list(by)}.")
    table = {str(label): number for label, number in customers.items()}
    for (label,) in groups:
        if label not in table:
            raise OptionError(f"customers has no number for {label!r}; it has {', '.join(map(shown, table))}.")
    return np.array([positive(f"customers[{label!r}]", table[label]) for (label,) in groups])


def _rates(counted: Counts, per: float, level: float) -> Estimates:
    count, size = counted.with_total(), len(counted.causes) + 1
    base = np.repeat(counted.customers, size)
    flat, terms = count.ravel(), (*counted.causes, TOTAL) * len(counted.groups)
    # A total varies with each of its causes: their covariance is the cause's own variance.
    add = np.vstack([np.eye(size - 1), np.ones(size - 1)])
    vcov = np.zeros((len(flat), len(flat)))
    for g, row in enumerate(counted.count):
        here = slice(g * size, (g + 1) * size)
        vcov[here, here] = (add * row) @ add.T * (per / counted.customers[g]) ** 2
    low, high = count_bounds(flat, level)
    unknown = np.flatnonzero(np.isnan(base)).tolist()
    return Estimates(
        terms, flat / base * per, vcov, np.inf, base, np.full(len(flat), np.nan), "rate",
        Provenance("complaints", "Poisson"), level, None, counted.keys(size),
        dict.fromkeys(unknown, Unavailable("no_customers")), (low / base * per, high / base * per),
    )  # fmt: skip


def _shares(counted: Counts, level: float) -> Estimates:
    size = len(counted.causes)
    whole = np.repeat(counted.count.sum(axis=1), size)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = counted.count.ravel() / whole
    vcov = np.zeros((len(share), len(share)))
    for g in range(len(counted.groups)):
        here = slice(g * size, (g + 1) * size)
        vcov[here, here] = (np.diag(share[here]) - np.outer(share[here], share[here])) / np.maximum(whole[g * size], 1)
    se = np.sqrt(np.maximum(np.diag(vcov), 0.0))
    se = np.where(np.isnan(share), np.nan, se)
    nothing = dict.fromkeys(np.flatnonzero(whole == 0).tolist(), Unavailable("no_complaints"))
    return Estimates(
        counted.causes * len(counted.groups), share, vcov, np.inf, whole, whole, "share",
        Provenance("complaints", "multinomial"), level, None, counted.keys(size), nothing,
        share_bounds("wilson", share, se, whole, np.inf, level),
    )  # fmt: skip
