"""Run a kernel over a stream of batches and add its sums in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import threadpool_limits

S = TypeVar("S")
T = TypeVar("T")
THREADS = 2


def over_batches(batches: Iterable[S], kernel: Callable[[S], T], add: Callable[[list[T]], T]) -> T:
    """Run the kernel on each batch and add in order, a few at a time to bound memory."""
    total: list[T] = []
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(THREADS) as pool:
        waiting = []
        for batch in batches:
            waiting.append(pool.submit(kernel, batch))
            if len(waiting) == 2 * THREADS:
                total = [add([*total, waiting.pop(0).result()])]
        for job in waiting:
            total = [add([*total, job.result()])]
    return total[0]
