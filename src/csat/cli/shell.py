"""Respondents, tables and errors of a verb, the way a shell asks for them and writes them."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from csat.errors import OptionError, SampleError

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.report.jupyter import Table
    from csat.survey import Survey


#: Options that are arguments of `read_survey`: of every verb, and of those that stream.
READING, STREAMING = ("sheet", "encoding", "header_row"), ("stream", "memory", "query", "only")


def domain(equations: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Turn column = value pairs into the arguments of `Survey.where`: two values of a column mean either."""
    wanted: dict[str, list[str]] = {}
    for column, value in equations:
        wanted.setdefault(column, []).append(value)
    return wanted


@dataclass(frozen=True, slots=True)
class Asked:
    """The respondents that a verb is about, and what they were filtered by."""

    survey: Survey
    where: dict[str, Any]

    @property
    def study(self) -> Questionnaire:
        """What was asked; the shell always reads a study."""
        if self.survey.questionnaire is None:
            raise OptionError("csat needs a study.")
        return self.survey.questionnaire

    def only(self, **equal: Any) -> Asked:
        """A part of the respondents."""
        return Asked(self.survey.where(**equal), self.where | equal)

    def parts(self, by: Sequence[str] | None) -> Iterator[Asked]:
        """Everyone, or each group of some columns that has respondents."""
        if not by:
            yield self
            return
        for value in self.survey.categories(by[0]):
            part = self.only(**{by[0]: value})
            if len(part.survey):
                yield from part.parts(by[1:])


def survey_of(asked: argparse.Namespace, columns: Sequence[str] = ("peer_column", "period_column")) -> Asked:
    """Read the data and filter them; `columns` are the settings that ``--own`` filters by."""
    from csat.questionnaire import read_questionnaire
    from csat.survey import read_survey

    survey = read_survey(asked.data, read_questionnaire(asked.study), on_unknown=asked.on_unknown, **reading(asked))
    wanted: dict[str, Any] = dict(domain(asked.where))
    about = Asked(survey.where(**wanted) if wanted else survey, wanted)
    narrower = _report_base(about, columns)
    if getattr(asked, "own", None) is True:
        return about.only(**narrower)
    if narrower and "own" in vars(asked) and len(about.survey.where(**narrower)) < len(about.survey):
        said = ", ".join(f"{column}={value}" for column, value in narrower.items())
        sys.stderr.write(
            f"csat: note: all {len(about.survey):,} respondents count; the report uses only {said} (--own).\n"
        )
    return about


def _report_base(about: Asked, columns: Sequence[str]) -> dict[str, Any]:
    """What the report filters by, but for columns that ``--where`` names already."""
    settings = about.study.settings
    values = {"peer_column": settings.get("own"), "period_column": settings.get("period")}
    pairs = {settings[name]: values[name] for name in columns if settings.get(name) and values[name] is not None}
    return {column: value for column, value in pairs.items() if column not in about.where}


def reading(asked: argparse.Namespace) -> dict[str, Any]:
    """Arguments of `read_survey` that were given."""
    given = {name: getattr(asked, name, None) for name in (*READING, *STREAMING)}
    chosen = {name: value for name, value in given.items() if value is not None}
    if "only" in chosen:
        chosen |= {"only": domain(asked.only), "progress": True}
    return chosen if asked.on_absent == "raise" else chosen | {"on_absent": asked.on_absent}


def show(asked: argparse.Namespace, about: Asked, *results: tuple[Any, str | None]) -> None:
    """Write the tables of results, each with the kind of table, in the form asked for."""
    _write(_tables(asked, about, results), asked)


def _tables(asked: argparse.Namespace, about: Asked, results: Iterable[tuple[Any, str | None]]) -> list[Table]:
    from csat.report.settings import base_of
    from csat.report.tables import table

    base, codes = base_of(about.survey, about.where, asked.lang), asked.output != "text"
    return [table(result, asked.lang, about.study, kind=kind, base=base, codes=codes) for result, kind in results]


def each(asked: argparse.Namespace, results: Callable[[Asked], Iterable[tuple[Any, str | None]]]) -> None:
    """Write the tables of every group of ``--by``; a group that is too small for the method is named and skipped."""
    about = survey_of(asked)
    tables: list[Table] = []
    for part in about.parts(asked.by):
        try:
            tables += _tables(asked, part, results(part))
        except SampleError as problem:
            if not asked.by:
                raise
            where = ", ".join(f"{column}={value}" for column, value in part.where.items())
            sys.stderr.write(f"csat: note: {where} is left out: {in_shell(str(problem), asked)}\n")
    _write(tables, asked)


def _write(tables: Sequence[Table], asked: argparse.Namespace) -> None:
    from csat.report.text import to_csv, to_json, to_text

    if asked.output == "json":
        sys.stdout.write(to_json(tables) + "\n")
        return
    write = {"csv": to_csv, "text": to_text}[asked.output]
    several = asked.output == "csv" and len(tables) > 1
    titles = [f"# {one.say(one.title)}\n" if several else "" for one in tables]
    texts = [title + write(one).rstrip("\n") + "\n" for title, one in zip(titles, tables, strict=True)]
    mark = "\ufeff" if asked.bom and asked.output == "csv" else ""
    sys.stdout.write(mark + "\n".join(texts))


def in_shell(text: str, asked: argparse.Namespace) -> str:
    """Put the arguments that an error speaks of the way a shell writes them: ``by=…`` as ``--by …``.

    >>> in_shell("Use on_unknown='missing'.", argparse.Namespace(on_unknown="raise"))
    'Use --on-unknown missing.'

    What only Python can say is said as the shell can: an answer that counts is ``--outcome COLUMN=VALUE``.
    """
    text = re.sub(r"outcome=csat\.Recode\('([^']*=[^']*)', .*?\}\)", r"outcome='\1'", text)
    part = "--only COLUMN=VALUE, without --stream"
    text = re.sub(r"(csat\.)?read_survey\(\.\.\., only=\{.*?\}, stream=False\)", part, text)
    text = re.sub(r"read_survey\(\.\.\., (\w+=[^()]*)\)", r"\1", text)
    text = re.sub(r",? \(?in the shell --[\w-]+(?: \d+)?\)?", "", text)
    names = "|".join(name for name in vars(asked) if name not in ("run", "study", "data"))

    def say(found: re.Match[str]) -> str:
        value = next((part for part in found.groups()[1:] if part), "")
        return f"--{found[1].replace('_', '-')} {value}".rstrip()

    return re.sub(rf"""\b({names})=(?:'([^']*)'|"([^"]*)"|(…|[\w][\w.]*))?""", say, text) if names else text
