"""Charts of audits, complaints, their changes, and time limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import judge_rows, level_of
from csat.report.tables.service import TOTAL, term_text
from csat.report.tables.trend import period_names
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.service import Audits, BeforeAfter, ComplaintChanges, Complaints, Sla

#: Rows of a Pareto chart at most; the table has them all.
MOST = 20


def losses(result: Audits, names: Names, ax: Axes | None) -> Axes:
    """Criteria by their share of all marks lost (Pareto), with intervals; the line adds them up."""
    frame = _ordered(result.tidy(), result.by)
    title = _say(names, "service.title.audits")
    if frame["share"].isna().all():
        return style.empty(ax, title, _say(names, "service.say.audit_lost_all"))
    bases = [Base.ENOUGH] * len(frame)
    notes = [_say(names, "service.note.audits_one")] if frame["visits"].min() <= 1 else []
    return _pareto(frame, result, bases, names, ax, title, "share_lost", notes)


def rates(result: Audits, names: Names, ax: Axes | None) -> Axes:
    """Score rates with intervals: of the criteria, or of all criteria together group by group."""
    tidy = result.tidy()
    rows = tidy[tidy["term"] == TOTAL] if result.by else tidy
    labels = _labels(rows, result.by, names, "all_visits")
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    figures = [rows[name].to_numpy(float) for name in ("estimate", "low", "high")]
    draw_rows(ax, labels, [Base.ENOUGH] * len(rows), *figures, kind="percent")
    _percent(ax)
    ax.set_xlabel(_say(names, "service.plot.rate"))
    style.below(ax, *_interval(rows, result, names))
    ax.set_title(_say(names, "service.title.audit_rates"))
    return ax


def complaints(result: Complaints, names: Names, ax: Axes | None) -> Axes:
    """Causes by their share of the complaints (Pareto), with intervals; the line adds them up."""
    frame = _ordered(result.tidy(), result.by)
    title = _say(names, "service.title.complaints")
    if frame["share"].isna().all():
        return style.empty(ax, title, _say(names, "reason.no_complaints"))
    bases = judge_rows(frame, ("complaints",), list(result.by), names.bases)
    notes = [_say(names, "service.note.independent")]
    return _pareto(frame, result, bases, names, ax, title, "share", notes)


def complaint_rates(result: Complaints, names: Names, ax: Axes | None) -> Axes:
    """Complaints per so many customers with exact intervals: of the causes, or of all together group by group."""
    tidy = result.tidy()
    rows = tidy[tidy["term"] == TOTAL] if result.by else tidy
    title = _say(names, "service.title.complaint_rates", per=result.per)
    if rows["estimate"].isna().all():
        return style.empty(ax, title, _say(names, "reason.no_customers"))
    labels = _labels(rows, result.by, names)
    ax = style.axes_for(ax, style.row_height(labels) + 1.6)
    figures = [rows[name].to_numpy(float) for name in ("estimate", "low", "high")]
    draw_rows(ax, labels, judge_rows(rows, ("n",), list(result.by), names.bases), *figures)
    ax.set_xlim(left=0)
    ax.set_xlabel(_say(names, "service.plot.per", per=result.per))
    style.below(ax, *_interval(rows, result, names), _say(names, "service.note.independent"))
    ax.set_title(title)
    return ax


def changes(result: ComplaintChanges, names: Names, ax: Axes | None) -> Axes:
    """Rates before and after with exact intervals; pale where no change is shown."""
    tidy = result.tidy()
    keep = (tidy["term"] == TOTAL).to_numpy() if result.by else np.full(len(tidy), True)
    rows = tidy[keep]
    low, high = (ends[keep] for ends in result.rate_bounds)
    labels = _labels(rows, result.by, names)
    ax = style.axes_for(ax, style.row_height(labels, 0.45) + 1.9)
    periods = period_names([result.before, result.after], names)
    clear = rows["verdict"].isin(["up", "down"]).to_numpy()
    looks = ((style.ORANGE, "D", -0.14), (style.BLUE, "o", 0.14))
    for at, (colour, mark, shift) in enumerate(looks):
        values = result.rates[keep][:, at]
        telling.rows(labels, values, low[:, at], high[:, at], name=periods[at], kind="dots")
        for row in range(len(rows)):
            pale = 1.0 if clear[row] else 0.45
            ax.plot([low[row, at], high[row, at]], [row + shift] * 2, color=colour, lw=1.6, alpha=pale, zorder=2)
            ax.plot([values[row]], [row + shift], mark, ms=6, mfc=colour, mec=colour, alpha=pale, zorder=3)
        ax.plot([], [], mark, color=colour, ms=6, label=periods[at])
    for row, ratio in enumerate(rows["estimate"]):
        text = DASH if np.isnan(ratio) else f"×{number(float(ratio), 'score')}"
        style.beside(ax, row, text, color=style.INK if clear[row] else style.GREY)
    style.label_rows(ax, labels)
    ax.set_xlim(left=0)
    ax.set_xlabel(_say(names, "service.plot.per", per=result.per))
    kind = "changes" if result.adjust == "holm" else "changes_plain"
    pale_note = [_say(names, "service.plot.pale")] if not clear.all() else []
    style.below(ax, *_interval(rows, result, names), _say(names, f"service.note.{kind}"), *pale_note)
    style.title_over_legend(ax, _say(names, "service.title.changes", before=periods[0], after=periods[1]))
    return ax


def before_after(result: BeforeAfter, names: Names, ax: Axes | None) -> Axes:
    """Change of each score with its interval; beside it, how the complaints moved."""
    frame = result.tidy()
    bases = judge_rows(frame, ("n",), (), names.bases)
    pairs = zip(frame["term"], frame["node"], strict=True)
    arrow = "：" if names.lang == "zh" else ": "
    labels = [style.wrap(f"{_text(cause, names)}{arrow}{names.code(node)}") for cause, node in pairs]
    ax = style.axes_for(ax, style.row_height(labels) + 1.7)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high")]
    draw_rows(ax, labels, bases, *figures, shown=False, null=0.0)
    for row, ratio in enumerate(frame["ratio"]):
        style.beside(ax, row, DASH if np.isnan(ratio) else f"×{number(float(ratio), 'score')}")
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_xlabel(_say(names, "service.column.change"))
    notes = [_say(names, "service.plot.ratio_beside"), _say(names, "service.note.together")]
    style.below(ax, *remarks(bases, names.bases, words(names.lang), result.level), *notes)
    before, after = period_names([result.before, result.after], names)
    ax.set_title(_say(names, "service.title.before_after", before=before, after=after))
    return ax


def overruns(result: Sla, names: Names, ax: Axes | None) -> Axes:
    """Share of the cases over the limit, step by step, with intervals."""
    frame = result.tidy()
    bases = judge_rows(frame, ("n",), list(result.by), names.bases)
    labels = _labels(frame, result.by, names, limits=True)
    ax = style.axes_for(ax, style.row_height(labels) + 1.5)
    figures = [frame[name].to_numpy(float) for name in ("estimate", "low", "high")]
    draw_rows(ax, labels, bases, *figures, kind="percent")
    ax.set_xlim(left=0)
    _percent(ax)
    ax.set_xlabel(_say(names, "service.plot.overrun"))
    opened = [_say(names, "service.note.sla_open")] if (frame["open_within"] > 0).any() else []
    style.below(ax, *_counted(bases, names), *_interval(frame, result, names), *opened)
    ax.set_title(_say(names, "service.title.sla"))
    return ax


def durations(result: Sla, names: Names, ax: Axes | None) -> Axes:
    """Median and 90 % quantile of each step in hours, and its limit."""
    frame = result.tidy()
    bases = judge_rows(frame, ("n",), list(result.by), names.bases)
    labels = _labels(frame, result.by, names)
    ax = style.axes_for(ax, style.row_height(labels, 0.45) + 1.7)
    for name, mark, shift in (("median", "o", -0.13), ("ninety", "D", 0.13)):
        values, low, high = (frame[column].to_numpy(float) for column in (name, f"{name}_low", f"{name}_high"))
        telling.rows(labels, values, low, high, bases=bases, name=_say(names, f"service.column.{name}"))
        for row, base in enumerate(bases):
            if not base.hidden:
                ax.plot([low[row], high[row]], [row + shift] * 2, color=style.BLUE, lw=1.6, zorder=2)
                fill = style.PAPER if base is Base.SMALL else style.BLUE
                ax.plot([values[row]], [row + shift], mark, ms=6, mfc=fill, mec=style.BLUE, zorder=3)
    ax.vlines(frame["limit"], np.arange(len(frame)) - 0.3, np.arange(len(frame)) + 0.3, color=style.ORANGE, lw=2)
    style.label_rows(ax, labels)
    ax.set_xlim(left=0)
    ax.set_xlabel(_say(names, "service.plot.hours"))
    style.below(ax, *_counted(bases, names), *_interval(frame.assign(low=frame["median_low"]), result, names))
    ax.set_title(_say(names, "service.title.duration"))
    return ax


def _pareto(
    frame: pd.DataFrame, result: Any, bases: Sequence[Base], names: Names, ax: Axes | None, title: str, word: str,
    notes: Sequence[str],
) -> Axes:  # fmt: skip
    """Bars of shares, largest first, with intervals; a line of cumulative shares where there are no groups."""
    frame, bases = frame.head(MOST), list(bases)[:MOST]
    labels = _labels(frame, result.by, names)
    share, low, high = (frame[name].to_numpy(float) for name in ("share", "share_low", "share_high"))
    known = np.array([not base.hidden for base in bases], bool) & np.isfinite(share)
    at = np.arange(len(frame))
    ax = style.axes_for(ax, style.row_height(labels, 0.32) + 1.6)
    fills = [style.PAPER if base is Base.SMALL else style.LIGHT_BLUE for base in bases]
    ax.barh(at[known], share[known], height=0.62, color=[fills[i] for i in at[known]], edgecolor=style.GREY, lw=0.8)
    ended = known & np.isfinite(low) & np.isfinite(high)
    ax.hlines(at[ended], low[ended], high[ended], color=style.INK, lw=1.4, zorder=3)
    ax.plot(np.r_[low[ended], high[ended]], np.tile(at[ended], 2), "|", ms=6, mew=1.4, color=style.INK, zorder=3)
    telling.rows(labels, share, low, high, bases=bases, kind="bars", unit="percent")
    line = [] if result.by or not known.all() else [_say(names, "service.plot.cumulative")]
    if line:
        ax.plot(frame["cumulative"], at, ":", marker=".", color=style.GREY, lw=1.2, zorder=2)
    for row in at.tolist():
        style.beside(ax, row, number(float(share[row]), "percent") if known[row] else DASH)
    style.label_rows(ax, labels)
    ax.set_xlim(0, 1.02)
    _percent(ax)
    ax.set_xlabel(_say(names, f"service.plot.{word}"))
    whisker = _interval(frame.assign(low=np.where(ended, low, np.nan)), result, names)
    style.below(ax, *_counted(bases, names), *whisker, *line, *notes)
    ax.set_title(title)
    return ax


def _ordered(tidy: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Causes or criteria of each group by their share, without the total."""
    place = tidy.groupby(list(by), sort=False).ngroup() if by else pd.Series(0, tidy.index)
    order = pd.DataFrame({"group": place, "share": -tidy["share"]}).sort_values(["group", "share"], kind="stable")
    frame = tidy.loc[order.index]
    return frame[frame["term"] != TOTAL].reset_index(drop=True)


def _labels(
    frame: pd.DataFrame, by: Sequence[str], names: Names, total: str = "total", *, limits: bool = False
) -> list[str]:
    """Group and term of each row; the limit of a step in brackets."""
    texts = [_text(term, names, total) for term in frame["term"]]
    if limits:
        known = zip(texts, frame["limit"], strict=True)
        texts = [text if np.isnan(limit) else f"{text} ({limit:g} h)" for text, limit in known]
    groups = [names.values(column, list(frame[column])) for column in by]
    if groups and frame["term"].nunique() == 1:
        texts = [" · ".join(parts) for parts in zip(*groups, strict=True)]
    elif groups:
        texts = [" · ".join(parts) for parts in zip(*groups, texts, strict=True)]
    return [style.wrap(text) for text in texts]


def _text(term: str, names: Names, total: str = "total") -> str:
    return _say(names, f"service.{total}") if term == TOTAL else term_text(term, names)


def _interval(frame: pd.DataFrame, result: Any, names: Names) -> list[str]:
    """What the lines are, where there are any."""
    if frame["low"].isna().all():
        return []
    return [_say(names, "plot.interval", level=level_of(result))]


def _counted(bases: Sequence[Base], names: Names) -> list[str]:
    """What small bases did: here complaints and cases are counted, not respondents."""
    said = []
    if Base.SMALL in bases:
        said.append(_say(names, "service.base_small", least=names.bases.suppress, most=names.bases.flag - 1))
    if any(base.hidden for base in bases):
        said.append(_say(names, "service.base_suppressed", least=names.bases.suppress))
    return said


def _percent(ax: Axes) -> None:
    from matplotlib.ticker import PercentFormatter

    ax.xaxis.set_major_formatter(PercentFormatter(1.0))


def _say(names: Names, key: str, **blanks: Any) -> str:
    return words(names.lang).say(Word(key, blanks))
