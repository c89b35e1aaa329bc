"""`csat.pls` against an obvious numpy loop over rows, and seminr and plspm of R where they are installed.

`python benchmarks/composites.py` takes a minute; one thread. One fit, and 5,000 bootstrap draws with standard errors
and percentile intervals of all figures. Model and answers: those of the reference cases beside the checkout (the
European index of 250 customers of a mobile phone provider), else made up ones of the same shape. R's packages make
fewer draws and are timed inside R; their time is taken as proportional to the draws.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import csat  # noqa: E402
from csat.composites import pls  # noqa: E402
from csat.design import Design  # noqa: E402

DATA = Path(__file__).parents[2] / "shared" / "reference" / "cases" / "pls_mobi_plspm_path.csv"
DRAWS, R_DRAWS = 5000, 200
SIZES = {"IMAG": 5, "CUEX": 3, "PERQ": 7, "PERV": 2, "CUSA": 3, "CUSL": 3}
BLOCKS = {name: [f"{name}{i + 1}" for i in range(size)] for name, size in SIZES.items()} | {"COMP": ["CUSCO"]}
PATHS = {
    "CUEX": ["IMAG"], "PERQ": ["CUEX"], "PERV": ["CUEX", "PERQ"], "CUSA": ["IMAG", "CUEX", "PERQ", "PERV"],
    "COMP": ["CUSA"], "CUSL": ["IMAG", "CUSA"],
}  # fmt: skip
MODEL = "\n".join(
    [f"{name} =~ {' + '.join(items)}" for name, items in BLOCKS.items()]
    + [f"{to} ~ {' + '.join(by)}" for to, by in PATHS.items()]
)
SEMINR = """
suppressMessages(library(seminr)); args <- commandArgs(TRUE); d <- read.csv(args[1])
mm <- constructs(composite("IMAG", multi_items("IMAG", 1:5)), composite("CUEX", multi_items("CUEX", 1:3)),
  composite("PERQ", multi_items("PERQ", 1:7)), composite("PERV", multi_items("PERV", 1:2)),
  composite("CUSA", multi_items("CUSA", 1:3)), composite("COMP", single_item("CUSCO")),
  composite("CUSL", multi_items("CUSL", 1:3)))
sm <- relationships(paths("IMAG", c("CUEX", "CUSA", "CUSL")), paths("CUEX", c("PERQ", "PERV", "CUSA")),
  paths("PERQ", c("PERV", "CUSA")), paths("PERV", "CUSA"), paths("CUSA", c("COMP", "CUSL")))
now <- function() proc.time()[["elapsed"]]
seconds <- function(call) { start <- now(); suppressMessages(call()); now() - start }
one <- function() estimate_pls(d, mm, sm)
m <- one(); cat(seconds(one), seconds(function() bootstrap_model(m, nboot = as.integer(args[2]), cores = 1)))
"""
PLSPM = """
suppressMessages(library(plspm)); args <- commandArgs(TRUE); d <- read.csv(args[1])
names <- c("IMAG", "CUEX", "PERQ", "PERV", "CUSA", "COMP", "CUSL"); p <- matrix(0, 7, 7, dimnames = list(names, names))
p[2, 1] <- p[3, 2] <- p[4, 2] <- p[4, 3] <- p[5, 1:4] <- p[6, 5] <- p[7, c(1, 5)] <- 1
b <- lapply(names, function(n) if (n == "COMP") "CUSCO" else grep(paste0("^", n, "[0-9]"), colnames(d), value = TRUE))
seconds <- function(call) { start <- proc.time()[["elapsed"]]; call(); proc.time()[["elapsed"]] - start }
run <- function(...) plspm(d, p, b, rep("A", 7), scheme = "path", ...)
cat(seconds(run), seconds(function() run(boot.val = TRUE, br = as.integer(args[2]))))
"""


def answers() -> pd.DataFrame:
    """Reference answers, or made up ones."""
    items = [item for block in BLOCKS.values() for item in block]
    if DATA.exists():
        return pd.read_csv(DATA)[items]
    rng = np.random.default_rng(1)
    common = rng.normal(size=(250, 1))
    return pd.DataFrame(
        np.clip(np.round(7 + 1.3 * common + 1.3 * rng.normal(size=(250, len(items)))), 1, 10), columns=items
    )


def standard(x: np.ndarray) -> np.ndarray:
    return (x - x.mean(axis=0)) / x.std(axis=0)


def by_rows(data: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Weights, loadings and paths, as one writes them down from a textbook."""
    blocks = {name: standard(block) for name, block in data.items()}
    n = len(next(iter(blocks.values())))
    weights = {name: np.ones(block.shape[1]) for name, block in blocks.items()}
    while True:
        scores = {name: standard(block @ weights[name]) for name, block in blocks.items()}
        new = {}
        for name, block in blocks.items():
            inner = np.zeros(n)
            if name in PATHS:
                x = np.column_stack([scores[other] for other in PATHS[name]])
                inner += x @ np.linalg.lstsq(x, scores[name], rcond=None)[0]
            for to, by in PATHS.items():
                if name in by:
                    inner += scores[to] @ scores[name] / n * scores[to]
            found = block.T @ inner / n
            new[name] = found / (block @ found).std()
        apart = max(np.abs(new[name] - weights[name]).max() for name in blocks)
        weights = new
        if apart < 1e-10:
            break
    scores = {name: blocks[name] @ weights[name] for name in blocks}
    loadings = {name: block.T @ scores[name] / n for name, block in blocks.items()}
    paths = {
        to: np.linalg.lstsq(np.column_stack([scores[other] for other in by]), scores[to], rcond=None)[0]
        for to, by in PATHS.items()
    }
    return weights, loadings, paths


def drawn(frame: pd.DataFrame, draws: int) -> np.ndarray:
    """Standard errors and percentiles of weights, loadings and paths from as many draws."""
    data = {name: frame[items].to_numpy(float) for name, items in BLOCKS.items()}
    rng = np.random.default_rng(1)
    found = []
    for _ in range(draws):
        at = rng.integers(len(frame), size=len(frame))
        parts = by_rows({name: block[at] for name, block in data.items()})
        found.append(np.concatenate([figure for part in parts for figure in part.values()]))
    table = np.array(found)
    return np.vstack([table.std(axis=0, ddof=1), np.quantile(table, [0.025, 0.975], axis=0)])


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def by_r(package: str, script: str, frame: pd.DataFrame) -> tuple[float, float] | None:
    """Seconds of one fit and of `DRAWS` draws by a package of R; None without it."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        data, file = Path(folder) / "data.csv", Path(folder) / "time.R"
        frame.to_csv(data, index=False)
        file.write_text(script, encoding="utf-8")
        done = subprocess.run(["Rscript", str(file), str(data), str(R_DRAWS)], capture_output=True, text=True)
    if done.returncode:
        print(f"  {package}: not installed")
        return None
    one, many = (float(part) for part in done.stdout.split()[-2:])
    return one, many * DRAWS / R_DRAWS


def main() -> None:
    warnings.simplefilter("ignore")
    frame = answers()
    survey = csat.read_survey(frame, design=Design())
    moments = csat.from_covariance(frame.cov(), len(frame), frame.mean().to_dict())
    print(f"Model: 7 constructs, {frame.shape[1]} items, n = {len(frame)}; one thread")
    fit = min(seconds(lambda: pls(moments, MODEL).tidy()) for _ in range(9))
    data = {name: frame[items].to_numpy(float) for name, items in BLOCKS.items()}
    loop = min(seconds(lambda: by_rows(data)) for _ in range(9))
    print(
        f"  one fit with its tables, from moments: {1e3 * fit:.1f} ms; weights and paths by rows: {1e3 * loop:.1f} ms"
    )
    many = min(seconds(lambda: pls(survey, MODEL, replicates=DRAWS).tidy()) for _ in range(3))
    rows = seconds(lambda: drawn(frame, DRAWS))
    print(f"  {DRAWS} draws: {many:.2f} s; by rows {rows:.1f} s: {rows / many:.0f} ×")
    for package, script in (("seminr", SEMINR), ("plspm", PLSPM)):
        found = by_r(package, script, frame)
        if found is not None:
            one, draws = found
            print(f"  {package}: one fit {1e3 * one:.0f} ms ({one / fit:.0f} ×)")
            print(f"  {package}: {DRAWS} draws {draws:.0f} s ({draws / many:.0f} ×)")


if __name__ == "__main__":
    sys.exit(main())
