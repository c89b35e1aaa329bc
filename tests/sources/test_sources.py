"""The same answers from every kind of source give the same table and the same sums, to the bit."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from csat.read import ROW
from csat.survey import read_survey

from .study import ASKED, ITEMS

ROWS = 700


def answers() -> pd.DataFrame:
    """What the respondents said, as plain pandas: integers, floats with gaps, labels, text."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame(rng.integers(1, 11, (ROWS, len(ITEMS))).astype(float), columns=list(ITEMS))
    frame = frame.mask(rng.random(frame.shape) < 0.05)
    frame["C2"] = frame["C2"].fillna(98)
    frame["C3"] = rng.integers(1, 11, ROWS)
    frame["brand"] = rng.choice(["全球通", "动感地带", "gotone"], ROWS)
    frame["id"] = [f"r{i}" for i in range(ROWS)]
    frame["w"] = rng.uniform(0.2, 3, ROWS).round(12)  # a workbook stores 16 digits, not 17
    frame["city"] = rng.choice(["兰州", "天水"], ROWS)
    frame["hall"] = rng.integers(1, 20, ROWS)
    frame["arpu"] = rng.normal(50, 20, ROWS).round(2)
    frame["remark"] = rng.choice(["好", "a, b", 'say "x"', None], ROWS)
    return frame


def text_file(encoding, separator, name="data.csv"):
    def make(frame, folder, optional):
        path = folder / name
        frame.to_csv(path, index=False, encoding=encoding, sep=separator)
        return path

    return make


def excel(frame, folder, optional):
    frame.to_excel(folder / "data.xlsx", index=False)
    return folder / "data.xlsx"


def parquet_file(frame, folder, optional):
    parquet.write_table(pa.Table.from_pandas(frame), folder / "data.parquet", row_group_size=100)
    return folder / "data.parquet"


def spss(frame, folder, optional):
    codes = {"全球通": 1.0, "动感地带": 2.0, "gotone": 3.0}
    coded = frame.assign(brand=frame["brand"].map(codes), C3=frame["C3"].astype(float))
    labels = {"brand": {code: text for text, code in codes.items()}, "C1": {10.0: "很满意"}}
    optional("pyreadstat").write_sav(
        coded, folder / "data.sav", variable_value_labels=labels, missing_ranges={"C2": [98.0]}
    )
    return folder / "data.sav"


def stata(frame, folder, optional):
    optional("pyreadstat").write_dta(frame.assign(remark=frame["remark"].fillna("")), folder / "data.dta")
    return folder / "data.dta"


def nullable(frame, folder, optional):
    types = dict.fromkeys(ITEMS, "Int64") | {"brand": "string", "w": "Float64", "hall": "Int32"}
    return frame.astype(types)


def categorical(frame, folder, optional):
    return frame.astype(dict.fromkeys((*ITEMS, "brand", "city", "hall", "remark"), "category"))


def objects(frame, folder, optional):
    mixed = frame.astype(object)
    mixed.loc[mixed["C1"] == 10, "C1"] = "很满意"
    mixed.loc[mixed["C1"] == 9, "C1"] = "９"
    mixed["C3"] = [str(value) if row % 2 else value for row, value in enumerate(mixed["C3"])]
    return mixed


def words(frame, folder, optional):
    """Everything as text, with labels in place of some codes."""
    text = frame.assign(arpu=frame["arpu"], w=frame["w"].map(repr))
    for item in ITEMS:
        spelled = frame[item].map(lambda value: "NA" if pd.isna(value) else f"{value:.1f}")
        text[item] = spelled.where(frame[item] != 10, " VERY  satisfied").where(frame[item] != 7, "７")
    return text


def shuffled_columns(frame, folder, optional):
    return pa.Table.from_pandas(frame[frame.columns[::-1]]).select(list(frame.columns))


def chunked(frame, folder, optional):
    parts = [pa.Table.from_pandas(frame.iloc[start : start + 37], preserve_index=False) for start in range(0, ROWS, 37)]
    return pa.concat_tables(parts)


SOURCES = {
    "pandas": lambda frame, folder, optional: frame,
    "pandas_nullable": nullable,
    "pandas_categorical": categorical,
    "pandas_object": objects,
    "pandas_text": words,
    "pandas_arrow": lambda frame, folder, optional: frame.convert_dtypes(dtype_backend="pyarrow"),
    "pandas_odd_index": lambda frame, folder, optional: frame.set_index(np.repeat(0, ROWS)),
    "polars": lambda frame, folder, optional: optional("polars").from_pandas(frame),
    "polars_lazy": lambda frame, folder, optional: optional("polars").from_pandas(frame).lazy(),
    "arrow_table": lambda frame, folder, optional: pa.Table.from_pandas(frame),
    "arrow_chunks": chunked,
    "arrow_reader": lambda frame, folder, optional: chunked(frame, folder, optional).to_reader(),
    "arrow_shuffled": shuffled_columns,
    "duckdb": lambda frame, folder, optional: optional("duckdb").connect().from_arrow(pa.Table.from_pandas(frame)),
    "csv": text_file("utf-8", ","),
    "csv_bom": text_file("utf-8-sig", ","),
    "csv_gb18030": text_file("gb18030", ","),
    "csv_utf16": text_file("utf-16", ","),
    "csv_semicolon": text_file("utf-8", ";"),
    "tsv": text_file("utf-8", "\t", "data.tsv"),
    "xlsx": excel,
    "parquet": parquet_file,
    "sav": spss,
    "dta": stata,
}


@pytest.fixture(scope="module")
def reference():
    return read_survey(answers(), ASKED)


@pytest.fixture(params=SOURCES, ids=str)
def survey(request, tmp_path, optional):
    return read_survey(SOURCES[request.param](answers(), tmp_path, optional), ASKED)


def test_every_source_gives_the_same_table(survey, reference):
    assert survey.table.drop_columns(ROW).equals(reference.table.drop_columns(ROW))


def test_every_source_gives_the_same_ledger(survey, reference):
    counts = ["what", "column", "reason", "count"]
    pd.testing.assert_frame_equal(survey.ledger.tidy()[counts], reference.ledger.tidy()[counts])
    assert survey.ledger.plain == ("arpu", "remark")


def test_every_source_gives_the_same_sums_to_the_bit(survey, reference):
    for rule in ("available", "listwise"):
        got, expected = (s.groups([*ITEMS, "arpu"], by=["brand"], rule=rule) for s in (survey, reference))
        assert got.domains == expected.domains == (("gotone",), ("mzone",))
        assert np.array_equal(got.gram, expected.gram)
        assert np.array_equal(got.units, expected.units)


def test_the_reference_is_what_was_said(reference):
    """The sums of the reference, recomputed by hand from the raw answers."""
    frame = answers()
    c2 = frame["C2"].replace(98, np.nan)
    moments = reference.groups(["C2", "C3"]).moments()
    assert moments.counts.tolist() == [c2.notna().sum(), ROWS]
    by_hand = [np.average(c2.dropna(), weights=frame["w"][c2.notna()]), np.average(frame["C3"], weights=frame["w"])]
    np.testing.assert_allclose(moments.mean, by_hand, rtol=1e-12)
    assert reference.ledger.count("dont_know", "C2") == (frame["C2"] == 98).sum()
    pd.testing.assert_frame_equal(frame, answers())
