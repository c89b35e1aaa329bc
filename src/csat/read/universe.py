"""The universe of a study within a larger source: rows outside it are not read at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.errors import DataError, OptionError, UnknownColumnError
from csat.questionnaire.scales import number_in
from csat.read.raw import Raw, is_text, plain, text_in
from csat.read.sources import spelled


@dataclass(frozen=True, slots=True)
class Universe:
    """Values of columns, as they stand in the source, that a row must have.

    wanted : column → values as text; a row belongs if every column has one of its values.
    """

    wanted: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        return ", ".join(f"{name} = {' or '.join(map(repr, values))}" for name, values in self.wanted.items())

    def numbers(self, name: str) -> list[float]:
        """Wanted values of a column that are numbers."""
        found = (number_in(value) for value in self.wanted[name])
        return [number for number in found if number is not None]

    def may_hold(self, name: str, low: Any, high: Any) -> bool:
        """Whether a part of the source may hold a wanted value, given the least and largest value of a column."""
        if isinstance(low, bool | bytes) or type(low) is not type(high):
            return True
        if isinstance(low, str):
            return any(low <= value <= high for value in self.wanted[name])
        if isinstance(low, int | float):
            return any(low <= number <= high for number in self.numbers(name))
        return True

    def inside(self, columns: Mapping[str, pa.Array]) -> np.ndarray:
        """Mark the rows (n,) that belong; each column of `wanted` is among `columns`."""
        marks = [self._holds(name, columns[name]) for name in self.wanted]
        return np.logical_and.reduce(marks)

    def inside_of(self, raw: Raw, days: Mapping[str, bool]) -> np.ndarray:
        """Mark the rows (n,) of a table in the types of its source; none where it lacks a column.

        `days` tells which columns of moments are days.
        """
        if not all(name in raw.columns for name in self.wanted):
            return np.zeros(len(raw.rows), bool)
        marks = [self._holds_in(name, raw.columns[name], days.get(name)) for name in self.wanted]
        return np.logical_and.reduce(marks)

    def _holds_in(self, name: str, column: pa.Array, day: bool | None) -> np.ndarray:
        """Mark the cells (n,) of a column in the types of its source; each word of a dictionary is looked at once."""
        if pa.types.is_dictionary(column.type) and not column.null_count:
            return self._holds_in(name, column.dictionary, day)[column.indices.to_numpy()]
        read = plain(column, day)
        return np.ones(len(column), bool) if read is None else self._holds(name, read)

    def _holds(self, name: str, column: pa.Array) -> np.ndarray:
        if is_text(column):
            return pc.is_in(text_in(column), pa.array(self.wanted[name])).to_numpy(zero_copy_only=False)
        values = pa.array(self.numbers(name), pa.float64())
        return pc.is_in(column.cast(pa.float64(), safe=False), values).to_numpy(zero_copy_only=False)

    def check(self, known: tuple[str, ...]) -> None:
        """Refuse columns that the source does not have."""
        for name in self.wanted:
            if name not in known:
                raise UnknownColumnError.among(name, known, "the source (only=…)")

    def of(self, raw: Raw) -> Raw:
        """A table as it came without the rows outside.

        Raises
        ------
        UnknownColumnError
            If there is no such column.
        DataError
            If no row is left.
        """
        self.check(tuple(raw.columns))
        kept = self.inside(raw.columns)
        if not kept.any():
            raise self.nobody(raw.source)
        columns = {name: column.filter(pa.array(kept)) for name, column in raw.columns.items()}
        return replace(raw, columns=columns, rows=raw.rows[kept], notes=(*raw.notes, f"only rows with {self}"))

    def nobody(self, source: str) -> DataError:
        """Word a source without a row of the universe."""
        return DataError(f"{source}: no row has {self} (only=…). Values are compared as they stand in the source.")


def universe_of(only: Mapping[str, Any] | None) -> Universe | None:
    """Take ``{column: value or list of values}`` apart.

    Raises
    ------
    OptionError
        If it is no mapping of columns to values.
    """
    if only is None:
        return None
    if not isinstance(only, Mapping) or not all(isinstance(name, str) for name in only):
        raise OptionError(f"only={only!r}"[:80] + ": write {'column': value} or {'column': [values]}.")
    wanted = {name: _values(name, value) for name, value in only.items()}
    return Universe(wanted) if wanted else None


def _values(name: str, value: Any) -> tuple[str, ...]:
    listed = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    texts = tuple(dict.fromkeys(text for text in map(spelled, listed) if text is not None))
    if not texts:
        raise OptionError(f"only: no value is given for {name!r}; rows without an answer cannot be asked for.")
    return texts
