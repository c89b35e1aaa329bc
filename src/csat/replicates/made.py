"""Replicate weights that csat makes: how much each sampled unit counts in each replicate.

References: Wolter (2007), Introduction to Variance Estimation, 2nd ed., ch. 3–5; Rao & Wu (1988), JASA 83, 231–241;
Canty & Davison (1999), The Statistician 48, 379–391; Judkins (1990), J. Official Statistics 6, 223–239 (Fay).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from csat.design import Replication
from csat.errors import DesignError
from csat.replicates.hadamard import hadamard

#: From this size on a population counts as infinite when units are drawn from it.
LARGE = 1e9


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """The sampled units, stratum by stratum.

    units : (H,) units of each stratum. rest : (H,) part of the population that was not sampled, 1 − n/N.
    population : (H,) or inf. fixed : (H,) strata whose units count fully in every replicate. strata : (H,) labels.
    """

    units: np.ndarray
    rest: np.ndarray
    population: np.ndarray
    fixed: np.ndarray
    strata: tuple[str, ...]

    @property
    def stratum(self) -> np.ndarray:
        """(U,) stratum of each unit."""
        return np.repeat(np.arange(len(self.units)), self.units)


def sampled_units(
    units: np.ndarray, population: np.ndarray, strata: Sequence[str], lone_psu: str, kind: str
) -> Sampled:
    """Describe the sampled units, after checking that the kind of replicate suits them.

    Raises
    ------
    DesignError
        For a lone unit under "fail", more units than the population has, strata under "JK1", or other than two units
        per stratum under "BRR" and "Fay".
    """
    short = np.flatnonzero(units > population)
    if short.size:
        at = int(short[0])
        raise DesignError.population_too_small(strata[at], int(units[at]), float(population[at]))
    lone = (units < 2) & (units < population)
    if lone.any() and lone_psu == "fail":
        raise DesignError.lone_psu([strata[i] for i in np.flatnonzero(lone).tolist()])
    found = Sampled(units, 1 - units / population, population, (units < 2) | (units >= population), tuple(strata))
    _check_kind(found, kind)
    return found


def _check_kind(sampled: Sampled, kind: str) -> None:
    if kind == "JK1" and len(sampled.units) > 1:
        raise DesignError(f"JK1 is for one stratum; this design has {len(sampled.units)}. Use kind='JKn'.")
    if sampled.fixed.all():
        raise DesignError("Every stratum was taken whole or has a lone unit: no replicate differs from the sample.")
    odd = np.flatnonzero((sampled.units != 2) & ~sampled.fixed)
    if kind in ("BRR", "Fay") and odd.size:
        at = int(odd[0])
        raise DesignError(
            f"{kind} needs two units in every stratum; stratum {sampled.strata[at]!r} has {sampled.units[at]}. "
            "Use kind='JKn' or 'subbootstrap'."
        )


def unit_factors(sampled: Sampled, replication: Replication) -> np.ndarray:
    """(U, R) factor of each unit's weight in each replicate; units are in the order of their strata."""
    return MAKERS[replication.kind](sampled, replication)


def made_scaling(sampled: Sampled, replication: Replication, size: int) -> tuple[float, np.ndarray]:
    """The multipliers that belong to the factors of `unit_factors`: of the whole sum, and of each of R = `size`."""
    scale, rscales = 1.0, np.ones(size)
    kind, varied = replication.kind, ~sampled.fixed
    if kind in ("JK1", "JKn"):
        share = (sampled.units - 1) / np.maximum(sampled.units, 1) * sampled.rest
        rscales = np.repeat(share[varied], sampled.units[varied])
        if kind == "JK1":
            scale, rscales = float(rscales[0]), np.ones(size)
    elif kind in ("BRR", "Fay"):
        scale = 1 / (size * replication.shrinkage**2)
    else:
        n = sampled.units[varied]
        scale = (1 / float(np.mean((n - 1) / n)) if kind == "bootstrap" else 1.0) / (size - 1)
    return scale, rscales


def _jackknife(sampled: Sampled, _: Replication) -> np.ndarray:
    """Each unit left out in turn, the rest of its stratum raised by n/(n−1)."""
    stratum = sampled.stratum
    left_out = np.flatnonzero(~sampled.fixed[stratum])
    n = sampled.units[stratum[left_out]]
    out = np.where(stratum[:, None] == stratum[left_out], n / (n - 1), 1.0)
    out[left_out, np.arange(len(left_out))] = 0.0
    return out


def _half_samples(sampled: Sampled, replication: Replication) -> np.ndarray:
    """One unit of each pair up, the other down; √(1−n/N) carries the finite population correction."""
    varied = np.flatnonzero(~sampled.fixed)
    signs = hadamard(len(varied) + 1)[:, 1 : len(varied) + 1]
    out = np.ones((int(sampled.units.sum()), len(signs)))
    move = replication.shrinkage * np.sqrt(sampled.rest[varied])[:, None] * signs.T
    first = (np.cumsum(sampled.units) - sampled.units)[varied]
    out[first] += move
    out[first + 1] -= move
    return out


def _rao_wu(sampled: Sampled, replication: Replication) -> np.ndarray:
    """Draw n − 1 of n units with replacement; deviations from 1 shrink by √(1−n/N)."""

    def draw(h: int, rng: np.random.Generator) -> np.ndarray:
        n = int(sampled.units[h])
        count = rng.multinomial(n - 1, np.full(n, 1 / n), size=replication.size).T
        return 1 + np.sqrt(sampled.rest[h]) * (count * n / (n - 1) - 1)

    return _drawn(sampled, replication, draw)


def _canty_davison(sampled: Sampled, replication: Replication) -> np.ndarray:
    """Draw n of n units with replacement; if the population is known, without it from units repeated to its size."""

    def draw(h: int, rng: np.random.Generator) -> np.ndarray:
        n, population = int(sampled.units[h]), sampled.population[h]
        if population >= LARGE:
            return rng.multinomial(n, np.full(n, 1 / n), size=replication.size).T.astype(float)
        copies = int(population) // n + (np.arange(n) < int(population) % n)
        return rng.multivariate_hypergeometric(copies, n, size=replication.size).T.astype(float)

    return _drawn(sampled, replication, draw)


def _drawn(
    sampled: Sampled, replication: Replication, draw: Callable[[int, np.random.Generator], np.ndarray]
) -> np.ndarray:
    """Strata one after the other from one seeded generator, so that the same seed gives the same figures."""
    rng = np.random.default_rng(replication.seed)
    out = np.ones((int(sampled.units.sum()), replication.size))
    ends = np.cumsum(sampled.units)
    for h in np.flatnonzero(~sampled.fixed).tolist():
        out[ends[h] - sampled.units[h] : ends[h]] = draw(h, rng)
    return out


MAKERS: dict[str, Callable[[Sampled, Replication], np.ndarray]] = {
    "JK1": _jackknife,
    "JKn": _jackknife,
    "BRR": _half_samples,
    "Fay": _half_samples,
    "subbootstrap": _rao_wu,
    "bootstrap": _canty_davison,
}
