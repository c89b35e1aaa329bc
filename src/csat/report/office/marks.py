"""Notes of a chart that Office draws: those that explain marks of the picture alone would be wrong there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from string import Formatter

from csat.report.words import LANGUAGES, words

#: Notes about shades, lines and signs that only the picture has.
ONLY_DRAWN = (
    *(
        f"plot.{key}"
        for key in (
            "unclear", "unclear_odds", "noise", "noise_share", "weak", "thin", "margin", "negligible", "pale_not_kept",
            "hatched_left", "ring", "dashed", "double", "common_mean", "ellipses", "open_quadrant", "iso",
            "reliability_limits", "htmt", "chance_range", "within_chance", "kept_filled", "gap_around",
        )
    ),
    *(f"service.plot.{key}" for key in ("cumulative", "hours", "pale", "ratio_beside")),
    *(f"fuzzy.plot.{key}" for key in ("framed", "judges_range")),
)  # fmt: skip
#: Notes about the form that intervals have in the picture; Office draws bars with ends.
FORMS = ("plot.bands", "plot.slope_band", "plot.whiskers", "plot.interval")


def redrawn(notes: Iterable[str], upright: bool = False) -> tuple[str, ...]:
    """Leave out what a chart of Office does not show, and call its intervals what they are there.

    Parameters
    ----------
    upright : whether intervals stand upright, as those of lines do.

    Examples
    --------
    >>> redrawn(["Pale: within noise", "Bands: 95% interval", "n = 40"])
    ('Bars: 95% interval', 'n = 40')
    """
    form = "plot.whiskers" if upright else "plot.interval"
    kept = (_interval(note, form) for note in notes if not any(_form(key).fullmatch(note) for key in ONLY_DRAWN))
    return tuple(dict.fromkeys(kept))


def _interval(note: str, form: str) -> str:
    for key in FORMS:
        found = _form(key).fullmatch(note)
        if found:
            lang = next(lang for lang in LANGUAGES if re.fullmatch(_pattern(key, lang), note))
            before, after = re.split(r"\{[^}]*\}", words(lang).sentences[form])
            return before + found[found.lastindex or 0] + after
    return note


@cache
def _form(key: str) -> re.Pattern[str]:
    """Every text that a sentence of the catalogues can make, in any language."""
    return re.compile("|".join(_pattern(key, lang) for lang in LANGUAGES))


def _pattern(key: str, lang: str) -> str:
    parts = Formatter().parse(words(lang).sentences[key])
    return "".join(re.escape(text) + ("" if name is None else "(.+)") for text, name, _, _ in parts)
