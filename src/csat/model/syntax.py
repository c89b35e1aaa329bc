"""From the words of a model text to statements: one `Term` per relation that the text names.

The notation is lavaan's (Rosseel 2012, Journal of Statistical Software 48(2)): ``=~`` is measured by,
``<~`` is composed of, ``~`` is regressed on, ``~~`` covaries with, ``~ 1`` intercept, ``:=`` is defined as.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from csat.errors import ModelError
from csat.model.expression import Call, Expression, Name, Number, Operation
from csat.model.terms import Constraint, Definition, Modifier, Statement, Term, with_equals, with_term
from csat.model.tokens import RELATIONS, Token, advice_on_name, tokens_of

_FUNCTIONS = ("exp", "log", "sqrt", "abs")
#: Modifiers written as functions.
_MODIFIERS = ("start", "c", "label", "equal")
#: Brackets and signs inside one another, and operands of one definition: far beyond any use, within Python's stack.
_DEEPEST, _LONGEST = 100, 400
#: Larger and smaller numbers overflow when they are squared and multiplied.
_LARGEST = 1e30


@lru_cache(maxsize=64)
def statements_of(syntax: str) -> tuple[Statement, ...]:
    """Read every statement of a model text, in order; a text is read once.

    Raises
    ------
    ModelError
        Naming line, character and offending text.
    """
    reader = _Reader(syntax)
    found: list[Statement] = []
    while not reader.done:
        found += reader.statement()
    return with_equals(syntax, found)


def _listed(functions: Sequence[str]) -> str:
    """Functions in a row.

    >>> _listed(("start", "c", "label"))
    'start(…), c(…) and label(…)'
    """
    *first, last = (f"{name}(…)" for name in functions)
    return f"{', '.join(first)} and {last}"


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, syntax: str) -> None:
        self.syntax = syntax
        self.tokens = tokens_of(syntax)
        self.at = 0
        self.depth = self.operands = 0
        self.arithmetic = False
        self._skip_ends()

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    @property
    def token(self) -> Token:
        return self.tokens[self.at]

    def fail(self, message: str, token: Token | None = None) -> ModelError:
        """A fault at a word, with advice if it looks like part of a name; not in arithmetic, where - is a sign."""
        word = token or self.token
        around = self.tokens[max(self.tokens.index(word) - 1, 0) :][:2]
        advice = "" if self.arithmetic else advice_on_name(self.syntax, word.position, around)
        return ModelError.at(self.syntax, word.position, message + advice)

    def take(self) -> Token:
        token = self.token
        self.at += 1
        return token

    def take_string(self) -> Token:
        if self.token.kind != "string":
            raise self.fail(f"a text in quotation marks expected, {self._shown()} found.")
        return self.take()

    def take_mark(self, text: str) -> Token:
        if self.token.text != text:
            raise self.fail(f"{text!r} expected, {self._shown()} found.")
        return self.take()

    def take_name(self, what: str) -> Token:
        if self.token.kind != "name":
            raise self.fail(f"{what} expected, {self._shown()} found.")
        return self.take()

    def _shown(self) -> str:
        return "the end of the statement" if self.token.kind == "end" else repr(self.token.text)

    def _skip_ends(self) -> None:
        while not self.done and self.token.kind == "end":
            self.at += 1

    def statement(self) -> Iterator[Statement]:
        """One statement and the line ends after it."""
        self.arithmetic = False
        if self._is_constraint():
            yield self._constraint()
        else:
            left = self._left_side()
            if self.token.text == ":=" and len(left) == 1:
                yield self._definition(left[0])
            elif self.token.text in RELATIONS:
                yield from self._relation(left)
            else:
                raise self.fail(self._no_relation())
        if self.token.kind != "end":
            raise self.fail(f"'+' or a new line expected, {self._shown()} found.")
        self._skip_ends()

    def _no_relation(self) -> str:
        if self.token.text in ("<", ">"):
            return f"constraints with {self.token.text!r} are not available; only == is."
        return f"one of {', '.join(RELATIONS)}, :=, == expected after the left side, {self._shown()} found."

    def _left_side(self) -> list[Token]:
        left = [self.take_name("the name of a variable")]
        while self.token.text == "+":
            self.take()
            left.append(self.take_name("the name of a variable"))
        return left

    def _relation(self, left: list[Token]) -> Iterator[Term]:
        op = self.take().text
        terms = [self._term(op)]
        while self.token.text == "+":
            self.take()
            terms = with_term(self.syntax, terms, self._term(op))
        for name in left:
            yield from (replace(term, lhs=name.name) for term in terms)

    def _term(self, op: str) -> Term:
        """``modifier * modifier * variable``; the variable is the last factor."""
        factors = [self._factor()]
        while self.token.text == "*":
            self.take()
            factors.append(self._factor())
        *before, (variable, values) = factors
        modifiers: list[Modifier] = [Modifier()]
        for token, given in before:
            modifiers = self._modified(modifiers, token, given)
        if variable.kind == "name" and values == (None,) and variable.text != "NA":
            return Term("", op, variable.name, variable.position, tuple(modifiers))
        if op == "~" and values == (1.0,):
            return Term("", "~1", "", variable.position, tuple(modifiers))
        raise self.fail("the name of a variable expected (a number or NA goes before it, as in 1*x).", variable)

    def _factor(self) -> tuple[Token, tuple[str | float | None, ...]]:
        """Read a name or a label in quotation marks (None), a signed number, or a modifier such as ``start(number)``.

        ``start``, ``label`` and ``equal`` hold one value, or ``c(…)`` with one for each group.
        """
        token = self.token
        if token.kind == "string":
            return self.take(), (None,)
        if token.kind != "name":
            return token, (self._number(),)
        if self.tokens[self.at + 1].text != "(":
            return self.take(), (None,)
        if token.text not in _MODIFIERS:
            raise self.fail(f"the modifier {token.text}(…) is not available; only {_listed(_MODIFIERS)} are.")
        self.at += 2
        inner = token.text != "c" and self.token.text == "c"
        if inner:
            self.take()
            self.take_mark("(")
        values = [self._given(token.text)]
        while self.token.text == "," and (inner or token.text == "c"):
            self.take()
            values.append(self._given(token.text))
        self.take_mark(")")
        if inner:
            self.take_mark(")")
        return token, tuple(values)

    def _given(self, where: str) -> str | float:
        """One value inside brackets: a number, or under ``c`` a label or NA, under ``label`` and ``equal`` a text."""
        if where in ("label", "equal"):
            return self.take_string().name
        if where == "c" and self.token.kind in ("name", "string"):
            return self.take().name
        return self._number()

    def _number(self) -> float:
        sign = 1.0
        if self.token.text in ("+", "-"):
            sign = -1.0 if self.take().text == "-" else 1.0
        if self.token.kind != "number":
            raise self.fail(f"a variable or a number expected, {self._shown()} found.")
        return sign * self._value(self.take())

    def _value(self, token: Token) -> float:
        value = float(token.text)
        if value != 0 and not 1 / _LARGEST <= value <= _LARGEST:
            raise self.fail(f"{token.text} is too large or too small: numbers lie between 1e-30 and 1e30.", token)
        return value

    def _modified(self, before: list[Modifier], token: Token, given: tuple[str | float | None, ...]) -> list[Modifier]:
        """Add what one factor says, to all groups or group by group."""
        values = [token.name if value is None else value for value in given]
        size = max(len(before), len(values))
        if {len(before), len(values)} - {1, size}:
            raise self.fail(f"{len(values)} groups here, {len(before)} in the modifier before.", token)
        pairs = zip(before * (size // len(before)), values * (size // len(values)), strict=True)
        return [self._one_modified(modifier, token, value) for modifier, value in pairs]

    def _one_modified(self, modifier: Modifier, token: Token, value: str | float) -> Modifier:
        if token.text == "start":
            return replace(modifier, start=float(value))
        if token.text == "equal":
            return replace(modifier, equal=str(value))
        if value == "NA":
            change, clash = replace(modifier, free=True), modifier.fixed is not None
        elif isinstance(value, float):
            change, clash = replace(modifier, fixed=value), modifier.free or modifier.fixed is not None
        else:
            change, clash = replace(modifier, label=str(value)), modifier.label != ""
        if clash:
            raise self.fail(f"{value!r} contradicts the modifier before it.", token)
        return change

    def _is_constraint(self) -> bool:
        """Whether ``==`` comes before the statement ends."""
        rest = self.tokens[self.at :]
        return "==" in [token.text for token in rest[: next(i for i, t in enumerate(rest) if t.kind == "end")]]

    def _constraint(self) -> Constraint:
        first, self.operands, self.arithmetic = self.at, 0, True
        left = self._sum()
        self.take_mark("==")
        right = self._sum()
        names, text = self._used_since(first)
        return Constraint(left, right, text, self.tokens[first].position, names)

    def _used_since(self, first: int) -> tuple[tuple[tuple[str, int], ...], str]:
        """Names with their positions, and the text, of the tokens read since `first`."""
        used = self.tokens[first : self.at]
        after = self.tokens[first + 1 : self.at + 1]
        named = [
            token for token, following in zip(used, after, strict=True)
            if token.kind == "name" and following.text != "("
        ]  # fmt: skip
        names = tuple((token.name, token.position) for token in named)
        return names, "".join(token.text for token in used)

    def _definition(self, name: Token) -> Definition:
        self.take_mark(":=")
        first, self.operands, self.arithmetic = self.at, 0, True
        expression = self._sum()
        names, text = self._used_since(first)
        return Definition(name.name, expression, text, name.position, names)

    def _sum(self) -> Expression:
        left = self._product()
        while self.token.text in ("+", "-"):
            left = Operation(self.take().text, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._signed()
        while self.token.text in ("*", "/"):
            left = Operation(self.take().text, left, self._signed())
        return left

    def _signed(self) -> Expression:
        self.depth += 1
        self.operands += 1
        if self.depth > _DEEPEST:
            raise self.fail(f"more than {_DEEPEST} brackets and signs inside one another; use := in several steps.")
        if self.operands > _LONGEST:
            raise self.fail(f"more than {_LONGEST} operands in one definition; use := in several steps.")
        if self.token.text == "-":
            self.take()
            signed: Expression = Operation("-", Number(0.0), self._signed())
        else:
            signed = self._power()
        self.depth -= 1
        return signed

    def _power(self) -> Expression:
        base = self._atom()
        if self.token.text != "^":
            return base
        self.take()
        return Operation("^", base, self._signed())

    def _atom(self) -> Expression:
        token = self.take()
        if token.kind == "number":
            return Number(self._value(token))
        if token.text == "(":
            inside = self._sum()
            self.take_mark(")")
            return inside
        if token.kind == "name" and self.token.text == "(":
            return self._call(token)
        if token.kind == "name":
            return Name(token.name)
        shown = "the end of the statement" if token.kind == "end" else repr(token.text)
        raise self.fail(f"a label, a number or '(' expected, {shown} found.", token)

    def _call(self, token: Token) -> Expression:
        if token.text not in _FUNCTIONS:
            raise self.fail(f"{token.text}(…) is not known; use one of {', '.join(_FUNCTIONS)}.", token)
        self.take_mark("(")
        inside = self._sum()
        self.take_mark(")")
        return Call(token.text, inside)
