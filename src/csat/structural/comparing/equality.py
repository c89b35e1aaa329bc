"""Score tests of equalities: which shared parameter, label or equation a model would fit better without."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail, holm
from csat.errors import OptionError
from csat.model import Row
from csat.moments import as_names, shown
from csat.results import Shown
from csat.structural.comparing.scores import bread_of, freed, remaining
from csat.structural.engine.linear import RANK
from csat.structural.result import Sem

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
    """Score tests of equalities of a model.

    releases : the tests. chisq, df : of these equalities together.
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
        columns = ["lhs", "op", "rhs", "group", "label", "whole", "chisq", "df", "p", "epc", "sepc_all"]
        frame = pd.DataFrame([[getattr(one, name) for name in columns] for one in self.releases], columns=columns)
        frame = frame.astype(dict.fromkeys(("chisq", "p", "epc", "sepc_all"), float) | {"whole": bool, "df": int})
        whole, p = frame["whole"].to_numpy(), frame["p"].to_numpy()
        corrected = np.empty(len(p))
        for part in (whole, ~whole):
            corrected[part] = holm(p[part])
        frame.insert(9, "p_holm", corrected)
        return frame

    def glance(self) -> pd.DataFrame:
        """One row: number of equalities, and the test of all of them together.

        Degrees of freedom are what the equalities restrict. Where a model without them is not identified these are
        fewer than the equalities (lavaan counts the equalities).
        """
        p = float(chi2_tail(self.chisq, self.df)) if self.df else np.nan
        count = sum(one.whole for one in self.releases)
        return pd.DataFrame([{"equalities": count, "chisq": self.chisq, "df": self.df, "p": p}])


def equality_tests(result: Sem, *, without: Collection[str] = ()) -> EqualityTests:
    """Score tests of what a model holds equal: over groups, by a label, or by an equation.

    Parameters
    ----------
    result : of `sem`, for example with ``equal=["loadings", "intercepts"]``.
    without : relations ("f =~ x2", "x3 ~1") whose equality is not in question.

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
    spared = set(as_names(without, "without"))
    bread, n = bread_of(result), float(sum(result.sizes))
    ways = _ways(result, [m for m in _members(result) if _relation(result, m) not in spared])
    left = ways.own - ways.shared @ bread @ ways.shared.T
    found = [one for tie in dict.fromkeys(ways.tie.tolist()) for one in _of_tie(ways, tie, left, n)]
    together, df = _quadratic(ways.slope, left, np.diag(ways.own))
    return EqualityTests(tuple(found), n / 2.0 * together, df)


#: lhs, op, rhs, group and label.
Name = tuple[str, str, str, str, str]


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


def _row(result: Sem, member: _Member) -> Row:
    return result.layout.groups[member.group].rows[member.rows[0]]


def _relation(result: Sem, member: _Member) -> str:
    return _row(result, member).relation


@dataclass(frozen=True, slots=True, eq=False)
class _Ways:
    """Ways out of the equalities: each of M members alone changes, or the sides of an equation part.

    names : (M,). tie : (M,) number of the equality.
    slope : (M,) ∂F. own : (M, M) expected ∂²F. shared : (M, k) the same with the model's own parameters.
    unit : (M,) factor that standardizes a change, NaN where there is none.
    """

    names: list[Name]
    tie: np.ndarray
    slope: np.ndarray
    own: np.ndarray
    shared: np.ndarray
    unit: np.ndarray


def _ways(result: Sem, members: Sequence[_Member]) -> _Ways:
    """Derivatives along the ways out of ties, then out of equations."""
    state, k, m = result.optimum.state, len(result.layout.names), len(members)
    equations = np.linalg.pinv(state.layout.restriction_slope(state.theta), rcond=RANK).T
    size = m + len(equations)
    slope, own, shared, unit = np.zeros(size), np.zeros((size, size)), np.zeros((size, k)), np.full(size, np.nan)
    for g in {one.group for one in members}:
        at = [i for i, one in enumerate(members) if one.group == g]
        rows = sorted({r for i in at for r in members[i].rows})
        part = freed(result, g, rows)
        way = np.array([np.isin(rows, members[i].rows) for i in at], float)
        slope[at], shared[at] = way @ part.slope, way @ part.shared
        own[np.ix_(at, at)] = way @ part.own @ way.T
        unit[at] = np.where(way.sum(axis=1) == 1, way @ part.all, np.nan)
    shared[m:] = equations @ result.discrepancy.curvature(state)
    slope[m:] = equations @ result.discrepancy.gradient(state)
    own[:, m:] = shared @ equations.T
    own[m:, :m] = own[:m, m:].T
    names = [_name(result, one) for one in members]
    names += [_sides(constraint.text) for constraint in result.model.constraints]
    tie = np.array([*(one.parameter for one in members), *range(k, k + len(equations))], int)
    return _Ways(names, tie, slope, own, shared, unit)


def _name(result: Sem, member: _Member) -> Name:
    row = _row(result, member)
    return row.lhs, row.op, row.rhs, result.groups[member.group], row.label


def _sides(equation: str) -> Name:
    left, right = equation.split("==")
    return left, "==", right, "", ""


def _of_tie(ways: _Ways, tie: int, left: np.ndarray, n: float) -> list[Release]:
    """The test of one equality; of three or more members, first of all of them, then of each."""
    at = np.flatnonzero(ways.tie == tie)
    slope, own, rest = ways.slope[at], np.diag(ways.own)[at], left[np.ix_(at, at)]
    alone = remaining(np.diag(rest), own)
    chisq, epc = n / 2.0 * slope**2 / alone, -slope / alone
    whole = len(at) < 3
    singles = [
        Release(*ways.names[i], whole, float(chisq[j]), 1, float(epc[j]), float(epc[j] * ways.unit[i]))
        for j, i in enumerate(at.tolist())
    ]
    if whole:
        return singles[-1:]
    together, df = _quadratic(slope, rest, own)
    lhs, op, rhs, _, label = ways.names[at[0]]
    return [Release(lhs, op, rhs, "", label, True, n / 2.0 * together, df), *singles]


def _quadratic(slope: np.ndarray, curvature: np.ndarray, size: np.ndarray) -> tuple[float, int]:
    """slopeᵀ·curvature⁺·slope and the rank of the curvature, in units of `size`, the curvature of each by itself."""
    unit = 1.0 / np.sqrt(np.where(size > 0, size, 1.0))
    values, vectors = np.linalg.eigh(curvature * np.outer(unit, unit))
    kept = values > _RANK * values.max(initial=0.0)
    along = (vectors.T @ (unit * slope))[kept]
    return float(np.sum(along**2 / values[kept])), int(kept.sum())
