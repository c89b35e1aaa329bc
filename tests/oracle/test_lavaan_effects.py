"""`Sem.effects` against the defined effects of lavaan 0.6-14 (R 4.2.2) in the reference cases of tests/fixtures/lavaan.

There lavaan has products and sums of paths written out; here they follow from the model without a word.
"""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from csat.moments import from_covariance
from csat.structural import sem

FIXTURES = Path(__file__).parents[1] / "fixtures" / "lavaan"
pytestmark = [
    pytest.mark.filterwarnings("ignore::csat.structural.guards.FewCasesWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.DiscriminantValidityWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.LatentCorrelationWarning"),
    pytest.mark.filterwarnings("ignore::csat.structural.guards.EmpiricalIdentificationWarning"),
    pytest.mark.filterwarnings("ignore::csat.errors.IllConditionedWarning"),
    pytest.mark.filterwarnings("ignore::csat.errors.StandardizedPathWarning"),
]
#: Effects that lavaan's definitions stand for: name, kind, cause, outcome.
DEFINED = {
    "sem_mobi_core_ml": [
        ("ind", "indirect", "IMAG", "SAT"), ("tot", "total", "IMAG", "SAT"), ("totloy", "indirect", "IMAG", "LOY"),
    ],
    "sem_pd_ml": [("ind", "indirect", "ind60", "dem65"), ("total", "total", "ind60", "dem65")],
}  # fmt: skip


@cache
def case(name):
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


@cache
def fitted(name):
    matrix = case(name)["result"]["sample_cov"]["all"]
    cov = pd.DataFrame(matrix["values"], matrix["rows"], matrix["cols"])
    model = case(name)["model"].split("\nind")[0]
    return sem(from_covariance(cov, case(name)["result"]["nobs"]["all"], divisor="n"), model)


def theirs(name, effect, key="parameter_estimates"):
    frame = pd.DataFrame(case(name)["result"][key])
    return frame[(frame["op"] == ":=") & (frame["lhs"] == effect)].iloc[0]


def ours(frame, kind, cause, outcome):
    found = frame[(frame["kind"] == kind) & (frame["rhs"] == cause) & (frame["lhs"] == outcome)]
    assert len(found) == 1
    return found.iloc[0]


@pytest.mark.parametrize("name", DEFINED)
def test_effects_are_the_defined_ones(name):
    found = fitted(name).effects()
    frame, standardized = found.tidy(), found.standardized
    for effect, *where in DEFINED[name]:
        mine, raw, std = ours(frame, *where), theirs(name, effect), theirs(name, effect, "standardized_all")
        assert mine["estimate"] == pytest.approx(raw["est"], rel=1e-4)
        assert mine["se"] == pytest.approx(raw["se"], rel=5e-4)
        assert mine["p"] == pytest.approx(raw["pvalue"], abs=1e-4)
        assert (mine["low"], mine["high"]) == pytest.approx((raw["ci.lower"], raw["ci.upper"]), rel=6e-4)
        assert mine["std_all"] == pytest.approx(std["est.std"], rel=1e-4)
        assert standardized.se[mine.name] == pytest.approx(std["se"], rel=5e-4)


def test_every_effect_of_the_european_index():
    """All pairs with an indirect way, no more and no less than were written out for R."""
    name = "sem_ecsi_mobi_ml"
    found = fitted(name).effects()
    frame, standardized = found.tidy(), found.standardized
    defined = pd.DataFrame(case(name)["result"]["parameter_estimates"]).query("op == ':='")["lhs"]
    kinds = {"ind": "indirect", "tot": "total"}
    for effect in defined:
        kind, cause, outcome = effect.split("_")
        mine, raw = ours(frame, kinds[kind], cause, outcome), theirs(name, effect)
        std = theirs(name, effect, "standardized_all")
        # The paths are nearly unidentified (SE up to 24), and lavaan stops 3e-4 from the optimum: the case's tolerance.
        assert mine["estimate"] == pytest.approx(raw["est"], rel=5e-3)
        assert mine["se"] == pytest.approx(raw["se"], rel=5e-3)
        assert mine["std_all"] == pytest.approx(std["est.std"], rel=5e-3)
        assert standardized.se[mine.name] == pytest.approx(std["se"], rel=5e-3)
    assert len(defined) == 2 * (frame["kind"] == "indirect").sum()
    assert np.isfinite(frame[["estimate", "se"]].to_numpy()).all()
