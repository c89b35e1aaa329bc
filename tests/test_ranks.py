"""Intervals of ranks: by hand, against Bonferroni, and how often they hold."""

import numpy as np
import pytest
from scipy import stats

from csat.ranks import rank_interval
from csat.results import Estimates, Provenance


def figures(values, vcov, df=np.inf, level=0.95):
    size = len(values)
    return Estimates(
        tuple(f"t{j}" for j in range(size)), np.array(values, float), np.array(vcov, float), df, np.full(size, 50),
        np.full(size, np.nan), "points", Provenance("available", "linearisation"), level,
    )  # fmt: skip


def bonferroni(found):
    """The one-step form of Klein, Wright & Wieczorek."""
    size, v = len(found.term), np.diag(found.vcov)
    gap = found.estimate[:, None] - found.estimate
    se = np.sqrt(v[:, None] + v - 2 * found.vcov)
    above = gap > stats.norm.ppf(1 - 0.05 / (size * (size - 1))) * se
    return 1 + above.sum(axis=0), size - above.sum(axis=1)


def test_what_is_found_makes_the_next_step_easier():
    """Three figures, six comparisons. The t of 9 and 6.4 are certain; 2.3 has p = .0107: above .05/6, below .05/4."""
    found = figures([9.05, 2.3, 0.0], np.eye(3) / 2)
    assert [ends.tolist() for ends in rank_interval(found)] == [[1, 2, 3], [1, 2, 3]]
    assert [ends.tolist() for ends in bonferroni(found)] == [[1, 2, 2], [1, 3, 3]]
    lone = figures([2.3, 0.0, 1.15], np.eye(3) / 2)
    assert [ends.tolist() for ends in rank_interval(lone)] == [[1, 1, 1], [3, 3, 3]]


def test_never_wider_than_in_one_step(rng):
    narrower = 0
    for _ in range(300):
        size = int(rng.integers(2, 9))
        factor = rng.normal(size=(size, size + 3))
        found = figures(rng.normal(size=size) * 6, factor @ factor.T / size)
        (low, high), (first, last) = rank_interval(found), bonferroni(found)
        assert ((low >= first) & (high <= last) & (low <= high)).all()
        narrower += int((high - low).sum() < (last - first).sum())
    assert narrower > 20


@pytest.mark.parametrize("truth", [[0, 0, 0, 0, 0, 0], [8, 0, 0, 0, 0, -8], [2.5, 1.5, 1, 0, 0, 0]])
def test_all_true_ranks_lie_inside_at_the_level(truth):
    """3,000 samples of correlated figures; among ties every rank of the tie is a true one."""
    rng = np.random.default_rng(5)
    truth = np.array(truth, float)
    factor = rng.normal(size=(6, 8)) / 4
    vcov = factor @ factor.T + 0.2 * np.eye(6)
    best, worst = 1 + (truth[:, None] < truth).sum(axis=1), (truth[:, None] <= truth).sum(axis=1)
    held = 0
    for drawn in rng.multivariate_normal(truth, vcov, 3000):
        low, high = rank_interval(figures(drawn, vcov))
        held += bool(((low <= best) & (high >= worst)).all())
    assert held / 3000 > 0.95 - 3 * 0.004


def test_what_is_not_known_has_any_rank_and_harms_no_other():
    vcov = np.eye(4) / 100
    vcov[2] = vcov[:, 2] = np.nan
    low, high = rank_interval(figures([3, 1, 2, np.nan], vcov, np.array([30.0, 30.0, 0.0, 30.0])))
    assert low.tolist() == [1, 2, 1, 1]
    assert high.tolist() == [3, 4, 4, 4]


def test_each_comparison_has_the_smaller_degrees_of_freedom():
    """t = 4.2: one-sided p is below .05/2 with 3 degrees of freedom, not with 1; .05 is not enough anyway."""
    for df, sure in ((3.0, True), (1.0, False)):
        low, _ = rank_interval(figures([4.2, 0.0], np.eye(2) / 2, np.array([50.0, df])))
        assert (low[1] == 2) == sure == (stats.t.sf(4.2, df) <= 0.025)


def test_figures_without_error_are_ranked_surely():
    assert [ends.tolist() for ends in rank_interval(figures([2, 3, 3], np.zeros((3, 3))))] == [[3, 1, 1], [3, 2, 2]]
