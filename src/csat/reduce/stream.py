"""Run a kernel over a stream of batches and add its sums in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from itertools import chain
from typing import Protocol, TypeVar

import pyarrow as pa
from threadpoolctl import ThreadpoolController

S = TypeVar("S")
T_contra = TypeVar("T_contra", contravariant=True)
#: Threads at most: more do not help where one process hands out the rows, and each holds a batch in memory.
MOST_THREADS = 8
#: Rows that are summed at once at least, if there are so many: the sums of a batch are added to the total once.
LEAST_ROWS = 2**16

#: Called with the rows that are done since the last call.
Tick = Callable[[int], None]


class Sink(Protocol[T_contra]):
    """What adds the sums of batches."""

    def add(self, part: T_contra) -> None:
        """Add the sums of one batch."""


def over_batches(
    batches: Iterable[S],
    kernel: Callable[[S], T_contra],
    total: Sink[T_contra],
    *,
    tick: Tick | None = None,
    rows: Callable[[S], int],
    threads: int | None = None,
) -> None:
    """Run the kernel on each batch and add its sums in order, a few batches at a time to bound memory.

    BLAS keeps to one thread: the batches share out the processors. A single batch needs no threads at all. The sums
    are the same to the bit whatever the number of threads.

    Parameters
    ----------
    batches : at least one.
    kernel : what to sum of a batch; runs in a thread.
    total : adds the sums, in the order of the batches.
    tick : called after each batch with the number of its rows, which `rows` counts.
    threads : None: as many as this process may use, at most `MOST_THREADS`.
    """
    stream = iter(batches)
    first = next(stream)

    def done(batch: S, part: T_contra) -> None:
        total.add(part)
        if tick is not None:
            tick(rows(batch))

    with _controller().limit(limits=1, user_api="blas"):
        second = next(stream, None)
        many = threads or processors()
        if second is None or many == 1:
            for batch in chain((first,), () if second is None else (second,), stream):
                done(batch, kernel(batch))
        else:
            _in_threads(chain((first, second), stream), kernel, done, many)


def _in_threads(
    batches: Iterable[S], kernel: Callable[[S], T_contra], done: Callable[[S, T_contra], None], threads: int
) -> None:
    waiting: deque[tuple[S, Future[T_contra]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for batch in batches:
                if len(waiting) > threads:
                    _take(waiting, done)
                waiting.append((batch, pool.submit(kernel, batch)))
            while waiting:
                _take(waiting, done)
        finally:
            pool.shutdown(cancel_futures=True)


def _take(waiting: deque[tuple[S, Future[T_contra]]], done: Callable[[S, T_contra], None]) -> None:
    batch, job = waiting.popleft()
    done(batch, job.result())


def joined(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `LEAST_ROWS` or more: many sources hand out far smaller ones."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        if held >= LEAST_ROWS:
            yield _one(waiting)
            waiting, held = [], 0
    if waiting:
        yield _one(waiting)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    """Several batches as one."""
    filled = [batch for batch in batches if batch.num_rows] or batches[:1]
    if len(filled) == 1:
        return filled[0]
    return pa.Table.from_batches(filled).unify_dictionaries().combine_chunks().to_batches()[0]


def processors() -> int:
    """Processors that this process may use, at most `MOST_THREADS`."""
    known = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(known, MOST_THREADS)


@cache
def _controller() -> ThreadpoolController:
    """The linear algebra that is loaded: found once, since looking for it takes longer than a small survey."""
    return ThreadpoolController()
