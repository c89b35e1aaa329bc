"""Wrong values of every argument of a report are refused in words, before a process starts."""

import inspect

import numpy as np
import pandas as pd
import pytest

import csat
from csat import report
from csat.errors import CsatError
from csat.report import build

STUDY = """
[study]
name = "small"
index = "top"
[scales.five]
low = 1
high = 5
[items]
A = { scale = "five" }
B = { scale = "five" }
[dimensions.top]
children = ["A", "B"]
[columns.branch]
kind = "category"
[report]
peer_column = "branch"
own = "n"
"""
WRONG = {
    **{"none": None, "number": 5, "negative": -1, "half": 0.5, "nan": float("nan"), "true": True, "empty": ""},
    **{"blank": " ", "text": "no such thing", "list": [], "list of none": [None], "list of lists": [["x"]]},
    **{"dictionary": {"x": {"y": 1}}, "odd keys": {5: 5}, "array": np.array([1.0, 2.0])},
    **{"frame": pd.DataFrame({"x": [1]}), "object": object(), "type": int, "function": len, "bytes": b"x"},
}


class Started(Exception):  # noqa: N818
    """All arguments were taken: a process would start."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guards")
    (folder / "study.toml").write_text(STUDY, encoding="utf-8")
    lines = [f"{'nsw'[i % 3]},{1 + i % 5},{1 + i % 4}" for i in range(150)]
    (folder / "data.csv").write_text("branch,A,B\n" + "\n".join(lines), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def survey(place):
    return csat.read_survey(place / "data.csv", csat.read_questionnaire(place / "study.toml"))


def leaks(function, valid, arguments):
    found = []
    for argument in arguments:
        for label, wrong in WRONG.items():
            try:
                function(**(valid | {argument: wrong}))
            except (CsatError, Started):
                continue
            except Exception as error:  # noqa: BLE001
                found.append(f"{argument}={label}: {type(error).__name__}: {error}")
    return found


def test_wrong_arguments_of_a_report(place, monkeypatch, tmp_path):
    def start(*_):
        raise Started

    monkeypatch.setattr(build, "kernels", start)
    monkeypatch.chdir(tmp_path)
    valid = {"study": place / "study.toml", "data": place / "data.csv", "folder": tmp_path / "out", "progress": False}
    arguments = [
        name for name in inspect.signature(csat.write_report).parameters if name not in ("progress", "reading")
    ]
    assert leaks(csat.write_report, valid, sorted(arguments)) == []
    assert not (tmp_path / "out").exists()


def test_wrong_arguments_of_the_parts_of_a_report(survey, place):
    plan = report.plan(survey, {})
    manifest = report.manifest(plan, study=place / "study.toml", data=place / "data.csv")
    calls = {
        report.plan: ({"survey": survey, "where": {}}, ("where", "own")),
        report.league: ({"respondents": survey, "column": "branch"}, ("respondents", "column")),
        report.read_manifest: ({"path": place}, ("path",)),
        report.revision: ({"after": manifest, "before": manifest}, ("after", "before")),
        report.read_once: ({"study": place / "study.toml", "data": place / "data.csv"}, ("study", "data")),
    }
    found = {function.__name__: leaks(function, *how) for function, how in calls.items()}
    assert found == {name: [] for name in found}


def test_every_public_name_of_a_report_is_there():
    assert sorted(report.__all__) == list(report.__all__)
    assert [name for name in report.__all__ if not hasattr(report, name)] == []
    assert {"Chart", "Document", "Manifest"} <= set(report.__all__)
