"""A survey that several notebooks of one process ask for is read once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csat.survey import Survey


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
