"""The operators of B = A∘R: how factor weights and memberships make one composite membership.

With weights that sum to 1 no bounded sum ever passes its bound, so that "product-sum" equals "weighted-average".
Only these two use all the information; the others let a few factors decide, and can reach another verdict from the
same matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from csat.errors import check_choice

#: (…, m) weights and (…, m, g) memberships to (…, g); leading axes stretch to each other.
Operator = Callable[[np.ndarray, np.ndarray], np.ndarray]


def weighted_average(weights: np.ndarray, memberships: np.ndarray) -> np.ndarray:
    """M(·,+): Σ a·r. Every factor counts by its weight."""
    return np.asarray((weights[..., None, :] @ memberships)[..., 0, :])


def min_max(weights: np.ndarray, memberships: np.ndarray) -> np.ndarray:
    """M(∧,∨): max min(a, r). The main factor decides."""
    return np.asarray(np.minimum(weights[..., None], memberships).max(axis=-2))


def product_max(weights: np.ndarray, memberships: np.ndarray) -> np.ndarray:
    """M(·,∨): max a·r. The main factor stands out."""
    return np.asarray((weights[..., None] * memberships).max(axis=-2))


def min_sum(weights: np.ndarray, memberships: np.ndarray) -> np.ndarray:
    """M(∧,⊕): min(1, Σ min(a, r)). A bounded sum of what the weights let through."""
    return np.minimum(np.minimum(weights[..., None], memberships).sum(axis=-2), 1.0)


def product_sum(weights: np.ndarray, memberships: np.ndarray) -> np.ndarray:
    """M(·,⊕): min(1, Σ a·r)."""
    return np.minimum(weighted_average(weights, memberships), 1.0)


#: Name → operator.
OPERATORS: Mapping[str, Operator] = {
    "weighted-average": weighted_average,
    "min-max": min_max,
    "product-max": product_max,
    "min-sum": min_sum,
    "product-sum": product_sum,
}

#: Operators under which a composite is linear in the memberships, as long as weights sum to 1.
LINEAR = ("weighted-average", "product-sum")


def operator_named(name: str) -> Operator:
    """Operator of this name; `OptionError` lists the known ones."""
    check_choice("operator", name, OPERATORS)
    return OPERATORS[name]


def normalised(composite: np.ndarray) -> np.ndarray:
    """Memberships (…, g) divided by their sum; NaN where it is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(composite / composite.sum(axis=-1, keepdims=True))
