"""Weights: laws of calibration and trimming, the result, and what bad targets are told."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from csat.errors import OptionError, SampleError, UnknownColumnError, WeightingError
from csat.residuals import coefficients
from csat.weighting import (
    METHODS,
    Trim,
    auxiliaries,
    calibrate_weights,
    read_targets,
    residual_scores,
    trim_weights,
)

MARGINS = {
    "sex": {"f": 0.52, "m": 0.48},
    "age": {"young": 300.0, "middle": 360.0, "old": 340.0},
    "city": {"A": 0.2, "B": 0.3, "C": 0.5},
}
ALL = {"logit": (0.2, 4.0), "bounded": (0.3, 3.0)}


def residual_sums(unit_x, unit_u, b):
    """Unit sums of residual scores: Σ w·u of the domain minus Σ w·x of everyone times B."""
    return unit_u - np.einsum("pq,dqk->pdk", unit_x, b)


@pytest.fixture
def people(rng):
    n = 600
    frame = pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], n, p=[0.6, 0.4]),
            "age": rng.choice(["young", "middle", "old"], n, p=[0.45, 0.35, 0.2]),
            "city": rng.choice(["A", "B", "C"], n),
            "spend": rng.gamma(4.0, 20.0, n),
        }
    )
    return frame, rng.uniform(0.5, 2.5, n)


def totals(frame, weights, column):
    return pd.Series(weights).groupby(frame[column].to_numpy()).sum()


# --- laws -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["rake", "linear", "exponential", "logit", "bounded"])
def test_margins_are_met(people, method):
    frame, d = people
    found = calibrate_weights(frame, d, MARGINS, method=method, bounds=ALL.get(method))
    for column, target in MARGINS.items():
        expected = pd.Series(target) * (1000 if sum(target.values()) < 2 else 1)
        np.testing.assert_allclose(totals(frame, found.weights, column)[expected.index], expected, rtol=1e-9)
    np.testing.assert_allclose(found.weights, d * found.factor, rtol=1e-12)
    assert found.converged


@pytest.mark.parametrize("method", ["linear", "exponential", "logit", "bounded"])
def test_numbers_are_met(people, method):
    frame, d = people
    targets = {"sex": MARGINS["sex"], "spend": 1.1 * d @ frame["spend"]}
    found = calibrate_weights(frame, d, targets, method=method, bounds=ALL.get(method))
    np.testing.assert_allclose(found.weights @ frame["spend"], targets["spend"], rtol=1e-9)
    np.testing.assert_allclose(found.weights.sum(), d.sum(), rtol=1e-9)


def test_a_number_alone(people):
    frame, d = people
    found = calibrate_weights(frame, d, {"spend": 50000.0}, method="linear")
    x = frame["spend"].to_numpy()
    expected = 1 + x * (50000 - d @ x) / (d @ x**2)  # Deville & Särndal (1992), the linear case with one variable
    np.testing.assert_allclose(found.factor, expected, rtol=1e-9)


def test_raking_ratio_has_two_solvers(people):
    frame, d = people
    fitted = calibrate_weights(frame, d, MARGINS)
    newton = calibrate_weights(frame, d, MARGINS, method="exponential")
    np.testing.assert_allclose(fitted.weights, newton.weights, rtol=1e-8)


def test_sparse_cells_are_raked_exactly_where_proportional_fitting_is_slow():
    frame = pd.DataFrame({"a": list("11223"), "b": list("12233")})
    targets = {"a": {"1": 10.0, "2": 10.0, "3": 10.0}, "b": {"1": 9.99, "2": 10.0, "3": 10.01}}
    found = calibrate_weights(frame, None, targets)
    np.testing.assert_allclose(found.weights, [9.99, 0.01, 9.99, 0.01, 10], rtol=1e-6)
    assert found.iterations < 50


def test_raking_one_margin_is_post_stratification(people):
    frame, d = people
    one = {"age": MARGINS["age"]}
    expected = d * frame["age"].map(pd.Series(MARGINS["age"]) / totals(frame, d, "age")).to_numpy()
    for method in ("rake", "poststratify", "linear", "exponential"):
        np.testing.assert_allclose(calibrate_weights(frame, d, one, method=method).weights, expected, rtol=1e-9)


def test_linear_on_the_full_cross_is_post_stratification(people):
    frame, d = people
    cross = {(s, a): 100.0 * (i + 2 * j + 1) for i, s in enumerate(("f", "m")) for j, a in enumerate(MARGINS["age"])}
    targets = {("sex", "age"): cross}
    post = calibrate_weights(frame, d, targets, method="poststratify")
    linear = calibrate_weights(frame, d, targets, method="linear")
    np.testing.assert_allclose(linear.weights, post.weights, rtol=1e-9)
    joint = frame["sex"] + frame["age"]
    np.testing.assert_allclose(pd.Series(post.weights).groupby(joint).sum()["myoung"], 200.0, rtol=1e-9)


@settings(max_examples=25, deadline=None)
@given(unit=st.floats(0.01, 1000), order=st.permutations(list(MARGINS)), method=st.sampled_from(sorted(METHODS)))
def test_unit_of_weight_and_order_of_margins_do_not_matter(unit, order, method):
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({name: rng.choice(list(target), 300) for name, target in MARGINS.items()})
    d = rng.uniform(0.5, 2, 300)
    shares = {name: {k: v / sum(target.values()) for k, v in target.items()} for name, target in MARGINS.items()}
    if method == "poststratify":
        shares, order = {"age": shares["age"]}, ["age"]
    bounds = ALL.get(method)
    one = calibrate_weights(frame, d, shares, method=method, bounds=bounds)
    other = calibrate_weights(frame, unit * d, {name: shares[name] for name in order}, method=method, bounds=bounds)
    np.testing.assert_allclose(other.weights, unit * one.weights, rtol=1e-7)
    np.testing.assert_allclose(one.weights.sum(), d.sum(), rtol=1e-9)


@pytest.mark.parametrize("method", ["logit", "bounded"])
def test_bounds_hold(people, method):
    frame, d = people
    free = calibrate_weights(frame, d, MARGINS, method="linear").factor / (1000 / d.sum())
    bounds = (1.2 * free.min(), 0.95 * free.max())
    found = calibrate_weights(frame, d, MARGINS, method=method, bounds=bounds)
    relative = found.factor / (1000 / d.sum())
    assert relative.min() >= bounds[0] - 1e-12
    assert relative.max() <= bounds[1] + 1e-12


def test_targets_come_in_several_forms(people):
    frame, d = people
    expected = calibrate_weights(frame, d, MARGINS).weights
    rows = [(m, c, v * (1000 if sum(t.values()) < 2 else 1)) for m, t in MARGINS.items() for c, v in t.items()]
    table = pd.DataFrame(rows, columns=["margin", "category", "target"])
    np.testing.assert_allclose(calibrate_weights(frame, d, table).weights, expected, rtol=1e-8)
    series = {name: pd.Series(target) for name, target in MARGINS.items()}
    np.testing.assert_allclose(calibrate_weights(frame, d, series).weights, expected, rtol=1e-8)
    percent = {name: {k: 100 * v / sum(t.values()) for k, v in t.items()} for name, t in MARGINS.items()}
    np.testing.assert_allclose(calibrate_weights(frame, d, percent, total=1000).weights, expected, rtol=1e-8)
    crossed = pd.DataFrame({"margin": "sex:city", "category": [f"{s}:{c}" for s in "fm" for c in "ABC"], "target": 9.0})
    assert read_targets(crossed).margins[0].columns == ("sex", "city")
    numbers = pd.DataFrame({"margin": ["sex", "sex", "spend"], "category": ["f", "m", None], "target": [5, 5, 900.0]})
    assert [m.name for m in read_targets(numbers).numbers] == ["spend"]


def test_category_codes_may_be_numbers_or_text():
    frame = pd.DataFrame({"city": [1.0, 1.0, 2.0, 2.0, 2.0]})
    by_text = calibrate_weights(frame, None, {"city": {"1": 4.0, "2": 6.0}})
    by_number = calibrate_weights(frame.astype(int), None, {"city": {1: 4.0, 2: 6.0}})
    np.testing.assert_allclose(by_text.weights, [2, 2, 2, 2, 2])
    np.testing.assert_allclose(by_number.weights, by_text.weights)


def test_a_category_that_nobody_should_be_in_is_dropped(people):
    frame, d = people
    found = calibrate_weights(frame, d, {"sex": {"f": 0.5, "m": 0.5, "other": 0.0}})
    assert list(found.tidy()["category"]) == ["f", "m"]


# --- trimming -------------------------------------------------------------------------------------------------------


def test_trimming_keeps_the_sum_and_bounds():
    w = np.array([1.0, 2, 3, 4, 20])
    once = trim_weights(w, 1.5, 10)
    np.testing.assert_allclose(once, [1.5, 2 + 9.5 / 3, 3 + 9.5 / 3, 4 + 9.5 / 3, 10])
    shared = trim_weights(w, 1.5, 10, redistribute="proportional")
    np.testing.assert_allclose(shared, [1.5, *(np.array([2, 3, 4]) * (1 + 9.5 / 9)), 10])
    strict = trim_weights(w, 1.5, 6.5, strict=True)
    assert strict.max() <= 6.5
    np.testing.assert_allclose(strict.sum(), w.sum(), rtol=1e-9)
    np.testing.assert_array_equal(trim_weights(w, 1, 20), w)


def test_trimming_and_raking_in_turns_meet_both(people):
    frame, d = people
    raked = calibrate_weights(frame, d, MARGINS)
    found = calibrate_weights(frame, d, MARGINS, trim=(0.4, 1.9))
    mean = found.weights.mean()
    assert raked.weights.max() / mean > 1.9
    assert found.weights.max() / mean <= 1.9 * (1 + 1e-6)
    assert found.weights.min() / mean >= 0.4 * (1 - 1e-6)
    np.testing.assert_allclose(found.tidy()["after"], found.tidy()["target"], rtol=1e-9)
    assert found.converged
    assert found.trimmed > 0
    assert found.rounds > 1
    assert found.deff < raked.deff


def test_trimming_once_says_that_margins_are_not_met(people):
    frame, d = people
    found = calibrate_weights(frame, d, MARGINS, trim=Trim(0.4, 1.9, recalibrate=False))
    assert not found.converged
    assert np.abs(found.tidy()["after"] / found.tidy()["target"] - 1).max() > 1e-4
    np.testing.assert_allclose(found.weights.sum(), 1000, rtol=1e-9)


def test_trimming_that_cuts_nobody_changes_nothing(people):
    frame, d = people
    found = calibrate_weights(frame, d, MARGINS, trim=(0.01, 100))
    np.testing.assert_array_equal(found.weights, calibrate_weights(frame, d, MARGINS).weights)
    assert (found.trimmed, found.rounds, found.converged) == (0, 1, True)


# --- residuals ------------------------------------------------------------------------------------------------------


def test_calibration_variables_have_no_residual(people):
    frame, d = people
    found = calibrate_weights(frame, d, MARGINS)
    x = auxiliaries(frame, read_targets(MARGINS))
    assert list(x.columns[:3]) == ["sex=f", "sex=m", "age=middle"]
    assert np.linalg.matrix_rank(x.to_numpy()) == x.shape[1] == 2 + 2 + 2
    indicators = pd.get_dummies(frame[["age", "city"]]).to_numpy(float)
    for regression in ("design", "unweighted"):
        rest = residual_scores(x.to_numpy(), d, found.factor, indicators, regression=regression)
        np.testing.assert_allclose(rest, 0, atol=1e-10)


def test_residuals_sum_alike_from_rows_and_from_sums(people, rng):
    frame, d = people
    found = calibrate_weights(frame, d, MARGINS)
    x = auxiliaries(frame, read_targets(MARGINS)).to_numpy()
    unit, domain = rng.integers(0, 20, len(frame)), rng.integers(0, 2, len(frame))
    y = rng.normal(7, 2, len(frame))
    u = np.column_stack([np.where(domain == g, y, 0.0) for g in (0, 1)])
    rows = residual_scores(x, d, found.factor, u)
    w = found.weights[:, None]
    unit_x, unit_u, expected = np.zeros((20, x.shape[1])), np.zeros((20, 2, 1)), np.zeros((20, 2))
    np.add.at(unit_x, unit, w * x)
    np.add.at(unit_u[:, :, 0], unit, w * u)
    np.add.at(expected, unit, rows)
    b = coefficients(x.T @ (x * d[:, None]), np.stack([x.T @ (d * u[:, g])[:, None] for g in (0, 1)]))
    np.testing.assert_allclose(residual_sums(unit_x, unit_u, b)[:, :, 0], expected, atol=1e-9)


def test_redundant_variables_change_no_residual(people, rng):
    frame, d = people
    x = auxiliaries(frame, read_targets(MARGINS)).to_numpy()
    u = rng.normal(size=(len(frame), 2))
    twice = np.hstack([x, x[:, :2], np.ones((len(x), 1))])
    one = np.ones(len(d))
    expected = residual_scores(x, d, one, u)
    np.testing.assert_allclose(residual_scores(twice, d, one, u), expected, atol=1e-10)
    b = coefficients(twice.T @ (twice * d[:, None]), twice.T @ (u * d[:, None]))
    np.testing.assert_allclose((u - twice @ b) * d[:, None], expected, atol=1e-9)


# --- the result -----------------------------------------------------------------------------------------------------


def test_the_result_shows_before_and_after():
    frame = pd.DataFrame({"sex": ["f", "f", "f", "m"]})
    found = calibrate_weights(frame, [1.0, 1, 2, 1], {"sex": {"f": 30, "m": 70}})
    np.testing.assert_allclose(found.weights, [7.5, 7.5, 15, 70])
    row = found.tidy().iloc[0]
    assert (row["margin"], row["category"], row["n"]) == ("sex", "f", 3)
    np.testing.assert_allclose(row[["target", "before", "after"]].astype(float), [30, 4, 30])
    np.testing.assert_allclose(row[["share_target", "share_before", "share_after"]].astype(float), [0.3, 0.8, 0.3])
    np.testing.assert_allclose(row[["factor_low", "factor_high"]].astype(float), [7.5, 7.5])
    glance = found.glance().iloc[0]
    deff = 4 * (7.5**2 * 2 + 15**2 + 70**2) / 100**2
    expected = [4, 100, 7.5, 70, 70 / 7.5, deff, 4 / deff, 1 / deff]
    names = ["n", "sum", "min", "max", "ratio", "deff", "n_eff", "efficiency"]
    np.testing.assert_allclose(glance[names].astype(float), expected)
    assert repr(found).startswith("Weights: 2 rows\n")
    assert ">sex</t" in found._repr_html_()
    with pytest.raises(AttributeError):
        found.method = "linear"


# --- wrong input ----------------------------------------------------------------------------------------------------

FRAME = pd.DataFrame({"sex": ["f", "m", "f", "m"], "city": ["A", "A", "B", "B"], "age": [1, 2, 3, np.nan]})
SEX = {"sex": {"f": 0.5, "m": 0.5}}


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ({"sex": {"f": 5, "m": 4, "x": 1}}, "Margin 'sex', category 'x': the target is 1 but nobody in the data"),
        ({"sex": {"f": 10}}, "Margin 'sex', category 'm': has no target .*'f'.* but 2 respondents"),
        ({"sex": {"f": 10, "m": 0}}, "Margin 'sex', category 'm': has the target 0 but 2 respondents"),
        ({"age": {1: 1, 2: 1, 3: 1}}, "Margin 'age': 1 of 4 respondents have no value. Fill it in"),
        ({"sex": {"f": 50, "m": 50}, "city": {"A": 60, "B": 50}}, "disagree .* 'sex' 100, 'city' 110.*pass total="),
        ({"sex": {"f": 0.5, "m": 0.49}}, "Margin 'sex': the shares add up to 0.99, not 1. Divide"),
        ({"sex": {"f": -5, "m": 10}}, "Margin 'sex', category 'f': the target -5 is below 0"),
        ({"sex": {"f": "many", "m": 10}}, "Margin 'sex', category 'f': the target 'many' is not a finite number"),
        ({"sex": {"f": np.nan, "m": 10}}, "Margin 'sex', category 'f': the target nan is not a finite number"),
        ({"sex": {}}, "Margin 'sex': has no targets above 0"),
        ({"age": {1: 1, "1": 2}}, "Margin 'age': names a category twice"),
        ({("sex", "city"): {"f": 1}}, "Margin 'sex:city', category 'f': has 1 labels for 2 columns"),
        ({("sex", "city"): {("f", "A"): 1, ("m", "A"): 1, ("f", "B"): 1}}, "'sex:city', category 'm:B': has no target"),
        ({}, "There are no targets"),
        (pd.DataFrame({"margin": ["sex"], "target": [1]}), "lacks the column 'category'; it needs margin, category"),
        (
            pd.DataFrame({"margin": ["sex"] * 2, "category": ["f"] * 2, "target": [1, 2]}),
            "Margin 'sex', category 'f': has two targets",
        ),
    ],
)
def test_bad_targets_are_told_where_and_what_to_do(targets, message):
    with pytest.raises(WeightingError, match=message):
        calibrate_weights(FRAME, None, targets)


def test_margins_that_contradict_each_other_name_the_worst():
    frame = pd.DataFrame({"city": ["A", "A", "B"], "province": ["X", "X", "Y"]})
    targets = {"city": {"A": 60, "B": 40}, "province": {"X": 50, "Y": 50}}
    for method in ("rake", "exponential", "linear"):
        with pytest.raises(
            WeightingError, match=r"did not converge .* margin '(city|province)', category '[ABXY]' rea"
        ):
            calibrate_weights(frame, None, targets, method=method)


def test_bounds_that_no_single_margin_shows_to_be_impossible():
    frame = pd.DataFrame({"a": ["1", "1", "2", "2"], "b": ["1", "2", "1", "2"]})
    weight = [10.0, 1.0, 1.0, 10.0]
    targets = {"a": {"1": 8.0, "2": 14.0}, "b": {"1": 14.0, "2": 8.0}}
    with pytest.raises(WeightingError, match=r"method='bounded' did not converge in .*widen the bounds"):
        calibrate_weights(frame, weight, targets, method="bounded", bounds=(0.7, 1.4))


def test_bounds_out_of_reach_name_margin_and_figures():
    with pytest.raises(WeightingError, match=r"Margin 'sex', category 'f': .*average 1.6.*needs bounds .* 0.4 to 1.6"):
        calibrate_weights(FRAME, None, {"sex": {"f": 0.8, "m": 0.2}}, method="logit", bounds=(0.5, 1.5))


def test_negative_weights_are_refused():
    frame = pd.DataFrame({"sex": ["f", "f", "m", "m"], "x": [0.0, 1.0, 2.0, 9.0]})
    with pytest.raises(WeightingError, match=r"method='linear' makes 1 weights negative .*Choose 'exponential'"):
        calibrate_weights(frame, None, SEX | {"x": 2.0}, method="linear")


def test_trimming_that_contradicts_the_margins():
    frame = pd.DataFrame({"sex": ["f"] * 9 + ["m"]})
    with pytest.raises(WeightingError, match=r"Margin 'sex', category 'm': with every weight .* Widen the bounds"):
        calibrate_weights(frame, None, SEX, trim=(0.5, 2.0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "ipf"}, "method='ipf' is not known; choose one of 'rake', 'poststratify'"),
        ({"method": "logit"}, "method='logit' needs bounds"),
        ({"bounds": (0.5, 2)}, "method='rake' takes no bounds"),
        ({"method": "logit", "bounds": (1.1, 2)}, "lower < 1 < upper"),
        ({"method": "logit", "bounds": (-1, 2)}, "must not be below 0"),
        ({"method": "bounded", "bounds": (0.5, 2), "trim": (0.3, 3)}, "does not go with trim="),
        ({"total": -5}, "total=-5: the size of the population"),
        ({"trim": (3, 2)}, "the bounds must be 0 ≤ lower < upper"),
        ({"trim": (2, 3)}, "multiples of the mean weight"),
    ],
)
def test_options_that_do_not_fit(options, message):
    with pytest.raises(OptionError, match=message):
        calibrate_weights(FRAME, None, SEX, **options)


def test_methods_say_what_they_take():
    with pytest.raises(OptionError, match="method='rake' takes categories only, but 'age' has a single total"):
        calibrate_weights(FRAME, None, SEX | {"age": 10})
    with pytest.raises(OptionError, match=r"method='poststratify' takes one margin; 2 were given\. Cross them"):
        calibrate_weights(FRAME, None, SEX | {"city": {"A": 1, "B": 1}}, method="poststratify")
    with pytest.raises(WeightingError, match="Margin 'age': 1 of 4 respondents have no finite number"):
        calibrate_weights(FRAME, None, SEX | {"age": 10}, method="linear")
    with pytest.raises(UnknownColumnError, match=r"No column 'sexe' in the data to be weighted\. Did you mean 'sex'"):
        calibrate_weights(FRAME, None, {"sexe": {"f": 1}})
    with pytest.raises(OptionError, match="regression='w' is not known"):
        residual_scores(np.ones((2, 1)), np.ones(2), np.ones(2), np.ones((2, 1)), regression="w")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        ([1, 2, 3], r"One design weight per respondent is needed: 4 respondents, weights of shape \(3,\)"),
        ([1, 0, 2, np.nan], "2 design weights are not finite and above 0, the first at position 1: 0"),
    ],
)
def test_bad_design_weights(weight, message):
    with pytest.raises(SampleError, match=message):
        calibrate_weights(FRAME, weight, SEX)


def test_nobody_to_weight():
    with pytest.raises(SampleError, match="Weighting needs at least 1"):
        calibrate_weights(FRAME.iloc[:0], None, SEX)


def test_trims_that_make_no_sense():
    with pytest.raises(WeightingError, match="All 2 weights lie outside 4 to 5"):
        trim_weights(np.array([1.0, 9.0]), 4, 5)
    with pytest.raises(WeightingError, match="No weights between 6 and 8 can keep the sum: the mean weight is 5"):
        trim_weights(np.array([1.0, 9.0]), 6, 8, strict=True)
    with pytest.raises(OptionError, match="lower must be below upper"):
        trim_weights(np.ones(2), 2, 1)
    with pytest.raises(OptionError, match="redistribute='none' is not known"):
        trim_weights(np.ones(2), 1, 2, redistribute="none")
    with pytest.raises(OptionError, match="unit='median' is not known"):
        Trim(0.5, 2, unit="median")
