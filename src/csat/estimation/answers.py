"""What an item or a column can be answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from csat.errors import SampleError
from csat.moments import Source


def answers_of(source: Source, name: str) -> Sequence[Any]:
    """The possible answers of an item (its levels) or a category column (the labels found)."""
    if source.questionnaire is not None and name in source.questionnaire.codes:
        levels = source.questionnaire.scale_of(name).levels
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
    values = source.levels([name]).levels[0]
    if any(isinstance(value, str) for value in values):
        raise SampleError.categories(name, values)
    return tuple(float(value) for value in values)
