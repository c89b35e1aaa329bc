"""Reliability of scales: internal consistency, omega, AVE and discriminant validity, with design-based errors."""

from csat.errors import ReversedItemWarning
from csat.measurement.analysis import reliability
from csat.measurement.doubts import FactorModelWarning, ImproperFactorsWarning
from csat.measurement.result import LIMITS, Reliability

__all__ = [
    "LIMITS",
    "FactorModelWarning",
    "ImproperFactorsWarning",
    "Reliability",
    "ReversedItemWarning",
    "reliability",
]
