"""Databases through DuckDB: its own files, SQLite, a real PostgreSQL on loopback, an open connection, a query."""

import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import csat
from csat.design import Design
from csat.errors import DataError, MissingDependencyError, OptionError, SampleError
from csat.questionnaire import Column, Item, Questionnaire, Scale
from csat.streams import Stream, StreamError, database
from csat.streams import reader as passes
from csat.survey import Survey, read_survey

FIVE = Scale("five", 1, 5, missing={9: "dont_know"})
ASKED = Questionnaire(
    "databases",
    scales=(FIVE,),
    items=(Item("a", FIVE), Item("b", FIVE)),
    columns=(Column("id", "id"), Column("city", "category")),
    design=Design(weight="w", psu="hall"),
)
ROWS = 600


def answers() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"id": [f"r{i}" for i in range(ROWS)], "city": rng.choice(["兰州", "天水"], ROWS)})
    frame["a"], frame["b"] = rng.integers(1, 6, ROWS), rng.choice([1, 2, 3, 9], ROWS)
    frame["hall"] = [f"h{hall}" for hall in rng.integers(1, 15, ROWS)]
    frame["w"], frame["arpu"] = rng.uniform(0.5, 2, ROWS), rng.normal(50, 9, ROWS)
    frame.loc[5, "w"] = np.nan
    return frame


FRAME = answers()


@pytest.fixture(scope="module")
def reference():
    return read_survey(FRAME, ASKED)


def filled(connection, table: str = "answers") -> None:
    """Put the answers into a DB-API connection of SQLite or an attached database."""
    FRAME.to_sql(table, connection, index=False)


@pytest.fixture
def duckdb_file(tmp_path, optional):
    duckdb = optional("duckdb")
    with closing(duckdb.connect(str(tmp_path / "x.duckdb"))) as connection:
        connection.register("frame", pa.Table.from_pandas(FRAME, preserve_index=False))
        connection.execute("CREATE TABLE answers AS SELECT * FROM frame")
    return tmp_path / "x.duckdb"


@pytest.fixture
def sqlite_file(tmp_path, optional):
    duckdb = optional("duckdb")
    if not database._packaged("sqlite_scanner"):
        _absent(f"DuckDB {duckdb.__version__} has no packaged reader of SQLite")
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        filled(connection)
    return tmp_path / "x.db"


def _absent(what: str) -> None:
    if os.environ.get("CSAT_REQUIRE_ALL") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="module")
def postgres():
    """A PostgreSQL of its own on loopback, with a password; stopped and deleted at the end."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [shutil.which("initdb")]
    if found[-1] is None:
        pytest.skip("PostgreSQL is not installed")
    if not database._packaged("postgres_scanner"):
        _absent("DuckDB has no packaged reader of PostgreSQL")
    binaries, folder = Path(found[-1]).parent, Path(tempfile.mkdtemp(prefix="csat-pg-"))
    own = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    secret = folder / "secret"
    secret.write_text("s3cret:/word", encoding="utf-8")
    if own:
        shutil.chown(folder, "postgres", "postgres")
        shutil.chown(secret, "postgres", "postgres")
    try:
        subprocess.run(
            [*own, binaries / "initdb", "-D", folder / "data", "-U", "csat", "-E", "UTF8", "--locale=C", "-A",
             "scram-sha-256", f"--pwfile={secret}"],
            check=True, capture_output=True, cwd=folder,
        )  # fmt: skip
        options = f"-h 127.0.0.1 -p {port} -c unix_socket_directories='{folder}' -c fsync=off"
        control = [*own, binaries / "pg_ctl", "-D", folder / "data", "-w"]
        subprocess.run([*control, "-l", folder / "log", "-o", options, "start"], check=True, cwd=folder,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        try:
            yield f"postgresql://csat:s3cret%3A%2Fword@127.0.0.1:{port}/postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd=folder)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def postgres_answers(postgres):
    """The same server with the answers in a table, written through DuckDB."""
    import duckdb

    with closing(duckdb.connect(config=database._SAFE)) as connection:
        connection.execute(f"LOAD '{database._packaged('postgres_scanner')[0]}'")
        connection.execute(f"ATTACH '{postgres}' AS pg (TYPE postgres)")
        connection.register("frame", pa.Table.from_pandas(FRAME, preserve_index=False))
        connection.execute("CREATE TABLE pg.answers AS SELECT * FROM frame")
    return postgres


@pytest.fixture(params=["duckdb_file", "sqlite_file", "postgres_answers"])
def source(request):
    return request.getfixturevalue(request.param)


def same_figures(one, other) -> None:
    for method in (
        lambda s: csat.mean(s, ["a", "b", "arpu"], by="city"),
        lambda s: csat.share(s.where(city="兰州"), "b"),
        lambda s: csat.regress(s, "a", ["b", "arpu"]),
    ):
        pd.testing.assert_frame_equal(method(one).tidy(), method(other).tidy(), rtol=1e-9, atol=1e-12)


def test_a_database_gives_the_figures_of_the_survey_in_memory(source, reference, monkeypatch):
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 77)
    for query in (None, "answers", "SELECT * FROM answers;"):
        stream = read_survey(source, ASKED, stream=True, query=query)
        assert isinstance(stream, Stream)
        assert stream.ledger.rows_read == ROWS
        assert stream.ledger.count("weight_missing") == 1
    same_figures(stream, reference)
    survey = read_survey(source, ASKED)
    assert isinstance(survey, Survey)
    same_figures(survey, reference)


def test_a_query_joins_and_filters_before_csat_sees_a_row(source):
    query = "SELECT id, city, a, b, hall, w, CASE WHEN arpu > 50 THEN 'high' ELSE 'low' END AS band FROM answers"
    stream = read_survey(source, ASKED, stream=True, query=query, only={"city": "天水", "a": [4, 5]})
    inside = FRAME[(FRAME["city"] == "天水") & FRAME["a"].isin([4, 5])]
    expected = read_survey(inside.assign(band=np.where(inside["arpu"] > 50, "high", "low")), ASKED)
    ours, theirs = (csat.mean(s, ["a", "b"], by="band").tidy() for s in (stream, expected))
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)


def test_filters_and_columns_reach_the_database(duckdb_file):
    stream = read_survey(duckdb_file, ASKED, stream=True, only={"city": ["it's", "兰州"]}, design=Design())
    query = stream.reader.origin
    with query._opened() as connection:
        asked = query._select(["a"]) + f" WHERE {query._condition(stream.reader.settings.universe)}"
        plan = connection.sql(f"EXPLAIN {asked}").fetchall()[0][1]
    assert "city" in plan
    assert "arpu" not in plan
    assert stream.ledger.rows_read == (FRAME["city"] == "兰州").sum()


def test_the_universe_may_be_a_day_a_moment_or_a_truth_value(duckdb_file):
    query = (
        "SELECT *, DATE '2026-01-01' + (row_number() OVER () % 3)::INT AS day, w > 1 AS heavy, "
        "TIMESTAMP '2026-01-01 10:00:00' + INTERVAL 1 HOUR * (row_number() OVER () % 2) AS moment FROM answers"
    )
    for only, rows in (
        ({"day": "2026-01-02"}, 200),
        ({"moment": "2026-01-01T11:00:00"}, 300),
        ({"heavy": True}, (FRAME["w"] > 1).sum()),
        ({"arpu": FRAME["arpu"][3]}, 1),
    ):
        assert read_survey(duckdb_file, ASKED, query=query, stream=True, only=only).ledger.rows_read == rows


def test_an_open_connection_with_a_query(optional, reference):
    connection = optional("duckdb").connect()
    connection.register("frame", pa.Table.from_pandas(FRAME, preserve_index=False))
    stream = read_survey(connection, ASKED, query="SELECT * FROM frame", stream=True)
    same_figures(stream, reference)
    assert "DuckDB query" in repr(stream)
    assert connection.sql("SELECT 1").fetchone() == (1,)


def test_a_database_is_opened_to_be_read_only_and_left_as_it_was(duckdb_file):
    before = duckdb_file.read_bytes()
    stream = read_survey(duckdb_file, ASKED, stream=True)
    stream.groups(["a"])
    assert duckdb_file.read_bytes() == before
    assert [path.name for path in duckdb_file.parent.iterdir()] == ["x.duckdb"]
    with stream.reader.origin._opened() as connection, pytest.raises(Exception, match="read-only"):
        connection.execute("DELETE FROM answers")


def test_a_pass_that_is_given_up_closes_the_database_and_its_folder(duckdb_file, tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 50)
    stream = read_survey(duckdb_file, ASKED, stream=True)
    batches = stream.batches(["a"])
    next(batches)
    assert len(list((tmp_path / "temporary").iterdir())) == 1
    batches.close()
    assert list((tmp_path / "temporary").iterdir()) == []


def test_nothing_is_downloaded(duckdb_file):
    stream = read_survey(duckdb_file, ASKED, stream=True)
    with stream.reader.origin._opened() as connection:
        for option in ("autoinstall_known_extensions", "autoload_known_extensions"):
            assert connection.sql(f"SELECT current_setting('{option}')").fetchone() == (False,)
        assert connection.sql("SELECT current_setting('memory_limit')").fetchone() == ("512.0 MiB",)


def test_a_reader_that_is_not_installed_is_named_with_the_remedy(sqlite_file, monkeypatch):
    monkeypatch.setattr(database, "_packaged", lambda extension: [])
    monkeypatch.setenv("HOME", str(sqlite_file.parent / "nobody"))
    monkeypatch.setattr(database, "_EXTENSIONS", {"sqlite": "sqlite_scanner_of_nobody"})
    with pytest.raises(
        MissingDependencyError, match=r"x\.db: .*extension 'sqlite_scanner_of_nobody' for DuckDB .*INST"
    ):
        read_survey(sqlite_file, ASKED)


def test_interviews_that_a_database_holds_twice_are_refused(duckdb_file):
    query = "SELECT * FROM answers UNION ALL SELECT * FROM answers WHERE id = 'r7'"
    stream = read_survey(duckdb_file, ASKED, stream=True, query=query)
    with pytest.raises(StreamError, match=r"'id' should name each interview once.*'r7' 2 times\. .*DISTINCT ON"):
        stream.groups(["a"])


def test_blank_rows_of_a_database_are_left_out(duckdb_file):
    query = "SELECT a, b, arpu FROM answers UNION ALL SELECT NULL, NULL, NULL FROM range(3)"
    asked = Questionnaire("x", scales=(FIVE,), items=(Item("a", FIVE), Item("b", FIVE)))
    stream = read_survey(duckdb_file, asked, stream=True, query=query)
    assert stream.levels(["a"]).missing.tolist() == [[0]]
    assert stream.ledger.count("empty_row") == 3


def test_replicates_of_a_database_need_units_or_an_identifier(duckdb_file):
    asked = Questionnaire("x", scales=(FIVE,), items=(Item("a", FIVE), Item("b", FIVE)))
    stream = read_survey(duckdb_file, asked, stream=True)
    with pytest.raises(SampleError, match=r"rows of a database have no fixed places\. Declare sampling units"):
        stream.replicated(csat.Replication("bootstrap"))
    named = read_survey(duckdb_file, ASKED, stream=True, design=Design(weight="w"))
    assert named.replicated(csat.Replication("bootstrap", size=20)).groups(["a"]).replication.size == 20


@pytest.mark.parametrize(
    ("query", "kind", "message"),
    [
        ("SELECT nothing FROM answers", DataError, r"x\.duckdb: the query cannot be run \(Binder Error"),
        ("SELECT FROM", (DataError, OptionError), "x.duckdb"),
        ("SELECT 1; SELECT 2", OptionError, "one SELECT is needed"),
        ("DROP TABLE answers", OptionError, "one SELECT is needed"),
        ("nothing", DataError, "x.duckdb: the query cannot be run"),
        ("", OptionError, "is no text"),
        (3, OptionError, "is no text"),
        ("SELECT [1, 2] AS a", DataError, "no column of the query holds numbers or text"),
    ],
    ids=str,
)
def test_queries_that_cannot_be_run(duckdb_file, query, kind, message):
    with pytest.raises(kind, match=message):
        read_survey(duckdb_file, ASKED, query=query)


def test_which_table_is_meant_has_to_be_said(sqlite_file):
    with closing(sqlite3.connect(sqlite_file)) as connection:
        filled(connection, "others")
    with pytest.raises(OptionError, match=r"x\.db: say which table or query to read.*'answers', 'others'"):
        read_survey(sqlite_file, ASKED)
    assert isinstance(read_survey(sqlite_file, ASKED, query="others"), Survey)


def test_passwords_are_in_no_message(postgres):
    wrong = postgres.replace("s3cret", "other")
    with pytest.raises(DataError, match=r"PostgreSQL 127\.0\.0\.1/postgres: cannot be opened") as caught:
        read_survey(wrong, ASKED)
    assert "other" not in str(caught.value)
    stream = read_survey(postgres, ASKED.__class__("x"), query="SELECT 1 AS a", stream=True)
    assert stream.ledger.source == "PostgreSQL 127.0.0.1/postgres"
    assert "s3cret" not in repr(stream) + str(stream.ledger)


def test_a_file_that_is_no_database(tmp_path, optional):
    optional("duckdb")
    (tmp_path / "x.duckdb").write_bytes(b"\x00" * 5000)
    with pytest.raises(DataError, match=r"x\.duckdb: cannot be opened"):
        read_survey(tmp_path / "x.duckdb", ASKED)


@pytest.fixture(params=["relation", "lazy"])
def again(request, optional, tmp_path):
    """Rows that can be asked for anew: a DuckDB relation, a polars LazyFrame."""
    FRAME.to_parquet(tmp_path / "answers.parquet")
    if request.param == "lazy":
        return optional("polars").scan_parquet(tmp_path / "answers.parquet")
    return optional("duckdb").read_parquet(str(tmp_path / "answers.parquet"))


def test_relations_and_lazy_frames_are_run_anew_for_every_figure(again, reference, monkeypatch):
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 77)
    stream = read_survey(again, ASKED, stream=True)
    assert isinstance(stream, Stream)
    assert len(stream) == len(reference)
    assert stream.ledger.count("weight_missing") == 1
    same_figures(stream, reference)
    part = read_survey(again, ASKED, stream=True, only={"city": "兰州", "a": [1, 2]})
    wanted = FRAME[(FRAME["city"] == "兰州") & FRAME["a"].isin([1, 2]) & FRAME["w"].notna()]
    assert len(part) == len(wanted)
    assert isinstance(read_survey(again, ASKED), Survey)


def test_interviews_twice_in_a_lazy_frame_are_refused(optional):
    polars = optional("polars")
    twice = polars.from_pandas(pd.concat([FRAME, FRAME.iloc[:2]])).lazy()
    with pytest.raises(StreamError, match=r"'id' should name each interview once.* \"r0\" 2 times|'r0' 2 times"):
        read_survey(twice, ASKED, stream=True).groups(["a"])
    with pytest.raises(StreamError, match="its rows cannot be fetched"):
        read_survey(polars.scan_parquet("nowhere.parquet"), ASKED, stream=True)


def test_a_relation_is_a_query_already(optional):
    relation = optional("duckdb").sql("SELECT 1 AS a, 2 AS b")
    with pytest.raises(OptionError, match="a DuckDB relation is a query already"):
        read_survey(relation, ASKED, stream=True, query="SELECT a FROM x")
