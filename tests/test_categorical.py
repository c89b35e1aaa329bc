"""Logit and ordered logit: laws, agreement with statsmodels, groups, separation, wrong input."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.categories.estimating import Estimating, Influence
from csat.drivers.categories.likelihood import Cumulative
from csat.drivers.terms import Factor
from csat.errors import OptionError, SampleError

N = 240


@pytest.fixture
def data(rng):
    """Two related drivers, a brand, weights, halls, and an outcome on 1 … 5 with its top two boxes."""
    x = np.clip(np.round(7 + 2 * rng.normal(size=N)), 1, 10)
    z = np.clip(np.round(0.5 * x + 3 + 1.7 * rng.normal(size=N)), 1, 10)
    brand = np.array(["a", "b", "c"])[rng.integers(3, size=N)]
    latent = 0.4 * (x - 7) + 0.3 * (z - 6.5) + 0.7 * (brand == "a") + rng.logistic(size=N)
    sat = np.digitize(latent, [-2.0, -0.8, 0.5, 2.0]) + 1.0
    return pd.DataFrame(
        {"x": x, "z": z, "brand": brand, "sat": sat, "top": (sat >= 4).astype(float),
         "w": rng.uniform(0.3, 3, N).round(2), "hall": np.arange(N) // 8, "city": np.arange(N) // 80}
    )  # fmt: skip


def fit(data, outcome="top", drivers=("x", "z", "brand"), family="logit", design=None, **options):
    survey = csat.read_survey(data, design=design)
    return csat.regress(survey, outcome, list(drivers), family=family, **options)


WEIGHTED = csat.Design(weight="w", stratum="city", psu="hall")


# ---- laws


@pytest.mark.parametrize("se", ["design", "classical", "HC1"])
def test_the_other_value_as_success_turns_all_signs(data, se):
    one = fit(data, design=WEIGHTED, se=se)
    other = fit(data.assign(top=1 - data["top"]), design=WEIGHTED, se=se)
    assert_allclose(other.coefficients.estimate, -one.coefficients.estimate, rtol=1e-9)
    assert_allclose(other.coefficients.vcov, one.coefficients.vcov, rtol=1e-8)
    assert_allclose(other.effects.estimate, -one.effects.estimate, rtol=1e-9)
    assert_allclose(other.effects.vcov, one.effects.vcov, rtol=1e-8)
    assert_allclose(other.test.statistic, one.test.statistic, rtol=1e-8)


def test_levels_in_reverse_turn_slopes_and_thresholds(data):
    one = fit(data, "sat", family="ordered", design=WEIGHTED)
    other = fit(data.assign(sat=6 - data["sat"]), "sat", family="ordered", design=WEIGHTED)
    turn = np.r_[0:4, 7, 6, 5, 4]
    assert_allclose(other.coefficients.estimate, -one.coefficients.estimate[turn], rtol=1e-9)
    assert_allclose(other.coefficients.vcov, one.coefficients.vcov[np.ix_(turn, turn)], rtol=1e-8)
    assert_allclose(other.loglik, one.loglik, rtol=1e-12)


@pytest.mark.parametrize(("family", "outcome"), [("logit", "top"), ("ordered", "sat")])
def test_a_weight_of_two_is_a_row_twice(data, family, outcome):
    twice = data["city"] == 1
    rows = pd.concat([data, data[twice]])
    weights = fit(data.assign(w=1.0 + twice), outcome, family=family, design=csat.Design(weight="w", psu="hall"))
    copies = fit(rows, outcome, family=family, design=csat.Design(psu="hall"))
    assert_allclose(weights.coefficients.estimate, copies.coefficients.estimate, rtol=1e-9)
    assert_allclose(weights.coefficients.vcov, copies.coefficients.vcov, rtol=1e-8)
    assert_allclose(weights.effects.vcov, copies.effects.vcov, rtol=1e-8)
    assert_allclose(weights.loglik / weights.n, copies.loglik / copies.n, rtol=1e-10)


@pytest.mark.parametrize("se", ["design", "classical", "HC0"])
def test_the_unit_of_weights_does_not_matter(data, se):
    one = fit(data, "sat", family="ordered", design=WEIGHTED, se=se)
    other = fit(data.assign(w=1000 * data["w"]), "sat", family="ordered", design=WEIGHTED, se=se)
    assert_allclose(other.coefficients.estimate, one.coefficients.estimate, rtol=1e-9)
    assert_allclose(other.coefficients.vcov, one.coefficients.vcov, rtol=1e-8)
    assert_allclose(other.loglik, one.loglik, rtol=1e-12)


@pytest.mark.parametrize(("family", "outcome"), [("logit", "top"), ("ordered", "sat")])
def test_scale_and_zero_of_a_driver(data, family, outcome):
    """Also far from zero, as a year or a tariff would be."""
    one = fit(data, outcome, family=family, design=WEIGHTED)
    other = fit(data.assign(x=1e6 + data["x"] / 50), outcome, family=family, design=WEIGHTED)
    at = one.coefficients.term.index("x")
    assert_allclose(other.coefficients.estimate[at], 50 * one.coefficients.estimate[at], rtol=1e-7)
    assert_allclose(other.coefficients.se[at], 50 * one.coefficients.se[at], rtol=1e-7)
    assert_allclose(other.beta[at], one.beta[at], rtol=1e-7)
    assert_allclose(other.effects.estimate[1:], one.effects.estimate[1:], rtol=1e-7)
    assert_allclose(other.loglik, one.loglik, rtol=1e-10)


@pytest.mark.parametrize(("family", "outcome", "parameters"), [("logit", "top", 5), ("ordered", "sat", 8)])
def test_a_simple_random_sample_has_the_errors_of_the_sandwich(data, family, outcome, parameters):
    design, hc0, hc1 = (fit(data, outcome, family=family, se=se).coefficients.vcov for se in ("design", "HC0", "HC1"))
    assert_allclose(design, hc0 * N / (N - 1), rtol=1e-8, atol=1e-12)
    assert_allclose(hc1, hc0 * N / (N - parameters), rtol=1e-10)


def test_order_of_rows_and_reference_level(data, rng):
    one = fit(data, design=WEIGHTED)
    mixed = fit(data.iloc[rng.permutation(N)], design=WEIGHTED)
    assert_allclose(mixed.coefficients.vcov, one.coefficients.vcov, rtol=1e-9)
    other = fit(data, drivers=["x", "z", Factor("brand", "c")], design=WEIGHTED)
    assert_allclose(other.loglik, one.loglik, rtol=1e-12)
    assert_allclose(other.terms["f"], one.terms["f"], rtol=1e-8)
    c_to_a = other.effects.term.index("brand=a")
    assert_allclose(other.effects.estimate[c_to_a], -one.effects.estimate[one.effects.term.index("brand=c")])


def test_a_group_with_two_levels_of_an_ordered_outcome_has_their_logit(data):
    """Group b gave only 2 and 4: its thresholds between them are one, those outside are not there."""
    data = data.assign(sat=np.where(data["brand"] == "b", np.where(data["sat"] > 3, 4.0, 2.0), data["sat"]))
    survey = csat.read_survey(data, design=WEIGHTED)
    found = csat.regress(survey, "sat", ["x", "z"], family="ordered", by="brand")
    table = found.tidy().set_index(["brand", "term"]).loc["b"]
    binary = csat.Recode("high", "sat", {2.0: 0.0, 4.0: 1.0})
    logit = csat.regress(survey.where(brand="b"), binary, ["x", "z"], family="logit").coefficients
    assert_allclose(table["estimate"], np.r_[logit.estimate[1:], np.nan, -logit.estimate[[0, 0]], np.nan], rtol=1e-9)
    assert_allclose(table["se"], np.r_[logit.se[1:], np.nan, logit.se[[0, 0]], np.nan], rtol=1e-8)
    assert table["note"].tolist() == ["", "", "no valid answers", "", "", "no valid answers"]
    effects = found.effects.tidy().set_index(["brand", "term"])["estimate"]
    assert effects.loc["b"].isna().all()
    assert effects.loc["a"].notna().all()
    assert found.aic[1] == pytest.approx(-2 * found.loglik[1] + 2 * 3)


# ---- agreement


def test_logit_agrees_with_statsmodels(data):
    import statsmodels.api as sm

    x = sm.add_constant(data[["x", "z"]])
    expected = sm.Logit(data["top"], x).fit(method="newton", tol=1e-14, disp=False)
    got = fit(data, drivers=["x", "z"], se="classical")
    assert_allclose(got.coefficients.estimate, expected.params, rtol=1e-8)
    assert_allclose(got.coefficients.se, expected.bse, rtol=1e-8)
    assert_allclose([got.loglik, got.aic, got.bic], [expected.llf, expected.aic, expected.bic], rtol=1e-10)
    assert_allclose(got.glance()["r2_mcfadden"], expected.prsquared, rtol=1e-8)
    margins = expected.get_margeff()
    assert_allclose(got.effects.estimate, margins.margeff, rtol=1e-8)
    assert_allclose(got.effects.se, margins.margeff_se, rtol=1e-7)


def test_ordered_logit_agrees_with_statsmodels(data):
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    expected = OrderedModel(data["sat"], data[["x", "z"]], distr="logit").fit(method="bfgs", disp=False, maxiter=1000)
    got = fit(data, "sat", ["x", "z"], family="ordered", se="classical")
    assert_allclose(got.coefficients.estimate[:2], expected.params[:2], rtol=1e-5)
    assert_allclose(got.coefficients.se[:2], expected.bse[:2], rtol=1e-4)
    assert_allclose(got.loglik, expected.llf, rtol=1e-10)


def test_effects_are_derivatives_of_the_mean_probability(data):
    """With an interaction: numerically, from the coefficients alone."""
    drivers = ["x", "brand", "x:brand"]
    found = fit(data, "sat", drivers, family="ordered", design=WEIGHTED)
    table = found.coefficients.tidy().set_index("term")["estimate"]

    def top(frame):
        eta = table["x"] * frame["x"]
        for level in ("b", "c"):
            eta = eta + (frame["brand"] == level) * (table[f"brand={level}"] + table[f"x:brand={level}"] * frame["x"])
        return np.average(1 / (1 + np.exp(table["4|5"] - eta)), weights=frame["w"])

    change = (top(data.assign(x=data["x"] + 1e-4)) - top(data.assign(x=data["x"] - 1e-4))) / 2e-4
    levels = [top(data.assign(brand=level)) - top(data.assign(brand="a")) for level in ("b", "c")]
    assert found.effects.term == ("x", "brand=b", "brand=c")
    assert_allclose(found.effects.estimate, [change, *levels], rtol=1e-7)


def test_a_three_way_interaction_moves_along(data):
    drivers = ["x", "z", "brand", "x:z", "x:brand", "z:brand", "x:z:brand"]
    found = fit(data, drivers=drivers, design=csat.Design(weight="w"))
    table = found.coefficients.tidy().set_index("term")["estimate"]

    def mean(frame):
        both = {"x": frame["x"], "z": frame["z"]}
        both |= {f"brand={level}": (frame["brand"] == level) * 1.0 for level in ("b", "c")}
        parts = [np.prod([both[part] for part in term.split(":")], axis=0) for term in table.index[1:]]
        return np.average(1 / (1 + np.exp(-table.iloc[0] - table.iloc[1:].to_numpy() @ parts)), weights=frame["w"])

    change = (mean(data.assign(z=data["z"] + 1e-4)) - mean(data.assign(z=data["z"] - 1e-4))) / 2e-4
    assert_allclose(found.effects.estimate[1], change, rtol=1e-6)
    assert_allclose(found.effects.estimate[3], mean(data.assign(brand="c")) - mean(data.assign(brand="a")), rtol=1e-9)


def test_bootstrap_and_linearisation_tell_the_same(data):
    survey = csat.read_survey(data, design=WEIGHTED)
    drawn = survey.replicated(Replication("subbootstrap", size=400, seed=5))
    for family, outcome in (("logit", "top"), ("ordered", "sat")):
        straight = csat.regress(survey, outcome, ["x", "z"], family=family)
        again = csat.regress(drawn, outcome, ["x", "z"], family=family)
        assert_allclose(again.coefficients.estimate, straight.coefficients.estimate, rtol=1e-9)
        assert_allclose(again.coefficients.se, straight.coefficients.se, rtol=0.2)
        assert_allclose(again.effects.se, straight.effects.se, rtol=0.2)
        assert again.coefficients.provenance.variance == "replicates: subbootstrap"


def test_replicates_in_several_passes_are_those_of_one(data, monkeypatch):
    survey = csat.read_survey(data, design=WEIGHTED).replicated(Replication("JKn"))
    whole = csat.regress(survey, "sat", ["x", "z"], family="ordered").coefficients.vcov
    monkeypatch.setattr("csat.drivers.categories.estimating.MOST", 30 * 7**2)
    assert_allclose(csat.regress(survey, "sat", ["x", "z"], family="ordered").coefficients.vcov, whole, rtol=1e-10)


# ---- the kernel


def kernel(beta, zeta, cuts):
    return Cumulative(np.array([[0.0], [1.0], [0.0]]), 2, np.array(cuts), np.array(beta), np.array(zeta))


def test_contributions_are_the_derivatives_of_the_log_probability(rng):
    model = kernel([0.7], [-0.5, 0.2, 1.4], [0.5, 1.5, 2.5])
    z = np.column_stack([np.ones(40), rng.normal(size=40), rng.integers(4, size=40)])
    found, step = model.contributions(z), 1e-6
    steps = step * np.eye(4)
    up = [model.at(model.theta + move).contributions(z) for move in steps]
    down = [model.at(model.theta - move).contributions(z) for move in steps]
    slopes = np.array([(a.value - b.value) / (2 * step) for a, b in zip(up, down, strict=True)]).T
    assert_allclose(found.gradient, slopes, atol=1e-8)
    curves = np.array([(a.gradient - b.gradient) / (2 * step) for a, b in zip(up, down, strict=True)])
    rows, columns = np.triu_indices(4)
    assert_allclose(found.packed(), -curves[rows, :, columns].T, atol=1e-8)


@pytest.mark.parametrize("far", [40.0, 800.0, 1e5])
def test_far_predictors_keep_their_digits(far):
    """Where probabilities underflow, log F(a) is a and derivatives are those of the tail."""
    model = kernel([far], [0.0, 1e-9], [0.5, 1.5])
    z = np.column_stack([np.ones(6), np.repeat([1.0, -1.0], 3), np.tile([0.0, 1.0, 2.0], 2)])
    found = model.contributions(z)
    middle = np.log(1e-9) - far
    assert_allclose(found.value, [-far, middle, 0, 0, middle, -far], rtol=1e-7, atol=1e-15)
    assert_allclose(found.gradient[:, 0], [-1, -1, 0, 0, -1, -1], atol=1e-15)
    assert np.isfinite(found.bend).all()
    assert np.isfinite(found.tie).all()


def test_kernels_travel(data):
    """They go to other processes: small, and equal after the journey."""
    from csat.drivers.categories.effects import Moves

    model = kernel([0.7], [0.1, 0.9], [0.5, 1.5])
    moves = Moves(np.ones((1, 3, 1)), np.zeros((0, 3, 1)), np.zeros((0, 3, 1)))
    z = np.column_stack([np.ones(5), np.arange(5.0), [0, 1, 2, 1, 0]])
    for scores in (Influence(model, moves, np.ones((3, 2)), np.zeros(1), 5.0), Estimating(model, moves)):
        packed = pickle.dumps(scores)
        assert len(packed) < 2000
        assert_allclose(pickle.loads(packed)(z, np.ones(5)), scores(z, np.ones(5)))  # noqa: S301


# ---- what a result says


def test_a_result_has_the_shape_of_every_regression(data):
    found = fit(data, "sat", family="ordered", design=WEIGHTED)
    table = found.tidy()
    assert table["term"].tolist() == ["x", "z", "brand=b", "brand=c", "1|2", "2|3", "3|4", "4|5"]
    assert found.owner == ("x", "z", "brand", "brand", "", "", "", "")
    assert table["beta"].notna().tolist() == [True] * 4 + [False] * 4
    assert_allclose(found.beta[0], table["estimate"][0] * found_sd(data), rtol=1e-9)
    linear = fit(data, "sat", family="linear", design=WEIGHTED)
    assert list(table.columns) == list(linear.tidy().columns)
    assert_allclose(found.vif[:4], linear.vif[1:], rtol=1e-12)
    assert_allclose(found.terms["gvif"], linear.terms["gvif"], rtol=1e-12)
    assert found.condition == linear.condition
    glance = found.glance().iloc[0]
    assert (glance["family"], glance["modelled"], glance["levels"]) == ("ordered", "sat ≥ 5", 5)
    assert glance[["r2", "adj_r2", "sigma"]].isna().all()
    assert glance["df2"] == found.test.df2 == 30 - 3 - 4
    assert found.coefficients.unit == "log odds of sat"
    assert_allclose(found.test_of("brand").statistic, found.terms["f"][2], rtol=1e-12)
    assert found.levels["n"].sum() == N
    assert_allclose(found.levels["share"].sum(), 1)


def found_sd(data) -> float:
    x, w = data["x"], data["w"]
    return float(np.sqrt(np.average((x - np.average(x, weights=w)) ** 2, weights=w) * N / (N - 1)))


def test_odds_ratios_are_exponentials(data):
    found = fit(data, design=WEIGHTED)
    odds, table = found.odds_ratios(), found.tidy()
    assert odds["term"].tolist() == ["x", "z", "brand=b", "brand=c"]
    for name in ("estimate", "low", "high"):
        assert_allclose(odds[name], np.exp(table[name][1:]))
    assert_allclose(odds["p"], table["p"][1:])


def test_without_a_design_statistics_are_normal(data):
    found = fit(data, se="classical")
    assert np.isinf(found.coefficients.df)
    assert 0 < found.test.p < 1e-5
    assert (found.terms["p"] < 1).all()


def test_pseudo_r2_of_no_effect_is_small(data, rng):
    shuffled = data.assign(top=rng.permutation(data["top"]))
    glance = fit(shuffled, drivers=["x"], se="classical").glance().iloc[0]
    for name in ("r2_mcfadden", "r2_cox_snell", "r2_nagelkerke"):
        assert 0 <= glance[name] < 0.05


def test_a_recode_says_which_answers_count(data):
    top = csat.Recode("top2", "sat", {1: 0, 2: 0, 3: 0, 4: 1, 5: 1})
    got = fit(data, top, design=WEIGHTED)
    assert_allclose(got.coefficients.estimate, fit(data, design=WEIGHTED).coefficients.estimate, rtol=1e-10)
    assert got.glance()["modelled"][0] == "top2 = 1"


def test_a_recoded_driver_has_the_effect_of_a_switch(data):
    high = csat.Recode("x_high", "x", {level: float(level >= 8) for level in range(1, 11)})
    found = fit(data, drivers=[high], design=WEIGHTED)
    share = data.assign(high=data["x"] >= 8).groupby("high").apply(lambda g: np.average(g["top"], weights=g["w"]))
    assert_allclose(found.effects.estimate, share[True] - share[False], rtol=1e-9)


def test_levels_keep_their_digits_in_names(data):
    found = fit(data.assign(sat=data["sat"] / 1e7 + 1), "sat", ["x"], family="ordered")
    assert found.coefficients.term[1] == "1.0000001|1.0000002"


def test_a_level_that_only_incomplete_rows_gave_is_named(data):
    data.loc[data["sat"] == 3, "x"] = np.nan
    found = fit(data, "sat", ["x", "z"], family="ordered")
    assert found.coefficients.term[2:] == ("1|2", "2|4", "4|5")
    assert found.empty == (3.0,)
    assert found.left_out == data["x"].isna().sum()


def test_groups_are_the_regressions_of_their_domains(data):
    survey = csat.read_survey(data, design=WEIGHTED)
    found = csat.regress(survey, "sat", ["x", "z"], family="ordered", by="brand")
    assert len(found.tests) == 3
    for at, brand in enumerate(("a", "b", "c")):
        alone = csat.regress(survey.where(brand=brand), "sat", ["x", "z"], family="ordered")
        part = slice(6 * at, 6 * at + 6)
        assert_allclose(found.coefficients.estimate[part], alone.coefficients.estimate, rtol=1e-9)
        assert_allclose(found.coefficients.vcov[part, part], alone.coefficients.vcov, rtol=1e-8)
        assert_allclose(found.effects.se[2 * at : 2 * at + 2], alone.effects.se, rtol=1e-8)
        assert_allclose([found.loglik[at], found.tests[at].p], [alone.loglik, alone.test.p], rtol=1e-8)
    assert np.abs(found.coefficients.vcov[:6, 6:12]).max() > 0
    assert found.differences("a").tidy()["se"].notna().all()
    assert list(found.terms.columns)[:2] == ["brand", "term"]
    assert list(found.odds_ratios().columns)[:2] == ["term", "brand"]


def test_groups_without_a_model_say_why(data):
    data["top"] = np.where(data["brand"] == "a", data["x"] > 7, np.where(data["brand"] == "b", 1.0, data["top"]))
    survey = csat.read_survey(data, design=WEIGHTED)
    found = csat.regress(survey, "top", ["x", "z"], family="logit", by="brand")
    notes = found.tidy().groupby("brand")["note"].first()
    assert "without error" in notes["a"]
    assert notes.tolist()[1:] == ["a variable does not vary here", ""]
    assert found.coefficients.se[6:].min() > 0
    alone = csat.regress(survey.where(brand="c"), "top", ["x", "z"], family="logit")
    assert_allclose(found.coefficients.vcov[6:, 6:], alone.coefficients.vcov, rtol=1e-8)


def test_groups_under_replicates_that_lose_a_category_have_no_error(data):
    """Leaving out hall 0 leaves nobody of the rare segment in group a; group b is told all the same."""
    data["segment"] = np.where(data["hall"].isin([0, 20, 21]), "rare", "common")
    data["brand"] = np.where(data["hall"] < 15, "a", "b")
    survey = csat.read_survey(data, design=WEIGHTED).replicated(Replication("JKn"))
    found = csat.regress(survey, "top", ["x", "segment"], family="logit", by="brand")
    table = found.tidy().set_index("brand")
    assert table.loc["a", "se"].isna().all()
    assert (table.loc["a", "note"] == "not identified by the data").all()
    assert table.loc["b", "se"].gt(0).all()
    with pytest.raises(SampleError, match="One of the replicates leaves too few different answers"):
        csat.regress(survey.where(brand="a"), "top", ["x", "segment"], family="logit")


def test_groups_do_not_take_the_names_of_columns(data):
    for name in ("modelled", "levels", "rounds", "r2_mcfadden"):
        with pytest.raises(OptionError, match=f"column '{name}' has the name of a result's column"):
            fit(data.rename(columns={"brand": name}), drivers=["x"], by=name)


# ---- separation


@pytest.fixture
def apart(rng):
    frame = pd.DataFrame({"a": rng.normal(size=90), "b": rng.normal(size=90), "c": rng.normal(size=90)})
    frame["brand"] = np.array(["p", "q", "r"])[np.arange(90) % 3]
    return frame.assign(
        single=(frame["a"] > 0.2) * 1.0,
        both=(frame["a"] + frame["b"] > 0) * 1.0,
        level=np.where(frame["brand"] == "r", 1.0, rng.integers(2, size=90)),
        top=np.where(frame["brand"] == "r", 4.0, rng.integers(1, 5, size=90)),
        middle=np.where(frame["brand"] == "r", 2.0, rng.integers(1, 4, size=90)),
    )


@pytest.mark.parametrize(
    ("outcome", "drivers", "family", "message"),
    [
        ("single", ["a", "b", "c"], "logit", "^'a' predicts 'single' without error, .* Leave it out"),
        ("both", ["a", "b", "c"], "logit", "^'a' and 'b' together predict 'both' without error.* Leave one out"),
        ("level", ["a", "brand"], "logit", "^'brand=r' predicts 'level' without error"),
        ("top", ["a", "brand"], "ordered", "^'brand=r' predicts 'top' without error, .* merge values or levels"),
    ],
)
def test_drivers_that_predict_without_error_are_named(apart, outcome, drivers, family, message):
    with pytest.raises(SampleError, match=message):
        fit(apart, outcome, drivers, family=family)


def test_a_category_with_one_middle_level_does_not_separate(apart):
    assert np.isfinite(fit(apart, "middle", ["a", "brand"], family="ordered").coefficients.se).all()


def test_one_respondent_against_the_rule_is_enough(apart):
    apart.loc[apart["a"].idxmax(), "single"] = 0.0
    assert np.isfinite(fit(apart, "single", ["a", "b"]).coefficients.estimate).all()


def test_separation_is_found_exactly_when_linear_programming_finds_it(rng):
    from scipy.optimize import linprog

    seen = []
    for _ in range(60):
        n, k, j = int(rng.integers(8, 40)), int(rng.integers(1, 3)), int(rng.integers(2, 5))
        x = rng.integers(1, 6, size=(n, k)).astype(float)
        latent = x @ rng.normal(size=k) + rng.logistic(size=n) * rng.choice([0.1, 1.0])
        y = np.unique(np.digitize(latent, np.quantile(latent, np.arange(1, j) / j)), return_inverse=True)[1]
        size = y.max()
        # A direction (slopes, thresholds) that no row stands against, if there is one.
        above = np.array([np.r_[-row, np.eye(size)[c]] for row, c in zip(x, y, strict=True) if c < size])
        below = np.array([np.r_[row, -np.eye(size)[c - 1]] for row, c in zip(x, y, strict=True) if c > 0])
        sides = np.vstack([above, below])
        best = linprog(-sides.sum(axis=0), A_ub=-sides, b_ub=np.zeros(len(sides)), bounds=[(-1, 1)] * (k + size))
        expected = -best.fun > 1e-9
        names = [f"x{i}" for i in range(k)]
        frame = pd.DataFrame(x, columns=names).assign(y=y.astype(float))
        try:
            fit(frame, "y", names, family="logit" if size == 1 else "ordered", se="classical")
            found = False
        except SampleError as error:
            assert "separation" in str(error)
            found = True
        assert found == expected
        seen.append(found)
    assert 10 < sum(seen) < 50


# ---- wrong input


@pytest.mark.parametrize(
    ("outcome", "drivers", "family", "error", "message"),
    [
        ("brand", ["x"], "logit", SampleError, r"'brand' holds categories .*Recode\('brand=c', 'brand', {'a': 0, 'b'"),
        (
            "sat",
            ["x"],
            "logit",
            SampleError,
            r"two values; 'sat' has 5: 1, 2, .*'ordered'.*{1: 0, 2: 0, 3: 0, 4: 0, 5: 1}",
        ),
        ("top", ["x"], "ordered", SampleError, "three levels or more; 'top' has two: 0, 1. Use family='logit'"),
        ("w", ["x"], "ordered", SampleError, "'w' has .* different values; .* up to 50 levels. Use family='linear'"),
        ("one", ["x"], "logit", SampleError, "No variation in 'one'"),
        ("one", ["x"], "ordered", SampleError, "No variation in 'one'"),
        ("top", ["one", "x"], "logit", SampleError, "No variation in 'one'"),
        ("sat", ["x", "twin"], "ordered", csat.CsatError, "'twin' is an exact linear combination of 'x'"),
        ("top", ["none"], "logit", SampleError, "needs at least 3 complete answers; 0 found"),
        ("none", ["x"], "logit", SampleError, "'none' has no answers"),
        ("nowhere", ["x"], "logit", csat.CsatError, "No column 'nowhere'"),
    ],
)
def test_wrong_outcomes_and_drivers_are_refused_in_words(data, outcome, drivers, family, error, message):
    data = data.assign(one=3.0, twin=2 * data["x"] - 1, none=np.nan)
    with pytest.raises(error, match=message):
        fit(data, outcome, drivers, family=family)


def test_a_summary_has_no_rows(data):
    survey = csat.read_survey(data, design=WEIGHTED)
    published = csat.from_covariance(data[["x", "top"]].cov(), n=N, mean=data[["x", "top"]].mean().to_dict())
    for source in (published, survey.groups(["x", "top"], rule="listwise")):
        with pytest.raises(SampleError, match="family='logit' needs the respondents' rows"):
            csat.regress(source, "top", ["x"], family="logit")


def test_what_is_for_linear_regression_only_is_refused(data):
    with pytest.raises(OptionError, match="intercept=False is for family='linear'"):
        fit(data, intercept=False)
    with pytest.raises(OptionError, match=r"se='HC3' is for family='linear'; .* choose one of design, classical"):
        fit(data, se="HC3")


def test_too_few_units_and_respondents(data):
    with pytest.raises(SampleError, match="4 drivers but only 2 degrees of freedom"):
        fit(data, design=csat.Design(psu="city"))
    few = data.iloc[[0, 1, 2, 3, 4]].assign(sat=[1.0, 2, 3, 4, 5])
    with pytest.raises(SampleError, match="for 5 levels needs at least 6 complete answers; 5 found"):
        fit(few, "sat", ["x"], family="ordered")


def test_a_replicate_without_a_category_is_an_error_in_words(data):
    data["brand"] = np.where(data["hall"] == 0, "rare", "common")
    survey = csat.read_survey(data, design=WEIGHTED).replicated(Replication("JKn"))
    with pytest.raises(SampleError, match="One of the replicates leaves too few different answers"):
        csat.regress(survey, "sat", ["x", "brand"], family="ordered")
