"""Read the cells of nested tables: each function takes the table's name, so that an error names table and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from typing import Any

from csat.errors import QuestionnaireError
from csat.questionnaire.scales import LANGUAGES, Texts, number_in

#: A table of a study file: key → value.
Table = Mapping[str, Any]

#: Longest value that an error quotes.
_QUOTED = 60

#: Numbers beyond this are mistakes.
_LARGEST = 1e300


def shown(value: object) -> str:
    """Write a value as an error quotes it: cut where it is long."""
    text = repr(value)
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]}…"


def check_keys(where: str, table: Table, known: Sequence[str]) -> None:
    """Refuse keys that a table does not have."""
    for key in table:
        if key not in known:
            raise QuestionnaireError.unknown_key(where, key, known)


def table_at(parent: Table, key: str, where: str = "") -> Table:
    """Table `key` of `parent`, empty if it is not there."""
    table = parent.get(key, {})
    if not isinstance(table, Mapping):
        raise QuestionnaireError.at(where or key, None, f"must be a table of keys and values, not {shown(table)}.")
    return table


def tables_at(tables: Table, room: str) -> list[tuple[str, Table]]:
    """List the tables in a table, each with its code."""
    parent = table_at(tables, room)
    return [(code, table_at(parent, code, f"{room}.{code}")) for code in parent]


def number_at(where: str, table: Table, key: str) -> float:
    """Read a finite number."""
    value = table.get(key, MISSING)
    if value is MISSING:
        raise QuestionnaireError.at(where, key, "is missing; write a number.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise QuestionnaireError.at(where, key, f"{shown(value)} is not a number.")
    if not abs(value) <= _LARGEST:
        raise QuestionnaireError.at(where, key, f"is no finite number below {_LARGEST:g}.")
    return float(value)


def word_of(where: str, key: str, value: Any) -> str:
    """Take a value that must be a text."""
    if not isinstance(value, str) or not value.strip():
        raise QuestionnaireError.at(where, key, f"{shown(value)} is not a text.")
    return value


def text_at(where: str, table: Table, key: str) -> str:
    """Read a text that must be there."""
    if key not in table:
        raise QuestionnaireError.at(where, key, "is missing; write a text.")
    return word_of(where, key, table[key])


def optional_text(where: str, table: Table, key: str) -> str | None:
    """Read a text; None if it is not there."""
    return text_at(where, table, key) if key in table else None


def words_at(where: str, table: Table, key: str) -> tuple[str, ...]:
    """Read a list of texts; one text alone counts as a list of one."""
    value = table.get(key)
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, Sequence):
        raise QuestionnaireError.at(where, key, 'must be a list of texts, such as ["a", "b"].')
    return tuple(word_of(where, key, word) for word in value)


def texts_at(where: str, table: Any) -> Texts:
    """Read a table of texts per language and nothing else."""
    if not isinstance(table, Mapping):
        raise QuestionnaireError.at(
            where, None, f"must hold a text per language ({', '.join(LANGUAGES)}), not {shown(table)}."
        )
    check_keys(where, table, LANGUAGES)
    return spoken_in(where, table)


def spoken_in(where: str, table: Table) -> Texts:
    """Read the texts that stand among other keys."""
    return {lang: text_at(where, table, lang) for lang in LANGUAGES if lang in table}


def coded_at(where: str, table: Table, key: str) -> dict[float, Any]:
    """Map number → value, from a table whose keys spell numbers."""
    coded: dict[float, Any] = {}
    for text, value in table_at(table, key, f"{where}.{key}").items():
        code = number_in(text)
        if code is None:
            raise QuestionnaireError.at(f"{where}.{key}", text, "is not a number; keys here are answer codes.")
        if isinstance(value, Mapping) and any(number_in(inner) is not None for inner in value):
            raise QuestionnaireError.at(f"{where}.{key}", text, 'put decimal codes in quotes: "0.5" = ….')
        if code in coded:
            raise QuestionnaireError.at(f"{where}.{key}", text, f"code {code:g} is there twice.")
        coded[code] = value
    return coded
