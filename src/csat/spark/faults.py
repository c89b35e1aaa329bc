"""What can go wrong with Spark, worded."""

from __future__ import annotations

import re

from csat.errors import CsatError, DataError, MissingDependencyError
from csat.questionnaire.decode import LONGEST

#: What csat's kernel needs on every worker.
NEEDED = ("numpy", "pandas", "pyarrow", "scipy", "threadpoolctl")

_MODULE = re.compile(r"(?:No module named '?|cannot import name '[^']*' from '|PACKAGE_NOT_INSTALLED\] )(\w+)")
_PYTHON = re.compile(r"PYTHON_VERSION_MISMATCH|different (?:minor )?versions? .*Python", re.IGNORECASE)
#: The last line of a traceback of Python among the lines of Java.
_ERROR = re.compile(r"(?:\w+\.)*\w+(?:Error|Exception): .+$", re.MULTILINE)


class SparkError(DataError):
    """A Spark frame that cannot be summed where it lies."""

    @classmethod
    def connect(cls) -> SparkError:
        """Word a frame of Spark Connect."""
        return cls(
            "This frame belongs to a session of Spark Connect, which csat cannot hand its code to. Use a session on "
            "the cluster's own driver, SparkSession.builder.master('spark://…'), or write the rows as Parquet and "
            "pass the folder."
        )

    @classmethod
    def python(cls, name: str, words: str) -> SparkError:
        """Word workers with another Python than the driver."""
        return cls(
            f"{name}: the workers run another Python than the driver ({_shortened(words)}). Set PYSPARK_PYTHON to the "
            "same version on every worker."
        )

    @classmethod
    def failed(cls, name: str, words: str) -> SparkError:
        """Word any other failure of a job."""
        lines = _ERROR.findall(words)
        return cls(f"{name}: Spark could not finish the job ({_shortened(lines[-1] if lines else words)}).")

    @classmethod
    def repeated(cls, name: str, column: str, examples: list[str]) -> SparkError:
        """Word interviews that occur twice: rows of a Spark frame have no order that makes one the first."""
        return cls(
            f"{name}: {column!r} should name each interview once, but occurs more than once: {', '.join(examples)}. "
            f"Keep one row of each: frame.dropDuplicates([{column!r}])."
        )


def worker_lacks(name: str, module: str) -> MissingDependencyError:
    """Word a package that is not installed where the executors run."""
    return MissingDependencyError(
        f"{name}: the Python of a Spark worker has no package {module!r}. csat's own code is sent to the workers, but "
        f"they need {', '.join(NEEDED)}: install them on every worker, or send an environment along "
        "(spark.archives with venv-pack or conda-pack) and point PYSPARK_PYTHON at it."
    )


def no_java() -> MissingDependencyError:
    """Word a machine without Java."""
    return MissingDependencyError(
        "Spark needs Java 17 or newer, and there is no 'java' here: install it (Debian: apt install "
        "openjdk-17-jre-headless) or set JAVA_HOME to where it is."
    )


def worded(name: str, error: Exception) -> CsatError:
    """An error of Spark in csat's words."""
    words = str(error)
    module = _MODULE.search(words)
    if module is not None:
        return worker_lacks(name, module[1])
    return SparkError.python(name, words) if _PYTHON.search(words) else SparkError.failed(name, words)


def again(kind: str, words: str) -> CsatError:
    """An error that csat raised on a worker, as the driver would have raised it."""
    known: list[type[CsatError]] = [CsatError]
    for one in known:
        if one.__name__ == kind:
            return one(words)
        known += one.__subclasses__()
    return DataError(words)


def _shortened(words: str) -> str:
    first = words.strip().partition("\n")[0].rstrip(".")
    return first[: 6 * LONGEST]
