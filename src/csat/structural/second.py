"""A second opinion: the same structure estimated by semopy (Igolkina & Meshcheryakov 2020).

semopy gets every parameter spelled out, csat's starting values and a tight tolerance; standard errors
and fit measures are then computed by csat at the estimates that semopy found.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

from csat.errors import ConvergenceError, MissingDependencyError, ModelError
from csat.model import Row
from csat.structural.engine.cells import PATH
from csat.structural.engine.checks import proper
from csat.structural.engine.discrepancy import MaximumLikelihood
from csat.structural.engine.fit import Optimum, optimum_at
from csat.structural.engine.structure import Layout, Structure, evaluate

#: semopy stops on the change of F, not on its gradient; this is how flat its solution must be.
_FLAT = 1e-3


def minimise_with_semopy(layout: Layout, discrepancy: MaximumLikelihood, start: np.ndarray) -> Optimum:
    """Estimate theta by semopy's maximum likelihood (SLSQP, ftol 1e-12).

    Raises
    ------
    ModelError
        For what semopy does not have, or has wrong: composites (``<~``), means, groups, constraints.
    ConvergenceError
        If the gradient at its solution does not vanish: it stopped early, or at its bound of zero for a variance.
    """
    try:
        import semopy
    except ImportError:
        raise MissingDependencyError("engine='semopy' needs the package 'semopy': pip install semopy.") from None
    if any(row.op == "<~" for row in layout.rows):
        raise ModelError("semopy has no composites (<~). Use engine='csat', or csat.pls.")
    if len(layout.groups) > 1 or layout.groups[0].means or layout.constraints:
        raise ModelError("engine='semopy' takes one group, no intercepts and no constraints. Use engine='csat'.")
    structure, sample = layout.groups[0], discrepancy.samples[0].cov
    codes = {name: f"v{i}" for i, name in enumerate(structure.variables)}
    names = [codes[name] for name in structure.observed]
    with _no_root_handler():
        peer = semopy.Model(_description(structure, codes), cov_diag=True, mimic_lavaan=True)
        for k, value in enumerate(start):
            peer.parameters[f"t{k}"].start = float(value)
        found = peer.fit(cov=pd.DataFrame(sample, names, names), options={"ftol": 1e-12, "maxiter": 10_000})
    active = [name for name, parameter in peer.parameters.items() if parameter.active]
    estimates = dict(zip(active, peer.param_vals.tolist(), strict=True))
    theta = np.array([estimates[f"t{k}"] for k in range(len(start))])
    if not proper(evaluate(layout, theta)):
        raise ConvergenceError("semopy stopped where the implied covariance matrix is not positive definite.")
    result = optimum_at(layout, discrepancy, theta, int(found.n_it))
    if float(result.worst) > _FLAT:
        worst = layout.names[int(np.argmax(np.abs(result.gradient)))]
        raise ConvergenceError.stopped(
            "semopy (which keeps variances at or above zero)", result.iterations, float(result.worst), _FLAT, worst
        )
    return result


@contextmanager
def _no_root_handler() -> Iterator[None]:
    """Keep semopy's remarks to the root logger from installing a handler that prints them ever after."""
    silent = logging.NullHandler()
    logging.getLogger().addHandler(silent)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(silent)


def _description(structure: Structure, codes: dict[str, str]) -> str:
    """Spell out every parameter in semopy's notation: ``t0*v1`` free, ``0.5*v1`` fixed."""
    factor = dict(zip(structure.free.tolist(), [f"t{k}" for k in structure.parameter], strict=True))
    lines = [
        f"{codes[row.lhs]} {row.op} {factor.get(r) or _number(structure, r)}*{codes[row.rhs]}"
        for r, row in enumerate(structure.rows)
    ]
    return "\n".join([*lines, *_zeros(structure.rows, structure.observed, codes)])


def _number(structure: Structure, r: int) -> str:
    kind, i, j = structure.cells[r]
    value = float((structure.directed if kind == PATH else structure.symmetric)[i, j])
    return np.format_float_positional(value, trim="0")


def _zeros(rows: tuple[Row, ...], observed: tuple[str, ...], codes: dict[str, str]) -> list[str]:
    """Covariances that semopy would take from the sample where the model has none."""
    explained = {row.lhs for row in rows if row.op == "~"} | {row.rhs for row in rows if row.op == "=~"}
    free = [name for name in observed if name not in explained]
    known = {frozenset((row.lhs, row.rhs)) for row in rows if row.op == "~~"}
    pairs = [(a, b) for i, a in enumerate(free) for b in free[:i] if frozenset((a, b)) not in known]
    return [f"{codes[a]} ~~ 0*{codes[b]}" for a, b in pairs]
