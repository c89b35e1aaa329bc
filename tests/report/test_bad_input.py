"""What must be refused before anything is computed, and characters that no file may hold."""

import json
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

import csat
from csat.errors import OptionError, ReportError
from csat.report.execute import execute
from csat.report.names import Names
from csat.report.notebook import code_cell, dumps, read_notebook, template
from csat.report.settings import checked_where
from csat.report.text import harmless

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
STUDY, DATA = SAMPLE / "study.toml", SAMPLE / "2026Q3.csv"
ODD = "a\x00b\x0b\ufffe\ud800c"


def test_illegal_characters_never_reach_a_workbook_or_page(whole, tmp_path):
    table = replace(csat.table(whole), title=f"T{ODD}", notes=(ODD,))
    rows = tuple((replace(row[0], value=ODD), *row[1:]) for row in table.rows)
    path = csat.report.write_workbook(
        [replace(table, rows=rows)], tmp_path / "a.xlsx", title=ODD, facts=[ODD], method=[ODD]
    )
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[1] == "Tabc"
    assert "abc" in {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    html = replace(table, rows=rows)._repr_html_()
    assert "abc" in html and "\x00" not in html and "\ufffe" not in html


@pytest.mark.parametrize(("text", "safe"), [
    ("=1+1", "'=1+1"), ("+x", "'+x"), ("-x", "'-x"), ("@x", "'@x"), (" =x", "' =x"), ("x=1", "x=1"), (-2.5, -2.5),
    ("", ""),
])  # fmt: skip
def test_csv_text_is_never_a_formula(text, safe):
    assert harmless(text) == safe


@pytest.mark.parametrize("where", ["x", 3, {1: "a"}, {"city": None}, {"city": []}, {"city": {"a": 1}}, {"city": [[1]]}])
def test_a_filter_of_wrong_types_is_refused(where, tmp_path):
    with pytest.raises(OptionError, match="where"):
        csat.write_report(STUDY, DATA, tmp_path, where=where)


def test_numbers_of_numpy_are_plain_in_a_filter():
    import numpy as np

    assert repr(checked_where({"a": np.int64(3), "b": ("x", "y")})) == "{'a': 3, 'b': ['x', 'y']}"


def test_a_folder_that_cannot_be_is_refused_before_reading(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="is a file; the report needs a folder"):
        csat.write_report("no.toml", "no.csv", tmp_path / "file" / "x")
    with pytest.raises(OptionError, match="folder is empty"):
        csat.write_report("no.toml", "no.csv", "")


@pytest.mark.parametrize("cell", [
    {"cell_type": "code", "metadata": [], "source": ""}, {"cell_type": "code", "metadata": {}},
    {"cell_type": "code", "metadata": {"tags": 3}, "source": ""}, {"cell_type": "odd", "metadata": {}, "source": ""},
    {"cell_type": "code", "metadata": {}, "source": [1]}, 3,
])  # fmt: skip
def test_a_damaged_notebook_is_no_notebook(cell, tmp_path):
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": [cell]}))
    with pytest.raises(ReportError, match="is not a Jupyter notebook"):
        read_notebook(tmp_path / "a.ipynb")


def test_a_notebook_of_wrong_shape_is_refused_before_a_kernel_starts(tmp_path):
    damaged = template() | {"cells": [code_cell("1") | {"outputs": 3}]}
    with pytest.raises(ReportError, match="is not a Jupyter notebook"):
        execute(damaged, tmp_path, tmp_path, lambda position: None)


def test_a_selection_that_kept_nothing_is_drawn_as_a_sentence(results, study):
    import matplotlib.pyplot as plt

    nothing = replace(results["stepwise"], steps=results["stepwise"].steps[:0], selected=(), final=None)
    assert "No process entered." in csat.plot(nothing, names=study).texts[0].get_text()
    plt.close("all")


def test_a_study_without_an_index_has_a_report_without_those_sections(tmp_path, check_alone):
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "s"\n[scales.f]\nlow = 1\nhigh = 5\n[items]\nA = { scale = "f" }\n', encoding="utf-8"
    )
    (tmp_path / "d.csv").write_text("A\n" + "\n".join("12345" * 10), encoding="utf-8")
    html, *_ = csat.write_report(tmp_path / "s.toml", tmp_path / "d.csv", tmp_path, lang="en", progress=False)
    text = html.read_text(encoding="utf-8")
    assert len(check_alone(text).named("h2")) == 3
    assert "Structural model" not in text and "Fuzzy" not in text


def test_a_filter_stands_on_the_page_and_in_the_workbook(tmp_path):
    own = template()
    own["cells"] = [
        own["cells"][1],
        code_cell("import csat\nfrom csat import report"),
        code_cell("s = csat.read_survey(data, csat.read_questionnaire(study)).where(**where)"),
        code_cell("report.masthead(report.plan(s, where), lang)"),
    ]
    (tmp_path / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    html, book = csat.write_report(
        STUDY, DATA, tmp_path, lang="zh", notebook=tmp_path / "own.ipynb", where={"city": ["lanzhou", "tianshui"]},
        progress=False,
    )  # fmt: skip
    lines = [row[0].value for row in openpyxl.load_workbook(book).worksheets[0].iter_rows() if row[0].value]
    text = html.read_text(encoding="utf-8")
    for said in ("仅限兰州、天水", "数据：2026Q3.csv", "本方：甘肃", "时期：2026年三季度", "有效样本量"):
        assert said in text and any(said in line for line in lines)


def test_a_chinese_code_is_its_own_name_where_only_english_is_known(asked):
    from csat.questionnaire import Column

    column = Column("品牌", "category", {"en": "Operator"}, {"全球通": {"en": "GoTone"}})
    names = Names("zh", replace(asked, columns=(column,)))
    assert (names.running("品牌"), names.value("品牌", "全球通")) == ("品牌", "全球通")
    assert (
        Names("zh", replace(asked, columns=(Column("kind", "category", {"en": "Brand"}),))).running("kind") == "Brand"
    )
