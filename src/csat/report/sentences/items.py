"""Items of the index: which are surely good or weak, and on which customers are divided."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.ranks import rank_interval
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import advice_of, bracketed, listed, quoted
from csat.report.tables.cells import groups_of, level_of
from csat.report.tables.dispersion import AGREED, DIVIDED, dispersion
from csat.report.tables.pairs import part
from csat.report.tenths import figures, known, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.indices import Index
    from csat.questionnaire import Questionnaire


def strengths(
    index: Index, lang: str = "en", names: Questionnaire | None = None, *, base: Word | str | None = None
) -> Advice:
    """Say which items are best and weakest, whether that is sure, and where customers agree or are divided.

    Parameters
    ----------
    index : without groups.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        Orders are stated as far as the simultaneous intervals of the ranks hold them (`csat.ranks`), dispersion as
        `csat.report.tables.dispersion` judges it.

    Raises
    ------
    OptionError
        If the index has groups.
    """
    if groups_of(index.tidy(), "estimate"):
        raise OptionError("strengths() is about everyone together: leave by= out, or take one group.")
    texts = Names(lang, names)
    ranked = ranked_items(index, texts)
    lines = [*_order(ranked, texts), *_spread(index, ranked, texts)]
    notes = [
        Word("strengths.note", {"level": level_of(index)}),
        Word("strengths.rule", {"alpha": 1 - level_of(index)}),
    ]
    return advice_of("strengths", Word("title.strengths"), lines, texts, notes=notes, base=base)


def ranked_items(index: Index, texts: Names) -> pd.DataFrame:
    """Items that may be shown, best first, with ``rank_low rank_high``: where the true rank lies, for all at once."""
    tidy = index.tidy()
    fit = (tidy["kind"] == "item") & tidy["estimate"].notna()
    fit &= np.array([not texts.bases.judge(float(n)).hidden for n in tidy["n"]], bool)
    rows = np.flatnonzero(fit).tolist()
    if not rows:
        return tidy.iloc[[]].assign(rank_low=[], rank_high=[])
    low, high = rank_interval(part(index.estimates, rows), census=False)
    return tidy.iloc[rows].assign(rank_low=low, rank_high=high).sort_values("estimate", ascending=False, kind="stable")


def rivals_of(ranked: pd.DataFrame, end: str) -> int:
    """How many other items the "best" or the "worst" one cannot be told apart from."""
    size = len(ranked)
    return int(ranked["rank_high"].iloc[0]) - 1 if end == "best" else size - int(ranked["rank_low"].iloc[-1])


def _order(ranked: pd.DataFrame, texts: Names) -> list[Word]:
    size = len(ranked)
    if size < 2:
        return []
    if all(rivals_of(ranked, end) == size - 1 for end in ("best", "worst")):
        return [Word("strengths.no_order", {"all": size})]
    lines = [_end("best", ranked.iloc[0], rivals_of(ranked, "best"), size, texts)]
    lines.append(_end("worst", ranked.iloc[-1], rivals_of(ranked, "worst"), size, texts))
    halves = {
        "upper": ranked.loc[ranked["rank_high"] <= size / 2, "term"],
        "lower": ranked.loc[ranked["rank_low"] > (size + 1) / 2, "term"][::-1],
    }
    for key, terms in halves.items():
        if len(terms) > 1:
            lines.append(
                Word(f"strengths.{key}", {"names": listed([quoted(texts.code(term)) for term in terms], texts)})
            )
    return lines


def _end(end: str, item: pd.Series, rivals: int, size: int, texts: Names) -> Word:
    blanks: dict[str, Any] = {"name": texts.code(item["term"]), "count": rivals}
    if not known(item["low"], item["high"]):
        return Word(f"strengths.{end}_only", blanks | {"estimate": tenth(item["estimate"])})
    blanks |= figures(item["estimate"], item["low"], item["high"])
    way = "_sure" if rivals == 0 else "_open" if rivals == size - 1 else ""
    return Word(f"strengths.{end}{way}", blanks)


def _spread(index: Index, ranked: pd.DataFrame, texts: Names) -> list[Word]:
    rows = ranked.index.tolist()
    verdict = dispersion(index, rows, texts)
    if ranked["sd"].notna().sum() < 3:
        return []
    lines = []
    for found, ascending in ((DIVIDED, False), (AGREED, True)):
        chosen = ranked[verdict == found].sort_values("sd", ascending=ascending, kind="stable")
        if len(chosen):
            pairs = zip(chosen["term"], chosen["sd"], strict=True)
            said = [bracketed(quoted(texts.code(term)), tenth(sd), texts) for term, sd in pairs]
            lines.append(Word(f"strengths.{found}", {"names": listed(said, texts)}))
    return lines or [Word("strengths.same_spread")]
