"""Labels broken into lines, Chinese and Latin ones."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator


def size_of(char: str) -> int:
    """Columns that a character takes: two for a Chinese one."""
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _pieces(text: str) -> Iterator[str]:
    """Words with the space after them, and single Chinese characters: where a line may end."""
    word = ""
    for char in " ".join(text.split()):
        if size_of(char) == 2:
            yield from (word, char) if word else (char,)
            word = ""
        else:
            word += char
            if char in " -/":
                yield word
                word = ""
    if word:
        yield word


#: Chinese punctuation that must not begin a line.
CLOSING = frozenset("，。、；：！？）】》”’")


def wrap(text: str, most: int = 34, lines: int = 3) -> str:
    """Break a label into lines of at most `most` columns (a Chinese character takes two).

    What does not fit into `lines` lines ends in an ellipsis.

    >>> wrap("Ease of top-up and payment", 14).splitlines()
    ['Ease of top-up', 'and payment']
    """
    out = [""]
    for piece in _pieces(text):
        parts = [piece[i : i + most] for i in range(0, len(piece), most)]
        for part in parts:
            if out[-1] and sum(map(size_of, (out[-1] + part).rstrip())) > most and part not in CLOSING:
                out.append("")
            out[-1] += part
    kept = [line.rstrip() for line in out[:lines]]
    if len(out) > lines:
        kept[-1] = kept[-1][: max(1, len(kept[-1]) - 1)] + "…"
    return "\n".join(kept)


def balanced(text: str, most: int, lines: int = 3) -> str:
    """As `wrap`, with lines about equally long.

    >>> balanced("Product and service information", 24).splitlines()
    ['Product and service', 'information']
    """
    best = wrap(text, most, lines)
    count = best.count("\n")
    for narrower in range(most - 1, 0, -1):
        made = wrap(text, narrower, lines)
        if made.count("\n") > count or made.endswith("…"):
            return best
        best = made
    return best
