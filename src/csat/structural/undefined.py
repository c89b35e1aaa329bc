"""What has no value at the estimates: definitions whose arithmetic fails, standardized values without a unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from csat.errors import CsatWarning
from csat.model import Definition
from csat.structural.engine.structure import Layout
from csat.structural.engine.values import tables

#: Most names in one sentence.
_LISTED = 8


class UndefinedWarning(CsatWarning):
    """A defined parameter that has no value at the estimates."""


def undefined(
    layout: Layout, definitions: Sequence[Definition], theta: np.ndarray
) -> tuple[list[tuple[type[CsatWarning], str]], list[str]]:
    """Definitions without a value, as kinds of warning and their wording, and notes on what cannot be standardized.

    Parameters
    ----------
    theta : (k,) estimates.
    """
    raw, standard = tables(layout, definitions, theta, ("raw", "all"))
    cut = len(layout.rows)
    warned = [(UndefinedWarning, _words(d)) for d, value in zip(definitions, raw[cut:], strict=True) if np.isnan(value)]
    lost = np.isnan(standard[:cut]) & np.isfinite(raw[:cut])
    names = list(dict.fromkeys(layout.rows[r].relation for r in np.flatnonzero(lost).tolist()))
    if not names:
        return list(warned), []
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    note = (
        f"No standardized value of {', '.join(names[:_LISTED])}{more}: it would be divided by a (residual) variance "
        "that is 0 or negative."
    )
    return list(warned), [note]


def _words(definition: Definition) -> str:
    return (
        f"{definition.name} := {definition.text} has no value at the estimates: a division by 0, a logarithm or a root "
        "of a number that does not have one, or a definition without a value in it. It has no standard error either. "
        "Write it otherwise, for example with the sign turned."
    )
