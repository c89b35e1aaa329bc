"""csat: customer-satisfaction survey analytics.

A survey is reduced once, to small additive summaries; every method is a pure function of those summaries;
pages are made from results.

>>> import csat
>>> g = csat.from_covariance([[1.0, 0.6], [0.6, 1.0]], n=250, names=["quality", "overall"])
>>> round(csat.regress(g, outcome="overall", drivers=["quality"], se="classical").r2, 2)
0.36
"""

from __future__ import annotations

from csat.comparisons import Gaps, Letters, contributions, expectation_gaps, gaps, letters
from csat.design import Design
from csat.drivers import Importance, Regression, Stepwise, importance, regress, stepwise
from csat.errors import CsatError, CsatWarning
from csat.estimation import mean, nps, ratio, share, total
from csat.fuzzy import Evaluation, evaluate
from csat.indices import Index, index
from csat.model import Model
from csat.moments import Groups, Levels, Moments, Recode, Source, from_covariance
from csat.published import check_composites, check_ranks
from csat.questionnaire import Questionnaire, read_questionnaire
from csat.read import Ledger
from csat.report import plot, table, write_report
from csat.results import Estimates, Test, Unavailable
from csat.shrinkage import Shrunken, shrink
from csat.structural import Sem, sem
from csat.survey import Survey, read_survey
from csat.trends import ChangeSplit, Trend, split_change, trend
from csat.version import __version__

__all__ = [
    "ChangeSplit",
    "CsatError",
    "CsatWarning",
    "Design",
    "Estimates",
    "Evaluation",
    "Gaps",
    "Groups",
    "Importance",
    "Index",
    "Ledger",
    "Letters",
    "Levels",
    "Model",
    "Moments",
    "Questionnaire",
    "Recode",
    "Regression",
    "Sem",
    "Shrunken",
    "Source",
    "Stepwise",
    "Survey",
    "Test",
    "Trend",
    "Unavailable",
    "__version__",
    "check_composites",
    "check_ranks",
    "contributions",
    "evaluate",
    "expectation_gaps",
    "from_covariance",
    "gaps",
    "importance",
    "index",
    "letters",
    "mean",
    "nps",
    "plot",
    "ratio",
    "read_questionnaire",
    "read_survey",
    "regress",
    "sem",
    "share",
    "shrink",
    "split_change",
    "stepwise",
    "table",
    "total",
    "trend",
    "write_report",
]
