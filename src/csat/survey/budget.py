"""What the sums of a survey in memory will take, known before the pass."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.moments import RowScores
from csat.moments.guards import MOST_BYTES, Budget, budget


def check_sums(
    table: pa.Table, design: Design, variables: int, by: Sequence[str], rule: str, scores: RowScores | None,
    totals: bool = False,
) -> None:  # fmt: skip
    """Refuse sums that would not fit, and columns that tell respondents apart instead of groups.

    Cells are counted only if there might be too many: never more than rows.

    Raises
    ------
    SampleError
        See `csat.moments.guards.budget`.
    """
    groups = {name: pc.count_distinct(table.column(name)).as_py() for name in by}
    domains = min(math.prod(groups.values()), table.num_rows)
    of_rows = design.replication is not None and (design.replicates or design.psu is None)
    drawn = design.replication.size if of_rows and design.replication is not None else 0

    def asked(cells: int, units: int, allowed: int) -> Budget:
        return budget(
            variables, cells, rule=rule, groups=groups, domains=domains, units=units, rows=table.num_rows,
            scores=0 if scores is None else scores.size, replicates=len(design.replicates) or drawn, totals=totals,
            allowed=allowed,
        )  # fmt: skip

    if asked(table.num_rows, 0, 2**63).bytes <= MOST_BYTES:
        return
    columns = [name for name in (*by, design.stratum, design.psu) if name is not None]
    cells = table.group_by(columns).aggregate([]).num_rows if columns else 1
    asked(cells, 0 if design.psu is None else pc.count_distinct(table.column(design.psu)).as_py(), MOST_BYTES)
