"""Structural models against what they contain: regression, factor models, and the sample itself."""

import numpy as np
import pandas as pd
import pytest

from csat.moments import from_covariance
from csat.structural import sem

RNG = np.random.default_rng(11)
ROWS = RNG.normal(size=(200, 4)) @ np.array([[1, 0.5, 0.3, 0.2], [0, 1, 0.4, 0.1], [0, 0, 1, 0.6], [0, 0, 0, 1]])
NAMES = ["x1", "x2", "x3", "y"]
COV = pd.DataFrame(np.cov(ROWS.T), NAMES, NAMES)


@pytest.fixture(scope="module")
def least_squares():
    """Coefficients, ML residual variance and their standard errors (divisor n) of y on x1 … x3."""
    centred = ROWS - ROWS.mean(axis=0)
    x, y = centred[:, :3], centred[:, 3]
    coefficients, rss, *_ = np.linalg.lstsq(x, y, rcond=None)
    variance = rss[0] / len(y)
    return coefficients, np.sqrt(variance * np.diag(np.linalg.inv(x.T @ x))), variance


@pytest.mark.parametrize("fixed_x", [True, False])
def test_one_equation_is_least_squares(least_squares, fixed_x):
    coefficients, se, variance = least_squares
    found = sem(from_covariance(COV, 200), "y ~ x1 + x2 + x3", fixed_x=fixed_x)
    paths = found.tidy().query("op == '~'")
    np.testing.assert_allclose(paths["estimate"], coefficients, rtol=1e-7)
    np.testing.assert_allclose(paths["se"], se, rtol=1e-7)
    residual = found.tidy().query("lhs == 'y' and op == '~~'").iloc[0]
    assert residual["estimate"] == pytest.approx(variance, rel=1e-7)
    assert residual["se"] == pytest.approx(variance * np.sqrt(2 / 200), rel=1e-7)
    assert found.r2["r2"].item() == pytest.approx(1 - variance / (COV.loc["y", "y"] * 199 / 200), rel=1e-7)


def test_one_equation_is_statsmodels(least_squares):
    statsmodels = pytest.importorskip("statsmodels.api")
    fitted = statsmodels.OLS(ROWS[:, 3], statsmodels.add_constant(ROWS[:, :3])).fit()
    found = sem(from_covariance(COV, 200), "y ~ x1 + x2 + x3")
    paths = found.tidy().query("op == '~'")
    np.testing.assert_allclose(paths["estimate"], fitted.params[1:], rtol=1e-7)
    np.testing.assert_allclose(paths["se"], fitted.bse[1:] * np.sqrt(fitted.df_resid / 200), rtol=1e-7)
    assert found.measures.loglik == pytest.approx(fitted.llf, rel=1e-9)
    # The baseline model has the same sample and no paths: its χ² is the likelihood-ratio test of all slopes.
    assert found.measures.baseline_chisq == pytest.approx(-200 * np.log(1 - fitted.rsquared), rel=1e-9)


def test_a_recursive_system_is_its_equations_one_by_one():
    whole = sem(from_covariance(COV, 200), "x3 ~ x1 + x2\ny ~ x1 + x2 + x3").tidy().query("op == '~'")
    parts = pd.concat(
        sem(from_covariance(COV, 200), equation).tidy().query("op == '~'")
        for equation in ("x3 ~ x1 + x2", "y ~ x1 + x2 + x3")
    )
    np.testing.assert_allclose(whole["estimate"], parts["estimate"], rtol=1e-7)
    np.testing.assert_allclose(whole["se"], parts["se"], rtol=1e-7)


def test_three_indicators_have_a_closed_form():
    """One factor of three indicators: λ₂ = s₂₃ / s₁₃, λ₃ = s₂₃ / s₁₂, ψ = s₁₂ s₁₃ / s₂₃."""
    found = sem(from_covariance(COV, 200, divisor="n"), "f =~ x1 + x2 + x3").tidy().set_index("rhs")
    s = COV
    assert found.loc["x2", "estimate"].iloc[0] == pytest.approx(s.loc["x2", "x3"] / s.loc["x1", "x3"], rel=1e-6)
    assert found.loc["x3", "estimate"].iloc[0] == pytest.approx(s.loc["x2", "x3"] / s.loc["x1", "x2"], rel=1e-6)
    expected = s.loc["x1", "x2"] * s.loc["x1", "x3"] / s.loc["x2", "x3"]
    assert found.loc["f", "estimate"] == pytest.approx(expected, rel=1e-6)


def test_measured_without_error_a_construct_is_its_indicator():
    direct = sem(from_covariance(COV, 200), "y ~ x1 + x2", fixed_x=False).tidy().query("op == '~'")
    wrapped = sem(from_covariance(COV, 200), "f =~ x1\ng =~ x2\nh =~ y\nh ~ f + g").tidy().query("op == '~'")
    np.testing.assert_allclose(wrapped["estimate"], direct["estimate"], rtol=1e-7)
    np.testing.assert_allclose(wrapped["se"], direct["se"], rtol=1e-7)
