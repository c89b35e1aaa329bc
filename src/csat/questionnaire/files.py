"""Read a questionnaire from a study file or a codebook."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from csat.errors import QuestionnaireError
from csat.questionnaire.asked import Questionnaire
from csat.questionnaire.codebook import read_codebook
from csat.questionnaire.decode import bytes_of, encoding_of, file_at, quoted
from csat.questionnaire.tables import Table, questionnaire_from

#: A word that must stand in quotes where it is a key, and quotes that are none in TOML.
_BARE = re.compile(r"[\w-]*[^\W\x00-\x7f][\w-]*")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'[^']*'|#.*")
_CURLY = re.compile("[“”„‘’＂＇「」]")


def read_questionnaire(path: str | Path) -> Questionnaire:
    """Read what was asked.

    Parameters
    ----------
    path : of a study file (.toml) or of a codebook (.xlsx, .csv; see `csat.questionnaire.codebook`).

    Raises
    ------
    OptionError
        If `path` is no path.
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
    except RecursionError:
        raise QuestionnaireError.at("", None, "tables stand too deep inside each other.", found.name) from None
    except QuestionnaireError as error:
        if error.file is not None:
            raise
        table = error.table or ""
        raise QuestionnaireError.at(table, error.key, error.problem, places.get(table, found.name)) from None


def _toml(path: Path) -> tuple[Table, dict[str, str]]:
    data = bytes_of(path)
    encoding = encoding_of(data)
    if encoding not in ("utf-8", "utf-8-sig"):
        raise QuestionnaireError.at("", None, "is not UTF-8 text; save it again as UTF-8.", path.name)
    text = data.decode(encoding)
    try:
        return tomllib.loads(text), {}
    except tomllib.TOMLDecodeError as error:
        problem = f"is not valid TOML: {error}.{_hint(text, str(error))}"
        raise QuestionnaireError.at("", None, problem, path.name) from None
    except ValueError:
        raise QuestionnaireError.at("", None, "holds a number of thousands of digits.", path.name) from None


def _hint(text: str, message: str) -> str:
    """Say what is wrong with the line that the parser stopped at, if that is one of two common slips."""
    stopped = re.search(r"at line (\d+)", message)
    lines = text.split("\n")
    if stopped is None or int(stopped[1]) > len(lines):
        return ""
    line = _QUOTED.sub(lambda found: " " * len(found[0]), lines[int(stopped[1]) - 1])
    if _CURLY.search(line):
        return f' Line {stopped[1]}: texts need straight quotation marks, "…" and not “…”.'
    bare = next((word[0] for word in _BARE.finditer(line) if _stands_as_key(line, word)), None)
    if bare is None:
        return ""
    where = f'["{bare}"]' if line.lstrip().startswith("[") else f'"{bare}" = …'
    return f" Line {stopped[1]}: the key {quoted(bare)} needs quotes: {where} (only A–Z, a–z, 0–9, _ and - do without)."


def _stands_as_key(line: str, word: re.Match[str]) -> bool:
    after = line[word.end() :].lstrip()[:1]
    return after in ("=", ".", "]", "＝")
