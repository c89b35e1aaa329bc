"""Mean and covariance structures in RAM form: parameters in, implied moments and their derivatives out.

Each variable, observed or latent, is a linear function of others plus a residual: ``v = α + A v + u``,
``cov(u) = P``. With E = (I − A)⁻¹ the means of all are E α and their covariance is E P Eᵀ; the observed block of
these is μ and Σ (McArdle & McDonald 1984, British Journal of Mathematical and Statistical Psychology 37(2)).

Every derivative of Σ by a parameter has the form a bᵀ + b aᵀ, with a and b columns of (E, E P Eᵀ), and every
derivative of μ is a multiple of a. Gradients and information therefore are entries picked from one matrix product;
nothing of size parameters × p² is built while iterating. All arrays may have leading axes: replicates are estimated
together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from csat.model import Constraint, Row
from csat.model.expression import evaluate as evaluate_expression
from csat.structural.engine.cells import MEAN, PAIR, PATH, Cells
from csat.structural.engine.linear import inverted, picked, total_effects
from csat.structural.engine.units import compensation, complete, with_multipliers


@dataclass(frozen=True, eq=False)
class Structure:
    """Where each parameter of one group stands.

    variables : (m,) names, the p observed ones first.
    p : number of observed variables.
    predictors : positions of the observed predictors, whose moments no model explains.
    sampled : whether those moments are taken from the sample, not estimated.
    means : whether the model has intercepts; without them means are not looked at.
    rows : parameters of the group, as expanded.
    directed, symmetric, offset : (m, m) A and P, (m,) α, with their fixed values, zero where free. The latter two may
        have leading axes: replicates that each bring their own moments of predictors.
    cells : (r, 3) of every row: which of PAIR, PATH, MEAN it is, and its row and column there.
    free : (c,) positions in `rows` of the cells that are estimated.
    parameter : (c,) which element of theta each holds; equal labels share one.
    units : (u, 2) observed variables whose variance is 1, and whose (residual) variances make it so; latent responses.
    """

    variables: tuple[str, ...]
    p: int
    predictors: tuple[int, ...]
    sampled: bool
    means: bool
    rows: tuple[Row, ...]
    directed: np.ndarray
    symmetric: np.ndarray
    offset: np.ndarray
    cells: np.ndarray
    free: np.ndarray
    parameter: np.ndarray
    units: np.ndarray

    @property
    def observed(self) -> tuple[str, ...]:
        """(p,) names of the observed variables."""
        return self.variables[: self.p]

    @property
    def known(self) -> int:
        """Number of sample moments that the model is to reproduce."""
        x, u = len(self.predictors) * self.sampled, len(self.units)
        first = (self.p - x - u) * self.means
        return self.p * (self.p + 1) // 2 - x * (x + 1) // 2 - u + first

    @property
    def latents(self) -> tuple[str, ...]:
        """(m − p,) names of the constructs."""
        return self.variables[self.p :]

    @cached_property
    def places(self) -> Cells:
        """Where the free cells stand."""
        kind, i, j = self.cells[self.free].T
        return Cells.at(kind, i, j, len(self.variables))

    @cached_property
    def _fixed(self) -> np.ndarray:
        """(…, 2m² + m) A, P and α one after the other, as they are without the free cells."""
        lead = self.symmetric.shape[:-2]
        a = np.broadcast_to(self.directed, self.symmetric.shape)
        parts = [a.reshape(*lead, -1), self.symmetric.reshape(*lead, -1), self.offset]
        return np.concatenate(parts, axis=-1)

    def matrices(self, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A and P, (…, m, m), and α, (…, m), at theta (…, k), which may be complex."""
        lead, m = theta.shape[:-1], len(self.variables)
        whole = np.empty((*lead, 2 * m * m + m), theta.dtype)
        whole[...] = self._fixed
        whole[..., self.places.fill] = theta[..., self.parameter[self.places.by]]
        a, s = (whole[..., start : start + m * m].reshape(*lead, m, m) for start in (0, m * m))
        if len(self.units):
            complete(total_effects(a, self.causes), s, self.units)
        return a, s, whole[..., 2 * m * m :]

    @cached_property
    def causes(self) -> np.ndarray:
        """Positions of the variables that cause others: only their columns of A are not zero."""
        return np.unique(self.cells[self.cells[:, 0] == PATH, 2])

    def take(self, which: np.ndarray) -> Structure:
        """The same structure for some replicates, if fixed values differ between them."""
        if self.symmetric.ndim == 2:
            return self
        return replace(self, symmetric=self.symmetric[which], offset=self.offset[which])


@dataclass(frozen=True, eq=False)
class Layout:
    """A model over its groups, which share theta.

    groups : (G,) where the parameters of each group stand. labels : (G,) names of the groups; ("",) if there is one.
    names : (k,) what each element of theta is called.
    constraints : equations between labelled parameters.
    """

    groups: tuple[Structure, ...]
    labels: tuple[str, ...]
    names: tuple[str, ...]
    constraints: tuple[Constraint, ...]

    @property
    def rows(self) -> tuple[Row, ...]:
        """Parameters of all groups."""
        return tuple(row for group in self.groups for row in group.rows)

    @property
    def known(self) -> int:
        """Number of sample moments that the model is to reproduce."""
        return sum(group.known for group in self.groups)

    def take(self, which: np.ndarray) -> Layout:
        """The same layout for some replicates, if fixed values differ between them."""
        if all(group.symmetric.ndim == 2 for group in self.groups):
            return self
        return replace(self, groups=tuple(group.take(which) for group in self.groups))

    @cached_property
    def shared(self) -> tuple[tuple[np.ndarray, np.ndarray | None], ...]:
        """(G,) which u parameters a group has, and (c, u) which of them each cell holds; None: one each, in order."""
        found: list[tuple[np.ndarray, np.ndarray | None]] = []
        for group in self.groups:
            if (np.diff(group.parameter) > 0).all():
                found.append((group.parameter, None))
                continue
            used, at = np.unique(group.parameter, return_inverse=True)
            found.append((used, np.eye(len(used))[at.reshape(-1)]))
        return tuple(found)

    @cached_property
    def _places(self) -> dict[str, int | float]:
        """Element of theta of each label; the value itself where the label is fixed."""
        found: dict[str, int | float] = {}
        for group in self.groups:
            for r, k in zip(group.free.tolist(), group.parameter.tolist(), strict=True):
                found.setdefault(group.rows[r].label, int(k))
            for row in group.rows:
                if row.label and row.fixed is not None:
                    found.setdefault(row.label, float(row.fixed))
        found.pop("", None)
        return found

    def labelled(self, theta: np.ndarray) -> dict[str, np.ndarray]:
        """Value of each label at theta (…, k)."""
        return {label: theta[..., at] if isinstance(at, int) else np.asarray(at) for label, at in self._places.items()}

    def restriction(self, theta: np.ndarray) -> np.ndarray:
        """(…, q) left minus right side of each constraint."""
        if not self.constraints:
            return np.zeros((*theta.shape[:-1], 0), theta.dtype)
        known = self.labelled(theta)
        gaps = [evaluate_expression(c.left, known) - evaluate_expression(c.right, known) for c in self.constraints]
        return np.stack([np.broadcast_to(gap, theta.shape[:-1]) for gap in gaps], axis=-1)

    def restriction_slope(self, theta: np.ndarray) -> np.ndarray:
        """(…, q, k) derivative of `restriction`, by complex steps."""
        if not self.constraints:
            return np.zeros((*theta.shape[:-1], 0, theta.shape[-1]))
        nudged = theta[..., None, :] + 1e-20j * np.eye(theta.shape[-1])
        return np.imag(self.restriction(nudged)).swapaxes(-1, -2) / 1e-20


def build(
    rows: Sequence[Row],
    observed: Sequence[str],
    covs: Sequence[np.ndarray],
    means: Sequence[np.ndarray | None],
    labels: Sequence[str] = ("",),
    constraints: Sequence[Constraint] = (),
) -> Layout:
    """Lay out a parameter table.

    Parameters
    ----------
    rows : from `Model.expand`, group by group.
    observed : names of the p observed variables, in the order of the moments.
    covs : (G,) sample covariances (p, p), for the rows fixed at them. means : (G,) of (p,), or None.
    labels : (G,) names of the groups.
    constraints : equations between parameters.
    """
    keys = [row.label or row.tie or f"{r}" for r, row in enumerate(rows)]
    order: dict[str, int] = {}
    names: list[str] = []
    for key, row in zip(keys, rows, strict=True):
        if row.free and key not in order:
            order[key] = len(names)
            of_group = f" ({labels[row.group]})" if len(labels) > 1 and not row.label and not row.tie else ""
            names.append(row.name + of_group)
    groups = []
    for g, (cov, mean) in enumerate(zip(covs, means, strict=True)):
        mine = [r for r, row in enumerate(rows) if row.group == g]
        groups.append(_of_group([rows[r] for r in mine], [order.get(keys[r], -1) for r in mine], observed, cov, mean))
    return Layout(tuple(groups), tuple(labels), tuple(names), tuple(constraints))


def _of_group(
    rows: Sequence[Row], parameter: Sequence[int], observed: Sequence[str], cov: np.ndarray, mean: np.ndarray | None
) -> Structure:
    place = {name: at for at, name in enumerate(dict.fromkeys([*observed, *_named(rows)]))}
    cells = np.array([_cell(row, place) for row in rows])
    values = np.array([_given(row, cell, cov, mean) for row, cell in zip(rows, cells.tolist(), strict=True)])
    kind, i, j = cells.T
    m = len(place)
    directed, symmetric, offset = np.zeros((m, m)), np.zeros((m, m)), np.zeros(m)
    directed[i[kind == PATH], j[kind == PATH]] = values[kind == PATH]
    pair = kind == PAIR
    symmetric[i[pair], j[pair]] = symmetric[j[pair], i[pair]] = values[pair]
    offset[i[kind == MEAN]] = values[kind == MEAN]
    free = np.array([r for r, row in enumerate(rows) if row.free], int)
    predictors = tuple(place[row.lhs] for row in rows if row.predictor and row.lhs == row.rhs)
    return Structure(
        variables=tuple(place),
        p=len(observed),
        predictors=predictors,
        sampled=any(row.sampled for row in rows),
        means=bool((kind == MEAN).any()),
        rows=tuple(rows),
        directed=directed,
        symmetric=symmetric,
        offset=offset,
        cells=cells,
        free=free,
        parameter=np.array(parameter, int)[free],
        units=np.array([(place[row.unit], place[row.lhs]) for row in rows if row.unit], int).reshape(-1, 2),
    )


def _named(rows: Sequence[Row]) -> list[str]:
    return [name for row in rows for name in (row.lhs, row.rhs) if name]


def _cell(row: Row, place: dict[str, int]) -> tuple[int, int, int]:
    """Kind, row and column of a parameter; arrows of A run from column to row."""
    if row.op == "=~":
        return PATH, place[row.rhs], place[row.lhs]
    if row.op == "~1":
        return MEAN, place[row.lhs], 0
    return (PAIR if row.op == "~~" else PATH), place[row.lhs], place[row.rhs]


def _given(row: Row, cell: Sequence[int], cov: np.ndarray, mean: np.ndarray | None) -> float:
    """Value of a cell that is not estimated, 0 for one that is."""
    if not row.sampled:
        return row.fixed or 0.0
    kind, i, j = cell
    if kind == MEAN:
        return 0.0 if mean is None else float(mean[i])
    return float(cov[i, j])


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The structure of one group, evaluated.

    reach : (…, m, m) E. total : (…, m, m) covariance of all variables. centre : (…, m) their means.
    basis : (…, p, 2m) rows of [E | T] for the observed variables: columns that derivatives of Σ are made of.
    sigma : (…, p, p) implied covariance of the observed ones. inverse : its inverse.
    """

    structure: Structure
    reach: np.ndarray
    total: np.ndarray
    centre: np.ndarray
    basis: np.ndarray
    sigma: np.ndarray
    inverse: np.ndarray

    @property
    def mu(self) -> np.ndarray:
        """(…, p) implied means."""
        return self.centre[..., : self.structure.p]

    @property
    def effects(self) -> np.ndarray:
        """(…, p, m) rows of E for the observed variables."""
        return self.basis[..., : self.total.shape[-1]]

    def take(self, which: np.ndarray) -> Point:
        """Some of the replicates."""
        arrays = (self.reach, self.total, self.centre, self.basis, self.sigma, self.inverse)
        return Point(self.structure.take(which), *(array[which] for array in arrays))

    def crossed(self, metric: np.ndarray) -> np.ndarray:
        """(…, 2m, 2m) products of all columns of the basis in a metric (…, p, p)."""
        return self.basis.swapaxes(-1, -2) @ metric @ self.basis

    def pull(self, by_sigma: np.ndarray, by_mu: np.ndarray | None) -> np.ndarray:
        """(…, c) derivative by each free cell of a function with dF = tr(by_sigma·dΣ) + by_muᵀ·dμ."""
        at, up = self.structure.places, self.effects.swapaxes(-1, -2)
        units = self.structure.units
        held = with_multipliers(by_sigma, self.effects, units) if len(units) else by_sigma
        cells = picked(up @ held @ self.basis, at.single) * (2.0 * at.half)
        if by_mu is None:
            return cells
        shift = (up @ by_mu[..., None])[..., 0]
        return cells + shift[..., at.i] * self.carried

    @property
    def carried(self) -> np.ndarray:
        """(…, c) how much a cell moves the mean of its variable: the mean of the cause, 1, or 0."""
        at = self.structure.places
        return self.centre[..., at.j] * at.is_path + at.is_mean

    def curvature(self, metric: np.ndarray, *, means: bool) -> np.ndarray:
        """(…, c, c) tr(M ∂Σ M ∂Σ) + 2 ∂μᵀ M ∂μ for a symmetric matrix M (…, p, p)."""
        if len(self.structure.units):
            return self._plain_curvature(metric, means=means)
        at, products = self.structure.places, self.crossed(metric)
        aa, ab = picked(products, at.aa), picked(products, at.ab)
        cells = aa * picked(products, at.bb) + ab * ab.swapaxes(-1, -2)
        cells *= 2.0 * at.half[:, None] * at.half
        if not means:
            return cells
        carried = self.carried
        return cells + 2.0 * aa * carried[..., :, None] * carried[..., None, :]

    def _plain_curvature(self, metric: np.ndarray, *, means: bool) -> np.ndarray:
        """The same from the derivatives themselves, which have no short form where variances are held at 1."""
        by_sigma, by_mu = self.jacobian()
        turned = np.einsum("...ia,...abc,...bj->...ijc", metric, by_sigma, metric, optimize=True)
        cells = np.einsum("...ijc,...ijd->...cd", turned, by_sigma, optimize=True)
        return cells + 2.0 * by_mu.swapaxes(-1, -2) @ metric @ by_mu if means else cells

    def jacobian(self) -> tuple[np.ndarray, np.ndarray]:
        """Derivatives by the free cells: of Σ (…, p, p, c), and of μ (…, p, c)."""
        at = self.structure.places
        a, b = self.basis[..., at.i], self.basis[..., at.b]
        outer = a[..., :, None, :] * (b * at.half)[..., None, :, :]
        by_sigma = outer + outer.swapaxes(-2, -3)
        if len(self.structure.units):
            by_sigma = by_sigma - compensation(by_sigma, self.effects, self.structure.units)
        return by_sigma, a * self.carried[..., None, :]


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A model evaluated at theta (…, k), group by group."""

    layout: Layout
    theta: np.ndarray
    points: tuple[Point, ...]

    @property
    def size(self) -> int:
        """Number of free parameters, k."""
        return self.theta.shape[-1]

    def take(self, which: np.ndarray) -> State:
        """Some of the replicates."""
        layout = self.layout.take(which)
        return State(layout, self.theta[which], tuple(point.take(which) for point in self.points))

    def collect(self, g: int, cells: np.ndarray) -> np.ndarray:
        """(…, k) sums of the cells (…, c) of group g that hold the same parameter."""
        used, onto = self.layout.shared[g]
        own = cells if onto is None else cells @ onto
        if len(used) == self.size:
            return own
        out = np.zeros((*cells.shape[:-1], self.size), cells.dtype)
        out[..., used] = own
        return out

    def collect_square(self, g: int, cells: np.ndarray) -> np.ndarray:
        """(…, k, k) sums of the cells (…, c, c) of group g that hold the same parameters."""
        used, onto = self.layout.shared[g]
        own = cells if onto is None else onto.T @ cells @ onto
        if len(used) == self.size:
            return own
        out = np.zeros((*cells.shape[:-2], self.size, self.size), cells.dtype)
        out[..., used[:, None], used] = own
        return out


def evaluate(layout: Layout, theta: np.ndarray) -> State:
    """Evaluate a model at theta (…, k), real or complex; not finite where A or Σ is singular."""
    return State(layout, theta, tuple(_point(structure, theta) for structure in layout.groups))


def _point(structure: Structure, theta: np.ndarray) -> Point:
    a, s, alpha = structure.matrices(theta)
    e = total_effects(a, structure.causes)
    total = e @ s @ e.swapaxes(-1, -2)
    p = structure.p
    sigma = total[..., :p, :p]
    centre = (e @ alpha[..., None])[..., 0] if structure.means else alpha
    basis = np.concatenate([e[..., :p, :], total[..., :p, :]], axis=-1)
    return Point(structure, e, total, centre, basis, sigma, inverted(sigma))
