"""Modification indices: which relation, left out of a model, would improve its fit most, and what it would be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, permutations
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import chi2_tail, holm
from csat.errors import OptionError, check_switch
from csat.model import Row
from csat.moments import shown
from csat.results import Shown
from csat.structural.comparing.scores import Freed, bread_of, efficient, freed
from csat.structural.engine.structure import Structure
from csat.structural.ordered.binormal import normal_cdf, normal_quantile
from csat.structural.result import Sem

#: Parameters that are set free together: memory grows with the square.
_TOGETHER = 300
#: Power from which a test that is silent counts as evidence (Saris, Satorra & van der Veld 2009).
_POWERFUL = 0.75
_ALPHA = 0.05


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Modifications(Shown):
    """Parameters that a model fixes or lacks, each as if it alone were set free.

    rows : (m,) relations. groups : (m,) names of their groups.
    mi : (m,) expected fall of χ², with one degree of freedom. epc : (m,) expected change from its present value.
    sepc_lv, sepc_all : (m,) the same with constructs, or all variables, standardized.
    delta : change, in units of `sepc_all`, that would matter.
    order : (m,) rows as shown.
    unidentified : how many more the data could not tell from the rest of the model.
    """

    rows: tuple[Row, ...]
    groups: tuple[str, ...]
    mi: np.ndarray
    epc: np.ndarray
    sepc_lv: np.ndarray
    sepc_all: np.ndarray
    delta: float
    order: np.ndarray
    unidentified: int

    @property
    def p(self) -> np.ndarray:
        """(m,) upper tail of each index."""
        return chi2_tail(self.mi, 1.0)

    @property
    def power(self) -> np.ndarray:
        """(m,) chance that an index turns out significant at 5 % where a change of size `delta` is missing."""
        with np.errstate(divide="ignore", invalid="ignore"):
            reach = np.sqrt(self.mi) * self.delta / np.abs(self.sepc_all)
        z = float(normal_quantile(np.array(1.0 - _ALPHA / 2)))
        return normal_cdf(reach - z) + normal_cdf(-reach - z)

    @property
    def decision(self) -> list[str]:
        """(m,) "misspecified", "fine" or "inconclusive", from index, power and size of the change.

        A significant index is a misspecification if the power is low, or the change at least `delta`; one that is not
        significant is evidence for the model only if the power is high.
        """
        significant, powerful = self.p < _ALPHA, self.power > _POWERFUL
        large = np.abs(self.sepc_all) > self.delta
        wrong = significant & (~powerful | large)
        return np.select([wrong, ~significant & ~powerful], ["misspecified", "inconclusive"], "fine").tolist()

    def tidy(self) -> pd.DataFrame:
        """One row per parameter.

        Returns
        -------
        DataFrame
            lhs, op, rhs, group, mi, p, p_holm (corrected for the number of parameters looked at), epc, sepc_lv,
            sepc_all, power, decision.
        """
        keys = [(row.lhs, row.op, row.rhs, group) for row, group in zip(self.rows, self.groups, strict=True)]
        figures = {"mi": self.mi, "p": self.p, "p_holm": holm(self.p), "epc": self.epc}
        figures |= {"sepc_lv": self.sepc_lv, "sepc_all": self.sepc_all, "power": self.power}
        frame = pd.DataFrame(keys, columns=["lhs", "op", "rhs", "group"]).assign(**figures, decision=self.decision)
        return frame.iloc[self.order].reset_index(drop=True)

    def glance(self) -> pd.DataFrame:
        """One row: parameters looked at, how many are significant (and would be by chance), the largest index."""
        count = {
            "parameters": len(self.mi), "shown": len(self.order), "significant": int((self.p < _ALPHA).sum()),
            "by_chance": _ALPHA * len(self.mi), "largest": float(np.max(self.mi, initial=0.0)), "delta": self.delta,
            "unidentified": self.unidentified,
        }  # fmt: skip
        return pd.DataFrame([count])


def modification_indices(result: Sem, *, sort: bool = True, minimum: float = 0.0, delta: float = 0.1) -> Modifications:
    """Score tests of the parameters that a model fixes or leaves out.

    Parameters
    ----------
    result : of `sem`.
    sort : largest index first; otherwise by group and kind of relation.
    minimum : smallest index shown.
    delta : change of a standardized parameter that would matter, for power and decision.

    Returns
    -------
    Modifications
        Loadings of all constructs on all items, covariances of the residuals of items, covariances of constructs,
        regressions among what stands in a regression, intercepts, and whatever the model fixes; not moments of
        observed predictors that are taken from the sample. Left out are parameters that would not be identified.

    Raises
    ------
    OptionError
        For anything but a result of `sem`, or numbers out of range.

    Notes
    -----
    n/2 · slope²/curvature, with the expected information and n respondents, as lavaan (which under least squares
    shortens the slope by (n − 1)/n, so that its expected changes are that much too small); the same under robust
    estimators, whose weights and clusters are not taken into account. An index is a hint, not a reason: change a
    model only for a relation that theory can name, one at a time, and try it on other respondents.
    Decisions: Saris, Satorra & van der Veld (2009), Structural Equation Modeling 16(4), 561–582.
    """
    _check(result, sort, minimum, delta)
    bread, n = bread_of(result), float(sum(result.sizes))
    parts = [part for g in range(len(result.groups)) for part in _parts(result, g)]
    curvature = _join([efficient(np.diag(part.own), part.shared, bread) for part in parts])
    known = np.isfinite(curvature)
    slope, curvature = _join([part.slope for part in parts])[known], curvature[known]
    mi, epc = n / 2.0 * slope**2 / curvature, -slope / curvature
    at = np.flatnonzero(mi >= minimum)
    rows = [row for part in parts for row in part.rows]
    return Modifications(
        rows=tuple(row for row, keep in zip(rows, known, strict=True) if keep),
        groups=tuple(result.groups[g] for g in _join([part.group for part in parts])[known].astype(int)),
        mi=mi,
        epc=epc,
        sepc_lv=epc * _join([part.lv for part in parts])[known],
        sepc_all=epc * _join([part.all for part in parts])[known],
        delta=float(delta),
        order=at[np.argsort(-mi[at], kind="stable")] if sort else at,
        unidentified=int((~known).sum()),
    )


def _check(result: Any, sort: Any, minimum: Any, delta: Any) -> None:
    if not isinstance(result, Sem):
        raise OptionError(f"modification_indices takes a result of csat.sem; found {shown(result)}.")
    check_switch("sort", sort)
    for option, value, least in (("minimum", minimum, "0 or more"), ("delta", delta, "above 0")):
        number = isinstance(value, int | float | np.number) and not isinstance(value, bool) and -1e30 < value < 1e30
        if not number or value < 0 or (option == "delta" and value == 0):
            raise OptionError(f"{option}={value!r}: a number {least} is needed.")


def _join(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0)


def _parts(result: Sem, g: int) -> Iterator[Freed]:
    """The fixed and the absent parameters of a group, some hundred at a time."""
    structure = result.layout.groups[g]
    held = [r for r, row in enumerate(structure.rows) if row.fixed is not None and not row.sampled and not row.unit]
    absent = list(_absent(structure, g))
    if held:
        yield freed(result, g, held)
    for first in range(0, len(absent), _TOGETHER):
        yield freed(result, g, (), absent[first : first + _TOGETHER])


def _absent(structure: Structure, group: int) -> Iterator[Row]:
    """Relations that a group does not have, in the order of their kinds."""
    there = {(row.op, row.lhs, row.rhs) for row in structure.rows}
    there |= {(row.op, row.rhs, row.lhs) for row in structure.rows if row.op == "~~"}
    for lhs, op, rhs in _possible(structure):
        if (op, lhs, rhs) not in there:
            yield Row(lhs, op, rhs, group=group)


def _possible(structure: Structure) -> Iterator[tuple[str, str, str]]:
    """Relations that lavaan looks at; predictors whose moments are the sample's stay unexplained."""
    rows = structure.rows
    factors = tuple(dict.fromkeys(row.lhs for row in rows if row.op == "=~"))
    explained = [name for i, name in enumerate(structure.observed) if i not in structure.predictors]
    related = tuple(dict.fromkeys(name for row in rows if row.op == "~" for name in (row.lhs, row.rhs)))
    measured = {row.rhs for row in rows if row.op == "=~"}
    items = [name for name in explained if name in measured]
    yield from ((f, "=~", x) for f in factors for x in explained if x not in related)
    yield from ((x, "~~", y) for x, y in combinations(items, 2))
    yield from ((f, "~~", g) for f, g in combinations_with_replacement(factors, 2))
    given = {structure.observed[i] for i in structure.predictors} if structure.sampled else set()
    for y, x in permutations(related, 2):
        if y not in given and not (y in items and x in factors):
            yield y, "~", x
    if structure.means:
        yield from ((x, "~1", "") for x in (*explained, *factors))
