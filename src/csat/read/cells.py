"""Cells of a column of a batch in the fewest bytes: whole levels as bytes, words once each, and what says nothing."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.questionnaire import Scale
from csat.read.answers import Answers
from csat.read.ledger import CELL_REASONS
from csat.read.raw import is_text

#: Levels of a scale that are whole numbers of one byte; numbers; words that occur again and again; other text.
LEVELS, NUMBERS, WORDS, TEXT = pa.int8(), pa.float64(), pa.dictionary(pa.int32(), pa.string()), pa.string()

#: Different words, or whole numbers within such a range, that are read once each, not row by row.
DISTINCT = 4096

#: Readings that are remembered from batch to batch, and the distinct values of one of them.
REMEMBERED, FEW = 4096, 256

#: No whole number lies between these.
NO_SPAN = (1.0, 0.0)

_VALID, _EMPTY = CELL_REASONS.index("valid"), CELL_REASONS.index("empty")

#: How the cells of a column are read.
Read = Callable[[pa.Array], Answers]


@dataclass(frozen=True, slots=True)
class Cells:
    """What a column of a batch says.

    values : (n,) of the type that the column has in every batch; null = missing.
    counts : cells by position in `CELL_REASONS`.
    found : finds the rows (m,) without an answer, in order, and the positions (m,) of their reasons: few want them.
    notes : how cells were read that could be read in another way.
    """

    values: pa.Array
    counts: np.ndarray
    found: Callable[[], tuple[np.ndarray, np.ndarray]]
    notes: tuple[str, ...] = ()

    @property
    def reasons(self) -> np.ndarray:
        """(n,) positions in `CELL_REASONS`."""
        reasons = np.full(len(self.values), _VALID, np.int8)
        odd, why = self.found()
        reasons[odd] = why
        return reasons


@dataclass(frozen=True, slots=True)
class Reading:
    """How the cells of a column are read, and what has been read before.

    name : of the column. kind : type of its clean values. read : from cells to answers.
    known : readings of distinct values, of all columns; filled here.
    span : first and last of the whole numbers that are levels, all those between them too.
    missing : codes of the scale and what they mean; None if the column is no scaled question.
    """

    name: str
    kind: pa.DataType
    read: Read
    known: dict[Hashable, Answers]
    span: tuple[float, float]
    missing: Mapping[float, str] | None

    def __call__(self, column: pa.Array) -> Cells:
        """Read a column (n,): numbers, text, or a dictionary of text."""
        if column.null_count == len(column):
            return self._packed(self.read(decoded(column)))
        if is_text(column):
            return self._spelled(column)
        if self.kind == LEVELS:
            return self._levels(column)
        if pa.types.is_integer(column.type):
            return self._whole(column)
        if self.missing is None and self.kind == NUMBERS and not column.null_count and _all_finite(column):
            return _sound(column)
        return self._packed(self.read(column))

    def _levels(self, column: pa.Array) -> Cells:
        """Numbers of a scale of whole levels: most are what they say, of the others most are its missing codes."""
        stored, (low, high) = stored_in(column), self.span
        real = stored.dtype.kind == "f"
        if not real and not column.null_count and stored.min() >= low and stored.max() <= high:
            return _sound(column if column.type == LEVELS else pa.array(stored.astype(np.int8)))
        with np.errstate(invalid="ignore"):
            small = stored.astype(np.int8, copy=False)
        empty = stored != stored if real else np.zeros(len(stored), bool)
        if column.null_count:
            empty |= column.is_null().to_numpy(zero_copy_only=False)
        # one look at the wide numbers, all others at bytes
        other = empty if small is stored else (small != stored) | empty
        strange = (small < low) | (small > high) | other
        counts = self._counts(small, strange, other, empty)
        if counts is None:
            return self._looked_up(column, small, np.flatnonzero(strange))
        values = with_nulls(_set(small, strange, int(low)), strange)
        return Cells(values, counts, lambda: self._looked_up(column, small, np.flatnonzero(strange)).found())

    def _counts(
        self, small: np.ndarray, strange: np.ndarray, other: np.ndarray, empty: np.ndarray
    ) -> np.ndarray | None:
        """Counts by reason, if all `strange` cells are empty or hold a missing code of the scale.

        small : (n,) numbers as bytes. other : (n,) cells that are empty or no such bytes.
        """
        counts = np.zeros(len(CELL_REASONS), int)
        counts[_EMPTY] = np.count_nonzero(empty)
        whole = not other.any()
        for code, reason in (self.missing or {}).items():
            held = small == code
            counts[CELL_REASONS.index(reason)] += np.count_nonzero(held if whole else held & ~other)
        counts[_VALID] = len(small) - np.count_nonzero(strange)
        return counts if counts.sum() == len(small) else None

    def _looked_up(self, column: pa.Array, small: np.ndarray, odd: np.ndarray) -> Cells:
        """Cells of a column whose `odd` rows are not what they say as numbers of one byte."""
        answers, place = self._distinct(column.take(pa.array(odd)))
        levels = answers.values.fill_null(self.span[0]).cast(LEVELS).to_numpy()
        small = small.copy()
        small[odd] = levels[place]
        left = answers.reasons[place] != _VALID
        return _cells(with_nulls(small, _marks(len(small), odd[left])), odd[left], answers.reasons[place[left]])

    def _whole(self, column: pa.Array) -> Cells:
        """Whole numbers that stand for numbers, categories or text."""
        codes = _codes(column)
        if codes is None:
            return self._packed(self.read(column))
        return self._spread(self.read(codes[0]), codes[1])

    def _spelled(self, column: pa.Array) -> Cells:
        """Text, each word once where there are few."""
        encoded = column.dictionary_encode()
        if len(encoded.dictionary) > max(len(column) // 2, FEW):
            return self._packed(self.read(decoded(column)))
        answers, place = self._distinct(encoded)
        if answers.notes:
            # an example is the first word that occurs
            encoded = decoded(column).dictionary_encode()
            answers, place = self._distinct(encoded)
        return self._spread(answers, place)

    def _distinct(self, column: pa.Array) -> tuple[Answers, np.ndarray]:
        """What the distinct values of a column say, the last null, and the place (n,) of each row among them.

        Sets of few values are remembered, whatever their order; not if there is something to note about them.
        """
        encoded = column.dictionary_encode()
        words = encoded.dictionary
        place = places_in(encoded)
        if len(words) > FEW:
            return self.read(_with_null(words)), place
        order = pc.sort_indices(words).to_numpy().astype(np.intp)
        values = words.take(pa.array(order))
        said = tuple(values.to_pylist()) if is_text(values) else stored_in(values).tobytes()
        key = (self.name, str(words.type), said)
        known = self.known.get(key)
        if known is None:
            answers = self.read(_with_null(words))
            if not answers.notes and len(self.known) < REMEMBERED:
                by_order = np.append(order, len(words))
                self.known[key] = Answers(answers.values.take(pa.array(by_order)), answers.reasons[by_order])
            return answers, place
        rank = np.empty(len(words) + 1, np.intp)
        rank[order], rank[-1] = np.arange(len(words)), len(words)
        return known, rank[place]

    def _spread(self, answers: Answers, place: np.ndarray) -> Cells:
        """Answers of distinct values → cells of the rows (n,) at these places."""
        often = np.bincount(place, minlength=len(answers.reasons))
        counts = np.zeros(len(CELL_REASONS), int)
        np.add.at(counts, answers.reasons, often)
        odd = (answers.reasons != _VALID)[place] if counts[_VALID] < len(place) else None

        def found() -> tuple[np.ndarray, np.ndarray]:
            at = _NONE if odd is None else np.flatnonzero(odd)
            return at, answers.reasons[place[at]]

        if self.kind in (WORDS, TEXT):
            words = answers.values.dictionary_encode()
            numbers = words.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int32)[place]
            values: pa.Array = pa.DictionaryArray.from_arrays(with_nulls(numbers, odd), words.dictionary)
            return Cells(values if self.kind == WORDS else decoded(values), counts, found, answers.notes)
        numbers = answers.values.fill_null(0).cast(self.kind).to_numpy()[place]
        return Cells(with_nulls(numbers, odd), counts, found, answers.notes)

    def _packed(self, answers: Answers) -> Cells:
        """Answers of the rows as cells."""
        odd = np.flatnonzero(answers.reasons != _VALID)
        return _cells(as_kind(answers.values, self.kind), odd, answers.reasons[odd], answers.notes)


def kind_of_scale(scale: Scale) -> pa.DataType:
    """Type of the answers on a scale."""
    levels = np.array(scale.levels)
    return LEVELS if len(levels) and (levels == levels.astype(np.int8)).all() else NUMBERS


def span_of(scale: Scale) -> tuple[float, float]:
    """Ends of the whole numbers that are levels without exception; `NO_SPAN` if there are none."""
    return (scale.low, scale.high) if scale.step == 1 and kind_of_scale(scale) == LEVELS else NO_SPAN


def as_kind(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values in the type that their column has in every batch."""
    if values.type == kind:
        return values
    if kind == WORDS:
        encoded = values.cast(TEXT).dictionary_encode() if not is_text(values) else values.dictionary_encode()
        return encoded.cast(WORDS)
    return decoded(values).cast(kind)


def decoded(column: pa.Array) -> pa.Array:
    """A column without its dictionary."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def keys_of(column: pa.Array) -> pa.Array:
    """Text of a grouping column; whole numbers have no decimal point."""
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def places_in(encoded: pa.DictionaryArray) -> np.ndarray:
    """Place (n,) of each row among the words of a dictionary, the number of the words for null."""
    indices = encoded.indices
    if indices.null_count:
        indices = indices.cast(pa.int32()).fill_null(len(encoded.dictionary))
    return indices.to_numpy(zero_copy_only=False)


def stored_in(column: pa.Array) -> np.ndarray:
    """(n,) numbers as they lie in memory; anything in the place of a null."""
    numbers = np.frombuffer(column.buffers()[1], column.type.to_pandas_dtype())
    return numbers[column.offset : column.offset + len(column)]


def with_nulls(numbers: np.ndarray, odd: np.ndarray | None) -> pa.Array:
    """Numbers (n,) as an array that is null where marked (n,)."""
    if odd is None:
        return pa.array(numbers)
    marks = pa.py_buffer(np.packbits(~odd, bitorder="little"))
    kind = pa.from_numpy_dtype(numbers.dtype)
    return pa.Array.from_buffers(kind, len(numbers), [marks, pa.py_buffer(numbers)])


def _marks(size: int, rows: np.ndarray) -> np.ndarray:
    marks = np.zeros(size, bool)
    marks[rows] = True
    return marks


def _set(numbers: np.ndarray, where: np.ndarray, number: int) -> np.ndarray:
    """Bytes (n,) with another number where marked; without a branch for each row."""
    return numbers ^ ((numbers ^ np.int8(number)) & -where.view(np.int8))


def _sound(values: pa.Array) -> Cells:
    """Cells that are all answers."""
    return _cells(values, _NONE, _NO_REASON)


def _cells(values: pa.Array, odd: np.ndarray, why: np.ndarray, notes: tuple[str, ...] = ()) -> Cells:
    counts = np.bincount(why, minlength=len(CELL_REASONS))
    counts[_VALID] = len(values) - len(odd)
    return Cells(values, counts, lambda: (odd, why), notes)


def _with_null(words: pa.Array) -> pa.Array:
    return pa.concat_arrays([words, pa.nulls(1, words.type)])


def _all_finite(column: pa.Array) -> bool:
    """Whether numbers (n,) without nulls are neither NaN nor infinite."""
    if not pa.types.is_float64(column.type):
        return False
    stored = stored_in(column)
    return bool(np.isfinite(stored.min()) and np.isfinite(stored.max()))


def _codes(column: pa.Array) -> tuple[pa.Array, np.ndarray] | None:
    """Whole numbers of which a column may be made and then null, and each row's place; None if there are too many."""
    ends = pc.min_max(column).as_py()
    low, size = ends["min"], ends["max"] - ends["min"] + 1
    if size > max(DISTINCT, len(column) // 2) or ends["max"] > np.iinfo(np.intp).max:
        return None
    place = stored_in(column).astype(np.intp) - low
    if column.null_count:
        place[column.is_null().to_numpy(zero_copy_only=False)] = size
    return pa.array([*range(low, low + size), None], column.type), place


_NONE, _NO_REASON = np.zeros(0, np.intp), np.zeros(0, np.int8)
