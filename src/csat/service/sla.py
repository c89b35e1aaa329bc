"""Time limits of each step (SLA): the share that overruns its limit, and how long the steps take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, check_choice
from csat.estimation.intervals import share_bounds
from csat.moments import check_size, shown
from csat.read.raw import text_in
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level, insert_before
from csat.service.log import Log, hours_of, positive, read_log, refuse_repeats
from csat.service.roles import NEEDED, ROLES
from csat.service.survival import Curve, curve_of, influence, open_quantile_bounds, ordered_bounds, quantile_of

#: How the interval of a share is made.
INTERVALS = ("wilson", "beta")

MEDIAN, NINETY = 0.5, 0.9

_YES = ("1", "true", "yes", "y", "是", "未完成", "open")
_NO = ("0", "false", "no", "n", "否", "已完成", "closed")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sla(Shown):
    """Steps against their time limits.

    estimates : share of the cases that overrun the limit, per group and step; unit "share"; `n` cases.
    median, ninety : (k,) hours that 50 % and 90 % of the cases do not exceed; unit "hours".
    limit : (k,) hours. over : (k,) cases known to overrun, ended or still open. open_over, open_within : (k,) cases
        still open, beyond the limit and below it; of these nobody knows yet.
    by : grouping columns. as_of : hours since 1970 when open cases were looked at; NaN if no moments were given.
    """

    estimates: Estimates
    median: Estimates
    ninety: Estimates
    limit: np.ndarray
    over: np.ndarray
    open_over: np.ndarray
    open_within: np.ndarray
    by: tuple[str, ...]
    as_of: float

    @property
    def least(self) -> np.ndarray:
        """(k,) share of overruns if every open case still keeps its limit."""
        return np.where(np.isnan(self.limit), np.nan, self.over / self.estimates.n)

    @property
    def most(self) -> np.ndarray:
        """(k,) share of overruns if every open case that can still keep its limit overruns it."""
        return np.where(np.isnan(self.limit), np.nan, (self.over + self.open_within) / self.estimates.n)

    def tidy(self) -> pd.DataFrame:
        """A row per group and step.

        ``limit over open_over open_within`` before the share ``estimate``; after its interval ``least most``, then
        ``median median_low median_high ninety ninety_low ninety_high`` in hours.
        """
        frame = self.estimates.tidy()
        counts = {"limit": self.limit, "over": self.over, "open_over": self.open_over, "open_within": self.open_within}
        frame = insert_before(frame, "estimate", counts)
        frame = insert_before(frame, "n", {"least": self.least, "most": self.most})
        hours: dict[str, np.ndarray] = {}
        for name, found in (("median", self.median), ("ninety", self.ninety)):
            hours |= {name: found.estimate, f"{name}_low": found.interval[0], f"{name}_high": found.interval[1]}
        frame["note"] = self._notes()
        return insert_before(frame, "note", hours)

    def _notes(self) -> list[str]:
        """Why a figure of a row is missing: the share's reason first, then those of the quantiles."""
        found = (self.estimates.unavailable, self.median.unavailable, self.ninety.unavailable)
        return [str(next((reasons[i] for reasons in found if i in reasons), "")) for i in range(len(self.limit))]

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(
            cases=int(np.sum(self.estimates.n)), open=int(np.sum(self.open_over + self.open_within)), as_of=self.as_of
        )


def sla(
    table: Any,
    limits: Mapping[str, float] | None = None,
    *,
    by: str | Sequence[str] | None = None,
    as_of: str | None = None,
    interval: str = "wilson",
    level: float = 0.95,
    columns: Mapping[str, str] | None = None,
) -> Sla:
    """Share of the cases that overrun the time limit of each step, and median and 90 % quantile of their duration.

    Parameters
    ----------
    table : path of a .csv or .xlsx file, or a frame: a row per case and step. Columns: ``step`` and either ``start``
        and ``end`` (moments, year first; an empty end is a case still open) or ``hours`` (with ``open``: yes for a case
        that has taken so long and is not over). If there are any: ``limit`` in hours, ``case``, ``period``.
    limits : step → hours, where the table has no column ``limit``. A case of exactly its limit keeps it.
    by : columns to tabulate by.
    as_of : the moment at which open cases were still open, e.g. "2026-09-30 18:00". None: the latest in the table.
    interval : of the share: "wilson" or "beta" (Clopper–Pearson).
    level : of the intervals.
    columns : role → column, where it has another name.

    Returns
    -------
    Sla
        A case open beyond its limit is an overrun. One open below it can end either way: it counts for as long as it
        has been seen (Kaplan–Meier), and ``least`` and ``most`` say what the share is if all of them keep the limit or
        none does. The interval is Wilson's or Clopper–Pearson's on the n that gives Greenwood's variance (Rothman
        1978; Dorey & Korn 1987), which without open cases is n. Quantiles: exact order-statistic intervals; with open
        cases those of Brookmeyer and Crowley on the log-log scale. Shares of steps of the same ``case`` are
        correlated, and `estimates.contrast` knows.

    Raises
    ------
    DataError
        For durations below 0, moments that cannot be read, or limits that differ within a step, naming the row.

    Notes
    -----
    Kaplan–Meier takes it that cases still open are like the others: not so where hard cases are set aside. Sources:
    Kaplan & Meier (1958), J. Am. Stat. Assoc. 53, 457–481; Rothman (1978), J. Chronic Diseases 31, 557–560;
    Dorey & Korn (1987), Statistics in Medicine 6, 679–687.
    """
    check_level(level)
    check_choice("interval", interval, INTERVALS)
    log = read_log(table, ROLES["sla"], NEEDED["sla"], columns)
    step = log.texts("step")
    steps = tuple(dict.fromkeys(step))
    named, groups, group = log.labels(by)
    check_size(named, groups, 3 * len(steps))
    hours, ended, seen = _durations(log, as_of)
    limit = _limits(log, step, steps, limits)
    case = _cases(log, step)
    place = {name: i for i, name in enumerate(steps)}
    cell = group * len(steps) + np.array([place[name] for name in step], int)
    rows = [np.flatnonzero(cell == at) for at in range(len(groups) * len(steps))]
    keep = [at for at, inside in enumerate(rows) if len(inside)]
    keys = {name: tuple(groups[at // len(steps)][i] for at in keep) for i, name in enumerate(named)}
    parts = [(hours[rows[at]], ended[rows[at]], case[rows[at]]) for at in keep]
    limits_of = np.array([limit[at % len(steps)] for at in keep])
    terms = tuple(steps[at % len(steps)] for at in keep)
    return _result(parts, limits_of, terms, keys, interval, level, named, seen)


#: Hours (n,), whether they are over (n,), and number of the case (n,), of one group and step.
Part = tuple[np.ndarray, np.ndarray, np.ndarray]


def _durations(log: Log, as_of: str | None) -> tuple[np.ndarray, np.ndarray, float]:
    """(n,) hours, (n,) whether the case is over, and the moment at which open cases were looked at."""
    if log.has("hours"):
        if as_of is not None:
            raise OptionError("as_of is for a table with start and end; this one has hours.")
        hours = log.numbers("hours")
        wrong = np.flatnonzero(hours < 0)
        if len(wrong):
            raise log.fault("hours", int(wrong[0]), f"{hours[wrong[0]]:g} hours: a duration is 0 or more.")
        return hours, ~_flags(log) if log.has("open") else np.full(len(log), True), float("nan")
    for role in ("start", "end"):
        if not log.has(role):
            raise OptionError(f"{log.source}: a table of steps has hours, or start and end; there is no {role}.")
    start, end = log.moments("start"), log.moments("end")
    if np.isnan(start).any():
        raise log.fault("start", int(np.flatnonzero(np.isnan(start))[0]), "the cell is empty.")
    ended = ~np.isnan(end)
    seen = _seen(as_of, start, end)
    last = np.where(ended, end, seen)
    wrong = np.flatnonzero(last < start)
    if len(wrong):
        at = int(wrong[0])
        problem = "the end lies before the start." if ended[at] else "the case begins after as_of."
        raise log.fault("end" if ended[at] else "start", at, problem)
    late = np.flatnonzero(ended & (last > seen))
    if len(late):
        raise log.fault("end", int(late[0]), "the case ended after as_of: open cases were looked at later than that.")
    # Whole seconds: a case of exactly its limit must not overrun it by the last digit of a float.
    return np.round((last - start) * 3600) / 3600, ended, seen


def _seen(as_of: Any, start: np.ndarray, end: np.ndarray) -> float:
    if as_of is None:
        return float(np.nanmax(np.concatenate([start, end])))
    hours = hours_of(as_of) if isinstance(as_of, str) else None
    if hours is None:
        raise OptionError(f'as_of is a moment with the year first, e.g. "2026-09-30 18:00"; found {shown(as_of)}.')
    return hours


def _flags(log: Log) -> np.ndarray:
    """(n,) whether a case is still open; an empty cell says no."""
    texts = [(text or "no").casefold() for text in text_in(log.cells[log.names["open"]]).to_pylist()]
    for place, text in enumerate(texts):
        if text not in (*_YES, *_NO):
            raise log.fault("open", place, f"{shown(text)} is neither yes nor no.")
    return np.array([text in _YES for text in texts], bool)


def _limits(log: Log, step: np.ndarray, steps: Sequence[str], limits: Any) -> np.ndarray:
    """(steps,) hours; NaN where a step has no limit."""
    if limits is not None:
        if not isinstance(limits, Mapping):
            raise OptionError(f'limits is a table: step → hours, e.g. {{"repair": 24}}; found {shown(limits)}.')
        for name in limits:
            check_choice("limits: step", name, steps)
        return np.array([positive(f"limits[{name!r}]", limits[name]) if name in limits else np.nan for name in steps])
    if not log.has("limit"):
        raise OptionError(f"{log.source}: the time limits are not known; add a column 'limit', or pass limits={{…}}.")
    given = log.numbers("limit", empty=True)
    found: dict[str, tuple[float, int]] = {}
    for place, (name, hours) in enumerate(zip(step, given, strict=True)):
        known, first = found.setdefault(name, (hours, place))
        if hours <= 0:
            raise log.fault("limit", place, f"{hours:g} hours: a limit is above 0.")
        if hours != known and not (np.isnan(hours) and np.isnan(known)):
            problem = f"{hours:g} hours for {name!r}, but row {log.rows[first]} says {known:g}; a step has one limit."
            raise log.fault("limit", place, problem)
    return np.array([found[name][0] for name in steps])


def _cases(log: Log, step: np.ndarray) -> np.ndarray:
    """(n,) number of each row's case; without a column of cases each row is one."""
    if not log.has("case"):
        return np.arange(len(log))
    case = log.texts("case")
    remedy = "A case that was opened again needs a number of its own."
    refuse_repeats(log, list(zip(case, step, strict=True)), "case and step", remedy)
    return np.unique(case.astype(str), return_inverse=True)[1]


def _result(
    parts: Sequence[Part],
    limit: np.ndarray,
    terms: tuple[str, ...],
    keys: Mapping[str, tuple[Any, ...]],
    interval: str,
    level: float,
    by: tuple[str, ...],
    seen: float,
) -> Sla:
    curves = [curve_of(hours, ended) for hours, ended, _ in parts]
    pairs = list(zip(parts, limit, strict=True))
    over = np.array([(hours > most).sum() for (hours, _, _), most in pairs], float)
    open_over = np.array([(~ended & (hours > most)).sum() for (hours, ended, _), most in pairs], float)
    opened = np.array([(~ended).sum() for _, ended, _ in parts], float)
    shares = _shares(parts, curves, limit, opened - open_over, terms, keys, interval, level)
    median, ninety = (_quantiles(parts, curves, q, terms, keys, level) for q in (MEDIAN, NINETY))
    return Sla(shares, median, ninety, limit, over, open_over, opened - open_over, by, seen)


def _shares(
    parts: Sequence[Part],
    curves: Sequence[Curve],
    limit: np.ndarray,
    unknown: np.ndarray,
    terms: tuple[str, ...],
    keys: Mapping[str, tuple[Any, ...]],
    interval: str,
    level: float,
) -> Estimates:
    known = ~np.isnan(limit)
    share = np.array([curve.at(most) if ok else np.nan for curve, most, ok in zip(curves, limit, known, strict=True)])
    n = np.array([curve.n for curve in curves], float)
    variance = [curve.variance_at(most) if ok else np.nan for curve, most, ok in zip(curves, limit, known, strict=True)]
    vcov = _joint(parts, curves, limit, np.array(variance))
    se = np.sqrt(np.diag(vcov))
    # Where all or none overran, only those count whose end is known.
    base = np.where((share > 0) & (share < 1), n, np.maximum(n - np.where(known, unknown, 0), 1))
    df = np.inf if interval == "wilson" else np.maximum(base - 1, 1.0)
    reasons = dict.fromkeys(np.flatnonzero(~known).tolist(), Unavailable("no_limit"))
    with np.errstate(divide="ignore", invalid="ignore"):
        effective = np.where(se > 0, share * (1 - share) / se**2, base)
    return Estimates(
        terms, share, vcov, np.inf, n, effective, "share", Provenance("cases", "Greenwood"), level, None, keys, reasons,
        share_bounds(interval, share, se, base, df, level),
    )  # fmt: skip


def _joint(parts: Sequence[Part], curves: Sequence[Curve], limit: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """(k, k) covariance: Greenwood's variances; correlations through the cases that went through several steps."""
    from scipy.sparse import csc_array

    size = 1 + max(int(case.max()) for _, _, case in parts)
    known = [at for at in range(len(parts)) if variance[at] > 0]
    pulls = {at: influence(*parts[at][:2], curves[at], limit[at]) for at in known}
    unit = [pulls[at] / np.sqrt(np.square(pulls[at]).sum()) for at in known]
    places = [np.full(len(pulls[at]), at) for at in known]
    cases = np.concatenate([parts[at][2] for at in known]) if known else np.empty(0, int)
    values = np.concatenate(unit) if known else np.empty(0)
    column = np.concatenate(places) if known else np.empty(0, int)
    table = csc_array((values, (cases, column)), shape=(size, len(parts)))
    together = (table.T @ table).toarray()
    np.fill_diagonal(together, 1.0)
    se = np.sqrt(variance)
    return together * np.outer(se, se)


def _quantiles(
    parts: Sequence[Part],
    curves: Sequence[Curve],
    share: float,
    terms: tuple[str, ...],
    keys: Mapping[str, tuple[Any, ...]],
    level: float,
) -> Estimates:
    found = np.array([quantile_of(curve, share) for curve in curves])
    ends = np.array([
        ordered_bounds(hours, share, level) if ended.all() else open_quantile_bounds(curve, share, level)
        for (hours, ended, _), curve in zip(parts, curves, strict=True)
    ])  # fmt: skip
    reasons = {i: Unavailable("not_reached") for i in np.flatnonzero(np.isnan(found)).tolist()}
    for i in np.flatnonzero(np.isnan(ends).any(axis=1)).tolist():
        reasons.setdefault(i, Unavailable("open_end"))
    n = np.array([curve.n for curve in curves], float)
    unknown = np.full((len(found), len(found)), np.nan)
    return Estimates(
        terms, found, unknown, np.inf, n, np.full(len(found), np.nan), "hours",
        Provenance("cases", "order statistics"), level, None, keys, reasons, (ends[:, 0], ends[:, 1]),
    )  # fmt: skip
