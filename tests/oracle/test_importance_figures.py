"""R: relaimpo (all measures), own R code for PMVD and Johnson, lavaan for answers with gaps."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat

#: Measure → name of its figures in the cases.
KEYS = {
    "lmg": "lmg",
    "johnson": "johnson_relative_weights",
    "first": "first",
    "last": "last",
    "betasq": "betasq",
    "pratt": "pratt",
    "genizi": "genizi",
    "car": "car_scores",
    "pmvd": "pmvd_bruteforce",
}
SHARES = {"lmg": "lmg_pct", "johnson": "johnson_rescaled_pct"}


def source(summary: dict):
    return csat.from_covariance(
        np.array(summary["cov"]), n=summary["n"], mean=summary["mean"], names=summary["names"], divisor="n"
    )


@pytest.mark.parametrize("method", KEYS)
@pytest.mark.parametrize("case", ["relimp_swiss", "relimp_mtcars", "relimp_mobi"])
def test_every_measure_equals_relaimpo(oracle, case, method):
    found = oracle(case)
    result, summary = found["result"], found["summary"]
    got = csat.importance(source(summary), summary["names"][-1], result["predictors"], method=method)
    assert_allclose(got.estimates.estimate, result[KEYS[method]], atol=1e-8)
    assert_allclose(got.r2, result["r2"], atol=1e-8)
    if method in SHARES:
        assert_allclose(got.share, result[SHARES[method]], atol=1e-6)


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_fifteen_drivers(oracle, method):
    found = oracle("relimp_mobi15")
    result, summary = found["result"], found["summary"]
    got = csat.importance(source(summary), "SATIS", result["predictors"], method=method)
    assert_allclose(got.estimates.estimate, result[method], atol=1e-8)


@pytest.mark.parametrize("method", ["lmg", "first", "last"])
def test_groups_of_drivers_equal_relaimpo(oracle, method):
    found = oracle("relimp_swiss_groups")
    expected, summary = found["result"][method], found["summary"]
    got = csat.importance(
        source(summary), "Fertility", summary["names"][:-1], method=method, groups={"G1": found["result"]["groups"][0]}
    )
    assert dict(zip(got.estimates.term, got.estimates.estimate, strict=True)) == pytest.approx(expected, abs=1e-8)


def test_a_forced_driver_equals_relaimpo(oracle):
    found = oracle("relimp_swiss_groups")
    result, summary = found["result"], found["summary"]
    got = csat.importance(source(summary), "Fertility", summary["names"][:-1], always=result["always"])
    assert dict(zip(got.estimates.term, got.estimates.estimate, strict=True)) == pytest.approx(
        result["lmg_always"], abs=1e-8
    )
    assert_allclose([got.r2, got.r2 - got.r2_always], [result["always_r2"], result["always_r2_decomp"]], atol=1e-8)


def test_weighted_answers_equal_relaimpo(oracle):
    found = oracle("reg_mobi_wls")
    expected, summary = found["result"], found["summary"]
    drivers = expected["terms"][1:]
    lmg = csat.importance(source(summary), "SATIS", drivers).estimates.estimate
    assert_allclose(lmg, list(expected["lmg_weights"].values()), atol=1e-8)
    first = csat.importance(source(summary), "SATIS", drivers, method="first").estimates.estimate
    assert_allclose(first, list(expected["first_weights"].values()), atol=1e-8)


def test_answers_with_gaps_equal_lavaan_with_their_robust_errors(oracle):
    """Saturated model by full information; LMG of its moments and the delta method on its robust covariance, in R."""
    found = oracle("em_gaps")
    data = pd.DataFrame(found["rows"], columns=found["names"]).astype(float)
    survey = csat.read_survey(data)
    got = csat.importance(survey, "sat", found["names"][:-1], missing="em")
    assert_allclose(got.estimates.estimate, found["lmg"], atol=1e-7)
    assert_allclose(got.r2, found["r2"], atol=1e-7)
    n = found["nobs"]
    assert_allclose(got.estimates.vcov * (n - 1) / n, found["vcov"], atol=1e-7)


@pytest.mark.shared
def test_saturated_means_with_gaps_equal_lavaan(shared_case):
    """EM of lavaan stops at a relative change of 1e-6 or so."""
    import json

    from csat.normal import fit_normal

    expected = json.loads(shared_case("sem_hs_fiml.json").read_text(encoding="utf-8"))["result"]["h1_saturated"]["mean"]
    data = pd.read_csv(shared_case("sem_hs_fiml.csv"))[list(expected)]
    patterns = csat.read_survey(data).patterns(list(expected))
    found = fit_normal(patterns)
    assert_allclose(patterns.midpoint + found.centre + found.spread * found.mean, list(expected.values()), atol=1e-6)
