"""`Table`: a description that shows itself in Jupyter and in a terminal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from csat.report.description import TABLE_MIME, Description
from csat.report.html import to_html
from csat.report.text import to_text


@dataclass(frozen=True, slots=True, repr=False)
class Table(Description):
    """A table for people, made by `csat.table`.

    A notebook shows it as HTML and keeps the description beside, from which the workbook is made.
    """

    def __repr__(self) -> str:
        return to_text(self)

    def _repr_html_(self) -> str:
        return to_html(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return {"text/html": to_html(self), "text/plain": to_text(self), TABLE_MIME: self.to_dict()}
