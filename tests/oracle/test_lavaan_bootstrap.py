"""Refits on replicates against lavaan 0.6-14 and boot 1.3-28 (R 4.2.2).

tests/fixtures/lavaan/bootstrap.json (made by bootstrap.R beside it, of rows drawn by rows.R) holds how often each row
was drawn, and lavaan's estimates on each of these samples: they must agree draw by draw. The reference case
sem_pd_bootstrap has other draws than csat makes, so that only its loose tolerance applies.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat
from csat.structural.engine.discrepancy import MaximumLikelihood, logdet
from csat.structural.engine.fit import minimise_many
from csat.structural.uncertainty.replicated import declared_replicates, under_the_model

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
pytestmark = [
    pytest.mark.filterwarnings("ignore::csat.structural.guards.FewCasesWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.DiscriminantValidityWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.LatentCorrelationWarning"),
    pytest.mark.filterwarnings("ignore::csat.errors.DesignIgnoredWarning"),
]
OPTIONS = {
    "groups": {"group": "school", "equal": ["loadings", "intercepts"], "reference": "Old"},
    "means": {"means": True}, "gls": {"estimator": "GLS"}, "uls": {"estimator": "ULS"},
}  # fmt: skip


@cache
def figures() -> dict:
    return json.loads((FIXTURES / "bootstrap.json").read_text(encoding="utf-8"))


@cache
def rows(name: str) -> pd.DataFrame:
    return pd.read_csv(FIXTURES / f"{name}.csv")


def drawn(name: str) -> csat.Survey:
    """The rows with how often each was drawn as bootstrap weights."""
    counts = np.array([list(digits) for digits in figures()[name]["counts"]], float)
    columns = tuple(f"draw{i}" for i in range(len(counts)))
    frame = pd.concat([rows("cars" if name == "path" else "rows"), pd.DataFrame(counts.T, columns=columns)], axis=1)
    return csat.read_survey(frame, design=csat.Design(replicates=columns, replication=csat.Replication("bootstrap")))


@cache
def fitted(name: str):
    return csat.sem(drawn(name), figures()[name]["model"], se="replicates", **OPTIONS.get(name, {}))


def places(name: str) -> list[int]:
    """Rows of csat's table in the order of lavaan's."""
    table, case = fitted(name).tidy(), figures()[name]
    keys = [(row.lhs, row.op, row.rhs, row.group) for row in table.itertuples()]
    at = {key: i for i, key in enumerate(keys)} | {
        (r, op, l, g): i for i, (l, op, r, g) in enumerate(keys) if op == "~~"
    }
    groups = case["parameters"].get("group", [1] * len(case["parameters"]["lhs"]))
    labels = case["labels"] if "group" in case["parameters"] else [""]
    relations = zip(*(case["parameters"][key] for key in ("lhs", "op", "rhs")), groups, strict=True)
    return [at[l, op, "" if op == "~1" else r, "" if op == ":=" else labels[g - 1]] for l, op, r, g in relations]


@pytest.mark.parametrize("name", ["latent", "mimic", "means", "groups", "tied", "gls", "uls"])
def test_estimates_of_every_draw(name):
    found, case = fitted(name), figures()[name]
    assert found.resampled.used.all()
    assert found.resampled.theta.shape[0] == len(case["counts"])
    for kind, expected in (("raw", case["draws"]), ("all", case["standardized"])):
        values = found.resampled.values(found.model.definitions, kind)[:, places(name)]
        np.testing.assert_allclose(values, np.array(expected, float), rtol=1e-4, atol=1e-4)


def test_standard_errors_and_intervals_of_boot():
    found, case = fitted("path"), figures()["path"]
    at = np.array(places("path"))
    estimate = np.array(case["parameters"]["est"], float)
    table = found.tidy().iloc[at]
    np.testing.assert_allclose(table["estimate"], estimate, rtol=1e-5)
    # boot takes the moments of predictors for figures too; csat as given.
    free = case["rows"]
    np.testing.assert_allclose(table["se"].iloc[free], np.array(case["se"])[free], rtol=1e-6)
    for method, name, share in (
        ("percentile", "percentile", 1e-6),
        ("bias-corrected", "simple", 1e-6),
        ("bca", "bca", 0.06),
    ):
        ends = found.intervals(method).iloc[at].iloc[free]
        apart = (ends[["low", "high"]].to_numpy() - np.array(case[name])) / ends["se"].to_numpy()[:, None]
        assert np.abs(apart).max() < share, method


def test_chi_square_of_samples_in_which_the_model_holds():
    """Rows turned as by Bollen and Stine, then drawn: lavaan's χ² of every draw, and the share beyond the sample's."""
    expected = figures()["turned"]
    found = fitted("latent")
    assert found.measures.chisq == pytest.approx(expected["whole"], rel=1e-6)
    summary = drawn("latent").groups(list(found.observed), (), "listwise")
    replicates = declared_replicates(summary, means=False, wishart=False)
    turned = under_the_model(replicates.samples, found.samples, found.optimum.state.points)
    function = MaximumLikelihood(turned)
    start = np.tile(found.optimum.theta, (len(turned[0].cov), 1))
    refit = minimise_many(found.layout, function, start)
    chisq = found.measures.n * (function.value(refit.state) - logdet(turned[0].cov) - len(found.observed))
    np.testing.assert_allclose(chisq, expected["chisq"], rtol=1e-5)
    tested = csat.sem(drawn("latent"), found.model, se="bootstrap", bollen_stine=True)
    larger = sum(value >= expected["whole"] for value in expected["chisq"])
    assert tested.glance()["p_bootstrap"].item() == pytest.approx((larger + 1) / 25)


def test_jackknife_of_weighted_units_in_strata():
    expected = figures()["jackknife"]
    design = csat.Design(weight="w", psu="cl", stratum="school", replication=csat.Replication("JKn"))
    found = csat.sem(csat.read_survey(rows("rows"), design=design), figures()["latent"]["model"], se="replicates")
    assert found.glance()["replicates_used"].item() == expected["replicates"]
    at = places("latent")
    np.testing.assert_allclose(found.tidy()["estimate"].iloc[at], expected["est"], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found.tidy()["se"].iloc[at], expected["se"], rtol=2e-4, atol=1e-5)


def test_the_reference_case(shared_case):
    """sem_pd_bootstrap: SE within 10 %, percentiles within 0.25 SE of those of 1,000 draws by lavaan.

    Ends corrected for bias are noisier: those of two runs of lavaan differ by more than 0.25 SE in one of ten rows.
    """
    path = shared_case("sem_pd_bootstrap.csv")
    case = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    found = csat.sem(csat.read_survey(path), case["model"], se="bootstrap", replicates=4000, seed=1)
    assert found.glance()["replicates_used"].item() == 4000
    for name, method, near in (("perc", "percentile", 1.0), ("bca_simple", "bias-corrected", 0.9)):
        table, expected = found.intervals(method), pd.DataFrame(case["result"][name])
        keys = ["lhs", "op", "rhs"]
        both = expected[expected["se"] > 0].merge(table, on=keys, suffixes=("_r", ""))
        assert len(both) == 33
        np.testing.assert_allclose(both["se"], both["se_r"], rtol=0.10)
        ends = both[["low", "high"]].to_numpy() - both[["ci.lower", "ci.upper"]].to_numpy()
        apart = np.abs(ends) / both["se_r"].to_numpy()[:, None]
        assert (apart < 0.25).mean() >= near
        assert apart.max() < 0.45
