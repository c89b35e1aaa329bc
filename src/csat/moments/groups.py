"""`Groups`: the moments of every (domain, stratum, primary sampling unit), a source that adds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csat.bases import USUAL, Bases
from csat.errors import SampleError
from csat.moments.cells import Cells, ResidualSums
from csat.moments.merging import merge
from csat.moments.rollup import rolled
from csat.moments.stored import load_cells, save_cells
from csat.moments.summaries import Levels


@dataclass(frozen=True, eq=False, repr=False)
class Groups(Cells):
    """Moments of each (domain, stratum, unit): all that csat's methods need, of few bytes; see `Cells`."""

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Refuse: moments do not remember single answers."""
        raise SampleError.needs_rows(
            f"Counting the answers of {', '.join(names) or 'items'}{' by group' if by else ''}"
        )

    def save(self, path: str | Path, *, bases: Bases = USUAL, allow_small: bool = False) -> None:
        """Write the moments as a Parquet file with a checksum; the questionnaire is not in it (see `Summary.save`).

        Parameters
        ----------
        path : of the file; a file of that name is replaced, in one step.
        bases : limits for small bases.
        allow_small : True writes cells that rest on few respondents all the same.

        Raises
        ------
        OptionError
            If the path is none, or nothing can be written there.
        SampleError
            If a group, or a cell of group, stratum and unit, rests on fewer respondents than `bases` allow.
        """
        save_cells(self, path, bases=bases, allow_small=allow_small)

    @classmethod
    def load(cls, path: str | Path) -> Groups:
        """Moments that `save` wrote.

        Raises
        ------
        MissingFileError, OptionError
            If there is no such file.
        StoredError
            If the file is cut off, changed, of a newer csat or of other software, or holds a whole `Summary`.
        """
        return load_cells(path, cls)

    def rolled(self, column: str, parents: Any, into: str | None = None) -> Groups:
        """Join the groups of a column to those above them; see `Summary.rolled`."""
        return rolled(self, column, parents, into)

    def __add__(self, other: Groups) -> Groups:
        if self.replicate_sums is not None and not self.replicates_given:
            raise SampleError(
                "Replicate weights made for single respondents belong to one survey: their summaries do not add up. "
                "Declare sampling units (psu), or put the rows together first."
            )
        return merge([self, other])


#: What the residuals of calibrated weights need.
Residuals = ResidualSums[Groups]
