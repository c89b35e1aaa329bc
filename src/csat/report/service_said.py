"""What complaints, audits and time limits say, in sentences that claim no more than their intervals allow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.report.description import Cell, Column
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import level_of
from csat.report.tables.service import TOTAL, term_text
from csat.report.tables.trend import period_names
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.report.service import Service
    from csat.service import Audits, BeforeAfter, ComplaintChanges, Complaints, Sla

#: Share of the complaints that the first causes are counted up to.
MOST = 0.8


def service_text(service: Service, lang: str = "en", names: Questionnaire | None = None) -> Advice:
    """Say what the service recorded.

    Parameters
    ----------
    service : of `service_of`.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.

    Returns
    -------
    Advice
        Rules: a cause leads only if its lead over the second is more than chance, corrected for the number of causes;
        a change is told only if the table's verdict says so; one step overruns most often only if its interval lies
        above all others; one visit or site is never spoken of as all.
    """
    texts = Names(lang, names)
    rules: Mapping[str, Callable[[Any, Names], list[Word]]] = {
        "Complaints": _complaints, "ComplaintChanges": _changes, "BeforeAfter": _together, "Audits": _audits,
        "Sla": _sla,
    }  # fmt: skip
    lines = [line for result in service.results for line in rules[type(result).__name__](result, texts)]
    lines += _limits(service, texts)
    rows = tuple((Cell(line),) for line in lines)
    column = (Column("sentence", Word("service.column.sentence")),)
    notes = (Word("note.base", {"base": service.base(lang)}),)
    return Advice(Table("service", Word("service.title.findings"), column, rows, lang, notes=notes))


def _limits(service: Service, names: Names) -> list[Word]:
    """Which tables are not of this part of the customers, not of this period, or empty for it."""
    said = [
        Word("service.not_split", {"what": Word(f"service.kind.{kind}"), "columns": names.listed(names.codes(columns))})
        for kind, columns in service.unsplit.items()
    ]
    period = "" if service.period is None else period_names([service.period], names)[0]
    said += [
        Word("service.period_unknown", {"what": Word(f"service.kind.{kind}"), "period": period})
        for kind in service.undated
    ]
    return said + [Word("service.nothing", {"what": Word(f"service.kind.{kind}")}) for kind in service.nothing]


def _complaints(result: Complaints, names: Names) -> list[Word]:
    tidy = result.tidy()
    causes = tidy[tidy["term"] != TOTAL].sort_values("count", ascending=False, kind="stable")
    total = tidy[tidy["term"] == TOTAL].iloc[0]
    n = float(total["count"])
    if names.bases.judge(n).hidden:
        return [Word("service.say.few", {"what": Word("service.kind.complaints"), "n": n})]
    level = {"level": level_of(result)}
    first = causes.iloc[0]
    ends = {"share": first["share"], "low": first["share_low"], "high": first["share_high"], **level}
    lead = {"n": n, "cause": term_text(str(first["term"]), names), **ends}
    if _leads(causes["count"].to_numpy(float), level_of(result)):
        lines = [Word("service.say.complaints", lead)]
    else:
        lines = [Word("service.say.complaints_close", {**lead, "second": term_text(causes["term"].iloc[1], names)})]
    if np.isfinite(total["estimate"]):
        rate = {"rate": total["estimate"], "low": total["low"], "high": total["high"], "per": result.per, **level}
        lines.append(Word("service.say.rate", rate))
    reached = int(np.searchsorted(causes["cumulative"].to_numpy(), MOST - 1e-12)) + 1
    if reached < len(causes):
        share = float(causes["cumulative"].iloc[reached - 1])
        lines.append(Word("service.say.pareto", {"count": reached, "all": len(causes), "share": share}))
    if result.silent is not None:
        lines.append(Word("service.say.silent", {"silent": result.silent, "n": n * (1 + result.silent)}))
    return lines


def _leads(counts: np.ndarray, level: float) -> bool:
    """Whether the first of (k,) falling counts is ahead of the second by more than chance, as one of k."""
    from csat.service.intervals import same_rate

    if len(counts) < 2:
        return True
    return same_rate(int(counts[0]), int(counts[1]), 0.5) * (len(counts) - 1) < 1 - level


def _changes(result: ComplaintChanges, names: Names) -> list[Word]:
    tidy = result.tidy()
    total, causes = tidy[tidy["term"] == TOTAL].iloc[0], tidy[tidy["term"] != TOTAL]
    if names.bases.judge(float(total["count_before"] + total["count_after"])).hidden:
        return []
    before, after = period_names([result.before, result.after], names)
    blanks = {"before": before, "after": after, "ratio": total["estimate"], "low": total["low"], "high": total["high"],
              "level": level_of(result)}  # fmt: skip
    moved = {"up": "rose", "down": "fell"}.get(total["verdict"])
    lines = [Word("service.say.unchanged", blanks)]
    if moved:
        lines = [Word("service.say.changed", {**blanks, "verdict": Word(f"service.say.{moved}")})]
    for verdict, key in (("up", "more"), ("down", "fewer")):
        found = [term_text(term, names) for term in causes.loc[causes["verdict"] == verdict, "term"]]
        if found:
            lines.append(Word(f"service.say.{key}", {"causes": names.listed(found)}))
    return lines if len(lines) > 1 else [*lines, Word("service.say.none_clear")]


def _together(result: BeforeAfter, names: Names) -> list[Word]:
    tidy = result.tidy()
    keys = [word.replace(" ", "_") for word in tidy["finding"]]
    told = ("both_better", "both_worse", "opposed")
    return [
        Word(f"service.say.{key}", {"cause": _term(cause, names), "node": names.code(node)})
        for key, cause, node, n in zip(keys, tidy["term"], tidy["node"], tidy["n"], strict=True)
        if key in told and not names.bases.judge(n).hidden
    ]


def _term(code: str, names: Names) -> Word | str:
    return Word("service.total") if code == TOTAL else term_text(code, names)


def _audits(result: Audits, names: Names) -> list[Word]:
    tidy = result.tidy()
    total, criteria = tidy[tidy["term"] == TOTAL].iloc[0], tidy[tidy["term"] != TOTAL]
    blanks = {"rate": total["estimate"], "low": total["low"], "high": total["high"], "visits": float(total["visits"]),
              "level": level_of(result)}  # fmt: skip
    one = result.estimates.unavailable.get(len(tidy) - 1)
    key = "audit" if np.isfinite(total["low"]) else "audit_one" if one and one.reason == "one_visit" else "audit_plain"
    lines = [Word(f"service.say.{key}", blanks)]
    if total["lost"] == 0:
        return [*lines, Word("service.say.audit_lost_all")]
    most = criteria.sort_values("share", ascending=False, kind="stable").iloc[0]
    lost = {"criterion": term_text(str(most["term"]), names), "share": most["share"]}
    return [*lines, Word("service.say.audit_lost", lost)]


def _sla(result: Sla, names: Names) -> list[Word]:
    tidy = result.tidy()
    shown = tidy[tidy["limit"].notna() & ~tidy["n"].map(lambda n: names.bases.judge(n).hidden)]
    if shown.empty:
        return [Word("service.say.few", {"what": Word("service.kind.sla"), "n": float(tidy["n"].max())})]
    level = {"level": level_of(result)}
    lines = [
        Word("service.say.sla", {
            "step": term_text(row["term"], names), "share": row["estimate"], "limit": row["limit"], "n": row["n"],
            "low": row["low"], "high": row["high"], **level,
        })
        for row in shown.to_dict("records")
    ]  # fmt: skip
    if shown["open_within"].sum() > 0:
        lines.append(Word("service.say.sla_open", {"n": float(shown["open_within"].sum())}))
    return [*lines, *_worst(shown, names)]


def _worst(shown: pd.DataFrame, names: Names) -> list[Word]:
    """The step that overruns most often, if its interval lies above those of all others."""
    if len(shown) < 2:
        return []
    ordered = shown.sort_values("estimate", ascending=False, kind="stable")
    if ordered["low"].iloc[0] > ordered["high"].iloc[1:].max():
        return [Word("service.say.sla_worst", {"step": term_text(ordered["term"].iloc[0], names)})]
    return [Word("service.say.sla_worst_close")]
