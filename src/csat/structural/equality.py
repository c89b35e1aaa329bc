"""Score tests of equalities: which shared parameter, label or equation a model would fit better without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail, holm
from csat.errors import OptionError
from csat.moments import shown
from csat.results import Shown
from csat.structural.result import Sem
from csat.structural.scores import bread_of, efficient, freed

#: Eigenvalues below this share of the largest count as zero, each parameter in its own unit.
_RANK = 1e-9


@dataclass(frozen=True, slots=True)
class Release:
    """Test of one equality, or of one group's or one relation's part in it.

    lhs, op, rhs : the relation; the two sides of an equation. group : whose parameter alone is set free; "" for all.
    label : of the parameter. whole : the test of the equality itself, not of a part of three or more.
    chisq, df : score test. epc : expected difference from the value that the others go on sharing; of an equation,
    of its left from its right side; NaN for several at once. sepc_all : with all variables standardized.
    """

    lhs: str
    op: str
    rhs: str
    group: str
    label: str
    whole: bool
    chisq: float
    df: int
    epc: float = np.nan
    sepc_all: float = np.nan

    @property
    def p(self) -> float:
        """Upper tail."""
        return float(chi2_tail(self.chisq, self.df)) if self.df else np.nan


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EqualityTests(Shown):
    """Score tests of all equalities of a model.

    releases : the tests. chisq, df : of all equalities together.
    """

    releases: tuple[Release, ...]
    chisq: float
    df: int

    def tidy(self) -> pd.DataFrame:
        """One row per test.

        Returns
        -------
        DataFrame
            lhs, op, rhs, group (whose parameter is set free; empty for all), label, whole, chisq, df, p, p_holm
            (corrected for the number of equalities, or of parts), epc, sepc_all.
        """
        columns = ["lhs", "op", "rhs", "group", "label", "whole", "chisq", "df", "p", "p_holm", "epc", "sepc_all"]
        p = np.array([one.p for one in self.releases])
        whole = np.array([one.whole for one in self.releases], bool)
        corrected = np.full(len(p), np.nan)
        for part in (whole, ~whole):
            corrected[part] = holm(p[part])
        frame = pd.DataFrame(
            [[getattr(one, column, np.nan) for column in columns] for one in self.releases], columns=columns
        )
        return frame.assign(p_holm=corrected)

    def glance(self) -> pd.DataFrame:
        """One row: number of equalities, and the test of all of them together.

        Degrees of freedom are what the equalities restrict. Where a model without them is not identified these are
        fewer than the equalities (lavaan counts the equalities).
        """
        p = float(chi2_tail(self.chisq, self.df)) if self.df else np.nan
        count = sum(one.whole for one in self.releases)
        return pd.DataFrame([{"equalities": count, "chisq": self.chisq, "df": self.df, "p": p}])


def equality_tests(result: Sem) -> EqualityTests:
    """Score tests of what a model holds equal: over groups, by a label, or by an equation.

    Parameters
    ----------
    result : of `sem`, for example with ``equal=["loadings", "intercepts"]``.

    Returns
    -------
    EqualityTests
        Of each equality. Where three or more parameters are equal, also of each by itself: what is gained if it alone
        may differ. Empty without equalities.

    Raises
    ------
    OptionError
        For anything but a result of `sem`.

    Notes
    -----
    As lavaan's ``lavTestScore``: expected information, n respondents, model-based under robust estimators too.
    """
    if not isinstance(result, Sem):
        raise OptionError(f"equality_tests takes a result of csat.sem; found {shown(result)}.")
    bread, n = bread_of(result), float(sum(result.sizes))
    members = _members(result)
    slopes = _slopes(result, members)
    found = [one for tie in dict.fromkeys(m.parameter for m in members) for one in _of_tie(tie, slopes, bread, n)]
    return EqualityTests((*found, *_of_equations(result, bread, n)), *_together(result, n))


@dataclass(frozen=True, slots=True)
class _Member:
    """One of the things that share a parameter: a group, or within one group a relation; `rows` stand there."""

    parameter: int
    group: int
    rows: tuple[int, ...]


def _members(result: Sem) -> list[_Member]:
    """What the shared parameters can be taken apart into, parameter by parameter."""
    places: dict[int, dict[int, list[int]]] = {}
    for g, structure in enumerate(result.layout.groups):
        for r, parameter in zip(structure.free.tolist(), structure.parameter.tolist(), strict=True):
            places.setdefault(parameter, {}).setdefault(g, []).append(r)
    found = []
    for parameter, of in sorted(places.items()):
        by_group = [_Member(parameter, g, tuple(rows)) for g, rows in of.items()]
        by_row = [_Member(parameter, g, (r,)) for g, rows in of.items() for r in rows]
        parts = by_group if len(of) > 1 else by_row
        found += parts if len(parts) > 1 else []
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Slopes:
    """Derivatives of F as each of M members alone changes.

    names : (M,) lhs, op, rhs, group and label. slope : (M,). own : (M, M) expected curvature, zero between groups.
    shared : (M, k) the same with the model's own parameters. unit : (M,) factor that standardizes a member, or NaN.
    """

    members: list[_Member]
    names: list[tuple[str, str, str, str, str]]
    slope: np.ndarray
    own: np.ndarray
    shared: np.ndarray
    unit: np.ndarray


def _slopes(result: Sem, members: Sequence[_Member]) -> _Slopes:
    size = len(members)
    slopes = _Slopes(
        list(members), [_name(result, one) for one in members], np.zeros(size), np.zeros((size, size)),
        np.zeros((size, len(result.layout.names))), np.full(size, np.nan),
    )  # fmt: skip
    for g in {one.group for one in members}:
        at = [i for i, one in enumerate(members) if one.group == g]
        rows = sorted({r for i in at for r in members[i].rows})
        part = freed(result, g, rows)
        way = np.array([np.isin(rows, members[i].rows) for i in at], float)
        slopes.slope[at], slopes.shared[at] = way @ part.slope, way @ part.shared
        slopes.own[np.ix_(at, at)] = way @ part.own @ way.T
        slopes.unit[at] = np.where(way.sum(axis=1) == 1, way @ part.all, np.nan)
    return slopes


def _name(result: Sem, member: _Member) -> tuple[str, str, str, str, str]:
    """lhs, op, rhs, group and label of a member."""
    row = result.layout.groups[member.group].rows[member.rows[0]]
    return row.lhs, row.op, row.rhs, result.groups[member.group], row.label


def _of_tie(parameter: int, slopes: _Slopes, bread: np.ndarray, n: float) -> list[Release]:
    """The test of one equality; of three or more members, first of all of them, then of each."""
    at = [i for i, one in enumerate(slopes.members) if one.parameter == parameter]
    own, shared, slope = slopes.own[np.ix_(at, at)], slopes.shared[at], slopes.slope[at]
    alone = efficient(np.diag(own), shared, bread)
    chisq, epc = n / 2.0 * slope**2 / alone, -slope / alone
    pair = len(at) == 2
    singles = [
        Release(*slopes.names[i], pair, float(chisq[j]), 1, float(epc[j]), float(epc[j] * slopes.unit[i]))
        for j, i in enumerate(at)
    ]
    if pair:
        return singles[1:]
    together, df = _quadratic(slope, own - shared @ bread @ shared.T, np.diag(own))
    lhs, op, rhs, _, label = slopes.names[at[0]]
    return [Release(lhs, op, rhs, "", label, True, n / 2.0 * together, df), *singles]


def _quadratic(slope: np.ndarray, curvature: np.ndarray, size: np.ndarray) -> tuple[float, int]:
    """slopeᵀ·curvature⁺·slope and the rank of the curvature, in units of `size`, the curvature of each by itself."""
    unit = 1.0 / np.sqrt(np.where(size > 0, size, 1.0))
    values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
    kept = values > _RANK * max(float(values.max(initial=0.0)), 1e-300)
    along = (vectors.T @ (unit * slope))[kept]
    return float(np.sum(along**2 / values[kept])), int(kept.sum())


def _of_equations(result: Sem, bread: np.ndarray, n: float) -> list[Release]:
    """Tests of the equations written into the model, each left out in turn."""
    state = result.optimum.state
    slope = state.layout.restriction_slope(state.theta)
    if not len(slope):
        return []
    way = np.linalg.pinv(slope)
    curvature = result.discrepancy.curvature(state)
    shared = way.T @ curvature
    alone = efficient(np.einsum("qk,kq->q", shared, way), shared, bread)
    along = way.T @ result.discrepancy.gradient(state)
    sides = [constraint.text.split("==") for constraint in result.model.constraints]
    return [
        Release(
            left, "==", right, "", "", True, float(n / 2.0 * along[c] ** 2 / alone[c]), 1, float(-along[c] / alone[c])
        )
        for c, (left, right) in enumerate(sides)
    ]


def _together(result: Sem, n: float) -> tuple[float, int]:
    """Score test of all equalities at once: every free parameter of every group by itself."""
    total, rank = 0.0, 0
    for g, structure in enumerate(result.layout.groups):
        part = freed(result, g, structure.free.tolist())
        found, own = _quadratic(part.slope, part.own, np.diag(part.own))
        total, rank = total + n / 2.0 * found, rank + own
    return total, rank - result.measures.npar
