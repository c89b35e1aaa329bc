"""What the numbers remember: small additive summaries of the answers.

`Moments` are weighted sums of products, `Levels` weighted counts of answers, `Groups` the moments of
each (domain, stratum, primary sampling unit). All of them add: the summary of two files is the sum of
their summaries. Every method of csat is a pure function of these; a `Source` is whatever can give them.
"""

from csat.moments.answers import AnswerSums, answer_sums
from csat.moments.arrow import SCHEMA, StoredError, cells_of, cells_table
from csat.moments.groups import Groups, Residuals
from csat.moments.guards import (
    as_names,
    as_variables,
    check_grouped,
    check_size,
    group_names,
    joint_fits,
    one_name,
    shown,
)
from csat.moments.merging import merge
from csat.moments.patterns import Patterns, PatternSource, join_patterns
from csat.moments.rollup import joined_units, rolled
from csat.moments.source import (
    Quadratic,
    RowScores,
    RowSource,
    Source,
    TableSource,
    UnitSource,
    from_covariance,
    source_of,
)
from csat.moments.stored import SUMMARY
from csat.moments.summaries import Levels, Moments
from csat.moments.summary import Summary, load_summary
from csat.moments.variables import RULES, Product, Recode, Variable, columns_of, first_moments, term_of
from csat.moments.weighed import Everywhere, WeightScores

__all__ = [
    "RULES",
    "SCHEMA",
    "SUMMARY",
    "AnswerSums",
    "Everywhere",
    "Groups",
    "Levels",
    "Moments",
    "PatternSource",
    "Patterns",
    "Product",
    "Quadratic",
    "Recode",
    "Residuals",
    "RowScores",
    "RowSource",
    "Source",
    "StoredError",
    "Summary",
    "TableSource",
    "UnitSource",
    "Variable",
    "WeightScores",
    "answer_sums",
    "as_names",
    "as_variables",
    "cells_of",
    "cells_table",
    "check_grouped",
    "check_size",
    "columns_of",
    "first_moments",
    "from_covariance",
    "group_names",
    "join_patterns",
    "joined_units",
    "joint_fits",
    "load_summary",
    "merge",
    "one_name",
    "rolled",
    "shown",
    "source_of",
    "term_of",
]
