"""Texts of codes: what an item, a group or a grade is called in a language."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from csat.bases import USUAL, Bases
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire


@dataclass(frozen=True, slots=True)
class Names:
    """Looks codes up in a questionnaire; without one, a code is its own name.

    spoken : False leaves codes as they are, for other programs.
    """

    lang: str
    questionnaire: Questionnaire | None = None
    spoken: bool = True

    @property
    def bases(self) -> Bases:
        """The study's limits for small bases, else the usual ones."""
        return getattr(self.questionnaire, "bases", None) or USUAL

    def code(self, code: object) -> str:
        """Text of an item, node, process or column; else the catalogue's for a usual construct; else the code."""
        if self.questionnaire is None or not self.spoken:
            return str(code)
        known = self.questionnaire.text(str(code), self.lang)
        if known != str(code):
            return self._own_script(known, str(code))
        catalogue = words(self.lang)
        usual = f"construct.{code}"
        return catalogue.say(Word(usual)) if usual in catalogue else str(code)

    def _own_script(self, text: str, code: str) -> str:
        """A Chinese code is a better Chinese name than a text that is there in English only."""
        return code if self.lang == "zh" and is_chinese(code) and not is_chinese(text) else text

    def value(self, column: str, value: object) -> str:
        """Text of a category of a column; a dash for a missing one."""
        if value is None or value is pd.NA or value != value:
            return "–"
        if self.questionnaire is None or not self.spoken:
            return str(value)
        return self._own_script(self.questionnaire.value_text(column, value, self.lang), str(value))

    def category(self, value: object) -> str:
        """Text of a category whose column is not known: that of the only column that has it."""
        columns = () if self.questionnaire is None or not self.spoken else self.questionnaire.columns
        holders = [column.code for column in columns if str(value) in column.labels]
        return self.value(holders[0], value) if len(holders) == 1 else str(value)

    def driver(self, term: object) -> str:
        """Text of a term or coefficient of a driver analysis: "P1", "brand=gotone", "brand=gotone:P1"."""
        said = self.code(term)
        if self.questionnaire is None or not self.spoken or said != str(term):
            return said
        parts = [part.partition("=") for part in str(term).split(":")]
        known = {*self.questionnaire.codes, *(column.code for column in self.questionnaire.columns)}
        if any(column not in known for column, _, _ in parts):
            return said
        link = "：" if self.lang == "zh" else ": "
        texts = [self.code(a) + (link + self.value(a, level) if sign else "") for a, sign, level in parts]
        return " × ".join(texts)

    def drivers(self, terms: Sequence[Any]) -> list[str]:
        """Texts of terms or coefficients."""
        return [self.driver(term) for term in terms]

    def construct(self, code: object) -> str:
        """Text of a latent variable: one that shares its code with the index is no index."""
        usual, catalogue = f"construct.{code}", words(self.lang)
        if self.spoken and self.questionnaire is not None and code == self.questionnaire.root and usual in catalogue:
            return catalogue.say(Word(usual))
        return self.code(code)

    def running(self, code: object) -> str:
        """Text of a code inside a sentence: in English without the capital of a heading, unless it is all capitals."""
        return self._running(self.code(code))

    def codes(self, codes: Sequence[Any]) -> list[str]:
        """Texts of codes."""
        return [self.code(code) for code in codes]

    def values(self, column: str, values: Sequence[Any]) -> list[str]:
        """Texts of categories."""
        return [self.value(column, value) for value in values]

    def listed(self, names: Sequence[str]) -> str:
        """Names in a row, as the language writes them."""
        return ("、" if self.lang == "zh" else ", ").join(names)

    def grade(self, code: str) -> str:
        """Text of a grade: the questionnaire's, or the catalogue's for the five usual ones."""
        if self.questionnaire is not None and self.spoken:
            return self.questionnaire.text(code, self.lang)
        catalogue = words(self.lang)
        return catalogue.say(Word(f"grade.{code}")) if f"grade.{code}" in catalogue else str(code)

    def verdict(self, upper: str, lower: str) -> Word:
        """Where a score lies among the grades."""
        if upper == lower:
            return Word("verdict.at", {"grade": self.grade(upper)})
        blanks = {"upper": self._running(self.grade(upper)), "lower": self._running(self.grade(lower))}
        return Word("verdict.between", blanks)

    def _running(self, text: str) -> str:
        return text[:1].lower() + text[1:] if self.lang == "en" and self.spoken and text[1:2].islower() else text


def is_chinese(text: str) -> bool:
    """Whether a text has Chinese characters.

    >>> is_chinese("品牌"), is_chinese("brand")
    (True, False)
    """
    return any(unicodedata.name(char, "").startswith("CJK") for char in text)
