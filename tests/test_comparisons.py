"""Gap tables: verdicts, corrections, overlapping and published peers, expectation gaps, letters, contributions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.comparisons.result import adjusted
from csat.results import Provenance
from csat.totals import jacobian_of, union_means
from csat.variance import joint_totals_covariance, means

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
e = { scale = "ten" }
[dimensions.all]
children = { a = 0.7, b = 0.3 }
[columns.branch]
kind = "category"
[columns.person]
kind = "category"
"""


@pytest.fixture
def asked(study):
    return study(STUDY)


@pytest.fixture
def data(rng):
    n = 400
    branch = rng.choice(["x", "y", "z"], n, p=[0.5, 0.3, 0.2])
    level = np.where(branch == "x", 6.0, np.where(branch == "y", 7.5, 6.05))
    a = np.clip(np.round(level + rng.normal(0, 1.5, n)), 1, 10)
    b = np.clip(np.round(a + rng.normal(0, 1, n)), 1, 10)
    return pd.DataFrame(
        {"a": a, "b": b, "e": np.clip(b + 1, 1, 10), "branch": branch, "person": np.arange(n).astype(str)}
    )


def survey(data, asked, **design):
    return csat.read_survey(data, asked, design=csat.Design(**design))


def test_a_branch_against_its_company_by_hand(asked, data):
    """Company mean = p·own + (1 − p)·others, so the gap is (1 − p)·(own − others): linearised, p is random too."""
    got = csat.gaps(survey(data, asked), by="branch", against="all", own="x", nodes=["a"]).tidy().iloc[0]
    score = (data["a"] - 1) / 9 * 100
    own, n = data["branch"] == "x", len(data)
    u = own * (score - score[own].mean()) / own.sum() - (score - score.mean()) / n
    assert_allclose(got["estimate"], score[own].mean() - score.mean())
    assert_allclose(got["se"], np.sqrt(n / (n - 1) * ((u - u.mean()) ** 2).sum()), rtol=1e-10)
    assert (got["n"], got["n_peer"]) == (own.sum(), n)


def test_against_others_equals_a_recoded_column(asked, data):
    source = survey(data.assign(w=1.5), asked, weight="w")
    got = csat.gaps(source, by="branch", against="others", own="x").tidy()
    two = csat.gaps(survey(data.assign(branch=np.where(data["branch"] == "x", "x", "rest"), w=1.5), asked, weight="w"),
                    by="branch", against="rest", own="x").tidy()  # fmt: skip
    assert_allclose(got[["estimate", "se", "p"]], two[["estimate", "se", "p"]], rtol=1e-9)


def test_unions_of_one_are_the_domains(asked, data):
    for design in ({}, {"psu": "person"}):
        groups = survey(data, asked, **design).groups(["a", "b"], ("branch",))
        assert_allclose(union_means(groups, [[0], [1], [2]]).vcov, means(groups).vcov, rtol=1e-9, atol=1e-16)


def test_respondents_who_rate_several_brands_are_their_own_units(asked, rng):
    """Stacked ratings: with the respondent as unit the gap is the paired t test."""
    n = 120
    first = np.clip(np.round(rng.normal(6, 1.5, n)), 1, 10)
    second = np.clip(np.round(first + rng.normal(0.4, 0.8, n)), 1, 10)
    stacked = pd.DataFrame(
        {"a": np.r_[first, second], "branch": ["own"] * n + ["rival"] * n, "person": list(map(str, range(n))) * 2}
    )
    stacked["b"] = stacked["e"] = stacked["a"]
    got = csat.gaps(survey(stacked, asked, psu="person"), by="branch", against="rival", nodes=["a"]).tidy().iloc[0]
    difference = (first - second) / 9 * 100
    assert_allclose(got["estimate"], difference.mean())
    assert_allclose(got["se"], difference.std(ddof=1) / np.sqrt(n), rtol=1e-10)
    assert got["df"] == n - 1


def test_replicate_weights_reach_every_comparison(asked, data):
    """The jackknife over respondents agrees with linearisation to first order, overlapping groups included."""
    plain = survey(data, asked, psu="person")
    jackknife = survey(data, asked, psu="person", replication=csat.Replication("JK1"))
    for options in ({"against": "all"}, {"against": "x"}):
        one, other = (csat.gaps(s, by="branch", own="y", **options).estimates for s in (plain, jackknife))
        assert_allclose(other.estimate, one.estimate)
        assert_allclose(other.se, one.se, rtol=0.01)
        assert other.provenance.variance == "replicates: JK1"


def test_verdicts(asked, data):
    frame = csat.gaps(survey(data, asked), by="branch", against="x", nodes=["a"], adjust="none", margin=8).tidy()
    row = frame.set_index("branch").loc["z"]
    reach = abs(row["estimate"]) + 1.65 * row["se"]
    assert row["verdict"] == ("equivalent" if reach < 8 else "undecided")
    assert frame.set_index("branch").loc["y", "verdict"] == "different"
    narrow = csat.gaps(survey(data, asked), by="branch", against="x", nodes=["a"], margin=0.0)
    assert "equivalent" not in narrow.verdict
    assert narrow.glance()["different"][0] == narrow.verdict.count("different")


def test_equivalence_is_two_one_sided_tests():
    estimate, se = np.array([1.0, 1.0, -1.0]), np.array([0.5, 0.7, 0.5])
    estimates = csat.Estimates(
        ("a", "b", "c"), estimate, np.diag(se**2), np.inf, np.full(3, 500), np.full(3, np.nan), "points",
        Provenance("available", "linearisation"), null=0.0,
    )  # fmt: skip
    got = csat.Gaps(estimates, estimate, estimate * 0, np.full(3, 500), "peer", adjust="none", margin=2.0)
    # one-sided bounds: 1 + 1.645·0.5 = 1.82 < 2, 1 + 1.645·0.7 = 2.15 > 2
    assert got.verdict == ("equivalent", "undecided", "equivalent")


def test_holm_and_bh_by_hand():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.005])
    assert_allclose(adjusted(p, "holm"), [0.03, np.nan, 0.06, 0.06, 0.02])
    assert_allclose(adjusted(p, "bh"), [0.02, np.nan, 0.04, 0.04, 0.02])
    assert_allclose(adjusted(p, "none"), p)


def test_published_peer_with_spread_is_a_welch_test(asked, data):
    from scipy import stats

    own = data.loc[data["branch"] == "y", "a"]
    published = pd.DataFrame({"mean": [60.0], "sd": [16.0], "n": [90]}, index=["a"])
    source = survey(data[data["branch"] == "y"], asked)
    got = csat.gaps(source, against=published, nodes=["a"]).tidy().iloc[0]
    score = (own - 1) / 9 * 100
    test = stats.ttest_ind_from_stats(score.mean(), score.std(ddof=1), len(score), 60.0, 16.0, 90, equal_var=False)
    assert_allclose(got["statistic"], test.statistic, rtol=1e-10)
    assert_allclose(got["p"], test.pvalue, rtol=1e-9)
    assert got["n_peer"] == 90


def test_published_mean_alone_has_no_interval(asked, data):
    published = pd.DataFrame({"mean": [60.0, 61.0]}, index=["a", "all"])
    frame = csat.gaps(survey(data, asked), by="branch", against=published, own=["x", "y"]).tidy()
    known = frame[frame["term"].isin(["a", "all"])]
    assert_allclose(known["estimate"], known["own"] - known["peer"])
    assert known["se"].isna().all()
    assert set(known["note"]) == {"published without a standard deviation: no interval"}
    assert frame.loc[frame["term"] == "b", "estimate"].isna().all()
    assert set(frame["verdict"]) == {""}


def test_expectation_gaps_are_paired(asked, data):
    got = csat.expectation_gaps(survey(data, asked), {"b": "e"}).tidy().iloc[0]
    difference = (data["b"] - data["e"]) / 9 * 100
    assert_allclose(got["estimate"], difference.mean())
    assert_allclose(got["se"], difference.std(ddof=1) / np.sqrt(len(data)), rtol=1e-9)
    assert (got["term"], got["expected"]) == ("b", "e")


def test_letters_by_hand():
    estimates = csat.Estimates(
        ("t",) * 3, np.array([60.0, 70.0, 61.0]), np.eye(3), np.inf, np.full(3, 200), np.full(3, 200.0), "points",
        Provenance("available", "linearisation"), keys={"branch": ("x", "y", "z")},
    )  # fmt: skip
    frame = csat.letters(estimates, "branch").tidy()
    assert frame["letter"].tolist() == ["A", "B", "C"]
    assert frame["higher_than"].tolist() == ["", "AC", ""]


def test_letters_use_the_covariance_of_groups(asked, data):
    source = survey(data, asked)
    frame = csat.letters(csat.index(source, by="branch").estimates, "branch").tidy().set_index(["term", "branch"])
    assert frame.loc[("all", "y"), "higher_than"] == "AC"
    assert frame.loc[("all", "x"), "higher_than"] == ""


def test_contributions_sum_exactly(asked, data):
    source = survey(data, asked)
    index = csat.index(source, by="branch")
    parts = csat.contributions(index.estimates, asked).tidy()
    whole = index.tidy().query("term == 'all'").set_index("branch")["estimate"]
    assert_allclose(parts.groupby("branch")["estimate"].sum(), whole, rtol=1e-13)
    gap = csat.gaps(source, by="branch", against="x", own="y")
    parts = csat.contributions(gap.estimates, asked)
    assert_allclose(parts.estimate.sum(), gap.tidy().set_index("term").loc["all", "estimate"], rtol=1e-12)
    assert_allclose(parts.contrast(np.ones((1, 2)), ["sum"]).se, gap.estimates.se[0], rtol=1e-9)


def test_jacobian_equals_algebra(rng):
    totals = rng.uniform(1, 5, (3, 4))
    got = jacobian_of(lambda t: (t[:, 0, 1] / t[:, 0, 0] - t[:, 2, 3] / t[:, 1, 0])[:, None], totals)
    expected = np.zeros((3, 1, 4))
    expected[0, 0, :2] = -totals[0, 1] / totals[0, 0] ** 2, 1 / totals[0, 0]
    expected[2, 0, 3] = -1 / totals[1, 0]
    expected[1, 0, 0] = totals[2, 3] / totals[1, 0] ** 2
    assert_allclose(got, expected, rtol=1e-12)


def test_joint_totals_give_the_error_of_a_mean(asked, data):
    groups = survey(data, asked).groups(["a"], ("branch",))
    totals = groups.over_domains(groups.gram)[:, 0, :]
    statistic = lambda t: t[:, :, 2] / t[:, :, 1]  # noqa: E731
    jacobian = jacobian_of(statistic, totals)
    assert_allclose(
        joint_totals_covariance(groups, jacobian, statistic), means(groups).vcov[:, 0, :, 0], rtol=1e-9, atol=1e-15
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s, q: csat.gaps(s, by="branch", against="x", adjust="fdr"),
            "adjust='fdr' is not known; choose one of 'holm'",
        ),
        (lambda s, q: csat.gaps(s, by="branch", against="x", margin=-1), "margin=-1: the margin is a number of points"),
        (lambda s, q: csat.gaps(s, against=pd.DataFrame({"m": [1]}, index=["a"])), "needs the column 'mean'"),
        (
            lambda s, q: csat.gaps(s, against=pd.DataFrame({"mean": [1]}, index=["A"])),
            "No column 'A' in the index tree",
        ),
        (lambda s, q: csat.gaps(s, against=pd.DataFrame({"mean": [1, 2]}, index=["a", "a"])), "have 'a' twice"),
        (
            lambda s, q: csat.gaps(s, against=pd.DataFrame({"mean": [1], "sd": [-1], "n": [9]}, index=["a"])),
            "sd must be 0",
        ),
        (lambda s, q: csat.expectation_gaps(s, {}), "pairs is empty or no table"),
        (lambda s, q: csat.expectation_gaps(s, {"a": "zz"}), "zz"),
        (lambda s, q: csat.letters(csat.index(s).estimates, "branch"), "have no groups 'branch'"),
        (
            lambda s, q: csat.letters(csat.index(s.where(branch="x"), by="branch").estimates, "branch"),
            "need 2 to 26 groups",
        ),
        (lambda s, q: csat.contributions(csat.index(s, nodes=["all"]).estimates, q), "lack the items"),
    ],
)
def test_wrong_calls_say_what_to_do(asked, data, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(survey(data, asked), asked)
