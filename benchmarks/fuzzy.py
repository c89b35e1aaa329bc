"""`csat.evaluate` with its uncertainty: a small survey, and 10^5 respondents × 19 items × 1,000 replicates.

`python benchmarks/fuzzy.py` takes half a minute; one thread. Beside it an obvious numpy loop that draws respondents,
counts the shares of their answers item by item and climbs the tree, timed on ten replicates and multiplied.
"""

import os
import time

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import csat  # noqa: E402
from csat.questionnaire import Dimension, Item, Questionnaire, Scale  # noqa: E402

#: Respondents, items, replicates, operator.
CASES = (
    (600, 24, 500, "weighted-average"),
    (600, 24, 500, "min-max"),
    (100_000, 19, 1000, "weighted-average"),
    (100_000, 19, 1000, "min-max"),
)
LOOPS = 10


def study(items: list[str]) -> Questionnaire:
    """An index over dimensions of four items."""
    scale = Scale("five", 1, 5, conversion="grade")
    parts = [tuple(items[start : start + 4]) for start in range(0, len(items), 4)]
    dimensions = [Dimension(f"d{i}", {}, part) for i, part in enumerate(parts)]
    top = Dimension("whole", {}, tuple(part.code for part in dimensions))
    asked = tuple(Item(code, scale) for code in items)
    return Questionnaire("s", scales=(scale,), items=asked, dimensions=(top, *dimensions), root="whole")


def loop(answers: np.ndarray, times: int) -> np.ndarray:
    """Root memberships (times, 5) of bootstrap samples, one after the other."""
    rng, found = np.random.default_rng(0), []
    for _ in range(times):
        drawn = answers[rng.integers(len(answers), size=len(answers))]
        shares = np.array([[np.mean(column == level) for level in range(5, 0, -1)] for column in drawn.T])
        parts = [shares[start : start + 4].mean(axis=0) for start in range(0, len(shares), 4)]
        found.append(np.mean(parts, axis=0))
    return np.array(found)


def seconds(call) -> float:
    """Time of a call, the best of two."""
    best = np.inf
    for _ in range(2):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


if __name__ == "__main__":
    for n, k, replicates, operator in CASES:
        items = [f"q{i}" for i in range(k)]
        answers = np.random.default_rng(1).integers(1, 6, (n, k)).astype(float)
        survey = csat.read_survey(pd.DataFrame(answers, columns=items), study(items))
        own = seconds(lambda s=survey, r=replicates, o=operator: csat.evaluate(s, replicates=r, operator=o))
        other = seconds(lambda a=answers: loop(a, LOOPS)) / LOOPS * replicates
        print(f"{n:>7} × {k} items, {replicates} replicates, {operator}: {own:.2f} s; loop {other:.1f} s")
