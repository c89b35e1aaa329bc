"""Reasons to look twice at scales: items that run the other way round, factor models without a proper solution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from csat.consistency import correlations
from csat.errors import CsatWarning
from csat.measurement.factors import FactorModel, Fit
from csat.measurement.scales import Scales

#: Most names in one sentence.
_LISTED = 6


class ReversedItemWarning(CsatWarning):
    """Items of one scale that correlate negatively: one of them may be worded the other way round."""


class FactorModelWarning(CsatWarning):
    """A factor model that has no solution, so that omega and AVE are missing."""


class ImproperFactorsWarning(CsatWarning):
    """A factor model with a negative variance, or with scales that correlate beyond 1."""


#: A kind of warning and its words.
Doubt = tuple[type[CsatWarning], str]


def place(label: str) -> str:
    """Where, in words."""
    return f" in group {label!r}" if label else ""


def listed(parts: Sequence[str]) -> str:
    """The first few of several names."""
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return ", ".join(parts[:_LISTED]) + more


def reversed_items(scales: Scales, cov: np.ndarray, label: str) -> Iterator[Doubt]:
    """Negative correlations within scales, and which item seems to make them."""
    corr = correlations(cov)
    for c in scales.several:
        items, own = scales.members[c], corr[np.ix_(scales.places[c], scales.places[c])]
        worst = np.unravel_index(np.argmin(own), own.shape)
        if not own[worst] < 0:
            continue
        pair = f"{items[worst[0]]} and {items[worst[1]]} correlate {own[worst]:.2f}"
        turned = [items[i] for i in _turned(own)]
        which = (
            f"{listed(turned)} seem{'s' if len(turned) == 1 else ''} to run the other way round: if so, recode the "
            "answers (highest to lowest) before they enter the scale."
            if turned
            else "One of them may be worded the other way round, or they measure different things."
        )
        yield (
            ReversedItemWarning,
            f"Items of scale {scales.names[c]!r} correlate negatively{place(label)}: {pair}. {which} Alpha and omega "
            "suppose that all items run the same way.",
        )


def _turned(corr: np.ndarray) -> list[int]:
    """Items against the direction of most, along the first principal axis; none if two items, or as many each way."""
    if len(corr) < 3:
        return []
    axis = np.linalg.eigh(corr)[1][:, -1]
    axis = axis * np.sign(axis.sum() or 1.0)
    negative = np.flatnonzero(axis < 0)
    if 2 * len(negative) == len(corr):
        return []
    return (negative if 2 * len(negative) < len(corr) else np.flatnonzero(axis > 0)).tolist()


def factor_doubts(model: FactorModel, fit: Fit | None, label: str) -> Iterator[Doubt]:
    """What is wrong with the factor model of one group."""
    if fit is None:
        yield (
            FactorModelWarning,
            f"The factor model of {listed(model.scales.names)} has no solution{place(label)}: too few answers, items "
            "that repeat each other, or scales that share nothing. Omega, CR and AVE are missing; alpha and HTMT need "
            "no model. factors='separate' fits each scale by itself.",
        )
        return
    found = model.at(fit.state.theta)
    negative = [
        f"{item} ({value:.3g})"
        for item, value in zip(model.scales.items, found.unique.tolist(), strict=True)
        if value < 0
    ]
    if negative:
        yield (
            ImproperFactorsWarning,
            f"Negative residual variance (Heywood case){place(label)} of {listed(negative)}: omega, CR and AVE of its "
            "scale cannot be trusted. Leave the item out, or use factors='separate'.",
        )
    names = model.scales.names
    beyond = [
        f"{names[i]} and {names[j]} ({found.correlation[i, j]:.3f})"
        for i, j in zip(*np.triu_indices(len(names), 1), strict=True)
        if abs(found.correlation[i, j]) > 1
    ]
    if beyond:
        yield (
            ImproperFactorsWarning,
            f"Scales that correlate beyond 1{place(label)}: {listed(beyond)}. The answers do not tell them apart; "
            "merge them, or drop one.",
        )


def sizes(scales: Scales) -> Iterator[str]:
    """What scales of one or two items have instead."""
    pairs = [name for name, items in zip(scales.names, scales.members, strict=True) if len(items) == 2]
    single = [name for name, items in zip(scales.names, scales.members, strict=True) if len(items) == 1]
    if pairs:
        yield (
            f"Two items only: {', '.join(pairs)}. Their standardized alpha is the Spearman–Brown coefficient, which "
            "suits two items best (Eisinga, te Grotenhuis & Pelzer 2013, International Journal of Public Health 58(4))."
        )
    if single:
        yield f"A single item: {', '.join(single)}. How reliable it is cannot be seen from one survey."
