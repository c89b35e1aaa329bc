"""Run a kernel over a stream of batches and add its sums in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import chain
from typing import TypeVar

from threadpoolctl import ThreadpoolController

S = TypeVar("S")
T = TypeVar("T")
THREADS = 2


def over_batches(batches: Iterable[S], kernel: Callable[[S], T], add: Callable[[list[T]], T]) -> T:
    """Run the kernel on each batch and add in order, a few at a time to bound memory.

    BLAS keeps to one thread: the batches share out the processors. A single batch needs no threads at all.
    """
    stream = iter(batches)
    first = next(stream)
    with _controller().limit(limits=1, user_api="blas"):
        second = next(stream, None)
        if second is None:
            return add([kernel(first)])
        return _added(chain((first, second), stream), kernel, add)


def _added(batches: Iterable[S], kernel: Callable[[S], T], add: Callable[[list[T]], T]) -> T:
    total: list[T] = []
    with ThreadPoolExecutor(THREADS) as pool:
        waiting: list[Future[T]] = []
        for batch in batches:
            waiting.append(pool.submit(kernel, batch))
            if len(waiting) == 2 * THREADS:
                total = [add([*total, waiting.pop(0).result()])]
        for job in waiting:
            total = [add([*total, job.result()])]
    return total[0]


@cache
def _controller() -> ThreadpoolController:
    """The linear algebra that is loaded: found once, since looking for it takes longer than a small survey."""
    return ThreadpoolController()
