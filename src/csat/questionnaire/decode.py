"""From the bytes of a text file to its text: UTF-8, UTF-16 or GB18030, found out and reported."""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import Path

from csat.errors import CsatError, MissingFileError, OptionError

#: Longest piece of somebody's text that a message quotes.
LONGEST = 40

#: A cell in the XML of a worksheet, a formula in it, and its result.
_CELL = re.compile(
    rb"""<(?:\w+:)?c\s(?P<about>(?=[^>]*?\br="(?P<name>[A-Z]+[0-9]+)")(?:[^>]*[^>/])?)>(?P<content>.*?)</(?:\w+:)?c>""",
    re.DOTALL,
)
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_RESULT = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>[^<]")

#: The result of a formula that gives an empty text is there and empty; such a cell says that it is text.
_TEXT = b't="str"'

#: Byte order marks and the encodings they announce.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def file_at(path: object) -> Path:
    """Path of an existing file.

    Raises
    ------
    OptionError
        If `path` is no path.
    MissingFileError
        With the nearest names in the same folder.
    """
    if not isinstance(path, str | Path):
        raise OptionError(f"A {type(path).__name__} is no path; pass the name of a file as text or pathlib.Path.")
    found = Path(path)
    try:
        if found.is_file():
            return found
        if found.is_dir():
            raise MissingFileError(f"{str(path)!r} is a folder; name the file in it.")
        folder = found.parent
        near = sorted(near.name for near in folder.iterdir()) if folder.is_dir() else []
    except (OSError, ValueError) as error:
        if isinstance(error, CsatError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise MissingFileError(f"{quoted(str(path))} is no name of a file that can be opened: {reason}.") from None
    raise MissingFileError.among(quoted(str(path)).strip("'\"") if len(str(path)) > LONGEST else path, near)


def bytes_of(path: Path) -> bytes:
    """Content of a file.

    Raises
    ------
    MissingFileError
        If it cannot be opened.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise MissingFileError(f"{path.name}: cannot be opened ({error.strerror}).") from None


def quoted(text: str, most: int = LONGEST) -> str:
    """Quote a text for a message, cut where it is long."""
    return repr(text if len(text) <= most else f"{text[:most]}…")


def formulas_without_value(path: Path, member: str) -> list[str]:
    """Cells of a worksheet that hold a formula but not its result, such as ``B2``.

    Programs that write workbooks without computing them leave the results out, and readers then see empty cells.

    Parameters
    ----------
    path : of the workbook, an archive.
    member : of the archive that holds the sheet.
    """
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read(member.lstrip("/"))
    if not _FORMULA.search(sheet):
        return []
    return [
        cell["name"].decode()
        for cell in _CELL.finditer(sheet)
        if _FORMULA.search(cell["content"]) and not _RESULT.search(cell["content"]) and _TEXT not in cell["about"]
    ]


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
