"""The memory bound: how it is written, and how many rows of a table it allows at once."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable

import pyarrow as pa

from csat.errors import OptionError
from csat.read.cells import LEVELS, NUMBERS, TEXT, WORDS

#: Bound if none is stated, and the smallest that leaves room to work.
USUAL, LEAST = 2**30, 2**26

#: Rows of a batch at most; the same as those of a survey in memory.
MOST_ROWS, FEWEST_ROWS = 131_072, 1024

#: Bytes of a cell as it is read and as it is handed on: whole levels, numbers, words that occur again, other text.
CELLS = {LEVELS: 4, NUMBERS: 24, WORDS: 16, TEXT: 64}

#: Bytes of a cell in a text file, before it is anything; and of what belongs to a row.
UNREAD, ROW = 16, 24

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
_WRITTEN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([KMGT]?)i?B?\s*", re.IGNORECASE)


def bytes_in(memory: int | str | None) -> int:
    """Bound in bytes: a whole number, or text such as "512MB" or "2 GiB" (units of 1,024).

    Raises
    ------
    OptionError
        If it is neither, or less than `LEAST`.

    Examples
    --------
    >>> bytes_in("512MB") == bytes_in(2**29)
    True
    """
    if memory is None:
        return USUAL
    written = _WRITTEN.fullmatch(memory) if isinstance(memory, str) else None
    if written is not None:
        size = int(float(written[1]) * _UNITS[written[2].upper()])
    elif isinstance(memory, int) and not isinstance(memory, bool):
        size = memory
    else:
        raise OptionError(f"memory={memory!r} is a number of bytes, or text such as '512MB' or '2GB'.")
    if size < LEAST:
        raise OptionError(f"memory={memory!r}: at least {LEAST >> 20} MB are needed to work on a few batches of rows.")
    return size


def threads_for(processors: int | None = None) -> int:
    """Threads that clean batches: as many as processors, up to 8."""
    return max(1, min(processors or len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2, 8))


def width_of(kinds: Iterable[pa.DataType], typed: bool) -> int:
    """Bytes of a row in a batch: of columns of these kinds, from a source that has types or from text."""
    return ROW + sum(CELLS[kind] + (0 if typed else UNREAD) for kind in kinds)


def rows_for(memory: int, width: int, threads: int) -> int:
    """Rows of `width` bytes per batch, so that the batches under way at once stay within half of the bound."""
    under_way = 2 * threads + 4
    return int(min(MOST_ROWS, max(FEWEST_ROWS, memory / 2 / under_way / width)))
