"""What stands on the right side of a regression: factors, interactions, wrong input."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.terms import Factor, complete_with, terms_of
from csat.moments import Recode, term_of


@pytest.fixture
def survey(rng):
    n = 60
    data = pd.DataFrame({"x": rng.normal(size=n), "z": rng.normal(size=n), "y": rng.normal(size=n)})
    data["brand"] = np.array(["a", "b", "c"])[np.arange(n) % 3]
    return csat.read_survey(data)


def test_a_category_becomes_a_column_per_level_but_the_first(survey):
    terms = terms_of(survey, "y", ["x", "brand"])
    assert terms.labels == ("x", "brand")
    assert terms.names == ("x", "brand=b", "brand=c")
    assert terms.owner == (0, 1, 1)
    assert terms_of(survey, "y", Factor("brand", reference="c")).names == ("brand=a", "brand=b")


def test_an_interaction_is_the_product_of_its_columns_and_needs_its_parts(survey):
    terms = terms_of(survey, "y", ["x", "z", "brand", "x:brand", "x:z"])
    assert terms.names[-3:] == ("x:brand=b", "x:brand=c", "x:z")
    assert terms.needs == (frozenset(), frozenset(), frozenset(), frozenset({0, 2}), frozenset({0, 1}))
    mean = survey.groups(terms.variables, rule="listwise").moments().mean
    rows = survey.frame()
    expected = [(rows["x"] * (rows["brand"] == "b")).mean(), (rows["x"] * rows["z"]).mean()]
    assert_allclose(mean[[-4, -2]], expected, rtol=1e-12)


def test_fewer_terms_keep_their_columns_and_needs(survey):
    some = terms_of(survey, "y", ["x", "z", "brand", "x:brand"]).some([2, 0, 3])
    assert some.names == ("brand=b", "brand=c", "x", "x:brand=b", "x:brand=c")
    assert some.owner == (0, 0, 1, 2, 2)
    assert some.needs == (frozenset(), frozenset(), frozenset({0, 1}))


@pytest.mark.parametrize(
    ("drivers", "message"),
    [
        ([], "No driver is named"),
        (7, "drivers are names of variables; found int 7"),
        (["x", "x"], "'x' is named twice"),
        (["x", "y"], "'y' is named twice"),
        (["x:x"], "names a driver twice"),
        ([Factor("brand", "q")], "reference of 'brand'='q' is not known"),
        ([Recode("top", "y", {1: 1.0})], "made of the outcome itself"),
    ],
)
def test_wrong_drivers_are_refused_in_words(survey, drivers, message):
    with pytest.raises(csat.CsatError, match=message):
        terms_of(survey, "y", drivers)


def test_rows_beyond_a_number_are_drawn_in_random_groups(rng):
    many = csat.read_survey(pd.DataFrame({"x": rng.normal(size=30_000)}))
    drawn = many.replicated(Replication("bootstrap", size=50, seed=3)).groups(["x"], rule="listwise")
    assert len(drawn.psus) == 500
    assert drawn.moments().n == 30_000
    assert csat.mean(many.replicated(Replication("bootstrap", size=400, seed=3)), "x").se[0] == pytest.approx(
        csat.mean(many, "x").se[0], rel=0.15
    )


def test_without_an_intercept_the_first_factor_keeps_all_levels(survey):
    terms = terms_of(survey, "y", ["x", Factor("brand", "c"), "x:brand"], intercept=False)
    assert terms.names == ("x", "brand=a", "brand=b", "brand=c", "x:brand=a", "x:brand=b")
    assert terms.owner == (0, 1, 1, 1, 2, 2)


def test_an_interaction_may_be_with_a_recoded_driver(survey):
    high = Recode("is_b", "brand", {"a": 0.0, "b": 1.0, "c": 0.0})
    terms = terms_of(survey, "y", ["x", high, "x:is_b"])
    assert terms.names == ("x", "is_b", "x:is_b")
    mean = survey.groups(terms.variables, rule="listwise").moments().mean
    rows = survey.frame()
    assert_allclose(mean[2], (rows["x"] * (rows["brand"] == "b")).mean(), rtol=1e-12)


def test_a_column_with_a_colon_in_its_name_is_no_interaction(survey):
    terms = terms_of(csat.read_survey(survey.frame().assign(**{"x:z": 1.0})), "y", ["x", "z", "x:z"])
    assert terms.columns[-1] == "x:z"
    assert terms.needs[-1] == frozenset()


def test_a_factor_within_an_interaction_needs_the_other_part(survey):
    with pytest.raises(
        csat.CsatError, match=r"Interaction 'x:brand' without 'x': .* level of 'brand' it would have no"
    ):
        terms_of(survey, "y", ["brand", "x:brand"])
    assert terms_of(survey, "y", ["x:z"]).names == ("x:z",)


def test_levels_are_counted_once(survey, monkeypatch):
    asked = []
    levels = type(survey).levels
    monkeypatch.setattr(
        type(survey), "levels", lambda self, names, by=(): asked.append(names) or levels(self, names, by)
    )
    terms_of(survey, "y", ["x", "z", "brand", "x:brand", "z:brand"])
    assert asked == [["brand"]]


def test_complete_takes_what_drivers_take_and_columns_of_terms(survey):
    terms = terms_of(survey, "y", ["x"])
    whole = terms_of(survey, "y", ["x", "brand", "x:brand"])
    assert complete_with(survey, terms, ["x", "z"]) == ["x", "y", "z"]
    assert complete_with(survey, terms, whole.columns)[2:] == list(whole.columns[1:])
    assert [term_of(name) for name in complete_with(survey, terms, "x:brand")[2:]] == ["x:brand=b", "x:brand=c"]
