"""`Query`: the result of a query, through DuckDB: its own files, SQLite, PostgreSQL, or a connection that is open."""

from __future__ import annotations

import importlib.util
import re
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa

from csat.errors import DataError, MissingDependencyError, OptionError
from csat.questionnaire.decode import LONGEST, quoted
from csat.read.raw import Raw, named, plain
from csat.read.universe import Universe
from csat.streams.faults import StreamError
from csat.streams.files import HEAD_ROWS
from csat.streams.memory import USUAL
from csat.streams.origin import MOMENT, TEXT
from csat.streams.parquet import family_of, size_of

#: First bytes of a SQLite file, and of a DuckDB file from byte 8.
_SQLITE, _DUCKDB = b"SQLite format 3\x00", b"DUCK"

#: Endings of database files.
ENDINGS = (".duckdb", ".ddb", ".sqlite", ".sqlite3", ".db")

_ADDRESSES = ("postgresql", "postgres")
_NAME = re.compile(r"\w+(\.\w+){0,2}")

#: Kind of database → the extension of DuckDB that reads it; DuckDB's own files need none.
_EXTENSIONS = {"sqlite": "sqlite_scanner", "postgres": "postgres_scanner"}

_SAFE = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@dataclass(frozen=True, slots=True)
class Database:
    """Where a database is, and which kind it is: "duckdb", "sqlite" or "postgres"; `name` has no password."""

    kind: str
    address: str
    name: str


def database_at(data: Any) -> Database | None:
    """The database that a path or an address means; None if it is none."""
    if not isinstance(data, str | Path):
        return None
    text = str(data)
    if text.partition("://")[0].lower() in _ADDRESSES and "://" in text:
        parts = urlsplit(text)
        return Database("postgres", text, f"PostgreSQL {parts.hostname or ''}{parts.path}")
    path = Path(text)
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            start = file.read(16)
    except (OSError, ValueError):
        return None
    if start == _SQLITE:
        return Database("sqlite", text, path.name)
    if start[8:12] == _DUCKDB or path.suffix.lower() in (".duckdb", ".ddb"):
        return Database("duckdb", text, path.name)
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Rows of a query; see `csat.streams.origin.Origin`.

    where : a `Database`, which each pass opens read-only and closes, or an open DuckDB connection.
    sql : the query, or the name of a table.
    kinds : column → (family of types, its type in DuckDB).
    total : rows of the result.
    memory : bytes that DuckDB may use.
    """

    where: Any
    sql: str
    name: str
    kinds: Mapping[str, tuple[str, str]]
    total: int | None
    filled: bool
    memory: int
    notes: tuple[str, ...] = ()
    typed: bool = True
    ordered: bool = False

    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Columns of the result and their families."""
        return {name: {family: self.name} for name, (family, _) in self.kinds.items()}

    @property
    def lacking(self) -> Mapping[str, Sequence[str]]:
        """A query has all its columns in every row."""
        return {}

    @property
    def size(self) -> int:
        """Bytes of the result in memory, about."""
        return size_of(self.total or 0, (family for family, _ in self.kinds.values()))

    def head(self) -> Raw:
        """The first rows."""
        with self._opened() as connection:
            table = _told(self, lambda: connection.sql(f"{self._select(list(self.kinds))} LIMIT {HEAD_ROWS}"))
            rows = _told(self, table.to_arrow_table).combine_chunks()
        columns = {name: rows.column(name).combine_chunks() for name in self.kinds}
        return Raw(self.name, columns, np.arange(rows.num_rows), True)

    def pieces(self, names: Sequence[str], rows: int, universe: Universe | None) -> Generator[Raw, None, None]:
        """Tables of at most `rows` rows; the database leaves rows and columns that are not wanted out."""
        read = list(names) or [next(iter(self.kinds))]
        where = "" if universe is None else f" WHERE {self._condition(universe)}"
        with self._opened() as connection:
            relation = _told(self, lambda: connection.sql(self._select(read) + where))
            done = 0
            with _told(self, lambda: relation.to_arrow_reader(rows)) as reader:
                batches = iter(reader)
                while (batch := _told(self, lambda: next(batches, None))) is not None:
                    columns = {name: batch.column(name) for name in read}
                    yield Raw(self.name, columns, np.arange(batch.num_rows) + done, True)
                    done += batch.num_rows

    def repeated(self, column: str, universe: Universe | None) -> list[str]:
        """A few values of a column that occur more than once; counted by the database."""
        name = _quoted(column)
        where = "" if universe is None else f" AND {self._condition(universe)}"
        text = f"trim(CAST({name} AS VARCHAR))"
        counted = (
            f"SELECT {text} AS value, count(*) AS times FROM ({self.sql}) AS asked WHERE {name} IS NOT NULL "  # noqa: S608
            f"AND {text} <> ''{where} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 3"
        )
        with self._opened() as connection:
            found = _told(self, lambda: connection.execute(counted).fetchall())
        return [f"{quoted(str(value))} {times} times" for value, times in found]

    def _select(self, names: Sequence[str]) -> str:
        return f"SELECT {', '.join(map(_quoted, names))} FROM ({self.sql}) AS asked"  # noqa: S608

    def _condition(self, universe: Universe) -> str:
        return " AND ".join(_one_of(name, self.kinds[name][0], universe) for name in universe.wanted)

    def _opened(self) -> Any:
        return opened(self.where, self.memory)


def query_of(where: Any, query: str | None, memory: int = USUAL) -> Query:
    """Ask a database what a query would give: its columns and its number of rows.

    Parameters
    ----------
    where : a `Database`, or an open DuckDB connection.
    query : SELECT, or the name of a table; None: the only table there is.
    memory : bytes that DuckDB may use.

    Raises
    ------
    OptionError
        If the query is no single SELECT, or it is not said which table.
    DataError
        If the database cannot be opened or the query not be run.
    MissingDependencyError
        Without DuckDB, or without its reader for this kind of database.
    """
    name = where.name if isinstance(where, Database) else "DuckDB query"
    with opened(where, memory) as connection:
        sql = _sql(connection, name, query)
        bare = Query(where, sql, name, {}, None, False, memory)
        relation = _told(bare, lambda: connection.sql(sql))
        empty = _told(bare, lambda: relation.limit(0).to_arrow_table())
        columns, notes = named(name, empty.column_names, [plain(column) for column in empty.columns])
        strange = [column for column, values in columns.items() if values is None]
        notes += [f"left out, neither numbers nor text: {', '.join(strange)}"] if strange else []
        kinds = {
            column: (family_of(empty.schema.field(column).type), str(kind))
            for column, kind in zip(empty.column_names, relation.types, strict=True)
            if columns.get(column) is not None
        }
        if not kinds:
            raise StreamError(f"{name}: no column of the query holds numbers or text.")
        blank = " AND ".join(_is_blank(column, kind) for column, (_, kind) in kinds.items())
        counts = [f"SELECT count(*) FROM ({sql}) AS asked{part}" for part in ("", f" WHERE {blank}")]  # noqa: S608
        total, blanks = (_told(bare, lambda count=count: connection.execute(count).fetchone()[0]) for count in counts)
    return Query(where, sql, name, kinds, int(total), not blanks, memory, tuple(notes))


@contextmanager
def opened(where: Any, memory: int) -> Generator[Any, None, None]:
    """A connection on which queries see the tables of a database; closed at the end, with what it spilled to disk."""
    if not isinstance(where, Database):
        yield where
        return
    duckdb = _duckdb()
    with tempfile.TemporaryDirectory(prefix="csat-") as folder:
        config = {**_SAFE, "memory_limit": f"{memory >> 20}MiB", "temp_directory": folder}
        connection = duckdb.connect(":memory:", config=config)
        try:
            _attach(connection, where)
            yield connection
        finally:
            connection.close()


def _attach(connection: Any, where: Database) -> None:
    if where.kind in _EXTENSIONS:
        _load(connection, where)
    kind = {"sqlite": ", TYPE sqlite", "postgres": ", TYPE postgres"}.get(where.kind, "")
    try:
        connection.execute(f"ATTACH {_literal(where.address)} AS source (READ_ONLY{kind})")
        connection.execute("USE source")
    except Exception as error:  # noqa: BLE001 - DuckDB's errors share no public base with those of its extensions
        raise _fault(where.name, error, where.address, "cannot be opened") from None


def _load(connection: Any, where: Database) -> None:
    """Load DuckDB's reader for another database: as DuckDB keeps it, or as a package brings it; never download it."""
    extension = _EXTENSIONS[where.kind]
    places = [extension, *(_literal(str(path)) for path in _packaged(extension))]
    for place in places:
        try:
            connection.execute(f"LOAD {place}")
        except Exception:  # noqa: BLE001, S112 - the next place may have it
            continue
        return
    version = _duckdb().__version__
    raise MissingDependencyError(
        f"{where.name}: reading this database needs DuckDB's extension {extension!r} for DuckDB {version}, which is "
        f"not installed. csat downloads nothing by itself: run duckdb.sql('INSTALL {where.kind}') once where the "
        f"internet can be reached, or pip install duckdb-extension-{extension.replace('_', '-')}=={version}."
    )


def _packaged(extension: str) -> list[Path]:
    """Files of an extension that a Python package brings for this version of DuckDB."""
    found = importlib.util.find_spec(f"duckdb_extension_{extension}")
    if found is None or not found.submodule_search_locations:
        return []
    version = f"v{_duckdb().__version__}"
    files = (Path(place) / "extensions" / version / f"{extension}.duckdb_extension"
             for place in found.submodule_search_locations)  # fmt: skip
    return [file for file in files if file.is_file()]


def _sql(connection: Any, name: str, query: str | None) -> str:
    """The query as one SELECT without a semicolon."""
    if query is None:
        tables = [row[0] for row in connection.execute("SHOW TABLES").fetchall()]
        if len(tables) != 1:
            listed = ", ".join(map(repr, sorted(tables)[:8])) or "none"
            raise OptionError(f"{name}: say which table or query to read, query='…'; the tables are {listed}.")
        return f"SELECT * FROM {_quoted(tables[0])}"  # noqa: S608
    if not isinstance(query, str) or not query.strip():
        raise OptionError(f"query={query!r} is no text; write a SELECT or the name of a table.")
    if _NAME.fullmatch(query.strip()):
        return f"SELECT * FROM {'.'.join(map(_quoted, query.strip().split('.')))}"  # noqa: S608
    duckdb = _duckdb()
    try:
        statements = duckdb.extract_statements(query)
    except duckdb.Error as error:
        raise _fault(name, error, None, "the query cannot be read") from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise OptionError(f"query={quoted(query)}: one SELECT is needed, or the name of a table.")
    return query.strip().rstrip(";")


def _told(query: Query, work: Any) -> Any:
    """Do what DuckDB is asked, with its errors in csat's words."""
    try:
        return work()
    except (_duckdb().Error, pa.ArrowException, RuntimeError) as error:
        address = query.where.address if isinstance(query.where, Database) else None
        raise _fault(query.name, error, address, "the query cannot be run") from None


def _fault(name: str, error: Exception, secret: str | None, what: str) -> DataError:
    words = str(error).partition("\n")[0]
    if secret is not None and "://" in secret:
        password = urlsplit(secret).password
        words = words.replace(secret, name).replace(password or secret, "…")
    return StreamError(f"{name}: {what} ({words[: 6 * LONGEST]}).")


def _duckdb() -> Any:
    try:
        import duckdb
    except ImportError:
        raise MissingDependencyError.extra("duckdb", "duckdb", "Reading a database") from None  # noqa: S610
    return duckdb


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _one_of(name: str, family: str, universe: Universe) -> str:
    """Condition that a column may have one of the wanted values."""
    if family == TEXT:
        values = [_literal(value) for value in universe.wanted[name]]
        return f"CAST({_quoted(name)} AS VARCHAR) IN ({', '.join(values)})"
    if family == MOMENT:  # csat writes moments in its own way, and compares them itself
        return "true"
    numbers = [repr(number) for number in universe.numbers(name)]
    return f"{_quoted(name)} IN ({', '.join(numbers)})" if numbers else "false"


def _is_blank(name: str, kind: str) -> str:
    """Condition that a cell may be blank; a little too wide, since it only asks for a closer look."""
    column = _quoted(name)
    if kind == "VARCHAR":
        return f"({column} IS NULL OR NOT regexp_matches({column}, '[!-~]'))"
    if kind in ("FLOAT", "DOUBLE"):
        return f"({column} IS NULL OR isnan({column}))"
    return f"{column} IS NULL"
