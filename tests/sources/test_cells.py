"""Columns of a batch are read in few steps; cell by cell they say what the plain reading of each cell says."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat.questionnaire import Column, Scale
from csat.read.answers import category_answers, number_answers, scaled_answers, text_answers
from csat.read.cells import (
    LEVELS,
    NO_SPAN,
    NUMBERS,
    TEXT,
    WORDS,
    Reading,
    as_kind,
    decoded,
    kind_of_scale,
    span_of,
)
from csat.read.ledger import CELL_REASONS

TEN = Scale("ten", 1, 10, missing={98: "dont_know", 99: "not_used"}, labels={10: {"en": "Very good"}})
HALVES = Scale("halves", 0, 5, step=0.5, missing={-1: "refused"})
EVEN = Scale("even", 0, 10, step=2, missing={-9: "not_asked"})
ANY = Scale("any", 0, 100, step=None, missing={999: "dont_know"})
FAR = Scale("far", 300, 310, missing={1: "refused"})
SCALES = (TEN, HALVES, EVEN, ANY, FAR)
BRAND = Column("brand", "category", {}, {"a": {"en": "First"}, "b": {"en": "Second"}})

INTEGERS = st.lists(st.none() | st.sampled_from([1, 2, 5, 10, 98, 99, 0, 11, -1, 77, 127]), max_size=40)
LARGE = st.lists(st.none() | st.sampled_from([1, 2, 10, 98, 300, 305, 10**6, -(10**6)]), max_size=40)
FLOATS = st.lists(
    st.none() | st.sampled_from([1.0, 2.5, 9.9999999, 10.0, 98.0, 0.5, -1.0, 1e300, float("nan"), float("inf"), -0.0]),
    max_size=40,
)
TEXTS = st.lists(
    st.none() | st.sampled_from(["1", "2.0", " 10", "Very good", "98", "５", "", "NA", "5分", "what", "a", "b "]),
    max_size=40,
)


def reading(read, kind, scale=None):
    span, missing = (NO_SPAN, None) if scale is None else (span_of(scale), scale.missing)
    return Reading("x", kind, read, {}, span, missing)


def agree(column, read, kind, scale=None) -> None:
    """Twice with one memory, whole and as a slice: the same as each cell on its own."""
    fast = reading(read, kind, scale)
    plain = decoded(column)
    for part, cells in ((plain, column), (plain, column), (plain[1:], column[1:])):
        slow = read(part)
        found = fast(cells)
        assert found.values.type == kind
        assert decoded(found.values).to_pylist() == decoded(as_kind(slow.values, kind)).to_pylist()
        assert found.reasons.tolist() == slow.reasons.tolist()
        assert found.counts.tolist() == np.bincount(slow.reasons, minlength=len(CELL_REASONS)).tolist()
        odd, why = found.found()
        assert odd.tolist() == np.flatnonzero(slow.reasons).tolist()
        assert why.tolist() == slow.reasons[odd].tolist()
        assert found.notes == slow.notes


def of_scale(scale):
    return lambda column: scaled_answers(column, scale, (), {})


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.name)
@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int64()], ids=str)
@settings(max_examples=10, deadline=None)
@given(values=INTEGERS)
def test_whole_numbers_of_a_scale(scale, kind, values):
    agree(pa.array(values, kind), of_scale(scale), kind_of_scale(scale), scale)


@pytest.mark.parametrize("scale", SCALES, ids=lambda scale: scale.name)
@settings(max_examples=10, deadline=None)
@given(integers=LARGE, floats=FLOATS, texts=TEXTS)
def test_other_cells_of_a_scale(scale, integers, floats, texts):
    kind = kind_of_scale(scale)
    agree(pa.array(integers, pa.int32()), of_scale(scale), kind, scale)
    agree(pa.array(floats, pa.float64()), of_scale(scale), kind, scale)
    agree(pa.array(texts, pa.string()), of_scale(scale), kind, scale)
    agree(pa.array(texts, pa.string()).dictionary_encode(), of_scale(scale), kind, scale)


@pytest.mark.parametrize("kind", [pa.uint8(), pa.uint64()], ids=str)
def test_numbers_without_sign_and_what_lies_in_the_place_of_a_null(kind):
    column = pa.array(np.array([1, 10, 98, 200, 5]), kind, mask=np.array([0, 0, 0, 0, 1], bool))
    agree(column, of_scale(TEN), LEVELS, TEN)
    hidden = pa.Array.from_buffers(pa.int8(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([3, 98, 98], np.int8))])
    assert hidden.to_pylist() == [3, None, 98]
    agree(hidden, of_scale(TEN), LEVELS, TEN)


@settings(max_examples=15, deadline=None)
@given(integers=LARGE, floats=FLOATS, texts=TEXTS)
def test_numbers_categories_and_text(integers, floats, texts):
    def number(column):
        return number_answers(column, ())

    def category(column):
        return category_answers(column, BRAND, (), {})

    for column in (pa.array(integers, pa.int64()), pa.array(floats, pa.float64()), pa.array(texts, pa.string())):
        agree(column, number, NUMBERS)
        agree(column, category, WORDS)
        agree(column, text_answers, WORDS)
        agree(column, text_answers, TEXT)


def test_words_of_a_dictionary_that_do_not_occur_or_occur_twice():
    words = pa.array(["First", "a", "5分", None, "First"])
    places = pa.array([0, 1, None, 3, 4, 1], pa.int8())
    column = pa.DictionaryArray.from_arrays(places, words)
    agree(column, lambda cells: category_answers(cells, BRAND, (), {}), WORDS)
    agree(column, of_scale(TEN), LEVELS, TEN)
    assert reading(of_scale(TEN), LEVELS, TEN)(column).notes == ()


def test_whole_levels_of_one_byte_stay_where_they_are():
    column = pa.array([1, 10, 5], pa.int8())
    assert reading(of_scale(TEN), LEVELS, TEN)(column).values is column
