"""R survey 4.1-1: variances by given and by made replicate weights (as.svrepdesign, svrVar)."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csat
from csat.design import Replication
from csat.moments import Groups
from csat.replicates import replicate_covariance, sampled_units, unit_factors
from csat.variance import linearised, totals_covariance

API = ("svy_apiclus1_reps", "svy_apistrat_reps")
KINDS = [(API[0], "JK1"), (API[0], "bootstrap"), (API[0], "subbootstrap"), (API[1], "JKn"), (API[1], "bootstrap")]
OUTCOMES = ["api00", "enroll"]


def replication_of(kind: str, result: dict) -> Replication:
    rscales = np.broadcast_to(result["rscales"], result["replicates"])
    return Replication(kind, scale=result["scale"], rscales=tuple(rscales), rho=0.3 if kind == "Fay" else None)


def to_values(groups: Groups) -> np.ndarray:
    """(1, k, p) scores that turn totals of [1, m, m·y] into totals of x."""
    k = len(groups.names)
    return np.hstack([np.zeros((k, 1)), np.diag(groups.midpoint), np.eye(k)])[None]


def regression_of(groups: Groups):
    """Coefficients of the last variable on the first, in the units of the data, from Gram matrices."""
    x, y = groups.midpoint

    def coefficients(gram: np.ndarray) -> np.ndarray:
        start, slope = np.moveaxis(np.linalg.solve(gram[..., :2, :2], gram[..., :2, 2:])[..., 0], -1, 0)
        return np.stack([start + y - slope * x, slope], axis=-1)

    return coefficients


def cluster_groups(summary: dict) -> Groups:
    """Sums per (school type, district), and no rows."""
    units = summary["units"]
    domains = sorted({(unit["group"],) for unit in units})
    psus = sorted({("", unit["psu"]) for unit in units})
    n = np.array([unit["n"] for unit in units])
    return Groups(
        names=tuple(summary["names"]),
        rule="listwise",
        midpoint=np.zeros(2),
        by=("stype",),
        domains=tuple(domains),
        strata=("",),
        psus=tuple(psus),
        units=np.array([len(psus)]),
        population=np.array([summary["population"]]),
        domain=np.array([domains.index((unit["group"],)) for unit in units]),
        stratum=np.zeros(len(units), int),
        psu=np.array([psus.index(("", unit["psu"])) for unit in units]),
        gram=np.array([unit["gram"] for unit in units]),
        square=None,
        n=n,
        counts=np.repeat(n[:, None], 2, axis=1),
    )


@pytest.mark.parametrize("kind", ["JK1", "bootstrap", "subbootstrap"])
def test_sums_of_given_replicates(oracle, kind):
    found = oracle(API[0])
    expected, summary = found["result"][kind], found["summary"]
    groups = cluster_groups(summary)
    sums = np.array([summary["grams"][kind][group] for (group,) in groups.domains])
    rank = summary["rank"][kind]
    # Any matrix of the rank of Σ w_r·w_s stands for it here; the rows that make it are not copied.
    overlap = np.diag(np.r_[np.ones(rank), np.zeros(expected["replicates"] - rank)])
    groups = replace(groups, replication=replication_of(kind, expected), replicate_sums=sums, overlap=overlap)
    mean = csat.mean(groups, OUTCOMES, rule="listwise")
    np.testing.assert_allclose(mean.estimate, expected["mean"]["est"], rtol=1e-8)
    np.testing.assert_allclose(mean.vcov, expected["mean"]["vcov"]["values"], rtol=1e-8)
    np.testing.assert_allclose(mean.interval[0], expected["mean"]["ci_lower"], rtol=1e-6)
    assert np.all(mean.df == expected["degf"])
    by = csat.mean(groups, OUTCOMES, by="stype", rule="listwise")
    np.testing.assert_allclose(by.se[::2], expected["by"]["se1"], rtol=1e-8)
    np.testing.assert_allclose(by.se[1::2], expected["by"]["se2"], rtol=1e-8)


def test_a_jackknife_made_from_sums_of_units(oracle):
    found = oracle(API[0])
    expected = found["result"]["JK1"]
    groups = replace(cluster_groups(found["summary"]), replication=Replication("JK1"))
    mean = csat.mean(groups, OUTCOMES, rule="listwise")
    np.testing.assert_allclose(mean.vcov, expected["mean"]["vcov"]["values"], rtol=1e-8)
    assert np.all(mean.df == expected["degf"])
    assert mean.provenance.variance == "replicates: JK1"
    by = csat.mean(groups, OUTCOMES, by="stype", rule="listwise")
    np.testing.assert_allclose(by.se[::2], expected["by"]["se1"], rtol=1e-8)
    together = groups.groups(["enroll", "api00"], (), "listwise")
    vcov = linearised(together, together, np.zeros((1, 2, 3, 3)), regression_of(together))[0, :, 0, :]
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), expected["glm"]["se"], rtol=1e-8)


PAIRS = pytest.mark.parametrize("case", ["made", pytest.param("ambulances", marks=pytest.mark.shared)])


@pytest.fixture
def pairs(oracle, shared_case):
    """Two units in each stratum [stratum, psu, above, below], their replicate weights and the figures of R."""

    def read(case: str, kind: str) -> tuple[pd.DataFrame, np.ndarray, dict]:
        if case == "made":
            found = oracle("pairs")
            figures, units = (
                found["result"][kind],
                pd.DataFrame(found["units"])[["district", "hall", "solved", "visits"]],
            )
            weights = np.array(figures["weights"])
        else:
            figures = oracle("svy_scd_brr")["result"][kind]
            units = pd.read_csv(shared_case("svy_scd_brr.csv"))[["ESA", "ambulance", "alive", "arrests"]]
            weights = pd.read_csv(shared_case(figures["combined_weights_file"])).to_numpy()
            figures = figures | {"total": figures["total"]["vcov"]["values"]}
        return units.set_axis(["stratum", "psu", "above", "below"], axis=1), weights, figures

    return read


@PAIRS
@pytest.mark.parametrize("kind", ["BRR", "Fay", "JKn"])
def test_totals_and_ratio_from_given_weights(pairs, kind, case):
    units, weights, expected = pairs(case, kind)
    data = units[["above", "below"]].to_numpy(float)
    scaling = (expected["scale"], np.array(expected["rscales"]))
    total = replicate_covariance(lambda sums: sums, weights.T @ data, data.sum(axis=0), *scaling)
    np.testing.assert_allclose(total, expected["total"], rtol=1e-8)
    ratio = replicate_covariance(lambda sums: sums[:, :1] / sums[:, 1:], weights.T @ data, data.sum(axis=0), *scaling)
    np.testing.assert_allclose(np.sqrt(ratio[0, 0]), expected["ratio_se"], rtol=1e-8)


@PAIRS
@pytest.mark.parametrize("kind", ["BRR", "Fay", "JKn"])
def test_totals_and_ratio_from_made_weights(pairs, kind, case):
    units, _, expected = pairs(case, kind)
    replication = Replication(kind, rho=0.3 if kind == "Fay" else None)
    design = csat.Design(stratum="stratum", psu="psu", replication=replication)
    groups = csat.read_survey(units, design=design).groups(["above", "below"])
    scores = to_values(groups)
    total = totals_covariance(groups, scores)[0, :, 0, :]
    np.testing.assert_allclose(total, expected["total"], rtol=1e-8)

    def ratio(totals: np.ndarray) -> np.ndarray:
        above, below = np.moveaxis(totals @ scores[0].T, -1, 0)
        return (above / below)[..., None]

    se = np.sqrt(totals_covariance(groups, scores[:, :1], ratio)[0, 0, 0, 0])
    np.testing.assert_allclose(se, expected["ratio_se"], rtol=1e-8)


def test_the_jackknife_weights_of_pairs(pairs):
    units = sampled_units(np.full(3, 2), np.full(3, np.inf), ("1", "2", "3"), "fail", "JKn")
    np.testing.assert_array_equal(unit_factors(units, Replication("JKn")), pairs("made", "JKn")[1])


def test_half_samples_are_as_balanced_as_those_of_r(pairs):
    for kind, rho in (("BRR", None), ("Fay", 0.3)):
        units = sampled_units(np.full(3, 2), np.full(3, np.inf), ("1", "2", "3"), "fail", kind)
        made = unit_factors(units, Replication(kind, rho=rho)) - 1
        given = pairs("made", kind)[1] - 1
        np.testing.assert_allclose(made @ made.T, given @ given.T, atol=1e-12)


@pytest.fixture
def api(shared_case):
    """Rows of a case, with the replicate weights of a kind beside them."""

    def read(case: str, kind: str, result: dict) -> tuple[pd.DataFrame, pd.DataFrame]:
        data = pd.read_csv(shared_case(f"{case}.csv"))
        return data, pd.read_csv(shared_case(result["combined_weights_file"]))

    return read


@pytest.mark.shared
@pytest.mark.parametrize(("case", "kind"), KINDS)
def test_rows_with_given_weights(oracle, api, case, kind):
    expected = oracle(case)["result"][kind]
    data, weights = api(case, kind, expected)
    design = csat.Design("pw", replicates=tuple(weights.columns), replication=replication_of(kind, expected))
    survey = csat.read_survey(pd.concat([data, weights], axis=1), design=design)
    mean = csat.mean(survey, OUTCOMES)
    np.testing.assert_allclose(mean.vcov, expected["mean"]["vcov"]["values"], rtol=1e-8)
    np.testing.assert_allclose(mean.interval, [expected["mean"]["ci_lower"], expected["mean"]["ci_upper"]], rtol=1e-6)
    assert np.all(mean.df == expected["degf"])
    by = csat.mean(survey, OUTCOMES, by="stype")
    np.testing.assert_allclose(by.se[::2], expected["by"]["se1"], rtol=1e-8)
    np.testing.assert_allclose(by.se[1::2], expected["by"]["se2"], rtol=1e-8)
    groups = survey.groups(OUTCOMES)
    total = totals_covariance(groups, to_values(groups))[0, :, 0, :]
    np.testing.assert_allclose(total, expected["total"]["vcov"]["values"], rtol=1e-8)
    complete = survey.groups(["enroll", "api00"], (), "listwise")
    vcov = linearised(survey, complete, np.zeros((1, 2, 3, 3)), regression_of(complete))[0, :, 0, :]
    np.testing.assert_allclose(np.sqrt(np.diag(vcov)), expected["glm"]["se"], rtol=1e-8)
    assert complete.df - 1 == expected["glm"]["df_residual"]


@pytest.mark.shared
def test_rows_with_made_jackknife_weights(oracle, api):
    expected = oracle(API[1])["result"]["JKn"]
    data, weights = api(API[1], "JKn", expected)
    design = csat.Design("pw", stratum="stype", fpc="fpc", replication=Replication("JKn"))
    mean = csat.mean(csat.read_survey(data, design=design), OUTCOMES)
    np.testing.assert_allclose(mean.vcov, expected["mean"]["vcov"]["values"], rtol=1e-8)
    assert np.all(mean.df == expected["degf"])
    codes = pd.factorize(data["stype"], sort=True)
    order = np.argsort(codes[0], kind="stable")
    population = data.groupby("stype")["fpc"].first().to_numpy(float)
    units = sampled_units(np.bincount(codes[0]), population, codes[1], "fail", "JKn")
    made = unit_factors(units, Replication("JKn")) * data["pw"].to_numpy()[order, None]
    given = weights.to_numpy()[order]
    # R lists the strata of the left-out units as they appear; we sort them.
    given = given[:, np.argsort(np.argmin(given, axis=0))]
    np.testing.assert_allclose(made, given, rtol=1e-12)


@pytest.mark.shared
def test_the_jackknife_weights_of_clusters(oracle, api):
    expected = oracle(API[0])["result"]["JK1"]
    data, weights = api(API[0], "JK1", expected)
    codes, labels = pd.factorize(data["dnum"])
    units = sampled_units(np.array([len(labels)]), np.array([757.0]), ("",), "fail", "JK1")
    made = unit_factors(units, Replication("JK1"))[codes] * data["pw"].to_numpy()[:, None]
    np.testing.assert_allclose(made, weights, rtol=1e-12)
