"""R survey 4.1-1: weights after raking, post-stratification, calibration and trimming, and their standard errors.

Figures of svy_apiclus1_calibration and svy_csat_rake: postStratify, rake(epsilon = 1e-10), calibrate, trimWeights.
Weights to 1e-6, standard errors to 1e-5, relatively.
"""

import json

import numpy as np
import pandas as pd
import pytest

import csat
from csat.errors import WeightingError
from csat.residuals import coefficients
from csat.weighting import (
    METHODS,
    Trim,
    auxiliaries,
    calibrate_weights,
    read_targets,
    residual_scores,
)

GREG = {
    "calibrate_linear": {"method": "linear"},
    "calibrate_raking": {"method": "exponential"},
    "calibrate_logit": {"method": "logit", "bounds": (0.2, 3)},
    "calibrate_linear_bounded": {"method": "bounded", "bounds": (0.5, 2)},
}
STYPE = {"stype": {"E": 4421, "H": 755, "M": 1018}}
API = STYPE | {"api99": 3914069}
API_MARGINS = STYPE | {"sch_wide": {"No": 1072, "Yes": 5122}, "comp_imp": {"No": 1712, "Yes": 4482}}
CSAT_MARGINS = {
    "sex": {"f": 26000, "m": 24000},
    "agegrp": {"18-34": 15000, "35-54": 18000, "55+": 17000},
    "segment": {"business": 6000, "postpaid": 20000, "prepaid": 24000},
}


def residual_sums(unit_x, unit_u, b):
    """Unit sums of residual scores: Σ w·u of the domain minus Σ w·x of everyone times B."""
    return unit_u - np.einsum("pq,dqk->pdk", unit_x, b)


def variance(sums: np.ndarray, strata, population) -> np.ndarray:
    """(k, k) Σ_h n_h/(n_h−1)·(1−n_h/N_h)·Σ_i (u_hi − ū_h)(u_hi − ū_h)' of unit sums (P, k)."""
    strata, population = np.asarray(strata), np.asarray(population, float)
    out = np.zeros((sums.shape[1], sums.shape[1]))
    for label in np.unique(strata):
        part = sums[strata == label]
        n, centred = len(part), part - part.mean(axis=0)
        out += n / (n - 1) * (1 - n / population[strata == label][0]) * centred.T @ centred
    return out


def by_unit(rows: np.ndarray, *keys: pd.Series) -> np.ndarray:
    return pd.DataFrame(rows).groupby([key.to_numpy() for key in keys]).sum().to_numpy()


def spelled_out(cells: pd.DataFrame, column: str) -> tuple[pd.DataFrame, np.ndarray]:
    """One row per respondent again (all of a cell alike), and R's weights of them."""
    rows = cells.loc[cells.index.repeat(cells["n"])]
    return rows, (rows[column] / rows["n"]).to_numpy()


@pytest.mark.parametrize(("key", "targets"), [("poststratify", STYPE), ("rake", API_MARGINS)])
def test_cells_of_apiclus1(oracle, key, targets):
    cells = pd.DataFrame(oracle("svy_apiclus1_calibration")["summary"]["cells"])
    found = calibrate_weights(cells, cells["d"], targets, method=key)
    np.testing.assert_allclose(found.weights, cells[key], rtol=1e-6)


@pytest.mark.parametrize("method", ["rake", "exponential"])
def test_cells_of_a_satisfaction_survey(oracle, method):
    case = oracle("svy_csat_rake")
    cells = pd.DataFrame(case["summary"]["cells"])
    found = calibrate_weights(cells, cells["d"], CSAT_MARGINS, method=method)
    np.testing.assert_allclose(found.weights, cells["rake"], rtol=1e-6)
    squares = found.factor**2 @ cells["d2"]
    kish = cells["n"].sum() * squares / found.weights.sum() ** 2
    np.testing.assert_allclose(kish, case["result"]["rake_deff_kish"], rtol=1e-6)


def test_equal_weights_to_start_with(oracle):
    cells = pd.DataFrame(oracle("svy_csat_rake")["summary"]["cells"])
    rows, expected = spelled_out(cells, "rake_from_equal_weights")
    found = calibrate_weights(rows, None, CSAT_MARGINS)
    np.testing.assert_allclose(found.weights, expected, rtol=1e-6)


def test_trimming(oracle):
    case = oracle("svy_apiclus1_calibration")
    rows, expected = spelled_out(pd.DataFrame(case["summary"]["cells"]), "trim")
    bounds = case["result"]["trim"]
    trim = Trim(bounds["lower"], bounds["upper"], unit="weight", recalibrate=False)
    found = calibrate_weights(rows, rows["d"] / rows["n"], API_MARGINS, trim=trim)
    np.testing.assert_allclose(found.weights, expected, rtol=1e-6)
    assert not found.converged


@pytest.mark.parametrize("key", ["poststratify", "rake", *GREG])
def test_standard_errors_of_totals_from_sums(oracle, key):
    case = oracle("svy_apiclus1_calibration")
    sums = {name: np.array(value) for name, value in case["summary"]["sums"][key].items()}
    residuals = residual_sums(sums["unit_x"], sums["unit_u"][:, None, :], coefficients(sums["xx"], sums["xu"])[None])
    units = len(residuals)
    vcov = variance(residuals[:, 0, :], np.zeros(units), np.full(units, case["summary"]["population"]))
    np.testing.assert_allclose(vcov, case["result"][key]["total"]["vcov"]["values"], rtol=2e-5)
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), case["result"][key]["total"]["se"], rtol=1e-5)


def test_domain_means_after_raking_from_sums(oracle):
    case = oracle("svy_csat_rake")
    summary, expected = case["summary"], case["result"]
    sums = {name: np.array(value) for name, value in summary["sums"].items()}
    size, total = 3, sums["unit_u"].sum(axis=0)
    mean = total[size:] / total[:size]
    np.testing.assert_allclose(mean, expected["domain"]["mean"], rtol=1e-8)
    turn = np.vstack([np.diag(-mean / total[:size]), np.diag(1 / total[:size])])
    b = coefficients(sums["xx"], sums["xu"] @ turn)
    residuals = residual_sums(sums["unit_x"], (sums["unit_u"] @ turn)[:, :, None], b.T[:, :, None])[:, :, 0]
    vcov = variance(residuals, summary["unit_strata"], summary["unit_population"])
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), expected["domain"]["se"], rtol=1e-5)
    gap = np.array([0.0, 1.0, -1.0])
    np.testing.assert_allclose(np.sqrt(gap @ vcov @ gap), expected["diff"]["se"][0][0], rtol=1e-5)


def test_infeasible_bounds_fail_loudly(oracle):
    case = oracle("svy_apiclus1_calibration")
    cells = pd.DataFrame(case["summary"]["cells"])
    bounds = tuple(case["result"]["calibrate_infeasible"]["bounds"])
    with pytest.raises(WeightingError, match=r"Margin 'stype', category 'E': .* outside bounds=\(0\.99, 1\.01\)"):
        calibrate_weights(cells, cells["d"], API_MARGINS, method="logit", bounds=bounds)


@pytest.fixture
def apiclus1(shared_case):
    found = json.loads(shared_case("svy_apiclus1_calibration.json").read_text(encoding="utf-8"))
    return found["result"], pd.read_csv(shared_case("svy_apiclus1_calibration.csv"))


@pytest.fixture
def csat_rake(shared_case):
    found = json.loads(shared_case("svy_csat_rake.json").read_text(encoding="utf-8"))
    return found["result"], pd.read_csv(shared_case("svy_csat_rake.csv"))


def run(data: pd.DataFrame, key: str):
    if key in GREG:
        return API, calibrate_weights(data, data["pw"], API, **GREG[key])
    targets = STYPE if key == "poststratify" else API_MARGINS
    return targets, calibrate_weights(data, data["pw"], targets, method=key)


@pytest.mark.shared
@pytest.mark.parametrize("key", ["poststratify", "rake", *GREG])
def test_rows_of_apiclus1(apiclus1, key):
    result, data = apiclus1
    targets, found = run(data, key)
    np.testing.assert_allclose(found.weights, result[key]["weights"], rtol=1e-6)
    y = data[["api00", "enroll"]].to_numpy(float)
    w, x = found.weights, auxiliaries(data, read_targets(targets)).to_numpy()
    scores = {"total": y, "mean": (y - w @ y / w.sum()) / w.sum()}
    for name, u in scores.items():
        rows = residual_scores(x, data["pw"].to_numpy(), found.factor, u, regression=METHODS[found.method].residual)
        sums = by_unit(rows, data["dnum"])
        se = np.sqrt(np.diag(variance(sums, np.zeros(len(sums)), np.full(len(sums), data["fpc"].iloc[0]))))
        np.testing.assert_allclose(se, result[key][name]["se"], rtol=1e-5)


@pytest.mark.shared
@pytest.mark.parametrize("key", ["poststratify", "rake", *GREG])
def test_surveys_of_apiclus1(apiclus1, key):
    """The same figures on the way that analysts take: calibrate, then mean and total."""
    result, data = apiclus1
    targets = API if key in GREG else STYPE if key == "poststratify" else API_MARGINS
    options = GREG.get(key, {"method": key})
    survey = csat.read_survey(data, design=csat.Design(weight="pw", psu="dnum", fpc="fpc"))
    found = csat.calibrate(survey, targets, **options)
    for figure, name in ((csat.mean, "mean"), (csat.total, "total")):
        got = figure(found, ["api00", "enroll"])
        np.testing.assert_allclose(got.estimate, result[key][name]["est"], rtol=1e-6)
        np.testing.assert_allclose(got.se, result[key][name]["se"], rtol=1e-5)


@pytest.mark.shared
def test_standard_errors_after_trimming(apiclus1):
    result, data = apiclus1
    targets, raked = run(data, "rake")
    trimmed = np.array(result["trim"]["weights"])
    x = auxiliaries(data, read_targets(targets)).to_numpy()
    u = data[["api00", "enroll"]].to_numpy(float) * (trimmed / raked.weights)[:, None]
    sums = by_unit(residual_scores(x, data["pw"].to_numpy(), raked.factor, u, regression="unweighted"), data["dnum"])
    se = np.sqrt(np.diag(variance(sums, np.zeros(len(sums)), np.full(len(sums), data["fpc"].iloc[0]))))
    np.testing.assert_allclose(se, result["trim"]["total"]["se"], rtol=1e-5)


@pytest.mark.shared
def test_rows_of_a_satisfaction_survey(csat_rake):
    result, data = csat_rake
    found = calibrate_weights(data, data["w"], CSAT_MARGINS)
    np.testing.assert_allclose(found.weights, result["rake"]["weights"], rtol=1e-6)
    np.testing.assert_allclose(found.deff, result["rake_deff_kish"], rtol=1e-6)
    y, x = data[["recommend"]].to_numpy(float), auxiliaries(data, read_targets(CSAT_MARGINS)).to_numpy()
    rows = residual_scores(x, data["w"].to_numpy(), found.factor, y, regression="unweighted")
    first = data.groupby(["stratum", "psu"]).first().reset_index()
    se = np.sqrt(variance(by_unit(rows, data["stratum"], data["psu"]), first["stratum"], first["npsu_pop"]))
    np.testing.assert_allclose(se, result["rake"]["total"]["se"], rtol=1e-5)


@pytest.mark.shared
def test_equal_weights_without_units(csat_rake):
    result, data = csat_rake
    expected = result["rake_from_equal_weights"]
    d = np.full(len(data), expected["start_weight"])
    found = calibrate_weights(data, d, CSAT_MARGINS)
    np.testing.assert_allclose(found.weights, expected["weights"], rtol=1e-6)
    x = auxiliaries(data, read_targets(CSAT_MARGINS)).to_numpy()
    for regression in ("design", "unweighted"):
        rows = residual_scores(x, d, found.factor, data[["recommend"]].to_numpy(float), regression=regression)
        se = np.sqrt(variance(rows, np.zeros(len(rows)), np.full(len(rows), np.inf)))
        np.testing.assert_allclose(se, expected["total"]["se"], rtol=1e-5)


def linear_map(groups) -> np.ndarray:
    """What turns a row [1, m, m·y] into [m₁, m₁·x₁, m₂·x₂, …], in the units of the data."""
    k = len(groups.names)
    turn = np.zeros((1 + k, 1 + 2 * k))
    turn[0, 1] = 1
    turn[1:, 1 : 1 + k] = np.diag(groups.midpoint)
    turn[1:, 1 + k :] = np.eye(k)
    return turn


def from_groups(groups, plain) -> tuple[np.ndarray, np.ndarray]:
    """Domain means of the first variable and their covariance; the others are the calibration variables."""
    turn, size = linear_map(groups), len(groups.domains)
    total = groups.over_domains(turn @ groups.gram @ turn.T)
    mean = total[:, 0, 1] / total[:, 0, 0]
    scores = np.stack([-mean, np.ones(size)], axis=1) / total[:, :1, 0]
    over = plain.over_domains(turn @ plain.gram @ turn.T)
    b = coefficients(over[:, 2:, 2:].sum(axis=0), np.einsum("dqj,dj->dq", over[:, 2:, :2], scores)[:, :, None])
    first = groups.gram[:, 0, :] @ turn.T
    unit_x, unit_u = np.zeros((len(groups.psus), len(turn) - 2)), np.zeros((len(groups.psus), size, 1))
    np.add.at(unit_x, groups.psu, first[:, 2:])
    np.add.at(unit_u, (groups.psu, groups.domain, 0), (first[:, :2] * scores[groups.domain]).sum(axis=1))
    strata = [stratum for stratum, _ in groups.psus]
    population = groups.population[[groups.strata.index(stratum) for stratum in strata]]
    return mean, variance(residual_sums(unit_x, unit_u, b)[:, :, 0], strata, population)


def from_rows(data: pd.DataFrame, item: str, x: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Covariance of the segments' means of an item, from residual scores of the respondents."""
    y, w = data[item].to_numpy(float), data["w"].to_numpy() * factor
    inside = np.column_stack([(data["segment"] == s) & ~np.isnan(y) for s in ("business", "postpaid", "prepaid")])
    known = np.where(np.isnan(y), 0.0, y)[:, None]
    base = w @ inside
    u = inside * (known - w @ (inside * known) / base) / base
    rows = residual_scores(x, data["w"].to_numpy(), factor, u, regression="unweighted")
    first = data.groupby(["stratum", "psu"]).first().reset_index()
    return variance(by_unit(rows, data["stratum"], data["psu"]), first["stratum"], first["npsu_pop"])


@pytest.mark.shared
@pytest.mark.parametrize("item", ["recommend", "sat"])
def test_groups_that_carry_the_calibration_variables_suffice(csat_rake, item):
    result, data = csat_rake
    found = calibrate_weights(data, data["w"], CSAT_MARGINS)
    x = auxiliaries(data, read_targets(CSAT_MARGINS)).to_numpy()
    columns = {f"x{i}": x[:, i] for i in range(x.shape[1])}
    frame = data.assign(calibrated=found.weights, equal=1.0, **columns)

    def reduced(weight: str):
        design = csat.Design(weight=weight, stratum="stratum", psu="psu", fpc="npsu_pop")
        return csat.read_survey(frame, design=design).groups([item, *columns], ("segment",), "available")

    mean, vcov = from_groups(reduced("calibrated"), reduced("equal"))
    np.testing.assert_allclose(vcov, from_rows(data, item, x, found.factor), rtol=1e-9)
    if item == "recommend":
        np.testing.assert_allclose(mean, result["domain"]["mean"], rtol=1e-8)
        np.testing.assert_allclose(np.sqrt(np.diag(vcov)), result["domain"]["se"], rtol=1e-5)
        gap = np.array([0.0, 1.0, -1.0])
        np.testing.assert_allclose(np.sqrt(gap @ vcov @ gap), result["diff"]["se"][0][0], rtol=1e-5)
