"""Spark in local mode against the embedded engine on 10⁶ answers: `python benchmarks/spark.py [folder]`, with pyspark.

The session is warm, csat's code has reached the workers: what is left are jobs, Python workers, and the same kernel.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from answers import ASKED, ITEMS, written
from scale import PROCESSORS

import csat
from csat.spark import session

CASES: dict[str, Callable] = {
    "level counts × 128 groups": lambda source: source.undesigned().levels(ITEMS, ["area"]),
    "moments × 2,000 sampling units": lambda source: source.groups(ITEMS, (), "listwise"),
    "index of 31 groups with errors": lambda source: csat.index(source, by="province"),
}


def seconds(work: Callable[[], object]) -> float:
    """Median of three times, after one that is not counted."""
    found = []
    for _ in range(4):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return statistics.median(found[1:])


def main(folder: Path) -> None:
    place = str(written(folder, 6))
    settings = {"spark.ui.enabled": "false", "spark.driver.memory": "2g", "spark.sql.shuffle.partitions": "4"}
    spark = session(f"local[{PROCESSORS}]", settings)
    spark.sparkContext.setLogLevel("ERROR")
    embedded = csat.read_survey(place, ASKED, stream=True)
    cluster = csat.read_survey(spark.read.parquet(place), ASKED)
    for name, work in CASES.items():
        own, theirs = (seconds(lambda source=source, work=work: work(source)) for source in (embedded, cluster))
        print(f"{name}: embedded {own:.2f} s, Spark {theirs:.2f} s, {theirs / own:.1f} × as long")
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "csat-benchmarks")
