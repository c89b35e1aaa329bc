"""Order and groups that follow from ids: published hash values, types of ids, spread, and words of errors."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

import csat
from csat.design import Replication
from csat.replicates import row_hash, unit_of_row
from csat.replicates.hashing import STEP, _fnv, _mixed
from csat.survey import rows as survey_rows


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


STUDY = """
[study]
name = "ids"
[scales.ten]
low = 1
high = 10
[items]
x = { scale = "ten" }
[columns.id]
kind = "id"
"""


@pytest.fixture
def rows():
    rng = np.random.default_rng(7)
    return pd.DataFrame({"id": [f"r{i:03}" for i in range(400)], "x": rng.integers(1, 11, 400).astype(float)}).assign(
        stratum=rng.choice(["s", "t"], 400)
    )


@pytest.mark.parametrize("most", [20_000, 100])
@pytest.mark.parametrize("kind", ["bootstrap", "subbootstrap", "JKn"])
def test_the_order_of_respondents_does_not_change_what_is_drawn(study, rows, monkeypatch, most, kind):
    """Respondents one by one (up to `most`) and random groups of them follow from the id, not from the place."""
    monkeypatch.setattr(survey_rows, "DRAWN_ROWS", most)
    monkeypatch.setattr(survey_rows, "RANDOM_GROUPS", 30)
    design, asked = csat.Design(stratum="stratum"), study(STUDY)

    def vcov(data):
        source = csat.read_survey(data, asked, design=design)
        return csat.mean(source.replicated(Replication(kind, size=40)), "x").vcov

    first = vcov(rows)
    for seed in (1, 2):
        assert_allclose(vcov(rows.sample(frac=1, random_state=seed)), first, rtol=1e-10)
    if kind == "bootstrap":
        assert vcov(rows.assign(id=rows["id"].str.replace("r", "other"), x=rows["x"].to_numpy()[::-1])) != first


def test_declared_replicates_of_respondents_are_drawn_by_id(study, rows):
    design = csat.Design(replication=Replication("bootstrap", size=40))
    named = csat.Design(psu="person", replication=Replication("bootstrap", size=40))
    data = rows.assign(person=rows["id"]).sample(frac=1, random_state=3)
    by_id, by_unit = (csat.mean(csat.read_survey(data, study(STUDY), design=d), "x").se for d in (design, named))
    assert_allclose(by_id, by_unit, rtol=1e-10)


def test_empty_ids_give_way_to_rows(study, rows, monkeypatch):
    monkeypatch.setattr(survey_rows, "DRAWN_ROWS", 100)
    some = rows.assign(id=rows["id"].where(np.arange(400) % 5 > 0))
    got = csat.mean(csat.read_survey(some, study(STUDY)).replicated(Replication("bootstrap", size=400)), "x")
    assert_allclose(got.se, rows["x"].std() / np.sqrt(400), rtol=0.15)


def test_too_many_factors_are_refused(rows, monkeypatch):
    monkeypatch.setattr("csat.reduce.MOST_FACTORS", 15_000)
    source = csat.read_survey(rows, design=csat.Design(replication=Replication("bootstrap", size=40)))
    with pytest.raises(csat.CsatError, match="40 replicates of 400 respondents, drawn one by one"):
        csat.mean(source, "x")
