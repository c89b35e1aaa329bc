"""Do tests of groups of a path model reject 5 % when nothing differs? Simulation; results in docs/coverage.md.

Run with `make slow`. Set CSAT_COVERAGE=path to write the table of results.
"""

import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import csat

pytestmark = pytest.mark.slow

SAMPLES, DRAWS = 400, 199
MODEL = "image =~ a1 + a2 + a3\nquality =~ b1 + b2 + b3\nloyalty =~ c1 + c2\nquality ~ image\nloyalty ~ image + quality"
METHODS = ("contrast", "parametric", "welch", "henseler", "permutation")
HALLS = 30


def answers(rng: np.random.Generator, *, clustered: bool) -> pd.DataFrame:
    """Five levels, most answers high; groups of different size that differ in nothing."""
    n = 300
    hall = np.arange(n) % HALLS
    effect = 0.7 * rng.normal(size=(3, HALLS))[:, hall] if clustered else np.zeros((3, n))
    image = rng.normal(size=n) + effect[0]
    quality = 0.6 * image + 0.7 * rng.normal(size=n) + effect[1]
    loyalty = 0.3 * image + 0.4 * quality + 0.7 * rng.normal(size=n) + effect[2]
    cuts = [-2.2, -1.4, -0.6, 0.4]
    columns = {
        f"{name}{i}": 1.0 + np.searchsorted(cuts, (0.9 - 0.1 * i) * score + 0.6 * rng.normal(size=n))
        for name, score, size in zip("abc", (image, quality, loyalty), (3, 3, 2), strict=True)
        for i in range(1, size + 1)
    }
    group = rng.permutation(HALLS)[hall] < HALLS // 3 if clustered else rng.random(n) < 1 / 3
    return pd.DataFrame(columns).assign(hall=hall.astype(str), group=np.where(group, "x", "y"))


def one_sample(rng: np.random.Generator, *, clustered: bool) -> dict[str, list[float]]:
    """p of the three paths by each method, of both omnibus distances, and of the steps of MICOM."""
    survey = csat.read_survey(answers(rng, clustered=clustered), design=csat.Design(psu="hall" if clustered else None))
    seed = int(rng.integers(2**31))
    found = csat.pls(survey, MODEL, by="group", replicates=DRAWS, seed=seed)
    out = {}
    for method in METHODS:
        tested = csat.pls_differences(found, survey, method=method, kinds="path", permutations=DRAWS, seed=seed)
        out[method] = tested.p.tolist()
    out["omnibus"] = tested.omnibus["p"].tolist()
    alike = csat.micom(found, survey, permutations=DRAWS, seed=seed)
    return out | {
        "c": alike.c_p[0].tolist(),
        "mean": alike.mean_p[0].tolist(),
        "variance": alike.variance_p[0].tolist(),
    }


@pytest.mark.parametrize("clustered", [False, True], ids=["respondents", "halls"])
def test_nothing_differs(clustered):
    rng = np.random.default_rng(20261123)
    found: dict[str, list[list[float]]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", csat.CsatWarning)
        for _ in range(SAMPLES):
            for name, p in one_sample(rng, clustered=clustered).items():
                found.setdefault(name, []).append(p)
    rates = {name: float(np.mean(np.array(p) < 0.0501)) for name, p in found.items()}
    if "CSAT_COVERAGE" in os.environ:
        with Path(os.environ["CSAT_COVERAGE"]).open("a", encoding="utf-8") as table:
            table.write(f"| {'30 halls of 10' if clustered else 'respondents, n = 300'} | ")
            table.write(" | ".join(f"{100 * rate:.1f} %" for rate in rates.values()) + " |\n")
    for name in ("permutation", "omnibus", "c", "mean", "variance"):
        assert 0.015 < rates[name] < 0.085, (name, rates)
        p = np.sort(np.array(found[name])[:, 0])  # all of the distribution, not its tail only
        even = np.linspace(0, 1, len(p))
        assert np.abs(p - even).max() < 0.12, name
    assert 0.02 < rates["contrast"] < 0.085, rates
