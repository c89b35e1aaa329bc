"""Own customers against a peer: the index first, then where the lead and the lag are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.comparisons.result import DIFFERENT, EQUIVALENT
from csat.errors import OptionError
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import MOST, advice_of, bracketed, quoted
from csat.report.tables.cells import level_of
from csat.report.tables.gap import BOTH, sides_of
from csat.report.tenths import distance, figures, known, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.comparisons import Gaps
    from csat.questionnaire import Questionnaire


def compared(
    gaps: Gaps,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    index: bool = True,
    base: Word | str | None = None,
) -> Advice:
    """Say where the own group leads and lags a peer.

    Parameters
    ----------
    gaps : of one own group, from `csat.gaps`.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    index : False leaves the index itself out, where `standing` has told of it.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        A lead or lag is stated only where the verdict of the table is "different", so that all rows are counted.

    Raises
    ------
    OptionError
        For gaps of several groups.
    """
    tidy, texts = gaps.tidy(), Names(lang, names)
    sides = sides_of(gaps, tidy, texts)
    if sides.groups and sides.own is None:
        raise OptionError("compared() is about one own group: csat.gaps(…, own=…).")
    shown = tidy[[not any(texts.bases.judge(float(row[base])).hidden for base in BOTH) for _, row in tidy.iterrows()]]
    who = {"own": sides.own or "", "peer": sides.peer}
    lines = [*(_index(shown, who) if index else []), *_items(shown, who, texts)]
    notes = [Word("compared.note", {"alpha": 1 - level_of(gaps)})]
    notes += [Word("compared.note_index", {"level": level_of(gaps), "margin": gaps.margin})] if index else []
    # The table has more rows than the sentences count.
    other = "kind" in shown and not set(shown["kind"]) <= {"item"}
    notes += [Word("compared.note_items")] if other and _counted(lines) else []
    title = Word("title.compared", {"peer": sides.peer})
    return advice_of("compared", title, lines or [Word("compared.none")], texts, notes=notes, base=base)


def _counted(lines: list[Word]) -> bool:
    return any("all" in line.blanks for line in lines)


def _index(shown: pd.DataFrame, who: dict[str, str]) -> list[Word]:
    top = shown[shown["depth"] == 0] if "depth" in shown else shown.head(0)
    if top.empty or not known(*top.iloc[0][["estimate", "low", "high"]]):
        return []
    row = top.iloc[0].to_dict()
    interval = (row["estimate"], row["low"], row["high"])
    if row["verdict"] == DIFFERENT:
        return [Word(f"compared.index_{'higher' if row['estimate'] > 0 else 'lower'}", {**who, **distance(*interval)})]
    key = "compared.index_same" if row["verdict"] == EQUIVALENT else "compared.index_open"
    return [Word(key, {**who, **figures(*interval, sign=True)})]


def _items(shown: pd.DataFrame, who: dict[str, str], texts: Names) -> list[Word]:
    """How many items lead and lag, the largest of them named; and how many are open."""
    items = shown[(shown["kind"] == "item") & (shown["verdict"] != "")] if "kind" in shown else shown.head(0)
    if items.empty:
        return []
    apart = items[items["verdict"] == DIFFERENT]
    lines = []
    for key, part in (("behind", apart[apart["estimate"] < 0]), ("ahead", apart[apart["estimate"] > 0])):
        if len(part):
            largest = part.reindex(part["estimate"].abs().sort_values(ascending=False, kind="stable").index)
            blanks: dict[str, Any] = {**who, "count": len(part), "all": len(items), "names": _named(largest, texts)}
            lines.append(Word(f"compared.{key}", blanks))
    rest = len(items) - len(apart)
    if not len(apart):
        return [Word("compared.no_item", {**who, "all": len(items)})]
    return [*lines, *([Word("compared.rest", {"count": rest})] if rest else [])]


def _named(rows: pd.DataFrame, texts: Names) -> str:
    """The first items, each with its gap."""
    first = rows.head(MOST)
    found = [
        bracketed(quoted(texts.code(term)), tenth(gap, sign=True), texts)
        for term, gap in zip(first["term"], first["estimate"], strict=True)
    ]
    return texts.listed(found)
