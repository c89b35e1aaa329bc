"""Expectation gaps: perceived minus expected, item by item, by the same respondents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from csat.comparisons.result import Gaps
from csat.errors import OptionError, QuestionnaireError
from csat.moments import Source, as_names, group_names
from csat.questionnaire import Questionnaire
from csat.scoring import questionnaire_of, score_items
from csat.variance import by_domain, combine, means


def expectation_gaps(
    source: Source,
    pairs: Mapping[str, str],
    by: str | Sequence[str] | None = None,
    *,
    adjust: str = "holm",
    margin: float = 2.0,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Gaps:
    """Compare what customers perceived with what they expected, on 0–100.

    Parameters
    ----------
    source : a survey.
    pairs : perceived item → expected item. One expected item may serve several perceived ones.
    by : grouping columns.
    adjust, margin, level, questionnaire : as in `csat.gaps`.

    Returns
    -------
    Gaps
        A row per group and perceived item. Both answers come from the same respondents: their covariance is in the
        standard error (where everyone answers both, this is the paired t test). The base is the smaller of the two.
    """
    asked = questionnaire_of(source, questionnaire)
    if asked is None:
        raise QuestionnaireError("Expectation gaps need a questionnaire: it holds the scales of both items.")
    if not isinstance(pairs, Mapping) or not pairs:
        raise OptionError(
            "pairs is empty or no table: give perceived item → expected item, e.g. {'overall': 'expectation'}."
        )
    codes = list(dict.fromkeys(as_names([*pairs.keys(), *pairs.values()], "pairs")))
    items = score_items(asked, codes)
    groups = source.groups(items.variables, group_names(by), "available")
    found = means(groups)
    place = {code: i for i, code in enumerate(codes)}
    first, second = np.zeros((len(pairs), len(codes))), np.zeros((len(pairs), len(codes)))
    for row, (perceived, expected) in enumerate(pairs.items()):
        first[row, place[perceived]], second[row, place[expected]] = 1.0, 1.0
    sides = [combine(found, side * items.slope, side @ items.offset) for side in (first, second)]
    gap = combine(found, (first - second) * items.slope, (first - second) @ items.offset)
    keys = {"expected": tuple(pairs.values()) * len(groups.domains)}
    estimates = by_domain(gap, groups, tuple(pairs), "points", level, keys, null=0.0)
    return Gaps(estimates, sides[0].estimate, sides[1].estimate, sides[1].n, "expectation", adjust, margin)
