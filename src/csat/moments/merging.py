"""Adding summaries of disjoint respondents: batches, files, provinces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Generic, cast

import numpy as np

from csat.errors import DesignError, SampleError
from csat.moments.cells import C, Cells, sum_at
from csat.moments.running import Numbers, Places, Sum

#: How many units fit beside a domain into one 64-bit key.
UNITS = 2**32
#: The sums over cells.
OF_CELLS = ("gram", "square", "n", "counts", "score_sums", "score_squares")
#: Those that a part may leave to be filled in, and the others.
FILLED = ("gram", "square", "counts")
LEFT_TO_PARTS = tuple(name for name in OF_CELLS if name not in FILLED)
#: Adds rows to the sums of `FILLED`, given the positions (C,) of the part's cells; each of them occurs once.
Fill = Callable[[np.ndarray, Sum, Sum, Sum], None]


def merge(parts: Sequence[C]) -> C:
    """Add summaries of disjoint respondents (batches, files, provinces); cells with the same labels add.

    Parts around other midpoints are moved to those of the first, which is exact algebra on the sums.

    Raises
    ------
    SampleError
        If the parts differ in variables, sample rule or grouping.
    DesignError
        If a stratum's population size differs between parts.
    """
    total: Total[C] = Total()
    for part in parts:
        total.add(part)
    return total.result()


class Total(Generic[C]):
    """A running sum of summaries: each part is added in place, so that a stream of them costs no more than its parts.

    The parts are added in the order in which they come; the same order gives the same bits.
    """

    def __init__(self) -> None:
        self._first: C | None = None
        self._alone = True
        self._domains: Places[tuple[str, ...]] = Places()
        self._strata: Places[str] = Places()
        self._psus: Places[tuple[str, str]] = Places()
        self._cells = Numbers()
        self._sums: dict[str, Sum] = {}
        self._population = np.zeros(0)
        self._second: Total[C] | None = None
        self._share: dict[str, float] = {}
        self._overlap: np.ndarray | None = None
        self._flags: dict[str, Any] = {"ungrouped": 0, "incomplete": 0, "published": True, "calibrated": False}

    def add(self, part: C, fill: Fill | None = None) -> None:
        """Add one part.

        Parameters
        ----------
        part : to add.
        fill : adds what `part` itself leaves out, `gram`, `square` and `counts`, to the running sums.

        Raises
        ------
        SampleError, DesignError
            See `merge`.
        """
        if self._first is not None:
            _check_alike(part, self._first)
            if not part.units.sum():
                return
        if self._first is None or (self._alone and not self._first.units.sum()):
            self._first = part
            if fill is None:
                return
        elif self._alone:
            self._put(self._first, None)
        self._alone = False
        self._put(_around(part, self._first.midpoint), fill)

    def result(self) -> C:
        """The sum of all parts, domains and cells in the order of their labels; a single part is that part. Once only.

        Raises
        ------
        SampleError
            Without a part.
        """
        if self._first is None:
            raise SampleError("There is no summary to add; name at least one.")
        return replace(self._first, residuals=None) if self._alone else self._sorted(self._first)

    def _put(self, part: C, fill: Fill | None) -> None:
        domain, stratum = self._domains.of(part.domains), self._strata.of(part.strata)
        unit = self._psus.of(part.psus)[part.psu] if part.psus else stratum[part.stratum]
        at = self._cells.of(domain[part.domain] * UNITS + unit)
        if fill is None:
            self._put_cells(part, at, OF_CELLS)
        else:
            self._put_cells(part, at, LEFT_TO_PARTS)
            fill(at, *(self._sum(name) for name in FILLED))
        self._put_replicates(part, domain)
        self._put_strata(part, stratum)
        self._flags["ungrouped"] += part.ungrouped
        self._flags["incomplete"] += part.incomplete
        self._flags["published"] &= part.published
        self._flags["calibrated"] |= part.calibrated

    def _put_cells(self, part: C, at: np.ndarray, names: Sequence[str]) -> None:
        cells, where = np.unique(at, return_inverse=True)
        for name in names:
            values = getattr(part, name)
            if values is not None and len(cells) == len(at):
                self._sum(name).add(at, values)
            elif values is not None:
                self._sum(name).add(cells, sum_at(values, where, len(cells)))

    def _put_strata(self, part: C, at: np.ndarray) -> None:
        self._sum("units").add(at, part.units)
        known = np.full(len(self._strata), np.nan)
        known[: len(self._population)] = self._population
        differs = ~np.isnan(known[at]) & (known[at] != part.population)
        if differs.any():
            label = part.strata[int(np.flatnonzero(differs)[0])]
            raise DesignError(f"Stratum {label!r} has two different population sizes; it must have one.")
        known[at] = part.population
        self._population = known
        if part.second is not None:
            self._second = self._second or Total()
            self._second.add(cast("C", part.second))
            self._share.update(zip(part.second.strata, _share(part.second).tolist(), strict=True))

    def _put_replicates(self, part: C, at: np.ndarray) -> None:
        if part.replicate_sums is not None:
            self._sum("replicate_sums").add(at, part.replicate_sums)
        if part.overlap is not None:
            self._overlap = part.overlap if self._overlap is None else self._overlap + part.overlap

    def _sum(self, name: str) -> Sum:
        return self._sums.setdefault(name, Sum())

    def _sorted(self, first: C) -> C:
        domains, strata, psus = self._domains.sorted(), self._strata.sorted(), self._psus.sorted()
        key = self._cells.labels
        domain, unit = domains.rank[key // UNITS], key % UNITS
        psu = psus.rank[unit] if psus.labels else np.full(len(key), -1)
        of_psu = np.array([self._strata.place[stratum] for stratum, _ in psus.labels], int)
        stratum = strata.rank[of_psu[psu] if psus.labels else unit]
        order = np.lexsort((psu, stratum, domain))
        sums: dict[str, Any] = {
            name: self._sums.pop(name).taken(order)  # nobody needs them in the other order: memory for one
            for name in OF_CELLS
            if name in self._sums and self._sums[name].values is not None
        }
        units = self._sums["units"].taken(strata.order)
        replicates = self._sums.get("replicate_sums")
        return replace(
            first,
            **sums,
            **self._flags,
            residuals=None,
            second=self._joined_second(),
            domains=domains.labels,
            strata=strata.labels,
            psus=psus.labels,
            units=np.bincount(strata.rank[of_psu], minlength=len(units)) if psus.labels else units,
            population=self._population[strata.order],
            domain=domain[order],
            stratum=stratum[order],
            psu=psu[order],
            replicate_sums=None if replicates is None else replicates.taken(domains.order),
            overlap=self._overlap,
        )

    def _joined_second(self) -> C | None:
        if self._second is None:
            return None
        whole = self._second.result()
        return replace(whole, share=np.array([self._share[label] for label in whole.strata]))


def _check_alike(part: Cells, first: Cells) -> None:
    """Refuse parts that tell of different things. A part without rows has no units of any kind."""
    empty = not part.units.sum() or not first.units.sum()

    def subject(cells: Cells) -> tuple:
        units = () if empty else (bool(cells.psus), cells.square is None)
        return cells.names, cells.variables, cells.rule, cells.by, *units

    def replicates(cells: Cells) -> tuple | None:
        return None if cells.replicate_sums is None else cells.replicate_sums.shape[1:]

    if subject(part) != subject(first):
        raise SampleError("Only summaries of the same variables, sample rule, groups and kind of unit add up.")
    if (part.lone_psu, part.replication) != (first.lone_psu, first.replication):
        raise SampleError("Only summaries with the same rule for lone units and the same replication add up.")
    if replicates(part) != replicates(first):
        raise SampleError("Only summaries with the same number of replicate weights add up.")


def _around(part: C, midpoint: np.ndarray) -> C:
    """The part around the midpoints of the others."""
    if np.array_equal(part.midpoint, midpoint):
        return part
    if part.score_sums is not None or not np.isfinite(part.midpoint - midpoint).all():
        raise SampleError("Only summaries around the same midpoints add up; reduce both with one questionnaire.")
    return part.recentre(midpoint)


def _share(part: Cells) -> np.ndarray:
    return np.ones(len(part.strata)) if part.share is None else part.share
