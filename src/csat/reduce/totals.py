"""Totals of cells and products of groups in one pass: all that means and their errors need.

Of 24 items in 100,000 cells (group × unit) totals take 40 MB, products 2 GB.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.errors import OptionError, check_choice
from csat.moments import RULES, Groups, Variable, check_grouped
from csat.moments.merging import Total
from csat.reduce.rows import matrix_of, rows_of
from csat.reduce.stream import Tick, joined, over_batches
from csat.reduce.sums import Summed, totals_and_products


def totals(
    batches: Iterable[pa.RecordBatch],
    variables: Sequence[Variable],
    midpoint: np.ndarray,
    *,
    by: Sequence[str] = (),
    rule: str = "available",
    design: Design,
    inside: str | None = None,
    tick: Tick | None = None,
    threads: int | None = None,
    partial: bool = False,
) -> tuple[Groups, Groups]:
    """Sum a stream of batches into totals per (domain, stratum, unit), and into moments per domain.

    The arguments are those of `csat.reduce.groups`. The design has units, and no replicate weights of single rows.

    Returns
    -------
    Groups with a `gram` of one row (C, 1, p); Groups without a design, of the same domains
    """
    check_choice("rule", rule, RULES)
    if not variables:
        raise OptionError("No variable is named; name at least one.")

    def kernel(batch: pa.RecordBatch) -> tuple[Groups, Summed]:
        rows = rows_of(batch, by, design, inside)
        cells, whole = totals_and_products(rows, matrix_of(batch, variables), variables, midpoint, by, rule)
        return replace(cells, lone_psu=design.lone_psu, replication=design.replication), whole

    total = _Both()
    over_batches(joined(batches), kernel, total, tick=tick, rows=lambda batch: batch.num_rows, threads=threads)
    cells, whole = total.cells.result(), total.whole.result()
    if not partial:
        check_grouped(by, cells.domains, cells.ungrouped)
    return cells, whole


class _Both:
    """Adds the totals of batches, and the products of whole domains."""

    def __init__(self) -> None:
        self.cells: Total[Groups] = Total()
        self.whole: Total[Groups] = Total()

    def add(self, part: tuple[Groups, Summed]) -> None:
        cells, whole = part
        self.cells.add(cells)
        self.whole.add(whole.groups, None if whole.given is None else whole.fill)
