"""Model texts: labels in quotation marks, equal(), terms written twice, abs(), and names between backticks.

tests/fixtures/lavaan/syntax.json holds what lavaan 0.6-14 makes of such texts (syntax.R beside it).
"""

import json
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import ModelError
from csat.model import Model
from csat.report import diagram

NAMES = ["equal_loading", "equal_variance", "twice", "freed", "quoted", "abs", "grouped"]
ODD = {"x1": "Q1-2", "x2": "3rd item", "x3": "满意度（总体）", "x4": "a [b]", "x5": "NA", "x6": "x~y", "age": "an age"}


@pytest.fixture(scope="module")
def pupils(fixtures):
    return pd.read_csv(fixtures / "lavaan" / "rows.csv")


@pytest.fixture(scope="module")
def lavaan(fixtures):
    return json.loads((fixtures / "lavaan" / "syntax.json").read_text(encoding="utf-8"))["fits"]


@pytest.mark.parametrize("name", NAMES)
def test_texts_mean_what_lavaan_takes_them_for(pupils, lavaan, name):
    theirs = lavaan[name]
    options = {"group": "school"} if name == "grouped" else {}
    found = csat.sem(csat.read_survey(pupils), theirs["model"], **options)
    assert found.measures.df == theirs["df"]
    assert found.measures.chisq == pytest.approx(theirs["chisq"], abs=1e-5)
    if options:
        return
    ours = found.tidy().set_index(["lhs", "op", "rhs"])
    for lhs, op, rhs, est, se in zip(*(theirs[key] for key in ("lhs", "op", "rhs", "est", "se")), strict=True):
        mine = ours.loc[(lhs, op, rhs.replace("\n", ""))]
        assert (mine["estimate"], mine["se"]) == pytest.approx((est, se), rel=2e-4, abs=1e-6)


def test_equal_gives_both_parameters_one_label():
    model = Model(
        'F =~ x1 + x2 + equal("F =~ x2")*x3\nx1 ~~ v*x1\nx2 ~~ equal("x1 ~~ x1")*x2\nx1 ~ 1\nx2 ~ equal("x1~1")*1'
    )
    labels = {(term.lhs, term.op, term.rhs): term.labels for term in model.terms}
    assert labels["F", "=~", "x2"] == labels["F", "=~", "x3"] == ("F=~x2",)
    assert labels["x1", "~~", "x1"] == labels["x2", "~~", "x2"] == ("v",)
    assert labels["x1", "~1", ""] == labels["x2", "~1", ""]


def test_what_is_said_twice_is_joined():
    said = Model("F =~ x1 + lab*x2 + start(.5)*x2 + x3 + NA*x1").terms
    assert [term.rhs for term in said] == ["x1", "x2", "x3"]
    assert said[0].modifiers[0].free
    assert (said[1].modifiers[0].label, said[1].modifiers[0].start) == ("lab", 0.5)
    both = Model('F =~ x1 + c("p", "q")*x2 + start(.5)*x2').terms[1].modifiers
    assert [(m.label, m.start) for m in both] == [("p", 0.5), ("q", 0.5)]
    assert [m.label for m in Model("F =~ x1 + label(c('p', 'q'))*x2").terms[1].modifiers] == ["p", "q"]


@pytest.mark.parametrize(
    ("syntax", "character", "message"),
    [
        ("F =~ x1 + a*x2 + b*x2", 20, "'x2' stands here twice, and what is said of it contradicts"),
        ("F =~ x1 + 1*x2 + 2*x2", 20, "'x2' stands here twice"),
        ("F =~ x1 + 1*x2 + NA*x2", 21, "'x2' stands here twice"),
        ("F =~ x1 + start(1)*x2 + start(2)*x2", 34, "'x2' stands here twice"),
        ("F =~ x1 + c(a,b)*x2 + c(1,2,3)*x2", 32, "3 groups here, 2 where it stood before"),
        ("F =~ x1 + x2 + x2", 16, "'F =~ x2' is written twice"),
        ('F =~ x1 + equal("F=~x9")*x2', 26, "no relation of the model is written so"),
        ("F =~ x1 + label(q)*x2", 17, "a text in quotation marks expected, 'q' found"),
        ('F =~ x1 + "q*x2', 11, "opens what does not close on this line"),
        ("F =~ x1 + `x2", 11, "opens what does not close on this line"),
        ("F ＝~ x1", 3, "Write the half-width '='"),
        ("F =～ x1", 3, "has no meaning"),
        ("d ：= a", 3, "Write the half-width ':'"),
        ("F =~ x1 + “q”*x2", 11, "Write the half-width '\"'"),
        ("F =~ Q1-2 + x2", 8, "If 'Q1-2' is one name, write it between backticks: `Q1-2`."),
        ("F =~ x1 + 3rd", 11, "If '3rd' is one name, write it between backticks: `3rd`."),
        ("F =~ x1 + overall view", 19, "If 'overall view' is one name, write it between backticks: `overall view`."),
        ("F =~ Q1[2] + x2", 8, "If 'Q1[2]' is one name"),
        ("F =~ Q1(2) + x2", 6, "If 'Q1(2)' is one name"),
        ("F =~ Q1/Q2", 8, "If 'Q1/Q2' is one name"),
        ("y ~ a*x\nd := a - -", 11, "a label, a number or '(' expected"),
    ],
)  # fmt: skip
def test_faults_point_at_the_place(syntax, character, message):
    with pytest.raises(ModelError) as caught:
        Model(syntax)
    said = str(caught.value)
    assert message in said
    assert f"character {character}:" in said
    if ":=" in syntax or "twice" in message:
        assert "backticks" not in said


def test_a_byte_order_mark_means_nothing():
    assert Model("\ufeffF =~ x1 + x2").terms[0].rhs == "x1"
    assert Model("\ufeffF =~ x1 + x2").observed == ("x1", "x2")


@cache
def odd_text():
    q = {name: f"`{odd}`" for name, odd in ODD.items()}
    return "\n".join([
        f"F =~ {q['x1']} + {q['x2']} + {q['x3']}", f"G =~ {q['x4']} + {q['x5']} + {q['x6']}",
        f"G ~ F + {q['age']}", f"{q['x1']} ~~ {q['x4']}",
    ])  # fmt: skip


PLAIN = "F =~ x1 + x2 + x3\nG =~ x4 + x5 + x6\nG ~ F + age\nx1 ~~ x4"


def test_columns_of_any_name_are_estimated_alike(pupils):
    plain = csat.sem(csat.read_survey(pupils), PLAIN)
    odd = csat.sem(csat.read_survey(pupils.rename(columns=ODD)), odd_text())
    assert odd.observed == tuple(ODD.get(name, name) for name in plain.observed)
    np.testing.assert_allclose(odd.tidy()["estimate"], plain.tidy()["estimate"])
    assert odd.effects().tidy()["rhs"].tolist() == ["F", "F", "an age", "an age"]
    for form in ("mermaid", "dot"):
        text = diagram(odd, form)
        assert text.count("\n") == diagram(plain, form).count("\n")
    assert len(csat.modification_indices(odd).tidy()) == len(csat.modification_indices(plain).tidy())


def test_relations_of_partial_may_have_backticks(pupils):
    source = csat.read_survey(pupils.rename(columns=ODD))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        fits = [
            csat.sem(source, odd_text(), group="school", equal=["loadings", "intercepts"], partial=[relation])
            for relation in ("`3rd item` ~1", "3rd item~1")
        ]
    assert fits[0].measures.chisq == fits[1].measures.chisq
    whole = csat.sem(source, odd_text(), group="school", equal=["loadings", "intercepts"])
    assert fits[0].measures.df == whole.measures.df - 1


def test_texts_made_of_names_are_read_again():
    made = Model.preset("acsi", {"quality": ["Q1-2", "Q2"], "satisfaction": ["S 1"], "loyalty": ["L1", "NA"]},
                        without=["expectation", "value", "complaints"])  # fmt: skip
    assert made.indicators("quality") == ("Q1-2", "Q2")
    assert made.indicators("loyalty") == ("L1", "NA")
    assert "quality =~ `Q1-2` + Q2" in made.syntax
    assert Model(made.syntax).terms == made.terms


def test_a_questionnaire_with_odd_codes(study):
    asked = study(
        '[study]\nname = "s"\n[scales.ten]\nlow = 1\nhigh = 10\n[items]\n"Q1-2" = {scale = "ten"}\n'
        'Q3 = {scale = "ten"}\nL = {scale = "ten"}\n[dimensions]\n"my quality" = {children = ["Q1-2", "Q3"]}\n'
    )
    for paths in ({"L": ["my quality"]}, "L ~ `my quality`"):
        made = Model.from_questionnaire(asked, paths)
        assert made.indicators("my quality") == ("Q1-2", "Q3")


def test_other_estimators_take_such_names(pupils, optional):
    source = csat.read_survey(pupils.rename(columns=ODD))
    own = csat.sem(source, odd_text())
    scores = csat.factor_scores(own, source)
    assert list(scores.scores) == ["F", "G"]
    composites = csat.pls(source, odd_text().split("\n`Q1-2` ~~")[0].replace(" + `an age`", ""))
    assert "Q1-2" in composites.tidy().to_string()
    optional("semopy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = csat.sem(source, odd_text(), engine="semopy")
    np.testing.assert_allclose(theirs.tidy()["estimate"], own.tidy()["estimate"], atol=2e-3)


def test_semopy_has_no_such_names():
    with pytest.raises(ModelError, match=r"semopy has no names such as 'Q1-2': rename the column"):
        Model(odd_text()).to_semopy()


def test_names_that_nothing_can_hold():
    every = ("expectation", "quality", "value", "satisfaction", "complaints")
    for name in ("a`b", "a\nb", " "):
        with pytest.raises(ModelError, match="not even between backticks"):
            Model.preset("acsi", {key: [key[:1].upper() + "1"] for key in every} | {"loyalty": [name]})
