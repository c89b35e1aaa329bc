"""R: lm, survey::svyglm, add1/drop1 (SPSS rule), relaimpo."""

import numpy as np
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


def test_importance_of_weighted_answers_equals_relaimpo(oracle):
    found = oracle("reg_mobi_wls")
    expected, summary = found["result"], found["summary"]
    drivers = expected["terms"][1:]
    lmg = csat.importance(source(summary), "SATIS", drivers).estimates.estimate
    np.testing.assert_allclose(lmg, list(expected["lmg_weights"].values()), atol=1e-8)
    first = csat.importance(source(summary), "SATIS", drivers, method="first").estimates.estimate
    np.testing.assert_allclose(first, list(expected["first_weights"].values()), atol=1e-8)
