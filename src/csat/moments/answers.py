"""How often each answer was given, cell by cell: shares, boxes, quantiles and memberships with the design's errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from csat.errors import SampleError, UnknownColumnError
from csat.moments.groups import Groups
from csat.moments.merging import merge
from csat.moments.rollup import rolled
from csat.moments.source import Source
from csat.moments.summaries import Levels
from csat.moments.variables import Product, Recode, Variable, term_of
from csat.questionnaire.scales import number_in

#: Joint sums of answers take at most so many bytes.
MOST_BYTES = 2**29


@dataclass(frozen=True, eq=False)
class AnswerSums:
    """Totals of u = [1, one 0/1 mark per item and level] in every cell; a missing answer has no mark.

    names : (k,) items or columns of categories. levels : (k,) of the answers to each.
    sums : cells whose variables are the U marks: `score_sums` (C, U) Σ w of each level, `counts` (C, U) respondents,
        `gram` (C, 1, 1) Σ w. Where respondents, or replicates of them, are the units, `gram` and `square` are
        (C, 1 + U, 1 + U) sums of u·uᵀ: with declared units the totals of units say enough.
    """

    names: tuple[str, ...]
    levels: tuple[tuple[Any, ...], ...]
    sums: Groups

    @property
    def joint(self) -> bool:
        """Whether products of the answers to different items are known."""
        return self.sums.gram.shape[1] > 1

    def groups(self, variables: Sequence[Variable], by: tuple[str, ...], rule: str) -> Groups:
        """Moments of items recoded, or as they are, by the answers' totals.

        Products of different items are NaN where only totals of units are known: no standard error needs them, but
        effective sample sizes of combined items do.

        Raises
        ------
        SampleError
            For items that were not counted, and complete answers to several items.
        """
        recodes = [self._recode(variable) for variable in variables]
        values = np.stack([self._values(recode) for recode in recodes])
        midpoint = np.array([recode.midpoint for recode in recodes])
        marks = np.isfinite(values).astype(float)
        y = np.where(marks > 0, values - midpoint[:, None], 0.0)
        frame = replace(
            self.sums._over(by),
            names=tuple(term_of(variable) for variable in variables),
            made_of=tuple(variables),
            midpoint=midpoint,
            rule=rule,
        )
        items = [recode.column for recode in recodes]
        if rule == "listwise":
            return self._complete(frame, marks, y, items)
        if not self.joint:
            return _by_units(frame, marks, y, np.array([items.index(item) for item in items]))
        return _turned(frame, marks, _turn(marks, y))

    def counted(self, names: Sequence[str], by: tuple[str, ...]) -> Levels:
        """Counts of answers per domain and level."""
        places = [self._place(name) for name in names]
        sums = self.sums._over(by)
        weighted = sums.over_domains(np.asarray(sums.score_sums))
        unweighted = sums.over_domains(sums.counts)
        everybody = sums.over_domains(sums.n)
        columns = [self._columns(place) for place in places]
        missing = [everybody - unweighted[:, at].sum(axis=1) for at in columns]
        return Levels(
            tuple(names),
            tuple(self.levels[place] for place in places),
            by,
            sums.domains,
            tuple(weighted[:, at] for at in columns),
            tuple(unweighted[:, at] for at in columns),
            np.stack(missing, axis=1) if missing else np.zeros((len(sums.domains), 0), int),
        )

    def rolled(self, column: str, parents: Any, into: str | None) -> AnswerSums:
        """The same totals, groups joined to those above them."""
        return replace(self, sums=rolled(self.sums, column, parents, into))

    def aligned(self, levels: Sequence[tuple[Any, ...]]) -> AnswerSums:
        """The same totals with more levels, which nobody gave."""
        if tuple(levels) == self.levels:
            return self
        old = {mark: at for at, mark in enumerate(self._marks())}
        wider = AnswerSums(self.names, tuple(levels), self.sums)
        at = np.array([old.get(mark, -1) for mark in wider._marks()])
        return replace(wider, sums=_spread(self.sums, at, marks_of(self.names, levels)))

    def __add__(self, other: AnswerSums) -> AnswerSums:
        return replace(self, sums=merge([self.sums, other.sums]))

    def _marks(self) -> list[tuple[str, Any]]:
        return [(name, level) for name, levels in zip(self.names, self.levels, strict=True) for level in levels]

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise UnknownColumnError.among(name, self.names, "the items whose answers this summary counts")
        return self.names.index(name)

    def _columns(self, place: int) -> slice:
        start = sum(len(levels) for levels in self.levels[:place])
        return slice(start, start + len(self.levels[place]))

    def _recode(self, variable: Variable) -> Recode:
        if isinstance(variable, Product):
            raise SampleError.needs_rows(f"The product {variable.term!r}")
        if isinstance(variable, Recode):
            return variable
        levels = self.levels[self._place(variable)]
        if any(isinstance(level, str) for level in levels):
            raise SampleError.categories(variable, levels)
        return Recode(variable, variable, {level: float(level) for level in levels} or {0.0: 0.0})

    def _values(self, recode: Recode) -> np.ndarray:
        """(U,) value of each level of the item, NaN for those that count as missing and for other items."""
        out = np.full(self.sums.counts.shape[1], np.nan)
        place = self._place(recode.column)
        levels = self.levels[place]
        known = dict(recode.values)
        if levels and not isinstance(levels[0], str):
            # A source reads numbers given as text, as its categories are, for the answers that they spell.
            known |= {number_in(answer): value for answer, value in known.items() if isinstance(answer, str)}
        out[self._columns(place)] = [known.get(level, np.nan) for level in levels]
        return out

    def _complete(self, frame: Groups, marks: np.ndarray, y: np.ndarray, items: Sequence[str]) -> Groups:
        """Moments of those who answered all of the variables: of one item, that follows from its levels."""
        if len(set(items)) > 1 or frame.second is not None or frame.replicate_sums is not None:
            raise SampleError.needs_rows(f"Complete answers to {', '.join(map(repr, dict.fromkeys(items)))} together")
        kept = marks.all(axis=0)
        z = np.vstack([np.ones(kept.sum()), y[:, kept]])
        squares = None if frame.square is None else np.diagonal(frame.square, axis1=1, axis2=2)[:, 1:][:, kept]
        n = frame.counts[:, kept].sum(axis=1)
        return replace(
            frame,
            gram=(z * np.asarray(frame.score_sums)[:, None, kept]) @ z.T,
            square=None if squares is None else (z * squares[:, None, :]) @ z.T,
            n=n,
            counts=np.repeat(n[:, None], len(marks), axis=1),
            incomplete=int(frame.n.sum() - n.sum()),
            score_sums=None,
        )


def marks_of(names: Sequence[str], levels: Sequence[Sequence[Any]]) -> tuple[Recode, ...]:
    """The 0/1 marks of the items' levels as variables."""
    return tuple(
        Recode(f"{name}={level}", name, {other: float(other == level) for other in listed})
        for name, listed in zip(names, levels, strict=True)
        for level in listed
    )


def answer_sums(source: Source, everyone: Groups, names: Sequence[str], units: Sequence[str | None]) -> AnswerSums:
    """Count the answers to items, cell by cell.

    Parameters
    ----------
    source : of the answers.
    everyone : its sums under "available", which tell the cells and the design.
    names : items and columns of categories.
    units : the columns of the design's strata and units, None where it has none.

    Raises
    ------
    SampleError
        If joint sums of so many answers in so many cells would not fit into memory.
    """
    keys = tuple(dict.fromkeys((*everyone.by, *(name for name in units if name is not None))))
    counted = source.levels(list(names), keys)
    own = [*everyone.by, *units]
    labels = [*(None if name is None else keys.index(name) for name in own)]
    place = {_label(domain, labels): d for d, domain in enumerate(counted.domains)}
    at = np.array([place[label] for label in _cells(everyone)], int)
    marks = marks_of(names, counted.levels)
    frame = replace(
        everyone,
        names=tuple(mark.term for mark in marks),
        made_of=marks,
        midpoint=np.zeros(len(marks)),
        rule="listwise",
        counts=np.hstack([counts[at] for counts in counted.unweighted]),
        score_sums=np.hstack([counts[at] for counts in counted.weighted]),
        residuals=None,
    )
    if everyone.psus and everyone.second is None and everyone.replicate_sums is None:
        return AnswerSums(tuple(names), counted.levels, replace(frame, gram=everyone.gram[:, :1, :1]))
    _check_bytes(len(everyone.n), len(marks), len(names))
    return AnswerSums(tuple(names), counted.levels, _joint(source, frame, marks))


def _label(domain: tuple[str, ...], at: Sequence[int | None]) -> tuple[str, ...]:
    return tuple("" if i is None else domain[i] for i in at)


def _cells(everyone: Groups) -> Iterable[tuple[str, ...]]:
    """Labels of each cell: its groups, stratum and unit."""
    for d, h, u in zip(everyone.domain.tolist(), everyone.stratum.tolist(), everyone.psu.tolist(), strict=True):
        yield (*everyone.domains[d], everyone.strata[h], everyone.psus[u][1] if everyone.psus else "")


def _check_bytes(cells: int, marks: int, items: int) -> None:
    needed = 16.0 * cells * (1 + 2 * marks) ** 2
    if needed > MOST_BYTES:
        raise SampleError(
            f"The joint sums of {marks} answers to {items} items in {cells} cells take {needed / 1e9:.1f} GB, at most "
            f"{MOST_BYTES / 1e9:.1f} GB are kept. Join respondents to random groups (units=500), name fewer items in "
            "levels=…, or group by fewer columns."
        )


def _joint(source: Source, frame: Groups, marks: Sequence[Recode]) -> Groups:
    """The cells with sums of u·uᵀ, of those of [1, m, m·y] with y = mark − ½ that sources give."""
    found = source.groups(list(marks), frame.by, "available")
    size = len(marks)
    turn = np.zeros((1 + size, 1 + 2 * size))
    turn[0, 0] = 1.0
    turn[1:, 1 + size :] = np.eye(size)
    turn[1:, 1 : 1 + size] = np.diag(found.midpoint)
    order = {label: c for c, label in enumerate(_cells(found))}
    at = np.array([order[label] for label in _cells(frame)], int)
    summed = _linear(found, turn)
    square = None if summed.square is None else summed.square[at]
    return replace(
        frame, gram=summed.gram[at], square=square, replicate_sums=summed.replicate_sums, second=summed.second
    )


def _linear(cells: Groups, turn: np.ndarray) -> Groups:
    """Sums of turn·z instead of z, wherever there are some."""
    return replace(
        cells,
        gram=turn @ cells.gram @ turn.T,
        square=None if cells.square is None else turn @ cells.square @ turn.T,
        replicate_sums=None if cells.replicate_sums is None else cells.replicate_sums @ turn.T,
        second=None if cells.second is None else _linear(cells.second, turn),
    )


def _turn(marks: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(1 + 2q, 1 + U) matrix from u to [1, m, m·y]."""
    q, size = marks.shape
    turn = np.zeros((1 + 2 * q, 1 + size))
    turn[0, 0] = 1.0
    turn[1 : 1 + q, 1:] = marks
    turn[1 + q :, 1:] = y
    return turn


def _turned(frame: Groups, marks: np.ndarray, turn: np.ndarray) -> Groups:
    """Moments under "available" of the joint sums of answers."""
    used = np.r_[True, (turn[1:, 1:] != 0).any(axis=0) | marks.any(axis=0)]
    few = _few(frame, np.flatnonzero(used))
    made = _linear(few, turn[:, used])
    second = made.second
    if second is not None:
        second = replace(
            second,
            names=frame.names,
            made_of=frame.made_of,
            midpoint=frame.midpoint,
            rule=frame.rule,
            counts=np.zeros((len(second.n), len(marks)), int),
        )
    counts = np.rint(frame.counts @ marks.T).astype(int)
    return replace(made, counts=counts, score_sums=None, second=second)


def _few(cells: Groups, at: np.ndarray) -> Groups:
    """Joint sums of fewer entries of u."""
    block = np.ix_(np.arange(len(cells.gram)), at, at)
    return replace(
        cells,
        gram=cells.gram[block],
        square=None if cells.square is None else cells.square[block],
        replicate_sums=None if cells.replicate_sums is None else cells.replicate_sums[..., at],
        second=None if cells.second is None else _few(cells.second, at),
    )


def _by_units(frame: Groups, marks: np.ndarray, y: np.ndarray, item: np.ndarray) -> Groups:
    """Moments under "available" of the totals of units; `item` (q,) tells the variables of different items apart."""
    weights = np.asarray(frame.score_sums)
    rows = np.vstack([marks, y])
    totals = weights @ rows.T
    inner = (weights[:, None, :] * rows) @ rows.T
    both = np.r_[item, item]
    inner[:, both[:, None] != both] = np.nan
    p = 1 + len(rows)
    gram = np.empty((len(weights), p, p))
    gram[:, 0, 0] = frame.gram[:, 0, 0]
    gram[:, 0, 1:] = gram[:, 1:, 0] = totals
    gram[:, 1:, 1:] = inner
    counts = np.rint(frame.counts @ marks.T).astype(int)
    return replace(frame, gram=gram, square=None, counts=counts, score_sums=None)


def _spread(sums: Groups, at: np.ndarray, marks: Sequence[Recode]) -> Groups:
    """Sums of more marks; `at` (U,) is where each was, −1 for those that are new."""
    known = at >= 0
    wide = np.zeros((len(sums.n), len(at)))
    counts = np.zeros(wide.shape, int)
    wide[:, known], counts[:, known] = np.asarray(sums.score_sums)[:, at[known]], sums.counts[:, at[known]]
    turn = np.zeros((1 + len(at), 1 + sums.counts.shape[1]))
    turn[0, 0] = 1.0
    turn[1 + np.flatnonzero(known), 1 + at[known]] = 1.0
    summed = sums if sums.gram.shape[1] == 1 else _linear(sums, turn)
    return replace(_named(summed, marks), score_sums=wide, counts=counts)


def _named(cells: Groups, marks: Sequence[Recode]) -> Groups:
    return replace(
        cells,
        names=tuple(mark.term for mark in marks),
        made_of=tuple(marks),
        midpoint=np.zeros(len(marks)),
        counts=np.zeros((len(cells.n), len(marks)), int),
        second=None if cells.second is None else _named(cells.second, marks),
    )
