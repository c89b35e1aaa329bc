"""The words that reports are written with: per language ``locale/<lang>.toml`` and all of ``locale/<lang>/*.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

from csat.errors import OptionError, ReportError

#: Languages that pages come in.
LANGUAGES = ("en", "zh")


@dataclass(frozen=True, slots=True)
class Word:
    """A sentence of the catalogue with its blanks filled in, not yet in any language.

    key : of the catalogue ("column.estimate").
    blanks : what goes between the braces; numbers stay numbers, the catalogue owns their decimals.
    """

    key: str
    blanks: Mapping[str, Any] = field(default_factory=dict)

    def __hash__(self) -> int:
        return hash((self.key, tuple(self.blanks)))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        blanks = {name: value.to_dict() if isinstance(value, Word) else value for name, value in self.blanks.items()}
        return {"word": self.key, "blanks": blanks}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Word:
        """Undo `to_dict`."""
        blanks = {
            name: cls.from_dict(value) if isinstance(value, dict) else value for name, value in plain["blanks"].items()
        }
        return cls(plain["word"], blanks)


@dataclass(frozen=True, slots=True)
class Words:
    """One language's catalogue: flat keys ("column.low") to sentences with {blanks}."""

    lang: str
    sentences: Mapping[str, str]

    def __iter__(self) -> Iterator[str]:
        return iter(self.sentences)

    def __contains__(self, key: object) -> bool:
        return key in self.sentences

    def say(self, word: Word | str) -> str:
        """Put a `Word` into this language; a plain string is data and comes back as it is."""
        if isinstance(word, str):
            return word
        filled = {name: self.say(value) if isinstance(value, Word) else value for name, value in word.blanks.items()}
        return self.sentences[word.key].format_map(filled)

    def blanks(self, key: str) -> frozenset[str]:
        """Name the {blanks} of a sentence."""
        return frozenset(name for _, name, _, _ in Formatter().parse(self.sentences[key]) if name)


@cache
def words(lang: str) -> Words:
    """Read the catalogue of a language.

    Raises
    ------
    OptionError
        If no catalogue exists for `lang`.
    """
    if lang not in LANGUAGES:
        raise OptionError.choose("lang", lang, LANGUAGES)
    place = files("csat.report") / "locale"
    parts = sorted((place / lang).iterdir(), key=lambda part: part.name)
    found = [place / f"{lang}.toml", *(part for part in parts if part.name.endswith(".toml"))]
    return Words(lang, merged({part.name: part.read_text(encoding="utf-8") for part in found}))


def merged(catalogues: Mapping[str, str]) -> dict[str, str]:
    """Read catalogues, name → TOML, as one.

    Raises
    ------
    ReportError
        If two of them have the same key.
    """
    sentences: dict[str, str] = {}
    home: dict[str, str] = {}
    for name, text in catalogues.items():
        for key, sentence in _flat(tomllib.loads(text)):
            if key in home:
                raise ReportError(f"Two catalogues have the word {key!r}: {home[key]} and {name}. Keep it in one.")
            home[key], sentences[key] = name, sentence
    return sentences


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
