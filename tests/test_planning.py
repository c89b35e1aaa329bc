"""Sample sizes: closed forms, the inverse, a survey as the source, a simulation, wrong input."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.special import ndtri

import csat
from csat.errors import OptionError, SampleError
from csat.planning import SampleSize, detectable_gap, sample_size
from csat.questionnaire import Dimension, Item, Questionnaire, Scale

TEN = Scale("ten", 1, 10)
ASKED = Questionnaire(
    "q",
    scales=(TEN,),
    items=(Item("A", TEN), Item("B", TEN)),
    dimensions=(Dimension("index", {}, ("A", "B"), (0.6, 0.4)),),
    root="index",
)


def normal(gap: float, sd: float, alpha: float, power: float, samples: int = 2) -> float:
    """The textbook formula, n = 2·(z + z)²·σ²/δ²."""
    return samples * (ndtri(1 - alpha / 2) + ndtri(power)) ** 2 * (sd / gap) ** 2


@pytest.mark.parametrize(("gap", "sd", "power"), [(2, 18, 0.8), (1, 20, 0.9), (0.5, 15, 0.95)])
def test_many_respondents_follow_the_normal_formula(gap, sd, power):
    expected = normal(gap, sd, 0.05, power)
    found = sample_size(gap, sd=sd, power=power).respondents[0]
    # Student's t asks for about z²/4 more of each group (Guenther 1981).
    assert expected < found <= expected + 3
    assert 0 < sample_size(gap, sd=sd, power=power, against="target").respondents[0] - expected / 2 <= 4


def test_comparisons_divide_the_error_rate():
    six = sample_size(3, sd=20, comparisons=6)
    assert six.alpha == pytest.approx(0.05 / 6)
    assert six.respondents == sample_size(3, sd=20, level=1 - 0.05 / 6).respondents
    assert sample_size(3, sd=20, comparisons=6, adjust="none").respondents == sample_size(3, sd=20).respondents


def test_design_effect_and_response_rate_multiply():
    one, two = sample_size(2, sd=18), sample_size(2, sd=18, deff=2.5, response_rate=0.3)
    assert abs(two.respondents[0] - 2.5 * one.respondents[0]) <= 2.5
    assert two.invited[0] == np.ceil(two.respondents[0] / 0.3)
    assert one.invited.tolist() == one.respondents.tolist()


@pytest.mark.parametrize("population", [500, 4000, 10**9])
def test_a_finite_population_needs_fewer(population):
    endless, some = sample_size(2, sd=18), sample_size(2, sd=18, population=population)
    n, n0 = some.respondents[0], endless.respondents[0]
    assert n < population
    # The variance of both is the same: σ²/n·(1 − n/N) = σ²/n0.
    assert_allclose((1 - (n - 0.5) / population) / (n - 0.5), 1 / (n0 - 0.5), rtol=0.005)


@pytest.mark.parametrize("options", [{}, {"deff": 1.7}, {"population": 900}, {"comparisons": 5}, {"against": "target"}])
def test_the_detectable_gap_is_the_inverse(options):
    n = int(sample_size(3.0, sd=19, **options).respondents[0])
    assert detectable_gap(n, sd=19, **options).gap[0] <= 3.0
    assert detectable_gap(n - 1, sd=19, **options).gap[0] > 3.0


def rows(rng: np.random.Generator, halls: int = 40, each: int = 12) -> pd.DataFrame:
    hall = np.repeat(np.arange(halls), each)
    level = 7 + rng.normal(0, 0.9, halls)[hall]
    answers = np.clip(np.round(level[:, None] + rng.normal(0, 1.2, (len(hall), 2))), 1, 10)
    return pd.DataFrame(
        {"A": answers[:, 0], "B": answers[:, 1], "hall": hall.astype(str), "b": np.where(hall % 2, "x", "y")}
    )


def test_a_survey_gives_spread_and_design_effect_per_group(rng):
    data = rows(rng)
    survey = csat.read_survey(data, ASKED, design=csat.Design(psu="hall"))
    found = sample_size(3, source=survey, by="b")
    score = (0.6 * data["A"] + 0.4 * data["B"] - 1) / 9 * 100
    assert_allclose(found.sd, score.groupby(data["b"]).std(), rtol=1e-9)
    assert found.group == ("x", "y")
    assert (found.deff > 2).all()
    plain = [sample_size(3, sd=sd, deff=deff).respondents[0] for sd, deff in zip(found.sd, found.deff, strict=True)]
    assert found.respondents.tolist() == plain
    index = csat.index(survey, by="b").estimates
    at = [i for i, term in enumerate(index.term) if term == "index"]
    assert_allclose(found.sd * np.sqrt(found.deff / index.n[at]), index.se[at], rtol=1e-9)
    assert sample_size(3, source=survey, by="b", deff=1.0).deff.tolist() == [1.0, 1.0]
    item = sample_size(3, source=survey, node="A")
    assert_allclose(item.sd, (data["A"] / 9 * 100).std(), rtol=1e-9)


def test_it_shows_what_it_assumed():
    found = sample_size(2, sd=18, population=5000)
    assert isinstance(found, SampleSize)
    assert list(found.tidy().columns) == ["group", "gap", "respondents", "invited", "sd", "deff"]
    assert found.glance().iloc[0][["level", "power", "population"]].tolist() == [0.95, 0.8, 5000]
    assert "SampleSize: 1 rows" in repr(found)


@pytest.mark.slow
@pytest.mark.parametrize("deff_rows", [1, 6])
def test_the_power_is_kept_in_a_simulation(deff_rows):
    """Clusters of 6 with an intraclass correlation of 0.2 have a design effect of 1 + 5·0.2 = 2."""
    rng = np.random.default_rng(20261123)
    deff = 1 + (deff_rows - 1) * 0.2
    clusters = int(np.ceil(sample_size(5, sd=18, deff=deff).respondents[0] / deff_rows))
    rounds = 4000
    shared = rng.normal(0, 18 * np.sqrt(0.2), (rounds, 2, clusters)) if deff_rows > 1 else 0.0
    own = 18 * np.sqrt(0.8 if deff_rows > 1 else 1.0) / np.sqrt(deff_rows)
    means = shared + rng.normal(0, own, (rounds, 2, clusters)) + np.array([0.0, 5.0])[:, None]
    gap = means[:, 1].mean(axis=1) - means[:, 0].mean(axis=1)
    se = np.sqrt(means.var(axis=2, ddof=1).sum(axis=1) / clusters)
    found = (np.abs(gap / se) > ndtri(0.975)).mean()
    assert found == pytest.approx(0.8, abs=0.025)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Give either sd=… .* or source=…"),
        ({"sd": 18, "gap": 0}, "gap=0 must be more than 0"),
        ({"sd": -1}, "sd=-1.0 must be more than 0"),
        ({"sd": 18, "power": 1.0}, "power=1.0 must be more than 0.05 and less than 1"),
        ({"sd": 18, "level": 95}, "level=95 must be more than 0 and less than 1"),
        ({"sd": 18, "deff": 0}, "deff=0 must be more than 0"),
        ({"sd": 18, "comparisons": 0}, "comparisons=0 must be a whole number, 1 or more"),
        ({"sd": 18, "response_rate": 30}, "response_rate=30 must be more than 0 and at most 1"),
        ({"sd": 18, "population": 1}, "population=1 must be more than 1"),
        ({"sd": 18, "adjust": "holm"}, "adjust='holm' is not known; choose one of 'bonferroni', 'none'"),
        ({"sd": 18, "against": "peer"}, "against='peer' is not known; choose one of 'group', 'target'"),
        ({"sd": 18, "by": "branch"}, "by= and node= choose figures of a survey"),
    ],
)
def test_wrong_plans(options, message):
    with pytest.raises(OptionError, match=message):
        sample_size(**options)


def test_gaps_that_cannot_be_planned(rng):
    with pytest.raises(OptionError, match="n=500 of a population of 400: everyone was asked"):
        detectable_gap(500, sd=18, population=400)
    with pytest.raises(OptionError, match=r"worth only 0\.67 independent answers"):
        detectable_gap(2, sd=18, deff=3)
    with pytest.raises(SampleError, match="Group 'z' has no standard deviation to plan with"):
        data = rows(rng)
        data.loc[0, "b"] = "z"
        sample_size(2, source=csat.read_survey(data, ASKED), by="b")
    assert sample_size(500, sd=18).respondents.tolist() == [2]
