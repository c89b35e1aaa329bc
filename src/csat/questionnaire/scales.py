"""Answer scales: levels, missing codes, labels, and the way to 0–100."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeVar

import numpy as np

from csat.errors import QuestionnaireError, closest

#: Language → text.
Texts = Mapping[str, str]

#: What a label stands for: a number, or the code of a category.
Code = TypeVar("Code", float, str)

#: Languages that a study can speak.
LANGUAGES = ("zh", "en")

#: What a missing code can mean.
MISSING_REASONS = ("dont_know", "not_used", "refused", "not_asked")

#: Conversions of an answer to 0–100.
CONVERSIONS = ("linear", "grade")

#: Scores of a five-level scale under the conversion "grade" (Gansu Mobile customer-satisfaction study).
GRADE_SCORES: Mapping[float, float] = {1.0: 20.0, 2.0: 40.0, 3.0: 60.0, 4.0: 80.0, 5.0: 100.0}

#: More levels than this are a continuous scale in disguise.
MOST_LEVELS = 1001


def text_of(texts: Texts, lang: str, fallback: str) -> str:
    """Text in `lang`, else in another language, else `fallback` (the code)."""
    return texts.get(lang) or next((text for text in texts.values() if text), fallback)


def folded(text: str) -> str:
    """Text as it is compared: full-width forms, case, white space and invisible characters make no difference.

    >>> folded(" Ｖery  SATISFIED ")
    'verysatisfied'
    """
    return "".join(visible(unicodedata.normalize("NFKC", text)).casefold().split())


def visible(text: str) -> str:
    """Text without format characters (category Cf): zero-width spaces and joiners, byte order marks, directions."""
    return text if text.isascii() else "".join(mark for mark in text if unicodedata.category(mark) != "Cf")


def plain_number(text: str) -> str:
    """Spell a whole number as a clean table does (``"1.0"`` is ``"1"``); any other text stays."""
    number = number_in(text) if text.isascii() and "." in text else None
    return str(int(number)) if number is not None and number.is_integer() and abs(number) < 1e15 else text


def number_in(text: str) -> float | None:
    """Read the finite number that `text` spells, in any digits (``"１０"``, ``" 7.0"``), or None."""
    plain = visible(unicodedata.normalize("NFKC", text)).strip()
    try:
        number = float(plain)
    except ValueError:
        return None
    return number if np.isfinite(number) and "_" not in plain else None


def vocabulary(table: str, words: Iterable[tuple[Code, Texts]]) -> dict[str, Code]:
    """Map every folded label to its code; a label that means two codes is refused.

    Raises
    ------
    QuestionnaireError
        If two codes share a label.
    """
    meaning: dict[str, Code] = {}
    for code, texts in words:
        for text in texts.values():
            other = meaning.setdefault(folded(text), code)
            if other != code:
                raise QuestionnaireError.at(
                    table, "labels", f"{text!r} is the label of both {_plain(other)} and {_plain(code)}."
                )
    return meaning


def _plain(code: float | str) -> str:
    return code if isinstance(code, str) else f"{code:g}"


@dataclass(frozen=True, slots=True)
class Scale:
    """An answer scale.

    Parameters
    ----------
    name : of the scale.
    low, high : ends of the scale, in scale points.
    step : distance between levels; None for a continuous scale.
    missing : code outside the scale → what it means, one of `MISSING_REASONS`.
    labels : level or missing code → text per language.
    conversion : to 0–100: "linear" ``(x − low)/(high − low)·100``, or "grade" by `scores`.
    scores : level → score on 0–100 for the conversion "grade"; None gives a 1–5 scale 20, 40, 60, 80, 100.

    Raises
    ------
    QuestionnaireError
        If the parts contradict each other.
    """

    name: str
    low: float
    high: float
    step: float | None = 1.0
    missing: Mapping[float, str] = field(default_factory=dict)
    labels: Mapping[float, Texts] = field(default_factory=dict)
    conversion: str = "linear"
    scores: Mapping[float, float] | None = None

    def __post_init__(self) -> None:
        _check_range(self)
        _check_missing(self)
        _check_labels(self)
        _check_conversion(self)

    @property
    def table(self) -> str:
        """Where a study file holds this scale."""
        return f"scales.{self.name}"

    @property
    def levels(self) -> tuple[float, ...]:
        """The answers that count, in ascending order; empty for a continuous scale."""
        if self.step is None:
            return ()
        count = round((self.high - self.low) / self.step)
        between = (round(self.low + self.step * i, 10) for i in range(1, count))
        return (float(self.low), *between, float(self.high))

    @property
    def midpoint(self) -> float:
        """Middle of the scale."""
        return (self.low + self.high) / 2

    @property
    def affine(self) -> tuple[float, float] | None:
        """(a, b) with score = a + b·x; None if the grade scores are not on a line."""
        if self.conversion == "linear":
            slope = 100 / (self.high - self.low)
            return -self.low * slope, slope
        scores = self._grade_scores
        slope = (scores[self.levels[-1]] - scores[self.levels[0]]) / (self.high - self.low)
        start = scores[self.levels[0]] - slope * self.low
        straight = all(abs(start + slope * level - scores[level]) < 1e-9 for level in self.levels)
        return (start, slope) if straight else None

    def score(self, x: np.ndarray) -> np.ndarray:
        """Convert answers to 0–100, element by element.

        Parameters
        ----------
        x : answers in scale points, NaN = missing. Any shape.

        Returns
        -------
        numpy.ndarray
            Same shape. NaN stays NaN; under "grade" an answer that is no level is NaN.
        """
        x = np.asarray(x, float)
        if self.conversion == "linear":
            return (x - self.low) / (self.high - self.low) * 100.0
        levels = np.array(self.levels)
        place = np.clip(np.searchsorted(levels, x), 0, len(levels) - 1)
        return np.where(
            levels[place] == x, np.array([self._grade_scores[level] for level in self.levels])[place], np.nan
        )

    def vocabulary(self) -> dict[str, float]:
        """Map every label, folded, to its level or missing code; `QuestionnaireError` if a label means two."""
        return vocabulary(self.table, self.labels.items())

    @property
    def _grade_scores(self) -> Mapping[float, float]:
        return GRADE_SCORES if self.scores is None else self.scores


def _check_range(scale: Scale) -> None:
    for key, value in (("low", scale.low), ("high", scale.high)):
        if not np.isfinite(value):
            raise QuestionnaireError.at(scale.table, key, f"{value} is not a finite number.")
    if scale.low >= scale.high:
        raise QuestionnaireError.at(scale.table, "low", f"low={scale.low:g} must be below high={scale.high:g}.")
    if scale.step is None:
        return
    if not scale.step > 0 or not np.isfinite(scale.step):
        raise QuestionnaireError.at(scale.table, "step", f'{scale.step:g} must be above 0, or "any" if continuous.')
    steps = (scale.high - scale.low) / scale.step
    if steps >= MOST_LEVELS:
        raise QuestionnaireError.at(
            scale.table, "step", f'{steps:g} levels are too many; write step = "any" for a continuous scale.'
        )
    if abs(steps - round(steps)) > 1e-9:
        raise QuestionnaireError.at(
            scale.table, "step", f"steps of {scale.step:g} from {scale.low:g} do not arrive at {scale.high:g}."
        )


def _check_missing(scale: Scale) -> None:
    for code, reason in scale.missing.items():
        if reason not in MISSING_REASONS:
            near = closest(str(reason), MISSING_REASONS)
            raise QuestionnaireError.at(
                scale.table,
                "missing",
                f"code {code:g} means {reason!r}, which is not known. Did you mean {near}? "
                f"Allowed: {', '.join(MISSING_REASONS)}.",
            )
        if scale.low <= code <= scale.high:
            raise QuestionnaireError.at(
                scale.table,
                "missing",
                f"code {code:g} overlaps the answers {scale.low:g}–{scale.high:g};"
                " a code is either an answer or missing.",
            )


def _check_labels(scale: Scale) -> None:
    known = {*scale.levels, *scale.missing}
    for code, texts in scale.labels.items():
        inside = scale.step is None and scale.low <= code <= scale.high
        if code not in known and not inside:
            raise QuestionnaireError.at(
                scale.table, "labels", f"{code:g} is neither a level ({scale.low:g}–{scale.high:g}) nor a missing code."
            )
        for text in texts.values():
            number = number_in(text)
            if number is not None and number != code:
                raise QuestionnaireError.at(
                    scale.table, "labels", f"{text!r} is the label of {code:g} but reads as the number {number:g}."
                )
    scale.vocabulary()


def _check_conversion(scale: Scale) -> None:
    if scale.conversion not in CONVERSIONS:
        raise QuestionnaireError.at(
            scale.table, "conversion", f"{scale.conversion!r} is not known; choose one of {', '.join(CONVERSIONS)}."
        )
    if scale.conversion == "linear":
        if scale.scores is not None:
            raise QuestionnaireError.at(scale.table, "scores", 'scores need conversion = "grade".')
        return
    if scale.scores is None and scale.levels != tuple(GRADE_SCORES):
        raise QuestionnaireError.at(
            scale.table,
            "scores",
            'conversion = "grade" has ready scores for levels 1, 2, 3, 4, 5 only; write `scores`.',
        )
    if scale.scores is not None:
        _check_scores(scale, scale.scores)


def _check_scores(scale: Scale, scores: Mapping[float, float]) -> None:
    absent = sorted(set(scale.levels) ^ set(scores))
    if absent:
        raise QuestionnaireError.at(
            scale.table, "scores", f"scores and levels must match one to one; they differ at {absent[0]:g}."
        )
    for level, score in scores.items():
        if not 0 <= score <= 100:
            raise QuestionnaireError.at(scale.table, "scores", f"level {level:g} has score {score:g}, outside 0–100.")
    values = [scores[level] for level in scale.levels]
    up = [after > before for before, after in pairwise(values)]
    if not (all(up) or (not any(up) and len(set(values)) == len(values))):
        raise QuestionnaireError.at(scale.table, "scores", "scores must all rise or all fall from level to level.")
