"""Where estimation starts: constructs from the first principal components of their indicators, paths by regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.structural.engine.cells import MEAN, PAIR, PATH
from csat.structural.engine.discrepancy import Sample
from csat.structural.engine.linear import definite, total_effects
from csat.structural.engine.structure import Layout, Structure

#: What is assumed of a construct measured by constructs: share of their variance that it explains.
_SHARED = 0.5


def starting_values(layout: Layout, samples: Sequence[Sample]) -> np.ndarray:
    """(k,) starting values: rough loadings and variances, regressions among weighted sums of indicators, fitting means.

    Residual covariances are zero. Σ is positive definite whatever the loadings and paths, since P is.
    """
    theta = np.zeros(len(layout.names))
    for structure, sample in reversed(list(zip(layout.groups, samples, strict=True))):
        value = _of_group(structure, sample)
        for r, k in zip(structure.free[::-1].tolist(), structure.parameter[::-1].tolist(), strict=True):
            theta[k] = value.get(r, 0.0)  # backwards: the first row of a shared label decides
    return _with_means(layout, samples, theta)


def _with_means(layout: Layout, samples: Sequence[Sample], theta: np.ndarray) -> np.ndarray:
    """Intercepts and means moved so that the model's means fit the sample's, given its loadings and paths.

    They are linear in them; a sample's means count in units of their standard deviations.
    """
    moved, slopes, gaps = set[int](), [], []
    for structure, sample in zip(layout.groups, samples, strict=True):
        if sample.mean is None:
            return theta
        a, _, alpha = structure.matrices(theta)
        total = total_effects(a, structure.causes)[: structure.p]
        spread = np.sqrt(np.diag(sample.cov))
        slope = np.zeros((structure.p, len(theta)))
        for r, k in zip(structure.free.tolist(), structure.parameter.tolist(), strict=True):
            if structure.cells[r, 0] == MEAN and structure.rows[r].start is None:
                slope[:, k] += total[:, structure.cells[r, 1]] / spread
                moved.add(k)
        slopes.append(slope)
        gaps.append((sample.mean - total @ alpha) / spread)
    at = sorted(moved)
    step = np.linalg.lstsq(np.concatenate(slopes)[:, at], np.concatenate(gaps), rcond=1e-8)[0]
    out = theta.copy()
    out[at] += step
    return out


def _of_group(structure: Structure, sample: Sample) -> dict[int, float]:
    """Starting value of each row of a group; zero where there is none."""
    rows = structure.rows
    measured: dict[str, list[int]] = {name: [] for name in structure.latents}
    for r, row in enumerate(rows):
        if row.op == "=~":
            measured[row.lhs].append(r)
    variance = dict(zip(structure.observed, np.diag(sample.cov).tolist(), strict=True))
    value: dict[int, float] = {}
    unexplained = dict(variance)
    order = _bottom_up(measured, structure)
    for name in order:
        loads, spread = _construct(structure, sample.cov, name, measured[name], variance)
        variance[name] = unexplained[name] = spread
        for r, load in zip(measured[name], loads, strict=True):
            value[r] = load
            target = rows[r].rhs
            unexplained[target] = max(unexplained[target] - load**2 * spread, 0.1 * variance[target])
    value |= {r: unexplained[row.lhs] for r, row in enumerate(rows) if row.op == "~~" and row.lhs == row.rhs}
    weights = _weights(structure, [(name, measured[name]) for name in order], value, unexplained)
    value |= _relations(structure, weights @ sample.cov @ weights.T, value)
    if sample.mean is not None:
        centre = dict(zip(structure.observed, sample.mean.tolist(), strict=True))
        value |= {r: centre.get(row.lhs, 0.0) for r, row in enumerate(rows) if row.op == "~1"}
    return value | {r: row.start for r, row in enumerate(rows) if row.start is not None}


def _weights(
    structure: Structure, measured: list[tuple[str, list[int]]], value: dict[int, float], unexplained: dict[str, float]
) -> np.ndarray:
    """(m, p) sums of the observed variables that stand in for all variables: Bartlett's weights for constructs."""
    place = {name: at for at, name in enumerate(structure.variables)}
    out = np.eye(len(place), structure.p)
    for name, at in measured:
        if at:
            loads = np.array([value[r] for r in at])
            weight = loads / np.array([unexplained[structure.rows[r].rhs] for r in at])
            mass = weight @ loads
            out[place[name]] = weight @ out[[place[structure.rows[r].rhs] for r in at]] / (mass if mass > 0 else 1.0)
    return out


def _relations(structure: Structure, cov: np.ndarray, value: dict[int, float]) -> dict[int, float]:
    """Paths, what they leave of variances, and covariances of what nothing explains, from sums with this covariance."""
    cells = structure.cells.tolist()
    own = {i: r for r, (kind, i, j) in enumerate(cells) if kind == PAIR and i == j}
    explained: dict[int, list[int]] = {}
    for r, row in enumerate(structure.rows):
        if row.op == "~":
            explained.setdefault(cells[r][1], []).append(r)
    found: dict[int, float] = {}
    for effect, mine in explained.items():
        causes = [cells[r][2] for r in mine]
        among, toward = cov[np.ix_(causes, causes)], cov[causes, effect]
        paths = np.linalg.solve(among + np.diag(1e-8 * np.diag(among) + 1e-300), toward)
        found |= dict(zip(mine, paths.tolist(), strict=True))
        if effect in own and cov[effect, effect] > 0:
            found[own[effect]] = value[own[effect]] * max(1.0 - paths @ toward / cov[effect, effect], 0.1)
    return found | _unexplained(structure, cov, value, own)


def _unexplained(
    structure: Structure, cov: np.ndarray, value: dict[int, float], own: dict[int, int]
) -> dict[int, float]:
    """Covariances of variables that nothing explains: correlations of their sums; none if P would be indefinite."""
    kind, i, j = structure.cells.T
    outer = np.zeros(len(cov), bool)
    outer[list(own)] = True
    outer[i[kind == PATH]] = False
    free = structure.free
    pairs = free[(kind[free] == PAIR) & (i[free] != j[free]) & outer[i[free]] & outer[j[free]]]
    if not len(pairs):
        return {}
    at = np.flatnonzero(outer)
    variance = np.abs([value[own[v]] for v in at.tolist()])
    scale = np.zeros(len(cov))
    scale[at] = np.sqrt(variance / np.maximum(np.diag(cov)[at], 1e-300))
    found = cov[i[pairs], j[pairs]] * scale[i[pairs]] * scale[j[pairs]]
    block = np.zeros_like(cov)
    block[i[pairs], j[pairs]] = block[j[pairs], i[pairs]] = found
    block[at, at] = variance
    return dict(zip(pairs.tolist(), found.tolist(), strict=True)) if definite(block[np.ix_(at, at)]) else {}


def _bottom_up(measured: dict[str, list[int]], structure: Structure) -> list[str]:
    """Constructs, those that measure another one before it."""
    waiting, done = list(measured), []
    while waiting:
        ready = [n for n in waiting if not any(structure.rows[r].rhs in waiting for r in measured[n])] or waiting[:1]
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done


def _construct(
    structure: Structure, sample: np.ndarray, name: str, places: list[int], variance: dict[str, float]
) -> tuple[list[float], float]:
    """Loadings and variance of one construct, in the unit that its fixed loading or variance sets."""
    rows = structure.rows
    sds = np.sqrt([variance.get(rows[r].rhs, 1.0) for r in places])
    loads = _standard_loadings(structure, sample, [rows[r].rhs for r in places]) * sds if places else np.ones(0)
    own = next((row.fixed for row in rows if row.op == "~~" and row.lhs == row.rhs == name), None)
    if own:
        unit = np.sqrt(abs(own))
    else:
        anchored = [(load, rows[r].fixed) for load, r in zip(loads, places, strict=True) if rows[r].fixed]
        unit = anchored[0][0] / anchored[0][1] if anchored else 1.0
    given = [rows[r].fixed for r in places]
    return [load / unit if value is None else value for load, value in zip(loads, given, strict=True)], unit**2


def _standard_loadings(structure: Structure, sample: np.ndarray, names: list[str]) -> np.ndarray:
    """Rough loadings of standardized indicators, the first one positive."""
    place = {name: at for at, name in enumerate(structure.observed)}
    if not place.keys() >= set(names):
        return np.full(len(names), np.sqrt(_SHARED))
    if len(names) == 1:
        return np.ones(1)
    at = [place[name] for name in names]
    block = sample[np.ix_(at, at)]
    sd = np.sqrt(np.diag(block))
    values, vectors = np.linalg.eigh(block / np.outer(sd, sd))
    shared = min(max(float(values[-1] - 1.0) / (len(names) - 1), 0.1), 0.9)
    loads = vectors[:, -1] * np.sqrt(len(names) * shared)
    size = np.minimum(np.maximum(np.abs(loads), 0.2), 0.95)
    return np.copysign(size, loads * loads[0])
