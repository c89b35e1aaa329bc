"""R: add1/drop1 (SPSS rule)."""

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
