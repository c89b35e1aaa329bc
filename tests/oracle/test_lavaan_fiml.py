"""Models of answers with gaps against lavaan 0.6-14 (R 4.2.2).

tests/fixtures/lavaan/fiml_cases.json holds the reference cases; their rows are beside the checkout. fiml.json holds
what they lack (made by fiml.R beside it: groups, equations, observed predictors, weights, clusters, covariances pair
by pair) of rows drawn by rows.R, with gaps made by a rule.

Not lavaan's: robust CFI, TLI and RMSEA with random predictors (it refits with predictors fixed, so that they differ
from the plain ones without any gap), and GFI with weights (its covariances are unweighted).
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.structural.factor_scores import factor_scores
from csat.structural.gaps.fiml import MissingPredictorWarning
from csat.structural.guards import FewCasesWarning

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
ITEMS = [f"x{i}" for i in range(1, 10)]
INDICES = {
    "npar": "npar", "df": "df", "p": "pvalue", "baseline_df": "baseline.df", "cfi": "cfi", "tli": "tli", "nfi": "nfi",
    "gfi": "gfi", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper",
    "rmsea_p": "rmsea.pvalue", "srmr": "srmr", "p_scaled": "pvalue.scaled", "scaling": "chisq.scaling.factor",
    "baseline_scaling": "baseline.chisq.scaling.factor", "cfi_scaled": "cfi.scaled", "tli_scaled": "tli.scaled",
    "rmsea_scaled": "rmsea.scaled",
}  # fmt: skip
ROBUST = {
    "cfi_robust": "cfi.robust", "tli_robust": "tli.robust", "rmsea_robust": "rmsea.robust",
    "rmsea_low_robust": "rmsea.ci.lower.robust", "rmsea_high_robust": "rmsea.ci.upper.robust",
    "rmsea_p_robust": "rmsea.pvalue.robust",
}  # fmt: skip
STATISTICS = {
    "chisq": "chisq", "baseline_chisq": "baseline.chisq", "chisq_scaled": "chisq.scaled",
    "baseline_chisq_scaled": "baseline.chisq.scaled", "loglik": "logl", "unrestricted_loglik": "unrestricted.logl",
    "aic": "aic", "bic": "bic", "sabic": "bic2",
}  # fmt: skip
LOST, FEW = MissingPredictorWarning, FewCasesWarning
#: Fits of fiml.R: model, design, options, warnings.
LIVE = {
    "cfa3": ("cfa3", {}, {}, ()),
    "groups_metric": ("cfa3", {}, {"group": "school", "equal": "loadings"}, ()),
    "groups_scalar_mlr": (
        "cfa3", {}, {"group": "school", "equal": ["loadings", "intercepts"], "estimator": "MLR"}, (),
    ),
    "tied": ("tied", {}, {}, ()),
    "tied_mlr": ("tied", {}, {"estimator": "MLR"}, ()),
    "mimic": ("mimic", {}, {}, (LOST,)),
    "mimic_mlr": ("mimic", {}, {"estimator": "MLR"}, (LOST,)),
    "mimic_random": ("mimic", {}, {"fixed_x": False}, ()),
    "mimic_groups": ("mimic", {}, {"group": "school", "equal": ["loadings", "regressions"]}, (LOST, FEW)),
    "path": ("path", {}, {}, (LOST,)),
    "path_random_mlr": ("path", {}, {"fixed_x": False, "estimator": "MLR"}, ()),
    "weights_mlr": ("cfa3", {"weight": "w"}, {"estimator": "MLR"}, ()),
    "clusters_mlr": ("cfa3", {"psu": "cl"}, {"estimator": "MLR"}, ()),
    "weights_clusters_mlr": ("cfa3", {"weight": "w", "psu": "cl"}, {"estimator": "MLR"}, ()),
}  # fmt: skip
NOT_LAVAANS = {"mimic_random": set(ROBUST), "path_random_mlr": set(ROBUST), "weights_mlr": {"gfi"}}
NOT_LAVAANS["weights_clusters_mlr"] = {"gfi"}


@cache
def stored(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def made():
    """The data with the gaps of fiml.R."""
    frame = pd.read_csv(FIXTURES / "rows.csv")
    row, first = np.arange(1, len(frame) + 1), frame["x1"].to_numpy(copy=True)
    for j, name in enumerate(ITEMS, 1):
        frame.loc[(7 * row + 3 * j * j) % 13 == 0, name] = np.nan
    frame.loc[(first < 4) & (row % 3 == 0), ["x2", "x5"]] = np.nan
    frame.loc[row % 17 == 5, ["x7", "x8", "x9"]] = np.nan
    frame.loc[[49, 149], ITEMS] = np.nan
    frame.loc[row % 31 == 7, "age"] = np.nan
    # csat sorts groups by name, lavaan by appearance: the first group sets the origin of latent means.
    frame["school"] = frame["school"].map({"Old": "1 Old", "New": "2 New"})
    return frame.assign(cl=frame["cl"].astype(str))


def survey(**design):
    return csat.read_survey(made(), design=csat.Design(**design))


@cache
def live(name):
    model, design, options, expected = LIVE[name]
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = csat.sem(survey(**design), stored("fiml")["models"][model], missing="fiml", **options)
    assert {warning.category for warning in raised} == set(expected)
    return found


@pytest.fixture
def case(shared_case):
    """Fit of a reference case."""

    def found(name, estimator):
        source = csat.read_survey(pd.read_csv(shared_case(f"{name}.csv")))
        return csat.sem(source, stored("fiml_cases")[name]["model"], missing="fiml", estimator=estimator)

    return found


def paired(frame, reference):
    """Our rows in lavaan's order, as (ours, lavaan's); a covariance may be written either way round."""
    theirs = pd.DataFrame({key: value for key, value in reference.items() if len(value)})
    codes = {label: str(g + 1) for g, label in enumerate(dict.fromkeys(frame["group"].loc[frame["group"] != ""]))}
    ours = {(row.lhs, row.op, row.rhs, codes.get(row.group, "")): i for i, row in enumerate(frame.itertuples())}
    groups = theirs["group"].astype(str) if "group" in theirs and codes else pd.Series("", theirs.index)
    groups = groups.where(theirs["op"] != ":=", "")
    keys = list(zip(theirs["lhs"], theirs["op"], theirs["rhs"], groups, strict=True))
    places = [ours[key] if key in ours else ours[key[2], key[1], key[0], key[3]] for key in keys]
    assert sorted(places) == list(range(len(frame)))
    return frame.iloc[places].reset_index(drop=True), theirs


def assert_near(ours, theirs, absolute, relative):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    np.testing.assert_array_less(np.abs(ours - theirs), np.maximum(absolute, relative * np.abs(theirs)) + 1e-300)


def assert_estimates(found, reference, relative=5e-5):
    ours, theirs = paired(found.tidy(), reference)
    assert_near(ours["estimate"], theirs["est"], 1e-5, 1e-5)
    assert_near(ours["se"], theirs["se"], 1e-7, relative)
    if "std.all" in theirs:
        assert_near(ours["std_all"], theirs["std.all"], 2e-5, 0)


def assert_measures(found, reference, apart=()):
    glance = found.glance().iloc[0]
    for ours, lavaan in (INDICES | ROBUST).items():
        if lavaan in reference and ours not in apart:
            assert_near(glance[ours], reference[lavaan], 5e-6, 0)
    for ours, lavaan in STATISTICS.items():
        if lavaan in reference:
            assert_near(glance[ours], reference[lavaan], 2e-4, 5e-6)


@pytest.mark.parametrize("name", LIVE)
def test_live_fits(name):
    found, theirs = live(name), stored("fiml")["fits"][name]
    assert_estimates(found, theirs["parameters"])
    assert_measures(found, theirs["measures"], NOT_LAVAANS.get(name, ()))
    assert list(found.sizes) == np.atleast_1d(theirs["nobs"]).tolist()
    assert found.glance()["patterns"].item() == theirs["patterns"]
    assert found.left_out == len(made()) - sum(found.sizes)


@pytest.mark.parametrize("name", ["groups_metric", "mimic_random"])
def test_unrestricted_moments_and_coverage(name):
    found, theirs = live(name), stored("fiml")["fits"][name]
    order = [theirs["names"].index(variable) for variable in found.observed]
    block = np.ix_(order, order)
    for g, sample in enumerate(found.samples):
        assert_near(sample.mean, np.array(theirs["h1_mean"][g])[order], 1e-7, 1e-7)
        assert_near(sample.cov, np.array(theirs["h1_cov"][g])[block], 1e-7, 1e-7)
        share = found.coverage(found.groups[g] or None)
        assert_near(share, np.array(theirs["coverage"][g])[block], 1e-12, 0)


@pytest.mark.shared
@pytest.mark.parametrize(("name", "estimator"), [("sem_hs_fiml", "ML"), ("sem_hs_fiml_mlr", "MLR")])
def test_reference_cases(case, name, estimator):
    found, theirs = case(name, estimator), stored("fiml_cases")[name]["result"]
    assert found.notes == ()
    assert found.measures.n == theirs["nobs"]["all"]
    assert found.glance()["patterns"].item() == theirs["missing_patterns"]
    assert_estimates(found, theirs["parameter_estimates"])
    assert_measures(found, theirs["fit_measures"])
    ours, reference = paired(found.standardized(), theirs["standardized_all"])
    assert_near(ours["estimate"], reference["est.std"], 1e-5, 0)
    assert_near(ours["se"], reference["se"], 1e-7, 5e-5)
    assert_near(found.samples[0].mean, list(theirs["h1_saturated"]["mean"].values()), 1e-5, 0)
    assert_near(found.samples[0].cov, theirs["sample_cov"]["all"]["values"], 1e-5, 0)
    assert_near(found.implied_means(), list(theirs["implied_mean"]["all"].values()), 1e-5, 0)
    assert_near(found.residuals("cor"), theirs["residuals_cor"]["all"]["values"], 1e-5, 0)


def test_factor_scores_with_random_predictors():
    scores = factor_scores(live("mimic_random"), survey()).scores.to_numpy()
    assert_near(scores[np.r_[0:8, 48:51, 100:104, 300]], stored("fiml")["scores"], 2e-5, 0)


def test_differences():
    """lavaan's method is Satorra & Bentler (2001) under MLR."""
    theirs = stored("fiml")["differences"]
    # lavaan stops up to 7e-6 from the maximum of the scalar model, where χ² is 5e-9 larger than here. Its scaling
    # factor is then off by 1e-6, and that of the difference of two models by 8e-6.
    for key, estimator, tolerance in (("plain", "ML", 1e-9), ("bentler_2001", "MLR", 2e-5)):
        models = [
            csat.sem(survey(), stored("fiml")["models"]["cfa3"], missing="fiml", estimator=estimator, group="school",
                     equal=equal)
            for equal in (["loadings"], ["loadings", "intercepts"])
        ]  # fmt: skip
        found = csat.compare_models(*models).tidy().iloc[1]
        assert found["df_diff"] == theirs[key]["df"]
        assert_near(found["chisq_diff"], theirs[key]["chisq"], 0, tolerance)
        assert_near(found["p"], theirs[key]["p"], tolerance, 0)


def test_covariances_pair_by_pair():
    """lavaan was given the covariances, and their covariance from what each row adds to them."""
    theirs = stored("fiml")["fits"]["pairwise"]
    with pytest.warns(csat.structural.gaps.pairwise.PairwiseWarning, match="222 respondents at least of 299"):
        found = csat.sem(survey(), stored("fiml")["models"]["cfa3"], missing="pairwise", means=True)
    assert found.estimator == "MLM"
    assert sum(found.sizes) == theirs["nobs"]
    assert_estimates(found, theirs["parameters"], 1e-5)
    assert_measures(found, theirs["measures"])
