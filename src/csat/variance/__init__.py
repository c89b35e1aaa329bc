"""How sure a figure is: from `Groups` and any smooth statistic to its design-based covariance.

Taylor linearisation unless the design declares replicate weights: a figure is written as a sum of scores over
respondents, and the covariance of that sum follows from the design (strata, units drawn within them, finite
population correction). Replicate weights compute the figure anew with each of them.
References: Binder (1983), Int. Stat. Review 51, 279–292; Lumley (2010), Complex Surveys, ch. 2.
The numerics return plain arrays; `by_domain` names them.
"""

from csat.variance.blocks import domain_covariance
from csat.variance.means import (
    Combined,
    Described,
    Means,
    by_domain,
    combine,
    combined_means,
    describe,
    estimated_means,
    mean_scores,
    means,
    pairwise_spread,
)
from csat.variance.sampling import degrees_of_freedom, method_of, stratified
from csat.variance.smooth import (
    Scores,
    gradient,
    joint_totals_covariance,
    linearised,
    linearised_scores,
    quadratic,
    row_squares,
    score_sums,
    totals_covariance,
)

__all__ = [
    "Combined",
    "Described",
    "Means",
    "Scores",
    "by_domain",
    "combine",
    "combined_means",
    "degrees_of_freedom",
    "describe",
    "domain_covariance",
    "estimated_means",
    "gradient",
    "joint_totals_covariance",
    "linearised",
    "linearised_scores",
    "mean_scores",
    "means",
    "method_of",
    "pairwise_spread",
    "quadratic",
    "row_squares",
    "score_sums",
    "stratified",
    "totals_covariance",
]
