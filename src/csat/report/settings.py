"""What a report is about, from the ``[report]`` table of a study: whose customers, which period, which peers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from csat.errors import QuestionnaireError
from csat.report.html import environment
from csat.report.names import Names
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.survey import Survey


@dataclass(frozen=True, slots=True, repr=False)
class Plan:
    """Domains of a report.

    everyone : respondents of the period, peers included.
    own : the operator's own customers among them.
    groupings : grouping column → the respondents it is tabulated for: everyone for the column that tells own from
        peer, own customers for the others.
    peer_column, own_label : how own customers are marked; None without peers.
    against : labels of the peers that occur in the data.
    period : of the report; None: all of the data.
    """

    everyone: Survey
    own: Survey
    groupings: dict[str, Survey]
    peer_column: str | None
    own_label: str | None
    against: tuple[str, ...]
    period: str | None

    def __repr__(self) -> str:
        return (
            f"Plan({len(self.own)} own of {len(self.everyone)} respondents; by {list(self.groupings)}; "
            f"against {list(self.against)})"
        )


def plan(survey: Survey) -> Plan:
    """Read a survey's ``[report]`` settings: own, by, against, peer_column, period_column, period.

    Raises
    ------
    QuestionnaireError
        If the survey has no questionnaire.
    """
    asked = survey.questionnaire
    if asked is None:
        raise QuestionnaireError("A report needs a study: read the data with csat.read_survey(data, questionnaire).")
    settings: dict[str, Any] = dict(asked.settings)
    period_column, period = settings.get("period_column"), settings.get("period")
    everyone = survey.where(**{period_column: period}) if period_column and period is not None else survey
    column, mine = settings.get("peer_column"), settings.get("own")
    own = everyone.where(**{column: mine}) if column and mine is not None else everyone
    groupings = {name: everyone if name == column else own for name in _listed(settings.get("by"))}
    found = everyone.categories(column) if column else ()
    against = tuple(peer for peer in _listed(settings.get("against")) if peer in found and peer != mine)
    return Plan(everyone, own, groupings, column, mine, against, period)


def _listed(setting: Any) -> list[str]:
    return [] if setting is None else [setting] if isinstance(setting, str) else list(setting)


@dataclass(frozen=True, slots=True, repr=False)
class Masthead:
    """Title line of a report: study, period, whose customers, how many."""

    lang: str
    title: str
    facts: tuple[str, ...]

    def __repr__(self) -> str:
        return " · ".join((self.title, *self.facts))

    def _repr_html_(self) -> str:
        template = environment().get_template("masthead.html.j2")
        return template.render(lang=self.lang, title=self.title, facts=self.facts)


def masthead(about: Plan, lang: str = "en") -> Masthead:
    """Say which study, period and customers a report is about."""
    asked = about.own.questionnaire
    names, catalogue = Names(lang, asked), words(lang)
    settings = {} if asked is None else asked.settings
    facts = []
    if about.period is not None:
        facts.append(names.value(str(settings["period_column"]), about.period))
    if about.peer_column is not None and about.own_label is not None:
        facts.append(names.value(about.peer_column, about.own_label))
    facts.append(catalogue.say(Word("headline.count", {"n": len(about.own)})))
    return Masthead(lang, study_title(about.own, lang), tuple(facts))


def study_title(survey: Survey, lang: str) -> str:
    """Title of the study in a language."""
    from csat.questionnaire.scales import text_of

    asked = survey.questionnaire
    return "" if asked is None else text_of(asked.texts, lang, asked.name)
