"""Constructs made of constructs: in two stages, or with the items of the parts repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from csat.composites.blocks import MODES, Blocks, blocks_of
from csat.composites.checks import fault_of, no_solution
from csat.composites.figures import Layout
from csat.composites.items import ItemMoments, Lines, Points, index_weights, points_of
from csat.composites.solution import Settings, Solution, solve
from csat.errors import CsatError, ModelError, OptionError, check_choice
from csat.model import Model, Term
from csat.model.tokens import quoted
from csat.moments import Variable, shown
from csat.questionnaire import Questionnaire

#: How constructs made of constructs are estimated.
SECOND_ORDER = ("two-stage", "embedded", "repeated")
#: Kinds of figures that say how a construct is measured.
_MEASURED = ("weight", "loading", "ave", "alpha", "rho_a", "rho_c", "performance")


@dataclass(frozen=True, eq=False)
class StagedMoments(ItemMoments):
    """Moments of the columns of a second stage, with the first stage that they were made by.

    items : of the columns of the first stage. solution : its estimates.
    """

    items: ItemMoments
    solution: Solution

    def of(self, at: int) -> StagedMoments:
        """Those of one sample."""
        return StagedMoments(self.mean[at], self.cov[at], self.shift[at], self.items.of(at), self.solution[at])


@dataclass(frozen=True, eq=False)
class TwoStage(Layout):
    """A model whose second stage has composites of a first stage among its items.

    first : the model with the parts in place of the wholes (disjoint stages), or with the items of the parts repeated
        (embedded stages; then all constructs of the second stage but the wholes are composites of the first).
    Source: Sarstedt, Hair, Cheah, Becker & Ringle (2019), Australasian Marketing Journal 27(3), 197–211.
    """

    first: Layout

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The items of the first stage."""
        return self.first.variables

    @cached_property
    def parts(self) -> tuple[str, ...]:
        """Constructs of the first stage that are items of the second, in the order of the latter."""
        return tuple(name for name in self.blocks.items if name in self.first.blocks.constructs)

    def moments(self, gram: np.ndarray, midpoint: np.ndarray) -> StagedMoments:
        """Moments of items, and of the composites of the first stage as indices on 0–100, or means of answers."""
        items = self.first.moments(gram, midpoint)
        found = solve(items.cov, self.first.blocks, self.settings)
        turn, shift = self._lines(found)
        mean = (turn @ items.mean[..., None])[..., 0] + shift
        around = (turn @ items.shift[..., None])[..., 0]
        return StagedMoments(mean, turn @ items.cov @ turn.swapaxes(-1, -2), around, items, found)

    def _lines(self, found: Solution) -> tuple[np.ndarray, np.ndarray]:
        """Columns of the second stage are shifts (…, p₂) plus turns (…, p₂, p₁) of those of the first."""
        blocks, points = self.first.blocks, self.first.points
        known = blocks.summed(np.isfinite(points.slope) * 1.0)[blocks.block] == blocks.sizes[blocks.block]
        points = Points(np.where(known, points.offset, 0.0), np.where(known, points.slope, 1.0))
        shares = index_weights(found.weights, found.sd, points, blocks, scaled=True)
        turn = np.zeros((*shares.shape[:-1], len(self.blocks.items), len(blocks.items)))
        shift = np.zeros(turn.shape[:-1])
        for row, name in enumerate(self.blocks.items):
            if name in blocks.constructs:
                at = blocks.columns(blocks.constructs.index(name))
                turn[..., row, at] = shares[..., at] * points.slope[at]
                shift[..., row] = np.sum(shares[..., at] * points.offset[at], axis=-1)
            else:
                turn[..., row, blocks.items.index(name)] = 1.0
        return turn, shift

    def answered(self, items: ItemMoments) -> tuple[Layout, ItemMoments]:
        """The first stage."""
        return self.first, items.items if isinstance(items, StagedMoments) else items

    def lines(self, items: ItemMoments, solution: Solution, *, points: bool) -> Lines:
        """Scores on wholes and parts from answers: those of the second stage through composites of the first."""
        second = super().lines(items, solution, points=points)
        if not isinstance(items, StagedMoments):
            return second
        first = self.first.lines(items.items, items.solution, points=points)
        turn, shift = self._lines(items.solution)
        by_item = turn.swapaxes(-1, -2) @ second.slope
        offset = second.offset + (shift[..., None, :] @ second.slope)[..., 0, :]
        others = [j for j, name in enumerate(first.constructs) if name in self.parts and name not in second.constructs]
        return Lines(
            first.items,
            (*second.constructs, *(first.constructs[j] for j in others)),
            np.concatenate([by_item, first.slope[..., others]], axis=-1),
            np.concatenate([offset, first.offset[..., others]], axis=-1),
        )

    def fault(self, items: ItemMoments, at: int) -> CsatError | None:
        """Why group `at` cannot have estimates, in the first or the second stage."""
        own = items.of(at)
        if not isinstance(own, StagedMoments):
            return super().fault(items, at)
        n, blocks = int(self.n[at]), self.first.blocks
        found = fault_of(own.items, n, blocks)
        if found is None and not own.solution.converged:
            found = no_solution(own.items, blocks, self.settings, own.solution)
        return found or fault_of(own, n, self.blocks)

    @property
    def described(self) -> Blocks:
        """Wholes and other constructs, then the parts, for tables that go construct by construct."""
        names = tuple(dict.fromkeys([*self.blocks.constructs, *self.parts]))
        held = [self.first.blocks if name in self.parts else self.blocks for name in names]
        at = [blocks.constructs.index(name) for blocks, name in zip(held, names, strict=True)]
        found = list(zip(held, at, strict=True))
        sizes = [int(blocks.sizes[j]) for blocks, j in found]
        return replace(
            self.blocks,
            constructs=names,
            items=tuple(blocks.items[i] for blocks, j in found for i in blocks.columns(j)),
            block=np.repeat(np.arange(len(names)), sizes),
            modes=tuple(blocks.modes[j] for blocks, j in found),
            reflective=np.array([blocks.reflective[j] for blocks, j in found]),
            consistent=np.array([blocks.consistent[j] for blocks, j in found]),
        )

    @cached_property
    def _of_parts(self) -> np.ndarray:
        """(m₁,) which figures of the first stage are about the parts alone."""
        return np.array([key[1] in self.parts and key[0] in _MEASURED for key in self.first.keys])

    @property
    def _second(self) -> Layout:
        """The second stage by itself."""
        return Layout(self.blocks, self.points, self.settings, self.n)

    @cached_property
    def _of_wholes(self) -> np.ndarray:
        """(m₂,) which figures of the second stage are not those of composites as the only item of a construct."""
        return np.array([not (key[1] in self.parts and key[0] in _MEASURED) for key in self._second.keys])

    @cached_property
    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """Those of the second stage, then weights, loadings and quality of what the first stage measures."""
        own = (key for key, kept in zip(self._second.keys, self._of_wholes, strict=True) if kept)
        return (*own, *(key for key, part in zip(self.first.keys, self._of_parts, strict=True) if part))

    def values(self, items: ItemMoments, solution: Solution) -> np.ndarray:
        """(…, D, m) figures of both stages."""
        own = self._second.values(items, solution)[..., self._of_wholes]
        if not isinstance(items, StagedMoments):
            return own
        first = replace(self.first, n=self.n).values(items.items, items.solution)
        return np.concatenate([own, first[..., self._of_parts]], axis=-1)


def wholes_of(model: Model) -> dict[str, tuple[str, ...]]:
    """Constructs made of constructs, with their parts.

    Raises
    ------
    ModelError
        For parts of parts, parts of several wholes, parts with paths, and constructs made of constructs and items.
    """
    wholes: dict[str, tuple[str, ...]] = {}
    for term in model.terms:
        if term.op in ("=~", "<~") and term.rhs in model.latents:
            fault = _fault(model, term, wholes)
            if fault:
                raise ModelError.at(model.syntax, term.position, fault)
            wholes[term.lhs] = model.indicators(term.lhs)
    parts = {part: whole for whole, found in wholes.items() for part in found}
    for term in model.terms:
        if term.op == "~" and (term.lhs in parts or term.rhs in parts):
            part = term.rhs if term.rhs in parts else term.lhs
            raise ModelError.at(
                model.syntax,
                term.position,
                f"{part!r} is a part of {parts[part]!r} and stands in a path as well; paths are about the whole. "
                f"Write {parts[part]!r}, or leave the part out of it.",
            )
    return wholes


def _fault(model: Model, term: Term, wholes: Mapping[str, Sequence[str]]) -> str:
    others = [name for name in model.indicators(term.lhs) if name not in model.latents]
    if others:
        return (
            f"{term.lhs!r} is made of the construct {term.rhs!r} and of the item {others[0]!r}; a construct is made of "
            f"constructs or of items. Make {others[0]!r} a construct of its own: 'name =~ {others[0]}'."
        )
    if len(model.indicators(term.lhs)) == 1:
        return f"the construct {term.lhs!r} is made of the construct {term.rhs!r} alone; it needs two parts or more."
    if any(name in model.latents for name in model.indicators(term.rhs)):
        return (
            f"{term.lhs!r} is made of {term.rhs!r}, which is made of constructs itself; there are two levels at most."
        )
    owner = next((whole for whole, parts in wholes.items() if whole != term.lhs and term.rhs in parts), None)
    return "" if owner is None else f"{term.rhs!r} is a part of {owner!r} already; a part belongs to one construct."


def second_order_layout(
    model: Model, wholes: Mapping[str, tuple[str, ...]], how: str, settings: Settings,
    questionnaire: Questionnaire | None, modes: Any, limits: Any,
) -> Layout:  # fmt: skip
    """The layout of a model with constructs made of constructs; `how` is one of `SECOND_ORDER`."""
    parts = [part for found in wholes.values() for part in found]
    check_modes(modes, model.latents)
    if how == "repeated":
        blocks = _repeated(model, wholes, modes)
        return Layout(blocks, points_of(blocks, questionnaire, limits), settings, np.zeros(0, int))
    if how == "embedded":
        first = _repeated(model, wholes, modes, explained=True)
        parts = [name for name in model.latents if name not in wholes]
    else:
        first = blocks_of(_first_stage(model, wholes), modes=only(modes, set(model.latents) - set(wholes)))
    second = blocks_of(_without(model, parts), modes=only(modes, set(model.latents) - set(parts)))
    given = points_of(first, questionnaire, limits)
    return TwoStage(
        second, _points(first, given, second), settings, np.zeros(0, int), Layout(first, given, settings, np.zeros(0))
    )


def check_modes(modes: Any, constructs: Sequence[str]) -> None:
    """Refuse modes of what is no construct, before they are shared out between the stages."""
    if modes is not None and not isinstance(modes, Mapping):
        raise OptionError(f'modes is a table such as {{"image": "B"}}; found {shown(modes)}.')
    for name, mode in (modes or {}).items():
        if name not in constructs:
            raise OptionError.choose("modes", name, constructs)
        check_choice(f"modes[{name!r}]", mode, MODES)


def only(modes: Any, names: set[str]) -> dict[str, Any]:
    """The modes of some constructs."""
    return {name: mode for name, mode in (modes or {}).items() if name in names}


def _points(first: Blocks, given: Points, second: Blocks) -> Points:
    """Composites of the first stage are on 0–100 already where the scales of all their items are known."""
    lines = np.full((len(second.items), 2), np.nan)
    for row, name in enumerate(second.items):
        if name not in first.constructs:
            at = first.items.index(name)
            lines[row] = given.offset[at], given.slope[at]
        elif np.isfinite(given.slope[first.columns(first.constructs.index(name))]).all():
            lines[row] = 0.0, 1.0
    return Points(lines[:, 0], lines[:, 1])


def model_of(relations: Sequence[tuple[str, str, str]]) -> Model:
    """A model of relations lhs, operator, rhs, each once."""
    return Model("\n".join(f"{quoted(lhs)} {op} {quoted(rhs)}" for lhs, op, rhs in dict.fromkeys(relations)))


def _without(model: Model, constructs: Sequence[str]) -> Model:
    """The model without the measurement of some constructs: these are then items."""
    return model_of([(t.lhs, t.op, t.rhs) for t in model.terms if not (t.op != "~" and t.lhs in constructs)])


def _first_stage(model: Model, wholes: Mapping[str, tuple[str, ...]]) -> Model:
    """The model with the parts of each whole in all its paths."""
    measured = [(t.lhs, t.op, t.rhs) for t in model.terms if t.op != "~" and t.lhs not in wholes]
    paths = [
        (lhs, "~", rhs)
        for t in model.terms
        if t.op == "~"
        for lhs in wholes.get(t.lhs, (t.lhs,))
        for rhs in wholes.get(t.rhs, (t.rhs,))
    ]
    return model_of([*measured, *paths])


def _repeated(model: Model, wholes: Mapping[str, tuple[str, ...]], modes: Any, *, explained: bool = False) -> Blocks:
    """Blocks in which a whole has all items of its parts, and paths from its parts (``<~``) or to them (``=~``).

    explained : others may explain a whole made of its parts, as these paths are estimated elsewhere.

    Source: Wold (1982); Becker, Klein & Wetzels (2012), Long Range Planning 45(5–6), 359–394.
    """
    relations: list[tuple[str, str, str]] = []
    reflected = {t.lhs for t in model.terms if t.op == "=~" and t.lhs in wholes}
    for term in model.terms:
        if not explained and term.op == "~" and term.lhs in wholes and term.lhs not in reflected:
            raise ModelError.at(
                model.syntax,
                term.position,
                f"{term.lhs!r} is made of its parts, which explain all of it if their items are repeated: "
                f"{term.rhs!r} would have no effect. Use second_order='two-stage'.",
            )
        if term.lhs in wholes and term.op != "~":
            pair = (term.rhs, term.lhs) if term.lhs in reflected else (term.lhs, term.rhs)
            relations.append((pair[0], "~", pair[1]))
        else:
            relations.append((term.lhs, term.op, term.rhs))
    names = [name for name in model.latents if name not in wholes]
    plain = blocks_of(
        model_of([*relations, *((whole, "=~", _MARK + whole) for whole in wholes)]), modes=only(modes, set(names))
    )
    return _filled(plain, wholes, reflected, modes)


#: Stands for the items of a whole until they are known; no column has such a name.
_MARK = "items_of."


def _filled(plain: Blocks, wholes: Mapping[str, tuple[str, ...]], reflected: set[str], modes: Any) -> Blocks:
    """Give each whole the items of its parts."""
    held = {name: [plain.items[i] for i in plain.columns(j)] for j, name in enumerate(plain.constructs)}
    held |= {whole: [item for part in parts for item in held[part]] for whole, parts in wholes.items()}
    asked = modes or {}
    own = {whole: asked.get(whole, "A" if whole in reflected else "B") for whole in wholes}
    sizes = [len(held[name]) for name in plain.constructs]
    return replace(
        plain,
        items=tuple(item for name in plain.constructs for item in held[name]),
        block=np.repeat(np.arange(len(sizes)), sizes),
        modes=tuple(own.get(name, mode) for name, mode in zip(plain.constructs, plain.modes, strict=True)),
        reflective=np.array(
            [
                name in reflected or (name not in wholes and bool(measured))
                for name, measured in zip(plain.constructs, plain.reflective, strict=True)
            ]
        ),
    )
