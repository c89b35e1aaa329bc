"""Covariance structures in RAM form: parameters in, implied covariances and their derivatives out.

Each variable, observed or latent, is a linear function of others plus a residual: ``v = A v + u``,
``cov(u) = P``. With E = (I − A)⁻¹ the covariance of all is E P Eᵀ, and its observed block is Σ
(McArdle & McDonald 1984, British Journal of Mathematical and Statistical Psychology 37(2)).

Every derivative of Σ by a parameter has the form a bᵀ + b aᵀ, with a and b columns of (E, E P Eᵀ).
Gradient and information therefore are entries picked from one matrix product; nothing of size
parameters × p² is ever built while iterating.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.model import Row


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Where each parameter of a model stands.

    variables : (m,) names, the p observed ones first.
    p : number of observed variables.
    predictors : positions of the observed predictors, whose moments no model explains.
    sampled : whether those moments are taken from the sample, not estimated.
    rows : parameters of the model, as expanded.
    directed, symmetric : (m, m) A and P with their fixed values, zero where free.
    cells : (r, 3) of every row: whether it stands in A (else in P), and its row and column there.
    path : (c,) whether free cell c stands in A.
    i, j : (c,) its row and column.
    parameter : (c,) which element of theta it holds; equal labels share one.
    row : (c,) position in `rows`.
    names : (k,) what each element of theta is called.
    """

    variables: tuple[str, ...]
    p: int
    predictors: tuple[int, ...]
    sampled: bool
    rows: tuple[Row, ...]
    directed: np.ndarray
    symmetric: np.ndarray
    cells: np.ndarray
    path: np.ndarray
    i: np.ndarray
    j: np.ndarray
    parameter: np.ndarray
    row: np.ndarray
    names: tuple[str, ...]

    @property
    def observed(self) -> tuple[str, ...]:
        """(p,) names of the observed variables."""
        return self.variables[: self.p]

    @property
    def known(self) -> int:
        """Number of sample moments that the model is to reproduce."""
        x = len(self.predictors) * self.sampled
        return self.p * (self.p + 1) // 2 - x * (x + 1) // 2

    @property
    def latents(self) -> tuple[str, ...]:
        """(m − p,) names of the constructs."""
        return self.variables[self.p :]

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A and P, (…, m, m), at theta (…, k), which may be complex."""
        shape = (*theta.shape[:-1], *self.directed.shape)
        a = np.broadcast_to(self.directed, shape).astype(theta.dtype)
        s = np.broadcast_to(self.symmetric, shape).astype(theta.dtype)
        values, up = theta[..., self.parameter], self.path
        a[..., self.i[up], self.j[up]] = values[..., up]
        s[..., self.i[~up], self.j[~up]] = values[..., ~up]
        s[..., self.j[~up], self.i[~up]] = values[..., ~up]
        return a, s


def build(rows: Sequence[Row], observed: Sequence[str], sample: np.ndarray) -> Structure:
    """Lay out a parameter table.

    Parameters
    ----------
    rows : from `Model.expand`; no intercepts.
    observed : names of the p observed variables, in the order of `sample`.
    sample : (p, p) sample covariance, for the rows fixed at it.
    """
    named = dict.fromkeys([*observed, *(name for row in rows for name in (row.lhs, row.rhs))])
    place = {name: index for index, name in enumerate(named)}
    cells = np.array([_cell(row, place) for row in rows])
    path, i, j = cells[:, 0].astype(bool), cells[:, 1], cells[:, 2]
    given = np.array([sample[a, b] if row.sampled else row.fixed or 0.0 for row, a, b in zip(rows, i, j, strict=True)])
    directed, symmetric = np.zeros((2, len(place), len(place)))
    directed[i[path], j[path]] = given[path]
    symmetric[i[~path], j[~path]] = symmetric[j[~path], i[~path]] = given[~path]
    free = [r for r, row in enumerate(rows) if row.free]
    keys = [rows[r].label or f"{r}" for r in free]
    order = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    first = {order[key]: r for key, r in reversed(list(zip(keys, free, strict=True)))}
    return Structure(
        tuple(place), len(observed), tuple(place[row.lhs] for row in rows if row.predictor and row.lhs == row.rhs),
        any(row.sampled for row in rows), tuple(rows), directed, symmetric, cells, path[free], i[free], j[free],
        np.array([order[key] for key in keys], int), np.array(free, int),
        tuple(rows[first[k]].name for k in range(len(order))),
    )  # fmt: skip


def _cell(row: Row, place: dict[str, int]) -> tuple[bool, int, int]:
    """Matrix (A or not), row and column of a parameter; arrows of A run from column to row."""
    if row.op == "=~":
        return True, place[row.rhs], place[row.lhs]
    return row.op != "~~", place[row.lhs], place[row.rhs]


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """A structure evaluated at one theta.

    effects : (p, m) rows of E for the observed variables.
    total : (m, m) covariance of all variables.
    sigma : (p, p) implied covariance of the observed ones; `inverse` its inverse; `logdet` its log-determinant.
    """

    structure: Structure
    theta: np.ndarray
    effects: np.ndarray
    total: np.ndarray
    sigma: np.ndarray
    inverse: np.ndarray
    logdet: float

    def discrepancy(self, sample: np.ndarray) -> float:
        """ML fit function without its constant: log|Σ| + tr(S Σ⁻¹)."""
        return self.logdet + float(np.vdot(self.inverse, sample))

    def gradient(self, sample: np.ndarray) -> np.ndarray:
        """(k,) derivative of `discrepancy` by theta."""
        st = self.structure
        residual = self.inverse @ (self.sigma - sample) @ self.inverse
        pull = self.effects.T @ residual
        by_path, by_pair = 2.0 * pull @ self.total[: st.p], pull @ self.effects
        cells = np.where(st.path, by_path[st.i, st.j], np.where(st.i == st.j, 1.0, 2.0) * by_pair[st.i, st.j])
        return np.bincount(st.parameter, cells, len(self.theta))

    def information(self) -> np.ndarray:
        """(k, k) expected second derivative of `discrepancy`: tr(Σ⁻¹ ∂Σ Σ⁻¹ ∂Σ)."""
        st, m = self.structure, len(self.structure.variables)
        basis = np.hstack([self.effects, self.total[: st.p]])
        q = basis.T @ self.inverse @ basis
        a, b = st.i, np.where(st.path, st.j + m, st.j)
        half = np.where(~st.path & (st.i == st.j), 0.5, 1.0)
        cells = q[np.ix_(a, a)] * q[np.ix_(b, b)] + q[np.ix_(a, b)] * q[np.ix_(b, a)]
        return _collect(2.0 * cells * np.outer(half, half), st.parameter, len(self.theta))

    def jacobian(self) -> np.ndarray:
        """(p², k) derivative of the observed covariances, in units in which Σ is the identity."""
        st = self.structure
        white = np.linalg.cholesky(self.inverse).T
        a = white @ self.effects[:, st.i]
        b = white @ np.where(st.path, self.total[: st.p, st.j], self.effects[:, st.j])
        half = np.where(~st.path & (st.i == st.j), 0.5, 1.0)
        outer = a[:, None, :] * b[None, :, :] * half
        flat = (outer + outer.swapaxes(0, 1)).reshape(-1, len(st.i))
        return flat @ np.eye(len(self.theta))[st.parameter]


def _collect(cells: np.ndarray, parameter: np.ndarray, k: int) -> np.ndarray:
    """Sum the cells that hold the same parameter."""
    if len(parameter) == k:  # no equal labels: cell order is parameter order
        return cells
    onto = np.eye(k)[parameter]
    return onto.T @ cells @ onto


def evaluate(structure: Structure, theta: np.ndarray) -> Point | None:
    """Evaluate a structure; None where Σ is not positive definite or A is singular."""
    a, s = structure.matrices(theta)
    try:
        e = np.linalg.inv(np.eye(len(a)) - a)
        total = e @ s @ e.T
        sigma = total[: structure.p, : structure.p]
        lower = np.linalg.cholesky(sigma)
    except np.linalg.LinAlgError:
        return None
    diagonal = np.diag(lower)
    if not np.isfinite(diagonal).all():
        return None
    half = np.linalg.inv(lower)
    return Point(structure, theta, e[: structure.p], total, sigma, half.T @ half, 2.0 * float(np.log(diagonal).sum()))
