"""Figures of running text: one decimal, with their intervals."""

from __future__ import annotations

import numpy as np

from csat.report.format import MINUS, number


def tenth(value: float, *, sign: bool = False) -> str:
    """A figure of running text: one decimal, with a real minus sign; with `sign`, a plus as well.

    >>> tenth(-4.364), tenth(0.98, sign=True), tenth(-0.01)
    ('−4.4', '+1.0', '0.0')
    """
    text = f"{abs(value):.1f}"
    if not any(digit in text for digit in "123456789"):
        return text
    return (MINUS if value < 0 else "+" if sign else "") + text


def figures(estimate: float, low: float, high: float, *, sign: bool = False) -> dict[str, str]:
    """A figure with the ends of its interval, as blanks of a sentence."""
    ends = {"low": _end(float(low), sign=sign), "high": _end(float(high), sign=sign)}
    return {"estimate": tenth(float(estimate), sign=sign), **ends}


def _end(value: float, *, sign: bool) -> str:
    """An end of an interval: a second decimal where the first would hide on which side of 0 it lies."""
    text = tenth(value, sign=sign)
    return number(value, "score") if text == "0.0" and abs(value) >= 0.005 else text


def distance(estimate: float, low: float, high: float) -> dict[str, str]:
    """How far a figure lies from 0, whichever side, with its interval: "higher by", "lower by".

    >>> distance(-4.36, -6.58, -2.17)
    {'estimate': '4.4', 'low': '2.2', 'high': '6.6'}
    """
    return figures(estimate, low, high) if estimate >= 0 else figures(-estimate, -high, -low)


def known(*values: float) -> bool:
    """Whether all figures are there."""
    return bool(np.isfinite(values).all())
