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
from csat.moments import as_names, shown
from csat.results import Estimates


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fitted:
    """A path model in D groups; D = 1 without grouping columns.

    layout : its blocks, and which figures it has.
    items : moments of the items, mean (D, p) and cov (D, p, p). solution : (D,) all that follows from them.
    estimates : (D·m,) all figures of all groups with one joint covariance; keys: groups, ``kind``, ``lhs``, ``rhs``.
    draws : estimates on replicates; None for a summary without rows.
    designed : what the sample has of a design: "weights", "strata", "sampling units".
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
    designed: tuple[str, ...]

    @property
    def blocks(self) -> Blocks:
        """Constructs, items and paths."""
        return self.layout.blocks

    @property
    def labels(self) -> tuple[str, ...]:
        """(D,) names of the groups; "" without groups."""
        return tuple(" × ".join(domain) for domain in self.domains)

    def position(self, group: str | Sequence[str] | None, option: str = "group") -> int:
        """Position of a group; None: the only one, or the first.

        Parameters
        ----------
        group : its label, as in tables ("x × u" with several grouping columns), or the labels of its columns.
        option : the argument that names it, for the words of errors.
        """
        if group is None:
            return 0
        labels = self.labels
        if isinstance(group, str) and labels.count(group) == 1:
            return labels.index(group)
        wanted = as_names(group, option)
        if wanted in self.domains:
            return self.domains.index(wanted)
        if not self.by:
            raise OptionError(f"{option}: the model was estimated without groups; leave it out. Found {shown(group)}.")
        listed = ", ".join(map(repr, labels))
        raise OptionError(f"{option} is one of the groups of this result, {listed}; found {shown(group)}.")
