"""Drivers and outcome by code, the study's own by default, and on 0–100 where the questionnaire knows the scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from csat.errors import OptionError
from csat.moments import Variable, shown
from csat.questionnaire import Questionnaire
from csat.scoring import ScoredItems, score_items


def outcome_of(asked: Questionnaire | None, outcome: Any) -> str:
    """Code of the dependent variable: the one named, else the study's."""
    if outcome is not None:
        return _code_of(outcome, "the outcome")
    if asked is None or asked.outcome is None:
        missing = "no questionnaire" if asked is None else f"a study ({asked.name!r}) without an outcome"
        raise OptionError(f"outcome is not named, and this source has {missing}: pass outcome=….")
    return asked.outcome


def drivers_of(asked: Questionnaire | None, drivers: Any, outcome: str | None) -> tuple[str, ...]:
    """Codes of at least two different drivers: those named, else the processes of the study."""
    if drivers is None:
        processes = () if asked is None else tuple(process.code for process in asked.processes)
        codes = tuple(code for code in processes if code != outcome)
        if len(codes) < 2:
            missing = "no questionnaire" if asked is None else f"a study ({asked.name!r}) with {len(codes)} processes"
            raise OptionError(f"drivers are not named, and this source has {missing}: pass drivers=[…].")
        return codes
    return check_drivers(codes_of(drivers, "drivers"), outcome)


def codes_of(names: Any, what: str) -> tuple[str, ...]:
    """Codes of one or several variables, given by name or as items of a questionnaire."""
    if isinstance(names, str) or hasattr(names, "code"):
        return (_code_of(names, what),)
    if isinstance(names, bytes) or not isinstance(names, Iterable):
        raise OptionError(f"{what}: names of variables are needed; found {shown(names)}.")
    return tuple(_code_of(name, what) for name in names)


def check_drivers(codes: tuple[str, ...], outcome: str | None) -> tuple[str, ...]:
    """Refuse fewer than two drivers, and a variable that is named twice."""
    if len(codes) < 2:
        raise OptionError(f"At least two drivers are compared; found {', '.join(map(repr, codes)) or 'none'}.")
    everything = (*codes, *(() if outcome is None else (outcome,)))
    twice = [code for code in everything if everything.count(code) > 1]
    if twice:
        raise OptionError(f"{twice[0]!r} is named twice; outcome and drivers must all differ.")
    return codes


def scores_of(asked: Questionnaire | None, codes: Sequence[str]) -> ScoredItems:
    """Conversion to 0–100 of the questions that the questionnaire knows; other variables stay as they are."""
    known = [code for code in codes if asked is not None and code in asked.codes]
    if asked is None or not known:
        return ScoredItems(tuple(codes), np.ones(len(codes)), np.zeros(len(codes)))
    items = score_items(asked, known)
    variables: dict[str, Variable] = dict(zip(known, items.variables, strict=True))
    place = [known.index(code) if code in known else -1 for code in codes]
    return ScoredItems(
        tuple(variables.get(code, code) for code in codes),
        np.where(np.array(place) < 0, 1.0, items.slope[place]),
        np.where(np.array(place) < 0, 0.0, items.offset[place]),
    )


def number_in(found: Any) -> float:
    """A number that was given, as a float; NaN for anything else, and for what no float can hold."""
    if isinstance(found, bool | np.bool_) or not isinstance(found, int | float | np.integer | np.floating):
        return math.nan
    try:
        return float(found)
    except OverflowError:
        return math.nan


def _code_of(variable: Any, what: str) -> str:
    code = getattr(variable, "code", variable)
    if not isinstance(code, str):
        raise OptionError(f"{what}: the name of a variable or an item of a questionnaire; found {shown(variable)}.")
    return code
