"""Fuzzy comprehensive evaluation: how far customers belong to each grade, the verdict, and the weights behind it."""

from csat.fuzzy.ahp import Ahp, ahp
from csat.fuzzy.combine import combine_weights
from csat.fuzzy.compare import WeightComparison, compare_weights
from csat.fuzzy.evaluate import evaluate
from csat.fuzzy.operators import OPERATORS
from csat.fuzzy.result import Evaluation
from csat.fuzzy.weighing import factor_weights
from csat.fuzzy.weights import FactorWeights

__all__ = [
    "OPERATORS",
    "Ahp",
    "Evaluation",
    "FactorWeights",
    "WeightComparison",
    "ahp",
    "combine_weights",
    "compare_weights",
    "evaluate",
    "factor_weights",
]
