"""Comparisons that do not cry wolf: gap tables, expectation gaps, letters, contributions."""

from csat.comparisons.contributions import contributions
from csat.comparisons.gaps import gaps
from csat.comparisons.letters import Letters, letters
from csat.comparisons.paired import expectation_gaps
from csat.comparisons.result import Gaps

__all__ = ["Gaps", "Letters", "contributions", "expectation_gaps", "gaps", "letters"]
