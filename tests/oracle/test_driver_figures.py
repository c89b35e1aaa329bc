"""R: lm, survey::svyglm, add1/drop1 (SPSS rule), relaimpo."""

import numpy as np
import pandas as pd
import pytest

import csat


def source(summary: dict):
    return csat.from_covariance(
        np.array(summary["cov"]), n=summary["n"], mean=summary["mean"], names=summary["names"], divisor="n"
    )


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("stepwise", {}),
        ("forward", {"direction": "forward"}),
        ("backward", {"direction": "backward"}),
        ("stepwise_pin01_pout05", {"enter": 0.01, "remove": 0.05}),
    ],
)
def test_stepwise_takes_the_same_steps_as_the_spss_rule(oracle, key, options):
    found = oracle("step_swiss_pvalue")
    expected = found["result"][key]
    summary = found["summary"]
    got = csat.stepwise(source(summary), "Fertility", summary["names"][:-1], se="classical", **options)
    assert list(got.selected) == expected["selected"]
    assert [(s.action, s.term, list(s.model)) for s in got.steps] == [
        (h["action"], h["variable"], h["model"]) for h in expected["history"]
    ]
    for ours, theirs in (("f", "F"), ("p", "p"), ("r2", "r2"), ("adj_r2", "adj_r2"), ("sigma", "sigma")):
        np.testing.assert_allclose(
            [getattr(s, ours) for s in got.steps], [h[theirs] for h in expected["history"]], rtol=1e-7
        )
    final, table = expected["final"], got.final.tidy()
    for ours, theirs in (("estimate", "est"), ("se", "se"), ("statistic", "t"), ("p", "p"), ("low", "ci_lower")):
        np.testing.assert_allclose(table[ours], final[theirs], rtol=1e-7)
    np.testing.assert_allclose(table["beta"][1:], list(final["beta_std"].values()), rtol=1e-7)
    np.testing.assert_allclose(got.final.glance()["f"][0], final["fstat"][0], rtol=1e-7)


@pytest.mark.parametrize("method", ["lmg", "first", "last"])
def test_importance_equals_relaimpo(oracle, method):
    found = oracle("relimp_swiss")
    result = found["result"]
    got = csat.importance(source(found["summary"]), "Fertility", result["predictors"], method=method)
    np.testing.assert_allclose(got.estimates.estimate, result[method], atol=1e-8)
    np.testing.assert_allclose(got.r2, result["r2"], atol=1e-8)
    if method == "lmg":
        np.testing.assert_allclose(got.share, result["lmg_pct"], atol=1e-6)


def test_weighted_least_squares_equals_lm(oracle):
    found = oracle("reg_mobi_wls")
    expected, summary = found["result"], found["summary"]
    drivers = expected["terms"][1:]
    got = csat.regress(source(summary), "SATIS", drivers, se="classical")
    table = got.tidy()
    for ours, theirs in (("estimate", "est"), ("se", "se"), ("statistic", "t"), ("low", "ci_lower"), ("p", "p")):
        np.testing.assert_allclose(table[ours], expected[theirs], rtol=1e-7)
    glance = got.glance().iloc[0]
    np.testing.assert_allclose(
        [glance["r2"], glance["adj_r2"], glance["f"], glance["df2"]],
        [expected["r2"], expected["adj_r2"], expected["fstat"][0], expected["df_resid"]],
        rtol=1e-7,
    )
    lmg = csat.importance(source(summary), "SATIS", drivers).estimates.estimate
    np.testing.assert_allclose(lmg, list(expected["lmg_weights"].values()), atol=1e-8)
    first = csat.importance(source(summary), "SATIS", drivers, method="first").estimates.estimate
    np.testing.assert_allclose(first, list(expected["first_weights"].values()), atol=1e-8)


@pytest.mark.shared
def test_design_based_errors_equal_svyglm(oracle, shared_case):
    expected = oracle("reg_mobi_wls")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("reg_mobi_wls.csv")), design=csat.Design(weight="w"))
    got = csat.regress(survey, "SATIS", expected["terms"][1:])
    np.testing.assert_allclose(got.coefficients.se, expected["se_survey"], rtol=1e-7)
    assert got.coefficients.df == expected["df_resid"]


@pytest.mark.shared
@pytest.mark.parametrize("se", ["HC0", "HC1"])
def test_robust_errors_equal_sandwich(oracle, shared_case, se):
    import json

    expected = json.loads(shared_case("reg_mobi_ols.json").read_text(encoding="utf-8"))["result"]
    data = pd.read_csv(shared_case("reg_mobi_ols.csv"))
    drivers = expected["terms"][1:]
    outcome = next(c for c in data.columns if c not in drivers)
    got = csat.regress(csat.read_survey(data), outcome, drivers, se=se)
    np.testing.assert_allclose(got.coefficients.se, expected[f"se_{se.lower()}"], rtol=1e-7)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("case", "design"),
    [
        ("svy_apiclus1_glm", csat.Design(weight="pw", psu="dnum", fpc="fpc")),
        ("svy_apistrat_glm", csat.Design(weight="pw", stratum="stype", fpc="fpc")),
    ],
)
def test_linear_regressions_of_surveys_equal_svyglm(shared_case, case, design):
    """R survey 4.1-1: svyglm, family gaussian; categories as 0/1 columns."""
    import json

    expected = json.loads(shared_case(f"{case}.json").read_text(encoding="utf-8"))["result"]["gaussian"]
    data = pd.read_csv(shared_case(f"{case}.csv"))
    for name in ("H", "M"):
        data[f"stype{name}"] = (data["stype"] == name).astype(float)
    got = csat.regress(csat.read_survey(data, design=design), "api00", expected["terms"][1:]).coefficients
    np.testing.assert_allclose(got.estimate, expected["est"], rtol=1e-7)
    np.testing.assert_allclose(got.se, expected["se"], rtol=1e-7)
    np.testing.assert_allclose(got.vcov, expected["vcov"]["values"], rtol=1e-6)
    assert got.df == expected["df_residual"]
