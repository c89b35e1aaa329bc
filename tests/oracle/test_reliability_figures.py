"""`csat.reliability` against psych 2.2.9, semTools 0.5-6 and lavaan 0.6-14 (tests/fixtures/measurement), and seminr.

Alpha and HTMT have closed forms and agree to rounding; the figures of the factor model to the tolerance of the other
program's search.
"""

import json

import numpy as np
import pandas as pd
import pytest

import csat

CASES = ("rel_hs", "rel_mobi")
#: The constructs of rel_mobi correlate so highly that their matrix is not positive definite; lavaan warns of it too.
pytestmark = pytest.mark.filterwarnings("ignore::csat.measurement.ImproperFactorsWarning")


@pytest.fixture(scope="module", params=CASES)
def case(request, fixtures):
    return json.loads((fixtures / "measurement" / f"{request.param}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scales(case):
    return {name: about["items"] for name, about in case["result"]["items"].items()}


@pytest.fixture
def found(case, scales):
    cov = pd.DataFrame(case["cov"]["values"], case["cov"]["names"], case["cov"]["names"])
    return csat.reliability(csat.from_covariance(cov, case["n"], case["mean"]), scales)


def square(matrix):
    return pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"])


def pair_names(pairs):
    return zip(pairs["scale"], pairs["other"], strict=True)


def test_alpha_and_items_against_psych(case, found, scales):
    constructs, items = found.constructs().set_index("scale"), found.items().set_index("term")
    for name, theirs in case["result"]["items"].items():
        assert constructs.loc[name, "alpha"] == pytest.approx(theirs["raw_alpha"], abs=1e-12)
        assert constructs.loc[name, "alpha_std"] == pytest.approx(theirs["std_alpha"], abs=1e-12)
        ours = items.loc[scales[name]]
        np.testing.assert_allclose(ours["item_rest"], theirs["item_total_corrected"], atol=1e-12)
        np.testing.assert_allclose(ours["mean"], theirs["mean"], atol=1e-12)
        np.testing.assert_allclose(ours["sd"], theirs["sd"], atol=1e-12)
        if len(scales[name]) > 2:  # of two items psych gives the correlation in place of alpha
            np.testing.assert_allclose(ours["alpha_without"], theirs["alpha_if_dropped"], atol=1e-12)
        else:
            assert ours["alpha_without"].isna().all()


def test_impossible_correlations_of_factors_are_said_where_lavaan_says_so(found):
    said = [remark for remark in found.remarks if remark.key == "indefinite"]
    assert len(said) == ("IMAG" in found.scales.names)


def test_feldts_interval_against_psych(case, found):
    ours = found.feldt().set_index("scale")
    for name, theirs in case["result"]["items"].items():
        np.testing.assert_allclose(ours.loc[name, ["low", "high"]].astype(float), theirs["feldt_ci"], atol=1e-10)


def test_omega_and_ave_against_semtools(case, found):
    ours = found.constructs().set_index("scale")
    old = square(case["result"]["semTools_reliability"])
    for name, omega in case["result"]["compRelSEM"].items():
        assert ours.loc[name, "omega"] == pytest.approx(omega, abs=5e-6)
        assert ours.loc[name, "omega"] == pytest.approx(old.loc["omega3", name], abs=5e-6)
        assert ours.loc[name, "omega_model"] == pytest.approx(old.loc["omega", name], abs=5e-6)
        assert ours.loc[name, "ave_raw"] == pytest.approx(old.loc["avevar", name], abs=5e-6)
        assert ours.loc[name, "ave_raw"] == pytest.approx(case["result"]["AVE"][name], abs=5e-6)
        assert ours.loc[name, "alpha"] == pytest.approx(case["result"]["compRelSEM_tau_eq_alpha"][name], abs=1e-12)


def test_standardized_loadings_and_what_follows(case, found):
    """Loadings and correlations by lavaan's standardizedSolution; CR, AVE and squared correlations made of them."""
    theirs = pd.DataFrame(case["result"]["std_loadings"])
    ours = found.items().set_index("term")["loading"]
    np.testing.assert_allclose(ours[theirs["rhs"]], theirs["est.std"], atol=1e-5)
    constructs = found.constructs().set_index("scale")
    for name in found.scales.names:
        assert constructs.loc[name, "rho_c"] == pytest.approx(case["result"]["CR_from_std_loadings"][name], abs=5e-6)
        assert constructs.loc[name, "ave"] == pytest.approx(case["result"]["AVE_from_std_loadings"][name], abs=5e-6)
    shared = square(case["result"]["fornell_larcker_sq_cor"])
    pairs = found.discriminant()
    np.testing.assert_allclose(pairs["shared"], [shared.loc[a, b] for a, b in pair_names(pairs)], atol=1e-5)


def test_htmt2_against_semtools(case, found):
    """semTools' default is HTMT2, whatever its argument `absolute`."""
    theirs, pairs = square(case["result"]["htmt2"]), found.discriminant()
    np.testing.assert_allclose(pairs["htmt2"], [theirs.loc[a, b] for a, b in pair_names(pairs)], atol=1e-12)


def test_htmt_against_seminr(oracle, fixtures):
    case = json.loads((fixtures / "measurement" / "rel_mobi.json").read_text(encoding="utf-8"))
    cov = pd.DataFrame(case["cov"]["values"], case["cov"]["names"], case["cov"]["names"])
    theirs = oracle("htmt_mobi")
    scales = {name: items for name, items in theirs["blocks"].items() if isinstance(items, list)}
    pairs = csat.reliability(csat.from_covariance(cov, case["n"]), scales).discriminant()
    table = square(theirs["htmt"])
    expected = [np.nanmax([table.loc[a, b], table.loc[b, a]]) for a, b in pair_names(pairs)]
    np.testing.assert_allclose(pairs["htmt"], expected, atol=1e-10)


@pytest.mark.parametrize("name", CASES)
def test_rows_and_their_covariances_give_the_same_figures(name, shared_case, fixtures):
    case = json.loads((fixtures / "measurement" / f"{name}.json").read_text(encoding="utf-8"))
    scales = {scale: about["items"] for scale, about in case["result"]["items"].items()}
    data = pd.read_csv(shared_case(f"{name}.csv"))
    cov = pd.DataFrame(case["cov"]["values"], case["cov"]["names"], case["cov"]["names"])
    rows = csat.reliability(csat.read_survey(data), scales)
    summary = csat.reliability(csat.from_covariance(cov, case["n"], case["mean"]), scales)
    np.testing.assert_allclose(rows.estimates.estimate, summary.estimates.estimate, atol=1e-9)
    assert rows.estimates.provenance.variance == "linearisation"
    assert summary.estimates.provenance.variance == "normal theory"


@pytest.mark.parametrize("name", CASES)
def test_robust_errors_and_separate_omegas_against_lavaan(name, shared_case, fixtures):
    """Defined parameters under MLR (omega_errors.R); lavaan's sandwich divides by n, linearisation by n − 1.

    Omega of one scale of rel_mobi is that of a Heywood case, there and here.
    """
    case = json.loads((fixtures / "measurement" / f"{name}.json").read_text(encoding="utf-8"))
    theirs = json.loads((fixtures / "measurement" / "omega_errors.json").read_text(encoding="utf-8"))[name]
    scales = {scale: about["items"] for scale, about in case["result"]["items"].items()}
    survey = csat.read_survey(pd.read_csv(shared_case(f"{name}.csv")))
    ours = csat.reliability(survey, scales).constructs().set_index("scale").loc[theirs["scales"]]
    shrink = np.sqrt((theirs["n"] - 1) / theirs["n"])
    for measure in ("omega_model", "ave", "rho_c"):
        np.testing.assert_allclose(ours[measure], theirs[measure]["est"], atol=5e-6)
        np.testing.assert_allclose(ours[f"{measure}_se"] * shrink, theirs[measure]["se"], rtol=5e-5)
    apart = csat.reliability(survey, scales, factors="separate").constructs()["omega"]
    known = [value is not None for value in theirs["separate"]]  # two items alone are not identified there
    expected = [value for value in theirs["separate"] if value is not None]
    np.testing.assert_allclose(apart[known], expected, atol=5e-6)
