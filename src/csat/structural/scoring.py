"""How answers become scores of constructs: weights, standard errors and determinacy, without any row.

A pattern of answered variables has weights of its own, so that gaps need no filling in. Sources: Lawley & Maxwell
(1971), Factor Analysis as a Statistical Method, ch. 8; Grice (2001), Psychological Methods 6(4), 430–450.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from csat.structural.engine.structure import Point, State

#: How much of a construct's own score must come through for it to be known from the answers that are there.
_KNOWN = 1.0 - 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One group at the estimates: implied moments, and the matrices A and P behind them."""

    point: Point
    directed: np.ndarray
    symmetric: np.ndarray


def parts_of(state: State) -> tuple[Part, ...]:
    """(G,) groups of a fitted model."""
    return tuple(Part(point, *point.structure.matrices(state.theta)[:2]) for point in state.points)


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """How the deviations of u answered variables from their means make q scores.

    matrix : (q, u) NaN in the rows of constructs that these answers tell nothing about.
    error : (q,) standard error of a score, in the unit of the construct.
    determinacy : (q,) correlation between score and construct.
    """

    matrix: np.ndarray
    error: np.ndarray
    determinacy: np.ndarray


def regression_weights(part: Part, answered: np.ndarray) -> Weights:
    """Weights of the expected construct given the answers: least error, shrunk towards the mean.

    Parameters
    ----------
    part : a group at the estimates. answered : (p,) which observed variables.
    """
    point, p = part.point, part.point.structure.p
    sigma = point.sigma[np.ix_(answered, answered)]
    across = point.total[p:, :p][:, answered]
    matrix = np.linalg.solve(sigma, across.T).T
    left = np.diag(point.total[p:, p:]) - np.sum(matrix * across, axis=1)
    return Weights(matrix, _root(left), _determinacy(point, matrix, answered))


def bartlett_weights(part: Part, answered: np.ndarray) -> Weights:
    """Weights of the construct that makes the answers of its indicators most likely: unbiased, not shrunk.

    Only indicators (``=~``) count, given the other observed variables. A construct without an answered indicator of
    its own, as one of the second order, has no such score.

    Source: Bartlett (1937), British Journal of Psychology 28, 97–104.
    """
    equations, loading, noise = _measurement(part, answered)
    point, p = part.point, part.point.structure.p
    # Any covariance of the constructs may be added to that of the errors: it makes room for items free of error.
    latent = point.total[p:, p:]
    spread = noise + loading @ latent @ loading.T
    half = np.linalg.solve(spread, loading).T
    inverse = np.linalg.pinv(half @ loading, rcond=1e-10, hermitian=True)
    known = np.diag(inverse @ (half @ loading)) > _KNOWN
    matrix = np.where(known[:, None], inverse @ half @ equations, np.nan)
    error = np.where(known, np.diag(inverse) - np.diag(latent), np.nan)
    return Weights(matrix, _root(error), _determinacy(point, matrix, answered))


METHODS: dict[str, Callable[[Part, np.ndarray], Weights]] = {
    "regression": regression_weights,
    "bartlett": bartlett_weights,
}


def _measurement(part: Part, answered: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Equations of the i answered indicators: how deviations make their right sides (i, u), loadings, errors.

    An indicator that other observed variables explain too counts if those were answered.
    """
    structure = part.point.structure
    p = structure.p
    measured = structure.cells[[row.op == "=~" for row in structure.rows], 1]
    indicator = np.isin(np.arange(p), measured)
    causes = part.directed[:p, :p] != 0
    usable = indicator & answered & ~(causes & ~answered).any(axis=1)
    equations = (np.eye(p) - part.directed[:p, :p])[np.ix_(usable, answered)]
    return equations, part.directed[:p, p:][usable], part.symmetric[:p, :p][np.ix_(usable, usable)]


def _determinacy(point: Point, matrix: np.ndarray, answered: np.ndarray) -> np.ndarray:
    """(q,) correlation of each score with its construct."""
    p = point.structure.p
    across = np.sum(matrix * point.total[p:, :p][:, answered], axis=1)
    spread = np.sum((matrix @ point.sigma[np.ix_(answered, answered)]) * matrix, axis=1)
    product = spread * np.diag(point.total[p:, p:])
    return np.divide(across, _root(product), out=np.full(len(across), np.nan), where=product > 0)


def _root(x: np.ndarray) -> np.ndarray:
    """Square roots; NaN below 0, as where a variance was estimated negative."""
    return np.sqrt(np.where(x >= 0, x, np.where(x > -1e-12, 0.0, np.nan)))
