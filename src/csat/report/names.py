"""Texts of codes: what an item, a group or a grade is called in a language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class Names:
    """Looks codes up in a questionnaire; without one, a code is its own name."""

    lang: str
    questionnaire: Questionnaire | None = None

    def code(self, code: object) -> str:
        """Text of an item, node, process or column; else the catalogue's for a usual construct; else the code."""
        if self.questionnaire is None:
            return str(code)
        known = self.questionnaire.text(str(code), self.lang)
        if known != str(code):
            return known
        catalogue = words(self.lang)
        usual = f"construct.{code}"
        return catalogue.say(Word(usual)) if usual in catalogue else str(code)

    def value(self, column: str, value: object) -> str:
        """Text of a category of a column; a dash for a missing one."""
        if value is None or value is pd.NA or value != value:
            return "–"
        return str(value) if self.questionnaire is None else self.questionnaire.value_text(column, value, self.lang)

    def construct(self, code: object) -> str:
        """Text of a latent variable: one that shares its code with the index is no index."""
        usual, catalogue = f"construct.{code}", words(self.lang)
        if self.questionnaire is not None and code == self.questionnaire.root and usual in catalogue:
            return catalogue.say(Word(usual))
        return self.code(code)

    def running(self, code: object) -> str:
        """Text of a code inside a sentence: without the capital of a heading, unless it is all capitals."""
        return _running(self.code(code))

    def codes(self, codes: Sequence[Any]) -> list[str]:
        """Texts of codes."""
        return [self.code(code) for code in codes]

    def values(self, column: str, values: Sequence[Any]) -> list[str]:
        """Texts of categories."""
        return [self.value(column, value) for value in values]

    def grade(self, code: str) -> str:
        """Text of a grade: the questionnaire's, or the catalogue's for the five usual ones."""
        if self.questionnaire is not None:
            return self.questionnaire.text(code, self.lang)
        catalogue = words(self.lang)
        return catalogue.say(Word(f"grade.{code}")) if f"grade.{code}" in catalogue else str(code)

    def verdict(self, upper: str, lower: str) -> Word:
        """Where a score lies among the grades."""
        if upper == lower:
            return Word("verdict.at", {"grade": self.grade(upper)})
        return Word("verdict.between", {"upper": _running(self.grade(upper)), "lower": _running(self.grade(lower))})


def _running(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
