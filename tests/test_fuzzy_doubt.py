"""How sure a verdict is: draws of respondents and weights, every design, operators, sensitivity, differences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import csat
from csat.errors import MembershipError, OptionError, SampleError
from csat.fuzzy import OPERATORS
from csat.fuzzy.verdict import closeness, effective, effectiveness
from csat.questionnaire import GRADES, Dimension, Grade, Item, Questionnaire, Scale

FIVE = Scale("five", 1, 5, conversion="grade", missing={98: "dont_know"})
TEN = Scale("ten", 1, 10)
SLIDER = Scale("slider", 0, 100, step=None)
ITEMS = ("a1", "a2", "b1", "b2")
CODES = [grade.code for grade in GRADES]
SCORES = np.array([grade.score for grade in GRADES])
CLOTHES = [[0.2, 0.5, 0.3, 0.0], [0.1, 0.3, 0.5, 0.1], [0.0, 0.1, 0.6, 0.3], [0.0, 0.4, 0.5, 0.1], [0.5, 0.3, 0.2, 0.0]]
CLOTHES_WEIGHTS = [0.1, 0.1, 0.15, 0.3, 0.35]


def asked(scale: Scale = FIVE) -> Questionnaire:
    return Questionnaire(
        "s",
        scales=(scale,),
        items=tuple(Item(code, scale) for code in (*ITEMS, "c1")),
        dimensions=(
            Dimension("whole", {}, ("a", "b"), (0.7, 0.3)),
            Dimension("a", {}, ("a1", "a2")),
            Dimension("b", {}, ("b1", "b2"), (0.25, 0.75)),
        ),
        root="whole",
    )


def rows(n: int = 400, seed: int = 0, low: int = 1, high: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    taste = rng.normal(0, 1, (n, 1))
    spread = (high - low) / 4
    answers = np.clip(np.round((low + high) / 2 + spread * (taste + rng.normal(0.4, 1, (n, 5)))), low, high)
    frame = pd.DataFrame(answers, columns=[*ITEMS, "c1"]).mask(rng.random((n, 5)) < 0.1)
    return frame.assign(
        w=rng.uniform(0.5, 2, n), g=rng.choice(["x", "y", "z"], n), psu=rng.integers(0, 25, n).astype(str),
        st=np.where(np.arange(n) < n // 2, "s", "t"), units=60.0, members=40.0,
    )  # fmt: skip


def survey(frame: pd.DataFrame | None = None, scale: Scale = FIVE, **design) -> csat.Survey:
    return csat.read_survey(rows() if frame is None else frame, asked(scale), design=csat.Design(**design))


DESIGNS = {
    "respondents": {},
    "weights": {"weight": "w"},
    "strata": {"weight": "w", "stratum": "st"},
    "units": {"weight": "w", "psu": "psu"},
    "units in strata": {"weight": "w", "stratum": "st", "psu": "psu"},
    "jackknife": {"psu": "psu", "replication": csat.Replication("JKn")},
    "bootstrap": {"psu": "psu", "replication": csat.Replication("bootstrap", size=1000, seed=3)},
    "two stages": {"weight": "w", "psu": "psu", "fpc": "units", "fpc2": "members"},
    "lone rule": {"stratum": "st", "psu": "psu", "lone_psu": "adjust"},
}


# ---------------------------------------------------------------------------------------------------- uncertainty


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_draws_have_the_spread_that_the_design_gives_the_score(design):
    source = survey(**design)
    found = csat.evaluate(source, "g", replicates=4000)
    drawn = found.state.redrawn(OPERATORS["weighted-average"], slice(0, 3)) @ SCORES
    assert_allclose(drawn.reshape(len(drawn), -1).std(axis=0, ddof=1), found.score.se, rtol=0.08)
    assert_allclose(drawn.mean(axis=0).ravel(), found.score.estimate, atol=0.3 * found.score.se.max())
    assert_allclose(found.score.se, csat.index(source, by="g").estimates.se, rtol=1e-9)


@pytest.mark.parametrize("design", DESIGNS.values(), ids=DESIGNS)
def test_memberships_of_items_have_the_standard_errors_of_shares(design):
    source = survey(**design)
    found = csat.evaluate(source, replicates=4000).tidy().set_index(["node", "grade"])
    top = csat.Recode("top", "a1", {level: float(level == 5) for level in range(1, 6)})
    share = csat.mean(source, [top])
    row = found.loc[("a1", "very_satisfied")]
    assert row["membership"] == pytest.approx(share.estimate[0])
    assert row["se"] == pytest.approx(share.se[0], rel=0.08)
    assert row["low"] < row["membership"] < row["high"]


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_has_probabilities_errors_and_intervals(operator):
    found = csat.evaluate(survey(weight="w"), "g", operator=operator)
    assert_allclose(found.probability.sum(axis=1), 1)
    assert (found.score.se > 0).all()
    low, high = found.score.interval
    assert (low < found.score.estimate).all()
    assert (found.score.estimate < high).all()
    best = [found.grades.index(grade) for grade in found.verdict]
    assert_array_equal(found.certainty, found.probability[np.arange(len(best)), best])
    assert_array_equal(found.decided, (found.certainty >= 0.95) & ~found.tied)


def test_the_seed_reproduces_and_another_one_differs():
    source = survey()
    one, same, other = (csat.evaluate(source, seed=seed, replicates=100) for seed in (1, 1, 2))
    assert_array_equal(one.probability, same.probability)
    assert_array_equal(one.membership_se, same.membership_se)
    assert not np.array_equal(one.membership_se, other.membership_se)


def test_large_surveys_draw_random_groups_of_respondents(monkeypatch):
    from csat.survey import rows as kept

    monkeypatch.setattr(kept, "DRAWN_ROWS", 1000)
    found = csat.evaluate(survey(rows(6000), weight="w"), "g", replicates=2000)
    assert "bootstrap of random groups of respondents" in str(found.notes[0])
    drawn = found.state.redrawn(OPERATORS["weighted-average"], slice(0, 3)) @ SCORES
    assert_allclose(drawn.reshape(2000, -1).std(axis=0, ddof=1), found.score.se, rtol=0.15)


def test_clusters_make_a_verdict_less_sure():
    rng = np.random.default_rng(4)
    level = np.repeat(rng.normal(0, 1, 20), 20)
    answers = np.clip(np.round(3.6 + level[:, None] + rng.normal(0, 0.8, (400, 5))), 1, 5)
    frame = pd.DataFrame(answers, columns=[*ITEMS, "c1"]).assign(psu=np.repeat(np.arange(20), 20).astype(str))
    alone, together = csat.evaluate(survey(frame)), csat.evaluate(survey(frame, psu="psu"))
    assert_array_equal(alone.membership, together.membership)
    assert (together.membership_se[0] > 1.8 * alone.membership_se[0]).sum() >= 4
    assert together.certainty[0] < alone.certainty[0]
    assert "bootstrap of sampling units" in str(together.notes[0])


def test_a_row_of_weight_two_counts_as_two_rows():
    frame = rows(120).assign(w=1.0)
    frame.loc[:39, "w"] = 2.0
    doubled = pd.concat([frame, frame[:40]], ignore_index=True).assign(w=1.0)
    for operator in OPERATORS:
        one = csat.evaluate(survey(frame, weight="w"), operator=operator, over=())
        two = csat.evaluate(survey(doubled, weight="w"), operator=operator, over=())
        assert_allclose(one.raw, two.raw, atol=1e-12)


def test_each_group_is_the_evaluation_of_its_part_under_the_whole_design():
    source = survey(weight="w", stratum="st", psu="psu")
    whole = csat.evaluate(source, "g", operator="min-max", replicates=300)
    at = whole.tidy()["g"] == "y"
    part = csat.evaluate(source.where(g="y"), operator="min-max", replicates=300)
    columns = ["membership", "se", "low", "high", "probability", "n"]
    assert_allclose(whole.tidy().loc[at, columns], part.tidy()[columns], rtol=1e-9)


def test_many_groups_in_blocks_are_the_same_as_few(monkeypatch):
    from csat.fuzzy import draws, state

    source = survey(weight="w", psu="psu")
    whole = csat.evaluate(source, "g", operator="min-sum", replicates=50)
    monkeypatch.setattr(draws, "PRODUCTS", 1)
    monkeypatch.setattr(state, "AT_ONCE", 1)
    parts = csat.evaluate(source, "g", operator="min-sum", replicates=50)
    assert_allclose(whole.membership_se, parts.membership_se, rtol=1e-9)
    assert_array_equal(whole.probability, parts.probability)


def test_probabilities_hit_as_often_as_they_say():
    """Of 150 small surveys, verdicts given a probability of p are true in about p of them (a coarse check)."""
    rng = np.random.default_rng(8)
    truth = np.array([0.05, 0.13, 0.28, 0.32, 0.22])  # shares of levels 1 … 5: "satisfied" leads by a little
    said, right = [], []
    for _ in range(150):
        answers = rng.choice(5, (120, 5), p=truth) + 1.0
        found = csat.evaluate(survey(pd.DataFrame(answers, columns=[*ITEMS, "c1"])), replicates=100)
        item = found.score.term.index("a1")
        said.append(found.certainty[item])
        right.append(found.verdict[item] == "satisfied")
    assert np.mean(said) == pytest.approx(np.mean(right), abs=0.12)
    sure = np.array(said) > 0.9
    assert np.mean(np.array(right)[sure]) > 0.85


def test_one_answer_or_one_unit_tells_no_probability():
    frame = rows(60)
    frame["a1"] = np.where(np.arange(60) == 0, 4.0, np.nan)
    found = csat.evaluate(survey(frame), operator="min-max")
    table = found.verdicts().set_index("term")
    assert np.isnan(table.loc[["a1", "a", "whole"], "probability"]).all()
    assert np.isfinite(table.loc[["b1", "b"], "probability"]).all()
    assert table.loc["a1", "note"] == "only one valid answer: no variance"


def test_calibrated_weights_give_less_doubt_than_taken_as_given():
    frame = rows(300).assign(half=lambda f: np.where(f["a1"].fillna(3) > 3, "up", "down"))
    source = survey(frame)
    weighted = csat.calibrate(source, {"half": {"up": 150, "down": 150}})
    found = csat.evaluate(weighted, replicates=2000)
    assert str(found.notes[0]).endswith("normal draws, linearisation.")
    drawn = found.state.redrawn(OPERATORS["weighted-average"], slice(0, 1)) @ SCORES
    assert_allclose(drawn.reshape(2000, -1).std(axis=0, ddof=1), found.score.se, rtol=0.08)


# ------------------------------------------------------------------------------------------- memberships of means


def test_membership_of_the_mean_by_hand():
    frame = pd.DataFrame([[5, 4, 2, 5, 3], [4, 4, 1, 5, 3.0]], columns=[*ITEMS, "c1"])
    found = csat.evaluate(survey(frame), of="mean", membership="triangular", over=()).verdicts().set_index("term")
    assert_allclose(found.loc["a1", CODES].astype(float), [0.5, 0.5, 0, 0, 0])  # mean 90, between 100 and 80
    assert_allclose(found.loc["b1", CODES].astype(float), [0, 0, 0, 0.5, 0.5])  # mean 30, between 40 and 20
    assert_allclose(found.loc["b", CODES].astype(float), [0.75, 0, 0, 0.125, 0.125])  # b2 is all 100, weight .75
    shared = csat.evaluate(survey(frame), of="mean", membership="share", over=()).verdicts().set_index("term")
    assert shared.loc["b1", "verdict"] == "dissatisfied"  # 30 reaches the cut of 20, not that of 40


def test_published_means_can_be_evaluated_too():
    cov = pd.DataFrame(np.eye(4) * 0.64 + 0.16, columns=list(ITEMS), index=list(ITEMS))
    source = csat.from_covariance(cov, 200, [4.2, 3.8, 3.5, 4.4])
    found = csat.evaluate(source, of="mean", membership="triangular", questionnaire=asked(), replicates=2000)
    table = found.verdicts().set_index("term")
    assert table.loc["a1", "score"] == pytest.approx(84)  # 20 points per level
    assert table.loc["a1", "se"] == pytest.approx(20 * np.sqrt(0.8 / 200), rel=0.08)
    assert str(found.notes[0]).endswith("normal draws, linearisation.")
    with pytest.raises(SampleError, match="rows"):
        csat.evaluate(source, questionnaire=asked())


def test_the_mean_hides_how_far_customers_are_apart():
    frame = pd.DataFrame([[5.0] * 5, [1.0] * 5] * 30, columns=[*ITEMS, "c1"])
    answers, mean = (csat.evaluate(survey(frame), of=of, membership="triangular") for of in ("answers", "mean"))
    assert_allclose(answers.membership[0], [0.5, 0, 0, 0, 0.5])
    assert_allclose(mean.membership[0], [0, 0, 1, 0, 0])
    assert answers.score.estimate[0] == pytest.approx(mean.score.estimate[0])


def test_continuous_answers_are_cut_or_spread_over_the_grades():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame(rng.uniform(0, 100, (200, 5)), columns=[*ITEMS, "c1"])
    source = survey(frame, SLIDER)
    cut = csat.evaluate(source, over=()).verdicts().set_index("term")
    by_hand = pd.cut(frame["a1"], [-1, 20, 40, 60, 80, 101], right=False).value_counts(sort=False, normalize=True)
    assert_allclose(cut.loc["a1", CODES].astype(float), by_hand.to_numpy()[::-1])
    spread = csat.evaluate(source, membership="triangular").verdicts().set_index("term")
    assert spread.loc["a1", "score"] == pytest.approx(frame["a1"].clip(20, 100).mean())
    empty = csat.evaluate(survey(frame.assign(b1=np.nan), SLIDER)).verdicts().set_index("term")
    assert empty.loc["b1", "note"] == "no valid answers"
    assert empty.loc["b1", "left_out"] == 200


def test_dont_know_is_left_out_and_counted():
    frame = rows(100)
    frame["a1"] = frame["a1"].fillna(98)
    found = csat.evaluate(survey(frame)).verdicts().set_index("term")
    assert found.loc["a1", "left_out"] == (frame["a1"] == 98).sum() > 0
    assert found.loc["a1", CODES].astype(float).sum() == pytest.approx(1)


# ---------------------------------------------------------------------------------------------- grades and weights


@pytest.mark.parametrize("count", [2, 3, 7])
def test_grades_are_free_in_number_and_name(count):
    steps = np.linspace(100, 0, count)
    grades = [Grade(f"级{i}", {"zh": f"级{i}"}, float(s), float(100 - 100 * (i + 1) / count) if i < count - 1 else 0.0)
              for i, s in enumerate(steps)]  # fmt: skip
    found = csat.evaluate(survey(rows(200, low=1, high=10), TEN), grades=grades, membership="triangular")
    assert found.membership.shape == (7, count)
    assert found.grades == tuple(f"级{i}" for i in range(count))
    assert_allclose(found.score.estimate, csat.index(survey(rows(200, low=1, high=10), TEN)).estimates.estimate)


def test_weights_by_code_reweigh_a_dimension():
    found = csat.evaluate(survey(), weights={"b2": 0.5, "b1": 0.5}).verdicts().set_index("term")[CODES].astype(float)
    assert_allclose(found.loc["b"], (found.loc["b1"] + found.loc["b2"]) / 2)
    assert_allclose(found.loc["whole"], 0.7 * found.loc["a"] + 0.3 * found.loc["b"])
    table = {"b": {"b1": 0.5, "b2": 0.5}, "whole": {"a": 0.2, "b": 0.8}}
    both = csat.evaluate(survey(), weights=table).verdicts().set_index("term")[CODES].astype(float)
    assert_allclose(both.loc["whole"], 0.2 * found.loc["a"] + 0.8 * found.loc["b"])


def test_other_factors_make_a_tree_of_one_level():
    found = csat.evaluate(survey(), weights={"c1": 0.4, "b": 0.6}).verdicts().set_index("term")
    assert found.index.tolist() == ["composite", "c1", "b", "b1", "b2"]
    assert found["kind"].tolist() == ["index", "item", "dimension", "item", "item"]
    assert found["depth"].tolist() == [0, 1, 1, 2, 2]
    figures = found[CODES].astype(float)
    assert_allclose(figures.loc["composite"], 0.4 * figures.loc["c1"] + 0.6 * figures.loc["b"])


class Judged:
    """Weights that can be drawn, as `csat.factor_weights` and `csat.ahp` give them."""

    def __init__(self, values: dict[str, float], spread: float):
        from csat.fuzzy.weights import without_uncertainty

        self.weights = self
        self.estimates = without_uncertainty(
            list(values), np.array(list(values.values())), "given", "no_answers"
        ).estimates
        self.spread = spread

    def draws(self, size: int, seed: int) -> np.ndarray:
        noise = np.random.default_rng(seed).normal(0, self.spread, (size, len(self.estimates.term)))
        found = np.maximum(self.estimates.estimate + noise, 0)
        return found / found.sum(axis=1, keepdims=True)


def test_drawn_weights_add_their_doubt_to_that_of_the_answers():
    judged = Judged({"a": 0.7, "b": 0.3}, 0.15)
    answers, weights, both = (
        csat.evaluate(survey(), weights=judged, over=over, replicates=3000)
        for over in ("answers", "weights", ("answers", "weights"))
    )
    assert_allclose(answers.membership, weights.membership)
    variance = answers.membership_se**2 + weights.membership_se**2
    assert_allclose(both.membership_se[0] ** 2, variance[0], rtol=0.15)
    items = [i for i, kind in enumerate(both.score.keys["kind"]) if kind == "item"]
    assert_allclose(weights.membership_se[items], 0, atol=1e-12)
    assert "Weights drawn too: whole." in map(str, both.notes)


def test_drawn_weights_of_a_typed_in_matrix():
    names = ["net", "hall", "bill", "staff", "web"]
    judged = Judged(dict(zip(names, CLOTHES_WEIGHTS, strict=True)), 0.08)
    found = csat.evaluate(CLOTHES, weights=judged, over="weights", replicates=2000)
    assert found.score.term == ("composite", *names)
    assert 0.5 < found.certainty[0] < 1
    drawn = judged.draws(2000, 1) @ np.array(CLOTHES)
    assert_allclose(found.probability[0], np.bincount(drawn.argmax(axis=1), minlength=4) / 2000, atol=1e-12)
    assert np.isnan(csat.evaluate(CLOTHES, weights=judged).probability).all()


@pytest.mark.parametrize(
    ("weights", "error", "wording"),
    [
        ({"b1": 0.5, "b2": 0.6}, MembershipError, r"sum to 1\.1, not 1"),
        ({"b1": 1.5, "b2": -0.5}, MembershipError, r"weight of factor 'b2' is -0\.5"),
        ({"b1": 0.5, "zz": 0.5}, csat.CsatError, "zz"),
        ({"b": {"b1": 1.0}}, MembershipError, "The weights of 'b'"),
        ({"zz": {"b1": 1.0}}, csat.CsatError, "zz"),
        ({"b": 0.5, "b1": 0.5}, OptionError, "'b1' counts twice"),
        ({}, OptionError, "weights= of a survey"),
    ],
)
def test_weights_that_make_no_sense_are_refused(weights, error, wording):
    with pytest.raises(error, match=wording):
        csat.evaluate(survey(), weights=weights)


def test_too_many_replicates_are_refused_before_they_are_made():
    with pytest.raises(SampleError, match="100000 replicates of 820 memberships \\(40 groups"):
        csat.evaluate(survey(rows(2000).assign(g=np.arange(2000) % 40)), "g", replicates=100_000)


# --------------------------------------------------------------------------------------------- readings of a verdict


def test_operators_side_by_side_on_the_clothing_example():
    strip = csat.evaluate(CLOTHES, weights=CLOTHES_WEIGHTS).operators().set_index(["node", "operator"])
    found = strip.loc["composite", "verdict"].to_dict()
    assert found == {
        "weighted-average": "grade3", "min-max": "grade1", "product-max": "grade1", "min-sum": "grade2",
        "product-sum": "grade3",
    }  # fmt: skip
    assert strip.loc["composite", "agree"].tolist() == [True, False, False, False, True]


def test_operators_of_a_survey_are_those_of_single_evaluations():
    source = survey(weight="w")
    strip = csat.evaluate(source, "g").operators()
    assert len(strip) == 3 * 7 * 5
    for operator in OPERATORS:
        alone = csat.evaluate(source, "g", operator=operator)
        part = strip[strip["operator"] == operator]
        assert part["verdict"].tolist() == alone.verdict
        assert_allclose(part["probability"], alone.certainty)
        assert_allclose(part["score"], alone.score.estimate)


@pytest.mark.parametrize("operator", OPERATORS)
def test_the_smallest_change_of_a_weight_flips_the_verdict_and_less_does_not(operator):
    table = csat.evaluate(CLOTHES, weights=CLOTHES_WEIGHTS, operator=operator).sensitivity()
    found = table[np.isfinite(table["change"])]
    assert len(found)
    for row in found.to_dict("records"):
        place = int(row["child"].removeprefix("factor")) - 1
        for part, verdict in ((1.0001, row["new_verdict"]), (0.999, row["verdict"])):
            moved = row["weight"] + part * row["change"]
            others = np.delete(CLOTHES_WEIGHTS, place) / (1 - row["weight"]) * (1 - moved)
            again = csat.evaluate(CLOTHES, weights=np.insert(others, place, moved), operator=operator)
            assert again.verdict[0] == verdict


def test_sensitivity_by_hand():
    """R = [.6 .4; .2 .8], A = (.75, .25): B = (.5, .5); the tie goes to the better grade until a1 falls below .75."""
    table = csat.evaluate([[0.6, 0.4], [0.2, 0.8]], weights=[0.8, 0.2]).sensitivity()
    assert_allclose(table["change"], [-0.05, 0.05], atol=1e-8)
    assert table["new_verdict"].tolist() == ["grade2", "grade2"]
    alone = csat.evaluate([[0.6, 0.4]], weights=[1.0]).sensitivity()
    assert alone["note"].tolist() == ["the only child"]
    same = csat.evaluate([[0.6, 0.4], [0.7, 0.3]], weights=[0.8, 0.2]).sensitivity()
    assert same["note"].tolist() == ["no weight from 0 to 1 flips it"] * 2


def test_sensitivity_of_every_weight_of_the_tree_in_every_group():
    table = csat.evaluate(survey(), "g").sensitivity()
    assert table.columns.tolist() == [
        "g", "parent", "child", "weight", "change", "flips_at", "verdict", "new_verdict", "note"
    ]  # fmt: skip
    assert table.groupby("g").size().tolist() == [6, 6, 6]


def test_groups_against_all_together_keep_the_overlap():
    source = survey(rows(600), weight="w")
    found = csat.evaluate(source, "g", replicates=4000).differences()
    table = found.tidy().set_index(["g", "node", "figure"])
    apart, overall = csat.evaluate(source, "g"), csat.evaluate(source)
    by_group = apart.score.tidy().set_index(["g", "term"])["estimate"]
    assert table.loc[("x", "whole", "score"), "estimate"] == pytest.approx(
        by_group["x", "whole"] - overall.score.estimate[0]
    )
    shares = source.frame(["g", "w"]).groupby("g")["w"].sum() / source.weight.sum()
    # Independent groups: group − overall ≈ (1 − share)·group − Σ share·others, for items everybody answered.
    se = apart.score.tidy().set_index(["g", "term"])["se"].xs("whole", level=1)
    expected = np.sqrt(((1 - shares["x"]) * se["x"]) ** 2 + (shares["y"] * se["y"]) ** 2 + (shares["z"] * se["z"]) ** 2)
    assert table.loc[("x", "whole", "score"), "se"] == pytest.approx(expected, rel=0.1)
    parts = table.drop("score", level="figure")["estimate"].groupby(level=[0, 1]).sum()
    assert_allclose(parts, 0, atol=1e-12)
    with pytest.raises(OptionError, match="evaluate with by="):
        overall.differences()


@pytest.mark.parametrize(
    ("membership", "alpha", "word"),
    [
        ([1, 0, 0, 0], np.inf, "wholly"),
        ([0.25, 0.25, 0.25, 0.25], 0.0, "not"),
        ([0.7, 0.1, 0.1, 0.1], (4 * 0.7 - 1) / (2 * 0.1 * 3), "very"),
        ([0.6, 0.4, 0, 0], (4 * 0.6 - 1) / (2 * 0.4 * 3), "fairly"),
        ([0.205, 0.320, 0.390, 0.085], (4 * 0.39 - 1) / (2 * 0.32 * 3), "hardly"),
    ],
)
def test_effectiveness_of_the_maximum(membership, alpha, word):
    found = effectiveness(np.array([membership], float))
    assert_allclose(found, [alpha], atol=1e-12)
    assert effective(found) == [word]


def test_closeness_weighs_what_lies_far_from_a_grade():
    found = closeness(np.array([[0.0, 0.1, 0.3, 0.45, 0.15], [1, 0, 0, 0, 0]], float))
    # Grade 4: 1·.55 + 2·(.3 + .15) + 3·.1 + 4·0 = 1.75; N = 1 − 1.75/15.
    assert found[0, 3] == pytest.approx(1 - 1.75 / 15)
    assert found[0].argmax() == 3
    assert found[1, 0] == 1


def test_defuzzified_scores_are_those_of_scikit_fuzzy():
    import skfuzzy

    found = csat.evaluate(survey())
    for method in ("centroid", "bisector", "mom", "som", "lom"):
        column = found.verdicts(defuzzify=method)["defuzzified"]
        assert column[0] == pytest.approx(skfuzzy.defuzz(SCORES[::-1], found.membership[0][::-1], method))
    with pytest.raises(OptionError, match="defuzzify='mean' is not known"):
        found.verdicts(defuzzify="mean")


def test_the_level_characteristic_value_is_the_mean_grade():
    found = csat.evaluate(CLOTHES, weights=CLOTHES_WEIGHTS).verdicts()
    assert found["characteristic"][0] == pytest.approx(0.205 + 2 * 0.32 + 3 * 0.39 + 4 * 0.085)


def test_tidy_has_a_row_per_node_and_grade():
    found = csat.evaluate(survey(), "g")
    table = found.tidy()
    assert table.columns.tolist() == [
        *("node", "g", "kind", "depth", "grade", "membership", "se", "low", "high", "probability"),
        *("n", "n_eff", "note"),
    ]
    assert len(table) == 3 * 7 * 5
    assert_allclose(table.groupby(["g", "node"])["membership"].sum(), 1)
    assert found.glance()["replicates"][0] == 500
    assert [place.upper for place in found.between] == found.verdicts()["upper"].tolist()


def test_results_do_not_depend_on_an_unused_factor_without_answers():
    frame = rows(100).assign(b1=np.nan)
    study = asked().with_weights({"b": {"b1": 0.0, "b2": 1.0}})
    found = csat.evaluate(csat.read_survey(frame, study)).verdicts().set_index("term")
    assert np.isfinite(found.loc["whole", "probability"])
    assert np.isnan(found.loc["b1", "probability"])


def test_small_leads_and_close_calls_are_said():
    found = csat.evaluate(survey(rows(60), weight="w"), "g")
    said = {(note.kind, note.figures.get("group")) for note in found.notes}
    table = found.verdicts().query("kind == 'index'")
    for row in table.to_dict("records"):
        group = f" ({row['g']})"
        assert (("close", group) in said) == (not row["decided"])
        assert (("not_effective", group) in said) == (row["effectiveness"] < 0.5)
    assert any(kind == "close" for kind, _ in said)
    assert "too close to call" in found.glance()["notes"][0]


@pytest.mark.parametrize("code", ["score", "n", "verdict", "decided"])
def test_grades_cannot_have_the_names_of_columns(code):
    with pytest.raises(OptionError, match=f"Grade '{code}' has the name of a result's column"):
        csat.evaluate(pd.DataFrame([[0.5, 0.5]], columns=[code, "other"]), weights=[1.0])


def test_judges_and_factor_weights_go_into_an_evaluation():
    source = survey(weight="w")
    judged = csat.ahp(
        {"u": [[1, 3], [1 / 3, 1]], "v": [[1, 2], [1 / 2, 1]], "w": [[1, 5], [1 / 5, 1]]}, names=["a", "b"]
    )
    found = csat.evaluate(source, weights=judged, over=("answers", "weights"), replicates=200)
    place = list(judged.weights.factors).index("a")
    assert_allclose(found.state.tree.shares["whole"][0], judged.weights.values[place])
    assert found.state.shares["whole"].shape == (200, 2)
    assert found.membership_se[0].max() > 0
    made = csat.factor_weights(source, ["a1", "a2"], method="cv")
    again = csat.evaluate(source, weights={"a": made, "whole": judged}, over="weights", replicates=100)
    assert set(again.state.shares) <= {"a", "whole"}


def test_a_saved_summary_with_units_is_evaluated_like_its_survey():
    source = survey(weight="w", stratum="st", psu="psu")
    saved = source.groups(list(ITEMS), ["g"])
    options = {"of": "mean", "membership": "ridge", "operator": "min-sum", "replicates": 200, "seed": 4}
    rows_of, sums_of = (
        csat.evaluate(source, "g", **options),
        csat.evaluate(saved, "g", questionnaire=asked(), **options),
    )
    assert_allclose(sums_of.probability, rows_of.probability)
    assert_allclose(sums_of.membership_se, rows_of.membership_se, rtol=1e-6, atol=1e-12)
    assert_array_equal(sums_of.left_out, rows_of.left_out)
