"""Trends: periods, levels, changes with their covariance, noise bands, and the split into mix and real change."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.trends.periods import in_order, start_of, within

STUDY = """
[study]
name = "tiny"
index = "all"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
[dimensions.all]
children = { a = 0.6, b = 0.4 }
[columns.quarter]
kind = "category"
[columns.brand]
kind = "category"
[columns.person]
kind = "category"
"""


@pytest.fixture
def asked(study):
    return study(STUDY)


@pytest.fixture
def data(rng):
    n = 600
    quarter = np.repeat(["2025Q4", "2026Q1", "2026Q2"], n // 3)
    brand = np.where(rng.random(n) < np.where(quarter == "2026Q2", 0.7, 0.4), "g", "e")
    base = np.where(brand == "g", 7.5, 5.5) + np.where(quarter == "2026Q1", 0.8, 0.0)
    a = np.clip(np.round(base + rng.normal(0, 1.2, n)), 1, 10)
    b = np.clip(np.round(a + rng.normal(0, 1, n)), 1, 10)
    b[rng.random(n) < 0.1] = np.nan
    return pd.DataFrame(
        {"a": a, "b": b, "quarter": quarter, "brand": brand, "person": (np.arange(n) % 200).astype(str)}
    )


def test_levels_are_the_index_of_each_period(asked, data):
    source = csat.read_survey(data, asked)
    trend = csat.trend(source, "quarter", by="brand")
    index = csat.index(source, by=["brand", "quarter"])
    both = trend.tidy().merge(index.tidy(), left_on=["brand", "period", "term"], right_on=["brand", "quarter", "term"])
    assert len(both) == len(trend.tidy()) == 18
    assert_allclose(both["estimate_x"], both["estimate_y"])
    assert_allclose(both["se_x"], both["se_y"], rtol=1e-9)


def test_changes_are_contrasts_of_levels(asked, data):
    frame = csat.trend(csat.read_survey(data, asked), "quarter", nodes=["all"]).tidy().set_index("period")
    assert frame.loc["2025Q4", "since"] == ""
    assert frame.loc["2026Q1", "since"] == "2025Q4"
    assert_allclose(frame.loc["2026Q1", "change"], frame.loc["2026Q1", "estimate"] - frame.loc["2025Q4", "estimate"])
    assert_allclose(
        frame.loc["2026Q1", "change_se"] ** 2,
        frame.loc["2026Q1", "se"] ** 2 + frame.loc["2025Q4", "se"] ** 2,
        rtol=0.01,
    )
    assert frame.loc["2026Q1", "verdict"] == "up"
    assert frame.loc["2026Q1", "noise"] < frame.loc["2026Q1", "change"]


def test_a_panel_makes_changes_surer(asked, rng):
    """The same people in both quarters: the change is the paired t test."""
    n = 150
    first = np.clip(np.round(rng.normal(6, 1.5, n)), 1, 10)
    second = np.clip(np.round(first + rng.normal(0.3, 0.7, n)), 1, 10)
    data = pd.DataFrame(
        {"a": np.r_[first, second], "quarter": ["2026Q1"] * n + ["2026Q2"] * n, "person": list(map(str, range(n))) * 2}
    )
    data["b"], data["brand"] = data["a"], "g"
    source = csat.read_survey(data, asked, design=csat.Design(psu="person"))
    change = csat.trend(source, "quarter", nodes=["a"]).changes
    difference = (second - first) / 9 * 100
    assert_allclose(change.se[0], difference.std(ddof=1) / np.sqrt(n), rtol=1e-10)


def test_joined_periods_pool_their_respondents(asked, data):
    source = csat.read_survey(data, asked)
    frame = csat.trend(source, "quarter", every="year", nodes=["all", "a"]).tidy().set_index(["period", "term"])
    pooled = csat.index(source.where(quarter=["2026Q1", "2026Q2"]), nodes=["all", "a"]).tidy().set_index("term")
    for node in ("all", "a"):
        assert_allclose(frame.loc[("2026", node), "estimate"], pooled.loc[node, "estimate"])
        assert_allclose(frame.loc[("2026", node), "se"], pooled.loc[node, "se"], rtol=1e-9)


@pytest.mark.parametrize(("since", "expected"), [("2025Q4", ["2025Q4", "2025Q4"]), ("previous", ["2025Q4", "2026Q1"])])
def test_changes_since(asked, data, since, expected):
    frame = csat.trend(csat.read_survey(data, asked), "quarter", nodes=["all"], since=since).tidy()
    assert frame["since"].tolist() == ["", *expected]


def test_the_same_quarter_of_last_year(asked, data):
    data["quarter"] = data["quarter"].replace({"2026Q2": "2026Q4"})
    frame = csat.trend(csat.read_survey(data, asked), "quarter", nodes=["all"], since="year").tidy()
    assert frame["since"].tolist() == ["", "", "2025Q4"]


def test_mix_and_real_change_sum_to_the_change(asked, data):
    source = csat.read_survey(data, asked)
    split = csat.split_change(source, "quarter", "2025Q4", "2026Q2", "brand").tidy().set_index(["part", "term"])
    change = csat.trend(source, "quarter", since="2025Q4").changes.tidy().set_index(["period", "term"])
    for node in ("all", "a", "b"):
        assert_allclose(
            split.loc[("mix", node), "estimate"] + split.loc[("real", node), "estimate"],
            split.loc[("change", node), "estimate"],
        )
        assert_allclose(split.loc[("change", node), "estimate"], change.loc[("2026Q2", node), "estimate"], rtol=1e-10)
        assert_allclose(split.loc[("change", node), "se"], change.loc[("2026Q2", node), "se"], rtol=1e-7)


def test_both_accounts_of_a_change_have_one_interval(asked, data):
    """Units of the part looked at count, not those of the whole sample."""
    data["city"], data["hall"] = np.where(data["brand"] == "g", "north", "south"), np.arange(len(data)) % 7
    source = csat.read_survey(data, asked, design=csat.Design(stratum="city", psu="hall")).where(city="north")
    split = csat.split_change(source, "quarter", "2025Q4", "2026Q2", "brand").tidy()
    change = csat.trend(source, "quarter", since="2025Q4").changes.tidy()
    split, change = split[split["part"] == "change"], change[change["period"] == "2026Q2"]
    for column in ("df", "low", "high", "p"):
        assert_allclose(split[column], change[column], rtol=1e-7, err_msg=column)
    assert (split["df"] == 6).all()


def test_a_pure_mix_change_is_all_mix(asked):
    """Nobody changes the mind, but g customers double: everything is mix, by hand."""
    rows = [("2026Q1", "g", 9)] * 20 + [("2026Q1", "e", 5)] * 60 + [("2026Q2", "g", 9)] * 40 + [("2026Q2", "e", 5)] * 40
    rows += [("2026Q1", "g", 8), ("2026Q1", "e", 6), ("2026Q2", "g", 8), ("2026Q2", "e", 6)]
    data = pd.DataFrame(rows, columns=["quarter", "brand", "a"]).assign(b=lambda d: d["a"], person="p")
    split = csat.split_change(csat.read_survey(data, asked), "quarter", "2026Q1", "2026Q2", "brand", nodes=["a"]).tidy()
    parts = split.set_index("part")["estimate"]
    weighted = {q: data[data["quarter"] == q].groupby("brand")["a"].agg(["mean", "size"]) for q in ("2026Q1", "2026Q2")}
    share = {q: weighted[q]["size"] / weighted[q]["size"].sum() for q in weighted}
    middle = (weighted["2026Q1"]["mean"] + weighted["2026Q2"]["mean"]) / 2
    assert_allclose(parts["mix"], ((share["2026Q2"] - share["2026Q1"]) * middle).sum() / 9 * 100, rtol=1e-10)
    assert abs(parts["real"]) < abs(parts["mix"]) / 20


@pytest.mark.parametrize(
    ("label", "start"),
    [
        *(("2026Q3", (24318, 3)), ("2026-q3", (24318, 3)), ("2026年三季度", (24318, 3))),
        *(("2026年第3季度", (24318, 3)), ("2026H2", (24318, 6)), ("2026-07", (24318, 1)), ("202607", (24318, 1))),
        *(("2026年7月", (24318, 1)), ("2026-07-15", (24318, 1)), ("2026", (24312, 12))),
    ],
)
def test_periods_are_read(label, start):
    assert start_of(label) == start


def test_periods_are_ordered_and_joined():
    assert in_order(["2026Q2", "2025Q4", "2026Q1"]) == ["2025Q4", "2026Q1", "2026Q2"]
    assert in_order(["before", "after"]) == ["before", "after"]
    assert [within("2026-05", every) for every in ("month", "quarter", "half", "year")] == [
        "2026-05",
        "2026Q2",
        "2026H1",
        "2026",
    ]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: csat.trend(s, "quarter", every="week"), "every='week' is not known"),
        (lambda s: csat.trend(s, "quarter", every="month"), "'2025Q4' is longer than that"),
        (lambda s: csat.trend(s, "brand", every="year"), "'e' is not a period that csat can read|'g' is not a period"),
        (lambda s: csat.trend(s, "quarter", since="2020Q1"), "since='2020Q1' is no period"),
        (lambda s: csat.split_change(s, "quarter", "2020Q1", "2026Q1", "brand"), "No period '2020Q1'"),
        (lambda s: csat.split_change(s, "quarter", "2025Q4", "2026Q1", []), "mix needs one or more columns"),
    ],
)
def test_wrong_calls_say_what_to_do(asked, data, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(csat.read_survey(data, asked))


def test_a_group_that_vanishes_is_named(asked, data):
    data = data[~((data["quarter"] == "2026Q2") & (data["brand"] == "e"))]
    with pytest.raises(csat.CsatError, match="Group e has answers in 2025Q4 but not to every item in 2026Q2"):
        csat.split_change(csat.read_survey(data, asked), "quarter", "2025Q4", "2026Q2", "brand")


def test_a_stratum_that_vanishes_in_one_quarter_contributes_nothing_to_it(asked, data):
    """Variance by hand: the stratum without respondents in the quarter adds nothing to it."""
    data["stratum"] = np.where(np.arange(len(data)) % 2 == 0, "north", "south")
    data = data[~((data["quarter"] == "2026Q2") & (data["stratum"] == "south"))]
    source = csat.read_survey(data, asked, design=csat.Design(stratum="stratum"))
    frame = csat.trend(source, "quarter", nodes=["a"]).tidy().set_index("period")
    here = data["quarter"] == "2026Q2"
    u = np.where(here, (data["a"] - data.loc[here, "a"].mean()) / here.sum(), 0.0) / 9 * 100
    variance = 0.0
    for _, rows in data.assign(u=u).groupby("stratum"):
        variance += len(rows) / (len(rows) - 1) * ((rows["u"] - rows["u"].mean()) ** 2).sum()
    assert_allclose(frame.loc["2026Q2", "se"] ** 2, variance, rtol=1e-9)
    assert frame.loc["2026Q2", "df"] == here.sum() - 1
    assert frame.loc["2026Q2", "verdict"] in {"up", "down", "within noise"}
