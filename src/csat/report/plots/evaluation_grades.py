"""How grades look: in colour from blue to red, in black and white by lightness and hatching."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

import csat.report.plots.style as style
from csat.bases import Base
from csat.report.format import number
from csat.report.plots.index import group_labels
from csat.report.tables.evaluation import grade_text
from csat.report.tables.evaluation_notes import node
from csat.report.words import Word, words

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from csat.report.names import Names

#: Hatching of the grades below the middle, which in grey look like those above it.
HATCHES = ("", "///", "xx")
#: Letters on colours darker than this are white.
DARK = 0.5
#: Nodes that are described in words at most: the index and what stands first.
SPOKEN = 6


@cache
def look(place: int, size: int) -> tuple[str, str]:
    """Colour and hatching of the grade at `place` of `size`, best first.

    >>> look(0, 5), look(4, 5)
    (('#2166ac', ''), ('#b2182b', 'xx'))
    """
    from matplotlib.colors import LinearSegmentedColormap, to_hex

    way = place / max(1, size - 1)
    colours = LinearSegmentedColormap.from_list("grades", style.GRADES, N=2001)
    below = max(0.0, way - 0.5) * 2
    return to_hex(colours(way)), HATCHES[0 if below == 0 else 1 if below < 0.75 else 2]


def letters_on(colour: str) -> str:
    """Colour of letters that can be read on a colour."""
    from matplotlib.colors import to_rgb

    return style.PAPER if float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114))) < DARK else style.INK


def box(ax: Axes, left: float, bottom: float, width: float, height: float, **look: Any) -> None:
    """Draw a coloured box; much faster than a bar, and the limits of the axes stay."""
    from matplotlib.patches import Rectangle

    ax.add_artist(Rectangle((left, bottom), width, height, **look))


def write_on(ax: Axes, x: float, y: float, text: str, colour: str, *, hatched: bool, **how: Any) -> None:
    """Write on a coloured, perhaps hatched, place."""
    behind = {"bbox": {"facecolor": colour, "edgecolor": "none", "pad": 1.0}} if hatched else {}
    # Within the axes: it needs no room of its own, and need not be measured.
    ax.text(x, y, text, ha="center", va="center", color=letters_on(colour), in_layout=False, **behind, **how)


def row_labels(frame: pd.DataFrame, by: list[str], names: Names, bases: Sequence[Base] = ()) -> list[str]:
    """Names of nodes, or of groups where there are some; both where rows are items of groups.

    An open circle marks rows whose base among `bases` is small.
    """
    labels = [words(names.lang).say(node(code, names)) for code in frame["term"]]
    if by:
        groups = group_labels(frame, by, names)
        one = (frame["depth"] == 0).all()
        labels = groups if one else [" · ".join(parts) for parts in zip(groups, labels, strict=True)]
    marks = [" ○" if base is Base.SMALL else "" for base in bases] or [""] * len(labels)
    return [label + mark for label, mark in zip(labels, marks, strict=True)]


def said(record: dict[Any, Any], level: float, names: Names) -> str:
    """The verdict of a row of `verdicts()` or `operators()` and how sure it is."""
    return f"{grade_text(record['verdict'], names)} {chance(record, level)}".strip()


def chance(record: dict[Any, Any], level: float) -> str:
    """The verdict's probability, if it was drawn; "?" if it is too close to call."""
    p = float(record["probability"])
    return (number(p, "chance") if np.isfinite(p) else "") + "?" * bool(p < level or record["tied"])


def verdicts_said(frame: pd.DataFrame, bases: Sequence[Base], level: float, names: Names) -> list[str]:
    """Verdicts in a sentence each, of the first rows whose base is not hidden."""
    say = words(names.lang).say
    out = []
    for record, base in list(zip(frame.to_dict("records"), bases, strict=True))[:SPOKEN]:
        if not base.hidden and record["verdict"]:
            blanks = {"name": say(node(record["term"], names)), "names": said(record, level, names)}
            out.append(say(Word("alt.points", blanks)))
    return out


def legend_of(ax: Axes, grades: Sequence[str], names: Names) -> None:
    """Give the legend every grade."""
    for place, grade in enumerate(grades):
        style.legend_bar(ax, *look(place, len(grades)), names.grade(grade))
