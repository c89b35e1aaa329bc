"""The parameter table at given estimates: raw, standardized, defined; with delta-method derivatives.

Every column of the table is one function of theta that accepts complex numbers. Its derivative is the
imaginary part of one evaluation at theta + i·h, exact to rounding (Squire & Trapp 1998, SIAM Review 40(1)).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.model import Definition
from csat.model.expression import evaluate
from csat.structural.engine.cells import MEAN, PATH
from csat.structural.engine.linear import total_effects
from csat.structural.engine.structure import Layout, Structure

KINDS = ("raw", "all", "lv")
_STEP = 1e-20


def table_values(layout: Layout, definitions: Sequence[Definition], theta: np.ndarray, kind: str) -> np.ndarray:
    """Value of every row, group by group, then of every definition.

    Parameters
    ----------
    theta : (…, k), real or complex.
    kind : "raw"; "all" with all variables standardized; "lv" with constructs standardized.

    Returns
    -------
    ndarray
        (…, rows + definitions). NaN where a variance that standardizes is not positive, or arithmetic has no value.
    """
    return tables(layout, definitions, theta, (kind,))[0]


def tables(layout: Layout, definitions: Sequence[Definition], theta: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    """(kinds, …, rows + definitions) several of `table_values` at once."""
    rows = np.concatenate([_of_group(structure, theta, kinds) for structure in layout.groups], axis=-1)
    if not definitions:
        return rows
    known = {row.label: rows[..., r] for r, row in reversed(list(enumerate(layout.rows))) if row.label}
    defined = []
    for definition in definitions:
        value = evaluate(definition.expression, known)
        known[definition.name] = np.broadcast_to(np.where(np.isfinite(value), value, np.nan), rows.shape[:-1])
        defined.append(known[definition.name])
    return np.concatenate([rows, np.stack(defined, axis=-1)], axis=-1)


def _of_group(structure: Structure, theta: np.ndarray, kinds: Sequence[str]) -> np.ndarray:
    a, s, alpha = structure.matrices(theta)
    cell, i, j = structure.cells.T
    rows = np.where(cell == PATH, a[..., i, j], np.where(cell == MEAN, alpha[..., i], s[..., i, j]))
    units = {} if set(kinds) == {"raw"} else _units(structure, a, s)
    return np.stack([rows if kind == "raw" else rows * units[kind] for kind in kinds])


def units_of(structure: Structure, theta: np.ndarray, kind: str) -> np.ndarray:
    """(…, rows) factor that standardizes each row of a group, "all" or "lv", at theta (…, k)."""
    a, s, _ = structure.matrices(theta)
    return _units(structure, a, s)[kind]


def _units(structure: Structure, a: np.ndarray, s: np.ndarray) -> dict[str, np.ndarray]:
    """(…, rows) SDs of cause over effect, one over one SD or over two, for each way to standardize.

    A residual covariance is divided by the residual SDs, which makes it a correlation; as lavaan does, a
    negative residual variance counts by its size there. NaN where one of these is 0.
    """
    e = total_effects(a, structure.causes)
    total = np.sum((e @ s) * e, axis=-1)
    residual = np.diagonal(s, axis1=-2, axis2=-1)
    sd = _root(np.where(total.real > 0, total, np.nan))
    own = _root(np.where(residual == 0, np.nan, residual * np.where(residual.real < 0, -1.0, 1.0)))
    latent = np.arange(len(structure.variables)) >= structure.p
    return {
        "all": _factors(structure, sd, own),
        "lv": _factors(structure, np.where(latent, sd, 1.0), np.where(latent, own, 1.0)),
    }


def _factors(structure: Structure, sd: np.ndarray, own: np.ndarray) -> np.ndarray:
    """(…, rows) factors from the SDs (…, m) of variables and of their residuals."""
    cell, i, j = structure.cells.T
    with np.errstate(divide="ignore", invalid="ignore"):
        pair = np.where(i == j, 1.0 / (sd[..., i] * sd[..., j]), 1.0 / (own[..., i] * own[..., j]))
        return np.where(cell == PATH, sd[..., j] / sd[..., i], np.where(cell == MEAN, 1.0 / sd[..., i], pair))


def _root(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return np.sqrt(x)


def table_jacobian(layout: Layout, definitions: Sequence[Definition], theta: np.ndarray, kind: str) -> np.ndarray:
    """(rows + definitions, k) derivative of `table_values` by theta."""
    nudged = theta + 1j * _STEP * np.eye(len(theta))
    return np.imag(table_values(layout, definitions, nudged, kind)).T / _STEP


def explained(structure: Structure, theta: np.ndarray) -> dict[str, float]:
    """R² of each variable that the model explains in one group; NaN where the residual variance is negative."""
    a, s, _ = structure.matrices(theta)
    e = total_effects(a, structure.causes)
    total, residual = np.diag(e @ s @ e.T), np.diag(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = np.where((residual < 0) | (total <= 0), np.nan, 1.0 - residual / total)
    targets = {int(i) for cell, i, _ in structure.cells if cell == PATH}
    return {structure.variables[i]: float(r2[i]) for i in sorted(targets)}
