"""How the answers to the leaves are read: which means a source must give, and what memberships these make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import MembershipError
from csat.fuzzy.membership import level_memberships, score_memberships
from csat.moments import Recode, RowSource, Source, Variable
from csat.questionnaire import Grade, Questionnaire
from csat.scoring import score_items

#: What memberships are taken of: each answer, or the mean of all answers to an item.
OF = ("answers", "mean")


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """L leaves as v variables each, whose means tell the memberships.

    variables : (L,) of v variables. grades : (g,) best first. membership : name of the function.
    slope, offset : (L,) from the mean of an item to 0–100; None: each variable is the membership in a grade (v = g).
    tables : item → answer → memberships (g,); empty if memberships are those of the mean.
    """

    variables: tuple[tuple[Variable, ...], ...]
    grades: tuple[Grade, ...]
    membership: str
    slope: np.ndarray | None
    offset: np.ndarray | None
    tables: Mapping[str, Mapping[float, np.ndarray]]

    @property
    def linear(self) -> bool:
        """Whether memberships are means of the answers' memberships."""
        return self.slope is None

    @property
    def each(self) -> int:
        """Variables per leaf, v."""
        return len(self.variables[0])

    def memberships(self, means: np.ndarray, at: slice = slice(None)) -> np.ndarray:
        """(…, L, g) memberships from the means (…, L·v) of the variables of the leaves `at`; rows sum to 1."""
        if self.slope is None or self.offset is None:
            rows = np.clip(means.reshape(*means.shape[:-1], -1, len(self.grades)), 0.0, 1.0)
            return np.asarray(rows / rows.sum(axis=-1, keepdims=True))
        scores = np.clip(self.offset[at] + self.slope[at] * means, 0.0, 100.0)
        return score_memberships(scores, self.grades, self.membership)

    def scored(self) -> tuple[Variable, ...]:
        """(L,) variables whose means, times slope and plus offset, are the scores of the leaves."""
        if self.slope is not None:
            return tuple(variables[0] for variables in self.variables)
        values = np.array([grade.score for grade in self.grades])
        return tuple(
            Recode(code, code, {answer: float(row @ values) for answer, row in table.items()})
            for code, table in self.tables.items()
        )


def reading_of(source: Source, asked: Questionnaire, leaves: Sequence[str], membership: str, of: str) -> Reading:
    """How to read these items and processes.

    Raises
    ------
    MembershipError
        For a continuous scale whose answers the source cannot list.
    """
    if of == "mean":
        items = score_items(asked, leaves)
        variables = tuple((variable,) for variable in items.variables)
        return Reading(variables, asked.grades, membership, items.slope, items.offset, {})
    tables = {code: _table(source, asked, code, membership) for code in leaves}
    made = tuple(
        tuple(
            Recode(f"{code} {grade.code}", code, {answer: float(row[j]) for answer, row in table.items()})
            for j, grade in enumerate(asked.grades)
        )
        for code, table in tables.items()
    )
    return Reading(made, asked.grades, membership, None, None, tables)


def _table(source: Source, asked: Questionnaire, code: str, membership: str) -> dict[float, np.ndarray]:
    """Answer → memberships."""
    item = asked.item(code)
    levels = item.scale.levels or _found(source, asked, code)
    return dict(zip(levels, level_memberships(item, asked.grades, levels, membership), strict=True))


def _found(source: Source, asked: Questionnaire, code: str) -> tuple[float, ...]:
    """The different answers to an item with a continuous scale; the low end stands for none."""
    if not isinstance(source, RowSource):
        raise MembershipError.continuous(code, asked.scale_of(code).name)
    return source.levels([code]).levels[0] or (asked.scale_of(code).low,)
