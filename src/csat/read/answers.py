"""From cells to answers: what each cell of a column says, and why it says nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.errors import DataError
from csat.questionnaire import Column, Scale
from csat.questionnaire.decode import quoted
from csat.questionnaire.scales import folded
from csat.read.ledger import CELL_REASONS
from csat.read.raw import is_empty, is_text, looked_up, numbers_in, text_in, words_in

_CODE = {reason: code for code, reason in enumerate(CELL_REASONS)}
_VALID, _EMPTY, _UNKNOWN = _CODE["valid"], _CODE["empty"], _CODE["unknown_code"]

#: An answer may miss its level by this much of a step (single-precision files).
LEVEL_TOLERANCE = 1e-5

#: A number, perhaps in brackets, punctuation, and what follows.
_HEADED = re.compile(
    r"[(\[【]?\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*[)\]】]?[\s.,:;、。_=|\-–—]*(?P<rest>.*?)[)\]】]?", re.DOTALL
)

#: What may follow a number without saying more than it.
_POINTS = ("", "分", "点", "级", "星", "point", "points", "pt", "pts", "star", "stars")

#: What follows a number is no label if it holds these: a range, a fraction, a percentage, a doubt.
_NO_LABEL = re.compile(r"[0-9%‰/?+<>~]")

Ranges = tuple[tuple[Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Answers:
    """What a column says.

    values : (n,) float64 or text, null = missing.
    reasons : (n,) positions in `CELL_REASONS`.
    notes : how cells were read that could be read in another way.
    """

    values: pa.Array
    reasons: np.ndarray
    notes: tuple[str, ...] = ()


def scaled_answers(column: pa.Array, scale: Scale, declared: Ranges, labels: Mapping[Any, str]) -> Answers:
    """Read the cells of a scaled question.

    Parameters
    ----------
    column : (n,) numbers, or text that spells numbers or labels.
    scale : of the question.
    declared : ranges of codes that the file declares missing.
    labels : value labels of the file; they must mean the same as those of the scale.

    Raises
    ------
    DataError
        If the file labels a code with the words that the scale has for another.
    """
    _check_labels(scale, labels)
    number, headed = _numbers_and_words(column, scale)
    spelled = ~np.isnan(number)
    reasons = np.where(is_empty(column, number=True) & ~spelled, _EMPTY, _UNKNOWN).astype(np.int8)
    level, fits = _nearest_level(number, scale)
    outside = (number < scale.low) | (number > scale.high)
    reasons[spelled & outside & ~fits] = _CODE["out_of_range"]
    reasons[fits] = _VALID
    reasons[in_ranges(column, number, declared)] = _CODE["user_missing"]
    for code, reason in scale.missing.items():
        reasons[number == code] = _CODE[reason]
    notes = tuple(f"read by their number: answers such as {quoted(word)}" for word in list(headed)[:1])
    return Answers(pa.array(np.where(reasons == _VALID, level, np.nan), from_pandas=True), reasons, notes)


def category_answers(column: pa.Array, described: Column, declared: Ranges, labels: Mapping[Any, str]) -> Answers:
    """Read the cells of a category: codes or labels of the questionnaire, or labels of the file.

    Without labels in the questionnaire any text is a category.
    """
    text = text_in(column)
    reasons = np.where(is_empty(column, number=False), _EMPTY, _VALID).astype(np.int8)
    if described.labels:
        meaning: dict[str, str] = described.vocabulary()
        for code, label in labels.items():
            if folded(label) in meaning:
                meaning.setdefault(folded(_plain_code(code)), meaning[folded(label)])
        text, reasons = _known_words(text, meaning, reasons)
    reasons[in_ranges(column, numbers_in(column), declared)] = _CODE["user_missing"]
    return Answers(pc.if_else(pa.array(reasons == _VALID), text, None), reasons)


def number_answers(column: pa.Array, declared: Ranges) -> Answers:
    """Read the cells of a plain number; text that is none is an unknown code."""
    number = numbers_in(column)
    reasons = np.where(np.isfinite(number), _VALID, _UNKNOWN).astype(np.int8)
    reasons[is_empty(column, number=True)] = _EMPTY
    reasons[in_ranges(column, number, declared)] = _CODE["user_missing"]
    return Answers(pa.array(np.where(reasons == _VALID, number, np.nan), from_pandas=True), reasons)


def text_answers(column: pa.Array) -> Answers:
    """Read the cells of an identifier: text, whatever it says."""
    text = text_in(column)
    return Answers(text, np.where(text.is_null().to_numpy(zero_copy_only=False), _EMPTY, _VALID).astype(np.int8))


def labelled(column: pa.Array, labels: Mapping[Any, str]) -> pa.Array:
    """Put the file's labels in place of the codes if every code has one, else leave the column alone."""
    if not labels:
        return column
    words = {folded(_plain_code(code)): label for code, label in labels.items()}
    text = text_in(column)
    reasons = np.where(text.is_null().to_numpy(zero_copy_only=False), _EMPTY, _VALID).astype(np.int8)
    named, after = _known_words(text, words, reasons)
    return column if (after == _UNKNOWN).any() else named


def _numbers_and_words(column: pa.Array, scale: Scale) -> tuple[np.ndarray, dict[str, float]]:
    """Read (n,) numbers, where text may be a label, and the words that were read by the number they begin with."""
    number = numbers_in(column)
    odd = np.isnan(number)
    if not is_text(column) or not odd.any():
        return number, {}
    spoken = scale.vocabulary()
    headed = _headed(column.filter(pa.array(odd)), scale, spoken)
    for code, rows in looked_up(column, spoken | {folded(word): level for word, level in headed.items()}):
        number = np.where(rows, code, number)
    return number, headed


def _headed(words: pa.Array, scale: Scale, spoken: Mapping[str, float]) -> dict[str, float]:
    """Find answers that begin with their number ("5.非常满意", "4分"), and the level or missing code each means."""
    unknown = [word for word in words_in(words) if word and folded(word) not in spoken]
    found = {word: _heading(word, scale, spoken) for word in unknown}
    return {word: number for word, number in found.items() if number is not None}


def _heading(word: str, scale: Scale, spoken: Mapping[str, float]) -> float | None:
    """Number at the head of a word, if it is a code of the scale and the rest does not contradict its label."""
    split = _HEADED.fullmatch(unicodedata.normalize("NFKC", word).strip())
    if split is None:
        return None
    number, rest = float(split["number"]), folded(split["rest"])
    within = scale.step is None and scale.low <= number <= scale.high
    if not within and number not in scale.levels and number not in scale.missing:
        return None
    if rest in _POINTS:
        return number
    labels = {folded(text) for text in scale.labels.get(number, {}).values()}
    if labels:
        return number if rest in labels else None
    return None if rest in spoken or _NO_LABEL.search(rest) else number


def _known_words(text: pa.Array, meaning: Mapping[str, str], reasons: np.ndarray) -> tuple[pa.Array, np.ndarray]:
    """Replace words by what they mean; the others are unknown codes."""
    encoded = text.dictionary_encode()
    codes = [meaning.get(folded(word)) for word in encoded.dictionary.to_pylist()]
    known = pa.DictionaryArray.from_arrays(encoded.indices, pa.array([code or "" for code in codes], pa.string()))
    place = encoded.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
    unknown = np.array([code is None for code in codes] + [False])[place]
    return known.dictionary_decode(), np.where(unknown & (reasons == _VALID), _UNKNOWN, reasons).astype(np.int8)


def _nearest_level(number: np.ndarray, scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """Level nearest to each number, and whether the number is that level."""
    if scale.step is None:
        return number, (number >= scale.low) & (number <= scale.high)
    levels = np.array(scale.levels)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.clip(np.rint((number - scale.low) / scale.step), 0, len(levels) - 1)
        level = levels[np.where(np.isnan(steps), 0, steps).astype(int)]
        return level, np.abs(number - level) <= LEVEL_TOLERANCE * scale.step


def in_ranges(column: pa.Array, number: np.ndarray, ranges: Ranges) -> np.ndarray:
    """Mark the cells (n,) whose code the file declares missing, as a number in a range or as a word."""
    inside = np.zeros(len(number), bool)
    for low, high in ranges:
        if isinstance(low, str):
            inside |= pc.equal(text_in(column), low).fill_null(False).to_numpy(zero_copy_only=False)
        else:
            inside |= (number >= low) & (number <= high)
    return inside


def _check_labels(scale: Scale, labels: Mapping[Any, str]) -> None:
    meaning = scale.vocabulary()
    for code, label in labels.items():
        known = meaning.get(folded(str(label)), code)
        if isinstance(code, int | float) and known != code:
            raise DataError(
                f"The file labels code {code:g} {label!r}, but on scale {scale.name!r} that is the label of {known:g}. "
                "One of them is turned round: correct the labels before reading."
            )


def _plain_code(code: Any) -> str:
    return f"{code:.15g}" if isinstance(code, int | float) else str(code)
