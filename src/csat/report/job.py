"""One report of a job: its notebook executed, its document written in every format and language."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from csat.errors import ReportError
from csat.questionnaire import Questionnaire
from csat.report.document import Document, Lines, Missing
from csat.report.execute import Kernel
from csat.report.formats import Writer
from csat.report.manifest import FILE
from csat.report.methods import method
from csat.report.notebook import OVERVIEW, Notebook, digest, fill, parametrise, template, trim
from csat.report.outputs import document_of, remarks_of, section_titles
from csat.report.progress import Progress
from csat.report.settings import Plan, masthead
from csat.report.words import Word, words
from csat.survey import Survey


@dataclass(frozen=True, slots=True)
class Job:
    """How reports are written: the same for every report of a batch.

    asked, survey : what was asked, and the respondents after the filter.
    where : the filter.
    notebook : an analyst's own; None: the one in the package.
    languages, writers : every report is written in each of them.
    parameters : of the notebook, but for those that differ between reports.
    since : ``report.json`` of the earlier report, or the folder of an earlier batch; None: no comparison.
    """

    asked: Questionnaire
    survey: Survey
    where: Mapping[str, Any]
    notebook: Notebook | None
    languages: Sequence[str]
    writers: Mapping[str, Writer]
    parameters: Mapping[str, Any]
    since: Path | None = None

    def steps(self, parts: int, overview: bool) -> int:
        """Steps of progress that reports take at most."""
        cells = len((template() if self.notebook is None else self.notebook)["cells"]) + 1 + len(self.writers)
        above = len(template(OVERVIEW)["cells"]) + 1 + len(self.writers)
        return len(self.languages) * (parts * cells + overview * above)


@dataclass(frozen=True, slots=True)
class Part:
    """One report: on whom, and where it goes.

    about : its plan.
    folder : within the folder of the job; empty: that itself.
    group : of a batch; empty otherwise.
    parameters : of the notebook, where they are this report's own.
    """

    about: Plan
    folder: str = ""
    group: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


def write_part(job: Job, part: Part, lang: str, kernel: Kernel, scratch: Path, told: Progress) -> list[Path]:
    """Write one report in one language and each format; with the first language its manifest.

    Parameters
    ----------
    scratch : files go into its folder of the part's name.

    Returns
    -------
    list of Path
        Below `scratch`, in the order of the formats, the manifest last if the notebook writes one.

    Raises
    ------
    ReportError
        If a cell of the notebook fails.
    """
    place = scratch / part.folder
    place.mkdir(parents=True, exist_ok=True)
    raw = trim(template(), job.asked, part.about) if job.notebook is None else job.notebook
    # Languages may be written at the same time, and their manifests are the same.
    record = place / FILE if lang == job.languages[0] else None
    own = {"made_of": digest(raw), "record": record and str(record), **part.parameters}
    if part.group and len(part.about.own) < job.asked.bases.suppress:
        document = nobody(part.about, lang, job.asked)
    else:
        ready = parametrise(fill(raw, lang), {**job.parameters, **own, "lang": lang})
        document = documented(run(ready, kernel, told), part.about, lang)
    made = write_document(document, "report", job.writers, place, told)
    return [*made, record] if record is not None and record.is_file() else made


def in_order(written: Sequence[Sequence[Path]]) -> list[Path]:
    """Files of one report: those of each language, then the manifest."""
    files = [path for paths in written for path in paths]
    return sorted(files, key=lambda path: path.name == FILE)


def run(ready: Notebook, kernel: Kernel, told: Progress) -> Notebook:
    """Execute a notebook, saying its sections as they begin and its warnings afterwards."""

    def watch(position: int) -> None:
        for title in section_titles(ready["cells"][position]):
            told.say(title)
        told.step()

    done = kernel.run(ready, watch)
    for remark in remarks_of(done):
        told.note(remark)
    return done


def documented(done: Notebook, about: Plan, lang: str) -> Document:
    """Read what an executed notebook shows, under the masthead of a plan."""
    head = masthead(about, lang)
    asked = method(about, lang).sentences
    shown = document_of(done, lang, title=head.title, facts=head.facts, method=asked)
    # What the page says of its methods, every format says; a list of references has no sentence in common with it.
    lists = [block.lines for block in shown.blocks() if isinstance(block, Lines) and block.form == "method"]
    return replace(shown, method=next((lines for lines in lists if set(lines) & set(asked)), asked))


def nobody(about: Plan, lang: str, asked: Questionnaire) -> Document:
    """A report on so few respondents that no figure may be shown: it says so and holds nothing else."""
    head = masthead(about, lang)
    said = Word("batch.too_few", {"n": len(about.own), "least": asked.bases.suppress})
    blocks = (Lines("masthead", head.facts, head.title), Missing(words(lang).say(said)))
    return Document(head.title, lang, blocks, (), head.facts, method(about, lang).sentences)


def write_document(
    document: Document, name: str, writers: Mapping[str, Writer], place: Path, told: Progress
) -> list[Path]:
    """Write a document in each format, as ``<name>-<lang>.<format>``."""
    made = []
    for extension, writer in writers.items():
        path = place / f"{name}-{document.lang}.{extension}"
        told.say(words(document.lang).say(Word("progress.page", {"file": path.name})))
        writer.render(document, path)
        told.step()
        made.append(path)
    return made


def put(made: Sequence[Path], scratch: Path, folder: Path) -> list[Path]:
    """Put finished files in place: copied beside their goal first, so that each appears whole or not at all.

    A folder that does not exist yet appears with all its files at once.
    """
    if not made:
        raise ReportError("There is nothing to write: no report could be made.")
    fresh = not folder.exists()
    target = folder.parent / f".{folder.name}.part" if fresh else folder
    if fresh:
        shutil.rmtree(target, ignore_errors=True)
    places = [path.relative_to(scratch) for path in made]
    parts = []
    for path, place in zip(made, places, strict=True):
        goal = target / place
        goal.parent.mkdir(parents=True, exist_ok=True)
        part = goal.with_name(f".{goal.name}.part")
        shutil.copyfile(path, part)
        parts.append((part, goal))
    for part, goal in parts:
        part.replace(goal)
    if fresh:
        target.rename(folder)
    return [folder / place for place in places]
