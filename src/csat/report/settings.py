"""What a report is about, from the ``[report]`` table of a study: whose customers, which period, which peers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from csat.errors import OptionError, QuestionnaireError
from csat.report.document import LINES_MIME
from csat.report.html import lines_of
from csat.report.names import Names
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.survey import Survey

#: Column → value or values: a part of the respondents.
Where = Mapping[str, Any]

#: Groups from which on their order is a matter of interest.
RANKED = 3


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """Domains of a report.

    everyone : respondents of the period, peers included.
    own : the operator's own customers among them.
    history : own customers of all periods up to the report's.
    groupings : grouping column → the respondents it is tabulated for: everyone for the column that tells own from
        peer, own customers for the others.
    peer_column, own_label : how own customers are marked; None without peers.
    against : labels of the peers that occur in the data.
    period : of the report; None: all of the data.
    period_column : None where the data hold fewer than two periods up to the report's.
    where : what the respondents were filtered by before.
    """

    everyone: Survey
    own: Survey
    history: Survey
    groupings: dict[str, Survey]
    peer_column: str | None
    own_label: str | None
    against: tuple[str, ...]
    period: str | None
    period_column: str | None
    where: Where = field(default_factory=dict)

    def __repr__(self) -> str:
        return (
            f"Plan({len(self.own)} own of {len(self.everyone)} respondents; by {list(self.groupings)}; "
            f"against {list(self.against)})"
        )

    @property
    def ranked(self) -> bool:
        """Whether there are enough groups of the peer column to rank them."""
        return self.peer_column is not None and len(self.everyone.categories(self.peer_column)) >= RANKED

    def ranks(self, column: str) -> bool:
        """Whether a column's groups are those that are ranked."""
        return self.ranked and column == self.peer_column

    @property
    def mix(self) -> tuple[str, ...]:
        """Columns whose composition may have changed since the last period: those of own customers' groups."""
        return tuple(column for column, part in self.groupings.items() if part is not self.everyone)

    @property
    def last_two(self) -> tuple[str, ...]:
        """The report's period and the one before it; empty if the data hold fewer than two."""
        return () if self.period_column is None else periods_until(self.history, self.period_column, self.period)[-2:]

    def whole(self) -> Plan:
        """The same report on everyone: no group is the own one."""
        return replace(self, own=self.everyone, own_label=None, against=())

    def base(self, part: str = "own", lang: str = "en") -> Word:
        """Say whom figures are about: "own" customers, "everyone" of the period, or the "history" of own customers."""
        survey: Survey = {"own": self.own, "everyone": self.everyone, "history": self.history}[part]
        asked = self.own.questionnaire
        settings = {} if asked is None else asked.settings
        where: dict[str, Any] = dict(self.where)
        if part != "history" and self.period is not None:
            where[str(settings["period_column"])] = self.period
        if part != "everyone" and self.peer_column is not None and self.own_label is not None:
            where[self.peer_column] = self.own_label
        return base_of(survey, where, lang)

    def compared(self, lang: str = "en") -> dict[str, Word]:
        """Say for each peer whom the gaps from it are about: the own group and this peer, each with its respondents."""
        names, column = Names(lang, self.own.questionnaire), str(self.peer_column)
        where = {name: value for name, value in self.where.items() if name != column}
        if self.period is not None and self.own.questionnaire is not None:
            where[str(self.own.questionnaire.settings["period_column"])] = self.period
        bases = {}
        for peer in self.against:
            sides = {"own": names.value(column, str(self.own_label)), "peer": names.value(column, peer)}
            sizes = {"n": len(self.own), "n_peer": len(self.everyone.where(**{column: peer}))}
            what: dict[str, Any] = {"what": said_of(where, names)} if where else {}
            bases[peer] = Word("compared.base_part" if where else "compared.base", {**sides, **sizes, **what})
        return bases

    def grouped_base(self, column: str, lang: str = "en") -> Word:
        """Say whom the figures by a grouping column are about."""
        return self.base("everyone" if self.groupings[column] is self.everyone else "own", lang)


def base_of(survey: Survey, where: Where, lang: str) -> Word:
    """Say which respondents a survey holds, and how many.

    Parameters
    ----------
    survey : with the respondents.
    where : what they were filtered by; empty: everyone who was read.
    """
    if not where:
        return Word("base.everyone", {"n": len(survey)})
    return Word("base.part", {"what": said_of(where, Names(lang, survey.questionnaire)), "n": len(survey)})


def said_of(where: Where, names: Names) -> str:
    """A filter in words: the texts of the values."""
    values = [names.listed(names.values(column, _listed(value))) for column, value in where.items()]
    return ("，" if names.lang == "zh" else "; ").join(values)


def plan(survey: Survey, where: Where | None = None, *, own: str | None = None) -> Plan:
    """Read a survey's ``[report]`` settings: own, by, against, peer_column, period_column, period.

    Parameters
    ----------
    survey : with a questionnaire.
    where : what the survey was filtered by, to say so. A filter that leaves only one group of the peer column, and
        not the study's own, makes that group the own one; of several, all are.
    own : group of the peer column that the report is about instead of the study's own, which then is a peer. Where
        the groups are ranked, the report is not tabulated by them as well.

    Raises
    ------
    QuestionnaireError
        If the survey has no questionnaire.
    OptionError
        If `where` is no filter, or `own` is given and the study has no peer_column, or the column no such group.
    """
    asked = survey.questionnaire
    if asked is None:
        raise QuestionnaireError("A report needs a study: read the data with csat.read_survey(data, questionnaire).")
    where = checked_where(where)
    if own is not None and not isinstance(own, str | int | float):
        raise OptionError(f"own={own!r} is no group; name one such as own='gansu'.")
    settings: dict[str, Any] = dict(asked.settings)
    period_column, period = settings.get("period_column"), settings.get("period")
    everyone = survey.where(**{period_column: period}) if period_column and period is not None else survey
    column = settings.get("peer_column")
    mine = _own_group(survey, column, settings.get("own"), where, own)
    ours = everyone.where(**{column: mine}) if column and mine is not None else everyone
    past = periods_until(survey, period_column, period)
    history = survey.where(**{period_column: list(past)}) if period_column and past else survey
    if column and mine is not None:
        history = history.where(**{column: mine})
    chosen = bool(where) or own is not None
    domains = {name: everyone if name == column else ours for name in _listed(settings.get("by"))}
    groupings = {name: part for name, part in domains.items() if not chosen or len(part.categories(name)) > 1}
    found = everyone.categories(column) if column else ()
    if own is not None and column in groupings and len(found) >= RANKED:
        del groupings[column]
    peers = dict.fromkeys((*_listed(settings.get("own")), *_listed(settings.get("against"))))
    against = tuple(peer for peer in peers if peer in found and peer != mine and mine is not None)
    several = period_column if len(past) > 1 else None
    return Plan(everyone, ours, history, groupings, column, mine, against, period, several, dict(where or {}))


def _own_group(survey: Survey, column: str | None, usual: str | None, where: Where | None, own: str | None) -> Any:
    """Group of the peer column that is the own one: as asked for, of the study, or the only one that a filter left."""
    if own is not None:
        if column is None:
            raise OptionError(f"own={own!r} needs a column of groups: set peer_column in the study's [report] table.")
        if own not in survey.categories(column):
            raise OptionError.choose("own", own, survey.categories(column))
        return own
    if column is None or usual is None or not where:
        return usual
    left = survey.categories(column)
    return usual if usual in left else left[0] if len(left) == 1 else None


def periods_until(survey: Survey, column: str | None, period: str | None) -> tuple[str, ...]:
    """Periods in the data, in the order of time, up to the report's."""
    from csat.trends.periods import in_order

    if column is None or column not in survey.columns:
        return ()
    ordered = in_order(survey.categories(column))
    return tuple(ordered[: ordered.index(period) + 1] if period in ordered else ordered)


def _listed(setting: Any) -> list[Any]:
    if setting is None:
        return []
    return list(setting) if isinstance(setting, list | tuple | set | frozenset) else [setting]


def alike(asked: Questionnaire) -> list[list[str]]:
    """Items of the index in sets with the same answers, which one chart of answers can hold."""
    sets: dict[tuple[float, ...], list[str]] = {}
    for leaf in asked.leaves:
        levels = asked.scale_of(leaf).levels
        if levels:
            sets.setdefault(tuple(levels), []).append(leaf)
    return list(sets.values())


def checked_where(where: Any) -> dict[str, Any]:
    """Check a filter: column names to a text, a number, or a list of these.

    Raises
    ------
    OptionError
        For anything else.
    """
    if where is None:
        return {}
    if not isinstance(where, Mapping):
        raise OptionError(f'where={where!r} must be a table of column and value, such as {{"city": "lanzhou"}}.')
    checked: dict[str, Any] = {}
    for column, value in where.items():
        values = [_plain(one) for one in _listed(value)]
        simple = isinstance(column, str) and values and all(isinstance(one, str | int | float) for one in values)
        if not simple:
            raise OptionError(f"where: {column!r} = {value!r} is no column with a text, a number or a list of these.")
        checked[column] = values if len(values) > 1 else values[0]
    return checked


def _plain(value: Any) -> Any:
    """A number of numpy as Python's own, which can be written into a notebook."""
    return value.item() if hasattr(value, "item") and getattr(value, "ndim", 1) == 0 else value


@dataclass(frozen=True, slots=True, repr=False)
class Masthead:
    """Title line of a report: study, period, whose customers, how many, from which data."""

    lang: str
    title: str
    facts: tuple[str, ...]

    def __repr__(self) -> str:
        return " · ".join((self.title, *self.facts))

    def _repr_html_(self) -> str:
        return lines_of("masthead", self.facts, self.title, self.lang)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG002
        said = {"form": "masthead", "title": self.title, "lines": list(self.facts)}
        return {"text/html": self._repr_html_(), "text/plain": repr(self), LINES_MIME: said}


def masthead(about: Plan, lang: str = "en") -> Masthead:
    """Say which study, period, customers, filter, data and weights a report is about."""
    asked = about.own.questionnaire
    names, say = Names(lang, asked), words(lang).say
    settings = {} if asked is None else asked.settings
    facts: list[Word] = []
    if about.period is not None:
        period = names.value(str(settings["period_column"]), about.period)
        facts.append(Word("headline.period", {"period": period}))
    if about.peer_column is not None and about.own_label is not None:
        facts.append(Word("headline.own", {"own": names.value(about.peer_column, about.own_label)}))
    if about.where:
        facts.append(Word("headline.where", {"what": said_of(about.where, names)}))
    facts.append(Word("headline.count", {"n": len(about.own)}))
    facts += _data_facts(about, names)
    return Masthead(lang, study_title(about.own, lang), tuple(map(say, facts)))


def _data_facts(about: Plan, names: Names) -> list[Word]:
    survey = about.own
    used = {"used": len(about.everyone), "read": survey.ledger.rows_read}
    facts = [Word("headline.file", {"file": PurePath(survey.ledger.source).name}), Word("headline.used", used)]
    weight, column = survey.weight, survey.design.weight
    if column is None or not len(weight):
        return [*facts, Word("headline.unweighted")]
    blanks = {"low": float(weight.min()), "high": float(weight.max()), "n_eff": survey.n_eff}
    return [*facts, Word("headline.weights", {"column": names.code(column), **blanks})]


def study_title(survey: Survey, lang: str) -> str:
    """Title of the study in a language."""
    from csat.questionnaire.scales import text_of

    asked = survey.questionnaire
    return "" if asked is None else text_of(asked.texts, lang, asked.name)
