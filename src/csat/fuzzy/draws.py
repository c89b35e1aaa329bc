"""The memberships of the leaves as they could have come out: under replicate weights, or by the design's covariance.

One of three ways, said in `Drawn.words`: bootstrap weights that the design declares; a bootstrap of its units, or of
respondents where it has none; normal draws with the covariance that the design gives the means behind the memberships
(jackknife and half-sample weights, calibrated weights, samples of two stages, summaries without rows or units).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from csat.design import Replication
from csat.errors import SampleError
from csat.fuzzy.reading import Reading
from csat.moments import Groups, RowSource, Source, UnitSource, Variable, first_moments
from csat.replicates import replicate_sums, scaling_of
from csat.variance import joint_totals_covariance, mean_scores

#: Kinds of replicate weights that are draws from the sample.
BOOTSTRAPS = ("bootstrap", "subbootstrap")
#: Rules for lone units that no replicate weights can follow.
LINEAR_RULES = ("adjust", "average")
#: Means whose joint covariance is drawn from at most; beyond, calibrated weights are taken as given.
MOST_NORMAL = 1200
#: Variables × groups that are asked for at once; and, where products are summed for every unit, units × their square.
MOST_AT_ONCE, PRODUCTS = 2500, 300_000
#: Units of a stratum where random groups of respondents are drawn.
RANDOM_GROUPS = 500
#: Memberships of replicates that are kept at most: they take 480 MB.
MOST_KEPT = 60_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Memberships of L leaves in D groups and, if there are several, in all of them together (the last, D' = D + 1).

    leaves : (D', L, g) of the sample. missing : (D', L) respondents without an answer that counts.
    draws : (R, D', L, g), None if none were made. words : how they were made.
    """

    leaves: np.ndarray
    missing: np.ndarray
    draws: np.ndarray | None
    words: str


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Means of the variables of some leaves: (D', q), replicates of them (R, D', q), and (D', leaves) missing."""

    means: np.ndarray
    redone: np.ndarray
    missing: np.ndarray


def drawn_leaves(
    source: Source, reading: Reading, base: Groups, by: tuple[str, ...], size: int | None, seed: int
) -> Drawn:
    """Memberships of the leaves, and R = `size` draws of them; None: none are needed.

    Parameters
    ----------
    source : of the answers. reading : how they are read. base : groups of the same answers, which know the design.

    Raises
    ------
    SampleError
        If that is more than can be held.
    """
    every = slice(0, len(reading.variables))
    if size is None:
        only = _part(source.groups(_flat(reading, every), by, "available"), reading.each, base, np.zeros(0))
        return Drawn(reading.memberships(only.means), only.missing, None, "none")
    _check_size(size, base, reading)
    if base.replication is not None:
        return _declared(source, reading, base, by, size, seed)
    exact = base.calibrated or base.second is not None or base.lone_psu in LINEAR_RULES
    few = (len(base.domains) + 1) * len(reading.variables) * reading.each <= MOST_NORMAL
    if not _redoable(source, base) or base.lone_psu in LINEAR_RULES or (exact and few):
        return _normal(source, reading, base, by, size, seed)
    again = _replicated(source, Replication("subbootstrap", size=size, seed=seed))
    found, units = _in_blocks(again, reading, base, by)
    of = "sampling units" if base.psus else "random groups of respondents" if units else "respondents"
    given = ", calibrated weights taken as given" if base.calibrated else ""
    return _joined(reading, found, None, f"bootstrap of {of}{given}")


def _check_size(size: int, base: Groups, reading: Reading) -> None:
    figures = (len(base.domains) + 1) * len(reading.variables) * len(reading.grades)
    if size * figures > MOST_KEPT:
        raise SampleError(
            f"{size} replicates of {figures} memberships ({len(base.domains)} groups × {len(reading.variables)} items "
            f"× {len(reading.grades)} grades) are more than can be held; at most replicates={MOST_KEPT // figures} are "
            "possible here. Ask for fewer, or for fewer groups at a time (survey.where)."
        )


def _redoable(source: Source, base: Groups) -> bool:
    return not base.published and (
        isinstance(source, RowSource) or (isinstance(source, UnitSource) and bool(base.psus))
    )


def _replicated(source: Source, replication: Replication) -> Source:
    if isinstance(source, UnitSource):
        return source.replicated(replication)
    raise SampleError.needs_rows("Drawing replicates")


def _flat(reading: Reading, at: slice) -> list[Variable]:
    return [variable for variables in reading.variables[at] for variable in variables]


def _blocks(reading: Reading, base: Groups, units: bool) -> list[slice]:
    """Leaves that are summed at once: few where the products of many units are summed, else many."""
    most = MOST_AT_ONCE // len(base.domains)
    if units:
        drawn = len(base.psus) or RANDOM_GROUPS * len(base.strata)
        cells = max(1, min(drawn * len(base.domains), int(base.n.sum())))
        most = min(most, int((PRODUCTS / cells) ** 0.5))
    step = max(1, most // reading.each)
    return [slice(start, start + step) for start in range(0, len(reading.variables), step)]


def _in_blocks(again: Source, reading: Reading, base: Groups, by: tuple[str, ...]) -> tuple[list[_Part], bool]:
    """Means and their replicates, some leaves after the other; whether units were drawn."""
    found, units = [], getattr(getattr(again, "design", None), "psu", None) is not None or bool(base.psus)
    for at in _blocks(reading, base, units):
        groups = again.groups(_flat(reading, at), by, "available")
        units = bool(groups.psus)
        found.append(_part(groups, reading.each, base, replicate_sums(groups, grams=False)))
    return found, units


def _part(groups: Groups, each: int, base: Groups, sums: np.ndarray) -> _Part:
    order = [groups.domains.index(domain) for domain in base.domains]
    whole = groups.over_domains(groups.gram[:, 0])[order]
    absent = (groups.over_domains(groups.n)[:, None] - groups.over_domains(groups.counts)[:, ::each])[order]
    redone = _means(sums[:, order], groups) if sums.ndim > 1 else np.zeros((0, *whole.shape))
    return _Part(_means(whole, groups), redone, _with_overall(absent))


def _means(totals: np.ndarray, groups: Groups) -> np.ndarray:
    """(…, D', k) means from the totals (…, D, p)."""
    weights, sums = first_moments(totals[..., None, :], len(groups.names), groups.rule)
    weights, sums = _with_overall(weights), _with_overall(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(groups.midpoint + sums / np.where(weights > 0, weights, np.nan))


def _with_overall(cells: np.ndarray) -> np.ndarray:
    """(…, D', k): the groups and, if there are several, their sum."""
    if cells.shape[-2] == 1:
        return cells
    return np.concatenate([cells, cells.sum(axis=-2, keepdims=True)], axis=-2)


def _joined(reading: Reading, parts: list[_Part], noise: np.ndarray | None, words: str) -> Drawn:
    """Memberships of all leaves; `noise` (size, R) mixes the deviations of replicates into normal draws."""
    rows, draws, start = [], [], 0
    for part in parts:
        at = slice(start, start + part.missing.shape[-1])
        redone = part.redone
        if noise is not None:
            apart = (redone - np.nanmean(redone, axis=0)).reshape(len(redone), -1)
            redone = part.means + (noise @ np.nan_to_num(apart)).reshape(-1, *part.means.shape)
        rows.append(reading.memberships(part.means, at))
        draws.append(reading.memberships(redone, at))
        start = at.stop
    missing = np.concatenate([part.missing for part in parts], axis=1)
    return Drawn(np.concatenate(rows, axis=1), missing, np.concatenate(draws, axis=2), words)


def _declared(source: Source, reading: Reading, base: Groups, by: tuple[str, ...], size: int, seed: int) -> Drawn:
    """Replicate weights of the design: draws themselves if they are a bootstrap, else normal draws."""
    parts, _ = _in_blocks(source, reading, base, by)
    replication = base.replication
    kind = "" if replication is None else replication.kind
    scaling = scaling_of(base, len(parts[0].redone))
    factors = scaling.scale * scaling.rscales
    if kind in BOOTSTRAPS and np.all(np.abs(factors * (len(factors) - 1) - 1) < 0.1):
        return _joined(reading, parts, None, f"replicates: {kind}")
    noise = np.random.default_rng(seed).standard_normal((size, len(factors))) * np.sqrt(factors)
    return _joined(reading, parts, noise, f"normal draws, replicates: {kind}")


def _normal(source: Source, reading: Reading, base: Groups, by: tuple[str, ...], size: int, seed: int) -> Drawn:
    """Normal draws with the linearised joint covariance of all means."""
    groups = source.groups(_flat(reading, slice(None)), by, "available")
    part = _part(groups, reading.each, base, np.zeros(0))
    if part.means.size > 2 * MOST_NORMAL:
        raise SampleError(
            f"Normal draws of {part.means.size} means at once are too many; at most {2 * MOST_NORMAL} are drawn. "
            "Ask for fewer groups at a time (survey.where), or leave them out with over=()."
        )
    covariance = joint_totals_covariance(groups, _jacobian(groups), lambda totals: _smooth(totals, groups))
    order = [groups.domains.index(domain) for domain in base.domains]
    order = order if len(order) == 1 else [*order, len(order)]
    values, vectors = np.linalg.eigh(np.nan_to_num(covariance))
    noise = np.random.default_rng(seed).standard_normal((size, len(values))) * np.sqrt(np.maximum(values, 0.0))
    moved = (noise @ vectors.T).reshape(size, len(order), -1)[:, order]
    return _joined(reading, [replace(part, redone=part.means + moved)], None, "normal draws, linearisation")


def _smooth(totals: np.ndarray, groups: Groups) -> np.ndarray:
    means = np.nan_to_num(_means(totals, groups))
    return means.reshape(*means.shape[:-2], -1)


def _jacobian(groups: Groups) -> np.ndarray:
    """(D, D'·k, p) derivatives of the means of each group, and of all together, by the totals of each group."""
    totals = groups.over_domains(groups.gram[:, :1])
    weights, sums = first_moments(totals, len(groups.names), groups.rule)
    weights, sums = _with_overall(weights), _with_overall(sums)
    positive = weights > 0
    base = np.where(positive, weights, 1.0)
    scores = mean_scores(sums / base, positive / base, groups.rule)
    size, k, p = len(groups.domains), scores.shape[1], scores.shape[2]
    out = np.zeros((size, len(scores), k, p))
    out[np.arange(size), np.arange(size)] = scores[:size]
    out[:, size:] = scores[None, size:]
    return out.reshape(size, -1, p)
