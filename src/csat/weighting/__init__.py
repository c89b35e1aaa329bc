"""Weights that make a sample match its population: raking, post-stratification, calibration, trimming.

A calibrated weight is the design weight times a factor that depends only on a respondent's categories. So the
arithmetic runs on cells (combinations of categories that occur), whatever the number of respondents.
`residual_scores` is what calibration does to the scores of single rows; `csat.residuals` does it from sums.
"""

from csat.weighting.calibrate import METHODS, Method, calibrate_weights
from csat.weighting.residuals import auxiliaries, residual_scores
from csat.weighting.result import Weights
from csat.weighting.targets import Margin, Targets, read_targets
from csat.weighting.trim import Trim, trim_weights

__all__ = [
    "METHODS",
    "Margin",
    "Method",
    "Targets",
    "Trim",
    "Weights",
    "auxiliaries",
    "calibrate_weights",
    "read_targets",
    "residual_scores",
    "trim_weights",
]
