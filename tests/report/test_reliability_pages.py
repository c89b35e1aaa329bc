"""Tables and charts of reliability, in both languages."""

import re
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import csat
from csat.errors import OptionError
from csat.measurement.doubts import Remark
from csat.report.names import Names
from csat.report.tables.reliability import limits, remark_word
from csat.report.words import Word, words

SCALES = {"quality": ["q1", "q2", "q3"], "value": ["v1", "v2"], "loyalty": ["l1", "l2", "l3"], "one": ["o1"]}
ITEMS = [item for items in SCALES.values() for item in items]
KINDS = ("scales", "items", "discriminant", "pairs")


@pytest.fixture(scope="module")
def found():
    rng = np.random.default_rng(5)
    phi = np.array([[1, 0.95, 0.4, 0.2], [0.95, 1, 0.4, 0.2], [0.4, 0.4, 1, 0.2], [0.2, 0.2, 0.2, 1]])
    latent = rng.multivariate_normal(np.zeros(4), phi, 300)
    owner = np.repeat(np.arange(4), [3, 2, 3, 1])
    frame = pd.DataFrame(latent[:, owner] + rng.normal(0, 0.8, (300, 9)), columns=ITEMS)
    frame["city"] = np.repeat(["a", "b", "c"], [160, 120, 20])
    survey, turned = csat.read_survey(frame), csat.read_survey(frame.assign(q2=-frame["q2"]))
    cov = frame[ITEMS].cov()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return {
            "plain": csat.reliability(survey, SCALES),
            "groups": csat.reliability(survey, SCALES, by="city"),
            "separate": csat.reliability(survey, SCALES, factors="separate"),
            "drawn": csat.reliability(survey, SCALES, se="bootstrap", replicates=60),
            "pairwise": csat.reliability(survey, SCALES, missing="pairwise"),
            "printed": csat.reliability(csat.from_covariance(cov, 300), SCALES),
            "reversed": csat.reliability(turned, SCALES),
        }


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["plain", "groups", "separate", "drawn", "pairwise", "printed", "reversed"])
def test_every_result_has_every_table(found, name, kind, lang):
    table = csat.table(found[name], lang, kind=kind)
    text = repr(table)
    assert "{" not in text
    assert not re.search(r"\b(column|note|scales|title)\.\w", text)
    if lang == "zh":
        assert re.search("[\u4e00-\u9fff]", text)


def test_the_table_of_scales_has_the_figures_of_the_result(found):
    table = csat.table(found["plain"])
    first = dict(zip([column.name for column in table.columns], table.rows[0], strict=True))
    theirs = found["plain"].constructs().iloc[0]
    for name in ("alpha", "alpha_low", "alpha_high", "omega", "rho_c", "ave"):
        assert first[name].value == theirs[name]
    single = dict(zip([column.name for column in table.columns], table.rows[3], strict=True))
    assert single["alpha"].missing
    assert single["alpha"].note == Word("reason.one_item")


def test_the_square_has_htmt_below_ave_on_and_shared_variance_above_the_diagonal(found):
    table = csat.table(found["plain"], kind="discriminant")
    constructs, pairs = found["plain"].constructs(), found["plain"].discriminant()
    cells = [row[1:5] for row in table.rows]
    assert cells[0][0].value == constructs["ave"][0]
    assert not cells[3][3].applies
    row = pairs.iloc[0]
    assert cells[1][0].value == f"{row['htmt']:.2f} [{row['htmt_low']:.2f}; {row['htmt_high']:.2f}]"
    assert cells[0][1].value == row["shared"]
    separate = csat.table(found["separate"], kind="discriminant").rows
    assert not separate[0][2].applies


def test_groups_too_small_to_be_shown_are_hidden(found):
    for kind in KINDS:
        text = csat.table(found["groups"], kind=kind)
        at = [column.name for column in text.columns].index("n")
        for row in text.rows:
            if row[at].value == 20:
                figures = [cell for cell in row[:at] if isinstance(cell.value, float)]
                counts = [column.name for column, cell in zip(text.columns, row, strict=True) if cell in figures]
                assert set(counts) <= {"items"}
                assert not [cell for cell in row if isinstance(cell.value, str) and "[" in cell.value]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_remarks_have_words_in_both_languages(found, lang):
    kinds = (
        *("reversed", "negative", "no_factors", "heywood", "beyond_one", "indefinite", "two_items", "single_item"),
        *("composed", "higher", "design_ignored", "failed"),
    )
    for key in kinds:
        remark = Remark(key, "", ("quality", "value"), ("q1", "q2", "q3"), (1.02, 50.0), ("a",))
        said = words(lang).say(remark_word(remark, found["groups"], Names(lang)))
        assert "{" not in said
        assert "  " not in said
    assert "(a)" in words("en").say(remark_word(Remark("no_factors", "", group=("a",)), found["groups"], Names("en")))


def test_every_remark_that_can_be_made_is_worded():
    from pathlib import Path

    code = (Path(csat.__file__).parent / "measurement" / "doubts.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'Remark\(\s*"(\w+)"', code)) | {"reversed", "negative"}
    assert {f"scales.{key}" for key in keys} == {key for key in words("en") if key.startswith("scales.")}


def test_a_reversed_item_is_named_in_the_table(found):
    assert "q2 may run the other way round" in repr(csat.table(found["reversed"]))
    assert "q2 可能是反向题" in repr(csat.table(found["reversed"], "zh"))


def test_how_errors_were_made_is_said(found):
    said = {name: repr(csat.table(result)) for name, result in found.items()}
    assert "Standard errors follow the sampling design." in said["plain"]
    assert "samples drawn from the sample (bootstrap of respondents, 60 replicates)" in said["drawn"]
    assert "suppose normal answers of a simple random sample" in said["printed"]
    assert "over those who answered both items" in said["pairwise"]


def test_limits_are_those_of_the_room():
    assert limits() == {"alpha": "0.70", "better": "0.80", "ave": "0.50", "low": "0.85", "high": "0.90"}


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("kind", ["scales", "htmt"])
@pytest.mark.parametrize("name", ["plain", "groups", "reversed", "separate"])
def test_charts(found, name, kind, lang):
    ax = csat.plot(found[name], kind, lang)
    texts = [text.get_text() for text in ax.figure.findobj(Text)]
    assert not [text for text in texts if "{" in text]
    plt.close(ax.figure)


def test_high_ratios_are_framed(found):
    ax = csat.plot(found["plain"], "htmt")
    framed = [patch for patch in ax.patches if isinstance(patch, Rectangle) and not patch.get_fill()]
    assert len(framed) == (found["plain"].discriminant()["htmt"] >= 0.85).sum() == 1
    plt.close(ax.figure)


def test_the_chart_of_a_group(found):
    ax = csat.plot(found["groups"], "htmt", group="b")
    assert "(b)" in ax.get_title(loc="left")
    plt.close(ax.figure)
    hidden = csat.plot(found["groups"], "htmt", group="c")
    assert not hidden.images
    plt.close(hidden.figure)
    with pytest.raises(OptionError, match="group='z' is not known"):
        csat.plot(found["groups"], "htmt", group="z")


def test_one_scale_has_no_ratios():
    corr = pd.DataFrame([[1, 0.5, 0.5], [0.5, 1, 0.5], [0.5, 0.5, 1]], list("abc"), list("abc"))
    result = csat.reliability(csat.from_covariance(corr, 100), {"f": list("abc")})
    with pytest.raises(OptionError, match="two with two items or more"):
        csat.plot(result, "htmt")
    assert len(csat.table(result, kind="discriminant").rows) == 1
    assert not csat.table(result, kind="pairs").rows
