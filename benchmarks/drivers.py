"""Driver analysis against plain loops, statsmodels and R, each pair measured side by side in one run, on one core.

`python benchmarks/drivers.py` runs all; `python benchmarks/drivers.py importance regress` some of: importance,
stepwise, replicates, regress. All take about a quarter of an hour, most of it the others' loops over a million rows.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import combinations
from math import factorial
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from threadpoolctl import threadpool_limits

import csat

ROWS = 1_000_000
#: A loop over all subsets is run where it takes at most about this long.
MOST_SECONDS = 120


def survey_of(data: pd.DataFrame, **design: str) -> csat.Survey:
    return csat.read_survey(data, design=csat.Design(**design))


def answers(rows: int, drivers: int, seed: int = 1) -> pd.DataFrame:
    """Answers from 1 to 10 with a common factor; every third driver has no effect of its own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(rows, 1))
    latent = 6 + 1.2 * common + 1.6 * rng.normal(size=(rows, drivers))
    effects = np.where(np.arange(drivers) % 3 == 2, 0.0, 0.35 - 0.015 * np.arange(drivers))
    data = pd.DataFrame(np.clip(np.rint(latent), 1, 10), columns=[f"P{j + 1}" for j in range(drivers)])
    outcome = 3 + data.to_numpy() @ effects / effects.sum() * 0.6 + 1.4 * rng.normal(size=rows)
    return data.assign(y=np.clip(np.rint(outcome), 1, 10), w=rng.uniform(0.5, 2, rows))


def measured(repeats: int, **calls: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds of each call, in turn, `repeats` times."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def told(seconds: list[float]) -> str:
    """Smallest and median time."""
    return f"{min(seconds):.3g} s, median {statistics.median(seconds):.3g} s of {len(seconds)}"


def ratio(ours: list[float], theirs: list[float]) -> str:
    """Median of ours over median of theirs; below 1, csat is faster."""
    return f"csat takes {statistics.median(ours) / statistics.median(theirs):.3g} × the time"


def all_subsets(corr: np.ndarray) -> np.ndarray:
    """LMG by its definition: R² of every subset, then the weighted gains of each driver."""
    k = len(corr) - 1
    weight = [factorial(size) * factorial(k - 1 - size) / factorial(k) for size in range(k)]
    explained = {0: 0.0}
    for size in range(1, k + 1):
        for chosen in combinations(range(k), size):
            inside = list(chosen)
            towards = corr[inside, k]
            beta = np.linalg.solve(corr[np.ix_(inside, inside)], towards)
            explained[sum(1 << j for j in chosen)] = float(beta @ towards)
    parts = np.zeros(k)
    for subset, r2 in explained.items():
        for j in range(k):
            if not subset >> j & 1:
                parts[j] += weight[subset.bit_count()] * (explained[subset | 1 << j] - r2)
    return parts


def importance() -> None:
    data = answers(2000, 22)
    expected = 0.0
    for k in (10, 15, 20, 22):
        names = [f"P{j + 1}" for j in range(k)]
        survey = survey_of(data[[*names, "y", "w"]], weight="w")
        summary = csat.from_covariance(data[[*names, "y"]].cov(), n=len(data))
        corr = data[[*names, "y"]].corr().to_numpy()
        calls = {
            "alone": lambda names=names, summary=summary: csat.importance(summary, "y", names),
            "errors": lambda names=names, survey=survey: csat.importance(survey, "y", names),
        }
        naive = k == 10 or expected * 2**5 * 1.5 < MOST_SECONDS
        if naive:
            calls["loop"] = lambda corr=corr: all_subsets(corr)
        found = measured(5 if k <= 15 else 3, **calls)
        print(f"LMG of {k} drivers, csat: without errors {told(found['alone'])}; with errors {told(found['errors'])}")
        if naive:
            expected = min(found["loop"])
            np.testing.assert_allclose(calls["alone"]().estimates.estimate, all_subsets(corr), atol=1e-10)
            print(f"  loop over all subsets {told(found['loop'])}:")
            print(
                f"  without errors {ratio(found['alone'], found['loop'])}, with {ratio(found['errors'], found['loop'])}"
            )
        else:
            print(f"  loop over all subsets: not measured, it takes more than {MOST_SECONDS} s")
        relaimpo(data[["y", *names]], found["alone"])


def relaimpo(data: pd.DataFrame, ours: list[float]) -> None:
    before = 'if (!requireNamespace("relaimpo", quietly = TRUE)) quit(status = 3); suppressMessages(library(relaimpo));'
    found = in_r(data, before, 'm <- cov(d); calc.relimp(m, type = "lmg")')
    if found is None:
        print("  R's relaimpo is not installed: not measured")
    else:
        print(f"  R's relaimpo {told(found[0])}: {ratio(ours, found[0])}")


def in_r(data: pd.DataFrame, before: str, work: str) -> tuple[list[float], list[str]] | None:
    """Seconds that R needs for `work` on the data frame d, three times, without reading it; and its `selected`.

    None without R, or if `before` ends it with status 3.
    """
    if shutil.which("Rscript") is None:
        return None
    script = (
        f'{before} read <- if (requireNamespace("data.table", quietly = TRUE)) data.table::fread else read.csv; '
        f'selected <- seconds <- NULL; d <- as.data.frame(read("d.csv")); for (i in 1:3) seconds <- c(seconds, '
        f'system.time({{ {work} }})[["elapsed"]]); cat(seconds, selected)'
    )
    with tempfile.TemporaryDirectory() as folder:
        data.to_csv(Path(folder) / "d.csv", index=False)
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(["Rscript", "-e", script], cwd=folder, capture_output=True, text=True, env=environment)
    if done.returncode == 3:
        return None
    done.check_returncode()
    words = done.stdout.split()
    return [float(word) for word in words[:3]], words[3:]


def refits(data: pd.DataFrame, names: list[str], enter: float = 0.05, remove: float = 0.10) -> list[str]:
    """The same rule as SPSS, each model fitted to the rows by statsmodels."""
    y, inside = data["y"].to_numpy(), []
    columns = {name: data[name].to_numpy() for name in names}

    def tests(chosen: list[str]) -> tuple[np.ndarray, np.ndarray]:
        fit = sm.OLS(y, np.column_stack([np.ones(len(y)), *(columns[name] for name in chosen)])).fit()
        return np.abs(fit.tvalues[1:]), fit.pvalues[1:]

    while True:
        if inside:
            t, p = tests(inside)
            if p[t.argmin()] >= remove:
                inside.pop(int(t.argmin()))
                continue
        tried = {name: tests([*inside, name]) for name in names if name not in inside}
        best = max(tried, key=lambda name: tried[name][0][-1], default=None)
        if best is None or tried[best][1][-1] > enter:
            return inside
        inside.append(best)


def stepwise() -> None:
    for k in (9, 15):
        names = [f"P{j + 1}" for j in range(k)]
        data = answers(ROWS, k).drop(columns="w")
        survey = survey_of(data)
        found = measured(
            3,
            p=lambda names=names, survey=survey: csat.stepwise(survey, "y", names),
            aic=lambda names=names, survey=survey: csat.stepwise(survey, "y", names, rule="aic"),
            loop=lambda names=names, data=data: refits(data, names),
        )
        print(f"Stepwise, {ROWS:,} rows, {k} candidates, csat: by p {told(found['p'])}; by AIC {told(found['aic'])}")
        same = refits(data, names) == list(csat.stepwise(survey, "y", names).selected)
        print(f"  loop of statsmodels fits {told(found['loop'])}: {ratio(found['p'], found['loop'])}", end="; ")
        print(f"same drivers and order: {same}")
        work = f"s <- step(lm(y ~ 1, d), ~ {' + '.join(names)}, trace = 0); selected <- attr(terms(s), 'term.labels')"
        other = in_r(data, "", work)
        if other is None:
            print("  R is not installed: step(lm) not measured")
            continue
        same = other[1] == list(csat.stepwise(survey, "y", names, rule="aic").selected)
        print(f"  R's step(lm) {told(other[0])}: {ratio(found['aic'], other[0])}; same drivers and order: {same}")


def replicates() -> None:
    few, many, k = 50, 1000, 9
    names = [f"P{j + 1}" for j in range(k)]
    data = answers(600, k).drop(columns="w")
    survey = survey_of(data)
    drawn = [np.random.default_rng(r).integers(len(data), size=len(data)) for r in range(few)]

    def one_by_one() -> None:
        for rows in drawn:
            part = data.iloc[rows]
            source = csat.from_covariance(part.cov(), n=len(part), mean=part.mean())
            csat.stepwise(source, "y", names, se="classical")

    def statsmodels() -> None:
        for rows in drawn:
            refits(data.iloc[rows], names)

    found = measured(
        5,
        many=lambda: csat.stepwise(survey, "y", names, replicates=many),
        few=lambda: csat.stepwise(survey, "y", names, replicates=few),
        alone=one_by_one,
        loop=statsmodels,
    )
    print(f"Stepwise on replicates of {len(data)} rows, {k} candidates, csat: {many} replicates {told(found['many'])}")
    print(f"  {few} replicates {told(found['few'])}")
    print(f"  {few} single calls of csat.stepwise {told(found['alone'])}: {ratio(found['few'], found['alone'])}")
    print(f"  {few} loops of statsmodels fits {told(found['loop'])}: {ratio(found['few'], found['loop'])},")
    print(f"  and with {many} replicates against those {few}: {ratio(found['many'], found['loop'])}")


def regress() -> None:
    names = [f"P{j + 1}" for j in range(9)]
    for rows in (600, ROWS):
        data = answers(rows, 9)
        survey = survey_of(data, weight="w")

        def theirs(data: pd.DataFrame = data) -> None:
            sm.WLS(data["y"], sm.add_constant(data[names]), weights=data["w"]).fit(cov_type="HC3").summary()

        found = measured(
            15 if rows == 600 else 3,
            design=lambda survey=survey: csat.regress(survey, "y", names).tidy(),
            hc3=lambda survey=survey: csat.regress(survey, "y", names, se="HC3").tidy(),
            theirs=theirs,
        )
        print(f"Regression, {rows:,} rows, 9 drivers, csat: design-based {told(found['design'])}")
        print(f"  HC3 {told(found['hc3'])}")
        print(f"  statsmodels WLS with HC3 {told(found['theirs'])}: HC3 {ratio(found['hc3'], found['theirs'])}")


PARTS = {"importance": importance, "stepwise": stepwise, "replicates": replicates, "regress": regress}


def main() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        for part in sys.argv[1:] or PARTS:
            PARTS[part]()


if __name__ == "__main__":
    main()
