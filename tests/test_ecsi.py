"""Every verb on real answers: the ECSI mobile-phone survey (250 customers, 24 items on 1–10)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.cli import main

STUDY = Path(__file__).parent / "fixtures" / "ecsi" / "study.toml"
#: Image, quality and satisfaction are hardly told apart in these answers (HTMT up to .954), as every fit says.
pytestmark = [
    pytest.mark.shared,
    pytest.mark.filterwarnings("ignore::csat.structural.guards.DiscriminantValidityWarning"),
]


@pytest.fixture
def path(shared_case):
    return shared_case("pls_mobi_plspm_path.csv")


@pytest.fixture
def source(path):
    data = pd.read_csv(path)
    data["half"] = np.where(np.arange(len(data)) < 125, "first", "second")
    return csat.read_survey(data, csat.read_questionnaire(STUDY))


def test_the_file_reads_whole(source):
    assert source.ledger.glance()["rows_kept"][0] == 250
    assert source.ledger.glance()["rows_left_out"][0] == 0


def test_index_equals_plain_arithmetic(source, path):
    data = pd.read_csv(path)
    frame = csat.index(source).tidy().set_index("term")
    assert_allclose(frame.loc["CUSA1", "estimate"], (data["CUSA1"].mean() - 1) / 9 * 100)
    assert_allclose(frame.loc["CUSA1", "se"], data["CUSA1"].std() / np.sqrt(250) / 9 * 100)
    assert frame.loc[csat.read_questionnaire(STUDY).root, "estimate"] == pytest.approx(frame["estimate"].iloc[0])
    assert frame["estimate"].between(0, 100).all()


def test_gaps_between_halves_are_differences_of_their_indices(source):
    halves = csat.index(source, by="half").tidy().set_index(["half", "term"])["estimate"]
    gap = csat.gaps(source, by="half", against="second").tidy().set_index("term")["estimate"]
    assert_allclose(gap, halves["first"] - halves["second"][gap.index])


def test_drivers(source):
    asked = source.questionnaire
    regression = csat.regress(source, asked.outcome, asked.processes)
    importance = csat.importance(source, asked.outcome, asked.processes)
    steps = csat.stepwise(source, asked.outcome, asked.processes)
    assert_allclose(importance.estimates.estimate.sum(), regression.r2)
    assert 0 < len(steps.selected) <= len(asked.processes)
    assert steps.final.r2 <= regression.r2


def test_sem_has_the_fit_that_lavaan_prints(source):
    """lavaan 0.6-14, case sem_mobi_core_ml."""
    import json

    case = json.loads((STUDY.parents[1] / "lavaan" / "sem_mobi_core_ml.json").read_text(encoding="utf-8"))
    expected = case["result"]["fit_measures"]
    got = csat.sem(source, csat.Model(source.questionnaire.model)).glance().iloc[0]
    assert_allclose(got["chisq"], expected["chisq"], atol=1e-3)
    assert_allclose([got["cfi"], got["rmsea"], got["srmr"]], [expected[k] for k in ("cfi", "rmsea", "srmr")], atol=1e-4)


def test_evaluation_gives_a_grade_at_every_node(source):
    frame = csat.evaluate(source).verdicts()
    grades = [grade.code for grade in source.questionnaire.grades]
    assert_allclose(frame[grades].sum(axis=1), 1.0)
    assert frame["verdict"].isin(grades).all()


@pytest.mark.parametrize("verb", ["check", "index", "drivers", "sem", "pls", "evaluate"])
def test_every_verb_in_the_shell(path, capsys, verb):
    assert main([verb, str(STUDY), str(path)]) == 0
    assert capsys.readouterr().out.strip()


def test_gaps_in_the_shell(source, tmp_path, capsys):
    data = source.frame().reset_index(drop=True)
    data.to_csv(tmp_path / "halves.csv", index=False)
    assert main(["gaps", str(STUDY), str(tmp_path / "halves.csv"), "--by", "half", "--against", "second"]) == 0
    assert "first" in capsys.readouterr().out


def test_the_report_shows_the_model_as_factors_and_as_composites(path, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(STUDY.read_text(encoding="utf-8") + '\n[report]\nstructural = "both"\n', encoding="utf-8")
    html, record = csat.write_report(study, path, tmp_path / "out", lang="en", formats="html", progress=False)
    page = html.read_text(encoding="utf-8")
    assert [title for title in ("Structural model", "Path model of composites") if f">{title}</h2>" not in page] == []
    figures = {figure["term"]: figure for figure in csat.report.read_manifest(record).figures}
    data = pd.read_csv(path)
    assert_allclose(figures["CUSA1"]["estimate"], (data["CUSA1"].mean() - 1) / 9 * 100)
    assert figures["CUSA1"]["n"] == 250
