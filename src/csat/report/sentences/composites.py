"""What a path model of composites says: what leads to what, as far as the intervals hold it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from csat.bases import Base
from csat.errors import OptionError
from csat.report.guidance import Advice
from csat.report.names import Names
from csat.report.reading import lines_of_target
from csat.report.sentences.said import advice_of
from csat.report.tables.composites import respondents_of
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.composites import Pls
    from csat.questionnaire import Questionnaire


def leads(
    result: Pls, lang: str = "en", names: Questionnaire | None = None, *, base: Word | str | None = None
) -> Advice:
    """Say what leads to what in a path model of composites.

    Parameters
    ----------
    result : of `csat.pls`, without groups, with standard errors.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    base : whom the sentences are about.

    Returns
    -------
    Advice
        A path is stated only if its interval leaves 0 out; the strongest is called so only if the intervals of the
        others end below its own. An improper solution is not read.

    Raises
    ------
    OptionError
        For a model of several groups.
    """
    if len(result.domains) > 1:
        raise OptionError("leads() is about one group: fit the model to one, or show csat.table(result) of all.")
    texts, n = Names(lang, names), float(np.sum(result.layout.n))
    verdict, told = texts.bases.judge(n), respondents_of(result, texts)
    if verdict.hidden:
        return advice_of("leads", Word("title.leads"), told[-1:], texts, base=base)
    lines = [Word("reading.no_paths")] if result.improper[0] else _lines(result, texts)
    notes = [Word("note.arrows"), *told] if verdict is not Base.SMALL else told
    return advice_of("leads", Word("title.leads"), lines or [Word("reading.no_paths")], texts, notes=notes, base=base)


def _lines(result: Pls, texts: Names) -> list[Word]:
    frame = result.tidy()
    frame = frame[(frame["kind"] == "path") & (frame["se"] > 0)]
    level, found = result.estimates.level, result.constructs()
    shares = dict(zip(found["construct"], found["r2"], strict=True))
    return [
        line
        for target in dict.fromkeys(frame["lhs"])
        for line in lines_of_target(frame[frame["lhs"] == target], shares.get(target, np.nan), level, texts)
    ]
