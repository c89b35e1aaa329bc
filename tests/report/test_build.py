"""The report of the sample study, from data to page and workbook."""

from pathlib import Path

import numpy as np
import openpyxl
import pytest

import csat
from csat.errors import DataError, OptionError, ReportError
from csat.report import new_study
from csat.report.notebook import code_cell, dumps, read_notebook, template

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
STUDY, DATA = SAMPLE / "study.toml", SAMPLE / "2026Q3.csv"
SMALL = """
[study]
name = "small"
index = "top"
texts = {{ en = "{title}" }}
[scales.five]
low = 1
high = 5
[items]
A = {{ scale = "five", en = "{label}" }}
B = {{ scale = "five" }}
[dimensions.top]
children = ["A", "B"]
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Both languages, written once."""
    folder = tmp_path_factory.mktemp("report") / "new" / "folder"
    return csat.write_report(STUDY, DATA, folder, lang="both", progress=False)


def write_small(folder, title="t", label="a", rows=40):
    text = SMALL.format(title=title.replace('"', '\\"'), label=label.replace('"', '\\"'))
    (folder / "study.toml").write_text(text, encoding="utf-8")
    lines = [f"{1 + i % 5},{1 + i * 7 % 5}" for i in range(rows)]
    (folder / "data.csv").write_text("\n".join(["A,B", *lines]), encoding="utf-8")
    return folder / "study.toml", folder / "data.csv"


def test_a_page_and_a_workbook_per_language(made):
    names = ["report-en.html", "report-en.xlsx", "report-zh.html", "report-zh.xlsx", "report.json"]
    assert [path.name for path in made] == names
    assert sorted(path.name for path in made[0].parent.iterdir()) == sorted(path.name for path in made)


@pytest.mark.parametrize(("place", "lang", "words"), [
    (0, "en", ["between satisfied and basically satisfied", "Gap to Xi&#39;an", "How the figures were made"]),
    (2, "zh-Hans", ["介于满意与基本满意之间", "与西安的差距", "方法说明", "2026年三季度"]),
])  # fmt: skip
def test_the_page_stands_alone_and_has_every_section(made, results, check_alone, place, lang, words):
    html = made[place].read_text(encoding="utf-8")
    parsed = check_alone(html)
    assert parsed.named("html") == [{"lang": lang}]
    assert len(parsed.named("h2")) == 12
    assert len(parsed.named("img")) == 19
    assert len(parsed.named("table")) == 29
    assert not [word for word in words if word not in html]
    top = results["index"].tidy().iloc[0]
    assert f"{top['estimate']:.2f}" in html
    assert "csat.table" not in html
    assert "{{" not in html


def test_the_workbook_holds_the_tables_of_the_page(made, results):
    book = openpyxl.load_workbook(made[1])
    assert len(book.sheetnames) == 1 + 41 + 1
    numbers = [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, float)]
    wanted = [results["index"].tidy()["estimate"][0], *results["gaps"].tidy()["estimate"]]
    # Excel keeps 16 digits of a number.
    assert np.isclose(np.array(wanted)[:, None], numbers, rtol=1e-14).any(axis=1).all()


def test_bad_data_stop_before_anything_is_written(tmp_path):
    with pytest.raises(DataError, match=r"C11 \(1–10\): '11'"):
        csat.write_report(STUDY, SAMPLE / "2026Q3_dirty.csv", tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


def test_labels_of_a_study_are_text_everywhere(tmp_path, check_alone):
    evil = "<img src=x onerror=alert(1)>"
    study, data = write_small(tmp_path, title=evil, label=evil + " $x$ {{report.index}} ## no")
    html, workbook, _ = csat.write_report(study, data, tmp_path, lang="en", progress=False)
    parsed = check_alone(html.read_text(encoding="utf-8"))
    assert len(parsed.named("h2")) == 6, "a study without drivers, model, groups and peers has fewer sections"
    assert "&lt;img src=x" in html.read_text(encoding="utf-8")
    cells = [cell for sheet in openpyxl.load_workbook(workbook) for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]


def test_an_own_notebook_replaces_the_one_of_the_package(tmp_path, capsys):
    study, data = write_small(tmp_path)
    own = template()
    own["cells"] = [
        code_cell('study = data = lang = ""', "parameters"),
        {"cell_type": "markdown", "id": "m", "metadata": {}, "source": ["## My section\n", "Hello"]},
        code_cell("import csat, sys, warnings\ns = csat.read_survey(data, csat.read_questionnaire(study))"),
        code_cell('warnings.warn("mind the gap")\nprint(lang, len(s), sys.executable)'),
    ]
    (tmp_path / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    html, _ = csat.write_report(study, data, tmp_path / "out", lang="en", notebook=tmp_path / "own.ipynb")
    import sys

    text = html.read_text(encoding="utf-8")
    assert '<h2 id="section-1">My section</h2>' in text
    assert f"en 40 {sys.executable}" in text
    said = capsys.readouterr()
    assert said.out == ""
    assert "My section" in said.err and "mind the gap" in said.err


def test_a_failing_cell_leaves_the_old_report_alone(tmp_path):
    study, data = write_small(tmp_path)
    (tmp_path / "report-en.html").write_text("old")
    own = template()
    own["cells"] = [code_cell("", "parameters"), code_cell("1 / 0")]
    (tmp_path / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    with pytest.raises(ReportError, match="ZeroDivisionError: division by zero"):
        csat.write_report(study, data, tmp_path, lang="en", notebook=tmp_path / "own.ipynb", progress=False)
    assert (tmp_path / "report-en.html").read_text() == "old"
    assert not (tmp_path / "report-en.xlsx").exists()


def test_too_few_respondents_are_a_report_without_figures(tmp_path):
    study, data = write_small(tmp_path, rows=20)
    html, *_ = csat.write_report(study, data, tmp_path, lang="en", progress=False)
    assert "Fewer than 30 respondents: not shown." in html.read_text(encoding="utf-8")


def test_wrong_options_are_named(tmp_path):
    with pytest.raises(OptionError, match="lang='fr' is not known; choose one of 'en', 'zh', 'both'"):
        csat.write_report(STUDY, DATA, tmp_path, lang="fr")
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="is a file; the report needs a folder"):
        csat.write_report(STUDY, DATA, tmp_path / "file")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_new_study_is_complete_and_never_overwrites(tmp_path, lang):
    study, notebook, readme, ignored = new_study(tmp_path / "new", lang=lang)
    asked = csat.read_questionnaire(study)
    assert asked.root == "satisfaction"
    assert f'lang = "{lang}"' in "".join(read_notebook(notebook)["cells"][1]["source"])
    assert "csat report study.toml answers.csv" in readme.read_text(encoding="utf-8")
    assert "/answers*" in ignored.read_text(encoding="utf-8").splitlines()
    assert "# [service]" in study.read_text(encoding="utf-8")
    with pytest.raises(OptionError, match=r"study\.toml exists already; csat new does not overwrite"):
        new_study(tmp_path / "new")
