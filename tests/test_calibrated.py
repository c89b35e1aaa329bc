"""Calibrated surveys: R's standard errors, what targets explain does not vary, replicates agree, wrong calls."""

import json

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication

DESIGN = {"weight": "w", "stratum": "stratum", "psu": "psu"}


@pytest.fixture
def data(rng):
    n = 600
    sex = rng.choice(["f", "m"], n, p=[0.6, 0.4])
    age = rng.choice(["young", "old"], n)
    x = 6 + (sex == "f") + 0.8 * (age == "old") + rng.normal(0, 1, n)
    return pd.DataFrame(
        {"x": x, "sex": sex, "age": age, "w": rng.uniform(0.5, 2, n), "stratum": rng.choice(["a", "b"], n),
         "psu": rng.integers(0, 20, n).astype(str), "g": rng.choice(["p", "q", "r"], n)}
    )  # fmt: skip


TARGETS = {"sex": {"f": 0.5, "m": 0.5}, "age": {"young": 0.55, "old": 0.45}}


@pytest.mark.shared
def test_raking_gives_the_figures_of_r(shared_case):
    """R survey 4.1-1: rake(), svymean, svytotal, svyby; case svy_csat_rake."""
    expected = json.loads(shared_case("svy_csat_rake.json").read_text(encoding="utf-8"))["result"]
    design = csat.Design(**DESIGN, fpc="npsu_pop")
    source = csat.read_survey(pd.read_csv(shared_case("svy_csat_rake.csv")), design=design)
    targets = {name: dict(zip(m[name], m["Freq"], strict=True)) for name, m in expected["margins"].items()}
    raked = csat.calibrate(source, targets)
    assert_allclose(raked.weight, expected["rake"]["weights"], rtol=1e-6)
    mean, total = csat.mean(raked, "recommend"), csat.total(raked, "recommend")
    assert_allclose([mean.estimate[0], mean.se[0]], [7.26677111309219, expected["rake"]["mean"]["se"][0][0]], rtol=1e-5)
    assert_allclose(total.se[0], expected["rake"]["total"]["se"][0][0], rtol=1e-5)
    by = csat.mean(raked, "recommend", by="segment")
    assert_allclose(by.estimate, expected["domain"]["mean"], rtol=1e-6)
    assert_allclose(by.se, expected["domain"]["se"], rtol=1e-5)
    gap = by.contrast(np.array([[0, 1.0, -1.0]]), ["postpaid − prepaid"])
    assert_allclose(gap.se[0], expected["diff"]["se"][0][0], rtol=1e-5)
    assert_allclose(raked.weighting.deff, expected["rake_deff_kish"], rtol=1e-6)


@pytest.mark.parametrize("design", [DESIGN, {"weight": "w", "stratum": "stratum"}, {}])
def test_what_the_targets_fix_does_not_vary(data, design):
    raked = csat.calibrate(csat.read_survey(data, design=csat.Design(**design)), TARGETS)
    share = csat.share(raked, "sex")
    assert_allclose(share.estimate, [0.5, 0.5], rtol=1e-9)
    variance = np.diag(share.vcov)
    assert (np.abs(variance) < 1e-15).all()


@pytest.mark.parametrize("design", [DESIGN, {"weight": "w", "stratum": "stratum"}])
def test_a_related_figure_becomes_surer(data, design):
    plain = csat.read_survey(data, design=csat.Design(**design))
    raked = csat.calibrate(plain, TARGETS)
    taken = csat.read_survey(data.assign(v=raked.weight), design=csat.Design(**(design | {"weight": "v"})))
    one, other = csat.mean(raked, "x"), csat.mean(taken, "x")
    assert_allclose(one.estimate, other.estimate, rtol=1e-10)
    assert one.se[0] < 0.97 * other.se[0]
    assert one.provenance.variance == "linearisation, calibrated"


def test_respondents_as_units_or_named_units_agree(data):
    named = data.assign(psu=[str(i) for i in range(len(data))])
    one = csat.calibrate(csat.read_survey(named, design=csat.Design(weight="w", stratum="stratum")), TARGETS)
    other = csat.calibrate(csat.read_survey(named, design=csat.Design(**DESIGN)), TARGETS)
    for by in (None, "g"):
        assert_allclose(csat.mean(one, "x", by=by).vcov, csat.mean(other, "x", by=by).vcov, rtol=1e-7, atol=1e-15)


def test_jackknife_with_calibration_in_each_replicate_agrees_with_residuals(data):
    plain = csat.read_survey(data, design=csat.Design(**DESIGN))
    jackknife = csat.read_survey(data, design=csat.Design(**DESIGN, replication=Replication("JKn")))
    for by in (None, "g"):
        one = csat.mean(csat.calibrate(plain, TARGETS, method="exponential"), "x", by=by)
        other = csat.mean(csat.calibrate(jackknife, TARGETS, method="exponential"), "x", by=by)
        assert_allclose(one.estimate, other.estimate, rtol=1e-9)
        assert_allclose(other.se, one.se, rtol=0.06)


def test_given_replicate_weights_are_calibrated_one_by_one(data):
    plain = csat.read_survey(data, design=csat.Design(**DESIGN, replication=Replication("JKn")))
    made = csat.calibrate(plain, TARGETS)
    sums = made.table.select(list(made.design.replicates)).to_pandas()
    share = sums[data["sex"] == "f"].sum() / sums.sum()
    assert_allclose(share, 0.5, rtol=1e-6)


def test_filters_and_groups_come_after(data):
    raked = csat.calibrate(csat.read_survey(data, design=csat.Design(**DESIGN)), TARGETS)
    alone = csat.mean(raked.where(g="p"), "x")
    grouped = csat.mean(raked, "x", by="g").tidy().set_index("g").loc["p"]
    assert_allclose([alone.estimate[0], alone.se[0]], [grouped["estimate"], grouped["se"]], rtol=1e-9)


def test_regression_says_that_it_takes_the_weights_as_given(data):
    raked = csat.calibrate(csat.read_survey(data.assign(y=data["x"] ** 2), design=csat.Design(**DESIGN)), TARGETS)
    assert "taken as given" in csat.mean(raked, ["x", "y"], rule="listwise").provenance.variance


def test_the_report_on_the_weights(data):
    raked = csat.calibrate(csat.read_survey(data, design=csat.Design(**DESIGN)), TARGETS, trim=(0.3, 3.0))
    glance = raked.weighting.glance().iloc[0]
    assert glance["n"] == len(data)
    assert set(raked.weighting.tidy()["margin"]) == {"sex", "age"}
    assert not [name for name in raked.columns if name.startswith("(csat)")]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda s: csat.calibrate(s), "calibrate needs targets"),
        (lambda s: csat.calibrate(s.where(g="p"), TARGETS), "Calibrate the whole sample first"),
        (lambda s: csat.calibrate(s, TARGETS, name="x"), "the survey has that column already"),
        (lambda s: csat.calibrate(s, {"sex": {"f": 0.5, "m": 0.4, "d": 0.1}}), "'d'|d"),
        (lambda s: csat.calibrate(s, {"colour": {"red": 1.0}}), "colour"),
        (lambda s: csat.calibrate(s, TARGETS, method="guess"), "method='guess' is not known"),
    ],
)
def test_wrong_calls_say_what_to_do(data, call, message):
    with pytest.raises(csat.CsatError, match=message):
        call(csat.read_survey(data, design=csat.Design(**DESIGN)))


def test_targets_of_the_study_file(data, tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(
        '[study]\nname = "s"\n[design]\nweight = "w"\n'
        '[columns.sex]\nkind = "category"\n[columns.age]\nkind = "category"\n'
        '[weighting]\nmethod = "poststratify"\n[weighting.targets."sex:age"]\n'
        '"f:young" = 0.3\n"f:old" = 0.2\n"m:young" = 0.25\n"m:old" = 0.25\n',
        encoding="utf-8",
    )
    asked = csat.read_questionnaire(path)
    raked = csat.read_survey(data, asked)
    plain = csat.read_survey(data, asked, weigh=False)
    assert plain.weighting is None
    assert_allclose(csat.calibrate(plain).weight, raked.weight)
    assert "weights calibrated to the study's targets for sex:age" in raked.ledger.notes
    share = raked.weight[(data["sex"] == "f") & (data["age"] == "young")].sum() / raked.weight.sum()
    assert_allclose(share, 0.3, rtol=1e-9)
    assert raked.weighting.method == "poststratify"
