"""A survey that several notebooks of one process ask for is read once."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.errors import OptionError

if TYPE_CHECKING:
    from csat.survey import Survey

#: Paths that arguments may name.
EXAMPLES = {
    "study": "study.toml",
    "data": "answers.csv",
    "folder": "report",
    "notebook": "own.ipynb",
    "since": "q2/report",
    "path": "report.json",
}


def path_of(name: str, value: Any) -> Path:
    """Check that an argument is a path, in words.

    Raises
    ------
    OptionError
        If it is neither a text nor a path, or empty.
    """
    if isinstance(value, str) and not value.strip():
        raise OptionError(f"{name} is empty; give a text such as {name}='{EXAMPLES[name]}'.")
    if not isinstance(value, str | PathLike) or isinstance(fspath(value), bytes):
        raise OptionError(f"{name}={value!r} is no path; give a text such as {name}='{EXAMPLES[name]}'.")
    return Path(value)


def read_once(study: str | Path, data: str | Path, **how: Any) -> Survey:
    """Read a study and its answers; the same files, unchanged, are read only once in a process.

    Parameters
    ----------
    study, data : paths of the files.
    **how : further arguments of `csat.read_survey`: on_unknown, on_absent, sheet, encoding, header_row.

    Raises
    ------
    CsatError
        As `csat.read_questionnaire` and `csat.read_survey` do.
    """
    study, data = path_of("study", study), path_of("data", data)
    return _read(str(study), str(data), (_stamp(study), _stamp(data)), tuple(sorted(how.items())))


def _stamp(path: str | Path) -> tuple[int, int]:
    """What changes with a file: when it was written, and its size. (0, 0) for what is no file."""
    try:
        about = Path(path).stat()
    except OSError:
        return 0, 0
    return about.st_mtime_ns, about.st_size


@lru_cache(maxsize=1)
def _read(
    study: str,
    data: str,
    _stamps: tuple[tuple[int, int], ...],
    how: tuple[tuple[str, Any], ...],
) -> Survey:
    from csat.questionnaire import read_questionnaire
    from csat.survey import read_survey

    return read_survey(data, read_questionnaire(study), **dict(how))
