"""`csat.sem` against semopy and lavaan: one fit with its tables, and 500 bootstrap draws; one run, one thread.

`python benchmarks/structural.py` takes a minute or more, most of it lavaan's bootstrap (timed inside R, without its
start); `python benchmarks/structural.py fit` leaves it out. Models and answers: those of the reference cases beside the
checkout (250 customers of a mobile phone provider), else the model of the sample study. Fits take turns, and the ratio
is that of the shortest times, which other work on the machine disturbs least; medians are printed too.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import semopy  # noqa: E402

import csat  # noqa: E402

ROOT = Path(__file__).parents[1]
CASES = ROOT.parent / "shared" / "reference" / "cases"
NAMES = ("sem_mobi_core_ml", "sem_ecsi_mobi_ml")
DRAWS, REPEATS = 500, 15
LAVAAN = """
suppressMessages({library(lavaan); library(jsonlite)})
args <- commandArgs(TRUE); data <- read.csv(args[1]); text <- paste(readLines(args[2]), collapse = "\\n")
options(warn = -1)
seconds <- function(call) { start <- proc.time()[["elapsed"]]; call(); proc.time()[["elapsed"]] - start }
one <- function() {
  fit <- sem(text, data); parameterEstimates(fit, standardized = TRUE); fitMeasures(fit); fit
}
fit <- one()
single <- sapply(1:9, function(i) seconds(one))
many <- if (args[3] == "0") NA else seconds(function() bootstrapLavaan(fit, R = as.integer(args[3])))
cat(toJSON(list(single = single, many = many), auto_unbox = TRUE))
"""


def cases() -> dict[str, tuple[str, pd.DataFrame]]:
    """Text of a model and answers to it."""
    if CASES.exists():
        texts = {name: json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))["model"] for name in NAMES}
        return {name: (text, pd.read_csv(CASES / f"{name}.csv")) for name, text in texts.items()}
    sample = ROOT / "data" / "sample"
    asked = csat.read_questionnaire(sample / "study.toml")
    survey = csat.read_survey(sample / "2026Q3.csv", asked, design=csat.Design())
    return {"sample": (asked.model, survey.frame(list(csat.Model(asked.model).observed)).dropna())}


def seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def told(name: str, own: list[float], others: list[float]) -> None:
    best, middle = min(others) / min(own), statistics.median(others) / statistics.median(own)
    print(
        f"  {name}: {1e3 * min(own):.1f} ms against {1e3 * min(others):.1f} ms, {best:.1f} × (medians {middle:.1f} ×)"
    )


def by_semopy(text: str, data: pd.DataFrame, precision: float | None) -> None:
    """Semopy's fit, table with standardized values, and fit measures; without what it cannot read."""
    lines = [line.split("#")[0] for line in text.splitlines() if ":=" not in line]
    model = semopy.Model("\n".join(re.sub(r"\b\w+\*", "", line) for line in lines))
    model.fit(data, **({} if precision is None else {"options": {"ftol": precision, "maxiter": 10_000}}))
    model.inspect(std_est=True)
    semopy.calc_stats(model)


def by_lavaan(text: str, data: pd.DataFrame, draws: int) -> dict:
    """Lavaan's seconds, as R measures them."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("data.csv", "model.txt", "time.R")]
        data.to_csv(paths[0], index=False)
        paths[1].write_text(text, encoding="utf-8")
        paths[2].write_text(LAVAAN, encoding="utf-8")
        call = ["Rscript", str(paths[2]), str(paths[0]), str(paths[1]), str(draws)]
        return json.loads(subprocess.run(call, check=True, capture_output=True, text=True).stdout)


def fits(text: str, data: pd.DataFrame) -> None:
    """One fit with standard errors, standardized values and fit measures as tables."""
    survey = csat.read_survey(data)
    names = list(csat.Model(text).observed)
    moments = csat.from_covariance(data[names].cov(), n=len(data), mean=data[names].mean())

    def own(source: csat.Survey | csat.moments.Groups) -> None:
        found = csat.sem(source, text)
        found.tidy()
        found.glance()

    calls = {
        "rows": lambda: own(survey), "moments": lambda: own(moments),
        "semopy": lambda: by_semopy(text, data, None), "semopy to 1e-12": lambda: by_semopy(text, data, 1e-12),
    }  # fmt: skip
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(REPEATS + 1):
        for name, call in calls.items():
            took[name].append(seconds(call))
    took = {name: times[1:] for name, times in took.items()}  # the first ones import and compile
    for other in ("semopy", "semopy to 1e-12"):
        for source in ("rows", "moments"):
            told(f"from {source}, {other}", took[source], took[other])
    if shutil.which("Rscript"):
        told("from rows, lavaan", took["rows"], by_lavaan(text, data, 0)["single"])


def bootstrap(text: str, data: pd.DataFrame) -> None:
    """Draws of respondents, with standard errors and percentile intervals of all rows of the table."""
    survey = csat.read_survey(data)

    def own() -> float:
        return seconds(lambda: csat.sem(survey, text, se="bootstrap", replicates=DRAWS).tidy())

    before = [own() for _ in range(3)]
    other = by_lavaan(text, data, DRAWS)["many"]
    took = before + [own() for _ in range(2)]
    told(f"{DRAWS} bootstrap draws, lavaan", took, [other])


def main() -> None:
    warnings.simplefilter("ignore")
    found = cases()
    for name, (text, data) in found.items():
        print(f"{name}: n = {len(data)}, {np.size(csat.Model(text).observed)} observed variables")
        fits(text, data)
    name, (text, data) = next(iter(found.items()))
    if "fit" not in sys.argv[1:] and shutil.which("Rscript"):
        print(name)
        bootstrap(text, data)


if __name__ == "__main__":
    main()
