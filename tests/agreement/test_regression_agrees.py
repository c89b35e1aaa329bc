"""Regressions that must agree with statsmodels, with each other, and with brute force on the rows."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from numpy.testing import assert_allclose

import csat
from csat.design import Replication

NAMES = ["x0", "x1", "x2"]
WEIGHTED = csat.Design(weight="w")
CLUSTERED = csat.Design(weight="w", stratum="st", psu="psu")
#: Formula of the same model, and its terms.
CROSSED, TERMS = "y ~ x0 + x1 + C(brand) + x1:C(brand)", ["x0", "x1", "brand", "x1:brand"]


@pytest.fixture
def data(rng):
    n = 400
    x = rng.normal(loc=7, size=(n, 3)) @ (np.eye(3) + 0.3)
    brand = rng.choice(["a", "b", "c"], n)
    y = 2 + x @ [0.5, 0.3, 0.0] + (brand == "b") * x[:, 1] + rng.normal(size=n) * (1 + 0.3 * np.abs(x[:, 0] - 9))
    return pd.DataFrame(x, columns=NAMES).assign(
        y=y, w=rng.uniform(0.3, 3, n), psu=(np.arange(n) // 10).astype(str), st=(np.arange(n) // 100).astype(str),
        brand=brand, branch=np.where(np.arange(n) % 20 < 10, "xian", "yulin"),
    )  # fmt: skip


@pytest.mark.parametrize("se", ["classical", "HC0", "HC1", "HC2", "HC3"])
def test_weighted_regression_with_factors_equals_statsmodels(data, se):
    fit = smf.wls(CROSSED, data, weights=data["w"]).fit()
    other = fit if se == "classical" else fit.get_robustcov_results(se)
    got = csat.regress(csat.read_survey(data, design=WEIGHTED), "y", TERMS, se=se)
    assert got.coefficients.term == (
        "(intercept)", "x0", "x1", "brand=b", "brand=c", "x1:brand=b", "x1:brand=c"
    )  # fmt: skip
    names = ["Intercept", "x0", "x1", "C(brand)[T.b]", "C(brand)[T.c]", "x1:C(brand)[T.b]", "x1:C(brand)[T.c]"]
    order = [list(fit.params.index).index(name) for name in names]
    assert_allclose(got.coefficients.estimate, np.asarray(fit.params)[order], rtol=1e-9)
    assert_allclose(got.coefficients.vcov, np.asarray(other.cov_params())[np.ix_(order, order)], rtol=1e-8)
    assert_allclose([got.r2, got.adj_r2, got.loglik], [fit.rsquared, fit.rsquared_adj, fit.llf], rtol=1e-10)
    # statsmodels counts the coefficients only, R the error variance too
    assert_allclose([got.aic, got.bic], [fit.aic + 2, fit.bic + np.log(len(data))], rtol=1e-10)
    if se == "classical":
        assert_allclose([got.test.statistic, got.test.p], [fit.fvalue, fit.f_pvalue], rtol=1e-8)


@pytest.mark.parametrize("se", ["classical", "HC3"])
def test_unweighted_regression_through_the_origin_equals_statsmodels(data, se):
    fit = sm.OLS(data["y"], data[NAMES]).fit()
    other = fit if se == "classical" else fit.get_robustcov_results(se)
    got = csat.regress(csat.read_survey(data), "y", NAMES, se=se, intercept=False)
    assert_allclose(got.coefficients.vcov, other.cov_params(), rtol=1e-8)
    assert_allclose([got.r2, got.adj_r2, got.loglik], [fit.rsquared, fit.rsquared_adj, fit.llf], rtol=1e-10)
    assert_allclose(got.test.statistic, other.fvalue, rtol=1e-8)


def test_design_based_errors_equal_cluster_sandwich(data):
    """One stratum of clusters: the sandwich with G/(G−1)."""
    fit = sm.WLS(data["y"], sm.add_constant(data[NAMES]), weights=data["w"]).fit()
    cluster = fit.get_robustcov_results("cluster", groups=data["psu"].astype(int), use_correction=False)
    got = csat.regress(csat.read_survey(data, design=csat.Design(weight="w", psu="psu")), "y", NAMES)
    assert_allclose(got.coefficients.vcov, cluster.cov_params() * 40 / 39, rtol=1e-8)
    assert got.coefficients.df == 39 - 3


def same_regression(one: csat.Regression, g: int, other: csat.Regression) -> None:
    """Regression g of several is another one."""
    q = len(other.coefficients.term)
    at = slice(g * q, (g + 1) * q)
    assert_allclose(one.coefficients.estimate[at], other.coefficients.estimate, rtol=1e-11)
    assert_allclose(one.coefficients.vcov[at, at], other.coefficients.vcov, rtol=1e-10, atol=1e-16)
    assert_allclose(one.coefficients.df[at], other.coefficients.df)
    for name in ("beta", "partial", "semipartial", "vif", "tolerance"):
        assert_allclose(getattr(one, name)[at], getattr(other, name), rtol=1e-10, err_msg=name)
    for name in ("n", "left_out", "n_eff", "r2", "adj_r2", "sigma", "loglik", "aic", "bic", "condition"):
        assert_allclose(getattr(one, name)[g], getattr(other, name), rtol=1e-10, err_msg=name)
    assert_allclose(one.tests[g].statistic, other.test.statistic, rtol=1e-9)


@pytest.mark.parametrize("design", [csat.Design(), WEIGHTED, CLUSTERED], ids=["plain", "weighted", "clustered"])
@pytest.mark.parametrize("se", ["design", "classical", "HC1", "HC3"])
def test_groups_are_the_regressions_of_each_group(data, design, se):
    data.loc[::7, "x1"] = np.nan
    survey = csat.read_survey(data, design=design)
    got = csat.regress(survey, "y", ["x0", "x1", "brand"], by="branch", se=se)
    assert got.groups == [("xian",), ("yulin",)]
    for g, branch in enumerate(["xian", "yulin"]):
        same_regression(got, g, csat.regress(survey.where(branch=branch), "y", ["x0", "x1", "brand"], se=se))
        terms = csat.regress(survey.where(branch=branch), "y", ["x0", "x1", "brand"], se=se).terms
        ours = got.terms[got.terms["branch"] == branch].drop(columns="branch").reset_index(drop=True)
        pd.testing.assert_frame_equal(ours, terms, rtol=1e-9)


@pytest.mark.parametrize("design", [WEIGHTED, CLUSTERED], ids=["weighted", "clustered"])
def test_differences_between_groups_are_the_coefficients_of_the_interaction(data, design):
    survey = csat.read_survey(data, design=design)
    got = csat.regress(survey, "y", ["x0", "x1"], by="branch").differences(against="xian")
    crossed = csat.regress(survey, "y", ["x0", "x1", "branch", "x0:branch", "x1:branch"]).coefficients
    at = [crossed.term.index(name) for name in ("branch=yulin", "x0:branch=yulin", "x1:branch=yulin")]
    assert_allclose(got.estimate, crossed.estimate[at], rtol=1e-8)
    assert_allclose(got.vcov, crossed.vcov[np.ix_(at, at)], rtol=1e-7)
    assert got.keys == {"branch": ("yulin",) * 3, "against": ("xian",) * 3}


def test_replicate_weights_refit_the_regression(data):
    """Jackknife by hand: leave each unit out and raise the rest of its stratum."""
    units = csat.Design(weight="w", psu="psu")
    got = csat.regress(csat.read_survey(data, design=units).replicated(Replication("JKn")), "y", TERMS)
    refits = []
    for unit in data["psu"].unique():
        rest = data[data["psu"] != unit]
        fit = csat.regress(csat.read_survey(rest, design=WEIGHTED), "y", TERMS, se="classical")
        refits.append(fit.coefficients.estimate)
    spread = np.array(refits) - np.mean(refits, axis=0)
    assert_allclose(got.coefficients.vcov, 39 / 40 * spread.T @ spread, rtol=1e-7)


def test_semipartial_correlations_squared_are_the_losses_of_r2(data):
    survey = csat.read_survey(data, design=WEIGHTED)
    got = csat.regress(survey, "y", NAMES)
    for j, name in enumerate(NAMES):
        rest = csat.regress(survey, "y", [other for other in NAMES if other != name])
        assert_allclose(got.semipartial[1 + j] ** 2, got.r2 - rest.r2, rtol=1e-8)
        assert_allclose(got.partial[1 + j] ** 2, (got.r2 - rest.r2) / (1 - rest.r2), rtol=1e-8)
        assert np.sign(got.partial[1 + j]) == np.sign(got.beta[1 + j])


def test_the_classical_test_of_a_term_is_the_fall_of_explained_squares(data):
    survey = csat.read_survey(data, design=WEIGHTED)
    full = csat.regress(survey, "y", ["x0", "x1", "brand"], se="classical")
    rest = csat.regress(survey, "y", ["x0", "x1"], se="classical")
    left = full.test.df2
    f = (rest.sigma**2 * rest.test.df2 - full.sigma**2 * left) / 2 / full.sigma**2
    assert_allclose(full.test_of("brand").statistic, f, rtol=1e-8)


@pytest.mark.parametrize("degree", [5, 7])
def test_polynomials_from_the_rows_equal_orthogonal_columns(rng, degree):
    """Powers of a year repeat each other to many digits; orthogonal columns do not (QR of the same columns)."""
    year = np.repeat(np.arange(0.0, 24.0), 20)
    data = pd.DataFrame({f"p{d}": year**d for d in range(1, degree + 1)})
    data["y"] = np.cos(year / 5) + rng.normal(size=len(year)) / 1000
    names = [f"p{d}" for d in range(1, degree + 1)]
    got = csat.regress(csat.read_survey(data), "y", names, se="HC0")
    x = np.column_stack([np.ones(len(year)), data[names]])
    q, r = np.linalg.qr(x / np.abs(x).max(axis=0))
    exact = np.linalg.solve(r, q.T @ data["y"].to_numpy()) / np.abs(x).max(axis=0)
    assert_allclose(got.coefficients.estimate, exact, rtol=1e-9)
    assert got.further["refined"] > 0
