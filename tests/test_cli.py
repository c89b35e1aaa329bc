"""The command: what goes where, which exit code, and that Chinese never breaks it."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import csat
from csat.cli import VERBS, main

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
STUDY, DATA, DIRTY = (str(SAMPLE / name) for name in ("study.toml", "2026Q3.csv", "2026Q3_dirty.csv"))


def run(*arguments: str, env: dict | None = None, **options) -> subprocess.CompletedProcess:
    """Run ``python -m csat`` in a process of its own."""
    command = [sys.executable, "-m", "csat", *arguments]
    return subprocess.run(command, capture_output=True, env={**os.environ, **(env or {})}, timeout=120, **options)


@pytest.fixture(scope="module")
def index():
    survey = csat.read_survey(DATA, csat.read_questionnaire(STUDY))
    return csat.index(survey.where(branch="gansu"), by="brand")


def test_the_index_is_printed_and_nothing_else(capsys, index):
    assert main(["index", STUDY, DATA, "--by", "brand", "--where", "branch=gansu"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    first = index.tidy().iloc[0]
    assert out.splitlines()[0] == "Satisfaction index, dimensions and items"
    assert f"{first['estimate']:.2f}" in out.splitlines()[3]
    assert "GoTone" in out


def test_json_and_csv_hold_codes_and_unrounded_figures(capsys, index):
    frame = index.tidy()
    assert main(["index", STUDY, DATA, "--by", "brand", "--where", "branch=gansu", "--output", "json"]) == 0
    (table,) = json.loads(capsys.readouterr().out)
    assert [row["term"] for row in table["rows"]] == list(frame["term"])
    assert table["rows"][0]["estimate"] == frame["estimate"][0]
    assert main(["index", STUDY, DATA, "--by", "brand", "--where", "branch=gansu", "--output", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert float(rows[0]["low"]) == frame["low"][0]
    assert rows[0]["n"] == str(frame["n"][0])


@pytest.mark.parametrize(("verb", "options", "words"), [
    ("check", [], ["What happened to the rows", "Doubtful questionnaires"]),
    ("drivers", ["--where", "branch=gansu"], ["overall satisfaction: regression", "stepwise", "importance"]),
    ("sem", ["--lang", "zh"], ["拟合指标", "企业形象 → 企业知名度"]),
    ("evaluate", ["--by", "line", "--operator", "min-max"], ["Fuzzy evaluation", "Broadband"]),
    ("gaps", [], ["Gap to Xi'an", "Gap to Rival"]),
    ("gaps", ["--by", "branch", "--against", "qinghai", "--own", "xian", "--level", "0.9"], ["Qinghai", "90%"]),
])  # fmt: skip
def test_every_verb_prints_its_tables(capsys, verb, options, words):
    assert main([verb, STUDY, DATA, *options]) == 0
    out = capsys.readouterr().out
    assert not [word for word in words if word.casefold() not in out.casefold()]


def test_several_values_of_a_column_mean_either(capsys):
    counts = []
    for values in (["gotone"], ["mzone"], ["gotone", "mzone"]):
        where = [part for value in values for part in ("--where", f"brand={value}")]
        assert main(["sem", STUDY, DATA, "--output", "json", *where]) == 0
        counts.append(json.loads(capsys.readouterr().out)[0]["rows"][0]["value"])
    assert counts[2] == counts[0] + counts[1]


def test_warnings_are_notes_on_stderr(capsys):
    assert main(["sem", STUDY, DATA, "--own"]) == 0
    err = capsys.readouterr().err
    assert err.startswith("csat: note: The design has 189 degrees of freedom")
    assert err.count("\n") == 1
    assert main(["sem", STUDY, DATA, "--own", "--estimator", "ML"]) == 0
    assert capsys.readouterr().err.startswith("csat: note: The sample has weights")


@pytest.mark.parametrize(("arguments", "words"), [
    (["check", STUDY, DIRTY], ["C11 (1–10): '11'", "--on-unknown"]),
    (["index", STUDY, "nowhere.csv"], ["No file 'nowhere.csv'"]),
    (["index", STUDY, DATA, "--by", "brnd"], ["No column 'brnd'", "'brand'"]),
    (["index", STUDY, DATA, "--where", "brand=gotoone"], ["gotoone", "gotone"]),
    (["gaps", STUDY, DATA, "--by", "brand", "--against", "xian"], ["No group 'xian'"]),
    (["evaluate", STUDY, DATA, "--operator", "max"], ["--operator max is not known"]),
    (["index", DATA, DATA], ["csat: "]),
])  # fmt: skip
def test_wrong_data_are_a_sentence_and_exit_code_1(capsys, arguments, words):
    assert main(arguments) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("csat: ")
    assert "Traceback" not in err
    assert not [word for word in words if word not in err]


def test_unknown_answers_can_count_as_missing(capsys):
    assert main(["check", STUDY, DIRTY, "--on-unknown", "missing"]) == 0
    assert "row 4: 11" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [
    [], ["fly"], ["index"], ["index", STUDY], ["index", STUDY, DATA, "--level", "95"],
    ["index", STUDY, DATA, "--by", "a,,b"], ["index", STUDY, DATA, "--where", "brand"],
    ["index", STUDY, DATA, "--lang", "fr"], ["report", STUDY, DATA, "--format", "odt"],
    ["gaps", STUDY, DATA, "--margin", "-1"],
])  # fmt: skip
def test_wrong_usage_is_exit_code_2(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "usage: csat" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [[], *([verb] for verb in VERBS)], ids=lambda verb: verb[0] if verb else "csat")
def test_every_verb_explains_itself(capsys, verb):
    with pytest.raises(SystemExit) as stopped:
        main([*verb, "--help"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out.startswith("usage: csat")


def test_a_study_without_the_parts_says_which(tmp_path, capsys):
    (tmp_path / "s.toml").write_text(
        '[study]\nname = "s"\nindex = "i"\n[scales.f]\nlow = 1\nhigh = 5\n[items]\nA = { scale = "f" }\n'
        '[dimensions.i]\nchildren = ["A"]\n',
        encoding="utf-8",
    )
    (tmp_path / "d.csv").write_text("A\n1\n2\n", encoding="utf-8")
    for verb, word in (("drivers", "outcome"), ("sem", "[model]"), ("gaps", "--against")):
        assert main([verb, str(tmp_path / "s.toml"), str(tmp_path / "d.csv")]) == 1
        assert word in capsys.readouterr().err


def test_a_report_prints_its_files_and_tells_its_progress(tmp_path):
    done = run("report", STUDY, DATA, "--lang", "en", "--folder", "out", cwd=tmp_path, text=True, encoding="utf-8")
    assert done.returncode == 0
    names = ("report-en.html", "report-en.xlsx", "report.json")
    assert done.stdout.splitlines() == [str(Path("out") / name) for name in names]
    sections = ("Gaps", "What drives it, and what to do first")
    assert [line for line in done.stderr.splitlines() if line in sections] == list(sections)
    assert (tmp_path / "out" / "report-en.html").stat().st_size > 50_000


def test_new_starts_a_study_once(tmp_path, capsys):
    assert main(["new", str(tmp_path / "a"), "--lang", "zh"]) == 0
    assert capsys.readouterr().out.count("\n") == 4
    assert main(["new", str(tmp_path / "a")]) == 1


@pytest.mark.parametrize("env", [
    {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, {"PYTHONIOENCODING": "ascii"},
], ids=["C", "strict C", "ascii"])  # fmt: skip
def test_chinese_survives_a_c_locale(env):
    done = run("index", STUDY, DATA, "--lang", "zh", env=env)
    assert done.returncode == 0
    assert "客户满意度指数" in done.stdout.decode("utf-8")


def test_an_old_terminal_gets_what_it_can_show():
    done = run("index", STUDY, DATA, "--lang", "zh", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0
    assert b"?" in done.stdout


def test_the_version_is_told():
    done = run("--version", text=True)
    assert (done.returncode, done.stdout) == (0, f"csat {csat.__version__}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes of POSIX")
def test_a_closed_pipe_is_no_error():
    command = [sys.executable, "-m", "csat", "check", STUDY, DATA]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        err = process.stderr.read()
    assert (process.returncode, err) == (141, b"")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_interruption_is_quiet_and_leaves_nothing(tmp_path):
    command = [sys.executable, "-m", "csat", "report", STUDY, DATA, "--folder", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("wait", [0.2, 3.0])
def test_termination_leaves_nothing_behind(tmp_path, wait):
    command = [sys.executable, "-m", "csat", "report", STUDY, DATA, "--folder", str(tmp_path / "out")]
    env = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143, (first + err).decode()
    assert b"Traceback" not in err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="shell of POSIX")
def test_a_closed_stdout_is_no_error():
    command = f"exec '{sys.executable}' -m csat check '{STUDY}' '{DATA}' >&-"
    done = subprocess.run(["sh", "-c", command], stderr=subprocess.PIPE, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_base_is_said_and_own_takes_that_of_the_report(capsys):
    assert main(["index", STUDY, DATA]) == 0
    out, err = capsys.readouterr()
    assert "Base: all 1,600 respondents." in out
    assert "the report uses only branch=gansu, quarter=2026Q3 (--own)" in err
    assert main(["index", STUDY, DATA, "--own"]) == 0
    out, err = capsys.readouterr()
    assert "n = 700." in out and err == ""


def test_models_by_group_and_gaps_with_their_options(capsys):
    assert main(["drivers", STUDY, DATA, "--by", "branch", "--output", "json", "--tables", "importance"]) == 0
    tables = json.loads(capsys.readouterr().out)
    bases = {note for table in tables for note in table["notes"] if note.startswith("Base")}
    assert len(bases) == 4
    assert main(["gaps", STUDY, DATA, "--against", "others", "--adjust", "bh", "--margin", "5"]) == 0
    out = capsys.readouterr().out
    assert "Benjamini" in out and "±5 points" in out and "all others" in out


def test_the_drivers_are_shown_from_all_sides(capsys):
    assert main(["drivers", STUDY, DATA, "--own", "--replicates", "50", "--output", "json"]) == 0
    names = [table["name"] for table in json.loads(capsys.readouterr().out)]
    usual = ["importance", "ipa", "priorities", "regression", "stepwise", "final", "stability", "asymmetry"]
    assert names == usual
    wanted = ["drivers", STUDY, DATA, "--own", "--tables", "diagnosis,subsets", "--lang", "zh"]
    assert main(wanted) == 0
    out = capsys.readouterr().out
    assert "总体满意度回归的诊断检验" in out and "各规模的最佳模型" in out and "相对重要性" not in out


def test_the_drivers_obey_their_options(capsys, index):
    survey = csat.read_survey(DATA, csat.read_questionnaire(STUDY)).where(branch="gansu", quarter="2026Q3")
    asked = ["drivers", STUDY, DATA, "--own", "--output", "json", "--outcome", "nps", "--drivers", "P1,P2,P3,brand"]
    assert main([*asked, "--tables", "regression", "--family", "ordered", "--level", "0.9"]) == 0
    coefficients, joint, effects = json.loads(capsys.readouterr().out)
    expected = csat.regress(survey, "nps", ["P1", "P2", "P3", "brand"], family="ordered", level=0.9).tidy()
    assert [row["low"] for row in coefficients["rows"]] == expected["low"].tolist()
    assert len(joint["rows"]) == 4
    assert effects["name"] == "effects"
    rule = ["--tables", "stepwise", "--rule", "aic", "--direction", "backward", "--replicates", "0"]
    assert main([*asked, *rule]) == 0
    steps, _ = json.loads(capsys.readouterr().out)
    chosen = csat.stepwise(survey, "nps", ["P1", "P2", "P3", "brand"], rule="aic", direction="backward")
    assert [row["criterion"] for row in steps["rows"]] == chosen.steps["criterion"].tolist()
    assert main([*asked[:-1], "P1,P2,P3", "--tables", "importance,ipa", "--method", "johnson", "--cut", "70,30"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert "Johnson" in " ".join(tables[0]["notes"])
    assert "performance 70.00 and importance 30.0%" in " ".join(tables[1]["notes"])


def test_an_answer_of_a_column_is_an_outcome(capsys):
    survey = csat.read_survey(DATA, csat.read_questionnaire(STUDY)).where(branch="gansu", quarter="2026Q3")
    value = survey.categories("brand")[0]
    asked = ["--outcome", f"brand={value}", "--drivers", "P1,P2", "--family", "logit", "--tables", "regression"]
    assert main(["drivers", STUDY, DATA, "--own", "--output", "json", *asked]) == 0
    rows = json.loads(capsys.readouterr().out)[0]["rows"]
    codes = {level: float(level == value) for level in survey.categories("brand")}
    expected = csat.regress(survey, csat.Recode("b", "brand", codes), ["P1", "P2"], family="logit").tidy()
    assert [row["estimate"] for row in rows] == expected["estimate"].tolist()


def test_no_linear_model_is_diagnosed_where_another_was_asked_for(capsys):
    asked = ["--own", "--outcome", "nps", "--drivers", "P1,P2", "--family", "ordered", "--replicates", "0"]
    assert main(["drivers", STUDY, DATA, *asked, "--tables", "all", "--output", "json"]) == 0
    out, err = capsys.readouterr()
    assert "diagnosis" not in [table["name"] for table in json.loads(out)]
    assert "diagnosis is left out: it is about the linear regression, not --family ordered" in err


def test_what_the_drivers_do_not_allow_is_left_out_with_a_note(capsys):
    named = ["drivers", STUDY, DATA, "--own", "--drivers", "P1,P2,brand", "--replicates", "20"]
    assert main([*named, "--output", "json"]) == 0
    out, err = capsys.readouterr()
    assert {table["name"] for table in json.loads(out)} >= {"importance", "regression", "stepwise"}
    assert err.count("csat: note: ") == 2 and "ipa is left out" in err and "penalty is left out" in err
    assert main([*named, "--tables", "ipa"]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "brand" in err


@pytest.mark.parametrize(("options", "word"), [
    (["--tables", "kano"], "is no table"), (["--cut", "70"], "two numbers"), (["--method", "shap"], "invalid choice"),
    (["--replicates", "many"], "no number of replicates"), (["--rule", "t"], "invalid choice"),
    (["--replicates", "1"], "one has no spread"), (["--enter", "0.2"], "0 < enter < remove"),
    (["--remove", "2"], "no probability"), (["--family", "ordered", "--tables", "regression,diagnosis"], "linear"),
])  # fmt: skip
def test_wrong_options_of_the_drivers_are_exit_code_2(capsys, options, word):
    with pytest.raises(SystemExit) as stopped:
        main(["drivers", STUDY, DATA, *options])
    assert stopped.value.code == 2
    assert word in capsys.readouterr().err


@pytest.mark.parametrize(("options", "words"), [
    (["--outcome", "nobody"], ["nobody"]),
    (["--family", "logit", "--tables", "regression"], ["two values"]),
    (["--family", "logit", "--tables", "regression", "--outcome", "brand"], ["--outcome brand="]),
    (["--family", "logit", "--tables", "regression", "--outcome", "brand=nobody"], ["choose one of"]),
])  # fmt: skip
def test_options_that_make_no_sense_are_exit_code_1(capsys, options, words):
    assert main(["drivers", STUDY, DATA, "--own", *options]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert not [word for word in words if word not in err], err


def test_the_choices_of_the_shell_are_those_of_the_methods():
    from csat.cli import options
    from csat.drivers.linear.regression import FAMILIES, SE
    from csat.drivers.relative.shares import MEASURES
    from csat.drivers.selection.criteria import DIRECTIONS, RULES

    assert set(options.METHODS) == set(MEASURES)
    assert options.RULES == RULES and options.DIRECTIONS == DIRECTIONS
    assert options.FAMILIES == FAMILIES and set(options.ERRORS) == set(SE)


def test_the_fuzzy_settings_of_the_study_are_obeyed(capsys):
    assert main(["evaluate", STUDY, DATA, "--own"]) == 0
    assert "split between two neighbouring grades" in capsys.readouterr().out
    assert main(["evaluate", STUDY, DATA, "--own", "--membership", "share"]) == 0
    assert "not comparable with the index" in capsys.readouterr().out


def test_csv_for_a_spreadsheet_begins_with_a_mark(capsys):
    assert main(["index", STUDY, DATA, "--own", "--output", "csv", "--bom"]) == 0
    assert capsys.readouterr().out.startswith("\ufeffterm,")


def test_a_trend_and_a_folder_that_cannot_be(tmp_path, capsys):
    survey = str(SAMPLE / "survey.csv")
    assert main(["trend", STUDY, survey, "--own", "--since", "2025Q4"]) == 0
    assert "Q4 2025" in capsys.readouterr().out
    assert main(["trend", STUDY, survey, "--since", "1999"]) == 1
    assert "--since 1999 is no period" in capsys.readouterr().err
    assert main(["report", STUDY, DATA, "--folder", ""]) == 1
    assert "folder is empty" in capsys.readouterr().err


def test_what_to_do_about_columns_is_said_as_a_shell_says_it(tmp_path, capsys):
    (tmp_path / "d.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    assert main(["check", STUDY, str(tmp_path / "d.csv")]) == 1
    said = capsys.readouterr().err
    assert "(If not: --header-row.)" in said and "on purpose, --on-absent missing takes" in said
    assert "in the shell" not in said and "read_survey" not in said


def test_check_shows_weights_other_columns_and_missing_texts(tmp_path, capsys):
    text = Path(STUDY).read_text(encoding="utf-8").replace(', en = "Hotline" }', " }")
    (tmp_path / "s.toml").write_text(text, encoding="utf-8")
    lines = Path(DATA).read_text(encoding="utf-8-sig").splitlines()
    (tmp_path / "d.csv").write_text("\n".join(["a title", *lines]), encoding="utf-8")
    assert main(["check", str(tmp_path / "s.toml"), str(tmp_path / "d.csv"), "--header-row", "2"]) == 0
    out = capsys.readouterr().out
    assert "Largest over smallest" in out
    assert "Missing values in other columns" in out
    assert "Texts that are missing" in out and "P7" in out
    assert "44 scaled questions of the 1,600 rows kept" in out
    assert "Base: all" not in out[out.index("Texts that are missing") :]


@pytest.mark.parametrize(
    ("lang", "sheet", "found", "blank"),
    [
        ("en", "sheet “S”", "Columns found by their text: ", "Blank rows below the data, not counted as read: 1."),
        ("zh", "，工作表“S”", "按题目文字识别的列：", "数据下方的空白行（未计入读取行数）：1。"),
    ],
)
def test_check_says_which_columns_were_known_by_text_and_counts_blank_rows(tmp_path, capsys, lang, sheet, found, blank):
    from openpyxl import Workbook

    study = '[study]\nname = "s"\n[scales.t]\nlow = 1\nhigh = 10\n[items]\n'
    study += 'Q1 = { scale = "t", en = "Coverage", zh = "覆盖" }\n'
    (tmp_path / "s.toml").write_text(study, encoding="utf-8")
    book = Workbook()
    book.active.title = "S"
    for row in (["Coverage", "other"], [7, 1], [9, 2], [None, None]):
        book.active.append(row)
    book.active.cell(4, 1).number_format = "0.0"
    book.save(tmp_path / "d.xlsx")
    assert main(["check", str(tmp_path / "s.toml"), str(tmp_path / "d.xlsx"), "--lang", lang]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert sheet in out and found in out and blank in out


def test_answers_are_streamed_where_no_rows_are_needed(tmp_path, capsys):
    """The same tables; the ledger names the files of a folder; what needs rows says so and what to do."""
    where = ["--where", "branch=gansu"]
    tables = []
    for more in ([], ["--stream", "--memory", "64MB"], ["--only", "branch=gansu"]):
        assert main(["index", STUDY, DATA, "--output", "csv", *where, *more]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1]
    assert tables[2].splitlines()[1].split(",")[:2] == tables[0].splitlines()[1].split(",")[:2]
    lines = Path(DATA).read_text(encoding="utf-8").splitlines()
    (tmp_path / "a.csv").write_text("\n".join(lines[:200]), encoding="utf-8")
    (tmp_path / "b.csv").write_text("\n".join([lines[0], *lines[150:300]]), encoding="utf-8")
    assert main(["check", STUDY, str(tmp_path), "--stream"]) == 0
    out, err = capsys.readouterr()
    assert "b.csv, row 2: " in out
    assert "What happened to the rows" in out
    assert "'quality' needs the respondents' rows" in err
    assert "--only COLUMN=VALUE, without --stream" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("options", "words"), [
    (["--stream", "--memory", "3KB"], "--memory 3KB: at least 64 MB are needed"),
    (["--query", "select 1"], "is for databases"),
    (["--stream", "--only", "brand=nobody"], "no row has brand = 'nobody'"),
    (["--stream", "--sheet", "x"], "workbooks are read into memory"),
])  # fmt: skip
def test_wrong_options_of_streams(capsys, options, words):
    assert main(["index", STUDY, DATA, *options]) == 1
    assert words in capsys.readouterr().err
