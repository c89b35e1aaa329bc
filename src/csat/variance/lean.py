"""Sums for means of groups in sampling units: products of whole groups, of the cells only their totals.

A mean needs the total of each cell (group × unit); the products Σ w·zzᵀ only tell design effects, for which those of
the groups are enough. Of 24 items in 100,000 cells totals take 40 MB, products 2 GB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from csat.design import Design
from csat.moments import Groups, Source, Variable


@runtime_checkable
class TotalSource(Source, Protocol):
    """A source that can sum totals of cells without their products."""

    @property
    def design(self) -> Design:
        """How the sample was drawn."""

    def totals(
        self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available"
    ) -> tuple[Groups, Groups]:
        """Totals per (domain, stratum, unit), a `gram` of one row (C, 1, p); moments of the domains, without design."""


def sums_for_means(
    source: Source, variables: Sequence[Variable], by: Sequence[str], rule: str
) -> tuple[Groups, np.ndarray | None]:
    """What means and their covariance follow from.

    Parameters
    ----------
    source, variables, by, rule : as in `Source.groups`.

    Returns
    -------
    groups : the cells; with a `gram` of one row (C, 1, p), the totals, if there are declared units.
    (D, p, p) sums of products over the domains in that case, else None
    """
    if not isinstance(source, TotalSource) or not _totals_are_enough(source.design):
        return source.groups(variables, by, rule), None
    groups, whole = source.totals(variables, by, rule)
    return groups, whole.over_domains(whole.gram)


def _totals_are_enough(design: Design) -> bool:
    """Whether errors of means follow from the totals of declared units."""
    rows = design.psu is None or design.replicates or design.fpc2 is not None
    return not rows and design.calibration is None
