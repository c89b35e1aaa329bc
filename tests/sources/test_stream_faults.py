"""What is wrong with a source that is read in passes is said with file, row and remedy."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from csat.design import Design
from csat.errors import DataError, MissingFileError, OptionError, SampleError, UnknownColumnError
from csat.questionnaire import Column, Item, Questionnaire, Scale
from csat.read import TableError, WeightWarning
from csat.streams import Stream, StreamError
from csat.streams import reader as passes
from csat.streams.parquet import ParquetSheet
from csat.survey import Survey, read_survey

FIVE = Scale("five", 1, 5, missing={9: "dont_know"}, labels={5: {"en": "Excellent"}})
ASKED = Questionnaire("faults", scales=(FIVE,), items=(Item("A", FIVE), Item("B", FIVE)))
WITH_ID = Questionnaire(
    "faults", scales=(FIVE,), items=(Item("A", FIVE), Item("B", FIVE)), columns=(Column("id", "id"),)
)


def table(rows: int = 60, **more) -> pd.DataFrame:
    base = {"A": np.resize([1, 2, 3, 4, 5], rows), "B": np.resize([5, 4, 9], rows)}
    return pd.DataFrame(base | more)


@pytest.fixture
def folder(tmp_path):
    for name in "abc":
        table(x=1.5).to_parquet(tmp_path / f"{name}.parquet")
    return tmp_path


def streamed(data, asked=ASKED, **options) -> Stream:
    return read_survey(data, asked, stream=True, **options)


def test_unknown_answers_are_counted_to_the_end_of_the_pass_and_then_refused(folder, monkeypatch):
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 20)
    table(A=np.r_[7, np.ones(58), 7]).to_parquet(folder / "b.parquet")
    table(A=np.r_[np.ones(59), 8]).to_parquet(folder / "c.parquet")
    stream = streamed(folder, on_absent="missing")
    message = (
        r"1 columns hold answers.*\n"
        r"  A \(1–5\): 3 × \(b\.parquet, row 0: '7'; b\.parquet, row 59: '7'; c\.parquet, row 59: '8'\)"
    )
    with pytest.raises(DataError, match=message):
        stream.levels(["A"])
    assert len(stream.groups(["B"]).n) == 1
    lenient = streamed(folder, on_absent="missing", on_unknown="missing")
    assert lenient.levels(["A"]).missing.tolist() == [[3]]
    assert lenient.ledger.count("out_of_range", "A") == 3
    assert "b.parquet, row 0: '7'" in lenient.ledger.tidy().set_index("reason")["examples"]["out_of_range"]


def test_words_that_no_label_knows_are_proposed_for_the_study(tmp_path):
    table(A="Excellent", B=["So so"] * 60).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(DataError, match=r"(?s)B \(1–5\): 60 × \(row 2: 'So so'.*\[scales\.five\.labels\]") as caught:
        streamed(tmp_path / "x.csv").groups(["A", "B"])
    assert "So so" in str(caught.value).split("For the study file")[1]


def test_a_column_that_some_files_lack(folder):
    table().drop(columns="B").to_parquet(folder / "b.parquet")
    with pytest.raises(StreamError, match=r"do not have the same columns: b\.parquet lacks 'B', 'x'\. .*on_absent"):
        streamed(folder)
    stream = streamed(folder, on_absent="missing")
    assert stream.ledger.count("not_asked", "B") == 60
    assert stream.levels(["B"]).missing.tolist() == [[100]]
    both = stream.groups(["A", "B", "x"], rule="available")
    assert both.counts.sum(axis=0).tolist() == [180, 80, 120]
    assert both.moments().mean[2] == 1.5
    weighted = Design(weight="x")
    with pytest.raises(StreamError, match=r"b\.parquet lacks 'x'"):
        streamed(folder, on_absent="missing", design=weighted)


def test_a_question_that_no_file_has(folder):
    asked = Questionnaire("faults", scales=(FIVE,), items=(Item("A", FIVE), Item("Z", FIVE)))
    with pytest.raises(DataError, match="1 column is asked for but not in the data: 'Z'"):
        streamed(folder, asked)
    stream = streamed(folder, asked, on_absent="missing")
    assert stream.levels(["Z"]).missing.tolist() == [[180]]
    assert stream.ledger.count("not_asked", "Z") == 180


def test_a_question_may_have_another_type_in_each_file(folder):
    table(A=np.resize(["1", "Excellent", "９"], 60), x=1.5).to_parquet(folder / "b.parquet")
    table(A=np.resize([1.0, np.nan], 60), x=1.5).to_parquet(folder / "c.parquet")
    levels = streamed(folder).levels(["A"])
    assert levels.unweighted[0].tolist() == [[12 + 20 + 30, 12, 12, 12, 12 + 20]]
    assert levels.missing.tolist() == [[50]]


def test_a_plain_column_of_two_types_is_refused(folder):
    table(x="much").to_parquet(folder / "c.parquet")
    with pytest.raises(StreamError, match=r"column 'x' holds numbers in a\.parquet but text in c\.parquet"):
        streamed(folder)
    table(x=pd.Timestamp("2026-01-01")).to_parquet(folder / "c.parquet")
    with pytest.raises(StreamError, match=r"numbers in a\.parquet but moments in c\.parquet"):
        streamed(folder)
    table(x=pd.Series([None] * 60, dtype=object)).to_parquet(folder / "c.parquet")
    assert streamed(folder).groups(["x"]).counts.sum() == 120
    table(x=np.resize([1, 2], 60)).to_parquet(folder / "c.parquet")
    assert streamed(folder).groups(["x"]).moments().mean[0] == 1.5


def test_a_damaged_file_is_named(folder):
    whole = (folder / "b.parquet").read_bytes()
    (folder / "b.parquet").write_bytes(whole[:-50])
    with pytest.raises(StreamError, match=r"^b\.parquet: cannot be read \(.*damaged or was not finished"):
        streamed(folder)
    (folder / "b.parquet").write_bytes(b"\x00" * 64 + whole[64:])
    with pytest.raises(DataError, match=r"^b\.parquet"):
        streamed(folder).groups(["A"])


def test_a_text_file_with_a_row_too_long_is_named_with_the_row(tmp_path):
    lines = ["A,B", *["1,2"] * 300_000]
    (tmp_path / "a.csv").write_text("\n".join(lines), encoding="utf-8")
    lines[123_456] = "1,2,3"
    (tmp_path / "b.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match=r"^b\.csv, row 123457: 3 cells, but the header has 2\. A separator"):
        streamed(tmp_path).groups(["A"])


def test_a_quotation_mark_that_is_never_closed_is_named_with_the_row(tmp_path):
    lines = ["A,B", *["1,2"] * 900_000]
    lines[1000] = '1,"2'
    (tmp_path / "x.csv").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError, match=r"x\.csv, row \d+: a quotation mark is opened but not closed"):
        streamed(tmp_path / "x.csv").groups(["A"])


def test_rows_that_a_cell_has_swallowed(tmp_path):
    (tmp_path / "x.csv").write_text('A,B,t\n1,2,x\n1,2,"y\n3,4,z\n1,5,"\n2,2,u\n', encoding="utf-8")
    with pytest.raises(TableError, match=r"x\.csv, row 3, column 't': one cell in quotation marks runs over 3 lines"):
        streamed(tmp_path / "x.csv").groups(["A"])


def test_text_in_two_encodings(tmp_path):
    text = "A,B,t\n" + "1,2,x\n" * 400_000
    (tmp_path / "x.csv").write_bytes(text.encode() + "1,2,很满意\n".encode("gb18030"))
    with pytest.raises(StreamError, match=r"x\.csv, after row \d+: the text is not utf-8, though it begins so"):
        streamed(tmp_path / "x.csv").categories("t")


def test_text_among_numbers_far_from_the_beginning(tmp_path):
    frame = table(40_000, x=1.5, code="7").astype({"x": object})
    frame.loc[39_990, "x"] = "much"
    frame.to_csv(tmp_path / "x.csv", index=False)
    stream = streamed(tmp_path / "x.csv")
    assert stream.numbers == ("A", "B", "x", "code")
    with pytest.raises(TableError, match=r"x\.csv, row 39992: column 'x' holds 'much', while its first rows hold numb"):
        stream.groups(["x"])
    frame["x"] = 1.5
    frame.loc[39_990, "code"] = "007"
    frame.to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(TableError, match=r"row 39992: column 'code' holds '007'"):
        streamed(tmp_path / "x.csv").groups(["code"])


def test_a_column_whose_first_rows_are_empty(tmp_path):
    frame = table(60_000, late=None, never=None, words=None)
    frame.loc[59_000:, "late"] = 3
    frame.loc[59_000:, "words"] = "yes"
    frame.to_csv(tmp_path / "x.csv", index=False)
    stream = streamed(tmp_path / "x.csv")
    assert stream.numbers == ("A", "B", "late")
    assert stream.categories("words") == ("yes",)
    assert stream.groups(["late"]).counts.sum() == 1000


def test_days_and_moments(tmp_path):
    times = pd.date_range("2026-01-01", periods=60, freq="D")
    table(day=times).to_parquet(tmp_path / "x.parquet")
    assert streamed(tmp_path / "x.parquet").categories("day")[0] == "2026-01-01"
    assert streamed(tmp_path / "x.parquet", only={"day": "2026-01-03"}).ledger.rows_read == 1
    table(30_000, day=pd.Timestamp("2026-01-01")).assign(
        day=lambda f: f["day"].where(f.index < 29_000, pd.Timestamp("2026-01-01 12:00"))
    ).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(TableError, match=r"column 'day' holds moments within the day"):
        streamed(tmp_path / "x.parquet").categories("day")
    table(30_000, day=pd.Timestamp("2026-01-01 12:00")).to_parquet(tmp_path / "x.parquet")
    assert streamed(tmp_path / "x.parquet").categories("day") == ("2026-01-01T12:00:00",)


def test_identifiers_that_repeat_are_left_out_across_files(folder, monkeypatch):
    monkeypatch.setattr(passes, "rows_for", lambda memory, columns, threads: 7)
    for start, name in enumerate("abc"):
        ids = [f"n{start * 60 + row}" for row in range(60)]
        ids[13] = "n5"
        ids[14] = None
        table(id=ids).to_parquet(folder / f"{name}.parquet")
    stream = streamed(folder, WITH_ID)
    frame = pd.concat(pd.read_parquet(folder / f"{name}.parquet") for name in "abc")
    memory = read_survey(frame, WITH_ID)
    ours, theirs = (s.levels(["A", "B"]) for s in (stream, memory))
    for mine, other in zip(ours.unweighted, theirs.unweighted, strict=True):
        np.testing.assert_array_equal(mine, other)
    assert stream.ledger.count("duplicate_id") == memory.ledger.count("duplicate_id") == 3
    assert "a.parquet, row 13" in stream.ledger.tidy()["examples"][0]


def test_equal_hashes_of_different_identifiers_are_looked_at_again(tmp_path, monkeypatch):
    from csat.streams import repeats

    monkeypatch.setattr(repeats, "row_hash", lambda names: np.ones(len(names), np.uint64))
    table(id=[f"n{row % 50}" for row in range(60)]).to_parquet(tmp_path / "x.parquet")
    assert streamed(tmp_path / "x.parquet", WITH_ID).ledger.count("duplicate_id") == 10


def test_nothing_to_read(tmp_path):
    with pytest.raises(MissingFileError, match="No file '"):
        streamed(tmp_path / "nowhere.parquet")
    with pytest.raises(StreamError, match=r"there is no \.parquet, \.pq, \.csv, \.tsv, \.txt file here"):
        read_survey(tmp_path)
    with pytest.raises(StreamError, match=r"\*\.parquet: there is no"):
        read_survey(str(tmp_path / "*.parquet"))
    table().to_parquet(tmp_path / "a.parquet")
    table().to_csv(tmp_path / "b.csv")
    with pytest.raises(StreamError, match="the folder holds 1 Parquet and 1 text files; one format is read at a time"):
        read_survey(tmp_path)
    table(0).to_parquet(tmp_path / "none.parquet")
    with pytest.raises(DataError, match="names of columns but no rows"):
        streamed(tmp_path / "none.parquet")


def test_folders_of_a_hive_at_different_depths(tmp_path):
    for place in ("province=1", "province=2/quarter=q1"):
        (tmp_path / place).mkdir(parents=True)
        table().to_parquet(tmp_path / place / "x.parquet")
    with pytest.raises(StreamError, match="the folders do not name the same columns"):
        read_survey(tmp_path, ASKED)


def test_folders_of_a_hive_name_numbers_words_and_nothing(tmp_path):
    for year, place in ((2025, "a%20b"), (2026, "__HIVE_DEFAULT_PARTITION__")):
        (tmp_path / f"year={year}" / f"place={place}").mkdir(parents=True)
        table(place="in the file").to_parquet(tmp_path / f"year={year}" / f"place={place}" / "x.parquet")
    stream = streamed(tmp_path)
    assert stream.groups(["year"]).moments().mean[0] == 2025.5
    assert stream.categories("place") == ("a b",)
    assert any("taken from the names of the folders" in note for note in stream.ledger.notes)
    assert isinstance(read_survey(tmp_path, ASKED), Survey)
    assert streamed(str(tmp_path / "year=2025" / "**" / "*.parquet")).categories("year") == ("2025",)


def test_no_row_of_the_universe(folder):
    with pytest.raises(DataError, match=r"no row has x = '9' \(only=…\)\. Values are compared as they stand"):
        streamed(folder, only={"x": 9}).groups(["A"])
    with pytest.raises(DataError, match=r"no row has x = '9'"):
        read_survey(folder / "a.parquet", ASKED, only={"x": 9})
    for stream in (True, None):
        with pytest.raises(UnknownColumnError, match=r"No column 'y' in the source \(only=…\)"):
            read_survey(folder / "a.parquet", ASKED, only={"y": 9}, stream=stream)


def test_weights_are_judged_once_over_the_whole_source(tmp_path):
    table(w=np.r_[np.ones(59), 1000.0]).to_parquet(tmp_path / "x.parquet")
    stream = streamed(tmp_path / "x.parquet", design=Design(weight="w"))
    with pytest.warns(WeightWarning, match="run from 1 .* to 1000 .row 59"):
        stream.groups(["A"])
    stream.groups(["B"])
    table(w=np.r_[np.ones(59), 1e12]).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(TableError, match="Correct the one that is mistyped"):
        streamed(tmp_path / "x.parquet", design=Design(weight="w")).groups(["A"])


def test_no_row_that_can_be_used(tmp_path):
    table(w=0.0).to_parquet(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="no row can be used: 60 × weight_zero"):
        streamed(tmp_path / "x.parquet", design=Design(weight="w")).groups(["A"])


def test_a_study_with_targets_is_not_silently_left_uncalibrated(folder, study):
    asked = study(
        """
        [study]
        name = "t"
        [scales.five]
        low = 1
        high = 5
        missing = { 9 = "dont_know" }
        [items]
        A = { scale = "five" }
        B = { scale = "five" }
        [columns]
        sex = { kind = "category" }
        [weighting.targets.sex]
        f = 0.5
        m = 0.5
        """
    )
    for name in "abc":
        table(sex=np.resize(["f", "m", "f"], 60)).to_parquet(folder / f"{name}.parquet")
    with pytest.raises(OptionError, match=r"targets in \[weighting\].*is streamed.*weigh=False"):
        streamed(folder, asked)
    assert isinstance(streamed(folder, asked, weigh=False), Stream)
    assert read_survey(folder, asked).weighting is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"memory": "lots"}, r"memory='lots' is a number of bytes, or text such as '512MB'"),
        ({"memory": 1000}, r"memory=1000: at least 64 MB are needed"),
        ({"memory": True}, r"memory=True is a number of bytes"),
        ({"stream": "yes"}, "stream is True or False; found str"),
        ({"progress": 3}, "progress is True, False, or a function"),
        ({"only": "x"}, r"only='x': write \{'column': value\}"),
        ({"only": {"x": []}}, "only: no value is given for 'x'"),
        ({"only": {"x": None}}, "only: no value is given for 'x'"),
        ({"query": "SELECT 1"}, r"query= is for databases"),
        ({"stream": True, "sheet": "a"}, "`sheet` is for an Excel workbook"),
        ({"on_unknown": "drop"}, "on_unknown='drop' is not known"),
        ({"on_absent": "drop", "stream": True}, "on_absent='drop' is not known"),
        ({"design": "w", "stream": True}, "design must be a Design, not str"),
    ],
    ids=str,
)
def test_options_that_do_not_fit(folder, options, message):
    with pytest.raises(OptionError, match=message):
        read_survey(folder / "a.parquet", ASKED, **options)


def test_what_is_in_memory_is_not_streamed():
    with pytest.raises(OptionError, match="stream=True is for Parquet and text files, folders, databases, DuckDB rel"):
        read_survey(table(), ASKED, stream=True)
    reader = pa.Table.from_pandas(table()).to_reader()
    with pytest.raises(OptionError, match=r"gives its rows once, but a stream reads them anew .* write it to a file"):
        read_survey(reader, ASKED, stream=True)


def test_reserved_names_are_refused(tmp_path):
    for name in ("(row)", "(csat) unit"):
        table(**{name: 1}).to_parquet(tmp_path / "x.parquet")
        with pytest.raises(DataError, match="is reserved; rename the column"):
            streamed(tmp_path / "x.parquet")


def test_columns_that_are_neither_numbers_nor_text_are_noted(tmp_path):
    frame = pa.Table.from_pandas(table()).append_column("many", pa.array([[1, 2]] * 60))
    parquet.write_table(frame, tmp_path / "x.parquet")
    stream = streamed(tmp_path / "x.parquet")
    assert "many" not in stream.columns
    assert "left out, neither numbers nor text: many" in stream.ledger.notes


def test_sums_that_would_not_fit_are_refused_before_they_are_made(tmp_path, monkeypatch):
    """Cells are counted in a pass over their columns only; text is watched while it is read."""
    frame = table(400, centre=[f"c{i % 80}" for i in range(400)], city=np.resize(["x", "y"], 400))
    frame.to_parquet(tmp_path / "x.parquet")
    frame.to_csv(tmp_path / "x.csv", index=False)
    read = []
    plain = ParquetSheet.batches

    def told(sheet, names, rows, universe):
        read.append(set(names))
        return plain(sheet, names, rows, universe)

    monkeypatch.setattr(ParquetSheet, "batches", told)
    streams = [streamed(tmp_path / name) for name in ("x.parquet", "x.csv")]
    for stream in streams:
        assert len(stream.groups(["A"], ["centre"]).domains) == 80
    monkeypatch.setattr("csat.streams.budget.MOST_BYTES", 4000)
    for stream in streams:
        assert len(stream.groups(["A"], ["city"]).domains) == 2
        read.clear()
        with pytest.raises(SampleError, match=r"Sums of 2 variables in \d+ cells \(\d+ values of 'centre'") as refused:
            stream.groups(["A", "B"], ["centre"])
        assert "group by a coarser column than 'centre'" in str(refused.value)
        assert all("A" not in names for names in read)


@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_a_file_that_changes_between_passes(tmp_path, ending):
    path = tmp_path / f"x.{ending}"

    def write(frame):
        frame.to_parquet(path) if ending == "parquet" else frame.to_csv(path, index=False)

    write(table())
    for change in (lambda: write(table(90)), lambda: write(table().drop(columns="A")), path.unlink):
        write(table())
        stream = streamed(path)
        assert stream.groups(["A"]).n.sum() == 60
        change()
        with pytest.raises(StreamError, match=rf"x\.{ending}: the file has changed, or is gone, since .* again"):
            stream.groups(["A"])


def test_an_empty_file_among_others_and_an_empty_source(folder, tmp_path):
    table(0, x=1.5).astype({"A": int, "B": int, "x": float}).to_parquet(folder / "d.parquet")
    assert streamed(folder).groups(["A"]).n.sum() == 180
    (folder / "e.parquet").write_bytes(b"")
    with pytest.raises(StreamError, match=r"e\.parquet: cannot be read \(Parquet file size is 0 bytes\)"):
        streamed(folder)


def test_whole_numbers_that_no_other_type_holds(tmp_path):
    """Numbers far apart, and beyond those with a sign, are read one by one."""
    table(x=np.full(60, 2**64 - 1, np.uint64), y=np.resize([-(2**63), 2**63 - 1], 60)).to_parquet(
        tmp_path / "x.parquet"
    )
    summed = streamed(tmp_path / "x.parquet").groups(["x", "y"])
    assert summed.moments().mean == pytest.approx([2.0**64, -0.5], abs=2000)
