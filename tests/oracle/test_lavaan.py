"""`csat.sem` against lavaan 0.6-14 (R 4.2.2).

Each fixture in tests/fixtures/lavaan holds lavaan's figures with the software, its version, the call and the tolerance;
the sample enters as its covariance matrix and n.
"""

import json
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat.errors import (
    IllConditionedWarning,
    ModelIdentificationError,
    NegativeVarianceWarning,
    StandardizedPathWarning,
)
from csat.moments import from_covariance
from csat.structural import Sem, sem
from csat.structural.guards import (
    DiscriminantValidityWarning,
    EmpiricalIdentificationWarning,
    FewCasesWarning,
    LatentCorrelationWarning,
)

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
#: What some cases are rightly warned of, beside the point here; tests/test_structural_guards.py is about it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::csat.structural.guards.FewCasesWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.DiscriminantValidityWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.LatentCorrelationWarning"),
]
#: Cases at the common tolerance, with the options of their calls.
CASES = {
    "sem_mobi_core_ml": {},
    "sem_pd_ml": {},
    "sem_hs_cfa_ml": {},
    "sem_hs_cfa_stdlv": {"std_lv": True},
    "sem_hs_second_order": {},
    "sem_hs_listwise": {},
    "sem_pd_wishart": {"likelihood": "wishart"},
    "sem_pd_equal_loadings": {},
    "sem_hs_mimic": {},
    "sem_mtcars_path_fixedx": {},
    "sem_attitude_path_randomx": {"fixed_x": False},
}
MEASURES = {
    "n": "ntotal", "npar": "npar", "df": "df", "p": "pvalue", "baseline_df": "baseline.df", "cfi": "cfi", "tli": "tli",
    "nfi": "nfi", "rmsea": "rmsea", "rmsea_low": "rmsea.ci.lower", "rmsea_high": "rmsea.ci.upper",
    "rmsea_p": "rmsea.pvalue", "srmr": "srmr", "gfi": "gfi",
}  # fmt: skip
LIKELIHOODS = {
    "chisq": "chisq", "baseline_chisq": "baseline.chisq", "loglik": "logl", "unrestricted_loglik": "unrestricted.logl",
    "aic": "aic", "bic": "bic", "sabic": "bic2",
}  # fmt: skip
COLUMNS = {"estimate": "est", "se": "se", "statistic": "z", "p": "pvalue", "low": "ci.lower", "high": "ci.upper"}


@cache
def case(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def square(name, key):
    matrix = case(name)["result"][key]["all"]
    return pd.DataFrame(matrix["values"], np.atleast_1d(matrix["rows"]), np.atleast_1d(matrix["cols"]))


def source(name):
    divisor = "n-1" if case(name)["result"]["options"]["likelihood"] == "wishart" else "n"
    return from_covariance(square(name, "sample_cov"), case(name)["result"]["nobs"]["all"], divisor=divisor)


@cache
def fit(name) -> Sem:
    return sem(source(name), case(name)["model"], **CASES.get(name, {}))


def paired(frame, reference):
    """Our rows in lavaan's order: (ours, lavaan's); a covariance may be written either way round."""
    ours = {(row.lhs, row.op, row.rhs): i for i, row in enumerate(frame.itertuples())}
    theirs = pd.DataFrame(reference)
    keys = list(zip(theirs["lhs"], theirs["op"], theirs["rhs"], strict=True))
    places = [ours[key] if key in ours else ours[key[2], key[1], key[0]] for key in keys]
    assert len(frame) == len(theirs)
    return frame.iloc[places].reset_index(drop=True), theirs


def assert_near(ours, theirs, absolute, relative):
    theirs = np.asarray(theirs, float)
    np.testing.assert_array_less(
        np.abs(np.asarray(ours, float) - theirs), np.maximum(absolute, relative * np.abs(theirs))
    )


@pytest.mark.parametrize("name", CASES)
def test_estimates_and_their_uncertainty(name):
    ours, theirs = paired(fit(name).tidy(), case(name)["result"]["parameter_estimates"])
    assert_near(ours["estimate"], theirs["est"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)
    tested = theirs["z"].notna()
    assert np.array_equal(tested, ours["statistic"].notna())
    assert_near(ours["statistic"][tested], theirs["z"][tested], 1e-4, 6e-4)
    assert_near(ours["p"][tested], theirs["pvalue"][tested], 1e-4, 0)
    assert_near(ours["low"], theirs["ci.lower"], 1e-4, 6e-4)
    assert_near(ours["high"], theirs["ci.upper"], 1e-4, 6e-4)


@pytest.mark.parametrize("name", CASES)
def test_standardized_solution(name):
    ours, theirs = paired(fit(name).standardized(), case(name)["result"]["standardized_all"])
    assert_near(ours["estimate"], theirs["est.std"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)
    assert_near(ours["low"], theirs["ci.lower"], 1e-4, 6e-4)
    assert_near(ours["high"], theirs["ci.upper"], 1e-4, 6e-4)
    assert np.array_equal(fit(name).tidy()["std_all"], fit(name).standardized()["estimate"])


@pytest.mark.parametrize("name", CASES)
def test_fit_measures(name):
    glance, theirs = fit(name).glance().iloc[0], case(name)["result"]["fit_measures"]
    for ours, lavaan in MEASURES.items():
        assert_near(glance[ours], theirs[lavaan], 1e-4, 0)
    for ours, lavaan in LIKELIHOODS.items():
        assert_near(glance[ours], theirs[lavaan], 1e-3, 0)


@pytest.mark.parametrize("name", CASES)
def test_moments_of_the_solution(name):
    found, result = fit(name), case(name)["result"]
    pd.testing.assert_frame_equal(
        found.implied(), square(name, "implied_cov").loc[[*found.observed], [*found.observed]], rtol=1e-4, atol=1e-4
    )
    pd.testing.assert_frame_equal(
        found.residuals("cor"),
        square(name, "residuals_cor").loc[[*found.observed], [*found.observed]],
        rtol=0,
        atol=1e-4,
    )
    shares = found.r2.set_index("term")["r2"]
    assert set(shares.index) == set(result["r2"]["all"])
    assert_near(shares[list(result["r2"]["all"])], list(result["r2"]["all"].values()), 1e-4, 0)


@pytest.mark.parametrize("name", [name for name in CASES if "path" not in name])
def test_covariances_of_the_constructs(name):
    theirs = square(name, "cov_lv")
    ours = fit(name).latent_covariance().loc[theirs.index, theirs.columns]
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-4, atol=1e-4)


def test_ill_conditioned_model_of_customer_satisfaction():
    """Constructs correlate at .995: lavaan itself stops 3e-4 from the optimum, hence the looser tolerance of paths."""
    name = "sem_ecsi_mobi_ml"
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always")
        found = sem(source(name), case(name)["model"])
    assert {w.category for w in raised} == {
        IllConditionedWarning, StandardizedPathWarning, LatentCorrelationWarning, DiscriminantValidityWarning,
        EmpiricalIdentificationWarning, FewCasesWarning,
    }  # fmt: skip
    assert len(found.notes) == 7  # weak indicators are noted only
    glance, theirs = found.glance().iloc[0], case(name)["result"]["fit_measures"]
    for ours, lavaan in MEASURES.items():
        assert_near(glance[ours], theirs[lavaan], 1e-4, 0)
    for ours, lavaan in LIKELIHOODS.items():
        assert_near(glance[ours], theirs[lavaan], 1e-3, 0)
    ours, reference = paired(found.tidy(), case(name)["result"]["parameter_estimates"])
    loose = ours["op"].isin(["~", ":="])
    assert_near(ours["estimate"][~loose], reference["est"][~loose], 1e-4, 1e-4)
    assert_near(ours["estimate"][loose], reference["est"][loose], 1e-4, 5e-3)
    assert_near(ours["se"][~loose], reference["se"][~loose], 1e-9, 1e-3)
    assert_near(ours["se"][loose], reference["se"][loose], 1e-4, 5e-3)
    implied = square(name, "implied_cov").loc[[*found.observed], [*found.observed]]
    pd.testing.assert_frame_equal(found.implied(), implied, rtol=1e-4, atol=1e-4)


def test_improper_solution_is_reported_not_hidden():
    """lavaan: 'some estimated ov variances are negative'."""
    name = "sem_heywood"
    with pytest.warns(NegativeVarianceWarning, match=r"Heywood case\) of a \(-2\.05\)"):
        found = sem(source(name), case(name)["model"])
    assert "Heywood" in found.notes[0]
    ours, theirs = paired(found.tidy(), case(name)["result"]["parameter_estimates"])
    assert_near(ours["estimate"], theirs["est"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)
    ours, theirs = paired(found.standardized(), case(name)["result"]["standardized_all"])
    assert_near(ours["estimate"], theirs["est.std"], 1e-4, 1e-4)
    assert_near(ours["se"], theirs["se"], 1e-9, 5e-4)
    assert_near(found.measures.chisq, case(name)["result"]["fit_measures"]["chisq"], 1e-3, 0)
    assert np.isnan(found.r2.set_index("term").loc["a", "r2"])


def test_unidentified_model_names_its_parameters():
    """lavaan: 'Could not compute standard errors! The information matrix could not be inverted.'"""
    name = "sem_underidentified"
    with pytest.raises(ModelIdentificationError, match="4 free parameters, 3 variances") as caught:
        sem(source(name), case(name)["model"])
    for parameter in ("f =~ x2", "x1 ~~ x1", "x2 ~~ x2", "f ~~ f"):
        assert parameter in str(caught.value)


def test_equal_loadings_against_free_ones():
    """lavaan's likelihood-ratio test of the equality case against the same model without labels."""
    free, equal = fit("sem_pd_ml").measures, fit("sem_pd_equal_loadings").measures
    table = case("sem_pd_equal_loadings")["result"]["fit_measures"]
    assert equal.df - free.df == 3
    # lavaan: lavTestLRT(f0, fit): Chisq diff 2.05427130168445, Df diff 3
    assert_near(equal.chisq - free.chisq, 2.05427130168445, 1e-3, 0)
    assert table["df"] == equal.df
