"""csat's code goes to the workers with the job: nobody has to install it there."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import csat.version

#: Time stamp in the archive: the same code gives the same bytes.
_EPOCH = (1980, 1, 1, 0, 0, 0)


def ship(context: Any) -> None:
    """Send the package to the executors of a Spark context, once for each state of the code.

    Parameters
    ----------
    context : `pyspark.SparkContext`.
    """
    name = f"csat-{csat.version.__version__}-{_digest()[:12]}.zip"
    if any(path.endswith(f"/{name}") for path in context.listFiles):
        return
    folder = tempfile.mkdtemp(prefix="csat-")
    weakref.finalize(context, shutil.rmtree, folder, ignore_errors=True)  # executors fetch it as long as there are jobs
    context.addPyFile(str(archive(Path(folder) / name)))


def archive(path: Path) -> Path:
    """Write the package as a zip that Python imports from."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in _files():
            packed.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    return path


def _files() -> Iterator[tuple[str, bytes]]:
    root = Path(csat.version.__file__).parent
    for path in sorted(root.rglob("*.py")):
        if "notebooks" not in path.parts:
            yield f"csat/{path.relative_to(root).as_posix()}", path.read_bytes()


def _digest() -> str:
    found = hashlib.sha256()
    for name, data in _files():
        found.update(name.encode() + b"\0" + data)
    return found.hexdigest()
