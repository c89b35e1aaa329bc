"""From replicates of a summary to the covariance of any figure computed from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from csat.design import Replication
from csat.errors import DesignError, SampleError
from csat.moments import Groups
from csat.replicates.made import Sampled, made_scaling, sampled_units, unit_factors

#: Maps summaries with leading axes, (…, p) totals or (…, p, p) Gram matrices, to (…, q) figures.
Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """variance = scale · Σ rscales·(θ_r − centre)²; the centre is the whole-sample figure under `mse`, else the mean.

    scale : of the whole sum. rscales : (R,).
    """

    scale: float
    rscales: np.ndarray
    mse: bool = False


def replicate_covariance(
    statistic: Statistic, grams: np.ndarray, whole: np.ndarray, scale: float, rscales: np.ndarray, mse: bool = False
) -> np.ndarray:
    """Covariance of any statistic by computing it on every replicate at once.

    Parameters
    ----------
    statistic : maps (R, …) summaries to (R, q) figures, all replicates in one call.
    grams : (R, …) replicate summaries: Gram matrices, totals, whatever the statistic takes.
    whole : (…) the same of the whole sample; used under `mse`.
    scale, rscales : multiplier of the whole sum, and (R,) of each replicate. Replicates with 0 are not computed.
    mse : deviations from the whole-sample figure instead of the mean of the replicates.

    Returns
    -------
    (q, q) array
        NaN for a figure that one of the replicates does not define (a domain without weight in it).

    Raises
    ------
    SampleError
        If a replicate leaves too little to compute the statistic.

    Source: Lumley (2010), Complex Surveys, 2.3; Wolter (2007), ch. 3.

    >>> totals = np.array([[4.0], [6.0]])
    >>> replicate_covariance(lambda total: total, totals, np.array([5.0]), 0.5, np.ones(2)).tolist()
    [[1.0]]
    """
    deviation = _deviations(statistic, grams, whole, np.asarray(rscales), mse)
    return scale * deviation.T @ deviation


def _deviations(
    statistic: Statistic, grams: np.ndarray, whole: np.ndarray, rscales: np.ndarray, mse: bool
) -> np.ndarray:
    """(R, …) what each replicate that counts differs by from the centre, times the root of its multiplier."""
    used = rscales > 0
    try:
        with np.errstate(invalid="ignore", divide="ignore"):
            figures = statistic(grams[used])
            centre = statistic(whole[None])[0] if mse else figures.mean(axis=0)
    except np.linalg.LinAlgError:
        raise SampleError(
            "One of the replicates leaves too few different answers to compute this figure. "
            "Use fewer variables, or a design without replication (linearisation)."
        ) from None
    return (figures - centre) * np.sqrt(rscales[used]).reshape(-1, *(1,) * (figures.ndim - 1))


def joint_covariance(groups: Groups, statistic: Statistic, *, grams: bool) -> np.ndarray:
    """Covariance of figures of all domains together under the replicates of `groups`.

    Parameters
    ----------
    groups : with a `replication`.
    statistic : maps (…, D, p) totals Σ w·z, or (…, D, p, p) Gram matrices if `grams`, to figures (…, any shape).
    grams : the statistic takes Gram matrices (sample rule "listwise").

    Returns
    -------
    (q, q) array
        Of the flattened figures.
    """
    sums = replicate_sums(groups, grams)
    cells = groups.over_domains(groups.gram)
    whole = cells if grams else cells[:, 0]

    def flat(summaries: np.ndarray) -> np.ndarray:
        figures = statistic(summaries)
        return figures.reshape(len(summaries), -1)

    rule = scaling_of(groups, len(sums))
    return replicate_covariance(flat, sums, whole, rule.scale, rule.rscales, rule.mse)


def within_covariance(groups: Groups, statistic: Statistic, factors: np.ndarray | None) -> np.ndarray:
    """Covariance of the figures of each domain by itself under the replicates of `groups`.

    Parameters
    ----------
    groups : with a `replication`; cells in the order of their domains.
    statistic : maps (R, D, p) totals Σ w·z to (R, D, q) figures.
    factors : (P, R) from `psu_factors`.

    Returns
    -------
    (D, q, q) array
    """
    totals, kept = groups.gram[:, 0], groups.replicate_sums
    if kept is not None:
        sums = (kept[:, :, 0] if kept.ndim == 4 else kept).swapaxes(0, 1)
    elif factors is None:
        raise SampleError.needs_rows("A standard error by replicate weights")
    else:
        # Units outside a domain add nothing to it, whatever their factors.
        ends = np.searchsorted(groups.domain, np.arange(len(groups.domains) + 1)).tolist()
        parts = [factors[groups.psu[a:b]].T @ totals[a:b] for a, b in pairwise(ends)]
        sums = np.stack(parts, axis=1)
    rule = scaling_of(groups, len(sums))
    deviation = _deviations(statistic, sums, groups.over_domains(totals), rule.rscales, rule.mse)
    by_domain = deviation.swapaxes(0, 1)
    return rule.scale * by_domain.swapaxes(1, 2) @ by_domain


def psu_factors(groups: Groups) -> np.ndarray | None:
    """(P, R) factors of the declared units in the replicates that csat makes; None if sums of replicates were kept."""
    if groups.replication is None or groups.replicate_sums is not None or not groups.psus:
        return None
    return unit_factors(_sampled(groups), groups.replication)[_unit_order(groups)]


def score_covariance(groups: Groups, statistic: Statistic | None = None) -> np.ndarray:
    """Covariance of figures of all domains under the replicates of `groups`, from sums of row scores.

    Parameters
    ----------
    groups : with a `replication` and `score_sums`.
    statistic : maps (…, D, q) sums Σ w_r·s to figures; None: the sums themselves.

    Returns
    -------
    (m, m) array
        Of the flattened figures.
    """
    kept = groups.replicate_sums
    sums = _by_units(groups, np.asarray(groups.score_sums)) if kept is None else kept.swapaxes(0, 1)

    def flat(summaries: np.ndarray) -> np.ndarray:
        figures = summaries if statistic is None else statistic(summaries)
        return figures.reshape(len(summaries), -1)

    rule = scaling_of(groups, len(sums))
    whole = groups.over_domains(np.asarray(groups.score_sums))
    return replicate_covariance(flat, sums, whole, rule.scale, rule.rscales, rule.mse)


def _by_units(groups: Groups, cells: np.ndarray) -> np.ndarray:
    """(R, D, …) replicates of sums over cells (C, …), from the factors of the declared units."""
    if not groups.psus:
        raise SampleError.needs_rows("A standard error by replicate weights")
    shape = (len(groups.domains), *cells.shape[1:])
    by_unit = np.zeros((len(groups.psus), *shape))
    np.add.at(by_unit, (groups.psu, groups.domain), cells)
    factors = unit_factors(_sampled(groups), _replication(groups))[_unit_order(groups)]
    return (factors.T @ by_unit.reshape(len(by_unit), -1)).reshape(-1, *shape)


def replicate_sums(groups: Groups, grams: bool) -> np.ndarray:
    """Replicates of the totals Σ w·z of each domain, (R, D, p), or of its Gram matrices, (R, D, p, p).

    With declared units one matrix product of their factors and sums; else the reduction summed them over rows.

    Raises
    ------
    SampleError
        If the rows were not summed for what is asked.
    """
    kept = groups.replicate_sums
    if kept is not None:
        if grams and kept.ndim == 3:
            raise SampleError.needs_rows("Replicates of a sum of products under the sample rule 'available'")
        totals = kept[:, :, 0] if kept.ndim == 4 and not grams else kept
        return totals.swapaxes(0, 1)
    return _by_units(groups, groups.gram if grams else groups.gram[:, 0])


def scaling_of(groups: Groups, size: int) -> Scaling:
    """The multipliers of the R = `size` replicates of a summary: those declared, else those of their kind."""
    replication = _replication(groups)
    if groups.replicates_given:
        scale, rscales = given_scaling(replication, size)
    else:
        scale, rscales = made_scaling(_sampled(groups), replication, size)
    scale = scale if replication.scale is None else replication.scale
    rscales = rscales if replication.rscales is None else np.array(replication.rscales)
    if len(rscales) != size:
        raise DesignError(f"rscales has {len(rscales)} multipliers for {size} replicates.")
    return Scaling(scale, rscales, replication.mse)


def given_scaling(replication: Replication, size: int) -> tuple[float, np.ndarray]:
    """Multipliers of R = `size` given replicate weights of each kind."""
    scales = {
        "BRR": 1 / size,
        "Fay": 1 / (size * replication.shrinkage**2),
        "JK1": (size - 1) / size,
        "bootstrap": 1 / (size - 1),
        "subbootstrap": 1 / (size - 1),
        "ACS": 4 / size,
    }
    return scales.get(replication.kind, 1.0), np.ones(size)


def _replication(groups: Groups) -> Replication:
    if groups.replication is None:
        raise DesignError("This summary has no replicate weights: declare Design(replication=Replication(kind)).")
    return groups.replication


def _sampled(groups: Groups) -> Sampled:
    kind = _replication(groups).kind
    return sampled_units(groups.units, groups.population, groups.strata, groups.lone_psu, kind)


def _unit_order(groups: Groups) -> np.ndarray:
    """(P,) position of each unit when they are listed stratum by stratum."""
    place = {label: i for i, label in enumerate(groups.strata)}
    order = np.argsort([place[stratum] for stratum, _ in groups.psus], kind="stable")
    out = np.empty(len(order), int)
    out[order] = np.arange(len(order))
    return out
