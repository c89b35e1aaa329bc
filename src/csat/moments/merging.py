"""Adding summaries of disjoint respondents: batches, files, provinces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from csat.errors import DesignError, SampleError
from csat.moments.cells import C, Cells, sum_at


def merge(parts: Sequence[C]) -> C:
    """Add summaries of disjoint respondents (batches, files, provinces); cells with the same labels add.

    Raises
    ------
    SampleError
        If the parts differ in variables, sample rule or grouping.
    DesignError
        If a stratum's population size differs between parts.
    """
    first = parts[0]
    for part in parts[1:]:
        if (part.names, part.rule, part.by, bool(part.psus)) != (first.names, first.rule, first.by, bool(first.psus)):
            raise SampleError("Only summaries of the same variables, sample rule, groups and kind of unit add up.")
        if not np.array_equal(part.midpoint, first.midpoint):
            raise SampleError("Only summaries around the same midpoints add up; reduce both with one questionnaire.")
        if (part.lone_psu, part.replication) != (first.lone_psu, first.replication):
            raise SampleError("Only summaries with the same rule for lone units and the same replication add up.")
    overlaps = [part.overlap for part in parts if part.overlap is not None]
    domains = tuple(sorted({domain for part in parts for domain in part.domains}))
    strata = tuple(sorted({stratum for part in parts for stratum in part.strata}))
    psus = tuple(sorted({psu for part in parts for psu in part.psus}))
    codes = [_cell_codes(part, domains, strata, psus) for part in parts]
    cells, where = np.unique(np.concatenate(codes), axis=0, return_inverse=True)

    def added(name: str) -> np.ndarray:
        return sum_at(np.concatenate([getattr(part, name) for part in parts]), where.ravel(), len(cells))

    units, population = _units(parts, strata, psus)
    return replace(
        first,
        residuals=None,
        second=_merged_second(parts),
        calibrated=any(part.calibrated for part in parts),
        domains=domains,
        strata=strata,
        psus=psus,
        units=units,
        population=population,
        domain=cells[:, 0],
        stratum=cells[:, 1],
        psu=cells[:, 2],
        gram=added("gram"),
        square=None if first.square is None else added("square"),
        n=added("n"),
        counts=added("counts"),
        score_sums=None if first.score_sums is None else added("score_sums"),
        score_squares=None if first.score_squares is None else added("score_squares"),
        ungrouped=sum(part.ungrouped for part in parts),
        incomplete=sum(part.incomplete for part in parts),
        published=all(part.published for part in parts),
        replicate_sums=_merged_replicates(parts, domains),
        overlap=np.sum(overlaps, axis=0) if overlaps else None,
    )


def _merged_replicates(parts: Sequence[Cells], domains: Sequence[tuple[str, ...]]) -> np.ndarray | None:
    kept = [part.replicate_sums for part in parts if part.replicate_sums is not None]
    if not kept:
        return None
    if len({sums.shape[1:] for sums in kept}) > 1 or len(kept) < len(parts):
        raise SampleError("Only summaries with the same number of replicate weights add up.")
    at = np.array([domains.index(domain) for part in parts for domain in part.domains], int)
    return sum_at(np.concatenate(kept), at, len(domains))


def _cell_codes(part: Cells, domains: Sequence, strata: Sequence, psus: Sequence) -> np.ndarray:
    def recode(old: Sequence, new: Sequence, code: np.ndarray) -> np.ndarray:
        place = {label: i for i, label in enumerate(new)}
        table = np.array([place[label] for label in old] + [-1], int)
        return table[code]

    columns = (
        recode(part.domains, domains, part.domain),
        recode(part.strata, strata, part.stratum),
        recode(part.psus, psus, part.psu),
    )
    return np.stack(columns, axis=1)


def _units(
    parts: Sequence[Cells], strata: Sequence[str], psus: Sequence[tuple[str, str]]
) -> tuple[np.ndarray, np.ndarray]:
    place = {label: i for i, label in enumerate(strata)}
    units = np.zeros(len(strata), int)
    population = np.full(len(strata), np.nan)
    for part in parts:
        at = np.array([place[label] for label in part.strata], int)
        if not psus:
            units[at] += part.units
        differs = np.isfinite(population[at]) & (population[at] != part.population)
        if differs.any():
            label = part.strata[int(np.flatnonzero(differs)[0])]
            raise DesignError(f"Stratum {label!r} has two different population sizes; it must have one.")
        population[at] = part.population
    if psus:
        units = np.bincount([place[stratum] for stratum, _ in psus], minlength=len(strata))
    return units, population


def _merged_second(parts: Sequence[C]) -> C | None:
    second = cast("list[C]", [part.second for part in parts if part.second is not None])
    if not second:
        return None
    shares = {label: share for part in second for label, share in zip(part.strata, _share(part), strict=True)}
    whole = merge(second)
    return replace(whole, share=np.array([shares[label] for label in whole.strata]))


def _share(part: Cells) -> np.ndarray:
    return np.ones(len(part.strata)) if part.share is None else part.share
