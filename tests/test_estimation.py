"""Plain estimates: what they accept, how they are keyed, and what they say to wrong input."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat import estimation as est
from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.questionnaire import Column, Item, Questionnaire, Scale

TEN = Scale("ten", 1, 10, missing={99: "not_used"})
SEVEN = Scale("seven", 1, 7)
SHARE = Scale("share", 0, 100, step=None)
ASKED = Questionnaire(
    "q",
    scales=(TEN, SEVEN, SHARE),
    items=(Item("A", TEN), Item("effort", SEVEN), Item("part", SHARE)),
    columns=(Column("brand", "category", {}, {"mzone": {}, "gotone": {}, "easy": {}}), Column("city", "category")),
)


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "A": [10, 9, 9, 8, 4, 99, 2, 10, 7, 10],
            "effort": [5, 6, 7, 1, 2, 3, 4, 5, 6, 7],
            "part": [0.5, 10, 20, 33.3, 90, 81, 100, 0, 55, None],
            "brand": ["mzone", "gotone"] * 4 + ["easy", None],
            "city": ["x", "x", "x", "x", "x", "y", "y", "y", "y", "y"],
        }
    )


@pytest.fixture
def survey() -> csat.Survey:
    return csat.read_survey(rows(), ASKED)


@pytest.fixture
def plain() -> csat.Survey:
    return csat.read_survey(rows().replace({"A": {99: None}}))


# boxes


def test_top_two_is_the_default_and_the_box_is_named(survey):
    frame = est.box(survey, ["A", "effort"], by="city").tidy()
    assert frame["box"].tolist() == ["9, 10", "6, 7"] * 2
    assert frame["term"].tolist() == ["A", "effort"] * 2
    assert_allclose(frame["estimate"], [3 / 5, 2 / 5, 2 / 4, 2 / 5])
    assert frame["n"].tolist() == [5, 5, 4, 5]


def test_bottom_box_and_chosen_answers(survey):
    assert_allclose(est.box(survey, "A", bottom=4).estimate, 2 / 9)
    easy = est.box(survey, "effort", levels=(5, 6, 7))
    assert (easy.estimate[0], easy.keys["box"]) == (0.6, ("5, 6, 7",))


def test_a_column_without_a_scale_needs_its_answers_named(plain):
    with pytest.raises(SampleError, match=r"scale of 'A' is not known.*levels=\[9, 10\]"):
        est.box(plain, "A")
    assert_allclose(est.box(plain, "A", levels=[9, 10]).estimate, 5 / 9)
    assert_allclose(est.box(plain, "A", levels=[1]).estimate, 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": 2, "bottom": 2}, "one of top=k, bottom=k or levels"),
        ({"top": 10}, "holds 1 to 9 of its 10 answers; 10 were asked"),
        ({"bottom": 0}, "holds 1 to 9 of its 10 answers; 0 were asked"),
        ({"levels": [11]}, "levels of 'A': value=11 is not known; choose one of 1.0, 2.0"),
        ({"interval": "wald"}, "interval='wald' is not known; choose one of 't', 'logit', 'xlogit', 'beta', 'wilson'"),
    ],
)
def test_wrong_boxes(survey, options, message):
    with pytest.raises(OptionError, match=message):
        est.box(survey, "A", **options)


def test_categories_have_no_box_and_no_quantile(survey):
    for method in (est.quantile, est.var, lambda s, name: est.ranktest(s, name, "city")):
        with pytest.raises(SampleError, match="'brand' holds categories such as 'mzone'"):
            method(survey, "brand")


@pytest.mark.parametrize("name", ["effort", "brand", "part"])
def test_the_net_promoter_score_needs_its_scale(survey, name):
    with pytest.raises(SampleError, match=f"needs a 0–10 .* item; '{name}' has the answers"):
        est.nps(survey, name)


def test_the_net_promoter_score_without_a_questionnaire(plain):
    frame = est.nps(plain, "A", by="city").tidy()
    assert_allclose(frame["estimate"], [100 * (3 - 1) / 5, 100 * (2 - 1) / 4])


# intervals


def test_shares_of_everyone_or_nobody_have_an_interval_where_one_exists(survey):
    data = rows().assign(A=10)
    all_of_them = csat.read_survey(data, ASKED)
    for kind in ("beta", "wilson"):
        low, high = est.box(all_of_them, "A", interval=kind).interval
        assert (0.6 < low[0] < 0.8, high[0]) == (True, 1.0)
        low, high = est.box(all_of_them, "A", bottom=2, interval=kind).interval
        assert (low[0], 0.2 < high[0] < 0.4) == (0.0, True)
    for kind in ("logit", "asin"):
        assert np.isnan(est.box(all_of_them, "A", interval=kind).interval).all()


def test_a_share_that_the_design_knows_has_no_spread(survey):
    data = rows().assign(part=1.0)
    source = csat.read_survey(data, design=csat.Design(stratum="city"))
    for kind in ("t", "logit", "beta", "wilson", "asin"):
        found = est.share(source, "city", interval=kind)
        assert_allclose(found.interval, [[0.5, 0.5], [0.5, 0.5]], atol=1e-12)


def test_a_contrast_leaves_other_intervals_behind(survey):
    shares = est.share(survey, "brand", interval="beta")
    assert shares.bounds is not None
    contrast = shares.contrast(np.array([[1.0, -1.0, 0.0]]), ["mzone − gotone"])
    low, high = contrast.interval
    assert contrast.bounds is None
    assert_allclose((low + high) / 2, contrast.estimate)


def test_a_group_that_answered_once_or_never(survey):
    data = rows()
    data.loc[data["city"] == "y", "A"] = [99, 99, 99, 99, 5]
    found = est.box(csat.read_survey(data, ASKED), "A", by="city", interval="beta").tidy().iloc[1]
    assert found["n"] == 1
    assert found[["se", "low", "high"]].isna().all()
    assert found["note"] == "only one valid answer: no variance"
    data.loc[data["city"] == "y", "A"] = 99
    never = csat.read_survey(data, ASKED)
    for frame in (
        est.quantile(never, "A", by="city").tidy().iloc[3:],
        est.sd(never, "A", by="city").tidy().iloc[1:],
        est.box(never, "A", by="city", interval="wilson").tidy().iloc[1:],
    ):
        assert frame[["estimate", "se", "low", "high"]].isna().all(axis=None)
        assert (frame["note"] == "no valid answers").all()


# quantiles


def test_quantiles_are_keyed_by_probability(survey):
    frame = est.quantile(survey, "A", (0.5, 0.9), by="city").tidy()
    assert frame["q"].tolist() == [0.5, 0.9, 0.5, 0.9]
    assert frame["estimate"].tolist() == [9, 10, 7, 10]
    assert est.quantile(survey, "A", 0.5, rule="school").estimate[0] == 9
    assert est.quantile(survey, "effort", 0.5, rule="hf7").estimate[0] == 5


def test_continuous_items_have_quantiles(survey):
    assert est.quantile(survey, "part", 0.5).estimate[0] == 33.3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"q": 50}, "q=50: probabilities lie between 0 and 1, e.g. q=0.5 for the median"),
        ({"q": ()}, "probabilities lie between"),
        ({"rule": "shahvaish"}, "rule='shahvaish' is not known; choose one of 'math', 'school', 'hf1'"),
        ({"ties": "mean"}, "ties='mean' is not known; choose one of 'weight', 'rows'"),
        ({"interval": "score"}, "interval='score' is not known"),
    ],
)
def test_wrong_quantiles(survey, options, message):
    with pytest.raises(OptionError, match=message):
        est.quantile(survey, "A", **options)


def test_a_summary_says_that_it_has_no_rows(survey):
    groups = survey.groups(["A"])
    for method in (est.quantile, est.sd, lambda s, name: est.box(s, name, levels=[1])):
        with pytest.raises(SampleError, match="needs the respondents' rows"):
            method(csat.from_covariance([[1.0]], n=9, names=["A"]), "A")
    with pytest.raises(SampleError, match="needs the respondents' rows"):
        est.quantile(groups, "A")


def test_equal_answers_have_no_spread_of_their_spread():
    same = csat.read_survey(pd.DataFrame({"x": [4.0] * 6}))
    assert est.var(same, "x").estimate[0] == 0
    found = est.sd(same, "x")
    assert found.estimate[0] == 0 and np.isnan(found.se[0])


# tests between groups


def test_differences_are_keyed_by_group(survey):
    found = est.difference(survey, "A", "brand", against="gotone")
    frame = found.tidy()
    assert (frame["brand"].tolist(), set(frame["against"])) == (["mzone"], {"gotone"})
    assert found.groups.unavailable[2].reason == "one_answer"  # easy has one answer, and takes no part
    assert found.test.df == 1
    assert found.glance()["against"].tolist() == ["gotone"]
    assert "Difference: 1 rows" in repr(found)
    two = est.difference(survey, "effort", ["brand", "city"])
    assert two.against == "mzone × x"


def test_too_few_units_for_the_groups_give_no_test(survey):
    data = rows().assign(hall=list("aabbaabbab"), g=list("pqrspqrspq"))
    found = est.difference(csat.read_survey(data, design=csat.Design(psu="hall")), "effort", "g")
    assert np.isnan([found.test.statistic, found.test.p]).all()
    assert np.isfinite(found.estimates.estimate).all()


def test_wrong_comparisons(survey):
    for method in (est.difference, est.ranktest):
        with pytest.raises(UnknownColumnError, match="No group 'easy' with two answers in brand; there are 'mzone'"):
            method(survey, "A", "brand", against="easy")
        with pytest.raises(OptionError, match="needs by="):
            method(survey, "A", None)
        with pytest.raises(SampleError, match="'A' needs two groups with at least two answers each; 1 of 1"):
            method(survey.where(city="x"), "A", "city")
    with pytest.raises(OptionError, match="kind='sign' is not known; choose one of 'wilcoxon', 'kruskal'"):
        est.ranktest(survey, "A", "city", kind="sign")


def test_a_rank_test_without_answers(survey):
    with pytest.raises(SampleError, match="A rank test of 'A' needs at least 2"):
        est.ranktest(csat.read_survey(rows().assign(A=99), ASKED), "A", "city")


# cross tables


def test_a_cross_table_shows_its_counts(survey):
    found = est.crosstab(survey, "city", "brand")
    assert found.rows == ("x", "y")
    assert found.columns == ("mzone", "gotone", "easy")
    assert found.counts.tolist() == [[3, 2, 0], [1, 2, 1]]
    frame = found.tidy()
    assert list(frame.columns[:3]) == ["term", "city", "brand"]
    assert_allclose(frame["estimate"], [0.6, 0.4, 0, 0.25, 0.5, 0.25])
    assert frame["n"].tolist() == [5, 5, 5, 4, 4, 4]
    assert_allclose(est.crosstab(survey, "city", "brand", base="total").shares.estimate.sum(), 1)
    assert_allclose(est.crosstab(survey, "city", "brand", base="column").shares.estimate.reshape(2, 3).sum(axis=0), 1)
    assert found.glance()["n"].tolist() == [9]


def test_items_can_be_crossed(survey):
    found = est.crosstab(survey, "brand", "A")
    assert found.columns == (2.0, 4.0, 7.0, 8.0, 9.0, 10.0)
    assert found.rows == ("mzone", "gotone", "easy")


def test_wrong_tables(survey):
    with pytest.raises(OptionError, match="base='cell' is not known; choose one of 'row', 'column', 'total'"):
        est.crosstab(survey, "city", "brand", base="cell")
    with pytest.raises(SampleError, match="'city' has 1 and 'brand' 2 among those who answered both"):
        est.crosstab(survey.where(city="x"), "city", "brand")
