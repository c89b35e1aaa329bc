"""The course of the index over time: what is a change and what is noise, and whether others only answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from csat.comparisons.result import adjusted
from csat.errors import OptionError
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.sentences.said import advice_of, bracketed, listed, quoted
from csat.report.tables.pairs import part
from csat.report.tables.trend import period_names, trend_groups
from csat.report.tenths import distance, figures, known, tenth
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.results import Estimates
    from csat.trends import ChangeSplit, Trend


def course(
    trend: Trend,
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    base: Word | str | None = None,
) -> Advice:
    """Say how the index has moved, period by period and over all, and what moved in the last one.

    Parameters
    ----------
    trend : without groups.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        The changes of the index are corrected for the number of periods, those of dimensions and items for the number
        of both together (Holm); a change that is not more than chance then is not told as one.

    Raises
    ------
    OptionError
        For a trend by groups.
    """
    tidy, texts = trend.tidy(), Names(lang, names)
    if trend_groups(tidy):
        raise OptionError("course() is about one group: leave by= out of csat.trend, or take one group.")
    periods = list(dict.fromkeys(tidy["period"]))
    tops = tidy[(tidy["kind"] == "index") & _shown(tidy, texts)]
    lines = []
    if len(tops) > 2:
        lines.append(_whole(part(trend.levels, tops.index.tolist()), list(tops["period"]), texts))
    lines += _steps(tops[tops["since"] != ""], trend.levels.level, texts)
    lines += _nodes(tidy[(tidy["period"] == periods[-1]) & _shown(tidy, texts)], trend.levels.level, texts)
    notes = [Word("course.note", {"alpha": 1 - trend.levels.level})]
    return advice_of(
        "course", Word("title.course"), lines or [_nothing(len(periods), len(tops))], texts, notes=notes, base=base
    )


def _nothing(periods: int, shown: int) -> Word:
    """Why no change is told: one period, too few respondents, or no standard error."""
    if periods < 2:
        return Word("course.one_period")
    return Word("course.hidden" if shown < 2 else "course.untested")


def _shown(tidy: pd.DataFrame, texts: Names) -> np.ndarray:
    return np.array([not texts.bases.judge(float(n)).hidden for n in tidy["n"]], bool)


def _whole(levels: Estimates, periods: Sequence[str], texts: Names) -> Word:
    """The index of the last period against the first."""
    matrix = np.zeros((1, len(periods)))
    matrix[0, [0, -1]] = -1.0, 1.0
    row = levels.contrast(matrix, [levels.term[0]]).tidy().iloc[0]
    first, last = period_names([periods[0], periods[-1]], texts)
    blanks: dict[str, Any] = {
        "name": texts.code(levels.term[0]),
        "first": first,
        "last": last,
        "start": tenth(levels.estimate[0]),
        "end": tenth(levels.estimate[-1]),
        "level": levels.level,
    }
    interval = (row["estimate"], row["low"], row["high"])
    if not known(*interval):
        return Word("course.whole_only", blanks)
    if row["low"] <= 0 <= row["high"]:
        return Word("course.whole_open", blanks | figures(*interval, sign=True))
    return Word(f"course.whole_{'up' if row['estimate'] > 0 else 'down'}", blanks | distance(*interval))


def _steps(tops: pd.DataFrame, level: float, texts: Names) -> list[Word]:
    """Steps from one period to the next that are more than chance, all of them counted."""
    steps = tops[tops["change_p"].notna()]
    if steps.empty:
        return []
    real = steps[adjusted(steps["change_p"].to_numpy(float), "holm") < 1 - level]
    if real.empty:
        return [Word("course.no_step" if len(steps) > 1 else "course.one_step_open", _step(steps.iloc[-1], texts))]
    lines = []
    for _, row in real.iterrows():
        lines.append(Word(f"course.step_{'up' if row['change'] > 0 else 'down'}", _step(row, texts)))
    return [*lines, *([Word("course.other_steps")] if len(real) < len(steps) else [])]


def _step(row: pd.Series, texts: Names) -> dict[str, str]:
    since, period = period_names([row["since"], row["period"]], texts)
    interval = (row["change"], row["change"] - row["noise"], row["change"] + row["noise"])
    return {"since": since, "period": period, **distance(*interval)}


def _nodes(last: pd.DataFrame, level: float, texts: Names) -> list[Word]:
    """Dimensions and items that moved in the last period."""
    lines: list[Word] = []
    tested = last[last["kind"].isin(["dimension", "item"]) & last["change_p"].notna()]
    surely = tested[adjusted(tested["change_p"].to_numpy(float), "holm") < 1 - level]
    for kind in ("dimension", "item"):
        real = surely[surely["kind"] == kind]
        for key, moved in (("up", real[real["change"] > 0]), ("down", real[real["change"] < 0])):
            if len(moved):
                moved = moved.reindex(moved["change"].abs().sort_values(ascending=False, kind="stable").index)
                said = [
                    bracketed(quoted(texts.code(term)), tenth(change, sign=True), texts)
                    for term, change in zip(moved["term"], moved["change"], strict=True)
                ]
                lines.append(Word(f"course.{kind}_{key}", {"names": listed(said, texts)}))
    return lines or ([Word("course.no_node")] if len(tested) else [])


def mix(
    split: ChangeSplit, lang: str = "en", names: Questionnaire | None = None, *, base: Word | str | None = None
) -> Advice:
    """Say what of the last change comes from who answered, and what from how they answered.

    Parameters
    ----------
    split : from `csat.split_change`; its first node is spoken of.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentence is about.
    """
    texts, tidy = Names(lang, names), split.tidy()
    small = [texts.bases.judge(float(n)).hidden for n in tidy["n"]]
    lines = [Word("course.hidden")] if any(small) else _parts(split, tidy, texts)
    notes = [Word("course.split_note", {"level": split.estimates.level})]
    return advice_of("mix", Word("title.mix"), lines, texts, notes=notes, base=base)


def _parts(split: ChangeSplit, tidy: pd.DataFrame, texts: Names) -> list[Word]:
    root = tidy[tidy["term"] == tidy["term"].iloc[0]].set_index("part")
    rows = {part: root.loc[part, ["estimate", "low", "high"]].to_dict() for part in ("mix", "real")}
    if not known(*rows["mix"].values(), *rows["real"].values()):
        return []
    columns = texts.listed([texts.running(column) for column in split.mix])
    said = {f"{part}_{key}": text for part, row in rows.items() for key, text in figures(**row, sign=True).items()}
    key = "course.mix_open" if rows["mix"]["low"] <= 0 <= rows["mix"]["high"] else "course.mix"
    return [Word(key, {"columns": columns, **said})]
