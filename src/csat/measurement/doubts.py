"""Reasons to look twice at scales: items that run the other way round, factor models without a proper solution."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from csat.consistency import correlations
from csat.errors import CsatWarning, DesignIgnoredWarning, ReversedItemWarning
from csat.measurement.factors import FactorModel, Fit
from csat.measurement.scales import Scales
from csat.structural.uncertainty.resampling import ReplicatesWarning

#: Standard errors of a correlation of 0, 1/√n, beyond which a negative one is no chance.
CHANCE = 2.0
#: Eigenvalues of correlations above minus this are not negative.
ROUNDING = 1e-10
#: Most names in one sentence.
_LISTED = 6
_APART = "factors='separate'"


class FactorModelWarning(CsatWarning):
    """A factor model that has no solution, so that omega and AVE are missing."""


class ImproperFactorsWarning(CsatWarning):
    """A factor model with a negative variance, or with scales that correlate beyond 1."""


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to know about scales.

    key : what it is; `report/locale` has its words. text : in English, for warnings and ``Reliability.notes``.
    scales, items, numbers : what it is about. group : labels of the group it is about; () for all of them.
    kind : of warning; None: it is only noted.
    """

    key: str
    text: str
    scales: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    group: tuple[str, ...] = ()
    kind: type[CsatWarning] | None = None


def _place(group: Sequence[str]) -> str:
    return f" in group {' × '.join(group)!r}" if group else ""


def _listed(parts: Sequence[str]) -> str:
    more = f" and {len(parts) - _LISTED} more" if len(parts) > _LISTED else ""
    return ", ".join(parts[:_LISTED]) + more


def reversed_items(scales: Scales, cov: np.ndarray, n: float, group: tuple[str, ...]) -> Iterator[Remark]:
    """Correlations within scales that lie below 0 by more than chance, and which item seems to make them."""
    corr = correlations(cov)
    for c in scales.several:
        items, own = scales.members[c], corr[np.ix_(scales.places[c], scales.places[c])]
        i, j = (int(at) for at in np.unravel_index(np.argmin(own), own.shape))
        if not own[i, j] < -CHANCE / np.sqrt(n):
            continue
        turned = [items[at] for at in _turned(own)]
        which = (
            f"{_listed(turned)} seem{'s' if len(turned) == 1 else ''} to run the other way round: if so, recode the "
            "answers (highest to lowest) before they enter the scale."
            if turned
            else "One of them may be worded the other way round, or they measure different things."
        )
        text = (
            f"Items of scale {scales.names[c]!r} correlate negatively{_place(group)}: {items[i]} and {items[j]} "
            f"correlate {own[i, j]:.2f}. {which} Alpha and omega suppose that all items run the same way."
        )
        about = (items[i], items[j], *turned)
        key = "reversed" if turned else "negative"
        yield Remark(key, text, (scales.names[c],), about, (float(own[i, j]),), group, ReversedItemWarning)


def _turned(corr: np.ndarray) -> list[int]:
    """Items against the direction of most, along the first principal axis; none if two items, or as many each way."""
    if len(corr) < 3:
        return []
    axis = np.linalg.eigh(corr)[1][:, -1]
    negative, positive = np.flatnonzero(axis < 0), np.flatnonzero(axis > 0)
    if len(negative) == len(positive):
        return []
    return min(negative, positive, key=len).tolist()


def factor_remarks(model: FactorModel, fit: Fit | None, group: tuple[str, ...]) -> Iterator[Remark]:
    """What is wrong with the factor model of one group."""
    names, where = model.scales.names, _place(group)
    if fit is None:
        text = (
            f"The factor model of {_listed(names)} has no solution{where}: too few answers, items that repeat each "
            "other or do not vary, or scales that share nothing. Omega, CR and AVE are missing; alpha and HTMT need no "
            "model."
            f"{' ' + _APART + ' fits each scale by itself.' if model.joint else ''}"
        )
        yield Remark("no_factors", text, group=group, kind=FactorModelWarning)
        return
    found = model.at(fit.state.theta)
    negative = tuple(model.scales.items[at] for at in np.flatnonzero(found.unique < 0))
    if negative:
        text = (
            f"Negative residual variance (Heywood case){where} of {_listed(negative)}: omega, CR and AVE of the scale "
            f"cannot be trusted. Leave the item out{', or use ' + _APART if model.joint else ''}."
        )
        yield Remark("heywood", text, items=negative, group=group, kind=ImproperFactorsWarning)
    beyond = list(_beyond_one(names, found.correlation, group))
    yield from beyond
    own = np.array(model.scales.several)
    between = found.correlation[np.ix_(own, own)]
    if not beyond and model.joint and np.linalg.eigvalsh(between)[0] < -ROUNDING:
        text = (
            f"The correlations of the scales are not possible together{where}: they contradict each other. The answers "
            "hardly tell some scales apart; merge those that correlate most."
        )
        yield Remark("indefinite", text, group=group, kind=ImproperFactorsWarning)


def _beyond_one(names: tuple[str, ...], correlation: np.ndarray, group: tuple[str, ...]) -> Iterator[Remark]:
    for i, j in zip(*np.triu_indices(len(names), 1), strict=True):
        value = float(correlation[i, j])
        if abs(value) > 1:
            text = (
                f"Scales {names[i]!r} and {names[j]!r} correlate beyond 1 ({value:.3f}){_place(group)}. The answers do "
                "not tell them apart; merge them, or drop one."
            )
            yield Remark("beyond_one", text, (names[i], names[j]), (), (value,), group, ImproperFactorsWarning)


def sizes(scales: Scales) -> Iterator[Remark]:
    """What scales of one or two items have instead."""
    pairs, single = (
        tuple(name for name, items in zip(scales.names, scales.members, strict=True) if len(items) == size)
        for size in (2, 1)
    )
    if pairs:
        text = (
            f"Two items only: {', '.join(pairs)}. Their standardized alpha is the Spearman–Brown coefficient, which "
            "suits two items best (Eisinga, te Grotenhuis & Pelzer 2013, International Journal of Public Health 58(4))."
        )
        yield Remark("two_items", text, pairs)
    if single:
        text = f"A single item: {', '.join(single)}. How reliable it is cannot be seen from one survey."
        yield Remark("single_item", text, single)
    if scales.composed:
        text = f"Left out, as composed (<~) of items that need not agree: {', '.join(scales.composed)}."
        yield Remark("composed", text, scales.composed)
    if scales.higher:
        yield Remark("higher", f"Left out, as measured by other constructs: {', '.join(scales.higher)}.", scales.higher)


def of_normal_theory() -> Remark:
    """Standard errors that leave the design out."""
    text = (
        "The sample has weights, strata or sampling units: weights enter the figures, but se='normal' takes the "
        "sample for a simple random one. se='design' follows the design."
    )
    return Remark("design_ignored", text, kind=DesignIgnoredWarning)


def of_failures(failed: int, size: int) -> Remark:
    """Replicates without a factor model."""
    text = (
        f"On {failed} of {size} replicates the factor model has no solution; they are left out of the standard errors "
        "and intervals of omega, CR, AVE, loadings and correlations."
    )
    return Remark("failed", text, numbers=(failed, size), kind=ReplicatesWarning)
