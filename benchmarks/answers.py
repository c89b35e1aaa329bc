"""Synthetic answers of a nation's quarter as Parquet files, written a million rows at a time; the same every time."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

import csat

CHUNK, ROW_GROUP = 10**6, 2**17
ITEMS = tuple(f"C{i}" for i in range(1, 25))
PROVINCES, CENTRES, HALLS, AREAS, SEGMENTS = 31, 250, 2_000, 128, 4
TEN = csat.questionnaire.Scale("ten", 1, 10)
ASKED = csat.Questionnaire(
    "nation",
    scales=(TEN,),
    items=tuple(csat.questionnaire.Item(code, TEN) for code in ITEMS),
    dimensions=(csat.questionnaire.Dimension("index", {}, ITEMS),),
    root="index",
    columns=tuple(csat.questionnaire.Column(name, "category") for name in ("province", "centre", "area", "segment")),
    design=csat.Design(weight="w", stratum="province", psu="hall"),
)


def labelled(prefix: str, codes: np.ndarray, size: int) -> pa.Array:
    """Codes as text."""
    words = [f"{prefix}{number:04d}" for number in range(size)]
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int16()), words)


def chunk(number: int, rows: int = CHUNK) -> pa.Table:
    """One part of the answers: ids, 24 answers from 1 to 10 with 3 % missing, groups, halls of a province, weights."""
    rng = np.random.default_rng([20261123, number])
    common = rng.integers(0, 4, rows, np.int8)
    columns = {"id": pa.array(np.arange(rows, dtype=np.int64) + number * CHUNK)}
    for name in ITEMS:
        answer = common + rng.integers(1, 8, rows, np.int8)
        columns[name] = pa.array(answer, mask=rng.integers(0, 256, rows, np.uint8) < 8)
    hall = rng.integers(0, HALLS, rows, np.int16)
    columns["province"] = labelled("p", hall % PROVINCES, PROVINCES)
    columns["centre"] = labelled("c", rng.integers(0, CENTRES, rows, np.int16), CENTRES)
    columns["hall"] = labelled("h", hall, HALLS)
    columns["area"] = labelled("a", rng.integers(0, AREAS, rows, np.int16), AREAS)
    columns["segment"] = labelled("s", rng.integers(0, SEGMENTS, rows, np.int16), SEGMENTS)
    columns["w"] = pa.array(rng.integers(50, 200, rows) / 100)
    return pa.table(columns)


def written(folder: Path, exponent: int) -> Path:
    """Folder with 10^exponent answers, a file per million; what is there already stays."""
    place = folder / f"answers-{exponent}"
    place.mkdir(parents=True, exist_ok=True)
    for number in range(10**exponent // CHUNK):
        path = place / f"part-{number:03d}.parquet"
        if not path.exists():
            unfinished = path.with_suffix(".unfinished")
            parquet.write_table(chunk(number), unfinished, row_group_size=ROW_GROUP, compression="snappy")
            unfinished.rename(path)
    return place
