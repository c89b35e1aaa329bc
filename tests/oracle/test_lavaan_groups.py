"""Groups, means, least squares, modification indices and score tests of `csat.sem` against lavaan 0.6-14 (R 4.2.2).

tests/fixtures/lavaan/groups_cases.json holds the reference cases; their rows are beside the checkout. groups.json holds
what they lack (made by groups.R beside it: three groups, predictors with least squares and means, indices and score
tests of further models) of rows drawn by rows.R.
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.structural.comparing.equality import equality_tests
from csat.structural.comparing.invariance import invariance
from csat.structural.comparing.modification import modification_indices

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
MEASURES = {
    "npar": "npar", "df": "df", "p": "pvalue", "baseline_df": "baseline.df", "baseline_p": "baseline.pvalue",
    "cfi": "cfi", "tli": "tli", "nfi": "nfi", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower",
    "rmsea_high": "rmsea.ci.upper", "rmsea_p": "rmsea.pvalue", "srmr": "srmr", "gfi": "gfi",
}  # fmt: skip
STATISTICS = {
    "chisq": "chisq", "baseline_chisq": "baseline.chisq", "loglik": "logl", "unrestricted_loglik": "unrestricted.logl",
    "aic": "aic", "bic": "bic", "sabic": "bic2",
}  # fmt: skip
#: Names of the schools such that csat, which sorts, has lavaan's order.
SCHOOLS = {"Old": "1 Old", "New": "2 New", "Pasteur": "1 Pasteur", "Grant-White": "2 Grant-White"}
SCALAR = ["loadings", "intercepts"]
EQUAL = {"configural": [], "metric": ["loadings"], "scalar": SCALAR, "strict": [*SCALAR, "residuals"]}
CASES = {
    "sem_hs_meanstructure": {"means": True},
    "sem_hs_gls": {"estimator": "GLS"},
    "sem_hs_uls": {"estimator": "ULS"},
    "sem_hs_modindices": {},
    "sem_hs_partial_scalar": {"group": "school", "equal": SCALAR, "partial": ["x3~1", "x7 ~ 1"]},
} | {
    f"sem_hs_invariance_ml {step}": {"group": "school", "equal": equal} for step, equal in EQUAL.items()
}  # fmt: skip
MORE = {
    "gls_means": ("mimic", "rows", {"estimator": "GLS", "means": True}),
    "gls_groups": ("mimic", "rows", {"estimator": "GLS", "group": "school", "equal": "loadings"}),
    "uls_means": ("mimic", "rows", {"estimator": "ULS", "means": True}),
    "uls_groups": ("mimic", "rows", {"estimator": "ULS", "group": "school", "equal": "loadings"}),
    "partial": ("cfa3", "rows", {"group": "school", "equal": SCALAR, "partial": ["x3~1", "x7 ~ 1"]}),
    "ml_means_fixed": ("mimic", "rows", {"means": True}),
    "ml_groups_fixed": ("mimic", "rows", {"group": "school", "equal": "loadings"}),
    "ml_path_means": ("path", "cars", {"means": True}),
    "ml_path_random": ("path", "cars", {"fixed_x": False}),
}
INDICES = {
    "means": ("cfa3", {"means": True}),
    "std_lv": ("cfa3", {"std_lv": True}),
    "orthogonal": ("cfa3", {"orthogonal": True}),
    "mimic": ("mimic", {}),
    "chain": ("chain", {}),
    "second": ("second", {}),
    "labels": ("labels", {}),
    "path_random": ("path", {"fixed_x": False}),
    "groups_configural": ("cfa3", {"group": "school"}),
    "groups_metric": ("cfa3", {"group": "school", "equal": "loadings"}),
    "groups_scalar": ("cfa3", {"group": "school", "equal": SCALAR}),
    "mlr": ("cfa3", {"estimator": "MLR"}),
    "wishart": ("cfa3", {"likelihood": "wishart"}),
}


@cache
def stored(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def survey(name="rows"):
    """Rows of a file, or of those beside this test: cars, rows, rows cut into answers, rows with gaps."""
    beside = FIXTURES / ("cars.csv" if name == "cars" else "rows.csv")
    frame = pd.read_csv(name if name.endswith(".csv") else beside)
    items = [f"x{i}" for i in range(1, 10)]
    if name == "answers":
        half = frame[items].std() / 2
        frame[items] = 1 + (frame[items] > frame[items].mean() - half) * 1 + (frame[items] > frame[items].mean() + half)
    if name == "gaps":
        for item, first, step in (("x1", 2, 7), ("x5", 1, 5), ("x9", 0, 4)):
            frame.loc[first::step, item] = np.nan
    if "school" in frame:
        frame["school"] = frame["school"].map(SCHOOLS)
        frame["third"] = np.array(["a", "b", "c"])[np.arange(len(frame)) % 3]
    return csat.read_survey(frame)


@cache
def fitted(source, model, options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        return csat.sem(survey(source), model, **json.loads(options))


def fit(source, model, options):
    return fitted(source, model, json.dumps(options))


def case(name):
    """Model and stored result of a case, or of one step of a case."""
    of, _, step = name.partition(" ")
    found = stored("groups_cases")[of]
    return found["model"], found["result"]["steps"][step] if step else found["result"]


@pytest.fixture
def case_fit(shared_case):
    """Fit of a case."""
    return lambda name: fit(str(shared_case(f"{name.split()[0]}.csv")), case(name)[0], CASES[name])


def more_fit(name):
    model, source, options = MORE[name]
    return fit(source, stored("groups")["models"][model], options)


def model_of(name):
    return stored("groups")["models"][name]


def paired(frame, reference, groups):
    """Our rows in lavaan's order: (ours, lavaan's); a covariance may be written either way round."""
    theirs = pd.DataFrame(reference)
    theirs = theirs[theirs["op"] != "=="].reset_index(drop=True)
    label = [groups[g - 1] for g in theirs["group"]] if "group" in theirs else [""] * len(theirs)
    ours = {(row.lhs, row.op, row.rhs, row.group): i for i, row in enumerate(frame.itertuples())}
    keys = list(zip(theirs["lhs"], theirs["op"], theirs["rhs"], label, strict=True))
    places = [ours[key] if key in ours else ours[key[2], key[1], key[0], key[3]] for key in keys]
    assert sorted(places) == list(range(len(frame)))
    return frame.iloc[places].reset_index(drop=True), theirs


def assert_near(ours, theirs, absolute, relative):
    theirs = np.asarray(theirs, float)
    np.testing.assert_array_less(
        np.abs(np.asarray(ours, float) - theirs), np.maximum(absolute, relative * np.abs(theirs))
    )


@pytest.mark.shared
@pytest.mark.parametrize("name", CASES)
def test_estimates_and_their_uncertainty(case_fit, name):
    found, (_, result) = case_fit(name), case(name)
    ours, theirs = paired(found.tidy(), result["parameter_estimates"], found.groups)
    assert_near(ours["estimate"], theirs["est"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)
    tested = theirs["z"].notna()
    assert np.array_equal(tested, ours["statistic"].notna())
    assert_near(ours["statistic"][tested], theirs["z"][tested], 1e-4, 6e-4)
    assert_near(ours["p"][tested], theirs["pvalue"][tested], 1e-4, 0)
    assert_near(ours["low"], theirs["ci.lower"], 1e-4, 6e-4)
    assert_near(ours["high"], theirs["ci.upper"], 1e-4, 6e-4)
    ours, theirs = paired(found.standardized(), result["standardized_all"], found.groups)
    assert_near(ours["estimate"], theirs["est.std"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)


@pytest.mark.shared
@pytest.mark.parametrize("name", CASES)
def test_fit_measures(case_fit, name):
    glance, theirs = case_fit(name).glance().iloc[0], case(name)[1]["fit_measures"]
    for ours, lavaan in (MEASURES | STATISTICS).items():
        wanted = theirs.get(lavaan)
        if wanted is None:
            assert np.isnan(glance[ours])
        else:
            assert_near(glance[ours], wanted, 1e-3 if ours in STATISTICS else 1e-4, 0)


@pytest.mark.shared
@pytest.mark.parametrize("name", CASES)
def test_moments_by_group(case_fit, name):
    found, result = case_fit(name), case(name)[1]
    for label, stored_label in zip(found.groups, result["r2"], strict=True):
        r2 = found.r2 if len(found.groups) == 1 else found.r2[found.r2["group"] == label]
        assert_near(
            r2.set_index("term")["r2"][list(result["r2"][stored_label])],
            [*result["r2"][stored_label].values()],
            1e-4,
            0,
        )
        if result["implied_mean"][stored_label] is not None:
            means = result["implied_mean"][stored_label]
            assert_near(found.implied_means(label)[list(means)], [*means.values()], 1e-4, 0)
        theirs = result["cov_lv"][stored_label]
        ours = found.latent_covariance(label).loc[theirs["rows"], theirs["cols"]]
        assert_near(ours, theirs["values"], 1e-4, 1e-4)


@pytest.mark.parametrize("name", MORE)
def test_least_squares_and_means_with_predictors(name):
    found, stored_fit = more_fit(name), stored("groups")["fits"][name]
    ours, theirs = paired(found.tidy(), stored_fit["parameters"], found.groups)
    assert_near(ours["estimate"], theirs["est"], 5e-5, 0)
    # Under least squares lavaan weighs groups by n, csat by n − 1.
    weighed = name in ("gls_groups", "uls_groups")
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4 if weighed else 5e-6)
    glance = found.glance().iloc[0]
    for lavaan, value in stored_fit["measures"].items():
        assert_near(glance[lavaan.replace(".", "_")], value, 1e-6, 1e-8)


@pytest.mark.shared
@pytest.mark.parametrize("estimator", ["ml", "mlr"])
def test_invariance_in_one_call(shared_case, estimator):
    model, result = case("sem_hs_invariance_ml")
    path = shared_case(f"sem_hs_invariance_{estimator}.csv")
    if estimator == "mlr":
        result = stored("robust_cases")["sem_hs_invariance_mlr"]["result"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = invariance(survey(str(path)), model, "school", estimator=estimator.upper())
    frame, tests = found.tidy(), pd.DataFrame(result["lrt"])
    assert frame["step"].tolist() == tests["model"].tolist() == list(EQUAL)
    assert_near(frame["df"], tests["Df"], 1e-9, 0)
    assert_near(frame["chisq"], tests["Chisq"], 1e-3, 0)
    assert_near(frame["aic"], tests["AIC"], 1e-3, 0)
    assert_near(frame["bic"], tests["BIC"], 1e-3, 0)
    assert_near(frame["chisq_diff"][1:], tests["Chisq diff"][1:], 1e-3, 1e-4)
    assert_near(frame["df_diff"][1:], tests["Df diff"][1:], 1e-9, 0)
    assert_near(frame["p"][1:], tests["Pr(>Chisq)"][1:], 1e-4, 0)
    if "RMSEA" in tests:
        assert_near(frame["rmsea_diff"][1:], tests["RMSEA"][1:], 1e-4, 0)
    changes = result["delta_fit"]
    for ours, lavaan in (("delta_cfi", "d_cfi"), ("delta_rmsea", "d_rmsea"), ("delta_srmr", "d_srmr")):
        assert_near(frame[ours][1:], changes[lavaan], 1e-4, 0)
    assert found.verdicts == ("supported", "supported", "not_supported", "supported")
    assert (found.reached, found.broken) == ("metric", "scalar")
    assert found.glance().loc[0, "suspect"] == "x3 ~1"


@pytest.mark.shared
def test_score_tests_of_the_broken_step(case_fit):
    expected = case("sem_hs_invariance_ml")[1]["score_test_scalar"]
    found = equality_tests(case_fit("sem_hs_invariance_ml scalar"))
    frame = found.tidy()
    # .p2. == .p38. … are the loadings in their order, .p25. … the intercepts.
    assert (frame["lhs"] + frame["op"]).tolist()[6:] == [f"x{i}~1" for i in range(1, 10)]
    assert_near(frame["chisq"], expected["uni"]["X2"], 1e-4, 1e-4)
    assert_near(frame["p"], expected["uni"]["p.value"], 1e-4, 0)
    # lavaan counts 15 equalities, but without them means and intercepts are not identified: 12 are restrictions, as
    # many as the χ² difference between the scalar and the configural model has degrees of freedom.
    assert_near(found.chisq, expected["total"]["X2"], 1e-3, 0)
    assert found.df == expected["total"]["df"] - 3 == 60 - 48


@pytest.mark.parametrize("name", INDICES)
def test_modification_indices(name):
    model, options = INDICES[name]
    found = modification_indices(fit("cars" if model == "path" else "rows", model_of(model), options), sort=False)
    expected = stored("groups")["modifications"][name]
    groups = fit("cars" if model == "path" else "rows", model_of(model), options).groups
    ours, theirs = paired(found.tidy(), expected, groups)
    # Under equations lavaan stops early.
    tolerance = 1e-3 if model == "labels" else 1e-5
    assert_near(ours["mi"], theirs["mi"], tolerance, 0)
    for column, lavaan in (("epc", "epc"), ("sepc_lv", "sepc.lv"), ("sepc_all", "sepc.all")):
        assert_near(ours[column], theirs[lavaan].astype(float), tolerance, 0)


@pytest.mark.shared
def test_the_stored_case_of_modification_indices(case_fit):
    theirs = case("sem_hs_modindices")[1]["modindices_all"]
    ours, theirs = paired(modification_indices(case_fit("sem_hs_modindices")).tidy(), theirs, [""])
    assert ours.index.is_monotonic_increasing
    assert_near(ours["mi"], theirs["mi"], 1e-3, 1e-4)
    for column, lavaan in (("epc", "epc"), ("sepc_lv", "sepc.lv"), ("sepc_all", "sepc.all")):
        assert_near(ours[column], theirs[lavaan], 1e-4, 1e-4)


@pytest.mark.parametrize(
    ("name", "source", "options"),
    [
        ("gls", "rows", {"estimator": "GLS"}),
        ("uls", "rows", {"estimator": "ULS"}),
        ("wlsmv", "answers", {"estimator": "WLSMV", "ordered": True}),
    ],
)
def test_modification_indices_under_least_squares(name, source, options):
    """lavaan multiplies the slope by (n − 1)/n, the curvature not: its expected changes are short by that factor."""
    n = 301
    ours = modification_indices(fit(source, model_of("cfa3"), options), sort=False).tidy()
    ours, theirs = paired(ours, stored("groups")["modifications"][name], [""])
    assert_near(ours["epc"] * (n - 1) / n, theirs["epc"], 2e-5, 0)
    assert_near(ours["mi"] * ((n - 1) / n) ** 2, theirs["mi"], 2e-5, 2e-5)


def test_modification_indices_with_gaps():
    found = modification_indices(fit("gaps", model_of("cfa3"), {"missing": "fiml"})).tidy()
    ours, theirs = paired(found, stored("groups")["modifications"]["fiml"], [""])
    assert_near(ours["mi"], theirs["mi"], 2e-5, 0)
    assert_near(ours["epc"], theirs["epc"], 2e-5, 0)


def test_indices_leave_sampled_predictors_unexplained():
    """lavaan also lists paths into predictors whose moments it takes from the sample, and those moments."""
    ours = modification_indices(fit("cars", model_of("path"), {})).tidy()
    theirs = pd.DataFrame(stored("groups")["modifications"]["path"])
    theirs = theirs[theirs["lhs"].isin(["mpg", "hp"]) & (theirs["op"] == "~")]
    ours, theirs = paired(ours, theirs, [""])
    assert_near(ours["mi"], theirs["mi"], 1e-3, 1e-4)
    assert_near(ours["epc"], theirs["epc"], 1e-4, 1e-4)
    assert_near(ours["sepc_all"], theirs["sepc.all"], 1e-4, 1e-4)


@pytest.mark.parametrize(
    ("name", "model", "options"),
    [
        ("metric", "cfa3", {"group": "school", "equal": "loadings"}),
        ("strict", "cfa3", {"group": "school", "equal": [*SCALAR, "residuals"]}),
        ("three", "cfa2", {"group": "third", "equal": SCALAR}),
        ("labels", "labels", {}),
    ],
)
def test_score_tests_of_equalities(name, model, options):
    found = equality_tests(fit("rows", model_of(model), options))
    expected, frame = stored("groups")["score_tests"][name], found.tidy()
    assert_near(found.chisq, expected["total"]["X2"], 1e-3, 1e-4)
    ours = {}
    for row in frame.itertuples():
        relation = f"{row.lhs} {row.op} {row.rhs}".strip()
        group = f" {'abc'.index(row.group) + 1}" if name == "three" and row.group else ""
        ours[row.lhs if row.op == "==" else relation + group] = row.chisq
    for left, right, chisq in zip(expected["left"], expected["right"], expected["X2"], strict=True):
        # "x2 ~1  2" is the parameter of the second group; outside "three" the pair has one test.
        key = " ".join(right.split()) if name == "three" else " ".join(right.split()[:-1])
        assert_near(ours[left if "+" in right else key], chisq, 1e-3, 1e-4)
    assert int(frame["whole"].sum()) == found.glance().loc[0, "equalities"]


def test_three_groups():
    expected = stored("groups")["three"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = invariance(survey(), model_of("cfa2"), "third")
    frame = found.tidy()
    for column, key in (("chisq", "chisq"), ("df", "df"), ("chisq_diff", "diff"), ("df_diff", "df_diff"), ("p", "p")):
        values = [np.nan if value is None else value for value in expected[key]]
        np.testing.assert_allclose(frame[column], values, atol=1e-3 if "chisq" in column else 1e-4)
    for fit_of, measures in zip(found.fits, expected["measures"], strict=True):
        for key, value in measures.items():
            assert_near(getattr(fit_of.measures, key), value, 1e-4, 0)
    # lavaan's p of the last step is .001, and its CFI falls by .03.
    assert (found.reached, found.broken) == ("scalar", "strict")


def test_latent_means_of_three_groups():
    expected = stored("groups")["three"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        found = invariance(survey(), model_of("cfa2"), "third", steps=["metric", "scalar"])
    means = pd.DataFrame(expected["means"]).query("group > 1")
    frame = found.latent_means().tidy().set_index(["construct", "group"])
    places = [(row.lhs, "abc"[row.group - 1]) for row in means.itertuples()]
    assert_near(frame.loc[places, "estimate"], means["est"], 1e-4, 0)
    assert_near(frame.loc[places, "se"], means["se"], 1e-9, 5e-4)
    overall = found.latent_means().overall().set_index("construct").loc["visual"]
    assert_near(overall["chisq"], expected["wald"]["stat"], 1e-3, 1e-4)
    assert overall["df"] == 2
    assert found.latent_means("all").overall().set_index("construct").loc["visual", "chisq"] == pytest.approx(
        overall["chisq"], rel=1e-8
    )
    effects = pd.DataFrame(expected["effects"]).set_index("lhs")
    pairs = found.latent_means("all").tidy().set_index(["construct", "group", "against"]).loc["visual"]
    assert_near(pairs.loc[("b", "a"), ["effect", "effect_se"]], effects.loc["e21", ["est", "se"]], 1e-4, 5e-4)
    assert_near(pairs.loc[("c", "b"), ["effect", "effect_se"]], effects.loc["e32", ["est", "se"]], 1e-4, 5e-4)
    assert_near(pairs.loc[("c", "b"), ["estimate", "se"]], effects.loc["d32", ["est", "se"]], 1e-4, 5e-4)
