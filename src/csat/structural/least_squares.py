"""What a least squares fit says of its uncertainty and its fit: generalised (GLS) and unweighted (ULS)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.structural.baseline import fitted_baseline
from csat.structural.engine.discrepancy import DiagonalLeastSquares, LeastSquares, Sample
from csat.structural.engine.structure import State
from csat.structural.measures import Length, Statistic, free_parameters, in_metric, unweighted

#: How `Provenance.variance` calls the standard errors.
WORDS = {"GLS": "normal theory", "ULS": "all sample moments as if independent and equally precise"}


def least_squares(estimator: str, samples: tuple[Sample, ...]) -> LeastSquares:
    """The fit function of "GLS" or "ULS"."""
    metrics = (np.linalg.inv(s.cov) if estimator == "GLS" else np.eye(s.cov.shape[-1]) for s in samples)
    return LeastSquares(samples, tuple(metrics))


def least_squares_statistic(
    estimator: str, state: State, discrepancy: LeastSquares, samples: Sequence[Sample], scale: float
) -> Statistic:
    """χ² at the estimates, and of the baseline, which is fitted in the same way.

    Under "ULS" neither has the distribution of a χ²; fit indices are made of them all the same.
    """
    null = fitted_baseline(state.layout, samples, discrepancy)
    chisq, baseline = (scale * float(discrepancy.value(at)) for at in (state, null))
    df, null_df = (at.layout.known - free_parameters(at.layout) for at in (state, null))
    return Statistic(chisq, df, baseline, null_df, tested=estimator != "ULS")


def least_squares_information(estimator: str, state: State, discrepancy: LeastSquares) -> np.ndarray:
    """(k, k) twice the information per respondent that standard errors come from.

    Notes
    -----
    Under "GLS" that of normal theory. Under "ULS" the weights themselves stand for the precision of the sample moments,
    each variance and each covariance once, as lavaan has it by default: such standard errors change with the units of
    the variables and are no basis for tests.
    """
    if estimator != "ULS":
        return discrepancy.curvature(state)
    shares = [(sample, float(sample.share)) for sample in discrepancy.samples]
    weights = tuple(np.full(sample.cov.shape, share) for sample, share in shares)
    of_means = tuple(np.full(len(sample.cov), share) for sample, share in shares)
    return DiagonalLeastSquares(discrepancy.samples, weights, of_means).curvature(state)


def lengths_of(discrepancy: LeastSquares, estimator: str) -> list[Length]:
    """(G,) how GFI measures the moments of each group."""
    return [unweighted if estimator == "ULS" else in_metric(metric) for metric in discrepancy.metrics]
