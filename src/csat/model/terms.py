"""What a model text says: relations with what is said of their parameters, definitions, equations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from csat.errors import ModelError
from csat.model.expression import Expression


@dataclass(frozen=True, slots=True)
class Modifier:
    """What is said of one parameter.

    label : its name, "" if none; equal labels make equal parameters.
    fixed : value it is fixed at, None if it is estimated.
    free : written ``NA*x``: estimated even where the defaults would fix it.
    start : starting value, None if none was given.
    equal : written ``equal("F=~x2")*x``: the relation whose parameter this is too; "" once that has a label.
    """

    label: str = ""
    fixed: float | None = None
    free: bool = False
    start: float | None = None
    equal: str = ""


@dataclass(frozen=True, slots=True)
class Term:
    """One relation as written: `lhs` `op` `rhs`.

    position : of `rhs` in the text, for errors.
    modifiers : of its parameter; as many as groups if they were written group by group, as in ``c(a, b)*x``.
    """

    lhs: str
    op: str
    rhs: str
    position: int
    modifiers: tuple[Modifier, ...] = (Modifier(),)

    def modifier(self, group: int) -> Modifier:
        """What is said of the parameter in one group, counted from 0."""
        return self.modifiers[group if len(self.modifiers) > 1 else 0]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its parameters."""
        return tuple(modifier.label for modifier in self.modifiers if modifier.label)


@dataclass(frozen=True, slots=True)
class Definition:
    """``name := expression``, with the text of the expression and the position of each name in it."""

    name: str
    expression: Expression
    text: str
    position: int
    names: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Constraint:
    """``left == right`` between parameters, with its text and the position of each name in it."""

    left: Expression
    right: Expression
    text: str
    position: int
    names: tuple[tuple[str, int], ...]


Statement = Term | Definition | Constraint


def with_term(syntax: str, terms: Sequence[Term], new: Term) -> list[Term]:
    """Terms of one side with another one; what it says beyond an earlier one of the same variable goes there.

    Raises
    ------
    ModelError
        If the two contradict each other.
    """
    at = next((i for i, term in enumerate(terms) if term.rhs == new.rhs), None)
    if at is None or terms[at].modifiers == new.modifiers:
        return [*terms, new]
    said, more = terms[at].modifiers, new.modifiers
    size = max(len(said), len(more))
    if {len(said), len(more)} - {1, size}:
        raise ModelError.at(syntax, new.position, f"{len(more)} groups here, {len(said)} where it stood before.")
    pairs = zip(said * (size // len(said)), more * (size // len(more)), strict=True)
    both = [_both(*pair) for pair in pairs]
    if any(one is None for one in both):
        message = f"{new.rhs!r} stands here twice, and what is said of it contradicts."
        raise ModelError.at(syntax, new.position, message)
    return [*terms[:at], replace(terms[at], modifiers=tuple(one for one in both if one)), *terms[at + 1 :]]


def _both(said: Modifier, more: Modifier) -> Modifier | None:
    """What two modifiers say together; None if they contradict each other."""
    pairs = ((said.label, more.label), (said.fixed, more.fixed), (said.start, more.start), (said.equal, more.equal))
    clash = any(one not in ("", None) and other not in ("", None) and one != other for one, other in pairs)
    fixed = said.fixed if more.fixed is None else more.fixed
    start = said.start if more.start is None else more.start
    free = said.free or more.free
    if clash or (fixed is not None and free):
        return None
    return Modifier(said.label or more.label, fixed, free, start, said.equal or more.equal)


def with_equals(syntax: str, statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Statements in which what ``equal("F=~x2")`` points at has a label, and what points there has the same.

    Raises
    ------
    ModelError
        If the relation that it names is not written.
    """
    found = list(statements)
    for at, statement in enumerate(found):
        if not isinstance(statement, Term) or not any(modifier.equal for modifier in statement.modifiers):
            continue
        modifiers = []
        for g, modifier in enumerate(statement.modifiers):
            label = _label_of(syntax, found, statement, modifier.equal, g) if modifier.equal else modifier.label
            modifiers.append(replace(modifier, label=label, equal=""))
        found[at] = replace(statement, modifiers=tuple(modifiers))
    return tuple(found)


def _label_of(syntax: str, found: list[Statement], asking: Term, relation: str, group: int) -> str:
    """The label of the relation in a group; it gets its own text for one if it has none."""
    asked = _squeezed(relation)
    for at, term in enumerate(found):
        if not isinstance(term, Term) or term is asking or asked not in _spelled(term):
            continue
        own = term.modifier(group)
        if not own.label:
            found[at] = replace(term, modifiers=tuple(replace(m, label=m.label or asked) for m in term.modifiers))
        return own.label or asked
    message = (
        f"equal({relation!r}): no relation of the model is written so. Write it out, e.g. 'F =~ x2' or 'x2 ~~ x2'."
    )
    raise ModelError.at(syntax, asking.position, message)


def _squeezed(relation: str) -> str:
    """A relation without blanks and backticks; an intercept as ``x~1``."""
    return "".join(relation.replace("`", "").split())


def _spelled(term: Term) -> tuple[str, ...]:
    """How a relation may be written."""
    if term.op == "~1":
        return (_squeezed(f"{term.lhs}~1"),)
    turned = (_squeezed(f"{term.rhs}{term.op}{term.lhs}"),) if term.op == "~~" else ()
    return (_squeezed(f"{term.lhs}{term.op}{term.rhs}"), *turned)
