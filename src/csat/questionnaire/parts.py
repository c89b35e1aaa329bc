"""What a questionnaire is made of: items, processes, columns, dimensions, grades."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from csat.errors import QuestionnaireError, closest
from csat.questionnaire.scales import Scale, Texts, folded, text_of, vocabulary

#: What a column that is no scaled question can hold.
KINDS = ("category", "number", "id", "seconds")

#: Characters that no XML workbook or page can hold.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

#: Weights may miss 1 by this much.
WEIGHT_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Item:
    """A question answered on a scale: `code` is its column in the data."""

    code: str
    scale: Scale
    texts: Texts = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.scale, Scale):
            raise QuestionnaireError.at(
                f"items.{self.code}", "scale", f"must be a Scale, not {self.scale!r}; give Scale('points', 1, 10)."
            )

    def text(self, lang: str) -> str:
        """Wording in `lang`, else in another language, else the code."""
        return text_of(self.texts, lang, self.code)


@dataclass(frozen=True, slots=True)
class Process(Item):
    """A business process answered on a scale: a candidate driver of the outcome."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is no scaled question.

    Parameters
    ----------
    code : of the column in the data.
    kind : "category" (brand, branch), "number" (ARPU), "id" (of the respondent), "seconds" (time to answer).
    texts : language → name of the column.
    labels : category code → text per language; empty means that any value is a category.
    """

    code: str
    kind: str = "category"
    texts: Texts = field(default_factory=dict)
    labels: Mapping[str, Texts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        table = f"columns.{self.code}"
        if self.kind not in KINDS:
            raise QuestionnaireError.at(
                table, "kind", f"{self.kind!r} is not known. Did you mean {closest(self.kind, KINDS)}?"
            )
        if self.labels and self.kind != "category":
            raise QuestionnaireError.at(table, "labels", f'labels need kind = "category", not {self.kind!r}.')
        self.vocabulary()

    def text(self, lang: str) -> str:
        """Name in `lang`, else in another language, else the code."""
        return text_of(self.texts, lang, self.code)

    def vocabulary(self) -> dict[str, str]:
        """Map every code and label, folded, to its category code.

        Raises
        ------
        QuestionnaireError
            If one word means two categories.
        """
        table = f"columns.{self.code}"
        words = [(code, {"code": code, **texts}) for code, texts in self.labels.items()]
        return vocabulary(table, words)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A node of the index tree above the items.

    Parameters
    ----------
    code : of the node.
    texts : language → name.
    children : codes of dimensions, items or processes.
    weights : one per child, summing to 1; None = equal, or not known yet if `estimated`.
    estimated : the weights come from an estimation and are put in by `Questionnaire.with_weights`.
    """

    code: str
    texts: Texts
    children: tuple[str, ...]
    weights: tuple[float, ...] | None = None
    estimated: bool = False

    def __post_init__(self) -> None:
        table = f"dimensions.{self.code}"
        if not self.children:
            raise QuestionnaireError.at(
                table, "children", "is empty; a dimension needs at least one item or dimension."
            )
        twice = next((child for child, count in Counter(self.children).items() if count > 1), None)
        if twice is not None:
            raise QuestionnaireError.at(table, "children", f"{twice!r} is named twice.")
        if self.weights is not None:
            _check_weights(table, self.children, self.weights)

    @property
    def shares(self) -> tuple[float, ...]:
        """Weight of each child.

        Raises
        ------
        QuestionnaireError
            If the weights are still to be estimated.
        """
        if self.weights is not None:
            return self.weights
        if self.estimated:
            raise QuestionnaireError.at(
                f"dimensions.{self.code}",
                "weights",
                "are to be estimated; put them in with questionnaire.with_weights({"
                f"{self.code!r}: {{{self.children[0]!r}: …}}}}) first.",
            )
        return (1 / len(self.children),) * len(self.children)

    def text(self, lang: str) -> str:
        """Name in `lang`, else in another language, else the code."""
        return text_of(self.texts, lang, self.code)


def _check_weights(table: str, children: tuple[str, ...], weights: tuple[float, ...]) -> None:
    if len(weights) != len(children):
        raise QuestionnaireError.at(table, "weights", f"{len(weights)} weights for {len(children)} children.")
    for child, weight in zip(children, weights, strict=True):
        if not (math.isfinite(weight) and weight >= 0):
            raise QuestionnaireError.at(table, "weights", f"{child!r} has weight {weight:g}; it must be 0 or more.")
    total = math.fsum(weights)
    if abs(total - 1) > WEIGHT_TOLERANCE:
        raise QuestionnaireError.at(table, "weights", f"sum to {total:.10g}, not 1.")


@dataclass(frozen=True, slots=True)
class Grade:
    """A verdict: `score` on 0–100 represents it; scores from `cut` upwards belong to it."""

    code: str
    texts: Texts
    score: float
    cut: float

    def text(self, lang: str) -> str:
        """Name in `lang`, else in another language, else the code."""
        return text_of(self.texts, lang, self.code)


#: The five grades of the Gansu Mobile customer-satisfaction study, best first.
GRADES = (
    Grade("very_satisfied", {"zh": "很满意", "en": "Very satisfied"}, 100.0, 80.0),
    Grade("satisfied", {"zh": "满意", "en": "Satisfied"}, 80.0, 60.0),
    Grade("basically_satisfied", {"zh": "基本满意", "en": "Basically satisfied"}, 60.0, 40.0),
    Grade("dissatisfied", {"zh": "不满意", "en": "Dissatisfied"}, 40.0, 20.0),
    Grade("very_dissatisfied", {"zh": "很不满意", "en": "Very dissatisfied"}, 20.0, 0.0),
)


def check_grades(grades: tuple[Grade, ...]) -> None:
    """Refuse grades that are not a ladder from the best down to 0.

    Raises
    ------
    QuestionnaireError
        If scores or cuts leave 0–100, do not fall, or leave a range without a grade.
    """
    if len(grades) < 2:
        raise QuestionnaireError.at("grades", None, "at least two grades are needed.")
    for grade in grades:
        for key, value in (("score", grade.score), ("from", grade.cut)):
            if not 0 <= value <= 100:
                raise QuestionnaireError.at(f"grades.{grade.code}", key, f"{value:g} is outside 0–100.")
    for better, worse in pairwise(grades):
        for key, fine in (("score", worse.score < better.score), ("from", worse.cut < better.cut)):
            if not fine:
                raise QuestionnaireError.at(
                    f"grades.{worse.code}",
                    key,
                    f"must be below that of {better.code!r}: grades run from best to worst.",
                )
    if grades[-1].cut != 0:
        raise QuestionnaireError.at(f"grades.{grades[-1].code}", "from", "the lowest grade must start at 0.")


def check_codes(tables: Mapping[str, tuple[str, ...]]) -> None:
    """Refuse blank codes and codes that stand for two things.

    Parameters
    ----------
    tables : table → the codes it defines.

    Raises
    ------
    QuestionnaireError
        Naming both tables.
    """
    owner: dict[str, tuple[str, str]] = {}
    for table, codes in tables.items():
        counts = Counter(codes)
        for code in codes:
            if not folded(code) or code != code.strip():
                raise QuestionnaireError.at(table, code, "a code must not be blank or begin or end with a space.")
            first, known = owner.setdefault(folded(code), (table, code))
            if (first, known) != (table, code) or counts[code] > 1:
                same = "" if known == code else f" (as {known!r}; case and width make no difference)"
                raise QuestionnaireError.at(
                    f"{table}.{code}", None, f"the code is used twice: also in [{first}]{same}."
                )


def check_printable(places: Iterable[tuple[str, str | None, object]]) -> None:
    """Refuse what is no text, and texts that could not be written into a workbook or page.

    Parameters
    ----------
    places : (table, key, text).

    Raises
    ------
    QuestionnaireError
        If it is no text; naming the character and its place in the text.
    """
    for table, key, text in places:
        if not isinstance(text, str):
            raise QuestionnaireError.at(table, key, f"{text!r} must be text, not {type(text).__name__}.")
        found = _UNPRINTABLE.search(text)
        if found:
            raise QuestionnaireError.at(
                table,
                key,
                f"character {found.start() + 1} is the control character U+{ord(found[0]):04X}; take it out.",
            )
