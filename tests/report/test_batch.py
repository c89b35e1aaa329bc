"""A report for each group, the overview that links them, and reports that compare themselves with earlier ones."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from html import unescape

import numpy as np
import openpyxl
import pytest

import csat
from csat.errors import MissingFileError, OptionError, ReportError, UnknownColumnError
from csat.report.batch import folder_names
from csat.report.manifest import read_manifest
from csat.report.notebook import code_cell, dumps, template
from csat.report.opened import read_once
from csat.report.overview import league, links, markdown, ranking

STUDY = """
[study]
name = "small"
index = "top"
texts = { en = "Small study", zh = "小研究" }
[scales.five]
low = 1
high = 5
[items]
A = { scale = "five" }
B = { scale = "five" }
[dimensions.top]
children = ["A", "B"]
[columns.branch.labels]
n = { en = "North *1*", zh = "北" }
s = { en = "South", zh = "南" }
w = { en = "West", zh = "西" }
e = { en = "East", zh = "东" }
tiny = { en = "Tiny", zh = "小" }
[columns.line]
kind = "category"
[report]
peer_column = "branch"
own = "n"
against = ["s"]
by = ["branch"]
"""
MEANS = {"n": 3.2, "s": 2.6, "w": 4.2, "e": 3.4, "tiny": 3.0}
SIZES = {"n": 300, "s": 200, "w": 120, "e": 110, "tiny": 12}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Study and answers of three branches, one of twelve respondents, and one that would give it away."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    rng = np.random.default_rng(1)
    lines = ["branch,line,A,B"]
    for branch, size in SIZES.items():
        for answers in np.clip(np.rint(rng.normal(MEANS[branch], 0.8, (size, 2))), 1, 5).astype(int):
            lines.append(f"{branch},{'ab'[len(lines) % 2]},{answers[0]},{answers[1]}")
    (folder / "data.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def batch(place):
    made = csat.write_report(
        place / "study.toml", place / "data.csv", place / "out", lang="en", by="branch", workers=1, progress=False
    )
    return [path.relative_to(place / "out").as_posix() for path in made]


def text_of(path):
    return unescape(re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8")))


def hashes(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_group_has_a_folder_and_the_overview_comes_first(place, batch):
    whole = ["report-en.html", "report-en.xlsx", "report.json"]
    assert batch == [
        *("overview-en.html", "overview-en.xlsx"),
        *(f"{group}/{name}" for group in ("n", "s", "w", "e") for name in whole),
        *(f"tiny/{name}" for name in whole[:2]),
    ]
    assert sorted(hashes(place / "out")) == sorted(batch)


def test_links_of_the_overview_lead_to_files(place, batch):
    html = (place / "out" / "overview-en.html").read_text(encoding="utf-8")
    found = [link for link in re.findall(r'href="([^"#]+)"', html) if not link.startswith("#")]
    assert sorted(found) == sorted(name for name in batch if "/" in name and not name.endswith(".json"))
    assert "North *1*" in text_of(place / "out" / "overview-en.html")


def test_the_report_of_a_group_takes_its_point_of_view(place, batch):
    page = text_of(place / "out" / "s" / "report-en.html")
    survey = csat.read_survey(place / "data.csv", csat.read_questionnaire(place / "study.toml"))
    own = csat.index(survey.where(branch="s")).estimates.estimate[0]
    assert f"{own:.2f}" in page
    assert "Gap to North *1*" in page
    assert "South, with an index of" in page and "ranks 3 of 3" in page
    book = openpyxl.load_workbook(place / "out" / "s" / "report-en.xlsx")
    numbers = [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, float)]
    assert np.isclose(numbers, own, rtol=1e-14).any()


def test_a_group_too_small_for_figures_has_a_page_that_says_so(place, batch):
    page = text_of(place / "out" / "tiny" / "report-en.html")
    assert "12 respondents, fewer than 30: no figure is shown." in page
    assert "Tiny" in page and "csat.index" not in page
    overview = text_of(place / "out" / "overview-en.html")
    assert "Tiny (12)" in re.sub(r"\s+", " ", overview)
    survey = csat.read_survey(place / "data.csv", csat.read_questionnaire(place / "study.toml"))
    assert league(survey, "branch").estimates.keys["branch"] == ("n", "s", "w")


def test_the_overview_shows_no_group_that_would_give_away_a_hidden_one(place, batch):
    survey = csat.read_survey(place / "data.csv", csat.read_questionnaire(place / "study.toml"))
    withheld = csat.index(survey.where(branch="e"), nodes=["top"]).estimates.estimate[0]
    page = text_of(place / "out" / "overview-en.html")
    assert f"{withheld:.1f}" not in re.sub(r"\s+", " ", page) and f"{withheld:.2f}" not in page
    book = openpyxl.load_workbook(place / "out" / "overview-en.xlsx")
    numbers = [c.value for sheet in book for row in sheet.iter_rows() for c in row if isinstance(c.value, float)]
    assert numbers and not np.isclose(numbers, withheld, rtol=1e-9).any()
    for group in ("n", "s", "w"):
        figures = json.loads((place / "out" / group / "report.json").read_text(encoding="utf-8"))["figures"]
        assert not np.isclose([f["estimate"] for f in figures if f["estimate"] is not None], withheld).any()


def test_a_second_run_in_two_processes_gives_the_same_bytes_and_knows_that_nothing_has_changed(place, batch):
    before = hashes(place / "out")
    csat.write_report(
        place / "study.toml", place / "data.csv", place / "again", lang="en", by="branch", workers=2, progress=False
    )
    assert hashes(place / "again") == before
    made = csat.write_report(
        place / "study.toml", place / "data.csv", place / "later", lang="en", by="branch", since=place / "out",
        progress=False,
    )  # fmt: skip
    assert "The data file is the same, byte for byte" in text_of(made[2])
    assert read_manifest(place / "later" / "w").to_json() == read_manifest(place / "out" / "w").to_json()


def test_another_column_filters(place):
    made = csat.write_report(
        place / "study.toml", place / "data.csv", place / "lines", lang="zh", by="line", formats="html", progress=False
    )
    names = [path.relative_to(place / "lines").as_posix() for path in made]
    assert names == ["overview-zh.html", "a/report-zh.html", "a/report.json", "b/report-zh.html", "b/report.json"]
    assert read_manifest(made[2]).settings["where"] == {"line": "a"}
    assert "at least 3 groups" in text_of(made[0])


def test_a_group_that_fails_does_not_stop_the_others(place):
    own = template()
    own["cells"] = [
        code_cell('study = data = lang = ""\nown = where = None', "parameters"),
        code_cell('assert own != "s", "no figures for the south"\nprint("figures of", own)'),
    ]
    (place / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    with pytest.raises(ReportError, match=r"1 of 5 reports could not be made; .*\n  s: .*no figures for the south"):
        csat.write_report(
            place / "study.toml", place / "data.csv", place / "partly", lang="en", by="branch", formats="html",
            notebook=place / "own.ipynb", progress=False,
        )  # fmt: skip
    there = sorted(hashes(place / "partly"))
    assert there == [
        "e/report-en.html",
        "n/report-en.html",
        "overview-en.html",
        "tiny/report-en.html",
        "w/report-en.html",
    ]
    assert "figures of w" in text_of(place / "partly" / "w" / "report-en.html")
    assert "no figures for the south" in text_of(place / "partly" / "overview-en.html")


def test_names_of_one_report_are_not_known_to_the_next(place):
    own = template()
    own["cells"] = [
        code_cell('study = data = lang = ""\nown = where = None', "parameters"),
        code_cell('print("left over" if "left" in globals() else "clean")\nleft = own'),
    ]
    (place / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    made = csat.write_report(
        place / "study.toml", place / "data.csv", place / "clean", lang="en", by="branch", formats="html",
        notebook=place / "own.ipynb", progress=False,
    )  # fmt: skip
    assert [("clean" in text_of(path)) for path in made[1:4]] == [True] * 3


@pytest.mark.parametrize(
    ("options", "problem", "words"),
    [
        ({"by": "brnch"}, UnknownColumnError, "branch"),
        ({"by": "A"}, OptionError, "by='A' is no column of groups; name one such as branch"),
        ({"by": ""}, OptionError, "by='' must be the name of one column"),
        ({"by": ["branch"]}, OptionError, "must be the name of one column"),
        ({"seed": -1}, OptionError, "seed=-1 is no seed; give a whole number, 0 or more"),
        ({"seed": True}, OptionError, "seed=True is no seed"),
        ({"since": "nowhere.json"}, MissingFileError, "nowhere.json"),
        ({"since": "nowhere", "by": "branch"}, MissingFileError, "nowhere"),
        ({"since": __file__, "by": "branch"}, OptionError, "of a batch, name the folder that the earlier batch"),
        ({"formats": "odt"}, OptionError, "formats='odt' is not known; choose one of 'html', 'xlsx'"),
    ],
)
def test_wrong_options_are_named_before_anything_is_computed(place, options, problem, words):
    with pytest.raises(problem) as caught:
        csat.write_report(place / "study.toml", place / "data.csv", place / "none", progress=False, **options)
    assert words in str(caught.value)
    assert not (place / "none").exists()


def test_an_own_notebook_must_take_what_differs_between_reports(place):
    own = template()
    own["cells"] = [code_cell('study = data = lang = ""', "parameters"), code_cell("1")]
    (place / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    for options, lacking in (({"by": "branch"}, "own"), ({"seed": 3}, "seed")):
        with pytest.raises(ReportError, match=f"has no parameter '{lacking}', which would be ignored"):
            csat.write_report(
                place / "study.toml", place / "data.csv", place / "none", notebook=place / "own.ipynb", **options
            )


def test_the_study_sets_formats_seed_split_and_previous(place, tmp_path):
    extra = 'formats = ["html"]\nseed = 5\nsplit_by = "branch"\nprevious = "out"\n'
    (place / "set.toml").write_text(STUDY + extra, encoding="utf-8")
    made = csat.write_report(place / "set.toml", place / "data.csv", tmp_path / "set", lang="en", progress=False)
    assert [path.name for path in made[:3]] == ["overview-en.html", "report-en.html", "report.json"]
    assert read_manifest(made[2]).seed == 5
    assert "What has changed since the earlier report" not in text_of(made[0])
    assert "The data file is the same, byte for byte" in text_of(made[1])
    one = csat.write_report(
        place / "set.toml", place / "data.csv", tmp_path / "one", lang="en", where={"branch": "w"}, formats="html",
        since=place / "out" / "w", progress=False,
    )  # fmt: skip
    assert [path.name for path in one] == ["report-en.html", "report.json"]


def test_folders_have_names_that_file_systems_take():
    names = folder_names(["a/b", "a:b", "..", "", "con", "NUL", "x" * 300, "A/B", "兰州 （市）", "nul.x"])
    assert len({name.casefold() for name in names.values()}) == len(names)
    assert not [name for name in names.values() if re.search(r'[/\\:*?"<>|\x00-\x1f]|^\.|[. ]$', name)]
    assert not {name.casefold() for name in names.values()} & {"con", "nul", "", ".", ".."}
    assert max(map(len, names.values())) <= 85


def test_text_in_links_is_text():
    listed = links([{"group": "<b>x</b> [y](z)", "n": 3, "files": {"html": "a b/r.html"}, "problem": None}], "g", "en")
    assert repr(listed).startswith(r"- **\<b\>x</b\> \[y\]\(z\)**".replace("</b", r"\</b"))
    assert "[html](a%20b/r.html)" in repr(listed)
    assert "\n" not in markdown("a\nb")


def test_the_ranking_claims_no_more_than_the_rank_intervals(place, batch):
    survey = csat.read_survey(place / "data.csv", csat.read_questionnaire(place / "study.toml"))
    clear = " ".join(ranking(league(survey, "branch"), "en", survey.questionnaire, own="s").sentences)
    assert "West has the highest index" in clear and "above every other group" in clear
    few = survey.where(branch=["n", "s", "w"], line="a")
    from dataclasses import replace

    found = league(few, "branch")
    vague = replace(found, rank_low=np.array([1, 1, 1]), rank_high=np.array([3, 3, 3]), between=0.0)
    said = " ".join(ranking(vague, "en", survey.questionnaire, own="tiny").sentences)
    assert "may rank as low as 3" in said
    assert "No group is in the upper or the lower half beyond doubt." in said
    assert "no more than sampling error" in said
    assert "above every other" not in said and "Tiny" not in said


def test_a_survey_is_read_once_until_its_file_changes(place, tmp_path):
    study, data = tmp_path / "study.toml", tmp_path / "data.csv"
    study.write_bytes((place / "study.toml").read_bytes())
    data.write_bytes((place / "data.csv").read_bytes())
    first = read_once(study, data, on_unknown="raise")
    assert read_once(study, data, on_unknown="raise") is first
    data.write_text(data.read_text(encoding="utf-8") + "\nn,a,1,1", encoding="utf-8")
    assert len(read_once(study, data, on_unknown="raise")) == len(first) + 1


def test_manifests_of_a_batch_are_plain_json(place, batch):
    plain = json.loads((place / "out" / "w" / "report.json").read_text(encoding="utf-8"))
    assert plain["settings"]["own"] == "w"
    assert str(place) not in json.dumps(plain)


def test_a_process_that_dies_is_replaced_for_the_next_report(place):
    own = template()
    own["cells"] = [
        code_cell('study = data = lang = ""\nown = where = None', "parameters"),
        code_cell('import os\n\nif own == "s":\n    os._exit(3)\nprint("alive for", own)'),
    ]
    (place / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    with pytest.raises(ReportError, match=r"1 of 5 reports could not be made(.|\n)*s: The process that computes"):
        csat.write_report(
            place / "study.toml", place / "data.csv", place / "died", lang="en", by="branch", formats="html",
            notebook=place / "own.ipynb", progress=False,
        )  # fmt: skip
    assert "alive for w" in text_of(place / "died" / "w" / "report-en.html")


def test_remarks_of_all_reports_are_told_once(place, capsys):
    own = template()
    own["cells"] = [
        code_cell('study = data = lang = ""\nown = where = None', "parameters"),
        code_cell('import warnings\n\nwarnings.warn("rather few")\nif own == "w":\n    warnings.warn("odd weights")'),
    ]
    (place / "own.ipynb").write_text(dumps(own), encoding="utf-8")
    csat.write_report(
        place / "study.toml", place / "data.csv", place / "told", lang="en", by="branch", formats="html",
        notebook=place / "own.ipynb", workers=2,
    )  # fmt: skip
    said = capsys.readouterr().err
    assert said.count("rather few") == 1
    assert "n, s, w and 1 more: rather few\n" in said and "w: odd weights\n" in said
    assert {f"{group} ({number}/5)" for number, group in enumerate(SIZES, 1)} == set(
        re.findall(r"^\w+ \(\d/5\)$", said, re.MULTILINE)
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupted_batch_leaves_no_file_and_no_process(place, tmp_path):
    command = [
        *(sys.executable, "-m", "csat", "report", place / "study.toml", place / "data.csv", "--by", "branch"),
        *("--workers", "2", "--folder", tmp_path / "out"),
    ]
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(scratch)}) as process:
        first = process.stderr.readline()
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, (first + said).decode()
    assert b"Traceback" not in said
    assert not list(scratch.iterdir()) and not (tmp_path / "out").exists()
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(scratch) not in running


@pytest.mark.parametrize("workers", [0, -1, True, 1.5, "2"])
def test_a_wrong_number_of_workers_is_named(place, workers):
    with pytest.raises(OptionError, match=r"workers=.* is no number of processes; give a whole number, 1 or more"):
        csat.write_report(place / "study.toml", place / "data.csv", place / "none", workers=workers, progress=False)
