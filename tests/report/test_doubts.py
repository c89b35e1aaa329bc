"""A solution that must not be reported says so in every table and under every chart, in both languages."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

import csat
from csat.report.text import to_json


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


@pytest.mark.parametrize("kind", ["paths", "loadings"])
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
