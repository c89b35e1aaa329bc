"""What the kernel reads from a batch: who belongs where, with which weight, and the values of the variables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.errors import DesignError
from csat.moments import Product, Recode, Variable

#: The domain of the rows that belong to none.
OUTSIDE = ("(outside)", "(outside)")
#: Whole numbers within this range of each other, and not larger than this, are counted without being looked up.
MOST_NUMBERS, FARTHEST = 256, 2**30


@dataclass(frozen=True, slots=True)
class Rows:
    """What of a batch the kernel needs besides the variables.

    inside : (n,) row belongs to a domain. domain, stratum, psu : (n,) codes into the label lists
    (`domain` is valid where `inside`; `psu` is -1 without units). weight : (n,); equal : all weigh 1.
    population : (H,) or inf. units : (H,) sampled units of each stratum, as far as the batch knows them.
    """

    inside: np.ndarray
    domain: np.ndarray
    domains: list[tuple[str, ...]]
    stratum: np.ndarray
    strata: list[str]
    psu: np.ndarray
    psus: list[tuple[str, str]]
    weight: np.ndarray
    equal: bool
    population: np.ndarray
    units: np.ndarray
    ungrouped: int


def labels(column: pa.Array) -> tuple[np.ndarray, list[str]]:
    """Codes into the sorted labels that occur; -1 where null. Words of a dictionary are looked at once, not per row."""
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    words = encoded.dictionary.cast(pa.string()).to_pylist()
    at = (encoded.indices.fill_null(len(words)) if encoded.indices.null_count else encoded.indices).to_numpy()
    occurs = np.bincount(at, minlength=len(words) + 1) > 0
    known = sorted({word for word, found in zip(words, occurs[:-1], strict=True) if found and word is not None})
    place = {word: i for i, word in enumerate(known)}
    return np.array([*(place.get(word, -1) for word in words), -1], int)[at], known


def combine(codes: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Distinct combinations (m, columns) of code columns in order, and each row's position among them.

    Counted in a table of all combinations where that is not much larger than the rows: sorting rows takes far longer.
    """
    ends = [_ends(code) for code in codes]
    sizes = [high - low + 1 for low, high in ends]
    if np.prod(sizes, dtype=float) > 2**62:
        distinct, where = np.unique(np.stack(codes, axis=1), axis=0, return_inverse=True)
        return distinct, where.ravel()
    key = np.zeros(len(codes[0]), int)
    for code, (low, _), size in zip(codes, ends, sizes, strict=True):
        if size > 1:
            key = key * size + (code - low)
    if np.prod(sizes, dtype=float) > 4 * len(codes[0]) + 1000:
        at, where = np.unique(key, return_inverse=True)
    else:
        present = np.bincount(key, minlength=int(np.prod(sizes))) > 0
        at = np.flatnonzero(present)
        where = key if present.all() else (np.cumsum(present) - 1)[key]
    return np.stack(np.unravel_index(at, sizes), axis=1) + [low for low, _ in ends], where


def _ends(code: np.ndarray) -> tuple[int, int]:
    """Smallest and largest code; a number that is repeated without being stored is looked at once."""
    some = code if any(code.strides) else code[:1]
    return (int(some.min()), int(some.max())) if len(some) else (0, 0)


def rows_of(batch: pa.RecordBatch, by: Sequence[str], design: Design, inside: str | None) -> Rows:
    """Where each row of a batch belongs, and how much it counts."""
    size = batch.num_rows
    kept = np.ones(size, bool) if inside is None else batch.column(inside).to_numpy(zero_copy_only=False).astype(bool)
    domain, names, grouped = _domains(batch, by)
    taken = kept & grouped
    if not taken.all():
        used = np.bincount(domain[taken], minlength=len(names)) > 0 if by else np.ones(1, bool)
        domain = np.where(used, np.cumsum(used) - 1, -1)[domain]
        names = [names[d] for d in np.flatnonzero(used).tolist()]
    stratum, strata = labels(batch.column(design.stratum)) if design.stratum else (np.broadcast_to(0, size), [""])
    psu, psus, units = _units(batch, design, stratum, strata)
    weight = batch.column(design.weight).to_numpy(zero_copy_only=False) if design.weight else np.broadcast_to(1.0, size)
    return Rows(
        inside=taken,
        domain=domain,
        domains=names,
        stratum=stratum,
        strata=strata,
        psu=psu,
        psus=psus,
        weight=weight.astype(float, copy=False),
        equal=design.weight is None or bool((weight == 1).all()),
        population=population_of(batch, design, stratum, strata),
        units=units,
        ungrouped=int((kept & ~grouped).sum()),
    )


def _domains(batch: pa.RecordBatch, by: Sequence[str]) -> tuple[np.ndarray, list[tuple[str, ...]], np.ndarray]:
    """Code of each row's group, the groups in order, and whether the row has one."""
    if not by:
        return np.zeros(batch.num_rows, int), [()], np.ones(batch.num_rows, bool)
    labelled = [labels(batch.column(name)) for name in by]
    grouped = np.logical_and.reduce([codes >= 0 for codes, _ in labelled])
    if len(by) == 1 and grouped.all():
        codes, words = labelled[0]
        return codes, [(word,) for word in words], grouped
    distinct, domain = combine([codes for codes, _ in labelled])
    listed = [[*words, ""] for _, words in labelled]  # code -1, a row without a group, finds the empty label
    names = [tuple(words[i] for i, words in zip(row, listed, strict=True)) for row in distinct.tolist()]
    return domain, names, grouped


def _units(
    batch: pa.RecordBatch, design: Design, stratum: np.ndarray, strata: list[str]
) -> tuple[np.ndarray, list[tuple[str, str]], np.ndarray]:
    """Code of each row's unit, the units, and how many each stratum has; respondents are units if none are declared."""
    if design.psu is None:
        units = np.bincount(stratum, minlength=len(strata)) if design.stratum else np.array([batch.num_rows])
        return np.broadcast_to(-1, batch.num_rows), [], units
    codes, words = labels(batch.column(design.psu))
    distinct, where = combine([stratum, codes])
    units = np.bincount(distinct[:, 0], minlength=len(strata))
    return where, [(strata[s], words[u]) for s, u in distinct.tolist()], units


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
    column = batch.column(variable)
    whole = pa.types.is_integer(column.type) and column.type.bit_width <= 32
    return (column if whole else column.cast(pa.float64())).to_numpy(zero_copy_only=False)


def codes_of(column: pa.Array, answers: Sequence) -> np.ndarray:
    """Position of each answer in `answers`; -1 where it is missing or none of them."""
    found, place = numbered(column, answers)
    return place[found]


def numbered(column: pa.Array, answers: Sequence) -> tuple[np.ndarray, np.ndarray]:
    """A small number ≥ 0 for each row (n,), and the position in `answers` that each number means (-1: none of them).

    Whole numbers close together are their own numbers: nothing is looked up row by row.
    """
    if pa.types.is_dictionary(column.type):
        place = np.r_[_looked_up(column.dictionary, answers), -1]
        return column.indices.cast(pa.int32()).fill_null(len(place) - 1).to_numpy(), place
    whole = _whole_numbers(column) if pa.types.is_integer(column.type) else _whole_floats(column)
    if whole is None:
        place = np.r_[np.arange(len(answers)), -1]
        return _looked_up(column, answers) % len(place), place
    values, low, high = whole
    return values, _places(tuple(answers), low, high)


def _whole_numbers(column: pa.Array) -> tuple[np.ndarray, int, int] | None:
    """Numbers from 1 on and 0 for null, what 0 stands for, and the largest number; None if they are spread."""
    if not len(column):
        return None
    plain = _stored(column)
    low, high = int(plain.min()) - 1, int(plain.max())
    if high - low > MOST_NUMBERS or max(abs(low), abs(high)) > FARTHEST:
        return None
    if column.null_count:
        wide = column if low >= np.iinfo(plain.dtype).min else column.cast(pa.int64())
        plain = wide.fill_null(pa.scalar(low, wide.type)).to_numpy()
    return np.subtract(plain, low, dtype=np.int32, casting="unsafe"), low, high


def _whole_floats(column: pa.Array) -> tuple[np.ndarray, int, int] | None:
    """As `_whole_numbers`, of numbers that might have fractions; None if any has."""
    if not pa.types.is_floating(column.type) or not len(column):
        return None
    least, most = float(np.fmin.reduce(_stored(column))), float(np.fmax.reduce(_stored(column)))
    if not abs(least) < FARTHEST or not most - least < MOST_NUMBERS:
        return None
    low, high = math.floor(least) - 1, math.floor(most)
    filled = column.fill_null(pa.scalar(low, column.type)).to_numpy()
    with np.errstate(invalid="ignore"):
        values = filled.astype(np.int32)
    return (values - low, low, high) if np.array_equal(values, filled) else None


def _stored(column: pa.Array) -> np.ndarray:
    """The numbers as they lie in memory: in the place of a null anything, which widens a range at most."""
    numbers = np.frombuffer(column.buffers()[1], column.type.to_pandas_dtype())
    return numbers[column.offset : column.offset + len(column)]


@lru_cache(maxsize=1024)
def _places(answers: tuple[Any, ...], low: int, high: int) -> np.ndarray:
    """(high − low + 1,) position of each whole number in `answers`; the first stands for a null."""
    place = _looked_up(pa.array(np.arange(low, high + 1)), answers)
    place[0] = -1
    place.flags.writeable = False
    return place


def _looked_up(column: pa.Array, answers: Sequence) -> np.ndarray:
    """Position of each answer, -1 where there is none; 3 and 3.0 are the same answer."""
    plain = column.cast(pa.float64()) if pa.types.is_integer(column.type) else column
    found = pc.index_in(plain, value_set=pa.array(answers).cast(plain.type), skip_nulls=True)
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype(int)


def with_outside(rows: Rows) -> Rows:
    """The same rows, with a domain `OUTSIDE` for those that belong to none."""
    domain = np.where(rows.inside, rows.domain, len(rows.domains))
    return replace(rows, inside=np.ones_like(rows.inside), domain=domain, domains=[*rows.domains, OUTSIDE])
