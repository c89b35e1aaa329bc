"""How sure a mean over bootstrap replicates is: the standard errors of bagged estimates."""

from __future__ import annotations

import numpy as np

from csat.moments import Groups
from csat.replicates import sampled_units, scaling_of, unit_factors

#: Relative error of a variance, from drawing few replicates of many units, beyond which it is not used.
TOO_NOISY = 0.25


def smoothed_covariance(groups: Groups, figures: np.ndarray, usable: np.ndarray) -> tuple[np.ndarray, str]:
    """Covariance of the means over the replicates of figures that may jump from one replicate to the next.

    A mean over replicates changes smoothly with the sample even if the figure does not. Its change with the weight of
    unit i is the covariance, over replicates, of the figure and the factor of that unit; from these changes follows
    the variance under the design, as by linearisation.

    Parameters
    ----------
    groups : with bootstrap replicates. figures : (r, k) of the replicates that are `usable`, (R,) bool.

    Returns
    -------
    (k, k) array, and how it was made
        Without the factors (weights that came with the data), or with too few replicates for the number of units, the
        covariance of the figures themselves, which is never smaller.

    Source: Efron (2014), JASA 109, 991–1007, theorem 1, for strata and units; corrected for the finite number of
    replicates as Wager, Hastie & Efron (2014), J. Machine Learning Research 15, 1625–1651, their V_IJ-U.
    """
    whole = _between(groups, figures, usable)
    kind = "" if groups.replication is None else groups.replication.kind
    size, units = len(figures), float(groups.units.sum() - len(groups.strata))
    if groups.replicates_given or np.sqrt(2 * units) / size > TOO_NOISY:
        return whole, f"replicates: {kind}"
    return _within(_projected(groups, figures, usable), whole), f"replicates: {kind}, smoothed"


def _between(groups: Groups, figures: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Covariance of the figures over the replicates, by the multipliers of the design."""
    rule = scaling_of(groups, len(usable))
    deviation = (figures - figures.mean(axis=0)) * np.sqrt(rule.rscales[usable])[:, None]
    return rule.scale * (len(usable) - 1) / max(len(figures) - 1, 1) * deviation.T @ deviation


def _projected(groups: Groups, figures: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Σ over strata and units of the products of changes, less what the finite number of replicates adds."""
    replication = groups.replication
    if replication is None:
        return np.zeros((figures.shape[1], figures.shape[1]))
    sampled = sampled_units(groups.units, groups.population, groups.strata, groups.lone_psu, replication.kind)
    factors = unit_factors(sampled, replication)[:, usable] - 1
    deviation = figures - figures.mean(axis=0)
    n = np.maximum(sampled.units, 2)
    # factors of a stratum have the covariance spread·(I − 1/n): the change of a figure is seen `spread` times too large
    spread = np.bincount(sampled.stratum, np.square(factors).mean(axis=1), len(n)) / (n - 1)
    varied = spread > 0
    scale = np.where(varied, n / (n - 1) * sampled.rest / np.where(varied, spread, 1.0) ** 2, 0.0)
    change = factors @ deviation / len(figures)
    by_chance = (scale * spread * (n - 1)).sum() / len(figures) ** 2
    return (change * scale[sampled.stratum][:, None]).T @ change - by_chance * deviation.T @ deviation


def _within(vcov: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The nearest covariance matrix with variances between 0 and those of `whole`."""
    values, vectors = np.linalg.eigh(vcov)
    positive = (vectors * np.maximum(values, 0.0)) @ vectors.T
    own, most = np.diag(positive), np.diag(whole)
    shrink = np.sqrt(np.minimum(1.0, np.divide(most, own, out=np.ones_like(own), where=own > 0)))
    return positive * np.outer(shrink, shrink)
