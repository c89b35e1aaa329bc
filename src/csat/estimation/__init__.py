"""Plain survey estimates by group, with their design: means, shares, quantiles, spreads, tests between groups."""

from csat.estimation.answers import answers_of
from csat.estimation.crosstabs import Crosstab, crosstab
from csat.estimation.differences import Difference, difference
from csat.estimation.means import mean, ratio, total
from csat.estimation.quantiles import quantile
from csat.estimation.ranks import ranktest
from csat.estimation.shares import box, nps, share
from csat.estimation.spreads import sd, var

__all__ = [
    "Crosstab",
    "Difference",
    "answers_of",
    "box",
    "crosstab",
    "difference",
    "mean",
    "nps",
    "quantile",
    "ranktest",
    "ratio",
    "sd",
    "share",
    "total",
    "var",
]
