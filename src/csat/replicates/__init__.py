"""Replicate weights, given or made: any figure's covariance from computing it on every replicate at once.

A replicate is the sample with other weights. Sums of products are linear in the weights, so R replicates of a
summary are one matrix product, and a figure on a stack of R summaries is one batched computation.
"""

from csat.replicates.covariance import (
    Scaling,
    Statistic,
    given_scaling,
    joint_covariance,
    psu_factors,
    replicate_covariance,
    replicate_sums,
    scaling_of,
    score_covariance,
    within_covariance,
)
from csat.replicates.hadamard import hadamard
from csat.replicates.hashing import row_hash, unit_of_row
from csat.replicates.made import Sampled, made_scaling, sampled_units, unit_factors

__all__ = [
    "Sampled",
    "Scaling",
    "Statistic",
    "given_scaling",
    "hadamard",
    "joint_covariance",
    "made_scaling",
    "psu_factors",
    "replicate_covariance",
    "replicate_sums",
    "row_hash",
    "sampled_units",
    "scaling_of",
    "score_covariance",
    "unit_factors",
    "unit_of_row",
    "within_covariance",
]
