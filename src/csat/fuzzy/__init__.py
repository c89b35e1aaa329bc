"""Fuzzy comprehensive evaluation: how far customers belong to each grade, and the verdict."""

from csat.fuzzy.evaluate import Evaluation, evaluate
from csat.fuzzy.operators import OPERATORS

__all__ = ["OPERATORS", "Evaluation", "evaluate"]
