"""What moves satisfaction: regression, stepwise selection and relative importance, all from moments."""

from csat.drivers.importance import Importance, importance
from csat.drivers.regression import Regression, regress
from csat.drivers.stepwise import Stepwise, stepwise

__all__ = ["Importance", "Regression", "Stepwise", "importance", "regress", "stepwise"]
