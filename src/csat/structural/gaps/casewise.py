"""What single respondents with gaps say: their scores, and how much the sums of these vary.

The score of a respondent is the derivative of the own log-likelihood by the means and covariances of the variables
answered; everything robust under missing answers is made of sums of its products (Yuan & Bentler 2000, Sociological
Methodology 30, 165–200).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from csat.moments import Groups, Source
from csat.normal import inverses
from csat.structural.uncertainty.gamma import drawn_singly, on_diagonal
from csat.variance import linearised_scores, method_of, row_squares

#: Numbers held at once for the inverses of rows: 32 MB.
_AT_ONCE = 4_000_000


def _runs(rows: int, width: int) -> Iterator[slice]:
    step = max(_AT_ONCE // max(width, 1), 1)
    return (slice(start, start + step) for start in range(0, rows, step))


@dataclass(frozen=True, slots=True, eq=False)
class PatternScores:
    """Scores of a row z = [1, m, m·y] of one group, m = 1 where answered.

    mu : (p,) means around the midpoints. sigma : (p, p).
    onto : (q, r) what is made of the q = p + p(p+1)/2 derivatives by means and the lower triangle of Σ, row by row.
    needed : (p,) variables that a row has to answer to count.
    """

    mu: np.ndarray
    sigma: np.ndarray
    onto: np.ndarray
    needed: np.ndarray

    @property
    def size(self) -> int:
        """Scores of a row, r."""
        return self.onto.shape[1]

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, r) scores of rows z (n, 1 + 2p); zero for rows that do not count."""
        p = len(self.mu)
        answered = z[:, 1 : 1 + p] > 0
        apart = np.where(answered, z[:, 1 + p :] - self.mu, 0.0)
        distinct, where = np.unique(answered, axis=0, return_inverse=True)
        inverse = inverses(distinct, self.sigma)
        out = np.empty((len(z), self.size))
        for part in _runs(len(z), p * p):
            out[part] = self._scores(inverse[where.ravel()[part]], apart[part])
        out[~answered[:, self.needed].all(axis=1)] = 0.0
        return out

    def _scores(self, inverse: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """With e = Kd: e by the means, ½(eeᵀ − K) by Σ."""
        i, j = np.tril_indices(len(self.mu))
        turned = np.squeeze(inverse @ apart[:, :, None], -1)
        products = (turned[:, i] * turned[:, j] - inverse[:, i, j]) * np.where(i == j, 0.5, 1.0)
        return np.hstack([turned, products]) @ self.onto


@dataclass(frozen=True, slots=True, eq=False)
class ScoreCovariance:
    """Covariance of the sums of scores over the respondents of each of G groups, divided by n.

    joint : (G, r, G, r). method : how it was made, for `Provenance.variance`.
    """

    joint: np.ndarray
    method: str

    @property
    def total(self) -> np.ndarray:
        """(r, r) of the sums over all groups."""
        return np.asarray(self.joint.sum(axis=(0, 2)))


def score_covariance(
    source: Source, groups: Groups, scores: Mapping[tuple[str, ...], PatternScores], n: float, weight: float
) -> ScoreCovariance:
    """How much the sums of scores vary, as the design says.

    Parameters
    ----------
    source : with rows. groups : under "available", for the design.
    scores : of the rows of every group. n, weight : respondents that count, and the sum of their weights.

    Returns
    -------
    ScoreCovariance
        Respondents drawn one by one: Σ w²·ssᵀ around zero, as for complete answers (see `moment_covariance`); else
        from strata, sampling units or replicate weights.
    """
    if drawn_singly(groups):
        joint, method = on_diagonal(row_squares(source, groups, scores)), "respondents"
    else:
        joint, method = linearised_scores(source, groups, scores), method_of(groups)
    return ScoreCovariance(joint * (n / weight**2), method)
