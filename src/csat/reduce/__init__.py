"""The only arithmetic on respondents: a stream of Arrow record batches becomes `Groups` or `Levels`.

One numpy kernel for every engine. Batches are summed on their own and added in order, so that the same
batches give the same bits however many threads work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from csat.design import Design
from csat.errors import DesignError, OptionError, SampleError, check_choice
from csat.moments import RULES, Groups, Levels, RowScores, Variable, check_grouped
from csat.moments.merging import Total
from csat.moments.summaries import LevelTotal
from csat.reduce.by_pattern import patterns
from csat.reduce.counts import counted
from csat.reduce.rows import OUTSIDE, labels, matrix_of, population_of, rows_of, with_outside
from csat.reduce.stream import Tick, joined, over_batches
from csat.reduce.sums import Summed, sums_of
from csat.reduce.totals import totals
from csat.replicates import sampled_units, unit_factors

__all__ = ["OUTSIDE", "groups", "level_counts", "levels", "patterns", "totals"]

#: Factors of replicate weights that are held for single respondents: one gigabyte.
MOST_FACTORS = 2**27
#: A batch, and the (n, R) factors of its rows' weights if replicates were made for single respondents.
Part = tuple[pa.RecordBatch, np.ndarray | None]


def groups(
    batches: Iterable[pa.RecordBatch],
    variables: Sequence[Variable],
    midpoint: np.ndarray,
    *,
    by: Sequence[str] = (),
    rule: str = "available",
    design: Design,
    inside: str | None = None,
    scores: Mapping[tuple[str, ...], RowScores] | None = None,
    outside: bool = False,
    key: str | None = None,
    tick: Tick | None = None,
    threads: int | None = None,
    partial: bool = False,
) -> Groups:
    """Sum a stream of batches into moments per (domain, stratum, unit).

    Parameters
    ----------
    batches : at least one, each with the columns of the variables (float64 or string, null = missing),
        of `by` (string), of the design, and `inside`.
    variables : (k,) columns or recoded columns.
    midpoint : (k,) to subtract, known before the data.
    by : grouping columns. Rows with an empty group are counted as `ungrouped`; they stay in the design.
    rule : "available" or "listwise", see `Moments`.
    design : names of the weight, stratum, unit and population columns.
    inside : boolean column of the rows that a filter kept; the others only count in the design.
    scores : domain → scores of its rows; asks for `score_sums` = Σ w·s, `score_squares` = Σ w²·ssᵀ and, where
        replicates were made or given for single rows, `replicate_sums` = Σ w_r·s. Rows are z = [1, y] under
        "listwise", z = [1, m, m·y] under "available". A domain without an entry gets zeros.
    outside : the rows outside every domain make a domain `OUTSIDE` of their own.
    key : column of numbers; replicates made for single respondents are drawn in their order, not in that of the rows.
    tick : called with the number of rows that were summed since the last call.
    threads : to work in; None: as many as this process may use. The sums do not depend on it.
    partial : the batches are a part of a survey, which may have nobody in any group.

    Returns
    -------
    Groups

    Raises
    ------
    OptionError
        Without a variable, or for an unknown rule.
    SampleError
        If nobody belongs to a group.
    """
    check_choice("rule", rule, RULES)
    if not variables:
        raise OptionError("No variable is named; name at least one.")

    def kernel(part: Part) -> Summed:
        batch, factors = part
        rows = rows_of(batch, by, design, inside)
        rows = with_outside(rows) if outside else rows
        replicates = _replicate_weights(batch, factors, rows.weight, design)
        summed = sums_of(rows, matrix_of(batch, variables), variables, midpoint, by, rule, scores, replicates)
        overlap = replicates.T @ replicates if replicates is not None and factors is None else None
        groups = replace(summed.groups, lone_psu=design.lone_psu, replication=design.replication, overlap=overlap)
        return replace(summed, groups=groups)

    total = _Sums()
    over_batches(
        _with_factors(joined(batches), design, key), kernel, total,
        tick=tick, rows=lambda part: part[0].num_rows, threads=threads,
    )  # fmt: skip
    summed = total.groups.result()
    if not partial:
        check_grouped(by, summed.domains, summed.ungrouped)
    return summed


def levels(
    batches: Iterable[pa.RecordBatch],
    names: Sequence[str],
    values: Sequence[Sequence],
    *,
    by: Sequence[str] = (),
    design: Design,
    inside: str | None = None,
    tick: Tick | None = None,
    threads: int | None = None,
) -> Levels:
    """Count a stream of batches into answers per domain and level; `values` lists each item's levels.

    The other arguments are those of `groups`; of the design only the weight counts.
    """
    counts, ungrouped = level_counts(
        batches, names, values, by=by, design=design, inside=inside, tick=tick, threads=threads
    )
    check_grouped(by, counts.domains, ungrouped)
    return counts


def level_counts(
    batches: Iterable[pa.RecordBatch],
    names: Sequence[str],
    values: Sequence[Sequence],
    *,
    by: Sequence[str] = (),
    design: Design,
    inside: str | None = None,
    tick: Tick | None = None,
    threads: int | None = None,
) -> tuple[Levels, int]:
    """Count the answers of a part of a survey, and its respondents of no group; see `levels`."""
    listed = tuple(tuple(levels) for levels in values)
    plain = Design(weight=design.weight)

    def kernel(batch: pa.RecordBatch) -> tuple[Levels, int]:
        rows = rows_of(batch, by, plain, inside)
        return counted(batch, rows, names, listed, by), rows.ungrouped

    total = _Counts()
    over_batches(joined(batches), kernel, total, tick=tick, rows=lambda batch: batch.num_rows, threads=threads)
    return total.levels.result(), total.ungrouped


class _Sums:
    """Adds the sums of batches, or their rows."""

    def __init__(self) -> None:
        self.groups: Total[Groups] = Total()

    def add(self, part: Summed) -> None:
        self.groups.add(part.groups, None if part.given is None else part.fill)


class _Counts:
    """Adds the counts of batches, and the respondents of no group."""

    def __init__(self) -> None:
        self.levels, self.ungrouped = LevelTotal(), 0

    def add(self, part: tuple[Levels, int]) -> None:
        self.levels.add(part[0])
        self.ungrouped += part[1]


def _with_factors(batches: Iterable[pa.RecordBatch], design: Design, key: str | None) -> Iterable[Part]:
    """Pair each batch with the replicate factors of its rows, if they are to be made for single respondents.

    Those depend on the number of rows in each stratum, so that all batches are looked at before the first is summed.
    """
    if design.replicates and design.replication is None:
        raise DesignError(
            f"The design names {len(design.replicates)} columns of replicate weights but not their kind: "
            "add replication=Replication('JKn', rscales=…), Replication('BRR') or whichever it is."
        )
    if design.replication is None or design.replicates or design.psu is not None:
        return ((batch, None) for batch in batches)
    kept = list(batches)
    ends = np.cumsum([batch.num_rows for batch in kept])
    factors = _row_factors(kept, design, key)
    return zip(kept, np.split(factors, ends[:-1]), strict=True)


def _row_factors(batches: Sequence[pa.RecordBatch], design: Design, key: str | None) -> np.ndarray:
    """(n, R) factors of the rows of all batches, each row a unit of its stratum."""
    if design.replication is None:
        raise DesignError("No replication is declared.")
    size = sum(batch.num_rows for batch in batches)
    replicates = size if design.replication.kind in ("JK1", "JKn") else design.replication.size
    if size * replicates > MOST_FACTORS:
        raise SampleError(
            f"{replicates} replicates of {size} respondents, drawn one by one, take "
            f"{8e-6 * size * replicates:,.0f} MB. "
            "Declare sampling units (psu), draw random groups of respondents (source.replicated(…)), or leave "
            "replication out: linearisation needs no replicates."
        )
    columns = [name for name in (design.stratum, design.fpc, key) if name is not None]
    whole = pa.RecordBatch.from_arrays(
        [pa.concat_arrays([batch.column(name) for batch in batches]) for name in columns], columns
    )
    stratum, strata = labels(whole.column(design.stratum)) if design.stratum else (np.zeros(size, int), [""])
    population = population_of(whole, design, stratum, strata)
    units = np.bincount(stratum, minlength=len(strata))
    factors = unit_factors(
        sampled_units(units, population, strata, design.lone_psu, design.replication.kind), design.replication
    )
    out = np.empty_like(factors)
    drawn = np.arange(size) if key is None else whole.column(key).to_numpy()
    out[np.lexsort((drawn, stratum))] = factors
    return out


def _replicate_weights(
    batch: pa.RecordBatch, factors: np.ndarray | None, weight: np.ndarray, design: Design
) -> np.ndarray | None:
    """(n, R) replicate weights of the rows, given or made; None if units stand for them or there are none."""
    if factors is not None:
        return factors * weight[:, None]
    if design.replication is None or not design.replicates:
        return None
    given = np.column_stack(
        [batch.column(name).to_numpy(zero_copy_only=False).astype(float) for name in design.replicates]
    )
    return given if design.replication.combined else given * weight[:, None]
