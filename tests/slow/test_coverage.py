"""Do 95 % intervals cover 95 %? Simulation from a known population under four designs; results in docs/coverage.md.

Run with `make slow`. Set CSAT_COVERAGE=path to write the table of results.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat

pytestmark = pytest.mark.slow

DRAWS = 2000
#: Three Monte Carlo standard errors around 94–96 %, the promise.
LOW, HIGH = 0.94 - 3 * 0.0049, 0.96 + 3 * 0.0049

STUDY = """
[study]
name = "coverage"
index = "index"
[scales.ten]
low = 1
high = 10
[scales.nps]
low = 0
high = 10
[items]
a = { scale = "ten" }
b = { scale = "ten" }
c = { scale = "ten" }
recommend = { scale = "nps" }
[dimensions.index]
children = { service = 0.7, c = 0.3 }
[dimensions.service]
children = ["a", "b"]
[columns.branch]
kind = "category"
[columns.quarter]
kind = "category"
[columns.sex]
kind = "category"
"""


@pytest.fixture(scope="module")
def asked(study):
    return study(STUDY)


@pytest.fixture(scope="module")
def population():
    """80,000 customers of 800 halls in two strata; satisfaction varies by stratum, hall, sex, branch and quarter."""
    rng = np.random.default_rng(2026)
    halls, each = 800, 100
    n = halls * each
    hall = np.repeat(np.arange(halls), each)
    stratum = (hall >= halls // 2).astype(int)
    sex = (rng.random(n) < 0.45).astype(int)
    branch = (rng.random(n) < 0.4).astype(int)
    quarter = (rng.random(n) < 0.5).astype(int)
    level = 6.6 + 0.5 * stratum + rng.normal(0, 0.35, halls)[hall] + 0.6 * sex + 0.4 * branch + 0.3 * quarter
    level = level + rng.normal(0, 1.2, n)

    def answer(shift: float, low: int) -> np.ndarray:
        return np.clip(np.round(level + shift + rng.normal(0, 1.2, n)), low, 10)

    data = pd.DataFrame({"a": answer(0, 1), "b": answer(0.4, 1), "c": answer(-0.3, 1), "recommend": answer(0.2, 0)})
    data.loc[rng.random(n) < 0.08, "b"] = np.nan
    return data.assign(
        branch=np.where(branch == 1, "own", "peer"), quarter=np.where(quarter == 1, "2026Q2", "2026Q1"),
        sex=np.where(sex == 1, "f", "m"), stratum=stratum.astype(str), hall=hall.astype(str), w=1.0,
    )  # fmt: skip


def figures(source: csat.Survey) -> dict[str, tuple[float, float, float]]:
    """Estimate and interval of each figure under test."""
    gap = csat.gaps(source, by="branch", against="peer", nodes=["index"])
    found = {
        "index": csat.index(source, nodes=["index"]).estimates,
        "gap": gap.estimates,
        "nps": csat.nps(source, "recommend"),
        "change": csat.trend(source, "quarter", nodes=["index"]).changes,
    }
    return {name: (e.estimate[0], e.interval[0][0], e.interval[1][0]) for name, e in found.items()}


def simple(data, rng):
    """600 customers, equal chances, without replacement."""
    return data.sample(600, random_state=rng), csat.Design()


def stratified(data, rng):
    """450 customers of the first stratum, 150 of the second, weighted back."""
    parts = [data[data["stratum"] == s].sample(size, random_state=rng) for s, size in (("0", 450), ("1", 150))]
    sample = pd.concat(parts)
    weight = sample["stratum"].map({"0": 40_000 / 450, "1": 40_000 / 150})
    return sample.assign(w=weight), csat.Design(weight="w", stratum="stratum")


def clustered(data, rng):
    """25 halls of each stratum, 12 customers of each hall."""
    halls = [rng.choice(np.arange(400) + 400 * s, 25, replace=False) for s in (0, 1)]
    rows = np.concatenate([hall * 100 + rng.choice(100, 12, replace=False) for hall in np.concatenate(halls)])
    return data.iloc[rows].assign(size=400), csat.Design(stratum="stratum", psu="hall", fpc="size")


def raked(data, rng):
    """600 customers of whom women answer twice as often; raked to sex and stratum."""
    chance = np.where(data["sex"] == "f", 2.0, 1.0)
    rows = rng.choice(len(data), 600, replace=False, p=chance / chance.sum())
    return data.iloc[rows], csat.Design(weight="w")


@pytest.mark.parametrize("draw", [simple, stratified, clustered, raked], ids=lambda f: f.__name__)
def test_intervals_cover(asked, population, draw):
    truth = {name: value[0] for name, value in figures(csat.read_survey(population, asked)).items()}
    targets = {name: population[name].value_counts(normalize=True).to_dict() for name in ("sex", "stratum")}
    rng = np.random.default_rng(7)
    hits = dict.fromkeys(truth, 0)
    for _ in range(DRAWS):
        sample, design = draw(population, rng)
        source = csat.read_survey(sample, asked, design=design)
        source = csat.calibrate(source, targets) if draw is raked else source
        for name, (_, low, high) in figures(source).items():
            hits[name] += low <= truth[name] <= high
    coverage = {name: count / DRAWS for name, count in hits.items()}
    report(draw.__name__, coverage)
    assert all(LOW <= share <= HIGH for share in coverage.values()), coverage


def test_adjusted_gap_tables_keep_the_family_wise_error(asked):
    """Four branches that do not differ, five nodes, three comparisons each: any "different" is a false alarm."""
    rng = np.random.default_rng(11)
    alarms = {"holm": 0, "none": 0}
    for _ in range(DRAWS):
        level = rng.normal(6.8, 1.2, 500)
        data = pd.DataFrame({item: np.clip(np.round(level + rng.normal(0, 1.2, 500)), 1, 10) for item in "abc"})
        data = data.assign(recommend=5, branch=rng.choice(["n", "e", "s", "w"], 500), quarter="2026Q1", sex="f")
        got = csat.gaps(csat.read_survey(data, asked), by="branch", against="n", margin=0.0)
        alarms["holm"] += bool((got.adjusted_p < 0.05).any())
        alarms["none"] += bool((got.p < 0.05).any())
    shares = {name: count / DRAWS for name, count in alarms.items()}
    report("false alarms of a gap table", shares)
    assert shares["holm"] <= 0.05 + 3 * 0.0049
    assert shares["none"] > 0.10  # the correction is needed


def report(name: str, shares: dict[str, float]) -> None:
    target = os.environ.get("CSAT_COVERAGE")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(f"{name}\t" + "\t".join(f"{key} {share:.4f}" for key, share in shares.items()) + "\n")
