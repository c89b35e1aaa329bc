"""What the report says of a structural model: as much as fit and intervals allow, in both languages."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat import report
from csat.errors import OptionError
from csat.report.reading import verdict_of
from csat.report.tables.structural import chain_of

SAMPLE = Path(__file__).parents[2] / "data" / "sample"


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        yield


@pytest.fixture(scope="module")
def own(study):
    return csat.read_survey(SAMPLE / "2026Q3.csv", study).where(branch="gansu")


@pytest.fixture(scope="module")
def fitted(own, study):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return csat.sem(own, study.model, estimator="MLR", missing="fiml")


def made(n, seed, slopes):
    """A survey of three predictors with these slopes on y."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    return pd.DataFrame(x, columns=["a", "b", "c"]).assign(y=x @ slopes + rng.normal(size=n))


def sentences(frame, model, lang="en"):
    return report.reading(csat.sem(csat.read_survey(frame), model), lang).sentences


def test_fit_paths_and_doubts_are_said(fitted, study):
    said = report.reading(fitted, "en", study, base="x")
    values = fitted.standardized("all").query("op == '~'").set_index(["lhs", "rhs"])["estimate"]
    lines = said.sentences
    assert lines[0].startswith("The model fits the answers well: CFI 1.000, RMSEA .000 and SRMR .022")
    assert f"by {values['satisfaction', 'quality']:.2f} standard deviations" in lines[1]
    assert "the order is not settled, as much may come from Customer value, Service fairness." in lines[1]
    share = fitted.r2.set_index("term")["r2"]["satisfaction"]
    assert lines[3] == f"Together they explain {share:.0%} of the differences in “Satisfaction”."
    assert any(line.startswith("700 respondents for 83 free parameters") for line in lines)
    assert "Base: x." in repr(said) and "The direction of the arrows comes from theory" in repr(said)
    chinese = report.reading(fitted, "zh", study)
    assert len(chinese.sentences) == len(lines)
    assert chinese.sentences[0].startswith("模型与数据拟合良好") and "客户满意" in chinese._repr_html_()
    assert not [line for line in chinese.sentences if "{" in line]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_strongest_is_called_so_only_if_the_others_end_below(lang):
    model = "y ~ a + b + c\ny ~~ y\na ~~ 0*b"
    sure = sentences(made(800, 1, [1.0, 0.3, 0.0]), model, lang)
    unsure = sentences(made(200, 1, [0.5, 0.5, 0.0]), model, lang)
    assert {"en": "no other path is as strong", "zh": "均明显较弱"}[lang] in sure[1]
    assert {"en": "as much may come from", "zh": "可能同样大"}[lang] in unsure[1]
    assert [line for line in sure if {"en": "is open", "zh": "尚不能确定"}[lang] in line and "c" in line]


def test_what_goes_down_is_said_to_go_down():
    alone = sentences(
        made(300, 2, [-0.8, 0.0, 0.0])[["a", "y"]].assign(z=made(300, 3, [0, 0, 0])["a"]), "y ~ a\nz ~ 0*a"
    )
    assert alone[1].startswith("“y” goes down with “a”: by −0.")
    several = sentences(made(800, 1, [-1.0, 0.3, 0.0]), "y ~ a + b + 0*c")
    assert "downwards" in several[1]


def test_paths_of_a_model_that_does_not_fit_are_not_read():
    frame = made(500, 4, [1.0, 1.0, 0.0]).assign(z=lambda f: f["a"] + f["b"] * 0.5)
    frame["z"] += np.random.default_rng(5).normal(size=500) * 0.5
    said = sentences(frame, "y ~ a\nz ~ 0*a\ny ~~ 0*z")
    assert said[0].startswith("The model does not fit the answers: CFI ")
    assert said[1] == "Its paths are not read: they would say nothing about customers."
    assert not [line for line in said if "standard deviations" in line]


def test_an_impossible_solution_is_not_read(own, study):
    rng = np.random.default_rng(0)
    f = rng.normal(size=(30, 1))
    frame = pd.DataFrame(f * [0.9, 0.9, 0.2] + rng.normal(size=(30, 3)) * [0.1, 0.6, 1.0], columns=["p", "q", "r"])
    frame["y"] = f[:, 0] + rng.normal(size=30)
    for seed in range(60):
        frame["p"] = f[:, 0] + np.random.default_rng(seed).normal(size=30) * 0.05
        found = csat.sem(csat.read_survey(frame), "F =~ p + q + r\ny ~ F")
        if any(doubt.kind.__name__ == "NegativeVarianceWarning" for doubt in found.doubts):
            break
    said = report.reading(found).sentences
    assert "Its paths are not read: they would say nothing about customers." in said
    assert "The solution is not admissible: do not report these figures." in said


def test_limits_of_the_fit(fitted):
    def judged(**change):
        scaled = {k: v for k, v in change.items() if k != "srmr"}
        robust = replace(fitted.robust, scaled=replace(fitted.robust.scaled, **scaled))
        measures = replace(fitted.measures, srmr=change.get("srmr", fitted.measures.srmr))
        return verdict_of(replace(fitted, robust=robust, measures=measures))

    assert judged() == "good"
    assert judged(cfi_robust=0.949) == "fair" and judged(cfi_robust=0.899) == "poor"
    assert judged(rmsea_robust=0.061) == "fair" and judged(rmsea_robust=0.081) == "poor"
    assert judged(srmr=0.081) == "fair" and judged(srmr=0.101) == "poor"


def test_a_model_without_a_test_is_said_to_have_none():
    said = sentences(made(200, 1, [0.5, 0.5, 0.0]), "y ~ a + b + c")
    assert said[0].startswith("Whether the model fits cannot be told")


def test_small_bases_and_groups(fitted, study, own):
    few = report.reading(replace(fitted, measures=replace(fitted.measures, n=12)), "en", study)
    assert len(few.sentences) == 1 and "standard deviations" not in repr(few)
    groups = csat.sem(own, "value =~ C31 + C32 + C33", group="line")
    with pytest.raises(OptionError, match="is about one group"):
        report.reading(groups)


def test_derived_effects_are_named_by_the_paths_they_multiply(fitted, study):
    shown = [row[1].value for row in csat.table(fitted, "en", study, kind="paths").rows]
    assert "Image → Satisfaction → Loyalty" in shown and "image_to_loyalty" not in shown
    assert chain_of("a*e", fitted) == ("image", "satisfaction", "loyalty")
    assert chain_of("a + e", fitted) == chain_of("e*a", fitted) == chain_of("a", fitted) == ()
