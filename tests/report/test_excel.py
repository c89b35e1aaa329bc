"""The workbook: numbers are numbers, text is text, Chinese fits."""

import zipfile

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

import csat
from csat.report.description import Cell, Column, Description
from csat.report.excel import sheet_names
from csat.report.words import words


@pytest.fixture
def book(index, whole, asked, tmp_path):
    tables = [
        csat.table(index, "zh", asked),
        csat.table(whole, "zh", asked),
        csat.table(whole, "zh", asked, kind="items"),
    ]
    return openpyxl.load_workbook(
        csat.report.write_workbook(
            tables,
            tmp_path / "a.xlsx",
            title="=cmd()",
            lang="zh",
            facts=["仅限兰州"],
            method=["标准误按抽样设计计算。"],
        )
    )


def test_sheets_are_contents_tables_notes(book):
    assert book.sheetnames == ["目录", "满意度指数、维度与指标", "满意度指数、维度与指标 2", "指标得分排名", "说明"]
    links = [row[0].hyperlink.location for row in book["目录"].iter_rows(min_row=3) if row[0].value]
    assert links == [f"'{name}'!A1" for name in book.sheetnames[1:-1]]
    lines = [(row[0].value, row[1].value) for row in book["目录"].iter_rows(min_row=4) if row[0].value]
    assert lines[:2] == [("满意度指数、维度与指标", None), ("满意度指数、维度与指标", "满意度指数、维度与指标 2")]


def test_text_from_data_is_never_a_formula(book):
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell for cell in cells if cell.data_type == "f"]
    assert "=cmd()" in {cell.value for cell in cells}
    assert "=1+1" in {cell.value for cell in cells}


def test_numbers_are_numbers_with_formats(book):
    sheet = book["满意度指数、维度与指标"]
    assert sheet["C4"].value == 68.224
    assert sheet["C4"].number_format == "0.00"
    marked = [cell for row in sheet.iter_rows(min_row=4, max_row=12) for cell in row if cell.value == 61.5]
    assert [cell.data_type for cell in marked] == ["n"], "a mark stands beside its number, which stays a number"


def test_hidden_figures_are_not_in_the_file(book, tmp_path):
    everything = {cell.value for sheet in book for row in sheet.iter_rows() for cell in row}
    assert not {99.0, 98.0, 100.0} & everything
    assert "(b) 没有有效回答。" in everything or "(a) 没有有效回答。" in everything


def test_headings_stay_in_sight_and_columns_fit_chinese(book):
    sheet = book["满意度指数、维度与指标 2"]
    assert sheet.freeze_panes == "B4"
    longest = max(len(str(sheet.cell(row, 1).value)) for row in range(4, 7))
    assert longest >= 60
    assert sheet.column_dimensions["A"].width > 50
    for column in range(2, 7):
        assert sheet.column_dimensions[get_column_letter(column)].width >= 7


def test_notes_say_every_rule(book):
    said = [(row[0].value, row[1].value) for row in book["说明"].iter_rows() if row[1].value]
    assert ("满意度指数、维度与指标", "样本不足30人，不予显示。") in said
    assert ("", "标准误按抽样设计计算。") in said


def test_the_same_tables_give_the_same_bytes(whole, asked, tmp_path):
    table = csat.table(whole, "zh", asked)
    one, two = (csat.report.write_workbook([table], tmp_path / name, title="t") for name in ("1.xlsx", "2.xlsx"))
    with zipfile.ZipFile(one) as first, zipfile.ZipFile(two) as second:
        assert [first.read(name) for name in first.namelist()] == [second.read(name) for name in second.namelist()]


def test_sheet_names_are_valid_and_distinct():
    names = sheet_names(["a/b:c", "A B C", "x" * 40, "x" * 40, "", "contents"], words("en"))
    assert names == ["a b c", "A B C 2", "x" * 31, "x" * 27 + " 2", "Table", "contents 2"]


def written(tmp_path, *tables, lang="en"):
    return openpyxl.load_workbook(csat.report.write_workbook(tables, tmp_path / "b.xlsx", title="t", lang=lang))


def rows_of(values, kind, **options):
    columns = (Column("name", "name"), Column("value", "value", kind))
    rows = tuple((Cell(f"row {i}"), Cell(value)) for i, value in enumerate(values))
    return Description("t", "t", columns, rows, **options)


def test_nothing_looks_certain_that_is_not(tmp_path):
    sheet = written(tmp_path, rows_of([0.9964, 0.0036, 0.5], "chance")).worksheets[1]
    assert [sheet.cell(row, 2).value for row in (4, 5, 6)] == [0.9964, 0.0036, 0.5]
    code = '[>0.995]">99%";[<0.005]"<1%";0%'
    assert [sheet.cell(row, 2).number_format for row in (4, 5, 6)] == [code, code, "0%"]


def test_sentences_have_room(tmp_path):
    table = Description("t", "t", (Column("sentence", "sentence"),), ((Cell("满意度" * 50),), (Cell("short"),)))
    sheet = written(tmp_path, table, lang="zh").worksheets[1]
    assert sheet.column_dimensions["A"].width > 100
    assert sheet.row_dimensions[4].height >= 3 * 14
    assert sheet.row_dimensions[5].height is None, "one line is as high as ever"


def test_one_font_and_one_line(tmp_path):
    for lang, font in (("en", "Arial"), ("zh", "Microsoft YaHei")):
        book = written(tmp_path, rows_of([1.0, 2.0], "score"), lang=lang)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
        assert {cell.font.name for cell in cells} == {font}
        assert {cell.alignment.vertical for cell in cells} <= {"center", None}, "headings stand at the bottom"
        assert {cell.alignment.vertical for cell in book.worksheets[1][4]} == {"center"}


def test_flat_tables_have_filters_and_trees_have_none(tmp_path):
    flat = rows_of([1.0] * 6, "score")
    tree = rows_of([1.0] * 6, "score", depths=(0, 1, 1, 1, 1, 1))
    _, first, second, third, _ = written(tmp_path, flat, tree, rows_of([1.0], "score")).worksheets
    assert first.auto_filter.ref == "A3:B9"
    assert second.auto_filter.ref is None
    assert third.auto_filter.ref is None


def test_a_table_a_little_longer_than_a_page_is_printed_on_one(tmp_path):
    _, short, long, _ = written(tmp_path, rows_of([1.0] * 60, "score"), rows_of([1.0] * 400, "score")).worksheets
    assert short.sheet_properties.pageSetUpPr.fitToPage
    assert short.page_setup.fitToHeight in (None, 1)
    assert long.page_setup.fitToHeight == 0
    assert short.page_setup.orientation != "landscape"
