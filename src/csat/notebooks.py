"""How things show themselves in a notebook: by a file of the room of reports, which is known here by its name only."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: The file that knows how to show them; it is read when something is shown.
SHOWN_BY = "csat.report.present"


class InNotebooks:
    """A notebook shows its usual table for people."""

    __slots__ = ()

    def _repr_html_(self) -> str | None:
        shown: str | None = import_module(SHOWN_BY).html_of(self)
        return shown

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return dict(import_module(SHOWN_BY).bundle_of(self))
