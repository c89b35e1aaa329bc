"""From the halls to the nation: groups joined to the groups above them in an organisation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from csat.errors import OptionError, SampleError
from csat.moments.cells import C, sum_at
from csat.moments.guards import group_names, one_name, shown
from csat.moments.merging import OF_CELLS

#: Groups without a parent that an error lists.
_LISTED = 8


def rolled(cells: C, column: str, parents: Any, into: str | None = None) -> C:
    """Join the groups of a column to those above them: halls to cities, cities to provinces.

    Parameters
    ----------
    cells : grouped by `column`, and perhaps by more.
    column : grouping column whose labels are replaced.
    parents : label → label of the group above; or a table with a column of each name, `column` and `into`.
    into : name of the new grouping column; None: it keeps the old name.

    Returns
    -------
    of the kind of `cells`
        Units and strata stay as they are, so that standard errors are those of the larger groups.

    Raises
    ------
    OptionError
        For a column that the cells are not grouped by, a taken name, or parents that are no map.
    SampleError
        For groups without a parent, all of them listed.
    """
    at, name = _place(cells.by, column, into)
    above = _parents(parents, column, name)
    lost = sorted({domain[at] for domain in cells.domains} - above.keys())
    if lost:
        listed = ", ".join(map(repr, lost[:_LISTED])) + (f" and {len(lost) - _LISTED} more" if lost[_LISTED:] else "")
        raise SampleError(
            f"{len(lost)} of the groups of {column!r} have no parent: {listed}. Add them to the organisation; nobody "
            "may get lost on the way up."
        )
    moved = [(*domain[:at], above[domain[at]], *domain[at + 1 :]) for domain in cells.domains]
    by = tuple(name if own == column else own for own in cells.by)
    return _joined(cells, by, moved)


def joined_units(cells: C, units: int, *, random: bool = False) -> C:
    """Join the sampling units of each stratum to so many random groups, by their labels: the same in every file.

    Parameters
    ----------
    cells : with declared units. units : groups per stratum at most; some may stay empty where units are few.
    random : the units are numbered random groups of respondents already, which are joined by their numbers.

    Returns
    -------
    of the kind of `cells`
        Without finite population correction and second stage, whose sizes count the units themselves.
    """
    numbers = [int(unit) if random else _number(stratum, unit) for stratum, unit in cells.psus]
    width = len(str(units - 1))
    groups = [
        (stratum, f"{number % units:0{width}d}") for (stratum, _), number in zip(cells.psus, numbers, strict=True)
    ]
    psus = tuple(sorted(set(groups)))
    place = {unit: i for i, unit in enumerate(psus)}
    code = np.array([place[unit] for unit in groups], int)
    endless = np.full(len(cells.strata), np.inf)
    place_of_stratum = {label: i for i, label in enumerate(cells.strata)}
    sampled = np.bincount([place_of_stratum[stratum] for stratum, _ in psus], minlength=len(cells.strata))
    return _collapsed(
        replace(cells, psus=psus, psu=code[cells.psu], units=sampled, population=endless, second=None, residuals=None)
    )


def _number(stratum: str, unit: str) -> int:
    """A random number that follows from the labels of a unit."""
    return int.from_bytes(hashlib.sha256(f"{stratum}\0{unit}".encode()).digest()[:8], "big")


def _joined(cells: C, by: tuple[str, ...], moved: list[tuple[str, ...]]) -> C:
    """The cells with new labels of their domains, those with the same label as one."""
    domains = tuple(sorted(set(moved)))
    place = {domain: i for i, domain in enumerate(domains)}
    code = np.array([place[domain] for domain in moved], int)
    sums = None if cells.replicate_sums is None else sum_at(cells.replicate_sums, code, len(domains))
    second = None
    if cells.second is not None:
        own = dict(zip(cells.domains, moved, strict=True))
        second = _joined(cells.second, by, [own[domain] for domain in cells.second.domains])
    return _collapsed(
        replace(
            cells, by=by, domains=domains, domain=code[cells.domain], replicate_sums=sums, second=second, residuals=None
        )
    )


def _collapsed(cells: C) -> C:
    """The same sums with one cell for each group, stratum and unit."""
    keys = np.stack([cells.domain, cells.stratum, cells.psu], axis=1)
    distinct, where = np.unique(keys, axis=0, return_inverse=True)

    def added(name: str) -> np.ndarray | None:
        sums = getattr(cells, name)
        return None if sums is None else sum_at(sums, where.ravel(), len(distinct))

    domain, stratum, psu = distinct.T
    summed: dict[str, Any] = {name: added(name) for name in OF_CELLS}
    return replace(cells, domain=domain, stratum=stratum, psu=psu, **summed)


def _place(by: tuple[str, ...], column: Any, into: Any) -> tuple[int, str]:
    """Where the column stands among the grouping columns, and the name of what replaces it."""
    if one_name(column, "column") not in by:
        raise OptionError(f"column={column!r}: the summary is grouped by {', '.join(map(repr, by)) or 'nothing'}.")
    name = column if into is None else one_name(into, "into")
    if name != column and name in by:
        raise OptionError(f"into={name!r}: the summary is grouped by that column already.")
    group_names(name, "into")
    return by.index(column), name


def _parents(parents: Any, column: str, into: str) -> dict[str, str]:
    """Label → label of the group above it."""
    table = parents.to_pandas() if isinstance(parents, pa.Table) else parents
    if isinstance(table, pd.DataFrame):
        if column == into or column not in table.columns or into not in table.columns:
            raise OptionError(
                f"parents: a table needs the column {column!r} and, named by into=…, that of the groups above; asked "
                f"for {into!r}, found {list(table.columns)[:8]}."
            )
        pairs = list(zip(table[column].astype(str), table[into].astype(str), strict=True))
    elif isinstance(table, Mapping) and all(isinstance(word, str) for pair in table.items() for word in pair):
        pairs = list(table.items())
    else:
        raise OptionError(f"parents: a map of label → label above, or a table, is needed; found {shown(parents)}.")
    above = dict(pairs)
    for label, parent in pairs:
        if above[label] != parent:
            raise OptionError(
                f"parents: {label!r} belongs to {above[label]!r} and to {parent!r}; it can have one parent."
            )
    return above
