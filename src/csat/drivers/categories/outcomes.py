"""The answers of a binary or ordered outcome: which levels there are, how often each was given, and the null model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from csat.errors import SampleError
from csat.moments import Recode, Source, Variable, columns_of, term_of

#: More different answers than this are no levels of an ordered outcome.
MOST_LEVELS = 50
#: Labels that say that something is so: what an outcome of categories is usually asked about.
AGREED = frozenset({"yes", "y", "true", "是", "有"})


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """Answers of the complete rows.

    levels : (J,) ascending, those that some complete row of some group has. weighted, count : (D, J).
    empty : levels that only incomplete rows have.
    """

    levels: np.ndarray
    weighted: np.ndarray
    count: np.ndarray
    empty: tuple[float, ...]

    @property
    def null(self) -> np.ndarray:
        """(D,) log-likelihood of the model without drivers, with weights of mean 1."""
        total, n = self.weighted.sum(axis=1, keepdims=True), self.count.sum(axis=1)
        share = self.weighted / np.where(total > 0, total, 1.0)
        each = share * np.log(np.where(share > 0, share, 1.0))
        return each.sum(axis=1) * n

    def given(self, domain: int) -> np.ndarray:
        """Positions of the levels that a group has."""
        return np.flatnonzero(self.count[domain])

    def cuts(self, domain: int) -> np.ndarray:
        """(J−1,) values between neighbouring levels of a group; inf after its last level."""
        own = self.levels[self.given(domain)]
        out = np.full(len(self.levels) - 1, np.inf)
        out[: len(own) - 1] = (own[1:] + own[:-1]) / 2
        return out

    def start(self, domain: int) -> np.ndarray:
        """(J−1,) thresholds of the model without drivers; inf after the group's last level."""
        below = np.cumsum(self.weighted[domain, self.given(domain)])
        out = np.full(len(self.levels) - 1, np.inf)
        out[: len(below) - 1] = np.log(below[:-1] / (below[-1] - below[:-1]))
        return out

    def threshold(self, domain: int) -> np.ndarray:
        """(J−1,) for each pair of neighbouring levels the place of the group's threshold between them.

        −1 where the group has no level below, or none above.
        """
        below = np.cumsum(self.count[domain] > 0)[:-1]
        return np.where(below < len(self.given(domain)), below - 1, -1)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Marks the level of each row twice: to be summed with its weight, and once per row.

    cuts : (L−1,) values between neighbouring levels, in the coordinates of z. outcome : position of the outcome in z.
    """

    cuts: np.ndarray
    outcome: int

    @property
    def size(self) -> int:
        """Two figures per level."""
        return 2 * (len(self.cuts) + 1)

    def __call__(self, z: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """(n, q) scores of rows z (n, p)."""
        mark = np.eye(len(self.cuts) + 1)[np.searchsorted(self.cuts, z[:, self.outcome])]
        return np.hstack([mark, mark / weight[:, None]])


def word(level: float) -> str:
    """A level in names and sentences: whole numbers without a decimal point."""
    text = f"{level:g}"
    return text if float(text) == level else repr(float(level))


def levels_asked(source: Source, outcome: Variable, family: str) -> np.ndarray:
    """(L,) different values of the outcome that somebody gave, complete or not.

    Raises
    ------
    SampleError
        For an outcome of categories, without answers, or with more values than levels can have.
    """
    column = columns_of(outcome)[0]
    counted = source.levels([column])
    given = np.asarray(counted.unweighted[0]).sum(axis=0) > 0
    found = [level for level, some in zip(counted.levels[0], given.tolist(), strict=True) if some]
    if isinstance(outcome, Recode):
        found = [float(outcome.values[level]) for level in found if level in outcome.values]
    elif any(isinstance(level, str) for level in found):
        raise _categories(column, found)
    if not found:
        raise SampleError(f"The outcome {term_of(outcome)!r} has no answers.")
    values = np.unique(np.array(found, float))
    if len(values) > MOST_LEVELS:
        raise SampleError(
            f"The outcome {term_of(outcome)!r} has {len(values)} different values; family={family!r} is for up to "
            f"{MOST_LEVELS} levels. Use family='linear', or put the values into levels with Recode."
        )
    return values


def _categories(column: str, found: Sequence[str]) -> SampleError:
    """Word an outcome of categories, with the recoding that says which of them counts."""
    event = next((level for level in found if level.strip().casefold() in AGREED), found[-1])
    shown = found if len(found) < 7 else [*[level for level in found if level != event][:5], event]
    codes = ", ".join(f"{level!r}: {int(level == event)}" for level in shown)
    name = f"{column}={event}"
    return SampleError(
        f"The outcome {column!r} holds categories such as {', '.join(map(repr, found[:3]))}, not numbers. Say what "
        f"counts; for {event!r} against the others: outcome=csat.Recode({name!r}, {column!r}, {{{codes}}})."
    )


def answers_of(sums: np.ndarray, levels: np.ndarray) -> Answers:
    """The answers of the complete rows, from the sums (D, 2L) of `Counts` over the levels (L,) that can occur."""
    weighted, count = sums[:, : len(levels)], np.rint(sums[:, len(levels) :]).astype(int)
    some = count.any(axis=0)
    return Answers(levels[some], weighted[:, some], count[:, some], tuple(levels[~some].tolist()))


def check_levels(outcome: str, family: str, levels: Sequence[float]) -> None:
    """Refuse an outcome with other than two values for "logit", with fewer than three for "ordered".

    Raises
    ------
    SampleError
    """
    listed = ", ".join(word(level) for level in levels[:6]) + (" …" if len(levels) > 6 else "")
    if not len(levels):
        raise SampleError(f"Nobody answered the outcome {outcome!r} and all drivers.")
    if len(levels) < 2:
        raise SampleError.constant([outcome])
    if family == "logit" and len(levels) > 2:
        values = ", ".join(f"{word(level)}: {int(level == levels[-1])}" for level in levels)
        raise SampleError(
            f"family='logit' is for an outcome with two values; {outcome!r} has {len(levels)}: {listed}. Use "
            f"family='ordered', or say which count: outcome=csat.Recode('top', {outcome!r}, {{{values}}})."
        )
    if family == "ordered" and len(levels) < 3:
        raise SampleError(
            f"family='ordered' is for an outcome with three levels or more; {outcome!r} has two: {listed}. "
            "Use family='logit'."
        )
