"""The report's notebook: filled in for a language, trimmed to what a study has, given its parameters."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csat.errors import MissingFileError, OptionError, ReportError
from csat.report.manifest import sha256
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.report.settings import Plan

Notebook = dict[str, Any]

NAME = "quarterly_report.ipynb"
#: The notebook of the overview of a batch.
OVERVIEW = "overview.ipynb"
#: What a new study keeps out of version control: answers of people, and what can be made again.
IGNORED = "/answers*\n/data/\n/report/\n.ipynb_checkpoints/\n"
BLANK = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def template(name: str = NAME) -> Notebook:
    """Read a notebook that the package brings: its Markdown holds {{keys}} of the catalogues."""
    return json.loads((files("csat.report") / "notebooks" / name).read_text(encoding="utf-8"))


def digest(notebook: Notebook) -> str:
    """SHA-256 of what a notebook's cells say, whatever they have shown."""
    return sha256("\n\n".join(text_of_cell(cell) for cell in notebook["cells"]))


def read_notebook(path: str | Path) -> Notebook:
    """Read an analyst's notebook.

    Raises
    ------
    MissingFileError, ReportError
        If there is no such file, or it is no notebook.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError.among(path, [found.name for found in path.parent.glob("*.ipynb")])
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError) as problem:
        raise ReportError.no_notebook(path) from problem
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise ReportError.no_notebook(path)
    return notebook


def _is_cell(cell: Any) -> bool:
    """Whether a cell has what a notebook's cell must have."""
    if not isinstance(cell, dict) or cell.get("cell_type") not in ("code", "markdown", "raw"):
        return False
    source, metadata = cell.get("source"), cell.get("metadata", {})
    lines = isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))
    return lines and isinstance(metadata, dict) and isinstance(metadata.get("tags", []), list)


def text_of_cell(cell: Mapping[str, Any]) -> str:
    """Source of a cell: a string, or lines as notebooks store them."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """Tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", []))


def fill(notebook: Notebook, lang: str) -> Notebook:
    """Put the words of a language into the {{keys}} of the Markdown cells."""
    catalogue = words(lang)
    filled = copy.deepcopy(notebook)
    for cell in filled["cells"]:
        if cell["cell_type"] == "markdown":
            said = BLANK.sub(lambda found: catalogue.sentences.get(found[1], found[0]).strip(), text_of_cell(cell))
            cell["source"] = said.splitlines(keepends=True)
    return filled


def trim(notebook: Notebook, asked: Questionnaire, about: Plan | None = None) -> Notebook:
    """Leave out the sections that study and data have no use for: cells tagged ``needs-model`` and so on."""
    structural = asked.settings.get("structural", "sem")
    has = {
        "needs-index": asked.root is not None,
        "needs-periods": about is not None and about.period_column is not None,
        "needs-mix": about is not None and len(about.last_two) > 1 and bool(about.mix),
        "needs-service": bool(asked.service),
        "needs-model": asked.model is not None and structural != "pls",
        "needs-pls": asked.model is not None and structural in ("pls", "both"),
        "needs-drivers": asked.outcome is not None and bool(asked.processes),
        "needs-groups": bool(asked.settings.get("by") if about is None else about.groupings),
        "needs-standing": about is None or about.ranked,
        "needs-peers": bool(asked.settings.get("against") if about is None else about.against)
        and "peer_column" in asked.settings,
    }
    kept = [cell for cell in notebook["cells"] if all(has.get(tag, True) for tag in tags_of(cell))]
    return {**notebook, "cells": kept}


def parametrise(notebook: Notebook, parameters: Mapping[str, Any]) -> Notebook:
    """Add a cell that sets the parameters after the one tagged ``parameters``.

    Raises
    ------
    ReportError
        If the notebook has no such cell.
    """
    cells = [cell for cell in notebook["cells"] if "injected-parameters" not in tags_of(cell)]
    place = next((i for i, cell in enumerate(cells) if "parameters" in tags_of(cell)), None)
    if place is None:
        raise ReportError.no_parameters()
    source = "\n".join(f"{name} = {value!r}" for name, value in parameters.items())
    return {**notebook, "cells": [*cells[: place + 1], code_cell(source, "injected-parameters"), *cells[place + 1 :]]}


def code_cell(source: str, *tags: str) -> dict[str, Any]:
    """Make a code cell without outputs."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "-".join(tags) or "cell",
        "metadata": {"tags": list(tags)},
        "outputs": [],
        "source": source,
    }


def with_defaults(notebook: Notebook, parameters: Mapping[str, Any]) -> Notebook:
    """Write values into the ``parameters`` cell itself: the start of an analyst's own notebook."""
    changed = copy.deepcopy(notebook)
    for cell in changed["cells"]:
        if "parameters" in tags_of(cell):
            lines = text_of_cell(cell).splitlines()
            cell["source"] = [line + "\n" for line in (_assigned(line, parameters) for line in lines)]
            cell["source"][-1] = cell["source"][-1].rstrip("\n")
    return changed


def _assigned(line: str, parameters: Mapping[str, Any]) -> str:
    found = re.match(r"(\w+) = [^#]*?(\s*#.*)?$", line)
    if found is None or found[1] not in parameters:
        return line
    return f"{found[1]} = {json.dumps(parameters[found[1]], ensure_ascii=False)}{found[2] or ''}"


def dumps(notebook: Notebook) -> str:
    """Write a notebook as text, the same every time."""
    return json.dumps(notebook, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def new_study(folder: str | Path, *, lang: str = "en") -> list[Path]:
    """Start a study: a folder with a study.toml to fill in, the report's notebook to edit, and how to go on.

    Parameters
    ----------
    folder : made if it does not exist.
    lang : of the notebook's text, "en" or "zh".

    Raises
    ------
    OptionError
        If one of the files is there already: nothing is overwritten.
    """
    catalogue = words(lang)
    folder = Path(folder)
    start = (files("csat.report") / "notebooks" / "study.toml").read_text(encoding="utf-8")
    defaults = {"study": "study.toml", "data": "answers.csv", "lang": catalogue.lang}
    made = {
        folder / "study.toml": start,
        folder / NAME: dumps(with_defaults(fill(template(), lang), defaults)),
        folder / "README.md": catalogue.say(Word("new.readme")),
        folder / ".gitignore": IGNORED,
    }
    there = [path for path in made if path.exists()]
    if there:
        raise OptionError(f"{there[0]} exists already; csat new does not overwrite. Choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")
    return list(made)
