"""Sums for means of many groups in many units: products of whole groups, of the cells only their totals.

A mean needs the total of each cell; the products Σ w·zzᵀ only tell design effects, for which those of the groups are
enough. Of 24 items in 100,000 cells (group × unit) totals take 40 MB, products 2 GB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Protocol, runtime_checkable

import numpy as np

from csat.design import Design
from csat.errors import SampleError
from csat.moments import Groups, Source, Variable, joint_fits

#: Bytes of the products of cells that are kept at most, if totals do.
MOST_PRODUCTS = 2**28
#: Variables that are summed at once where only totals are kept.
AT_ONCE = 4


@runtime_checkable
class DesignedSource(Source, Protocol):
    """A source whose respondents can be summed with and without their design."""

    @property
    def design(self) -> Design:
        """How the sample was drawn."""

    def undesigned(self) -> Source:
        """The same respondents and weights without strata, units and replicates."""

    def categories(self, column: str) -> tuple[str, ...]:
        """Labels of a grouping column."""


def sums_for_means(
    source: Source, variables: Sequence[Variable], by: Sequence[str], rule: str
) -> tuple[Groups, np.ndarray | None]:
    """What means and their covariance follow from.

    Parameters
    ----------
    source, variables, by, rule : as in `Source.groups`.

    Returns
    -------
    groups : the cells; with a `gram` of one row (C, 1, p), the totals, if their products would take too much memory.
    (D, p, p) sums of products over the domains in that case, else None
    """
    if not _may_be_many(source, variables, by, rule):
        return source.groups(variables, by, rule), None
    first = source.groups(variables[:AT_ONCE], by, rule)
    size, p = len(first.gram), 1 + 2 * len(variables)
    if joint_fits(len(first.domains), len(variables)) or 8 * size * p * p <= MOST_PRODUCTS:
        return source.groups(variables, by, rule), None
    parts = [_totals(first)]
    parts += [
        _totals(source.groups(variables[at : at + AT_ONCE], by, rule)) for at in range(AT_ONCE, len(variables), AT_ONCE)
    ]
    groups = _joined(parts)
    plain = source.undesigned().groups(variables, by, rule)  # type: ignore[attr-defined]
    if plain.domains != groups.domains:
        raise SampleError("The rows changed between two passes over them: read the survey again.")
    return groups, plain.over_domains(plain.gram)


def _may_be_many(source: Source, variables: Sequence[Variable], by: Sequence[str], rule: str) -> bool:
    """Whether there can be so many cells of declared units that their products matter, told without a pass."""
    if rule != "available" or len(variables) <= AT_ONCE or not by or not isinstance(source, DesignedSource):
        return False
    design = source.design
    if design.psu is None or design.replicates or design.fpc2 is not None or design.calibration is not None:
        return False
    return not joint_fits(prod(len(source.categories(name)) for name in by), len(variables))


def _totals(groups: Groups) -> Groups:
    return replace(groups, gram=groups.gram[:, :1].copy(), square=None)


def _joined(parts: Sequence[Groups]) -> Groups:
    """The totals of several sets of variables in the same cells, as one."""
    first = parts[0]
    for part in parts[1:]:
        if not all(np.array_equal(getattr(part, at), getattr(first, at)) for at in ("domain", "stratum", "psu", "n")):
            raise SampleError("The rows changed between two passes over them: read the survey again.")
    answered = [part.gram[..., 1 : 1 + len(part.names)] for part in parts]
    sums = [part.gram[..., 1 + len(part.names) :] for part in parts]
    return replace(
        first,
        names=tuple(name for part in parts for name in part.names),
        made_of=tuple(variable for part in parts for variable in part.variables),
        midpoint=np.concatenate([part.midpoint for part in parts]),
        gram=np.concatenate([first.gram[..., :1], *answered, *sums], axis=2),
        counts=np.concatenate([part.counts for part in parts], axis=1),
    )
