"""Odd input to fuzzy evaluations and weights: names that stand twice, nobody answers, nobody differs, wrong types."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.stats import norm, t

import csat
from csat.errors import MembershipError, OptionError, QuestionnaireError, SampleError, UnknownItemError
from csat.fuzzy import OPERATORS
from csat.moments import guards
from csat.questionnaire import Dimension, Grade, Item, Questionnaire, Scale
from csat.within import WithinGroups

FIVE = Scale("five", 1, 5, conversion="grade", missing={98: "dont_know"})
ITEMS = ("a1", "a2", "b1", "b2")
ASKED = Questionnaire(
    "s",
    scales=(FIVE,),
    items=tuple(Item(code, FIVE) for code in ITEMS),
    dimensions=(
        Dimension("whole", {}, ("a", "b"), (0.7, 0.3)),
        Dimension("a", {}, ("a1", "a2")),
        Dimension("b", {}, ("b1", "b2"), (0.25, 0.75)),
    ),
    root="whole",
)
MATRIX = [[0.2, 0.5, 0.3], [0.1, 0.3, 0.6], [0.0, 0.1, 0.9]]
WEIGHTS = [0.2, 0.3, 0.5]


def rows(n: int = 200, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    answers = np.clip(np.round(3.4 + rng.normal(0, 0.8, (n, 1)) + rng.normal(0, 0.8, (n, 4))), 1, 5)
    frame = pd.DataFrame(answers, columns=list(ITEMS)).mask(rng.random((n, 4)) < 0.05)
    return frame.assign(g=rng.choice(["x", "y", "z"], n), half=np.where(np.arange(n) < n // 2, "one", "two"))


def survey(frame: pd.DataFrame | None = None, **design) -> csat.Survey:
    return csat.read_survey(rows() if frame is None else frame, ASKED, design=csat.Design(**design))


@pytest.mark.parametrize(
    ("index", "columns", "wording"),
    [
        (["a", "a", "b"], ["u", "v", "w"], "two factors are called 'a'"),
        ([1, "1", "b"], ["u", "v", "w"], "two factors are called '1'"),
        (["a", "b", "c"], ["u", "u", "w"], "two grades are called 'u'"),
        (["composite", "b", "c"], ["u", "v", "w"], "'composite' is the name of the result"),
    ],
)
def test_names_of_a_matrix_stand_for_one_thing(index, columns, wording):
    with pytest.raises(MembershipError, match=wording):
        csat.evaluate(pd.DataFrame(MATRIX, index=index, columns=columns), weights=WEIGHTS)


@pytest.mark.parametrize(
    "found", [None, 5, "abc", pd.Series([0.5, 0.5]), {"a": [0.5, 0.5]}, pd.DataFrame({"a": ["x"]})]
)
def test_what_is_no_matrix_is_shown(found):
    with pytest.raises(MembershipError, match=rf"{type(found).__name__}.* found|None found|Empty|a\b.* found"):
        csat.evaluate(found, weights=[1.0])


def test_one_grade_is_none():
    with pytest.raises(MembershipError, match="2 columns or more needed, 1 column found"):
        csat.evaluate([[1.0], [1.0]], weights=[0.5, 0.5])


def test_cells_may_miss_their_bounds_by_rounding_only():
    rest = 1 - 0.9 - 0.1
    assert -1e-16 < rest < 0
    found = csat.evaluate([[0.9, 0.1, rest]], weights=[1.0])
    assert found.membership.min() == 0
    with pytest.raises(MembershipError, match="is -1e-06; it must lie between 0 and 1"):
        csat.evaluate([[0.9, 0.1 + 1e-6, -1e-6]], weights=[1.0])


GOOD, BAD = Grade("good", {}, 90, 50), Grade("bad", {}, 10, 0)


@pytest.mark.parametrize(
    ("grades", "error", "wording"),
    [
        ([GOOD, GOOD], OptionError, "each has a code of its own, a text; str 'good' is none"),
        ([Grade(5, {}, 90, 50), BAD], OptionError, "each has a code of its own, a text; int 5 is none"),
        ([Grade("good", {}, "90", 50), BAD], OptionError, "score and cut of 'good' are numbers; found str '90'"),
    ],
)
@pytest.mark.parametrize("source", ["matrix", "survey"])
def test_grades_have_codes_and_scores_wherever_they_go(source, grades, error, wording):
    with pytest.raises(error, match=wording):
        if source == "matrix":
            csat.evaluate([[0.5, 0.5]], weights=[1.0], grades=grades)
        else:
            csat.evaluate(survey(), grades=grades, over=())


def test_grades_run_from_best_to_worst():
    with pytest.raises(OptionError, match="the score of 'good' is 90, not below the 10 of 'bad'"):
        csat.evaluate([[0.5, 0.5]], weights=[1.0], grades=[BAD, GOOD])
    with pytest.raises(QuestionnaireError, match="grades run from best to worst"):
        csat.evaluate(survey(), grades=[BAD, GOOD])
    with pytest.raises(QuestionnaireError, match="at least two grades are needed"):
        csat.evaluate(survey(), grades=[GOOD])
    best = csat.questionnaire.GRADES[:2]  # cut points say how answers are read, and a matrix has been read
    assert csat.evaluate([[0.5, 0.5]], weights=[1.0], grades=best).score.estimate[0] == pytest.approx(90)


def test_a_child_that_nobody_answered_flips_nothing():
    found = csat.evaluate(survey(rows().assign(a1=98.0)), weights={"a": {"a1": 0.0, "a2": 1.0}}, over=()).sensitivity()
    lost = found[found.parent == "a"]
    assert lost.flips_at.isna().all()
    assert list(lost.note) == ["no valid answers"] * 2
    assert not (found.loc[found.flips_at.notna(), "new_verdict"] == "").any()


def test_differences_say_that_they_were_drawn():
    found = csat.evaluate(survey(), "g", replicates=50)
    assert found.score.provenance.variance == "linearisation"
    assert found.differences().score.provenance.variance == "bootstrap of respondents"
    assert csat.evaluate(survey(), "g", over=()).differences().score.provenance.variance == "none"


def test_groups_of_one_sampling_unit_have_no_probability():
    frame = rows().assign(hall=lambda found: found.g.where(found.g == "x", np.arange(len(found)) % 20).astype(str))
    found = csat.evaluate(survey(frame, psu="hall"), "g", replicates=50)
    of_x = np.array(found.score.keys["g"]) == "x"
    assert np.isnan(found.certainty[of_x]).all()
    assert np.isfinite(found.certainty[~of_x]).all()


@pytest.mark.filterwarnings("ignore:overflow encountered", "ignore:invalid value")
def test_what_has_no_standard_error_has_no_probability():
    """Weights whose squares are beyond floating point: the error of the score is not known, nor the verdict's."""
    found = csat.evaluate(survey(rows().assign(w=1e300), weight="w"), replicates=50)
    assert not np.isfinite(found.score.se).any()
    assert np.isnan(found.probability).all()
    assert not found.decided.any()


@pytest.mark.parametrize("rule", ["listwise", "available"])
@pytest.mark.parametrize("method", ["cv", "sd"])
def test_a_factor_that_nobody_differs_on_takes_nothing_from_the_others_precision(method, rule):
    source = survey(rows().assign(a1=4.0))
    whole = csat.factor_weights(source, ITEMS, method=method, rule=rule)
    others = csat.factor_weights(source, ITEMS[1:], method=method, rule=rule)
    assert_allclose(whole.values, [0, *others.values], rtol=1e-12)
    assert_allclose(whole.estimates.se, [0, *others.estimates.se], rtol=1e-9)
    assert [str(note) for note in whole.notes if note.kind == "no_spread"] == [
        "a1: nobody differs on it; its weight is 0."
    ]


@pytest.mark.parametrize(
    ("change", "options", "wording"),
    [
        ({"a1": 98.0}, {"method": "critic"}, "Nobody answered all of 'a1', 'a2', 'b1', 'b2'"),
        ({"a1": 98.0}, {"method": "cv", "rule": "available"}, "Nobody answered 'a1'; leave out"),
        ({"a1": 4.0}, {"method": "critic"}, "No variation in 'a1': everyone"),
        ({"a1": 4.0}, {"method": "critic", "by": "g"}, "No variation in 'a1': everyone"),
    ],
)
def test_factors_without_answers_or_spread_are_named(change, options, wording):
    with pytest.raises(SampleError, match=wording):
        csat.factor_weights(survey(rows().assign(**change)), ITEMS, **options)


def test_factors_that_run_alike_do_not_conflict():
    frame = rows().assign(a2=lambda found: found.a1, b1=lambda found: found.a1)
    with pytest.raises(SampleError, match="run exactly alike"):
        csat.factor_weights(survey(frame), ["a1", "a2", "b1"], method="critic")


def test_unknown_factors_are_counted_once():
    with pytest.raises(UnknownItemError, match="It has 9 of them"):
        csat.factor_weights(survey(), ["a1", "nope"], method="sd")


GIVEN = {"a": 0.3, "b": 0.7}


@pytest.mark.parametrize(
    ("source", "options", "wording"),
    [
        (GIVEN, {"method": "entropy"}, "method= has no meaning for weights from dict"),
        (csat.ahp([[1, 3], [1 / 3, 1]]), {"factors": ["q"]}, "factors= has no meaning for weights from Ahp"),
        (csat.factor_weights(GIVEN), {"method": "cv"}, "method= has no meaning for weights from FactorWeights"),
        ({1: 0.5, "1": 0.5}, {}, r"Two weights have the same name; one per factor is needed: \['1', '1'\]"),
        (pd.Series([0.5, 0.5], index=["a", "a"]), {}, "Two weights have the same name"),
        (GIVEN, {"factors": 5}, "factors must be a name or several; found int 5"),
    ],
)
def test_arguments_that_would_be_ignored_are_refused(source, options, wording):
    with pytest.raises(OptionError, match=wording):
        csat.factor_weights(source, **options)


def test_options_of_answers_say_which_method_has_no_use_for_them():
    with pytest.raises(OptionError, match="by= has no meaning for weights from method='equal'"):
        csat.factor_weights(survey(), ITEMS, method="equal", by="g")
    with pytest.raises(OptionError, match="of= has no meaning for weights from Survey"):
        csat.factor_weights(survey(), ITEMS, method="sd", of="x")


def test_series_are_combined_like_mappings():
    first, second = pd.Series(GIVEN), {"a": 0.6, "b": 0.4}
    found = csat.combine_weights([first, second], "additive")
    assert_allclose(found.values, [0.45, 0.55])


@pytest.mark.parametrize("column", ["weight_a1", "rank_b2"])
def test_groups_cannot_take_the_names_of_weights(column):
    with pytest.raises(OptionError, match=f"column '{column}' has the name of a result's column"):
        csat.compare_weights(survey(rows().rename(columns={"g": column})), ["equal", "sd"], column, factors=ITEMS)


@pytest.mark.parametrize(
    ("size", "seed", "wording"), [("x", 0, "size=x: a whole"), (0, 0, "size=0"), (5, -1, "seed=-1")]
)
def test_draws_of_weights_need_whole_numbers(size, seed, wording):
    found = csat.factor_weights(survey(), ITEMS, method="sd")
    with pytest.raises(OptionError, match=wording):
        found.draws(size, seed)


@pytest.mark.parametrize("operator", ["weighted-average", "min-max"])
def test_intervals_of_few_units_are_wider_than_plain_percentiles(operator):
    """Five halls: t with 4 degrees of freedom has 0.27 % beyond the normal distance that it calls 2.5 %."""
    frame = rows().assign(hall=lambda found: (np.arange(len(found)) % 5).astype(str))
    found = csat.evaluate(survey(frame, psu="hall"), operator=operator, replicates=4000)
    assert np.all(found.score.df == 4)
    draws = found.state.redrawn(OPERATORS[operator], slice(0, 1))[:, 0]
    tail = norm.cdf(t.ppf(0.025, 4))
    assert tail == pytest.approx(0.0027, abs=1e-4)
    for ends, share in ((found.membership_low, tail), (found.membership_high, 1 - tail)):
        assert_allclose(ends, np.quantile(draws, share, axis=0, method="weibull"), atol=2e-3)
    plain = np.quantile(draws, [0.025, 0.975], axis=0)
    assert np.all(found.membership_high - found.membership_low > plain[1] - plain[0])


def test_rooms_of_results_load_only_when_one_is_weighed():
    code = (
        "import sys, csat; from csat.fuzzy import evaluate; csat.factor_weights({'a': 0.5, 'b': 0.5});"
        "print(*(room for room in ('drivers', 'composites', 'structural') if f'csat.{room}' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_groups_without_answers_do_not_spoil_the_comparison_of_the_others():
    frame = rows()
    empty = frame.assign(**{item: frame[item].where(frame.g != "x") for item in ITEMS})
    sets = {name: csat.factor_weights(survey(), ITEMS, method=name) for name in ("equal", "cv", "sd")}
    whole = csat.compare_weights(survey(empty), sets, "g", replicates=20)
    others = csat.compare_weights(survey(frame[frame.g != "x"]), sets, "g", replicates=20)
    assert whole.glance()["groups_unscored"].tolist() == [1]
    assert others.glance()["groups_unscored"].tolist() == [0]
    for name in ("group_concordance", "score_low", "score_high", "verdicts_that_change"):
        assert whole.glance()[name][0] == pytest.approx(others.glance()[name][0]), name
    pd.testing.assert_frame_equal(whole.pairs(), others.pairs())
    assert whole.group_concordance > 0.1


def test_sets_without_scores_have_no_gap():
    weights = {"a": {"a": 0.5, "b": 0.5}, "b": {"a": 0.9, "b": 0.1}}
    found = csat.compare_weights([[0.2, 0.5, 0.3], [0.1, 0.3, 0.6]], weights)
    assert found.pairs()["score_gap"].isna().all()
    assert found.glance()[["score_low", "score_high"]].isna().all(axis=None)
    assert found.pairs()["same_verdicts"].tolist() == [0.0]


@pytest.mark.parametrize("operator", ["weighted-average", "min-max"])
def test_thousands_of_groups_keep_the_covariance_within_each(operator, monkeypatch):
    source = survey()
    few = csat.evaluate(source, "g", operator=operator, replicates=40)
    apart = few.differences()
    monkeypatch.setattr(guards, "MOST_FIGURES", 8)
    many = csat.evaluate(source, "g", operator=operator, replicates=40)
    assert isinstance(many.score.vcov, WithinGroups)
    assert_allclose(many.score.se, few.score.se, rtol=1e-9)
    assert_allclose(many.score.vcov.blocks[1], few.score.vcov[7:14, 7:14], rtol=1e-9, atol=1e-12)
    assert_allclose(many.differences().score.se, apart.score.se, rtol=1e-9)
    for table in ("tidy", "verdicts", "operators", "sensitivity"):
        pd.testing.assert_frame_equal(getattr(many, table)(), getattr(few, table)())


def test_a_matrix_says_why_it_has_no_score_or_no_standard_error():
    bare = csat.evaluate(MATRIX, weights=WEIGHTS)
    assert set(bare.score.tidy()["note"]) == {"the grades have no scores: memberships and a verdict only"}
    grades = [Grade("u", {}, 90, 60), Grade("v", {}, 60, 30), Grade("w", {}, 20, 0)]
    scored = csat.evaluate(MATRIX, weights=WEIGHTS, grades=grades)
    assert scored.score.estimate.tolist() == pytest.approx([0.07 * 90 + 0.24 * 60 + 0.69 * 20, 54, 39, 24])
    assert set(scored.score.tidy()["note"]) == {"nothing was drawn again: no standard error"}
