"""`Raw`: a table as it came, before the questionnaire has a say, and how its cells are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.errors import DataError
from csat.questionnaire.scales import folded

#: Words that mean an empty cell where a number belongs (R, pandas, Excel, SQL, SPSS write them), in small letters.
EMPTY_WORDS = ("na", "n/a", "nan", "null", "none", "#n/a", "#null!", ".", "<na>")

#: Longer figures are identifiers: a float would change their last digits.
MOST_DIGITS = 15

#: What is cut from both ends of a cell: blanks and invisible marks (zero-width, byte order, direction).
_OUTER = (
    "\t\n\v\f\r \xa0\xad\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u200c\u200d\u200e"
    "\u200f\u2028\u2029\u202f\u205f\u2060\u2061\u2062\u2063\u2064\u3000\ufeff"
)

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_PLAIN_NUMBER = rf"^-?((0|[1-9][0-9]{{0,{MOST_DIGITS - 1}}})(\.[0-9]+)?|\.[0-9]+)([eE][+-]?[0-9]{{1,3}})?$"


@dataclass(frozen=True, slots=True)
class Raw:
    """A table as it came.

    source : name of the file, or kind of frame.
    columns : name → values; numbers or text, null = empty.
    rows : (n,) number of each row as its reader sees it.
    typed : columns have the types that their owner gave them; False for text files and Excel.
    notes : how it was read.
    value_labels : column → code → text, from .sav and .dta files.
    user_missing : column → (lowest, highest) ranges of codes that the file declares missing.
    titles : column → its wording, from .sav and .dta files.
    """

    source: str
    columns: Mapping[str, pa.Array]
    rows: np.ndarray
    typed: bool = True
    notes: tuple[str, ...] = ()
    value_labels: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    user_missing: Mapping[str, tuple[tuple[Any, Any], ...]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)


def plain(column: pa.Array | pa.ChunkedArray, days: bool | None = None) -> pa.Array | None:
    """Bring a column to one array of numbers or of text; None for what is neither (lists, structs, bytes).

    Truth values become the words "true" and "false", dates and times ISO text. Moments are written as days if all of
    them are at midnight; `days` True or False decides that for a part of a column.
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    kind = column.type
    if isinstance(column, pa.ExtensionArray):
        return plain(column.storage, days)
    if pa.types.is_dictionary(kind):
        return plain(column.dictionary_decode(), days)
    if pa.types.is_integer(kind) or pa.types.is_float64(kind):
        return column
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_timestamp(kind):
        return _moments_as_text(column, days)
    words = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_boolean)
    if any(fits(kind) for fits in (*words, pa.types.is_null, pa.types.is_date, pa.types.is_time)):
        return column.cast(pa.string())
    return None


def _moments_as_text(column: pa.Array, as_days: bool | None) -> pa.Array:
    local = pc.local_timestamp(column) if column.type.tz else column
    days = local.cast(pa.date32(), safe=False)
    at_midnight = pc.all(pc.equal(days.cast(local.type), local)).as_py() is not False
    return (
        days.cast(pa.string())
        if (at_midnight if as_days is None else as_days)
        else pc.strftime(local.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%dT%H:%M:%S")
    )


def is_text(column: pa.Array) -> bool:
    """Tell whether a column holds text, also as a dictionary, rather than numbers."""
    kind = column.type
    return bool(pa.types.is_string(kind.value_type if pa.types.is_dictionary(kind) else kind))


def text_in(column: pa.Array) -> pa.Array:
    """Read the text of each cell without outer blanks; null where empty. Whole numbers have no decimal point."""
    if pa.types.is_dictionary(column.type):
        return text_in(column.dictionary_decode())
    if not is_text(column):
        if pa.types.is_floating(column.type):
            column = pc.if_else(pc.is_nan(column), None, column)
        return column.cast(pa.string())
    trimmed = pc.utf8_trim(column, characters=_OUTER)
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)


def numbers_in(column: pa.Array) -> np.ndarray:
    """Read (n,) numbers, in any digits ("１０", " 7.0 "); NaN where empty or no number."""
    if not is_text(column):
        return column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(float, copy=False)
    distinct, place = _distinct(column)
    visible = pc.replace_substring_regex(pc.utf8_normalize(distinct, form="NFKC"), r"\p{Cf}", "")
    spelled = pc.utf8_trim_whitespace(visible)
    spelled = pc.if_else(pc.match_substring_regex(spelled, _NUMBER), pc.utf8_ltrim(spelled, "+"), None)
    numbers = spelled.cast(pa.float64()).to_numpy(zero_copy_only=False)
    return np.append(numbers, np.nan)[place]


def _distinct(column: pa.Array) -> tuple[pa.Array, np.ndarray]:
    """Find the distinct texts (m,), and each row's place among them; m where null."""
    encoded = column.dictionary_encode()
    place = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
    return encoded.dictionary, place


def looked_up(column: pa.Array, meaning: Mapping[str, Any]) -> list[tuple[Any, np.ndarray]]:
    """List what the words of a text column mean, each with its rows (n,) bool; `meaning` knows folded words."""
    distinct, place = _distinct(column)
    means = [(i, folded(word)) for i, word in enumerate(distinct.to_pylist())]
    return [(meaning[word], place == i) for i, word in means if word in meaning]


def words_in(column: pa.Array) -> list[str]:
    """List the distinct texts of a text column that are no numbers."""
    distinct, _ = _distinct(column)
    return distinct.filter(pa.array(np.isnan(numbers_in(distinct)))).to_pylist()


def is_empty(column: pa.Array, *, number: bool) -> np.ndarray:
    """Mark the cells (n,) that hold nothing; with `number`, also those that say so in words (NA, #N/A …)."""
    if not is_text(column):
        return column.is_null(nan_is_null=True).to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(column.type):
        distinct, place = _distinct(column)
        return np.append(is_empty(distinct, number=number), True)[place]
    text = text_in(column)
    empty = text.is_null()
    if number:
        empty = pc.or_(empty, pc.is_in(pc.utf8_lower(text), pa.array(EMPTY_WORDS)))
    return empty.to_numpy(zero_copy_only=False)


def guessed(column: pa.Array) -> pa.Array:
    """Turn a text column into numbers if every filled cell is one, as a person would type it.

    Leading zeros and very long figures stay text: they are codes (007, a telephone number with prefix).
    """
    if not is_text(column):
        return column
    if pa.types.is_dictionary(column.type):
        return guessed(column.dictionary_decode())
    filled = text_in(column)
    empty = is_empty(column, number=True)
    candidates = pc.if_else(pa.array(empty), None, filled)
    if empty.all() or pc.all(pc.match_substring_regex(candidates, _PLAIN_NUMBER)).as_py() is False:
        return column
    return pa.array(numbers_in(column), from_pandas=True)


def named(source: str, header: Sequence[object], columns: Sequence[pa.Array]) -> tuple[dict[str, pa.Array], list[str]]:
    """Map name → column, without outer blanks, and note the columns that have no name.

    Raises
    ------
    DataError
        If two columns have one name, or none has any.
    """
    names = ["" if name is None else str(name).strip(_OUTER) for name in header]
    for name in names:
        if name and names.count(name) > 1:
            raise DataError.twice(source, name, [place for place, other in enumerate(names, 1) if other == name])
    if not any(names):
        raise DataError(f"{source}: no column has a name; the first row must hold the names of the columns.")
    blank = [str(place) for place, name in enumerate(names, 1) if not name]
    notes = [f"left out for want of a name: column {', '.join(blank)}"] if blank else []
    return {name: column for name, column in zip(names, columns, strict=True) if name}, notes
