"""Answers in a Spark frame: the executors sum, only sums reach the driver."""

from csat.spark.faults import SparkError
from csat.spark.frame import is_spark
from csat.spark.session import session
from csat.spark.source import SparkSource, opened_spark

__all__ = ["SparkError", "SparkSource", "is_spark", "opened_spark", "session"]
