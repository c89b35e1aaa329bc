"""Laws of summaries: parts add up to the whole in any order, and rolling up commutes with adding."""

from functools import reduce
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import csat
from csat.moments import Summary

CITIES = {f"hall {i}": f"city {i % 3}" for i in range(7)}
PROVINCES = {"city 0": "north", "city 1": "north", "city 2": "south"}
DESIGNS = (
    {},
    {"weight": "w", "stratum": "st"},
    {"weight": "w", "stratum": "st", "psu": "psu"},
    {"psu": "psu", "replication": csat.Replication("JK1")},
)
SETS = {"both": ["a", "b"]}


def frame(seed: int, n: int = 90) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({name: rng.integers(1, 6, n).astype(float) for name in "ab"})
    data = data.mask(rng.random(data.shape) < 0.1)
    data["a"] = data["a"].fillna(1).where(rng.random(n) > 0.1)
    data["hall"] = rng.choice(list(CITIES), n)
    data["w"], data["st"] = rng.uniform(0.3, 3.0, n), rng.choice(["s1", "s2"], n)
    data["psu"] = rng.integers(0, 12, n).astype(str)
    return data


def summary_of(data: pd.DataFrame, design: dict, by: str = "hall") -> Summary:
    return csat.summarise(
        csat.read_survey(data, design=csat.Design(**design)), ["a", "b"], by, sets=SETS, levels=["a", "b"]
    )


def figures(summary: Summary, by: str = "hall") -> list[csat.Estimates]:
    """What the summary says: means, shares and complete answers, with their errors."""
    return [
        csat.mean(summary, ["a", "b"], by=by),
        csat.mean(summary, ["a", "b"], by=by, rule="listwise"),
        csat.share(summary, "a", by=by),
    ]


def assert_says_the_same(one: Summary, other: Summary, by: str = "hall") -> None:
    counts, others = (source.levels(["a", "b"], [by]) for source in (one, other))
    assert (counts.domains, counts.levels) == (others.domains, others.levels)
    assert all(np.array_equal(x, y) for x, y in zip(counts.unweighted, others.unweighted, strict=True))
    for x, y in zip(figures(one, by), figures(other, by), strict=True):
        assert x.keys == y.keys
        assert_allclose(y.estimate, x.estimate, rtol=1e-9, atol=1e-12)
        assert_allclose(y.vcov, x.vcov, rtol=1e-8, atol=1e-10)
        assert np.array_equal(x.n, y.n)
        assert_allclose(y.n_eff, x.n_eff, rtol=1e-6)
        assert_allclose(y.df, x.df)


seeds = st.integers(0, 10**6)


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@settings(max_examples=12, deadline=None)
@given(
    seed=seeds, cuts=st.lists(st.integers(5, 85), min_size=1, max_size=3, unique=True), design=st.sampled_from(DESIGNS)
)
def test_files_added_one_by_one_are_all_files_at_once(seed, cuts, design):
    data = frame(seed)
    whole = summary_of(data, design)
    edges = [0, *sorted(cuts), len(data)]
    parts = [summary_of(data[start:end], design) for start, end in pairwise(edges)]
    assert_says_the_same(whole, reduce(Summary.__add__, parts))
    assert_says_the_same(whole, reduce(Summary.__add__, parts[::-1]))


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@settings(max_examples=12, deadline=None)
@given(seed=seeds, cut=st.integers(20, 70), design=st.sampled_from(DESIGNS))
def test_rolling_up_the_parts_is_the_parts_rolled_up(seed, cut, design):
    data = frame(seed)
    parts = [summary_of(part, design) for part in (data[:cut], data[cut:])]

    def up(summary: Summary) -> Summary:
        return summary.rolled("hall", CITIES, "city").rolled("city", PROVINCES, "province")

    first, last = up(parts[0] + parts[1]), up(parts[0]) + up(parts[1])
    assert_says_the_same(first, last, "province")
    provinces = data.assign(province=data["hall"].map(CITIES).map(PROVINCES))
    assert_says_the_same(summary_of(provinces, design, "province"), first, "province")


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@settings(max_examples=8, deadline=None)
@given(seed=seeds, design=st.sampled_from(DESIGNS[2:]))
def test_the_nation_is_the_same_from_every_level(seed, design):
    halls = summary_of(frame(seed), design)
    cities = halls.rolled("hall", CITIES, "city")
    for one, other in zip(
        (csat.mean(halls, ["a", "b"]), csat.share(halls, "b")),
        (csat.mean(cities, ["a", "b"]), csat.share(cities, "b")),
        strict=True,
    ):
        assert_allclose(other.estimate, one.estimate, rtol=1e-12)
        assert_allclose(other.vcov, one.vcov, rtol=1e-9, atol=1e-14)


@pytest.mark.filterwarnings("ignore::csat.CsatWarning")
@settings(max_examples=8, deadline=None)
@given(seed=seeds, design=st.sampled_from(DESIGNS))
def test_a_file_says_what_was_saved(seed, design, tmp_path_factory):
    summary = summary_of(frame(seed), design)
    path = tmp_path_factory.mktemp("laws") / "s.parquet"
    summary.save(path, allow_small=True)
    assert_says_the_same(summary, csat.load_summary(path))
