"""The only arithmetic on respondents: a stream of Arrow record batches becomes `Groups` or `Levels`.

One numpy kernel for every engine. Batches are summed on their own and added in order, so that the same
batches give the same bits however many threads work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from threadpoolctl import threadpool_limits

from csat.design import Design
from csat.errors import DesignError, OptionError, check_choice
from csat.moments import RULES, Groups, Levels, Recode, Variable, check_grouped, check_size, merge, term_of
from csat.replicates import sampled_units, unit_factors

S = TypeVar("S")
T = TypeVar("T")
THREADS = 2
#: Rows whose scores are computed at once, so that the work space stays small.
SCORE_ROWS = 8192
#: The domain of the rows that belong to none.
OUTSIDE = ("(outside)", "(outside)")


@dataclass(frozen=True, slots=True)
class Rows:
    """What of a batch the kernel needs besides the variables.

    inside : (n,) row belongs to a domain. domain, stratum, psu : (n,) codes into the label lists
    (`domain` is valid where `inside`; `psu` is -1 without units). weight : (n,). population : (H,) or inf.
    """

    inside: np.ndarray
    domain: np.ndarray
    domains: list[tuple[str, ...]]
    stratum: np.ndarray
    strata: list[str]
    psu: np.ndarray
    psus: list[tuple[str, str]]
    weight: np.ndarray
    population: np.ndarray
    ungrouped: int


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
    scores: Mapping[tuple[str, ...], np.ndarray] | None = None,
    outside: bool = False,
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
    scores : domain → (q, p, p) symmetric matrices D; asks for `score_squares` = Σ w²·ssᵀ with
        s_q = zᵀ·D_q·z. Listwise only. A domain without an entry gets zeros.
    outside : the rows outside every domain make a domain `OUTSIDE` of their own.

    Returns
    -------
    Groups

    Raises
    ------
    OptionError
        Without a variable, or for an unknown rule.
    SampleError
        If nobody belongs to a group, or groups × variables are more figures than can be estimated together.
    """
    check_choice("rule", rule, RULES)
    if not variables:
        raise OptionError("No variable is named; name at least one.")

    def kernel(part: Part) -> Groups:
        batch, factors = part
        rows = _rows(batch, by, design, inside)
        rows = _with_outside(rows) if outside else rows
        check_size(by, rows.domains, len(variables))
        replicates = _replicate_weights(batch, factors, rows.weight, design) if scores is None else None
        summed = _sum(rows, _matrix(batch, variables) - midpoint, variables, midpoint, by, rule, scores, replicates)
        overlap = replicates.T @ replicates if replicates is not None and factors is None else None
        return replace(summed, lone_psu=design.lone_psu, replication=design.replication, overlap=overlap)

    summed = _over_batches(_with_factors(batches, design), kernel, merge)
    check_grouped(by, summed.domains, summed.ungrouped)
    check_size(by, summed.domains, len(variables))
    return summed


def levels(
    batches: Iterable[pa.RecordBatch],
    names: Sequence[str],
    values: Sequence[Sequence],
    *,
    by: Sequence[str] = (),
    design: Design,
    inside: str | None = None,
) -> Levels:
    """Count a stream of batches into answers per domain and level; `values` lists each item's levels."""
    listed = tuple(tuple(levels) for levels in values)

    def kernel(batch: pa.RecordBatch) -> tuple[Levels, int]:
        rows = _rows(batch, by, design, inside)
        counted = [
            _count(rows, _codes(batch.column(name), levels), len(levels))
            for name, levels in zip(names, listed, strict=True)
        ]
        weighted, unweighted, missing = zip(*counted, strict=True) if counted else ((), (), ())
        absent = np.stack(missing, axis=1) if missing else np.zeros((len(rows.domains), 0), int)
        found = Levels(tuple(names), listed, tuple(by), tuple(rows.domains), weighted, unweighted, absent)
        return found, rows.ungrouped

    def add(parts: list[tuple[Levels, int]]) -> tuple[Levels, int]:
        found, ungrouped = zip(*parts, strict=True)
        return reduce(Levels.__add__, found), sum(ungrouped)

    counts, ungrouped = _over_batches(batches, kernel, add)
    check_grouped(by, counts.domains, ungrouped)
    return counts


def _with_outside(rows: Rows) -> Rows:
    domain = np.where(rows.inside, rows.domain, len(rows.domains))
    return replace(rows, inside=np.ones_like(rows.inside), domain=domain, domains=[*rows.domains, OUTSIDE])


def _with_factors(batches: Iterable[pa.RecordBatch], design: Design) -> Iterable[Part]:
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
    factors = _row_factors(kept, design)
    return zip(kept, np.split(factors, ends[:-1]), strict=True)


def _row_factors(batches: Sequence[pa.RecordBatch], design: Design) -> np.ndarray:
    """(n, R) factors of the rows of all batches, each row a unit of its stratum."""
    if design.replication is None:
        raise DesignError("No replication is declared.")
    size = sum(batch.num_rows for batch in batches)
    columns = [name for name in (design.stratum, design.fpc) if name is not None]
    whole = pa.RecordBatch.from_arrays(
        [pa.concat_arrays([batch.column(name) for batch in batches]) for name in columns], columns
    )
    stratum, strata = _labels(whole.column(design.stratum)) if design.stratum else (np.zeros(size, int), [""])
    population = _population(whole, design, stratum, strata)
    units = np.bincount(stratum, minlength=len(strata))
    factors = unit_factors(
        sampled_units(units, population, strata, design.lone_psu, design.replication.kind), design.replication
    )
    out = np.empty_like(factors)
    out[np.argsort(stratum, kind="stable")] = factors
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


def _over_batches(batches: Iterable[S], kernel: Callable[[S], T], add: Callable[[list[T]], T]) -> T:
    """Run the kernel on each batch and add in order, a few at a time to bound memory."""
    total: list[T] = []
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        waiting = []
        for batch in batches:
            waiting.append(pool.submit(kernel, batch))
            if len(waiting) == 2 * THREADS:
                total = [add([*total, waiting.pop(0).result()])]
        for job in waiting:
            total = [add([*total, job.result()])]
    return total[0]


def _labels(column: pa.Array) -> tuple[np.ndarray, list[str]]:
    """Codes into sorted labels; -1 where null."""
    encoded = pc.dictionary_encode(column.cast(pa.string()))
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words) + 1, int)
    rank[order] = np.arange(len(words))
    rank[-1] = -1
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return rank[codes], [words[i] for i in order]


def _combine(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct combinations (m, columns) of code columns, and each row's position among them."""
    stacked = np.stack(codes, axis=1)
    distinct, where = np.unique(stacked, axis=0, return_inverse=True)
    return distinct, where.ravel()


def _rows(batch: pa.RecordBatch, by: Sequence[str], design: Design, inside: str | None) -> Rows:
    size = batch.num_rows
    kept = np.ones(size, bool) if inside is None else batch.column(inside).to_numpy(zero_copy_only=False).astype(bool)
    labelled = [_labels(batch.column(name)) for name in by]
    grouped = np.logical_and.reduce([codes >= 0 for codes, _ in labelled], initial=True) & np.ones(size, bool)
    if by:
        distinct, domain = _combine([codes for codes, _ in labelled])
        listed = [[*words, ""] for _, words in labelled]  # code -1, a row without a group, finds the empty label
        names = [tuple(words[i] for i, words in zip(row, listed, strict=True)) for row in distinct.tolist()]
    else:
        domain, names = np.zeros(size, int), [()]
    taken = kept & grouped
    used = sorted({names[i] for i in np.unique(domain[taken]).tolist()}) if by else names
    place = {name: i for i, name in enumerate(used)}
    position = np.array([place.get(name, -1) for name in names], int)
    stratum, strata = _labels(batch.column(design.stratum)) if design.stratum else (np.zeros(size, int), [""])
    psu, psus = _units(batch, design, stratum, strata)
    weight = batch.column(design.weight).to_numpy(zero_copy_only=False) if design.weight else np.ones(size)
    population = _population(batch, design, stratum, strata)
    return Rows(
        taken,
        position[domain],
        used,
        stratum,
        strata,
        psu,
        psus,
        weight.astype(float),
        population,
        int((kept & ~grouped).sum()),
    )


def _units(
    batch: pa.RecordBatch, design: Design, stratum: np.ndarray, strata: list[str]
) -> tuple[np.ndarray, list[tuple[str, str]]]:
    if design.psu is None:
        return np.full(batch.num_rows, -1), []
    codes, words = _labels(batch.column(design.psu))
    distinct, where = _combine([stratum, codes])
    return where, [(strata[s], words[u]) for s, u in distinct.tolist()]


def _population(batch: pa.RecordBatch, design: Design, stratum: np.ndarray, strata: list[str]) -> np.ndarray:
    if design.fpc is None:
        return np.full(len(strata), np.inf)
    size = batch.column(design.fpc).to_numpy(zero_copy_only=False).astype(float)
    low, high = np.full(len(strata), np.inf), np.full(len(strata), -np.inf)
    np.minimum.at(low, stratum, size)
    np.maximum.at(high, stratum, size)
    if not np.array_equal(low, high):
        label = strata[int(np.flatnonzero(~(low == high))[0])]
        raise DesignError(
            f"Column {design.fpc!r} must hold one population size per stratum; "
            f"stratum {label!r} has several, or an empty one."
        )
    return low


def _matrix(batch: pa.RecordBatch, variables: Sequence[Variable]) -> np.ndarray:
    """(n, k) values, NaN where missing."""
    out = np.empty((batch.num_rows, len(variables)))
    for j, variable in enumerate(variables):
        if isinstance(variable, Recode):
            answers, values = list(variable.values), np.array([*variable.values.values(), np.nan], float)
            out[:, j] = values[_codes(batch.column(variable.column), answers)]
        else:
            out[:, j] = batch.column(variable).cast(pa.float64()).to_numpy(zero_copy_only=False)
    return out


def _codes(column: pa.Array, answers: Sequence) -> np.ndarray:
    """Position of each answer in `answers`; -1 where it is missing or none of them."""
    value_set = pa.array(answers).cast(column.type)
    found = pc.index_in(column, value_set=value_set, skip_nulls=True)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(int)


def _sum(
    rows: Rows, y: np.ndarray, variables: Sequence[Variable], midpoint: np.ndarray, by: Sequence[str], rule: str,
    scores: Mapping[tuple[str, ...], np.ndarray] | None, replicates: np.ndarray | None,
) -> Groups:  # fmt: skip
    answered = ~np.isnan(y)
    keep = rows.inside & answered.all(axis=1) if rule == "listwise" else rows.inside
    order, starts, cells = _sorted_cells(rows, keep)
    y, answered, weight = y[order], answered[order], rows.weight[order]
    one = np.ones((len(order), 1))
    z = np.hstack([one, y]) if rule == "listwise" else np.hstack([one, answered, np.where(answered, y, 0.0)])
    size, p = len(cells), z.shape[1]
    gram = np.zeros((size, p, p))
    square = None if rows.psus else np.zeros((size, p, p))
    for c in range(size):
        part = slice(starts[c], starts[c + 1])
        weighted = z[part] * weight[part, None]
        gram[c] = weighted.T @ z[part]
        if square is not None:
            square[c] = weighted.T @ weighted
    bounds = starts[:-1]
    counts = np.add.reduceat(answered, bounds, axis=0, dtype=int) if size else np.zeros((0, y.shape[1]), int)
    return Groups(
        names=tuple(term_of(variable) for variable in variables),
        rule=rule,
        midpoint=np.asarray(midpoint, float),
        by=tuple(by),
        domains=tuple(rows.domains),
        strata=tuple(rows.strata),
        psus=tuple(rows.psus),
        units=np.bincount(rows.stratum, minlength=len(rows.strata)),
        population=rows.population,
        domain=cells[:, 0],
        stratum=cells[:, 1],
        psu=cells[:, 2],
        gram=gram,
        square=square,
        n=np.diff(starts),
        counts=counts,
        ungrouped=rows.ungrouped,
        incomplete=int(rows.inside.sum()) - len(order),
        score_squares=None if scores is None else _score_squares(z, weight, starts, cells, rows.domains, scores),
        replicate_sums=None
        if replicates is None
        else _replicate_sums(z, replicates[order], rows.domain[order], len(rows.domains), rule == "listwise"),
    )


def _replicate_sums(z: np.ndarray, weights: np.ndarray, domain: np.ndarray, size: int, products: bool) -> np.ndarray:
    """(D, R, p) sums of w_r·z, or (D, R, p, p) of w_r·zzᵀ; rows come sorted by domain, weights are (n, R)."""
    p, replicates = z.shape[1], weights.shape[1]
    first, second = np.triu_indices(p)
    out = np.zeros((size, replicates, len(first) if products else p))
    bounds = np.searchsorted(domain, np.arange(size + 1))
    for d in range(size):
        for start in range(bounds[d], bounds[d + 1], SCORE_ROWS):
            part = slice(start, min(start + SCORE_ROWS, bounds[d + 1]))
            terms = z[part][:, first] * z[part][:, second] if products else z[part]
            out[d] += weights[part].T @ terms
    if not products:
        return out
    square = np.empty((size, replicates, p, p))
    square[..., first, second] = square[..., second, first] = out
    return square


def _sorted_cells(rows: Rows, keep: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kept rows sorted by cell, where each cell starts (C+1,), and the cells' codes (C, 3)."""
    kept = np.flatnonzero(keep)
    cells, where = _combine([rows.domain[kept], rows.stratum[kept], rows.psu[kept]])
    order = np.argsort(where, kind="stable")
    starts = np.r_[0, np.cumsum(np.bincount(where, minlength=len(cells)))].astype(int)
    return kept[order], starts, cells


def _score_squares(
    z: np.ndarray, weight: np.ndarray, starts: np.ndarray, cells: np.ndarray, domains: list[tuple[str, ...]],
    scores: Mapping[tuple[str, ...], np.ndarray],
) -> np.ndarray:  # fmt: skip
    q = len(next(iter(scores.values())))
    out = np.zeros((len(cells), q, q))
    for c, (d, _, _) in enumerate(cells.tolist()):
        matrices = scores.get(domains[d])
        if matrices is None:
            continue
        for start in range(starts[c], starts[c + 1], SCORE_ROWS):
            part = slice(start, min(start + SCORE_ROWS, starts[c + 1]))
            s = np.einsum("ni,qni->nq", z[part], z[part] @ matrices) * weight[part, None]
            out[c] += s.T @ s
    return out


def _count(rows: Rows, codes: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted and unweighted counts (D, size), and missing (D,)."""
    domain, code, weight = rows.domain[rows.inside], codes[rows.inside], rows.weight[rows.inside]
    valid = code >= 0
    cell = domain[valid] * size + code[valid]
    shape = (len(rows.domains), size)
    weighted = np.bincount(cell, weight[valid], minlength=shape[0] * size).reshape(shape)
    unweighted = np.bincount(cell, minlength=shape[0] * size).reshape(shape)
    return weighted, unweighted, np.bincount(domain[~valid], minlength=shape[0])
