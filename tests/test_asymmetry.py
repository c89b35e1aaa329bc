"""Reward-penalty analysis: R's svyglm, laws, bands of answers, small and empty bands, wrong calls."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

import csat
from csat.design import Replication
from csat.drivers.maps.asymmetry import reward_penalty
from csat.drivers.maps.bands import bands_of
from csat.drivers.maps.contrasts import CLASSES, holm
from csat.moments import Recode

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
DRIVERS = ["a", "b", "c", "d"]
DESIGN = csat.Design(weight="w", stratum="city", psu="hall")
STUDY = """
[study]
name = "rewards"
outcome = "y"
[scales.ten]
low = 1
high = 10
[items]
y = { scale = "ten", en = "Overall" }
[processes]
a = { scale = "ten", en = "A" }
b = { scale = "ten", en = "B" }
c = { scale = "ten", en = "C" }
d = { scale = "ten", en = "D" }
"""
POINTS = 100 / 9  # a step of the scale, in points


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(Path(__file__).parent / "fixtures" / "r" / "driver_maps.csv")


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


@pytest.fixture(scope="module")
def survey(rows, asked):
    return csat.read_survey(rows, asked, design=DESIGN)


@pytest.fixture(scope="module")
def found(survey):
    return reward_penalty(survey)


# ------------------------------------------------------------------------------------------ R's figures


def test_the_coefficients_of_svyglm(oracle, found):
    expected = oracle("driver_maps")["asymmetry"]
    order = [1, 3, 5, 7, 2, 4, 6, 8]  # low of each driver, then high of each
    assert [expected["names"][i] for i in order] == ["al", "bl", "cl", "dl", "ah", "bh", "ch", "dh"]
    assert_allclose(found.estimates.estimate, POINTS * np.array(expected["est"])[order], rtol=1e-9)
    vcov = np.array(expected["vcov"])[np.ix_(order, order)]
    assert_allclose(found.estimates.vcov, POINTS**2 * vcov, rtol=1e-8, atol=1e-10)
    assert found.estimates.df == expected["df"]
    frame = found.tidy()
    assert_allclose(frame["penalty_p"], np.array(expected["p"])[order[:4]], rtol=1e-7)
    assert_allclose(frame["reward_p"], np.array(expected["p"])[order[4:]], rtol=1e-7)


def test_the_contrasts_of_svycontrast_and_holm(oracle, found):
    expected, frame = oracle("driver_maps")["asymmetry"], found.tidy()
    assert_allclose(frame["difference"], POINTS * np.array(expected["difference"]), rtol=1e-9)
    assert_allclose(frame["difference_se"], POINTS * np.array(expected["difference_se"]), rtol=1e-8)
    assert_allclose(frame["p"], expected["difference_p"], rtol=1e-7)
    assert_allclose(frame["adjusted_p"], expected["holm_difference"], rtol=1e-7)
    assert_allclose(frame["penalty_adjusted_p"], expected["holm_low"], rtol=1e-7)
    assert_allclose(frame["reward_adjusted_p"], expected["holm_high"], rtol=1e-7)


def test_bands_count_respondents_not_weights(oracle, found):
    expected, frame = oracle("driver_maps")["asymmetry"], found.tidy()
    assert frame["n_low"].tolist() == expected["n_low"]
    assert frame["n_high"].tolist() == expected["n_high"]
    assert (frame[["n_low", "n_middle", "n_high"]].sum(axis=1) == expected["n"]).all()
    assert found.left_out == 65
    assert frame["low_answers"].tolist() == ["1–6"] * 4
    assert frame["high_answers"].tolist() == ["9–10"] * 4


def test_the_classes_that_were_planted(found):
    """The script that made the rows gives a only a penalty, b only a reward, c both, d none."""
    assert found.classes == ("basic", "excitement", "performance", "indifferent")
    assert found.p_reward[0] < 1e-6
    assert found.p_reward[1] > 1 - 1e-6
    assert found.glance().iloc[0][list(CLASSES)].tolist() == [1, 1, 1, 1, 0]


def test_the_jackknife_gives_nearly_the_same_errors(rows, asked, found):
    design = csat.Design(weight="w", stratum="city", psu="hall", replication=Replication("JKn"))
    again = reward_penalty(csat.read_survey(rows, asked, design=design))
    assert_allclose(again.estimates.estimate, found.estimates.estimate, rtol=1e-9)
    assert_allclose(again.estimates.se, found.estimates.se, rtol=0.06)
    assert_allclose(again.difference.se, found.difference.se, rtol=0.06)


# ------------------------------------------------------------------------------------------------ laws


def test_turning_every_answer_round_turns_the_classes_round(rows, asked):
    columns = [*DRIVERS, "y"]
    turned = rows.assign(**{column: 11 - rows[column] for column in columns})
    first, second = (
        reward_penalty(csat.read_survey(data, asked, design=DESIGN), low=3, high=8) for data in (rows, turned)
    )
    penalty, reward = np.split(first.estimates.estimate, 2)
    assert_allclose(second.estimates.estimate, np.r_[-reward, -penalty], rtol=1e-9, atol=1e-9)
    assert_allclose(second.difference.estimate, -first.difference.estimate, rtol=1e-8, atol=1e-9)
    assert_allclose(second.range.estimate, first.range.estimate, rtol=1e-8)
    assert_allclose(second.p_reward, 1 - first.p_reward, atol=1e-12)
    opposite = {"basic": "excitement", "excitement": "basic"}
    assert second.classes == tuple(opposite.get(word, word) for word in first.classes)
    assert set(first.classes) & set(opposite)


def test_effects_that_point_the_wrong_way_have_no_class(rows, asked):
    """With the outcome turned round, low answers go with more satisfaction: nothing that a penalty could be."""
    got = reward_penalty(csat.read_survey(rows.assign(y=11 - rows["y"]), asked, design=DESIGN))
    assert got.classes == ("unclear", "unclear", "unclear", "indifferent")
    assert got.tidy()["asymmetry"].isna().all()
    assert set(got.index.tidy()["note"]) == {"not identified by the data"}


def test_the_share_of_draws_with_a_larger_reward(found, rng):
    df, size = found.estimates.df, 200_000
    normal = rng.multivariate_normal(np.zeros(8), found.estimates.vcov, size)
    drawn = found.estimates.estimate + normal / np.sqrt(rng.chisquare(df, size) / df)[:, None]
    assert_allclose(found.p_reward, (drawn[:, 4:] > -drawn[:, :4]).mean(axis=0), atol=0.005)


def test_the_asymmetry_index_and_its_delta_error(found):
    penalty, reward = np.split(found.estimates.estimate, 2)
    value = (reward + penalty) / (reward - penalty)
    at = [0, 2]  # the others have a coefficient of the wrong sign
    assert_allclose(found.index.estimate[at], value[at], rtol=1e-12)
    for j in at:
        gradient = np.array([2 * reward[j], -2 * penalty[j]]) / (reward[j] - penalty[j]) ** 2
        vcov = found.estimates.vcov[np.ix_([j, 4 + j], [j, 4 + j])]
        assert_allclose(found.index.se[j] ** 2, gradient @ vcov @ gradient, rtol=1e-10)
    low, high = found.index.interval
    assert ((low[at] > -1) & (low[at] < value[at]) & (value[at] < high[at]) & (high[at] < 1)).all()
    wrong = (penalty > 0) | (reward < 0)
    assert np.isnan(found.index.estimate[wrong]).all()
    assert wrong.any()


def test_the_range_is_the_step_from_low_to_high(found, rows, survey):
    """A regression with low as the reference has the range as its coefficient of high."""
    dummies = [Recode(f"{d} {i}", d, {float(v): float(lo <= v <= hi) for v in range(1, 11)})
               for d in DRIVERS for i, (lo, hi) in enumerate([(7, 8), (9, 10)])]  # fmt: skip
    fitted = csat.regress(survey, "y", dummies).coefficients
    assert_allclose(found.range.estimate, POINTS * fitted.estimate[2::2], rtol=1e-8)
    assert_allclose(found.range.se, POINTS * fitted.se[2::2], rtol=1e-7)


def test_sure_but_tiny_is_indifferent(survey, found):
    """The margin decides: what is within it does not matter, however sure it is not 0."""
    assert reward_penalty(survey, negligible=100).classes == ("indifferent",) * 4
    assert reward_penalty(survey, negligible=0).classes[3] == "unclear"
    outcome = survey.groups(["y", *DRIVERS], (), "listwise").moments()
    assert_allclose(found.negligible, 0.2 * outcome.sd[0] * POINTS, rtol=1e-12)


def test_holm_leaves_out_what_cannot_be_tested():
    got = holm(np.array([0.01, np.nan, 0.04, 0.03]))
    assert_allclose(got[[0, 2, 3]], [0.03, 0.06, 0.06])
    assert np.isnan(got[1])
    assert np.isnan(holm(np.full(2, np.nan))).all()


# ------------------------------------------------------------------------------------ bands of answers


def one_scale(study, declared: str, codes=("x", "z")):
    processes = "\n".join(f'{code} = {{ scale = "s", en = "{code}" }}' for code in codes)
    text = f'[study]\nname = "s"\noutcome = "y"\n[scales.s]\n{declared}\n[items]\ny = {{ scale = "s", en = "y" }}\n'
    return study(f"{text}[processes]\n{processes}\n")


@pytest.mark.parametrize(("declared", "low", "middle", "high"), [
    ("low = 1\nhigh = 10", (1, 2, 3, 4, 5, 6), (7, 8), (9, 10)),
    ("low = 0\nhigh = 10", (0, 1, 2, 3, 4, 5, 6), (7, 8), (9, 10)),
    ("low = 1\nhigh = 5", (1, 2, 3), (4,), (5,)),
    ('low = 1\nhigh = 5\nconversion = "grade"', (1, 2, 3), (4,), (5,)),
    ('low = 1\nhigh = 5\nconversion = "grade"\nscores = { 1 = 100, 2 = 80, 3 = 60, 4 = 40, 5 = 20 }',
     (5, 4, 3), (2,), (1,)),
    ("low = 1\nhigh = 7", (1, 2, 3, 4), (5,), (6, 7)),
    ("low = 1\nhigh = 4", (1, 2), (3,), (4,)),
    ("low = 1\nhigh = 3", (1,), (2,), (3,)),
    ('low = 1\nhigh = 4\nconversion = "grade"\nscores = { 1 = 62, 2 = 64, 3 = 66, 4 = 68 }', (1,), (2, 3), (4,)),
])  # fmt: skip
def test_default_bands(study, survey, declared, low, middle, high):
    (got,) = bands_of(survey, one_scale(study, declared), ["x"], None, None)
    assert (got.low, got.middle, got.high) == (low, middle, high)
    values = got.dummies[0].values
    assert {answer for answer, value in values.items() if value} == set(low)
    assert set(values) == {*low, *middle, *high}


def test_a_scale_that_falls_is_cut_from_its_worst_end(study, survey):
    asked = one_scale(
        study, 'low = 1\nhigh = 5\nconversion = "grade"\nscores = {1 = 100, 2 = 80, 3 = 60, 4 = 40, 5 = 20}'
    )
    (got,) = bands_of(survey, asked, ["x"], 4, 2)
    assert (got.low, got.middle, got.high) == ((5, 4), (3,), (2, 1))


def test_bands_by_driver_and_by_list(survey, found):
    got = reward_penalty(survey, low={"a": (1, 2, 3), "b": 5}, high={"c": [10]})
    frame = got.tidy().set_index("term")
    assert frame["low_answers"].tolist() == ["1–3", "1–5", "1–6", "1–6"]
    assert frame["high_answers"].tolist() == ["9–10", "9–10", "10", "9–10"]
    for high in (9, [9, 10], {9.0, 10.0}, np.array([9, 10])):
        assert_allclose(reward_penalty(survey, low=6, high=high).estimates.estimate, found.estimates.estimate)


def test_without_a_questionnaire_cuts_are_needed(rows, found):
    plain = csat.read_survey(rows, design=DESIGN)
    got = reward_penalty(plain, "y", DRIVERS, low=6, high=9)
    assert_allclose(got.estimates.estimate * POINTS, found.estimates.estimate, rtol=1e-9)
    assert_allclose(got.estimates.vcov * POINTS**2, found.estimates.vcov, rtol=1e-8, atol=1e-10)
    assert got.classes == found.classes
    assert (got.estimates.unit, found.estimates.unit) == ("units", "points")
    with pytest.raises(csat.CsatError, match=r"scale of 'a' is not known.*pass low= and high="):
        reward_penalty(plain, "y", DRIVERS, low=6)


# ----------------------------------------------------------------------------- small and empty bands


def test_a_small_band_is_not_judged(rows, asked):
    """Twelve low answers to b: too few by the rule of 30; the others keep their classes."""
    rare = rows.assign(b=np.where(rows["b"] <= 6, 7, rows["b"]))
    rare.loc[rare.index[:12], "b"] = 5
    got = reward_penalty(csat.read_survey(rare, asked, design=DESIGN))
    frame = got.tidy().set_index("term")
    assert frame.loc["b", "n_low"] <= 12
    assert frame.loc["b", "class"] == "unclear"
    assert frame.loc["b", "note"] == "too few respondents with low, high or middle answers"
    assert np.isfinite(frame.loc["b", "penalty_se"])
    assert frame["class"].drop("b").tolist() == ["basic", "performance", "indifferent"]
    assert (frame["note"].drop("b") == "").all()


def test_the_limit_is_that_of_the_study(rows, study):
    got = reward_penalty(csat.read_survey(rows, study(STUDY + "[bases]\nsuppress = 200\nflag = 300\n"), design=DESIGN))
    assert got.small.tolist() == [False, False, True, False]  # 180 high answers to c; the others have 262 or more
    assert got.classes == ("basic", "excitement", "unclear", "indifferent")


def test_an_empty_band_is_left_out_with_a_reason(rows, asked):
    kind = rows.assign(a=np.where(rows["a"] <= 6, 7, rows["a"]))
    survey = csat.read_survey(kind, asked, design=DESIGN)
    got = reward_penalty(survey)
    frame = got.tidy().set_index("term")
    assert frame.loc["a", ["penalty", "difference", "range", "p_reward"]].isna().all()
    assert np.isfinite(frame.loc["a", "reward"])
    assert (frame.loc["a", "class"], frame.loc["a", "n_low"]) == ("unclear", 0)
    assert frame.loc["a", "note"] == "nobody gave a low, a high or a middle answer"
    others = [dummy for each in got.bands for dummy in each.dummies][1:]
    fitted = csat.regress(survey, "y", others).coefficients
    assert_allclose(frame.loc["a", "reward"], POINTS * fitted.estimate[1], rtol=1e-9)
    assert_allclose(frame["penalty"].iloc[1:], POINTS * fitted.estimate[2::2], rtol=1e-9)


def test_without_a_middle_there_is_nothing_to_compare_with(rows, asked):
    torn = rows.assign(d=np.where(rows["d"] <= 7, 2, 9))
    survey = csat.read_survey(torn, asked, design=DESIGN)
    got = reward_penalty(survey)
    frame = got.tidy().set_index("term")
    assert frame.loc["d", ["penalty", "reward", "difference"]].isna().all()
    assert frame.loc["d", "class"] == "unclear"
    dummies = [dummy for each in got.bands for dummy in each.dummies]
    fitted = csat.regress(survey, "y", [*dummies[:6], dummies[7]]).coefficients
    assert_allclose(frame["penalty"].iloc[:3], POINTS * fitted.estimate[[1, 3, 5]], rtol=1e-9)


def test_no_driver_that_can_be_judged_is_an_error(rows, asked):
    same = rows.assign(a=7, b=7, c=8, d=8)
    with pytest.raises(csat.CsatError, match="No driver has low, middle and high answers to compare: 975 respondents"):
        reward_penalty(csat.read_survey(same, asked, design=DESIGN))


def test_respondents_without_an_answer_are_counted_even_if_a_band_is_left_out(rows, asked):
    """All drivers decide the sample, also one whose 0/1 variables cannot stand in the regression."""
    fixed = rows.assign(c=np.where(rows["c"].notna(), 7.0, np.nan))
    got = reward_penalty(csat.read_survey(fixed, asked, design=DESIGN))
    assert got.left_out == rows[["c", "y"]].isna().any(axis=1).sum()
    assert got.tidy()["n_middle"].iloc[2] == len(rows) - got.left_out


# --------------------------------------------------------------------------------- the sample study


def test_the_nine_processes_of_the_study():
    survey = csat.read_survey(SAMPLE / "survey.csv", csat.read_questionnaire(SAMPLE / "study.toml"))
    got = reward_penalty(survey)
    frame = got.tidy().set_index("term")
    # The generator lets P1, P4, P6 and P7 act evenly on both sides, and P3 and P9 not at all.
    assert (frame.loc[["P1", "P4", "P6", "P7"], "class"] == "performance").all()
    assert (frame.loc[["P3", "P9"], "class"] == "indifferent").all()
    assert frame["range"].nlargest(3).index.tolist() == ["P1", "P7", "P4"]
    row = got.glance().iloc[0]
    assert (row["outcome"], row["unit"], row["drivers"], row["n"] + row["left_out"]) == ("overall", "points", 9, 6400)
    assert "Asymmetry: 9 rows" in repr(got)
    assert "<table" in got._repr_html_()


# ------------------------------------------------------------------------------------------ wrong calls


@pytest.mark.parametrize(("options", "message"), [
    ({"low": "6"}, "low is an answer to cut at, or a list of answers"),
    ({"low": 0}, "low=0: no answer to 'a' lies there; they are 1, 2"),
    ({"high": 11}, "high=11: no answer to 'a' lies there"),
    ({"low": [11]}, r"answer of 'a' in low=11 is not known; choose one of 1\.0"),
    ({"low": []}, r"low=\[\]: no answer to 'a' lies there"),
    ({"low": {"q": 6}}, "a driver of low='q' is not known; choose one of 'a'"),
    ({"low": 9, "high": 9}, "'a': low answers must be worse than high ones"),
    ({"low": [10], "high": [1]}, "'a': low answers must be worse than high ones"),
    ({"low": 8}, r"'a': every answer \(1, 2, .* 10\) is low or high"),
    ({"low": np.nan}, "low is an answer to cut at"),
    ({"low": 10**400}, "low is an answer to cut at"),
    ({"low": b"6"}, "low is an answer to cut at"),
    ({"low": True}, "low is an answer to cut at"),
    ({"negligible": -1}, "negligible=int -1: a number of points"),
    ({"negligible": "5"}, "negligible=str '5'"),
    ({"level": 2}, "the confidence level lies between 0 and 1"),
    ({"se": "HC9"}, "se='HC9' is not known"),
    ({"drivers": ["a"]}, "At least two drivers are compared"),
    ({"drivers": ["a", "y"]}, "'y' is named twice"),
    ({"drivers": ["a", "nope"], "low": 6, "high": 9}, "No column 'nope'"),
    ({"drivers": ["a", "city"], "low": 6, "high": 9}, "'city' holds categories"),
    ({"outcome": "city"}, "'city' holds categories"),
])  # fmt: skip
def test_wrong_calls_say_what_to_do(survey, options, message):
    with pytest.raises(csat.CsatError, match=message):
        reward_penalty(survey, **options)


def test_a_summary_without_rows_cannot_be_divided(survey):
    saved = survey.groups([*DRIVERS, "y"], (), "listwise")
    with pytest.raises(csat.CsatError, match="Recoding answers needs the respondents' rows"):
        reward_penalty(saved)


def test_two_levels_have_no_middle(rows, study):
    asked = one_scale(study, "low = 1\nhigh = 2")
    data = pd.DataFrame({"x": [1, 2] * 30, "z": [1, 1, 2] * 20, "y": [1, 2, 2] * 20})
    with pytest.raises(
        csat.CsatError, match=r"'x': every answer \(1, 2\) is low or high.*needs three answers at least"
    ):
        reward_penalty(csat.read_survey(data, asked))


def test_more_coefficients_than_units(rows, asked):
    few = rows[rows["hall"] <= 3]
    with pytest.raises(csat.CsatError, match="8 drivers but only 6 degrees of freedom in the design"):
        reward_penalty(csat.read_survey(few, asked, design=DESIGN))
