"""The index tree and gaps: hand-computed cases, bases, groups, and what cannot be computed."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat

STUDY = """
[study]
name = "tiny"
index = "all"
[scales.ten]
low = 1
high = 10
missing = { 98 = "dont_know" }
[scales.five]
low = 1
high = 5
conversion = "grade"
scores = { 1 = 0, 2 = 30, 3 = 60, 4 = 90, 5 = 100 }
[items]
a = { scale = "ten" }
b = { scale = "ten" }
c = { scale = "five" }
[dimensions.all]
children = { service = 0.7, image = 0.3 }
[dimensions.service]
children = ["a", "b"]
[dimensions.image]
children = ["c"]
[columns.brand]
kind = "category"
[columns.w]
kind = "number"
[design]
weight = "w"
"""


@pytest.fixture
def asked(study):
    return study(STUDY)


@pytest.fixture
def data():
    return pd.DataFrame(
        {
            "a": [1, 10, 4, 98, 7, 7],
            "b": [10, 10, 1, 1, 98, 4],
            "c": [1, 2, 3, 4, 5, 5],
            "w": [1, 1, 2, 1, 1, 3],
            "brand": ["g", "g", "g", "e", "e", "e"],
        }
    )


def test_every_node_by_hand(asked, data):
    frame = csat.index(csat.read_survey(data, asked)).tidy().set_index("term")
    a = (np.average([1, 10, 4, 7, 7], weights=[1, 1, 2, 1, 3]) - 1) / 9 * 100
    b = (np.average([10, 10, 1, 1, 4], weights=[1, 1, 2, 1, 3]) - 1) / 9 * 100
    c = np.average([0, 30, 60, 90, 100, 100], weights=[1, 1, 2, 1, 1, 3])
    assert_allclose(frame["estimate"][["a", "b", "c"]], [a, b, c], rtol=1e-12)
    assert_allclose(frame["estimate"]["service"], (a + b) / 2, rtol=1e-12)
    assert_allclose(frame["estimate"]["all"], 0.7 * (a + b) / 2 + 0.3 * c, rtol=1e-12)
    assert frame["n"][["a", "b", "c", "service", "all"]].tolist() == [5, 5, 6, 5, 5]
    assert frame.loc["all", "kind"] == "index"
    assert list(frame.index) == ["all", "service", "a", "b", "image", "c"]


def test_the_error_of_a_node_is_that_of_its_scored_rows(asked, rng):
    """With complete answers a node is a plain mean of row scores: its error is the textbook one."""
    n = 150
    data = pd.DataFrame(
        {
            "a": rng.integers(1, 11, n),
            "b": rng.integers(1, 11, n),
            "c": rng.integers(1, 6, n),
            "w": np.ones(n),
            "brand": "g",
        }
    )
    frame = csat.index(csat.read_survey(data, asked)).tidy().set_index("term")
    score = np.array([np.nan, 0, 30, 60, 90, 100])[data["c"]]
    rows = 0.7 * ((data["a"] - 1) + (data["b"] - 1)) / 2 / 9 * 100 + 0.3 * score
    assert_allclose(frame.loc["all", "estimate"], rows.mean(), rtol=1e-12)
    assert_allclose(frame.loc["all", "se"], rows.std() / np.sqrt(n), rtol=1e-12)
    assert_allclose(frame.loc["all", "n_eff"], n, rtol=1e-9)
    assert_allclose(frame.loc["c", "sd"], score.std(ddof=1), rtol=1e-12)
    assert np.isnan(frame.loc["all", "sd"])


def test_groups_and_their_gap_share_one_covariance(asked, data):
    source = csat.read_survey(data, asked)
    index = csat.index(source, by="brand", nodes=["all", "a"])
    gap = csat.gaps(source, by="brand", against="e", nodes=["all", "a"]).tidy().set_index("term")
    by_brand = index.tidy().set_index(["brand", "term"])
    for node in ("all", "a"):
        assert_allclose(gap.loc[node, "own"], by_brand.loc[("g", node), "estimate"])
        assert_allclose(gap.loc[node, "peer"], by_brand.loc[("e", node), "estimate"])
        assert_allclose(gap.loc[node, "estimate"], gap.loc[node, "own"] - gap.loc[node, "peer"])
    cov = index.estimates.vcov
    assert_allclose(gap.loc["all", "se"] ** 2, cov[0, 0] + cov[2, 2] - 2 * cov[0, 2])
    assert gap.loc["a", ["n", "n_peer"]].tolist() == [2, 3] or gap.loc["a", ["n", "n_peer"]].tolist() == [3, 2]


def test_one_answer_has_a_score_but_no_error(asked, data):
    data.loc[[3, 4], "a"] = 98
    frame = csat.index(csat.read_survey(data, asked), by="brand").tidy().set_index(["brand", "term"])
    row = frame.loc[("e", "a")]
    assert_allclose(row["estimate"], (7 - 1) / 9 * 100)
    assert np.isnan(row["se"])
    assert row["note"] == "only one valid answer: no variance"
    assert np.isnan(frame.loc[("e", "all"), "se"])


def test_no_answers_have_a_reason(asked, data):
    data.loc[data["brand"] == "e", "a"] = 98
    frame = csat.index(csat.read_survey(data, asked), by="brand").tidy().set_index(["brand", "term"])
    assert frame.loc[("e", "a"), "note"] == "no valid answers"
    assert np.isnan(frame.loc[("e", "all"), "estimate"])
    assert np.isfinite(frame.loc[("e", "b"), "estimate"])
    gap = csat.gaps(csat.read_survey(data, asked), by="brand", against="g").tidy().set_index("term")
    assert np.isnan(gap.loc["a", "estimate"])
    assert gap.loc["a", "note"] == "no valid answers"


def test_respondents_without_a_group_are_counted(asked, data):
    data.loc[0, "brand"] = None
    got = csat.index(csat.read_survey(data, asked), by="brand")
    assert got.glance()["ungrouped"][0] == 1
    assert set(got.tidy()["brand"]) == {"g", "e"}


def test_indices_stay_within_0_and_100(asked):
    data = pd.DataFrame({"a": [10, 10], "b": [10, 10], "c": [5, 5], "w": [1, 2], "brand": ["g", "g"]})
    assert_allclose(csat.index(csat.read_survey(data, asked)).estimates.estimate, 100)
    data[["a", "b", "c"]] = 1
    assert_allclose(csat.index(csat.read_survey(data, asked)).estimates.estimate, 0, atol=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: csat.index(s, by="band"), "No column 'band'.*Did you mean 'brand'"),
        (lambda s: csat.index(s, nodes=["al"]), "al.*Did you mean"),
        (lambda s: csat.index(s, level=95), "level=95: the confidence level lies between 0 and 1"),
        (lambda s: csat.gaps(s, by="brand", against="x"), "No group 'x' in column 'brand'; its groups are 'e', 'g'"),
        (lambda s: csat.gaps(s, by="brand", against="g", own="g"), "has no gap to itself"),
        (lambda s: csat.gaps(s, against="g"), "needs by="),
        (lambda s: csat.gaps(s, by="brand", against="g", weights={"a": 1}), "for published tables"),
    ],
)
def test_wrong_calls_say_what_to_do(asked, data, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(csat.read_survey(data, asked))


def test_a_source_without_a_tree_is_told_so(data):
    with pytest.raises(csat.CsatError, match="index tree is not known"):
        csat.index(csat.read_survey(data))
