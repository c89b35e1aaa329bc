"""Score tests: what a parameter would gain if it were set free, from derivatives at the estimates alone.

A parameter that is fixed, absent or tied has a slope ∂F there, and an expected curvature of F beside the parameters
that are estimated. Their ratio is its expected change, slope²/curvature the expected fall of F (Sörbom 1989,
Psychometrika 54(3), 371–384; Saris, Satorra & Sörbom 1987, Sociological Methodology 17).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from csat.model import Row
from csat.structural.engine.structure import Layout, Structure, build, evaluate
from csat.structural.engine.values import table_values, units_of
from csat.structural.result import Sem
from csat.structural.uncertainty.sandwich import bordered_inverse

#: Share of its own curvature below which nothing is left of a parameter that the others do not tell already.
_NOTHING_LEFT = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class Freed:
    """Parameters of one group set free, with derivatives of F at the estimates.

    rows : (m,) their rows. group : (m,) position of their group.
    slope : (m,) ∂F by them. own : (m, m) expected ∂²F. shared : (m, k) the same with the model's own parameters.
    all, lv : (m,) factors that standardize them.
    """

    rows: tuple[Row, ...]
    group: np.ndarray
    slope: np.ndarray
    own: np.ndarray
    shared: np.ndarray
    all: np.ndarray
    lv: np.ndarray


def freed(result: Sem, group: int, released: Sequence[int], added: Sequence[Row] = ()) -> Freed:
    """Set parameters of a group free.

    Parameters
    ----------
    group : position of the group. released : positions among its rows, fixed or tied.
    added : rows that the model does not have, taken at 0.
    """
    base, k = result.layout, len(result.layout.names)
    new = [*released, *range(len(base.groups[group].rows), len(base.groups[group].rows) + len(added))]
    structure = _extended(result, group, new, added)
    layout = Layout(
        tuple(structure if g == group else other for g, other in enumerate(base.groups)), base.labels,
        (*base.names, *(structure.rows[r].relation for r in new)), (),
    )  # fmt: skip
    start = sum(len(other.rows) for other in base.groups[:group])
    values = table_values(base, (), result.optimum.theta, "raw")[start + np.asarray(released, int)]
    theta = np.concatenate([result.optimum.theta, values, np.zeros(len(added))])
    state = evaluate(layout, theta)
    curvature = result.discrepancy.curvature(state)
    # What moves with one of the model's own parameters: itself, and the cells that were taken out of it.
    moved = np.vstack([np.eye(k), _was(base.groups[group], new, k)])
    return Freed(
        rows=tuple(structure.rows[r] for r in new),
        group=np.full(len(new), group),
        slope=result.discrepancy.gradient(state)[k:],
        own=curvature[k:, k:],
        shared=curvature[k:] @ moved,
        all=units_of(structure, theta, "all")[new],
        lv=units_of(structure, theta, "lv")[new],
    )


def _extended(result: Sem, group: int, new: Sequence[int], added: Sequence[Row]) -> Structure:
    """The group with `new` rows free, after the parameters of the model in theta."""
    base, sample = result.layout.groups[group], result.samples[group]
    loose = [
        replace(row, fixed=None, label="", tie="") if r in set(new) else row
        for r, row in enumerate([*base.rows, *added])
    ]
    means = sample.mean if base.means else None
    structure = build([replace(row, group=0) for row in loose], base.observed, [sample.cov], [means]).groups[0]
    place = dict(zip(base.free.tolist(), base.parameter.tolist(), strict=True))
    place |= {r: len(result.layout.names) + at for at, r in enumerate(new)}
    return replace(structure, parameter=np.array([place[r] for r in structure.free.tolist()], int))


def _was(base: Structure, new: Sequence[int], k: int) -> np.ndarray:
    """(m, k) which of the model's own parameters each released row was."""
    place = dict(zip(base.free.tolist(), base.parameter.tolist(), strict=True))
    out = np.zeros((len(new), k))
    for at, r in enumerate(new):
        if r in place:
            out[at, place[r]] = 1.0
    return out


def bread_of(result: Sem) -> np.ndarray:
    """(k, k) inverse expected curvature of F by the model's own parameters, bordered by constraints."""
    state = result.optimum.state
    return bordered_inverse(result.discrepancy.curvature(state), state.layout.restriction_slope(state.theta))


def remaining(left: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(…) what is left of the curvatures `own` beside the model's own parameters; NaN where that is nothing."""
    return np.where(left > _NOTHING_LEFT * own, left, np.nan)


def efficient(own: np.ndarray, shared: np.ndarray, bread: np.ndarray) -> np.ndarray:
    """(m,) curvature of parameters beside the model's own: NaN where nothing is left of it.

    Parameters
    ----------
    own : (m,) expected ∂²F by each. shared : (m, k) with the model's own parameters. bread : (k, k).
    """
    return remaining(own - np.einsum("mk,kl,ml->m", shared, bread, shared, optimize=True), own)
