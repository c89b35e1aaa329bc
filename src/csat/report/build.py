"""`write_report`: from a study and its data to a report in each format asked for."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from csat.errors import OptionError
from csat.questionnaire import read_questionnaire
from csat.report.document import Document
from csat.report.execute import execute
from csat.report.formats import Writer, writers
from csat.report.notebook import Notebook, fill, parametrise, read_notebook, template, trim
from csat.report.outputs import document_of, remarks_of, section_titles
from csat.report.progress import Progress
from csat.report.progress import progress as shown_progress
from csat.report.settings import checked_where, masthead, method, plan
from csat.report.words import LANGUAGES, Word, words
from csat.survey import read_survey


def write_report(
    study: str | Path,
    data: str | Path,
    folder: str | Path,
    *,
    lang: str = "zh",
    formats: str | Sequence[str] = ("html", "xlsx"),
    notebook: str | Path | None = None,
    where: Mapping[str, Any] | None = None,
    on_unknown: str = "raise",
    progress: bool = True,
    **reading: Any,
) -> list[Path]:
    """Write a report: one HTML page that needs nothing else, an Excel workbook of the same tables, other formats.

    The data are read first: bad data stop everything before a file is written. The report's notebook is then
    executed in a new process of this Python, and its outputs become the document that every format is written from.

    Parameters
    ----------
    study : path of the study file (study.toml or a codebook).
    data : path of the answers.
    folder : where ``report-<lang>.html``, ``report-<lang>.xlsx`` and so on go; made if it does not exist. Older files
        of these names are replaced, once the new ones are complete.
    lang : "zh", "en" or "both".
    formats : one or more of `csat.report.formats.FORMATS`, in the order in which the files are listed.
    notebook : an analyst's own notebook with a cell tagged ``parameters``. None: the one in the package,
        without the sections that study and data have no use for.
    where : column → value: the report on a part of the respondents; page and workbook say so.
    on_unknown : "raise" stops at answers that the study does not know; "missing" counts them as missing.
    progress : say on stderr what is being done.
    **reading : further arguments of `csat.read_survey`: sheet, encoding, on_absent.

    Returns
    -------
    list of Path
        The files written, per language in the order of `formats`.

    Raises
    ------
    OptionError
        If the language or a format is not known, `where` is no filter, or `folder` cannot be written into.
    MissingDependencyError
        If what a format needs is not installed; nothing has been computed then.
    CsatError
        If study or data are wrong, naming file, row and column.
    ReportError
        If a cell of the notebook fails.
    """
    languages = LANGUAGES if lang == "both" else (lang,)
    if lang not in (*LANGUAGES, "both"):
        raise OptionError.choose("lang", lang, (*LANGUAGES, "both"))
    written = writers(formats)
    folder, filtered = _checked_folder(folder), checked_where(where)
    asked = read_questionnaire(study)
    survey = read_survey(data, asked, on_unknown=on_unknown, **reading).where(**filtered)
    about = plan(survey, filtered)
    raw = trim(template(), asked, about) if notebook is None else read_notebook(notebook)
    place = Path.cwd() if notebook is None else Path(notebook).resolve().parent
    parameters = {
        "study": str(Path(study).resolve()),
        "data": str(Path(data).resolve()),
        "on_unknown": on_unknown,
        "reading": reading,
        "where": filtered,
    }
    with (
        shown_progress(len(languages) * (len(raw["cells"]) + len(written)), progress) as told,
        tempfile.TemporaryDirectory(prefix="csat-") as scratch,
    ):
        made: list[Path] = []
        for one in languages:
            ready = parametrise(fill(raw, one), parameters | {"lang": one})
            done = _executed(ready, place, Path(scratch) / one, told)
            head = masthead(about, one)
            how = method(about, one).sentences
            document = document_of(done, one, title=head.title, facts=head.facts, method=how)
            made += _written(document, written, Path(scratch), told)
        return _moved(made, folder)


def _checked_folder(folder: str | Path) -> Path:
    """Refuse a folder that cannot be written into, before anything is computed."""
    if not str(folder).strip():
        raise OptionError("folder is empty; name the folder that the report goes into, e.g. folder='report'.")
    folder = Path(folder)
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path.cwd())
    if not there.is_dir():
        raise OptionError(f"{there} is a file; the report needs a folder to write into.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OptionError(f"{there} cannot be written into; choose another folder.")
    return folder


def _executed(ready: Notebook, place: Path, scratch: Path, told: Progress) -> Notebook:
    scratch.mkdir()

    def watch(position: int) -> None:
        for title in section_titles(ready["cells"][position]):
            told.say(title)
        told.step()

    done = execute(ready, place, scratch, watch)
    for remark in remarks_of(done):
        told.note(remark)
    return done


def _written(document: Document, written: Mapping[str, Writer], scratch: Path, told: Progress) -> list[Path]:
    """Write a document in each format; the name of the format is the file's extension."""
    made = []
    for name, writer in written.items():
        path = scratch / f"report-{document.lang}.{name}"
        told.say(words(document.lang).say(Word("progress.page", {"file": path.name})))
        writer.render(document, path)
        told.step()
        made.append(path)
    return made


def _moved(made: Sequence[Path], folder: Path) -> list[Path]:
    """Put finished files in place: copied beside their goal first, so that each appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    goals = []
    for path in made:
        part = folder / f".{path.name}.part"
        shutil.copyfile(path, part)
        goals.append((part, folder / path.name))
    for part, goal in goals:
        part.replace(goal)
    return [goal for _, goal in goals]
