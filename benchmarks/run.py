"""Large surveys by csat and by others, as ratios to the bare decoding of the same columns, with one command.

`python benchmarks/run.py` writes 10⁶ answers once to a scratch folder and runs every case, each in a process of its
own; `--rows 6,7,8` takes 10⁶, 10⁷ and 10⁸ (2.5 GB of files, most of an hour), `--cases levels,cells` some cases,
`--engines csat,DuckDB` some engines besides decoding. Results are kept as they come in `benchmarks/results/scale.json`
and printed as one table; `--print` only prints what is kept. Of several runs (`--times`) the one with the least
processor time counts.

pandas is asked for a million rows, which it holds in memory. Who would take longer than `--limit` seconds, judged
by ten times the time for a tenth of the rows, is left out.
"""

import argparse
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from answers import written
from scale import COLUMNS, LARGE, PROCESSORS, SAMPLES

HERE = Path(__file__).parent
KEPT = HERE / "results" / "scale.json"
DECODE = "bare decode"
#: Powers of ten up to which an engine has room.
MOST = {"pandas": 6}
TITLES = {
    "levels": "level counts of 24 items × 128 groups",
    "units": "weighted moments of 24 items × 2,000 sampling units",
    "pairs": "pairwise Gram matrices of 24 items × 4 groups",
    "areas": "index of 128 groups that cross 2,000 units, with errors",
    "cells": "index of 7,750 centres, with errors",
    "replicates": "index with 1,000 bootstrap replicates of units",
    "small": "index with its error, 600 respondents",
    "sample provinces": "index of 31 groups, 20,000 respondents",
    "sample replicates": "1,000 replicates of an index, 20,000 respondents",
}
PACKAGES = ("csat", "numpy", "pyarrow", "pandas", "polars", "duckdb")


def machine() -> dict[str, str]:
    """What the figures depend on besides the code."""
    versions = {name: importlib.import_module(name).__version__ for name in PACKAGES}
    asked = "cat(as.character(getRversion()), as.character(packageVersion('survey')))"
    words = subprocess.run(["Rscript", "-e", asked], capture_output=True, text=True).stdout.split()
    versions |= dict(zip(("R", "R survey"), words, strict=False))
    return {"processors": str(PROCESSORS), "system": platform.machine(), "Python": platform.python_version()} | versions


def kept() -> dict:
    """What earlier runs found."""
    return json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {"machine": {}, "runs": []}


def keep(run: dict) -> None:
    """Put a run in the place of an earlier one of the same case."""
    found = kept()
    found["machine"] = machine()
    same = ("case", "rows", "engine")
    found["runs"] = [*(one for one in found["runs"] if any(one[key] != run[key] for key in same)), run]
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def once(case: str, engine: str, folder: Path, limit: float) -> dict | None:
    """One process; None if it takes too long or has no room."""
    command = [sys.executable, str(HERE / "scale.py"), case, engine, str(folder)]
    threads = {"POLARS_MAX_THREADS": str(PROCESSORS), "OMP_NUM_THREADS": str(PROCESSORS)}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, env={**os.environ, **threads})
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        print(f"{case}, {engine}: {(done.stderr.strip().splitlines() or ['killed'])[-1]}", file=sys.stderr)
        return None
    return json.loads(done.stdout.splitlines()[-1])


def run(case: str, exponent: int, engine: str, folder: Path, limit: float, times: int) -> None:
    """Measure a case and keep what was found."""
    parts = [once(case, engine, folder, limit) for _ in range(times)]
    found = [part for part in parts if part is not None]
    if found:
        best = min(found, key=lambda part: part["processor"])
        keep({"case": case, "rows": exponent, "engine": engine, **{key: round(best[key], 6) for key in best}})
        print(f"{case}, 10^{exponent}, {engine}: {best['seconds']:.3g} s", file=sys.stderr, flush=True)
    else:
        print(f"{case}, 10^{exponent}, {engine}: not measured", file=sys.stderr, flush=True)


def too_long(case: str, exponent: int, engine: str, limit: float) -> bool:
    """Whether a tenth of the rows says that an engine takes too long."""
    if exponent > MOST.get(engine, exponent):
        return True
    fewer = [one for one in kept()["runs"] if (one["case"], one["rows"], one["engine"]) == (case, exponent - 1, engine)]
    return bool(fewer) and 10 * fewer[0]["seconds"] > limit


def agreed(runs: list[dict]) -> Iterator[str]:
    """Cases in which the engines do not find the same figure."""
    for case, exponent in dict.fromkeys((one["case"], one["rows"]) for one in runs):
        figures = [one["figure"] for one in runs if (one["case"], one["rows"]) == (case, exponent)
                   and one["engine"] != DECODE and one["figure"] == one["figure"]]  # fmt: skip
        if figures and max(figures) - min(figures) > 1e-9 * abs(figures[0]):
            yield f"{case}, 10^{exponent}: the engines differ, {min(figures)!r} to {max(figures)!r}"


def table() -> str:
    """Everything that is kept as a table of Markdown."""
    found = kept()
    runs = found["runs"]
    facts = ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    lines = [facts, "", "| case | rows | by | seconds | processor s | peak MB | × decode | processor × |",
             "| --- | --: | --- | --: | --: | --: | --: | --: |"]  # fmt: skip
    order = {case: place for place, case in enumerate(TITLES)}
    for one in sorted(runs, key=lambda one: (order[one["case"]], one["rows"])):
        decoded = [o for o in runs if (o["case"], o["rows"], o["engine"]) == (one["case"], one["rows"], DECODE)]
        ratios = [f"{one[key] / decoded[0][key]:.1f}" if decoded else "" for key in ("seconds", "processor")]
        rows = f"10^{one['rows']}" if decoded else ""
        cells = [TITLES[one["case"]], rows, one["engine"], f"{one['seconds']:.3g}", f"{one['processor']:.3g}",
                 f"{one['peak']:.0f}", *ratios]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, *agreed(runs)])


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--rows", default="6", help="powers of ten, such as 6,7,8")
    asked.add_argument("--cases", default=",".join(TITLES))
    asked.add_argument("--engines", default="csat,DuckDB,polars,pandas,R survey")
    asked.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "csat-benchmarks")
    asked.add_argument("--times", type=int, default=1, help="runs of each case; the best counts")
    asked.add_argument("--limit", type=float, default=300, help="seconds that a run may take")
    asked.add_argument("--minutes", type=float, default=1e9, help="after which nothing is begun")
    asked.add_argument("--print", action="store_true", help="print what is kept")
    given = asked.parse_args()
    end = time.monotonic() + 60 * given.minutes
    cases, engines = given.cases.split(","), given.engines.split(",")
    rows = [] if given.print else [int(part) for part in given.rows.split(",")]
    for place, exponent in enumerate(rows):
        folder = written(given.folder, exponent)
        wanted = [(case, engine) for case in cases if case in COLUMNS for engine in LARGE[case]]
        wanted += [(case, engine) for case in cases if case in SAMPLES and not place for engine in SAMPLES[case]]
        for case, engine in wanted:
            if engine not in (DECODE, *engines) or time.monotonic() > end:
                continue
            if not too_long(case, exponent, engine, given.limit):
                run(case, exponent, engine, folder, given.limit, given.times)
    print(table())


if __name__ == "__main__":
    main()
