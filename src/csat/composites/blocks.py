"""What partial least squares takes of a model: blocks of items, one per construct, and the paths between constructs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from csat.errors import ModelError, OptionError, check_choice, closest
from csat.model import Model, Term
from csat.moments import as_names, shown

#: How the weights of a block come about: "A" correlations with the inner proxy, "B" regression of the proxy on the
#: block, "unit" equal weights, "factor" those of the regression scores of a common factor.
MODES = ("A", "B", "unit", "factor")


@dataclass(frozen=True, eq=False)
class Blocks:
    """Constructs, their items, and who explains whom.

    constructs : (q,) names. items : (p,) the item of each column; one item may serve two blocks.
    block : (p,) position of each column's construct, ascending. modes : (q,) of `MODES`; a block of one item is "A".
    reflective : (q,) whether the model measures the construct (``=~``); an observed variable in a path counts so.
    consistent : (q,) whether its correlations are corrected for attenuation (only blocks of several items in mode A).
    paths : (q, q) True where the construct of the column explains that of the row.
    """

    constructs: tuple[str, ...]
    items: tuple[str, ...]
    block: np.ndarray
    modes: tuple[str, ...]
    reflective: np.ndarray
    consistent: np.ndarray
    paths: np.ndarray

    @cached_property
    def member(self) -> np.ndarray:
        """(p, q) 1.0 where a column belongs to a construct."""
        return np.asarray(self.block[:, None] == np.arange(len(self.constructs)), float)

    @cached_property
    def sizes(self) -> np.ndarray:
        """(q,) items of each construct."""
        return np.bincount(self.block, minlength=len(self.constructs))

    @cached_property
    def observed(self) -> tuple[str, ...]:
        """Variables that the data must hold, each once."""
        return tuple(dict.fromkeys(self.items))

    @cached_property
    def at(self) -> np.ndarray:
        """(p,) position of each column's item in `observed`."""
        place = {name: i for i, name in enumerate(self.observed)}
        return np.array([place[name] for name in self.items], int)

    @cached_property
    def endogenous(self) -> np.ndarray:
        """(q,) which constructs are explained."""
        return np.asarray(self.paths.any(axis=1))

    @cached_property
    def explained(self) -> tuple[tuple[int, np.ndarray], ...]:
        """Each explained construct with the positions (k,) of what explains it."""
        return tuple((j, np.flatnonzero(self.paths[j])) for j in np.flatnonzero(self.endogenous).tolist())

    @cached_property
    def reach(self) -> np.ndarray:
        """(q, q) number of links of the longest way from the construct of the column to that of the row; 0 if none."""
        out, ways = np.zeros(self.paths.shape, int), self.paths.astype(int)
        length = 0
        while ways.any():
            length += 1
            out[ways > 0] = length
            ways = (ways @ self.paths > 0).astype(int)
        return out

    @cached_property
    def indirect(self) -> np.ndarray:
        """(q, q) whether there is a way with a construct in between."""
        step = self.paths.astype(int)
        return np.asarray(step @ (self.reach > 0) > 0)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """(…, q) sums over the items of each construct; what is NaN in one leaves the others alone."""
        return np.add.reduceat(values, np.cumsum(self.sizes) - self.sizes, axis=-1)

    def columns(self, construct: int) -> np.ndarray:
        """(k,) columns of a construct."""
        return np.flatnonzero(self.block == construct)


def blocks_of(model: Model, *, modes: Any = None, consistent: Any = False) -> Blocks:
    """Read a model as partial least squares does.

    Parameters
    ----------
    model : ``=~`` blocks in mode A, ``<~`` in mode B, ``~`` paths; an observed variable in a path is a construct of
        its own, known without error.
    modes : construct → "A", "B", "unit" or "factor", where the model's own is not wanted.
    consistent : correct all reflective constructs (``=~``) for attenuation, or the named ones, none.

    Raises
    ------
    ModelError
        For what this method does not have: covariances, intercepts, labels, fixed values, definitions; for constructs
        measured by constructs, without paths, or that explain one another in a circle.
    OptionError
        If an option names no construct, or asks for the impossible.
    """
    refuse_foreign(model)
    relations = [term for term in model.terms if term.op == "~"]
    measures = {name: model.indicators(name) for name in model.latents}
    singles = [name for term in relations for name in (term.lhs, term.rhs) if name not in measures]
    measures |= {name: (name,) for name in singles}
    constructs = tuple(measures)
    _refuse_shared(model, set(singles))
    paths = _paths(model, relations, constructs)
    reflective = np.array([not _composed(model, name) for name in constructs])
    chosen = _modes(modes, constructs, reflective, [len(items) for items in measures.values()])
    return Blocks(
        constructs,
        tuple(item for items in measures.values() for item in items),
        np.repeat(np.arange(len(constructs)), [len(items) for items in measures.values()]),
        chosen,
        reflective,
        _consistent(consistent, constructs, reflective, chosen, [len(items) for items in measures.values()]),
        paths,
    )


def _composed(model: Model, name: str) -> bool:
    return any(term.lhs == name and term.op == "<~" for term in model.terms)


def refuse_foreign(model: Model) -> None:
    """Refuse what only a covariance-based estimator has."""
    for term in model.terms:
        fault = _foreign(term)
        if fault:
            raise ModelError.at(model.syntax, term.position, f"{fault} Leave it out, or estimate with csat.sem.")
    used = [(label, term) for term in model.terms for label in term.labels]
    for at, (label, term) in enumerate(used):
        if label in {earlier for earlier, _ in used[:at]}:
            raise ModelError.at(
                model.syntax,
                term.position,
                f"partial least squares ties no parameters, as the label {label!r} in two places does. Leave it out, "
                "or estimate with csat.sem.",
            )
    if model.constraints:
        raise ModelError.at(
            model.syntax,
            min(constraint.names[0][1] for constraint in model.constraints),
            "partial least squares ties no parameters by equations. Leave it out, or estimate with csat.sem.",
        )


def not_defined(model: Model) -> list[str]:
    """That defined parameters of a model are not estimated, in words; nothing without any."""
    if not model.definitions:
        return []
    return [
        f"Not estimated, since partial least squares has no defined parameters: "
        f"{', '.join(definition.name for definition in model.definitions)}. All indirect and total effects come with "
        "the result."
    ]


def _foreign(term: Term) -> str:
    if term.op == "~~":
        return f"partial least squares estimates no (residual) covariances such as {term.lhs} ~~ {term.rhs}."
    if term.op == "~1":
        return "partial least squares estimates no intercepts; performance on 0–100 comes with the result."
    for modifier in term.modifiers:
        if modifier.fixed is not None or modifier.free or modifier.start is not None:
            return "partial least squares has no fixed, freed or starting values: constructs have a variance of 1."
    return ""


def _refuse_shared(model: Model, singles: Collection[str]) -> None:
    """Refuse items of two constructs and constructs made of constructs."""
    owner: dict[str, str] = {}
    for term in model.terms:
        if term.op not in ("=~", "<~"):
            continue
        fault = ""
        if term.rhs in model.latents:
            fault = f"the construct {term.lhs!r} is made of the construct {term.rhs!r}; blocks hold items only."
        elif term.rhs in owner:
            fault = f"{term.rhs!r} belongs to {owner[term.rhs]!r} already; an item belongs to one construct."
        elif term.rhs in singles:
            fault = f"{term.rhs!r} is an item of {term.lhs!r} and stands in a path as well; a path is about constructs."
        if fault:
            raise ModelError.at(model.syntax, term.position, fault)
        owner[term.rhs] = term.lhs


def _paths(model: Model, relations: Sequence[Term], constructs: Sequence[str]) -> np.ndarray:
    """(q, q) who explains whom, after checks of the structure."""
    place = {name: i for i, name in enumerate(constructs)}
    paths = np.zeros((len(constructs), len(constructs)), bool)
    for term in relations:
        paths[place[term.lhs], place[term.rhs]] = True
    lonely = [name for name, i in place.items() if not (paths[i].any() or paths[:, i].any())]
    if lonely:
        first = next(term for term in model.terms if term.lhs == lonely[0])
        other = next((name for name in reversed(constructs) if name != lonely[0]), "satisfaction")
        raise ModelError.at(
            model.syntax,
            first.position,
            f"the construct {lonely[0]!r} has no path: its weights come from the constructs it is connected with. "
            f"Add a relation with another construct, such as '{other} ~ {lonely[0]}', or leave it out.",
        )
    circle = _circle(paths)
    if circle:
        names = [constructs[i] for i in circle]
        term = next(t for t in relations if t.lhs == names[0] and t.rhs == names[1 % len(names)])
        raise ModelError.at(
            model.syntax,
            term.position,
            f"constructs explain one another in a circle: {' ← '.join([*names, names[0]])}. Effects are then not "
            "defined here; leave one of the paths out.",
        )
    return paths


def _circle(paths: np.ndarray) -> list[int]:
    """Positions of constructs that explain one another in a circle, each explained by the next; empty if none do."""
    left = set(range(len(paths)))
    while True:
        free = [i for i in left if not any(paths[i, j] for j in left)]
        if not free:
            break
        left -= set(free)
    if not left:
        return []
    walk = [min(left)]
    while len(set(walk)) == len(walk):
        walk.append(next(j for j in sorted(left) if paths[walk[-1], j]))
    return walk[walk.index(walk[-1]) : -1]


def _modes(modes: Any, constructs: Sequence[str], reflective: np.ndarray, sizes: Sequence[int]) -> tuple[str, ...]:
    """(q,) modes: the model's own, then those asked for; a single item needs none."""
    asked = {} if modes is None else modes
    if not isinstance(asked, Mapping):
        raise OptionError(f'modes is a table such as {{"image": "B"}}; found {shown(modes)}.')
    for name, mode in asked.items():
        _check_construct("modes", name, constructs)
        check_choice(f"modes[{name!r}]", mode, MODES)
    own = ["A" if measured else "B" for measured in reflective]
    found = [asked.get(name, mode) for name, mode in zip(constructs, own, strict=True)]
    return tuple("A" if size == 1 else mode for mode, size in zip(found, sizes, strict=True))


def _consistent(
    asked: Any, constructs: Sequence[str], reflective: np.ndarray, modes: Sequence[str], sizes: Sequence[int]
) -> np.ndarray:
    """(q,) which constructs are corrected for attenuation."""
    several = np.array([mode == "A" and size > 1 for mode, size in zip(modes, sizes, strict=True)])
    if isinstance(asked, bool):
        return several & reflective if asked else np.zeros(len(constructs), bool)
    names = as_names(asked, "consistent")
    for name in names:
        _check_construct("consistent", name, constructs)
        if not several[list(constructs).index(name)]:
            raise OptionError(
                f"consistent names {name!r}: the correction for attenuation is for constructs of several items in "
                "mode A; one item has no reliability of its own, and other weights have no such correction."
            )
    return np.array([name in names for name in constructs])


def _check_construct(option: str, name: Any, constructs: Sequence[str]) -> None:
    if name not in constructs:
        raise OptionError(
            f"{option} names {name!r}, which is no construct of the model. Did you mean "
            f"{closest(str(name), constructs)}?"
        )
