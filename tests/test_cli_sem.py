"""`csat sem`: options do what they say, contradictions are wrong usage, wrong data a sentence."""

import csv
import json
import warnings
from pathlib import Path

import pytest

import csat
from csat.cli import main

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
STUDY, DATA = (str(SAMPLE / name) for name in ("study.toml", "2026Q3.csv"))
MODEL = "image =~ C11 + C12 + C13 + C14\nvalue =~ C31 + C32 + C33\n"


@pytest.fixture(scope="module")
def own():
    return csat.read_survey(DATA, csat.read_questionnaire(STUDY)).where(branch="gansu", quarter="2026Q3")


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("﻿" + MODEL, encoding="utf-8")
    return str(path)


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        yield


def asked(capsys, *options):
    """Tables of `csat sem` for the report's respondents, and what went to stderr."""
    assert main(["sem", STUDY, DATA, "--own", "--output", "json", *options]) == 0
    out, err = capsys.readouterr()
    return json.loads(out), err


def column(table, name):
    return [row[name] for row in table["rows"]]


def test_all_answers_count_and_errors_follow_the_design_unless_asked_otherwise(capsys, own):
    fit, parameters = asked(capsys)[0]
    expected = csat.sem(own, own.questionnaire.model, estimator="MLR", missing="fiml")
    assert column(parameters, "estimate") == expected.tidy()["estimate"].tolist()
    assert column(parameters, "low")[1] == expected.tidy()["low"][1]
    assert column(fit, "value")[0] == 700
    fit, _ = asked(capsys, "--estimator", "ML", "--missing", "listwise", "--level", "0.9")[0]
    assert column(fit, "value")[0] == 413


@pytest.mark.parametrize(("options", "how"), [
    (["--estimator", "MLM"], {"estimator": "MLM"}),
    (["--estimator", "ULS"], {"estimator": "ULS"}),
    (["--missing", "pairwise"], {"estimator": "MLR", "missing": "pairwise"}),
    (["--estimator", "WLSMV"], {"estimator": "WLSMV", "ordered": True}),
    (["--estimator", "DWLS", "--ordered", "C31,C32"], {"estimator": "DWLS", "ordered": ["C31", "C32"]}),
    (["--se", "bootstrap", "--replicates", "60", "--seed", "3"], {"se": "bootstrap", "replicates": 60, "seed": 3}),
    (["--se", "parametric", "--replicates", "60"], {"se": "parametric", "replicates": 60}),
    (["--group", "line", "--equal", "loadings,intercepts", "--partial", "C12 ~1"],
     {"estimator": "MLR", "missing": "fiml", "group": "line", "equal": ["loadings", "intercepts"],
      "partial": ["C12 ~1"]}),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")  # fmt: skip
def test_the_options_are_those_of_the_method(capsys, own, model, options, how):
    (table,), _ = asked(capsys, "--model", model, "--tables", "parameters", *options)
    expected = csat.sem(own, MODEL, **how).tidy()
    assert column(table, "estimate") == expected["estimate"].tolist()
    free = expected["se"] > 0
    shown = [error for error, is_free in zip(column(table, "se"), free, strict=True) if is_free]
    assert shown == expected["se"][free].tolist()


def test_a_preset_is_measured_as_the_study_says(capsys, own):
    asking = ["--model", "study", "--without", "complaints", "--tables", "paths"]
    (paths,), _ = asked(capsys, *asking)
    model = csat.Model.from_questionnaire(own.questionnaire, "study", without="complaints")
    found = csat.sem(own, model, estimator="MLR", missing="fiml").tidy()
    assert column(paths, "estimate") == found[found["op"] == "~"]["estimate"].tolist()


def test_invariance_shows_the_steps_and_the_means(capsys, own, model):
    asking = ["--model", model, "--group", "line", "--invariance", "--estimator", "ML"]
    tables, _ = asked(capsys, *asking)
    found = csat.invariance(own, MODEL, "line", missing="fiml")
    assert [table["name"] for table in tables] == ["invariance", "latent_means"]
    assert column(tables[1], "effect") == found.latent_means().tidy()["effect"].tolist()
    tables, _ = asked(capsys, *asking, "--tables", "loadings", "--modification")
    assert [table["name"] for table in tables][2:] == ["sem_loadings", "modifications"]
    reached = found.fit(found.reached).tidy()
    assert column(tables[2], "estimate") == reached[reached["op"] == "=~"]["estimate"].tolist()
    ordered, _ = asked(capsys, "--model", model, "--group", "line", "--invariance", "--estimator", "WLSMV")
    assert [table["name"] for table in ordered] == ["invariance"] and len(ordered[0]["rows"]) == 2


def test_scores_are_written_and_judged(capsys, model, tmp_path):
    path = tmp_path / "scores.csv"
    tables, err = asked(capsys, "--model", model, "--scores", str(path), "--modification")
    assert [table["name"] for table in tables][2:] == ["modifications", "scores"]
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert list(rows[0]) == ["row", "image", "value"]
    assert f"scores of {len(rows)} respondents are in" in err
    mean = sum(float(row["image"]) for row in rows) / len(rows)
    assert mean == pytest.approx(tables[3]["rows"][0]["mean"], abs=1e-12)


@pytest.mark.parametrize(("options", "word"), [
    (["--estimator", "PLS"], "invalid choice"),
    (["--tables", "graph"], "is no table; choose of fit, paths"),
    (["--replicates", "0"], "write 50 or more"),
    (["--se", "bootstrap", "--replicates", "many"], "no number of draws"),
    (["--equal", "loadings"], "name their column by --group COLUMN"),
    (["--equal", "loading", "--group", "line"], "--equal loading is not known; choose of loadings"),
    (["--invariance"], "name their column by --group COLUMN"),
    (["--invariance", "--group", "line", "--equal", "loadings"], "leave --equal out"),
    (["--invariance", "--group", "line", "--se", "bootstrap"], "--invariance takes --se estimator"),
    (["--partial", "C12 ~1"], "--partial frees"),
    (["--by", "line,brand", "--group", "brand"], "both name 'brand'"),
    (["--missing", "fiml", "--estimator", "MLM"], "--missing fiml is for --estimator ML or MLR"),
    (["--missing", "pairwise", "--estimator", "GLS"], "--missing pairwise is for ML, MLR, MLM or MLMV"),
    (["--missing", "fiml", "--se", "bootstrap"], "refits complete answers"),
    (["--se", "bootstrap", "--estimator", "WLSMV"], "takes answers as numbers"),
    (["--replicates", "50"], "for --se bootstrap"),
    (["--seed", "-1"], "write a whole number, 0 or more"),
    (["--ordered", "C31"], "--ordered is for --estimator DWLS or WLSMV"),
    (["--tables", "thresholds"], "--tables thresholds is for"),
    (["--scores", "x.csv", "--estimator", "WLSMV"], "--scores takes answers as numbers"),
    (["--scores", "x.csv", "--by", "line"], "--scores writes one file"),
    (["--without", "complaints"], "--without is for --model ecsi, acsi or study"),
])  # fmt: skip
def test_wrong_options_are_exit_code_2(capsys, options, word):
    with pytest.raises(SystemExit) as stopped:
        main(["sem", STUDY, DATA, *options])
    assert stopped.value.code == 2
    out, err = capsys.readouterr()
    assert out == "" and word in err


@pytest.mark.parametrize(("options", "words"), [
    (["--model", "nowhere.txt"], ["There is no file 'nowhere.txt'", "presets are ecsi, acsi or study"]),
    (["--model", "."], ["--model . is no text"]),
    (["--model", "study"], ["'complaints' is no dimension", "--without CONSTRUCT"]),
    (["--group", "brnd"], ["No column 'brnd'", "'brand'"]),
    (["--se", "replicates"], ["replicate weights", "--se replicates"]),
    (["--group", "line", "--equal", "loadings", "--partial", "C99 ~1"], ["C99"]),
])  # fmt: skip
def test_what_data_and_study_do_not_have_is_exit_code_1(capsys, options, words):
    assert main(["sem", STUDY, DATA, "--own", *options]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.startswith("csat: ") and "Traceback" not in err
    assert not [word for word in words if word not in err], err


def test_a_model_that_cannot_be_read_is_shown(capsys, tmp_path):
    path = tmp_path / "model.txt"
    path.write_text("image =~ C11 + + C12", encoding="utf-8")
    assert main(["sem", STUDY, DATA, "--model", str(path)]) == 1
    assert "line 1, character" in capsys.readouterr().err
    path.write_bytes(b"\xff\xfe\x00")
    assert main(["sem", STUDY, DATA, "--model", str(path)]) == 1
    assert "is no text in UTF-8" in capsys.readouterr().err


def test_the_choices_of_the_shell_are_those_of_the_engine():
    from csat.cli import options
    from csat.structural.estimate import ESTIMATORS, MISSING
    from csat.structural.uncertainty.resampling import FEWEST, SOURCES

    assert options.ESTIMATORS == ESTIMATORS and options.GAPS == MISSING
    assert options.SEM_ERRORS == SOURCES and options.FEWEST_DRAWS == FEWEST
