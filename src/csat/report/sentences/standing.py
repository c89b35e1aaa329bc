"""Where the own group stands: its rank with its interval, who differs from it, who cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.groups import bases_of
from csat.report.sentences.said import advice_of, bracketed, listed
from csat.report.tables.cells import level_of
from csat.report.tables.pairs import pairs_of
from csat.report.tables.standing import column_of, ranked_groups
from csat.report.tenths import distance, tenth
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.indices import Index
    from csat.questionnaire import Questionnaire


def standing(
    index: Index,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    own: str | None = None,
    base: Word | str | None = None,
) -> Advice:
    """Say where the own group stands among the others, and from which of them it differs.

    Parameters
    ----------
    index : by the column of own customers and peers.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    own : the group; None, or one too small to be shown: who leads and who is last.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        The figures quoted are the direct ones, as everywhere in a report; the rank is that of the shrunken figures. A
        group is called higher or lower only if the difference is more than chance once all pairs are counted (Holm).

    Raises
    ------
    OptionError
        If the index has no groups, or those of several columns.
    """
    texts, column = Names(lang, names), column_of(index)
    frame = ranked_groups(index, texts)
    named = dict(zip(frame.index, texts.values(column, list(frame[column])), strict=True))
    mine = frame.index[frame[column] == own]
    if len(frame) < 2:
        lines = [Word("standing.too_few")]
    elif mine.empty:
        lines = _general(frame, named)
    else:
        lines = _own(index, frame, int(mine[0]), named, texts)
    lines += bases_of(index, column, texts)
    level = level_of(index)
    notes = [Word("standing.note", {"level": level, "alpha": 1 - level})] if len(frame) > 1 else []
    return advice_of("standing_said", Word("title.standing_said"), lines, texts, notes=notes, base=base)


def _own(index: Index, frame: pd.DataFrame, mine: int, named: dict[int, str], texts: Names) -> list[Word]:
    row = frame.loc[mine].to_dict()
    lines = [_place(row, named[mine], len(frame))]
    if row["direct_rank"] != row["rank"]:
        lines.append(Word("standing.direct_rank", {"rank": int(row["direct_rank"])}))
    pairs = pairs_of(index.estimates, [frame.index.tolist()])
    with_own = pairs[(pairs["high"] == mine) | (pairs["low"] == mine)]
    above = with_own[with_own["apart"] & (with_own["low"] == mine)].sort_values("gap", ascending=False)
    below = with_own[with_own["apart"] & (with_own["high"] == mine)].sort_values("gap", ascending=False)
    for key, part, side in (("lower", above, "high"), ("higher", below, "low")):
        if len(part):
            others = listed(_gaps(part, side, named, texts), texts)
            lines.append(Word(f"standing.{key}", {"name": named[mine], "names": others}))
    rest = with_own[~with_own["apart"]]
    open_to = [named[int(row["low"] if row["high"] == mine else row["high"])] for row in rest.to_dict("records")]
    if open_to:
        key = "standing.open" if len(open_to) < len(with_own) else "standing.all_open"
        lines.append(Word(key, {"name": named[mine], "names": listed(open_to, texts)}))
    return lines


def _place(row: dict[Any, Any], name: str, size: int) -> Word:
    ranks = {key: int(row[key]) for key in ("rank", "rank_low", "rank_high")}
    blanks = {"name": name, "estimate": tenth(row["estimate"]), "size": size, **ranks}
    if ranks["rank_low"] == ranks["rank_high"]:
        return Word("standing.sure", blanks)
    unknown = ranks["rank_low"] == 1 and ranks["rank_high"] == size
    return Word("standing.place_open" if unknown else "standing.place", blanks)


def _gaps(part: pd.DataFrame, side: str, named: dict[int, str], texts: Names) -> list[str]:
    """The other groups, each with the distance to it and its interval."""
    found, say = [], words(texts.lang).say
    for row in part.to_dict("records"):
        far = distance(row["gap"], row["gap_low"], row["gap_high"])
        found.append(bracketed(named[int(row[side])], say(Word("standing.gap", far)), texts))
    return found


def _general(frame: pd.DataFrame, named: dict[int, str]) -> list[Word]:
    """Who leads and who is last, as far as that is known, when no group is the own one."""
    size = len(frame)
    ordered = frame.assign(name=list(named.values())).to_dict("records")
    first, last = ordered[0], ordered[-1]
    lines = []
    if first["rank_high"] < size:
        key = "standing.first_sure" if first["rank_high"] == 1 else "standing.first"
        lines.append(Word(key, {**_named(first), "rank": int(first["rank_high"])}))
    if last["rank_low"] > 1:
        key = "standing.last_sure" if last["rank_low"] == size else "standing.last"
        lines.append(Word(key, {**_named(last), "rank": int(last["rank_low"]), "size": size}))
    return lines or [Word("standing.nobody", {"size": size})]


def _named(row: dict[Any, Any]) -> dict[str, str]:
    return {"name": row["name"], "estimate": tenth(row["estimate"])}
