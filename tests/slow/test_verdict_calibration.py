"""Do grades come true as often as their probability says? Simulation; results in docs/coverage.md.

Run with `make slow`. Set CSAT_COVERAGE=path to write the table of results, CSAT_SAMPLES=count for more samples.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtr

import csat
from csat.fuzzy import OPERATORS
from csat.fuzzy.operators import normalised
from csat.fuzzy.tree import tree_of_questionnaire
from csat.fuzzy.verdict import strongest_at
from csat.questionnaire import Dimension, Item, Questionnaire, Scale

pytestmark = pytest.mark.slow

SAMPLES, DRAWS, PER_HALL = int(os.environ.get("CSAT_SAMPLES", "100")), 300, 10
ITEMS = ("a1", "a2", "b1", "b2")
FIVE = Scale("five", 1, 5, conversion="grade")
ASKED = Questionnaire(
    "s",
    scales=(FIVE,),
    items=tuple(Item(code, FIVE) for code in ITEMS),
    dimensions=(
        Dimension("whole", {}, ("a", "b"), (0.6, 0.4)),
        Dimension("a", {}, ("a1", "a2")),
        Dimension("b", {}, ("b1", "b2"), (0.3, 0.7)),
    ),
    root="whole",
)
TREE = tree_of_questionnaire(ASKED)
#: "product-sum" is "weighted-average" where weights sum to 1.
NAMES = tuple(name for name in OPERATORS if name != "product-sum")
EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0 + 1e-9)
#: Spreads of the taste that a customer brings to every item, of halls, and of single answers.
TASTE, HALL, ANSWER = 0.7, 0.4, 0.8


@dataclass(frozen=True)
class Population:
    """Answers are what a normal figure reaches of the `cuts` (4, 4: item, level) from above; `hall` is a spread."""

    cuts: np.ndarray
    hall: float

    def shares(self) -> np.ndarray:
        """(4, 5) shares of the grades, best first."""
        below = ndtr(self.cuts / np.sqrt(TASTE**2 + self.hall**2 + ANSWER**2))
        return np.diff(np.c_[np.zeros(4), below, np.ones(4)], axis=1)[:, ::-1]

    def sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """n respondents, ten of each hall."""
        hall = np.arange(n) // PER_HALL
        figure = TASTE * rng.normal(size=(n, 1)) + ANSWER * rng.normal(size=(n, 4))
        figure += self.hall * rng.normal(size=(hall[-1] + 1, 1))[hall]
        levels = 1.0 + (figure[:, :, None] > self.cuts).sum(axis=2)
        return pd.DataFrame(levels, columns=list(ITEMS)).assign(hall=hall.astype(str))


def composites(shares: np.ndarray) -> dict[str, np.ndarray]:
    """(5,) normalised memberships of the root under each operator."""
    return {name: normalised(TREE.climb(shares, OPERATORS[name]))[0] for name in NAMES}


def near_tie(n: int, operator: str, hall: float, rng: np.random.Generator) -> Population:
    """A population drawn at random, whose verdict leads by less than some four standard errors of the lead."""
    while True:
        cuts = np.sort(rng.normal([-1.6, -0.9, -0.1, 0.8], 0.5) + rng.normal(0, 0.25, (4, 4)), axis=1)
        found = Population(cuts, hall)
        second, first = np.sort(composites(found.shares())[operator])[-2:]
        if first - second < 2.2 / np.sqrt(n):
            return found


def one(n: int, operator: str, hall: float, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Probabilities (5,) of a sample, the grade that is true, and whether intervals hold the population's figures."""
    population = near_tie(n, operator, hall, rng)
    survey = csat.read_survey(population.sample(n, rng), ASKED, design=csat.Design(psu="hall" if hall else None))
    seed = int(rng.integers(2**31))
    found = csat.evaluate(survey, operator=operator, replicates=DRAWS, seed=seed)
    truth = composites(population.shares())[operator]
    low, high = found.score.interval
    score = float(truth @ found.grade_scores)
    return {
        "said": found.probability[0],
        "true": np.eye(5)[strongest_at(truth)],
        "right": np.array([found.grades[int(strongest_at(truth))] == found.verdict[0]]),
        "certainty": found.certainty[:1],
        "membership": (found.membership_low[0] <= truth + 1e-12) & (truth - 1e-12 <= found.membership_high[0]),
        "score": np.array([low[0] <= score <= high[0]]),
    }


def simulated(n: int, operator: str, hall: float) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([20261123, n, NAMES.index(operator), int(hall > 0)])
    samples = [one(n, operator, hall, rng) for _ in range(SAMPLES)]
    return {key: np.concatenate([sample[key] for sample in samples]) for key in samples[0]}


def calibration(said: np.ndarray, true: np.ndarray) -> list[tuple[float, float, int]]:
    """Mean probability stated, share that came true, and number of grades, for each bin of `EDGES`."""
    bins = np.digitize(said, EDGES[1:-1])
    return [
        (float(said[bins == i].mean()), float(true[bins == i].mean()), int((bins == i).sum()))
        if (bins == i).any()
        else (np.nan, np.nan, 0)
        for i in range(len(EDGES) - 1)
    ]


def written(n: int, operator: str, hall: float, found: dict[str, np.ndarray]) -> None:
    if "CSAT_COVERAGE" not in os.environ:
        return
    cells = [f"{100 * true:.0f} % ({100 * said:.0f})" for said, true, _ in calibration(found["said"], found["true"])]
    cells += [f"{100 * found['certainty'].mean():.0f} %", f"{100 * found['right'].mean():.0f} %"]
    cells += [f"{100 * found[key].mean():.1f} %" for key in ("membership", "score")]
    sample = f"{n}, halls of {PER_HALL}" if hall else f"{n}"
    with Path(os.environ["CSAT_COVERAGE"]).open("a", encoding="utf-8") as table:
        table.write(f"| {operator} | {sample} | {' | '.join(cells)} |\n")


@pytest.mark.parametrize("operator", NAMES)
def test_grades_come_true_as_often_as_said(operator):
    samples = []
    for n in (50, 200, 800):
        for hall in (0.0, HALL):
            samples.append(simulated(n, operator, hall))
            written(n, operator, hall, samples[-1])
    found = {key: np.concatenate([sample[key] for sample in samples]) for key in samples[0]}
    size = len(found["score"])
    for said, true, count in calibration(found["said"], found["true"]):
        assert abs(said - true) < 0.02 + 4 * np.sqrt(said * (1 - said) / count), (said, true, count)
    assert abs(found["certainty"].mean() - found["right"].mean()) < 0.02 + 1.4 / np.sqrt(size)
    for key in ("membership", "score"):
        assert abs(found[key].mean() - 0.95) < 0.02 + 0.88 / np.sqrt(size), key
