"""The formats that a report is written in. Each is a module of its own, loaded when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from csat.errors import OptionError
from csat.report.document import Document


class Writer(Protocol):
    """What the module of a format has."""

    def ready(self) -> None:
        """Refuse, before anything is computed, if something that the format needs is not installed.

        Raises
        ------
        MissingDependencyError, ReportError
            Naming what is missing and how to get it.
        """

    def render(self, document: Document, path: Path) -> None:
        """Write a document to one file that needs no other. The same document gives the same bytes."""


#: Format, which is also the file's extension → the module that writes it.
FORMATS: Mapping[str, str] = {
    "html": "csat.report.page",
    "xlsx": "csat.report.excel",
    "pdf": "csat.report.pdf",
    "pptx": "csat.report.office.slides",
    "docx": "csat.report.office.word",
    "md": "csat.report.markdown",
}


def writers(formats: Any) -> dict[str, Writer]:
    """Load the writers of formats, in the order asked for, each once.

    Parameters
    ----------
    formats : names of `FORMATS`; a single text is one format.

    Raises
    ------
    OptionError
        If there is none, or one is not known.
    MissingDependencyError, ReportError
        If what a format needs is not installed.
    """
    asked = [formats] if isinstance(formats, str) else list(formats) if isinstance(formats, Iterable) else []
    if not asked:
        raise OptionError(f"formats={formats!r} names no format; give one or more of {', '.join(map(repr, FORMATS))}.")
    for name in asked:
        if not isinstance(name, str) or name not in FORMATS:
            raise OptionError.choose("formats", name, FORMATS)
    found = {name: cast(Writer, import_module(FORMATS[name])) for name in asked}
    for writer in found.values():
        writer.ready()
    return found
