"""`Groups`: the moments of every (domain, stratum, primary sampling unit), a source that adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from csat.errors import SampleError
from csat.moments.cells import Cells, ResidualSums
from csat.moments.merging import merge
from csat.moments.summaries import Levels


@dataclass(frozen=True, eq=False, repr=False)
class Groups(Cells):
    """Moments of each (domain, stratum, unit): all that csat's methods need, of few bytes; see `Cells`."""

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Refuse: moments do not remember single answers."""
        raise SampleError.needs_rows(
            f"Counting the answers of {', '.join(names) or 'items'}{' by group' if by else ''}"
        )

    def __add__(self, other: Groups) -> Groups:
        if self.replicate_sums is not None and not self.replicates_given:
            raise SampleError(
                "Replicate weights made for single respondents belong to one survey: their summaries do not add up. "
                "Declare sampling units (psu), or put the rows together first."
            )
        return merge([self, other])


#: What the residuals of calibrated weights need.
Residuals = ResidualSums[Groups]
