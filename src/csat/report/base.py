"""Small bases: the one rule that tables, charts and workbooks ask before they show a figure."""

from __future__ import annotations

from enum import StrEnum

#: Fewer respondents than this: the figure is not shown.
LEAST = 30
#: Fewer respondents than this: the figure is shown with a mark.
CAREFUL = 100


class Base(StrEnum):
    """What a number of respondents allows."""

    SUPPRESSED = "suppressed"
    SMALL = "small"
    ENOUGH = "enough"


def judge(n: float) -> Base:
    """Say whether a figure resting on `n` respondents (unweighted) may be shown.

    Parameters
    ----------
    n : respondents behind the figure; NaN (a published figure without a base) counts as enough.

    >>> judge(29), judge(30), judge(100)
    (<Base.SUPPRESSED: 'suppressed'>, <Base.SMALL: 'small'>, <Base.ENOUGH: 'enough'>)
    """
    if n < LEAST:
        return Base.SUPPRESSED
    return Base.SMALL if n < CAREFUL else Base.ENOUGH
