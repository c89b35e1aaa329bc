"""Read a questionnaire from a study file or a codebook."""

from __future__ import annotations

import tomllib
from pathlib import Path

from csat.errors import QuestionnaireError
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.codebook import read_codebook
from csat.questionnaire.decode import encoding_of, file_at
from csat.questionnaire.tables import Table, questionnaire_from


def read_questionnaire(path: str | Path) -> Questionnaire:
    """Read what was asked.

    Parameters
    ----------
    path : of a study file (.toml) or of a codebook (.xlsx, .csv; see `csat.questionnaire.codebook`).

    Raises
    ------
    MissingFileError
        If there is no such file.
    QuestionnaireError
        For anything the file gets wrong, naming file, table and key.
    """
    found = file_at(path)
    readers = {".toml": _toml, ".xlsx": read_codebook, ".csv": read_codebook}
    if found.suffix.lower() not in readers:
        raise QuestionnaireError.at("", None, f"a questionnaire is a {', '.join(readers)} file.", found.name)
    places: dict[str, str] = {}
    try:
        tables, places = readers[found.suffix.lower()](found)
        return questionnaire_from(tables)
    except QuestionnaireError as error:
        if error.file is not None:
            raise
        table = error.table or ""
        raise QuestionnaireError.at(table, error.key, error.problem, places.get(table, found.name)) from None


def _toml(path: Path) -> tuple[Table, dict[str, str]]:
    data = path.read_bytes()
    encoding = encoding_of(data)
    if encoding not in ("utf-8", "utf-8-sig"):
        raise QuestionnaireError.at("", None, "is not UTF-8 text; save it again as UTF-8.", path.name)
    try:
        return tomllib.loads(data.decode(encoding)), {}
    except tomllib.TOMLDecodeError as error:
        hint = ' Keys other than A–Z, 0–9, _ and - need quotes: "形象" = 0.3.' if "for a key" in str(error) else ""
        raise QuestionnaireError.at("", None, f"is not valid TOML: {error}.{hint}", path.name) from None
