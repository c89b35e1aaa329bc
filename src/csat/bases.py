"""Small bases: the one rule that every table, chart, card, workbook and shell verb asks before it shows a figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from csat.errors import OptionError


class Base(StrEnum):
    """What a number of respondents allows."""

    SUPPRESSED = "suppressed"
    WITHHELD = "withheld"
    SMALL = "small"
    ENOUGH = "enough"

    @property
    def hidden(self) -> bool:
        """Whether the figure must not be shown."""
        return self in (Base.SUPPRESSED, Base.WITHHELD)


@dataclass(frozen=True, slots=True)
class Bases:
    """Limits of the rule.

    suppress : a figure that rests on fewer respondents is not shown.
    flag : a figure that rests on fewer respondents is shown with a mark.

    Raises
    ------
    OptionError
        If the limits are no whole numbers, or `flag` lies below `suppress`.
    """

    suppress: int = 30
    flag: int = 100

    def __post_init__(self) -> None:
        for name in ("suppress", "flag"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise OptionError(f"bases: {name}={value!r} must be a whole number of respondents, 0 or more.")
        if self.flag < self.suppress:
            raise OptionError(
                f"bases: flag={self.flag} lies below suppress={self.suppress}: a figure is flagged where it is still "
                "shown. Write flag ≥ suppress."
            )

    def judge(self, n: float) -> Base:
        """Say whether a figure resting on `n` respondents (unweighted) may be shown.

        Parameters
        ----------
        n : respondents behind the figure; NaN (a published figure without a base) counts as enough.

        >>> limits = Bases()
        >>> [limits.judge(n).value for n in (29, 30, 100)]
        ['suppressed', 'small', 'enough']
        """
        if n < self.suppress:
            return Base.SUPPRESSED
        return Base.SMALL if n < self.flag else Base.ENOUGH

    def judge_groups(self, sizes: Sequence[float]) -> tuple[Base, ...]:
        """Judge groups that add up to a total which is shown elsewhere.

        If exactly one group were hidden, the others and the total would give it away: the next smallest is withheld
        with it, or all of that size, so that the order of the groups does not matter. Source: Willenborg & de Waal
        (2001), Elements of Statistical Disclosure Control, 1.4.

        >>> [base.value for base in Bases().judge_groups([250, 12, 58])]
        ['enough', 'suppressed', 'withheld']
        """
        found = [self.judge(size) for size in sizes]
        # A group of nobody holds no figure that could be worked out.
        hidden = [i for i, base in enumerate(found) if base is Base.SUPPRESSED and sizes[i] > 0]
        shown = [i for i, base in enumerate(found) if base is not Base.SUPPRESSED]
        if len(hidden) == 1 and shown:
            least = min(sizes[i] for i in shown)
            for i in shown:
                found[i] = Base.WITHHELD if sizes[i] == least else found[i]
        return tuple(found)


#: The rule of a study that sets no limits of its own.
USUAL = Bases()
