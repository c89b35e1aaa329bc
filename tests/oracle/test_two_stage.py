"""R survey 4.1-1: two stages of sampling with their population sizes, on synthetic rows (two_stage.R)."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat

KINDS = ("accounts", "members")


@pytest.fixture(params=KINDS)
def case(request, fixtures):
    data = pd.read_csv(fixtures / "r" / "two_stage.csv")
    found = json.loads((fixtures / "r" / "two_stage.json").read_text(encoding="utf-8"))[request.param]
    first = {"weight": "w", "stratum": "stratum", "psu": "psu", "fpc": "N1", "fpc2": "N2"}
    if request.param == "members":
        return csat.read_survey(data.assign(N2=data["N2"] * 3), design=csat.Design(**first)), found
    return csat.read_survey(data, design=csat.Design(**first, ssu="ssu")), found


def test_means_totals_and_domains(case):
    survey, expected = case
    for got, key in (
        (csat.mean(survey, ["y", "x"]), "mean"),
        (csat.total(survey, "y"), "total"),
        (csat.mean(survey, "y", by="g"), "by"),
    ):
        assert_allclose(got.estimate, np.ravel(expected[key]["est"]), rtol=1e-10)
        assert_allclose(got.vcov.ravel(), np.ravel(expected[key]["vcov"]), rtol=1e-9)


def test_regression(case):
    survey, expected = case
    got = csat.regress(survey, "y", ["x"]).coefficients
    assert_allclose(got.estimate, expected["regression"]["est"], rtol=1e-9)
    assert_allclose(got.se, expected["regression"]["se"], rtol=1e-9)


def test_a_filter_keeps_both_stages(case):
    survey, expected = case
    got = csat.mean(survey.where(g="p"), "y")
    assert_allclose(got.vcov[0, 0], np.array(expected["by"]["vcov"])[0, 0], rtol=1e-9)


def test_overlapping_groups_use_both_stages(case):
    from csat.totals import union_means

    survey, expected = case
    found = union_means(survey.groups(["y"], ("g",)), [[0], [1], [0, 1]])
    assert_allclose(found.vcov[:2, 0, :2, 0], expected["by"]["vcov"], rtol=1e-9)
    assert_allclose(found.vcov[2, 0, 2, 0], np.array(expected["mean"]["vcov"])[0, 0], rtol=1e-9)


def test_every_hall_drawn_still_leaves_the_customers(rng):
    """All halls of the population, 10 of 100 customers each: the second stage is the whole variance."""
    n = 200
    data = pd.DataFrame({"y": rng.normal(7, 2, n), "psu": (np.arange(n) // 10).astype(str), "N1": 20, "N2": 100})
    both = csat.mean(csat.read_survey(data, design=csat.Design(psu="psu", fpc="N1", fpc2="N2")), "y")
    first = csat.mean(csat.read_survey(data, design=csat.Design(psu="psu", fpc="N1")), "y")
    assert first.se[0] == 0
    within = data.groupby("psu")["y"].var()
    assert_allclose(both.se[0] ** 2, (0.9 * within / 10).mean() / 20, rtol=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fpc2": "N2"}, "fpc2 describes the second stage: it needs psu and fpc"),
        ({"psu": "psu", "ssu": "a"}, "ssu needs fpc2"),
        ({"psu": "psu", "fpc": "N1", "fpc2": "N2", "replication": csat.Replication("JKn")}, "first stage only"),
    ],
)
def test_wrong_designs(options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.Design(**options)


def test_calibration_of_two_stages_is_refused(case):
    survey, _ = case
    with pytest.raises(csat.CsatError, match="knows one stage of sampling"):
        csat.calibrate(survey, {"g": {"p": 0.5, "q": 0.5}})
