"""The first thing a reader looks for: the index in big numbers, with its interval and verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from csat.errors import OptionError
from csat.report.base import CAREFUL, LEAST, Base, judge
from csat.report.description import TABLE_MIME, Cell, Column
from csat.report.format import shown
from csat.report.html import environment
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.cells import groups_of, level_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    import pandas as pd

    from csat.fuzzy import Evaluation
    from csat.indices import Index
    from csat.questionnaire import Questionnaire

Row = tuple[Cell, Cell, Cell]


@dataclass(frozen=True, slots=True, repr=False)
class Headline:
    """Big numbers; `table` says the same as rows of label, figure and remark."""

    table: Table

    def __repr__(self) -> str:
        return repr(self.table)

    def _repr_html_(self) -> str:
        catalogue = words(self.table.lang)
        cards = [
            {
                "label": shown(label, "text", catalogue),
                "figure": shown(figure, "score", catalogue),
                "remarks": [catalogue.say(note) for note in (_said(remark), figure.note) if note],
            }
            for label, figure, remark in self.table.rows
        ]
        return environment().get_template("headline.html.j2").render(lang=self.table.lang, cards=cards)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return {"text/html": self._repr_html_(), "text/plain": repr(self), TABLE_MIME: self.table.to_dict()}


def _said(cell: Cell) -> Word | str | None:
    return cell.value if isinstance(cell.value, str | Word) else None


def headline(
    index: Index, evaluation: Evaluation | None = None, lang: str = "en", names: Questionnaire | None = None
) -> Headline:
    """Put the index, its verdict and its best and weakest item into big numbers.

    Parameters
    ----------
    index : without groups.
    evaluation : of the same respondents and without groups; None leaves the verdict out.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.

    Raises
    ------
    OptionError
        If the index has groups: there is one headline.
    """
    tidy = index.tidy()
    if groups_of(tidy, "estimate"):
        raise OptionError("headline() needs one index; leave by= out, or take one group with survey.where(…).")
    texts = Names(lang, names)
    top, items = tidy[tidy["kind"] == "index"].iloc[0], tidy[tidy["kind"] == "item"]
    rows = [_index_row(top, level_of(index))]
    if evaluation is not None:
        rows.append(_verdict_row(evaluation, texts))
    ranked = items[[judge(float(n)) is not Base.SUPPRESSED for n in items["n"]]].sort_values("estimate")
    if len(ranked):
        rows.append(_item_row("headline.best", ranked.iloc[-1], texts))
        rows.append(_item_row("headline.worst", ranked.iloc[0], texts))
    columns = (
        Column("what", Word("column.what")),
        Column("value", Word("column.value"), "score"),
        Column("remark", Word("column.remark")),
    )
    return Headline(Table("headline", Word("title.headline"), columns, tuple(rows), lang))


def _index_row(top: pd.Series, level: float) -> Row:
    base = judge(float(top["n"]))
    label = Cell(Word("headline.index"))
    if base is Base.SUPPRESSED:
        return label, Cell(None, Word("base.suppressed", {"least": LEAST})), Cell(applies=False)
    blanks = {"level": level, "low": float(top["low"]), "high": float(top["high"])}
    remark = Cell(Word("headline.interval", blanks)) if blanks["low"] == blanks["low"] else Cell(applies=False)
    small = Word("base.small", {"least": LEAST, "most": CAREFUL - 1}) if base is Base.SMALL else None
    return label, Cell(float(top["estimate"]), small), remark


def _verdict_row(evaluation: Evaluation, texts: Names) -> Row:
    tidy = evaluation.tidy()
    top = tidy[tidy["kind"] == "index"].iloc[0]
    label = Cell(Word("headline.verdict"))
    if judge(float(top["n"])) is Base.SUPPRESSED or not isinstance(top["upper"], str):
        return label, Cell(None, Word("base.suppressed", {"least": LEAST})), Cell(applies=False)
    score = Word("headline.evaluated", {"score": float(top["score"])})
    return label, Cell(texts.verdict(top["upper"], top["lower"])), Cell(score)


def _item_row(key: str, item: pd.Series, texts: Names) -> Row:
    score = Word("headline.score", {"score": float(item["estimate"])})
    return Cell(Word(key)), Cell(texts.code(item["term"])), Cell(score)
