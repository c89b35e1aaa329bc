"""Reading what people really send: titles above the header, numbers with labels, SPSS files alone, mistyped weights."""

import datetime as dt
import warnings

import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from csat.design import Design
from csat.errors import CsatError, DataError, OptionError
from csat.questionnaire import Column, Item, Questionnaire, Scale, read_questionnaire, write_codebook
from csat.read import WeightReport, WeightWarning, questionnaire_from_sav, read_clean
from csat.survey import read_survey

FIVE = Scale(
    "five",
    1,
    5,
    missing={9: "refused"},
    labels={1: {"zh": "很不满意"}, 5: {"zh": "非常满意", "en": "Very satisfied"}, 9: {"zh": "拒答"}},
)
ASKED = Questionnaire(
    "q",
    scales=(FIVE,),
    items=(Item("Q1", FIVE, {"zh": "网络质量"}), Item("Q2", FIVE, {"zh": "资费"})),
    columns=(Column("brand", labels={"g": {"zh": "全球通"}, "m": {"zh": "动感地带"}}),),
)


def cells(cleaned, name):
    return {t.reason: t.count for t in cleaned.ledger.tallies if t.what == "cell" and t.column == name and t.count}


def frame(n, **columns):
    return pd.DataFrame({"Q1": np.resize([1, 3, 5], n), "Q2": 4, "brand": "g", **columns})


def text_at(folder, text, name="data.csv"):
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


# -- weights --------------------------------------------------------------------------------------


def test_the_ledger_describes_the_weights():
    made = read_clean(frame(4, w=[1, 1, 1, 3]), ASKED, design=Design("w")).ledger.weights
    assert (made.n, made.smallest, made.largest, made.row) == (4, 1, 3, 3)
    assert made.largest_share == 0.5
    assert made.n_eff == 36 / 12
    # Kish: 1 + squared coefficient of variation, in population form
    assert made.deff == pytest.approx(1 + np.var([1, 1, 1, 3]) / 1.5**2)
    tidy = made.tidy().iloc[0]
    assert (tidy["sum"], tidy["ratio"], tidy["largest_row"]) == (6, 3, 3)


def test_weights_of_two_parts_add_up():
    weights = np.array([1.0, 2, 5, 1, 4, 3])
    whole = read_clean(frame(6, w=weights), ASKED, design=Design("w")).ledger.weights
    parts = [read_clean(frame(3, w=part), ASKED, design=Design("w")).ledger for part in (weights[:3], weights[3:])]
    assert (parts[0] + parts[1]).weights == whole
    assert read_clean(frame(3), ASKED).ledger.weights is None


def test_one_respondent_who_outweighs_the_others_is_named():
    weights = np.ones(200)
    weights[17] = 1_000_000
    with pytest.warns(WeightWarning, match=r"row 17: weight 1e\+06 in 'w' is 100\.0% of the weight of all 200 resp"):
        read_survey(frame(200, w=weights), ASKED, design=Design("w"))


def test_weights_far_apart_are_named():
    with pytest.warns(WeightWarning, match=r"run from 0\.01 \(row 1\) to 2 \(row 0\), 200 times as much"):
        read_clean(frame(2, w=[2, 0.01]), ASKED, design=Design("w"))


def test_usual_weights_do_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        many = read_clean(frame(150, w=np.linspace(0.3, 5, 150)), ASKED, design=Design("w"))
        few = read_clean(frame(3, w=[1, 1, 50]), ASKED, design=Design("w"))
    assert (many.ledger.rows_kept, few.ledger.rows_kept) == (150, 3)


def test_weights_impossibly_far_apart_are_refused(tmp_path):
    path = text_at(tmp_path, "Q1,Q2,brand,w\n1,2,g,1\n1,2,g,1e11\n")
    with pytest.raises(DataError, match=r"data\.csv: the weights in 'w' run from 1 \(row 2\) to 1e\+11 \(row 3\)"):
        read_clean(path, ASKED, design=Design("w"))


def test_a_report_of_weights_shows_itself():
    shown = repr(read_clean(frame(4, w=[1, 1, 1, 3]), ASKED, design=Design("w")).ledger)
    assert "weights in w: 1 to 3 (row 3, 50.00% of the sum), effective n 3.0, design effect 1.33" in shown
    assert "WeightReport: 1 rows" in repr(WeightReport("w", 1, 1, 1, 1, 1, 0))


# -- answers that begin with their number ---------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value", "reason"),
    [
        ("5.非常满意", 5, "valid"),
        ("5-非常满意", 5, "valid"),
        ("5 Very satisfied", 5, "valid"),
        ("（5）非常满意", 5, "valid"),
        ("５、非常满意", 5, "valid"),
        ("4分", 4, "valid"),
        ("5分", 5, "valid"),
        ("4 points", 4, "valid"),
        ("4-比较满意", 4, "valid"),
        ("[3]", 3, "valid"),
        ("3.", 3, "valid"),
        ("9拒答", None, "refused"),
        ("9 - 拒答", None, "refused"),
        ("5-很不满意", None, "unknown_code"),  # the label of 1
        ("4-非常满意", None, "unknown_code"),  # the label of 5
        ("5-满意", None, "unknown_code"),  # not the label of 5
        ("7分", None, "unknown_code"),
        ("3-4", None, "unknown_code"),
        ("3/5", None, "unknown_code"),
        ("2 or 3", None, "unknown_code"),
        ("4%", None, "unknown_code"),
        ("4?", None, "unknown_code"),
        ("拒绝", None, "unknown_code"),
        ("DK", None, "unknown_code"),
    ],
)
def test_a_number_with_its_label_is_an_answer(tmp_path, cell, value, reason):
    cleaned = read_clean(text_at(tmp_path, f"Q1,Q2,brand\n{cell},3,g\n1,3,g\n"), ASKED, on_unknown="missing")
    assert cleaned.table.column("Q1").to_pylist() == [value, 1]
    assert reason in cells(cleaned, "Q1")


def test_numbers_with_labels_are_noted(tmp_path):
    cleaned = read_clean(text_at(tmp_path, "Q1,Q2,brand\n5.非常满意,3,g\n"), ASKED)
    assert "Q1: read by their number: answers such as '5.非常满意'" in cleaned.ledger.notes


def test_unknown_words_come_with_lines_to_paste(tmp_path):
    path = text_at(tmp_path, f"Q1,Q2,brand\n不知道,一般,g\n不知道,{'很长' * 100},g\n")
    with pytest.raises(DataError) as raised:
        read_clean(path, ASKED)
    words = str(raised.value)
    assert 'with on_unknown="missing"; the ledger' in words
    lines = words[words.index("[scales.five.missing]") :].split("\n")
    assert lines == [
        "[scales.five.missing]",
        '98 = "dont_know"',
        "[scales.five.labels]",
        '98 = { zh = "不知道" }',
        '# 1 = { zh = "一般" }   (put in its level)',
    ]
    assert "很长" * 21 not in words


def test_invisible_characters_make_no_difference(tmp_path):
    path = text_at(tmp_path, "\u200bQ1,Q2\ufeff,brand\n\u200b5,非常\u200b满意,g\u200b\n1\u200b,\u200b,m\n")
    cleaned = read_clean(path, ASKED)
    assert cleaned.table.column("Q1").to_pylist() == [5, 1]
    assert cleaned.table.column("Q2").to_pylist() == [5, None]
    assert cleaned.table.column("brand").to_pylist() == ["g", "m"]
    with pytest.raises(DataError, match="the column name 'a' is used by columns 1, 2"):
        read_clean(text_at(tmp_path, "a,a\u200b\n1,2\n"))


# -- where the header stands ----------------------------------------------------------------------

TITLED = "2026年客户满意度调查,,\n\nQ1,Q2,brand\n1,2,g\n3,4,m\n"


def test_a_title_above_the_header_is_recognised(tmp_path):
    path = text_at(tmp_path, TITLED)
    with pytest.raises(
        DataError, match=r"data\.csv: row 1 does not hold .* row 3 looks like it: it holds 3 names that"
    ):
        read_survey(path, ASKED)
    with pytest.raises(DataError, match=r"Pass header_row=3 \(in the shell --header-row 3\)"):
        read_survey(path)
    survey = read_survey(path, ASKED, header_row=3)
    assert survey.table.column("Q1").to_pylist() == [1, 3]
    assert survey.frame().index.tolist() == [4, 5]
    assert "header in row 3" in survey.ledger.notes


def test_rows_below_a_title_keep_their_numbers_in_errors(tmp_path):
    ragged = text_at(tmp_path, TITLED + "1,2,3,4\n")
    with pytest.raises(DataError, match="row 6: 4 cells, but the header has 3"):
        read_survey(ragged, ASKED, header_row=3)
    with pytest.raises(DataError, match="header_row=30, but the file has fewer rows"):
        read_survey(ragged, ASKED, header_row=30)


def test_a_title_above_the_header_in_excel(tmp_path):
    book = Workbook()
    for row in ([], ["满意度调查"], ["甘肃", dt.date(2026, 9, 1)], ["Q1", "Q2", "brand"], [1, 2, "g"]):
        book.active.append(row)
    book.save(tmp_path / "data.xlsx")
    with pytest.raises(DataError, match="row 2 does not hold the names of the columns, but row 4 looks like it"):
        read_survey(tmp_path / "data.xlsx", ASKED)
    survey = read_survey(tmp_path / "data.xlsx", ASKED, header_row=4)
    assert survey.frame(["Q1"]).index.tolist() == [5]
    with pytest.raises(DataError, match="no rows under them"):
        read_survey(tmp_path / "data.xlsx", ASKED, header_row=5)


@pytest.mark.parametrize("row", [0, -1, True, 1.5, "3"])
def test_the_header_row_is_a_whole_number(tmp_path, row):
    with pytest.raises(OptionError, match="a whole number from 1 upwards"):
        read_survey(text_at(tmp_path, TITLED), ASKED, header_row=row)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"encoding": 8}, "encoding=int 8 is no text"),
        ({"encoding": "a\0"}, "encoding='a\\\\x00' is not known"),
        ({"encoding": "rot13"}, "encoding='rot13' is not known"),
        ({"sheet": 1}, "sheet=int 1 is no text"),
        ({"design": "w"}, r"design must be a Design, not str: csat\.Design\(weight="),
        ({"design": {"weight": "w"}}, "design must be a Design, not dict"),
    ],
)
def test_options_of_the_wrong_kind(tmp_path, options, words):
    with pytest.raises(CsatError, match=words):
        read_survey(text_at(tmp_path, "Q1,Q2,brand\n1,2,g\n"), ASKED, **options)


def test_a_frame_has_no_header_row():
    with pytest.raises(OptionError, match="a frame has none of them"):
        read_survey(frame(3), ASKED, header_row=1)


# -- cells that hide something --------------------------------------------------------------------


def test_formulas_never_computed_are_refused(tmp_path):
    book = Workbook()
    for row in (["Q1", "Q2", "brand"], [1, "=A2+1", "g"], ["=1+1", 4, "g"]):
        book.active.append(row)
    book.save(tmp_path / "data.xlsx")
    with pytest.raises(DataError, match=r"sheet 'Sheet': cell B2 and 1 more cells holds a formula without its result"):
        read_survey(tmp_path / "data.xlsx", ASKED)


def test_a_quotation_mark_that_swallows_rows_is_found(tmp_path):
    rows = 'id,note,Q1\n1,fine,5\n2,"good,4\n3,bad,4\n4,fine",1\n5,ok,2\n'
    with pytest.raises(
        DataError, match=r"data\.csv, row 3, column 'note': one cell in quotation marks runs over 3 lines"
    ):
        read_survey(text_at(tmp_path, rows))
    two = 'id,note,Q1\n1,"fine,5\n2,good",4\n'
    with pytest.raises(DataError, match=r"row 2, column 'note': one cell in quotation marks runs over 2 lines"):
        read_survey(text_at(tmp_path, two))


def test_answers_of_several_lines_are_noted(tmp_path):
    rows = 'id,note,Q1\n1,"good, but\nslow, and dear, and far",5\n2,ok,4\n'
    survey = read_survey(text_at(tmp_path, rows))
    assert len(survey) == 2
    assert "cells with line breaks in 'note': 1 (first in row 2)" in survey.ledger.notes


def test_truth_values_among_numbers_are_no_numbers():
    answers = pd.DataFrame({"Q1": pd.Series([1, True, 5], dtype=object), "Q2": 1, "brand": "g"})
    with pytest.raises(DataError, match=r"'true' × 1 \(row 1\)"):
        read_clean(answers, ASKED)


def test_objects_show_no_address():
    answers = pd.DataFrame({"Q1": [object(), 1], "Q2": 1, "brand": "g"})
    tallies = read_clean(answers, ASKED, on_unknown="missing").ledger.tallies
    assert ("<object object>",) in [tally.values for tally in tallies]


def test_examples_are_cut():
    answers = frame(2).astype({"Q1": object})
    answers.loc[0, "Q1"] = "x" * 5000
    ledger = read_clean(answers, ASKED, on_unknown="missing").ledger
    assert max(len(value) for tally in ledger.tallies for value in tally.values) == 41
    with pytest.raises(DataError) as raised:
        read_clean(answers, ASKED)
    assert len(str(raised.value)) < 600


# -- SPSS and Stata files that speak for themselves -----------------------------------------------


@pytest.fixture
def sav(tmp_path, optional):
    answers = pd.DataFrame(
        {
            "Q1": [1.0, 3, 5, 98, 99],
            "brand": ["g", "m", "g", "x", "g"],
            "age": [20.0, 30, 40, 999, 50],
            "sex": [1.0, 2, 2, 1, 1],
        }
    )
    optional("pyreadstat").write_sav(
        answers,
        tmp_path / "a.sav",
        variable_value_labels={
            "Q1": {1: "很不满意", 5: "非常满意", 98: "不知道", 99: "拒答"},
            "brand": {"g": "GoTone"},
            "sex": {1: "Male", 2: "Female"},
        },
        missing_ranges={"Q1": [{"lo": 97, "hi": 99}], "age": [999]},
        column_labels={"Q1": "网络质量", "age": "Age in years"},
    )
    return tmp_path / "a.sav"


def test_an_spss_file_alone_gives_means_and_labels(sav):
    survey = read_survey(sav)
    assert survey.frame()["Q1"].tolist()[:3] == [1, 3, 5]
    assert survey.frame()["Q1"].isna().tolist() == [False, False, False, True, True]
    assert survey.ledger.count("user_missing", "Q1") == 2
    assert survey.ledger.count("user_missing", "age") == 1
    assert survey.frame()["age"].mean() == 35
    assert survey.numbers == ("Q1", "age", "sex")
    asked = survey.questionnaire
    assert asked.text("Q1", "zh") == "网络质量"
    assert asked.value_text("Q1", 5.0, "zh") == "非常满意"
    assert asked.value_text("brand", "g", "en") == "GoTone"
    assert survey.categories("brand") == ("g", "m", "x")


def test_means_and_shares_of_an_spss_file(sav):
    from csat.estimation import mean, share

    survey = read_survey(sav)
    assert mean(survey, "Q1").tidy()["estimate"].tolist() == [3]
    assert share(survey, "sex").tidy()["estimate"].tolist() == pytest.approx([0.6, 0.4])


def test_the_design_of_an_spss_file_is_no_question(sav):
    survey = read_survey(sav, design=Design(stratum="sex"))
    assert survey.frame()["sex"].tolist() == ["Male", "Female", "Female", "Male", "Male"]


def test_a_study_can_be_started_from_an_spss_file(sav, tmp_path):
    asked = questionnaire_from_sav(sav)
    assert asked.codes == ("Q1", "sex")
    assert asked.scale_of("Q1").missing == {98: "dont_know", 99: "refused"}
    assert (asked.scale_of("Q1").low, asked.scale_of("Q1").high) == (1, 5)
    assert asked.column("age").kind == "number"
    write_codebook(asked, tmp_path / "book.xlsx")
    assert read_questionnaire(tmp_path / "book.xlsx") == asked
    survey = read_survey(sav, asked)
    assert cells(survey, "Q1") == {"valid": 3, "dont_know": 1, "refused": 1}
    with pytest.raises(DataError, match=r"data\.csv: a study is started from a \.sav or \.dta file"):
        questionnaire_from_sav(text_at(tmp_path, "a,b\n1,2\n"))


def test_labels_that_clash_leave_the_codes_alone(tmp_path, optional):
    path = tmp_path / "a.sav"
    labels = {"Q": {1: "same", 2: "same", 3: "other"}}
    optional("pyreadstat").write_sav(pd.DataFrame({"Q": [1.0, 2, 3]}), path, variable_value_labels=labels)
    assert read_survey(path).frame()["Q"].tolist() == [1, 2, 3]


def test_letters_that_stata_declares_missing_leave_numbers(tmp_path, optional):
    path = tmp_path / "a.dta"
    answers = pd.DataFrame({"A": pd.Series([1, "a", 3], dtype=object)})
    optional("pyreadstat").write_dta(answers, path, missing_user_values={"A": ["a"]})
    cleaned = read_clean(path)
    assert cleaned.table.column("A").to_pylist() == [1, None, 3]
    assert cells(cleaned, "A") == {"valid": 2, "user_missing": 1}


# -- columns headed by their text -----------------------------------------------------------------


def test_unknown_answers_of_columns_headed_by_their_text_are_named():
    headed = frame(3, **{"网络质量": [1, 7, "很好"]}).drop(columns="Q1")
    with pytest.raises(DataError) as raised:
        read_survey(headed, ASKED)
    assert "Q1 (1–5): '7' × 1 (row 1), '很好' × 1 (row 2)" in str(raised.value)
    assert '1 = { zh = "很好" }' in str(raised.value)
    cleaned = read_clean(headed, ASKED, on_unknown="missing")
    assert [t.values for t in cleaned.ledger.tallies if t.reason == "unknown_code"] == [("很好",)]


def test_a_column_that_the_design_calls_by_its_text_is_told_so():
    asked = Questionnaire("q", columns=(Column("branch", texts={"zh": "分公司"}),), design=Design(stratum="分公司"))
    with pytest.raises(DataError, match=r"'分公司' has two names: .* describes it as 'branch'\. Write 'branch'"):
        read_survey(pd.DataFrame({"分公司": ["a", "b"], "x": [1, 2]}), asked)


# -- domains by answers ---------------------------------------------------------------------------


def test_domains_by_the_label_of_an_answer():
    survey = read_survey(frame(9), ASKED)
    assert len(survey.where(Q1="非常满意")) == len(survey.where(Q1=" VERY satisfied")) == len(survey.where(Q1=5)) == 3
    with pytest.raises(OptionError) as raised:
        survey.where(Q1="满意")
    assert str(raised.value) == (
        "Q1='满意' is not known; choose one of '1', '3', '5', '很不满意', '非常满意', 'Very satisfied'."
    )


def test_a_column_may_be_called_self():
    survey = read_survey(pd.DataFrame({"self": ["a", "b"], "x": [1, 2]}))
    assert len(survey.where(**{"self": "a"})) == 1
