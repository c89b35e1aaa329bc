"""The sample moments of each group that a structural model is fitted to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import (
    CollinearityError,
    CsatError,
    ModelError,
    OptionError,
    SampleError,
    UnknownColumnError,
    check_choice,
)
from csat.model import Model
from csat.moments import Groups, Moments, Source, one_name
from csat.structural.engine.checks import check_sample
from csat.structural.engine.discrepancy import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """What a model is fitted to.

    summary : listwise moments of the observed variables, by group. labels : (G,) of the groups; ("",) for one.
    covs, means : (G,) of (p, p) with divisor n, and (p,). sizes : (G,) respondents.
    masses : (G,) weights of the respondents, scaled to sum to n over all groups.
    """

    summary: Groups
    labels: tuple[str, ...]
    covs: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]
    masses: tuple[float, ...]

    def samples(self, *, means: bool, wishart: bool) -> tuple[Sample, ...]:
        """Moments as they are fitted, each group with its share in the fit function."""
        multipliers = self.multipliers(wishart=wishart)
        found = zip(self.covs, self.means, self.masses, multipliers, strict=True)
        return tuple(Sample(cov * n / m, mean if means else None, m / sum(multipliers)) for cov, mean, n, m in found)

    def multipliers(self, *, wishart: bool) -> tuple[float, ...]:
        """(G,) what multiplies the fit function of each group: its mass, less 1 under the Wishart likelihood."""
        return tuple(mass - wishart for mass in self.masses)


def check_groups(model: Model, labels: Sequence[str]) -> None:
    """Refuse a model that speaks of another number of groups than there are."""
    if model.groups not in (1, len(labels)):
        raise ModelError(
            f"The model speaks of {model.groups} groups, as in c(a, b)*x; there are {len(labels)}"
            + (f": {', '.join(labels)}." if len(labels) > 1 else "; name their column in group=….")
        )


def order_of_groups(model: Model, labels: Sequence[str]) -> list[str]:
    """Which group is which in c(a, b)*x, in words; nothing if the model does not speak of groups."""
    if model.groups == 1:
        return []
    return [f"The groups of c(…) in the model are, in this order: {', '.join(labels)}."]


def check_categories(labels: Sequence[str], group: str) -> None:
    """Refuse a grouping column with one category."""
    if len(labels) == 1:
        raise SampleError(
            f"group={group!r}: the column has one category only, {labels[0]!r}; there are no groups to compare. Leave "
            "group out, or read the respondents of the other groups too."
        )


def reference_of(reference: str | None, labels: Sequence[str]) -> int:
    """Position of the reference group, the first for None."""
    if reference is None:
        return 0
    if labels == ("",):
        raise OptionError(f"reference={reference!r} names one of several groups; name their column in group=….")
    check_choice("reference", reference, labels)
    return list(labels).index(reference)


def unknown_column(error: UnknownColumnError, model: Model, group: str | None = None) -> UnknownColumnError:
    """A column that the data lack, with what the model takes for columns; the grouping column needs no such words."""
    if group is not None and f"No column {group!r}" in str(error):
        return UnknownColumnError(f"group: {error}")
    products = [name for name in model.observed if ":" in name and f"No column {name!r}" in str(error)]
    if products:
        return UnknownColumnError(
            f"{products[0]!r} is a product, which sem does not estimate. For products of constructs use csat.pls, for "
            "products of columns csat.regress, or add the product to the data as a column of its own."
        )
    return UnknownColumnError(
        f"{error} The model takes every name for a column that no =~ or <~ has on its left; "
        f"its constructs are {', '.join(map(repr, model.latents)) or 'none'}."
    )


def listwise(source: Source, model: Model, group: str | None) -> Data:
    """Moments of complete respondents.

    Raises
    ------
    UnknownColumnError, SampleError, CollinearityError
        If the data lack a variable, respondents or variation, or repeat a variable.
    """
    by = () if group is None else (one_name(group, "group"),)
    try:
        summary = source.groups(list(model.observed), by, "listwise")
    except UnknownColumnError as error:
        raise unknown_column(error, model, group) from None
    parts = [summary.moments(domain) for domain in summary.domains]
    labels = tuple(domain[0] for domain in summary.domains) if by else ("",)
    if group is not None:
        check_categories(labels, group)
    _check_samples(model.observed, parts, labels, group)
    n_over_weight = sum(moments.n for moments in parts) / sum(moments.weight for moments in parts)
    return Data(
        summary,
        labels,
        tuple(moments.cov for moments in parts),
        tuple(moments.mean for moments in parts),
        tuple(moments.n for moments in parts),
        tuple(moments.weight * n_over_weight for moments in parts),
    )


def _check_samples(names: Sequence[str], parts: Sequence[Moments], labels: Sequence[str], group: str | None) -> None:
    """Refuse moments that no model can be fitted to, and name their groups."""
    faults: dict[str, CsatError] = {}
    for moments, label in zip(parts, labels, strict=True):
        try:
            check_sample(names, moments.cov, moments.mean - moments.midpoint, moments.n)
        except (SampleError, CollinearityError) as error:
            if group is None:
                raise
            faults[label] = error
    if faults:
        first, *others = faults
        listed = ", ".join(map(repr, others[:8])) + (" …" if len(others) > 8 else "")
        also = f" Other groups that cannot be used: {listed}." if others else ""
        raise type(faults[first])(
            f"In group {first!r} of {group!r}: {faults[first]} Or leave this group out, or join it with another.{also}"
        )
