"""The cumulative logit model: what a row says about its parameters, and the parameters that all rows make most likely.

A row in category c = 0 … J−1 has the probability F(ζ_c − uᵀβ) − F(ζ_{c−1} − uᵀβ), where F is the logistic function,
ζ_{−1} = −∞ and ζ_{J−1} = ∞ (McCullagh 1980, J. Royal Stat. Society B 42, 109–142). With two categories it is logistic
regression with the intercept −ζ_0. In a = ζ_c − uᵀβ and b = ζ_{c−1} − uᵀβ

    log P = log F(a) + log(1 − F(b)) + log(1 − exp(b − a)).

Each term keeps its digits however large a and b are, and is concave (Pratt 1981, J. Am. Stat. Assoc. 76, 103–106), so
that Newton's method, with shorter steps where needed, finds the maximum if there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from csat.errors import ConvergenceError
from csat.moments import Groups, Source
from csat.variance import row_squares, score_sums

#: A gradient below this many of its standard errors counts as zero.
TOLERANCE = 1e-9
#: Newton steps at most, and how often one of them is halved.
ROUNDS, HALVINGS = 40, 30
#: Steps before which the direction is tested for separation: a finite maximum is usually found earlier.
CHECKED = range(8, ROUNDS, 4)
#: Part of a direction's largest component that counts as no movement, and as no component.
STILL, ABSENT = 1e-5, 1e-3

Domain = tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cumulative:
    """The model of one group at certain parameters.

    basis : (p, k) turns a row z into the drivers u. outcome : position of the outcome in z.
    cuts : (J−1,) outcomes between neighbouring categories, in the coordinates of z; inf after the last category.
    beta : (k,) slopes. zeta : (J−1,) thresholds, increasing; inf after the group's last category.
    """

    basis: np.ndarray
    outcome: int
    cuts: np.ndarray
    beta: np.ndarray
    zeta: np.ndarray

    @property
    def theta(self) -> np.ndarray:
        """(P,) slopes, then thresholds."""
        return np.r_[self.beta, self.zeta]

    def at(self, theta: np.ndarray) -> Cumulative:
        """The same model at other parameters (P,)."""
        k = len(self.beta)
        return replace(self, beta=theta[:k], zeta=theta[k:])

    def category(self, z: np.ndarray) -> np.ndarray:
        """(n,) category of each row."""
        return np.searchsorted(self.cuts, z[:, self.outcome])

    def placed(self, category: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
        """(n, J−1) with `upper` at the threshold above each row's category, `lower` at the one below, else 0."""
        out = np.zeros((len(category), len(self.zeta) + 2))
        row = np.arange(len(category))
        out[row, category + 1] = upper
        out[row, category] = lower
        return out[:, 1:-1]

    def contributions(self, z: np.ndarray) -> Contributions:
        """What rows z (n, p) add to the log-likelihood and its derivatives."""
        from scipy.special import expit

        u, category = z @ self.basis, self.category(z)
        eta = u @ self.beta
        ends = np.r_[-np.inf, self.zeta, np.inf]
        a, b = ends[category + 1] - eta, ends[category] - eta
        with np.errstate(invalid="ignore"):
            between = np.nan_to_num(np.diff(ends), nan=np.inf, posinf=np.inf)
        apart = -np.expm1(-between)
        close = (np.exp(-between) / apart)[category]
        up, low = expit(-a), expit(b)
        spread_up, spread_low = up * expit(a), low * expit(-b)
        spread = spread_up + spread_low
        share = np.divide(spread_up, spread, out=np.zeros_like(spread), where=spread > 0)
        root = np.sqrt(spread)
        tie = np.sqrt(spread_low * share + close / apart[category])
        return Contributions(
            np.log(apart)[category] - np.logaddexp(0.0, -a) - np.logaddexp(0.0, b),
            np.hstack([u * (low - up)[:, None], self.placed(category, up + close, -low - close)]),
            np.hstack([u * -root[:, None], self.placed(category, root * share, root * (1 - share))]),
            self.placed(category, tie, -tie),
        )


def standardised(groups: Groups, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(p, k) basis that turns a row of `groups` into its first k variables, around `mean` (k,) in units of `spread`."""
    k = len(mean)
    out = np.zeros((1 + len(groups.names), k))
    out[0] = (groups.midpoint[:k] - mean) / spread
    out[1 + np.arange(k), np.arange(k)] = 1 / spread
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """What single rows add.

    value : (n,) log-likelihood. gradient : (n, P) its derivatives.
    bend, tie : (n, P) and (n, J−1); minus the second derivatives of a row are bend·bendᵀ, plus tie·tieᵀ among the
        thresholds.
    """

    value: np.ndarray
    gradient: np.ndarray
    bend: np.ndarray
    tie: np.ndarray

    def packed(self) -> np.ndarray:
        """(n, P(P+1)/2) upper triangles of minus the second derivatives, row by row."""
        row, column = np.triu_indices(self.bend.shape[1])
        k = self.bend.shape[1] - self.tie.shape[1]
        out = self.bend[:, row] * self.bend[:, column]
        among = row >= k
        out[:, among] += self.tie[:, row[among] - k] * self.tie[:, column[among] - k]
        return out


def unpacked(triangles: np.ndarray, size: int) -> np.ndarray:
    """(…, P, P) symmetric matrices from their upper triangles (…, P(P+1)/2)."""
    out = np.empty((*triangles.shape[:-1], size, size))
    row, column = np.triu_indices(size)
    out[..., row, column] = out[..., column, row] = triangles
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Derivatives:
    """Scores whose sums of squares Σ w²·ssᵀ hold the log-likelihood and both of its derivatives.

    A score 1/w turns the square of another score into its sum Σ w·s; the root of the curvature, over √w, turns into
    the sum of the curvature. It spares P² columns of second derivatives.
    """

    model: Cumulative

    @property
    def size(self) -> int:
        """Figures per row: 1/w, the log-likelihood, its gradient, the curvature's root in two parts."""
        k, cuts = len(self.model.beta), len(self.model.zeta)
        return 2 + 2 * (k + cuts) + cuts

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q) scores of rows z (n, p)."""
        row, w = self.model.contributions(z), weight[:, None]
        root = np.sqrt(w)
        return np.hstack([1 / w, row.value[:, None], row.gradient, row.bend / root, row.tie / root])


@dataclass(frozen=True, slots=True, eq=False)
class _Against:
    """Marks the rows that become less probable when the parameters move along a direction (P,) without end."""

    model: Cumulative
    direction: np.ndarray

    @property
    def size(self) -> int:
        """One mark per row."""
        return 1

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """(n, 1) 1 where a row stands against the direction."""
        model, k = self.model, len(self.model.beta)
        category, eta = model.category(z), z @ model.basis @ self.direction[:k]
        ends = np.r_[-np.inf, np.where(np.isfinite(model.zeta), self.direction[k:], np.inf), np.inf]
        still = STILL * np.abs(self.direction).max()
        above = (ends[category + 1] - eta < -still) & (category < len(ends) - 2)
        below = (ends[category] - eta > still) & (category > 0)
        return (above | below)[:, None].astype(float)


@dataclass(frozen=True, slots=True, eq=False)
class Derived:
    """Weighted sums over the rows of D groups at certain parameters.

    value : (D,) log-likelihood. gradient : (D, P). information : (D, P, P) minus the second derivatives.
    """

    value: np.ndarray
    gradient: np.ndarray
    information: np.ndarray


def derived(source: Source, groups: Groups, models: Mapping[Domain, Cumulative]) -> Derived:
    """Log-likelihood and derivatives of the models, in one pass over the rows."""
    scores = {domain: _Derivatives(model) for domain, model in models.items()}
    at = [groups.domains.index(domain) for domain in models]
    sums = row_squares(source, groups, scores)[at]
    first = next(iter(models.values()))
    k, size = len(first.beta), len(first.theta)
    gradient, bend, tie = slice(2, 2 + size), slice(2 + size, 2 + 2 * size), slice(2 + 2 * size, None)
    information = sums[:, bend, bend].copy()
    information[:, k:, k:] += sums[:, tie, tie]
    return Derived(sums[:, 0, 1], sums[:, 0, gradient], information)


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the search ended.

    models : at the parameters of the maximum. derived : there. rounds : Newton steps.
    endless : domain → direction (P,) along which the likelihood grows without end; the models are then of no use.
    """

    models: Mapping[Domain, Cumulative]
    derived: Derived
    rounds: int
    endless: Mapping[Domain, np.ndarray]


def maximise(source: Source, groups: Groups, start: Mapping[Domain, Cumulative], what: str) -> Optimum:
    """Newton's method for the models of all groups at once; each step is one pass over the rows.

    Parameters
    ----------
    source, groups : the rows and their design; listwise.
    start : models at starting values.
    what : name of the model in an error.

    Returns
    -------
    Optimum

    Raises
    ------
    ConvergenceError
        If the gradient is not zero at the end, though no direction goes on for ever.
    """
    models, found = dict(start), derived(source, groups, start)
    at = [groups.domains.index(domain) for domain in start]
    scale = groups.over_domains(groups.gram)[at, 0, 0] / groups.over_domains(groups.n)[at]
    for rounds in range(ROUNDS):
        step = newton_step(found, models, what)
        distance = np.sqrt(np.maximum((step * found.gradient).sum(axis=1), 0.0) / scale)
        if (distance < TOLERANCE).all():
            return Optimum(models, found, rounds, {})
        if rounds in CHECKED:
            endless = _endless(source, groups, models, step)
            if endless:
                return Optimum(models, found, rounds, endless)
        models, found = _better(source, groups, models, found, step, what)
    raise _not_converged(what, f"after {ROUNDS} steps", float(distance.max()))


def newton_step(found: Derived, models: Mapping[Domain, Cumulative], what: str) -> np.ndarray:
    """(D, P) information⁻¹·gradient; 0 for thresholds that a group does not have."""
    try:
        return np.linalg.solve(with_absent(found.information, models), found.gradient[..., None])[..., 0]
    except np.linalg.LinAlgError:
        raise _not_converged(what, "its information matrix became singular", float("nan")) from None


def with_absent(information: np.ndarray, models: Mapping[Domain, Cumulative]) -> np.ndarray:
    """Information (…, D, P, P) that can be inverted: 1 for thresholds that a group does not have."""
    absent = np.array([~np.isfinite(model.theta) for model in models.values()])
    return information + absent[:, :, None] * np.eye(absent.shape[1])


def _better(
    source: Source, groups: Groups, models: Mapping[Domain, Cumulative], found: Derived, step: np.ndarray, what: str
) -> tuple[dict[Domain, Cumulative], Derived]:
    """The models after the step, or after as much of it as does not lower the likelihood of any group."""
    factor = np.array([_ordered(model, move) for model, move in zip(models.values(), step, strict=True)])
    floor = found.value - 1e-12 * np.abs(found.value)
    for _ in range(HALVINGS):
        moved = {
            domain: model.at(model.theta + part * move)
            for (domain, model), part, move in zip(models.items(), factor, step, strict=True)
        }
        tried = derived(source, groups, moved)
        lower = ~(tried.value >= floor)
        if not lower.any():
            return moved, tried
        factor[lower] /= 2
    raise _not_converged(what, "no step raises its likelihood", float("nan"))


def _ordered(model: Cumulative, step: np.ndarray) -> float:
    """The largest of 1, ½, ¼ … after which the thresholds still increase."""
    finite = np.isfinite(model.zeta)
    zeta, move, factor = model.zeta[finite], step[len(model.beta) :][finite], 1.0
    while (np.diff(zeta + factor * move) <= 0).any() and factor > 2.0**-HALVINGS:
        factor /= 2
    return factor


def _endless(
    source: Source, groups: Groups, models: Mapping[Domain, Cumulative], step: np.ndarray
) -> dict[Domain, np.ndarray]:
    """Groups in which no row stands against the step: the likelihood grows along it without end (separation).

    Source: Albert & Anderson (1984), Biometrika 71, 1–10. Newton's steps turn into such a direction if there is one.
    """
    scores = {domain: _Against(model, move) for (domain, model), move in zip(models.items(), step, strict=True)}
    against = score_sums(source, groups, scores)[:, 0]
    return {
        domain: move
        for domain, move in zip(models, step, strict=True)
        if against[groups.domains.index(domain)] == 0 and move.any()
    }


def _not_converged(what: str, where: str, distance: float) -> ConvergenceError:
    left = f" (its gradient is still {distance:.2g} standard errors from zero)" if np.isfinite(distance) else ""
    return ConvergenceError(
        f"{what} did not converge: {where}{left}. Use fewer drivers, merge rare levels of factors and of the outcome, "
        "or use family='linear'."
    )
