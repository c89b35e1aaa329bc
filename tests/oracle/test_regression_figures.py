"""R: lm, sandwich::vcovHC, car::vif and Anova, survey::svyglm and regTermTest."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.terms import Factor
from csat.moments import Groups

OLS = ("reg_mobi_ols", "reg_mtcars_ols", "reg_swiss_ols")
RTOL = 1e-7


@pytest.fixture(scope="module")
def cases(oracle):
    return oracle("regression_cases")


@pytest.fixture(scope="module")
def r(oracle):
    return oracle("regression")


@pytest.fixture(scope="module")
def rows(fixtures):
    return pd.read_csv(fixtures / "r" / "regression.csv")


def published(summary: dict) -> Groups:
    return csat.from_covariance(
        np.array(summary["cov"]), n=summary["n"], mean=summary["mean"], names=summary["names"], divisor="n"
    )


def same_table(got: csat.Regression, expected: dict) -> None:
    table = got.tidy()
    pairs = {"estimate": "est", "se": "se", "statistic": "t", "p": "p", "low": "ci_lower", "high": "ci_upper"}
    short = {"ci_lower": "low", "ci_upper": "high"}
    for ours, theirs in pairs.items():
        figures = expected[theirs] if theirs in expected else expected[short[theirs]]
        assert_allclose(table[ours], figures, rtol=RTOL, err_msg=ours)
    if "vcov" in expected:
        values = expected["vcov"]["values"] if isinstance(expected["vcov"], dict) else expected["vcov"]
        assert_allclose(got.coefficients.vcov, values, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("name", OLS)
def test_least_squares_from_moments_equal_lm(cases, name):
    case = cases[name]
    expected = case["result"]
    got = csat.regress(published(case["summary"]), case["outcome"], expected["terms"][1:], se="classical")
    same_table(got, expected)
    for ours, theirs in (
        ("beta", "beta_std"), ("vif", "vif"), ("tolerance", "tolerance"),
        ("partial", "partial_cor"), ("semipartial", "semipartial_cor"),
    ):  # fmt: skip
        assert_allclose(getattr(got, ours)[1:], list(expected[theirs].values()), rtol=RTOL, err_msg=ours)
        assert np.isnan(getattr(got, ours)[0])
    for ours, theirs in (("r2", "r2"), ("adj_r2", "adj_r2"), ("sigma", "sigma"), ("loglik", "logLik")):
        assert_allclose(getattr(got, ours), expected[theirs], rtol=RTOL, err_msg=ours)
    assert_allclose([got.aic, got.bic], [expected["AIC"], expected["BIC"]], rtol=RTOL)
    assert_allclose([got.test.statistic, got.test.df, got.test.df2], expected["fstat"], rtol=RTOL)
    assert_allclose(got.sigma**2 * got.test.df2, expected["rss"], rtol=RTOL)


@pytest.mark.parametrize("name", OLS)
def test_condition_indices_and_variance_proportions_equal_belsley(cases, name):
    case = cases[name]
    expected = case["result"]
    got = csat.regress(published(case["summary"]), case["outcome"], expected["terms"][1:], se="classical")
    table = got.collinearity
    indices = table.groupby("dimension")["condition_index"].first()
    assert_allclose(indices, expected["condition_index"], rtol=RTOL)
    assert_allclose(got.condition, expected["condition_index"][-1], rtol=RTOL)
    shares = table["share"].to_numpy().reshape(len(indices), -1)
    assert_allclose(shares, expected["variance_proportions"]["values"], rtol=1e-6, atol=1e-10)


@pytest.mark.shared
@pytest.mark.parametrize("name", OLS)
@pytest.mark.parametrize("se", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_errors_equal_sandwich(cases, shared_case, name, se):
    case = cases[name]
    data = pd.read_csv(shared_case(f"{name}.csv"))
    got = csat.regress(csat.read_survey(data), case["outcome"], case["result"]["terms"][1:], se=se)
    assert_allclose(got.coefficients.se, case["result"][f"se_{se.lower()}"], rtol=RTOL)


def test_weighted_least_squares_equals_lm(oracle):
    found = oracle("reg_mobi_wls")
    expected = found["result"]
    got = csat.regress(published(found["summary"]), "SATIS", expected["terms"][1:], se="classical")
    same_table(got, expected)
    glance = got.glance().iloc[0]
    assert_allclose(
        [glance["r2"], glance["adj_r2"], glance["f"], glance["df2"]],
        [expected["r2"], expected["adj_r2"], expected["fstat"][0], expected["df_resid"]],
        rtol=RTOL,
    )


@pytest.mark.shared
def test_design_based_errors_equal_svyglm(oracle, shared_case):
    expected = oracle("reg_mobi_wls")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("reg_mobi_wls.csv")), design=csat.Design(weight="w"))
    got = csat.regress(survey, "SATIS", expected["terms"][1:])
    assert_allclose(got.coefficients.se, expected["se_survey"], rtol=RTOL)
    assert got.coefficients.df == expected["df_resid"]


@pytest.mark.shared
def test_generalised_vif_and_type_two_anova_equal_car(cases, shared_case):
    expected = cases["reg_gvif_mtcars"]["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("reg_gvif_mtcars.csv")))
    got = csat.regress(survey, "mpg", expected["gvif"]["rows"], se="classical")
    found = got.terms.set_index("term")
    assert_allclose(found[["gvif", "df", "gvif_scaled"]], expected["gvif"]["values"], rtol=1e-8)
    assert_allclose(found["f"], expected["anova2"]["F value"][:4], rtol=1e-8)
    assert_allclose(found["p"], expected["anova2"]["Pr(>F)"][:4], rtol=1e-8)
    assert_allclose(found["f"] * found["df"] * got.sigma**2, expected["anova2"]["Sum Sq"][:4], rtol=1e-8)


def test_linear_regression_of_clusters_from_their_sums_equals_svyglm(cases):
    case = cases["svy_apiclus1_glm"]
    summary, expected = case["summary"], case["result"]["gaussian"]
    size, k = len(summary["n"]), len(summary["names"])
    source = Groups(
        names=tuple(summary["names"]), rule="listwise", midpoint=np.zeros(k), by=(), domains=((),), strata=("",),
        psus=tuple(("", unit) for unit in summary["units"]), units=np.array([size]),
        population=np.array([summary["population"]]), domain=np.zeros(size, int), stratum=np.zeros(size, int),
        psu=np.arange(size), gram=np.array(summary["gram"]), square=None, n=np.array(summary["n"]),
        counts=np.repeat(np.array(summary["n"])[:, None], k, axis=1),
    )  # fmt: skip
    got = csat.regress(source, "api00", expected["terms"][1:])
    same_table(got, expected)
    assert got.coefficients.df == expected["df_residual"]
    assert_allclose(got.r2, expected["weighted_r2"], rtol=RTOL)
    test, wald = got.test_of(["stypeH", "stypeM"]), case["result"]["regTermTest_wald"]
    assert_allclose(
        [test.statistic, test.df, test.df2, test.p], [wald[key] for key in ("F", "df", "ddf", "p")], rtol=1e-6
    )
    assert np.isnan(got.aic)  # the weights of single rows are not remembered


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "design", "drivers", "tested"),
    [
        ("svy_apiclus1_glm", csat.Design(weight="pw", psu="dnum", fpc="fpc"), ["ell", "meals", "stype"], ["stype"]),
        (
            "svy_apistrat_glm", csat.Design(weight="pw", stratum="stype", fpc="fpc"),
            ["ell", "meals", "mobility"], ["ell", "mobility"],
        ),
    ],
)  # fmt: skip
def test_linear_regressions_of_surveys_equal_svyglm(cases, shared_case, name, design, drivers, tested):
    found = cases[name]["result"]
    expected, wald = found["gaussian"], found["regTermTest_wald"]
    survey = csat.read_survey(pd.read_csv(shared_case(f"{name}.csv")), design=design)
    got = csat.regress(survey, "api00", drivers)
    same_table(got, expected)
    assert got.coefficients.df == expected["df_residual"]
    assert got.n == found["design"]["n"]
    assert_allclose(got.n_eff, found["design"]["kish_neff"], rtol=RTOL)
    assert_allclose(got.r2, expected["weighted_r2"], rtol=RTOL)
    dispersion = got.sigma**2 * (got.n - len(expected["est"])) / found["design"]["sum_weights"] * got.n / (got.n - 1)
    assert_allclose(dispersion, expected["dispersion"], rtol=RTOL)
    test = got.test_of(tested)
    assert_allclose(
        [test.statistic, test.df, test.df2, test.p], [wald[key] for key in ("F", "df", "ddf", "p")], rtol=1e-6
    )


DESIGN = csat.Design(weight="w", stratum="stratum", psu="psu")
#: R's order of coefficients of y ~ x + brand + z + brand:z is that of the terms.
CROSSED = ["x", "brand", "z", "brand:z"]


def test_an_interaction_with_a_factor_equals_svyglm(r, rows):
    got = csat.regress(csat.read_survey(rows, design=DESIGN), "y", CROSSED)
    expected = r["interaction"]
    same_table(got, expected)
    assert got.coefficients.df == expected["df"]
    for terms, key in ((["brand:z"], "brand_z"), (["x"], "x"), (CROSSED, "slopes")):
        test = got.test_of(terms)
        wanted = [expected[key][name] for name in ("F", "df", "ddf", "p")]
        assert_allclose([test.statistic, test.df, test.df2, test.p], wanted, rtol=1e-6)
    assert_allclose(got.test.statistic, expected["slopes"]["F"], rtol=1e-6)
    tested = got.terms.set_index("term")["f"]
    assert_allclose(tested[["brand:z", "x"]], [expected[key]["F"] for key in ("brand_z", "x")], rtol=1e-6)


def test_joint_tests_without_interactions_equal_svyglm(r, rows):
    got = csat.regress(csat.read_survey(rows, design=DESIGN), "y", ["x", "brand", "z"])
    same_table(got, r["additive"])
    brand = got.terms.set_index("term").loc["brand"]
    assert_allclose([brand["f"], brand["p"]], [r["additive"]["brand"][key] for key in ("F", "p")], rtol=1e-6)


def test_jackknife_replicates_equal_svyglm(r, rows):
    survey = csat.read_survey(rows, design=DESIGN).replicated(Replication("JKn"))
    got = csat.regress(survey, "y", ["x", "brand", "z"])
    assert_allclose(got.coefficients.estimate, r["jackknife"]["est"], rtol=RTOL)
    assert_allclose(got.coefficients.vcov, r["jackknife"]["vcov"], rtol=1e-6, atol=1e-12)
    assert got.coefficients.df == r["jackknife"]["df"]


def test_regressions_by_group_equal_the_joint_model_of_svyglm(r, rows):
    """R's model y ~ 0 + segment + segment:(x + z) is a regression in each segment, with their joint covariance."""
    got = csat.regress(csat.read_survey(rows, design=DESIGN), "y", ["x", "z"], by="segment").coefficients
    order = [0, 2, 4, 1, 3, 5]  # group by group
    assert list(zip(got.keys["segment"], got.term, strict=True))[:4] == [
        ("old", "(intercept)"), ("old", "x"), ("old", "z"), ("young", "(intercept)")
    ]  # fmt: skip
    assert_allclose(got.estimate, np.array(r["groups"]["est"])[order], rtol=RTOL)
    assert_allclose(got.vcov, np.array(r["groups"]["vcov"])[np.ix_(order, order)], rtol=1e-6, atol=1e-12)
    assert_allclose(got.vcov[:3, :3], r["old"]["vcov"], rtol=1e-6)
    assert got.df[0] == r["old"]["df"]


def test_weighted_figures_equal_lm(r, rows):
    got = csat.regress(csat.read_survey(rows, design=csat.Design(weight="w")), "y", CROSSED, se="classical")
    expected = r["weighted"]
    same_table(got, expected)
    for name in ("sigma", "r2", "adj_r2", "loglik", "aic", "bic"):
        assert_allclose(getattr(got, name), expected[name], rtol=RTOL, err_msg=name)
    assert_allclose([got.test.statistic, got.test.df, got.test.df2], expected["f"], rtol=RTOL)


@pytest.mark.parametrize("se", ["HC0", "HC1", "HC2", "HC3"])
def test_robust_errors_of_weighted_rows_equal_sandwich(r, rows, se):
    got = csat.regress(csat.read_survey(rows, design=csat.Design(weight="w")), "y", CROSSED, se=se)
    assert_allclose(got.coefficients.vcov, r["sandwich"][se], rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(("se", "key"), [("classical", "anova2"), ("HC3", "anova2_hc3")])
def test_type_two_tests_with_an_interaction_equal_car(r, rows, se, key):
    got = csat.regress(csat.read_survey(rows, design=csat.Design(weight="w")), "y", CROSSED, se=se).terms
    assert got["term"].tolist() == r[key]["terms"]
    assert_allclose(got["f"], r[key]["f"], rtol=RTOL)
    assert_allclose(got["p"], r[key]["p"], rtol=1e-6)


def test_generalised_vif_of_weighted_rows_equals_car(r, rows):
    got = csat.regress(csat.read_survey(rows, design=csat.Design(weight="w")), "y", ["x", "brand", "z", "segment"])
    assert_allclose(got.terms[["gvif", "df", "gvif_scaled"]], r["gvif"], rtol=RTOL)


@pytest.mark.parametrize(("kind", "drivers"), [("numeric", ["x", "z"]), ("factor", ["brand", "x", "segment"])])
def test_regression_through_the_origin_equals_lm(r, rows, kind, drivers):
    expected = r["origin"][kind]
    survey = csat.read_survey(rows, design=csat.Design(weight="w"))
    got = csat.regress(survey, "y", drivers, se="classical", intercept=False)
    same_table(got, expected)
    for name in ("sigma", "r2", "adj_r2", "aic", "bic"):
        assert_allclose(getattr(got, name), expected[name], rtol=RTOL, err_msg=name)
    assert_allclose([got.test.statistic, got.test.df, got.test.df2], expected["f"], rtol=RTOL)
    hc3 = csat.regress(survey, "y", drivers, se="HC3", intercept=False)
    assert_allclose(hc3.coefficients.vcov, expected["hc3"], rtol=1e-6, atol=1e-12)
    gvif = got.terms[["gvif", "df", "gvif_scaled"]] if kind == "factor" else got.vif[:, None]
    assert_allclose(gvif, expected["vif"], rtol=RTOL)


def test_design_based_regression_through_the_origin_equals_svyglm(r, rows):
    got = csat.regress(csat.read_survey(rows, design=DESIGN), "y", ["x", "z"], intercept=False)
    expected = r["origin"]["design"]
    assert_allclose(got.coefficients.estimate, expected["est"], rtol=RTOL)
    assert_allclose(got.coefficients.vcov, expected["vcov"], rtol=1e-6)
    assert got.coefficients.df == expected["df"]


def test_a_numeric_category_may_be_a_factor(rows):
    coded = rows.assign(code=rows["brand"].map({"a": 1.0, "b": 2.0, "c": 3.0}))
    words = csat.regress(csat.read_survey(rows, design=DESIGN), "y", ["x", "brand"])
    numbers = csat.regress(csat.read_survey(coded, design=DESIGN), "y", ["x", Factor("code")])
    assert_allclose(numbers.coefficients.vcov, words.coefficients.vcov, rtol=1e-10)
    assert numbers.coefficients.term == ("(intercept)", "x", "code=2", "code=3")
