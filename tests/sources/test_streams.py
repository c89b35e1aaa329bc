"""Streams give what a survey in memory gives: every kind of source, every batch size, every method that needs sums."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import csat
from csat.design import Design, Replication
from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.moments import PatternSource, Product, Recode, RowSource, Source, TableSource
from csat.streams import RowsError, Stream, memory
from csat.streams import reader as passes
from csat.survey import Survey, read_survey

from .study import ASKED, ITEMS

ROWS = 900
COUNTS = ["what", "column", "reason", "count"]


def answers() -> pd.DataFrame:
    """Answers that hang together, with gaps, codes, labels, a blank row, bad weights and repeated interviews."""
    rng = np.random.default_rng(11)
    common = rng.normal(size=(ROWS, 1))
    levels = np.clip(np.rint(6 + 1.6 * common + 1.2 * rng.normal(size=(ROWS, len(ITEMS)))), 1, 10)
    frame = pd.DataFrame(levels, columns=list(ITEMS))
    frame = frame.mask(rng.random(frame.shape) < 0.04)
    frame["C2"] = frame["C2"].fillna(98)
    frame["brand"] = rng.choice(["全球通", "mzone", "gotone"], ROWS)
    frame["id"] = [f"r{i}" for i in range(ROWS)]
    frame["w"] = rng.uniform(0.4, 3, ROWS).round(6)
    frame["city"] = rng.choice(["兰州", "天水"], ROWS)
    frame["hall"] = [f"h{hall}" for hall in rng.integers(1, 15, ROWS)]
    frame["arpu"] = rng.normal(50, 20, ROWS).round(2)
    frame["remark"] = rng.choice(["好", "a, b", 'say "x"', None], ROWS)
    frame["quarter"] = np.repeat(["q1", "q2", "q3"], ROWS // 3)
    frame.loc[40, "id"] = frame.loc[400, "id"] = "r7"
    frame.loc[[10, 500], "w"] = np.nan
    frame.loc[610, "w"] = 0
    frame.loc[700] = None
    return frame


FRAME = answers()
PARTS = [FRAME.iloc[:250], FRAME.iloc[250:640], FRAME.iloc[640:]]


def one_parquet(folder: Path, optional):
    parquet.write_table(pa.Table.from_pandas(FRAME), folder / "all.parquet", row_group_size=90)
    return {"data": folder / "all.parquet"}


def one_csv(folder: Path, optional):
    FRAME.to_csv(folder / "all.csv", index=False)
    return {"data": folder / "all.csv"}


def gb18030(folder: Path, optional):
    FRAME.to_csv(folder / "all.txt", index=False, encoding="gb18030", sep=";")
    return {"data": str(folder / "all.txt")}


def utf16(folder: Path, optional):
    FRAME.to_csv(folder / "all.tsv", index=False, encoding="utf-16", sep="\t")
    return {"data": str(folder / "all.tsv")}


def titled(folder: Path, optional):
    path = folder / "all.csv"
    path.write_text("Survey 2026\n\n" + FRAME.to_csv(index=False), encoding="utf-8")
    return {"data": path, "header_row": 3}


def a_folder(folder: Path, optional):
    for number, part in enumerate(PARTS):
        parquet.write_table(pa.Table.from_pandas(part, preserve_index=False), folder / f"{number}.parquet")
    (folder / "_SUCCESS").touch()
    (folder / ".hidden.parquet").write_bytes(b"no data")
    (folder / "notes.md").write_text("not read", encoding="utf-8")
    return {"data": folder}


def a_pattern(folder: Path, optional):
    for number, part in enumerate(PARTS):
        (folder / f"day{number}").mkdir()
        part.to_csv(folder / f"day{number}" / "x.csv", index=False)
    return {"data": str(folder / "day*" / "*.csv")}


def a_hive(folder: Path, optional):
    for quarter, part in FRAME.groupby(FRAME["quarter"].fillna("__HIVE_DEFAULT_PARTITION__"), sort=False):
        place = folder / f"quarter={quarter}"
        place.mkdir()
        parquet.write_table(
            pa.Table.from_pandas(part.drop(columns="quarter"), preserve_index=False), place / "0.parquet"
        )
    return {"data": folder}


def categories(folder: Path, optional):
    kinds = dict.fromkeys(("brand", "city", "remark"), "category")
    parquet.write_table(pa.Table.from_pandas(FRAME.astype(kinds)), folder / "all.parquet", row_group_size=333)
    return {"data": folder / "all.parquet"}


SOURCES = {
    "parquet": one_parquet,
    "csv": one_csv,
    "gb18030": gb18030,
    "utf16": utf16,
    "header_row": titled,
    "folder": a_folder,
    "pattern": a_pattern,
    "hive": a_hive,
    "dictionaries": categories,
}


@pytest.fixture(scope="module")
def reference():
    return read_survey(FRAME, ASKED)


@pytest.fixture(params=SOURCES, ids=str)
def source(request, tmp_path, optional):
    return SOURCES[request.param](tmp_path, optional)


@pytest.fixture(scope="module")
def streamed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stream")
    parquet.write_table(pa.Table.from_pandas(FRAME), folder / "all.parquet", row_group_size=90)
    return read_survey(folder / "all.parquet", ASKED, stream=True)


@pytest.fixture(params=[60, 65536], ids=lambda rows: f"{rows} rows")
def few_rows(request, monkeypatch):
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: request.param)
    return request.param


def test_every_source_gives_the_sums_of_the_survey_in_memory(source, reference, few_rows):
    stream = read_survey(**source, questionnaire=ASKED, stream=True)
    assert isinstance(stream, Stream)
    for rule in ("available", "listwise"):
        got, expected = (s.groups([*ITEMS, "arpu"], ["brand"], rule) for s in (stream, reference))
        assert got.domains == expected.domains == (("gotone",), ("mzone",))
        assert got.psus == expected.psus
        np.testing.assert_array_equal(got.n, expected.n)
        np.testing.assert_array_equal(got.counts, expected.counts)
        for domain in got.domains:
            ours, theirs = (groups.moments(domain) for groups in (got, expected))
            np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-12)
            np.testing.assert_allclose(ours.cov, theirs.cov, rtol=1e-9, atol=1e-12)
    ours, theirs = (s.levels(["C1", "C2", "remark"], ["brand", "quarter"]) for s in (stream, reference))
    assert (ours.domains, ours.levels) == (theirs.domains, theirs.levels)
    np.testing.assert_array_equal(ours.missing, theirs.missing)
    for mine, other in zip(ours.unweighted, theirs.unweighted, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_every_source_gives_the_ledger_of_the_survey_in_memory(source, reference):
    stream = read_survey(**source, questionnaire=ASKED, stream=True)
    stream.levels(["C3"], ["brand"])
    ours, theirs = (s.ledger.tidy()[COUNTS] for s in (stream, reference))
    pd.testing.assert_frame_equal(
        ours.sort_values(COUNTS, ignore_index=True), theirs.sort_values(COUNTS, ignore_index=True)
    )
    assert stream.ledger.count("duplicate_id") == 2
    assert stream.ledger.count("empty_row") == 1
    assert set(stream.ledger.plain) == {"arpu", "remark", "quarter"}
    assert stream.ledger.weights.n == reference.ledger.weights.n
    assert stream.ledger.weights.n_eff == pytest.approx(reference.ledger.weights.n_eff, rel=1e-12)


def test_a_small_source_becomes_a_survey_with_the_same_rows(source, reference):
    survey = read_survey(**source, questionnaire=ASKED)
    assert isinstance(survey, Survey)
    columns = [*reference.columns]
    ours, theirs = (s.table.select(columns).sort_by("id") for s in (survey, reference))
    assert ours.equals(theirs)


MODEL = "sat =~ C1 + C2 + C3\nloy =~ C4 + C5 + C6\nloy ~ sat"
METHODS = {
    "mean": lambda s: csat.mean(s, [*ITEMS, "arpu"], by="brand"),
    "mean of a domain": lambda s: csat.mean(s.where(brand="mzone", quarter=["q1", "q2"]), list(ITEMS)),
    "total": lambda s: csat.total(s, ["arpu"], by="quarter"),
    "ratio": lambda s: csat.ratio(s, "C1", "arpu"),
    "sd": lambda s: csat.sd(s, ["C1", "arpu"], by="brand"),
    "var": lambda s: csat.var(s, ["C1", "arpu"]),
    "share": lambda s: csat.share(s, "C1", by="brand"),
    "share of a category": lambda s: csat.share(s, "brand"),
    "share of text": lambda s: csat.share(s, "remark", by="quarter"),
    "box": lambda s: csat.box(s, ["C1", "C2"], by="brand"),
    "nps": lambda s: csat.nps(s.where(city="兰州"), "C1"),
    "quantile": lambda s: csat.quantile(s, "C1", [0.25, 0.5], by="brand"),
    "crosstab": lambda s: csat.crosstab(s, "brand", "quarter"),
    "difference": lambda s: csat.difference(s, "C1", "brand"),
    "index": lambda s: csat.index(s, by=["brand", "quarter"]),
    "gaps": lambda s: csat.gaps(s, by="brand", against="gotone"),
    "expectation gaps": lambda s: csat.expectation_gaps(s, {"C1": "C4"}, by="brand"),
    "trend": lambda s: csat.trend(s, "quarter"),
    "ranktest": lambda s: csat.ranktest(s, "C1", "brand"),
    "regress": lambda s: csat.regress(s, "C6", ["C1", "C2", "arpu"]),
    "ordered regression": lambda s: csat.regress(s, "C6", ["C1", "C2"], family="ordered"),
    "importance": lambda s: csat.importance(s, "C6", ["C1", "C2", "C3"]),
    "stepwise": lambda s: csat.stepwise(s, "C6", ["C1", "C2", "C3", "C4"]),
    "best subsets": lambda s: csat.best_subsets(s, "C6", ["C1", "C2", "C3"]),
    "ipa": lambda s: csat.ipa(s, "C6", ["C1", "C2", "C3"]),
    "reward and penalty": lambda s: csat.reward_penalty(s, "C6", ["C1", "C2"]),
    "reliability": lambda s: csat.reliability(s, {"all": list(ITEMS)}),
    "polychoric": lambda s: csat.polychoric(s, ["C1", "C2", "C3"]),
    "efa": lambda s: csat.efa(s, list(ITEMS), factors=2),
    "sem": lambda s: csat.sem(s, MODEL, estimator="MLR"),
    "sem of incomplete answers": lambda s: csat.sem(s, MODEL, missing="fiml"),
    "invariance": lambda s: csat.invariance(s, "f =~ C1 + C2 + C3 + C4", "city"),
    "pls": lambda s: csat.pls(s, MODEL, replicates=60),
    "mean of a summary": lambda s: csat.mean(csat.summarise(s, ["C1", "C2"], "brand"), ["C1"], by="brand"),
    "evaluate": lambda s: csat.evaluate(s, by="brand"),
    "factor weights": lambda s: csat.factor_weights(s, list(ITEMS), method="entropy"),
}


def tables(result) -> list[pd.DataFrame]:
    return [frame.reset_index(drop=True) for frame in (result.tidy(), result.glance())]


# what the methods warn of is the same on both sides and tested elsewhere
@pytest.mark.filterwarnings("ignore::csat.errors.CsatWarning")
@pytest.mark.parametrize("method", METHODS, ids=str)
def test_every_method_gives_the_same_figures(method, streamed, reference):
    for ours, theirs in zip(*(tables(METHODS[method](s)) for s in (streamed, reference)), strict=True):
        pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9, atol=1e-9)


def test_recoded_variables_and_products_are_summed(streamed, reference):
    happy = Recode("happy", "C6", {level: float(level > 7) for level in range(1, 11)})
    brand = Recode("brand = mzone", "brand", {"mzone": 1.0, "gotone": 0.0})
    names = [happy, brand, Product("C1 × arpu", ("C1", "arpu"))]
    ours, theirs = (s.groups(names, ["quarter"]).moments(("q1",)) for s in (streamed, reference))
    np.testing.assert_allclose(ours.mean, theirs.mean, rtol=1e-12)


def test_patterns_of_missing_answers_are_the_same(streamed, reference):
    ours, theirs = (s.patterns(list(ITEMS), ["brand"]) for s in (streamed, reference))
    np.testing.assert_array_equal(ours.n, theirs.n)
    np.testing.assert_allclose(ours.gram, theirs.gram, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["JKn", "bootstrap"])
def test_replicates_of_declared_units_are_the_same(streamed, reference, kind):
    replication = Replication(kind, size=40)
    ours, theirs = (s.replicated(replication).groups(["C1", "C2"], ["brand"]) for s in (streamed, reference))
    np.testing.assert_allclose(ours.gram, theirs.gram, rtol=1e-12, atol=1e-9)
    declared = Design(weight="w", stratum="city", psu="hall", replication=replication)
    data = str(streamed.reader.origin.sheets[0].path)
    ours = csat.mean(read_survey(data, ASKED, design=declared, stream=True), ["C1", "C2"]).tidy()
    pd.testing.assert_frame_equal(ours, csat.mean(read_survey(FRAME, ASKED, design=declared), ["C1", "C2"]).tidy())


def test_given_replicate_weights_are_used(tmp_path):
    frame = FRAME.dropna(subset="w").assign(**{f"r{i}": lambda f, i=i: f["w"] * (1 + (i % 3)) for i in range(6)})
    frame.to_parquet(tmp_path / "x.parquet")
    design = Design(weight="w", replicates=tuple(f"r{i}" for i in range(6)), replication=Replication("JK1"))
    ours, theirs = (
        csat.mean(read_survey(data, ASKED, design=design, stream=stream), ["C1"], by="brand").tidy()
        for data, stream in ((tmp_path / "x.parquet", True), (frame, None))
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)


def test_a_second_stage_of_sampling_counts(tmp_path):
    frame = FRAME.dropna(subset=["w"]).assign(halls=40.0, homes=200.0)
    frame.to_parquet(tmp_path / "x.parquet")
    design = Design(weight="w", stratum="city", psu="hall", fpc="halls", ssu="id", fpc2="homes")
    ours, theirs = (
        csat.mean(read_survey(data, ASKED, design=design, stream=stream), ["C1"], by="brand").tidy()
        for data, stream in ((tmp_path / "x.parquet", True), (frame, None))
    )
    pd.testing.assert_frame_equal(ours, theirs, rtol=1e-9)


def test_rows_without_units_are_drawn_in_random_groups_that_no_batch_size_changes(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "x.parquet")
    design = Design(weight="w")
    found = []
    for rows in (50, 65536):
        monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads, rows=rows: rows)
        stream = read_survey(tmp_path / "x.parquet", ASKED, design=design, stream=True)
        found.append(stream.replicated(Replication("bootstrap", size=30)).groups(["C1"]))
    first, second = found
    assert first.psus == second.psus
    assert 300 < len(first.psus) <= 500
    np.testing.assert_allclose(first.gram, second.gram, rtol=1e-12, atol=1e-9)
    other = stream.replicated(Replication("bootstrap", size=30, seed=2)).groups(["C1"])
    assert not np.array_equal(np.sort(other.n), np.sort(first.n)) or other.psus != first.psus


@pytest.mark.parametrize("asked", [ASKED, None], ids=["by identifier", "by row"])
def test_large_samples_without_units_are_drawn_as_in_memory(tmp_path, asked):
    frame = pd.concat([FRAME.drop(index=700)] * 24, ignore_index=True).dropna(subset="w")
    frame["id"] = [f"n{i}" for i in range(len(frame))]
    frame.to_parquet(tmp_path / "x.parquet")
    stream, survey = (
        read_survey(tmp_path / "x.parquet", asked, design=Design(weight="w", stratum="city"), stream=on)
        for on in (True, False)
    )
    assert len(survey) > 20_000
    ours, theirs = (s.replicated(Replication("bootstrap", size=30)).groups(["C1"]) for s in (stream, survey))
    assert ours.psus == theirs.psus
    np.testing.assert_allclose(ours.moments().mean, theirs.moments().mean, rtol=1e-12)
    np.testing.assert_array_equal(ours.n, theirs.n)


def test_replicates_of_single_rows_are_refused_with_what_to_do(streamed):
    data = str(streamed.reader.origin.sheets[0].path)
    design = Design(weight="w", replication=Replication("bootstrap", size=30))
    with pytest.raises(SampleError, match=r"need all rows at once\. Declare sampling units, Design\(psu=…\)"):
        csat.mean(read_survey(data, ASKED, design=design, stream=True), ["C1"])


def test_a_stream_is_what_methods_ask_for(streamed):
    for protocol in (Source, RowSource, PatternSource):
        assert isinstance(streamed, protocol)
    assert not isinstance(streamed, TableSource)
    assert bool(streamed)


def test_a_stream_knows_its_columns_and_groups(streamed, reference):
    assert set(streamed.columns) == set(reference.columns)
    assert set(streamed.numbers) == set(reference.numbers)
    assert streamed.categories("brand") == reference.categories("brand")
    narrow, mirror = (s.where(quarter="q2", brand="全球通") for s in (streamed, reference))
    assert narrow.categories("quarter") == mirror.categories("quarter") == ("q2",)
    assert sorted(narrow.keys("quarter")) == sorted(mirror.keys("quarter"))
    assert (len(narrow), len(streamed)) == (len(mirror), len(reference))
    assert "where: quarter = q2, brand = gotone" in repr(narrow)
    assert "memory: 1024 MB for batches" in repr(narrow)


@pytest.mark.parametrize("what", ["frame", "scores", "quality", "weight"])
def test_rows_are_refused_with_the_way_to_them(streamed, what):
    with pytest.raises(RowsError, match=rf"'{what}' needs the respondents' rows, and all\.parquet is streamed.*only="):
        getattr(streamed, what)
    with pytest.raises(AttributeError, match="A Stream has no 'nonsense'"):
        _ = streamed.nonsense


def test_methods_that_need_rows_say_so(streamed):
    with pytest.raises(SampleError, match="needs the respondents' rows"):
        csat.diagnose(streamed, "C6", ["C1", "C2"])
    with pytest.raises(OptionError, match="calibrate needs a survey"):
        csat.calibrate(streamed, {"brand": {"gotone": 0.5, "mzone": 0.5}})


def test_unknown_columns_and_categories_are_refused(streamed):
    with pytest.raises(UnknownColumnError, match="No column 'C9' in this survey"):
        streamed.groups(["C9"])
    with pytest.raises(OptionError, match="brand='moon' is not known"):
        streamed.where(brand="moon")
    with pytest.raises(SampleError, match="'remark' holds categories such as"):
        streamed.groups(["remark"])


def test_only_the_universe_is_read(source, few_rows):
    inside = FRAME[FRAME["quarter"].isin(["q1", "q3"]) & (FRAME["city"] == "天水")]
    expected = read_survey(inside, ASKED)
    only = {"quarter": ["q1", "q3"], "city": "天水"}
    stream = read_survey(**source, questionnaire=ASKED, stream=True, only=only)
    pd.testing.assert_frame_equal(
        csat.index(stream, by="brand").tidy(), csat.index(expected, by="brand").tidy(), rtol=1e-9
    )
    ours, theirs = (s.ledger.tidy()[COUNTS].sort_values(COUNTS, ignore_index=True) for s in (stream, expected))
    pd.testing.assert_frame_equal(ours, theirs)
    assert "only rows with quarter = 'q1' or 'q3', city = '天水'" in stream.ledger.notes
    survey = read_survey(**source, questionnaire=ASKED, only=only)
    assert len(survey) == len(expected)


def test_row_groups_and_folders_outside_the_universe_are_not_opened(tmp_path, optional, monkeypatch):
    from csat.streams import parquet as sheets

    read = []
    numbers = sheets._Numbers.take
    monkeypatch.setattr(sheets._Numbers, "take", lambda self, count: read.append(count) or numbers(self, count))
    FRAME.sort_values("quarter").to_parquet(tmp_path / "x.parquet", row_group_size=100)
    stream = read_survey(tmp_path / "x.parquet", ASKED, stream=True, only={"quarter": "q2"}, design=Design(weight="w"))
    read.clear()
    stream.undesigned().groups(["C1"])
    assert sum(read) <= 2 * 400
    (tmp_path / "hive").mkdir()
    hive = read_survey(**a_hive(tmp_path / "hive", optional), questionnaire=ASKED, stream=True, only={"quarter": "q2"})
    (tmp_path / "hive" / "quarter=q1" / "0.parquet").unlink()
    assert hive.ledger.rows_read == 300


def test_numbers_are_compared_as_numbers(tmp_path):
    frame = FRAME.assign(wave=np.repeat([1, 2, 10], ROWS // 3))
    frame.to_parquet(tmp_path / "x.parquet", row_group_size=50)
    frame.to_csv(tmp_path / "x.csv", index=False)
    stream = read_survey(tmp_path / "x.parquet", ASKED, stream=True, only={"wave": [2, "10"]})
    assert stream.ledger.rows_read == 600
    assert read_survey(tmp_path / "x.csv", ASKED, only={"wave": 2}).ledger.rows_read == 300


def test_a_large_source_is_streamed_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "LEAST", 2**20)
    frame = pd.DataFrame({"C1": np.ones(40_000), "text": "a"} | {f"x{i}": 1.0 for i in range(20)})
    frame.to_parquet(tmp_path / "x.parquet")
    assert isinstance(read_survey(tmp_path / "x.parquet", memory="6MB"), Stream)
    assert isinstance(read_survey(tmp_path / "x.parquet", memory="6MB", stream=False), Survey)
    assert isinstance(read_survey(tmp_path / "x.parquet"), Survey)


def test_progress_is_told_after_each_batch(tmp_path, monkeypatch):
    FRAME.to_parquet(tmp_path / "x.parquet")
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 100)
    told = []
    stream = read_survey(
        tmp_path / "x.parquet", ASKED, stream=True, progress=lambda done, total: told.append((done, total))
    )
    stream.undesigned().groups(["C1"])
    assert told[-1] == (ROWS, ROWS)
    assert [done for done, _ in told[-9:]] == list(range(100, 1000, 100))


def test_the_bar_is_drawn_in_a_terminal_only_and_taken_off_again(monkeypatch):
    from csat.streams import progress

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    for stream, expected in ((io.StringIO(), ""), (Terminal(), "\r[###############---------------]  50%  50  ")):
        monkeypatch.setattr("sys.stderr", stream)
        with pytest.raises(KeyboardInterrupt), progress.shown(True) as tick:
            tick(50, 100)
            raise KeyboardInterrupt
        assert stream.getvalue().startswith(expected)
        assert stream.getvalue().endswith("\r\x1b[K" if expected else "")
    assert progress.line(3_000_000, None, 1.5) == "3,000,000  2.00 M/s"


def test_an_interrupted_pass_leaves_nothing_behind(tmp_path, monkeypatch):
    """The identifiers of a pass are kept in a temporary folder; it goes, and so do the threads."""
    import threading

    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 50)
    FRAME.to_parquet(tmp_path / "x.parquet")
    seen = []

    def stop(done, total):
        seen.extend((tmp_path / "temporary").glob("csat-*"))
        if done > 300:
            raise KeyboardInterrupt

    before = threading.active_count()
    stream = read_survey(tmp_path / "x.parquet", ASKED, stream=True, progress=stop)
    with pytest.raises(KeyboardInterrupt):
        stream.groups(["C1"])
    assert seen
    assert list((tmp_path / "temporary").iterdir()) == []
    assert threading.active_count() == before
    assert stream.reader.book.rows is None


def test_memory_bounds_the_rows_of_a_batch():
    bytes_in, rows_for = memory.bytes_in, memory.rows_for
    assert bytes_in("64MB") == bytes_in(2**26) == 2**26
    assert bytes_in(None) == bytes_in("1 GiB") == 2**30
    assert rows_for(2**30, 20, 2) == 131_072
    assert rows_for(2**26, 2000, 2) == 2**26 // 2 // 8 // 2000
    assert rows_for(2**26, 50_000, 8) == 1024
