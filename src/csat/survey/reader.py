"""`read_survey`: from any file, frame, folder or database to a `Survey`, or to a `Stream` where it is too large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, overload

from pyarrow import RecordBatchReader

from csat.design import Design
from csat.errors import OptionError, check_switch
from csat.moments import shown
from csat.questionnaire import Questionnaire
from csat.read import read_clean
from csat.read.clean import check_reading
from csat.read.layout import check_header_row
from csat.read.universe import universe_of
from csat.spark import is_spark, opened_spark
from csat.streams import (
    Origin,
    Stream,
    bytes_in,
    check_progress,
    expected_names,
    is_large,
    is_many,
    opened_stream,
    origin_of,
)
from csat.streams.progress import Tick
from csat.survey.calibrated import calibrate
from csat.survey.rows import Survey


@overload
def read_survey(
    data: Any,
    questionnaire: Questionnaire | None = None,
    *,
    design: Design | None = None,
    on_unknown: str = "raise",
    on_absent: str = "raise",
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    weigh: bool = True,
    query: str | None = None,
    only: Mapping[str, Any] | None = None,
    stream: Literal[True],
    memory: int | str | None = None,
    progress: bool | Tick = False,
) -> Stream: ...


@overload
def read_survey(
    data: Any,
    questionnaire: Questionnaire | None = None,
    *,
    design: Design | None = None,
    on_unknown: str = "raise",
    on_absent: str = "raise",
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    weigh: bool = True,
    query: str | None = None,
    only: Mapping[str, Any] | None = None,
    stream: Literal[False],
    memory: int | str | None = None,
    progress: bool | Tick = False,
) -> Survey: ...


@overload
def read_survey(
    data: Any,
    questionnaire: Questionnaire | None = None,
    *,
    design: Design | None = None,
    on_unknown: str = "raise",
    on_absent: str = "raise",
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    weigh: bool = True,
    query: str | None = None,
    only: Mapping[str, Any] | None = None,
    stream: bool | None = None,
    memory: int | str | None = None,
    progress: bool | Tick = False,
) -> Survey | Stream: ...


def read_survey(
    data: Any,
    questionnaire: Questionnaire | None = None,
    *,
    design: Design | None = None,
    on_unknown: str = "raise",
    on_absent: str = "raise",
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    weigh: bool = True,
    query: str | None = None,
    only: Mapping[str, Any] | None = None,
    stream: bool | None = None,
    memory: int | str | None = None,
    progress: bool | Tick = False,
) -> Survey | Stream:
    """Read who answered what.

    Parameters
    ----------
    data : path of a .csv, .tsv, .txt, .xlsx, .parquet, .sav or .dta file; a folder of Parquet or text files, also one
        that Hive or Spark wrote (``province=43/…``), or a pattern such as ``"2026/*.parquet"``; a DuckDB or SQLite
        file, an address ``postgresql://user@host/database``, or an open DuckDB connection; a pandas or polars frame;
        an Arrow table or stream; a DuckDB relation; anything with ``__arrow_c_stream__``; a Spark frame, whose rows
        stay with the executors. Never modified.
    questionnaire : what was asked. None: numbers are plain variables, text is categories; a .sav or .dta
        file then speaks for itself: numbers with value labels are questions on a scale, with those labels.
    design : columns of weight, stratum, unit …; None takes the questionnaire's.
    on_unknown : answers that are neither a level nor a missing code: "raise" names them all, "missing" sets them
        missing and counts them in the ledger.
    on_absent : questions and columns of the questionnaire that the data lack: "raise", or "missing" = not asked.
    sheet : of an Excel workbook; None = the first.
    encoding : of a text file; None finds out UTF-8, UTF-16 (with mark) or GB18030 and notes it in the ledger.
    header_row : of a text file or worksheet: the row that names the columns, counted from 1, where titles stand
        above it; None = the first.
    weigh : calibrate the weights to the targets of [weighting] in the study, if it has some; see `csat.calibrate`.
    query : of a database: a SELECT, or the name of a table; None = its only table.
    only : ``{column: value or list of values}``, as they stand in the source: rows with other values are outside the
        universe of the survey and are not read, as if they were not there. For a domain within the sample use
        `Survey.where`, which keeps the design.
    stream : True reads files, folders, databases, DuckDB relations and polars LazyFrames anew for every figure, a
        batch at a time; False reads them into memory; None does so up to the memory bound (relations and LazyFrames
        always).
    memory : bound in bytes, or text such as "512MB": how large a source may be to be read into memory, and how much
        batches may take where it is not. None = 1 GB.
    progress : True shows a bar on stderr while a source is streamed; or a function of the rows read so far and the
        rows in all (None where that is not known before the end).

    Returns
    -------
    Survey or Stream
        A stream takes the place of a survey in every method that needs only sums; others say what to do. Answer
        texts ("很满意", "Very satisfied") and category labels have become codes; ``survey.ledger``
        accounts for every row and cell.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        Naming source, row, column and remedy.
    WeightingError
        If the targets of the study cannot be met.
    OptionError
        For options that do not fit the source, such as a query without a database.
    MissingDependencyError
        If a package for this kind of source is not installed.
    """
    if questionnaire is not None and not isinstance(questionnaire, Questionnaire):
        raise OptionError(
            f"questionnaire must be a Questionnaire, not {type(questionnaire).__name__}: "
            "use csat.read_questionnaire(path)."
        )
    check_reading(on_unknown, on_absent, design)
    _check_options(sheet=sheet, encoding=encoding, query=query)
    check_header_row(header_row)
    check_switch("weigh", weigh)
    if stream is not None:
        check_switch("stream", stream)
    check_progress(progress)
    universe, bound = universe_of(only), bytes_in(memory)
    if is_spark(data):
        _check_spark(query, sheet, encoding, header_row, stream, memory, progress)
        spark = opened_spark(data, questionnaire, design, on_unknown=on_unknown, on_absent=on_absent, universe=universe)
        _check_weighing(spark, weigh)
        return spark
    source = None
    if stream or query is not None or is_many(data) or (stream is None and is_large(data, bound)):
        source = _opened(data, questionnaire, design, query, sheet, encoding, header_row, bound)
    if source is not None:
        made = opened_stream(
            source, questionnaire, design, on_unknown=on_unknown, on_absent=on_absent, universe=universe, memory=bound,
            progress=progress,
        )  # fmt: skip
        if stream or (stream is None and source.size > bound):
            _check_weighing(made, weigh)
            return made
        return _weighed(Survey(made.collected(), questionnaire, made.design, made.ledger), weigh)
    cleaned = read_clean(
        data,
        questionnaire,
        design=design,
        on_unknown=on_unknown,
        on_absent=on_absent,
        sheet=sheet,
        encoding=encoding,
        header_row=header_row,
        universe=universe,
    )
    return _weighed(Survey(cleaned.table, cleaned.questionnaire, cleaned.design, cleaned.ledger), weigh)


def _opened(
    data: Any, questionnaire: Questionnaire | None, design: Design | None, query: str | None, sheet: str | None,
    encoding: str | None, header_row: int | None, memory: int,
) -> Origin:  # fmt: skip
    """What is read in passes; `OptionError` for what is in memory already."""
    if sheet is not None:
        raise OptionError("`sheet` is for an Excel workbook; workbooks are read into memory, without stream=True.")
    names = expected_names(questionnaire, design)
    found = origin_of(data, query, encoding=encoding, header_row=header_row, expected=names, memory=memory)
    if found is None:
        once = isinstance(data, RecordBatchReader)
        why = (
            "gives its rows once, but a stream reads them anew for every figure"
            if once
            else ("is read into memory as a whole")
        )
        raise OptionError(
            "stream=True is for Parquet and text files, folders, databases, DuckDB relations and polars LazyFrames; "
            f"found {shown(data)}, which {why}: leave stream out" + (", or write it to a file first." if once else ".")
        )
    return found


def _check_options(**texts: Any) -> None:
    """Refuse what is no text; `OptionError`."""
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            raise OptionError(f"{name}={shown(value)} is no text.")


def _check_spark(
    query: str | None, sheet: str | None, encoding: str | None, header_row: int | None, stream: bool | None,
    memory: int | str | None, progress: bool | Tick,
) -> None:  # fmt: skip
    """Refuse options that mean nothing for a Spark frame."""
    given = {"query": query, "sheet": sheet, "encoding": encoding, "header_row": header_row, "memory": memory}
    strange = [name for name, value in given.items() if value is not None]
    strange += ["progress"] if progress else []
    if strange:
        raise OptionError(
            f"{', '.join(f'{name}=' for name in strange)} is not for a Spark frame: Spark reads, bounds memory and "
            "shows progress by its own settings."
        )
    if stream is False:
        raise OptionError(
            "stream=False would bring all rows of the Spark frame to the driver. Choose those that you need and hand "
            "them over as a table: csat.read_survey(frame.where(…).toArrow(), …)."
        )


def _check_weighing(stream: Stream, weigh: bool) -> None:
    """Refuse to leave out the calibration that the study asks for."""
    if weigh and _targets(stream.questionnaire):
        raise OptionError(
            f"The study has targets in [weighting], and {stream.reader.origin.name} is streamed: calibration needs all "
            "respondents at once. Add the calibrated weights to the source as a column, name it in the design, and "
            "pass weigh=False."
        )


def _targets(questionnaire: Questionnaire | None) -> Mapping[str, Any]:
    return (questionnaire.weighting.get("targets") if questionnaire is not None else None) or {}


def _weighed(survey: Survey, weigh: bool) -> Survey:
    """The survey with weights calibrated to the targets of its study, if it has some."""
    targets = _targets(survey.questionnaire)
    if not weigh or not targets:
        return survey
    weighted = calibrate(survey)
    note = f"weights calibrated to the study's targets for {', '.join(targets)}"
    return replace(weighted, ledger=replace(survey.ledger, notes=(*survey.ledger.notes, note)))
