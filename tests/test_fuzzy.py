"""Fuzzy comprehensive evaluation: known examples, laws, agreement with the index, wrong input."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import skfuzzy

import csat
from csat import reduce as reduction
from csat.design import Design
from csat.errors import MembershipError, OptionError, QuestionnaireError
from csat.fuzzy import OPERATORS, evaluate
from csat.fuzzy.membership import level_memberships, share, triangular
from csat.fuzzy.verdict import between
from csat.indices import index
from csat.moments import Recode
from csat.questionnaire import GRADES, Dimension, Grade, Item, Questionnaire, Scale

CODES = tuple(grade.code for grade in GRADES)
SCORES = np.array([grade.score for grade in GRADES])

# SPSSAU's published clothing example (five factors, four grades; blog.csdn.net/m0_37228052/article/details/122450039).
CLOTHES = [[0.2, 0.5, 0.3, 0.0], [0.1, 0.3, 0.5, 0.1], [0.0, 0.1, 0.6, 0.3], [0.0, 0.4, 0.5, 0.1], [0.5, 0.3, 0.2, 0.0]]
CLOTHES_WEIGHTS = [0.1, 0.1, 0.15, 0.3, 0.35]


@dataclass(frozen=True)
class Answers:
    """A source over one Arrow batch, by csat's own kernel."""

    frame: pd.DataFrame
    questionnaire: Questionnaire
    design: Design

    def batch(self) -> pa.RecordBatch:
        return pa.RecordBatch.from_pandas(self.frame, preserve_index=False)

    def _midpoint(self, name: str | Recode) -> float:
        return name.midpoint if isinstance(name, Recode) else self.questionnaire.scale_of(name).midpoint

    def groups(self, names, by=(), rule="available"):
        middle = np.array([self._midpoint(name) for name in names])
        return reduction.groups([self.batch()], names, middle, by=by, rule=rule, design=self.design)

    def levels(self, names, by=()):
        values = [self.questionnaire.scale_of(name).levels for name in names]
        return reduction.levels([self.batch()], names, values, by=by, design=self.design)


FIVE = Scale("five", 1, 5, conversion="grade")
TEN = Scale("ten", 1, 10, missing={98: "dont_know"})


def asked(scale: Scale, grades: tuple[Grade, ...] = GRADES) -> Questionnaire:
    return Questionnaire(
        "two-level",
        items=tuple(Item(code, scale) for code in ("a1", "a2", "b1", "b2")),
        dimensions=(
            Dimension("whole", {}, ("a", "b"), (0.7, 0.3)),
            Dimension("a", {}, ("a1", "a2")),
            Dimension("b", {}, ("b1", "b2"), (0.25, 0.75)),
        ),
        root="whole",
        grades=grades,
    )


def answers(scale: Scale, grades: tuple[Grade, ...] = GRADES, size: int = 240) -> Answers:
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.integers(scale.low, scale.high + 1, (size, 4)), columns=["a1", "a2", "b1", "b2"]).astype(
        float
    )
    frame = frame.mask(rng.random((size, 4)) < 0.1)
    frame["w"] = rng.uniform(0.5, 2.0, size)
    frame["city"] = rng.choice(["north", "south"], size)
    frame["hall"] = rng.integers(0, 9, size).astype(str)
    frame["brand"] = rng.choice(["x", "y"], size)
    return Answers(frame, asked(scale, grades), Design(weight="w", stratum="city", psu="hall"))


# ------------------------------------------------------------------------------------------- typed-in matrices


@pytest.mark.parametrize(
    ("operator", "composite", "verdict"),
    [
        ("weighted-average", [0.205, 0.320, 0.390, 0.085], "average"),  # as printed by SPSSAU
        ("min-max", [0.35 / 1.1, 0.30 / 1.1, 0.30 / 1.1, 0.15 / 1.1], "very welcome"),
        ("product-max", [0.175 / 0.49, 0.12 / 0.49, 0.15 / 0.49, 0.045 / 0.49], "very welcome"),
        ("min-sum", [0.55 / 2.65, 0.90 / 2.65, 0.85 / 2.65, 0.35 / 2.65], "welcome"),
        ("product-sum", [0.205, 0.320, 0.390, 0.085], "average"),
    ],
)
def test_the_clothing_example_and_how_its_verdict_depends_on_the_operator(operator, composite, verdict):
    matrix = pd.DataFrame(CLOTHES, columns=["very welcome", "welcome", "average", "not welcome"])
    found = evaluate(matrix, weights=CLOTHES_WEIGHTS, operator=operator)
    np.testing.assert_allclose(found.membership[0], composite, atol=1e-12)
    assert found.verdicts()["verdict"][0] == verdict
    assert np.isnan(found.verdicts()["score"][0])  # these four grades have no scores


@pytest.mark.parametrize(
    ("operator", "raw"),
    [
        ("product-sum", [0.205, 0.320, 0.390, 0.085]),  # .02 + .01 + 0 + 0 + .175; .05 + .03 + .015 + .12 + .105; …
        ("weighted-average", [0.205, 0.320, 0.390, 0.085]),
        ("min-max", [0.35, 0.30, 0.30, 0.15]),  # min(.35, .5); min(.3, .4); min(.3, .5); min(.15, .3)
        ("product-max", [0.175, 0.12, 0.15, 0.045]),  # .35·.5; .3·.4; .3·.5; .15·.3
        ("min-sum", [0.55, 0.90, 0.85, 0.35]),  # .1 + .1 + 0 + 0 + .35; .1 + .1 + .1 + .3 + .3; …
    ],
)
def test_raw_composites_of_the_clothing_example_by_hand(operator, raw):
    np.testing.assert_allclose(evaluate(CLOTHES, weights=CLOTHES_WEIGHTS, operator=operator).raw[0], raw, atol=1e-12)


def test_raw_composites_are_kept_beside_the_normalised_ones():
    found = evaluate(CLOTHES, weights=CLOTHES_WEIGHTS, operator="min-sum")
    np.testing.assert_allclose(found.raw[0], [0.55, 0.90, 0.85, 0.35])
    np.testing.assert_allclose(found.membership.sum(axis=1), 1)


def test_a_small_matrix_by_hand():
    found = evaluate([[0.5, 0.3, 0.2, 0, 0], [0, 0.2, 0.4, 0.3, 0.1]], weights=[0.6, 0.4]).verdicts()
    assert found["term"].tolist() == ["composite", "factor1", "factor2"]
    assert found["kind"].tolist() == ["index", "item", "item"]
    np.testing.assert_allclose(found.loc[0, list(CODES)].astype(float), [0.30, 0.26, 0.28, 0.12, 0.04])
    assert found["score"][0] == pytest.approx(73.2)  # 30 + 20.8 + 16.8 + 4.8 + 0.8
    assert found["verdict"][0] == "very_satisfied"
    assert (found["upper"][0], found["lower"][0], found["nearer"][0]) == (
        "satisfied",
        "basically_satisfied",
        "satisfied",
    )


def test_score_is_the_centroid_that_scikit_fuzzy_finds():
    """Bars of equal width on the grade scores: scikit-fuzzy's centroid of area is the score."""
    found = evaluate([[0.5, 0.3, 0.2, 0, 0], [0, 0.2, 0.4, 0.3, 0.1]], weights=[0.6, 0.4])
    x = np.concatenate([[score - 1, score - 1, score + 1, score + 1] for score in SCORES[::-1]])
    bars = np.concatenate([[0, b, b, 0] for b in found.membership[0][::-1]])
    centroid = skfuzzy.defuzz(x, bars, "centroid")
    assert found.score.estimate[0] == pytest.approx(centroid)


def test_columns_named_by_grade_may_stand_in_any_order():
    rows = pd.DataFrame([[0.5, 0.3, 0.2, 0, 0], [0, 0.2, 0.4, 0.3, 0.1]], index=["net", "hall"], columns=list(CODES))
    straight = evaluate(rows, weights=[0.6, 0.4])
    mixed = evaluate(rows[list(CODES)[::-1]], weights={"hall": 0.4, "net": 0.6})
    np.testing.assert_array_equal(straight.membership, mixed.membership)
    assert mixed.score.term == ("composite", "net", "hall")


def test_numbered_frames_get_the_default_grades():
    found = evaluate(pd.DataFrame([[0.5, 0.3, 0.2, 0, 0]]), weights=[1.0])
    assert found.grades == CODES
    assert found.score.term == ("composite", "factor1")


def test_other_column_names_are_kept_with_the_default_scores():
    matrix = pd.DataFrame([[0.5, 0.3, 0.2, 0, 0]], columns=["很满意", "满意", "基本满意", "不满意", "很不满意"])
    found = evaluate(matrix, weights=[1.0]).verdicts()
    assert found["verdict"][0] == "很满意"
    assert found["score"][0] == pytest.approx(86)


# ------------------------------------------------------------------------------------------------------ verdict


def test_the_published_score_lies_between_satisfied_and_basically_satisfied():
    place = between(68.22, CODES, SCORES)  # Gansu Mobile customer-satisfaction study: composite 68.22
    assert (place.upper, place.lower, place.nearer) == ("satisfied", "basically_satisfied", "basically_satisfied")
    assert place.position == pytest.approx((68.22 - 60) / 20)


@pytest.mark.parametrize(
    ("score", "upper", "lower", "nearer"),
    [
        (100, "very_satisfied", "very_satisfied", "very_satisfied"),
        (80, "satisfied", "satisfied", "satisfied"),
        (90, "very_satisfied", "satisfied", "very_satisfied"),
        (20, "very_dissatisfied", "very_dissatisfied", "very_dissatisfied"),
        (5, "very_dissatisfied", "very_dissatisfied", "very_dissatisfied"),
        (float("nan"), "", "", ""),
    ],
)
def test_where_a_score_lies(score, upper, lower, nearer):
    place = between(score, CODES, SCORES)
    assert (place.upper, place.lower, place.nearer) == (upper, lower, nearer)


# --------------------------------------------------------------------------------------------------- membership


def test_cut_points_are_inclusive_lower_bounds():
    found = share(np.array([100, 80, 79.99, 60, 59, 40, 20, 19, 0]), GRADES).argmax(axis=1)
    assert found.tolist() == [0, 0, 1, 1, 2, 2, 3, 4, 4]


def test_five_levels_are_matched_grade_by_grade():
    levels = FIVE.levels
    found = level_memberships(Item("x", FIVE), GRADES, levels)
    np.testing.assert_array_equal(found, np.eye(5)[::-1])


def test_triangles_give_the_score_back():
    scores = np.linspace(20, 100, 33)
    found = triangular(scores, GRADES)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found @ SCORES, scores)
    assert (np.count_nonzero(found, axis=1) <= 2).all()
    np.testing.assert_array_equal(triangular(np.array([0.0, 11.1]), GRADES), [[0, 0, 0, 0, 1]] * 2)


# ------------------------------------------------------------------------------------------------------- survey


def test_memberships_are_the_weighted_shares_of_the_answers():
    source = answers(FIVE)
    found = evaluate(source).verdicts().set_index("term")
    frame = source.frame.dropna(subset=["a1"])
    by_hand = frame.groupby("a1")["w"].sum() / frame["w"].sum()
    np.testing.assert_allclose(found.loc["a1", list(CODES)].astype(float), by_hand.to_numpy()[::-1])
    assert found.loc["a1", "n"] == len(frame)
    assert found.loc["a1", "left_out"] == len(source.frame) - len(frame)
    assert found.loc["whole", "left_out"] == source.frame[["a1", "a2", "b1", "b2"]].isna().sum().sum()


def test_composites_use_the_weights_of_the_tree():
    found = evaluate(answers(FIVE)).verdicts().set_index("term")[list(CODES)].astype(float)
    np.testing.assert_allclose(found.loc["b"], 0.25 * found.loc["b1"] + 0.75 * found.loc["b2"])
    np.testing.assert_allclose(found.loc["whole"], 0.7 * found.loc["a"] + 0.3 * found.loc["b"])
    np.testing.assert_allclose(found.sum(axis=1), 1)


@pytest.mark.parametrize("by", [None, "brand", ["city", "brand"]])
def test_the_score_of_graded_items_is_the_index_with_the_same_standard_errors(by):
    source = answers(FIVE)
    found, other = evaluate(source, by), index(source, by)
    np.testing.assert_allclose(found.score.estimate, other.estimates.estimate)
    np.testing.assert_allclose(found.score.vcov, other.estimates.vcov, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.score.n_eff, other.estimates.n_eff)
    np.testing.assert_allclose(found.membership @ SCORES, found.score.estimate)


def test_triangles_down_to_zero_make_the_score_the_index_of_any_scale():
    whole = (*GRADES[:-1], Grade("worst", {}, 0.0, 0.0))
    source = answers(TEN, whole)
    found, other = evaluate(source, "brand", membership="triangular"), index(source, "brand")
    np.testing.assert_allclose(found.score.estimate, other.estimates.estimate)
    np.testing.assert_allclose(found.score.se, other.estimates.se)
    np.testing.assert_allclose(found.membership @ found.grade_scores, found.score.estimate)


@pytest.mark.parametrize("membership", ["share", "triangular"])
def test_score_is_always_membership_times_grade_scores(membership):
    found = evaluate(answers(TEN), "brand", membership=membership)
    np.testing.assert_allclose(found.membership @ SCORES, found.score.estimate)
    assert (found.score.se > 0).all()


def test_every_operator_climbs_the_tree_one_level_at_a_time():
    source = answers(FIVE)
    for name, compose in OPERATORS.items():
        found = evaluate(source, operator=name).verdicts().set_index("term")[list(CODES)].astype(float)
        b = compose(np.array([0.25, 0.75]), found.loc[["b1", "b2"]].to_numpy())
        np.testing.assert_allclose(found.loc["b"], b / b.sum())
        whole = compose(np.array([0.7, 0.3]), found.loc[["a", "b"]].to_numpy())
        np.testing.assert_allclose(found.loc["whole"], whole / whole.sum())


def test_without_draws_only_linear_operators_have_a_standard_error():
    source = answers(FIVE)
    assert np.isfinite(evaluate(source, operator="product-sum", over=()).score.se).all()
    found = evaluate(source, operator="min-max", over=())
    assert np.isnan(found.score.se).all()
    assert np.isnan(found.probability).all()
    assert not found.decided.any()
    assert found.glance()["variance"][0] == "none"
    assert found.verdicts()["note"][0] == "nothing was drawn again: no standard error"
    np.testing.assert_allclose(found.membership @ SCORES, found.score.estimate)


def test_an_unanswered_item_spoils_only_what_stands_above_it():
    source = answers(FIVE)
    frame = source.frame.assign(b2=source.frame["b2"].mask(source.frame["brand"] == "y"))
    found = evaluate(replace(source, frame=frame), "brand").verdicts().set_index(["brand", "term"])
    assert found.loc[("y", "b2"), "verdict"] == ""
    assert found.loc[("y", "whole"), "note"] == "no valid answers"
    assert np.isnan(found.loc[("y", "whole"), "score"])
    assert np.isfinite(found.loc[("y", "a"), "score"])
    assert np.isfinite(found.loc[("x", "whole"), "score"])


def test_tidy_and_glance_have_the_promised_columns():
    found = evaluate(answers(FIVE), "brand")
    assert found.verdicts().columns.tolist() == [
        *("term", "brand", "kind", "depth", *CODES, "score", "se", "low", "high", "verdict", "probability"),
        *("decided", "tied", "effectiveness", "effective", "characteristic", "closest"),
        *("upper", "lower", "position", "nearer", "n", "n_eff", "left_out", "note"),
    ]
    assert found.glance()[["operator", "membership"]].to_numpy().tolist() == [["weighted-average", "share"]]
    assert repr(found).startswith("Evaluation: 14 rows") and "verdicts() has them all" not in repr(found)


def test_the_level_widens_the_interval():
    narrow, wide = (evaluate(answers(FIVE), level=level).verdicts() for level in (0.8, 0.99))
    assert ((wide["high"] - wide["low"]) > (narrow["high"] - narrow["low"])).all()


# -------------------------------------------------------------------------------------------------- wrong input


@pytest.mark.parametrize(
    ("matrix", "weights", "wording"),
    [
        ([[0.5, 0.4]], [1], r"memberships of factor 'factor1' sum to 0\.9, not 1.*Divide the row"),
        (
            [[0.5, 0.5], [1.5, -0.5]],
            [0.5, 0.5],
            r"factor 'factor2' in grade 'grade1' is 1\.5; it must lie between 0 and 1",
        ),
        ([[np.nan, 1.0]], [1], r"factor 'factor1' in grade 'grade1' is nan"),
        ([[0.5, 0.5]], [0.4, 0.6], "factor weights: 1 needed, 2 found"),
        ([[0.5, 0.5]], [0.7], r"factor weights sum to 0\.7, not 1"),
        (
            [[0.5, 0.5], [0.5, 0.5]],
            [1.5, -0.5],
            r"weight of factor 'factor2' is -0\.5; weights are finite and 0 or more",
        ),
        ([[0.5, 0.5]], ["much"], "factor weights: 1 numbers needed"),
        ([["high", "low"]], [1], "a table of numbers needed"),
        ([[1, 0], [1]], [0.5, 0.5], "a table of numbers needed"),
        ([], [1], "rows and columns needed"),
        ([1.0], [1], "rows and columns needed"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused(matrix, weights, wording):
    with pytest.raises(MembershipError, match=wording):
        evaluate(matrix, weights=weights)


def test_weights_by_name_must_name_every_factor():
    matrix = pd.DataFrame([[1.0, 0.0], [0.0, 1.0]], index=["net", "hall"])
    with pytest.raises(MembershipError, match=r"\['hall', 'net'\] needed, \['net', 'shop'\] found"):
        evaluate(matrix, weights={"net": 0.5, "shop": 0.5})


def test_grades_must_fit_the_columns():
    with pytest.raises(MembershipError, match="5 columns needed, 2 columns found"):
        evaluate([[0.5, 0.5]], weights=[1], grades=GRADES)


@pytest.mark.parametrize(
    ("options", "wording"),
    [
        ({"operator": "max-max"}, "operator='max-max' is not known; choose one of 'weighted-average', 'min-max'"),
        ({"membership": "bell"}, "membership='bell' is not known; choose one of 'share', 'triangular'"),
        ({"level": 95}, r"level=95: the confidence level lies between 0 and 1"),
        ({"weights": [1]}, r"weights= of a survey are weights by code.*found list \[1\]"),
        ({"weights": {"a": "much"}}, "weights= of a survey are weights by code"),
        ({"over": ("judges",)}, "over='judges' is not known; choose one of 'answers', 'weights'"),
        ({"replicates": 1}, "replicates=1: a whole number from 2 to 100000"),
        ({"seed": -1}, "seed=-1: a whole number"),
        ({"of": "median"}, "of='median' is not known; choose one of 'answers', 'mean'"),
        ({"grades": ["good"]}, "grades is a list of csat.questionnaire.Grade"),
        ({"by": "grade"}, "column 'grade' has the name of a result's column"),
    ],
)
def test_unknown_options_are_refused(options, wording):
    with pytest.raises(OptionError, match=wording):
        evaluate(answers(FIVE), **options)


def test_a_matrix_needs_weights_and_has_no_groups():
    with pytest.raises(OptionError, match="needs weights="):
        evaluate([[0.5, 0.5]])
    with pytest.raises(OptionError, match="by= needs a survey"):
        evaluate([[0.5, 0.5]], "brand", weights=[1])


def test_continuous_scales_cannot_be_counted():
    source = answers(FIVE)
    wanted = asked(Scale("slider", 0, 100, step=None))
    with pytest.raises(
        MembershipError, match=r"Item 'a1' has the continuous scale 'slider'.*\[scales\.slider\] step = 1"
    ):
        evaluate(source, questionnaire=wanted)


def test_a_study_without_a_tree_is_refused():
    bare = Questionnaire("bare", items=(Item("a1", FIVE),))
    with pytest.raises(QuestionnaireError, match="has no index tree"):
        evaluate(answers(FIVE), questionnaire=bare)


def test_the_study_file_decides_membership_and_operator(tmp_path):
    from csat.fuzzy.membership import MEMBERSHIPS
    from csat.fuzzy.operators import OPERATORS
    from csat.questionnaire.settings import FUZZY

    assert {key: set(FUZZY[key]) for key in FUZZY} == {"membership": set(MEMBERSHIPS), "operator": set(OPERATORS)}
    text = (
        '[study]\nname="s"\nindex="i"\n[scales.ten]\nlow=1\nhigh=10\n[items]\na={scale="ten"}\n'
        '[dimensions.i]\nchildren=["a"]\n[fuzzy]\nmembership="triangular"\n'
    )
    path = tmp_path / "study.toml"
    path.write_text(text, encoding="utf-8")
    asked = csat.read_questionnaire(path)
    source = csat.read_survey(pd.DataFrame({"a": [5, 7, 8, 9]}), asked)
    chosen, named = csat.evaluate(source), csat.evaluate(source, membership="triangular")
    np.testing.assert_array_equal(chosen.membership, named.membership)
    assert not np.allclose(chosen.membership, csat.evaluate(source, membership="share").membership)
    path.write_text(text.replace("triangular", "triangle"), encoding="utf-8")
    with pytest.raises(csat.CsatError, match=r"\[fuzzy\].*membership.*'triangle' is none of share, triangular"):
        csat.read_questionnaire(path)
