"""A solution that must not be reported says so in every table and under every chart, in both languages."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import csat
from csat.report.doubts import SENTENCES
from csat.report.text import to_json
from csat.report.words import words
from csat.structural import guards


@pytest.fixture(scope="module")
def inadmissible():
    """One factor whose first indicator must have a negative residual variance."""
    cov = [[1.0, 0.8, 0.7], [0.8, 1.0, 0.2], [0.7, 0.2, 1.0]]
    with pytest.warns(csat.CsatWarning, match="Heywood"):
        return csat.sem(csat.from_covariance(cov, n=300, names=list("abc")), "f =~ a + b + c")


@pytest.mark.parametrize("kind", ["parameters", "loadings", "fit"])
@pytest.mark.parametrize(("lang", "words"), [
    ("en", ("not admissible: do not report", "Negative variance (Heywood case): a (")),
    ("zh", ("模型的解不可接受：请勿报告这些数字。", "方差为负（Heywood 情形）：a (")),
])  # fmt: skip
def test_every_table_warns(inadmissible, kind, lang, words):
    table = csat.table(inadmissible, lang, kind=kind)
    for shown in (repr(table), table._repr_html_().replace("&#39;", "'"), to_json([table])):
        assert not [word for word in words if word.replace("（", "(") not in shown.replace("（", "(")]


def test_values_beyond_one_are_marked(inadmissible):
    table = csat.table(inadmissible, kind="loadings")
    cells = [row[-1] for row in table.rows]
    assert [cell.note is not None for cell in cells] == [abs(cell.value) > 1 for cell in cells]
    assert any(cell.note for cell in cells)


@pytest.mark.parametrize("kind", ["path", "loadings"])
def test_every_chart_warns(inadmissible, kind):
    axes = csat.plot(inadmissible, kind)
    said = axes.get_xlabel() + " ".join(text.get_text() for text in axes.texts)
    assert "not admissible" in said and "Heywood" in said
    plt.close("all")


def test_a_path_beyond_one_names_its_constructs(results, study):
    """Two nearly equal predictors with opposite effects."""
    cov = np.array([[1.0, 0.99, 0.5], [0.99, 1.0, 0.4], [0.5, 0.4, 1.0]])
    names = ["C11", "C12", "overall"]
    with pytest.warns(csat.CsatWarning, match="beyond"):
        found = csat.sem(csat.from_covariance(cov, n=300, names=names), "overall ~ C11 + C12")
    text = repr(csat.table(found, "zh", study, kind="paths"))
    assert "企业知名度 → 总体满意度" in text and "标准化路径超出±1" in text
    assert "不可接受" not in text


def test_a_sound_solution_has_no_doubts(results, study):
    text = repr(csat.table(results["sem"], names=study))
    assert "admissible" not in text and "Beyond" not in text
    assert "simple random sample" in text


def test_every_kind_of_doubt_has_words_in_every_language():
    kinds = {name for name in vars(guards) if name.endswith("Warning") and name != "CsatWarning"}
    assert kinds == set(SENTENCES)
    for lang in ("en", "zh"):
        assert not [key for key in SENTENCES.values() if key not in words(lang)]


@pytest.fixture(scope="module")
def doubtful(fixtures):
    """The whole ECSI model: constructs that are hardly told apart, and too few customers for it."""
    case = json.loads((fixtures / "lavaan" / "sem_ecsi_mobi_ml.json").read_text(encoding="utf-8"))
    matrix = case["result"]["sample_cov"]["all"]
    source = csat.from_covariance(pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"]), 250, divisor="n")
    with pytest.warns(csat.CsatWarning):
        return csat.sem(source, case["model"])


@pytest.mark.parametrize(("lang", "said"), [
    ("en", ("EXPE ↔ QUAL (0.99)", "SAT ↔ LOY (0.96)", "EXPE → SAT, ", "250 respondents for 59 free parameters, 4.2",
            "LOY → CUSL2 (0.13)", "condition number 3.3e+06")),
    ("zh", ("相关接近1的潜变量：EXPE ↔ QUAL (0.99)、", "区分效度不足", "数据几乎无法识别",
            "250名受访者对应59个自由参数")),
])  # fmt: skip
def test_doubts_say_which_constructs(doubtful, lang, said):
    text = repr(csat.table(doubtful, lang, kind="fit"))
    assert not [part for part in said if part not in text]
    for sentence in doubtful.notes:
        assert sentence not in text  # worded in the language, not repeated in English


def test_a_doubt_about_one_group_names_it():
    cov = pd.DataFrame([[1.0, 0.8, 0.7], [0.8, 1.0, 0.2], [0.7, 0.2, 1.0]], list("abc"), list("abc"))
    sound = pd.DataFrame(0.5 + 0.5 * np.eye(3), list("abc"), list("abc"))
    rows = np.random.default_rng(1).standard_normal((600, 3))
    rows -= rows.mean(axis=0)
    rows = rows @ np.linalg.inv(np.linalg.cholesky(np.cov(rows.T))).T
    data = np.vstack([rows @ np.linalg.cholesky(part).T for part in (cov, sound)])
    frame = pd.DataFrame(data, columns=list("abc")).assign(hall=np.repeat(["north", "south"], 600))
    with pytest.warns(csat.CsatWarning, match="in group 'north'"):
        found = csat.sem(csat.read_survey(frame), "f =~ a + b + c", group="hall")
    assert "Group north: Negative variance (Heywood case): a (" in repr(csat.table(found, kind="fit"))
    assert "north组：方差为负" in repr(csat.table(found, "zh", kind="fit"))
