"""One case of a large survey by one engine, in this process: `python benchmarks/scale.py CASE ENGINE FOLDER`.

Prints a line of JSON: seconds, processor seconds, peak memory in MB, and a figure on which the engines agree. It is
called by `benchmarks/run.py`, which gives every case a process of its own and makes a table of them.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import combinations_with_replacement
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
from answers import ASKED, ITEMS

import csat

Work = Callable[[Path], float]
PROCESSORS = len(os.sched_getaffinity(0))
REPLICATES, SAMPLE, SMALL = 1000, 20_000, 600
PAIRS = list(combinations_with_replacement(ITEMS, 2))
#: Case → columns that it reads besides the items.
COLUMNS = {
    "levels": ("area", "w"),
    "units": ("hall", "province", "w"),
    "pairs": ("segment", "w"),
    "areas": ("area", "hall", "province", "w"),
    "cells": ("province", "centre", "hall", "w"),
    "replicates": ("hall", "province", "w"),
}
#: Case of indices → groups.
GROUPS = {"areas": ("area",), "cells": ("province", "centre"), "replicates": ()}


def decode(case: str, folder: Path) -> float:
    """Nothing but the decoding of the columns by pyarrow, in all processors."""
    scanner = ds.dataset(folder, format="parquet").scanner(columns=[*ITEMS, *COLUMNS[case]], batch_size=2**16)
    return float(sum(batch.num_rows for batch in scanner.to_batches()))


# --- csat ------------------------------------------------------------------------------------------------------------


def streamed(folder: Path, *, plain: bool = False) -> Any:
    return csat.read_survey(folder, ASKED, design=csat.Design(weight="w") if plain else None, stream=True)


def drawn(source: Any) -> Any:
    return source.replicated(csat.Replication("bootstrap", REPLICATES, seed=1))


def csat_levels(folder: Path) -> float:
    return float(sum(counts.sum() for counts in streamed(folder, plain=True).levels(ITEMS, ["area"]).weighted))


def csat_units(folder: Path) -> float:
    return float(streamed(folder).groups(ITEMS, (), "listwise").gram[:, 0, 0].sum())


def csat_pairs(folder: Path) -> float:
    found = streamed(folder, plain=True).groups(ITEMS, ["segment"])
    total, middle = found.gram[:, 0, 1 + len(ITEMS)], found.midpoint[0]
    return float((total + middle * found.gram[:, 0, 1]).sum())


def csat_index(case: str, folder: Path) -> float:
    source = streamed(folder)
    return float(csat.index(drawn(source) if case == "replicates" else source, by=GROUPS[case]).estimates.estimate[0])


# --- DuckDB ----------------------------------------------------------------------------------------------------------


def queried(folder: Path, sums: Iterable[str], by: str, where: str = "true") -> pd.DataFrame:
    """Sums of the answers by columns, by DuckDB."""
    import duckdb

    connection = duckdb.connect(config={"threads": PROCESSORS})
    source = f"read_parquet('{folder}/*.parquet')"
    return connection.execute(  # the words are ours: nothing comes from outside
        f"select {by}, {', '.join(sums)} from {source} where {where} group by {by}"  # noqa: S608
    ).df()


def both(one: str, other: str) -> str:
    return f"sum(case when {one} is not null and {other} is not null then w end)"


def duckdb_levels(folder: Path) -> float:
    found = (queried(folder, ["count(*)", "sum(w) s"], f"area, {item}", f"{item} is not null") for item in ITEMS)
    return float(sum(counts["s"].sum() for counts in found))


def duckdb_units(folder: Path) -> float:
    sums = ["sum(w) s", *(f"sum(w*{a})" for a in ITEMS), *(f"sum(w*{a}*{b})" for a, b in PAIRS)]
    return float(queried(folder, sums, "hall", " and ".join(f"{a} is not null" for a in ITEMS))["s"].sum())


def duckdb_pairs(folder: Path) -> float:
    products = (f"sum(w*{a}*{b}), {both(a, b)}" for a, b in PAIRS)
    singles = (f"sum(case when {b} is not null then w*{a} end)" for a in ITEMS for b in ITEMS)
    return float(queried(folder, ["sum(w*C1) s", *products, *singles], "segment")["s"].sum())


def duckdb_totals(case: str, folder: Path) -> float:
    """Totals of groups and halls, from which a standard error follows; without it."""
    sums = (f"sum(w*{a}) s{a}, sum(case when {a} is not null then w end) n{a}" for a in ITEMS)
    return first_index(queried(folder, sums, ", ".join((*GROUPS[case], "hall"))), GROUPS[case])


def first_index(totals: pd.DataFrame, by: Iterable[str]) -> float:
    """The index of the first group, from the totals of groups and halls."""
    for column in by:
        labels = totals[column].astype(str)
        totals = totals[labels == labels.min()]
    means = [totals[f"s{item}"].sum() / totals[f"n{item}"].sum() for item in ITEMS]
    return float((np.mean(means) - 1) / 9 * 100)


# --- polars ----------------------------------------------------------------------------------------------------------


def collected(folder: Path, by: Iterable[str], sums: Callable[[Any], list], *, complete: bool = False) -> pd.DataFrame:
    """Sums of the answers by columns, by polars' streaming engine."""
    import polars as pl

    frame = pl.scan_parquet(f"{folder}/*.parquet")
    frame = frame.drop_nulls(list(ITEMS)) if complete else frame
    found = frame.group_by(*by).agg(sums(pl)).collect(engine="streaming")
    return pd.DataFrame({name: found[name].to_numpy() for name in found.columns})


def polars_levels(folder: Path) -> float:
    import polars as pl

    frame = pl.scan_parquet(f"{folder}/*.parquet")
    counts = [frame.drop_nulls(a).group_by("area", a).agg(pl.len(), pl.col("w").sum()) for a in ITEMS]
    return float(sum(found["w"].sum() for found in pl.collect_all(counts, engine="streaming")))


def polars_units(folder: Path) -> float:
    def sums(pl: Any) -> list:
        products = [(pl.col("w") * pl.col(a) * pl.col(b)).sum().alias(f"{a}.{b}") for a, b in PAIRS]
        return [pl.col("w").sum(), *((pl.col("w") * pl.col(a)).sum().alias(a) for a in ITEMS), *products]

    return float(collected(folder, ["hall"], sums, complete=True)["w"].sum())


def polars_pairs(folder: Path) -> float:
    def sums(pl: Any) -> list:
        w, c = pl.col("w"), {a: pl.col(a) for a in ITEMS}
        products = [(w * c[a] * c[b]).sum().alias(f"{a}.{b}") for a, b in PAIRS]
        weights = [w.filter(c[a].is_not_null() & c[b].is_not_null()).sum().alias(f"n{a}.{b}") for a, b in PAIRS]
        singles = [(w * c[a]).filter(c[b].is_not_null()).sum().alias(f"s{a}.{b}") for a in ITEMS for b in ITEMS]
        return [*products, *weights, *singles]

    return float(collected(folder, ["segment"], sums)["sC1.C1"].sum())


def polars_totals(case: str, folder: Path) -> float:
    def sums(pl: Any) -> list:
        totals = [(pl.col("w") * pl.col(a)).sum().alias(f"s{a}") for a in ITEMS]
        return [*totals, *(pl.col("w").filter(pl.col(a).is_not_null()).sum().alias(f"n{a}") for a in ITEMS)]

    return first_index(collected(folder, (*GROUPS[case], "hall"), sums), GROUPS[case])


# --- pandas, in memory ---------------------------------------------------------------------------------------------


def loaded(case: str, folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder, columns=[*ITEMS, *COLUMNS[case]])


def pandas_levels(folder: Path) -> float:
    frame = loaded("levels", folder)
    found = (frame.groupby(["area", a], observed=True)["w"].agg(["size", "sum"]) for a in ITEMS)
    return float(sum(counts["sum"].sum() for counts in found))


def pandas_units(folder: Path) -> float:
    frame = loaded("units", folder).dropna()
    frame.groupby("hall", observed=True)[list(ITEMS)].cov()
    return float(frame["w"].sum())


def pandas_pairs(folder: Path) -> float:
    frame = loaded("pairs", folder)
    frame.groupby("segment", observed=True)[list(ITEMS)].cov()
    return float((frame["w"] * frame["C1"]).sum())


def pandas_totals(case: str, folder: Path) -> float:
    frame = loaded(case, folder)
    totals = frame[list(ITEMS)].mul(frame["w"], axis=0).add_prefix("s")
    totals = totals.join(frame[list(ITEMS)].notna().mul(frame["w"], axis=0).add_prefix("n"))
    by = [*GROUPS[case], "hall"]
    return first_index(totals.groupby([frame[name] for name in by], observed=True).sum().reset_index(), GROUPS[case])


# --- a sample in memory, against R's survey --------------------------------------------------------------------------

R = """
suppressMessages(library(survey)); given <- commandArgs(TRUE); case <- given[2]; rows <- read.csv(given[1])
items <- as.formula(paste("~", paste0("C", 1:24, collapse = "+")));
times <- if (case == "small") 20 else 1; start <- proc.time()
for (i in seq_len(times)) {
  s <- svydesign(ids = ~hall, strata = ~province, weights = ~w, data = rows, nest = TRUE)
  if (case == "sample replicates") s <- as.svrepdesign(s, type = "bootstrap", replicates = as.integer(given[3]))
  if (case == "sample provinces") found <- svyby(items, ~province, s, svymean) else {
    found <- svycontrast(svymean(items, s), rep(1 / 24, 24))
  }
}
used <- (proc.time() - start) / times
cat(used[["elapsed"]], used[["user.self"]] + used[["sys.self"]])
"""


def sample(case: str, folder: Path) -> pd.DataFrame:
    """The first complete answers: svymean leaves the others out."""
    columns = [*ITEMS, "province", "centre", "hall", "area", "segment", "w"]
    rows = SMALL if case == "small" else SAMPLE
    return ds.dataset(folder, format="parquet").head(3 * rows, columns=columns).to_pandas().dropna().iloc[:rows]


def csat_sample(case: str, folder: Path) -> dict[str, float]:
    survey = csat.read_survey(sample(case, folder).astype(dict.fromkeys(ITEMS, "int8")), ASKED)

    def work() -> float:
        by = "province" if case == "sample provinces" else None
        return float(csat.index(drawn(survey) if case == "sample replicates" else survey, by=by).estimates.estimate[0])

    return measured(work, 50 if case == "small" else 1)


def r_sample(case: str, folder: Path) -> dict[str, float]:
    """Times that R takes for `survey` on the same rows, without reading them."""
    data, script = (folder / f"{case.replace(' ', '-')}.{ending}" for ending in ("csv", "R"))
    sample(case, folder).to_csv(data, index=False)
    script.write_text(R, encoding="utf-8")
    command = ["Rscript", str(script), str(data), case, str(REPLICATES)]
    words = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    data.unlink()
    script.unlink()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {"seconds": float(words[0]), "processor": float(words[1]), "peak": peak, "figure": float("nan")}


# --- one run ---------------------------------------------------------------------------------------------------------

SUMS: dict[str, dict[str, Work]] = {
    "levels": {"csat": csat_levels, "DuckDB": duckdb_levels, "polars": polars_levels, "pandas": pandas_levels},
    "units": {"csat": csat_units, "DuckDB": duckdb_units, "polars": polars_units, "pandas": pandas_units},
    "pairs": {"csat": csat_pairs, "DuckDB": duckdb_pairs, "polars": polars_pairs, "pandas": pandas_pairs},
}
TOTALS = {"csat": csat_index, "DuckDB": duckdb_totals, "polars": polars_totals, "pandas": pandas_totals}
#: Case → engine → work, large surveys first.
LARGE: dict[str, dict[str, Work]] = {
    case: {"bare decode": partial(decode, case)}
    | (SUMS[case] if case in SUMS else {engine: partial(work, case) for engine, work in TOTALS.items()})
    for case in COLUMNS
}
#: Case → engine → what measures it, samples of the smallest survey.
SAMPLES: dict[str, dict[str, Callable[[Path], dict[str, float]]]] = {
    case: {"csat": partial(csat_sample, case), "R survey": partial(r_sample, case)}
    for case in ("small", "sample provinces", "sample replicates")
}


def measured(work: Callable[[], float], times: int = 1) -> dict[str, float]:
    """Seconds, processor seconds and peak memory in MB of a piece of work, and the figure that it found."""
    start, used = time.perf_counter(), time.process_time()
    for _ in range(times):
        figure = work()
    seconds, processor = time.perf_counter() - start, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds / times, "processor": processor / times, "peak": peak, "figure": figure}


def main(case: str, engine: str, folder: Path) -> None:
    found = SAMPLES[case][engine](folder) if case in SAMPLES else measured(partial(LARGE[case][engine], folder))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
