"""What an item or a column can be answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csat.errors import SampleError
from csat.moments import Source


def scale_answers(source: Source, name: str) -> tuple[float, ...] | None:
    """The levels of an item's scale; None if the questionnaire does not give any."""
    asked = source.questionnaire
    return (asked.scale_of(name).levels or None) if asked is not None and name in asked.codes else None


def answers_of(source: Source, name: str) -> Sequence[Any]:
    """The possible answers of an item (its levels) or a category column (the labels found)."""
    levels = scale_answers(source, name)
    if levels:
        return levels
    categories = getattr(source, "categories", None)
    if categories is None:
        raise SampleError.needs_rows(f"The shares of {name!r}")
    return categories(name)


def values_of(source: Source, name: str) -> tuple[float, ...]:
    """The numbers that `name` can be answered with, in order: the levels of its scale, or the numbers found.

    Raises
    ------
    SampleError
        If the answers are categories, or the source has no rows to find them in.
    """
    return scale_answers(source, name) or numbers_only(name, source.levels([name]).levels[0])


def numbers_only(name: str, answers: Sequence[Any]) -> tuple[float, ...]:
    """The answers as numbers; categories are refused."""
    if any(isinstance(answer, str) for answer in answers):
        raise SampleError.categories(name, answers)
    return tuple(float(answer) for answer in answers)
