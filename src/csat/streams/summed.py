"""What every source of answers does alike: sums of named variables, around midpoints known before the data."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from csat.errors import UnknownColumnError
from csat.moments import Groups, Product, Recode, RowScores, Variable
from csat.moments.guards import as_names, as_variables
from csat.questionnaire import Questionnaire


class Summed(ABC):
    """Answers that give sums: rows in memory, a stream, or rows of a cluster."""

    __slots__ = ()

    questionnaire: Questionnaire | None

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""

    @abstractmethod
    def _groups(
        self, names: Sequence[Variable], by: Sequence[str], rule: str,
        scores: Mapping[tuple[str, ...], RowScores] | None,
    ) -> Groups:  # fmt: skip
        """The sums, with those of squared row scores if there are `scores`."""

    @abstractmethod
    def _middle(self, name: str) -> float:
        """A number near the middle of a column that is no scaled question."""

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Groups:
        """Weighted moments per (domain, stratum, unit), of a stream in one pass; see `csat.moments.Groups`.

        Parameters
        ----------
        names : columns, or `Recode` and `Product` of columns.
        by : grouping columns.
        rule : "available" or "listwise".

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        SampleError
            If a column holds categories, not numbers.
        """
        return self._groups(as_variables(names), as_names(by), rule, None)

    def score_groups(
        self, names: Sequence[Variable], by: Sequence[str], scores: Mapping[tuple[str, ...], RowScores],
        rule: str = "listwise",
    ) -> Groups:  # fmt: skip
        """Moments with sums of squared row scores; see `csat.moments.RowSource`."""
        return self._groups(names, by, rule, scores)

    def _midpoint(self, name: Variable) -> float:
        """A number near the middle of a variable, to subtract before summing."""
        if isinstance(name, Product):
            return math.prod(self._midpoint(part) for part in name.parts)
        if isinstance(name, Recode):
            return name.midpoint
        if self.questionnaire is not None and name in self.questionnaire.codes:
            return self.questionnaire.scale_of(name).midpoint
        return self._middle(name)

    def _known(self, names: Sequence[str]) -> None:
        known = self.columns
        for name in names:
            if name not in known:
                raise UnknownColumnError.among(name, known)
