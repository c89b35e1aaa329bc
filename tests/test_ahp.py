"""Weights from pairwise judgements: published matrices, laws, repair, groups of judges, and what is refused."""

import json
from fractions import Fraction
from itertools import product

import numpy as np
import pandas as pd
import pytest

import csat
from csat.fuzzy.ahp import InconsistentWarning
from csat.fuzzy.judgements import SCALE, JudgementError
from csat.fuzzy.priorities import METHODS, RANDOM_INDEX, consistency_ratio, from_logs, pairs_of, priorities, slopes
from csat.fuzzy.repair import smallest_repair, steps

THREE = {("quality", "price"): 3, ("quality", "service"): 5, ("price", "service"): 2}


def full(rows):
    """A reciprocal matrix from the judgements above its diagonal."""
    m = len(rows) + 1
    out = np.eye(m)
    for i, row in enumerate(rows):
        for k, value in enumerate(row):
            out[i, i + 1 + k] = float(Fraction(value))
            out[i + 1 + k, i] = 1 / out[i, i + 1 + k]
    return out


@pytest.fixture(scope="module")
def published(fixtures):
    cases = json.loads((fixtures / "weights.json").read_text(encoding="utf-8"))["ahp"]
    return {name: case | {"matrix": full(case["judgements"])} for name, case in cases.items()}


def random_matrix(rng, m):
    return from_logs(np.log(rng.choice(SCALE, m * (m - 1) // 2)), m)


@pytest.mark.filterwarnings("ignore::csat.fuzzy.ahp.InconsistentWarning")
@pytest.mark.parametrize("name", ["house", "drinks", "wealth"])
def test_published_weights_and_consistency(published, name):
    case = published[name]
    found = csat.ahp(case["matrix"], accept=None)
    np.testing.assert_allclose(found.weights.values, case["weights"], atol=0.00051)
    for figure, digits in (("lambda_max", 3), ("ci", 3), ("cr", 3)):
        if figure in case:
            printed = len(str(case[figure]).split(".")[1]) if figure != "ci" else digits
            tolerance = 0.0051 if name == "wealth" else 0.51 * 10**-printed
            assert abs(getattr(found, figure) - case[figure]) < tolerance, figure


def test_eigenvector_agrees_with_a_general_eigenvalue_routine(rng):
    for m in range(3, 10):
        matrix = random_matrix(rng, m)
        values, vectors = np.linalg.eig(matrix)
        at = values.real.argmax()
        vector = vectors[:, at].real / vectors[:, at].real.sum()
        np.testing.assert_allclose(priorities(matrix, "eigenvector"), vector, atol=1e-11)
        expected = (values[at].real - m) / (m - 1) / RANDOM_INDEX[m - 1]
        assert float(consistency_ratio(matrix)) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_consistent_judgements_give_back_their_weights(method):
    weights = np.array([0.48, 0.24, 0.16, 0.12])
    found = csat.ahp(weights[:, None] / weights, method=method)
    np.testing.assert_allclose(found.weights.values, weights, atol=1e-14)
    assert found.cr == 0.0
    assert found.gci < 1e-28


@pytest.mark.parametrize("method", METHODS)
def test_two_factors_and_one(method):
    two = csat.ahp([[1, 9], [1 / 9, 1]], method=method)
    np.testing.assert_allclose(two.weights.values, [0.9, 0.1], atol=1e-14)
    assert (two.cr, two.ci) == (0.0, 0.0)
    one = csat.ahp([[1.0]], method=method)
    assert one.weights.values.tolist() == [1.0]
    assert one.cr == 0.0


def test_geometric_mean_by_hand():
    found = csat.ahp(THREE, method="geometric-mean")
    raw = np.array([15, 2 / 3, 1 / 10]) ** (1 / 3)
    np.testing.assert_allclose(found.weights.values, raw / raw.sum(), rtol=1e-14)
    # GCI of three factors: one third of the squared logarithm of the triad's error.
    assert found.gci == pytest.approx(np.log(3 * 2 / 5) ** 2 / 3, rel=1e-12)
    assert found.gci_limit == 0.31


@pytest.mark.parametrize("method", METHODS)
def test_permuted_factors_keep_their_weights(rng, published, method):
    matrix = published["drinks"]["matrix"]
    order = rng.permutation(len(matrix))
    one, other = csat.ahp(matrix, method=method), csat.ahp(matrix[np.ix_(order, order)], method=method)
    np.testing.assert_allclose(other.weights.values, one.weights.values[order], atol=1e-13)
    assert other.cr == pytest.approx(one.cr, abs=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_slopes_are_derivatives(rng, method):
    matrix = random_matrix(rng, 5)
    rows, columns = pairs_of(5)
    logs = np.log(matrix[rows, columns])
    step = 1e-6 * np.eye(len(logs))
    up, down = (priorities(from_logs(logs + side * step, 5), method) for side in (1, -1))
    np.testing.assert_allclose(slopes(matrix, method), (up - down).T / 2e-6, atol=1e-8)


def test_a_repair_repairs_and_none_is_smaller(rng):
    """All single changes of a 4 × 4 matrix, by a general eigenvalue routine."""
    tried = 0
    while tried < 12:
        matrix = random_matrix(rng, 4)
        if not 0.1 < float(consistency_ratio(matrix)) < 0.8:
            continue
        tried += 1
        found = smallest_repair(matrix, list("abcd"), 0.1)
        best = brute_force(matrix, 1) or brute_force(matrix, 2)
        assert found.smallest
        moved = matrix.copy()
        for change in found.changes:
            i, j = "abcd".index(change.first), "abcd".index(change.second)
            assert matrix[i, j] == pytest.approx(change.old)
            moved[i, j], moved[j, i] = change.new, 1 / change.new
        assert ratio(moved) <= 0.1
        assert found.cr == pytest.approx(ratio(moved), abs=1e-9)
        size = sum(abs(float(steps(np.array(c.new)) - steps(np.array(c.old)))) for c in found.changes)
        assert (len(found.changes), round(size, 6)) == best


def ratio(matrix):
    return (np.linalg.eigvals(matrix).real.max() - 4) / 3 / 0.9


def brute_force(matrix, count):
    """Fewest steps of `count` changed judgements that bring CR to 0.1."""
    pairs = [(i, j) for i in range(4) for j in range(i + 1, 4)]
    best = None
    for chosen in product(pairs, repeat=count):
        if len(set(chosen)) < count or list(chosen) != sorted(chosen):
            continue
        for values in product(SCALE.tolist(), repeat=count):
            moved = matrix.copy()
            for (i, j), value in zip(chosen, values, strict=True):
                moved[i, j], moved[j, i] = value, 1 / value
            size = sum(
                abs(float(steps(np.array(v)) - steps(np.array(matrix[p])))) for p, v in zip(chosen, values, strict=True)
            )
            if (best is None or size < best) and ratio(moved) <= 0.1:
                best = round(size, 6)
    return None if best is None else (count, best)


def test_a_sequence_repairs_where_no_single_change_does(published):
    matrix = full([["4", "3", "1", "3", "4"], ["7", "3", "1/5", "1"], ["1/5", "1/5", "1/6"], ["1", "1/3"], ["3"]])
    found = smallest_repair(matrix, list("abcdef"), 0.1)
    assert (len(found.changes), found.smallest) == (3, False)
    with pytest.raises(JudgementError, match="No single judgement breaks it; this sequence repairs them by moving 3"):
        csat.ahp(matrix)
    for change in found.changes:
        i, j = "abcdef".index(change.first), "abcdef".index(change.second)
        matrix[i, j], matrix[j, i] = change.new, 1 / change.new
    assert float(consistency_ratio(matrix)) <= 0.1


def test_inconsistent_judgements_are_refused_with_their_repair(published):
    with pytest.raises(JudgementError) as error:
        csat.ahp(published["house"]["matrix"])
    assert "CR = 0.169, above 0.10" in str(error.value)
    assert (
        "breaks it is 'factor3' over 'factor7'; the smallest repair: move 'factor3' over 'factor7' from 6 to 1"
        in str(error.value)
    )
    repaired = published["house"]["matrix"].copy()
    repaired[2, 6] = repaired[6, 2] = 1.0
    assert csat.ahp(repaired).cr <= 0.1
    with pytest.warns(InconsistentWarning, match="CR = 0.169"):
        taken = csat.ahp(published["house"]["matrix"], accept=None)
    assert [note.kind for note in taken.notes] == ["inconsistent"]
    assert not bool(taken.by_judge()["consistent"][0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("judges", ["judgements", "priorities"])
def test_judges_of_one_mind_are_one_judge(published, method, judges):
    matrix = published["drinks"]["matrix"]
    one, many = csat.ahp(matrix, method=method), csat.ahp([matrix] * 4, method=method, judges=judges)
    np.testing.assert_allclose(many.weights.values, one.weights.values, atol=1e-12)
    np.testing.assert_allclose(many.weights.estimates.se, 0.0, atol=1e-12)
    assert many.agreement == pytest.approx(1.0)
    assert many.cr == pytest.approx(one.cr, abs=1e-10)


PANEL = {
    "ann": [[1, 3, 5], [1 / 3, 1, 2], [0.2, 0.5, 1]],
    "bob": [[1, 2, 5], [0.5, 1, 4], [0.2, 0.25, 1]],
    "cem": [[1, 1, 3], [1, 1, 2], [1 / 3, 0.5, 1]],
}


def test_under_geometric_means_judgements_and_priorities_aggregate_alike():
    found = [csat.ahp(PANEL, method="geometric-mean", judges=judges) for judges in ("judgements", "priorities")]
    np.testing.assert_allclose(found[0].weights.values, found[1].weights.values, rtol=1e-12)
    np.testing.assert_allclose(found[0].weights.estimates.vcov, found[1].weights.estimates.vcov, atol=1e-14)


def test_a_judge_of_weight_two_counts_twice():
    twice = csat.ahp([*PANEL.values(), PANEL["bob"]])
    weighted = csat.ahp(PANEL, judge_weights={"cem": 1, "bob": 2, "ann": 1})
    np.testing.assert_allclose(weighted.weights.values, twice.weights.values, rtol=1e-12)


def test_judges_in_a_table_of_their_own():
    found = csat.ahp(PANEL, names=["quality", "price", "service"])
    table = found.by_judge()
    assert table["judge"].tolist() == ["ann", "bob", "cem"]
    assert list(table.columns[-3:]) == ["quality", "price", "service"]
    np.testing.assert_allclose(table["cr"], [csat.ahp(one).cr for one in PANEL.values()], atol=1e-12)
    assert {"judge_low", "judge_high", "judge_sd"} <= set(found.tidy().columns)
    assert found.glance()["judges"][0] == 3


@pytest.mark.parametrize("judges", ["judgements", "priorities"])
@pytest.mark.parametrize("method", METHODS)
def test_standard_errors_between_judges_are_those_of_new_panels(rng, judges, method):
    truth, size, count = np.log([0.5, 0.3, 0.2]), 300, 15
    rows, columns = pairs_of(3)
    estimates, variances = [], []
    for _ in range(size):
        logs = truth[rows] - truth[columns] + rng.normal(0, 0.25, (count, 3))
        found = csat.ahp(list(np.clip(from_logs(logs, 3), 1 / 9, 9)), method=method, judges=judges, accept=1.0)
        estimates.append(found.weights.values)
        variances.append(np.diag(found.weights.estimates.vcov))
    ratio = np.mean(variances, axis=0) / np.var(estimates, axis=0, ddof=1)
    # A variance from 300 panels has a standard error of 8 per cent.
    np.testing.assert_allclose(ratio, 1.0, atol=0.25)


def test_draws_resample_judges_and_repeat_with_their_seed(rng):
    logs = np.log([0.5, 0.3, 0.2])
    rows, columns = pairs_of(3)
    panel = from_logs(logs[rows] - logs[columns] + rng.normal(0, 0.2, (10, 3)), 3)
    found = csat.ahp(list(panel)).weights
    draws = found.draws(20_000, 3)
    np.testing.assert_allclose(draws.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(draws.std(axis=0), found.estimates.se, rtol=0.05)
    assert np.array_equal(draws, found.draws(20_000, 3))
    assert csat.ahp(THREE).weights.draws(5) is None


def test_unlike_judges_are_named():
    rows = [[1, 5, 7], [1 / 5, 1, 2], [1 / 7, 1 / 2, 1]]
    reverse = np.array(rows)[::-1, ::-1]
    found = csat.ahp({"u": rows, "v": rows, "w": rows, "x": reverse}, names=list("abc"))
    assert "x" in [note.term for note in found.notes if note.kind == "unlike"]
    assert [note.kind for note in found.notes].count("unlike") == 1
    assert found.agreement < 0.5


def test_forms_of_the_same_judgements():
    matrix = [[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]]
    names = ["quality", "price", "service"]
    frame = pd.DataFrame(matrix, names, names)
    expected = csat.ahp(matrix).weights.values
    turned = {("price", "quality"): 1 / 3, ("quality", "service"): 5, ("service", "price"): 0.5}
    typed = [[1, 3, 5], [0.33, 1, 2], [0.2, 0.5, 1]]
    shuffled = frame.iloc[[2, 0, 1]]
    for form in (THREE, frame, shuffled, typed, np.array(matrix)):
        np.testing.assert_allclose(csat.ahp(form).weights.values, expected, rtol=1e-12)
    np.testing.assert_allclose(csat.ahp(turned, names=names).weights.values, expected, rtol=1e-12)
    assert csat.ahp(frame, names=names[::-1]).factors == tuple(names[::-1])


@pytest.mark.parametrize(
    ("judgements", "message"),
    [
        ([[1, 3], [0.3, 1]], "'factor1' over 'factor2' is 3 but 'factor2' over 'factor1' is 0.3, not its reciprocal"),
        ([[1, 3], [0.3, 1]], "write 1/3 for 'factor2' over 'factor1'"),
        ([[1, 3], [None, 1]], "'factor2' is not judged; write 3, as its counterpart says"),
        ({("a", "b"): 3, ("b", "c"): 2}, r"'a' over 'c' is not judged; .*\(the others imply about 6\)"),
        ({("a", "b"): 3, ("c", "d"): 2}, "the others do not imply any"),
        ([[1, 12], [1 / 12, 1]], "is 12; judgements run from 1/9 to 9. Write 9 at most"),
        ([[1, -2], [-0.5, 1]], "is -2; judgements run from 1/9 to 9"),
        ([[2, 1], [1, 1]], "'factor1' over itself is 2; write 1"),
        ([[1, 2, 3], [0.5, 1, 2]], "square"),
        ("abc", "a square matrix of numbers is needed"),
        ({}, "no judgements"),
        ({("a", "b"): "much"}, "a number such as 3 or .1/3. is needed; found str 'much'"),
        ({("a", 1): 2}, "is about a pair of names"),
        ({"ann": PANEL["ann"], "bob": [[1, 2], [0.5, 1]]}, "Judge 'bob': judges"),
        ({"ann": PANEL["ann"], "bob": [[1, 2, 3], [0.5, 1, 9], [1 / 3, 1 / 3, 1]]}, "Judge 'bob': 'factor2' over"),
        (np.ones((31, 31)), "31 factors; at most 30"),
        (np.ones((16, 16)), "RI is known for up to 15"),
    ],
)
def test_bad_judgements_are_refused_in_words(judgements, message):
    with pytest.raises(JudgementError, match=message):
        csat.ahp(judgements)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "mean"}, "method='mean' is not known; choose one of 'eigenvector', 'geometric-mean'"),
        ({"judges": "votes"}, "choose one of 'judgements', 'priorities'"),
        ({"accept": 2}, "the largest CR lies between 0 and 1"),
        ({"judge_weights": {"z": 1}}, "the judges are"),
        ({"judge_weights": [1, 2]}, "3 numbers above 0, one per judge"),
        ({"level": 2}, "confidence level"),
    ],
)
def test_bad_options_are_refused_in_words(options, message):
    with pytest.raises(csat.CsatError, match=message):
        csat.ahp(PANEL, **options)


def test_judgements_may_be_written_as_a_sheet_holds_them():
    numbers = csat.ahp([[1, 3, 5], [1 / 3, 1, 2], [1 / 5, 1 / 2, 1]])
    texts = [["1", "3", " 5 "], ["1/3", "1", "2"], ["1 / 5", "0.5", "1"]]
    for written in (
        texts,
        pd.DataFrame(texts),
        {("factor1", "factor2"): "3", ("factor1", "factor3"): 5, ("factor2", "factor3"): "2/1"},
    ):
        np.testing.assert_allclose(csat.ahp(written).weights.values, numbers.weights.values, rtol=1e-12)
    for wrong in ("1/0", "three", "", "1/3/2", "=3", "-3", "1e5"):
        with pytest.raises(JudgementError, match=r"a square matrix of numbers is needed|a number such as 3 or '1/3'"):
            csat.ahp([["1", wrong], ["1", "1"]])
    assert f"CR = {numbers.cr:.3f}" in repr(numbers)
