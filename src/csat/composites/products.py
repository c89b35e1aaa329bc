"""Products of constructs in path models: how strongly one construct's effect depends on another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from csat.composites.blocks import Blocks, blocks_of
from csat.composites.checks import fault_of, no_solution
from csat.composites.figures import Layout
from csat.composites.higher import StagedMoments, check_modes, model_of, only
from csat.composites.items import ItemMoments, Lines, Points, points_of, variable_moments
from csat.composites.linear import inverse
from csat.composites.solution import Settings, Solution, solve
from csat.errors import CsatError, ModelError
from csat.model import Model, Term
from csat.model.tokens import is_plain
from csat.moments import Product, Variable
from csat.questionnaire import Questionnaire

#: What a product of constructs is measured by.
INTERACTIONS = ("two-stage", "product-indicator", "orthogonal")


@dataclass(frozen=True, slots=True)
class Interaction:
    """A product in a path. name : as written, "a:b". factors : its two constructs. position : in the model's text."""

    name: str
    factors: tuple[str, str]
    position: int


@dataclass(frozen=True, eq=False)
class Moderated(Layout):
    """A model in which products of constructs explain others.

    Every figure is a function of the covariances of items and products of items: a product of composites is a weighted
    sum of these, too.

    first : the model without products. products : those of the model. how : one of `INTERACTIONS`.
    """

    first: Layout
    products: tuple[Interaction, ...]
    how: str
    _pairs: tuple[np.ndarray, ...] = field(init=False)

    def __post_init__(self) -> None:
        blocks = self.first.blocks
        pairs = []
        for product in self.products:
            a, b = (blocks.at[blocks.columns(blocks.constructs.index(name))] for name in product.factors)
            pairs.append(np.stack([np.repeat(a, len(b)), np.tile(b, len(a))], axis=1))
        object.__setattr__(self, "_pairs", tuple(pairs))

    @property
    def variables(self) -> tuple[Variable, ...]:
        """Items, and products of items."""
        items = self.first.blocks.observed
        pairs = np.concatenate(self._pairs).tolist()
        return (*items, *(Product(f"{items[i]}:{items[j]}", (items[i], items[j])) for i, j in pairs))

    @property
    def measured(self) -> tuple[str, ...]:
        """Constructs that are no products."""
        return self.first.blocks.constructs

    def moments(self, gram: np.ndarray, midpoint: np.ndarray) -> StagedMoments:
        """Moments of items and of what measures the products; the latter are centred."""
        raw, base = variable_moments(gram, midpoint), self.first.blocks
        k = len(base.observed)
        items = ItemMoments(raw.mean[..., base.at], raw.cov[..., base.at[:, None], base.at], raw.shift[..., base.at])
        found = solve(items.cov, base, self.settings)
        with np.errstate(invalid="ignore", divide="ignore"):
            turn = self._measured(self._standardized(raw, k), raw.cov, found)
        cov = turn @ raw.cov @ turn.swapaxes(-1, -2)
        zeros = np.zeros((*cov.shape[:-2], cov.shape[-1] - len(base.items)))
        mean, shift = (np.concatenate([of, zeros], axis=-1)[..., self._order] for of in (items.mean, items.shift))
        return StagedMoments(mean, cov[..., self._order[:, None], self._order], shift, items, found)

    @cached_property
    def _order(self) -> np.ndarray:
        """(p,) where each column of the blocks is among items and products."""
        items = [*self.first.blocks.items, *(name for product in self._terms for name in product)]
        return np.array([items.index(name) for name in self.blocks.items])

    @property
    def _terms(self) -> list[tuple[str, ...]]:
        return [indicators_of(product, self.first.blocks, self.how) for product in self.products]

    def _standardized(self, raw: ItemMoments, k: int) -> np.ndarray:
        """(…, m, k + m) products of standardized items, but for a constant, as sums of items and products.

        (x − a)(y − b) = xy − b·x − a·y + ab.
        """
        pairs = np.concatenate(self._pairs)
        sd = np.sqrt(np.diagonal(raw.cov, axis1=-2, axis2=-1))[..., :k]
        row = np.arange(len(pairs))
        out = np.zeros((*raw.mean.shape[:-1], len(pairs), k + len(pairs)))
        out[..., row, k + row] = 1.0
        out[..., row, pairs[:, 0]] -= raw.mean[..., pairs[:, 1]]
        out[..., row, pairs[:, 1]] -= raw.mean[..., pairs[:, 0]]
        return out / (sd[..., pairs[:, 0]] * sd[..., pairs[:, 1]])[..., None]

    def _measured(self, standardized: np.ndarray, cov: np.ndarray, found: Solution) -> np.ndarray:
        """(…, p, k + m) the columns of the model, items first, as sums of items and products of items."""
        base = self.first.blocks
        items = np.zeros((*cov.shape[:-2], len(base.items), cov.shape[-1]))
        items[..., np.arange(len(base.items)), base.at] = 1.0
        parts, start = [items], 0
        for product, pairs in zip(self.products, self._pairs, strict=True):
            own = standardized[..., start : start + len(pairs), :]
            start += len(pairs)
            if self.how == "two-stage":
                a, b = (base.columns(base.constructs.index(name)) for name in product.factors)
                weight = found.weights[..., np.repeat(a, len(b))] * found.weights[..., np.tile(b, len(a))]
                own = weight[..., None, :] @ own
            elif self.how == "orthogonal":
                own = _left(own, cov, np.unique(pairs))
            parts.append(own)
        return np.concatenate(parts, axis=-2)

    def answered(self, items: ItemMoments) -> tuple[Layout, ItemMoments]:
        """The first stage."""
        return self.first, items.items if isinstance(items, StagedMoments) else items

    def lines(self, items: ItemMoments, solution: Solution, *, points: bool) -> Lines:
        """Scores on the constructs that are no products."""
        found, names = super().lines(items, solution, points=points), [product.name for product in self.products]
        kept = [j for j, name in enumerate(found.constructs) if name not in names]
        at = np.flatnonzero(np.isin(self.blocks.block, kept))
        return Lines(
            tuple(found.items[i] for i in at),
            tuple(found.constructs[j] for j in kept),
            found.slope[..., at[:, None], kept],
            found.offset[..., kept],
        )

    def fault(self, items: ItemMoments, at: int) -> CsatError | None:
        """Why group `at` cannot have estimates, without the products or with them."""
        own = items.of(at)
        if not isinstance(own, StagedMoments):
            return super().fault(items, at)
        n, blocks = int(self.n[at]), self.first.blocks
        found = fault_of(own.items, n, blocks)
        if found is None and not own.solution.converged:
            found = no_solution(own.items, blocks, self.settings, own.solution)
        return found or fault_of(own, n, self.blocks)

    def values(self, items: ItemMoments, solution: Solution) -> np.ndarray:
        """(…, D, m) figures; effects of products per product of standardized scores."""
        found = super().values(items, solution)
        unit = self._units(items, solution)
        for i, (kind, _, by) in enumerate(self.keys):
            if kind in ("path", "total", "indirect") and by in unit:
                found[..., i] = found[..., i] / unit[by]
        return found

    def _units(self, items: ItemMoments, solution: Solution) -> dict[str, np.ndarray]:
        """Product → (…, D) its standard deviation: that of what measures it, on average by absolute loadings.

        Standardized items and scores have a variance of 1 with the divisor n − 1 here.
        Source: Henseler & Fassott (2010), Handbook of Partial Least Squares, ch. 30.
        """
        sd = np.sqrt(np.diagonal(items.cov, axis1=-2, axis2=-1)) * np.sqrt(1.0 - 1.0 / self.n)[:, None]
        found = {}
        for product in self.products:
            at = self.blocks.columns(self.blocks.constructs.index(product.name))
            load = np.abs(solution.loadings[..., at])
            found[product.name] = np.sum(sd[..., at] * load, axis=-1) / np.sum(load, axis=-1)
        return found


def _left(products: np.ndarray, cov: np.ndarray, items: np.ndarray) -> np.ndarray:
    """What items leave of products (…, m, k + m): residuals of their regressions."""
    with_items = (products @ cov)[..., items]
    slopes = with_items @ inverse(cov[..., items[:, None], items])
    out = products.copy()
    out[..., items] -= slopes
    return out


def products_of(model: Model) -> tuple[Interaction, ...]:
    """Products in the paths of a model, each once.

    Raises
    ------
    ModelError
        For products of three, of a construct with itself, of what is not in the same equation, and for a product that
        is explained.
    """
    found: dict[frozenset[str], Interaction] = {}
    for term in model.terms:
        if term.op != "~" or not (_is_product(term.lhs) or _is_product(term.rhs)):
            continue
        names = term.rhs.split(":")
        known = found.get(frozenset(names))
        fault = _fault(model, term, names)
        if not fault and known is not None and known.name != term.rhs:
            fault = f"{term.rhs!r} is {known.name!r}; write it one way."
        if fault:
            raise ModelError.at(model.syntax, term.position, fault)
        found[frozenset(names)] = Interaction(term.rhs, (names[0], names[1]), term.position)
    return tuple(found.values())


def _is_product(name: str) -> bool:
    """Whether a name is a product as written, not a column such as "Q1: price", which stands between backticks."""
    return ":" in name and is_plain(name)


def _fault(model: Model, term: Term, names: Sequence[str]) -> str:
    """What is wrong with a product in a path; "" if nothing is."""
    if _is_product(term.lhs):
        return f"the product {term.lhs!r} is explained; a product only explains."
    if len(names) > 2 or names[0] == names[1]:
        return f"{term.rhs!r}: a product is of two different constructs, 'image:quality'."
    beside = {other.rhs for other in model.terms if other.op == "~" and other.lhs == term.lhs}
    if set(names) <= beside:
        return ""
    needed = " + ".join([*names, term.rhs])
    return f"the effect of {term.rhs!r} needs those of its parts: write '{term.lhs} ~ {needed}'."


def indicators_of(product: Interaction, blocks: Blocks, how: str) -> tuple[str, ...]:
    """Names of what measures a product."""
    if how == "two-stage":
        return (product.name,)
    held = [[blocks.items[i] for i in blocks.columns(blocks.constructs.index(name))] for name in product.factors]
    return tuple(f"{a}:{b}" for a in held[0] for b in held[1])


def moderated_layout(
    model: Model, products: Sequence[Interaction], how: str, settings: Settings,
    questionnaire: Questionnaire | None, modes: Any, limits: Any,
) -> Layout:  # fmt: skip
    """The layout of a model with products; `how` is one of `INTERACTIONS`."""
    names = {product.name for product in products}
    kept = [(t.lhs, t.op, t.rhs) for t in model.terms]
    base_model = model_of([each for each in kept if each[2] not in names])
    base = blocks_of(base_model, modes=only(modes, set(base_model.latents)))
    check_modes(modes, [*base.constructs, *names])
    measured = [
        (product.name, "=~", item)
        for product in products
        for item in indicators_of(product, base, how)
        if item != product.name
    ]
    blocks = blocks_of(model_of([*kept, *measured]), modes=modes)
    given = points_of(base, questionnaire, limits)
    lines = np.full((len(blocks.items), 2), np.nan)
    for row, name in enumerate(blocks.items):
        if name in base.items:
            lines[row] = given.offset[base.items.index(name)], given.slope[base.items.index(name)]
    first = Layout(base, given, settings, np.zeros(0, int))
    return Moderated(blocks, Points(lines[:, 0], lines[:, 1]), settings, np.zeros(0, int), first, tuple(products), how)
