"""The report on real answers in both languages and every format but the browser's: the ECSI mobile survey."""

import re
from html import unescape
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import csat

STUDY = Path(__file__).parents[1] / "fixtures" / "ecsi" / "study.toml"
pytestmark = [pytest.mark.shared, pytest.mark.slow]


@pytest.fixture(scope="module")
def made(shared_case, tmp_path_factory):
    """Files of the report by name, the survey, and its answers."""
    folder = tmp_path_factory.mktemp("ecsi")
    path = shared_case("pls_mobi_plspm_path.csv")
    study = folder / "study.toml"
    study.write_text(STUDY.read_text(encoding="utf-8") + '\n[report]\nstructural = "both"\n', encoding="utf-8")
    formats = ("html", "xlsx", "pptx", "docx", "md")
    files = csat.write_report(study, path, folder / "out", lang="both", formats=formats, progress=False)
    survey = csat.read_survey(path, csat.read_questionnaire(study))
    return {file.name: file for file in files}, survey, pd.read_csv(path)


def text_of(path):
    return re.sub(r"\s+", " ", unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", " ", path.read_text("utf-8"))))


def test_every_file_is_there_and_no_figure_is_missing(made):
    files, *_ = made
    named = [f"report-{lang}.{form}" for lang in ("en", "zh") for form in ("html", "xlsx", "pptx", "docx", "md")]
    assert list(files) == [*named, "report.json"]
    for lang in ("zh", "en"):
        html = files[f"report-{lang}.html"].read_text("utf-8")
        assert not re.search(r"Error|Traceback|\bnan\b|\bNone\b", text_of(files[f"report-{lang}.html"]))
        assert html.count("<img") >= 10 and all(len(alt) > 20 for alt in re.findall(r'<img[^>]*alt="([^"]*)"', html))


def test_its_index_is_the_one_that_the_library_computes(made):
    files, survey, data = made
    estimates = csat.index(survey).tidy().set_index("term")["estimate"]
    assert abs(estimates["CUSA1"] - (data["CUSA1"].mean() - 1) / 9 * 100) < 1e-12
    for lang in ("zh", "en"):
        book = openpyxl.load_workbook(files[f"report-{lang}.xlsx"])
        numbers = [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, float)]
        for code in survey.questionnaire.leaves:
            assert min(abs(number - estimates[code]) for number in numbers) < 1e-12, (lang, code)
        assert f"{estimates['index']:.1f}" in text_of(files[f"report-{lang}.html"])


def test_the_slides_hold_the_same_figures(made):
    import pptx

    files, survey, _ = made
    estimates = csat.index(survey).tidy().query("kind == 'item'")["estimate"]
    for lang in ("zh", "en"):
        show = pptx.Presentation(files[f"report-{lang}.pptx"])
        tables = [shape.table for slide in show.slides for shape in slide.shapes if shape.has_table]
        cells = {cell.text for table in tables for row in table.rows for cell in row.cells}
        assert {f"{estimate:.2f}" for estimate in estimates} <= cells
