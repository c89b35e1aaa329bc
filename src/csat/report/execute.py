"""Run a notebook in a kernel of the interpreter that is running now."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from csat.errors import MissingDependencyError, ReportError
from csat.report.notebook import NAME, Notebook

Watch = Callable[[int], None]


def execute(notebook: Notebook, folder: Path, scratch: Path, watch: Watch) -> Notebook:
    """Execute all cells and return the notebook with its outputs.

    Parameters
    ----------
    notebook : as plain JSON values.
    folder : working directory of the kernel.
    scratch : folder for the kernel's own files; nothing of the user's configuration is read or written.
    watch : called with the position of each cell when it starts.

    Raises
    ------
    MissingDependencyError
        Without nbclient and ipykernel.
    ReportError
        If a cell fails and its tags do not allow it, or the kernel dies.
    """
    try:
        import nbformat
        from nbclient.exceptions import CellExecutionError, DeadKernelError
    except ImportError as missing:
        problem = MissingDependencyError.extra("nbclient", "report", "Writing a report")  # noqa: S610
        raise problem from missing
    try:
        read = nbformat.reads(json.dumps(notebook), as_version=4)
        nbformat.validate(read)
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ReportError.no_notebook(NAME) from problem
    client = _client(read, folder, scratch, watch)
    environment = {
        **os.environ,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": str(scratch / "ipython"),
        "PYTHONUTF8": "1",
    }
    # In a thread of its own: works inside a running event loop, and Ctrl-C stays an exception of this one.
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(_run, client, environment)
        try:
            return running.result()
        except (KeyboardInterrupt, SystemExit):
            # What the dying kernel has to say in the other thread is of no use to anyone.
            logging.disable(logging.CRITICAL)
            _kill(client)
            raise
        except CellExecutionError as failure:
            raise ReportError.cell_failed(failure.ename, failure.evalue) from None
        except DeadKernelError:
            raise ReportError.kernel_died() from None


def _run(client: Any, environment: dict[str, str]) -> Notebook:
    """Execute in an event loop of this thread that is closed afterwards; ZeroMQ needs the selector one on Windows."""
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        return runner.run(client.async_execute(env=environment))


def _client(notebook: Any, folder: Path, scratch: Path, watch: Watch) -> Any:
    from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class ThisInterpreter(KernelSpecManager):
        """A registered kernel may be another Python without csat; this one is the one that asked."""

        def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
            argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=argv, display_name=kernel_name, language="python")

    class Manager(AsyncKernelManager):
        def __init__(self, **options: Any) -> None:
            # Sockets in the scratch folder where the system has them: no port is opened.
            options |= {"transport": "ipc"} if os.name == "posix" else {}
            where = str(scratch / "kernel.json")
            super().__init__(connection_file=where, kernel_spec_manager=ThisInterpreter(), **options)

    return NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        kernel_manager_class=Manager,
        resources={"metadata": {"path": str(folder)}},
        on_cell_start=lambda cell, cell_index: watch(cell_index),  # noqa: ARG005
    )


def _kill(client: Any) -> None:
    """Stop the kernel at once; the thread that waits for it then ends."""
    process = getattr(getattr(client.km, "provisioner", None), "pid", None)
    if process:
        os.kill(process, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
