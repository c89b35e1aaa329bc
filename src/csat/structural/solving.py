"""From a model, its moments and a start to the optimum, or to an error in words."""

from __future__ import annotations

import numpy as np

from csat.errors import ConvergenceError, ModelError
from csat.structural.checks import check_identified, proper
from csat.structural.discrepancy import DiagonalLeastSquares, Discrepancy, MaximumLikelihood
from csat.structural.fit import TOLERANCE, Optimum, minimise
from csat.structural.incomplete import PatternLikelihood
from csat.structural.second import minimise_with_semopy
from csat.structural.structure import Layout, evaluate


def estimated(layout: Layout, discrepancy: Discrepancy, start: np.ndarray, engine: str = "csat") -> Optimum:
    """Find the optimum, after checks that there is one.

    Raises
    ------
    ModelError, ModelIdentificationError, ConvergenceError
    """
    # Least squares on single moments have a value anywhere.
    if not isinstance(discrepancy, DiagonalLeastSquares) and not proper(evaluate(layout, start)):
        raise ModelError(
            "The starting values imply a covariance matrix that is not positive definite. "
            "Change the values given with start(…)*, or fixed variances and covariances that contradict each other."
        )
    check_identified(layout, discrepancy, start, generic=True)
    if engine == "semopy" and isinstance(discrepancy, MaximumLikelihood):
        return minimise_with_semopy(layout, discrepancy, start)
    with np.errstate(all="ignore"):
        optimum = minimise(layout, discrepancy, start)
    if not bool(optimum.converged):
        likely = isinstance(discrepancy, MaximumLikelihood | PatternLikelihood)
        what = "Maximum likelihood" if likely else "Least squares"
        worst = layout.names[int(np.argmax(np.abs(optimum.gradient)))]
        raise ConvergenceError.stopped(what, optimum.iterations, float(optimum.worst), TOLERANCE, worst)
    check_identified(layout, discrepancy, optimum.theta, generic=False)
    return optimum
