"""`csat pls`: options do what they say, contradictions are wrong usage, wrong data a sentence."""

import csv
import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import csat
from csat.cli import main

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
STUDY, DATA = (str(SAMPLE / name) for name in ("study.toml", "2026Q3.csv"))
MODEL = "image =~ C11 + C12 + C13 + C14\nvalue =~ C31 + C32 + C33\nloyalty =~ L1 + L2\nvalue ~ image\nloyalty ~ value"
FEW = ["--replicates", "60"]


@pytest.fixture(scope="module")
def own():
    return csat.read_survey(DATA, csat.read_questionnaire(STUDY)).where(branch="gansu", quarter="2026Q3")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("\ufeff" + MODEL, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        yield


def asked(capsys, *options):
    """Tables of `csat pls` for the report's respondents, and what went to stderr."""
    assert main(["pls", STUDY, DATA, "--own", "--output", "json", *options]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def column(table, name):
    return [row[name] for row in table["rows"]]


def test_the_studys_model_is_estimated_without_its_labels_and_that_is_said(capsys, own):
    (constructs, paths), err = asked(capsys, *FEW)
    assert [constructs["name"], paths["name"]] == ["pls_constructs", "pls_paths"]
    plain = "".join(
        line.replace("a*", "").replace("b*", "").replace("c*", "").replace("d*", "").replace("e*", "") + "\n"
        for line in own.questionnaire.model.splitlines()
        if ":=" not in line
    )
    expected = csat.pls(own, plain, replicates=60)
    assert column(paths, "estimate") == expected.select("path").estimate.tolist()
    assert column(constructs, "performance") == expected.constructs()["performance"].tolist()
    for said in ("csat: note: Not estimated, since", "image_to_loyalty, quality_to_loyalty", "--tables effects"):
        assert said in err


@pytest.mark.parametrize(("options", "how"), [
    (FEW, {"replicates": 60}),
    ([*FEW, "--seed", "3", "--interval", "basic"], {"replicates": 60, "seed": 3, "interval": "basic"}),
    ([*FEW, "--scheme", "centroid"], {"replicates": 60, "scheme": "centroid"}),
    ([*FEW, "--unscaled"], {"replicates": 60, "scaled": False}),
    ([*FEW, "--consistent"], {"replicates": 60, "consistent": True}),
    (["--se", "jackknife", "--level", "0.9"], {"se": "jackknife", "level": 0.9}),
    ([*FEW, "--by", "line"], {"replicates": 60, "by": "line"}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_the_options_are_those_of_the_method(capsys, own, model, options, how):
    (table,), err = asked(capsys, "--model", model, "--tables", "paths", *options)
    expected = csat.pls(own, MODEL, **how).select("path")
    shown = np.array([column(table, name) for name in ("estimate", "low", "high")], float)
    assert shown.tolist() == [expected.estimate.tolist(), *(end.tolist() for end in expected.interval)]
    assert err == ""


def test_every_table_and_the_map(capsys, own, model):
    tables, _ = asked(capsys, "--model", model, "--tables", "effects,cross,items", "--ipma", "loyalty", *FEW)
    assert [table["name"] for table in tables][:3] == ["pls_effects", "pls_cross", "pls_items"]
    found = csat.pls(own, MODEL, replicates=60).ipma("loyalty")
    assert sorted(column(tables[3], "importance")) == sorted(found.importance.estimate.tolist())
    alone, _ = asked(capsys, "--model", model, "--ipma", "loyalty", *FEW)
    assert alone == tables[3:]


def test_a_preset_is_measured_as_the_study_says(capsys, own):
    (paths,), err = asked(capsys, "--model", "study", "--without", "complaints", "--tables", "paths", *FEW)
    model = csat.Model.from_questionnaire(own.questionnaire, "study", without="complaints")
    assert column(paths, "estimate") == csat.pls(own, model, replicates=60).select("path").estimate.tolist()
    assert err == ""


def test_scores_are_written_on_0_to_100(capsys, own, model, tmp_path):
    path = tmp_path / "scores.csv"
    _, err = asked(capsys, "--model", model, "--scores", str(path), "--by", "line", *FEW)
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["row", "line", "image", "value", "loyalty"]
    assert f"scores of {len(rows)} respondents, on 0-100, are in" in err
    found = csat.pls(own, MODEL, by="line", replicates=60).scores(own, unit="points")
    assert [float(row["value"]) for row in rows] == pytest.approx(found.scores["value"].tolist(), abs=1e-9)
    assert [row["line"] for row in rows] == found.groups.tolist()


@pytest.mark.parametrize(("options", "word"), [
    (["--scheme", "factor"], "invalid choice"),
    (["--se", "linearisation"], "invalid choice"),
    (["--interval", "wald"], "invalid choice"),
    (["--tables", "fit"], "is no table; choose of paths, constructs"),
    (["--replicates", "0"], "write 50 or more"),
    (["--se", "jackknife", "--replicates", "50"], "for --se bootstrap, not jackknife"),
    (["--se", "jackknife", "--interval", "bca"], "needs draws: --se bootstrap"),
    (["--se", "replicates", "--interval", "bca"], "--interval bca needs --se bootstrap"),
    (["--seed", "-1"], "write a whole number, 0 or more"),
    (["--without", "complaints"], "--without is for --model ecsi, acsi or study"),
])  # fmt: skip
def test_wrong_options_are_exit_code_2(capsys, options, word):
    with pytest.raises(SystemExit) as stopped:
        main(["pls", STUDY, DATA, *options])
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and word in err


@pytest.mark.parametrize(("options", "words"), [
    (["--model", "nowhere.txt"], ["There is no file 'nowhere.txt'", "presets are ecsi, acsi or study"]),
    (["--model", "study"], ["'complaints' is no dimension", "--without CONSTRUCT"]),
    (["--by", "brnd"], ["No column 'brnd'", "'brand'"]),
    (["--se", "replicates"], ["replicate weights"]),
    (["--ipma", "loyality", *FEW], ["'loyality'", "'loyalty'"]),
])  # fmt: skip
def test_what_data_and_study_do_not_have_is_exit_code_1(capsys, options, words):
    assert main(["pls", STUDY, DATA, "--own", *options]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "Traceback" not in err and "csat: " in err
    assert not [word for word in words if word not in err], err


@pytest.mark.parametrize(("text", "word"), [
    ("image =~ C11 + + C12", "line 1, character"),
    ("value =~ C31 + C32\nloyalty =~ L1 + L2\nloyalty ~ k*value\nC33 ~ k*value", "as the label 'k' in two places"),
    ("value =~ C31 + C32\nloyalty =~ L1 + L2\nloyalty ~ 0.5*value\nx := 1", "has no fixed, freed or starting values"),
    ("value =~ C31 + C32\nloyalty ~~ value", "(residual) covariances such as loyalty ~~ value"),
])  # fmt: skip
def test_a_model_that_the_method_does_not_have_is_shown(capsys, tmp_path, text, word):
    path = tmp_path / "model.txt"
    path.write_text(text, encoding="utf-8")
    assert main(["pls", STUDY, DATA, "--model", str(path)]) == 1
    assert word in capsys.readouterr().err


def test_the_choices_of_the_shell_are_those_of_the_method():
    from csat.cli import options
    from csat.composites.inference import INTERVALS
    from csat.composites.outer import SCHEMES
    from csat.composites.resampling import ERRORS
    from csat.report.tables import TABLES

    assert set(options.SCHEMES) == set(SCHEMES) and set(options.PLS_ERRORS) == set(ERRORS)
    assert set(options.INTERVALS) == set(INTERVALS)
    assert tuple(TABLES["Pls"]) == options.PLS_TABLES
