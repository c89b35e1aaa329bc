"""The section on complaints, audits and time limits: the tables that a study names, for the part a report is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from csat.errors import QuestionnaireError, UnknownItemError, closest
from csat.questionnaire.scales import folded
from csat.report.settings import Plan, said_of
from csat.report.words import Word

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.service.log import Log

#: Class of a result → kind of table that it was made of.
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("Complaints", "ComplaintChanges", "BeforeAfter"), "complaints"), "Audits": "audits", "Sla": "sla"
}  # fmt: skip

#: Roles whose labels have texts in [service.texts].
LABELS = ("cause", "criterion", "step")


@dataclass(frozen=True, slots=True, repr=False)
class Service:
    """What the service recorded, for the part of the customers that a report is about.

    results : `Complaints`, `ComplaintChanges`, `BeforeAfter`, `Audits`, `Sla`: those that there are.
    where : column → value of the part; empty: everything recorded.
    unsplit : kind of table → columns of `where` that it lacks: its figures are not of the part alone.
    undated : kinds of tables that do not hold the report's `period`. nothing : kinds without a row for this part.
    """

    results: tuple[Any, ...]
    where: Mapping[str, Any] = field(default_factory=dict)
    unsplit: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    undated: tuple[str, ...] = ()
    nothing: tuple[str, ...] = ()
    period: str | None = None
    asked: Questionnaire | None = None

    def __repr__(self) -> str:
        return f"Service({', '.join(type(result).__name__ for result in self.results) or 'nothing recorded'})"

    def base(self, lang: str = "en", result: Any = None) -> Word:
        """Say what the figures are about: those of one result, whose table may lack columns, or of the section."""
        from csat.report.names import Names

        kind = KINDS.get(type(result).__name__, "")
        known = {column: value for column, value in self.where.items() if column not in self.unsplit.get(kind, ())}
        if not known:
            return Word("service.everyone")
        return Word("service.part", {"what": said_of(known, Names(lang, self.asked))})


def check_service(asked: Questionnaire, study: str | Path) -> None:
    """Read every table of [service] and compute its figures once, so that a mistake stops a report at its beginning.

    Raises
    ------
    CsatError
        Naming file, row and column of what is wrong.
    """
    for node in asked.service.get("about", {}).values():
        if node not in asked.nodes:
            raise UnknownItemError.among(node, asked.nodes, "node of [service.about]")
    for kind, log in _logs(asked, study).items():
        _computed(kind, log, asked.service)


def service_of(study: str | Path, about: Plan) -> Service:
    """Compute the section for the part of the customers and the period that a report is about.

    Parameters
    ----------
    study : path of the study file, beside which the tables lie.
    about : plan of the report. Where a table has the columns of its part (own group, filter), the rows of that part
        are taken; of a column that it lacks the section says so. Of several periods that of the report is taken;
        complaints are compared with the period before it.

    Raises
    ------
    QuestionnaireError
        If the study names no table.
    """
    asked = about.own.questionnaire
    if asked is None or not asked.service:
        raise QuestionnaireError("This section needs tables: name complaints, audits or sla under [service].")
    where = dict(about.where)
    if about.peer_column is not None and about.own_label is not None:
        where[about.peer_column] = about.own_label
    results: list[Any] = []
    unsplit, undated, nothing = {}, [], []
    for kind, whole in _logs(asked, study).items():
        part, lacking = _part(whole, asked, where)
        if lacking:
            unsplit[kind] = lacking
        dated, before = _dated(part, about)
        if dated is None and about.period is not None and len(part):
            undated.append(kind)
        log = part if dated is None else dated
        if not len(log):
            nothing.append(kind)
            continue
        settings = asked.service if kind != "sla" else {**asked.service, "as_of": _seen(whole, asked.service)}
        results.append(_computed(kind, log, settings))
        if kind == "complaints" and before is not None and about.period is not None:
            results += _changes(part, before, about, asked)
    return Service(tuple(results), where, unsplit, tuple(undated), tuple(nothing), about.period, asked)


def _logs(asked: Questionnaire, study: str | Path) -> dict[str, Log]:
    """The tables of a study, read and with their columns found."""
    from csat.service.log import read_log
    from csat.service.roles import NEEDED, ROLES

    files = {kind: Path(study).parent / asked.service[kind] for kind in ROLES if kind in asked.service}
    for kind, path in files.items():
        if not path.is_file():
            known = closest(path.name, sorted(found.name for found in path.parent.glob("*.*")))
            problem = f"there is no file {asked.service[kind]!r} beside the study. Did you mean {known}?"
            raise QuestionnaireError.at("service", kind, problem, Path(study).name)
    return {kind: _known(read_log(path, ROLES[kind], NEEDED[kind]), asked) for kind, path in files.items()}


def _known(log: Log, asked: Questionnaire) -> Log:
    """The table with the study's columns under their codes too, where it heads them by their text, as answers may."""
    headed = {folded(name): name for name in log.cells}
    spoken = {
        column.code: headed[word]
        for column in asked.columns
        for word in map(folded, (*column.texts.values(), column.code))
        if word in headed and column.code not in log.cells
    }
    codes = {name: code for code, name in spoken.items()}
    names = {role: codes.get(name, name) for role, name in log.names.items()}
    cells = {**log.cells, **{code: log.cells[name] for code, name in spoken.items()}}
    return _coded(replace(log, cells=cells, names=names), asked)


def _coded(log: Log, asked: Questionnaire) -> Log:
    """The table with periods, branches and labels as the study codes them: one thing under one name.

    The periods are those of the column with this role, or of the one that the study names.
    """
    period = log.names.get("period") or asked.settings.get("period_column")
    names = {**log.names, **({"period": str(period)} if period in log.cells else {})}
    coded = {names[role]: _codes(log, asked, names[role]) for role in ("period", "branch") if role in names}
    spoken = [(folded(text), code) for code, said in asked.service.get("texts", {}).items() for text in said.values()]
    meant = {word: code for word, code in spoken if len({c for w, c in spoken if w == word}) == 1}
    for name in [names[role] for role in LABELS if role in names]:
        coded[name] = [meant.get(folded(text), text) for text in log.texts(name)]
    return replace(log, cells={**log.cells, **{name: pa.array(found) for name, found in coded.items()}}, names=names)


def _seen(log: Log, settings: Mapping[str, Any]) -> str | None:
    """When open cases were looked at: for a part of a table too that is the latest moment in all of it."""
    if "as_of" in settings or log.has("hours") or not (log.has("start") and log.has("end")):
        return settings.get("as_of")
    latest = np.nanmax([log.moments("start"), log.moments("end")])
    return str(datetime(1970, 1, 1) + timedelta(seconds=round(3600 * latest)))


def _computed(kind: str, log: Log, settings: Mapping[str, Any]) -> Any:
    from csat.service import audits, complaints, sla

    of: Mapping[str, Callable[[], Any]] = {
        "complaints": lambda: complaints(log, per=settings.get("per", 1000), silent=settings.get("silent")),
        "audits": lambda: audits(log),
        "sla": lambda: sla(log, as_of=settings.get("as_of")),
    }
    return of[kind]()


def _part(log: Log, asked: Questionnaire, where: Mapping[str, Any]) -> tuple[Log, tuple[str, ...]]:
    """Rows of a part of the customers, as far as the table has its columns, and the columns that it lacks."""
    keep = np.full(len(log), True)
    for column in [name for name in where if name in log.cells]:
        value = where[column]
        wanted = {str(one) for one in (value if isinstance(value, list | tuple) else [value])}
        keep &= np.array([code in wanted for code in _codes(log, asked, column)], bool)
    return log.only(keep), tuple(column for column in where if column not in log.cells)


def _codes(log: Log, asked: Questionnaire, column: str) -> list[str]:
    """(n,) categories of a column as the study codes them; a table may write their texts."""
    described = asked.column(column)
    meaning = {} if described is None or not described.labels else described.vocabulary()
    return [meaning.get(folded(text), text) for text in log.texts(column)]


def _dated(log: Log, about: Plan) -> tuple[Log | None, str | None]:
    """Rows of the report's period, and the period before it in the table; None if the table does not hold it."""
    from csat.trends.periods import in_order

    if about.period is None or not log.has("period") or not len(log):
        return None, None
    labels = log.texts("period").tolist()
    ordered = in_order(list(dict.fromkeys(labels)))
    if about.period not in ordered:
        return None, None
    at = ordered.index(about.period)
    rows = log.only(np.array([label == about.period for label in labels], bool))
    return rows, ordered[at - 1] if at else None


def _changes(log: Log, before: str, about: Plan, asked: Questionnaire) -> list[Any]:
    """Complaints against the period before; beside them the change of the scores they are about."""
    from csat.comparisons import gaps
    from csat.service import before_after, complaint_changes

    if not log.has("customers"):
        return []
    after = str(about.period)
    changes = complaint_changes(log, before, after, per=asked.service.get("per", 1000))
    pairs = {cause: node for cause, node in asked.service.get("about", {}).items() if cause in changes.estimates.term}
    column = about.period_column
    if not pairs or column is None or not {before, after} <= set(about.history.categories(column)):
        return [changes]
    scores = gaps(about.history, by=column, own=after, against=before, nodes=list(dict.fromkeys(pairs.values())))
    return [changes, before_after(scores, changes, pairs)]
