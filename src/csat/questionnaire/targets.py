"""The table [weighting] of a study file: population targets, and how weights are to meet them."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from csat.errors import QuestionnaireError, closest
from csat.questionnaire.cells import Table, check_keys, number_at, shown, table_at, text_at
from csat.questionnaire.parts import Column
from csat.questionnaire.scales import folded, plain_number

#: Ways to meet the targets; the first is the default.
METHODS = ("rake", "poststratify", "linear", "exponential", "logit", "bounded")

#: Methods that need bounds, that know categories only, and that weights can be trimmed after.
_BOUNDED = ("logit", "bounded")
_CATEGORIES = ("rake", "poststratify")
_TRIMMED = ("rake", "poststratify", "exponential")

#: Shares may miss 1 by this much, totals each other by this part.
SHARE_SLACK = 1e-6
SUM_SLACK = 1e-9

_TARGETS = "weighting.targets"


def weighting_of(table: Table, columns: Sequence[Column], others: Collection[str]) -> dict[str, Any]:
    """Check and complete the settings of weighting.

    Parameters
    ----------
    table : keys method, bounds, trim, total and targets; empty if the study sets none.
    columns : of the study: categories may be named by their labels.
    others : further columns that may carry a margin.

    Returns
    -------
    dict
        ``{"method", "targets": {column: {category code: number}}}`` and, if given, bounds, trim, total. A crossed
        margin has the key ``"sex:age"`` and categories ``"f:18-34"``; a total of a number is a number.

    Raises
    ------
    QuestionnaireError
        Naming the margin and the key.
    """
    if not table:
        return {}
    check_keys("weighting", table, ("method", "bounds", "trim", "total", "targets"))
    made: dict[str, Any] = {"method": _method(table)}
    made |= {key: _pair(table, key) for key in ("bounds", "trim") if key in table}
    if "total" in table:
        made["total"] = _above_zero("weighting", "total", number_at("weighting", table, "total"))
    by_code = {column.code: column for column in columns}
    targets = table_at(table, "targets", _TARGETS)
    if not targets:
        raise QuestionnaireError.at(_TARGETS, None, "is missing; write a table [weighting.targets.COLUMN] per margin.")
    made["targets"] = {margin: _margin(margin, given, by_code, others) for margin, given in targets.items()}
    _check_method(made)
    if "total" not in made:
        _check_sums(made["targets"])
    return made


def _check_method(made: Mapping[str, Any]) -> None:
    """Refuse settings that the method has no use for."""
    method, targets = made["method"], made["targets"]
    if (method in _BOUNDED) is not ("bounds" in made):
        needs = "needs" if method in _BOUNDED else "takes no"
        raise QuestionnaireError.at(
            "weighting", "bounds", f"{method!r} {needs} bounds = [low, high]; they belong to {' and '.join(_BOUNDED)}."
        )
    if "trim" in made and method not in _TRIMMED:
        raise QuestionnaireError.at("weighting", "trim", f"goes with {', '.join(_TRIMMED)} only, not with {method!r}.")
    numbers = [margin for margin, given in targets.items() if not isinstance(given, Mapping)]
    if numbers and method in _CATEGORIES:
        raise QuestionnaireError.at(
            _TARGETS, numbers[0], f"{method!r} knows categories only; for the total of a number choose another method."
        )
    if method == "poststratify" and len(targets) > 1:
        raise QuestionnaireError.at(
            _TARGETS, None, f"'poststratify' takes one margin, not {len(targets)}; cross them or choose 'rake'."
        )


def _method(table: Table) -> str:
    method = text_at("weighting", table, "method") if "method" in table else METHODS[0]
    if method not in METHODS:
        raise QuestionnaireError.at(
            "weighting", "method", f"{method!r} is not known; choose one of {', '.join(METHODS)}."
        )
    return method


def _pair(table: Table, key: str) -> list[float]:
    given = table[key]
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) != 2:
        raise QuestionnaireError.at("weighting", key, f"{shown(given)} is no pair such as [0.3, 3].")
    low, high = (number_at("weighting", {key: end}, key) for end in given)
    if not 0 <= low < 1 < high:
        raise QuestionnaireError.at("weighting", key, f"[{low:g}, {high:g}]: 0 ≤ low < 1 < high is needed.")
    return [low, high]


def _above_zero(where: str, key: str, number: float) -> float:
    if number <= 0:
        raise QuestionnaireError.at(where, key, f"{number:g} must be above 0.")
    return number


def _margin(margin: str, given: Any, by_code: Mapping[str, Column], others: Collection[str]) -> Any:
    where = f"{_TARGETS}.{margin}"
    names = _columns_of(margin, by_code, others)
    if not isinstance(given, Mapping):
        if len(names) > 1 or by_code.get(margin, Column(margin, "number")).kind == "category":
            raise QuestionnaireError.at(where, None, f"{shown(given)} is no table of categories and their targets.")
        return number_at(_TARGETS, {margin: given}, margin)
    figures: dict[str, float] = {}
    for category, figure in given.items():
        code = _category(where, str(category), names, by_code)
        if code in figures:
            raise QuestionnaireError.at(where, str(category), f"is there twice: category {code!r} has a target.")
        figures[code] = number_at(where, {category: figure}, category)
        if figures[code] < 0:
            raise QuestionnaireError.at(where, str(category), f"the target {figures[code]:g} must be 0 or more.")
    if not math.fsum(figures.values()) > 0:
        raise QuestionnaireError.at(where, None, "has no target above 0; list its categories and their targets.")
    return figures


def _columns_of(margin: str, by_code: Mapping[str, Column], others: Collection[str]) -> tuple[str, ...]:
    """Columns that a margin crosses: ``"sex:age"`` is two, unless a column is called so."""
    known = (*by_code, *others)
    names = (margin,) if margin in known else tuple(part.strip() for part in margin.split(":"))
    for name in names:
        if by_code and name not in known:
            raise QuestionnaireError.at(
                f"{_TARGETS}.{margin}", None, f"no column {name!r}. Did you mean {closest(name, known)}?"
            )
    return names


def _category(where: str, category: str, names: Sequence[str], by_code: Mapping[str, Column]) -> str:
    """Codes of a category, joined by a colon, from its codes or labels."""
    parts = [category] if len(names) == 1 else category.split(":")
    if len(parts) != len(names):
        raise QuestionnaireError.at(
            where, category, f"names {len(parts)} categories for {len(names)} columns; write them as {':'.join(names)}."
        )
    return ":".join(_code(where, part.strip(), by_code.get(name)) for part, name in zip(parts, names, strict=True))


def _code(where: str, word: str, column: Column | None) -> str:
    if column is None or not column.labels:
        return plain_number(word)
    meaning = column.vocabulary()
    if folded(word) not in meaning:
        raise QuestionnaireError.at(
            where, word, f"is no category of {column.code!r}. Did you mean {closest(word, column.labels)}?"
        )
    return meaning[folded(word)]


def _check_sums(targets: Mapping[str, Any]) -> None:
    """Refuse margins that are neither shares nor totals of one population."""
    sums = {margin: math.fsum(given.values()) for margin, given in targets.items() if isinstance(given, Mapping)}
    totals = {margin: found for margin, found in sums.items() if abs(found - 1) > SHARE_SLACK}
    for margin, found in totals.items():
        first = next(iter(totals.values()))
        if 0.9 < found < 1.1:
            problem = f"the shares sum to {found:.8g}, not 1."
        elif abs(found - first) > SUM_SLACK * first:
            problem = f"sums to {found:.10g}, but {next(iter(totals))!r} to {first:.10g}."
        else:
            continue
        raise QuestionnaireError.at(
            f"{_TARGETS}.{margin}",
            None,
            f"{problem} Correct it, or set total = … in [weighting] to scale every margin.",
        )
