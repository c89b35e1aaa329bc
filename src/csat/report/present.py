"""How a result shows itself in a notebook without being asked: `csat.results.Shown` knows this file by its name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from csat.errors import OptionError
from csat.report.description import TABLE_MIME
from csat.report.jupyter import Table
from csat.report.tables import table
from csat.report.words import Word

#: Rows that a notebook shows by itself.
MOST = 200


def html_of(result: Any) -> str | None:
    """Render the usual table of a result; None if there is no table for its class."""
    made = _table(result)
    return None if made is None else made._repr_html_()


def bundle_of(result: Any) -> dict[str, Any]:
    """Describe the usual table of a result, so that reports made from the notebook have it too."""
    made = _table(result)
    return {} if made is None else {TABLE_MIME: made.to_dict()}


def _table(result: Any) -> Table | None:
    try:
        made = table(result)
    except OptionError:
        return None
    more = len(made.rows) - MOST
    if more <= 0:
        return made
    notes = (*made.notes, Word("page.more", {"more": more}))
    return replace(made, rows=made.rows[:MOST], depths=made.depths[:MOST], notes=notes)
