"""What to do first, in sentences that claim no more than the intervals allow.

Rules, no judgement: a driver is named as the place to start only if the probability of its quadrant reaches the level
of the intervals; an effect is stated only if its interval lies above 0; an order only if the intervals of the ranks
hold it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from csat.bases import Base
from csat.errors import OptionError
from csat.report.description import TABLE_MIME, Cell, Column
from csat.report.format import number
from csat.report.html import to_sentences
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.driver import respondents
from csat.report.tenths import figures, known
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.drivers import Importance, Ipa, Stepwise
    from csat.questionnaire import Questionnaire

#: Points of a driver that the sentences on effects are about, and drivers that have such a sentence.
POINTS, EFFECTS = 5.0, 3
#: Share of replicates from which a selection counts as steady, and from which a driver left out is worth a word.
STEADY, OFTEN = 0.9, 0.5


@dataclass(frozen=True, slots=True, repr=False)
class Advice:
    """Sentences; `table` holds the same, a row each."""

    table: Table

    @property
    def sentences(self) -> tuple[str, ...]:
        """The sentences in their language."""
        return tuple(self.table.say(row[0].value) for row in self.table.rows)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return to_sentences(self.table)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        described = {**self.table.to_dict(), "form": "sentences"}
        return {"text/html": self._repr_html_(), "text/plain": repr(self), TABLE_MIME: described}


def advice(
    ipa: Ipa,
    importance: Importance | None = None,
    stepwise: Stepwise | None = None,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    base: Word | str | None = None,
) -> Advice:
    """Say what to do first, and how sure that is.

    Parameters
    ----------
    ipa : map of one group with derived importance.
    importance : of the same respondents and drivers, without groups; None leaves the order out.
    stepwise : with its stability; None, or without, leaves the selection out.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Raises
    ------
    OptionError
        For results of several groups: there is one advice.
    """
    if len(ipa.groups) != 1 or (importance is not None and len(importance.groups) != 1):
        raise OptionError("advice() is about one group: take ipa.of(…), or results without by=.")
    texts = Names(lang, names)
    n = float(ipa.performance.n[0])
    verdict = texts.bases.judge(n)
    said = respondents(n, ipa.left_out, texts)
    lines = said[-1:] if verdict.hidden else _lines(ipa, importance, stepwise, texts)
    notes = [] if verdict.hidden else said
    whom: list[Word | str] = [] if base is None else [Word("note.base", {"base": base})]
    rows = tuple((Cell(line),) for line in lines)
    column = (Column("sentence", Word("column.first")),)
    kept = [note for note in notes if verdict is not Base.SMALL or note.key != "note.complete"]
    return Advice(Table("advice", Word("title.first"), column, rows, lang, notes=(*whom, *kept)))


def _lines(ipa: Ipa, importance: Importance | None, stepwise: Stepwise | None, texts: Names) -> list[Word]:
    first, lines = _where(ipa, texts)
    lines += _effects(ipa, first, texts)
    lines += [] if importance is None else _order(importance, texts)
    return lines + ([] if stepwise is None else _selection(stepwise, texts))


def _where(ipa: Ipa, texts: Names) -> tuple[list[str], list[Word]]:
    """Drivers of the quadrant "concentrate", most important first, and what may be said of them."""
    frame = ipa.tidy().sort_values("importance", ascending=False, kind="stable")
    level = ipa.estimates.level
    named = frame[frame["quadrant"] == "concentrate"]
    sure = (named["p_concentrate"] >= level).to_numpy()
    place, lines = Word(f"place.{ipa.rule}"), []
    if sure.any():
        blanks = {"names": texts.listed(texts.drivers(named["term"][sure].tolist())), "place": place, "level": level}
        lines.append(Word("first.sure", blanks))
    if (~sure).any():
        doubted = named[~sure]
        listed = _with_chances(doubted["term"].tolist(), doubted["p_concentrate"].tolist(), level, texts)
        lines.append(Word("first.likely", {"names": listed, "place": place}))
    if named.empty:
        lines.append(Word("first.none", {"place": place}))
    chosen = [*named["term"][sure], *named["term"][~sure]]
    return chosen or frame.sort_values("priority")["term"].head(1).tolist(), lines


def _with_chances(terms: Sequence[Any], chances: Sequence[float], limit: float, texts: Names) -> str:
    """Names in a row, each with a probability in brackets."""
    frame = "{}（{}）" if texts.lang == "zh" else "{} ({})"
    named = zip(texts.drivers(terms), chances, strict=True)
    return texts.listed([frame.format(name, _chance(p, limit)) if np.isfinite(p) else name for name, p in named])


def _chance(p: float, limit: float) -> str:
    """A probability in whole per cent; one that rounding would lift to the limit keeps a decimal, rounded down.

    >>> _chance(0.948, 0.95), _chance(0.948, 0.9), _chance(0.12, 0.95)
    ('94.8%', '95%', '12%')
    """
    lifted = p < limit <= round(p, 2)
    return f"{floor(1000 * p + 1e-9) / 10:.1f}%" if lifted else number(p, "chance")


def _effects(ipa: Ipa, terms: list[str], texts: Names) -> list[Word]:
    """What goes with a better driver, as far as its interval lies above 0."""
    if ipa.slopes is None or ipa.outcome is None or ipa.slopes.unit != "points per point":
        return []
    gain = ipa.gain(POINTS)
    low, high = gain.interval
    lines = []
    for term in terms[:EFFECTS]:
        at = ipa.terms.index(term)
        blanks: dict[str, Any] = {"name": texts.driver(term), "outcome": texts.running(ipa.outcome), "points": POINTS}
        found = (gain.estimate[at], low[at], high[at])
        if not known(*found):
            continue
        said = figures(*found)
        blanks |= {"gain": said["estimate"], "low": said["low"], "high": said["high"]}
        lines.append(Word("first.gain" if low[at] > 0 else "first.no_gain", blanks))
    return lines


def _order(importance: Importance, texts: Names) -> list[Word]:
    """Whether the most important driver is known to be the most important."""
    frame = importance.tidy().sort_values("rank", kind="stable")
    top = frame.iloc[0]
    if not np.isfinite([top["share"], top["share_low"], top["rank_high"]]).all():
        return []
    blanks = {
        "name": texts.driver(top["term"]),
        "count": int(top["rank_high"]) - 1,
        "level": importance.estimates.level,
    }
    blanks |= {key: float(top[key]) / 100 for key in ("share", "share_low", "share_high")}
    return [Word("first.most" if top["rank_high"] == 1 else "first.unsettled", blanks)]


def _selection(stepwise: Stepwise, texts: Names) -> list[Word]:
    """Which drivers are selected again and again in replicates of the sample."""
    if stepwise.stability is None:
        return []
    frame = stepwise.stability.tidy().sort_values("frequency", ascending=False, kind="stable")
    kept, often = frame["chosen"], frame["frequency"]
    parts = {
        "first.steady": frame[kept & (often >= STEADY)],
        "first.shaky": frame[kept & (often < STEADY)],
        "first.missed": frame[~kept & (often >= OFTEN)],
    }
    lines = []
    for key, part in parts.items():
        if len(part):
            listed = _with_chances(part["term"].tolist(), part["frequency"].tolist(), STEADY, texts)
            blanks = {"names": listed, "replicates": float(stepwise.stability.replicates)}
            lines.append(Word(key, blanks))
    return lines
