"""Answers on ordered scales: which categories items have, and how often any two of them meet.

All pair tables of a set of items are one Gram matrix: that of an indicator variable per item and category.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from csat.errors import CsatWarning, OptionError, SampleError
from csat.moments import Groups, Levels, Recode, RowSource, Source, Variable, as_names

#: Categories above which an item is a measurement, not a scale.
MOST_CATEGORIES = 12
#: Answers to a category below which its threshold is called uncertain.
FEW_ANSWERS = 5


class SparseCategoryWarning(CsatWarning):
    """A category of an ordered item that hardly anybody chose."""


@runtime_checkable
class AnswerSource(RowSource, Protocol):
    """A source with rows that can be counted regardless of how they were drawn."""

    def undesigned(self) -> Source:
        """The same rows and weights as one simple random sample."""


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """Variables in their order, the ordered ones with the answers that occur.

    names : (p,). answers : (p,) answers of each ordered item, ascending; empty for a continuous variable.
    sparse : answers with fewer than `FEW_ANSWERS` respondents, with their number, in words.
    unused : answers of the scale that nobody gave, in words; thresholds are counted without them.
    """

    names: tuple[str, ...]
    answers: tuple[tuple[Any, ...], ...]
    sparse: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()

    @property
    def ordered(self) -> np.ndarray:
        """(o,) positions of the ordered items."""
        return np.array([i for i, answers in enumerate(self.answers) if answers], int)

    @property
    def continuous(self) -> np.ndarray:
        """(c,) positions of the other variables."""
        return np.array([i for i, answers in enumerate(self.answers) if not answers], int)

    @property
    def sizes(self) -> np.ndarray:
        """(o,) categories of each ordered item."""
        return np.array([len(self.answers[i]) for i in self.ordered.tolist()], int)

    @property
    def variables(self) -> list[Variable]:
        """(p,) what to sum: the ordered items as 0, 1, 2 …, the others as they are."""
        return [
            Recode(name, name, {answer: float(place) for place, answer in enumerate(answers)}) if answers else name
            for name, answers in zip(self.names, self.answers, strict=True)
        ]

    @property
    def indicators(self) -> list[Variable]:
        """One variable per category of the ordered items, the first of each left out; then the continuous ones.

        The last are there so that the same respondents count.
        """
        made: list[Variable] = [
            Recode(f"{self.names[i]}={chosen}", self.names[i], {one: float(one == chosen) for one in self.answers[i]})
            for i in self.ordered.tolist()
            for chosen in self.answers[i][1:]
        ]
        return [*made, *(self.names[i] for i in self.continuous.tolist())]


def items_of(source: Source, names: Sequence[str], ordered: Sequence[str], by: Sequence[str]) -> Items:
    """Find the categories of ordered items.

    Parameters
    ----------
    names : (p,) variables. ordered : those of them that are ordered items. by : grouping columns.

    Raises
    ------
    SampleError
        If the source is a summary, or an item has one category, too many, or no numbers.
    """
    if not isinstance(source, AnswerSource):
        raise SampleError.needs_rows("Correlating ordered items")
    counts = source.levels(list(ordered), by)
    answers: dict[str, tuple[Any, ...]] = {}
    for name, levels, unweighted in zip(counts.names, counts.levels, counts.unweighted, strict=True):
        found = tuple(level for level, n in zip(levels, unweighted.sum(axis=0).tolist(), strict=True) if n)
        _check_categories(name, found)
        answers[name] = found
    unused = [
        f"{name} = {level:g}"
        for name, levels in zip(counts.names, counts.levels, strict=True)
        for level in levels
        if level not in answers[name]
    ]
    return Items(
        tuple(names), tuple(answers.get(name, ()) for name in names), tuple(_sparse(counts, by)), tuple(unused)
    )


def names_among(asked: Any, known: Sequence[str], what: str) -> tuple[str, ...]:
    """Names asked for, in the order of the known ones: all for True, none for False or None; refuses others."""
    if isinstance(asked, bool):
        return tuple(known) if asked else ()
    listed = as_names(asked, what)
    for name in listed:
        if name not in known:
            raise OptionError.choose(what, name, known)
    return tuple(name for name in known if name in listed)


def _check_categories(name: str, found: Sequence[Any]) -> None:
    if any(isinstance(answer, str) for answer in found):
        raise SampleError.categories(name, found)
    if len(found) < 2:
        given = f"only {found[0]:g}" if found else "no answers"
        raise SampleError(f"{name!r} has {given}: an ordered item needs at least two categories. Leave it out.")
    if len(found) > MOST_CATEGORIES:
        raise SampleError(
            f"{name!r} has {len(found)} different answers, from {min(found):g} to {max(found):g}; up to "
            f"{MOST_CATEGORIES} can be taken as ordered categories. Treat it as continuous: leave it out of the "
            "ordered items."
        )


def _sparse(counts: Levels, by: Sequence[str]) -> list[str]:
    places = [f" in {' × '.join(domain)}" if by else "" for domain in counts.domains]
    return [
        f"{name} = {level:g} ({n}{place})"
        for name, levels, unweighted in zip(counts.names, counts.levels, counts.unweighted, strict=True)
        for place, row in zip(places, unweighted.astype(int).tolist(), strict=True)
        for level, n in zip(levels, row, strict=True)
        if 0 < n < FEW_ANSWERS
    ]


def notes_of_items(items: Items) -> list[str]:
    """Answers of a scale that nobody gave, in words."""
    if not items.unused:
        return []
    more = f" and {len(items.unused) - 8} more" if len(items.unused) > 8 else ""
    return [f"Nobody chose {', '.join(items.unused[:8])}{more}: thresholds are counted over the answers that occur."]


def doubts_of_items(items: Items) -> list[tuple[type[CsatWarning], str]]:
    """Categories that hardly anybody chose: a kind of warning and its wording."""
    if not items.sparse:
        return []
    more = f" and {len(items.sparse) - 8} more" if len(items.sparse) > 8 else ""
    text = (
        f"Categories with fewer than {FEW_ANSWERS} answers: {', '.join(items.sparse[:8])}{more}. They are kept, not "
        "merged; their thresholds, and correlations with them, are uncertain. Join a category with its neighbour in "
        "the data if that makes sense."
    )
    return [(SparseCategoryWarning, text)]


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Weighted counts of the answers of one group, scaled to its number of respondents.

    n : respondents. weight : their weights, summed. sizes : (o,) categories of each ordered item.
    single : (o, K) counts of each item's categories, 0 beyond its last one; K = the largest of `sizes`.
    pairs : (m, 2) positions of two items each, among the ordered ones, the first smaller.
    tables : (m, K, K) counts of their answers, 0 beyond the last category.
    """

    n: int
    weight: float
    sizes: np.ndarray
    single: np.ndarray
    pairs: np.ndarray
    tables: np.ndarray

    @property
    def empty(self) -> np.ndarray:
        """(m,) pairs of categories that no respondent combines."""
        cells = np.prod(self.sizes[self.pairs], axis=1)
        return cells - (self.tables > 0).sum(axis=(1, 2))


def counts_of(source: Source, items: Items, by: Sequence[str]) -> tuple[Groups, tuple[Counts, ...]]:
    """Count every pair of ordered items in every group: the sums behind it, and (D,) counts.

    Raises
    ------
    SampleError
        If a category that occurs is empty in a group, or among the respondents who answered everything.
    """
    if not isinstance(source, AnswerSource):
        raise SampleError.needs_rows("Correlating ordered items")
    summed = source.undesigned().groups(items.indicators, by, "listwise")
    found = tuple(_counts(summed, d, items) for d in range(len(summed.domains)))
    for domain, counts in zip(summed.domains, found, strict=True):
        _check_margins(items, counts, domain, by)
    return summed, found


def _counts(summed: Groups, d: int, items: Items) -> Counts:
    """Counts of one domain from the Gram matrix of the indicators."""
    gram = summed.gram[summed.domain == d].sum(axis=0)
    n, weight = int(summed.n[summed.domain == d].sum()), float(gram[0, 0])
    whole = _whole_indicators(items.sizes, len(gram))
    crossed = whole @ gram @ whole.T * (n / weight)
    crossed[np.abs(crossed) < 1e-9 * n] = 0.0  # what is left of differences between sums of weights
    place = _padded(items.sizes)
    crossed = np.pad(crossed, (0, 1))
    first, second = np.triu_indices(len(items.sizes), 1)
    tables = crossed[place[first][:, :, None], place[second][:, None, :]]
    return Counts(n, weight, items.sizes, np.diag(crossed)[place], np.stack([first, second], axis=1), tables)


def _whole_indicators(sizes: np.ndarray, width: int) -> np.ndarray:
    """(ΣK, width) matrix that turns z = [1, d − ½ …] into an indicator of every category, the first ones too."""
    out = np.zeros((int(sizes.sum()), width))
    row, column = 0, 1
    for size in sizes.tolist():
        rest = np.arange(size - 1)
        out[row + 1 + rest, column + rest] = 1.0
        out[row + 1 + rest, 0] = 0.5
        out[row] = -out[row + 1 : row + size].sum(axis=0)
        out[row, 0] += 1.0
        row, column = row + size, column + size - 1
    return out


def _padded(sizes: np.ndarray) -> np.ndarray:
    """(o, K) places of the categories among all; one place beyond the last stands for none."""
    start, k = np.cumsum(sizes) - sizes, np.arange(sizes.max(initial=0))
    return np.where(k < sizes[:, None], start[:, None] + k, int(sizes.sum()))


def _check_margins(items: Items, counts: Counts, domain: tuple[str, ...], by: Sequence[str]) -> None:
    for at, row in zip(items.ordered.tolist(), counts.single, strict=True):
        for answer, count in zip(items.answers[at], row.tolist(), strict=False):
            if count <= 0:
                place = f" in group {' × '.join(domain)!r}" if by else ""
                raise SampleError(
                    f"Nobody{place} with an answer to every question chose {answer:g} of {items.names[at]!r}, though "
                    "others did: no threshold can be estimated there. Join the category with its neighbour in the "
                    f"data, or leave {'the item or the group' if by else 'the item'} out."
                )
