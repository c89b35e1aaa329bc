"""Do the 95 % intervals of alpha, omega, AVE and HTMT cover 95 %? Simulation; results in docs/coverage.md.

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

DRAWS = 1000
SCALES = {"quality": ["q1", "q2", "q3", "q4"], "loyalty": ["l1", "l2", "l3"]}
ITEMS = [item for items in SCALES.values() for item in items]
LOADINGS = np.array([0.8, 0.7, 0.75, 0.5, 0.8, 0.6, 0.7])
OWNER = np.array([0, 0, 0, 0, 1, 1, 1])
FACTORS = np.array([[1.0, 0.6], [0.6, 1.0]])
#: What is looked at: term and measure. The error of HTMT2, last, has no mean: a correlation near 0 has any logarithm.
FIGURES = [
    *((scale, measure) for scale in SCALES for measure in ("alpha", "omega", "ave")),
    ("q4", "item_rest"), ("quality ~~ loyalty", "htmt"), ("quality ~~ loyalty", "htmt2"),
]  # fmt: skip


def normal(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Normal answers of the congeneric model."""
    latent = rng.multivariate_normal([0, 0], FACTORS, n)[:, OWNER]
    return pd.DataFrame(latent * LOADINGS + rng.normal(size=(n, 7)) * np.sqrt(1 - LOADINGS**2), columns=ITEMS)


def skewed(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Five levels, most answers high."""
    cuts = [-2.0, -1.4, -0.8, 0.0]
    return pd.DataFrame(1.0 + np.searchsorted(cuts, normal(rng, n).to_numpy()), columns=ITEMS)


def clustered(rng: np.random.Generator, n: int) -> pd.DataFrame:
    """Halls of ten whose customers agree, with spreads that differ from hall to hall; weights of 1 and 3."""
    halls = n // 10
    frame = normal(rng, n) * np.repeat(rng.gamma(4.0, 0.25, halls), 10)[:, None]
    return frame.assign(hall=np.repeat(np.arange(halls), 10).astype(str), weight=np.tile([1.0, 3.0], n // 2))


CASES = {
    "normal answers, n = 100": (normal, 100, {}, None),
    "normal answers, n = 300": (normal, 300, {}, None),
    "five skewed levels, n = 300": (skewed, 300, {}, None),
    "the same, estimate ± t·se": (skewed, 300, {"interval": "delta"}, None),
    "*the same, normal theory*": (skewed, 300, {"se": "normal"}, None),
    "60 halls of 10, spreads differ, weights 1 and 3": (clustered, 600, {}, csat.Design(weight="weight", psu="hall")),
}
ROBUST = [name for name in CASES if not name.startswith("*")]


def figures(frame: pd.DataFrame, options: dict, design: csat.Design | None) -> pd.DataFrame:
    table = csat.reliability(csat.read_survey(frame, design=design), SCALES, **options).tidy()
    return table.set_index(["term", "measure"]).loc[FIGURES, ["estimate", "se", "low", "high"]]


@pytest.fixture(scope="module")
def results() -> pd.DataFrame:
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        truths = {
            make: figures(make(np.random.default_rng(1), 400_000).assign(hall="a", weight=1.0)[ITEMS], {}, None)[
                "estimate"
            ]
            for make in (normal, skewed, clustered)
        }
        for name, (make, n, options, design) in CASES.items():
            rng = np.random.default_rng(11)
            found = np.stack([figures(make(rng, n), options, design).to_numpy() for _ in range(DRAWS)])
            estimate, se, low, high = np.moveaxis(found, -1, 0)
            true = truths[make].to_numpy()
            covered = ((low <= true) & (true <= high)).mean(axis=0)
            ratio = (np.sqrt((se**2).mean(axis=0)) / estimate.std(axis=0))[:-1]
            rows.append(
                {"case": name, "low": ratio.min(), "high": ratio.max()} | dict(zip(FIGURES, covered, strict=True))
            )
    table = pd.DataFrame(rows).set_index("case")
    if "CSAT_COVERAGE" in os.environ:
        Path(os.environ["CSAT_COVERAGE"]).write_text(table.T.round(4).to_string(), encoding="utf-8")
    return table


@pytest.mark.parametrize("case", ROBUST)
def test_intervals_cover(results, case):
    """Three Monte Carlo standard errors around 92.5–97 %; small samples of skewed answers lack a little."""
    covered = results.loc[case, FIGURES].to_numpy(float)
    assert (covered > 0.925 - 3 * 0.0083).all(), results.loc[case]
    assert (covered < 0.97 + 3 * 0.0054).all(), results.loc[case]


@pytest.mark.parametrize("case", ROBUST)
def test_standard_errors_are_standard_deviations(results, case):
    assert results.loc[case, "low"] > 0.9
    assert results.loc[case, "high"] < 1.1


def test_normal_theory_is_too_sure_of_skewed_answers(results):
    assert results.loc["*the same, normal theory*", "low"] < 0.9
