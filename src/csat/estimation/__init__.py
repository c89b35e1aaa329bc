"""Plain survey estimates by group, with their design: means, shares, quantiles, spreads, tests between groups."""

from csat.estimation.answers import answers_of
from csat.estimation.means import mean, ratio, total
from csat.estimation.shares import nps, share

__all__ = ["answers_of", "mean", "nps", "ratio", "share", "total"]
