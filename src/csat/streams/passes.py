"""One pass over a source: pieces are cleaned by several threads and come out in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")


def in_order(pieces: Generator[S, None, None], work: Callable[[S], T], threads: int) -> Generator[T, None, None]:
    """Do some work on each piece in several threads; results come in the order of the pieces.

    A few pieces are under way at once, which bounds memory. If the caller stops, or the work fails, the pieces that
    wait are dropped and the source is closed.
    """
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(threads)
    try:
        for piece in pieces:
            waiting.append(pool.submit(work, piece))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        pieces.close()
