"""From a path, a folder, a pattern or a database to a `Stream`: looks at names and first rows, reads nothing else."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from csat.design import Design
from csat.errors import DataError, OptionError
from csat.questionnaire import Questionnaire
from csat.questionnaire.scales import folded
from csat.read import INSIDE, ROW
from csat.read.batch import Roles, clean_batch, roles_of
from csat.read.raw import Raw, is_text
from csat.read.roles import declared, spoken_names
from csat.read.universe import Universe
from csat.streams.database import database_at, query_of
from csat.streams.faults import StreamError
from csat.streams.files import files_of
from csat.streams.found import PARQUET, TEXT, is_pattern
from csat.streams.lazy import RELATION, Related, is_lazy, is_relation, lazy_of
from csat.streams.memory import threads_for
from csat.streams.origin import NOTHING, Origin
from csat.streams.parquet import parquet_sheet
from csat.streams.progress import Tick
from csat.streams.reader import Reader, Settings
from csat.streams.stages import HELPER
from csat.streams.stream import Stream
from csat.streams.texts import GROWTH


def origin_of(
    data: Any,
    query: str | None = None,
    *,
    encoding: str | None = None,
    header_row: int | None = None,
    expected: Collection[str] = (),
    memory: int,
) -> Origin | None:
    """What can be read in passes: files, a folder, a pattern, a database; None for everything else.

    Parameters
    ----------
    data, query, encoding, header_row : see `csat.read_survey`.
    expected : names that a header may hold, folded.
    memory : bound in bytes; a database may use half of it, the batches under way take the other.

    Raises
    ------
    OptionError
        For a query where there is no database.
    DataError, MissingFileError
        If it cannot be opened.
    """
    where = data if _is_connection(data) else Related(data) if is_relation(data) else database_at(data)
    if isinstance(where, Related) and query is not None:
        raise OptionError("query= is for databases; a DuckDB relation is a query already: relation.filter(…).")
    if where is not None:
        if encoding is not None or header_row is not None:
            raise OptionError("`encoding` and `header_row` are for text files; a database has neither.")
        return query_of(where, RELATION if isinstance(where, Related) else query, memory // 2)
    if query is not None:
        raise OptionError(
            "query= is for databases: a .duckdb or .sqlite file, an address postgresql://user@host/database, or an "
            f"open DuckDB connection; found {type(data).__name__} {data!r}"[:200]
            + "."
        )
    if is_lazy(data) and encoding is None and header_row is None:
        return lazy_of(data)
    if not isinstance(data, str | Path):
        return None
    if not is_pattern(data) and Path(data).suffix.lower() not in (*PARQUET, *TEXT):
        return None
    return files_of(data, encoding, header_row, expected)


def is_many(data: Any) -> bool:
    """Whether something is a folder, a pattern or a database, which are read in passes even into memory."""
    if _is_connection(data) or database_at(data) is not None:
        return True
    return isinstance(data, str | Path) and is_pattern(data)


def is_large(data: Any, bound: int) -> bool:
    """Whether a single file would take more memory than the bound; False for what cannot be told."""
    if not isinstance(data, str | Path) or is_pattern(data):
        return False
    path = Path(data)
    try:
        if path.suffix.lower() in TEXT:
            return GROWTH * path.stat().st_size > bound
        return path.suffix.lower() in PARQUET and parquet_sheet(path, path.name).size > bound
    except (OSError, ValueError):
        return False


def opened_stream(
    origin: Origin,
    questionnaire: Questionnaire | None,
    design: Design | None,
    *,
    on_unknown: str,
    on_absent: str,
    universe: Universe | None,
    memory: int,
    progress: bool | Tick,
) -> Stream:
    """Settle what every column is, from names, types and first rows.

    Raises
    ------
    DataError
        If columns are absent, in all files or in some, or of different types.
    """
    asked = Questionnaire(name="") if questionnaire is None else questionnaire
    design = asked.design if design is None else design
    _check_names(origin)
    if universe is not None:
        universe.check(tuple(origin.columns))
    head = _resolved(origin, origin.head(), {folded(name) for name in spoken_names(asked, design)})
    roles = roles_of(head, asked, design, on_absent=on_absent, filled=origin.filled)
    _check_parts(origin, roles, on_absent)
    reader = Reader(origin, roles, Settings(universe, on_unknown, memory, threads_for(), progress))
    reader.book.middles.update(_middles(head, roles))
    return Stream(reader, questionnaire, design)


def expected_names(questionnaire: Questionnaire | None, design: Design | None) -> frozenset[str]:
    """Names that a header may hold, folded."""
    asked = Questionnaire(name="") if questionnaire is None else questionnaire
    return spoken_names(asked, asked.design if design is None else design)


def _is_connection(data: Any) -> bool:
    """Whether something is an open DuckDB connection, without importing DuckDB."""
    return type(data).__name__ == "DuckDBPyConnection" and hasattr(data, "sql")


def _check_names(origin: Origin) -> None:
    for name in origin.columns:
        if name in (ROW, INSIDE) or name.startswith(HELPER):
            raise DataError(f"{origin.name}: the column name {name!r} is reserved; rename the column.")


def _check_parts(origin: Origin, roles: Roles, on_absent: str) -> None:
    """Refuse files without columns that others have, and columns of several types that the study does not describe."""
    lines: list[str] = []
    for file, columns in origin.lacking.items():
        names = [roles.names.get(name, name) for name in columns]
        fatal = [name for name in names if on_absent == "raise" or name in roles.design.columns]
        lines += [f"{file} lacks {_few(fatal)}"] if fatal else []
    if lines:
        more = [f"{len(lines) - 5} more files"] if len(lines) > 5 else []
        raise StreamError.lacking(origin.name, [*lines[:5], *more])
    described = {*declared(roles.asked), *roles.design.columns}
    for column, families in origin.columns.items():
        kinds = [(family, part) for family, part in families.items() if family != NOTHING]
        if len(kinds) > 1 and roles.names.get(column, column) not in described:
            (one, first), (other, second) = kinds[:2]
            raise StreamError.two_types(origin.name, column, f"{one} in {first}", f"{other} in {second}")


def _resolved(origin: Origin, head: Raw, described: set[str]) -> Raw:
    """Fill columns of a text file whose first rows are empty with the first rows that are not."""
    if head.typed:
        return head
    columns = dict(head.columns)
    left = [name for name, column in columns.items() if folded(name) not in described and _empty(column)]
    if not left:
        return head
    with closing(origin.pieces(left, len(head.rows), None)) as pieces:
        for piece in pieces:
            for name in [name for name in left if name in piece.columns and not _empty(piece.columns[name])]:
                columns[name] = _said(piece.columns[name], len(head.rows))
                left.remove(name)
            if not left:
                break
    return replace(head, columns=columns)


def _empty(column: pa.Array) -> bool:
    return is_text(column) and bool(pc.all(pc.equal(pc.utf8_trim_whitespace(column), "")).as_py() is not False)


def _said(column: pa.Array, size: int) -> pa.Array:
    """Values of a later piece in place of empty first rows: only their type is looked at."""
    filled = column.filter(pc.not_equal(pc.utf8_trim_whitespace(column), ""))[:size]
    return pa.concat_arrays([filled, pa.nulls(size - len(filled), filled.type)])


def _middles(head: Raw, roles: Roles) -> dict[str, float]:
    """A number near the middle of each plain number, from the first rows."""
    scaled = set(roles.asked.codes)
    names = [column for column, name in roles.names.items() if name in roles.floating and name not in scaled]
    if not names or not len(head.rows):
        return {}
    every = {name: head.columns[name] for name in names} | {
        column: head.columns[column] for column, name in roles.names.items() if name in roles.design.columns
    }
    rows = clean_batch(replace(head, columns=every), replace(roles, filled=True), np.zeros(len(head.rows), bool)).rows
    ends = {roles.names[name]: pc.min_max(rows.column(roles.names[name])).as_py() for name in names}
    return {name: end["min"] / 2 + end["max"] / 2 for name, end in ends.items() if end["min"] is not None}


def _few(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:6])) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
