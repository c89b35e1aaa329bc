"""Passes over the rows of a regression: the sums it starts from, and the corrections of an ill-conditioned one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.design import Design
from csat.drivers.linear.least_squares import Fit
from csat.errors import SampleError
from csat.moments import Everywhere, Groups, RowSource, Source, Variable, WeightScores
from csat.variance import score_sums

#: Corrections at most, and the relative change of the standardized coefficients that ends them.
ROUNDS, SETTLED = 3, 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What a regression starts from.

    groups : listwise sums of the variables, by domain.
    log_weights, square_weights : (D,) Σ log w and Σ w² of the complete rows; NaN if single weights are not known.
    left_out : (D,) respondents without an answer to one of the variables; NaN if not known.
    """

    groups: Groups
    log_weights: np.ndarray
    square_weights: np.ndarray
    left_out: np.ndarray

    @property
    def kish(self) -> np.ndarray:
        """(D,) effective sizes (Σw)²/Σw²; NaN if single weights are not known."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.square(self.groups.over_domains(self.groups.gram[:, 0, 0])) / self.square_weights


def summed(source: Source, variables: Sequence[Variable], by: Sequence[str]) -> Sums:
    """Sum the complete rows of each group."""
    design: Design | None = getattr(source, "design", None)
    weighted = design is not None and design.weight is not None
    replicated = design is not None and design.replication is not None
    if isinstance(source, RowSource) and weighted and not replicated:
        groups = source.score_groups(variables, by, Everywhere(WeightScores()))
        logs, squares = groups.over_domains(np.asarray(groups.score_sums)).T
    else:
        groups = source.groups(variables, by, "listwise")
        logs, squares = _remembered(groups) or _plain_weights(groups, known=design is not None and not weighted)
    return Sums(groups, logs, squares, rows_left_out(source, groups, by))


def effective_sizes(source: Source, groups: Groups) -> np.ndarray:
    """Effective sizes (Σw)²/Σw² of those who count for each variable.

    Parameters
    ----------
    source : where `groups` came from; asked for a pass over the rows if the sums do not tell.
    groups : "listwise", or "available" with rows z = [1, m, m·y].

    Returns
    -------
    (D, p) array
        NaN where single weights are not known.

    Source: Kish (1965), Survey Sampling, 11.7.
    """
    design: Design | None = getattr(source, "design", None)
    p = len(groups.names)
    if groups.published or (design is not None and design.weight is None):
        return groups.over_domains(groups.counts).astype(float)
    at = list(range(1, 1 + p)) if groups.rule == "available" else [0] * p
    if groups.square is not None:
        squares = groups.over_domains(np.diagonal(groups.square, axis1=1, axis2=2))[:, at]
    elif isinstance(source, RowSource) and groups.replication is None:
        squares = score_sums(source, groups, Everywhere(_WeightsOf(at)))
    elif not isinstance(source, RowSource) and groups.rule == "listwise" and (kept := _remembered(groups)):
        squares = np.repeat(kept[1][:, None], p, axis=1)
    else:
        return np.full((len(groups.domains), p), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.square(groups.over_domains(groups.gram[:, 0])[:, at]) / squares


@dataclass(frozen=True, slots=True)
class _WeightsOf:
    """w of each row for the variables that it answered, by the columns of z that are 1 there."""

    at: Sequence[int]

    @property
    def size(self) -> int:
        """Variables."""
        return len(self.at)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, p)."""
        return weight[:, None] * z[:, list(self.at)]


def _remembered(groups: Groups) -> tuple[np.ndarray, np.ndarray] | None:
    """(D,) Σ log w and Σ w² of a summary that keeps them (`csat.summarise`), else None."""
    if groups.score_sums is None:
        return None
    logs, squares = groups.over_domains(groups.score_sums).T
    return logs, squares


def _plain_weights(groups: Groups, known: bool) -> tuple[np.ndarray, np.ndarray]:
    """(D,) Σ log w and Σ w² of rows that weigh 1, as is known, printed, or follows from Σw = Σw² = n."""
    n = groups.over_domains(groups.n).astype(float)
    if known or groups.published:
        return np.zeros(len(n)), n
    if groups.square is None:
        return np.full(len(n), np.nan), np.full(len(n), np.nan)
    total, square = (groups.over_domains(cells[:, 0, 0]) for cells in (groups.gram, groups.square))
    return np.where((total == n) & (square == n), 0.0, np.nan), square


def rows_left_out(source: Source, groups: Groups, by: Sequence[str]) -> np.ndarray:
    """(D,) incomplete rows of each group; a count of all rows tells which groups they are in."""
    if not by:
        return np.array([groups.incomplete])
    if not groups.incomplete:
        return np.zeros(len(groups.domains), int)
    if isinstance(source, RowSource):
        counted = source.levels([by[0]], by)
        rows = dict(zip(counted.domains, counted.bases(by[0]) + counted.missing[:, 0], strict=True))
    else:
        try:
            every = source.groups(list(groups.variables[:1]), by, "available")
        except SampleError:
            return np.full(len(groups.domains), np.nan)
        rows = dict(zip(every.domains, every.over_domains(every.n), strict=True))
    return np.array([rows[domain] for domain in groups.domains]) - groups.over_domains(groups.n)


@dataclass(frozen=True, slots=True, eq=False)
class _Residuals:
    """x·e and e² of each row, with e = y − xᵀb."""

    fit: Fit

    @property
    def size(self) -> int:
        """Coefficients and one more."""
        return len(self.fit.coef) + 1

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, q+1)."""
        used = len(self.fit.centred)
        left = z[:, used] - z[:, :used] @ self.fit.centred
        return np.column_stack([z[:, :used] @ self.fit.basis.T * left[:, None], left**2])


def refined(source: Source, groups: Groups, fits: Sequence[Fit | None]) -> tuple[list[Fit | None], np.ndarray]:
    """Correct the fits that sums of products are too coarse for, from the residuals of the rows.

    The corrected seminormal equations: (XᵀWX)·δ = XᵀW(y − Xb) with residuals of the rows, which keep the digits that
    XᵀWy has lost. Source: Björck (1996), Numerical Methods for Least Squares Problems, 6.6.5.

    Parameters
    ----------
    source, groups : where the fits come from. fits : (D,) one per domain, None where there is none.

    Returns
    -------
    fits, passes
        (D,) each, `passes` over the rows that corrected a fit; 0 for a source without rows.
    """
    out, passes = list(fits), np.zeros(len(fits), int)
    open_ = [d for d, fit in enumerate(fits) if fit is not None and fit.fragile]
    if groups.published or not isinstance(source, RowSource):
        return out, passes
    for _ in range(ROUNDS):
        current = {groups.domains[d]: fit for d in open_ if (fit := out[d]) is not None}
        if not current:
            break
        sums = score_sums(source, groups, {domain: _Residuals(fit) for domain, fit in current.items()})
        moves = {d: _corrected(current[groups.domains[d]], sums[d]) for d in open_}
        for d, (fit, _) in moves.items():
            out[d] = fit
            passes[d] += 1
        open_ = [d for d, (_, change) in moves.items() if change > SETTLED]
    return out, passes


def _corrected(fit: Fit, sums: np.ndarray) -> tuple[Fit, float]:
    """The next fit, and by how much the standardized coefficients changed at most, relative to the largest."""
    change = fit.inverse @ sums[:-1]
    moved = fit.moved(change, float(max(sums[-1] - change @ sums[:-1], 0.0)))
    largest = max(float(np.abs(fit.beta).max()), SETTLED)
    return moved, float(np.abs(moved.beta - fit.beta).max()) / largest
