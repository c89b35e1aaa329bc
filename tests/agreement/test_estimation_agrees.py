"""Plain estimates that must agree with each other, with numpy and with scipy."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

import csat
from csat import estimation as est
from csat.design import Replication
from csat.estimation.intervals import INTERVALS, share_bounds
from csat.moments import Recode

DESIGN = csat.Design(weight="w", stratum="st", psu="psu")
#: Our name of a rule → numpy's.
NUMPY_RULES = {
    "math": "inverted_cdf",
    "school": "averaged_inverted_cdf",
    "hf4": "interpolated_inverted_cdf",
    "hf5": "hazen",
    "hf6": "weibull",
    "hf7": "linear",
    "hf8": "median_unbiased",
    "hf9": "normal_unbiased",
}


@pytest.fixture
def data(rng) -> pd.DataFrame:
    n = 240
    y = np.clip(np.round(rng.normal(7, 2, n)), 1, 10)
    y[rng.choice(n, 9, replace=False)] = np.nan
    return pd.DataFrame(
        {
            "y": y,
            "z": rng.normal(60, 15, n),
            "g": rng.choice(["a", "b", "c"], n),
            "two": rng.choice(["no", "yes"], n),
            "use": rng.choice(["daily", "often", "rarely"], n),
            "w": rng.uniform(0.3, 3, n),
            "st": (np.arange(n) // 80).astype(str),
            "psu": (np.arange(n) // 8).astype(str),
        }
    )


@pytest.fixture
def survey(data) -> csat.Survey:
    return csat.read_survey(data, design=DESIGN)


def test_a_box_is_the_sum_of_its_shares(survey):
    box = est.box(survey, "y", by="g", levels=[9, 10])
    shares = est.share(survey, "y", by="g")
    size = len(shares.term) // 3
    chosen = np.array([value in ("9", "10") for value in shares.keys["value"]])
    matrix = np.kron(np.eye(3), np.ones(size)) * chosen
    assert_allclose(box.estimate, matrix @ shares.estimate, rtol=1e-12)
    assert_allclose(box.vcov, matrix @ shares.vcov @ matrix.T, atol=1e-15)


def test_rows_of_a_cross_table_are_shares_by_group(survey):
    table, shares = est.crosstab(survey, "g", "use"), est.share(survey, "use", by="g")
    assert_allclose(table.shares.estimate, shares.estimate, rtol=1e-12)
    assert_allclose(table.shares.vcov, shares.vcov, atol=1e-15)
    assert_allclose(table.shares.n_eff, shares.n_eff, rtol=1e-9)
    assert table.shares.n.tolist() == shares.n.tolist()
    assert_allclose(table.shares.df, shares.df)


def test_a_cross_table_can_be_turned(survey):
    one, other = est.crosstab(survey, "g", "use", base="row"), est.crosstab(survey, "use", "g", base="column")
    for name in ("test", "first_order", "wald", "adjusted_wald"):
        assert_allclose(getattr(one, name).statistic, getattr(other, name).statistic, rtol=1e-9)
    turn = np.arange(9).reshape(3, 3).T.ravel()
    assert_allclose(one.shares.estimate, other.shares.estimate[turn], rtol=1e-12)
    assert_allclose(one.shares.se, other.shares.se[turn], rtol=1e-9)


def test_pearson_without_a_design_is_scipys(data):
    plain = data.drop(columns=["w", "st", "psu"])
    found = est.crosstab(csat.read_survey(plain), "g", "use")
    expected = scipy.stats.chi2_contingency(pd.crosstab(plain["g"], plain["use"]), correction=False)
    assert_allclose(found.pearson, expected.statistic, rtol=1e-10)
    # A simple random sample has design effects of 1, up to n/(n − 1).
    assert_allclose(found.first_order.statistic, found.pearson, rtol=0.02)


@pytest.mark.parametrize("rule", NUMPY_RULES)
def test_unweighted_quantiles_are_numpys(data, rule):
    plain = csat.read_survey(data[["z", "g"]])
    q = [0.07, 0.25, 0.5, 0.61, 0.9]
    found = est.quantile(plain, "z", q, by="g", rule=rule)
    expected = [np.quantile(part["z"], q, method=NUMPY_RULES[rule]) for _, part in data.groupby("g")]
    assert_allclose(found.estimate, np.ravel(expected), rtol=1e-10)


def test_a_group_is_the_same_by_filter_and_by_domain(survey):
    for method in (
        lambda s, **by: est.quantile(s, "z", (0.2, 0.5), **by),
        lambda s, **by: est.sd(s, ["y", "z"], **by),
        lambda s, **by: est.box(s, "y", levels=[9, 10], interval="beta", **by),
    ):
        groups, one = method(survey, by="g").tidy(), method(survey.where(g="b")).tidy()
        part = groups[groups["g"] == "b"].drop(columns="g").reset_index(drop=True)
        pd.testing.assert_frame_equal(part, one, rtol=1e-9)


def test_quantiles_have_a_joint_covariance(survey, rng):
    twice = est.quantile(survey, "z", (0.5, 0.5), by="g")
    assert twice.contrast(np.array([[1.0, -1.0, 0, 0, 0, 0]]), ["none"]).se[0] == pytest.approx(0, abs=1e-7)
    z = rng.gamma(4, 10, 900)
    found = est.quantile(csat.read_survey(pd.DataFrame({"z": z})), "z", (0.25, 0.75))
    spread = found.contrast(np.array([[-1.0, 1.0]]), ["interquartile range"]).se[0]
    again = np.quantile(rng.choice(z, (2000, 900)), (0.25, 0.75), axis=1)
    assert spread == pytest.approx((again[1] - again[0]).std(), rel=0.15)
    assert found.vcov[0, 1] == pytest.approx(np.cov(again)[0, 1], rel=0.3)


def test_variance_without_a_design(data):
    plain = csat.read_survey(data[["y", "z", "g"]])
    found = est.sd(plain, ["y", "z"], by="g").tidy()
    expected = data.groupby("g")[["y", "z"]].std(ddof=1).to_numpy().ravel()
    assert_allclose(found["estimate"], expected, rtol=1e-10)
    z = data["z"] - data["z"].mean()
    var = est.var(plain, "z")
    n = len(z)
    assert_allclose(var.se[0], np.sqrt(np.var(z**2, ddof=1) / n) * n / (n - 1), rtol=1e-9)


def test_variances_agree_with_moments(survey):
    assert_allclose(est.sd(survey, ["y", "z"]).estimate, survey.groups(["y", "z"]).moments().sd, rtol=1e-10)


def test_two_means_are_a_regression_on_the_group(data):
    coded = data.assign(yes=(data["two"] == "yes").astype(float))
    survey = csat.read_survey(coded, design=DESIGN)
    found = est.difference(survey, "y", "two")
    slope = csat.regress(survey, "y", ["yes"]).coefficients.tidy().set_index("term").loc["yes"]
    row = found.tidy().iloc[0]
    for key in ("estimate", "se", "statistic"):
        assert_allclose(row[key], slope[key], rtol=1e-8)
    assert_allclose(found.test.statistic, row["statistic"] ** 2, rtol=1e-9)
    assert_allclose(found.test.p, row["p"], rtol=1e-8)


def test_the_reference_does_not_matter_for_the_test(survey):
    tests = [est.difference(survey, "y", "g", against=label).test.statistic for label in "abc"]
    assert_allclose(tests, tests[0], rtol=1e-9)
    ranks = [est.ranktest(survey, "y", "g", against=label).test.statistic for label in "abc"]
    assert_allclose(ranks, ranks[0], rtol=1e-9)


def test_nps_by_group_goes_through_the_same_door(survey):
    nps = Recode("nps", "y", {a: 100.0 * ((a >= 9) - (a <= 6)) for a in range(1, 11)})
    found = est.difference(survey, nps, "two").tidy().iloc[0]
    both = est.nps(survey, "y", by="two")
    assert_allclose(found["estimate"], both.estimate[1] - both.estimate[0], rtol=1e-12)


def test_rank_difference_is_the_mann_whitney_share(data):
    """Mean ranks differ by P(second > first) + half P(equal) − 1/2, the statistic U over n1·n2."""
    plain = csat.read_survey(data[["y", "two"]])
    known = data.dropna()
    first, second = (known.loc[known["two"] == label, "y"] for label in ("no", "yes"))
    u = scipy.stats.mannwhitneyu(second, first).statistic / (len(first) * len(second))
    assert_allclose(est.ranktest(plain, "y", "two").estimates.estimate[0], u - 0.5, rtol=1e-10)


def test_the_order_of_rows_does_not_matter_unless_ties_go_by_rows(data, rng):
    shuffled = data.iloc[rng.permutation(len(data))]
    one, other = (csat.read_survey(frame, design=DESIGN) for frame in (data, shuffled))
    for method in (
        lambda s, ties: est.ranktest(s, "y", "g", ties=ties).test.statistic,
        lambda s, ties: est.quantile(s, "y", np.arange(0.01, 0.995, 0.01), by="g", rule="hf5", ties=ties).estimate,
    ):
        assert_allclose(method(one, "weight"), method(other, "weight"), rtol=1e-10)
        assert not np.allclose(method(one, "rows"), method(other, "rows"), rtol=1e-10)


@pytest.mark.parametrize("unit", [0.01, 350.0])
def test_the_unit_of_weights_does_not_matter(data, survey, unit):
    scaled = csat.read_survey(data.assign(w=data["w"] * unit), design=DESIGN)
    for method in (
        lambda s: est.quantile(s, "z", by="g").tidy(),
        lambda s: est.var(s, "y").tidy(),
        lambda s: est.box(s, "y", levels=[9, 10], interval="beta").tidy(),
        lambda s: est.crosstab(s, "g", "use").glance(),
        lambda s: est.ranktest(s, "y", "g").glance(),
    ):
        pd.testing.assert_frame_equal(method(scaled), method(survey), rtol=1e-8)


@settings(max_examples=80, deadline=None)
@given(
    share=st.floats(0.0005, 0.9995),
    n=st.integers(5, 5000),
    deff=st.floats(0.3, 9),
    df=st.sampled_from([3.0, 24.0, np.inf]),
    kind=st.sampled_from(sorted(set(INTERVALS) - {"t"})),
)
def test_intervals_hold_the_share_and_stay_inside(share, n, deff, df, kind):
    p, df, n = np.array([share]), min(df, n - 1.0), np.array([n])  # a design has fewer units than respondents
    se = np.sqrt(p * (1 - p) * deff / n)
    low, high = share_bounds(kind, p, se, n, df, 0.95)
    wide_low, wide_high = share_bounds(kind, p, se, n, df, 0.99)
    assert 0 <= wide_low <= low <= share <= high <= wide_high <= 1
    mirrored = share_bounds(kind, 1 - p, se, n, df, 0.95)
    assert_allclose([1 - mirrored[1], 1 - mirrored[0]], [low, high], atol=1e-9)


def test_replicate_weights_agree_with_linearisation(data, survey):
    jackknife = csat.read_survey(data, design=replace(DESIGN, replication=Replication("JKn")))
    for method in (
        lambda s: est.total(s, ["y", "z"], by="two"),
        lambda s: est.ratio(s, "y", "z", by="two"),
        lambda s: est.var(s, ["y", "z"], by="two"),
        lambda s: est.sd(s, ["y", "z"]),
        lambda s: est.box(s, "y", by="g", levels=[9, 10], interval="beta"),
        lambda s: est.quantile(s, "y", (0.3, 0.6), by="two", rule="hf7"),
        lambda s: est.crosstab(s, "g", "use").shares,
        lambda s: est.ranktest(s, "y", "g").estimates,
    ):
        one, other = method(jackknife), method(survey)
        assert_allclose(one.estimate, other.estimate, rtol=1e-12)
        assert_allclose(one.se, other.se, rtol=0.08)
        assert "replicates: JKn" in one.provenance.variance
    means = est.difference(jackknife, "y", "two").estimates
    assert not np.allclose(means.se, est.difference(survey, "y", "two").estimates.se, rtol=1e-9)


def test_all_intervals_agree_in_large_samples():
    p, n = np.array([0.4]), np.array([4_000_000])
    se = np.sqrt(p * (1 - p) * 1.5 / n)
    ends = [np.ravel(share_bounds(kind, p, se, n, 500.0, 0.95)) for kind in INTERVALS]
    assert_allclose(ends, np.tile(ends[0], (len(ends), 1)), atol=1e-6)
