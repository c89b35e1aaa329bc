"""Diagnosis of a regression: R's figures, laws, brute force, wrong input."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from statsmodels.stats.diagnostic import het_white, linear_reset

import csat
from csat.drivers.diagnostics.diagnosis import diagnose
from csat.drivers.terms import Factor
from csat.moments import Recode

MODELS = {
    "plain": (["a", "b"], None, True),
    "weighted": (["a", "b", "g"], "w", True),
    "crossed": (["a", "b", "g", "a:b"], "w", True),
    "origin": (["a", "b"], "w", False),
}
MEASURES = ("fitted", "residual", "standardized", "studentized", "leverage", "cooks_d", "dffits")


@pytest.fixture
def figures(oracle):
    return oracle("diagnosis")


@pytest.fixture
def diagnosis(figures):
    """Diagnose the rows of the R script."""

    def found(model: str, **options):
        drivers, weight, intercept = MODELS[model]
        survey = csat.read_survey(pd.DataFrame(figures["data"]), design=csat.Design(weight=weight))
        return diagnose(survey, "y", drivers, intercept=intercept, **options)

    return found


@pytest.fixture
def data(rng):
    n = 120
    x = rng.normal(size=(n, 3)) + 5
    g = np.array(["p", "q", "r"])[np.arange(n) % 3]
    y = 1 + x @ [0.5, -0.4, 0.0] + (g == "q") + rng.standard_t(4, n)
    return pd.DataFrame(x, columns=["x0", "x1", "x2"]).assign(g=g, y=y, w=rng.uniform(0.3, 3, n))


def weighted(data):
    return csat.read_survey(data, design=csat.Design(weight="w"))


def one_test(got, name):
    return got.tests.set_index("test").loc[name]


@pytest.mark.parametrize("model", MODELS)
def test_rows_equal_those_of_r(figures, diagnosis, model):
    expected, got = figures[model], diagnosis(model)
    assert_allclose(got.coefficients, expected["est"], rtol=1e-9)
    assert_allclose([got.sigma, got.df], [expected["sigma"], expected["df"]], rtol=1e-9)
    for measure in MEASURES:
        assert_allclose(got.rows[measure], expected[measure], rtol=1e-9, atol=1e-12, err_msg=measure)
    assert_allclose(got.dfbetas.T, expected["dfbetas"], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize("model", MODELS)
def test_added_variables_equal_those_of_r(figures, diagnosis, model):
    partial = diagnosis(model).partial("a")
    assert_allclose(partial[["x_residual", "y_residual"]].T, figures[model]["partial_a"], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("model", MODELS)
def test_tests_equal_those_of_r(figures, diagnosis, model):
    expected, got = figures[model], diagnosis(model)
    reset = one_test(got, "reset")
    assert_allclose([reset.statistic, reset.p], [expected["reset"]["F"], expected["reset"]["p"]], rtol=1e-7)
    assert (reset.df, reset.df2) == (2, got.df - 2)
    shapiro = one_test(got, "shapiro_wilk")
    assert_allclose([shapiro.statistic, shapiro.p], [expected["shapiro"]["W"], expected["shapiro"]["p"]], rtol=1e-6)
    if model != "origin":  # R's script takes the mean off; without an intercept it is not 0
        assert_allclose(one_test(got, "jarque_bera").statistic, expected["jarque_bera"]["JB"], rtol=1e-9)


@pytest.mark.parametrize(
    ("key", "model", "name"),
    [
        ("bptest", "plain", "breusch_pagan"),
        ("white", "plain", "white"),
        ("bptest_weighted", "weighted", "breusch_pagan"),
        ("resettest", "plain", "reset"),
    ],
)
def test_tests_equal_lmtest(figures, diagnosis, key, model, name):
    expected, got = figures[key], one_test(diagnosis(model), name)
    assert_allclose([got.statistic, got.p], [expected["statistic"], expected["p"]], rtol=1e-9)
    assert_allclose([got.df, got.df2][: np.size(expected["df"])], np.ravel(expected["df"]))


@pytest.mark.parametrize(("name", "outcome"), [("swiss", "Fertility"), ("mtcars", "mpg"), ("mobi", "SATIS")])
def test_leverage_and_studentized_residuals_equal_the_reference(shared_case, name, outcome):
    result = json.loads(shared_case(f"reg_{name}_ols.json").read_text(encoding="utf-8"))["result"]
    rows = pd.read_csv(shared_case(f"reg_{name}_ols.csv")).select_dtypes("number")
    got = diagnose(csat.read_survey(rows), outcome, result["terms"][1:])
    assert_allclose(got.rows["leverage"], result["hat"], rtol=1e-7)
    assert_allclose(got.rows["studentized"], result["rstudent"], rtol=1e-7)
    assert_allclose(got.rows["cooks_d"].max(), result["cooks_max"], rtol=1e-7)


@pytest.mark.parametrize(
    ("drivers", "options"),
    [
        (["x0"], {}),
        (["x0", "x1", "x2"], {"complete": ["g"]}),
        (["x0", Factor("g", "q"), "x0:g"], {"complete": ["x2"]}),
        ([Recode("top", "g", {"p": 1.0, "q": 0.0})], {}),
        (["g", "x1"], {"intercept": False}),
        (["x0", "x1"], {"intercept": False}),
    ],
)
def test_coefficients_are_those_of_the_regression_from_moments(data, drivers, options):
    data.loc[[11, 12], "x2"] = np.nan
    data.loc[15, "g"] = None
    data.loc[[4, 9], "x0"] = np.nan
    data.loc[7, "y"] = np.nan
    survey = weighted(data)
    got = diagnose(survey, "y", drivers, **options)
    other = csat.regress(survey, "y", drivers, se="classical", **options)
    assert tuple(got.coefficients.index) == other.coefficients.term
    assert_allclose(got.coefficients, other.coefficients.estimate, rtol=1e-9)
    assert_allclose(got.sigma, other.sigma, rtol=1e-9)
    assert (len(got.rows), got.left_out) == (other.n, other.left_out)


def test_laws_of_leverage_and_residuals(data):
    survey = weighted(data)
    got = diagnose(survey, "y", ["x0", "x1", "g", "x0:g"])
    p = len(got.coefficients)
    assert_allclose(got.rows["leverage"].sum(), p, rtol=1e-12)
    assert got.rows["leverage"].between(0, 1).all()
    weight, residual = data["w"].to_numpy(), got.rows["residual"].to_numpy()
    x = data[["x0", "x1"]].assign(one=1.0, q=data["g"] == "q", r=data["g"] == "r").to_numpy(float)
    assert_allclose((weight * residual) @ x, 0, atol=1e-9)
    assert_allclose(got.rows["fitted"] + residual, data["y"], rtol=1e-12)


def test_another_unit_of_weights_or_data_changes_no_measure(data):
    got = diagnose(weighted(data), "y", ["x0", "x1", "g"])
    scaled = data.assign(w=data["w"] * 1e4, x0=data["x0"] * 1e-6 + 2020, x1=data["x1"] * 1e6, y=data["y"] / 3)
    other = diagnose(weighted(scaled), "y", ["x0", "x1", "g"])
    for measure in MEASURES[2:]:
        assert_allclose(other.rows[measure], got.rows[measure], rtol=1e-6, atol=1e-7, err_msg=measure)
    assert_allclose(other.tests["statistic"], got.tests["statistic"], rtol=1e-6)


def test_influence_is_what_happens_without_the_row(data):
    """Cook's D, DFFITS, DFBETAS and studentized residuals by leaving each row out in turn."""
    data = data.head(30)
    names, survey = ["x0", "x1"], weighted(data)
    got = diagnose(survey, "y", names)
    x = sm.add_constant(data[names]).to_numpy()
    y, w = data["y"].to_numpy(), data["w"].to_numpy()
    information = (x.T * w) @ x
    for i in range(30):
        left = np.arange(30) != i
        fit = sm.WLS(y[left], x[left], weights=w[left]).fit()
        move, s = got.coefficients.to_numpy() - fit.params, np.sqrt(fit.mse_resid)
        row = got.rows.iloc[i]
        assert_allclose(row["cooks_d"], move @ information @ move / 3 / got.sigma**2, rtol=1e-9)
        own = np.sqrt(row["leverage"] / w[i])
        assert_allclose(row["dffits"], x[i] @ move / (s * own), rtol=1e-9)
        assert_allclose(got.dfbetas.iloc[i], move / (s * np.sqrt(got.unscaled)), rtol=1e-8)
        assert_allclose(
            row["studentized"], row["residual"] * np.sqrt(w[i]) / (s * np.sqrt(1 - row["leverage"])), rtol=1e-9
        )


def test_the_slope_of_an_added_variable_is_its_coefficient(data):
    got = diagnose(weighted(data), "y", ["x0", "x1", "g"])
    for term in got.coefficients.index:
        part = got.partial(term)
        w, x, y = part["weight"], part["x_residual"], part["y_residual"]
        slope = (w * x * y).sum() / (w * x * x).sum()
        assert_allclose(slope, got.coefficients[term], rtol=1e-9)
        assert_allclose(y - slope * x, got.rows["residual"], rtol=1e-8, atol=1e-10)


def test_unweighted_tests_equal_statsmodels(data):
    got = diagnose(csat.read_survey(data), "y", ["x0", "x1", "x2"])
    fit = sm.OLS(data["y"], sm.add_constant(data[["x0", "x1", "x2"]])).fit()
    assert_allclose(one_test(got, "white").statistic, het_white(fit.resid, fit.model.exog)[0], rtol=1e-9)
    assert_allclose(one_test(got, "reset").statistic, linear_reset(fit, power=3, use_f=True).statistic, rtol=1e-6)
    assert_allclose(one_test(got, "omnibus").statistic, sm.stats.omni_normtest(fit.resid)[0], rtol=1e-9)


def test_tests_find_what_is_there(rng):
    n = 2000
    x = rng.normal(size=n)
    e = rng.normal(size=n)
    cases = {
        "fine": (x + e, "equal_variance", "normal", "form_fits"),
        "spread": (x + e * np.exp(x), "unequal_variance", "not_normal", None),
        "skewed": (x + rng.exponential(size=n), "equal_variance", "not_normal", "form_fits"),
        "bent": (x + x**2 + e, None, None, "form_misses"),
    }
    for name, (y, *wanted) in cases.items():
        kinds = diagnose(csat.read_survey(pd.DataFrame({"x": x, "y": y})), "y", "x", level=0.999).tests
        for about, kind in zip(("variance", "normality", "form"), wanted, strict=True):
            found = set(kinds.loc[kinds["about"] == about, "kind"])
            assert kind is None or found == {kind}, (name, about, found)


def test_rows_are_named_as_in_the_source_and_counted(data):
    data.loc[[0, 4], "x1"] = np.nan
    survey = weighted(data).where(g=["p", "q"])
    got = diagnose(survey, "y", ["x0", "x1"])
    rows = survey.frame(["x1", "y"]).dropna()
    assert list(got.rows.index) == list(rows.index)
    assert_allclose(got.rows["fitted"] + got.rows["residual"], rows["y"])
    assert got.left_out == 2
    assert list(got.tidy()["row"]) == list(got.flagged.index[:20])


def test_further_complete_columns_fix_the_sample(data):
    data.loc[3:8, "x2"] = np.nan
    data.loc[20, "g"] = None
    got = diagnose(weighted(data), "y", ["x0"], complete=["x2", "g"])
    assert (len(got.rows), got.left_out) == (len(data) - 7, 7)


def test_flagged_rows_name_every_limit_that_they_pass(data):
    data.loc[10, ["x0", "y"]] = [40.0, -60.0]
    data.loc[50, "y"] = 30.0
    got = diagnose(weighted(data), "y", ["x0", "x1"])
    n, p = len(data), 3
    limits = got.limits.set_index("limit")["value"]
    assert_allclose(limits[["leverage", "leverage_high", "cooks_d"]], [2 * p / n, 3 * p / n, 4 / n])
    from scipy.stats import t

    assert_allclose(limits["outlier_bonferroni"], t.isf(0.025 / n, n - p - 1))
    rows = got.rows
    expected = {
        "outlier": rows["studentized"].abs() > 3,
        "outlier_bonferroni": rows["studentized"].abs() > limits["outlier_bonferroni"],
        "leverage": rows["leverage"] > 2 * p / n,
        "leverage_high": rows["leverage"] > 3 * p / n,
        "cooks_d": rows["cooks_d"] > 4 / n,
        "cooks_d_high": rows["cooks_d"] > 1,
    }
    for row in rows.index:
        named = [name for name, beyond in expected.items() if beyond[row]]
        assert (got.flagged.loc[row, "limits"].split() if row in got.flagged.index else []) == named
    assert list(got.limits["rows"]) == [int(beyond.sum()) for beyond in expected.values()]
    worst = got.flagged.iloc[0]
    assert worst.name == rows["cooks_d"].idxmax()
    assert {"leverage_high", "cooks_d_high"} <= set(worst["limits"].split())
    glance = got.glance().iloc[0]
    assert (glance["flagged"], glance["max_cooks_d"]) == (len(got.flagged), worst["cooks_d"])
    assert glance["assumes"] == "independent rows"
    assert glance["breusch_pagan"] == one_test(got, "breusch_pagan").p


def test_a_row_with_a_coefficient_of_its_own_cannot_be_judged(data):
    data["g"] = np.where(np.arange(len(data)) == 7, "alone", "rest")
    got = diagnose(weighted(data), "y", ["x0", "g"])
    row = got.rows.iloc[7]
    assert_allclose([row["leverage"], row["residual"]], [1, 0], atol=1e-9)
    assert row[["standardized", "studentized", "cooks_d", "dffits"]].isna().all()
    assert got.rows.drop(index=row.name).notna().all(axis=None)
    assert got.flagged.loc[row.name, "limits"] == "leverage leverage_high"


def test_drivers_that_determine_the_outcome_leave_nothing_to_test(data):
    got = diagnose(weighted(data.assign(y=lambda d: 2 * d["x0"] - d["x1"] / 3 + 5)), "y", ["x0", "x1"])
    assert_allclose(got.coefficients, [5, 2, -1 / 3])
    assert got.rows[["standardized", "studentized", "cooks_d", "dffits"]].isna().all(axis=None)
    assert got.tests["p"].isna().all()
    assert set(got.tests["note"]) == {"nothing varies: no test"}
    assert set(got.tests["kind"]) == {""}


def test_tests_that_cannot_be_made_say_why(data):
    few = diagnose(weighted(data.head(6)), "y", ["x0", "x1"])
    assert set(few.tests.set_index("test").loc[["white", "jarque_bera", "omnibus"], "note"]) == {
        "too few answers for this test"
    }
    least = diagnose(weighted(data.head(4)), "y", ["x0", "x1"])
    assert least.df == 1
    assert least.rows["studentized"].isna().all()
    assert one_test(least, "reset").note == "too few answers for this test"
    two = diagnose(weighted(data.assign(half=np.arange(len(data)) % 2)), "y", ["half"])
    assert one_test(two, "reset").note == "not identified by the data"


def test_a_large_survey_is_diagnosed_as_a_whole(rng):
    n = 200_000
    frame = pd.DataFrame(rng.normal(size=(n, 9)), columns=[f"x{j}" for j in range(9)])
    frame["y"] = frame.sum(axis=1) + rng.normal(size=n)
    got = diagnose(csat.read_survey(frame), "y", list(frame.columns[:-1]))
    assert len(got.rows) == n
    assert_allclose(got.rows["leverage"].sum(), 10, rtol=1e-10)
    assert one_test(got, "white").note == "too many drivers and answers for this test"
    assert one_test(got, "shapiro_wilk").note == "this test is made for up to 5000 answers"
    assert one_test(got, "breusch_pagan").kind == "equal_variance"
    assert len(repr(got)) < 5000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: diagnose(s, "y", ["nope"]), "No column 'nope'"),
        (lambda s: diagnose(s, "nope", ["x0"]), "No column 'nope'"),
        (lambda s: diagnose(s, "g", ["x0"]), "'g' holds categories such as 'p', 'q', 'r', not numbers"),
        (lambda s: diagnose(s, "y", ["x0"], complete=["nope"]), "No column 'nope'"),
        (lambda s: diagnose(s, "y", []), "No driver is named"),
        (lambda s: diagnose(s, "y", ["x0", "x0"]), "'x0' is named twice"),
        (lambda s: diagnose(s, "y", ["huge"]), "The largest value of 'huge' is 8e.200: squares overflow. Give it"),
        (lambda s: diagnose(s, "y", ["x0", "flat"]), "No variation in 'flat'"),
        (lambda s: diagnose(s, "y", ["zero"], intercept=False), "No variation in 'zero'"),
        (lambda s: diagnose(s, "y", ["x0", "x1", "copy"]), "'copy' is an exact linear combination of 'x0', 'x1'"),
        (lambda s: diagnose(s, "y", ["x0"], intercept=1), "intercept is True or False; found int 1"),
        (lambda s: diagnose(s, "y", ["x0"], level=95), "level=95"),
        (lambda s: diagnose(s, "y", ["x0", "rare"]), "A regression on 2 drivers needs at least 4 complete answers; 3"),
        (lambda s: diagnose(s, "y", ["x0"]).partial("x9"), "term='x9' is not known; choose one of '.intercept.', 'x0'"),
        (lambda s: diagnose(s.frame(), "y", ["x0"]), "A DataFrame is not a survey yet"),
        (lambda s: diagnose(s.groups(["x0", "y"]), "y", ["x0"]), "A diagnosis needs the respondents' rows.*Pass a sur"),
    ],
)
def test_wrong_calls_say_what_to_do(data, call, message):
    more = data.assign(flat=3.0, zero=0.0, copy=data["x0"] - 2 * data["x1"], rare=[1.0, 2, 4] + [np.nan] * 117)
    more["huge"] = np.arange(120) % 9 * 1e200
    with pytest.raises(csat.CsatError, match=message):
        call(weighted(more))
