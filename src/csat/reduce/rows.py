"""What the kernel reads from a batch: who belongs where, with which weight, and the values of the variables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.errors import DesignError
from csat.moments import Product, Recode, Variable

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


def labels(column: pa.Array) -> tuple[np.ndarray, list[str]]:
    """Codes into sorted labels; -1 where null."""
    encoded = pc.dictionary_encode(column.cast(pa.string()))
    words = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words) + 1, int)
    rank[order] = np.arange(len(words))
    rank[-1] = -1
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return rank[codes], [words[i] for i in order]


def combine(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct combinations (m, columns) of code columns in order, and each row's position among them.

    Counted in a table of all combinations where that is not much larger than the rows: sorting rows takes far longer.
    """
    sizes = [int(code.max(initial=-1)) + 2 for code in codes]
    if np.prod(sizes, dtype=float) > 4 * len(codes[0]) + 1000:
        distinct, where = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
        return distinct, where.ravel()
    key = np.ravel_multi_index([code + 1 for code in codes], sizes)
    present = np.bincount(key, minlength=int(np.prod(sizes))) > 0
    distinct = np.stack(np.unravel_index(np.flatnonzero(present), sizes), axis=1) - 1
    return distinct, (np.cumsum(present) - 1)[key]


def rows_of(batch: pa.RecordBatch, by: Sequence[str], design: Design, inside: str | None) -> Rows:
    """Where each row of a batch belongs, and how much it counts."""
    size = batch.num_rows
    kept = np.ones(size, bool) if inside is None else batch.column(inside).to_numpy(zero_copy_only=False).astype(bool)
    labelled = [labels(batch.column(name)) for name in by]
    grouped = np.logical_and.reduce([codes >= 0 for codes, _ in labelled], initial=True) & np.ones(size, bool)
    if by:
        distinct, domain = combine([codes for codes, _ in labelled])
        listed = [[*words, ""] for _, words in labelled]  # code -1, a row without a group, finds the empty label
        names = [tuple(words[i] for i, words in zip(row, listed, strict=True)) for row in distinct.tolist()]
    else:
        domain, names = np.zeros(size, int), [()]
    taken = kept & grouped
    used = sorted({names[i] for i in np.unique(domain[taken]).tolist()}) if by else names
    place = {name: i for i, name in enumerate(used)}
    position = np.array([place.get(name, -1) for name in names], int)
    stratum, strata = labels(batch.column(design.stratum)) if design.stratum else (np.zeros(size, int), [""])
    psu, psus = _units(batch, design, stratum, strata)
    weight = batch.column(design.weight).to_numpy(zero_copy_only=False) if design.weight else np.ones(size)
    population = population_of(batch, design, stratum, strata)
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
    codes, words = labels(batch.column(design.psu))
    distinct, where = combine([stratum, codes])
    return where, [(strata[s], words[u]) for s, u in distinct.tolist()]


def population_of(batch: pa.RecordBatch, design: Design, stratum: np.ndarray, strata: list[str]) -> np.ndarray:
    """(H,) population sizes of the strata, inf if they are not declared."""
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


def matrix_of(batch: pa.RecordBatch, variables: Sequence[Variable]) -> np.ndarray:
    """(n, k) values, NaN where missing."""
    out = np.empty((batch.num_rows, len(variables)))
    for j, variable in enumerate(variables):
        out[:, j] = _values(batch, variable)
    return out


def _values(batch: pa.RecordBatch, variable: Variable) -> np.ndarray:
    if isinstance(variable, Product):
        return np.prod(matrix_of(batch, variable.parts), axis=1)
    if isinstance(variable, Recode):
        values = np.array([*variable.values.values(), np.nan], float)
        return values[codes_of(batch.column(variable.column), list(variable.values))]
    return batch.column(variable).cast(pa.float64()).to_numpy(zero_copy_only=False)


def codes_of(column: pa.Array, answers: Sequence) -> np.ndarray:
    """Position of each answer in `answers`; -1 where it is missing or none of them."""
    value_set = pa.array(answers).cast(column.type)
    found = pc.index_in(column, value_set=value_set, skip_nulls=True)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(int)


def with_outside(rows: Rows) -> Rows:
    """The same rows, with a domain `OUTSIDE` for those that belong to none."""
    domain = np.where(rows.inside, rows.domain, len(rows.domains))
    return replace(rows, inside=np.ones_like(rows.inside), domain=domain, domains=[*rows.domains, OUTSIDE])
