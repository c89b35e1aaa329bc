"""The memory bound: how it is written, and how many rows of a table it allows at once."""

from __future__ import annotations

import os
import re

from csat.errors import OptionError

#: Bound if none is stated, and the smallest that leaves room to work.
USUAL, LEAST = 2**30, 2**26

#: Rows of a batch at most; the same as those of a survey in memory.
MOST_ROWS, FEWEST_ROWS = 131_072, 1024

#: Bytes that a cell takes while its batch is decoded, cleaned and summed: about three numbers of 8 bytes.
CELL = 24

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


def rows_for(memory: int, columns: int, threads: int) -> int:
    """Rows per batch, so that the batches under way at once stay within half of the bound."""
    under_way = 2 * threads + 4
    share = memory / 2 / under_way
    return int(min(MOST_ROWS, max(FEWEST_ROWS, share / (CELL * max(columns, 1)))))
