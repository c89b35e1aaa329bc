"""Who shares the explained variance: drivers alone or in groups, and drivers that are forced in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from csat.drivers.terms import Factor, Terms, terms_of
from csat.errors import OptionError
from csat.moments import Recode, Source, shown, term_of


@dataclass(frozen=True, slots=True)
class Players:
    """The players of a split of R².

    terms : of the model. labels : (m,) drivers, or groups of them.
    columns : (m,) positions of each player's columns among those of the model.
    always : positions of the columns that are forced in.
    coded : (m,) whether a term of several columns is among a player's, whose coding is arbitrary: a category.
    """

    terms: Terms
    labels: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    always: tuple[int, ...]
    coded: tuple[bool, ...]

    @property
    def sizes(self) -> tuple[int, ...]:
        """(m,) columns of each player."""
        return tuple(len(own) for own in self.columns)

    @property
    def order(self) -> list[int]:
        """Positions of the columns, forced ones first, then player by player, and the outcome."""
        return [*self.always, *(j for own in self.columns for j in own), len(self.terms.columns)]


def players_of(source: Source, outcome: Any, drivers: Any, groups: Any, always: Any) -> Players:
    """Read drivers, groups and forced drivers.

    Parameters
    ----------
    source, outcome, drivers : as for `terms_of`.
    groups : name of a group → its drivers; None: every driver by itself.
    always : drivers that are in every model; named among `drivers` or not.

    Raises
    ------
    OptionError
        For a group that is empty, names what is no driver, or shares one with another; where nothing is left to split;
        for an interaction that stands outside its parts' group.
    """
    forced = [] if always is None else _several(always, "always")
    listed = _several(drivers, "drivers")
    known = {_label(driver) for driver in listed}
    terms = terms_of(source, outcome, [*listed, *(driver for driver in forced if _label(driver) not in known)])
    fixed = {terms.labels.index(_label(driver)) for driver in forced}
    own = _grouped(terms, fixed, groups)
    if not own:
        raise OptionError("always: every driver is forced in; nothing is left to share the explained variance.")
    _check_interactions(terms, fixed, list(own.values()))
    return Players(
        terms,
        tuple(own),
        tuple(tuple(j for term in members for j in terms.of(term)) for members in own.values()),
        tuple(j for term in sorted(fixed) for j in terms.of(term)),
        tuple(any(len(terms.of(term)) > 1 for term in members) for members in own.values()),
    )


def _several(asked: Any, what: str) -> list[Any]:
    if isinstance(asked, str | Factor | Recode) or hasattr(asked, "code"):
        return [asked]
    if not isinstance(asked, Iterable) or isinstance(asked, bytes | Mapping):
        raise OptionError(f"{what} are names of variables; found {shown(asked)}.")
    return list(asked)


def _label(driver: Any) -> str:
    """The label that `terms_of` gives a driver; anything else is left for it to refuse."""
    if isinstance(driver, Factor):
        return driver.column
    variable = getattr(driver, "code", driver)
    return term_of(variable) if isinstance(variable, str | Recode) else shown(variable)


def _grouped(terms: Terms, fixed: set[int], groups: Any) -> dict[str, list[int]]:
    """Label → positions of its terms: groups stand where their first driver was named."""
    member: dict[int, str] = {}
    for name, drivers in _declared(groups).items():
        for driver in drivers:
            label = _label(driver)
            if label not in terms.labels:
                raise OptionError.choose(f"groups[{name!r}]", label, terms.labels)
            term = terms.labels.index(label)
            if term in member or term in fixed:
                where = f"in group {member[term]!r}" if term in member else "forced in by always"
                raise OptionError(f"groups[{name!r}]: driver {label!r} is already {where}; it has one place.")
            member[term] = name
    out: dict[str, list[int]] = {}
    for term, label in enumerate(terms.labels):
        if term not in fixed:
            out.setdefault(member.get(term, label), []).append(term)
    singles = {label for term, label in enumerate(terms.labels) if term not in member}
    for name in set(member.values()) & singles:
        raise OptionError(f"groups: {name!r} is the name of a driver outside the group; call the group otherwise.")
    return out


def _declared(groups: Any) -> dict[str, list[Any]]:
    if groups is None:
        return {}
    if not isinstance(groups, Mapping) or not all(isinstance(name, str) for name in groups):
        raise OptionError(f"groups is a table: name of a group → its drivers; found {shown(groups)}.")
    out = {name: _several(drivers, f"groups[{name!r}]") for name, drivers in groups.items()}
    for name, drivers in out.items():
        if not drivers:
            raise OptionError(f"groups[{name!r}] has no drivers; name at least one, or leave the group out.")
    return out


def _check_interactions(terms: Terms, fixed: set[int], members: Sequence[list[int]]) -> None:
    """Refuse to split R² between an interaction and its parts: no order may take it in before them."""
    for own in members:
        for term in own:
            apart = terms.needs[term] - set(own) - fixed
            if apart:
                label, parts = terms.labels[term], [terms.labels[part] for part in sorted(terms.needs[term])]
                together = ", ".join(map(repr, [*parts, label]))
                raise OptionError(
                    f"Interaction {label!r} has no importance apart from its parts. Put them into one group: "
                    f"groups={{{' × '.join(parts)!r}: [{together}]}}."
                )
