"""`Files`: the files of a path, folder or pattern as one table."""

from __future__ import annotations

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa

from csat.errors import DataError
from csat.read.raw import Raw, guessed, is_text, plain
from csat.read.universe import Universe
from csat.streams.faults import StreamError
from csat.streams.found import Found, files_at
from csat.streams.origin import NUMBER, TEXT
from csat.streams.parquet import ParquetSheet, parquet_sheet
from csat.streams.texts import TextSheet, text_sheet

#: Rows that tell numbers from text, and files from whose beginnings they are taken.
HEAD_ROWS, HEAD_FILES = 20_000, 16

Sheet = ParquetSheet | TextSheet
Stamp = tuple[int, int] | None


@dataclass(frozen=True, slots=True, eq=False)
class Files:
    """Files of one format as one table; see `csat.streams.origin.Origin`.

    folders : (files,) what the folders of a hive say of each file, as numbers or text of one type per column.
    stamps : (files,) size and time of change of each file when it was opened.
    """

    name: str
    sheets: tuple[Sheet, ...]
    folders: tuple[Mapping[str, str | float | None], ...]
    stamps: tuple[Stamp, ...]
    notes: tuple[str, ...] = ()
    ordered: bool = True

    @property
    def typed(self) -> bool:
        """Parquet files have types, text files have none."""
        return isinstance(self.sheets[0], ParquetSheet)

    @property
    def columns(self) -> Mapping[str, Mapping[str, str]]:
        """Columns of all files in the order of their appearance, and how the files store them."""
        found: dict[str, dict[str, str]] = {}
        for sheet in self.sheets:
            for name, family in sheet.families.items():
                found.setdefault(name, {}).setdefault(family, sheet.called)
        for name in self.folders[0]:
            found[name] = {NUMBER if self._numbers(name) else TEXT: self.name}
        return found

    @property
    def lacking(self) -> Mapping[str, Sequence[str]]:
        """File → columns that others have and it does not."""
        every = [name for name in self.columns if name not in self.folders[0]]
        gaps = {sheet.called: [name for name in every if name not in sheet.families] for sheet in self.sheets}
        return {file: names for file, names in gaps.items() if names}

    @property
    def total(self) -> int | None:
        """Rows of all files; None for text, whose rows are known when they have been read."""
        sizes = [sheet.rows for sheet in self.sheets if sheet.rows is not None]
        return sum(sizes) if len(sizes) == len(self.sheets) else None

    @property
    def size(self) -> int:
        """Bytes of the whole table in memory, about."""
        return sum(sheet.size for sheet in self.sheets)

    @property
    def filled(self) -> bool:
        """Whether it is certain that no row is blank; what the folders say is no answer of a row."""
        return all(sheet.filled for sheet in self.sheets)

    def head(self) -> Raw:
        """The first rows of the first files, every column."""
        names = list(self.columns)
        parts = [part for place in range(min(len(self.sheets), HEAD_FILES)) for part in self._beginning(place, names)]
        if not parts:
            raise DataError.no_rows(self.name)
        columns = {name: joined([_cells(part, name) for part in parts]) for name in names}
        return Raw(self.name, columns, np.concatenate([part.rows for part in parts]), self.typed)

    def pieces(self, names: Sequence[str], rows: int, universe: Universe | None) -> Generator[Raw, None, None]:
        """Tables of at most `rows` rows, file by file; files and row groups without a wanted value are skipped."""
        for place in range(len(self.sheets)):
            if universe is None or self._may_hold(place, universe):
                yield from self._pieces_of(place, names, rows, universe)

    def _pieces_of(
        self, place: int, names: Sequence[str], rows: int, universe: Universe | None
    ) -> Generator[Raw, None, None]:
        sheet, said = self.sheets[place], self.folders[place]
        inner = [name for name in names if name not in said]
        self._check_unchanged(place)
        for columns, numbers in sheet.batches(inner, rows, universe):
            size = len(numbers)
            whole = {name: columns[name] for name in inner if name in columns}
            whole |= {name: self._said(name, said[name], size) for name in names if name in said}
            yield Raw(sheet.called, whole, numbers, self.typed)
        self._check_unchanged(place)

    def _check_unchanged(self, place: int) -> None:
        """Refuse a file that is another than the one that was opened: passes would not fit together."""
        if _stamp(self.sheets[place].path) != self.stamps[place]:
            raise StreamError.changed(self.sheets[place].called)

    def _beginning(self, place: int, names: Sequence[str]) -> list[Raw]:
        pieces = self._pieces_of(place, names, HEAD_ROWS, None)
        return list(islice(pieces, 1))

    def _said(self, name: str, value: str | float | None, size: int) -> pa.Array:
        kind = pa.float64() if self._numbers(name) else pa.string()
        if value is None:
            return pa.nulls(size, kind)
        if kind == pa.float64():
            return pa.array(np.full(size, value))
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int8)), pa.array([value], kind))

    def _numbers(self, name: str) -> bool:
        return any(isinstance(said[name], float) for said in self.folders)

    def _may_hold(self, place: int, universe: Universe) -> bool:
        said = self.folders[place]
        return all(
            value is not None and universe.may_hold(name, value, value)
            for name, value in said.items()
            if name in universe.wanted
        )


def files_of(
    path: str | Path, encoding: str | None = None, header_row: int | None = None, expected: Collection[str] = ()
) -> Files:
    """Open the files of a path, folder or pattern: their footers or headers, not their rows.

    Parameters
    ----------
    path, encoding, header_row, expected : see `csat.read.sources.read_raw`.

    Raises
    ------
    MissingFileError, DataError
        If there is nothing to read, or a file is damaged, naming it.
    """
    found = files_at(path)
    stamps = tuple(map(_stamp, found.files))
    sheets = tuple(_sheet(found, place, encoding, header_row, expected) for place in range(len(found.files)))
    for sheet in sheets:
        if not sheet.families:
            raise StreamError(f"{sheet.called}: no column holds numbers or text.")
    notes = list(dict.fromkeys(note for sheet in sheets for note in sheet.notes))
    notes += [f"{len(sheets)} files"] if len(sheets) > 1 else []
    notes += [f"not read: {', '.join(found.others[:8])}"] if found.others else []
    twice = [name for name in found.folders[0] if any(name in sheet.families for sheet in sheets)]
    notes += [f"taken from the names of the folders, not from the files: {', '.join(twice)}"] if twice else []
    return Files(found.name, sheets, _typed(found.folders), stamps, tuple(notes))


def _stamp(path: Path) -> Stamp:
    """Size and time of change of a file; None if it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _sheet(found: Found, place: int, encoding: str | None, header_row: int | None, expected: Collection[str]) -> Sheet:
    path, called = found.files[place], found.called(place)
    return parquet_sheet(path, called) if found.parquet else text_sheet(path, called, encoding, header_row, expected)


def _typed(folders: Sequence[Mapping[str, str | None]]) -> tuple[Mapping[str, str | float | None], ...]:
    """Values of the folders as numbers where all of a column are, as a person would type them."""
    out: list[dict[str, str | float | None]] = [dict(said) for said in folders]
    for name in folders[0]:
        values = guessed(pa.array([said[name] for said in folders], pa.string()))
        if not is_text(values):
            for said, value in zip(out, values.to_pylist(), strict=True):
                said[name] = value
    return tuple(out)


def joined(parts: Sequence[pa.Array]) -> pa.Array:
    """Parts of a column as one array of numbers, moments or text; as text if some parts are."""
    filled = [part for part in parts if part.null_count < len(part)] or list(parts[:1])
    if len({part.type for part in filled}) == 1 and pa.types.is_timestamp(filled[0].type):
        return pa.concat_arrays([part.cast(filled[0].type) for part in parts])
    read = [(part, plain(part)) for part in filled]
    kinds = {column.type for _, column in read if column is not None}
    text = any(pa.types.is_string(kind) for kind in kinds)
    kind = kinds.pop() if len(kinds) == 1 else pa.string() if text else pa.float64()
    return pa.concat_arrays([_as(part, kind) for part in parts])


def _cells(part: Raw, name: str) -> pa.Array:
    return part.columns[name] if name in part.columns else pa.nulls(len(part.rows), pa.string())


def _as(part: pa.Array, kind: pa.DataType) -> pa.Array:
    column = plain(part)
    return pa.nulls(len(part), kind) if column is None or column.null_count == len(column) else column.cast(kind)
