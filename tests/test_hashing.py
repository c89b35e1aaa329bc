"""Order and groups that follow from ids: published hash values, types of ids, spread, and words of errors."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

import csat
from csat.replicates import row_hash, unit_of_row
from csat.replicates.hashing import STEP, _fnv, _mixed


def test_published_hash_values():
    """Test vectors of draft-eastlake-fnv (appendix C, 64 bits); first output of SplitMix64 with seed 0."""
    got = _fnv(pa.array(["", "a", "b", "foobar"]))
    assert [hex(value) for value in got.tolist()] == [
        "0xcbf29ce484222325", "0xaf63dc4c8601ec8c", "0xaf63df4c8601f1a5", "0x85944171f73967e8",
    ]  # fmt: skip
    with np.errstate(over="ignore"):
        assert _mixed(np.array([STEP])).tolist() == [0xE220A8397B1DCDAF]


@given(st.lists(st.integers(-(2**53) + 1, 2**53 - 1), min_size=1, max_size=30), st.integers(0, 2**40))
def test_an_id_has_one_hash_whatever_its_type(ids, seed):
    texts = pa.array([str(i) for i in ids])
    expected = row_hash(texts, seed)
    same = (
        pa.array(ids, pa.int64()),
        pa.array(ids, pa.float64()),
        pa.array([Decimal(i) for i in ids], pa.decimal128(18, 0)),
        pa.array([Decimal(i) for i in ids], pa.decimal128(25, 4)),
        texts.cast(pa.large_string()),
        texts.dictionary_encode(),
        pa.concat_arrays([pa.array(["before"]), texts]).slice(1),
    )
    for other in same:
        assert_array_equal(row_hash(other, seed), expected)


def test_fractions_are_no_whole_numbers():
    assert_array_equal(row_hash(pa.array([1.5])), row_hash(pa.array(["1.5"])))
    assert_array_equal(row_hash(pa.array([Decimal("1.50")])), row_hash(pa.array(["1.5"])))
    assert row_hash(pa.array([1.5]))[0] != row_hash(pa.array([1]))[0]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=40), st.randoms())
def test_the_order_of_rows_and_the_size_of_batches_do_not_matter(ids, random):
    whole = dict(zip(ids, row_hash(pa.array(ids)).tolist(), strict=True))
    random.shuffle(ids)
    parts = [row_hash(pa.array(ids[i : i + 3])) for i in range(0, len(ids), 3)]
    assert np.concatenate(parts).tolist() == [whole[i] for i in ids]


def test_long_columns_are_cut_without_loss(monkeypatch):
    ids = pa.array([f"r{i}" * (i % 4) for i in range(1000)])
    whole = row_hash(ids)
    monkeypatch.setattr("csat.replicates.hashing.ROWS", 7)
    assert_array_equal(row_hash(ids), whole)


@pytest.mark.parametrize("seed", [1, 2])
def test_groups_are_as_even_as_chance_makes_them(seed):
    found = np.bincount(unit_of_row(pa.array(np.arange(200_000)), 500, seed), minlength=500)
    assert stats.chisquare(found).pvalue > 1e-4
    assert found.std() > 0.8 * np.sqrt(400)


def test_seeds_give_groups_that_have_nothing_to_do_with_one_another():
    ids = pa.array(np.arange(100_000))
    table = np.histogram2d(unit_of_row(ids, 20, 1), unit_of_row(ids, 20, 2), bins=20)[0]
    assert stats.chi2_contingency(table).pvalue > 1e-4


def test_a_missing_id_is_counted():
    with pytest.raises(csat.CsatError, match=r"2 of 3 respondents have no id: .* Fill the column in, or name sampling"):
        row_hash(pa.array(["a", None, None]))
