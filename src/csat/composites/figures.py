"""The figures of a path model, in one row per sample: what each is about, and its value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from csat.composites.blocks import Blocks
from csat.composites.checks import fault_of
from csat.composites.items import ItemMoments, Lines, Points, index_weights, item_moments, performance
from csat.composites.quality import adjusted_r2, average_variance, composite_reliability, standardized_alpha
from csat.composites.solution import Settings, Solution
from csat.errors import CsatError
from csat.moments import Variable

#: Kinds of figures that ``Pls.tidy()`` lists, and those of constructs.
RELATIONS = ("weight", "loading", "path", "total", "indirect")
OF_CONSTRUCTS = ("r2", "adj_r2", "ave", "alpha", "rho_a", "rho_c", "performance")


@dataclass(frozen=True, eq=False)
class Layout:
    """Which m figures a model has. points : how answers become 0–100. settings : of the solution.

    n : (D,) respondents of each group, for the adjusted R².
    """

    blocks: Blocks
    points: Points
    settings: Settings
    n: np.ndarray

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What is summed over respondents."""
        return self.blocks.observed

    @property
    def described(self) -> Blocks:
        """Constructs with figures of their own: those of the blocks, and those that these are made of."""
        return self.blocks

    @property
    def measured(self) -> tuple[str, ...]:
        """Constructs that are measured by answers, not by products of them."""
        return self.described.constructs

    def moments(self, gram: np.ndarray, midpoint: np.ndarray) -> ItemMoments:
        """Moments of the columns of the blocks, from Gram matrices (…, 1 + k, 1 + k) of the k `variables`."""
        return item_moments(gram, midpoint, self.blocks)

    def answered(self, items: ItemMoments) -> tuple[Layout, ItemMoments]:
        """The layout whose columns are answers of respondents, and their moments."""
        return self, items

    def lines(self, items: ItemMoments, solution: Solution, *, points: bool) -> Lines:
        """How scores of respondents follow from their answers: on 0–100 if `points`, else standardized."""
        blocks, scaled = self.blocks, self.settings.scaled
        if points:
            shares = index_weights(solution.weights, solution.sd, self.points, blocks, scaled=scaled)
            slope, offset = shares * self.points.slope, blocks.summed(shares * self.points.offset)
        else:
            slope = solution.weights / solution.sd if scaled else solution.weights
            offset = -blocks.summed(slope * items.mean)
        return Lines(blocks.items, blocks.constructs, slope[..., None] * blocks.member, offset)

    def fault(self, items: ItemMoments, at: int) -> CsatError | None:
        """Why group `at` cannot have estimates; None if it can. `items` : (D,) moments."""
        return fault_of(items.of(at), int(self.n[at]), self.blocks)

    @cached_property
    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """(m,) kind, left and right hand side of each figure; a construct's own figures have no right hand side."""
        blocks, names = self.blocks, self.blocks.constructs
        owners = [names[j] for j in blocks.block]
        found = [
            (kind, owner, item) for kind in RELATIONS[:2] for owner, item in zip(owners, blocks.items, strict=True)
        ]
        for kind, cells in zip(RELATIONS[2:], self._cells, strict=True):
            found += [(kind, names[to], names[by]) for to, by in cells.tolist()]
        for kind in OF_CONSTRUCTS:
            found += [(kind, names[j], "") for j in self._constructs(kind).tolist()]
        return tuple(found)

    @cached_property
    def kinds(self) -> np.ndarray:
        """(m,) kinds."""
        return np.array([kind for kind, _, _ in self.keys])

    @property
    def _cells(self) -> tuple[np.ndarray, ...]:
        """(k, 2) explained and explaining constructs of paths, total and indirect effects."""
        blocks = self.blocks
        return tuple(np.argwhere(mask) for mask in (blocks.paths, blocks.reach > 0, blocks.indirect))

    def _constructs(self, kind: str) -> np.ndarray:
        """Positions of the constructs that have a figure of this kind."""
        every = np.arange(len(self.blocks.constructs))
        return every[self.blocks.endogenous] if kind in ("r2", "adj_r2") else every

    def values(self, items: ItemMoments, solution: Solution) -> np.ndarray:
        """(…, D, m) figures of samples with leading axes (…, D); NaN where one is not defined."""
        with np.errstate(all="ignore"):
            return self._values(items, solution)

    def _values(self, items: ItemMoments, solution: Solution) -> np.ndarray:
        blocks = self.blocks
        shares = index_weights(solution.weights, solution.sd, self.points, blocks, scaled=self.settings.scaled)
        effects = zip((solution.paths, solution.total, solution.indirect), self._cells, strict=True)
        constructs = (
            solution.r2,
            adjusted_r2(solution.r2, blocks, np.broadcast_to(self.n, solution.r2.shape[:-1])),
            average_variance(solution, blocks),
            standardized_alpha(items.corr, blocks),
            solution.rho_a,
            composite_reliability(solution, blocks),
            performance(items.mean, shares, self.points, blocks),
        )
        parts = [solution.weights, solution.loadings, *(matrix[..., at[:, 0], at[:, 1]] for matrix, at in effects)]
        parts += [own[..., self._constructs(kind)] for kind, own in zip(OF_CONSTRUCTS, constructs, strict=True)]
        return np.concatenate(parts, axis=-1)
