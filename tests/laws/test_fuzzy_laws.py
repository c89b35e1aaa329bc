"""Laws of B = A∘R, whatever the matrix and the weights."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose

from csat.fuzzy import OPERATORS, evaluate
from csat.fuzzy.membership import MEMBERSHIPS, score_memberships
from csat.fuzzy.operators import LINEAR
from csat.fuzzy.verdict import closeness, effectiveness
from csat.questionnaire import GRADES, Grade

unit = st.floats(0, 1, allow_nan=False, width=32)


@st.composite
def problems(draw, most=6):
    """(m, g) memberships and (m,) weights, rows and weights with sum 1; some are exactly 0 or 1."""
    m, g = draw(st.integers(1, most)), draw(st.integers(2, 6))
    rows = draw(arrays(float, (m, g), elements=unit)) + np.eye(m, g) * 1e-3
    weights = draw(arrays(float, m, elements=unit))
    assume((rows.sum(axis=1) > 0.01).all())
    assume(weights.sum() > 0.01)
    return rows / rows.sum(axis=1, keepdims=True), weights / weights.sum()


def composite(rows, weights, operator):
    return evaluate(rows, weights=weights, operator=operator).raw[0]


@pytest.mark.parametrize("operator", LINEAR)
@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_averages_stay_in_the_hull_of_the_rows(operator, problem):
    rows, weights = problem
    found = composite(rows, weights, operator)
    assert (found >= rows.min(axis=0) - 1e-9).all()
    assert (found <= rows.max(axis=0) + 1e-9).all()
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=60, deadline=None)
@given(problem=problems(), raised=arrays(float, (6, 6), elements=unit))
def test_no_composite_falls_when_memberships_rise(operator, problem, raised):
    rows, weights = problem
    more = np.maximum(rows, raised[: rows.shape[0], : rows.shape[1]])
    compose = OPERATORS[operator]
    assert (compose(weights, more) >= compose(weights, rows) - 1e-12).all()


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=60, deadline=None)
@given(problem=problems(), seed=st.integers(0, 1000))
def test_the_order_of_factors_makes_no_difference(operator, problem, seed):
    rows, weights = problem
    order = np.random.default_rng(seed).permutation(len(rows))
    assert_allclose(composite(rows[order], weights[order], operator), composite(rows, weights, operator), atol=1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=40, deadline=None)
@given(problem=problems(most=1))
def test_one_factor_is_its_own_row(operator, problem):
    rows, weights = problem
    assert_allclose(composite(rows, weights, operator), rows[0], atol=1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=40, deadline=None)
@given(problem=problems(), place=st.integers(0, 5))
def test_a_factor_with_all_the_weight_decides_alone(operator, problem, place):
    rows, _ = problem
    weights = np.zeros(len(rows))
    weights[place % len(rows)] = 1.0
    assert_allclose(composite(rows, weights, operator), rows[place % len(rows)], atol=1e-12)


@pytest.mark.parametrize("operator", OPERATORS)
@settings(max_examples=40, deadline=None)
@given(problem=problems())
def test_a_factor_of_weight_zero_does_not_count(operator, problem):
    rows, weights = problem
    more = np.vstack([rows, np.eye(rows.shape[1])[:1]])
    assert_allclose(composite(more, np.r_[weights, 0.0], operator), composite(rows, weights, operator), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_operators_are_ordered_by_what_they_let_through(problem):
    """min(a, r) ≥ a·r, and a sum is at least its largest term."""
    rows, weights = problem
    found = {name: compose(weights, rows) for name, compose in OPERATORS.items()}
    assert (found["min-sum"] >= found["product-sum"] - 1e-12).all()
    assert (found["min-max"] >= found["product-max"] - 1e-12).all()
    assert (found["min-sum"] >= found["min-max"] - 1e-12).all()
    assert_allclose(found["product-sum"], found["weighted-average"], atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(problem=problems())
def test_equal_rows_make_every_reading_agree_on_a_sure_grade(problem):
    rows, _ = problem
    one = np.eye(rows.shape[1])
    assert closeness(one).argmax(axis=1).tolist() == list(range(len(one)))
    assert np.isinf(effectiveness(one)).all()
    assert (effectiveness(rows) >= -1e-9).all()


@st.composite
def ladders(draw):
    """2–7 grades with falling scores and cuts."""
    count = draw(st.integers(2, 7))
    scores = draw(st.lists(st.integers(0, 100), min_size=count, max_size=count, unique=True))
    cuts = [*sorted(draw(st.lists(st.integers(1, 99), min_size=count - 1, max_size=count - 1, unique=True)))[::-1], 0]
    return [
        Grade(f"g{i}", {}, float(s), float(c)) for i, (s, c) in enumerate(zip(sorted(scores)[::-1], cuts, strict=True))
    ]


@pytest.mark.parametrize("membership", MEMBERSHIPS)
@settings(max_examples=80, deadline=None)
@given(grades=ladders(), scores=arrays(float, 20, elements=st.floats(0, 100, allow_nan=False)))
def test_memberships_are_shares_that_move_to_better_grades_with_the_score(membership, grades, scores):
    found = score_memberships(np.sort(scores), grades, membership)
    assert (found >= 0).all()
    assert_allclose(found.sum(axis=1), 1, atol=1e-9)
    if membership != "gaussian":  # bells of unequal width are not ordered far away from their grades
        better = np.cumsum(found, axis=1)[:, :-1]
        assert (np.diff(better, axis=0) >= -1e-9).all()
    ends = score_memberships(np.array([grade.score for grade in grades]), grades, membership)
    if membership not in ("share", "gaussian"):
        assert_allclose(ends, np.eye(len(grades)), atol=1e-12)


@pytest.mark.parametrize("membership", ["triangular", "trapezoidal", "gaussian", "ridge"])
def test_functions_cross_half_way_between_two_scores(membership):
    found = score_memberships(np.array([90.0, 70, 50, 30]), GRADES, membership)
    for row, (upper, lower) in enumerate([(0, 1), (1, 2), (2, 3), (3, 4)]):
        assert found[row, upper] == pytest.approx(found[row, lower])
        assert found[row, upper] > 0.49


def test_ridge_trapezoid_and_bell_by_hand():
    """At 94 on the way from 85 to 95: ½ + ½·sin(π/10·4); (94 − 85)/10; e^(−½·36/σ²) against e^(−½·196/σ²)."""
    at = np.array([94.0])
    assert score_memberships(at, GRADES, "ridge")[0, 0] == pytest.approx(0.5 + 0.5 * np.sin(np.pi / 10 * 4))
    assert score_memberships(at, GRADES, "trapezoidal")[0, 0] == pytest.approx(0.9)
    sigma2 = 100 / (2 * np.log(2))
    bells = np.exp(-0.5 * (np.array([100, 80, 60, 40, 20]) - 94.0) ** 2 / sigma2)
    assert_allclose(score_memberships(at, GRADES, "gaussian")[0], bells / bells.sum(), rtol=1e-12)
