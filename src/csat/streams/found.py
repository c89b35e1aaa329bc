"""Which files a path, a folder or a pattern means, and what the folders of a hive say."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

from csat.questionnaire.decode import file_at
from csat.streams.faults import StreamError

PARQUET, TEXT = (".parquet", ".pq"), (".csv", ".tsv", ".txt")

#: How hive writes an empty value.
EMPTY = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True, slots=True)
class Found:
    """Files of one format.

    name : of the file, folder or pattern, for messages.
    files : in the order in which they are read; at least one.
    folders : (files,) what the folders of each file say, ``province=43/quarter=3`` → {"province": "43", …}.
    others : files of the folder that are not read.
    """

    name: str
    files: tuple[Path, ...]
    folders: tuple[dict[str, str | None], ...]
    others: tuple[str, ...] = ()

    @property
    def parquet(self) -> bool:
        """Whether the files are Parquet; else they are text."""
        return self.files[0].suffix.lower() in PARQUET

    def called(self, place: int) -> str:
        """Name of a file for messages: within the folder, or its own."""
        return self.name if len(self.files) == 1 else _short(self.files[place], self.files)


def is_pattern(path: str | Path) -> bool:
    """Whether a path names several files: a folder, or a pattern with * ? [ ] that is no file itself."""
    text = str(path)
    place = Path(text)
    try:
        return place.is_dir() or (glob.has_magic(text) and not place.exists())
    except (OSError, ValueError):
        return False


def files_at(path: str | Path) -> Found:
    """Find the files of a path, folder or pattern; hidden ones and those that begin with _ are no data.

    Raises
    ------
    MissingFileError
        If a file that is named is not there.
    StreamError
        If there is nothing to read, or files of several formats.
    """
    if not is_pattern(path):
        file = file_at(path)
        return Found(file.name, (file,), ({},))
    place = Path(path)
    folder = place.is_dir()
    paths = place.rglob("*") if folder else map(Path, glob.glob(str(path), recursive=True))  # noqa: PTH207 - a pattern may be absolute
    above = len(place.parts) if folder else 0
    seen = sorted(file for file in paths if file.is_file() and not _hidden(file.parts[above:]))
    data = [file for file in seen if file.suffix.lower() in (*PARQUET, *TEXT)]
    name = place.name if folder else str(path)
    if not data:
        raise StreamError.nothing(name, (*PARQUET, *TEXT))
    formats = Counter("Parquet" if file.suffix.lower() in PARQUET else "text" for file in data)
    if len(formats) > 1:
        raise StreamError.mixed(name, [f"{count} {format}" for format, count in formats.items()])
    others = tuple(file.name for file in seen if file not in set(data))
    return Found(name, tuple(data), _hive(name, data), others)


def _hidden(parts: Sequence[str]) -> bool:
    return any(part.startswith((".", "_")) and part not in (".", "..") and "=" not in part for part in parts)


def _hive(name: str, paths: Sequence[Path]) -> tuple[dict[str, str | None], ...]:
    found = [dict(_pair(part) for part in path.parts[:-1] if "=" in part) for path in paths]
    keys = {tuple(pairs) for pairs in found}
    if len(keys) > 1:
        first, second = sorted(keys)[:2]
        raise StreamError(
            f"{name}: the folders do not name the same columns: {'/'.join(first) or 'none'} for some files, "
            f"{'/'.join(second)} for others. Put all files at the same depth."
        )
    return tuple(found)


def _pair(part: str) -> tuple[str, str | None]:
    key, _, value = part.partition("=")
    return unquote(key), None if value == EMPTY else unquote(value)


def _short(file: Path, files: Sequence[Path]) -> str:
    """Path of a file within the folder that all files share."""
    common = Path(*_shared([other.parent.parts for other in files]))
    return str(file.relative_to(common))


def _shared(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(min(paths), max(paths), strict=False))
    return tuple(part for part, _ in pairs)
