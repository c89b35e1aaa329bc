"""Residual form of variances within each domain; `csat.residuals` has the joint form, and where it comes from."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from csat.errors import SampleError
from csat.moments import Groups, Residuals
from csat.moments.variables import basis
from csat.residuals import coefficients
from csat.variance.sampling import stratum_scale


def calibrated_blocks(groups: Groups, residuals: Residuals, scores: np.ndarray) -> np.ndarray:
    """Covariance of functions of the totals of each domain by itself, after calibration.

    Parameters
    ----------
    groups : in D domains, under "available". residuals : its sums over all rows.
    scores : (D, q, p) gradients by the totals of each domain.

    Returns
    -------
    (D, q, q) array
        A respondent outside the domain counts with what the auxiliaries say of it, −xᵀB.
    """
    wide, k = residuals.weighted, len(groups.names)
    own, x = basis(np.arange(k), k + residuals.auxiliaries, "available"), wide.gram.shape[1] - residuals.auxiliaries
    slopes = _slopes(groups, residuals, scores, own, x)
    if wide.psus:
        return _by_units(groups, wide, scores, slopes, own, x)
    return _by_rows(groups, wide, scores, slopes, own, x)


def _slopes(groups: Groups, residuals: Residuals, scores: np.ndarray, own: np.ndarray, x: int) -> np.ndarray:
    """(D, x, q) coefficients B of the scores of each domain on the auxiliaries."""
    base = residuals.base
    crossed = [base.gram[cells, x:][:, :, own].sum(axis=0) for cells in _cells(base, groups)]
    return coefficients(base.gram[:, x:, x:].sum(axis=0), np.stack(crossed) @ scores.swapaxes(1, 2))


def _cells(wide: Groups, groups: Groups) -> list[np.ndarray]:
    """Positions in `wide` of the cells of each domain of `groups`."""
    place = {domain: i for i, domain in enumerate(groups.domains)}
    new = np.array([place.get(domain, len(place)) for domain in wide.domains], int)[wide.domain]
    order = np.argsort(new, kind="stable")
    ends = np.searchsorted(new[order], np.arange(len(place) + 1)).tolist()
    return [order[a:b] for a, b in pairwise(ends)]


def _residual_sums(
    wide: Groups, label: np.ndarray, cells: np.ndarray, everyone: np.ndarray, score: np.ndarray, slope: np.ndarray,
    own: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """(L, q) sums of the residuals of one domain by label; `everyone` (L, x) are those of the auxiliaries."""
    sums = -(everyone @ slope)
    np.add.at(sums, label[cells], wide.gram[cells, 0][:, own] @ score.T)
    return sums


def _by_units(
    groups: Groups, wide: Groups, scores: np.ndarray, slopes: np.ndarray, own: np.ndarray, x: int
) -> np.ndarray:
    """From declared units, listed stratum by stratum."""
    scale, centred_part = stratum_scale(wide)
    place = {label: i for i, label in enumerate(wide.strata)}
    of_unit = np.array([place[label] for label, _ in wide.psus], int)
    order = np.argsort(of_unit, kind="stable")
    rank = np.argsort(order, kind="stable")
    stratum = of_unit[order]
    listed, starts = np.unique(stratum, return_index=True)
    part = (centred_part / np.maximum(wide.units, 1))[listed, None]
    root, back = np.sqrt(scale)[stratum, None], np.searchsorted(listed, stratum)
    label = rank[wide.psu]
    everyone = np.zeros((len(wide.psus), wide.gram.shape[1] - x))
    np.add.at(everyone, label, wide.gram[:, 0, x:])
    out = np.empty((len(scores), scores.shape[1], scores.shape[1]))
    for d, cells in enumerate(_cells(wide, groups)):
        sums = _residual_sums(wide, label, cells, everyone, scores[d], slopes[d], own)
        moved = (sums - (np.add.reduceat(sums, starts, axis=0) * part)[back]) * root
        out[d] = moved.T @ moved
    return out


def _by_rows(
    groups: Groups, wide: Groups, scores: np.ndarray, slopes: np.ndarray, own: np.ndarray, x: int
) -> np.ndarray:
    """From respondents as units, by their sums of squares."""
    if wide.square is None:
        raise SampleError.needs_rows("The residual form of a standard error")
    scale, centred_part = stratum_scale(wide)
    root, of_cell = np.sqrt(scale * centred_part / wide.units)[:, None], scale[wide.stratum]
    everyone = np.zeros((len(wide.strata), wide.gram.shape[1] - x))
    np.add.at(everyone, wide.stratum, wide.gram[:, 0, x:])
    products = np.tensordot(of_cell, wide.square[:, x:, x:], axes=1)
    out = np.empty((len(scores), scores.shape[1], scores.shape[1]))
    for d, cells in enumerate(_cells(wide, groups)):
        score, slope = scores[d], slopes[d]
        square = np.tensordot(of_cell[cells], wide.square[cells], axes=1)
        crossed = score @ square[own, x:] @ slope
        within = score @ square[np.ix_(own, own)] @ score.T - crossed - crossed.T + slope.T @ products @ slope
        sums = root * _residual_sums(wide, wide.stratum, cells, everyone, score, slope, own)
        out[d] = within - sums.T @ sums
    return out
