"""What has changed since an earlier report, in sentences that follow from both manifests by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from csat.report.description import Cell, Column
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.tables.manifest import period_of
from csat.report.words import LANGUAGES, Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.report.difference import Change, Revision

#: Tables of a study that hold questions.
QUESTIONS = ("items", "processes")


def changed(revision: Revision, lang: str = "en", names: Questionnaire | None = None) -> Advice:
    """Say what has changed since an earlier report: data, questionnaire, software, and figures that were revised.

    Parameters
    ----------
    revision : from `csat.report.revision`.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    """
    texts = Names(lang, names)
    lines = [
        *_data(revision),
        *_questionnaire(revision, texts),
        *_software(revision, texts),
        *_figures(revision, texts),
    ]
    column = (Column("sentence", Word("since.title")),)
    return Advice(Table("since", Word("since.title"), column, tuple((Cell(line),) for line in lines), lang))


def _data(revision: Revision) -> list[Word]:
    known = all(one.files["data"]["sha256"] for one in (revision.before, revision.after))
    return [Word("since_said.same_data" if revision.same("data") else "since_said.other_data")] if known else []


def _questionnaire(revision: Revision, texts: Names) -> Iterator[Word]:
    if revision.before.questionnaire["sha256"] == revision.after.questionnaire["sha256"]:
        yield Word("since_said.same_questions")
        return
    asked = [change for change in revision.changes if change.part in QUESTIONS]
    named = {
        "added_questions": [c for c in asked if c.what == "added" and len(c.place) == 1],
        "gone_questions": [c for c in asked if c.what == "gone" and len(c.place) == 1],
        "worded": [c for c in asked if len(c.place) > 1 and c.place[1] in LANGUAGES],
        "tree": [c for c in revision.changes if c.part == "dimensions" and _weighs(c)],
    }
    for key, found in named.items():
        if found:
            yield Word(f"since_said.{key}", {"names": _listed(dict.fromkeys(c.place[0] for c in found), texts)})
    rescaled = list(_rescaled(revision))
    if rescaled:
        yield Word("since_said.scales", {"names": _listed(dict.fromkeys(rescaled), texts)})
    parts = {change.part for change in revision.changes}
    yield from (Word(f"since_said.{key}") for key, of in CHANGED_PARTS.items() if parts & of)


#: Word → tables of a study that it is about.
CHANGED_PARTS = {"design": {"design", "weighting"}, "model": {"model"}}


def _weighs(change: Change) -> bool:
    """Whether a change of a dimension moves its score: anything but its texts."""
    return len(change.place) == 1 or change.place[1] not in LANGUAGES


def _rescaled(revision: Revision) -> Iterator[str]:
    """Questions of both whose scale is another one, or has other levels, missing codes or scores."""
    scales = {
        c.place[0] for c in revision.changes if c.part == "scales" and len(c.place) > 1 and c.place[1] != "labels"
    }
    before, after = (one.questionnaire["tables"] for one in (revision.before, revision.after))
    for part in QUESTIONS:
        for code, question in after.get(part, {}).items():
            was = before.get(part, {}).get(code)
            if was is not None and (was["scale"] != question["scale"] or question["scale"] in scales):
                yield code


def _listed(codes: dict[str, None], texts: Names) -> str:
    return texts.listed([texts.code(code) for code in codes])


def _software(revision: Revision, texts: Names) -> Iterator[Word]:
    moved = [change for change in revision.changes if change.part == "versions"]
    if moved:
        said = [f"{change.place[0]} {change.before or '–'} → {change.after or '–'}" for change in moved]
        yield Word("since_said.software", {"names": texts.listed(said)})


def _figures(revision: Revision, texts: Names) -> Iterator[Word]:
    """How many figures were revised, the largest revision, and how many standard errors changed without."""
    if not revision.comparable:
        yield Word("since_said.not_comparable")
    elif not revision.compared:
        yield Word("since_said.none_in_common")
    else:
        yield _largest(revision, texts)
        if revision.errors:
            yield Word("since_said.errors", {"errors": revision.errors})


def _largest(revision: Revision, texts: Names) -> Word:
    moved = revision.revised
    count = {"compared": revision.compared, "revised": len(moved)}
    if moved.empty:
        return Word("since_said.none_revised", {"compared": revision.compared})
    top = moved.iloc[0].to_dict()
    if abs(top["difference"]) < LEAST:
        return Word("since_said.only_bases", count)
    period = period_of(top, revision, texts)
    if top["by"]:
        where = Word("since_said.group_of", {"group": texts.value(top["by"], top["group"]), "period": period})
    else:
        where = Word("since_said.own_of", {"period": period})
    blanks = {"name": texts.code(top["term"]), "where": words(texts.lang).say(where)}
    figures = {key: float(top[key]) for key in ("before", "after")}
    return Word("since_said.revised", {**count, **blanks, **figures})


#: A figure that moves by less has not moved: the sentence then speaks of standard errors and bases only.
LEAST = 1e-6
