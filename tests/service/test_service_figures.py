"""The figures of R and of the study, digit by digit."""

import numpy as np
import pandas as pd
import pytest

from csat.service import audits, complaint_changes, complaints, sla
from csat.service.intervals import count_bounds

EXACT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(scope="module")
def figures(oracle):
    return oracle("service")


def of_r(numbers, missing=np.nan):
    return [missing if number is None else number for number in numbers]


def test_rates_have_the_interval_of_poisson_test(figures):
    for case in figures["garwood"]:
        low, high = count_bounds(np.array([case["count"]], float), 0.95)
        np.testing.assert_allclose([low[0], high[0]], case["bounds"], **EXACT)


def test_a_rate_is_per_thousand_customers():
    found = complaints(pd.DataFrame({"cause": ["repair"], "complaints": [10], "customers": [5000]})).estimates
    low, high = count_bounds(np.array([10.0]), 0.95)
    np.testing.assert_allclose(found.estimate, [2.0, 2.0])
    np.testing.assert_allclose(found.interval, [[low[0] / 5] * 2, [high[0] / 5] * 2], **EXACT)


def test_ratios_have_the_interval_and_p_of_poisson_test(figures):
    for case in figures["ratios"]:
        table = pd.DataFrame({
            "cause": ["c", "c"], "period": ["2026Q2", "2026Q3"],
            "complaints": [case["before"], case["after"]], "customers": case["customers"],
        })  # fmt: skip
        found = complaint_changes(table, "2026Q2", "2026Q3")
        np.testing.assert_allclose(found.estimates.estimate[0], of_r([case["ratio"]], np.inf)[0], **EXACT)
        np.testing.assert_allclose([end[0] for end in found.estimates.interval], of_r(case["bounds"], np.inf), **EXACT)
        np.testing.assert_allclose(found.p[0], case["p"], rtol=1e-7)


def test_p_is_corrected_as_p_adjust_does(figures):
    cases = figures["ratios"]
    table = pd.DataFrame([
        {"cause": f"c{i}", "branch": "b", "period": period, "complaints": case[name], "customers": case["customers"][t]}
        for i, case in enumerate(cases) for t, (period, name) in enumerate((("1", "before"), ("2", "after")))
    ])  # fmt: skip
    table["branch"] = table["cause"]
    found = complaint_changes(table, "1", "2", by="branch").tidy()
    own = found[found["term"] == found["branch"]]
    np.testing.assert_allclose(own["p"], [case["p"] for case in cases], rtol=1e-7)
    # 20 of the 25 rows count nothing; they are no tests.
    np.testing.assert_allclose(own["adjusted_p"], figures["holm"], rtol=1e-7)
    assert list(own["verdict"]) == ["within noise", "up", "down", "within noise", "within noise"]


def test_shares_have_the_interval_of_prop_test(figures):
    for case in figures["shares"]:
        rest = case["n"] - case["count"]
        found = complaints(pd.DataFrame({"cause": ["c", "d"], "complaints": [case["count"], rest]})).shares
        np.testing.assert_allclose([end[0] for end in found.interval], case["wilson"], rtol=1e-9, atol=1e-12)
        hours = pd.DataFrame({"step": "fix", "hours": [30.0] * case["count"] + [1.0] * rest})
        for interval, name in (("wilson", "wilson"), ("beta", "exact")):
            ends = sla(hours, {"fix": 24}, interval=interval).estimates.interval
            np.testing.assert_allclose([end[0] for end in ends], case[name], rtol=1e-9, atol=1e-12)


def test_open_cases_count_as_in_survfit(figures):
    case = figures["durations"]
    table = pd.DataFrame({"step": "fix", "hours": case["hours"], "open": case["open"]})
    found = sla(table, {"fix": 24})
    np.testing.assert_allclose(found.estimates.estimate[0], case["share"], **EXACT)
    np.testing.assert_allclose(found.estimates.se[0], case["se"], **EXACT)
    for name in ("median", "ninety"):
        part = getattr(found, name)
        ends = [part.estimate[0], *(end[0] for end in part.interval)]
        np.testing.assert_allclose(ends, of_r(case[name]), **EXACT)
    closed = sla(table.drop(columns="open"), {"fix": 24})
    assert closed.median.estimate[0] == case["closed_median"]
    assert closed.ninety.estimate[0] == case["closed_ninety"]


def test_visits_are_clustered_by_site_as_svyratio_does(figures):
    table = pd.DataFrame(figures["visits"]).rename(columns={"full": "full_marks"})
    table["visit"] = np.repeat(np.arange(8), 2)
    found = audits(table)
    assert found.estimates.term == ("desk", "signs", "total")
    np.testing.assert_allclose(found.estimates.estimate, [case["rate"] for case in figures["rates"]], **EXACT)
    np.testing.assert_allclose(found.estimates.se, [case["se"] for case in figures["rates"]], **EXACT)
    bounds = np.clip([case["bounds"] for case in figures["rates"]], 0, 1)
    np.testing.assert_allclose(np.transpose(found.estimates.interval), bounds, rtol=1e-8)
    np.testing.assert_allclose(found.losses.estimate[0], figures["desk_lost"]["share"], **EXACT)
    np.testing.assert_allclose(found.losses.se[0], figures["desk_lost"]["se"], **EXACT)


def test_the_studys_audit_is_reproduced(fixtures):
    printed = pd.read_csv(fixtures / "study" / "club_audit.csv")
    found = audits(fixtures / "study" / "club_audit.csv")
    tidy = found.tidy()
    np.testing.assert_array_equal(tidy["lost"], printed["lost"])
    np.testing.assert_allclose(tidy["estimate"], printed["score"] / printed["full_marks"])
    assert tidy["estimate"].iloc[-1] == 0.895
    first = tidy.sort_values("rank").head(3)
    assert list(first["term"]) == ["Service facilities", "Leaflet display", "Brand signage"]
    np.testing.assert_allclose(first["cumulative"], [8 / 10.5, 10 / 10.5, 1])
    assert tidy["low"].isna().all() and tidy["note"].str.startswith("one visit").all()
    assert audits(fixtures / "study" / "club_audit.csv", columns={"criterion": "criterion_zh"}).losses.term[2] == (
        "服务设施"
    )
