"""A report for every group of a column, and the overview that links them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from csat.errors import CsatError, OptionError
from csat.report.execute import Kernel
from csat.report.job import Job, Part, documented, in_order, run, write_document, write_part
from csat.report.manifest import FILE
from csat.report.notebook import OVERVIEW, fill, parametrise, template
from csat.report.progress import Progress
from csat.report.settings import plan
from csat.report.workers import Workers, settled

#: Names of devices, which Windows keeps files from having.
DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)$")

#: Groups that are named before a remark that is about more of them.
NAMED = 3


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
    job: Job, parts: Sequence[Part], column: str, workers: Workers, scratch: Path, told: Progress
) -> tuple[list[Path], dict[str, str]]:
    """Write every report and the overview; one that fails does not stop the others.

    Returns
    -------
    files, failed
        Files below `scratch`, those of the overview first; group → why its report could not be made.
    """
    heard: dict[str, list[str]] = {part.group: [] for part in parts}
    places = {part.group: f"{part.group} ({number}/{len(parts)})" for number, part in enumerate(parts, 1)}

    def write(kernel: Kernel, task: tuple[Part, str]) -> list[Path]:
        part, lang = task
        if lang == job.languages[0]:
            told.say(places[part.group])
        return write_part(job, part, lang, kernel, scratch, told.counting(heard[part.group]))

    tasks = [(part, lang) for part in parts for lang in job.languages]
    done = workers.each(write, tasks)
    made: list[Path] = []
    failed: dict[str, str] = {}
    for start, part in zip(range(0, len(done), len(job.languages)), parts, strict=True):
        found = done[start : start + len(job.languages)]
        problems = [str(one) for one in found if isinstance(one, CsatError)]
        if problems:
            failed[part.group] = problems[0]
        else:
            made += in_order([one for one in found if not isinstance(one, CsatError)])
    for remark in gathered(heard):
        told.note(remark)
    return [*_overview(job, parts, column, failed, workers, scratch, told), *made], failed


def gathered(heard: Mapping[str, Sequence[str]]) -> list[str]:
    """Remarks of many reports: each once, after the groups that it is about.

    >>> gathered({"a": ["few"], "b": ["few", "odd"], "c": [], "d": ["few"], "e": ["few"]})
    ['a, b, d and 1 more: few', 'b: odd']
    """
    groups: dict[str, list[str]] = {}
    for group, remarks in heard.items():
        for remark in dict.fromkeys(remarks):
            groups.setdefault(remark, []).append(group)
    return [f"{', '.join(found[:NAMED])}{_more(found)}: {remark}" for remark, found in groups.items()]


def _more(groups: Sequence[str]) -> str:
    return f" and {len(groups) - NAMED} more" if len(groups) > NAMED else ""


def _overview(
    job: Job, parts: Sequence[Part], column: str, failed: dict[str, str], workers: Workers, scratch: Path,
    told: Progress,
) -> list[Path]:  # fmt: skip
    about = plan(job.survey, job.where).whole()

    def write(kernel: Kernel, lang: str) -> list[Path]:
        reports = [_entry(job, part, lang, failed) for part in parts]
        asked: dict[str, Any] = {**job.parameters, "column": column, "reports": reports, "lang": lang}
        done = run(parametrise(fill(template(OVERVIEW), lang), asked), kernel, told)
        return write_document(documented(done, about, lang), "overview", job.writers, scratch, told)

    return [path for paths in settled(workers.each(write, job.languages)) for path in paths]


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
