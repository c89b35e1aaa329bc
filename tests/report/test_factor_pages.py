"""Tables and charts of exploratory factor analysis, in both languages."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

import csat

ITEMS = [f"q{i}" for i in range(1, 10)]


@pytest.fixture(scope="module")
def found():
    loadings = np.kron(np.eye(3), np.array([[0.8], [0.7], [0.6]]))
    corr = loadings @ (0.3 + 0.7 * np.eye(3)) @ loadings.T
    np.fill_diagonal(corr, 1.0)
    rows = np.random.default_rng(3).multivariate_normal(np.zeros(9), corr, 400)
    survey = csat.read_survey(pd.DataFrame(rows, columns=ITEMS))
    return {
        "oblimin": csat.efa(survey, ITEMS),
        "varimax": csat.efa(survey, ITEMS, 3, rotation="varimax"),
        "components": csat.efa(survey, ITEMS, 3, method="pca", rotation=None),
        "one": csat.efa(survey, ITEMS[:3], 1, method="minres"),
        "few": csat.efa(csat.from_covariance(corr, 25, names=ITEMS), ITEMS, 3),
        "number": csat.number_of_factors(survey, ITEMS),
    }


def figures(table):
    return [cell.value for row in table.rows for cell in row if isinstance(cell.value, float)]


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["loadings", "errors", "variance", "number"])
@pytest.mark.parametrize("name", ["oblimin", "varimax", "components", "one"])
def test_every_factor_analysis_has_every_table(found, name, kind, lang):
    table = csat.table(found[name], lang, kind=kind)
    text = repr(table)
    assert table.say(table.title) in text
    assert "{" not in text
    assert figures(table)


def test_loadings_are_those_of_the_result(found):
    result = found["oblimin"]
    table = csat.table(result)
    ours = np.array(figures(table)).reshape(9, 5)
    np.testing.assert_array_equal(ours, result.tidy()[["F1", "F2", "F3", "communality", "msa"]])
    text = repr(table)
    assert "Maximum likelihood; oblimin (correlated factors)." in text
    assert "Correlations of the factors: F1 ↔ F2" in text
    assert "Correlations of the factors" not in repr(csat.table(found["varimax"]))
    assert "TLI = " in text
    assert "TLI = " not in repr(csat.table(found["components"]))


def test_what_has_no_error_says_why(found):
    table = csat.table(found["components"], kind="errors")
    assert "No standard error: components, promax, or an item explained wholly." in table._repr_html_()
    assert "simple random sample" not in repr(table)


def test_the_kept_factors_are_ticked(found):
    rows = csat.table(found["number"]).rows
    assert [row[-1].value for row in rows] == ["✓"] * 3 + [None] * 6


def test_too_few_respondents_are_not_shown(found):
    assert not figures(csat.table(found["few"]))
    for kind in ("loadings", "scree"):
        ax = csat.plot(found["few"], kind)
        assert not ax.axison
    plt.close("all")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_charts_show_the_figures(found, lang):
    ax = csat.plot(found["oblimin"], lang=lang)
    cells = {text.get_text() for text in ax.texts}
    size = found["oblimin"].pattern.max()
    assert f"{size:.2f}".removeprefix("0") in cells
    assert [label.get_text() for label in ax.get_xticklabels()] == ["F1", "F2", "F3"]
    ax = csat.plot(found["number"], lang=lang)
    limit, own = ax.lines
    np.testing.assert_array_equal(own.get_ydata(), found["number"].eigenvalues)
    np.testing.assert_array_equal(limit.get_ydata(), found["number"].limit)
    faces = ax.collections[0].get_facecolors()
    assert len(np.unique(faces[:3], axis=0)) == 1 and not np.allclose(faces[2], faces[3])
    assert all("{" not in text.get_text() for text in ax.figure.findobj(Text))
    plt.close("all")
