"""Every public method gives the same figures from every source of the same answers, or says in words why it cannot."""

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import csat
from csat.errors import CsatError
from csat.streams import Stream

from .methods import ASKED, DRIVERS, ITEMS, METHODS, OF_STREAMS, OF_SUMMARIES, answers, assert_same, figures, functions

FRAME = answers()
IN_MEMORY = ("polars", "DuckDB relation", "Arrow")
STREAMED = ("Parquet", "CSV", "hive", "DuckDB file")
#: Figures that totals of units do not give: effective sizes of memberships.
NOT_SUMMED = {"evaluate": "n_eff"}
SETS = {"drivers": [*DRIVERS, "overall"], "tree": list(ITEMS), "one": list(ITEMS[:4]), "pair": ["C1", "C2"]}

pytestmark = pytest.mark.filterwarnings("ignore::csat.errors.CsatWarning")


def in_polars(frame, folder, optional):
    return {"data": optional("polars").from_pandas(frame)}


def in_duckdb(frame, folder, optional):
    return {"data": optional("duckdb").connect().from_df(frame.astype({"brand": "str"}))}


def in_arrow(frame, folder, optional):
    return {"data": pa.Table.from_pandas(frame, preserve_index=False)}


def in_parquet(frame, folder, optional):
    parquet.write_table(pa.Table.from_pandas(frame), folder / "all.parquet", row_group_size=max(len(frame) // 5, 1))
    return {"data": folder / "all.parquet", "stream": True}


def in_csv(frame, folder, optional):
    frame.to_csv(folder / "all.csv", index=False)
    return {"data": folder / "all.csv", "stream": True}


def in_hive(frame, folder, optional):
    for quarter, part in frame.groupby("quarter"):
        (folder / f"quarter={quarter}").mkdir()
        part.drop(columns="quarter").to_parquet(folder / f"quarter={quarter}" / "0.parquet", index=False)
    return {"data": folder, "stream": True}


def in_database(frame, folder, optional):
    with optional("duckdb").connect(folder / "all.duckdb") as connection:
        connection.register("given", frame)
        connection.execute("create table answers as select * from given")
    return {"data": folder / "all.duckdb", "stream": True}


WRITTEN = dict(
    zip(
        (*IN_MEMORY, *STREAMED), (in_polars, in_duckdb, in_arrow, in_parquet, in_csv, in_hive, in_database), strict=True
    )
)


def in_a_row(engine):
    """An engine that is asked for everything each time, or when there is time for it."""
    return (
        engine if engine in ("polars", "DuckDB relation", "Parquet") else pytest.param(engine, marks=pytest.mark.slow)
    )


@pytest.fixture(scope="module")
def opened(tmp_path_factory, optional):
    """Open answers as one of `WRITTEN`, each as often as it is asked for."""

    def read(engine, frame=FRAME, asked=ASKED, **options):
        folder = tmp_path_factory.mktemp(engine.replace(" ", "_"))
        return csat.read_survey(**WRITTEN[engine](frame, folder, optional), questionnaire=asked, **options)

    return read


@pytest.fixture(scope="module")
def source_of(opened):
    """The one source of each engine."""
    return cache(opened)


@pytest.fixture(scope="module")
def reference():
    return csat.read_survey(FRAME, ASKED)


@pytest.fixture(scope="module")
def known(reference):
    """Figures of a method from the survey in memory."""
    return cache(lambda name: figures(METHODS[name](reference)))


@pytest.fixture(scope="module")
def summary(reference, tmp_path_factory):
    made = csat.summarise(reference, by=["brand", "quarter", "city"], sets=SETS, levels=[*ITEMS, "overall", "brand"])
    path = tmp_path_factory.mktemp("summary") / "s.parquet"
    made.save(path, allow_small=True)
    return csat.load_summary(path)


def test_every_public_function_is_asked():
    assert {name.split()[0] for name in METHODS} == functions()


@pytest.mark.parametrize("engine", IN_MEMORY)
def test_what_is_read_into_memory_is_the_same_table(source_of, reference, engine):
    table = reference.table
    assert source_of(engine).table.select(table.schema.names).equals(table)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("engine", [in_a_row(engine) for engine in WRITTEN])
def test_every_method_gives_the_same_figures(source_of, known, engine, name):
    source = source_of(engine)
    if isinstance(source, Stream) and name in OF_STREAMS:
        with pytest.raises(CsatError, match=OF_STREAMS[name]):
            METHODS[name](source)
    else:
        assert_same(figures(METHODS[name](source)), known(name))


@pytest.mark.parametrize("name", METHODS)
def test_a_saved_summary_gives_the_same_figures(summary, known, name):
    if name in OF_SUMMARIES:
        with pytest.raises(CsatError, match=OF_SUMMARIES[name]):
            METHODS[name](summary)
    else:
        assert_same(figures(METHODS[name](summary)), known(name), NOT_SUMMED.get(name))


@pytest.mark.parametrize("engine", WRITTEN)
def test_answers_are_counted_exactly(source_of, summary, reference, engine):
    expected = reference.levels(["C1", "C2", "overall"], ["brand", "quarter"])
    for source in (source_of(engine), summary):
        found = source.levels(["C1", "C2", "overall"], ["brand", "quarter"])
        assert (found.domains, found.levels) == (expected.domains, expected.levels)
        np.testing.assert_array_equal(found.missing, expected.missing)
        for ours, theirs in zip(found.unweighted, expected.unweighted, strict=True):
            np.testing.assert_array_equal(ours, theirs)


DESIGNS = {
    "nobody weighs more": csat.Design(),
    "strata of respondents": csat.Design(weight="w", stratum="city"),
    "a finite population": csat.Design(weight="w", stratum="city", psu="hall", fpc="halls"),
    "given replicates": csat.Design(
        weight="w", replicates=tuple(f"r{i}" for i in range(6)), replication=csat.Replication("JK1")
    ),
    "replicates of units": csat.Design(
        weight="w", stratum="city", psu="hall", replication=csat.Replication("bootstrap", 40, seed=3)
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DESIGNS)
@pytest.mark.parametrize("engine", ["polars", "DuckDB relation", *STREAMED])
def test_every_design_gives_the_same_errors(opened, engine, kind):
    weights = FRAME[["w"]].to_numpy() * np.random.default_rng(5).uniform(0.5, 1.5, (len(FRAME), 6)).round(6)
    frame = FRAME.assign(halls=40.0, **{f"r{i}": weights[:, i].round(9) for i in range(6)})
    expected = csat.read_survey(frame, ASKED, design=DESIGNS[kind])
    assert_same(
        figures(csat.index(opened(engine, frame, design=DESIGNS[kind]), by="brand")),
        figures(csat.index(expected, by="brand")),
    )


@pytest.mark.parametrize("psu", ["hall", None], ids=["units", "respondents"])
def test_every_engine_draws_the_same_bootstrap(opened, psu):
    """Units are drawn in the order of their labels, respondents in groups by a hash of their id: not by row."""
    frame = pd.concat([FRAME[["C1", "w", "city", "hall", "quarter", "brand"]]] * 45, ignore_index=True)
    frame["id"] = [f"n{i}" for i in np.random.default_rng(7).permutation(len(frame))]
    assert len(frame) > 20_000
    asked = csat.Questionnaire(
        "draws", scales=ASKED.scales, items=ASKED.items[:1], columns=ASKED.columns,
        design=csat.Design(weight="w", stratum="city", psu=psu),
    )  # fmt: skip
    replication = csat.Replication("bootstrap", 40, seed=11)

    def drawn(source):
        return figures(csat.mean(source.replicated(replication), "C1", by="brand"))

    expected = drawn(csat.read_survey(frame.sample(frac=1, random_state=1), asked))
    for engine in ("polars", "DuckDB relation", *STREAMED):
        assert_same(drawn(opened(engine, frame, asked)), expected)
