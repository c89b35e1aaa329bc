"""Files of summaries: Parquet with a stamp (format and checksum) that is looked at before anything is believed.

The checksum is the SHA-256 of the whole file, taken with zeros where it stands itself. Any changed byte is found
before the file is taken apart. A file appears at once and complete, or not at all.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from csat.bases import USUAL, Bases
from csat.errors import OptionError, SampleError
from csat.moments.arrow import SCHEMA, StoredError, cells_of, cells_table
from csat.moments.cells import C, Cells, sum_at
from csat.moments.guards import shown
from csat.questionnaire.decode import file_at
from csat.version import __version__

#: Number of the format that is written; older ones are read.
FORMAT = 1
#: Key of the stamp among the facts about a Parquet file.
SUMMARY = b"csat.summary"
#: The stamp: the same number of characters in every file.
_STAMP = re.compile(rb"csat-summary format=(\d{4}) sha256=([0-9a-f]{64})")
_BLANK = "0" * 64
#: How a Parquet file begins and ends.
_MARK = b"PAR1"
#: Columns of numbers: split by the place of bytes in a number they compress better.
_NUMBERS = ("gram", "square", "score_sums", "score_squares")
_WORDS = ["part", "kind", "labels.list.element", "stratum", "psu"]
#: Cells that an error lists.
_LISTED = 3


def save_cells(cells: Cells, path: str | Path, *, bases: Bases = USUAL, allow_small: bool = False) -> None:
    """Write cells as a file that `load_cells` reads back.

    Parameters
    ----------
    cells : to write.
    path : of the file; a file of that name is replaced.
    bases : limits for small bases.
    allow_small : True writes cells that rest on few respondents all the same.

    Raises
    ------
    OptionError
        If the path is none, or nothing can be written there.
    SampleError
        If a cell or a group rests on fewer respondents than `bases` allow.
    """
    check_bases([cells], bases, allow_small)
    write_table(cells_table(cells), path)


def load_cells(path: str | Path, kind: type[C]) -> C:
    """Cells of a file that `save_cells` wrote.

    Raises
    ------
    MissingFileError, OptionError
        If there is no such file.
    StoredError
        If the file is cut off, changed, of a newer csat or of other software, or holds a summary of several parts.
    """
    table = read_table(path)
    if "" not in table.column("part").unique().to_pylist():
        raise StoredError(f"{_name(path)} is a summary of several parts: read it with csat.load_summary(path).")
    return cells_of(table, kind)


def check_bases(parts: Sequence[Cells], bases: Bases, allow_small: bool) -> None:
    """Refuse groups and cells that rest on few respondents: sums over few tell single answers.

    A cell of nobody tells nothing. Variables are judged by who answered them. Printed figures pass.
    """
    if not isinstance(bases, Bases):
        raise OptionError(f"bases: limits are needed, e.g. Bases(suppress=30, flag=100); found {shown(bases)}.")
    if not isinstance(allow_small, bool):
        raise OptionError(f"allow_small is True or False; found {shown(allow_small)}.")
    for cells in () if allow_small else parts:
        if not cells.published:
            _check_cells(cells, bases.suppress)


def write_table(table: pa.Table, path: str | Path) -> None:
    """Write a table of `SCHEMA` with its stamp; the file is there when it is complete.

    Raises
    ------
    OptionError
        If the path is none, or nothing can be written there.
    """
    if not isinstance(path, str | Path):
        raise OptionError(f"A {type(path).__name__} is no path; pass the name of a file as text or pathlib.Path.")
    body = _parquet(table)
    stamp = _checked_stamp(body, _name(path))
    _replace(Path(path), _with_digest(body, stamp, hashlib.sha256(body).hexdigest()))


def read_table(path: str | Path) -> pa.Table:
    """Table of a file that `write_table` wrote.

    Raises
    ------
    MissingFileError, OptionError
        If there is no such file.
    StoredError
        If the file is cut off, changed, of a newer csat or of other software.
    """
    try:
        body = file_at(path).read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise OptionError(f"{_name(path)} cannot be read: {error.strerror or error}.") from None
    stamp = _checked_stamp(body, _name(path))
    found = int(stamp[1])
    if found > FORMAT:
        raise StoredError(
            f"{_name(path)} has format {found} of a newer csat; this is csat {__version__}, which reads up to format "
            f"{FORMAT}. Update csat, or write the file again with this one."
        )
    if hashlib.sha256(_with_digest(body, stamp, _BLANK)).hexdigest().encode() != stamp[2]:
        raise StoredError(
            f"{_name(path)} is not as it was written: its checksum does not fit. It was damaged or changed on the "
            "way; copy it again, or make it anew from the answers."
        )
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(body)).select(SCHEMA.names).cast(SCHEMA)


def _checked_stamp(body: bytes, name: str) -> re.Match[bytes]:
    """The stamp of a file, or words for what it is instead."""
    if not body.startswith(_MARK):
        raise StoredError(
            f"{name} is no summary of csat{' (it is empty)' if not body else ''}. Summaries are written by "
            "summary.save(path); answers are read by csat.read_survey(path)."
        )
    if not body.endswith(_MARK):
        raise StoredError(f"{name} is cut off after {len(body)} bytes. Copy it again, or make it anew.")
    stamps = list(_STAMP.finditer(body))
    if not stamps:
        raise StoredError(
            f"{name} is a Parquet file, but no summary of csat. If it holds answers, read them by "
            "csat.read_survey(path) and summarise them by csat.summarise(survey)."
        )
    return stamps[-1]  # it stands in the footer, after all that data could spell


def _with_digest(body: bytes, stamp: re.Match[bytes], digest: str) -> bytes:
    return body[: stamp.start(2)] + digest.encode() + body[stamp.end(2) :]


def _parquet(table: pa.Table) -> bytes:
    """The bytes of a Parquet file with an empty stamp."""
    from pyarrow import parquet

    buffer = io.BytesIO()
    split = [f"{name}.list.element" for name in _NUMBERS]
    with parquet.ParquetWriter(
        buffer, SCHEMA, store_schema=False, compression="zstd", use_dictionary=_WORDS, use_byte_stream_split=split
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(
            {"csat.version": __version__, SUMMARY: f"csat-summary format={FORMAT:04d} sha256={_BLANK}"}
        )
    return buffer.getvalue()


def _replace(target: Path, body: bytes) -> None:
    """Put a file where it belongs in one step, so that readers find the old one or the new one."""
    try:
        beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
        try:
            with beside.open("xb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(target)
        finally:
            beside.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OptionError(f"{_name(target)} cannot be written: {reason}.") from None


def _check_cells(cells: Cells, least: int) -> None:
    everybody = sum_at(cells.n, cells.domain, len(cells.domains))
    _refuse(everybody, least, "groups rest", lambda d: _words(cells.by, cells.domains[d]))
    _refuse(cells.n, least, "cells (group × stratum × unit) rest", lambda c: _cell_words(cells, c))
    if cells.score_sums is None:
        for j, name in enumerate(cells.names):
            _refuse(cells.counts[:, j], least, f"cells rest for {name!r}", lambda c: _cell_words(cells, c))


def _refuse(sizes: np.ndarray, least: int, what: str, name: Callable[[int], str]) -> None:
    small = np.flatnonzero((sizes > 0) & (sizes < least))
    if not small.size:
        return
    listed = ", ".join(f"{name(int(i))} ({int(sizes[i])})" for i in small[:_LISTED])
    more = f" and {small.size - _LISTED} more" if small.size > _LISTED else ""
    raise SampleError(
        f"{small.size} of {sizes.size} {what} on fewer than {least} respondents: {listed}{more}. Sums over so few tell "
        "what single respondents answered. Group by fewer or coarser columns, join units to larger random groups "
        "(csat.summarise(…, units=20)), or write the file all the same with allow_small=True."
    )


def _cell_words(cells: Cells, c: int) -> str:
    domain = _words(cells.by, cells.domains[cells.domain[c]])
    stratum = cells.strata[cells.stratum[c]]
    unit = cells.psus[cells.psu[c]][1] if cells.psus else ""
    places = [domain if cells.by else "", f"stratum {stratum!r}" if stratum else "", f"unit {unit!r}" if unit else ""]
    return ", ".join(place for place in places if place) or "all"


def _words(by: Sequence[str], domain: Sequence[str]) -> str:
    return " × ".join(f"{column}={label!r}" for column, label in zip(by, domain, strict=True)) or "all"


def _name(path: object) -> str:
    return repr(str(path))[:80]
