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
        categories is a factor by itself.
    intercept : False: the first factor keeps all of its levels, as there is no intercept for one to be compared with.

    Returns
    -------
    Terms

    Raises
    ------
    OptionError
        Without a driver, for what is none of these, for a variable that is named twice, or for an interaction with a
        factor whose other part is not a driver itself.
    SampleError
        For a factor with fewer than two levels.
    """
    asked = _listed(drivers, "drivers")
    if not asked:
        raise OptionError("No driver is named: name at least one.")
    goal = _variable(outcome, "the outcome")
    factors = {driver.column: driver for driver in asked if isinstance(driver, Factor)}
    labels = [_label(driver) for driver in asked]
    parts = [_columns(source, driver, factors) for driver in asked]
    if not intercept:
        _keep_all_levels(source, labels, parts, factors)
    _check_margins(source, labels, factors)
    columns = [column for part in parts for column in part]
    _check_distinct([*labels, term_of(goal)], [*columns, goal])
    owner = tuple(term for term, part in enumerate(parts) for _ in part)
    return Terms(tuple(labels), tuple(columns), owner, goal, tuple(_needs(label, labels) for label in labels))


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
    for asked in _listed(complete, "complete"):
        further = [asked] if isinstance(asked, Product) else _columns(source, asked, {})
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


def _columns(source: Source, driver: Any, factors: Mapping[str, Factor]) -> list[Variable]:
    """The columns of one term."""
    if isinstance(driver, Factor):
        return list(_dummies(source, driver))
    variable = _variable(driver, "a driver")
    if isinstance(variable, Recode):
        return [variable]
    if CROSS not in variable or _is_column(source, variable):
        return list(_main(source, variable, factors))
    mains = [_main(source, part, factors) for part in variable.split(CROSS)]
    if len({term_of(main[0]) for main in mains}) < len(mains):
        raise OptionError(f"Interaction {variable!r} names a driver twice.")
    return [Product(CROSS.join(term_of(part) for part in parts), parts) for parts in product(*mains)]


def _keep_all_levels(
    source: Source, labels: list[str], parts: list[list[Variable]], factors: Mapping[str, Factor]
) -> None:
    """Give the first factor a column for its reference level too, in the place of its other columns."""
    for i, label in enumerate(labels):
        if _is_factor(source, label, factors):
            factor = factors.get(label, Factor(label))
            parts[i] = list(_dummies(source, factor, full=True))
            return


def _is_factor(source: Source, name: str, factors: Mapping[str, Factor]) -> bool:
    return name in factors or _is_category(source, name)


def _check_margins(source: Source, labels: list[str], factors: Mapping[str, Factor]) -> None:
    """Refuse brand:P1 without P1: it would say that P1 has no effect at the reference level of brand."""
    given = [frozenset(label.split(CROSS)) for label in labels]
    for label, own in zip(labels, given, strict=True):
        for part in own if len(own) > 1 and not _is_column(source, label) else ():
            if _is_factor(source, part, factors) and own - {part} not in given:
                margin = CROSS.join(other for other in label.split(CROSS) if other != part)
                raise OptionError(
                    f"Interaction {label!r} without {margin!r}: at the reference level of {part!r} it would have no "
                    f"effect. Name {margin!r} as a driver too."
                )


def _main(source: Source, name: str, factors: Mapping[str, Factor]) -> tuple[str | Recode, ...]:
    """The columns of a single driver: itself, or the 0/1 columns of a category."""
    if name in factors:
        return _dummies(source, factors[name])
    return _dummies(source, Factor(name)) if _is_category(source, name) else (name,)


def _is_column(source: Source, name: str) -> bool:
    return name in getattr(source, "columns", getattr(source, "names", ()))


def _is_category(source: Source, name: str) -> bool:
    """Whether a column of a survey holds labels instead of numbers; what does not exist is told by the reduction."""
    return _is_column(source, name) and hasattr(source, "numbers") and name not in source.numbers


def _dummies(source: Source, factor: Factor, *, full: bool = False) -> tuple[Recode, ...]:
    """A 0/1 column per level (but the reference, if not `full`), of the levels that somebody gave."""
    counted = source.levels([factor.column])
    answered = np.asarray(counted.unweighted[0]).sum(axis=0) > 0
    levels = [level for level, some in zip(counted.levels[0], answered.tolist(), strict=True) if some]
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


def _word(level: Any) -> str:
    """A level in the name of its column; whole numbers have no decimal point."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def _needs(label: str, labels: list[str]) -> frozenset[int]:
    """Terms whose drivers are among those of an interaction."""
    own = set(label.split(CROSS))
    return frozenset(i for i, other in enumerate(labels) if set(other.split(CROSS)) < own)


def _check_distinct(labels: list[str], variables: list[Variable]) -> None:
    for label in labels:
        if labels.count(label) > 1:
            raise OptionError(f"{label!r} is named twice; outcome and drivers must all differ.")
    outcome = columns_of(variables[-1])
    for variable in variables[:-1]:
        if set(columns_of(variable)) & set(outcome):
            raise OptionError(f"{term_of(variable)!r} is made of the outcome itself; outcome and drivers must differ.")
