"""Time of `import csat` and of its first table against `import pandas`, in fresh processes, in turn."""

import statistics
import subprocess
import sys
import time

CASES = {
    "import pandas": "import pandas",
    "import csat": "import csat",
    "import csat, read_survey, index, gaps": "import csat; csat.read_survey, csat.index, csat.gaps",
}


def seconds(code: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - start


def main() -> None:
    runs = [{name: seconds(code) for name, code in CASES.items()} for _ in range(15)]
    for name in CASES:
        ratio = statistics.median(run[name] / run["import pandas"] for run in runs)
        print(f"{name:40s} {ratio:5.2f} × import pandas")


if __name__ == "__main__":
    main()
