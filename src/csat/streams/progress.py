"""How far a pass has come: a bar on stderr, or whatever the caller does with the figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from csat.errors import OptionError

#: Called with the rows read so far and the rows of the source (None if not known).
Tick = Callable[[int, int | None], None]

#: Characters of the bar, and seconds between two drawings of it.
WIDTH, EVERY = 30, 0.2


@contextmanager
def shown(progress: bool | Tick) -> Iterator[Tick]:
    """What to call after each batch; a bar is taken off the screen at the end, whatever ended the pass."""
    if callable(progress):
        yield progress
    elif progress:
        bar = _Bar(sys.stderr)
        try:
            yield bar
        finally:
            bar.clear()
    else:
        yield _silent


def check_progress(progress: object) -> None:
    """Refuse what neither switches the bar nor can be called; `OptionError`."""
    if not isinstance(progress, bool) and not callable(progress):
        raise OptionError("progress is True, False, or a function of the rows read and the rows in all (or None).")


def _silent(done: int, total: int | None) -> None:
    del done, total


class _Bar:
    """``[######----] 61% 12,300,000 rows 4.1 M/s``; nothing where stderr is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.start, self.drawn = stream, time.monotonic(), 0.0

    def __call__(self, done: int, total: int | None) -> None:
        now = time.monotonic()
        if not self.stream.isatty() or (now - self.drawn < EVERY and done != total):
            return
        self.drawn = now
        self.stream.write(f"\r{line(done, total, now - self.start)}")
        self.stream.flush()

    def clear(self) -> None:
        """Take the bar off the screen."""
        if self.drawn:
            self.stream.write("\r\x1b[K")
            self.stream.flush()


def line(done: int, total: int | None, seconds: float) -> str:
    """The bar as text.

    Examples
    --------
    >>> line(500_000, 1_000_000, 2.0)
    '[###############---------------]  50%  500,000  0.25 M/s'
    """
    rate = f"{done:,}  {done / max(seconds, 1e-9) / 1e6:.2f} M/s"
    if not total:
        return rate
    share = min(done / total, 1.0)
    full = round(WIDTH * share)
    return f"[{'#' * full}{'-' * (WIDTH - full)}] {share:4.0%}  {rate}"
