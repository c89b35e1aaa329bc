"""What a worker does with a partition: clean it, account for it, sum it; and how parts are merged on the way."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from csat.errors import CsatError
from csat.read.batch import Part, Roles, clean_batch, not_asked
from csat.read.ledger import Ledger, Tally
from csat.read.raw import Raw
from csat.read.universe import Universe
from csat.read.weights import WeightReport
from csat.spark.tasks import Task
from csat.streams.book import Findings
from csat.streams.reader import Dress, within

#: A row for each part: its place among them, its sums, what became of the rows, and what went wrong.
SCHEMA = pa.schema([("place", pa.int32()), ("sums", pa.binary()), ("found", pa.string()), ("fault", pa.string())])
#: The same as Spark writes it.
COLUMNS = "place int, sums binary, found string, fault string"


@dataclass(frozen=True, slots=True)
class Work:
    """Cleaning and summing of one partition.

    source : name of the frame. roles : of its columns. universe : rows that count at all.
    wanted : columns of the survey to clean. dress : columns to add. task : what to sum.
    """

    source: str
    roles: Roles
    universe: Universe | None
    wanted: tuple[str, ...]
    dress: Dress
    task: Task

    def summed(self, batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a partition become one row of `SCHEMA`."""
        from pyspark import TaskContext

        context = TaskContext.get()
        place = 0 if context is None else context.partitionId()
        findings = Findings()
        try:
            cleaned = self._cleaned(batches, place, findings)
            first = next(cleaned, None)
            sums = None if first is None else self.task.packed(self.task.part(_chained(first, cleaned)))
        except CsatError as error:
            yield row_of(place, fault=error)
        else:
            yield row_of(place, sums, findings)

    def merged(self, batches: Iterator[pa.RecordBatch]) -> Generator[pa.RecordBatch, None, None]:
        """Parts become one part."""
        rows = [row for batch in batches for row in batch.to_pylist()]
        if not rows:
            return
        place = min(row["place"] for row in rows)
        try:
            sums, findings = self.joined(rows)
            packed = None if sums is None else self.task.packed(sums)
        except CsatError as error:
            yield row_of(place, fault=error)
        else:
            yield row_of(place, packed, findings)

    def joined(self, rows: Sequence[dict[str, Any]]) -> tuple[Any, Findings]:
        """The sum of parts, None if they have no rows, and all their findings.

        Raises
        ------
        CsatError
            That was raised where a part was summed.
        """
        ordered = sorted(rows, key=lambda row: row["place"])
        raise_first(row["fault"] for row in ordered)
        findings = Findings()
        for row in ordered:
            _enter(findings, row["found"])
        parts = [self.task.unpacked(_read(row["sums"])) for row in ordered if row["sums"] is not None]
        return (self.task.joined(parts) if parts else None), findings

    def _cleaned(
        self, batches: Iterator[pa.RecordBatch], place: int, findings: Findings
    ) -> Generator[pa.RecordBatch, None, None]:
        name, done = f"partition {place}", 0
        for batch in batches:
            columns = {field.name: batch.column(field.name) for field in batch.schema}
            raw = Raw(name, columns, np.arange(done, done + batch.num_rows))
            done += batch.num_rows
            rows, _ = within(raw, self.universe, self.roles.days, None)
            if not len(rows.rows):
                continue
            part = clean_batch(rows, self.roles, None, self.wanted)
            part = not_asked(part, [one for one in self.wanted if one not in part.rows.schema.names], self.roles)
            findings.add(part)
            yield self.dress(part.rows, "")


def row_of(
    place: int, sums: pa.Table | None = None, findings: Findings | None = None, fault: CsatError | None = None
) -> pa.RecordBatch:
    """A part as a row of `SCHEMA`."""
    said = None if fault is None else json.dumps([type(fault).__name__, str(fault)], ensure_ascii=False)
    found = None if findings is None or findings.ledger is None else _written(findings.ledger, findings.unknown)
    body = None if sums is None else _bytes(sums)
    return pa.RecordBatch.from_pylist([{"place": place, "sums": body, "found": found, "fault": said}], schema=SCHEMA)


def raise_first(faults: Iterable[str | None]) -> None:
    """Raise the first error that csat met on a worker."""
    from csat.spark.faults import again

    for fault in faults:
        if fault is not None:
            raise again(*json.loads(fault))


def _chained(first: pa.RecordBatch, others: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from others


def _bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def _read(body: bytes) -> pa.Table:
    with pa.ipc.open_stream(pa.py_buffer(bytes(body))) as reader:
        return reader.read_all()


def _written(ledger: Ledger, unknown: Sequence[Tally]) -> str:
    facts = {
        "source": ledger.source,
        "rows": [ledger.rows_read, ledger.rows_kept],
        "tallies": [asdict(tally) for tally in ledger.tallies],
        "notes": ledger.notes,
        "weights": None if ledger.weights is None else asdict(ledger.weights),
        "unknown": [asdict(tally) for tally in unknown],
    }
    return json.dumps(facts, ensure_ascii=False, default=lambda number: number.item())


def _enter(findings: Findings, found: str | None) -> None:
    """Add what another part found."""
    if found is None:
        return
    facts = json.loads(found)
    weights = None if facts["weights"] is None else WeightReport(**facts["weights"])
    read, kept = facts["rows"]
    tallies = tuple(map(_tally, facts["tallies"]))
    ledger = Ledger(facts["source"], read, kept, tallies, (), tuple(facts["notes"]), weights)
    findings.add(Part(_NOTHING, ledger, tuple(map(_tally, facts["unknown"]))))


_NOTHING = pa.RecordBatch.from_arrays([], [])


def _tally(facts: dict[str, Any]) -> Tally:
    lists = (tuple(facts[name]) for name in ("rows", "values", "files"))
    return Tally(facts["what"], facts["column"], facts["reason"], facts["count"], *lists)
