"""A session for csat, with errors that say what is missing before Java does."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from typing import Any

from csat.errors import MissingDependencyError
from csat.spark.faults import no_java, worded


def session(master: str = "local[*]", config: Mapping[str, str] | None = None) -> Any:
    """A Spark session, the running one if there is one; any session of your own serves just as well.

    Parameters
    ----------
    master : address of the cluster, ``"spark://host:7077"``, or ``"local[*]"``.
    config : further settings of Spark.

    Returns
    -------
    pyspark.sql.SparkSession

    Raises
    ------
    MissingDependencyError
        If pyspark or Java is not installed.
    SparkError
        If the session cannot be started.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise MissingDependencyError.extra("pyspark", "spark", "A Spark session") from None  # noqa: S610
    if not has_java():
        raise no_java()
    if master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.master(master).appName("csat")
    for key, value in (config or {}).items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except Exception as error:  # noqa: BLE001 - errors of Java and of pyspark share no base
        raise worded(master, error) from None


def has_java() -> bool:
    """Whether there is a Java that Spark would find."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=None if home is None else os.path.join(home, "bin")) is not None  # noqa: PTH118
