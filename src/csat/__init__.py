"""csat: customer-satisfaction survey analytics.

A survey is reduced once, to small additive summaries; every method is a pure function of those summaries;
pages are made from results.

>>> import csat
>>> g = csat.from_covariance([[1.0, 0.6], [0.6, 1.0]], n=250, names=["quality", "overall"])
>>> round(csat.regress(g, outcome="overall", drivers=["quality"], se="classical").r2, 2)
0.36
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from csat.errors import closest
from csat.version import __version__

if TYPE_CHECKING:
    from csat.agreement import Agreement, compare
    from csat.bases import Bases
    from csat.comparisons import Gaps, Letters, contributions, expectation_gaps, gaps, letters
    from csat.composites import (
        Ipma,
        Micom,
        Pls,
        PlsDifferences,
        Prediction,
        Segments,
        Slopes,
        micom,
        pls,
        pls_differences,
        pls_predict,
        pls_segments,
        pls_slopes,
    )
    from csat.design import Design, Replication
    from csat.drivers import (
        Asymmetry,
        CategoricalRegression,
        Diagnosis,
        Differences,
        Factor,
        Importance,
        Ipa,
        Regression,
        Stability,
        Stepwise,
        Subsets,
        best_subsets,
        diagnose,
        importance,
        ipa,
        regress,
        reward_penalty,
        stepwise,
    )
    from csat.errors import CsatError, CsatWarning
    from csat.estimation import (
        Crosstab,
        Difference,
        box,
        crosstab,
        difference,
        mean,
        nps,
        quantile,
        ranktest,
        ratio,
        sd,
        share,
        total,
        var,
    )
    from csat.fuzzy import (
        Ahp,
        Evaluation,
        FactorWeights,
        WeightComparison,
        ahp,
        combine_weights,
        compare_weights,
        evaluate,
        factor_weights,
    )
    from csat.indices import Index, index
    from csat.measurement import Reliability, reliability
    from csat.model import Model
    from csat.moments import Groups, Levels, Moments, Recode, Source, Summary, from_covariance, load_summary
    from csat.planning import SampleSize, detectable_gap, sample_size
    from csat.published import check_composites, check_ranks
    from csat.questionnaire import Questionnaire, read_questionnaire, write_codebook
    from csat.read import Ledger, questionnaire_from_sav
    from csat.report import plot, table, write_report
    from csat.results import Estimates, Test, Unavailable
    from csat.service import (
        Audits,
        BeforeAfter,
        ComplaintChanges,
        Complaints,
        Sla,
        audits,
        before_after,
        complaint_changes,
        complaints,
        sla,
    )
    from csat.shrinkage import Shrunken, shrink
    from csat.streams import Stream
    from csat.structural import (
        Comparison,
        Efa,
        Effects,
        EqualityTests,
        FactorNumber,
        FactorScores,
        Invariance,
        LatentMeans,
        Modifications,
        Polychoric,
        Sem,
        compare_models,
        efa,
        equality_tests,
        factor_scores,
        invariance,
        modification_indices,
        number_of_factors,
        polychoric,
        sem,
    )
    from csat.survey import Survey, calibrate, read_survey, summarise
    from csat.trends import ChangeSplit, Trend, split_change, trend

#: Room of each public name. A room is loaded when one of its names is first used: importing csat costs next to nothing.
_ROOMS: dict[str, str] = {
    "agreement": "Agreement compare",
    "bases": "Bases",
    "comparisons": "Gaps Letters contributions expectation_gaps gaps letters",
    "composites": (
        "Ipma Micom Pls PlsDifferences Prediction Segments Slopes micom pls pls_differences "
        "pls_predict pls_segments pls_slopes"
    ),
    "design": "Design Replication",
    "drivers": (
        "Asymmetry CategoricalRegression Diagnosis Differences Factor Importance Ipa Regression "
        "Stability Stepwise Subsets best_subsets diagnose importance ipa regress reward_penalty "
        "stepwise"
    ),
    "errors": "CsatError CsatWarning",
    "estimation": "Crosstab Difference box crosstab difference mean nps quantile ranktest ratio sd share total var",
    "fuzzy": (
        "Ahp Evaluation FactorWeights WeightComparison ahp combine_weights compare_weights evaluate factor_weights"
    ),
    "indices": "Index index",
    "measurement": "Reliability reliability",
    "model": "Model",
    "moments": "Groups Levels Moments Recode Source Summary from_covariance load_summary",
    "planning": "SampleSize detectable_gap sample_size",
    "published": "check_composites check_ranks",
    "questionnaire": "Questionnaire read_questionnaire write_codebook",
    "read": "Ledger questionnaire_from_sav",
    "report": "plot table write_report",
    "results": "Estimates Test Unavailable",
    "service": (
        "Audits BeforeAfter ComplaintChanges Complaints Sla audits before_after complaint_changes complaints sla"
    ),
    "shrinkage": "Shrunken shrink",
    "streams": "Stream",
    "structural": (
        "Comparison Efa Effects EqualityTests FactorNumber FactorScores Invariance LatentMeans "
        "Modifications Polychoric Sem compare_models efa equality_tests factor_scores invariance "
        "modification_indices number_of_factors polychoric sem"
    ),
    "survey": "Survey calibrate read_survey summarise",
    "trends": "ChangeSplit Trend split_change trend",
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = [
    "Agreement",
    "Ahp",
    "Asymmetry",
    "Audits",
    "Bases",
    "BeforeAfter",
    "CategoricalRegression",
    "ChangeSplit",
    "Comparison",
    "ComplaintChanges",
    "Complaints",
    "Crosstab",
    "CsatError",
    "CsatWarning",
    "Design",
    "Diagnosis",
    "Difference",
    "Differences",
    "Efa",
    "Effects",
    "EqualityTests",
    "Estimates",
    "Evaluation",
    "Factor",
    "FactorNumber",
    "FactorScores",
    "FactorWeights",
    "Gaps",
    "Groups",
    "Importance",
    "Index",
    "Invariance",
    "Ipa",
    "Ipma",
    "LatentMeans",
    "Ledger",
    "Letters",
    "Levels",
    "Micom",
    "Model",
    "Modifications",
    "Moments",
    "Pls",
    "PlsDifferences",
    "Polychoric",
    "Prediction",
    "Questionnaire",
    "Recode",
    "Regression",
    "Reliability",
    "Replication",
    "SampleSize",
    "Segments",
    "Sem",
    "Shrunken",
    "Sla",
    "Slopes",
    "Source",
    "Stability",
    "Stepwise",
    "Stream",
    "Subsets",
    "Summary",
    "Survey",
    "Test",
    "Trend",
    "Unavailable",
    "WeightComparison",
    "__version__",
    "ahp",
    "audits",
    "before_after",
    "best_subsets",
    "box",
    "calibrate",
    "check_composites",
    "check_ranks",
    "combine_weights",
    "compare",
    "compare_models",
    "compare_weights",
    "complaint_changes",
    "complaints",
    "contributions",
    "crosstab",
    "detectable_gap",
    "diagnose",
    "difference",
    "efa",
    "equality_tests",
    "evaluate",
    "expectation_gaps",
    "factor_scores",
    "factor_weights",
    "from_covariance",
    "gaps",
    "importance",
    "index",
    "invariance",
    "ipa",
    "letters",
    "load_summary",
    "mean",
    "micom",
    "modification_indices",
    "nps",
    "number_of_factors",
    "plot",
    "pls",
    "pls_differences",
    "pls_predict",
    "pls_segments",
    "pls_slopes",
    "polychoric",
    "quantile",
    "questionnaire_from_sav",
    "ranktest",
    "ratio",
    "read_questionnaire",
    "read_survey",
    "regress",
    "reliability",
    "reward_penalty",
    "sample_size",
    "sd",
    "sem",
    "share",
    "shrink",
    "sla",
    "split_change",
    "stepwise",
    "summarise",
    "table",
    "total",
    "trend",
    "var",
    "write_codebook",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load the room of a public name, or a room (`csat.report.advice`)."""
    if name in _ROOMS:
        return import_module(f"csat.{name}")
    if name not in _HOME:
        raise AttributeError(f"csat has no {name!r}. Did you mean {closest(name, __all__)}?")
    value = getattr(import_module(f"csat.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Names that completion offers."""
    return sorted({*globals(), *__all__})
