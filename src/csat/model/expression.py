"""Arithmetic of defined parameters (``ind := a*b``): a small tree, evaluated on numbers or arrays.

The tree is evaluated with numpy's own functions, which accept complex numbers; derivatives therefore
come from a complex step and are exact to rounding (Squire & Trapp 1998, SIAM Review 40(1)).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Number:
    """A constant."""

    value: float


@dataclass(frozen=True, slots=True)
class Name:
    """A label, or an earlier definition."""

    name: str


@dataclass(frozen=True, slots=True)
class Operation:
    """`left` `sign` `right`, sign one of ``+ - * / ^``."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Call:
    """``exp``, ``log``, ``sqrt`` or ``abs`` of an expression."""

    function: str
    argument: Expression


Expression = Number | Name | Operation | Call

_SIGNS: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}


def _size(value: np.ndarray) -> np.ndarray:
    """Absolute value by the sign of the real part: numpy's own would be the length of a complex number."""
    return np.where(np.real(value) < 0, -value, value)


_CALLS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "abs": _size,
}


def evaluate(expression: Expression, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Value of an expression, given the value (of any one shape, real or complex) of each name in it.

    Not finite where the arithmetic has no value (a/0, log of a negative number).
    """
    with np.errstate(all="ignore"):
        return _value(expression, values)


def substituted(expression: Expression, meaning: Mapping[str, Expression]) -> Expression:
    """The expression with names replaced by what they mean; those without a meaning stay."""
    match expression:
        case Name(name):
            return meaning.get(name, expression)
        case Operation(sign, left, right):
            return Operation(sign, substituted(left, meaning), substituted(right, meaning))
        case Call(function, argument):
            return Call(function, substituted(argument, meaning))
    return expression


def _value(expression: Expression, values: Mapping[str, np.ndarray]) -> np.ndarray:
    match expression:
        case Number(value):
            return np.asarray(value)
        case Name(name):
            return values[name]
        case Operation(sign, left, right):
            return _SIGNS[sign](_value(left, values), _value(right, values))
        case Call(function, argument):
            return _CALLS[function](_value(argument, values))
