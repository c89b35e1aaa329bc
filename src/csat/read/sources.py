"""Anything that holds a table, brought to `Raw`: files by their ending, frames by what they can do."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from csat.errors import CsatError, DataError, MissingDependencyError, OptionError, closest
from csat.moments import SUMMARY
from csat.questionnaire.decode import file_at, formulas_without_value, quoted
from csat.read.faults import TableError
from csat.read.layout import LOOKED_AT, check_header, check_header_row
from csat.read.raw import Raw, named, plain
from csat.read.textfiles import read_text

_TEXT = (".csv", ".tsv", ".txt")
_EXCEL = (".xlsx", ".xlsm")

_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def read_raw(
    data: Any,
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    expected: Collection[str] = (),
) -> Raw:
    """Read a table as it is.

    Parameters
    ----------
    data : path of a .csv, .tsv, .txt, .xlsx, .parquet, .sav or .dta file; a pandas or polars frame; an Arrow
        table or stream; a DuckDB relation; anything with ``__arrow_c_stream__``.
    sheet : of an Excel workbook; None = the first.
    encoding : of a text file; None = found out.
    header_row : of a text file or worksheet: row that names the columns, from 1; None = the first.
    expected : names that the header may hold, folded; they tell a header from a title above it.

    Raises
    ------
    OptionError
        If an option is of the wrong kind, or not for this source.
    MissingFileError
        If there is no such file.
    DataError
        If it cannot be read.
    """
    for option, value in (("sheet", sheet), ("encoding", encoding)):
        if value is not None and not isinstance(value, str):
            raise OptionError(f"{option}={quoted(repr(value))} is no text.")
    check_header_row(header_row)
    if isinstance(data, str | Path):
        return _file(data, sheet, encoding, header_row, expected)
    if sheet is not None or encoding is not None or header_row is not None:
        raise OptionError("`sheet`, `encoding` and `header_row` are for files; a frame has none of them.")
    if isinstance(data, pd.DataFrame):
        return _from_pandas("pandas frame", data)
    return _from_arrow(_kind(data), _arrow_table(data))


def _file(
    path: str | Path, sheet: str | None, encoding: str | None, header_row: int | None, expected: Collection[str]
) -> Raw:
    found = file_at(path)
    ending = found.suffix.lower()
    if sheet is not None and ending not in _EXCEL:
        raise OptionError(f"sheet={sheet!r} is for Excel workbooks; {found.name!r} is none.")
    if encoding is not None and ending not in _TEXT:
        raise OptionError(f"encoding={encoding!r} is for text files; {found.name!r} is none.")
    if header_row is not None and ending not in (*_TEXT, *_EXCEL):
        raise OptionError(f"header_row={header_row} is for text files and Excel workbooks; {found.name!r} is neither.")
    if ending in _TEXT:
        return read_text(found, encoding, header_row, expected)
    if ending in _EXCEL:
        return _workbook(found, sheet, header_row, expected)
    readers: Mapping[str, Callable[[Path], Raw]] = {".parquet": _parquet, ".sav": _labelled, ".dta": _labelled}
    if ending == ".xls":
        raise DataError(f"{found.name}: the old Excel format is not read; save it as .xlsx.")
    if ending not in readers:
        raise DataError(f"{found.name}: survey data are read from {', '.join((*_TEXT, *_EXCEL, *readers))} files.")
    return readers[ending](found)


def _parquet(path: Path) -> Raw:
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path.name}: cannot be read as a Parquet file ({error}).") from None
    if SUMMARY in (table.schema.metadata or {}):
        raise TableError.summary(path.name)
    return _from_arrow(path.name, table)


def _workbook(path: Path, sheet: str | None, header_row: int | None, expected: Collection[str]) -> Raw:
    from openpyxl import load_workbook

    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # noqa: BLE001 - openpyxl raises many kinds for a file that is no workbook
        raise DataError(f"{path.name}: cannot be opened as an Excel workbook ({error}).") from None
    try:
        titles = [page.title for page in book.worksheets]
        if sheet is not None and sheet not in titles:
            raise DataError(f"{path.name}: no sheet {sheet!r}. Did you mean {closest(sheet, titles)}?")
        title = sheet or titles[0]
        rows = list(book[title].iter_rows(values_only=True))
        empty = formulas_without_value(path, book[title]._worksheet_path)
    finally:
        book.close()
    if empty:
        raise TableError.formula(f"{path.name}, sheet {title!r}", empty)
    others = [other for other in titles if other != title]
    notes = [f"sheet {title!r}" + (f" (not read: {', '.join(map(repr, others))})" if others else "")]
    notes += [f"header in row {header_row}"] if header_row is not None else []
    return _from_rows(f"{path.name}, sheet {title!r}", rows, notes, header_row, expected)


def _from_rows(
    source: str,
    rows: Sequence[Sequence[Any]],
    notes: Sequence[str],
    header_row: int | None,
    expected: Collection[str],
) -> Raw:
    """Take the rows of an Excel sheet; the header is in the row named, or the first that holds anything."""
    filled = [i for i, row in enumerate(rows) if any(cell not in (None, "") for cell in row)]
    if not filled:
        raise DataError(f"{source}: the sheet is empty.")
    first, last = filled[0] if header_row is None else header_row - 1, filled[-1]
    if header_row is None:
        check_header(source, rows[: first + LOOKED_AT], first, expected)
    if first >= last:
        raise DataError.no_rows(source)
    below = len(rows) - 1 - last
    notes = [*notes, f"blank rows below the data: {below}"] if below else notes
    # rows may differ in length: the workbook leaves trailing empty cells out
    cells = [list(column) for column in zip_longest(*rows[first : last + 1])]
    raw = _raw(source, [column[0] for column in cells], [_from_objects(column[1:]) for column in cells], last - first)
    return replace(raw, rows=raw.rows + first + 2, typed=False, notes=(*notes, *raw.notes))


def _labelled(path: Path) -> Raw:
    """Read SPSS and Stata files, with value labels and the codes that they declare missing."""
    try:
        import pyreadstat
    except ImportError:
        raise MissingDependencyError.extra("pyreadstat", "spss", f"Reading {path.suffix} files") from None  # noqa: S610
    reader = pyreadstat.read_sav if path.suffix.lower() == ".sav" else pyreadstat.read_dta
    try:
        frame, meta = reader(str(path), user_missing=True)
    except Exception as error:  # noqa: BLE001 - pyreadstat's own errors share no base
        raise DataError(f"{path.name}: cannot be read as a {path.suffix} file ({error}).") from None
    raw = _from_pandas(path.name, frame)
    found: Mapping[str, Any] = meta.missing_ranges
    ranges = {name: tuple((part["lo"], part["hi"]) for part in parts) for name, parts in found.items()}
    letters = {name: tuple((code, code) for code in codes) for name, codes in meta.missing_user_values.items()}
    labels = meta.variable_value_labels
    titles = {name: title for name, title in meta.column_names_to_labels.items() if title}
    return replace(raw, rows=raw.rows + 1, value_labels=labels, user_missing={**ranges, **letters}, titles=titles)


def _from_pandas(source: str, frame: pd.DataFrame) -> Raw:
    if frame.columns.nlevels > 1:
        raise DataError(f"{source}: the columns have {frame.columns.nlevels} levels of names; flatten them to one.")
    columns = [_from_series(frame.iloc[:, place]) for place in range(frame.shape[1])]
    return _raw(source, list(frame.columns), columns, len(frame))


def _from_series(series: pd.Series) -> pa.Array | None:
    kind = series.cat.categories.dtype if isinstance(series.dtype, pd.CategoricalDtype) else series.dtype
    if pd.api.types.is_object_dtype(kind) or isinstance(kind, pd.PeriodDtype | pd.IntervalDtype):
        return _from_objects(series.astype(object).tolist())
    try:
        return plain(pa.array(series, from_pandas=True))
    except (pa.ArrowException, TypeError):
        return _from_objects(series.astype(object).tolist())


def _from_objects(cells: list[Any]) -> pa.Array | None:
    """Bring Python objects to one column: of one type if they have one, else each as text."""
    # truth values first: among numbers they would count as 1 and 0
    cells = [spelled(cell) if isinstance(cell, bool | np.bool_) else cell for cell in cells]
    try:
        return plain(pa.array(cells, from_pandas=True))
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.array([spelled(cell) for cell in cells], pa.string())


def spelled(cell: Any) -> str | None:
    """Write a cell as text the way a clean table does; None if it is empty."""
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and np.isnan(cell)):
        return None
    if isinstance(cell, bool | np.bool_):
        return str(cell).lower()
    if isinstance(cell, float | np.floating):
        cell = float(cell)
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, pd.Timestamp):
        return cell.date().isoformat() if cell == cell.normalize() else cell.isoformat()
    if hasattr(cell, "isoformat"):
        return str(cell.isoformat())
    text = str(cell)
    # an object without words of its own shows where it lies in memory, which differs from run to run
    return text if isinstance(cell, str) or " at 0x" not in text else _ADDRESS.sub("", text)


def _from_arrow(source: str, table: pa.Table) -> Raw:
    return _raw(source, table.column_names, [plain(column) for column in table.columns], table.num_rows)


def _raw(source: str, header: list[Any], columns: Sequence[pa.Array | None], size: int) -> Raw:
    """Keep the readable columns; the others (lists, structs, bytes) are noted."""
    by_name, notes = named(source, header, columns)
    strange = [name for name, column in by_name.items() if column is None]
    if strange:
        notes.append(f"left out, neither numbers nor text: {', '.join(strange)}")
    readable = {name: column for name, column in by_name.items() if column is not None}
    return Raw(source, readable, np.arange(size), notes=tuple(notes))


def _arrow_table(data: Any) -> pa.Table:
    if type(data).__module__.startswith("pyspark."):
        raise DataError(
            "A Spark frame is read by csat.read_survey(frame), which leaves its rows with the executors; here "
            "respondents are needed. Hand those that you need over as a table: frame.where(…).toArrow()."
        )
    try:
        if isinstance(data, pa.Table):
            return data
        if isinstance(data, pa.RecordBatch):
            return pa.Table.from_batches([data])
        if isinstance(data, pa.RecordBatchReader):
            return data.read_all()
        if hasattr(data, "collect") and hasattr(data, "collect_schema"):
            data = data.collect()
        if hasattr(data, "__arrow_c_stream__"):
            return pa.RecordBatchReader.from_stream(data).read_all()
    except CsatError:
        raise
    except Exception as error:
        raise DataError(f"{_kind(data)}: its rows cannot be fetched ({type(error).__name__}: {error}).") from error
    raise DataError(
        f"A {_kind(data)} is no survey data. Pass the path of a file, a pandas or polars frame, an Arrow table, "
        "a DuckDB relation, a Spark frame, or anything with __arrow_c_stream__."
    )


def _kind(data: Any) -> str:
    module = type(data).__module__.partition(".")[0]
    return type(data).__name__ if module == "builtins" else f"{module} {type(data).__name__}"
