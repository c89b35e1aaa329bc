"""The order of groups and of answers: that of the questionnaire, else of numbers, else of the alphabet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from csat.questionnaire import Questionnaire
from csat.questionnaire.scales import number_in


def ordered(asked: Questionnaire | None, column: str, found: Iterable[str]) -> tuple[str, ...]:
    """Labels in the order of the questionnaire, then numbers by size, then words by the alphabet."""
    left = set(found)
    described = None if asked is None else asked.column(column)
    known = [code for code in described.labels if code in left] if described is not None else []

    def key(text: str) -> tuple[float, str]:
        number = number_in(text)
        return (np.inf if number is None else number, text)

    return (*known, *sorted(left - set(known), key=key))


def levels_together(
    asked: Questionnaire | None, name: str, own: Sequence[Any], added: Sequence[Any]
) -> tuple[Any, ...]:
    """The levels of two summaries of an item, in the order of one."""
    if tuple(own) == tuple(added):
        return tuple(own)
    both = {*own, *added}
    return ordered(asked, name, both) if all(isinstance(level, str) for level in both) else tuple(sorted(both))
