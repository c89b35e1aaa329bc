"""`read_survey`: from any file or frame to a `Survey`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from csat.design import Design
from csat.errors import OptionError
from csat.questionnaire import Questionnaire
from csat.read import read_clean
from csat.survey.calibrated import calibrate
from csat.survey.rows import Survey


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
) -> Survey:
    """Read who answered what.

    Parameters
    ----------
    data : path of a .csv, .tsv, .txt, .xlsx, .parquet, .sav or .dta file; a pandas or polars frame; an Arrow
        table or stream; a DuckDB relation; anything with ``__arrow_c_stream__`` or ``toArrow``. Never modified.
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

    Returns
    -------
    Survey
        Answer texts ("很满意", "Very satisfied") and category labels have become codes; ``survey.ledger``
        accounts for every row and cell.

    Raises
    ------
    MissingFileError
        If there is no such file.
    DataError
        Naming source, row, column and remedy.
    WeightingError
        If the targets of the study cannot be met.
    """
    if questionnaire is not None and not isinstance(questionnaire, Questionnaire):
        raise OptionError(
            f"questionnaire must be a Questionnaire, not {type(questionnaire).__name__}: "
            "use csat.read_questionnaire(path)."
        )
    cleaned = read_clean(
        data,
        questionnaire,
        design=design,
        on_unknown=on_unknown,
        on_absent=on_absent,
        sheet=sheet,
        encoding=encoding,
        header_row=header_row,
    )
    survey = Survey(cleaned.table, cleaned.questionnaire, cleaned.design, cleaned.ledger)
    targets = cleaned.questionnaire.weighting.get("targets") if cleaned.questionnaire is not None else None
    if not weigh or not targets:
        return survey
    weighted = calibrate(survey)
    note = f"weights calibrated to the study's targets for {', '.join(targets)}"
    return replace(weighted, ledger=replace(survey.ledger, notes=(*survey.ledger.notes, note)))
