"""`Fitted`: what every further figure of an estimated path model is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csat.composites.blocks import Blocks
from csat.composites.draws import Draws
from csat.composites.figures import Layout
from csat.composites.items import ItemMoments
from csat.composites.solution import Solution
from csat.errors import OptionError
from csat.moments import as_names
from csat.results import Estimates


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fitted:
    """A path model in D groups; D = 1 without grouping columns.

    layout : its blocks, and which figures it has.
    items : moments of the items, mean (D, p) and cov (D, p, p). solution : (D,) all that follows from them.
    estimates : (D·m,) all figures of all groups with one joint covariance; keys: groups, ``kind``, ``lhs``, ``rhs``.
    draws : estimates on replicates; None for a summary without rows.
    by : grouping columns. domains : (D,) the groups as tuples of labels. interval : how intervals are made.
    """

    layout: Layout
    items: ItemMoments
    solution: Solution
    estimates: Estimates
    draws: Draws | None
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    interval: str

    @property
    def blocks(self) -> Blocks:
        """Constructs, items and paths."""
        return self.layout.blocks

    @property
    def labels(self) -> tuple[str, ...]:
        """(D,) names of the groups; "" without groups."""
        return tuple(" × ".join(domain) for domain in self.domains)

    def position(self, group: str | Sequence[str] | None) -> int:
        """Position of a group: its label, or those of several grouping columns; None: the only one, or the first."""
        if group is None:
            return 0
        wanted = as_names(group, "group")
        if wanted not in self.domains:
            raise OptionError.choose("group", group, [d[0] if len(d) == 1 else d for d in self.domains])
        return self.domains.index(wanted)
