"""A report for every group of a column, and the overview that links them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from csat.errors import CsatError, OptionError
from csat.report.execute import Kernel
from csat.report.job import Job, Part, documented, run, write_document, write_part
from csat.report.manifest import FILE
from csat.report.notebook import OVERVIEW, fill, parametrise, template
from csat.report.progress import Progress
from csat.report.settings import plan

#: Names of devices, which Windows keeps files from having.
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")


def parts_of(job: Job, column: str) -> list[Part]:
    """Plan a report for each group of a column that occurs in the report's period.

    Parameters
    ----------
    column : the study's peer column makes each group the own one in turn; another column filters.

    Raises
    ------
    UnknownColumnError
        If there is no such column.
    OptionError
        If the column is a question or a number, or has no groups.
    """
    groups = plan(job.survey, job.where).everyone.categories(column)
    asked = job.asked
    described = asked.column(column)
    if column in asked.codes or (described is not None and described.kind != "category"):
        raise OptionError(f"by={column!r} is no column of groups; name one such as branch or city.")
    if not groups:
        raise OptionError(f"by={column!r}: no respondent belongs to any group of this column.")
    names = folder_names(groups)
    return [_part(job, column, group, names[group]) for group in groups]


def _part(job: Job, column: str, group: str, name: str) -> Part:
    earlier = None if job.since is None else job.since / name / FILE
    since = str(earlier) if earlier is not None and earlier.is_file() else None
    if column == job.asked.settings.get("peer_column"):
        about = plan(job.survey, job.where, own=group)
        return Part(about, name, group, {"own": group, "since": since})
    where = {**job.where, column: group}
    return Part(plan(job.survey.where(**{column: group}), where), name, group, {"where": where, "since": since})


def folder_names(groups: Iterable[str]) -> dict[str, str]:
    """A folder for each group: its name without what file systems do not take, told apart by numbers.

    >>> folder_names(["xian", "a/b", "a:b", "..", "兰州"])
    {'xian': 'xian', 'a/b': 'a-b', 'a:b': 'a-b-2', '..': 'group', '兰州': '兰州'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for group in groups:
        plain = re.sub(r"[^\w.+-]+", "-", group).strip("-. ")[:80] or "group"
        plain = f"{plain}-group" if DEVICES.match(plain) else plain
        candidates = (plain if number == 1 else f"{plain}-{number}" for number in range(1, len(taken) + 2))
        names[group] = next(name for name in candidates if name.casefold() not in taken)
        taken.add(names[group].casefold())
    return names


def write_batch(
    job: Job, parts: Sequence[Part], column: str, kernel: Kernel, scratch: Path, told: Progress
) -> tuple[list[Path], dict[str, str]]:
    """Write every report and the overview; one that fails does not stop the others.

    Returns
    -------
    files, failed
        Files below `scratch`, those of the overview first; group → why its report could not be made.
    """
    made: list[Path] = []
    failed: dict[str, str] = {}
    for number, part in enumerate(parts, 1):
        told.say(f"{part.group} ({number}/{len(parts)})")
        try:
            made += write_part(job, part, kernel, scratch, told.counting())
        except CsatError as problem:
            failed[part.group] = str(problem)
    return [*_overview(job, parts, column, failed, kernel, scratch, told), *made], failed


def _overview(
    job: Job, parts: Sequence[Part], column: str, failed: dict[str, str], kernel: Kernel, scratch: Path, told: Progress
) -> list[Path]:
    about = plan(job.survey, job.where).whole()
    made: list[Path] = []
    for lang in job.languages:
        reports = [_entry(job, part, lang, failed) for part in parts]
        asked: dict[str, Any] = {**job.parameters, "column": column, "reports": reports, "lang": lang}
        done = run(parametrise(fill(template(OVERVIEW), lang), asked), kernel, told)
        made += write_document(documented(done, about, lang), "overview", job.writers, scratch, told)
    return made


def _entry(job: Job, part: Part, lang: str, failed: dict[str, str]) -> dict[str, Any]:
    """What the overview says of a report: whose, how many respondents, where its files are, or why there are none."""
    files = {name: f"{part.folder}/report-{lang}.{name}" for name in job.writers}
    problem = failed.get(part.group)
    return {
        "group": part.group,
        "n": len(part.about.own),
        "files": {} if problem else files,
        "problem": problem,
    }
