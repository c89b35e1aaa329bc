"""Tables of audits, complaints, their changes, and time limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from csat.questionnaire.scales import text_of
from csat.report.description import Cell, Kind
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import Show, describe, group_shows, level_of, named, objects
from csat.report.tables.trend import period_names
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.service import Audits, BeforeAfter, ComplaintChanges, Complaints, Sla

#: The term of everything together.
TOTAL = "total"
N, COMPLAINTS = ("n",), ("complaints",)


def audits(result: Audits, names: Names) -> Table:
    """Criteria by the marks that they lose, with score rates, and all together."""
    frame = _said(_by_loss(result.tidy(), result.by), result.by, names, "all_visits")
    level = level_of(result)
    shows = [
        *group_shows(result.by, names),
        _show("term", "text", "criterion"),
        _show("full_marks", "score"), _show("score", "score"), _show("lost", "score"),
        _show("estimate", "percent", "rate"), *_ends("", level),
        _show("share", "percent", "share_lost"), *_ends("share_", level),
        _show("rank", "count"), _show("cumulative", "percent"), _show("visits", "count"),
    ]  # fmt: skip
    if frame["low"].isna().all():
        shows = [show for show in shows if show.name not in ("low", "high", "share_low", "share_high")]
    one = [Word("service.note.audits_one")] if (frame["visits"] <= 1).any() else []
    notes = [Word("service.note.audits"), Word("service.note.pareto"), *one]
    return _table("audits", Word("service.title.audits"), frame, shows, names, notes, result.by)


def complaints(result: Complaints, names: Names) -> Table:
    """Causes by number of complaints: count, rate, share, cumulative share."""
    frame = _said(_by_loss(result.tidy(), result.by), result.by, names)
    level = level_of(result)
    known = bool(frame["n"].notna().any())
    rates = [_show("estimate", "score", "per", N, per=result.per), *_ends("", level, "score", N)]
    silent = [] if result.silent is None else [_show("dissatisfied", "count")]
    shows = [
        *group_shows(result.by, names),
        _show("term", "text", "cause"),
        _show("count", "count"),
        *(rates if known else []),
        _show("share", "percent", "share", COMPLAINTS, marked=True), *_ends("share_", level, "percent", COMPLAINTS),
        _show("rank", "count"), _show("cumulative", "percent", base=COMPLAINTS),
        *([_show("n", "count", "customers")] if known else []),
        *silent,
    ]  # fmt: skip
    several = [Word("service.note.periods")] if known and result.periods > 1 else []
    notes = [Word("service.note.rates"), *several, Word("service.note.independent")]
    notes += [] if result.silent is None else [Word("service.note.silent", {"silent": result.silent})]
    return _table("complaints", Word("service.title.complaints"), frame, shows, names, notes, result.by)


def changes(result: ComplaintChanges, names: Names) -> Table:
    """Rates before and after, their ratio with its exact interval, and whether the change is more than noise."""
    tidy = result.tidy()
    frame = _said(_by_loss(tidy.assign(share=tidy["count_after"]), result.by), result.by, names)
    frame["verdict"] = objects([Word(f"service.verdict.{v.replace(' ', '_')}") if v else "" for v in frame["verdict"]])
    periods = dict(zip(("before", "after"), period_names([result.before, result.after], names), strict=True))
    counts = [_show(f"count_{at}", "count", "count_in", period=period) for at, period in periods.items()]
    rates = [_show(f"rate_{at}", "score", "per_in", N, per=result.per, period=p) for at, p in periods.items()]
    shows = [
        *group_shows(result.by, names),
        _show("term", "text", "cause"),
        *counts,
        *(rates if (frame["n"] > 1).all() else []),
        _show("estimate", "score", "ratio", N), *_ends("", level_of(result), "score", N),
        Show("adjusted_p", "p_value", N), _show("verdict", "text", "verdict", N),
    ]  # fmt: skip
    kind = "changes" if result.adjust == "holm" else "changes_plain"
    alpha = {"alpha": 1 - level_of(result)}
    notes = [Word(f"service.note.{kind}"), Word("service.note.verdict", alpha), Word("service.note.independent")]
    return _table("complaint_changes", Word("service.title.changes", periods), frame, shows, names, notes, result.by)


def before_after(result: BeforeAfter, names: Names) -> Table:
    """Change of a score and of the complaints about it, pair by pair."""
    frame = _said(result.tidy(), (), names)
    frame["node"] = names.codes(list(frame["node"]))
    frame["finding"] = objects([Word(f"service.finding.{word.replace(' ', '_')}") for word in frame["finding"]])
    shows = [
        _show("term", "text", "cause"), _show("node"),
        _show("estimate", "score", "change", N, marked=True), *_ends("", result.level, "score", N),
        _show("ratio", "score"), *_ends("ratio_", result.level, "score"),
        _show("finding", "text", "finding", N),
    ]  # fmt: skip
    before, after = period_names([result.before, result.after], names)
    title = Word("service.title.before_after", {"before": before, "after": after})
    return _table("before_after", title, frame, shows, names, [Word("service.note.together")], ())


def sla(result: Sla, names: Names) -> Table:
    """Steps against their limits: share of overruns, cases still open, median and 90 % quantile."""
    frame = _said(result.tidy(), result.by, names)
    level = level_of(result)
    opened = bool((frame["open_within"] > 0).any())
    shows = [
        *group_shows(result.by, names),
        _show("term", "text", "step"),
        _show("limit", "plain"), _show("n", "count", "cases"), _show("over", "count"),
        *([_show("open_within", "count")] if opened else []),
        _show("estimate", "percent", "share_over", N, marked=True), *_ends("", level, "percent", N),
        *([_show("least", "percent", base=N), _show("most", "percent", base=N)] if opened else []),
        *_hours("median", level), *_hours("ninety", level),
    ]  # fmt: skip
    notes = [Word("service.note.sla"), *([Word("service.note.sla_open")] if opened else [])]
    notes.append(Word("service.note.sla_interval"))
    return _table("sla", Word("service.title.sla"), frame, shows, names, notes, result.by)


def _hours(name: str, level: float) -> list[Show]:
    return [_show(name, "score", base=N), *_ends(f"{name}_", level, "score", N)]


def _show(
    name: str, kind: Kind = "text", word: str | None = None, base: tuple[str, ...] = (), *, marked: bool = False,
    **blanks: object,
) -> Show:  # fmt: skip
    """A column headed by a word of this section."""
    return Show(name, kind, base, Word(f"service.column.{word or name}", blanks), marked)


def _ends(prefix: str, level: float, kind: Kind = "percent", base: tuple[str, ...] = ()) -> list[Show]:
    """Both ends of an interval."""
    low, high = (Word(f"column.{end}", {"level": level}) for end in ("low", "high"))
    return [Show(f"{prefix}low", kind, base, low), Show(f"{prefix}high", kind, base, high)]


def _by_loss(tidy: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Rows of each group by their share, largest first, the total last; groups keep their order."""
    place = tidy.groupby(list(by), sort=False).ngroup() if by else pd.Series(0, tidy.index)
    last = tidy["term"] == TOTAL
    order = pd.DataFrame({"group": place, "last": last, "share": -tidy["share"].fillna(-1)})
    frame = tidy.loc[order.sort_values(["group", "last", "share"], kind="stable").index].reset_index(drop=True)
    total = (frame["term"] == TOTAL).to_numpy()
    for name in ("share", "share_low", "share_high", "rank", "cumulative"):
        if name in frame:
            frame[name] = frame[name].astype(object).where(~total, None)
    return frame


def _said(tidy: pd.DataFrame, by: Sequence[str], names: Names, total: str = "total") -> pd.DataFrame:
    """Texts of the groups; terms are the table's own words, but for the total."""
    frame = named(tidy, list(by), names)
    texts = [Word(f"service.{total}") if code == TOTAL else term_text(code, names) for code in tidy["term"]]
    return frame.assign(term=objects(texts), code=tidy["term"])


def term_text(term: str, names: Names) -> str:
    """Text of a cause, criterion or step: the study's, of its [service.texts]; else the word of the table."""
    asked = names.questionnaire
    known = {} if asked is None or not names.spoken else asked.service.get("texts", {})
    return text_of(known[term], names.lang, term) if term in known else names.code(term)


def _table(
    name: str, title: Word, frame: pd.DataFrame, shows: Sequence[Show], names: Names, notes: Sequence[Word],
    by: Sequence[str],
) -> Table:  # fmt: skip
    made = describe(name, title, frame, shows, names, groups=list(by), label="term", notes=notes)
    return replace(made, rows=tuple(tuple(map(_counted, row)) for row in made.rows))


def _counted(cell: Cell) -> Cell:
    """The mark of a small base without its respondents: here complaints and cases are counted."""
    note = cell.note
    if note is None or not note.key.startswith("base."):
        return cell
    return replace(cell, note=Word(f"service.{note.key.replace('.', '_')}", note.blanks))
