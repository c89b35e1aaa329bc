"""The smallest change of judgements that makes them consistent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import comb

import numpy as np

from csat.fuzzy.judgements import SCALE, said
from csat.fuzzy.priorities import consistency_ratio, pairs_of

#: Changes of so many judgements at once are all tried while they are at most this many; beyond, one by one.
_MOST = 300_000
_BLOCK = 50_000


@dataclass(frozen=True, slots=True)
class Change:
    """One judgement moved: `first` over `second` from `old` to `new`."""

    first: str
    second: str
    old: float
    new: float

    def __str__(self) -> str:
        return f"{self.first!r} over {self.second!r} from {said(self.old)} to {said(self.new)}"


@dataclass(frozen=True, slots=True)
class Repair:
    """Judgements to move, and the CR that results; `smallest`: no other repair moves fewer judgements, or less far."""

    changes: tuple[Change, ...]
    cr: float
    smallest: bool

    def __str__(self) -> str:
        return "; ".join(map(str, self.changes)) + f" (then CR = {self.cr:.3f})"


def steps(value: np.ndarray) -> np.ndarray:
    """Place of judgements on the scale: 1 is 0, 9 is 8, 1/9 is −8."""
    return np.where(value >= 1, value - 1, 1 - 1 / value)


def smallest_repair(matrix: np.ndarray, factors: Sequence[str], accept: float) -> Repair | None:
    """The smallest change that brings CR to `accept`; None if the scale has none.

    The fewest judgements; among these the fewest steps on the scale 1/9 … 1 … 9, then the lowest CR. All changes of
    one judgement are tried, then all of two, three …, while these are at most 300,000 (two up to 10 factors, three with
    4). Longer sequences take the change that lowers CR most, time after time, and then move each judgement back as far
    as CR allows; a shorter one may exist.
    """
    rows, columns = pairs_of(len(matrix))
    found, count = None, 1
    while found is None and count <= len(rows) and comb(len(rows), count) * len(SCALE) ** count <= _MOST:
        found = _best(matrix, _all_moves(len(rows), count), accept)
        count += 1
    smallest = found is not None
    found = found or _greedy(matrix, [move[0] for move in _all_moves(len(rows), 1)], accept)
    if found is None:
        return None
    changes = tuple(
        Change(factors[rows[k]], factors[columns[k]], float(matrix[rows[k], columns[k]]), v) for k, v in found
    )
    return Repair(changes, float(consistency_ratio(_moved(matrix, [found]))[0]), smallest)


Moves = tuple[tuple[int, float], ...]


def _all_moves(size: int, count: int) -> list[Moves]:
    """Every change of `count` of the `size` judgements to values of the scale."""
    values = SCALE.tolist()
    return [
        tuple(zip(pairs, new, strict=True))
        for pairs in combinations(range(size), count)
        for new in product(values, repeat=count)
    ]


def _moved(matrix: np.ndarray, moves: Sequence[Moves]) -> np.ndarray:
    """(B, m, m) copies of the matrix, each with its moves made."""
    rows, columns = pairs_of(len(matrix))
    out = np.repeat(matrix[None], len(moves), axis=0)
    at = np.arange(len(moves))
    for step in range(len(moves[0])):
        pair = np.array([move[step][0] for move in moves])
        value = np.array([move[step][1] for move in moves])
        out[at, rows[pair], columns[pair]] = value
        out[at, columns[pair], rows[pair]] = 1 / value
    return out


def _ratios(matrix: np.ndarray, moves: Sequence[Moves]) -> np.ndarray:
    """(B,) CR after the moves."""
    blocks = [moves[i : i + _BLOCK] for i in range(0, len(moves), _BLOCK)]
    return np.concatenate([consistency_ratio(_moved(matrix, block)) for block in blocks])


def _size(matrix: np.ndarray, moves: Sequence[Moves]) -> np.ndarray:
    """(B,) steps on the scale, added up over the judgements."""
    rows, columns = pairs_of(len(matrix))
    here = steps(matrix[rows, columns])
    pair = np.array([[k for k, _ in move] for move in moves])
    there = steps(np.array([[v for _, v in move] for move in moves]))
    return np.asarray(np.abs(there - here[pair]).sum(axis=1))


def _best(matrix: np.ndarray, moves: Sequence[Moves], accept: float) -> Moves | None:
    """The smallest of the moves after which CR is accepted."""
    ratios = _ratios(matrix, moves)
    good = np.flatnonzero(ratios <= accept)
    if not good.size:
        return None
    size = _size(matrix, [moves[i] for i in good.tolist()])
    return moves[int(good[np.lexsort((ratios[good], size.round(9)))[0]])]


def _greedy(matrix: np.ndarray, moves: Sequence[tuple[int, float]], accept: float) -> Moves | None:
    """One judgement after the other, each the one that lowers CR most; then back as far as CR allows."""
    made: dict[int, float] = {}
    for _ in range(len(matrix) * (len(matrix) - 1) // 2):
        tried = [tuple({**made, k: v}.items()) for k, v in moves if k not in made]
        if not tried:
            return None
        ratios = _ratios(matrix, tried)
        made = dict(tried[int(np.argmin(ratios))])
        if ratios.min() <= accept:
            return _eased(matrix, made, accept)
    return None


def _eased(matrix: np.ndarray, made: dict[int, float], accept: float) -> Moves:
    """The same judgements, each moved no farther than it must be."""
    for k in list(made):
        tried = [tuple({**made, k: v}.items()) for v in SCALE.tolist()]
        best = _best(matrix, tried, accept)
        made = made if best is None else dict(best)
    rows, columns = pairs_of(len(matrix))
    return tuple((k, v) for k, v in made.items() if not np.isclose(matrix[rows[k], columns[k]], v, rtol=1e-9))
