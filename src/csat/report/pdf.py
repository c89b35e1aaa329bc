"""The format pdf: the page as an installed Chromium prints it, tagged for readers who do not see it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from csat.errors import ReportError
from csat.report import page
from csat.report.document import Document

#: Names under which systems have a browser of the Chromium family.
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "brave-browser",
)
#: Where it is if it is not on the path: on macOS and Windows.
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
#: Environment variable with the path of the browser to use.
SETTING = "CSAT_CHROMIUM"
#: Seconds that the browser may take.
PATIENCE = 180.0
#: When a PDF says that it was made: the second differs from run to run.
DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:[^)]{14,40}\)")
#: How cells name their heading cells: by a number that the browser gives, which differs from run to run.
NODE = re.compile(rb"(?<!/Title )\(node(\d{8})\)")
#: The tree of these names: a name and its cell, a leaf of them, the first and the last name of the leaf.
CELL = re.compile(rb"\(node(\d{8})\) (\d+) 0 R")
LEAF = re.compile(rb"\(node\d{8}\) \d+ 0 R(?: \(node\d{8}\) \d+ 0 R)*")
LIMITS = re.compile(rb"/Limits \[\(node\d{8}\) \(node\d{8}\)\]")

REMEDY = (
    f"Install Chromium, Google Chrome or Microsoft Edge, or set {SETTING} to the path of one; "
    "or leave out pdf and print the html page from any browser: it has a style for paper."
)


def ready() -> None:
    """Refuse if no browser that prints is installed."""
    page.ready()
    browser()


def render(document: Document, path: Path) -> None:
    """Print a document's page to a PDF: the same bytes each time."""
    font = (files("csat.report") / "fonts" / "csat-sans-sc.ttf").read_bytes()
    with tempfile.TemporaryDirectory(prefix="csat-pdf-", ignore_cleanup_errors=True) as scratch:
        source, printed = Path(scratch) / "page.html", Path(scratch) / "page.pdf"
        source.write_text(page.page(document, font=font), encoding="utf-8", newline="\n")
        _print(browser(), source, printed, Path(scratch) / "profile")
        path.write_bytes(settled(printed.read_bytes()))


def settled(printed: bytes) -> bytes:
    """Give a PDF a fixed date, and its heading cells numbers from 1 in the order of the file.

    What is put in is as long as what was there, and names stay sorted in their tree: no place in the file moves.
    """
    undated = DATE.sub(_undated, printed)
    leaves = LEAF.findall(undated)
    if len(leaves) != 1:
        return _renamed(undated, sorted(set(NODE.findall(undated))))
    cells = sorted(CELL.findall(leaves[0]), key=lambda cell: int(cell[1]))
    made = _renamed(undated, [name for name, _ in cells])
    sorted_leaf = b" ".join(b"(node%08d) %s 0 R" % (place, at) for place, (_, at) in enumerate(cells, 1))
    ends = b"/Limits [(node%08d) (node%08d)]" % (1, len(cells))
    return LIMITS.sub(ends, LEAF.sub(sorted_leaf, made))


def _renamed(printed: bytes, numbers: Sequence[bytes]) -> bytes:
    """Number heading cells from 1."""
    names = {number: b"(node%08d)" % place for place, number in enumerate(numbers, 1)}
    return NODE.sub(lambda found: names.get(found[1], found[0]), printed)


def browser() -> str:
    """Path of an installed browser of the Chromium family.

    Raises
    ------
    ReportError
        If there is none.
    """
    asked = os.environ.get(SETTING)
    if asked:
        found = shutil.which(asked)
        if found is None:
            raise ReportError(f"{SETTING}={asked} is no program. {REMEDY}")
        return found
    for name in (*BROWSERS, *PLACES):
        found = shutil.which(name)
        if found is not None:
            return found
    raise ReportError(f"Writing a PDF needs a browser of the Chromium family; none is installed. {REMEDY}")


def _print(program: str, source: Path, printed: Path, profile: Path) -> None:
    command = [
        program,
        "--headless",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-background-networking",
        "--no-pdf-header-footer",
        "--generate-pdf-document-outline",
        f"--user-data-dir={profile}",
        f"--print-to-pdf={printed}",
        # Chromium's sandbox does not run for root, as in most containers; the page runs only this package's script.
        *(["--no-sandbox"] if getattr(os, "geteuid", lambda: 1)() == 0 else []),
        source.as_uri(),
    ]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ReportError(f"{program} did not print the page: {error}. {REMEDY}") from error
    if not printed.exists() or not printed.stat().st_size:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit status {done.returncode}"
        raise ReportError(f"{program} did not print the page: {why}. {REMEDY}")


def _undated(found: re.Match[bytes]) -> bytes:
    """The same entry, as long, with the date that workbooks of this package have."""
    name, size = found[1], len(found[0])
    start = b"/" + name + (b" (" if b" (" in found[0] else b"(") + b"D:19800101000000"
    rest = size - len(start) - 1
    return start + (b"+00'00'" if rest == 7 else b"Z" + b" " * (rest - 1) if rest > 0 else b"") + b")"
