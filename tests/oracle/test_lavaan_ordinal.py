"""Ordered items: `csat.sem(estimator="WLSMV")` and polychoric correlations against lavaan 0.6-14 (R 4.2.2).

tests/fixtures/lavaan/ordinal_cases.json holds the reference cases; their rows are beside the checkout. ordinal.json
holds the same and what they lack (made by ordinal.R beside it: rare categories, mixed models, binary items, weights,
groups, random predictors, difference tests, normal probabilities) of rows drawn by rows.R, cut into categories.
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat import Design, read_survey
from csat.errors import CsatWarning
from csat.structural import sem
from csat.structural.comparing.comparison import compare_models
from csat.structural.ordered.binormal import binormal_cdf
from csat.structural.ordered.categories import items_of
from csat.structural.ordered.correlations import polychoric
from csat.structural.ordered.influence import certainty
from csat.structural.ordered.latent_moments import moments_of
from csat.structural.ordered.responses import responses

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
#: The fit of which everything is stored, and the reference cases.
WHOLE = "five_levels"
CASES = [
    WHOLE,
    *(pytest.param(name, marks=pytest.mark.shared) for name in ("sem_hs_ord5_wlsmv", "sem_mobi_core_ord5_wlsmv")),
]
FIVE = [f"x{i}" for i in range(1, 6)]
#: Live fits of ordinal.R: data, design, options.
LIVE = {
    "mixed": ("mixed", {}, {"ordered": FIVE}),
    "mixed_dwls": ("mixed", {}, {"ordered": FIVE, "estimator": "DWLS"}),
    "mixed_weights": ("mixed", {"weight": "w"}, {"ordered": FIVE}),
    "mixed_stdlv": ("mixed", {}, {"ordered": FIVE, "std_lv": True}),
    "mixed_groups": ("mixed", {}, {"ordered": FIVE, "group": "school"}),
    "mixed_metric": ("mixed", {}, {"ordered": FIVE, "group": "school", "equal": "loadings"}),
    "binary": ("binary", {}, {"ordered": True}),
    "binary_dwls": ("binary", {}, {"ordered": True, "estimator": "DWLS"}),
    "binary_groups": ("binary", {}, {"ordered": True, "group": "school"}),
    "predictor": ("six", {}, {"ordered": [*FIVE, "x6"], "fixed_x": False}),
    "path": ("six", {}, {"ordered": ["x1", "x2", "x4", "x5", "x6"], "fixed_x": False}),
    "predictors": ("six", {}, {"ordered": ["x4", "x5", "x6"], "fixed_x": False}),
}  # fmt: skip
MEASURES = {
    "npar": "npar", "chisq": "chisq", "df": "df", "p": "pvalue", "baseline_chisq": "baseline.chisq",
    "baseline_df": "baseline.df", "cfi": "cfi", "tli": "tli", "nfi": "nfi", "rmsea": "rmsea",
    "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper", "rmsea_p": "rmsea.pvalue", "srmr": "srmr",
    "gfi": "gfi", "chisq_scaled": "chisq.scaled", "df_scaled": "df.scaled", "p_scaled": "pvalue.scaled",
    "scaling": "chisq.scaling.factor", "baseline_chisq_scaled": "baseline.chisq.scaled",
    "baseline_scaling": "baseline.chisq.scaling.factor", "cfi_scaled": "cfi.scaled", "tli_scaled": "tli.scaled",
    "rmsea_scaled": "rmsea.scaled", "rmsea_low_scaled": "rmsea.ci.lower.scaled",
    "rmsea_high_scaled": "rmsea.ci.upper.scaled", "rmsea_p_scaled": "rmsea.pvalue.scaled", "cfi_robust": "cfi.robust",
    "tli_robust": "tli.robust", "rmsea_robust": "rmsea.robust", "rmsea_low_robust": "rmsea.ci.lower.robust",
    "rmsea_high_robust": "rmsea.ci.upper.robust", "rmsea_p_robust": "rmsea.pvalue.robust",
}  # fmt: skip
#: lavaan 0.6-14 adds the traces of the groups' baselines without their shares in the sample.
NOT_IN_GROUPS = ("cfi_robust", "tli_robust")


@cache
def live():
    return json.loads((FIXTURES / "ordinal.json").read_text(encoding="utf-8"))


@cache
def cases():
    return json.loads((FIXTURES / "ordinal_cases.json").read_text(encoding="utf-8")) | {WHOLE: live()[WHOLE]}


def case(name):
    return cases()[name]


def quiet(function, *args, **options):
    """Run with the doubts that these small samples raise put aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CsatWarning)
        return function(*args, **options)


def cut(name):
    """rows.csv with some items cut into categories, as ordinal.R does it."""
    data = pd.read_csv(FIXTURES / "rows.csv")
    places = live()[{"binary": "halves", WHOLE: "fives"}.get(name, "cuts")]
    for item, at in list(places.items())[: 5 if name == "mixed" else None]:
        data[item] = (data[item].to_numpy()[:, None] >= np.atleast_1d(at)).sum(axis=1) + 1
    return data


@pytest.fixture
def answers(shared_case):
    """Categories of the items of a case."""
    return lambda name: read_survey(cut(name) if name == WHOLE else pd.read_csv(shared_case(f"{name}.csv")))


@cache
def fit(name):
    data, design, options = LIVE[name]
    survey = read_survey(cut(data), design=Design(**design))
    return quiet(sem, survey, live()["models"][name], **({"estimator": "WLSMV"} | options))


@pytest.fixture(scope="module")
def fits():
    """Fits of the cases, made once."""
    return {}


@pytest.fixture
def fit_case(answers, fits):
    """Fit of a case."""

    def found(name):
        if name not in fits:
            ordered = case(name)["result"]["polychoric"]["rows"]
            fits[name] = quiet(sem, answers(name), case(name)["model"], estimator="WLSMV", ordered=ordered)
        return fits[name]

    return found


def paired(found, table, labels=()):
    """Our rows in lavaan's order, and lavaan's; rows of zero intercepts and of scales are lavaan's only."""
    theirs = pd.DataFrame(table)
    theirs = theirs[~(theirs["op"].isin(["~1", "~*~"]) & (theirs["se"].fillna(0.0) == 0))].reset_index(drop=True)
    groups = [labels[g - 1] if g else "" for g in theirs["group"]] if len(labels) else [""] * len(theirs)
    ours = {}
    for i, row in enumerate(found.itertuples()):
        ours[row.lhs, row.op, row.rhs, row.group] = ours[row.rhs, row.op, row.lhs, row.group] = i
    keys = zip(theirs["lhs"], theirs["op"], theirs["rhs"], groups, strict=True)
    return found.iloc[[ours[key] for key in keys]].reset_index(drop=True), theirs


def assert_near(ours, theirs, absolute, relative):
    theirs = np.asarray(theirs, float)
    np.testing.assert_array_less(np.abs(np.asarray(ours, float) - theirs), absolute + relative * np.abs(theirs))


@pytest.mark.parametrize("name", CASES)
def test_thresholds_and_polychoric_correlations(answers, name):
    theirs = case(name)["result"]
    found = quiet(polychoric, answers(name), theirs["polychoric"]["rows"])
    cuts = found.tidy().query("kind == 'threshold'")
    assert list(cuts["term"].str.replace(" ", "")) == list(theirs["thresholds"])
    assert_near(cuts["estimate"], list(theirs["thresholds"].values()), 1e-13, 0)
    assert_near(found.matrix(), theirs["polychoric"]["values"], 1e-7, 0)
    n = theirs["nobs"]["all"]
    assert_near(np.diag(found.estimates.vcov) * (n - 1), theirs["gamma_diag"], 0, 3e-7)


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_their_uncertainty(fit_case, name):
    theirs = case(name)["result"]
    ours, table = paired(fit_case(name).tidy(), theirs["parameter_estimates"])
    assert_near(ours["estimate"], table["est"], 3e-6, 0)
    free = table["se"] > 0
    assert_near(ours["se"][free], table["se"][free], 0, 1e-5)
    assert_near(ours["statistic"][free], table["z"][free], 1e-5, 2e-5)
    assert_near(ours["low"][free], table["ci.lower"][free], 1e-5, 0)
    # Residual variances follow from the variance of 1; lavaan gives them no standard error.
    residual = (ours["op"] == "~~") & (ours["lhs"] == ours["rhs"]) & ~free
    assert (ours["se"][residual] > 0).all()
    shares = fit_case(name).r2.set_index("term")["r2"]
    assert_near(shares[list(theirs["r2"]["all"])], list(theirs["r2"]["all"].values()), 1e-6, 0)


@pytest.mark.parametrize("name", CASES)
def test_standardized_solution(fit_case, name):
    theirs = pd.DataFrame(case(name)["result"]["standardized_all"])
    ours, table = paired(fit_case(name).standardized(), theirs)
    assert_near(ours["estimate"], table["est.std"], 3e-6, 0)
    varies = table["se"] > 0
    assert_near(ours["se"][varies], table["se"][varies], 0, 1e-5)
    assert (ours["se"][~varies] < 1e-9).all()


@pytest.mark.parametrize("name", CASES)
def test_fit_measures(fit_case, name):
    glance, theirs = fit_case(name).glance().iloc[0], case(name)["result"]["fit_measures"]
    for ours, lavaan in MEASURES.items():
        assert_near(glance[ours], theirs[lavaan], 1e-6, 3e-6)


@pytest.mark.parametrize("name", CASES[:2])
def test_joint_covariance_of_parameters_and_thresholds(fit_case, name):
    theirs = case(name)["result"]["vcov"]
    found = fit_case(name).parameters
    at = [[term.replace(" ", "") for term in found.term].index(name) for name in theirs["rows"]]
    size = np.sqrt(np.diag(theirs["values"]))
    assert_near(found.vcov[np.ix_(at, at)] / np.outer(size, size), theirs["values"] / np.outer(size, size), 2e-6, 0)


@pytest.mark.parametrize("name", LIVE)
def test_live_estimates(name):
    theirs = live()["fits"][name]
    table = pd.DataFrame(theirs["parameters"])
    ours, table = paired(fit(name).tidy(), table, theirs["labels"])
    # lavaan weighs groups by n, csat by n − 1.
    absolute, relative = (2e-5, 3e-4) if "group" in table else (5e-6, 1e-5)
    assert_near(ours["estimate"], table["est"], absolute, 0)
    free = table["se"] > 0
    assert_near(ours["se"][free], table["se"][free], 0, relative)
    ours, table = paired(fit(name).standardized(), theirs["parameters"], theirs["labels"])
    assert_near(ours["estimate"], table["std"], absolute, 0)
    free = table["std_se"] > 0
    assert_near(ours["se"][free], table["std_se"][free], 0, relative)


@pytest.mark.parametrize("name", LIVE)
def test_live_fit_measures(name):
    glance, theirs = fit(name).glance().iloc[0], live()["fits"][name]["measures"]
    grouped = bool(live()["fits"][name]["labels"])
    for ours, lavaan in MEASURES.items():
        if ours in glance and theirs.get(lavaan) is not None and not (grouped and ours in NOT_IN_GROUPS):
            assert_near(glance[ours], theirs[lavaan], 3e-5, 3e-5)


@pytest.mark.parametrize("name", [name for name in LIVE if not live()["fits"][name]["labels"]])
def test_live_explained_variance(name):
    theirs = live()["fits"][name]["r2"]
    shares = fit(name).r2.set_index("term")["r2"]
    assert_near(shares[list(theirs)], list(theirs.values()), 3e-5, 0)


def test_robust_cfi_of_groups_differs_by_the_baseline_alone():
    """lavaan's figure comes out with the traces of the groups' baselines added without their shares."""
    found, theirs = fit("binary_groups"), live()["fits"]["binary_groups"]["measures"]
    correlations = quiet(polychoric, read_survey(cut("binary")), found.observed, by="school").tidy()
    correlations = correlations[correlations["kind"] == "polychoric"]
    n = correlations.groupby("school")["n"].first().to_numpy()
    trace = (correlations["se"] ** 2).groupby(correlations["school"]).sum().to_numpy() * (n - 1)
    misfit = found.robust.scaled.rmsea_robust**2 * (n.sum() - 2) * found.measures.df / 2
    worst = misfit / (1 - found.robust.scaled.cfi_robust)
    assert_near(theirs["cfi.robust"], 1 - misfit / (worst + trace.sum() - (trace * n.sum() / n).sum()), 3e-5, 0)


def test_covariance_of_mixed_figures():
    """All kinds of pairs: ordered, continuous, mixed."""
    theirs = live()["covariance"]
    names = live()["correlations"]["names"]
    survey = read_survey(cut("mixed"))
    items = items_of(survey, names, FIVE, ())
    behind = responses(survey, items, ())
    moments = moments_of(behind, certainty(survey, behind).joint)
    assert_near(moments.samples[0].cov, live()["correlations"]["cov"], 2e-5, 0)
    i, j = np.triu_indices(len(names), 1)
    ours = [
        *(f"{names[at]}|t{k}" for at, part in zip(items.ordered, moments.thresholds[0], strict=True)
          for k in range(1, len(part) + 1)),
        *(f"{names[at]}~1" for at in items.continuous),
        *(f"{names[at]}~~{names[at]}" for at in items.continuous),
        *(f"{names[a]}~~{names[b]}" for a, b in zip(i, j, strict=True)),
    ]  # fmt: skip
    at = [ours.index(name) for name in theirs["names"]]
    gamma = moments.joint[np.ix_(at, at)] * 300
    # lavaan's "means" are thresholds of −∞: their sign is turned.
    sign = np.where([name.endswith("~1") for name in theirs["names"]], -1.0, 1.0)
    size = np.sqrt(np.diag(gamma) * np.diag(gamma)[0])
    assert_near(np.diag(gamma), theirs["diagonal"], 0, 3e-5)
    assert_near(gamma[0] * sign / size, np.array(theirs["first"]) * sign * sign / size, 3e-5, 0)


@pytest.mark.parametrize(
    ("key", "tolerance"),
    [
        # lavaan weighs groups by n, csat by n − 1, which turns the sum of scales where groups differ in size: 1.2e-5.
        ("metric", 2e-5),
        ("even", 1e-6),
        ("binary", 1e-6),
    ],
)
def test_difference_tests(key, tolerance):
    """lavTestLRT: "satorra.2000", scaled and shifted."""
    options = {"estimator": "WLSMV", "ordered": FIVE, "group": "school"}
    if key == "metric":
        large, small = fit("mixed_groups"), fit("mixed_metric")
    elif key == "even":
        survey = read_survey(cut("mixed").groupby("school", sort=False).head(140))
        large, small = (quiet(sem, survey, live()["models"]["mixed_groups"], **options, equal=equal)
                        for equal in ((), "loadings"))  # fmt: skip
    else:
        options = {"estimator": "WLSMV", "ordered": True, "orthogonal": True}
        large, small = fit("binary"), quiet(sem, read_survey(cut("binary")), live()["models"]["binary"], **options)
    row, theirs = compare_models(large, small).tidy().iloc[1], live()["difference"][key]
    assert row["df_diff"] == theirs["Df diff"]
    assert_near(row["chisq_diff"], theirs["Chisq diff"], 0, tolerance)
    assert_near(row["p"], theirs["Pr(>Chisq)"], tolerance, 0)


def test_bivariate_normal_probabilities():
    """R package pbivnorm, Genz's quadrature; it is accurate to some 1e-15."""
    grid = {key: np.array(value) for key, value in live()["binormal"].items()}
    np.testing.assert_allclose(binormal_cdf(grid["h"], grid["k"], grid["rho"]), grid["p"], rtol=0, atol=2e-15)
