"""What an overview says of the reports that it links: who stands where, as far as that is known, and the links."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from csat.errors import OptionError
from csat.report.description import Cell, Column
from csat.report.guidance import Advice
from csat.report.jupyter import Table
from csat.report.names import Names
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.shrinkage import Shrunken
    from csat.survey import Survey

#: What Markdown would read as more than text.
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~])")


@dataclass(frozen=True, slots=True, repr=False)
class Links:
    """A line per report: its group, its respondents, its files."""

    lang: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return "\n".join(self.lines)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        return {"text/markdown": repr(self), "text/plain": repr(self)}


def league(respondents: Survey, column: str) -> Shrunken:
    """Rank the groups of a column by the index, but for those that the table of groups does not show.

    Raises
    ------
    OptionError
        If `column` is no name.
    QuestionnaireError
        Without a study.
    SampleError
        With fewer than three groups that may be shown.
    """
    from csat.indices import index
    from csat.scoring import tree_of
    from csat.shrinkage import shrink

    if not isinstance(column, str):
        raise OptionError(f"column={column!r} must be the name of one column, such as 'branch'.")
    asked = tree_of(respondents, None)
    found = index(respondents, by=column, nodes=[str(asked.root)]).estimates
    verdicts = asked.bases.judge_groups(found.n.tolist())
    kept = [group for group, base in zip(found.keys[column], verdicts, strict=True) if not base.hidden]
    if len(kept) < len(found.term):
        found = index(respondents.where(**{column: kept}), by=column, nodes=[str(asked.root)]).estimates
    return shrink(found)


def links(
    reports: Sequence[Mapping[str, Any]], column: str, lang: str = "en", names: Questionnaire | None = None
) -> Links:
    """List reports with links to their files, or with the reason why they could not be made.

    Parameters
    ----------
    reports : each with ``group``, ``n``, ``files`` (format → path from the overview) and ``problem``.
    column : that the groups are of.
    """
    texts, say = Names(lang, names), words(lang).say
    lines = []
    for report in reports:
        about = {"group": markdown(texts.value(column, report["group"])), "n": report["n"]}
        if report["problem"]:
            lines.append(f"- {say(Word('batch.failed', about | {'problem': markdown(report['problem'])}))}")
            continue
        files = " · ".join(f"[{name}]({quote(path)})" for name, path in report["files"].items())
        lines.append(f"- {say(Word('batch.report', about | {'files': files}))}")
    return Links(lang, tuple(lines))


def markdown(text: str) -> str:
    r"""Text as Markdown that shows it as it is, on one line.

    >>> markdown("[a](b)\n*c*")
    '\\[a\\]\\(b\\) \\*c\\*'
    """
    return SPECIAL.sub(r"\\\1", " ".join(text.split()))


def ranking(
    league: Shrunken, lang: str = "en", names: Questionnaire | None = None, *, own: str | None = None
) -> Advice:
    """Say what is known of the order of groups: no more than the intervals of the ranks allow.

    Parameters
    ----------
    league : from `csat.shrink`, of groups that may be shown.
    lang : "en" or "zh".
    names : the questionnaire whose texts stand for the codes.
    own : group whose place is said first; None, or one that is not ranked: none.
    """
    texts = Names(lang, names)
    frame = league.tidy().sort_values("rank", kind="stable")
    (column,) = [name for name in league.estimates.keys if name not in ("kind", "depth")]
    size = len(frame)
    named = {row[column]: texts.value(column, row[column]) for row in frame.to_dict("records")}
    top, last = frame.iloc[0].to_dict(), frame.iloc[-1].to_dict()
    lines = [_place(row, named[own], size) for row in frame[frame[column] == own].to_dict("records")]
    lines.append(_first(top, named[top[column]]))
    halves = {
        "batch.upper": frame.loc[frame["rank_high"] <= size / 2, column],
        "batch.lower": frame.loc[frame["rank_low"] > (size + 1) / 2, column],
    }
    for key, groups in halves.items():
        if len(groups):
            lines.append(Word(key, {"names": texts.listed([named[group] for group in groups])}))
    if not any(len(groups) for groups in halves.values()):
        lines.append(Word("batch.no_halves"))
    blanks = {"name": named[last[column]], "estimate": float(last["direct"]), "rank": int(last["rank_low"])}
    lines.append(Word("batch.last", blanks | {"size": size}))
    spread = float(league.between) ** 0.5
    lines.append(Word("batch.spread", {"sd": spread}) if spread > 0 else Word("batch.no_spread"))
    note = Word("batch.ranks", {"level": league.estimates.level})
    shown = (Column("sentence", Word("batch.standing")),)
    rows = tuple((Cell(line),) for line in lines)
    return Advice(Table("ranking", Word("batch.standing"), shown, rows, lang, notes=(note,)))


def _place(row: Mapping[Any, Any], name: str, size: int) -> Word:
    ranks = {key: int(row[key]) for key in ("rank", "rank_low", "rank_high")}
    return Word("batch.own", {"name": name, "estimate": float(row["direct"]), "size": size, **ranks})


def _first(top: Mapping[Any, Any], name: str) -> Word:
    blanks = {"name": name, "estimate": float(top["direct"])}
    if int(top["rank_high"]) == 1:
        return Word("batch.first_sure", blanks)
    return Word("batch.first", blanks | {"rank": int(top["rank_high"])})
