"""What is summed of a partition, how a part travels, and how parts add up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce as fold
from operator import add
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

from csat import reduce
from csat.design import Design
from csat.moments import Groups, Levels, Patterns, RowScores, Variable, join_patterns
from csat.moments.arrow import cells_of, cells_table
from csat.moments.merging import merge
from csat.streams.stream import values_in

#: Metadata of a table that hold the facts besides its columns.
_FACTS = b"csat"


class Task(Protocol):
    """What to sum of rows; sent to the workers, so it holds no rows itself."""

    def part(self, batches: Iterator[pa.RecordBatch]) -> Any:
        """The sums of the rows of a partition; at least one batch."""

    def packed(self, part: Any) -> pa.Table:
        """A part as it travels."""

    def unpacked(self, table: pa.Table) -> Any:
        """The part that travelled."""

    def joined(self, parts: Sequence[Any]) -> Any:
        """The sum of at least one part, in their order."""


@dataclass(frozen=True, slots=True)
class _OfVariables:
    """Which variables are summed, for whom, and by which design; as `csat.reduce.groups` takes them."""

    names: Sequence[Variable]
    middle: np.ndarray
    by: tuple[str, ...]
    rule: str
    design: Design
    inside: str | None


@dataclass(frozen=True, slots=True)
class Summing(_OfVariables):
    """Moments; see `csat.reduce.groups`."""

    scores: Mapping[tuple[str, ...], RowScores] | None

    def part(self, batches: Iterator[pa.RecordBatch]) -> Groups:  # noqa: D102
        return reduce.groups(
            batches, list(self.names), self.middle, by=self.by, rule=self.rule, design=self.design,
            inside=self.inside, scores=self.scores, threads=1, partial=True,
        )  # fmt: skip

    def packed(self, part: Groups) -> pa.Table:  # noqa: D102
        return cells_table(part)

    def unpacked(self, table: pa.Table) -> Groups:  # noqa: D102
        return cells_of(table, Groups)

    def joined(self, parts: Sequence[Groups]) -> Groups:  # noqa: D102
        return merge(parts)


@dataclass(frozen=True, slots=True)
class Totalling(_OfVariables):
    """Totals of cells and moments of domains; see `csat.reduce.totals`."""

    def part(self, batches: Iterator[pa.RecordBatch]) -> tuple[Groups, Groups]:  # noqa: D102
        return reduce.totals(
            batches, list(self.names), self.middle, by=self.by, rule=self.rule, design=self.design,
            inside=self.inside, threads=1, partial=True,
        )  # fmt: skip

    def packed(self, part: tuple[Groups, Groups]) -> pa.Table:  # noqa: D102
        cells, whole = part
        # totals are no triangle of a matrix: they travel as scores do
        sums = replace(cells, gram=np.zeros((len(cells.n), 0, 0)), score_sums=cells.gram[:, 0])
        return pa.concat_tables([cells_table(sums, "cells"), cells_table(whole, "whole")])

    def unpacked(self, table: pa.Table) -> tuple[Groups, Groups]:  # noqa: D102
        cells, whole = (cells_of(table, Groups, part) for part in ("cells", "whole"))
        return replace(cells, gram=np.asarray(cells.score_sums)[:, None], score_sums=None), whole

    def joined(self, parts: Sequence[tuple[Groups, Groups]]) -> tuple[Groups, Groups]:  # noqa: D102
        return merge([cells for cells, _ in parts]), merge([whole for _, whole in parts])


@dataclass(frozen=True, slots=True)
class Counting:
    """Answers by level, and the respondents of no group; see `csat.reduce.level_counts`."""

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    by: tuple[str, ...]
    design: Design
    inside: str | None

    def part(self, batches: Iterator[pa.RecordBatch]) -> tuple[Levels, int]:  # noqa: D102
        return reduce.level_counts(
            batches, self.names, self.values, by=self.by, design=self.design, inside=self.inside, threads=1
        )

    def packed(self, part: tuple[Levels, int]) -> pa.Table:  # noqa: D102
        counts, ungrouped = part
        columns = {f"w{i}": _column(values) for i, values in enumerate(counts.weighted)}
        columns |= {f"n{i}": _column(values) for i, values in enumerate(counts.unweighted)}
        return _table(columns | {"missing": _column(counts.missing)}, domains=counts.domains, ungrouped=ungrouped)

    def unpacked(self, table: pa.Table) -> tuple[Levels, int]:  # noqa: D102
        facts, places = _facts(table), range(len(self.names))
        counts = Levels(
            self.names,
            self.values,
            self.by,
            tuple(map(tuple, facts["domains"])),
            tuple(_matrix(table, f"w{i}", len(self.values[i])) for i in places),
            tuple(_matrix(table, f"n{i}", len(self.values[i])) for i in places),
            _matrix(table, "missing", len(self.names)),
        )
        return counts, facts["ungrouped"]

    def joined(self, parts: Sequence[tuple[Levels, int]]) -> tuple[Levels, int]:  # noqa: D102
        return fold(add, [counts for counts, _ in parts]), sum(ungrouped for _, ungrouped in parts)


@dataclass(frozen=True, slots=True)
class Patterning:
    """Moments by pattern of answered variables; see `csat.reduce.patterns`."""

    names: Sequence[Variable]
    middle: np.ndarray
    by: tuple[str, ...]
    design: Design
    inside: str | None

    def part(self, batches: Iterator[pa.RecordBatch]) -> Patterns:  # noqa: D102
        return reduce.patterns(
            batches, self.names, self.middle, by=self.by, design=self.design, inside=self.inside, threads=1,
            partial=True,
        )  # fmt: skip

    def packed(self, part: Patterns) -> pa.Table:  # noqa: D102
        columns = {
            "domain": pa.array(part.domain, pa.int64()),
            "n": pa.array(part.n, pa.int64()),
            "answered": _column(part.answered.astype(np.int8)),
            "gram": _column(part.gram.reshape(len(part.n), part.gram.shape[1] ** 2)),
        }
        return _table(
            columns, names=part.names, domains=part.domains, silent=part.silent.tolist(), ungrouped=part.ungrouped
        )

    def unpacked(self, table: pa.Table) -> Patterns:  # noqa: D102
        facts = _facts(table)
        size = len(facts["names"])
        return Patterns(
            tuple(facts["names"]),
            self.middle,
            self.by,
            tuple(map(tuple, facts["domains"])),
            table.column("domain").to_numpy(),
            _matrix(table, "answered", size).astype(bool),
            _matrix(table, "gram", (1 + size) ** 2).reshape(-1, 1 + size, 1 + size),
            table.column("n").to_numpy(),
            np.array(facts["silent"], int),
            facts["ungrouped"],
        )

    def joined(self, parts: Sequence[Patterns]) -> Patterns:  # noqa: D102
        return replace(join_patterns(parts), names=parts[0].names)


@dataclass(frozen=True, slots=True)
class Finding:
    """Values that occur in a column."""

    column: str
    inside: str | None

    def part(self, batches: Iterator[pa.RecordBatch]) -> set[str]:  # noqa: D102
        return values_in(batches, self.column, self.inside)

    def packed(self, part: set[str]) -> pa.Table:  # noqa: D102
        return pa.table({"value": pa.array(sorted(part), pa.string())})

    def unpacked(self, table: pa.Table) -> set[str]:  # noqa: D102
        return set(table.column("value").to_pylist())

    def joined(self, parts: Sequence[set[str]]) -> set[str]:  # noqa: D102
        return set().union(*parts)


@dataclass(frozen=True, slots=True)
class Looking:
    """How many respondents are inside a domain."""

    inside: str | None

    def part(self, batches: Iterator[pa.RecordBatch]) -> int:  # noqa: D102
        mark = self.inside
        return sum(b.num_rows if mark is None else int(np.sum(b.column(mark).to_numpy(zero_copy_only=False)))
                   for b in batches)  # fmt: skip

    def packed(self, part: int) -> pa.Table:  # noqa: D102
        return pa.table({"n": [part]})

    def unpacked(self, table: pa.Table) -> int:  # noqa: D102
        return int(table.column("n")[0].as_py())

    def joined(self, parts: Sequence[int]) -> int:  # noqa: D102
        return sum(parts)


def _column(matrix: np.ndarray) -> pa.Array:
    """A list per row of a matrix (m, k)."""
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.ascontiguousarray(matrix).ravel()))


def _matrix(table: pa.Table, name: str, width: int) -> np.ndarray:
    """(m, width) numbers of a column of lists."""
    column = table.column(name).combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), width)


def _table(columns: Mapping[str, pa.Array], **facts: Any) -> pa.Table:
    return pa.table(dict(columns)).replace_schema_metadata({_FACTS: json.dumps(facts, ensure_ascii=False)})


def _facts(table: pa.Table) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(table.schema.metadata[_FACTS])
    return found
