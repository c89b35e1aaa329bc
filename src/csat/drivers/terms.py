"""The right side of a regression: numeric drivers, factors and interactions, as columns of a summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from csat.errors import OptionError, SampleError
from csat.moments import Product, Recode, Source, Variable, columns_of, shown, term_of

#: What joins the drivers of an interaction.
CROSS = ":"
#: Name of the constant in every result.
CONSTANT = "(intercept)"
#: In a column of text, up to one level in so many that is no number looks like a slip among numbers.
ONE_IN = 5


@dataclass(frozen=True, slots=True)
class Factor:
    """A driver that is a category: one 0/1 column per level but the reference.

    column : where the category is.
    reference : level that the others are compared with; None: the first of the questionnaire, else of the alphabet.
    """

    column: str
    reference: Any = None


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a model, and the columns that they are made of.

    labels : (m,) one per term: "P1", "brand", "brand:P1".
    columns : (k,) all columns, term by term. owner : (k,) position of each column's term.
    outcome : dependent variable.
    needs : (m,) for each term, positions of the terms that have to be in a model with it (the parts of an interaction).
    """

    labels: tuple[str, ...]
    columns: tuple[Variable, ...]
    owner: tuple[int, ...]
    outcome: Variable
    needs: tuple[frozenset[int], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """(k,) names of the columns, which are the names of their coefficients."""
        return tuple(term_of(column) for column in self.columns)

    @property
    def variables(self) -> tuple[Variable, ...]:
        """(k+1,) columns and, last, the outcome: what to ask a source for."""
        return (*self.columns, self.outcome)

    @property
    def plain(self) -> bool:
        """Whether every term is one column."""
        return len(self.labels) == len(self.columns)

    def of(self, term: int) -> list[int]:
        """Positions of the columns of a term."""
        return [j for j, owner in enumerate(self.owner) if owner == term]

    def some(self, wanted: Iterable[int]) -> Terms:
        """The same model with fewer terms, in the order of `wanted`."""
        kept = list(wanted)
        place = {old: new for new, old in enumerate(kept)}
        pairs = [(self.columns[j], place[term]) for term in kept for j in self.of(term)]
        return Terms(
            tuple(self.labels[term] for term in kept),
            tuple(column for column, _ in pairs),
            tuple(owner for _, owner in pairs),
            self.outcome,
            tuple(frozenset(place[need] for need in self.needs[term] if need in place) for term in kept),
        )


def terms_of(source: Source, outcome: Any, drivers: Any, *, intercept: bool = True) -> Terms:
    """Read what was asked for.

    Parameters
    ----------
    source : to look up the levels of factors.
    outcome : name of a variable, item of a questionnaire, or `Recode`.
    drivers : one or several: names, items, `Factor`, `Recode`, or an interaction "a:b" of drivers. A column of
        categories is a factor by itself. A column of the data that is itself named "a:b" is that column.
    intercept : False: the first factor keeps all of its levels, as there is no intercept for one to be compared with.

    Returns
    -------
    Terms

    Raises
    ------
    OptionError
        Without a driver, for what is none of these, for a variable that is named twice, for an interaction with a
        factor whose other part is not a driver itself, or for a column of text that holds numbers but for some slips.
    SampleError
        For a factor with fewer than two levels.
    """
    asked = _listed(drivers, "drivers")
    if not asked:
        raise OptionError("No driver is named: name at least one.")
    goal = _variable(outcome, "the outcome")
    names = _names_of(source, asked)
    labels = [_label(driver) for driver in asked]
    parts = [_columns(names, driver) for driver in asked]
    if not intercept:
        _keep_all_levels(names, labels, parts)
    members = [frozenset(names.parts(label)) for label in labels]
    _check_margins(names, labels, members)
    columns = [column for part in parts for column in part]
    _check_distinct([*labels, term_of(goal)], [*columns, goal])
    owner = tuple(term for term, part in enumerate(parts) for _ in part)
    return Terms(tuple(labels), tuple(columns), owner, goal, tuple(_needs(own, members) for own in members))


def complete_with(source: Source, terms: Terms, complete: Any) -> list[Variable]:
    """All that a row must have answered: the variables of the model and, after them, further ones.

    Parameters
    ----------
    source : to look up the levels of factors.
    terms : of the model.
    complete : one or several variables, as `drivers` of `terms_of`, or columns of other terms.

    Raises
    ------
    OptionError
        For what is no variable, or another variable of the same name.
    """
    out = list(terms.variables)
    listed = _listed(complete, "complete")
    known = _names_of(source, listed)
    for asked in listed:
        further = [asked] if isinstance(asked, Product) else _columns(known, asked)
        out += [variable for variable in further if variable not in out]
    names = [term_of(variable) for variable in out]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"complete: there is another variable named {twice!r} in the model; rename one of them.")
    return out


def _variable(asked: Any, what: str) -> str | Recode:
    """A variable given as a code, as an item of a questionnaire, or recoded."""
    variable = getattr(asked, "code", asked)
    if not isinstance(variable, str | Recode):
        raise OptionError(f"{what} is the name of a variable or an item of a questionnaire; found {shown(asked)}.")
    return variable


def _listed(asked: Any, what: str) -> list[Any]:
    """One variable or several, as a list."""
    if isinstance(asked, str | Factor | Recode | Product) or hasattr(asked, "code"):
        return [asked]
    if not isinstance(asked, Iterable) or isinstance(asked, bytes):
        raise OptionError(f"{what} are names of variables; found {shown(asked)}.")
    return list(asked)


def _label(driver: Any) -> str:
    return driver.column if isinstance(driver, Factor) else term_of(_variable(driver, "a driver"))


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """What the names of drivers stand for in a source.

    columns : that it has. categories : those of them that hold labels instead of numbers.
    given : name → what was asked for under it. counted : levels with answers of the factors looked up so far.
    """

    source: Source
    columns: frozenset[str]
    categories: frozenset[str]
    given: Mapping[str, Factor | Recode]
    counted: dict[str, list[Any]]

    def is_factor(self, name: str) -> bool:
        """Whether a name stands for a category."""
        return isinstance(self.given.get(name), Factor) or (name not in self.given and name in self.categories)

    def main(self, name: str, *, full: bool = False) -> tuple[str | Recode, ...]:
        """The columns of a single driver: itself, or the 0/1 columns of a category."""
        given = self.given.get(name, Factor(name))
        if isinstance(given, Recode):
            return (given,)
        if not self.is_factor(name):
            return (name,)
        if name not in self.given:
            _check_text(name, self.levels(name), declared=self.source.questionnaire is not None)
        return _dummies(given, self.levels(name), full=full)

    def parts(self, label: str) -> list[str]:
        """The drivers that a term is made of: several for an interaction."""
        return [label] if label in self.columns or label in self.given else label.split(CROSS)

    def levels(self, column: str) -> list[Any]:
        """The levels that somebody gave."""
        if column not in self.counted:
            counts = self.source.levels([column])
            answered = np.asarray(counts.unweighted[0]).sum(axis=0) > 0
            self.counted[column] = [
                level for level, some in zip(counts.levels[0], answered.tolist(), strict=True) if some
            ]
        return self.counted[column]


def _names_of(source: Source, asked: Iterable[Any]) -> _Names:
    """Look a source up once; a column that does not exist is told by the reduction."""
    columns = frozenset(getattr(source, "columns", getattr(source, "names", ())))
    categories = columns - frozenset(getattr(source, "numbers", columns))
    given = {_label(driver): driver for driver in asked if isinstance(driver, Factor | Recode)}
    return _Names(source, columns, categories, given, {})


def _columns(names: _Names, driver: Any) -> list[Variable]:
    """The columns of one term."""
    label = _label(driver)
    parts = names.parts(label)
    if len(parts) == 1:
        return list(names.main(label))
    if len(set(parts)) < len(parts):
        raise OptionError(f"Interaction {label!r} names a driver twice.")
    crossed = product(*(names.main(part) for part in parts))
    return [Product(CROSS.join(term_of(part) for part in each), each) for each in crossed]


def _keep_all_levels(names: _Names, labels: list[str], parts: list[list[Variable]]) -> None:
    """Give the first factor a column for its reference level too, in the place of its other columns."""
    first = next((i for i, label in enumerate(labels) if names.is_factor(label)), None)
    if first is not None:
        parts[first] = list(names.main(labels[first], full=True))


def _check_margins(names: _Names, labels: list[str], members: list[frozenset[str]]) -> None:
    """Refuse brand:P1 without P1: it would say that P1 has no effect at the reference level of brand."""
    for label, own in zip(labels, members, strict=True):
        for part in sorted(own) if len(own) > 1 else ():
            if names.is_factor(part) and own - {part} not in members:
                margin = CROSS.join(other for other in label.split(CROSS) if other != part)
                raise OptionError(
                    f"Interaction {label!r} without {margin!r}: at the reference level of {part!r} it would have no "
                    f"effect. Name {margin!r} as a driver too."
                )


def _dummies(factor: Factor, levels: list[Any], *, full: bool) -> tuple[Recode, ...]:
    """A 0/1 column per level (but the reference, if not `full`)."""
    if len(levels) < 2:
        raise SampleError(f"Factor {factor.column!r} has {len(levels)} level with answers; it needs at least 2.")
    reference = levels[0] if factor.reference is None else factor.reference
    if reference not in levels:
        raise OptionError.choose(f"reference of {factor.column!r}", reference, levels)
    others = [level for level in levels if full or level != reference]
    return tuple(
        Recode(f"{factor.column}={_word(level)}", factor.column, {other: float(other == level) for other in levels})
        for level in others
    )


def _check_text(name: str, levels: list[Any], *, declared: bool) -> None:
    """Refuse to take numbers as categories unasked; without slips a questionnaire says that they are codes."""
    slips = [level for level in levels if not _is_number(level)]
    if (declared and not slips) or len(slips) * ONE_IN > len(levels):
        return
    numbers = [level for level in levels if level not in slips]
    also = f" …, but also {', '.join(map(repr, slips[:3]))}, which is no number" if slips else " …, not numbers"
    raise OptionError(
        f"{name!r} holds text: {', '.join(map(repr, numbers[:3]))}{also}; it would be taken as a "
        f"category of {len(levels)} levels. Clean the column, or ask: "
        f"csat.Factor({name!r})."
    )


def _is_number(level: Any) -> bool:
    try:
        return bool(np.isfinite(float(level)))
    except ValueError:
        return False


def _word(level: Any) -> str:
    """A level in the name of its column; whole numbers have no decimal point."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def _needs(own: frozenset[str], members: list[frozenset[str]]) -> frozenset[int]:
    """Terms whose drivers are among those of an interaction."""
    return frozenset(i for i, other in enumerate(members) if other < own)


def _check_distinct(labels: list[str], variables: list[Variable]) -> None:
    for label in labels:
        if label == CONSTANT:
            raise OptionError(f"{CONSTANT!r} is the name of the constant of a regression; rename the column.")
        if labels.count(label) > 1:
            raise OptionError(f"{label!r} is named twice; outcome and drivers must all differ.")
    outcome = columns_of(variables[-1])
    for variable in variables[:-1]:
        if set(columns_of(variable)) & set(outcome):
            raise OptionError(f"{term_of(variable)!r} is made of the outcome itself; outcome and drivers must differ.")
