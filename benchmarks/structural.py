"""`csat.sem` against semopy: the ECSI-like model of the sample study on the same data, fit with estimates and tests."""

import statistics
import time
import warnings
from pathlib import Path

import semopy

import csat

SAMPLE = Path(__file__).parents[1] / "data" / "sample"


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    warnings.simplefilter("ignore")
    asked = csat.read_questionnaire(SAMPLE / "study.toml")
    survey = csat.read_survey(SAMPLE / "2026Q3.csv", asked, design=csat.Design())
    syntax = "\n".join(line.split("#")[0] for line in asked.model.splitlines() if ":=" not in line)
    syntax = syntax.replace("a*", "").replace("b*", "")
    model = csat.Model(asked.model)
    rows = survey.frame(list(model.observed)).dropna()

    def other() -> None:
        fitted = semopy.Model("\n".join(_plain(line) for line in syntax.splitlines()))
        fitted.fit(rows)
        fitted.inspect()
        semopy.calc_stats(fitted)

    ratios = [seconds(lambda: csat.sem(survey, model).tidy()) / seconds(other) for _ in range(9)]
    print(f"csat.sem with its tables: {statistics.median(ratios):.2f} × semopy (n = {len(rows)})")


def _plain(line: str) -> str:
    """A line without labels."""
    left, sign, right = line.partition("~")
    return left + sign + " + ".join(part.split("*")[-1].strip() for part in right.split("+")) if sign else line


if __name__ == "__main__":
    main()
