"""From model text to words: names, numbers, texts in quotation marks and signs, each with its place.

A name that is no word of letters, digits, dots and underscores stands between backticks: `` `Q1-2` ``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from csat.errors import ModelError

RELATIONS = ("=~", "<~", "~~", "~")
#: A line that ends in one of these goes on in the next; so does a line that begins with one.
_JOINS = frozenset({*RELATIONS, ":=", "==", "+", "-", "*", "/", "^", "(", ","})
_PLAIN = r"[^\W\d][\w.]*(?::[^\W\d][\w.]*)*"
_TOKEN = re.compile(
    r"(?P<space>(?:[^\S\n]|\ufeff)+|[#!][^\n]*)"
    r"|(?P<end>[\n;])"
    r"|(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<name>{_PLAIN}|`[^`\n]+`)"
    r"|(?P<string>\"[^\"\n]+\"|'[^'\n]+')"
    r"|(?P<mark>=~|<~|~~|:=|==|[~+\-*/^(),<>])"
)
#: What a name may be part of, where somebody forgot the backticks.
_RUN = re.compile(r"[^\s~=+*:;,`\"'<>]+")
_CALL = re.compile(r"(?:start|c|label|equal|exp|log|sqrt|abs)\(")
_CURLY = {"\N{LEFT DOUBLE QUOTATION MARK}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
          "\N{LEFT SINGLE QUOTATION MARK}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the model text; `kind` is "number", "name", "string", "mark" or "end"."""

    kind: str
    text: str
    position: int

    @property
    def name(self) -> str:
        """The text without the marks around it."""
        return self.text[1:-1] if self.text[0] in "`\"'" else self.text


def is_plain(name: str) -> bool:
    """Whether a name needs no backticks."""
    return re.fullmatch(_PLAIN, name) is not None and name != "NA"


def quoted(name: str) -> str:
    """A name as it stands in a model.

    Raises
    ------
    ModelError
        If nothing can be put around it: it has a backtick or a line break, or is empty.

    Examples
    --------
    >>> quoted("Q1"), quoted("Q1-2")
    ('Q1', '`Q1-2`')
    """
    if is_plain(name):
        return name
    if not name.strip() or "`" in name or "\n" in name:
        raise ModelError(f"{name!r} cannot stand in a model, not even between backticks. Rename it in the data.")
    return f"`{name}`"


def tokens_of(syntax: str) -> list[Token]:
    """Cut the text into tokens; a line break that only continues a statement is left out."""
    found: list[Token] = []
    position = 0
    while position < len(syntax):
        match = _TOKEN.match(syntax, position)
        if match is None:
            advice = advice_on_name(syntax, position, found[-1:])
            raise ModelError.at(syntax, position, _no_meaning(syntax[position]) + advice)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    found.append(Token("end", "\n", len(syntax.rstrip())))
    return [token for i, token in enumerate(found) if not _continues(found, i)]


def _no_meaning(mark: str) -> str:
    if mark in "`\"'":
        return f"{mark!r} opens what does not close on this line."
    narrow = _CURLY.get(mark, unicodedata.normalize("NFKC", mark))
    signs = "~=:+-*/^(),<>;#\"'`"
    advice = f" Write the half-width {narrow!r}." if narrow != mark and narrow in signs else ""
    return f"{mark!r} has no meaning in a model.{advice}"


def advice_on_name(syntax: str, position: int, around: Sequence[Token]) -> str:
    """How to write the name that the text seems to have there, "" if it seems to have none.

    Parameters
    ----------
    position : where reading stopped. around : the words before it and there, as far as they might be one name.
    """
    for found in _RUN.finditer(syntax):
        if found.start() <= position <= found.end() and _is_odd(found.group()):
            return _between_backticks(found.group())
    if len(around) == 2 and all(token.kind in ("name", "number") for token in around):
        name = syntax[around[0].position : around[1].position + len(around[1].text)]
        if "\n" not in name and "`" not in name and any(char.isalpha() for char in name):
            return _between_backticks(name)
    return ""


def _is_odd(run: str) -> bool:
    """Whether letters, digits and other characters together look like the name of a column."""
    if is_plain(run) or _CALL.match(run) or not any(char.isalpha() for char in run):
        return False
    number = re.fullmatch(r"[-+(]*(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d*)?\)*", run)
    return number is None and not re.fullmatch(rf"[-(/^]*(?:{_PLAIN})?[-)/^]*", run)


def _between_backticks(name: str) -> str:
    return f" If {name!r} is one name, write it between backticks: `{name}`."


def _continues(tokens: list[Token], i: int) -> bool:
    """Whether token `i` is a line break inside a statement."""
    if tokens[i].text != "\n" or i == len(tokens) - 1:
        return False
    later = next((token.text for token in tokens[i + 1 :] if token.text != "\n"), "")
    earlier = next((token.text for token in tokens[i - 1 :: -1] if token.text != "\n"), "") if i else ""
    return later in _JOINS - {"("} or earlier in _JOINS
