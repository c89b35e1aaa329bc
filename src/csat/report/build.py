"""`write_report`: from a study and its data to a report in each format asked for, or to one per group."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from csat.errors import MissingFileError, OptionError, ReportError
from csat.questionnaire import read_questionnaire
from csat.report.batch import parts_of, write_batch
from csat.report.formats import writers
from csat.report.job import Job, Part, in_order, put, write_part
from csat.report.manifest import read_manifest
from csat.report.notebook import Notebook, read_notebook, tags_of, text_of_cell
from csat.report.opened import path_of
from csat.report.progress import Progress
from csat.report.progress import progress as shown_progress
from csat.report.service import check_service
from csat.report.settings import checked_where, plan
from csat.report.words import LANGUAGES
from csat.report.workers import Workers, checked_count, settled
from csat.report.workers import workers as kernels
from csat.survey import read_survey

#: Formats and seed where neither the call nor the study says.
FORMATS, SEED = ("html", "xlsx"), 1


def write_report(
    study: str | Path,
    data: str | Path,
    folder: str | Path,
    *,
    lang: str = "zh",
    formats: str | Sequence[str] | None = None,
    notebook: str | Path | None = None,
    where: Mapping[str, Any] | None = None,
    by: str | None = None,
    since: str | Path | None = None,
    seed: int | None = None,
    workers: int | None = None,
    on_unknown: str = "raise",
    progress: bool = True,
    **reading: Any,
) -> list[Path]:
    """Write a report: one HTML page that needs nothing else, an Excel workbook of the same tables, other formats.

    The data are read first: bad data stop everything before a file is written. The report's notebook is then
    executed in a new process of this Python, and its outputs become the document that every format is written from.
    Beside it stands ``report.json``: what it was made of, and its figures, for the next report to compare itself with.

    Parameters
    ----------
    study : path of the study file (study.toml or a codebook).
    data : path of the answers.
    folder : where ``report-<lang>.html``, ``report-<lang>.xlsx`` and so on go; made if it does not exist. Older files
        of these names are replaced, once the new ones are complete.
    lang : "zh", "en" or "both".
    formats : one or more of `csat.report.formats.FORMATS`, in the order in which the files are listed. None: those of
        the study's [report] table, else page and workbook.
    notebook : an analyst's own notebook with a cell tagged ``parameters``. None: the one in the package,
        without the sections that study and data have no use for.
    where : column → value: the report on a part of the respondents; page and workbook say so.
    by : a column: one report for each of its groups, in a folder of the group's name, and an overview of them all.
        Of the study's peer column each group is the own one in turn, against the study's own and its peers; of another
        column the respondents are filtered. None: the study's ``split_by``, unless `where` names that column.
    since : ``report.json`` of an earlier report, or its folder: a last section says what has changed; with `by` the
        folder of the earlier batch. None: the study's ``previous``, seen from the study's folder.
    seed : of everything that is drawn at random. None: the study's, else 1.
    workers : processes that compute at the same time, which changes nothing in the files; each reads the answers. None:
        one per core, at most 8, and no more than there are reports and languages.
    on_unknown : "raise" stops at answers that the study does not know; "missing" counts them as missing.
    progress : say on stderr what is being done.
    **reading : further arguments of `csat.read_survey`: sheet, encoding, on_absent.

    Returns
    -------
    list of Path
        The files written, per language in the order of `formats`, then the manifest; with `by` the overview first.

    Raises
    ------
    OptionError
        If the language, a format or the number of workers is not known, `where` is no filter, `by` no column, or
        `folder` cannot be written into.
    MissingFileError
        If there is no earlier report at `since`.
    MissingDependencyError
        If what a format needs is not installed; nothing has been computed then.
    CsatError
        If study or data are wrong, naming file, row and column.
    ReportError
        If a cell of the notebook fails. With `by`: after all others are written, naming the groups that failed.
    """
    if not isinstance(lang, str) or lang not in (*LANGUAGES, "both"):
        raise OptionError.choose("lang", lang, (*LANGUAGES, "both"))
    folder, filtered = _checked_folder(folder), checked_where(where)
    study, data = path_of("study", study), path_of("data", data)
    notebook = None if notebook is None else path_of("notebook", notebook)
    written = None if formats is None else writers(formats)
    asked = read_questionnaire(study)
    check_service(asked, study)
    settings = asked.settings
    written = writers(settings.get("formats", FORMATS)) if written is None else written
    column = _column(by, settings, filtered)
    varied = [] if seed is None else ["seed"]
    if column is not None:
        varied.append("own" if column == settings.get("peer_column") else "where")
    own = None if notebook is None else _own_notebook(notebook, varied)
    earlier = _earlier(since, settings, study, batch=column is not None)
    survey = read_survey(data, asked, on_unknown=on_unknown, **reading).where(**filtered)
    parameters = {
        "study": str(Path(study).resolve()),
        "data": str(Path(data).resolve()),
        "on_unknown": on_unknown,
        "reading": reading,
        "where": filtered,
        "seed": _seed(seed, settings),
    }
    languages = LANGUAGES if lang == "both" else (lang,)
    job = Job(asked, survey, filtered, own, languages, written, parameters, earlier)
    parts = [Part(plan(survey, filtered), parameters={"since": _text(earlier)})]
    if column is not None:
        parts = parts_of(job, column)
    count = checked_count(workers, len(parts) * len(languages))
    place = Path.cwd() if notebook is None else Path(notebook).resolve().parent
    with (
        shown_progress(job.steps(len(parts), column is not None), progress) as told,
        tempfile.TemporaryDirectory(prefix="csat-") as scratch,
        kernels(count, place, Path(scratch)) as running,
    ):
        out = Path(scratch) / "out"
        if column is None:
            return put(_single(job, parts[0], running, out, told), out, folder)
        made, failed = write_batch(job, parts, column, running, out, told)
        goals = put(made, out, folder)
    if failed:
        raise ReportError(
            f"{len(failed)} of {len(parts)} reports could not be made; the others and the overview are in {folder}.\n"
            + "\n".join(f"  {group}: {problem}" for group, problem in failed.items())
        )
    return goals


def _single(job: Job, part: Part, running: Workers, out: Path, told: Progress) -> list[Path]:
    """One report, its languages at the same time."""
    return in_order(
        settled(running.each(lambda kernel, lang: write_part(job, part, lang, kernel, out, told), job.languages))
    )


def _checked_folder(folder: str | Path) -> Path:
    """Refuse a folder that cannot be written into, before anything is computed."""
    folder = path_of("folder", folder)
    there = next((path for path in (folder, *folder.absolute().parents) if path.exists()), Path.cwd())
    if not there.is_dir():
        raise OptionError(f"{there} is a file; the report needs a folder to write into.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OptionError(f"{there} cannot be written into; choose another folder.")
    return folder


def _column(by: str | None, settings: Mapping[str, Any], where: Mapping[str, Any]) -> str | None:
    """Column of the batch: the one asked for, or the study's, unless the filter names it."""
    if by is not None and not (isinstance(by, str) and by.strip()):
        raise OptionError(f"by={by!r} must be the name of one column, such as by='branch'.")
    usual = settings.get("split_by")
    return by if by is not None else None if usual in where else usual


def _seed(seed: Any, settings: Mapping[str, Any]) -> int:
    given = settings.get("seed", SEED) if seed is None else seed
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise OptionError(f"seed={given!r} is no seed; give a whole number, 0 or more.")
    return given


def _earlier(since: str | Path | None, settings: Mapping[str, Any], study: str | Path, *, batch: bool) -> Path | None:
    """The earlier report, checked before anything is computed."""
    if since is None and "previous" not in settings:
        return None
    path = (Path(study).parent / settings["previous"] if since is None else path_of("since", since)).resolve()
    if not batch:
        read_manifest(path)
    elif not path.exists():
        raise MissingFileError.among(path, [found.name for found in path.parent.glob("*")])
    elif not path.is_dir():
        raise OptionError(f"since={path}: of a batch, name the folder that the earlier batch was written into.")
    return path


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _own_notebook(notebook: str | Path, varied: Sequence[str]) -> Notebook:
    """Read an analyst's notebook; what it is asked to vary must be among its parameters, or it would be ignored."""
    read = read_notebook(notebook)
    source = "\n".join(text_of_cell(cell) for cell in read["cells"] if "parameters" in tags_of(cell))
    lacking = [name for name in varied if not re.search(rf"\b{name}\s*=(?!=)", source)]
    if lacking:
        raise ReportError(
            f"{notebook} has no parameter {lacking[0]!r}, which would be ignored. Add `{lacking[0]} = …` to "
            "the cell tagged 'parameters' and use it, as the notebook that `csat new` writes does."
        )
    return read
