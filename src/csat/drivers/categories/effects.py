"""Average marginal effects: what one point more of a driver, or another category, does to the probability of the top.

The effect of a numeric driver on a row is the derivative of the probability, that of a 0/1 recode or of a level of a
factor the difference it makes against 0 or the reference level; interactions move along. Averages over the rows as
they are, weighted. Source: Korn & Graubard (1999), Analysis of Health Surveys, 3.7 (predictive margins); Greene (2012),
Econometric Analysis, 17.3.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from csat.drivers.categories.likelihood import Cumulative, Domain, standardised
from csat.drivers.terms import CROSS, Terms
from csat.moments import Groups, Product, Recode, Source, Variable, term_of
from csat.variance import row_squares


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """How rows change when drivers do: M effects, first those of numeric drivers, then those of categories.

    slopes : (A, p, k) turn a row z into the change of all drivers u per unit of one driver.
    high, low : (B, p, k) turn a row z into u with a category, and with its reference.
    """

    slopes: np.ndarray
    high: np.ndarray
    low: np.ndarray

    @property
    def size(self) -> int:
        """Number of effects, M."""
        return len(self.slopes) + len(self.high)

    def of_rows(self, model: Cumulative, z: np.ndarray) -> np.ndarray:
        """(n, M) effects on the probability of the top category, row by row."""
        up, speed = _top(model, z @ model.basis), self._speeds(model, z)
        both = [_top(model, _moved(z, to)) for to in (self.high, self.low)]
        return np.hstack([(up * (1 - up))[:, None] * speed, both[0] - both[1]])

    def _speeds(self, model: Cumulative, z: np.ndarray) -> np.ndarray:
        """(n, A) change of the linear predictor per unit of each numeric driver."""
        return z @ (self.slopes @ model.beta).T


def _moved(z: np.ndarray, to: np.ndarray) -> np.ndarray:
    """(n, B, k) rows z (n, p) under the maps (B, p, k)."""
    return np.tensordot(z, to, axes=(1, 1))


def _top(model: Cumulative, u: np.ndarray) -> np.ndarray:
    """(n, …) probability of the top category for drivers u (n, …, k)."""
    from scipy.special import expit

    return np.asarray(expit(u @ model.beta - model.zeta[np.isfinite(model.zeta)][-1]))


@dataclass(frozen=True, slots=True, eq=False)
class _Products:
    """Scores whose sums of squares hold Σ w·a·z for the figures a that effects and their derivatives consist of."""

    model: Cumulative
    moves: Moves

    @property
    def size(self) -> int:
        """Figures per row: v, v'·speed, then v and p at both ends of the categories, then z/w."""
        return 1 + len(self.moves.slopes) + 3 * len(self.moves.high) + len(self.model.basis)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q) scores of rows z (n, p)."""
        model, moves = self.model, self.moves
        p = _top(model, z @ model.basis)[:, None]
        high, low = (_top(model, _moved(z, to)) for to in (moves.high, moves.low))
        v = p * (1 - p)
        bent = v * (1 - 2 * p) * moves._speeds(model, z)
        return np.hstack([v, bent, high * (1 - high), low * (1 - low), high - low, z / weight[:, None]])


@dataclass(frozen=True, slots=True, eq=False)
class Average:
    """Average effects of one group. effect : (M,). gradient : (M, P) derivatives by the parameters of the model."""

    effect: np.ndarray
    gradient: np.ndarray


def averages(
    source: Source, groups: Groups, models: Mapping[Domain, Cumulative], moves: Mapping[Domain, Moves]
) -> dict[Domain, Average]:
    """Average effects and their derivatives, in one pass over the rows."""
    squares = row_squares(source, groups, {domain: _Products(models[domain], moves[domain]) for domain in models})
    weight = groups.over_domains(groups.gram)[:, 0, 0]
    at = {domain: groups.domains.index(domain) for domain in models}
    return {d: _average(models[d], moves[d], squares[at[d]] / weight[at[d]]) for d in models}


def _average(model: Cumulative, moves: Moves, squares: np.ndarray) -> Average:
    """From the mean products of the figures of `_Products` with z, of one group."""
    numeric, categories, rows = len(moves.slopes), len(moves.high), len(model.basis)
    means = squares[:-rows, -rows:]
    v, bent = means[0], means[1 : 1 + numeric]
    high, low, change = means[1 + numeric :].reshape(3, categories, rows)
    effect = np.r_[moves.slopes @ model.beta @ v, change[:, 0]]
    by_beta = np.vstack(
        [
            bent @ model.basis + np.einsum("p,apk->ak", v, moves.slopes),
            np.einsum("bp,bpk->bk", high, moves.high) - np.einsum("bp,bpk->bk", low, moves.low),
        ]
    )
    by_zeta = np.zeros((len(effect), len(model.zeta)))
    by_zeta[:, np.isfinite(model.zeta).sum() - 1] = -np.r_[bent[:, 0], high[:, 0] - low[:, 0]]
    return Average(effect, np.hstack([by_beta, by_zeta]))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Which effects there are, and what they need.

    parts : (k,) for each column of the model, driver → variable that the column takes of it.
    numeric : drivers whose effect is a derivative. categories : (driver, variable) whose effect is a difference.
    extras : variables that the interactions need besides the columns of the model.
    """

    parts: tuple[Mapping[str, str | Recode], ...]
    numeric: tuple[str, ...]
    categories: tuple[tuple[str, Recode], ...]
    extras: tuple[Variable, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """(M,) names of the effects, those of numeric drivers first."""
        return (*self.numeric, *(part.term for _, part in self.categories))

    def order(self, columns: Sequence[str]) -> list[int]:
        """Positions of the effects in the order of the model's columns; those without a column of their own last."""
        place = {name: i for i, name in enumerate(columns)}
        return sorted(range(len(self.names)), key=lambda i: place.get(self.names[i], len(place)))


def plan_of(terms: Terms) -> Plan:
    """The effects of a model: one per numeric driver, and one per 0/1 column of a category."""
    parts = tuple(_parts(terms, j) for j in range(len(terms.columns)))
    drivers: dict[str, dict[str, str | Recode]] = {}
    for column in parts:
        for driver, part in column.items():
            drivers.setdefault(driver, {})[term_of(part)] = part
    known = {term_of(column) for column in terms.columns}
    others = [rest for column in parts for driver in column if (rest := _others(column, driver)) is not None]
    extras = {term_of(rest): rest for rest in others if term_of(rest) not in known}
    switched = {
        driver: [part for part in found.values() if isinstance(part, Recode)]
        for driver, found in drivers.items()
        if all(isinstance(part, Recode) and set(part.values.values()) <= {0.0, 1.0} for part in found.values())
    }
    return Plan(
        parts,
        tuple(driver for driver in drivers if driver not in switched),
        tuple((driver, part) for driver, found in switched.items() for part in found),
        tuple(extras.values()),
    )


def _parts(terms: Terms, column: int) -> dict[str, str | Recode]:
    """What a column takes of each driver."""
    variable, label = terms.columns[column], terms.labels[terms.owner[column]]
    return (
        dict(zip(label.split(CROSS), variable.parts, strict=True))
        if isinstance(variable, Product)
        else {label: variable}
    )


def _others(column: Mapping[str, str | Recode], driver: str) -> Variable | None:
    """What a driver is multiplied by in a column; None if it stands alone."""
    rest = [part for other, part in column.items() if other != driver]
    if len(rest) > 1:
        return Product(CROSS.join(term_of(part) for part in rest), tuple(rest))
    return rest[0] if rest else None


def moves_of(plan: Plan, groups: Groups, mean: np.ndarray, spread: np.ndarray) -> Moves:
    """The effects as maps of rows, for drivers u = (x − mean)/spread of one group.

    Parameters
    ----------
    plan : of the model. groups : asked for the columns of the model first, and for the plan's extras.
    mean, spread : (k,) of the columns.
    """
    place = {name: 1 + i for i, name in enumerate(groups.names)}

    def value(variable: Variable | None) -> np.ndarray:
        out = np.zeros(1 + len(groups.names))
        out[0] = 1.0 if variable is None else groups.midpoint[place[term_of(variable)] - 1]
        if variable is not None:
            out[place[term_of(variable)]] = 1.0
        return out

    still = standardised(groups, mean, spread)
    slopes = np.zeros((len(plan.numeric), *still.shape))
    high, low = (np.repeat(still[None], len(plan.categories), axis=0) for _ in range(2))
    for j, column in enumerate(plan.parts):
        for a, driver in enumerate(plan.numeric):
            if driver in column:
                slopes[a, :, j] = value(_others(column, driver)) / spread[j]
        for b, (driver, part) in enumerate(plan.categories):
            if driver in column:
                low[b, :, j] = high[b, :, j] = -mean[j] / spread[j] * value(None)
                if term_of(column[driver]) == part.term:
                    high[b, :, j] += value(_others(column, driver)) / spread[j]
    return Moves(slopes, high, low)
