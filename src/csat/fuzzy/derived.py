"""Weights that other results give: coefficients and importance of drivers, loadings, effects, outer weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from csat.composites import Pls
from csat.drivers import Importance, Regression
from csat.errors import OptionError, SampleError, closest
from csat.fuzzy.objective import jacobian, shares
from csat.fuzzy.weights import FactorWeights, Note
from csat.moments import as_names, one_name
from csat.results import Estimates, Unavailable
from csat.structural import Sem
from csat.structural.engine.values import table_jacobian, table_values

#: Results that weights can be read off, by the name of the method.
DRIVERS, SEM, PLS = "drivers", "sem", "pls"
Result = Regression | Importance | Sem | Pls


@dataclass(frozen=True, slots=True, eq=False)
class Raw:
    """Figures (m,) of factors in some result, with their covariance (m, m); notes : of how they were made."""

    factors: tuple[str, ...]
    values: np.ndarray
    vcov: np.ndarray
    source: Estimates
    n: float
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Clipped:
    """Draws of figures from the normal distribution; negative ones count as 0, the others are divided by their sum."""

    values: np.ndarray
    vcov: np.ndarray

    def __call__(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """(size, m) weights; a draw without a positive figure is drawn as the estimates are."""
        roots, vectors = np.linalg.eigh(self.vcov)
        noise = rng.standard_normal((size, len(roots))) * np.sqrt(np.maximum(roots, 0.0))
        drawn = np.maximum(self.values + noise @ vectors.T, 0.0)
        drawn[drawn.sum(axis=1) == 0] = np.maximum(self.values, 0.0)
        return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def from_result(result: Result, factors: Any, of: Any, outcome: Any, group: Any, level: float) -> FactorWeights:
    """Weights read off a result.

    Parameters
    ----------
    factors : to weigh; None: all that the result has. of : construct whose items are weighed. outcome : variable that
        the factors have effects on. group : of a result by groups, one label or several.

    Raises
    ------
    OptionError
        For arguments that do not fit the result.
    SampleError
        If no figure is positive.
    """
    of = None if of is None else one_name(of, "of")
    outcome = None if outcome is None else one_name(outcome, "outcome")
    labels = as_names(group, "group")
    group = group if isinstance(group, str) else labels or None
    if isinstance(result, Regression | Importance):
        for name, value in (("of", of), ("outcome", outcome)):
            if value is not None:
                raise OptionError(f"{name}= belongs to models with constructs; leave it out for {_kind(result)}.")
        found = _of_regression(result, group) if isinstance(result, Regression) else _of_importance(result, group)
        return _weights(_chosen(found, factors), DRIVERS, level)
    if (of is None) == (outcome is None):
        raise OptionError("Name a construct whose items are weighed, of='…', or what they act on, outcome='…'.")
    if isinstance(result, Sem):
        found = _loadings(result, of, group) if outcome is None else _sem_effects(result, outcome, group)
        return _weights(_chosen(found, factors), SEM, level)
    return _weights(_chosen(_of_pls(result, of, outcome, group), factors), PLS, level)


def _kind(result: Any) -> str:
    return type(result).__name__


def _chosen(found: Raw, factors: Any) -> Raw:
    """The factors asked for, in their order."""
    if factors is None:
        wanted = found.factors
    else:
        wanted = as_names(factors, "factors")
        for name in wanted:
            if name not in found.factors:
                raise OptionError(f"factors: the result has no {name!r}. Did you mean {closest(name, found.factors)}?")
    if len(wanted) < 2 or len(set(wanted)) < len(wanted):
        raise OptionError(f"factors: two or more different ones are needed to weigh; found {list(wanted)}.")
    at = [found.factors.index(name) for name in wanted]
    return Raw(wanted, found.values[at], found.vcov[np.ix_(at, at)], found.source, found.n, found.notes)


def _weights(raw: Raw, method: str, level: float) -> FactorWeights:
    """Figures divided by their sum, negative ones counted as 0; the covariance follows by the delta method."""
    if not np.isfinite(raw.values).all():
        lost = [name for name, value in zip(raw.factors, raw.values, strict=True) if not np.isfinite(value)]
        raise SampleError(f"The result has no figure for {', '.join(map(repr, lost))}: leave them out of factors=.")
    positive = raw.values > 0
    if not positive.any():
        raise SampleError(f"None of {list(raw.factors)} has a positive figure: they cannot be weights.")
    m = len(raw.factors)
    slope = np.zeros((m, m))
    slope[np.ix_(positive, positive)] = jacobian(shares, raw.values[positive])
    known = bool(np.isfinite(raw.vcov).all())
    vcov = slope @ raw.vcov @ slope.T if known else np.full((m, m), np.nan)
    vcov[~positive, :] = vcov[:, ~positive] = np.nan
    unavailable = dict.fromkeys(np.flatnonzero(~positive).tolist(), Unavailable("negative_weight"))
    if not known:
        unavailable = dict.fromkeys(np.flatnonzero(positive).tolist(), Unavailable("no_rows")) | unavailable
    source = raw.source
    df = float(np.min(np.broadcast_to(np.asarray(source.df, float), len(source.term))))
    estimates = Estimates(
        raw.factors, shares(np.where(positive, raw.values, 0.0)), vcov, df, np.full(m, raw.n), np.full(m, np.nan),
        "share", source.provenance, level, None, {}, unavailable,
    )  # fmt: skip
    return FactorWeights(estimates, method, (*raw.notes, *_notes(raw, known)), _redraw(raw, known))


def _redraw(raw: Raw, known: bool) -> Clipped | None:
    return Clipped(raw.values, raw.vcov) if known else None


def _notes(raw: Raw, known: bool) -> list[Note]:
    found = [
        Note("negative", name, {"value": float(value)})
        for name, value in zip(raw.factors, raw.values, strict=True)
        if value < 0
    ]
    if known:
        t = raw.values / np.sqrt(np.maximum(np.diag(raw.vcov), np.finfo(float).tiny))
        found += [Note("not_significant", raw.factors[i]) for i in np.flatnonzero((t > 0) & (t < 1.96)).tolist()]
    return found


def _at_group(keys: Mapping[str, Sequence[Any]], group: Any, size: int) -> np.ndarray:
    """Positions of the rows of one group; `keys` are the grouping columns."""
    if not keys:
        if group is not None:
            raise OptionError("group: the result has no groups; leave it out.")
        return np.arange(size)
    rows = list(zip(*keys.values(), strict=True))
    listed = list(dict.fromkeys(rows))
    wanted = group if isinstance(group, tuple) else (group,)
    if wanted not in listed:
        shown = ", ".join(repr(" × ".join(map(str, row))) for row in listed[:8])
        raise OptionError(f"group={group!r}: the result has an analysis per group; choose one of {shown}.")
    return np.array([i for i, row in enumerate(rows) if row == wanted])


def _of_regression(result: Regression, group: Any) -> Raw:
    """Standardized coefficients; their covariance is that of the coefficients, times what standardizes them."""
    if result.family != "linear":
        raise OptionError(f"A {result.family} regression has no standardized coefficients; use a linear one.")
    at = _at_group(result.coefficients.keys, group, len(result.owner))
    at = np.array([i for i in at.tolist() if result.owner[i]])
    terms = tuple(result.owner[i] for i in at.tolist())
    twice = next((term for term in terms if terms.count(term) > 1), None)
    if twice is not None:
        raise OptionError(f"{twice!r} has several coefficients; weigh it by its importance: csat.importance(…).")
    estimates = result.coefficients
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = result.beta[at] / estimates.estimate[at]
    vcov = estimates.vcov[np.ix_(at, at)] * np.outer(factor, factor)
    return Raw(terms, result.beta[at], vcov, estimates, _number(estimates.n[at]), (Note("fixed_sd"),))


def _of_importance(result: Importance, group: Any) -> Raw:
    found = result.estimates
    at = _at_group(found.keys, group, len(found.term))
    return Raw(
        tuple(found.term[i] for i in at.tolist()), found.estimate[at], found.vcov[np.ix_(at, at)], found,
        _number(found.n[at]),
    )  # fmt: skip


def _number(n: np.ndarray) -> float:
    return float(np.min(n)) if len(n) else float("nan")


def _loadings(result: Sem, construct: Any, group: Any) -> Raw:
    """Standardized loadings of the items of a construct, by the delta method."""
    label = _sem_group(result, group)
    rows = [
        i for i, row in enumerate(result.layout.rows)
        if row.op == "=~" and row.lhs == construct and result.groups[row.group] == label
    ]  # fmt: skip
    if not rows:
        raise OptionError(f"of={construct!r} is no construct of the model. Did you mean {_near(construct, result)}?")
    theta, definitions = result.optimum.theta, result.model.definitions
    values = table_values(result.layout, definitions, theta, "all")[rows]
    slope = table_jacobian(result.layout, definitions, theta, "all")[rows]
    names = tuple(result.layout.rows[i].rhs for i in rows)
    k = len(theta)
    return Raw(names, values, slope @ result.vcov[:k, :k] @ slope.T, result.parameters, float(result.measures.n))


def _near(name: Any, result: Sem) -> str:
    return closest(str(name), result.latents)


def _sem_group(result: Sem, group: Any) -> str:
    if group is None and len(result.groups) == 1:
        return result.groups[0]
    group = group[0] if isinstance(group, tuple) and len(group) == 1 else group
    if group not in result.groups or len(result.groups) == 1:
        raise OptionError(f"group={group!r}: the model has the groups {list(result.groups)}; name one of them, if any.")
    return str(group)


def _sem_effects(result: Sem, outcome: Any, group: Any) -> Raw:
    """Standardized total effects on an outcome."""
    label = _sem_group(result, group)
    found = result.effects().standardized
    groups = found.keys.get("group", (label,) * len(found.term))
    kind, lhs, rhs = (found.keys[name] for name in ("kind", "lhs", "rhs"))
    at = [i for i in range(len(kind)) if kind[i] == "total" and lhs[i] == outcome and groups[i] in (label, "")]
    return _effects(at, rhs, lhs, found, outcome, float(result.measures.n))


def _effects(
    at: Sequence[int], causes: Sequence[str], outcomes: Sequence[str], found: Estimates, outcome: Any, n: float
) -> Raw:
    if not at:
        raise OptionError(
            f"outcome={outcome!r}: nothing acts on it. Did you mean {closest(str(outcome), set(outcomes))}?"
        )
    return Raw(tuple(causes[i] for i in at), found.estimate[list(at)], found.vcov[np.ix_(at, at)], found, n)


def _of_pls(result: Pls, construct: Any, outcome: Any, group: Any) -> Raw:
    """Outer weights of a construct's items, or total effects on an outcome."""
    found = result.estimates
    d = result.position(group)
    if group is None and len(result.domains) > 1:
        raise OptionError(f"group: the model was estimated in groups; name one of {list(result.labels)}.")
    size = len(found.term) // len(result.domains)
    kind, lhs, rhs = (found.keys[name] for name in ("kind", "lhs", "rhs"))
    here = range(d * size, (d + 1) * size)
    n = float(result.layout.n[d])
    if outcome is not None:
        at = [i for i in here if kind[i] == "total" and lhs[i] == outcome]
        ends = [lhs[i] for i in here if kind[i] == "total"]
        return _effects(at, rhs, ends, found, outcome, n)
    at = [i for i in here if kind[i] == "weight" and lhs[i] == construct]
    if not at:
        constructs = [lhs[i] for i in here if kind[i] == "weight"]
        near = closest(str(construct), dict.fromkeys(constructs))
        raise OptionError(f"of={construct!r} is no construct of the model. Did you mean {near}?")
    return Raw(tuple(rhs[i] for i in at), found.estimate[at], found.vcov[np.ix_(at, at)], found, n)
