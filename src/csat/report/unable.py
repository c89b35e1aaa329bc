"""Why a part of a report could not be computed, in the words of a language: errors are worded for analysts."""

from __future__ import annotations

import re
from collections.abc import Mapping

from csat.report.words import Word

#: Key of the catalogues ("unable.no_freedom") → how csat words the error; named parts fill the blanks.
PATTERNS: Mapping[str, re.Pattern[str]] = {
    key: re.compile(pattern)
    for key, pattern in {
        "no_freedom": r"(?P<count>\d+) drivers but only (?P<units>\S+) degrees of freedom",
        "too_few": r".* needs at least (?P<needed>\d+) complete answers; (?P<n>\d+) found",
        "constant": r"No variation in (?P<names>.+): everyone gave the same answer",
        "needs_rows": r".* needs the respondents' rows, and this source keeps none",
        "nobody": r"(?i:.*nobody answered)|The outcome .+ has no answers",
    }.items()
}
#: Class of the error → key for all of that class that no pattern fits.
CLASSES: Mapping[str, str] = {
    "CollinearityError": "collinear",
    "ModelIdentificationError": "not_identified",
    "ConvergenceError": "no_convergence",
}


def unable(name: str, message: str) -> tuple[Word, str]:
    """Word an error for the readers of a report.

    Parameters
    ----------
    name : class of the error. message : what it said.

    Returns
    -------
    The sentence, and the message itself where the sentence does not say why; empty otherwise.
    """
    for key, pattern in PATTERNS.items():
        found = pattern.match(message)
        if found:
            blanks = {blank: said.replace("'", "") for blank, said in found.groupdict().items()}
            return Word(f"unable.{key}", blanks), ""
    if name in CLASSES:
        return Word(f"unable.{CLASSES[name]}"), ""
    return Word("unable.other"), message
