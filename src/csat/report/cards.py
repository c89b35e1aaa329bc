"""The first thing a reader looks for: the index in big numbers, with its interval and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from csat.bases import Base
from csat.errors import OptionError
from csat.report.description import TABLE_MIME, Cell, Column
from csat.report.format import number
from csat.report.html import to_cards
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.sentences.items import ranked_items, rivals_of
from csat.report.tables.cells import base_note, groups_of, level_of
from csat.report.tables.evaluation_notes import scale_notes
from csat.report.tables.trend import period_names
from csat.report.tenths import figures, known, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    import pandas as pd

    from csat.fuzzy import Evaluation
    from csat.indices import Index
    from csat.questionnaire import Questionnaire
    from csat.trends import Trend

Row = tuple[Cell, Cell, Cell]


@dataclass(frozen=True, slots=True, repr=False)
class Headline:
    """Big numbers; `table` says the same as rows of label, figure and remark."""

    table: Table

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        return to_cards(self.table)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        described = {**self.table.to_dict(), "form": "cards"}
        return {"text/html": self._repr_html_(), "text/plain": repr(self), TABLE_MIME: described}


def headline(
    index: Index,
    evaluation: Evaluation | None = None,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    trend: Trend | None = None,
    base: Word | str | None = None,
) -> Headline:
    """Put the index, its change, its verdict and its best and weakest item into big numbers.

    Parameters
    ----------
    index : without groups.
    evaluation : of the same respondents and without groups; None leaves the verdict out.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    trend : of the same respondents, without groups; None leaves the change out.
    base : whom the figures are about.

    Raises
    ------
    OptionError
        If the index has groups: there is one headline.
    """
    tidy = index.tidy()
    if groups_of(tidy, "estimate"):
        raise OptionError("headline() needs one index; leave by= out, or take one group with survey.where(…).")
    texts = Names(lang, names)
    rows = [_index_row(tidy[tidy["kind"] == "index"].iloc[0], level_of(index), texts)]
    rows += [] if trend is None else _change_rows(trend, texts)
    notes: list[Word | str] = [] if base is None else [Word("note.base", {"base": base})]
    if evaluation is not None:
        rows.append(_verdict_row(evaluation, texts))
        notes += scale_notes(evaluation, texts)
    ranked = ranked_items(index, texts)
    if len(ranked) > 1:
        rows.append(_item_row("headline.best", ranked.iloc[0], rivals_of(ranked, "best"), texts))
        rows.append(_item_row("headline.worst", ranked.iloc[-1], rivals_of(ranked, "worst"), texts))
    columns = (
        Column("what", Word("column.what")),
        Column("value", Word("column.value"), "score"),
        Column("remark", Word("column.remark")),
    )
    return Headline(Table("headline", Word("title.headline"), columns, tuple(rows), lang, notes=tuple(notes)))


def _index_row(top: pd.Series, level: float, texts: Names) -> Row:
    base = texts.bases.judge(float(top["n"]))
    label = Cell(Word("headline.index"))
    if base.hidden:
        return label, Cell(None, base_note(base, texts.bases)), Cell(applies=False)
    blanks = {"level": level, "low": tenth(top["low"]), "high": tenth(top["high"])}
    remark = Cell(Word("headline.interval", blanks)) if known(top["low"], top["high"]) else Cell(applies=False)
    small = base_note(base, texts.bases) if base is Base.SMALL else None
    return label, Cell(float(top["estimate"]), small, kind="tenths"), remark


def _change_rows(trend: Trend, texts: Names) -> list[Row]:
    """Change of the index in the last period with its interval, and whether it is more than noise."""
    tidy = trend.tidy()
    top = tidy[(tidy["kind"] == "index") & (tidy["period"] == tidy["period"].iloc[-1])].iloc[0]
    if not top["verdict"]:
        return []
    label = Cell(Word("headline.change", {"since": period_names([top["since"]], texts)[0]}))
    base = texts.bases.judge(float(trend.changes.n[trend.at == top.name][0]))
    if base.hidden:
        return [(label, Cell(None, base_note(base, texts.bases)), Cell(applies=False))]
    change, noise = float(top["change"]), float(top["noise"])
    blanks = {"level": trend.changes.level, **figures(change, change - noise, change + noise, sign=True)}
    said = Word(f"headline.change_{top['verdict'].replace(' ', '_')}", blanks)
    return [(label, Cell(tenth(change, sign=True)), Cell(said))]


def _verdict_row(evaluation: Evaluation, texts: Names) -> Row:
    """The grade of the largest membership, if that is decided, and how sure it is."""
    tidy = evaluation.verdicts()
    top = tidy[tidy["kind"] == "index"].iloc[0]
    label = Cell(Word("headline.verdict"))
    base = texts.bases.judge(float(top["n"]))
    if base.hidden or not isinstance(top["upper"], str):
        return label, Cell(None, base_note(base, texts.bases)), Cell(applies=False)
    drawn = bool(np.isfinite(top["probability"]))
    figure = texts.grade(top["verdict"]) if top["decided"] or not drawn else Word("fuzzy.close")
    return label, Cell(figure), Cell(_sure(top, level_of(evaluation), texts))


def _sure(top: pd.Series, level: float, texts: Names) -> Word:
    """The strongest grade with its probability, and the score with its interval."""
    blanks: dict[str, Any] = {"grade": texts.grade(top["verdict"]), "score": tenth(top["score"])}
    if not known(top["probability"], top["low"], top["high"]):
        return Word("fuzzy.card_only", blanks)
    blanks |= {"probability": number(float(top["probability"]), "chance"), "level": level}
    blanks |= {end: tenth(top[end]) for end in ("low", "high")}
    return Word("fuzzy.card" if top["decided"] else "fuzzy.card_close", blanks)


def _item_row(key: str, item: pd.Series, rivals: int, texts: Names) -> Row:
    """An item with its interval, and how many others it cannot be told apart from."""
    if not known(item["low"], item["high"]):
        only = Word("headline.score", {"score": tenth(item["estimate"])})
        return Cell(Word(key)), Cell(texts.code(item["term"])), Cell(only)
    blanks = {**figures(item["estimate"], item["low"], item["high"]), "count": rivals}
    said = Word("headline.item" if rivals else "headline.item_sure", blanks)
    return Cell(Word(key)), Cell(texts.code(item["term"])), Cell(said)
