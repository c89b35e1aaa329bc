"""`Model.preset` and `Model.from_questionnaire`: published models, and models on what a questionnaire asks."""

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat.errors import ModelError, OptionError
from csat.model import PRESETS, Model
from csat.moments import from_covariance
from csat.questionnaire import read_questionnaire
from csat.structural import sem

FIXTURES = Path(__file__).parent / "fixtures"
SAMPLE = Path(__file__).parents[1] / "data" / "sample" / "study.toml"
ECSI = {
    "image": [f"IMAG{i}" for i in range(1, 6)], "expectation": ["CUEX1", "CUEX2", "CUEX3"],
    "quality": [f"PERQ{i}" for i in range(1, 8)], "value": ["PERV1", "PERV2"],
    "satisfaction": ["CUSA1", "CUSA2", "CUSA3"], "complaints": "CUSCO", "loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}  # fmt: skip


def relations(model):
    return {(term.lhs, term.op, term.rhs) for term in model.terms}


def paths(model):
    return {(lhs, rhs) for lhs, op, rhs in relations(model) if op == "~"}


@pytest.fixture(scope="module")
def mobi():
    """Lavaan's case: its figures, and the sample as a source."""
    case = json.loads((FIXTURES / "lavaan" / "sem_ecsi_mobi_ml.json").read_text(encoding="utf-8"))
    matrix = case["result"]["sample_cov"]["all"]
    cov = pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"])
    return case, from_covariance(cov, case["result"]["nobs"]["all"], divisor="n")


def test_the_european_model_has_the_fit_that_lavaan_prints(mobi):
    """Tenenhaus et al. let complaints explain loyalty; lavaan's case lets their residuals covary: the same model."""
    case, source = mobi
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sem(source, Model.preset("ecsi", ECSI)).measures
    theirs = case["result"]["fit_measures"]
    assert (found.df, found.npar) == (theirs["df"], theirs["npar"])
    assert found.chisq == pytest.approx(theirs["chisq"], abs=1e-3)
    assert found.cfi == pytest.approx(theirs["cfi"], abs=1e-6)


def test_the_european_model_without_that_path_is_the_text_of_the_case(mobi):
    case, _ = mobi
    codes = dict(zip(PRESETS["ecsi"], ("IMAG", "EXPE", "QUAL", "VALUE", "SAT", "CUSCO", "LOY"), strict=True))
    ours = {(codes[effect], codes[cause]) for effect, cause in paths(Model.preset("ecsi", ECSI))}
    assert ours - paths(Model(case["model"])) == {("LOY", "CUSCO")}
    assert paths(Model(case["model"])) <= ours


def test_paths_as_published():
    """Fornell et al. (1996), figure 1; Tenenhaus et al. (2005), figure 1: number of arrows, and who is exogenous."""
    sizes = {name: sum(map(len, causes.values())) for name, causes in PRESETS.items()}
    assert sizes == {"ecsi": 12, "acsi": 9, "study": 6}
    asked = {name: {c: [f"{c}1", f"{c}2"] for c in causes} for name, causes in PRESETS.items()}
    exogenous = {name: Model.preset(name, items).exogenous for name, items in asked.items()}
    assert exogenous == {
        "ecsi": ("image",), "acsi": ("expectation",), "study": ("image", "quality", "value", "fairness"),
    }  # fmt: skip
    for name, items in asked.items():
        assert Model.preset(name, items).latents == tuple(PRESETS[name])


def test_every_preset_is_identified():
    for name, causes in PRESETS.items():
        items = {c: [f"{c}1", f"{c}2", f"{c}3"] for c in causes}
        model = Model.preset(name, items)
        corr = np.full((len(model.observed), len(model.observed)), 0.3)
        for construct in causes:
            at = [model.observed.index(item) for item in items[construct]]
            corr[np.ix_(at, at)] = 0.6
        np.fill_diagonal(corr, 1.0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = sem(from_covariance(corr, 2000, names=model.observed), model)
        assert found.converged
        assert found.measures.df > 0


def test_what_was_not_asked_is_left_out_on_request():
    left = Model.preset("ecsi", {k: v for k, v in ECSI.items() if k != "complaints"}, without="complaints")
    assert "complaints" not in left.latents
    assert len(paths(left)) == 10
    assert ("loyalty", "satisfaction") in paths(left)


@pytest.mark.parametrize(
    ("change", "without", "message"),
    [
        ({"complaints": None}, (), r"The model 'ecsi' needs indicators of 'complaints': .* without=\['complaints'\]"),
        ({"imge": ["X"]}, (), "'imge' is no construct of the model 'ecsi'; did you mean 'image'"),
        ({"value": ["PERV1", "IMAG1"]}, (), "'IMAG1' would measure both 'image' and 'value'"),
        ({"value": ["PERV1", "PERV1"]}, (), r"indicators\['value'\] names 'PERV1' twice"),
        ({"value": ["PERV1", "quality"]}, (), "'quality' is both a construct and an indicator of 'value'"),
        ({"value": ["PERV `1"]}, (), "cannot stand in a model, not even between backticks"),
        ({"value": 3}, (), r"indicators\['value'\] is a list of names; found 3"),
        ({}, ["trust"], "without='trust': the model 'ecsi' has no such construct"),
        ({}, 3, "without is a list of names; found 3"),
        ({}, [*PRESETS["ecsi"]][1:], "takes the model 'ecsi' apart: 'image' has no path left"),
    ],
)
def test_wrong_indicators(change, without, message):
    asked = {k: v for k, v in (ECSI | change).items() if v is not None}
    with pytest.raises(ModelError, match=message):
        Model.preset("ecsi", asked, without=without)


def test_unknown_preset():
    with pytest.raises(OptionError, match="preset='nps' is not known; choose one of 'ecsi', 'acsi', 'study'"):
        Model.preset("nps", ECSI)
    with pytest.raises(ModelError, match="indicators is a table of construct → its items"):
        Model.preset("ecsi", ["IMAG1"])


@pytest.fixture(scope="module")
def asked():
    return read_questionnaire(SAMPLE)


def test_the_studys_own_model(asked):
    assert Model.from_questionnaire(asked).syntax == asked.model


def test_a_published_model_on_the_study(asked):
    """The sample study asks nothing about complaints."""
    model = Model.from_questionnaire(asked, "study", without="complaints")
    own = Model(asked.model)
    assert relations(model) == relations(own)
    assert sem_table(model) == sem_table(own)


def sem_table(model):
    return {row.relation for row in model.expand()}


def test_dimensions_are_measured_by_all_items_below_them(asked):
    model = Model.from_questionnaire(asked, {"loyalty": "service_value"})
    below = [*asked.dimension("quality").children, *asked.dimension("value").children]
    assert model.indicators("service_value")[: len(below)] == tuple(below)
    assert model.indicators("loyalty") == ("L1", "L2")


def test_an_item_stands_for_itself_and_text_may_say_anything(asked):
    model = Model.from_questionnaire(
        asked, "overall ~ a*quality + P1\nquality ~~ P1\nx := a^2\nvalue =~ C31 + C32\nP1 ~ value", mode="reflective"
    )
    assert model.latents == ("quality", "value")
    assert model.indicators("value") == ("C31", "C32")
    assert [definition.name for definition in model.definitions] == ["x"]
    assert {"overall", "P1"} < set(model.observed)


def test_given_indicators_come_first(asked):
    model = Model.from_questionnaire(asked, "loyalty ~ mood", indicators={"mood": ["S1", "S2"], "loyalty": "L1"})
    assert model.indicators("mood") == ("S1", "S2")
    assert model.indicators("loyalty") == ("L1",)


def test_constructs_may_be_composed(asked):
    model = Model.from_questionnaire(asked, {"loyalty": ["quality", "value"]}, mode={"quality": "formative"})
    kinds = {term.lhs: term.op for term in model.terms if term.op != "~"}
    assert kinds == {"loyalty": "=~", "quality": "<~", "value": "=~"}
    every = Model.from_questionnaire(asked, {"loyalty": ["quality", "value"]}, mode="formative")
    assert {term.op for term in every.terms} == {"<~", "~"}


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        ("loyalty ~ qualty", {}, r"character 11: 'qualty' is no dimension, .* did you mean 'quality'"),
        ("quality ~ value\nloyalti ~ quality", {}, r"line 2, character 1: 'loyalti' is no dimension"),
        ({"loyalty": ["qualty"]}, {}, "'qualty' is no dimension"),
        ({"loyalty": "quality"}, {"indicators": {"value": ["C31"]}}, "indicators names 'value', which no path uses"),
        ({"loyalty": "quality"}, {"mode": "both"}, "mode='both' is not known; choose one of 'reflective', 'formative'"),
        ({"loyalty": "quality"}, {"mode": {"value": "formative"}}, "mode names 'value', which has no indicators here"),
        ({"loyalty": "quality"}, {"without": "value"}, "without=… is for a published model"),
        ({"loyalty": ["service_value", "quality"]}, {}, "would measure both 'service_value' and 'quality'"),
        ({}, {}, "paths is empty"),
        (["loyalty ~ quality"], {}, "paths is a text such as .*; found list"),
        ("study", {}, "'complaints' is no dimension, item or column"),
    ],
)
def test_wrong_paths(asked, given, options, message):
    with pytest.raises((ModelError, OptionError), match=message):
        Model.from_questionnaire(asked, given, **options)


def test_a_study_without_a_model(study):
    bare = study('[study]\nname = "bare"\n[scales.five]\nlow = 1\nhigh = 5\n[items.Q1]\nscale = "five"\n')
    with pytest.raises(ModelError, match=r"The questionnaire 'bare' has no \[model\]; give the paths"):
        Model.from_questionnaire(bare)
