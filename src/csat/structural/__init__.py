"""Structural equation models on moments: maximum likelihood and least squares, groups, means, equations.

The estimator is csat's own; semopy can be asked for a second opinion. Definitions follow lavaan
(Rosseel 2012, Journal of Statistical Software 48(2)).
"""

from csat.structural.comparing.comparison import Comparison, compare_models
from csat.structural.comparing.equality import EqualityTests, equality_tests
from csat.structural.comparing.invariance import Invariance, invariance
from csat.structural.comparing.latent_means import LatentMeans
from csat.structural.comparing.modification import Modifications, modification_indices
from csat.structural.effects import Effects
from csat.structural.estimate import sem
from csat.structural.exploratory.efa import efa
from csat.structural.exploratory.factors import Efa
from csat.structural.exploratory.suitability import FactorNumber, number_of_factors
from csat.structural.factor_scores import FactorScores, factor_scores
from csat.structural.measures import Measures
from csat.structural.ordered.correlations import Polychoric, polychoric
from csat.structural.result import Sem

__all__ = [
    "Comparison",
    "Efa",
    "Effects",
    "EqualityTests",
    "FactorNumber",
    "FactorScores",
    "Invariance",
    "LatentMeans",
    "Measures",
    "Modifications",
    "Polychoric",
    "Sem",
    "compare_models",
    "efa",
    "equality_tests",
    "factor_scores",
    "invariance",
    "modification_indices",
    "number_of_factors",
    "polychoric",
    "sem",
]
