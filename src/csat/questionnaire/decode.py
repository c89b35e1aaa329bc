"""From the bytes of a text file to its text: UTF-8, UTF-16 or GB18030, found out and reported."""

from __future__ import annotations

import codecs
from pathlib import Path

from csat.errors import MissingFileError

#: Byte order marks and the encodings they announce.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def file_at(path: str | Path) -> Path:
    """Path of an existing file.

    Raises
    ------
    MissingFileError
        With the nearest names in the same folder.
    """
    found = Path(path)
    if found.is_file():
        return found
    if found.is_dir():
        raise MissingFileError(f"{str(path)!r} is a folder; name the file in it.")
    folder = found.parent
    raise MissingFileError.among(path, sorted(near.name for near in folder.iterdir()) if folder.is_dir() else [])


def encoding_of(data: bytes) -> str | None:
    """Find the encoding of a text: by its mark, else UTF-8 or GB18030 if it reads as such, else None."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding if _reads(data, encoding) else None
    return next((encoding for encoding in ("utf-8", "gb18030") if _reads(data, encoding)), None)


def _reads(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
