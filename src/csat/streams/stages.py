"""Columns that csat adds to a batch, and the second stage of sampling."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.moments import Groups
from csat.read import ROW
from csat.replicates import unit_of_row

#: How columns begin that csat itself adds to a survey.
HELPER = "(csat) "

#: Helper column that names the PSU within its stratum, and what stands between the two labels.
UNIT, BETWEEN = f"{HELPER}unit", " / "

#: Random groups of respondents that stand for units.
RANDOM_GROUPS = 500


@dataclass(frozen=True, slots=True)
class Joined:
    """The unit within its stratum, as one label."""

    needs: tuple[str, ...]

    def __call__(self, rows: pa.RecordBatch, source: str) -> pa.Array:
        """(n,) labels."""
        del source
        columns = [rows.column(name).cast(pa.string()) for name in self.needs]
        return pc.binary_join_element_wise(*columns, BETWEEN) if len(columns) > 1 else columns[0]


@dataclass(frozen=True, slots=True)
class Grouped:
    """Random groups of respondents, by a hash of the identifier, or of file and row."""

    needs: tuple[str, ...]
    seed: int

    def __call__(self, rows: pa.RecordBatch, source: str) -> pa.Array:
        """(n,) labels; an empty identifier gives way to file and row."""
        place = pc.binary_join_element_wise(source, rows.column(ROW).cast(pa.string()), "\x1f")
        names = place if self.needs == (ROW,) else pc.coalesce(rows.column(self.needs[0]).cast(pa.string()), place)
        return pa.array(unit_of_row(names, RANDOM_GROUPS, self.seed)).cast(pa.string())


Helper = Joined | Grouped


def second_stage(design: Design) -> Design:
    """The design within the PSUs: they are the strata, what was drawn in them the units."""
    return Design(weight=design.weight, stratum=UNIT, psu=design.ssu, fpc=design.fpc2, lone_psu=design.lone_psu)


def sampled_share(first: Groups, within: Groups) -> np.ndarray:
    """(H,) sampling fraction of the first stage for each PSU: what the second stage adds shrinks by it."""
    fraction = dict(zip(first.strata, first.units / first.population, strict=True))
    stratum = {f"{stratum}{BETWEEN}{unit}" if stratum else unit: stratum for stratum, unit in first.psus}
    return np.array([fraction[stratum[label]] for label in within.strata])
