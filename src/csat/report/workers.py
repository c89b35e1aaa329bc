"""Several processes that execute notebooks, each one after the other: what comes out does not depend on how many."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

from csat.errors import CsatError, OptionError
from csat.report.execute import Kernel, kernel

Task = TypeVar("Task")
Done = TypeVar("Done")

#: Processes where the call does not say: each reads the answers, so more of them need more memory.
MOST = 8
#: Seconds between two looks whether all have stopped.
PATIENCE = 0.1


@dataclass(frozen=True, slots=True)
class Workers:
    """Kernels that share the work."""

    kernels: tuple[Kernel, ...]

    def each(self, work: Callable[[Kernel, Task], Done], tasks: Sequence[Task]) -> list[Done | CsatError]:
        """Do every task in the kernel that is free first.

        Parameters
        ----------
        work : called in threads, with a kernel that no other task has meanwhile.

        Returns
        -------
        list
            In the order of the tasks, whichever ended first; an error of csat stands in its task's place.
        """
        idle: SimpleQueue[Kernel] = SimpleQueue()
        for one in self.kernels:
            idle.put(one)

        def turn(task: Task) -> Done | CsatError:
            taken = idle.get()
            try:
                return work(taken, task)
            except CsatError as problem:
                return problem
            finally:
                idle.put(taken)

        with ThreadPoolExecutor(len(self.kernels)) as pool:
            futures = [pool.submit(turn, task) for task in tasks]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                with _quiet():
                    # A process that is only starting is not there to be stopped yet.
                    while wait(futures, PATIENCE).not_done:
                        for one in self.kernels:
                            one.kill()
                raise


def settled(done: Sequence[Done | CsatError]) -> list[Done]:
    """What has been done, if nothing failed; else the first error is raised."""
    for one in done:
        if isinstance(one, CsatError):
            raise one
    return [one for one in done if not isinstance(one, CsatError)]


@contextmanager
def workers(count: int, folder: Path, scratch: Path) -> Iterator[Workers]:
    """Keep kernels for many notebooks; a process starts with its first notebook.

    Parameters
    ----------
    count : of processes.
    folder : working directory of them.
    scratch : each has a folder of its own in it.
    """
    with ExitStack() as stack:
        places = [scratch / f"worker-{number}" for number in range(1, count + 1)]
        for place in places:
            place.mkdir(parents=True)
        yield Workers(tuple(stack.enter_context(kernel(folder, place)) for place in places))


def checked_count(asked: int | None, tasks: int) -> int:
    """How many processes there shall be: no more than there is work for.

    Parameters
    ----------
    asked : None: as many as this machine has cores for, at most `MOST`.

    Raises
    ------
    OptionError
        If it is no whole number from 1.
    """
    if asked is None:
        return max(1, min(_cores(), MOST, tasks))
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 1:
        raise OptionError(f"workers={asked!r} is no number of processes; give a whole number, 1 or more.")
    return max(1, min(asked, tasks))


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what processes that are stopped have to say: it is of no use to anyone."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
