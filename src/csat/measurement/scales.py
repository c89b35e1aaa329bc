"""Which items make up which scale: by a table, by a model's constructs, or by the dimensions of a questionnaire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from csat.errors import OptionError
from csat.model import Model
from csat.moments import Source, as_names, shown
from csat.questionnaire import Questionnaire
from csat.scoring import tree_of


@dataclass(frozen=True, eq=False)
class Scales:
    """Scales and their items, no item in two of them.

    names : (c,) scales. members : (c,) tuples of the items of each. composed, higher : constructs of a model that were
        left out, as composed of items, or measured by constructs.
    """

    names: tuple[str, ...]
    members: tuple[tuple[str, ...], ...]
    composed: tuple[str, ...] = ()
    higher: tuple[str, ...] = ()

    @cached_property
    def items(self) -> tuple[str, ...]:
        """(p,) items of all scales, scale by scale."""
        return tuple(item for items in self.members for item in items)

    @cached_property
    def places(self) -> tuple[np.ndarray, ...]:
        """(c,) positions of the items of each scale."""
        ends = np.cumsum([len(items) for items in self.members])
        return tuple(np.arange(end - len(items), end) for end, items in zip(ends, self.members, strict=True))

    @cached_property
    def several(self) -> tuple[int, ...]:
        """Scales with two items or more."""
        return tuple(c for c, items in enumerate(self.members) if len(items) > 1)


def scales_of(source: Source, asked: Any, questionnaire: Questionnaire | None) -> Scales:
    """The scales that were asked for; None: the dimensions of the questionnaire that stand above items.

    Raises
    ------
    OptionError
        If there is no scale, one without items, or an item in two scales.
    QuestionnaireError
        Without scales, if the source has no questionnaire or that no index tree.
    """
    if asked is None:
        found = _of_questionnaire(tree_of(source, questionnaire))
    elif isinstance(asked, Model):
        found = _of_model(asked)
    elif isinstance(asked, Mapping):
        found = _of_table(asked)
    else:
        raise OptionError(
            f'scales is a table of scales and their items, e.g. {{"quality": ["Q1", "Q2"]}}, or a csat.Model; found '
            f"{shown(asked)}."
        )
    _check(found)
    return found


def _of_table(asked: Mapping[Any, Any]) -> Scales:
    if not asked:
        raise OptionError('scales is empty; name one at least, e.g. {"quality": ["Q1", "Q2", "Q3"]}.')
    for name in asked:
        if not isinstance(name, str) or not name:
            raise OptionError(f"scales: the name of a scale is a text; found {shown(name)}.")
    return Scales(tuple(asked), tuple(as_names(items, f"scales[{name!r}]") for name, items in asked.items()))


def _of_model(model: Model) -> Scales:
    measured: dict[str, list[str]] = {}
    for term in model.terms:
        if term.op == "=~":
            measured.setdefault(term.lhs, []).append(term.rhs)
    known = set(model.latents)
    higher = tuple(name for name, items in measured.items() if known & set(items))
    composed = tuple(name for name in model.latents if name not in measured)
    kept = {name: tuple(items) for name, items in measured.items() if name not in higher}
    if not kept:
        raise OptionError("No construct of this model is measured by items (=~), so that none has a reliability.")
    return Scales(tuple(kept), tuple(kept.values()), composed, higher)


def _of_questionnaire(asked: Questionnaire) -> Scales:
    inner = {node.code for node in asked.dimensions}
    kept = {
        node.code: tuple(node.children)
        for node in sorted(asked.dimensions, key=lambda node: asked.nodes.index(node.code))
        if not inner & set(node.children)
    }
    return Scales(tuple(kept), tuple(kept.values()))


def _check(scales: Scales) -> None:
    holder: dict[str, str] = {}
    for name, items in zip(scales.names, scales.members, strict=True):
        if not items:
            raise OptionError(f"Scale {name!r} has no items; name two or more.")
        for item in items:
            if item in holder:
                where = (
                    f"twice in scale {name!r}" if holder[item] == name else f"in scales {holder[item]!r} and {name!r}"
                )
                raise OptionError(
                    f"Item {item!r} stands {where}; it belongs to one scale. Ask for overlapping scales one by one."
                )
            holder[item] = name
    if not scales.several:
        raise OptionError(
            f"Every scale has a single item ({', '.join(scales.names)}); reliability is seen from two items or more."
        )
