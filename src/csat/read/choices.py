"""What the groups of a column may be called: by code, or by label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from csat.errors import OptionError
from csat.questionnaire import Questionnaire
from csat.questionnaire.scales import folded, number_in
from csat.read.sources import spelled

#: Groups that an error lists.
_LISTED = 24


def chosen(asked: Questionnaire | None, column: str, value: Any, found: Iterable[str]) -> str:
    """Code of a group given by its code or label.

    Parameters
    ----------
    asked : knows the labels of categories and of answers.
    column : grouped by.
    value : as the caller wrote it.
    found : codes that occur in the data.

    Raises
    ------
    OptionError
        Listing codes and answer labels, in the order of the questionnaire.
    """
    labels = _labels(asked, column)
    text = str(spelled(value)).strip()
    code = labels.get(folded(text), (text, ""))[0]
    ordered = [known for known, _ in labels.values()]
    if asked is not None and column in asked.codes:
        known = sorted({*ordered, *found}, key=by_number)
    else:
        known = list(dict.fromkeys((*ordered, *sorted(found, key=by_number))))
    if code not in known:
        answers = [label for _, label in labels.values()] if asked is not None and column in asked.codes else []
        raise OptionError.choose(column, value, [*known, *answers][:_LISTED])
    return code


def _labels(asked: Questionnaire | None, column: str) -> dict[str, tuple[str, str]]:
    """Folded word → (code, label); of a scaled question the labels of its levels."""
    if asked is None:
        return {}
    described = asked.column(column)
    if described is not None:
        return {word: (code, code) for word, code in described.vocabulary().items()}
    if column not in asked.codes:
        return {}
    scale = asked.scale_of(column)
    spoken = ((str(spelled(float(level))), text) for level in sorted(scale.labels) if level not in scale.missing
              for text in scale.labels[level].values())  # fmt: skip
    return {folded(text): (code, text) for code, text in spoken}


def by_number(text: str) -> tuple[float, str]:
    """Sort key that puts 2 before 10, and words after numbers."""
    number = number_in(text)
    return (np.inf if number is None else number, text)
