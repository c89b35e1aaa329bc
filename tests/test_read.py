"""Reading: every row and cell is accounted for, and bad input is answered in words."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from csat.design import Design
from csat.errors import CsatError, DataError, LedgerError, MissingFileError, OptionError
from csat.questionnaire import Column, Item, Questionnaire, Scale
from csat.read import CELL_REASONS, ROW, ROW_REASONS, Ledger, Tally, read_clean

TEN = Scale(
    "ten",
    1,
    10,
    missing={98: "dont_know", 99: "not_used"},
    labels={
        1: {"zh": "很不满意", "en": "Very dissatisfied"},
        10: {"zh": "很满意", "en": "Very satisfied"},
        99: {"en": "N/A"},
    },
)
ASKED = Questionnaire(
    "q",
    scales=(TEN,),
    items=(Item("A", TEN, {"zh": "网络质量"}), Item("B", TEN)),
    columns=(
        Column(
            "brand",
            "category",
            {"zh": "品牌"},
            {"gotone": {"zh": "全球通", "en": "GoTone"}, "mzone": {"zh": "动感地带"}},
        ),
        Column("id", "id"),
        Column("secs", "seconds"),
    ),
    design=Design(weight="w", stratum="st", psu="hall"),
)
HEADER = "id,A,B,brand,w,st,hall,secs"
GOOD = "1,7,8,gotone,1.5,x,h1,30"


def csv_at(folder, *rows, header=HEADER, encoding="utf-8", name="data.csv"):
    path = folder / name
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def column(cleaned, name):
    return cleaned.table.column(name).to_pylist()


def cells(ledger, name):
    return {t.reason: t.count for t in ledger.tallies if t.what == "cell" and t.column == name and t.count}


# -- what a cell says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("7", 7, "valid"),
        ("7.0", 7, "valid"),
        (" 7 ", 7, "valid"),
        ("１０", 10, "valid"),
        ("+3", 3, "valid"),
        ("1e1", 10, "valid"),
        ("很满意", 10, "valid"),
        (" 很 满意", 10, "valid"),
        ("Very  satisfied", 10, "valid"),
        ("ＶＥＲＹ ＳＡＴＩＳＦＩＥＤ", 10, "valid"),
        ("", None, "empty"),
        ("  ", None, "empty"),
        ("NA", None, "empty"),
        ("#N/A", None, "empty"),
        ("98", None, "dont_know"),
        ("98.0", None, "dont_know"),
        ("n/a", None, "not_used"),  # a label of the scale comes before the usual words
        ("11", None, "out_of_range"),
        ("0", None, "out_of_range"),
        ("-1", None, "out_of_range"),
        ("1e300", None, "out_of_range"),
        ("7.5", None, "unknown_code"),
        ("inf", None, "unknown_code"),
        ("banana", None, "unknown_code"),
        ("7分", 7, "valid"),
        ("0x7", None, "unknown_code"),
        ("1_0", None, "unknown_code"),
        ("true", None, "unknown_code"),
    ],
)
def test_what_an_answer_says(tmp_path, cell, value, reason):
    path = csv_at(tmp_path, GOOD, f'2,"{cell}",8,mzone,1,x,h1,40')
    cleaned = read_clean(path, ASKED, on_unknown="missing")
    assert column(cleaned, "A") == [7, value]
    assert cells(cleaned.ledger, "A") == ({"valid": 2} if reason == "valid" else {"valid": 1, reason: 1})


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("gotone", "gotone", "valid"),
        ("全球通", "gotone", "valid"),
        (" ＧｏＴｏｎｅ", "gotone", "valid"),
        ("", None, "empty"),
        ("other", None, "unknown_code"),
    ],
)
def test_what_a_category_says(tmp_path, cell, value, reason):
    path = csv_at(tmp_path, GOOD, f"2,7,8,{cell},1,x,h1,40")
    cleaned = read_clean(path, ASKED, on_unknown="missing")
    assert column(cleaned, "brand")[1] == value
    assert cells(cleaned.ledger, "brand").get(reason) == (2 if reason == "valid" else 1)


def test_numbers_in_frames_are_held_to_the_same_levels():
    frame = pd.DataFrame({"A": [1e300, np.inf, -np.inf, np.nan, 0.5, 7.0, 98.0], "B": 5})
    cleaned = read_clean(frame, ASKED, design=Design(), on_unknown="missing", on_absent="missing")
    assert column(cleaned, "A") == [None] * 5 + [7, None]
    assert cells(cleaned.ledger, "A") == {"valid": 1, "out_of_range": 4, "empty": 1, "dont_know": 1}
    tenths = Questionnaire("q", items=(Item("A", Scale("tenths", 0, 1, 0.1)),))
    single = pd.DataFrame({"A": np.arange(11, dtype=np.float32) / np.float32(10)})
    assert column(read_clean(single, tenths), "A") == list(tenths.items[0].scale.levels)


def test_continuous_scales_take_anything_between_their_ends():
    bar = Questionnaire("q", items=(Item("A", Scale("bar", 0, 1, step=None, missing={9: "refused"})),))
    cleaned = read_clean(pd.DataFrame({"A": [0, 0.123, 1, 1.01, 9]}), bar, on_unknown="missing")
    assert column(cleaned, "A") == [0, 0.123, 1, None, None]
    assert cells(cleaned.ledger, "A") == {"valid": 3, "out_of_range": 1, "refused": 1}


# -- rows -----------------------------------------------------------------------------------------

BAD_ROWS = {
    "2,7,8,gotone,,x,h1,30": "weight_missing",
    "3,7,8,gotone,NA,x,h1,30": "weight_missing",
    "4,7,8,gotone,abc,x,h1,30": "weight_not_a_number",
    "5,7,8,gotone,inf,x,h1,30": "weight_not_a_number",
    "6,7,8,gotone,0,x,h1,30": "weight_zero",
    "7,7,8,gotone,-1,x,h1,30": "weight_negative",
    "8,7,8,gotone,1,,h1,30": "stratum_missing",
    "9,7,8,gotone,1,x, ,30": "psu_missing",
    "1,7,8,gotone,1,x,h1,30": "duplicate_id",
    ",,,,,,,": "empty_row",
    "": "empty_row",
}


def test_every_row_left_out_has_its_reason(tmp_path):
    cleaned = read_clean(csv_at(tmp_path, GOOD, *BAD_ROWS), ASKED)
    ledger = cleaned.ledger
    assert (ledger.rows_read, ledger.rows_kept, ledger.rows_left_out) == (12, 1, 11)
    expected = {reason: list(BAD_ROWS.values()).count(reason) for reason in BAD_ROWS.values()}
    assert {t.reason: t.count for t in ledger.tallies if t.what == "row"} == expected
    assert set(expected) == set(ROW_REASONS) - {"replicate_weight_missing", "ssu_missing"}
    by_reason = {t.reason: t for t in ledger.tallies if t.what == "row"}
    assert by_reason["weight_not_a_number"].rows == (5, 6)
    assert by_reason["weight_not_a_number"].values == ("abc", "inf")
    assert by_reason["duplicate_id"].examples == "row 11: '1'"


def test_the_first_usable_row_of_an_identifier_is_kept(tmp_path):
    path = csv_at(
        tmp_path, "5,1,1,mzone,0,x,h1,9", "5,2,2,mzone,1,x,h1,9", "5,3,3,mzone,1,x,h1,9", ",4,4,mzone,1,x,h1,9"
    )
    cleaned = read_clean(path, ASKED)
    assert column(cleaned, ROW) == [3, 5]
    assert cleaned.ledger.count("duplicate_id") == 1


def test_second_stage_units_must_be_there():
    frame = pd.DataFrame({"p": ["h1"] * 3, "s": ["x1", None, "x2"], "N": [9] * 3, "M": [50] * 3, "y": [1.0, 2, 3]})
    cleaned = read_clean(frame, design=Design(psu="p", fpc="N", ssu="s", fpc2="M"))
    assert cleaned.ledger.count("ssu_missing") == 1
    assert column(cleaned, "y") == [1.0, 3.0]


def test_replicate_weights_must_be_there(tmp_path):
    path = csv_at(tmp_path, "5,1,1", "6,0,1", "7,,1", header="w,r1,A")
    design = Design(weight="w", replicates=("r1",))
    cleaned = read_clean(path, Questionnaire("q", items=ASKED.items[:1]), design=design)
    assert cleaned.ledger.count("replicate_weight_missing", "r1") == 1
    assert column(cleaned, "r1") == [1, 0]


def test_no_usable_row_is_an_error_that_says_why(tmp_path):
    with pytest.raises(DataError, match=r"no row can be used: 1 × weight_not_a_number in 'w' \(row 2: 'abc'\)"):
        read_clean(csv_at(tmp_path, "4,7,8,gotone,abc,x,h1,30"), ASKED)


# -- the ledger -----------------------------------------------------------------------------------

ANSWERS = st.sampled_from(["7", "10", "98", "99", "", "11", "banana", "很满意", "NA"])
WEIGHTS = st.sampled_from(["1", "2.5", "", "0", "-1", "x"])


@given(st.lists(st.tuples(ANSWERS, ANSWERS, WEIGHTS, st.sampled_from(["1", "2", "3", ""])), min_size=1, max_size=30))
def test_the_ledger_always_adds_up(rows):
    frame = pd.DataFrame(rows, columns=["A", "B", "w", "id"], dtype=object)
    design = Design(weight="w")
    usable = frame[frame["w"].isin(["1", "2.5"])]
    options = {"design": design, "on_unknown": "missing", "on_absent": "missing"}
    if usable.empty:
        with pytest.raises(DataError, match="no row can be used"):
            read_clean(frame, ASKED, **options)
        return
    ledger = read_clean(frame, ASKED, **options).ledger
    kept = usable[~(usable["id"].duplicated() & (usable["id"] != ""))]
    assert ledger.rows_read == len(rows)
    assert ledger.rows_kept == len(kept)
    for name in ("A", "B", "brand", "secs", "id"):
        assert sum(cells(ledger, name).values()) == len(kept)
    assert cells(ledger, "A").get("out_of_range", 0) == (kept["A"] == "11").sum()
    assert cells(ledger, "B").get("dont_know", 0) == (kept["B"] == "98").sum()
    assert cells(ledger, "brand") == {"not_asked": len(kept)}
    twice = ledger + ledger
    assert twice.rows_read == 2 * ledger.rows_read
    assert (twice.tidy()["count"].sum()) == 2 * ledger.tidy()["count"].sum()


def test_a_ledger_that_does_not_add_up_cannot_exist():
    with pytest.raises(LedgerError, match="3 rows read, but 2 kept and 0 left out"):
        Ledger("x", 3, 2)
    with pytest.raises(LedgerError, match="2 rows kept, but 1 cells accounted for in 'A'"):
        Ledger("x", 2, 2, (Tally("cell", "A", "valid", 1),))
    with pytest.raises(LedgerError, match="differ at 'A'"):
        _ = Ledger("x", 0, 0, (Tally("cell", "A", "valid", 0),)) + Ledger("x", 0, 0)


def test_ledgers_of_two_files_add_up_like_one(tmp_path):
    rows = [GOOD, "2,11,,mzone,1,x,h1,3", "3,98,1,,0,x,h1,3", "4,98,1,,1,x,h1,3"]
    parts = [csv_at(tmp_path, *rows[:2], name="a.csv"), csv_at(tmp_path, *rows[2:], name="b.csv")]
    first, second = (read_clean(path, ASKED, on_unknown="missing").ledger for path in parts)
    whole = read_clean(csv_at(tmp_path, *rows), ASKED, on_unknown="missing").ledger
    added = (first + second).tidy().set_index(["what", "column", "reason"])["count"]
    expected = whole.tidy().set_index(["what", "column", "reason"])["count"]
    assert added.to_dict() == expected.to_dict()
    assert (first + second).source == "a.csv; b.csv"


def test_the_ledger_shows_itself(tmp_path):
    rows = [GOOD, '2,"<b>",8,mzone,1,x,h1,3', "3,8,8,mzone,0,x,h1,3"]
    ledger = read_clean(csv_at(tmp_path, *rows), ASKED, on_unknown="missing").ledger
    tidy = ledger.tidy()
    assert list(tidy.columns) == ["what", "column", "reason", "count", "share", "examples"]
    unknown = tidy[tidy["reason"] == "unknown_code"].iloc[0]
    assert (unknown["column"], unknown["count"], unknown["share"], unknown["examples"]) == ("A", 1, 0.5, "row 3: '<b>'")
    assert ledger.glance()["rows_left_out"].tolist() == [1]
    assert ledger.glance()["cells_missing"].tolist() == [1]
    assert "3 rows read, 2 kept" in repr(ledger)
    assert "&lt;b&gt;" in ledger._repr_html_()
    assert set(tidy["reason"]) <= {*ROW_REASONS, *CELL_REASONS}


# -- unknown codes, absent columns, names ---------------------------------------------------------


def test_all_unknown_codes_are_named_at_once(tmp_path):
    rows = ["1,11,7.5,foo,1,x,h,3", "2,11,banana,mzone,1,x,h,soon", "3,77,7,mzone,1,x,h,3"]
    with pytest.raises(DataError) as raised:
        read_clean(csv_at(tmp_path, *rows), ASKED)
    message = str(raised.value)
    assert "4 columns hold answers that the questionnaire does not know" in message
    assert "A (1–10): '11' × 2 (row 2), '77' × 1 (row 4)" in message
    assert "B (1–10): '7.5' × 1 (row 2), 'banana' × 1 (row 3)" in message
    assert "brand (one of gotone, mzone): 'foo' × 1 (row 2)" in message
    assert "secs (a number): 'soon' × 1 (row 3)" in message
    assert 'on_unknown="missing"' in message


def test_a_stratum_with_an_unknown_code_does_not_vanish(tmp_path):
    asked = Questionnaire("q", columns=ASKED.columns[:1], design=Design(stratum="brand"))
    path = csv_at(tmp_path, "gotone,1", "foo,1", header="brand,x")
    with pytest.raises(DataError, match="'foo' × 1"):
        read_clean(path, asked)
    assert read_clean(path, asked, on_unknown="missing").ledger.count("stratum_missing", "brand") == 1


def test_absent_columns_are_named_with_their_neighbours(tmp_path):
    path = csv_at(tmp_path, "1,2,gotone,1,x", header="id,A1,brandd,w,st")
    with pytest.raises(DataError) as raised:
        read_clean(path, ASKED)
    message = str(raised.value)
    assert "5 columns are asked for but not in the data" in message
    assert "'brand' (did you mean 'brandd'?)" in message
    assert 'on_absent="missing"' in message
    with pytest.raises(DataError, match="1 column is asked for but not in the data: 'hall'"):
        read_clean(path, ASKED, on_absent="missing")


def test_absent_questions_can_be_taken_as_not_asked(tmp_path):
    cleaned = read_clean(csv_at(tmp_path, "7", "8", header="A"), ASKED, design=Design(), on_absent="missing")
    assert cells(cleaned.ledger, "B") == {"not_asked": 2}
    assert cleaned.table.schema.field("B").type == pa.float64()
    assert "not in the data, taken as not asked: B, brand, id, secs" in cleaned.ledger.notes


def test_columns_are_found_by_name_in_any_case_and_by_their_text(tmp_path):
    header = " ID ,网络质量,ｂ,品牌,W,ST,Hall,secs,extra"
    cleaned = read_clean(csv_at(tmp_path, GOOD + ",007", header=header), ASKED)
    assert set(cleaned.table.column_names) == {*HEADER.split(","), "extra", ROW}
    assert column(cleaned, "extra") == ["007"]
    assert cleaned.ledger.plain == ("extra",)
    assert any("'网络质量' is A" in note for note in cleaned.ledger.notes)


def test_plain_columns_become_what_they_look_like(tmp_path):
    rows = ["1,1.5,007,13800138000000001,x,2026-01-01,NA", "2,-.5,1,1,3,2026-01-02,", "3,1e-5,2,2,,2026-01-03,4"]
    cleaned = read_clean(csv_at(tmp_path, *rows, header="a,b,code,phone,mixed,day,gap"))
    assert column(cleaned, "a") == [1, 2, 3]
    assert column(cleaned, "b") == [1.5, -0.5, 1e-5]
    assert column(cleaned, "code") == ["007", "1", "2"]
    assert column(cleaned, "phone")[0] == "13800138000000001"
    assert column(cleaned, "mixed") == ["x", "3", None]
    assert column(cleaned, "day")[0] == "2026-01-01"
    assert column(cleaned, "gap") == [None, None, 4]
    assert cleaned.ledger.plain == ()


# -- text files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_encoding_and_separator_are_found_out(tmp_path, encoding, separator, line):
    path = tmp_path / "data.csv"
    text = line.join([HEADER, GOOD.replace("gotone", "全球通"), ""]).replace(",", separator)
    path.write_bytes(text.encode(encoding))
    cleaned = read_clean(path, ASKED)
    assert column(cleaned, "brand") == ["gotone"]
    assert cleaned.ledger.notes[0] == f"encoding {encoding}"


def test_a_named_encoding_is_used(tmp_path):
    path = csv_at(tmp_path, "café", header="place", encoding="latin-1")
    assert column(read_clean(path, encoding="latin-1"), "place") == ["café"]


def test_quotes_hide_separators_and_line_ends(tmp_path):
    path = csv_at(tmp_path, '"a, b",1', '"two\nlines",2', '"say ""hi""",3', header='"name, full",x')
    cleaned = read_clean(path)
    assert column(cleaned, "name, full") == ["a, b", "two\nlines", 'say "hi"']
    assert column(cleaned, ROW) == [2, 3, 4]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf\n \n", "the file is empty"),
        (b"\na,b\n1,2\n", "the first row is blank"),
        (b",,\n1,2,3\n", "no column has a name"),
        (b"a,b\n", "names of columns but no rows"),
        (b"a,b", "names of columns but no rows"),
        (b"a,a\n1,2\n", "the column name 'a' is used by columns 1, 2"),
        (b"a,b\n1,2\n1,2,3\n1\n", "row 3: 3 cells, but the header has 2 (2 rows in all)"),
        (b"a,b\n1,caf\xe9\n", "neither UTF-8, UTF-16 nor GB18030"),
        ("a,b\n1,2\n".encode("utf-16-le"), "null characters"),
        (b"PK\x03\x04rest", "rename it to .xlsx"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "row 3: a quotation mark is opened but not closed"),
        (b'a,"b\n' + b"1,2\n" * 50_000, "row 1: a quotation mark is opened but not closed"),
    ],
)
def test_text_files_that_are_no_table(tmp_path, content, words):
    path = tmp_path / "data.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_clean(path)
    assert words in str(raised.value)
    assert str(raised.value).startswith("data.csv")


def test_columns_without_a_name_are_left_out_and_noted(tmp_path):
    cleaned = read_clean(csv_at(tmp_path, "0,5,x", header=",a,"))
    assert cleaned.table.column_names == ["a", ROW]
    assert "left out for want of a name: column 1, 3" in cleaned.ledger.notes


def test_wrong_encoding_in_words(tmp_path):
    path = csv_at(tmp_path, "全球通", header="brand", encoding="gb18030")
    with pytest.raises(DataError, match="byte 8 is not utf-8; leave `encoding` out"):
        read_clean(path, encoding="utf-8")
    with pytest.raises(DataError, match="encoding='klingon' is not known"):
        read_clean(path, encoding="klingon")


# -- Excel ----------------------------------------------------------------------------------------


def workbook_at(folder, rows, title="数据", others=()):
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for other in others:
        book.create_sheet(other)
    path = folder / "data.xlsx"
    book.save(path)
    return path


def test_excel_rows_keep_their_numbers(tmp_path):
    rows = [
        [None],
        HEADER.split(","),
        [1, "很满意", 7, "全球通", 1.5, "x", 1, 30],
        [],
        [2, 98, "11", "mzone", 1, "x", 2, 9],
    ]
    path = workbook_at(tmp_path, [*rows, [None] * 8, [""] * 8], others=["说明"])
    cleaned = read_clean(path, ASKED, on_unknown="missing")
    assert column(cleaned, "A") == [10, None]
    assert column(cleaned, "hall") == ["1", "2"]
    assert column(cleaned, ROW) == [3, 5]
    assert cleaned.ledger.rows_read == 3
    assert cleaned.ledger.tidy().query("reason == 'out_of_range'")["examples"].tolist() == ["row 5: '11'"]
    assert cleaned.ledger.notes[0] == "sheet '数据' (not read: '说明')"


def test_excel_cells_of_every_kind(tmp_path):
    rows = [
        ["a", "day", "flag", "mix", "stored"],
        [1, dt.datetime(2026, 1, 2), True, "x", "1"],
        [2.5, dt.date(2026, 1, 3), False, 3, "2"],
    ]
    cleaned = read_clean(workbook_at(tmp_path, rows))
    assert column(cleaned, "a") == [1, 2.5]
    assert column(cleaned, "day") == ["2026-01-02", "2026-01-03"]
    assert column(cleaned, "flag") == ["true", "false"]
    assert column(cleaned, "mix") == ["x", "3"]
    assert column(cleaned, "stored") == [1, 2]


def test_excel_in_words(tmp_path):
    path = workbook_at(
        tmp_path, [["满意度调查"], HEADER.split(","), [1, 1, 1, "mzone", 1, "x", "h", 2]], others=["说明"]
    )
    with pytest.raises(
        DataError, match=r"row 2 looks like it: it holds 8 names that the questionnaire knows\. Pass header_row=2"
    ):
        read_clean(path, ASKED)
    with pytest.raises(DataError, match=r"no sheet '数'. Did you mean '数据'"):
        read_clean(path, ASKED, sheet="数")
    with pytest.raises(DataError, match="sheet '说明': the sheet is empty"):
        read_clean(path, ASKED, sheet="说明")
    with pytest.raises(DataError, match="names of columns but no rows"):
        read_clean(workbook_at(tmp_path, [["a", "b"]]))
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(DataError, match="cannot be opened as an Excel workbook"):
        read_clean(path)


# -- other files and frames -----------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "sav", "dta"])
def test_broken_files_in_words(tmp_path, ending, optional):
    if ending != "parquet":
        optional("pyreadstat")
    path = tmp_path / f"data.{ending}"
    path.write_bytes(b"rubbish")
    with pytest.raises(DataError, match=rf"data\.{ending}: cannot be read as a"):
        read_clean(path)


def test_files_of_the_wrong_kind(tmp_path):
    csv_at(tmp_path, GOOD)
    for name, words in {"data.doc": "survey data are read from", "data.xls": "save it as .xlsx"}.items():
        (tmp_path / name).write_bytes(b"x")
        with pytest.raises(DataError, match=words):
            read_clean(tmp_path / name)
    with pytest.raises(MissingFileError, match=r"Did you mean 'data\.csv'"):
        read_clean(tmp_path / "dat.csv")
    with pytest.raises(OptionError, match="is for Excel workbooks"):
        read_clean(tmp_path / "data.csv", sheet="a")
    with pytest.raises(OptionError, match="is for text files"):
        read_clean(tmp_path / "data.doc", encoding="utf-8")
    with pytest.raises(OptionError, match="a frame has none of them"):
        read_clean(pd.DataFrame({"a": [1]}), sheet="a")
    with pytest.raises(OptionError, match="on_unknown='drop' is not known; choose one of 'raise', 'missing'"):
        read_clean(tmp_path / "data.csv", on_unknown="drop")
    with pytest.raises(OptionError, match="on_absent='drop'"):
        read_clean(tmp_path / "data.csv", on_absent="drop")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "A NoneType is no survey data"),
        ([1, 2], "A list is no survey data"),
        (np.ones((2, 2)), "A numpy ndarray is no survey data"),
        (pd.DataFrame(), "no column has a name"),
        (pd.DataFrame({"a": []}), "no rows"),
        (pd.concat({"x": pd.DataFrame({"a": [1]})}, axis=1), "2 levels of names"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "used by columns 1, 2"),
    ],
)
def test_things_that_are_no_survey(data, words):
    with pytest.raises(DataError, match=words):
        read_clean(data)


def test_an_engine_that_fails_is_quoted():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise RuntimeError("cluster gone")

    with pytest.raises(DataError, match=r"its rows cannot be fetched \(RuntimeError: cluster gone\)"):
        read_clean(Broken())


def test_a_frame_that_hands_over_arrow_is_read():
    class Engine:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table({"a": [1, 2]}).__arrow_c_stream__(requested_schema)

    assert column(read_clean(Engine()), "a") == [1, 2]


def test_frames_of_every_dtype_and_the_frame_is_left_alone():
    frame = pd.DataFrame(
        {
            "A": pd.Series([1, "很满意", 2.0], dtype=object),
            "flag": [True, False, True],
            "when": pd.to_datetime(["2026-01-01 10:00", "2026-01-01 00:00", "2026-01-01 00:00"]),
            "zone": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]).tz_localize("Asia/Shanghai"),
            "quarter": pd.period_range("2026Q1", periods=3, freq="Q"),
            "band": pd.cut([1, 5, 9], [0, 4, 10]),
            "big": np.array([2**60 + 1, 2, 3]),
            "nested": [[1], [2], [3]],
            "bytes": [b"a", b"b", b"c"],
            3: [1, 2, 3],
        }
    )
    before = frame.copy(deep=True)
    cleaned = read_clean(frame, ASKED, design=Design(), on_absent="missing")
    pd.testing.assert_frame_equal(frame, before)
    assert column(cleaned, "A") == [1, 10, 2]
    assert column(cleaned, "flag") == ["true", "false", "true"]
    assert column(cleaned, "when")[0] == "2026-01-01T10:00:00"
    assert column(cleaned, "zone")[0] == "2026-01-01"
    assert column(cleaned, "quarter") == ["2026Q1", "2026Q2", "2026Q3"]
    assert column(cleaned, "band") == ["(0, 4]", "(4, 10]", "(4, 10]"]
    assert column(cleaned, "3") == [1, 2, 3]
    assert "left out, neither numbers nor text: nested, bytes" in cleaned.ledger.notes
    assert column(cleaned, ROW) == [0, 1, 2]


def test_long_identifiers_keep_every_digit():
    asked = Questionnaire("q", columns=(Column("id", "id"),))
    assert column(read_clean(pd.DataFrame({"id": [2**60 + 1]}), asked), "id") == ["1152921504606846977"]


def test_spss_labels_and_missing_codes_agree(tmp_path, optional):
    pyreadstat = optional("pyreadstat")
    frame = pd.DataFrame(
        {
            "A": [1, 10, 98, 97, 91],
            "brand": [1, 2, 1, 2, np.nan],
            "city": [1, 2, 1, 1, 2],
            "age": [30, 40, 999, 50, 60.0],
        }
    ).astype(float)
    path = tmp_path / "data.sav"
    pyreadstat.write_sav(
        frame,
        path,
        variable_value_labels={
            "A": {1: "很不满意", 10: "Very satisfied"},
            "brand": {1: "全球通", 2: "动感地带"},
            "city": {1: "兰州", 2: "天水"},
            "age": {999: "refused"},
        },
        missing_ranges={"A": [98, {"lo": 90, "hi": 97}], "age": [999]},
    )
    cleaned = read_clean(path, ASKED, design=Design(), on_absent="missing")
    assert column(cleaned, "A") == [1, 10, None, None, None]
    assert cells(cleaned.ledger, "A") == {"valid": 2, "dont_know": 1, "user_missing": 2}
    assert column(cleaned, "brand") == ["gotone", "mzone", "gotone", "mzone", None]
    assert column(cleaned, "city") == ["兰州", "天水", "兰州", "兰州", "天水"]
    assert column(cleaned, "age") == [30, 40, None, 50, 60]
    assert column(cleaned, ROW)[0] == 1


def test_a_label_that_contradicts_the_scale_is_refused(tmp_path, optional):
    pyreadstat = optional("pyreadstat")
    path = tmp_path / "data.sav"
    pyreadstat.write_sav(pd.DataFrame({"A": [1.0]}), path, variable_value_labels={"A": {1: "Very Satisfied"}})
    with pytest.raises(DataError, match=r"labels code 1 'Very Satisfied', but on scale 'ten' that is the label of 10"):
        read_clean(path, ASKED, design=Design(), on_absent="missing")


def test_stata_missing_letters_are_user_missing(tmp_path, optional):
    pyreadstat = optional("pyreadstat")
    path = tmp_path / "data.dta"
    frame = pd.DataFrame({"A": pd.Series([1, "a", 3], dtype=object)})
    pyreadstat.write_dta(frame, path, missing_user_values={"A": ["a"]})
    cleaned = read_clean(path, ASKED, design=Design(), on_absent="missing")
    assert column(cleaned, "A") == [1, None, 3]
    assert cells(cleaned.ledger, "A") == {"valid": 2, "user_missing": 1}


@given(
    st.dictionaries(
        st.text(max_size=4),
        st.lists(
            st.one_of(st.none(), st.text(max_size=4), st.floats(), st.integers(), st.booleans(), st.dates()),
            min_size=3,
            max_size=3,
        ),
        max_size=4,
    )
)
def test_any_frame_is_read_or_refused_in_our_own_words(columns):
    frame = pd.DataFrame({name: pd.Series(cells, dtype=object) for name, cells in columns.items()})
    try:
        cleaned = read_clean(frame)
    except CsatError as error:
        assert str(error)
    else:
        assert cleaned.table.num_rows == cleaned.ledger.rows_kept
