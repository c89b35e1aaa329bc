"""Where estimation starts: each construct from the first principal component of its indicators."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.structural.discrepancy import Sample
from csat.structural.structure import Layout, Structure

#: What is assumed of a construct measured by constructs: share of their variance that it explains.
_SHARED = 0.5


def starting_values(layout: Layout, samples: Sequence[Sample]) -> np.ndarray:
    """(k,) starting values: rough loadings and variances, sample means, no paths, no covariances.

    Paths of zero keep Σ positive definite whatever the loadings; scoring finds the rest in a few steps.
    """
    theta = np.zeros(len(layout.names))
    for structure, sample in reversed(list(zip(layout.groups, samples, strict=True))):
        value = _of_group(structure, sample)
        for r, k in zip(structure.free[::-1].tolist(), structure.parameter[::-1].tolist(), strict=True):
            theta[k] = value.get(r, 0.0)  # backwards: the first row of a shared label decides
    return theta


def _of_group(structure: Structure, sample: Sample) -> dict[int, float]:
    """Starting value of each row of a group; zero where there is none."""
    rows = structure.rows
    measured = {
        name: [r for r, row in enumerate(rows) if row.op == "=~" and row.lhs == name] for name in structure.latents
    }
    variance = dict(zip(structure.observed, np.diag(sample.cov).tolist(), strict=True))
    value: dict[int, float] = {}
    unexplained = dict(variance)
    for name in _bottom_up(measured, structure):
        loads, spread = _construct(structure, sample.cov, name, measured[name], variance)
        variance[name] = unexplained[name] = spread
        for r, load in zip(measured[name], loads, strict=True):
            value[r] = load
            target = rows[r].rhs
            unexplained[target] = max(unexplained[target] - load**2 * spread, 0.1 * variance[target])
    value |= {r: unexplained[row.lhs] for r, row in enumerate(rows) if row.op == "~~" and row.lhs == row.rhs}
    if sample.mean is not None:
        centre = dict(zip(structure.observed, sample.mean.tolist(), strict=True))
        value |= {r: centre.get(row.lhs, 0.0) for r, row in enumerate(rows) if row.op == "~1"}
    return value | {r: row.start for r, row in enumerate(rows) if row.start is not None}


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
    if not set(names) <= set(structure.observed):
        return np.full(len(names), np.sqrt(_SHARED))
    if len(names) == 1:
        return np.ones(1)
    at = [structure.observed.index(name) for name in names]
    block = sample[np.ix_(at, at)]
    sd = np.sqrt(np.diag(block))
    values, vectors = np.linalg.eigh(block / np.outer(sd, sd))
    shared = np.clip((values[-1] - 1.0) / (len(names) - 1), 0.1, 0.9)
    loads = vectors[:, -1] * np.sqrt(len(names) * shared)
    loads = np.where(np.abs(loads) < 0.2, 0.2 * np.where(loads < 0, -1.0, 1.0), np.clip(loads, -0.95, 0.95))
    return loads * np.sign(loads[0])
