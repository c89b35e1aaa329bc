"""R: step, add1/drop1 by the rule of SPSS, leaps::regsubsets; versions and calls stand in the fixtures."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.drivers.selection.subsets import best_subsets
from csat.drivers.terms import Factor


def source(summary: dict):
    return csat.from_covariance(
        np.array(summary["cov"]), n=summary["n"], mean=summary["mean"], names=summary["names"], divisor="n"
    )


def listed(value) -> list:
    """R writes a vector of one element without brackets."""
    return value if isinstance(value, list) else [value]


def run(found: dict, **options):
    names = found["summary"]["names"]
    return csat.stepwise(source(found["summary"]), names[-1], names[:-1], se="classical", **options)


def assert_same_final(final, expected: dict) -> None:
    """Coefficients in the order of R, which sorts the terms of the full model."""
    table = final.tidy().set_index("term").loc[["(intercept)", *expected["terms"][1:]]]
    for ours, theirs in (("estimate", "est"), ("se", "se"), ("statistic", "t"), ("p", "p"), ("low", "ci_lower")):
        assert_allclose(table[ours], expected[theirs], rtol=1e-7)
    beta = [expected["beta_std"][term] for term in expected["terms"][1:]]
    assert_allclose(table["beta"][1:], beta, rtol=1e-7)
    assert_allclose(
        [final.r2, final.adj_r2, final.sigma, final.test.statistic],
        [expected["r2"], expected["adj_r2"], expected["sigma"], expected["fstat"][0]],
        rtol=1e-7,
    )


@pytest.mark.parametrize("data", ["mobi", "mtcars", "removal", "swiss"])
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("stepwise", {}),
        ("forward", {"direction": "forward"}),
        ("backward", {"direction": "backward"}),
        ("stepwise_pin01_pout05", {"enter": 0.01, "remove": 0.05}),
    ],
)
def test_steps_are_those_of_the_spss_rule(oracle, data, key, options):
    found = oracle(f"step_{data}_pvalue")
    expected, history = found["result"][key], found["result"][key]["history"]
    got = run(found, **options)
    assert list(got.selected) == listed(expected["selected"])
    assert got.ended == "settled"
    steps = got.steps
    assert list(zip(steps["action"], steps["term"], strict=True)) == [(h["action"], h["variable"]) for h in history]
    pairs = (("statistic", "F"), ("p", "p"), ("r2", "r2"), ("adj_r2", "adj_r2"), ("sigma", "sigma"))
    for ours, theirs in (*pairs, ("drivers", "n_predictors")):
        assert_allclose(steps[ours].astype(float), [h[theirs] for h in history], rtol=1e-7)
    out = got.excluded.set_index("term").loc[listed(expected["excluded"]["variable"])]
    assert_allclose(out["f"], listed(expected["excluded"]["F"]), rtol=1e-7)
    assert_allclose(out["p"], listed(expected["excluded"]["p"]), rtol=1e-7)
    assert_same_final(got.final, expected["final"])


@pytest.mark.parametrize("data", ["mobi", "mtcars", "swiss"])
@pytest.mark.parametrize("rule", ["aic", "bic"])
@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("both_from_null", {}),
        ("both_from_full", {"start": "full"}),
        ("forward", {"direction": "forward"}),
        ("backward", {"direction": "backward"}),
    ],
)
def test_steps_by_a_criterion_are_those_of_step(oracle, data, rule, key, options):
    found = oracle(f"step_{data}_ic")
    expected = found["result"][f"{rule.upper()}_{key}"]
    got = run(found, rule=rule, **options)
    assert moves(got) == expected["path"]["step"]
    assert_allclose([got.start_criterion, *got.steps["criterion"]], expected["path"]["ic"], atol=1e-8, rtol=0)
    assert_allclose(got.steps["statistic"], np.diff(expected["path"]["ic"]), atol=1e-8, rtol=0)
    tss = found["summary"]["n"] * found["summary"]["cov"][-1][-1]
    assert_allclose((1 - got.steps["r2"]) * tss, expected["path"]["rss"][1:], rtol=1e-9)
    assert list(got.selected) == expected["selected"]
    assert_same_final(got.final, expected["final"])


def moves(got) -> list[str]:
    signs = {"enter": "+", "remove": "-"}
    named = zip(got.steps["action"], got.steps["term"], strict=True)
    return ["", *(f"{signs[action]} {term}" for action, term in named)]


@pytest.mark.parametrize("data", ["mobi", "mtcars", "swiss"])
def test_best_subsets_are_those_of_leaps(oracle, data):
    found = oracle(f"subset_{data}_best")
    expected, names, n = found["result"], found["summary"]["names"], found["summary"]["n"]
    got = best_subsets(source(found["summary"]), names[-1], names[:-1])
    table = got.tidy()
    null, table = table.iloc[0], table.iloc[1:]
    assert table["size"].tolist() == expected["size"]
    assert [set(terms) for terms in table["terms"]] == [set(listed(terms)) for terms in expected["variables"]]
    pairs = {"rss": "rss", "r2": "rsq", "adj_r2": "adjr2", "cp": "cp", "aic": "AIC", "bic": "BIC"}
    for ours, theirs in pairs.items():
        assert_allclose(table[ours], expected[theirs], atol=1e-8, rtol=1e-12)
    # leaps counts from a null model whose BIC it takes for log(n)
    assert_allclose(table["bic"] - null["bic"] + np.log(n), expected["bic_leaps"], atol=1e-8, rtol=0)
    assert {name: len(got.best[name]) for name in expected["best"]} == expected["best"]


FACTORS = {"tariff", "hall", "segment"}
RUNS = 84


@pytest.mark.parametrize("number", range(RUNS))
def test_factors_interactions_and_forced_terms_move_as_in_r(oracle, fixtures, number):
    found = oracle("selection")
    assert len(found["result"]) == RUNS
    case = found["result"][number]
    data = pd.read_csv(fixtures / "r" / "selection.csv")
    design = csat.Design(weight="w" if case["weighted"] else None)
    scope = found["scopes"][case["scope"]]
    forced = listed(scope["lower"])
    candidates = [Factor(t) if t in FACTORS else t for t in scope["upper"] if t not in forced]
    options = {key: case[key] for key in ("rule", "direction", "start", "enter", "remove") if key in case}
    got = csat.stepwise(
        csat.read_survey(data, design=design), "score", candidates, forced=forced, se="classical", **options
    )
    # R writes an interaction in the order in which its parts came in.
    ours, theirs = ({frozenset(t.split(":")) for t in names} for names in (got.selected, listed(case["selected"])))
    assert ours == theirs
    assert got.selected[: len(forced)] == got.forced == tuple(forced)
    if case["rule"] != "p":
        assert moves(got) == case["step"]
        assert_allclose([got.start_criterion, *got.steps["criterion"]], case["ic"], atol=1e-8, rtol=0)
        return
    history = case["history"]
    steps = got.steps
    assert list(zip(steps["action"], steps["term"], strict=True)) == [(h["action"], h["term"]) for h in history]
    pairs = {"statistic": "f", "df1": "df1", "p": "p", "r2": "r2", "adj_r2": "adj_r2", "sigma": "sigma"}
    for ours, theirs in pairs.items():
        assert_allclose(steps[ours].astype(float), [h[theirs] for h in history], rtol=1e-7)
