"""Covariance within each domain only, of more domains than one joint covariance has room for.

Domains are taken some at a time, each with the whole design around it, so that memory follows the summary and not its
square. A unit without a respondent in a domain counts as zero there, as in the joint covariance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from csat.moments import Groups, joint_fits
from csat.replicates import Statistic, psu_factors, within_covariance
from csat.results import without_rounding
from csat.variance.calibrated import calibrated_blocks
from csat.variance.gradients import Gradients
from csat.variance.sampling import rounding_base, stratified_within
from csat.variance.smooth import along_totals, totals_covariance
from csat.within import Covariance, WithinGroups

#: Numbers in the work space of a part: (C, q, p) gradients of its cells, (R, D, p) replicates of its totals.
WORK = 2**21


def parts_of(groups: Groups, figures: int, replicates: int = 0) -> Iterator[tuple[slice, Groups]]:
    """Some domains after the other, each part a summary of its own with the whole design.

    Parameters
    ----------
    groups : in D domains. figures : of each domain. replicates : R, 0 under linearisation.

    Yields
    ------
    positions of the part's domains; the part, its cells in the order of its domains
    """
    cells = np.bincount(groups.domain, minlength=len(groups.domains))
    room = (cells * figures + replicates) * groups.gram.shape[2]
    part = np.cumsum(room) // WORK
    edges = np.flatnonzero(np.diff(part, prepend=-1, append=-1)).tolist()
    order = np.argsort(groups.domain, kind="stable")
    inner = None if groups.second is None else np.argsort(groups.second.domain, kind="stable")
    for first, last in pairwise(edges):
        found = _taken(groups, order, first, last)
        if groups.second is not None and inner is not None:
            found = replace(found, second=_taken(groups.second, inner, first, last))
        yield slice(first, last), found


def _taken(groups: Groups, order: np.ndarray, first: int, last: int) -> Groups:
    """The domains from `first` to before `last`; `order` sorts the cells by domain."""
    start, end = np.searchsorted(groups.domain, [first, last], sorter=order)
    kept = order[start:end]
    sums = groups.replicate_sums
    return replace(
        groups,
        domains=groups.domains[first:last],
        domain=groups.domain[kept] - first,
        stratum=groups.stratum[kept],
        psu=groups.psu[kept],
        gram=groups.gram[kept],
        square=None if groups.square is None else groups.square[kept],
        n=groups.n[kept],
        counts=groups.counts[kept],
        replicate_sums=None if sums is None else sums[first:last],
    )


def domain_covariance(
    groups: Groups, scores: np.ndarray, statistic: Callable[[slice], Statistic] | None = None
) -> Covariance:
    """Covariance of figures of each domain: all of them together if there is room, else within each domain.

    Parameters
    ----------
    groups : of any sample rule.
    scores : (D, q, p) gradients of the q figures by the totals of each domain.
    statistic : positions of some domains → what maps their (…, D, p) totals to (…, D, q) figures, for replicates.
        None: the figures are linear in the totals.

    Returns
    -------
    (D·q, D·q) array, or WithinGroups
    """
    size, q = scores.shape[:2]
    if joint_fits(size, max(q, len(groups.names))):
        again = None if statistic is None else statistic(slice(None))
        return totals_covariance(groups, scores, again).reshape(size * q, size * q)
    factors = psu_factors(groups)
    parts = parts_of(groups, q, replicates_of(groups, factors))
    blocks = [
        totals_blocks(part, scores[at], along_totals(scores[at]) if statistic is None else statistic(at), factors)
        for at, part in parts
    ]
    return WithinGroups(np.concatenate(blocks))


def replicates_of(groups: Groups, factors: np.ndarray | None) -> int:
    """How many replicates a summary has; `factors` are those of `psu_factors`. 0 under linearisation."""
    if groups.replication is None:
        return 0
    if groups.replicate_sums is not None:
        return groups.replicate_sums.shape[1]
    return 0 if factors is None else factors.shape[1]


def totals_blocks(
    groups: Groups, scores: np.ndarray, statistic: Statistic, factors: np.ndarray | None = None
) -> np.ndarray:
    """Covariance of smooth functions of the totals Σ w·z of each domain by itself.

    Parameters
    ----------
    groups : cells in the order of their domains.
    scores : (D, q, p) gradients of the q figures by the totals of each domain.
    statistic : maps (R, D, p) totals to (R, D, q) figures, for replicate weights.
    factors : (P, R) of `psu_factors`, if csat makes the replicates of declared units.

    Returns
    -------
    (D, q, q) array
        The blocks on the diagonal of `totals_covariance`.
    """
    gradients = Gradients(scores, groups.domain)
    if groups.replication is not None or groups.residuals is not None:
        size, share = rounding_base(groups, gradients)
        return without_rounding(_not_linear(groups, scores, statistic, factors), size, share)
    blocks = _linear(groups, gradients)
    if groups.second is None:
        return blocks
    return blocks + _linear(groups.second, Gradients(scores, groups.second.domain))


def _not_linear(groups: Groups, scores: np.ndarray, statistic: Statistic, factors: np.ndarray | None) -> np.ndarray:
    """(D, q, q) covariance by replicates, or by residuals of the auxiliaries."""
    if groups.replication is None and groups.residuals is not None:
        return calibrated_blocks(groups, groups.residuals, scores)
    return within_covariance(groups, statistic, factors)


def _linear(groups: Groups, gradients: Gradients) -> np.ndarray:
    """(D, q, q) covariance of the sums of scores of one stage."""
    sums = gradients.times(groups.gram[:, 0, :])
    squares = None if groups.square is None else gradients.products(groups.square)
    size, share = rounding_base(groups, gradients)
    return without_rounding(stratified_within(groups, sums, squares), size, share)
