"""Normalized and standardized residuals of `Sem` against lavaan 0.6-14 (R 4.2.2), and laws of them.

tests/fixtures/lavaan/residuals.json is made by residuals.R beside it, from rows drawn by rows.R.
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import OptionError

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
FITS = {
    "cfa": ("cfa3", {}),
    "wishart": ("cfa3", {"likelihood": "wishart"}),
    "means": ("origin", {}),
    "tied": ("tied", {}),
    "mimic": ("mimic", {}),
    "mimic_means": ("mimic", {"means": True}),
    "mimic_random": ("mimic", {"fixed_x": False}),
    "gls": ("cfa3", {"estimator": "GLS"}),
    "mlm": ("cfa3", {"estimator": "MLM"}),
    "mlr": ("cfa3", {"estimator": "MLR"}),
    "mlm_means": ("origin", {"estimator": "MLM"}),
    "mlr_means": ("origin", {"estimator": "MLR"}),
    "groups": ("cfa3", {"group": "school"}),
    "fiml": ("cfa3", {"missing": "fiml"}),
    "fiml_means": ("origin", {"missing": "fiml"}),
    "fiml_mlr": ("origin", {"missing": "fiml", "estimator": "MLR"}),
    "fiml_groups": ("cfa3", {"missing": "fiml", "estimator": "MLR", "group": "school"}),
}
KINDS = ["normalized", "standardized"]
#: lavaan divides by standard errors that are 0 but for rounding.
ENDLESS = 1e6


@cache
def reference():
    return json.loads((FIXTURES / "residuals.json").read_text(encoding="utf-8"))


@cache
def rows(gaps=False):
    frame = pd.read_csv(FIXTURES / "rows.csv")
    if gaps:
        row = np.arange(1, len(frame) + 1)
        for j in range(1, 10):
            frame.loc[(7 * row + 3 * j) % 11 == 0, f"x{j}"] = np.nan
    return csat.read_survey(frame)


@cache
def fitted(name):
    model, options = FITS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return csat.sem(rows("missing" in options), reference()["models"][model], **options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FITS)
def test_residuals_of_covariances_and_means(name, kind):
    for label, theirs in reference()["fits"][name][kind].items():
        group, names = None if label == "all" else label, theirs["names"]
        cov = np.array(theirs["cov"], float)
        ours = fitted(name).residuals(kind, group).loc[names, names].to_numpy()
        known = (np.abs(cov) > 1e-4) & (np.abs(cov) < ENDLESS)
        np.testing.assert_allclose(ours[known], cov[known], rtol=0, atol=2e-3)
        assert not np.nan_to_num(ours[~known]).any(), "fitted exactly, or without a standard error"
        assert np.abs(cov[known]).max() > 2, "the model does not fit"
        if theirs["mean"] is not None:
            mean = fitted(name).mean_residuals(kind, group).loc[names].to_numpy()
            np.testing.assert_allclose(mean, theirs["mean"], rtol=0, atol=2e-3)


@pytest.mark.parametrize("name", ["cfa", "mlr", "groups", "fiml"])
def test_the_error_of_a_residual_is_less_than_that_of_its_moment(name):
    normalized, standardized = (np.abs(fitted(name).residuals(kind).to_numpy()) for kind in KINDS)
    known = (standardized > 0) & np.isfinite(standardized)
    assert (standardized[known] > normalized[known] - 1e-9).all()


def test_standardized_residuals_are_standard_normal_if_the_model_is_true(rng):
    """Groups that share loadings, too: the moments of one inform the residuals of the other."""
    loads = np.array([1.0, 0.8, 0.6, 0.7])
    sigma = np.outer(loads, loads) + np.diag([0.5, 0.6, 0.7, 0.4])
    names = list("abcd")
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        for _ in range(150):
            drawn = rng.multivariate_normal(np.zeros(4), sigma, 600)
            frame = pd.DataFrame(drawn, columns=names).assign(group=np.repeat(["g", "h"], [200, 400]))
            fit = csat.sem(
                csat.read_survey(frame), "F =~ a + b + c + d", group="group", equal=["loadings", "intercepts"]
            )
            found.append([
                *(fit.residuals("standardized", "g").to_numpy()[np.tril_indices(4, -1)]),
                *fit.mean_residuals("standardized", "g"),
            ])  # fmt: skip
    spread = np.sqrt(np.mean(np.square(found), axis=0))
    assert (np.abs(spread - 1) < 0.2).all()
    assert abs(spread.mean() - 1) < 0.05


def test_mean_residuals_in_other_units():
    fit = fitted("means")
    raw, cor = fit.mean_residuals(), fit.mean_residuals("cor")
    observed = pd.read_csv(FIXTURES / "rows.csv")
    assert raw["x2"] == pytest.approx(observed["x2"].mean() - 6.0, abs=1e-6)
    np.testing.assert_allclose(cor, raw / observed[list(raw.index)].std(ddof=0), rtol=1e-6)
    assert fitted("cfa").mean_residuals("standardized").isna().all(), "no intercepts"


def test_what_has_no_errors_says_so():
    frame = pd.read_csv(FIXTURES / "rows.csv")
    for j in (1, 2, 3, 4):
        frame[f"x{j}"] = pd.qcut(frame[f"x{j}"], 3, labels=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        ordered = csat.sem(csat.read_survey(frame), "F =~ x1 + x2 + x3 + x4", estimator="WLSMV", ordered=True)
    with pytest.raises(OptionError, match=r"not available for correlations of ordered items\. Use kind='cor'\."):
        ordered.residuals("standardized")
    with pytest.raises(OptionError, match="kind='normalized': standard errors"):
        ordered.mean_residuals("normalized")
    with pytest.raises(OptionError, match="kind"):
        fitted("cfa").residuals("studentized")
    with pytest.raises(OptionError, match="kind"):
        fitted("cfa").mean_residuals(3)
