"""Shrinkage: the REML variance by brute force, limits, mean squared errors by simulation, ranks by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize_scalar

import csat
from csat.results import Provenance
from csat.shrinkage import reml_variance


def estimates(y, v):
    size = len(y)
    vcov = np.diag(v) if np.ndim(v) == 1 else v
    return csat.Estimates(
        ("index",) * size, np.asarray(y, float), np.asarray(vcov, float), np.inf, np.full(size, 100),
        np.full(size, 100.0), "points", Provenance("available", "linearisation"),
        keys={"branch": tuple(f"b{i}" for i in range(size))},
    )  # fmt: skip


def restricted_loglik(between, y, v):
    sigma = between * np.eye(len(y)) + v
    inverse = np.linalg.inv(sigma)
    precision = inverse.sum()
    residual = y - (inverse.sum(axis=0) @ y) / precision
    return -0.5 * (np.linalg.slogdet(sigma)[1] + np.log(precision) + residual @ inverse @ residual)


@pytest.mark.parametrize("seed", range(8))
def test_reml_maximises_the_restricted_likelihood(seed):
    rng = np.random.default_rng(seed)
    size = 12
    v = np.diag(rng.uniform(0.5, 6, size)) + 0.2
    y = 70 + rng.normal(0, 2, size) + rng.multivariate_normal(np.zeros(size), v)
    got = reml_variance(y, v)
    best = minimize_scalar(
        lambda a: -restricted_loglik(a, y, v), bounds=(0, 60), method="bounded", options={"xatol": 1e-10}
    )
    assert_allclose(got, best.x if best.x > 1e-6 else 0.0, atol=2e-4)


def test_sure_figures_stay_and_unsure_ones_move():
    y = np.array([60.0, 65.0, 70.0, 75.0, 90.0])
    got = csat.shrink(estimates(y, np.array([1e-8, 1e-8, 1e-8, 1e-8, 80.0])))
    assert_allclose(got.estimates.estimate[:4], y[:4], atol=1e-5)
    assert y[4] > got.estimates.estimate[4] > got.mean
    assert_allclose(got.estimates.estimate[4], got.mean + got.weight[4] * (y[4] - got.mean), atol=1e-6)


def test_no_spread_beyond_sampling_error_means_one_figure_for_all():
    got = csat.shrink(estimates([70.0, 70.1, 69.9, 70.0], np.full(4, 25.0)))
    assert got.between == 0.0
    assert_allclose(got.estimates.estimate, got.mean)
    assert got.glance()["between_sd"][0] == 0.0


def test_a_branch_with_one_answer_gets_the_common_mean():
    e = estimates([60.0, 66.0, 71.0, 75.0, 99.0], [1.0, 1.0, 1.0, 1.0, np.nan])
    got = csat.shrink(e)
    assert_allclose(got.estimates.estimate[4], got.mean)
    assert got.estimates.se[4] > got.estimates.se[0]
    assert (got.rank_low[4], got.rank_high[4]) == (1, 5)


def test_rank_intervals_by_hand():
    got = csat.shrink(estimates([50.0, 70.0, 71.0, 90.0], np.ones(4)))
    assert got.rank.tolist() == [4, 3, 2, 1]
    assert got.rank_low.tolist() == [4, 2, 2, 1]
    assert got.rank_high.tolist() == [4, 3, 3, 1]


def test_two_branches_are_refused():
    with pytest.raises(csat.CsatError, match="at least 3 groups with a standard error; 2 found"):
        csat.shrink(estimates([60.0, 70.0], [1.0, 1.0]))


def test_an_unknown_term_is_named():
    with pytest.raises(csat.CsatError, match="term='nope' is not known; choose one of 'index'"):
        csat.shrink(estimates([60.0, 70.0, 71.0], [1.0, 1.0, 1.0]), "nope")


def test_mean_squared_errors_are_honest():
    """1,500 draws of 15 branches: the predicted mean squared error equals the true one within 8 %."""
    rng = np.random.default_rng(5)
    size, draws = 15, 1500
    v = np.linspace(1, 9, size)
    truth = 70 + rng.normal(0, 2, (draws, size))
    y = truth + rng.normal(0, np.sqrt(v), (draws, size))
    error, claimed = np.empty((draws, size)), np.empty((draws, size))
    for i in range(draws):
        got = csat.shrink(estimates(y[i], v))
        error[i], claimed[i] = (got.estimates.estimate - truth[i]) ** 2, got.estimates.se**2
    assert_allclose(claimed.mean(), error.mean(), rtol=0.08)
    assert error.mean() < v.mean()  # and better than the direct figures


def test_a_survey_goes_straight_in(rng):
    data = pd.DataFrame({"x": rng.normal(7, 1.5, 300), "branch": rng.choice([f"b{i}" for i in range(6)], 300)})
    got = csat.shrink(csat.mean(csat.read_survey(data), "x", by="branch")).tidy()
    assert list(got["branch"]) == [f"b{i}" for i in range(6)]
    assert (got["se"] <= got["direct_se"] * 1.2).all()
