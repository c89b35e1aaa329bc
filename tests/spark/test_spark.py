"""A survey in a Spark frame, on a real standalone master with two workers, gives what it gives in pandas."""

import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import csat
from csat.design import Design, Replication
from csat.errors import DataError, MissingDependencyError, OptionError, SampleError
from csat.moments import PatternSource, RowSource, Source
from csat.questionnaire import Questionnaire
from csat.spark import SparkError, SparkSource, faults, is_spark, opened_spark, session
from csat.spark import frame as frames
from csat.spark.session import has_java
from csat.spark.ship import archive
from csat.streams import RowsError
from csat.survey import read_survey

from ..sources.study import ASKED, ITEMS  # noqa: TID252 - one questionnaire for all sources

ROWS = 1200


def answers() -> pd.DataFrame:
    """Answers that hang together, with gaps, labels, unknown codes, a blank row and bad weights."""
    rng = np.random.default_rng(5)
    common = rng.normal(size=(ROWS, 1))
    levels = np.clip(np.rint(6 + 1.6 * common + 1.2 * rng.normal(size=(ROWS, len(ITEMS)))), 1, 10)
    frame = pd.DataFrame(levels, columns=list(ITEMS)).mask(rng.random((ROWS, len(ITEMS))) < 0.04)
    frame["C2"] = frame["C2"].fillna(98)
    frame.loc[[3, 77, 900], "C3"] = 55
    frame["brand"] = rng.choice(["全球通", "mzone", "gotone"], ROWS)
    frame["id"] = [f"r{i}" for i in range(ROWS)]
    frame["w"] = rng.uniform(0.4, 3, ROWS).round(6)
    frame["city"] = rng.choice(["兰州", "天水"], ROWS)
    frame["hall"] = [f"h{hall}" for hall in rng.integers(1, 15, ROWS)]
    frame["arpu"] = rng.normal(50, 20, ROWS).round(2)
    frame["day"] = pd.Timestamp("2026-07-01") + pd.to_timedelta(rng.integers(0, 90, ROWS), "D")
    frame.loc[[10, 500], "w"] = np.nan
    frame.loc[610, "w"] = 0
    frame.loc[700] = None
    return frame


FRAME = answers()
DRIVERS = list(ITEMS[1:])

METHODS = {
    "index": lambda s: csat.index(s, by="brand"),
    "mean": lambda s: csat.mean(s, "arpu", by="brand"),
    "share": lambda s: csat.share(s, "C1", by="brand"),
    "quantile": lambda s: csat.quantile(s, "C2", 0.5, by="city"),
    "domain": lambda s: csat.index(s.where(brand="全球通")),
    "regress": lambda s: csat.regress(s, outcome="C1", drivers=DRIVERS),
    "reliability": lambda s: csat.reliability(s, {"all": list(ITEMS)}),
    "bootstrap": lambda s: csat.mean(s.replicated(Replication("bootstrap", 60, seed=2)), "C1", by="city"),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Parquet files in several folders, as Spark and Hive write them."""
    made = tmp_path_factory.mktemp("answers")
    for number, part in enumerate(np.array_split(np.arange(ROWS), 3)):
        rows = FRAME.iloc[part].assign(day=lambda frame: frame["day"].astype("datetime64[us]"))
        rows.to_parquet(made / f"part-{number}.parquet", index=False)
    return made


@pytest.fixture(scope="module")
def frame(spark, folder):
    return spark.read.parquet(str(folder)).repartition(7).cache()


@pytest.fixture(scope="module")
def source(frame):
    return read_survey(frame, ASKED, on_unknown="missing")


@pytest.fixture(scope="module")
def reference():
    return read_survey(FRAME, ASKED, on_unknown="missing")


@pytest.mark.parametrize("name", METHODS)
def test_every_method_gives_what_it_gives_in_memory(source, reference, name):
    found, known = METHODS[name](source).tidy(), METHODS[name](reference).tidy()
    assert len(known) > 0
    pd.testing.assert_frame_equal(found, known, rtol=1e-9, atol=1e-12)


def test_it_is_a_source_of_every_kind_of_sums(source, reference):
    assert isinstance(source, SparkSource)
    assert isinstance(source, Source)
    assert isinstance(source, RowSource)
    assert isinstance(source, PatternSource)
    found, known = source.levels(["C1", "C2"], by=["brand"]), reference.levels(["C1", "C2"], by=["brand"])
    assert found.domains == known.domains
    for ours, theirs in zip(found.unweighted, known.unweighted, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    found, known = source.patterns(["C1", "C3"], by=["city"]), reference.patterns(["C1", "C3"], by=["city"])
    assert found.domains == known.domains
    np.testing.assert_array_equal(found.n, known.n)
    np.testing.assert_allclose(found.gram, known.gram, rtol=1e-9, atol=1e-9)


def test_the_ledger_counts_every_row_and_cell(source, reference):
    columns = ["what", "column", "reason", "count"]
    found, known = (ledger.tidy()[columns] for ledger in (source.ledger, reference.ledger))
    both = [table.sort_values(columns[:3]).reset_index(drop=True) for table in (found, known)]
    pd.testing.assert_frame_equal(*both)
    assert source.ledger.count("out_of_range", "C3") == 3
    assert len(source) == len(reference)
    assert len(source.where(city="兰州")) == len(reference.where(city="兰州"))


def test_groups_of_respondents_are_those_of_a_stream(frame, folder):
    plain = replace(ASKED, design=Design(weight="w"))
    replication = Replication("bootstrap", 60, seed=4)
    stream = read_survey(folder, plain, on_unknown="missing", stream=True)
    ours = read_survey(frame, plain, on_unknown="missing")
    found, known = (csat.mean(s.replicated(replication), "C1", by="city").tidy() for s in (ours, stream))
    pd.testing.assert_frame_equal(found, known, rtol=1e-9, atol=1e-12)


def test_a_summary_is_the_one_made_in_memory(source, reference):
    found, known = (csat.summarise(s, by=["brand"], items=["C1", "C2"], levels=["C1"]) for s in (source, reference))
    for method in (lambda s: csat.mean(s, ["C1", "C2"], by="brand"), lambda s: csat.share(s, "C1", by="brand")):
        pd.testing.assert_frame_equal(method(found).tidy(), method(known).tidy(), rtol=1e-9, atol=1e-12)


def test_only_sums_reach_the_driver(source, monkeypatch):
    from pyspark.sql import DataFrame

    rows = []
    kind = type(source.cluster.frame.frame)
    collect = kind.collect

    def counted(self):
        found = collect(self)
        rows.append(len(found))
        return found

    monkeypatch.setattr(kind, "collect", counted)
    for name in ("toArrow", "toPandas", "toLocalIterator", "take", "head"):
        monkeypatch.setattr(kind, name, lambda *_: pytest.fail("rows were fetched"))
    assert issubclass(kind, DataFrame)
    csat.index(source, by="city")
    assert rows
    assert max(rows) <= frames.FEW


def test_the_code_comes_to_two_executors_by_itself(spark, source):
    csat.mean(source, "C1")

    def where(batches):
        import os
        import time

        import pyarrow as pa

        import csat.version

        list(batches)
        time.sleep(1)
        yield pa.RecordBatch.from_pydict({"file": [csat.version.__file__], "parent": [str(os.getppid())]})

    found = spark.range(8).repartition(4).mapInArrow(where, "file string, parent string").collect()
    assert all(".zip/csat/version.py" in row["file"] for row in found)
    assert len({row["parent"] for row in found}) == 2


def test_unknown_answers_are_refused_with_their_number(frame):
    survey = read_survey(frame, ASKED)
    with pytest.raises(DataError, match=r"C3.*3 × .*partition \d, row \d+: '55'"):
        csat.mean(survey, "C3")


def test_only_the_universe_is_summed(frame, reference):
    part = read_survey(FRAME, ASKED, on_unknown="missing", only={"city": "兰州"})
    found = read_survey(frame, ASKED, on_unknown="missing", only={"city": "兰州"})
    pd.testing.assert_frame_equal(csat.index(found).tidy(), csat.index(part).tidy(), rtol=1e-9, atol=1e-12)
    with pytest.raises(DataError, match="no row has city = '敦煌'"):
        csat.index(read_survey(frame, ASKED, only={"city": "敦煌"}))


def test_interviews_that_occur_twice_are_refused(frame):
    twice = read_survey(frame.union(frame.where("id = 'r9'")), ASKED, on_unknown="missing")
    with pytest.raises(SparkError, match=r"'id' should name each interview once.*'r9' 2 times.*dropDuplicates"):
        csat.mean(twice, "C1")


def test_rows_are_never_fetched(frame, source):
    with pytest.raises(RowsError, match=r"'frame' needs the respondents' rows.*toArrow"):
        source.frame  # noqa: B018
    with pytest.raises(RowsError, match="stay with the executors"):
        next(source.batches(["C1"]))
    with pytest.raises(OptionError, match=r"stream=False would bring all rows"):
        read_survey(frame, ASKED, stream=False)
    with pytest.raises(OptionError, match=r"memory=, progress= is not for a Spark frame"):
        read_survey(frame, ASKED, memory="1GB", progress=True)
    with pytest.raises(DataError, match="A Spark frame is read by"):
        csat.read.read_clean(frame)
    with pytest.raises(DataError, match="no rows"):
        read_survey(frame.where("1 = 0"), ASKED)


def test_respondents_without_a_name_have_no_replicates(frame):
    nameless = Questionnaire("n", scales=ASKED.scales, items=ASKED.items, design=Design(weight="w"))
    survey = read_survey(frame, nameless, on_unknown="missing")
    with pytest.raises(SampleError, match="need something that names each respondent"):
        survey.replicated(Replication("bootstrap", 50))


def test_errors_of_a_worker_are_those_of_csat(frame):
    design = Design(weight="w", stratum="city", psu="hall", fpc="arpu")
    with pytest.raises(csat.errors.CsatError) as ours:
        csat.mean(read_survey(frame, ASKED, design=design, on_unknown="missing"), "C1")
    assert type(ours.value).__name__ == "DesignError"
    assert "Traceback" not in str(ours.value)


def test_a_worker_without_packages_is_named(spark, frame, tmp_path, monkeypatch):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    survey = read_survey(frame, ASKED, on_unknown="missing")
    monkeypatch.setattr(spark.sparkContext, "pythonExec", str(tmp_path / "bare" / "bin" / "python"))
    with pytest.raises(
        MissingDependencyError, match=r"Spark worker has no package '(numpy|pandas|pyarrow)'.*venv-pack"
    ):
        csat.mean(survey, "C1")


def test_what_is_absent_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(MissingDependencyError, match=r"needs the package 'pyspark': pip install 'csat\[spark\]'"):
        session()


def test_a_machine_without_java_is_told(monkeypatch, tmp_path):
    pytest.importorskip("pyspark")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert not has_java()
    with pytest.raises(MissingDependencyError, match="Spark needs Java 17"):
        session()


def test_failures_of_spark_are_worded():
    found = faults.worded("x", RuntimeError("[PYTHON_VERSION_MISMATCH] Python in worker has different version: 3.9"))
    assert "another Python" in str(found)
    found = faults.worded("x", RuntimeError("Job aborted\nCaused by: java.io.IOException: disk is full\n\tat a.b"))
    assert str(found) == "x: Spark could not finish the job (java.io.IOException: disk is full)."
    assert type(faults.again("SampleError", "few")) is SampleError
    assert type(faults.again("Unknown", "few")) is DataError


def test_frames_of_other_kinds_are_no_spark_frames():
    assert not is_spark(pd.DataFrame())
    remote = type("DataFrame", (), {"mapInArrow": None})
    remote.__module__ = "pyspark.sql.connect.dataframe"
    with pytest.raises(SparkError, match="session of Spark Connect"):
        opened_spark(remote(), None, None, on_unknown="raise", on_absent="raise", universe=None)


def test_the_archive_holds_the_code_and_is_the_same_each_time(tmp_path):
    first, second = archive(tmp_path / "a.zip"), archive(tmp_path / "b.zip")
    assert first.read_bytes() == second.read_bytes()
    assert "csat/spark/work.py" in zipfile.ZipFile(first).namelist()


def test_sums_that_would_not_fit_are_refused_before_their_job(source, monkeypatch):
    """Cells are counted by Spark: those that occur, of the rows that count."""
    from csat.streams.budget import sums_of

    found = source._counted_cells(sums_of(["C1"], ["brand"], "available", source.design))
    kept = FRAME.drop_duplicates(["brand", "city", "hall"])
    assert found.groups == {"brand": FRAME["brand"].nunique()}
    assert found.cells <= len(kept)
    monkeypatch.setattr("csat.streams.budget.MOST_BYTES", 1000)
    with pytest.raises(csat.CsatError, match=r"Sums of 2 variables in \d+ cells .* group by a coarser column"):
        source.groups(["C1", "C2"], ["brand"])
