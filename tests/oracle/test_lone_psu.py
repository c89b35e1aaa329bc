"""R survey 4.1-1, options(survey.lonely.psu): strata with one sampled unit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csat
from csat.moments import Groups

RULES = ("certainty", "adjust", "average")


def groups_of(summary: dict, rule: str) -> Groups:
    """Sums per (segment, stratum, unit) as another program would hand them over."""
    cells = summary["cells"]
    domains = sorted({tuple(cell["group"]) for cell in cells})
    strata = sorted({cell["stratum"] for cell in cells})
    psus = sorted({(cell["stratum"], cell["psu"]) for cell in cells})
    return Groups(
        names=tuple(summary["names"]),
        rule="available",
        midpoint=np.zeros(1),
        by=("segment",),
        domains=tuple(domains),
        strata=tuple(strata),
        psus=tuple(psus),
        units=np.array([sum(s == stratum for s, _ in psus) for stratum in strata]),
        population=np.full(len(strata), np.inf),
        domain=np.array([domains.index(tuple(cell["group"])) for cell in cells]),
        stratum=np.array([strata.index(cell["stratum"]) for cell in cells]),
        psu=np.array([psus.index((cell["stratum"], cell["psu"])) for cell in cells]),
        gram=np.array([cell["gram"] for cell in cells]),
        square=None,
        n=np.array([cell["n"] for cell in cells]),
        counts=np.array([cell["counts"] for cell in cells]),
        lone_psu=rule,
    )


@pytest.mark.parametrize("rule", RULES)
def test_means_and_totals(oracle, rule):
    found = oracle("svy_lonely")
    expected, groups = found["result"][rule], groups_of(found["summary"], rule)
    mean, total = csat.mean(groups, "recommend"), csat.total(groups, "recommend")
    np.testing.assert_allclose(mean.estimate, expected["mean"]["est"], rtol=1e-8)
    np.testing.assert_allclose(mean.se, expected["mean"]["se"][0], rtol=1e-8)
    np.testing.assert_allclose(total.estimate, expected["total"]["est"], rtol=1e-8)
    np.testing.assert_allclose(total.se, expected["total"]["se"][0], rtol=1e-8)
    np.testing.assert_allclose(mean.interval[0], expected["mean"]["ci_lower"], rtol=1e-6)
    np.testing.assert_allclose(mean.interval[1], expected["mean"]["ci_upper"], rtol=1e-6)
    assert np.all(mean.df == found["result"]["design"]["degf"])


@pytest.mark.parametrize("rule", RULES)
def test_domains(oracle, rule):
    found = oracle("svy_lonely")
    expected = found["result"][rule]["by"]
    got = csat.mean(groups_of(found["summary"], rule), "recommend", by="segment")
    assert list(got.keys["segment"]) == expected["segment"]
    np.testing.assert_allclose(got.estimate, expected["recommend"], rtol=1e-8)
    np.testing.assert_allclose(got.se, expected["se"], rtol=1e-8)


def test_the_default_fails_and_names_the_stratum(oracle):
    found = oracle("svy_lonely")
    assert found["result"]["fail"]["error"] == "Stratum (S3) has only one PSU at stage 1"
    with pytest.raises(csat.CsatError, match="Only one primary sampling unit in stratum 'S3'"):
        csat.mean(groups_of(found["summary"], "fail"), "recommend")


def test_the_rule_is_visible(oracle):
    groups = groups_of(oracle("svy_lonely")["summary"], "adjust")
    assert csat.mean(groups, "recommend").provenance.variance == "linearisation, lone units: adjust"
    assert csat.mean(replace(groups, lone_psu="certainty"), "recommend").glance()["variance"][0].endswith("certainty")


@pytest.mark.shared
@pytest.mark.parametrize("rule", RULES)
def test_rows_give_the_same_as_r(oracle, shared_case, rule):
    expected = oracle("svy_lonely")["result"][rule]
    design = csat.Design(weight="w", stratum="stratum", psu="psu", lone_psu=rule)
    survey = csat.read_survey(pd.read_csv(shared_case("svy_lonely.csv")), design=design)
    np.testing.assert_allclose(csat.mean(survey, "recommend").se, expected["mean"]["se"][0], rtol=1e-8)
    np.testing.assert_allclose(csat.total(survey, "recommend").se, expected["total"]["se"][0], rtol=1e-8)
    np.testing.assert_allclose(csat.mean(survey, "recommend", by="segment").se, expected["by"]["se"], rtol=1e-8)
    business = csat.mean(survey.where(segment="business"), "recommend")
    np.testing.assert_allclose(business.se[0], expected["business_domain_se_adjust_domain_lonely"]["off"], rtol=1e-8)
