"""Audits (mystery shopping): score rates per criterion, where the marks are lost, how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.moments import check_size
from csat.results import Estimates, Provenance, Shown, Unavailable, check_level, insert_before
from csat.service.log import TOTAL, TOTAL_WORDS, Log, read_log, refuse_repeats
from csat.service.roles import NEEDED, ROLES

#: Printed figures agree with each other to the hundredth of a mark.
TOLERANCE = 0.01


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Audits(Shown):
    """What covert visits found.

    estimates : score over full marks per group and criterion, then their "total"; unit "share".
    losses : share of all marks lost that each criterion lost, per group; unit "share". No row for the total.
    full_marks, score : (k,) mean marks per visit, a row per row of `estimates`.
    visits : (k,) visits that judged the criterion. by : grouping columns.
    """

    estimates: Estimates
    losses: Estimates
    full_marks: np.ndarray
    score: np.ndarray
    visits: np.ndarray
    by: tuple[str, ...]

    @property
    def lost(self) -> np.ndarray:
        """(k,) score less full marks per visit: 0 or negative."""
        return self.score - self.full_marks

    def tidy(self) -> pd.DataFrame:
        """A row per group and criterion, then the total.

        ``full_marks score lost`` stand before the score rate ``estimate``; after its interval ``visits``; then
        ``share`` of all marks lost with ``share_low share_high``, ``rank`` of the loss (1 = most) and ``cumulative``
        share of the losses up to that rank.
        """
        frame = self.estimates.tidy()
        marks = {"full_marks": self.full_marks, "score": self.score, "lost": self.lost}
        frame = insert_before(frame, "estimate", marks)
        frame = insert_before(frame, "n", {"visits": self.visits})
        return insert_before(frame, "note", self._pareto(frame))

    def _pareto(self, frame: pd.DataFrame) -> dict[str, np.ndarray]:
        inside = (frame["term"] != TOTAL).to_numpy()
        low, high = self.losses.interval
        columns = {"share": self.losses.estimate, "share_low": low, "share_high": high}
        columns |= ranked(self.losses.estimate, _codes(self.losses, self.by))
        wide = {name: np.full(len(frame), np.nan) for name in columns}
        for name, values in columns.items():
            wide[name][inside] = values
        return wide

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(
            criteria=len(set(self.losses.term)), groups=len(set(_codes(self.losses, self.by)))
        )


def audits(
    table: Any,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    columns: Mapping[str, str] | None = None,
) -> Audits:
    """Score rates of audits, and the criteria that lose the marks.

    Parameters
    ----------
    table : path of a .csv or .xlsx file, or a frame: a row per criterion and visit. Columns: ``criterion``,
        ``full_marks``, ``score``; if there are any, ``lost`` (checked against the two), ``site``, ``visit``,
        ``period``. A row "Total" (总分, 合计) is checked against the sums and left out.
    by : columns to tabulate by: "site", "period", a city … None: all visits together.
    level : of the intervals.
    columns : role → column, where it has another name, e.g. ``{"criterion": "指标名称"}``.

    Returns
    -------
    Audits
        The rate of a criterion is the sum of its scores over the sum of its full marks. Its interval is that of a mean
        over visits (Student's t); several visits of one site are one cluster, as a hall that fails once is likely to
        fail again. One visit (one site) tells nothing about the next: no interval, with the reason.

    Raises
    ------
    DataError
        For a score above the full marks, marks lost that do not fit, or a total that is not the sum, naming the row.

    Notes
    -----
    Variances are those of a ratio over clusters, jointly for all groups and criteria (Cochran 1977, Sampling
    Techniques, 3rd ed., 6.3 and 11.8), so that `estimates.contrast` of two periods is right when the same sites
    are seen in both.
    """
    check_level(level)
    log = read_log(table, ROLES["audits"], NEEDED["audits"], columns)
    named, groups, group = log.labels(by)
    visits = _visits(log)
    criterion = log.texts("criterion")
    full, score = _marks(log)
    total = np.array([word.casefold() in TOTAL_WORDS for word in criterion], bool)
    remedy = 'Several visits need a column "visit" (or "site", "period") that tells them apart.'
    refuse_repeats(log, [(*visit, word) for visit, word in zip(visits, criterion, strict=True)], "criterion", remedy)
    _check_totals(log, visits, total, {"full_marks": full, "score": score})
    if total.all():
        raise log.fault("criterion", 0, "the table has a total but no criterion.")
    names = list(dict.fromkeys(criterion[~total]))
    check_size(named, groups, 2 * len(names) + 1)
    cluster = log.texts("site") if log.has("site") else np.array([repr(visit) for visit in visits], object)
    place = {name: i for i, name in enumerate(names)}
    cell = group[~total] * len(names) + np.array([place[name] for name in criterion[~total]], int)
    _, unit = np.unique(cluster[~total].astype(str), return_inverse=True)
    size = (unit.max() + 1, len(groups) * len(names))
    given, got = (_summed(size, unit, cell, values[~total]) for values in (full, score))
    counted = np.bincount(cell, minlength=size[1])
    judged = pd.DataFrame({"group": group, "visit": _numbered(visits)})[~total].drop_duplicates()
    of_group = np.bincount(judged["group"], minlength=len(groups))
    return _result(given, got, counted, of_group, names, groups, named, level)


def _marks(log: Log) -> tuple[np.ndarray, np.ndarray]:
    """(n,) full marks and scores, each row checked."""
    full, score = log.numbers("full_marks"), log.numbers("score")
    for wrong, role, problem in (
        (full <= 0, "full_marks", "full marks are above 0; found {full:g}."),
        (score < 0, "score", "a score is 0 or more; found {score:g}."),
        (score > full, "score", "the score {score:g} is above the full marks {full:g}."),
    ):
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            raise log.fault(role, place, problem.format(full=full[place], score=score[place]))
    if log.has("lost"):
        lost = log.numbers("lost", empty=True)
        wrong = np.abs(np.abs(lost) - (full - score)) > TOLERANCE * 1.0001
        if wrong.any():
            i = int(np.flatnonzero(wrong)[0])
            problem = (
                f"{lost[i]:g} marks lost, but score {score[i]:g} less full marks {full[i]:g} is {score[i] - full[i]:g}."
            )
            raise log.fault("lost", i, problem)
    return full, score


def _visits(log: Log) -> list[tuple[str, ...]]:
    """What tells the visits apart: site, visit and period, as far as the table has them."""
    known = [log.texts(role) for role in ("site", "visit", "period") if log.has(role)]
    return list(zip(*known, strict=True)) if known else [()] * len(log)


def _check_totals(
    log: Log, visits: Sequence[tuple[str, ...]], total: np.ndarray, marks: Mapping[str, np.ndarray]
) -> None:
    """Refuse a row of sums that is not the sum of the other rows of its visit."""
    visit = _numbered(visits)
    parts = np.bincount(visit[~total], minlength=visit.max() + 1)[visit]
    alone = np.flatnonzero(total & (parts == 0))
    if len(alone) and not total.all():
        problem = "a total of a visit of which the table has no criterion cannot be checked; leave it out."
        raise log.fault("criterion", int(alone[0]), problem)
    for role, values in marks.items():
        added = np.bincount(visit[~total], values[~total], minlength=visit.max() + 1)[visit]
        wrong = total & (parts > 0) & (np.abs(values - added) > TOLERANCE * (parts + 1) / 2)
        if wrong.any():
            place = int(np.flatnonzero(wrong)[0])
            problem = f"the total {values[place]:g} is not the sum of its criteria, {added[place]:g}."
            raise log.fault(role, place, problem)


def _numbered(visits: Sequence[tuple[str, ...]]) -> np.ndarray:
    """(n,) number of each row's visit."""
    number = {visit: i for i, visit in enumerate(dict.fromkeys(visits))}
    return np.array([number[visit] for visit in visits], int)


def _summed(size: tuple[int, int], unit: np.ndarray, cell: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(clusters, cells) sums."""
    return np.bincount(unit * size[1] + cell, values, minlength=size[0] * size[1]).reshape(size)


def _result(
    full: np.ndarray,
    score: np.ndarray,
    counted: np.ndarray,
    of_group: np.ndarray,
    names: Sequence[str],
    groups: Sequence[tuple[str, ...]],
    by: tuple[str, ...],
    level: float,
) -> Audits:
    """Estimates from (clusters, groups × criteria) sums of marks."""
    k, size = len(names), len(groups)
    order = np.concatenate([[*range(g * k, g * k + k), size * k + g] for g in range(size)])
    to_group = np.kron(np.eye(size), np.ones((k, 1)))
    given, got = (np.hstack([marks, marks @ to_group])[:, order] for marks in (full, score))
    visits = np.concatenate([counted, of_group])[order]
    terms = (*names, TOTAL) * size
    keys = {name: tuple(group[i] for group in groups for _ in range(k + 1)) for i, name in enumerate(by)}
    rates = _ratios(got, given, given > 0, visits, terms, keys, level)
    lost = full - score
    inside = to_group.T.astype(bool)
    whole = (lost @ to_group) @ inside
    there = ((full @ to_group) @ inside > 0) & (full.sum(axis=0) > 0)
    keys = {name: tuple(group[i] for group in groups for _ in names) for i, name in enumerate(by)}
    losses = _ratios(lost, whole, there, np.repeat(of_group, k), tuple(names) * size, keys, level, "nothing_lost")
    with np.errstate(divide="ignore", invalid="ignore"):
        per_visit = given.sum(axis=0) / visits, got.sum(axis=0) / visits
    return Audits(rates, losses, *per_visit, visits, by)


def _ratios(
    above: np.ndarray,
    below: np.ndarray,
    there: np.ndarray,
    visits: np.ndarray,
    terms: tuple[str, ...],
    keys: Mapping[str, tuple[Any, ...]],
    level: float,
    nothing: str = "not_judged",
) -> Estimates:
    """Ratios of sums over clusters, (clusters, k) each, with their joint covariance; `there`: the cluster counts."""
    total = below.sum(axis=0)
    clusters = there.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = above.sum(axis=0) / total
        scores = (above - ratio * below) / total * np.sqrt(clusters / (clusters - 1.0))
    scores = np.where(np.isfinite(scores), scores, 0.0)
    vcov = scores.T @ scores
    alike = np.abs(scores).max(axis=0, initial=0.0) < 1e-12
    reasons = {nothing: total == 0, "one_visit": clusters < 2, "same_in_all": alike}
    unavailable: dict[int, Unavailable] = {}
    for reason, rows in reasons.items():
        unavailable |= {i: Unavailable(reason) for i in np.flatnonzero(rows).tolist() if i not in unavailable}
    for place in unavailable:
        vcov[place, :] = vcov[:, place] = np.nan
    df = np.where(clusters > 1, clusters - 1.0, np.nan)
    made = Estimates(
        terms, ratio, vcov, df, visits, np.full(len(terms), np.nan), "share",
        Provenance("visits", "clustered by site"), level, None, keys, unavailable,
    )  # fmt: skip
    low, high = made.interval
    return replace(made, bounds=(np.maximum(low, 0.0), np.minimum(high, 1.0)))


def ranked(share: np.ndarray, group: Sequence[Any]) -> dict[str, np.ndarray]:
    """Rank (1 = largest share; ties share the better one) and cumulative share within groups."""
    frame = pd.DataFrame({"share": share, "group": [repr(label) for label in group]})
    rank = frame.groupby("group")["share"].rank(ascending=False, method="min").to_numpy()
    order = frame.sort_values("share", ascending=False, kind="stable").index
    running = frame.loc[order].groupby("group")["share"].cumsum()
    return {"rank": rank, "cumulative": running.reindex(frame.index).to_numpy()}


def _codes(estimates: Estimates, by: Sequence[str]) -> list[tuple[Any, ...]]:
    columns = [estimates.keys[name] for name in by]
    return list(zip(*columns, strict=True)) if columns else [()] * len(estimates.term)
