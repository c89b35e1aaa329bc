"""The result of a report in a few sentences: the index, its verdict, its change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.errors import OptionError
from csat.report.format import number
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import advice_of, top_of
from csat.report.tables.cells import base_note, groups_of, level_of
from csat.report.tables.evaluation_notes import DOUBTFUL, comparable, few_units
from csat.report.tables.trend import period_names, trend_groups
from csat.report.tenths import distance, figures, known, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.fuzzy import Evaluation
    from csat.indices import Index
    from csat.questionnaire import Questionnaire
    from csat.trends import Trend


def summary(
    index: Index,
    evaluation: Evaluation | None = None,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    trend: Trend | None = None,
    base: Word | str | None = None,
) -> Advice:
    """Say what the index is, which verdict it gets and how surely, and whether it has changed.

    Parameters
    ----------
    index : without groups.
    evaluation : of the same respondents and without groups; None leaves the verdict out.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    trend : of the same respondents, without groups; None leaves the change out.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        A rise or fall is stated only if it exceeds the noise band; a verdict without reserve only if its probability
        reaches the level of the intervals.

    Raises
    ------
    OptionError
        If a result has groups: there is one summary.
    """
    tidy = index.tidy()
    grouped = bool(groups_of(tidy, "estimate")) or (trend is not None and bool(trend_groups(trend.tidy())))
    if grouped or (evaluation is not None and groups_of(evaluation.verdicts(), "kind")):
        raise OptionError("summary() is about everyone together: leave by= out, or take one group.")
    texts, top = Names(lang, names), top_of(tidy)
    judged = texts.bases.judge(float(top["n"]))
    note = base_note(judged, texts.bases)
    if judged.hidden and note is not None:
        return advice_of("summary", Word("title.summary"), [note], texts, base=base)
    lines = [_index(top, level_of(index), texts)]
    lines += [note] if note is not None else []
    lines += [] if trend is None else change_lines(trend, texts)
    lines += [] if evaluation is None else verdict_lines(evaluation, texts)
    apart = evaluation is not None and not comparable(evaluation, texts)
    notes = [Word("note.fuzzy_scale")] if apart else []
    return advice_of("summary", Word("title.summary"), lines, texts, notes=notes, base=base)


def _index(top: pd.Series, level: float, texts: Names) -> Word:
    blanks: dict[str, Any] = {"name": texts.code(top["term"]), "level": level}
    if not known(top["low"], top["high"]):
        return Word("summary.index_only", blanks | {"estimate": tenth(float(top["estimate"]))})
    return Word("summary.index", blanks | figures(top["estimate"], top["low"], top["high"]))


def change_lines(trend: Trend, texts: Names) -> list[Word]:
    """Change of the index in the last period, and whether it is more than noise; nothing without one."""
    tidy = trend.tidy()
    top = top_of(tidy[tidy["period"] == tidy["period"].iloc[-1]])
    if not top["verdict"] or texts.bases.judge(float(trend.changes.n[trend.at == top.name][0])).hidden:
        return []
    interval = (top["change"], top["change"] - top["noise"], top["change"] + top["noise"])
    blanks = {"since": period_names([top["since"]], texts)[0], "level": trend.changes.level}
    if top["verdict"] == "within noise":
        return [Word("summary.change_within_noise", blanks | figures(*interval, sign=True))]
    return [Word(f"summary.change_{top['verdict']}", blanks | distance(*interval))]


def verdict_lines(evaluation: Evaluation, texts: Names) -> list[Word]:
    """The verdict with its probability, and between which grades the score surely lies."""
    top = top_of(evaluation.verdicts())
    if texts.bases.judge(float(top["n"])).hidden or not isinstance(top["upper"], str):
        return []
    grade = texts.grade(top["verdict"])
    lines = []
    if known(top["probability"]):
        blanks = {"grade": grade, "probability": number(float(top["probability"]), "chance")}
        lines.append(Word("summary.verdict" if top["decided"] else "summary.verdict_close", blanks))
        lines += few_units(evaluation)
        if top["decided"] and known(top["effectiveness"]) and top["effectiveness"] < DOUBTFUL:
            lines.append(Word("summary.verdict_weak"))
    if known(top["low"], top["high"]):
        place = place_of(evaluation, top, texts)
        score = figures(top["score"], top["low"], top["high"]) | {"level": level_of(evaluation)}
        sure = Word("summary.score_open") if place is None else Word("summary.score_at", {"place": place})
        lines.append(Word("summary.score", {**score, "said": sure}))
    return lines


def place_of(evaluation: Evaluation, top: pd.Series, texts: Names) -> Word | None:
    """Grades that the score lies between or at, if the whole interval does; None if that is open."""
    from csat.fuzzy.verdict import between

    ends = [between(float(top[end]), evaluation.grades, evaluation.grade_scores) for end in ("low", "high")]
    if {(end.upper, end.lower) for end in ends} != {(top["upper"], top["lower"])}:
        return None
    return texts.verdict(top["upper"], top["lower"])
