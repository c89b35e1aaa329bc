"""A report for each of 31 synthetic branches, timed one by one: `python benchmarks/report.py [folder [workers …]]`.

Draws four quarters of answers of the branches and a rival by the generator of the sample study, writes every branch's
page, workbook and manifest and the overview, by one process and by one per core, and prints the seconds of each and the
processor time of all. Without a folder the files are thrown away.
"""

import importlib.util
import os
import re
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import csat
from csat.report import batch

SAMPLE = Path(__file__).parents[1] / "data" / "sample"
BRANCHES, RESPONDENTS, RIVAL = 31, 400, "rival"


def generator() -> ModuleType:
    """The sample's generator, with many branches of two cities each instead of its own three."""
    spec = importlib.util.spec_from_file_location("generate", SAMPLE / "generate.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["generate"] = module
    spec.loader.exec_module(module)
    names = [f"b{number:02d}" for number in range(1, BRANCHES + 1)]
    module.RESPONDENTS = dict.fromkeys((*names, RIVAL), RESPONDENTS)
    brands = module.BRAND_SHARE
    module.BRAND_SHARE = dict.fromkeys(names, brands["gansu"]) | {RIVAL: brands[RIVAL]}
    module.CITY_SHARE = {name: {f"{name}-east": 0.6, f"{name}-west": 0.4} for name in (*names, RIVAL)}
    module.OWN = names[0]
    # Branches differ on the whole index and on some of its parts, by fixed amounts.
    module.SHIFTS = tuple(
        ({"branch": name}, {"quality": (i % 7 - 3) / 12, "P1": (i % 5 - 2) / 8, "satisfaction": (i % 4 - 1) / 20})
        for i, name in enumerate((*names, RIVAL))
    )
    return module


def write_study(folder: Path) -> tuple[Path, Path]:
    """Study file and answers."""
    module = generator()
    module.synthesise().to_csv(folder / "answers.csv", index=False, float_format="%g")
    text = (SAMPLE / "study.toml").read_text(encoding="utf-8")
    for column in ("branch", "city"):
        text = re.sub(rf"\[columns\.{column}\.labels\]\n(?:\S.*\n)+", "", text)
    text = re.sub(r"\[service\b[^\n]*\n(?:\S.*\n)*", "", text)
    text = text.replace('own = "gansu"\n', "").replace('against = ["xian", "rival"]', f'against = ["{RIVAL}"]')
    (folder / "study.toml").write_text(text, encoding="utf-8")
    return folder / "study.toml", folder / "answers.csv"


def timed(seconds: dict[str, tuple[float, float]]) -> None:
    """Take the beginning and the end of every report of a batch."""
    write = batch.write_part

    def watched(job: Any, part: Any, *rest: Any) -> list[Path]:
        start = time.perf_counter()
        made = write(job, part, *rest)
        seconds[part.group] = (start, time.perf_counter())
        return made

    batch.write_part = watched


def processor() -> float:
    """Seconds of processor time of this process and of those that it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measured(study: Path, data: Path, folder: Path, workers: int, seconds: dict[str, tuple[float, float]]) -> float:
    """Write all reports, print what they took, and return the seconds that a further one adds to the batch."""
    seconds.clear()
    before, start = processor(), time.perf_counter()
    made = csat.write_report(study, data, folder, lang="zh", by="branch", workers=workers, progress=False)
    wall, used = time.perf_counter() - start, processor() - before
    first, *rest = sorted(seconds.values(), key=lambda times: times[1])
    each = [end - begin for begin, end in rest[workers - 1 :]]
    added = (rest[-1][1] - first[1]) / len(rest)
    print(f"workers: {workers}. {len(seconds)} reports and the overview, {len(made)} files: {wall:.1f} s")
    print(f"  until the first is there {first[1] - start:.1f} s, then one every {added:.2f} s")
    print(f"  a further report takes {statistics.median(each):.2f} s (median), {max(each):.2f} s at most")
    print(f"  processor time per report {used / len(seconds):.2f} s")
    return added


def main(place: Path, counts: list[int]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    study, data = write_study(place)
    seconds: dict[str, tuple[float, float]] = {}
    timed(seconds)
    added = {count: measured(study, data, place / f"reports-{count}", count, seconds) for count in counts}
    one, *more = counts
    for count in more:
        print(f"{count} workers to {one}: {added[count] / added[one]:.2f} of the seconds per further report")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(
            Path(sys.argv[1] if len(sys.argv) > 1 else scratch),
            list(map(int, sys.argv[2:])) or [1, os.cpu_count() or 1],
        )
