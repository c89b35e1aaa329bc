"""Any smooth function of weighted totals, with its covariance: overlapping groups, mixes, changes.

A total is a sum over respondents, so a function of totals is linearised by its Jacobian: the score of a
respondent is J·z. Groups may overlap (a branch and its company), since all scores are summed as one sample.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from csat.moments import Groups, first_moments
from csat.replicates import Statistic
from csat.variance import Means, degrees_of_freedom, joint_totals_covariance, mean_scores, pairwise_spread


def union_means(groups: Groups, unions: Sequence[Collection[int]]) -> Means:
    """Means of unions of domains, which may share respondents, with their joint covariance.

    Parameters
    ----------
    groups : in D domains.
    unions : (U,) each the positions of the domains that it is made of.

    Returns
    -------
    Means
        As `csat.variance.means`, with U in the place of D.
    """
    k = len(groups.names)
    member = np.zeros((len(unions), len(groups.domains)))
    for row, union in enumerate(unions):
        member[row, list(union)] = 1.0
    gram = np.tensordot(member, groups.over_domains(groups.gram), axes=1)
    answered, total = first_moments(gram, k, groups.rule)
    positive = answered > 0
    base = np.where(positive, answered, 1.0)
    centred = total / base
    scores = mean_scores(centred, positive / base, groups.rule)
    jacobian = (member.T[:, :, None, None] * scores[None]).reshape(len(groups.domains), -1, scores.shape[2])
    size = len(unions)

    def again(totals: np.ndarray) -> np.ndarray:
        joined = np.tensordot(totals.swapaxes(-1, -2), member, axes=(-1, 1)).swapaxes(-1, -2)
        weights, sums = first_moments(joined[..., None, :], k, groups.rule)
        means = np.where(positive, sums / weights, 0.0)
        return means.reshape(*means.shape[:-2], size * k)

    return Means(
        mean=np.where(positive, groups.midpoint + centred, np.nan),
        vcov=joint_totals_covariance(groups, jacobian, again).reshape(size, k, size, k),
        spread=pairwise_spread(gram, centred, groups.rule),
        n=(member @ groups.over_domains(groups.counts)).astype(int),
        df=degrees_of_freedom(groups, member),
    )


def jacobian_of(statistic: Statistic, totals: np.ndarray) -> np.ndarray:
    """Exact derivatives of a statistic of the domain totals, by complex steps.

    Parameters
    ----------
    statistic : maps (B, D, p) complex arrays to (B, q); built of analytic operations only.
    totals : (D, p).

    Returns
    -------
    (D, q, p) array
    """
    size = totals.size
    step = 1e-20 * np.maximum(np.abs(totals).max(), 1.0)
    moved = np.repeat(totals[None].astype(complex), size, axis=0).reshape(size, size)
    moved[np.arange(size), np.arange(size)] += 1j * step
    slopes = statistic(moved.reshape(size, *totals.shape)).imag / step
    return slopes.reshape(*totals.shape, -1).transpose(0, 2, 1)
