"""R survey 4.1-1: means, totals, shares, ratios, design effects, domains and their covariance."""

import numpy as np
import pandas as pd
import pytest

import csat
from csat.moments import Groups

DESIGN = csat.Design(weight="w", stratum="stratum", psu="psu", fpc="npsu_pop")


def groups_of(summary: dict, by: tuple[str, ...] = ()) -> Groups:
    """A summary as another program would hand it over: sums per (group, stratum, unit)."""
    cells = summary["cells"]
    domains = sorted({tuple(cell["group"]) for cell in cells})
    strata = sorted({cell["stratum"] for cell in cells})
    psus = sorted({(cell["stratum"], cell["psu"]) for cell in cells})
    population = {cell["stratum"]: cell["population"] for cell in cells}
    k = len(summary["names"])
    return Groups(
        names=tuple(summary["names"]),
        rule="available",
        midpoint=np.zeros(k),
        by=by,
        domains=tuple(domains),
        strata=tuple(strata),
        psus=tuple(psus),
        units=np.array([sum(s == stratum for s, _ in psus) for stratum in strata]),
        population=np.array([population[stratum] for stratum in strata]),
        domain=np.array([domains.index(tuple(cell["group"])) for cell in cells]),
        stratum=np.array([strata.index(cell["stratum"]) for cell in cells]),
        psu=np.array([psus.index((cell["stratum"], cell["psu"])) for cell in cells]),
        gram=np.array([cell["gram"] for cell in cells]),
        square=None,
        n=np.array([cell["n"] for cell in cells]),
        counts=np.array([cell["counts"] for cell in cells]),
    )


def test_single_means_with_design_effects(oracle):
    found = oracle("svy_csat_basic")
    mean = csat.mean(groups_of(found["summary"]), "segmentprepaid")
    prop = found["result"]["prop"]
    np.testing.assert_allclose(mean.estimate[0], prop["est"][2], rtol=1e-8)
    np.testing.assert_allclose(mean.se[0], prop["se"][2], rtol=1e-8)
    np.testing.assert_allclose(mean.interval[0][0], prop["ci_lower"][2], rtol=1e-6)
    np.testing.assert_allclose(mean.interval[1][0], prop["ci_upper"][2], rtol=1e-6)
    assert np.all(mean.df == found["result"]["design"]["degf"])


def test_shares_have_r_covariance(oracle):
    found = oracle("svy_csat_basic")
    names = [f"segment{s}" for s in ("business", "postpaid", "prepaid")]
    estimates = csat.mean(groups_of(found["summary"]), names)
    np.testing.assert_allclose(estimates.estimate, found["result"]["prop"]["est"], rtol=1e-8)
    np.testing.assert_allclose(estimates.vcov, found["result"]["prop"]["vcov"]["values"], rtol=1e-8)
    counts = csat.total(groups_of(found["summary"]), names)
    np.testing.assert_allclose(counts.estimate, found["result"]["count"]["est"], rtol=1e-8)
    np.testing.assert_allclose(counts.vcov, found["result"]["count"]["vcov"]["values"], rtol=1e-7)


def test_domain_means_have_r_covariance(oracle):
    found = oracle("svy_csat_domain")
    expected = found["result"]
    estimates = csat.mean(groups_of(found["summary"], ("segment",)), "sat", by="segment")
    assert list(estimates.keys["segment"]) == expected["levels"]
    np.testing.assert_allclose(estimates.estimate, expected["mean"], rtol=1e-8)
    np.testing.assert_allclose(estimates.vcov, expected["vcov"]["values"], rtol=1e-8)
    low, high = estimates.interval
    np.testing.assert_allclose(low, expected["ci_lower"], rtol=1e-6)
    np.testing.assert_allclose(high, expected["ci_upper"], rtol=1e-6)
    totals = csat.total(groups_of(found["summary"], ("segment",)), "sat", by="segment")
    np.testing.assert_allclose(totals.estimate, expected["total"], rtol=1e-8)
    np.testing.assert_allclose(totals.se, expected["total_se"], rtol=1e-8)


def test_difference_of_domains(oracle):
    found = oracle("svy_csat_domain")
    expected = found["result"]["contrast"]
    means = csat.mean(groups_of(found["summary"], ("segment",)), "sat", by="segment")
    row = means.contrast(np.array([[-1.0, 0.0, 1.0]]), ["prepaid − business"]).tidy().iloc[0]
    np.testing.assert_allclose(row["estimate"], expected["est"], rtol=1e-8)
    np.testing.assert_allclose(row["se"], expected["se"][0][0], rtol=1e-8)
    np.testing.assert_allclose(row["statistic"], expected["t"][0][0], rtol=1e-8)
    np.testing.assert_allclose(row["p"], expected["p_t"][0][0], atol=1e-6)
    np.testing.assert_allclose([row["low"], row["high"]], expected["ci"], rtol=1e-6)


@pytest.mark.shared
def test_rows_give_the_same_as_r(oracle, shared_case):
    expected = oracle("svy_csat_basic")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("svy_csat_basic.csv")), design=DESIGN)
    mean = csat.mean(survey, ["sat", "recommend"], rule="listwise")
    np.testing.assert_allclose(mean.estimate, expected["mean"]["est"], rtol=1e-8)
    np.testing.assert_allclose(mean.vcov, expected["mean"]["vcov"]["values"], rtol=1e-8)
    np.testing.assert_allclose(mean.deff, expected["mean_deff_replace"], rtol=1e-8)
    total = csat.total(survey, ["sat", "recommend"], rule="listwise")
    np.testing.assert_allclose(total.estimate, expected["total"]["est"], rtol=1e-8)
    np.testing.assert_allclose(total.vcov, expected["total"]["vcov"]["values"], rtol=1e-7)
    share = csat.share(survey, "segment")
    np.testing.assert_allclose(share.vcov, expected["prop"]["vcov"]["values"], rtol=1e-8)
    ratio = csat.ratio(survey, "sat", "recommend")
    np.testing.assert_allclose(ratio.estimate[0], expected["ratio"]["est"], rtol=1e-8)
    np.testing.assert_allclose(ratio.se[0], expected["ratio"]["se"], rtol=1e-8)
    moments = survey.groups(["sat", "recommend"], rule="listwise").moments()
    rows = 417  # svyvar takes n/(n − 1) from all rows of the design, though 12 have no answer
    np.testing.assert_allclose(moments.cov * rows / (rows - 1), expected["cov_matrix"]["values"], rtol=1e-8)
    np.testing.assert_allclose(moments.corr, expected["cor_matrix"]["values"], rtol=1e-8)


@pytest.mark.shared
def test_two_way_domains_from_rows(oracle, shared_case):
    expected = oracle("svy_csat_domain")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("svy_csat_domain.csv")), design=DESIGN)
    frame = csat.mean(survey, "sat", by=["segment", "sex"]).tidy().set_index(["segment", "sex"])
    two_way = expected["two_way"]
    for segment, sex, mean, se in zip(two_way["segment"], two_way["sex"], two_way["sat"], two_way["se"], strict=True):
        np.testing.assert_allclose(frame.loc[(segment, sex), "estimate"], mean, rtol=1e-8)
        np.testing.assert_allclose(frame.loc[(segment, sex), "se"], se, rtol=1e-8)


@pytest.mark.shared
def test_a_filter_keeps_the_design(oracle, shared_case):
    expected = oracle("svy_csat_domain")["result"]
    survey = csat.read_survey(pd.read_csv(shared_case("svy_csat_domain.csv")), design=DESIGN)
    only = csat.mean(survey.where(segment="business"), "sat")
    np.testing.assert_allclose(only.estimate[0], expected["mean"][0], rtol=1e-8)
    np.testing.assert_allclose(only.se[0], expected["se"][0], rtol=1e-8)
    assert np.all(only.df == expected["design"]["degf"])
