"""What moves satisfaction: regression, selection, relative importance, maps of what to do first; all from moments."""

from csat.drivers.categories.categorical_result import CategoricalRegression
from csat.drivers.diagnostics.diagnosis import Diagnosis, diagnose
from csat.drivers.linear.regression import regress
from csat.drivers.linear.result import Regression
from csat.drivers.maps.asymmetry import reward_penalty
from csat.drivers.maps.contrasts import Asymmetry
from csat.drivers.maps.ipa import ipa
from csat.drivers.maps.maps import Ipa
from csat.drivers.relative.importance import importance
from csat.drivers.relative.ranking import Differences, Importance
from csat.drivers.selection.stability import Stability
from csat.drivers.selection.stepwise import Stepwise, stepwise
from csat.drivers.selection.subsets import Subsets, best_subsets
from csat.drivers.terms import Factor

__all__ = [
    "Asymmetry",
    "CategoricalRegression",
    "Diagnosis",
    "Differences",
    "Factor",
    "Importance",
    "Ipa",
    "Regression",
    "Stability",
    "Stepwise",
    "Subsets",
    "best_subsets",
    "diagnose",
    "importance",
    "ipa",
    "regress",
    "reward_penalty",
    "stepwise",
]
