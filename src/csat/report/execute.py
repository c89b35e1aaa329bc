"""Run notebooks in a kernel of the interpreter that is running now."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from csat.errors import MissingDependencyError, ReportError
from csat.report.notebook import NAME, Notebook

Watch = Callable[[int], None]


#: Sums then come in the same order however many cores a machine has, and small matrices are no slower for it.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
#: A process that is asked nothing but notebooks needs no history of inputs.
QUIET = ("--HistoryManager.enabled=False",)
#: Bytes that the path of a socket may have everywhere: macOS takes 103, Linux 107.
LONGEST_SOCKET = 100
#: Run before each notebook but the first: none sees the names of another. What has been loaded by then stays loaded,
#: and is no longer looked through for garbage.
EMPTY = "%reset -f\nimport gc as _gc\nif not _gc.get_freeze_count():\n    _gc.freeze()\ndel _gc"


@dataclass(frozen=True, slots=True)
class Kernel:
    """A process that executes notebooks, one after the other.

    client : of nbclient; its event loop is `runner`'s, which lives in the only thread of `pool`.
    environment : variables of the process.
    """

    client: Any
    runner: asyncio.Runner
    pool: ThreadPoolExecutor
    environment: Mapping[str, str]

    def run(self, notebook: Notebook, watch: Watch) -> Notebook:
        """Execute all cells in an empty namespace and return the notebook with its outputs.

        Parameters
        ----------
        notebook : as plain JSON values.
        watch : called with the position of each cell when it starts.

        Raises
        ------
        ReportError
            If a cell fails and its tags do not allow it, or the kernel dies.
        """
        from nbformat.v4 import new_code_cell, new_notebook

        read = _read(notebook)
        self.client.on_cell_start = None
        if self.client.kc is not None:
            self._execute(new_notebook(cells=[new_code_cell(EMPTY)]))
        self.client.on_cell_start = lambda cell, cell_index: watch(cell_index)  # noqa: ARG005
        return self._execute(read)

    def _execute(self, notebook: Any) -> Notebook:
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        self.client.nb = notebook
        # In a thread of its own: works inside a running event loop, and Ctrl-C stays an exception of this one.
        running = self.pool.submit(self._in_thread)
        try:
            return running.result()
        except (KeyboardInterrupt, SystemExit):
            self.kill()
            raise
        except CellExecutionError as failure:
            raise ReportError.cell_failed(failure.ename, failure.evalue) from None
        except DeadKernelError:
            # The next notebook gets a new process.
            self.pool.submit(lambda: self.runner.run(_end(self.client))).result()
            self.client.kc = self.client.km = None
            raise ReportError.kernel_died() from None

    def _in_thread(self) -> Notebook:
        return self.runner.run(self.client.async_execute(env=dict(self.environment), cleanup_kc=False))

    def kill(self) -> None:
        """Stop the process at once; the thread that waits for it then ends with an error."""
        process = getattr(getattr(self.client.km, "provisioner", None), "pid", None)
        if process:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)

    def end(self) -> None:
        """Stop the process and what listens to it."""
        self.pool.submit(lambda: self.runner.run(_end(self.client))).result()
        self.pool.submit(self.runner.close).result()


@contextmanager
def kernel(folder: Path, scratch: Path) -> Iterator[Kernel]:
    """Keep a kernel of this interpreter for several notebooks.

    Parameters
    ----------
    folder : working directory of the kernel.
    scratch : folder for the kernel's own files; nothing of the user's configuration is read or written.

    Raises
    ------
    MissingDependencyError
        Without nbclient and ipykernel.
    """
    environment = {
        **ONE_THREAD,
        **os.environ,
        "MPLBACKEND": "module://csat.report.inline",
        "IPYTHONDIR": str(scratch / "ipython"),
        "PYTHONUTF8": "1",
    }
    with _meeting(scratch) as meeting, ThreadPoolExecutor(1) as pool:
        try:
            client = _client(folder, meeting)
        except ImportError as missing:
            problem = MissingDependencyError.extra("nbclient", "report", "Writing a report")  # noqa: S610
            raise problem from missing
        # ZeroMQ needs the selector loop on Windows.
        runner = asyncio.Runner(loop_factory=asyncio.SelectorEventLoop)
        running = Kernel(client, runner, pool, environment)
        try:
            yield running
        finally:
            running.end()


@contextmanager
def _meeting(scratch: Path) -> Iterator[Path]:
    """Where kernel and client meet: the scratch folder, or a short one where its name is too long for sockets."""
    if os.name != "posix" or len(os.fsencode(scratch.absolute() / "kernel-ipc-9")) <= LONGEST_SOCKET:
        yield scratch
        return
    with tempfile.TemporaryDirectory(prefix="csat-", dir="/tmp") as short:
        yield Path(short)


def execute(notebook: Notebook, folder: Path, scratch: Path, watch: Watch) -> Notebook:
    """Execute one notebook in a kernel of its own; see `kernel` and `Kernel.run`."""
    with kernel(folder, scratch) as running:
        return running.run(notebook, watch)


def _read(notebook: Notebook) -> Any:
    """The notebook as nbformat knows it, checked."""
    import nbformat

    try:
        read = nbformat.reads(json.dumps(notebook), as_version=4)
        nbformat.validate(read)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ReportError.no_notebook(NAME) from problem
    return read


async def _end(client: Any) -> None:
    if client.kc is not None:
        client.kc.stop_channels()
    if client.km is not None and client.km.has_kernel:
        await client.km.shutdown_kernel(now=True)


def _client(folder: Path, meeting: Path) -> Any:
    import nbformat
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisInterpreter(KernelSpecManager):
        """A registered kernel may be another Python without csat; this one is the one that asked."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", *QUIET]
            return KernelSpec(argv=argv, display_name=kernel_name, language="python")

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            # Sockets in a folder where the system has them: no port is opened.
            options |= {"transport": "ipc"} if os.name == "posix" else {}
            where = str(meeting / "kernel.json")
            super().__init__(connection_file=where, kernel_spec_manager=ThisInterpreter(), **options)

    return NotebookClient(
        nbformat.v4.new_notebook(),
        timeout=None,
        kernel_name="python3",
        kernel_manager_class=Manager,
        resources={"metadata": {"path": str(folder)}},
    )
