"""Variances of latent responses that are held at 1: what makes them so, and how derivatives take it into account.

Of each pair in `units` (u, 2) the first is an observed variable whose variance is 1, the second the variable whose
(residual) variance in P makes it so. Σ is linear in P, so that all follow from one linear system.
"""

from __future__ import annotations

import numpy as np

from csat.structural.engine.linear import inverted


def complete(reach: np.ndarray, s: np.ndarray, units: np.ndarray) -> None:
    """Put the variances that make `units` into P (…, m, m), in place; reach : (…, m, m) E."""
    of, by = units.T
    rows = reach[..., of, :]
    lacking = 1.0 - np.sum((rows @ s) * rows, axis=-1)
    weight = inverted(rows[..., by] ** 2)
    s[..., by, by] = np.squeeze(weight @ lacking[..., None], -1)


def with_multipliers(by_sigma: np.ndarray, effects: np.ndarray, units: np.ndarray) -> np.ndarray:
    """`by_sigma` (…, p, p) with multipliers of the variances that stay 1, so that what makes them so has no slope."""
    of, by = units.T
    columns = effects[..., by]
    slope = np.sum((by_sigma @ columns) * columns, axis=-2)
    multiplier = inverted((columns[..., of, :] ** 2).swapaxes(-1, -2)) @ slope[..., None]
    held = by_sigma.copy() if by_sigma.dtype == multiplier.dtype else by_sigma.astype(complex)
    held[..., of, of] -= multiplier[..., 0]
    return held


def compensation(by_sigma: np.ndarray, effects: np.ndarray, units: np.ndarray) -> np.ndarray:
    """(…, p, p, c) what the variances that make `units` take back of a change of Σ (…, p, p, c)."""
    of, by = units.T
    columns = effects[..., by]
    change = inverted(columns[..., of, :] ** 2) @ by_sigma[..., of, of, :]
    return np.einsum("...iu,...ju,...uc->...ijc", columns, columns, change)
