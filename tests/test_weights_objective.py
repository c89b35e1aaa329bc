"""Weights from the answers: published examples, hand computation on rows, laws, and standard errors."""

import json

import numpy as np
import pandas as pd
import pytest

import csat
from csat.fuzzy.objective import over_rows

STUDY = """
[study]
name = "weights"
index = "all"
[scales.ten]
low = 1
high = 10
missing = { 98 = "dont_know" }
[scales.five]
low = 1
high = 5
[items]
a = { scale = "ten" }
b = { scale = "ten" }
c = { scale = "five" }
d = { scale = "five" }
[dimensions.all]
children = ["x", "y"]
weights = [0.7, 0.3]
[dimensions.x]
children = ["a", "b"]
[dimensions.y]
children = ["c", "d"]
[columns.g]
kind = "category"
"""
ITEMS = ["a", "b", "c", "d"]
METHODS = ("mean", "entropy", "cv", "sd", "critic")
SCORES = {"a": (1, 9), "b": (1, 9), "c": (1, 4), "d": (1, 4)}


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


def answers(rng, n):
    common = rng.normal(size=n)
    raw = {
        "a": 7 + 1.2 * (common + rng.normal(size=n)),
        "b": 6 + 2.0 * (common + rng.normal(size=n)),
        "c": 3.5 + 0.5 * (common + 2 * rng.normal(size=n)),
        "d": 3.0 + 0.9 * rng.normal(size=n),
    }
    tops = {"a": 10, "b": 10, "c": 5, "d": 5}
    frame = pd.DataFrame({name: np.clip(np.round(column), 1, tops[name]) for name, column in raw.items()})
    return frame.assign(g=rng.choice(["u", "v", "w", "z"], n), w=rng.uniform(0.5, 2.0, n))


@pytest.fixture(scope="module")
def frame():
    return answers(np.random.default_rng(8), 400)


@pytest.fixture(scope="module")
def survey(frame, asked):
    return csat.read_survey(frame, asked, design=csat.Design(weight="w"))


def points(frame):
    return np.column_stack([(frame[i] - low) / span * 100 for i, (low, span) in SCORES.items()])


def by_hand(x, w, method):
    """The textbook formulas on rows; w are frequencies."""
    total = w.sum()
    mean = (w @ x) / total
    sd = np.sqrt(w @ np.square(x - mean) / total)
    if method == "mean":
        raw = mean
    elif method == "entropy":
        p = x / (w @ x)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(p > 0, p * np.log(p), 0.0)
        raw = 1 + (w @ terms) / np.log(total)
    elif method == "cv":
        raw = sd / mean
    elif method == "sd":
        raw = sd
    else:
        r = ((x - mean) * w[:, None]).T @ (x - mean) / total / np.outer(sd, sd)
        raw = sd * (1 - r).sum(axis=0)
    return raw / raw.sum()


@pytest.mark.parametrize("name", ["critic", "entropy", "cv"])
def test_published_examples(fixtures, name):
    """Each alternative of a published decision table is a group of one respondent."""
    case = json.loads((fixtures / "weights.json").read_text(encoding="utf-8"))["objective"][name]
    table = pd.DataFrame(case["table"], columns=[f"c{j}" for j in range(len(case["table"][0]))])
    source = csat.read_survey(table.assign(alternative=[f"A{i}" for i in range(len(table))]).astype({"c0": float}))
    found = csat.factor_weights(
        source, list(table.columns), method=name, by="alternative", values=case["values"]
    ).estimates
    np.testing.assert_allclose(found.estimate, case["weights"], atol=0.51 * 10 ** -case["digits"])
    assert np.isnan(found.se).all()


@pytest.mark.parametrize("method", METHODS)
def test_weights_by_hand_from_rows(survey, frame, method):
    found = csat.factor_weights(survey, ITEMS, method=method)
    np.testing.assert_allclose(found.values, by_hand(points(frame), frame["w"].to_numpy(), method), rtol=1e-11)
    assert found.method == method
    assert found.values.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("method", METHODS)
def test_answers_as_they_are(survey, frame, method):
    found = csat.factor_weights(survey, ITEMS, method=method, values="answers")
    expected = by_hand(frame[ITEMS].to_numpy(), frame["w"].to_numpy(), method)
    np.testing.assert_allclose(found.values, expected, rtol=1e-11)


@pytest.mark.parametrize("method", METHODS)
def test_dimensions_are_means_of_their_items(survey, frame, method):
    x = points(frame)
    both = np.column_stack([x[:, :2].mean(axis=1), x[:, 2:].mean(axis=1)])
    found = csat.factor_weights(survey, method=method)
    assert found.factors == ("x", "y")
    np.testing.assert_allclose(found.values, by_hand(both, frame["w"].to_numpy(), method), rtol=1e-10)
    assert np.isfinite(found.estimates.se).all()


@pytest.mark.parametrize("method", METHODS)
def test_over_means_of_groups(survey, frame, method):
    x = pd.DataFrame(points(frame), columns=ITEMS).mul(frame["w"], axis=0).groupby(frame["g"]).sum()
    table = x.div(frame.groupby("g")["w"].sum(), axis=0).to_numpy()
    found = csat.factor_weights(survey, ITEMS, method=method, by="g")
    np.testing.assert_allclose(found.values, by_hand(table, np.ones(4), method), rtol=1e-9)
    assert (found.estimates.se > 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_a_weight_of_two_is_a_row_twice(frame, asked, method):
    weighted = frame.assign(w=np.where(frame.index % 3 == 0, 2.0, 1.0))
    doubled = pd.concat([weighted, weighted[weighted["w"] == 2]], ignore_index=True).assign(w=1.0)
    design = csat.Design(weight="w")
    one, two = (csat.read_survey(table, asked, design=design) for table in (weighted, doubled))
    np.testing.assert_allclose(
        csat.factor_weights(one, ITEMS, method=method).values,
        csat.factor_weights(two, ITEMS, method=method).values,
        rtol=1e-11,
    )


@pytest.mark.parametrize("method", METHODS)
def test_order_of_factors_and_unit_of_weights_do_not_matter(frame, asked, survey, method):
    one = csat.factor_weights(survey, ITEMS, method=method)
    scaled = csat.read_survey(frame.assign(w=frame["w"] * 7), asked, design=csat.Design(weight="w"))
    turned = csat.factor_weights(scaled, ITEMS[::-1], method=method)
    np.testing.assert_allclose(turned.values[::-1], one.values, rtol=1e-11)
    np.testing.assert_allclose(turned.estimates.vcov[::-1, ::-1], one.estimates.vcov, atol=1e-14)


@pytest.mark.parametrize("method", ["entropy", "cv"])
def test_measures_of_proportion_do_not_change_with_the_unit(rng, method):
    x = rng.uniform(1, 9, (50, 4))
    np.testing.assert_allclose(
        over_rows(x * np.array([1, 10, 0.1, 5]), method), over_rows(x, method), rtol=1e-9
    )  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factors", [ITEMS, None], ids=["items", "dimensions"])
def test_linearisation_agrees_with_the_jackknife(frame, asked, method, factors):
    """Figures of covariances are computed anew with each replicate."""
    few = frame.iloc[:120]
    plain = csat.Design(weight="w")
    again = csat.Design(weight="w", replication=csat.Replication("JKn"))
    one, two = (csat.factor_weights(csat.read_survey(few, asked, design=d), factors, method=method).estimates
                for d in (plain, again))  # fmt: skip
    np.testing.assert_allclose(two.estimate, one.estimate, rtol=1e-12)
    np.testing.assert_allclose(two.se, one.se, rtol=0.06)
    assert one.df == 119


@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_are_those_of_new_samples(asked, method):
    rng = np.random.default_rng(3)
    estimates, variances = [], []
    for _ in range(200):
        found = csat.factor_weights(csat.read_survey(answers(rng, 150), asked), ITEMS, method=method).estimates
        estimates.append(found.estimate)
        variances.append(np.diag(found.vcov))
    # A variance from 200 samples has a standard error of 10 per cent.
    np.testing.assert_allclose(np.mean(variances, axis=0) / np.var(estimates, axis=0, ddof=1), 1.0, atol=0.33)


def test_sampling_units_count(frame, asked):
    units = frame.assign(hall=(frame.index // 10).astype(str))
    design = csat.Design(weight="w", psu="hall")
    source = csat.read_survey(units, asked, design=design)
    found = csat.factor_weights(source, ITEMS, method="cv").estimates
    assert found.df == 39
    saved = source.groups(ITEMS, (), "listwise")
    from_sums = csat.factor_weights(saved, ITEMS, method="cv", questionnaire=asked).estimates
    np.testing.assert_allclose(from_sums.estimate, found.estimate, rtol=1e-12)
    np.testing.assert_allclose(from_sums.se, found.se, rtol=1e-9)


def test_a_published_matrix_has_weights_without_errors():
    cov = pd.DataFrame([[4.0, 1.0], [1.0, 1.0]], ["p", "q"], ["p", "q"])
    found = csat.factor_weights(csat.from_covariance(cov, 50), ["p", "q"], method="sd")
    np.testing.assert_allclose(found.values, [2 / 3, 1 / 3], rtol=1e-12)
    assert np.isnan(found.estimates.se).all()
    assert "without rows" in found.tidy()["note"][0]
    assert found.draws(3) is None
    with pytest.raises(csat.CsatError, match=r"There is no mean of .p., .q.: this source does not know means"):
        csat.factor_weights(csat.from_covariance(cov, 50), ["p", "q"], method="cv")


def test_who_does_not_count_is_told(frame, asked):
    gaps = frame.copy()
    gaps.loc[:24, "a"] = 98
    source = csat.read_survey(gaps, asked)
    listwise = csat.factor_weights(source, ITEMS, method="critic")
    assert [str(note) for note in listwise.notes] == [
        "25 respondents without an answer to one of the factors are left out."
    ]
    assert set(listwise.estimates.n) == {375}
    assert csat.factor_weights(source, ITEMS, method="mean").estimates.n.tolist() == [375, 400, 400, 400]
    available = csat.factor_weights(source, ITEMS, method="sd", rule="available").values
    x = points(frame)
    sds = np.array([x[25:, 0].std(), *x[:, 1:].std(axis=0)])
    np.testing.assert_allclose(available, sds / sds.sum(), rtol=1e-10)


def test_factors_that_nobody_differs_on(frame, asked):
    same = csat.read_survey(frame.assign(c=4), asked)
    for method in ("entropy", "cv", "sd"):
        found = csat.factor_weights(same, ITEMS, method=method)
        assert found.values[2] == 0
        assert "nobody differs on it" in str(found.notes[0])
        assert np.isfinite(found.estimates.se).all()
    with pytest.raises(csat.CsatError, match="No variation in 'c'"):
        csat.factor_weights(same, ITEMS, method="critic")
    with pytest.raises(csat.CsatError, match="No variation in 'c', 'd'"):
        csat.factor_weights(csat.read_survey(frame.assign(c=4, d=2), asked), ["c", "d"], method="sd")


def test_given_and_equal_weights(survey):
    tree = csat.factor_weights(survey, method="given")
    np.testing.assert_allclose(tree.values, [0.7, 0.3])
    assert csat.factor_weights(survey, "x", method="equal").values.tolist() == [0.5, 0.5]
    assert csat.factor_weights(tree) is tree
    given = csat.factor_weights({"a": 0.25, "b": 0.75}, ["b", "a"])
    assert (given.factors, given.values.tolist()) == (("b", "a"), [0.75, 0.25])
    assert "given as they are" in given.tidy()["note"][0]
    assert given.draws(10) is None
    assert given.glance()["effective"][0] == pytest.approx(1.6)


@pytest.mark.parametrize("method", METHODS)
def test_draws_have_the_covariance(survey, method):
    found = csat.factor_weights(survey, ITEMS, method=method)
    draws = found.draws(40_000, 1)
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(np.cov(draws.T), found.estimates.vcov, atol=0.03 * np.diag(found.estimates.vcov).max())
    assert found.clipped(40_000, 1) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "method=None is not known; choose one of 'equal', 'given', 'entropy'"),
        ({"method": "ahp"}, "method='ahp' is not known"),
        ({"method": "sd", "factors": ["a"]}, "two or more different codes"),
        ({"method": "sd", "factors": ["a", "a"]}, "two or more different codes"),
        ({"method": "sd", "factors": ["a", "zz"]}, "No factor 'zz'"),
        ({"method": "sd", "factors": "zz"}, "No dimension 'zz'"),
        ({"method": "sd", "values": "range"}, "name them, by="),
        ({"method": "sd", "factors": None, "values": "answers"}, "'x' is made of items; use values='points'"),
        ({"method": "sd", "rule": "pairwise"}, "rule='pairwise' is not known"),
        ({"method": "sd", "of": "quality"}, "of= has no meaning for weights from Survey"),
        ({"method": "equal", "by": "g"}, "by= has no meaning"),
        ({"method": "given", "factors": ["a", "c"]}, "are not the children of one dimension"),
        ({"method": "sd", "by": "nowhere"}, "nowhere"),
    ],
)
def test_bad_options_are_refused_in_words(survey, options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.factor_weights(survey, **({"factors": ITEMS} | options))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"a": 0.5, "b": 0.6}, "sum to 1.1, not 1"),
        ({"a": 1.5, "b": -0.5}, "The weight of factor 'b' is -0.5"),
        ({"a": "much", "b": 0.5}, "The weight of 'a' is a number"),
        ({}, "Weights are needed"),
        (None, "A survey"),
        ([0.5, 0.5], "A survey"),
    ],
)
def test_bad_weights_are_refused_in_words(weights, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.factor_weights(weights)
