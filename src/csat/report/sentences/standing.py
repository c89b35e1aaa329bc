"""Where the own group stands: its rank with its interval, who differs from it, who cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.ranks import rank_of
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import advice_of, bracketed, distance, listed, tenth
from csat.report.tables.pairs import pairs_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.shrinkage import Shrunken


def standing(
    league: Shrunken,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    own: str | None = None,
    base: Word | str | None = None,
) -> Advice:
    """Say where the own group stands among the others, and from which of them it differs.

    Parameters
    ----------
    league : from `csat.report.league`, of groups that may be shown.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    own : the group; None, or one that is not ranked: who leads, and who surely is in which half.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        The figures quoted are the direct ones, as everywhere in a report; the rank is that of the shrunken figures. A
        group is called higher or lower only if the difference is more than chance once all pairs are counted (Holm).
    """
    texts = Names(lang, names)
    (column,) = [name for name in league.estimates.keys if name not in ("kind", "depth")]
    frame = league.tidy().assign(direct_rank=rank_of(league.direct.estimate))
    mine = frame.index[frame[column] == own]
    named = texts.values(column, list(frame[column]))
    lines = _general(frame, named) if mine.empty else _own(league, frame, int(mine[0]), named, texts)
    notes = [Word("standing.note", {"level": league.estimates.level, "alpha": 1 - league.estimates.level})]
    return advice_of("standing", Word("title.standing_said"), lines, texts, notes=notes, base=base)


def _own(league: Shrunken, frame: pd.DataFrame, mine: int, named: list[str], texts: Names) -> list[Word]:
    row = frame.loc[mine].to_dict()
    lines = [_place(row, named[mine], len(frame))]
    if row["direct_rank"] != row["rank"]:
        lines.append(Word("standing.direct_rank", {"rank": int(row["direct_rank"])}))
    pairs = pairs_of(league.direct, [range(len(frame))])
    with_own = pairs[(pairs["high"] == mine) | (pairs["low"] == mine)]
    above = with_own[with_own["apart"] & (with_own["low"] == mine)].sort_values("gap", ascending=False)
    below = with_own[with_own["apart"] & (with_own["high"] == mine)].sort_values("gap", ascending=False)
    for key, part, side in (("lower", above, "high"), ("higher", below, "low")):
        if len(part):
            lines.append(
                Word(f"standing.{key}", {"name": named[mine], "names": listed(_gaps(part, side, named, texts), texts)})
            )
    rest = with_own[~with_own["apart"]]
    open_to = [named[int(row["low"] if row["high"] == mine else row["high"])] for row in rest.to_dict("records")]
    if open_to:
        key = "standing.open" if len(open_to) < len(with_own) else "standing.all_open"
        lines.append(Word(key, {"name": named[mine], "names": listed(open_to, texts)}))
    return lines


def _place(row: dict[Any, Any], name: str, size: int) -> Word:
    ranks = {key: int(row[key]) for key in ("rank", "rank_low", "rank_high")}
    key = "standing.sure" if ranks["rank_low"] == ranks["rank_high"] else "standing.place"
    return Word(key, {"name": name, "estimate": tenth(row["direct"]), "size": size, **ranks})


def _gaps(part: pd.DataFrame, side: str, named: list[str], texts: Names) -> list[str]:
    """The other groups, each with the distance to it and its interval."""
    found, say = [], words(texts.lang).say
    for row in part.to_dict("records"):
        far = distance(row["gap"], row["gap_low"], row["gap_high"])
        found.append(bracketed(named[int(row[side])], say(Word("standing.gap", far)), texts))
    return found


def _general(frame: pd.DataFrame, named: list[str]) -> list[Word]:
    """Who leads and who is last, as far as that is known, when no group is the own one."""
    size = len(frame)
    ordered = frame.assign(name=named).sort_values("rank", kind="stable").to_dict("records")
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
    return {"name": row["name"], "estimate": tenth(row["direct"])}
