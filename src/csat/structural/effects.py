"""Direct, indirect and total effects between the variables of a model, with standard errors.

With A the coefficients of all arrows, the total effects are E − I, E = (I − A)⁻¹ = I + A + A² + …, and what remains of
them beside A itself is indirect (Bollen 1987, Sociological Methodology 17, 37–69; Sobel 1987, Sociological Methods &
Research 16(1), 155–176). Every effect is one function of theta; its derivative is one complex step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import ModelError, OptionError, closest
from csat.moments import as_names
from csat.replicates.intervals import interval_of
from csat.results import Estimates, Provenance, Shown, Unavailable
from csat.structural.engine.linear import total_effects
from csat.structural.engine.structure import Layout, Structure
from csat.structural.figures import without_noise
from csat.structural.uncertainty.resampled import Resampled

#: Kinds of effects.
DIRECT, INDIRECT, TOTAL, SPECIFIC = "direct", "indirect", "total", "specific"
_ARROW = "→"
_STEP = 1e-20


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect: of which group (counted from 0), of which kind, and the variables that it passes, cause first."""

    group: int
    kind: str
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Effects(Shown):
    """Direct, indirect and total effects, raw and standardized.

    estimates : raw. standardized : the same with all variables standardized. Both have their whole covariance.
    stability : (G,) largest |eigenvalue| of the coefficients of each group; total effects exist below 1. It is 0 if
        no path leads back to where it came from.
    group : column whose categories are the groups; None without groups.
    """

    estimates: Estimates
    standardized: Estimates
    stability: np.ndarray
    group: str | None

    def tidy(self) -> pd.DataFrame:
        """One row per effect.

        Returns
        -------
        DataFrame
            group; kind ("direct", "indirect" for all indirect ways together, "total", "specific" for one way); lhs,
            the variable that changes; rhs, the one that causes it; via, the way of a specific effect; estimate (change
            of lhs if rhs rises by 1), se, statistic, p, low, high; std_all (all variables standardized); note.
        """
        frame = self.estimates.tidy().drop(columns=["term", "df", "n", "n_eff"])
        note = frame.pop("note")
        return frame.assign(std_all=self.standardized.estimate, note=note)

    def glance(self) -> pd.DataFrame:
        """One row: number of effects, level, the stability index of the worst group, how errors were made."""
        found = self.estimates.glance().drop(columns="unit").rename(columns={"terms": "effects"})
        return found.assign(stability=float(self.stability.max()))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What effects and their errors follow from.

    layout : of the model. theta : (k,) its estimates. vcov : (k, k) their covariance, for the delta method.
    resampled : replicates to take errors from instead. df : of the t distribution of intervals, at `level`.
    sizes : (G,) respondents. group : column whose categories are the groups.
    """

    layout: Layout
    theta: np.ndarray
    vcov: np.ndarray
    resampled: Resampled | None
    sizes: tuple[int, ...]
    level: float
    df: float
    provenance: Provenance
    group: str | None


def effects_of(fitted: Fitted, specific: str | Sequence[str]) -> Effects:
    """Effects between all variables that paths (``~``) connect, group by group.

    Parameters
    ----------
    specific : ways through named variables, "a → b → c" (or "a -> b -> c").

    Raises
    ------
    ModelError
        If no variable is regressed on another.
    OptionError
        If a specific way takes an arrow that the model does not have.
    """
    rows = _effects_in(fitted.layout, [_steps_of(way) for way in as_names(specific, "specific")])
    stability = np.array([_stability(structure, fitted.theta) for structure in fitted.layout.groups])
    lost = {at for at, row in enumerate(rows) if _endless(row) and stability[row.group] >= 1}
    raw, standardized = (_estimates(rows, fitted, lost, standardized=how) for how in (False, True))
    return Effects(raw, standardized, stability, fitted.group)


def _endless(row: Effect) -> bool:
    """Whether the effect sums up ways of any length."""
    return row.kind in (INDIRECT, TOTAL)


def _steps_of(way: str) -> tuple[str, ...]:
    steps = tuple(step.strip().strip("`") for step in way.replace("->", _ARROW).split(_ARROW))
    if len(steps) < 3 or not all(steps):
        raise OptionError(f"specific={way!r}: an indirect way names three or more variables, as in 'a → b → c'.")
    return steps


def _effects_in(layout: Layout, ways: Sequence[tuple[str, ...]]) -> list[Effect]:
    """Effects of each group: pair by pair direct, indirect, total, as far as there is each; then the specific ones."""
    found: list[Effect] = []
    for g, structure in enumerate(layout.groups):
        arrows = _arrows(structure)
        members = dict.fromkeys(name for row in structure.rows if row.op == "~" for name in (row.rhs, row.lhs))
        at = [structure.variables.index(name) for name in members]
        beyond = _reach(arrows)
        further = (arrows.astype(int) @ beyond.astype(int)) > 0
        for i in at:
            for j in at:
                if i == j or not beyond[i, j]:
                    continue
                pair = (structure.variables[j], structure.variables[i])
                kinds = [DIRECT] * bool(arrows[i, j]) + [INDIRECT] * bool(further[i, j]) + [TOTAL]
                found += [Effect(g, kind, pair) for kind in kinds]
        found += [Effect(g, SPECIFIC, _checked(way, structure, arrows)) for way in ways]
    if not any(row.kind == TOTAL for row in found):
        raise ModelError(
            "The model has no paths, so that there are no effects. Add a relation such as 'loyalty ~ satisfaction'."
        )
    return found


def _arrows(structure: Structure) -> np.ndarray:
    """(m, m) where A is not zero by the model."""
    place = {name: at for at, name in enumerate(structure.variables)}
    found = np.zeros((len(place), len(place)), bool)
    for row in structure.rows:
        if row.op in ("~", "<~") and row.fixed != 0:
            found[place[row.lhs], place[row.rhs]] = True
        if row.op == "=~" and row.fixed != 0:
            found[place[row.rhs], place[row.lhs]] = True
    return found


def _reach(arrows: np.ndarray) -> np.ndarray:
    """(m, m) whether any way leads from column to row."""
    reach = arrows.copy()
    for k in range(len(reach)):
        reach |= np.outer(reach[:, k], reach[k])
    return reach


def _checked(way: tuple[str, ...], structure: Structure, arrows: np.ndarray) -> tuple[str, ...]:
    known = structure.variables
    for name in way:
        if name not in known:
            raise OptionError(
                f"specific: the model has no variable {name!r}. Did you mean {closest(name, list(known))}?"
            )
    for cause, outcome in pairwise(way):
        if not arrows[known.index(outcome), known.index(cause)]:
            raise OptionError(
                f"specific={f' {_ARROW} '.join(way)!r}: the model has no arrow from {cause!r} to {outcome!r}."
            )
    return way


def _stability(structure: Structure, theta: np.ndarray) -> float:
    """Largest |eigenvalue| of A; exactly 0 without loops (Bentler & Freeman 1983, Psychometrika 48(1), 143–145)."""
    if not np.diag(_reach(_arrows(structure))).any():
        return 0.0
    return float(np.abs(np.linalg.eigvals(structure.matrices(theta)[0])).max())


def _values(rows: Sequence[Effect], layout: Layout, theta: np.ndarray, *, standardized: bool) -> np.ndarray:
    """(…, effects) at theta (…, k), real or complex."""
    out = np.empty((*theta.shape[:-1], len(rows)), theta.dtype)
    for g, structure in enumerate(layout.groups):
        mine = [at for at, row in enumerate(rows) if row.group == g]
        place = {name: at for at, name in enumerate(structure.variables)}
        a, s, _ = structure.matrices(theta)
        reach = total_effects(a, structure.causes)
        first = [place[rows[at].path[0]] for at in mine]
        last = [place[rows[at].path[-1]] for at in mine]
        direct, total = a[..., last, first], reach[..., last, first]
        kind = np.array([rows[at].kind for at in mine])
        values = np.where(kind == DIRECT, direct, np.where(kind == TOTAL, total, total - direct))
        for n, at in enumerate(mine):
            if rows[at].kind == SPECIFIC:
                steps = [place[name] for name in rows[at].path]
                values[..., n] = np.prod(a[..., steps[1:], steps[:-1]], axis=-1)
        if standardized:
            sd = _deviations(reach, s)
            values = values * sd[..., first] / sd[..., last]
        out[..., mine] = values
    return out


def _deviations(reach: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """(…, m) standard deviations of all variables; NaN where a variance is not positive."""
    total = np.sum((reach @ residual) * reach, axis=-1)
    return np.sqrt(np.where(total.real > 0, total, np.nan))


def _joint(resampled: Resampled, draws: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(q, q) covariance of figures from their draws (used, q); a figure that a draw lacks counts as not drawn."""
    se = resampled.spread(draws, values)
    middle = values if resampled.scaling.mse else np.nanmean(draws, axis=0)
    apart = np.nan_to_num(draws - middle) * np.sqrt(resampled.scaling.rscales[resampled.used])[:, None]
    cross = apart.T @ apart
    own = np.sqrt(np.diag(cross))
    onto = np.divide(se, own, out=np.zeros_like(own), where=own > 0)
    return cross * np.outer(onto, onto)


def _estimates(rows: Sequence[Effect], fitted: Fitted, unstable: Collection[int], *, standardized: bool) -> Estimates:
    values = _values(rows, fitted.layout, fitted.theta, standardized=standardized)
    spread, bounds, df = _uncertainty(rows, fitted, values, standardized=standardized)
    lost = sorted({*unstable, *np.flatnonzero(~np.isfinite(values)).tolist()})
    for array in (values, spread, spread.T, *(bounds or ())):
        array[lost] = np.nan
    return Estimates(
        tuple(f"{row.path[0]} {_ARROW} {row.path[-1]}" for row in rows),
        values,
        spread,
        df,
        np.array([fitted.sizes[row.group] for row in rows]),
        np.full(len(rows), np.nan),
        "standard deviations" if standardized else "scale",
        fitted.provenance,
        fitted.level,
        0.0,
        _keys(rows, fitted.layout),
        {at: Unavailable("unstable" if at in unstable else "not_identified") for at in lost},
        bounds,
    )


def _uncertainty(
    rows: Sequence[Effect], fitted: Fitted, values: np.ndarray, *, standardized: bool
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray] | None, float]:
    """Covariance (q, q) of the effects, ends of their intervals if these are percentiles, degrees of freedom."""
    draws, bounds, df = fitted.resampled, None, fitted.df
    if draws is None:
        nudged = fitted.theta + 1j * _STEP * np.eye(len(fitted.theta))
        slope = np.imag(_values(rows, fitted.layout, nudged, standardized=standardized)).T / _STEP
        spread = slope @ fitted.vcov @ slope.T
    else:
        at = np.flatnonzero(draws.used)
        drawn = _values(rows, draws.layout.take(at), draws.theta[at], standardized=standardized)
        spread, df = _joint(draws, drawn, values), np.inf if draws.drawn else draws.df
        bounds = interval_of(drawn, values, fitted.level, "percentile", np.zeros(len(values))) if draws.drawn else None
    none = without_noise(values, np.sqrt(np.maximum(np.diag(spread), 0.0))) == 0
    return np.where(none[:, None] | none, 0.0, spread), bounds, df


def _keys(rows: Sequence[Effect], layout: Layout) -> dict[str, tuple[Any, ...]]:
    return {
        "group": tuple(layout.labels[row.group] for row in rows),
        "kind": tuple(row.kind for row in rows),
        "lhs": tuple(row.path[-1] for row in rows),
        "rhs": tuple(row.path[0] for row in rows),
        "via": tuple(f" {_ARROW} ".join(row.path[1:-1]) for row in rows),
    }
