"""What the design says about a sum of scores: its covariance, and how many degrees of freedom that has."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from csat.errors import DesignError, SampleError
from csat.moments import Groups
from csat.moments.cells import sum_at
from csat.results import ROUNDING
from csat.variance.gradients import Gradients


def degrees_of_freedom(groups: Groups, member: np.ndarray | None = None) -> np.ndarray:
    """Units with an answer minus their strata, as R survey's `degf` of a subset; of the replicates if there are some.

    Parameters
    ----------
    groups : in D domains. member : (U, D) which domains make up each of U groups; None: each domain by itself.

    Returns
    -------
    (U, k) array
    """
    size, k = len(groups.domains), len(groups.names)
    if groups.replication is not None:
        return np.full((size if member is None else len(member), k), groups.df)
    if member is None:
        return _freedom(groups)
    apart = (_one_domain(groups, np.flatnonzero(row)) for row in member)
    return np.concatenate([_freedom(whole) for whole in apart])


def _one_domain(groups: Groups, domains: np.ndarray) -> Groups:
    """The cells of some domains as one domain, for counting."""
    kept = np.isin(groups.domain, domains)
    return replace(
        groups,
        by=(),
        domains=((),),
        domain=np.zeros(int(kept.sum()), int),
        stratum=groups.stratum[kept],
        psu=groups.psu[kept],
        counts=groups.counts[kept],
    )


def _freedom(groups: Groups) -> np.ndarray:
    """(D, k) units with an answer minus their strata, in each domain."""
    strata = _answering(groups, groups.stratum, len(groups.strata))
    units = groups.over_domains(groups.counts)
    if groups.psus:
        units = _answering(groups, groups.psu, len(groups.psus))
    return np.maximum(units - strata, 0).astype(float)


def _answering(groups: Groups, label: np.ndarray, labels: int) -> np.ndarray:
    """(D, k) in each domain how many of the labels (strata, units) of the cells have an answer."""
    domain, _, answers = pair_sums((groups.counts > 0).astype(np.int32), groups.domain, label, labels)
    return sum_at((answers > 0).astype(np.int32), domain, len(groups.domains)).astype(int)


def pair_sums(
    cells: np.ndarray, domain: np.ndarray, label: np.ndarray, labels: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of cells (C, q) by domain and label, for the pairs that occur: (M,) domain, (M,) label, (M, q) sums."""
    pairs, at = np.unique(domain * labels + label, return_inverse=True)
    return pairs // labels, pairs % labels, sum_at(cells, at, len(pairs))


def stratified(groups: Groups, sums: np.ndarray, squares: np.ndarray | None) -> np.ndarray:
    """Covariance of sums of scores over a stratified sample of units, first stage.

    Parameters
    ----------
    groups : the cells and the design around them.
    sums : (C, q) weighted score sums of each cell.
    squares : (C, q, q) weighted products of single respondents' scores; needed if they are the units.

    Returns
    -------
    (D, q, D, q) array
        Σ_h n_h/(n_h−1)·(1−n_h/N_h)·Σ_i (u_hi − ū_h)(u_hi − ū_h)ᵀ over the units of each stratum, units
        without a respondent in a domain counting as zeros.

    Raises
    ------
    DesignError
        For a stratum with a single unit (unless it is its whole population), or more units than the population has.
    """
    if groups.replication is not None:
        raise DesignError(
            "This standard error comes from strata and units, but the design declares replicate weights. "
            "Read the survey with a Design without replication."
        )
    scale, centred_part = stratum_scale(groups)
    size, q = len(groups.domains), sums.shape[1]
    if groups.psus:
        by_unit = sum_at(sums, groups.psu * size + groups.domain, len(groups.psus) * size)
        flat = by_unit.reshape(len(groups.psus), size * q)
        place = {label: i for i, label in enumerate(groups.strata)}
        stratum = np.array([place[label] for label, _ in groups.psus], int)
        total = np.zeros((len(groups.strata), size * q))
        np.add.at(total, stratum, flat)
        middle = total * (centred_part / np.maximum(groups.units, 1))[:, None]
        centred = (flat - middle[stratum]) * np.sqrt(scale)[stratum, None]
        return (centred.T @ centred).reshape(size, q, size, q)
    if squares is None:
        raise SampleError.needs_rows("A design-based standard error without declared sampling units")
    by_stratum = np.zeros((len(groups.strata), size, q))
    np.add.at(by_stratum, (groups.stratum, groups.domain), sums)
    flat = by_stratum.reshape(len(groups.strata), size * q) * np.sqrt(scale * centred_part / groups.units)[:, None]
    out = -(flat.T @ flat).reshape(size, q, size, q)
    blocks = np.zeros((size, q, q))
    np.add.at(blocks, groups.domain, squares * scale[groups.stratum][:, None, None])
    diagonal = np.arange(size)
    out[diagonal, :, diagonal, :] += blocks
    return out


def stratified_within(groups: Groups, sums: np.ndarray, squares: np.ndarray | None) -> np.ndarray:
    """Covariance of sums of scores of each domain by itself: the blocks on the diagonal of `stratified`, (D, q, q)."""
    scale, centred_part = stratum_scale(groups)
    size = len(groups.domains)
    if groups.psus:
        return _within_units(groups, sums, scale, centred_part)
    if squares is None:
        raise SampleError.needs_rows("A design-based standard error without declared sampling units")
    domain, stratum, total = pair_sums(sums, groups.domain, groups.stratum, len(groups.strata))
    total *= np.sqrt(scale * centred_part / groups.units)[stratum, None]
    own = groups.over_domains(squares * scale[groups.stratum][:, None, None])
    return own - _products(total, domain, size)


def _within_units(groups: Groups, sums: np.ndarray, scale: np.ndarray, centred_part: np.ndarray) -> np.ndarray:
    """The same from declared units. Those without a respondent in a domain differ from the mean of all, too."""
    size, strata = len(groups.domains), len(groups.strata)
    domain, psu, unit = pair_sums(sums, groups.domain, groups.psu, len(groups.psus))
    place = {label: i for i, label in enumerate(groups.strata)}
    of_unit = np.array([place[label] for label, _ in groups.psus], int)
    pairs, at = np.unique(domain * strata + of_unit[psu], return_inverse=True)
    stratum = pairs % strata
    middle = sum_at(unit, at, len(pairs)) * (centred_part / np.maximum(groups.units, 1))[stratum, None]
    absent = groups.units[stratum] - np.bincount(at, minlength=len(pairs))
    moved = (unit - middle[at]) * np.sqrt(scale)[stratum[at], None]
    unmoved = middle * np.sqrt(scale[stratum] * absent)[:, None]
    return _products(np.concatenate([moved, unmoved]), np.concatenate([domain, pairs // strata]), size)


def _products(rows: np.ndarray, domain: np.ndarray, size: int) -> np.ndarray:
    """(D, q, q) sums of the outer products of rows (M, q) by domain."""
    order = np.argsort(domain, kind="stable")
    ends = np.searchsorted(domain[order], np.arange(size + 1)).tolist()
    sorted_rows = rows[order]
    return np.stack([sorted_rows[a:b].T @ sorted_rows[a:b] for a, b in pairwise(ends)])


def rounding_base(groups: Groups, gradients: Gradients) -> tuple[np.ndarray, float]:
    """The positive terms behind variances of linear scores, and the share of them that rounding can leave.

    The scores of constant answers cancel, but not to the last bit. Sums of units (and replicates) are off by some
    1e-16 of their terms, their variance by the square of that; sums of squares of respondents lose half of the
    digits.

    Parameters
    ----------
    groups : in D domains. gradients : of the figures by the totals of each cell.

    Returns
    -------
    (D, q) array, share
    """
    size = len(groups.domains)
    terms = gradients.sizes(groups.gram[:, 0, :])
    if groups.replication is not None:
        return np.square(groups.over_domains(terms)), ROUNDING**2
    if groups.psus:
        scale = stratum_scale(groups)[0][groups.stratum]
        terms = terms * np.sqrt(scale)[:, None]
        domain, _, by_unit = pair_sums(terms, groups.domain, groups.psu, len(groups.psus))
        return sum_at(np.square(by_unit), domain, size), ROUNDING**2
    if groups.square is None:
        raise SampleError.needs_rows("A design-based standard error without declared sampling units")
    squares = gradients.squared().times(np.diagonal(groups.square, axis1=1, axis2=2))
    return groups.over_domains(squares * stratum_scale(groups)[0][groups.stratum, None]), ROUNDING


def stratum_scale(groups: Groups) -> tuple[np.ndarray, np.ndarray]:
    """n/(n−1)·(1−n/N) of each stratum, and 1 where scores are taken around the stratum's mean, 0 around zero.

    A lone unit has no mean to differ from. By rule it adds nothing ("certainty"), its square ("adjust"), or what the
    other strata add on average ("average"), as `survey.lonely.psu` of Lumley's R package survey.
    """
    units, population = groups.units, groups.population
    short = np.flatnonzero(units > population)
    if short.size:
        at = int(short[0])
        raise DesignError.population_too_small(groups.strata[at], int(units[at]), float(population[at]))
    lone = (units < 2) & (units < population)
    rest = 1 - units / population
    scale = np.where(units > 1, units / np.maximum(units - 1, 1), 0.0) * rest
    if lone.any() and (groups.lone_psu == "fail" or (groups.lone_psu == "average" and lone.all())):
        raise DesignError.lone_psu([groups.strata[i] for i in np.flatnonzero(lone)])
    if groups.lone_psu == "adjust":
        scale = np.where(lone, rest, scale)
    elif groups.lone_psu == "average":
        scale = scale * len(units) / max((~lone).sum(), 1)
    return scale if groups.share is None else scale * groups.share, np.where(lone, 0.0, 1.0)


def method_of(groups: Groups) -> str:
    """Name how variances are made from `groups`, for `Provenance.variance`."""
    replication = groups.replication
    if replication is not None:
        return f"replicates: {replication.kind}" + (f", ρ = {replication.rho:g}" if replication.rho is not None else "")
    method = "linearisation" + (f", lone units: {groups.lone_psu}" if groups.lone_psu != "fail" else "")
    if groups.calibrated:
        method += ", calibrated" if groups.residuals is not None else ", calibrated weights taken as given"
    return method
