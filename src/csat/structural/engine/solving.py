"""From a model, its moments and a start to the optimum, or to an error in words."""

from __future__ import annotations

import numpy as np

from csat.errors import ConvergenceError, ModelError
from csat.structural.engine.checks import check_consistent, check_identified, plainly_identified, proper
from csat.structural.engine.discrepancy import DiagonalLeastSquares, Discrepancy, MaximumLikelihood
from csat.structural.engine.fit import TOLERANCE, Optimum, minimise
from csat.structural.engine.structure import Layout, evaluate
from csat.structural.gaps.incomplete import PatternLikelihood
from csat.structural.second import minimise_with_semopy


def estimated(layout: Layout, discrepancy: Discrepancy, start: np.ndarray, engine: str = "csat") -> Optimum:
    """Find the optimum, and make sure that it is the only one nearby.

    Raises
    ------
    ModelError, ModelIdentificationError, ConvergenceError
    """
    begin = evaluate(layout, start)
    # Least squares on single moments have a value anywhere.
    if not isinstance(discrepancy, DiagonalLeastSquares) and not proper(begin):
        raise ModelError(
            "The starting values imply a covariance matrix that is not positive definite. "
            "Change the values given with start(…)*, or fixed variances and covariances that contradict each other."
        )
    if engine == "semopy" and isinstance(discrepancy, MaximumLikelihood):
        check_identified(begin, discrepancy, generic=True)
        return minimise_with_semopy(layout, discrepancy, start)
    with np.errstate(all="ignore"):
        optimum = minimise(layout, discrepancy, start)
    converged = bool(optimum.converged)
    if converged and plainly_identified(optimum.state, discrepancy):
        return optimum
    if not converged:
        check_consistent(layout, optimum.theta, start)
    check_identified(begin, discrepancy, generic=True)
    if not converged:
        likely = isinstance(discrepancy, MaximumLikelihood | PatternLikelihood)
        what = "Maximum likelihood" if likely else "Least squares"
        worst = layout.names[int(np.argmax(np.abs(optimum.gradient)))]
        raise ConvergenceError.stopped(what, optimum.iterations, float(optimum.worst), TOLERANCE, worst)
    check_identified(optimum.state, discrepancy, generic=False)
    return optimum
