"""Weights read off regressions and models, several sets combined, and sets compared with their verdicts."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import csat
from csat.fuzzy.agreeing import kendall_tau, kendall_w
from csat.fuzzy.combine import game

STUDY = """
[study]
name = "weights"
index = "all"
[scales.ten]
low = 1
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
c = { scale = "ten" }
d = { scale = "ten" }
o = { scale = "ten" }
[dimensions.all]
children = ["a", "b", "c", "d"]
[columns.g]
kind = "category"
"""
ITEMS = ["a", "b", "c", "d"]
BETA = np.array([0.4, 0.3, 0.2, 0.1])


def answers(rng, n):
    x = 6 + rng.normal(size=(n, 1)) + rng.normal(size=(n, 4))
    frame = pd.DataFrame(np.clip(np.round(x), 1, 10), columns=ITEMS)
    return frame.assign(o=np.clip(np.round(x @ BETA + rng.normal(0, 0.6, n)), 1, 10), g=rng.choice(["u", "v", "w"], n))


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


@pytest.fixture(scope="module")
def frame():
    return answers(np.random.default_rng(21), 500)


@pytest.fixture(scope="module")
def survey(frame, asked):
    return csat.read_survey(frame, asked)


# Weights from other results.


def test_standardized_coefficients_as_weights(survey):
    regression = csat.regress(survey, "o", ITEMS)
    found = csat.factor_weights(regression)
    beta = regression.beta[1:]
    np.testing.assert_allclose(found.values, beta / beta.sum(), rtol=1e-12)
    carry = np.diag(1 / np.full(4, beta.sum())) - np.outer(beta, np.ones(4)) / beta.sum() ** 2
    scale = beta / regression.coefficients.estimate[1:]
    vcov = regression.coefficients.vcov[1:, 1:] * np.outer(scale, scale)
    np.testing.assert_allclose(found.estimates.vcov, carry @ vcov @ carry.T, atol=1e-14)
    assert (found.method, found.factors) == ("drivers", tuple(ITEMS))
    assert [note.kind for note in found.notes] == ["fixed_sd"]
    np.testing.assert_allclose(found.draws(40_000, 2).std(axis=0), found.estimates.se, rtol=0.03)


def test_shares_of_importance_as_weights(survey):
    importance = csat.importance(survey, "o", ITEMS)
    found = csat.factor_weights(importance)
    np.testing.assert_allclose(found.values, importance.share / 100, rtol=1e-12)
    np.testing.assert_allclose(found.estimates.se, importance.shares.se / 100, rtol=1e-6)
    chosen = csat.factor_weights(importance, ["c", "a"])
    assert chosen.values[1] == pytest.approx(found.values[0] / (found.values[0] + found.values[2]))


def test_one_group_of_a_result(survey):
    grouped = csat.regress(survey, "o", ITEMS, by="g")
    alone = csat.regress(survey.where(g="v"), "o", ITEMS)
    np.testing.assert_allclose(
        csat.factor_weights(grouped, group="v").values, csat.factor_weights(alone).values, rtol=1e-10
    )
    with pytest.raises(csat.CsatError, match="an analysis per group; choose one of 'u', 'v', 'w'"):
        csat.factor_weights(grouped)
    with pytest.raises(csat.CsatError, match="the result has no groups"):
        csat.factor_weights(alone, group="v")


def test_negative_coefficients_count_as_nothing_and_say_so(frame, asked):
    against = csat.read_survey(frame.assign(d=11 - frame["o"]), asked)
    found = csat.factor_weights(csat.regress(against, "o", ITEMS))
    assert found.values[3] == 0
    assert found.values.sum() == pytest.approx(1)
    assert any(str(note).startswith("d: -") and "it counts as 0" in str(note) for note in found.notes)
    assert found.tidy()["note"][3] == "negative where it comes from: counts as 0"
    assert np.isnan(found.estimates.se[3])
    draws = found.draws(1000)
    assert (draws >= 0).all()
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)
    alone = csat.read_survey(frame.assign(a=11 - frame["a"], b=11 - frame["b"]), asked)
    with pytest.raises(csat.CsatError, match=r"None of .* has a positive figure"):
        csat.factor_weights(csat.regress(alone, "o", ["a", "b"]))


def test_loadings_and_effects_of_a_structural_model(survey):
    fitted = csat.sem(survey, csat.Model("f =~ a + b + c + d\no ~ f"))
    found = csat.factor_weights(fitted, of="f")
    table = fitted.standardized()
    rows = table[table["op"] == "=~"]
    loadings = rows["estimate"].to_numpy()
    np.testing.assert_allclose(found.values, loadings / loadings.sum(), rtol=1e-10)
    assert found.method == "sem"
    assert (found.estimates.se > 0).all()
    paths = csat.sem(survey, csat.Model("o ~ a + b + c\nc ~ d"))
    effects = paths.effects().standardized
    at = [i for i, kind in enumerate(effects.keys["kind"]) if kind == "total" and effects.keys["lhs"][i] == "o"]
    of_o = csat.factor_weights(paths, outcome="o")
    assert of_o.factors == tuple(effects.keys["rhs"][i] for i in at)
    np.testing.assert_allclose(of_o.values, effects.estimate[at] / effects.estimate[at].sum(), rtol=1e-10)
    with pytest.raises(csat.CsatError, match="Name a construct whose items are weighed"):
        csat.factor_weights(fitted)
    with pytest.raises(csat.CsatError, match=r"of='g' is no construct of the model\. Did you mean 'f'"):
        csat.factor_weights(fitted, of="g")
    with pytest.raises(csat.CsatError, match=r"outcome='a': nothing acts on it\. Did you mean"):
        csat.factor_weights(paths, outcome="a")


def test_standard_errors_of_loadings_are_those_of_new_samples(asked):
    rng = np.random.default_rng(4)
    estimates, variances = [], []
    for _ in range(120):
        fitted = csat.sem(csat.read_survey(answers(rng, 200), asked), csat.Model("f =~ a + b + c + d"))
        found = csat.factor_weights(fitted, of="f").estimates
        estimates.append(found.estimate)
        variances.append(np.diag(found.vcov))
    np.testing.assert_allclose(np.mean(variances, axis=0) / np.var(estimates, axis=0, ddof=1), 1.0, atol=0.4)


def test_outer_weights_and_effects_of_a_path_model(survey):
    fitted = csat.pls(survey, csat.Model("f =~ a + b\nh =~ c + d\ny =~ o\nh ~ f\ny ~ f + h"), replicates=60)
    table = fitted.tidy()
    weights = table[(table["kind"] == "weight") & (table["lhs"] == "f")]
    found = csat.factor_weights(fitted, of="f")
    np.testing.assert_allclose(found.values, weights["estimate"] / weights["estimate"].sum(), rtol=1e-12)
    totals = table[(table["kind"] == "total") & (table["lhs"] == "y")]
    effects = csat.factor_weights(fitted, outcome="y")
    assert effects.factors == tuple(totals["rhs"])
    np.testing.assert_allclose(effects.values, totals["estimate"] / totals["estimate"].sum(), rtol=1e-12)
    assert effects.method == "pls"
    assert (effects.estimates.se > 0).all()
    with pytest.raises(csat.CsatError, match="of='k' is no construct of the model"):
        csat.factor_weights(fitted, of="k")


def test_coefficients_of_categories_are_no_weights(survey):
    with pytest.raises(csat.CsatError, match="'g' has several coefficients; weigh it by its importance"):
        csat.factor_weights(csat.regress(survey, "o", ["a", "g"]))
    with pytest.raises(csat.CsatError, match="of= belongs to models with constructs"):
        csat.factor_weights(csat.regress(survey, "o", ITEMS), of="a")


# Several sets combined.

ONE, TWO = {"a": 0.5, "b": 0.3, "c": 0.2}, {"c": 0.6, "a": 0.1, "b": 0.3}


def test_combinations_by_hand():
    products = np.array([0.05, 0.09, 0.12])
    found = csat.combine_weights([ONE, TWO])
    np.testing.assert_allclose(found.values, products / products.sum(), rtol=1e-14)
    mean = csat.combine_weights([ONE, TWO], "additive", shares=[3, 1])
    np.testing.assert_allclose(mean.values, [0.4, 0.3, 0.3], rtol=1e-14)
    by_name = csat.combine_weights({"u": ONE, "v": TWO}, "additive", shares={"v": 1, "u": 3})
    np.testing.assert_allclose(by_name.values, mean.values, rtol=1e-14)


def test_the_game_solves_its_conditions():
    """w1·w1 = 0.38, w1·w2 = 0.26, w2·w2 = 0.46: α from Cramer's rule."""
    alpha = np.array([0.38 * 0.46 - 0.26 * 0.46, 0.38 * 0.46 - 0.26 * 0.38]) / (0.38 * 0.46 - 0.26**2)
    stack = np.array([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]])
    np.testing.assert_allclose(game(stack), alpha, rtol=1e-12)
    found = csat.combine_weights([ONE, TWO], "game")
    np.testing.assert_allclose(found.values, alpha / alpha.sum() @ stack, rtol=1e-12)
    # The conditions hold: each set's product with the unscaled combination is its own square.
    np.testing.assert_allclose(stack @ (alpha @ stack), np.square(stack).sum(axis=1), rtol=1e-12)


def test_the_game_of_equal_sets_and_of_flat_ones():
    same = csat.combine_weights([ONE, ONE, ONE], "game")
    np.testing.assert_allclose(same.values, list(ONE.values()), rtol=1e-12)
    flat = csat.combine_weights(
        {"flat": {"a": 0.4, "b": 0.3, "c": 0.3}, "steep": {"a": 0.6, "b": 0.2, "c": 0.2}}, "game"
    )
    np.testing.assert_allclose(flat.values, [0.6, 0.2, 0.2], rtol=1e-12)
    assert str(flat.notes[0]).startswith("flat: the other weights point")


@pytest.mark.parametrize("how", ["multiplicative", "additive", "game"])
def test_order_of_sets_and_factors_does_not_matter(how):
    found = csat.combine_weights([ONE, TWO], how)
    turned = csat.combine_weights([TWO, ONE], how)
    assert turned.factors == ("c", "a", "b")
    np.testing.assert_allclose(turned.values, found.values[[2, 0, 1]], rtol=1e-12)


@pytest.mark.parametrize("how", ["multiplicative", "additive", "game"])
def test_uncertainty_of_combinations_is_that_of_their_draws(survey, how):
    parts = [csat.factor_weights(survey, ITEMS, method="sd"), csat.factor_weights(csat.regress(survey, "o", ITEMS))]
    if how == "game":
        parts[0] = csat.factor_weights(csat.regress(survey, "o", ["d", "c", "b", "a"]))
        parts[1] = csat.ahp([[[1, 1 / 2, 1 / 3, 1 / 5], [2, 1, 1 / 2, 1 / 3], [3, 2, 1, 1 / 2], [5, 3, 2, 1]],
                             [[1, 1 / 2, 1 / 3, 1 / 4], [2, 1, 1 / 2, 1 / 2], [3, 2, 1, 1 / 2], [4, 2, 2, 1]],
                             [[1, 1 / 2, 1 / 4, 1 / 5], [2, 1, 1 / 2, 1 / 4], [4, 2, 1, 1 / 2], [5, 4, 2, 1]]],
                            names=["a", "b", "c", "d"])  # fmt: skip
    found = csat.combine_weights(parts, how)
    draws = found.draws(20_000, 5)
    np.testing.assert_allclose(draws.std(axis=0), found.estimates.se, rtol=0.12)
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)
    assert np.array_equal(draws, found.draws(20_000, 5))


def test_parts_without_uncertainty_are_named(survey):
    parts = {"answers": csat.factor_weights(survey, ITEMS, method="sd"), "rule": dict.fromkeys(ITEMS, 0.25)}
    found = csat.combine_weights(parts)
    assert [(note.kind, note.term) for note in found.notes] == [("unknown_part", "rule")]
    np.testing.assert_allclose(found.estimates.vcov, parts["answers"].estimates.vcov, atol=1e-14)
    fixed = csat.combine_weights([ONE, TWO])
    assert fixed.draws(5) is None
    assert fixed.notes == ()


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        ([ONE], {}, "two or more sets"),
        (ONE, {}, "'a' is no set of weights"),
        ([ONE, {"a": 0.5, "z": 0.5}], {}, r"'set 2' weighs \['a', 'z'\]"),
        ([ONE, 5], {}, "'set 2' is no set of weights"),
        ("ab", {}, "a list of sets of weights is needed"),
        ([ONE, TWO], {"how": "mean"}, "how='mean' is not known"),
        ([ONE, TWO], {"how": "game", "shares": [1, 1]}, "the game finds them"),
        ([ONE, TWO], {"how": "additive", "shares": [1, -1]}, "2 numbers, 0 or more"),
        ([{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}], {}, "use how='additive'"),
    ],
)
def test_bad_sets_are_refused_in_words(weights, options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.combine_weights(weights, **options)


# Sets compared.


def test_kendall_agrees_with_scipy_and_with_a_textbook(rng):
    for _ in range(20):
        one, two = rng.integers(0, 4, (2, 7)).astype(float)
        assert kendall_tau(one, two) == pytest.approx(stats.kendalltau(one, two).statistic, nan_ok=True)
        figures = rng.integers(0, 5, (4, 6)).astype(float)
        # Friedman's chi-square is r(k − 1)·W, ties corrected alike.
        chi2 = stats.friedmanchisquare(*figures.T).statistic
        assert kendall_w(figures) == pytest.approx(chi2 / (4 * 5))
    assert kendall_w(np.array([[3.0, 2, 1], [30, 20, 10]])) == 1.0
    assert np.isnan(kendall_w(np.ones((1, 3))))


def test_each_set_is_evaluated_like_alone(survey):
    sets = {"judges": csat.ahp(dict(zip([("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")],
                                        [2, 3, 5, 2, 3, 2], strict=True))),
            "entropy": "entropy", "drivers": csat.factor_weights(csat.regress(survey, "o", ITEMS))}  # fmt: skip
    found = csat.compare_weights(survey, sets, by="g", replicates=60)
    table = found.tidy()
    assert table["set"].tolist() == [name for name in sets for _ in range(3)]
    for i, weights in enumerate(found.weights):
        alone = csat.evaluate(survey, "g", weights=weights, replicates=60).verdicts()
        alone = alone[alone["depth"] == 0]
        rows = table[table["set"] == found.sets[i]]
        for column in ("score", "se", "low", "high", "probability"):
            np.testing.assert_allclose(rows[column], alone[column], rtol=1e-12)
        assert rows["verdict"].tolist() == alone["verdict"].tolist()
        np.testing.assert_allclose(rows["weight_c"], weights.values[2])
    assert found.concordance == pytest.approx(kendall_w(np.stack([w.values for w in found.weights])))
    assert found.group_rank.shape == (3, 3)
    pairs = found.pairs()
    assert pairs[["set", "against"]].to_numpy().tolist() == [
        ["judges", "entropy"], ["judges", "drivers"], ["entropy", "drivers"]
    ]  # fmt: skip
    assert pairs["tau"][1] == pytest.approx(
        stats.kendalltau(found.weights[0].values, found.weights[2].values).statistic
    )
    assert len(found.by_factor()) == 12
    assert found.glance()["sets"][0] == 3


def test_the_same_weights_twice_change_nothing(survey):
    found = csat.compare_weights(survey, {"u": ONE | {"d": 0.0}, "v": {"d": 0.0} | ONE}, replicates=40)
    assert found.concordance == 1.0
    assert found.pairs()["largest_gap"][0] == 0
    assert found.score[0] == found.score[1]
    assert "group_rank" not in found.tidy()
    assert found.tidy()["agree"].all()


def test_operator_and_typed_matrices():
    matrix = pd.DataFrame([[0.7, 0.2, 0.1, 0, 0], [0, 0.1, 0.2, 0.3, 0.4]], ["a", "b"])
    sets = {"first": {"a": 0.9, "b": 0.1}, "second": {"a": 0.1, "b": 0.9}}
    found = csat.compare_weights(matrix, sets, operator="min-max")
    assert found.verdict[:, 0].tolist() == ["very_satisfied", "very_dissatisfied"]
    assert found.glance()["operator"][0] == "min-max"
    assert found.glance()["verdicts_that_change"][0] == 1
    assert found.concordance == 0.0


@pytest.mark.parametrize(
    ("weights", "options", "message"),
    [
        (["sd"], {}, "two or more different sets"),
        (["sd", "cv2"], {}, "method='cv2' is not known"),
        ({"u": ONE, "v": 3}, {}, "'v' is no set of weights"),
        ("sd", {}, "name → weights, or a list of methods"),
        ({"u": ONE, "v": {"a": 0.5, "o": 0.5}}, {}, "'v' weighs"),
        (["sd", "cv"], {"by": "set"}, "rename it in the data"),
        (["sd", "cv"], {"operator": "sum"}, "operator='sum' is not known"),
    ],
)
def test_bad_comparisons_are_refused_in_words(survey, weights, options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.compare_weights(survey, weights, **({"factors": ITEMS} | options))


def test_judges_are_drawn_into_the_verdict(survey):
    """The standard error over answers and weights is wider than over answers, and that of the judges' spread alone."""
    pairs = [("a", "b"), ("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d")]
    panel = csat.ahp([dict(zip(pairs, row, strict=True)) for row in
                      ([2, 3, 5, 2, 3, 2], [1, 2, 2, 2, 3, 1], [3, 5, 7, 2, 3, 2], [1, 1, 2, 1, 2, 2])])  # fmt: skip
    se = {
        over: csat.evaluate(survey, weights=panel, over=over, replicates=2000).score.se[0]
        for over in (("answers",), ("weights",), ("answers", "weights"))
    }
    both = np.hypot(se["answers",], se["weights",])
    assert se["answers", "weights"] == pytest.approx(both, rel=0.1)
    scores = csat.evaluate(survey, weights=panel).score.estimate[1:]
    by_hand = np.sqrt(scores @ panel.weights.estimates.vcov @ scores)
    assert se["weights",] == pytest.approx(by_hand, rel=0.15)
