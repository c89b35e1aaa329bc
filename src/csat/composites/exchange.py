"""Group labels exchanged between sampling units: the Gram matrices of all permutations through matrix products."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import lgamma
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from csat.composites.draws import usable
from csat.composites.fitted import Fitted
from csat.composites.resampling import FEWEST, MOST, check_whole
from csat.composites.scores import group_positions
from csat.design import Design
from csat.errors import OptionError, SampleError
from csat.moments import Groups, Source, TableSource, columns_of, source_of

#: Labels and numbers of Gram matrices that are held at once, and rows whose products are.
MOST_LABELS, MOST_NUMBERS, ROWS = 2 * 10**7, 10**7, 4096


@runtime_checkable
class DesignedTable(TableSource, Protocol):
    """Rows with the design that they were drawn under."""

    @property
    def design(self) -> Design:
        """Columns of strata and sampling units."""


@dataclass(frozen=True, slots=True)
class Shuffles:
    """How often labels are exchanged, and the seed: the same seed gives the same figures."""

    size: int
    seed: int

    def __post_init__(self) -> None:
        check_whole("permutations", self.size, FEWEST, MOST)
        check_whole("seed", self.seed, 0, 2**63)


@dataclass(frozen=True, slots=True, eq=False)
class Exchange:
    """Units that carry a group label each, and between which of them labels may be exchanged.

    label : (u,) position of the group. block : (u,) labels move within a block only. groups : D.
    rows : (u, 1 + k) of respondents around midpoints, led by 1; empty if units are sums. weight : (u,).
    sums : (u, t) upper triangles of the units' Gram matrices; empty if units are respondents.
    midpoint : (k,). words : what is exchanged.
    """

    label: np.ndarray
    block: np.ndarray
    groups: int
    rows: np.ndarray
    weight: np.ndarray
    sums: np.ndarray
    midpoint: np.ndarray
    words: str

    def among(self, groups: list[int]) -> Exchange:
        """The units of some groups alone, which are numbered anew."""
        kept = np.isin(self.label, groups)
        place = np.zeros(self.groups, int)
        place[groups] = np.arange(len(groups))
        return replace(
            self, label=place[self.label[kept]], block=np.unique(self.block[kept], return_inverse=True)[1],
            groups=len(groups), rows=self.rows[kept] if len(self.rows) else self.rows, weight=self.weight[kept],
            sums=self.sums[kept] if len(self.sums) else self.sums,
        )  # fmt: skip

    @property
    def arrangements(self) -> float:
        """Number of different ways to hand out the labels; inf beyond 1e300."""
        table = np.zeros((int(self.block.max()) + 1, self.groups), int)
        np.add.at(table, (self.block, self.label), 1)
        logs = sum(lgamma(1 + n) for n in table.sum(axis=1).tolist()) - sum(lgamma(1 + n) for n in table.ravel())
        return float(np.round(np.exp(logs))) if logs < 690 else float("inf")

    @property
    def fixed(self) -> int:
        """Units in blocks of one group, whose labels stay."""
        table = np.zeros((int(self.block.max()) + 1, self.groups), int)
        np.add.at(table, (self.block, self.label), 1)
        return int(table[(table > 0).sum(axis=1) < 2].sum())

    def notes(self, size: int) -> list[str]:
        """What to beware of in R = `size` permutations."""
        found = []
        if self.arrangements < 2:
            return [f"No labels can be exchanged ({self.words}): there is no p-value. Compare them by their contrast."]
        if self.arrangements < size:
            found.append(
                f"Only {self.arrangements:.0f} arrangements of the group labels are possible ({self.words}): no p-value"
                f" can be below {2 / self.arrangements:.2g}."
            )
        if self.fixed:
            found.append(
                f"{self.fixed} of {len(self.label)} units lie in strata or sampling units of one group: their labels "
                "stay, and they say nothing about differences."
            )
        return found

    def grams(self, labels: np.ndarray) -> np.ndarray:
        """(R, D, 1 + k, 1 + k) Gram matrices of the groups under labels (R, u)."""
        k = len(self.midpoint)
        upper = np.triu_indices(1 + k)
        flat = np.zeros((len(labels), self.groups, len(upper[0])))
        for start in range(0, len(self.label), ROWS):
            part = slice(start, start + ROWS)
            products = self._products(part, upper)
            for d in range(self.groups - 1):
                flat[:, d] += (labels[:, part] == d).astype(float) @ products
            flat[:, -1] += products.sum(axis=0)
        flat[:, -1] -= flat[:, :-1].sum(axis=1)  # what all have less what the other groups have
        out = np.empty((len(labels), self.groups, 1 + k, 1 + k))
        out[..., upper[0], upper[1]] = flat
        out[..., upper[1], upper[0]] = flat
        return out

    def _products(self, part: slice, upper: tuple[np.ndarray, ...]) -> np.ndarray:
        """(b, t) what some of the units add to the upper triangle of a Gram matrix."""
        if len(self.sums):
            return np.asarray(self.sums[part])
        rows = self.rows[part]
        return np.asarray((self.weight[part, None] * rows)[:, upper[0]] * rows[:, upper[1]])

    def permuted(self, figures: Callable[[np.ndarray], np.ndarray], asked: Shuffles) -> np.ndarray:
        """(R, …) figures of R permutations of the labels within blocks.

        Parameters
        ----------
        figures : maps Gram matrices (r, D, 1 + k, 1 + k) to (r, …).

        Returns
        -------
        (R, …) array
            NaN if there is nothing to exchange.
        """
        if self.arrangements < 2:
            alone = figures(self.grams(self.label[None]))
            return np.full((asked.size, *alone.shape[1:]), np.nan)
        rng, size = np.random.default_rng(asked.seed), asked.size
        units, numbers = len(self.label), self.groups * (1 + len(self.midpoint)) ** 2
        at_once = max(1, min(size, MOST_LABELS // units, MOST_NUMBERS // numbers))
        sizes = [min(at_once, size - start) for start in range(0, size, at_once)]
        return np.concatenate([figures(self.grams(self.shuffled(rng, r))) for r in sizes])

    def shuffled(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """(size, u) labels, shuffled within blocks."""
        small = self.label.astype(np.int16)
        if not self.block.any():
            return rng.permuted(np.broadcast_to(small, (size, len(small))), axis=1)
        home = np.argsort(self.block, kind="stable")
        order = np.argsort(self.block + rng.random((size, len(small))), axis=1)
        out = np.empty((size, len(small)), np.int16)
        out[:, home] = small[order]
        return out


def exchange_of(result: Fitted, source: Source) -> Exchange:
    """The units of a result's sample between which group labels can be exchanged.

    Sampling units if each of them belongs to one group as a whole; else respondents, within sampling units if there are
    some; always within strata. Weights go with the answers.

    Raises
    ------
    OptionError
        If the result has no two groups with estimates.
    SampleError
        If the source is not the one of the result, has no rows or units, or strata leave nothing to exchange.
    """
    kept = estimated(result)
    answers = source_of(source)
    summary = answers.groups(list(result.layout.variables), result.by, "listwise")
    counted = np.array([summary.moments(domain).n for domain in summary.domains])
    if summary.domains != result.domains or not np.array_equal(counted, result.layout.n):
        raise SampleError(
            "The groups of this source are not those that the model was estimated for: pass the survey that went into "
            "pls(…)."
        )
    found = _units(summary) if _whole_units(summary) else _respondents(result, answers, summary)
    found = found.among(kept)
    if found.arrangements < 2:
        raise SampleError(
            f"No group labels can be exchanged: every {'stratum' if summary.psus else 'stratum of the design'} holds "
            "one group only. Compare the groups with method='contrast'."
        )
    return found


def estimated(result: Fitted) -> list[int]:
    """Positions of the groups with estimates; at least two."""
    kept = np.flatnonzero(usable(result.solution)).tolist()
    if len(kept) < 2:
        raise OptionError(f"Groups are compared: {_missing(result, kept)}")
    return kept


def _missing(result: Fitted, kept: Sequence[int]) -> str:
    """Why there are no two groups to compare."""
    if len(result.domains) < 2:
        return "estimate the model with pls(…, by=…) for two groups or more."
    size = len(result.layout.keys)
    why = [
        f"{label!r} ({result.layout.n[d]} complete answers; {result.estimates.unavailable[d * size]})"
        for d, label in enumerate(result.labels)
        if d not in kept
    ]
    more = f" and {len(why) - 3} more" if len(why) > 3 else ""
    alone = result.labels[kept[0]]
    return (
        f"of {len(result.domains)} groups only {alone!r} has estimates, not {', '.join(why[:3])}{more}. "
        "Merge small groups, or use fewer items, and estimate the model again."
    )


def _whole_units(summary: Groups) -> bool:
    """Whether there are sampling units, each wholly in one group."""
    return bool(summary.psus) and len(np.unique(summary.psu)) == len(summary.psu)


def _units(summary: Groups) -> Exchange:
    """Sampling units as sums."""
    upper = np.triu_indices(summary.gram.shape[-1])
    return Exchange(
        summary.domain, _dense(summary.stratum), len(summary.domains), np.empty((0, 0)), np.ones(len(summary.domain)),
        summary.gram[:, upper[0], upper[1]], summary.midpoint, "sampling units" + _within(summary, ""),
    )  # fmt: skip


def _respondents(result: Fitted, source: Source, summary: Groups) -> Exchange:
    """Respondents, within sampling units if there are some, else within strata."""
    if not isinstance(source, DesignedTable):
        raise SampleError.needs_rows("Exchanging group labels")
    parts = [list(columns_of(variable)) for variable in result.layout.variables]  # several if it is a product
    roles = [name for name in (source.design.stratum, source.design.psu) if name is not None]
    columns = [name for names in parts for name in names]
    frame = source.frame(list(dict.fromkeys([*columns, *result.by, *roles])))
    values = np.column_stack([frame[names].to_numpy(float).prod(axis=1) for names in parts])
    label = group_positions(frame, result)
    kept = ~np.isnan(values).any(axis=1) & (label >= 0)
    block = frame.loc[kept].groupby(roles, sort=True, dropna=False).ngroup().to_numpy() if roles else _zeros(kept)
    rows = np.column_stack([np.ones(int(kept.sum())), values[kept] - summary.midpoint])
    words = "respondents" + _within(summary, "sampling units" if summary.psus else "")
    weight = np.asarray(source.weight, float)[kept]
    return Exchange(
        label[kept], _dense(block), len(summary.domains), rows, weight, np.empty((0, 0)), summary.midpoint, words
    )


def _within(summary: Groups, units: str) -> str:
    where = units or ("strata" if len(summary.strata) > 1 else "")
    return f" within {where}" if where else ""


def _dense(codes: np.ndarray) -> np.ndarray:
    return np.asarray(pd.factorize(codes)[0])


def _zeros(kept: np.ndarray) -> np.ndarray:
    return np.zeros(int(kept.sum()), int)


def notes_of(parts: Sequence[Exchange], labels: Sequence[tuple[str, str]], size: int) -> tuple[str, ...]:
    """What to beware of in the permutations of each pair of groups."""
    several = len(parts) > 1
    return tuple(
        f"{one} and {other}: {note}" if several else note
        for part, (one, other) in zip(parts, labels, strict=True)
        for note in part.notes(size)
    )


def tails(draws: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(…,) probabilities under permutation of a figure as low, and as high, as the observed one.

    Parameters
    ----------
    draws : (R, …) figures of permutations, NaN where one has none. observed : (…,).

    Notes
    -----
    The arrangement of the sample counts as one of the permutations, so that p is never 0 and the test keeps its level.
    Source: Phipson & Smyth (2010), Statistical Applications in Genetics and Molecular Biology 9(1), article 39.
    """
    known = np.isfinite(draws)
    slack = 1e-10 * (1.0 + np.abs(observed))
    low = ((draws <= observed + slack) & known).sum(axis=0)
    high = ((draws >= observed - slack) & known).sum(axis=0)
    size = known.sum(axis=0) + 1.0
    unknown = ~np.isfinite(observed) | (size < 2)
    return np.where(unknown, np.nan, (1 + low) / size), np.where(unknown, np.nan, (1 + high) / size)


def two_sided(draws: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """(…,) twice the smaller of both `tails`, at most 1."""
    low, high = tails(draws, observed)
    return np.minimum(2 * np.minimum(low, high), 1.0)
