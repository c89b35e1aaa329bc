"""What moves satisfaction: regression, selection, relative importance, maps of what to do first; all from moments."""

from csat.drivers.asymmetry import reward_penalty
from csat.drivers.categorical_result import CategoricalRegression
from csat.drivers.contrasts import Asymmetry
from csat.drivers.diagnosis import Diagnosis, diagnose
from csat.drivers.importance import importance
from csat.drivers.ipa import ipa
from csat.drivers.maps import Ipa
from csat.drivers.ranking import Differences, Importance
from csat.drivers.regression import regress
from csat.drivers.result import Regression
from csat.drivers.stability import Stability
from csat.drivers.stepwise import Stepwise, stepwise
from csat.drivers.subsets import Subsets, best_subsets
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
