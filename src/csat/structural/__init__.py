"""Structural equation models on moments: maximum likelihood and least squares, groups, means, equations.

The estimator is csat's own; semopy can be asked for a second opinion. Definitions follow lavaan
(Rosseel 2012, Journal of Statistical Software 48(2)).
"""

from csat.structural.comparison import Comparison, compare_models
from csat.structural.correlations import Polychoric, polychoric
from csat.structural.estimate import sem
from csat.structural.measures import Measures
from csat.structural.result import Sem

__all__ = ["Comparison", "Measures", "Polychoric", "Sem", "compare_models", "polychoric", "sem"]
