"""`Summary`: what a survey's analyses need, in one file and without respondents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa

from csat.bases import USUAL, Bases
from csat.design import Design, Replication
from csat.errors import OptionError, SampleError, UnknownColumnError, check_choice
from csat.moments.answers import AnswerSums
from csat.moments.arrow import StoredError, cells_of, cells_table, head_row
from csat.moments.cells import ResidualSums
from csat.moments.groups import Groups
from csat.moments.guards import as_names, as_variables
from csat.moments.order import levels_together, ordered
from csat.moments.rollup import rolled
from csat.moments.stored import check_bases, read_table, write_table
from csat.moments.summaries import Levels
from csat.moments.variables import RULES, Variable, columns_of, term_of
from csat.questionnaire import Questionnaire
from csat.questionnaire.settings import design_from, design_table
from csat.questionnaire.tables import questionnaire_from, tables_of

#: Parts of a file: the head, the sums under "available", the totals of answers, and complete answers of a set.
_HEAD, _EVERYONE, _ANSWERS, _SET = "summary", "everyone", "answers", "set "


@dataclass(frozen=True, eq=False, repr=False)
class Summary:
    """Sums of a survey that take its place: a source for every method that needs no single rows.

    Make it with `csat.summarise`, read it with `csat.load_summary`.

    Parameters
    ----------
    everyone : moments of all items under "available".
    sets : name → moments of those who answered all variables of a set ("listwise").
    answers : how often each answer was given; None if that was not asked for.
    questionnaire : what was asked, if known.
    design : names of the columns that the sample was drawn by.
    """

    everyone: Groups
    sets: Mapping[str, Groups]
    answers: AnswerSums | None
    questionnaire: Questionnaire | None
    design: Design

    @property
    def by(self) -> tuple[str, ...]:
        """Grouping columns; each method may use all of them or some."""
        return self.everyone.by

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns that can be a variable."""
        return tuple(name for name in self.everyone.variables if isinstance(name, str))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of everything that can be asked for: items, counted categories, grouping columns."""
        counted = () if self.answers is None else self.answers.names
        return tuple(dict.fromkeys((*self.numbers, *counted, *self.by)))

    def __len__(self) -> int:
        return int(self.everyone.n.sum())

    def categories(self, column: str) -> tuple[str, ...]:
        """Groups of a grouping column, or answers to an item, in the order of the questionnaire."""
        if column in self.by:
            at = self.by.index(column)
            return ordered(self.questionnaire, column, {domain[at] for domain in self.everyone.domains})
        if self.answers is not None and column in self.answers.names:
            levels = pa.array(self.answers.levels[self.answers.names.index(column)])
            return tuple(levels.cast(pa.string()).to_pylist())
        raise UnknownColumnError.among(column, self.columns, "this summary")

    def groups(self, names: Sequence[Variable], by: Sequence[str] = (), rule: str = "available") -> Groups:
        """Moments per (domain, stratum, unit), as the survey would give them; see `csat.moments.Groups`.

        Raises
        ------
        UnknownColumnError
            For a column that is not in the summary.
        SampleError
            For what cannot be told without the rows; the message says what the summary would have to hold.
        """
        check_choice("rule", rule, RULES)
        variables, groupers = as_variables(names), self._groupers(as_names(by))
        if not variables:
            raise OptionError("No variable is named; name at least one.")
        found = self._moments(variables, groupers, rule)
        order = [self.categories(name) for name in groupers]
        return replace(found.arranged(order), questionnaire=self.questionnaire, lone_psu=self.design.lone_psu)

    def levels(self, names: Sequence[str], by: Sequence[str] = ()) -> Levels:
        """Counts of answers per domain and level; see `csat.moments.Levels`."""
        wanted, groupers = as_names(names, "names"), self._groupers(as_names(by))
        for name in wanted:
            if self.answers is None or name not in self.answers.names:
                raise self._not_counted(name)
        if self.answers is None:
            raise OptionError("No item is named; name at least one.")
        counted = self.answers.counted(wanted, groupers)
        return counted.arranged([self.categories(name) for name in groupers])

    def replicated(self, replication: Replication) -> Summary:
        """The same sums under replicate weights that are made for the declared units.

        Raises
        ------
        SampleError
            Without declared units: single rows are not remembered.
        """
        plain = replace(self.design, replicates=(), replication=replication, calibration=None, ssu=None, fpc2=None)
        answers = self.answers
        return replace(
            self,
            everyone=self.everyone.replicated(replication),
            sets={name: part.replicated(replication) for name, part in self.sets.items()},
            answers=None if answers is None else replace(answers, sums=answers.sums.replicated(replication)),
            design=plain,
        )

    def where(self, /, **equal: Any) -> NoReturn:
        """Refuse: sums do not know which respondents were meant, and a domain keeps the units of the others."""
        raise SampleError.needs_rows(
            f"Choosing respondents by {', '.join(map(repr, equal)) or 'nothing'}, instead of groups by=…,"
        )

    def rolled(self, column: str, parents: Any, into: str | None = None) -> Summary:
        """Join the groups of a column to those above them: halls to cities, cities to provinces.

        Parameters
        ----------
        column : a grouping column.
        parents : label → label of the group above; or a table with a column of each name, `column` and `into`.
        into : name of the new grouping column; None: it keeps the old name.

        Raises
        ------
        OptionError, SampleError
            For an unknown column, parents that are no map, and groups without a parent.
        """
        return replace(
            self,
            everyone=rolled(self.everyone, column, parents, into),
            sets={name: rolled(part, column, parents, into) for name, part in self.sets.items()},
            answers=None if self.answers is None else self.answers.rolled(column, parents, into),
        )

    def save(self, path: str | Path, *, bases: Bases | None = None, allow_small: bool = False) -> None:
        """Write the summary as one Parquet file that `csat.load_summary` reads back.

        Parameters
        ----------
        path : of the file; a file of that name is replaced, in one step.
        bases : limits for small bases; None: those of the questionnaire, else the usual ones.
        allow_small : True writes cells that rest on few respondents all the same: guard such a file like the answers.

        Raises
        ------
        OptionError
            If the path is none, or nothing can be written there.
        SampleError
            If a group, or a cell of group, stratum and unit, rests on fewer respondents than `bases` allow.
        """
        own = USUAL if self.questionnaire is None else self.questionnaire.bases
        parts = [*self._parts().values()]
        check_bases(parts, own if bases is None else bases, allow_small)
        tables = [cells_table(replace(part, questionnaire=None), name) for name, part in self._parts().items()]
        write_table(pa.concat_tables([head_row(_HEAD, self._head()), *tables]), path)

    def __add__(self, other: Summary) -> Summary:
        """Add the summary of other respondents: another day, another province.

        Raises
        ------
        SampleError
            If the two do not sum up the same things.
        """
        if not isinstance(other, Summary):
            return NotImplemented
        self._check_alike(other)
        answers = self.answers
        if answers is not None and other.answers is not None:
            levels = [
                levels_together(self.questionnaire, name, own, added)
                for name, own, added in zip(answers.names, answers.levels, other.answers.levels, strict=True)
            ]
            answers = answers.aligned(levels) + other.answers.aligned(levels)
        return replace(
            self,
            everyone=self.everyone + other.everyone,
            sets={name: part + _around(other.sets[name], part) for name, part in self.sets.items()},
            answers=answers,
        )

    def __repr__(self) -> str:
        return "\n".join(["Summary", *(f"  {name}: {fact}" for name, fact in self._facts().items())])

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(n)}</th><td>{escape(fact)}</td></tr>" for n, fact in self._facts().items())
        return f"<table><caption>Summary</caption><tbody>{rows}</tbody></table>"

    def _facts(self) -> dict[str, str]:
        groups = " × ".join(self.by) or "none"
        counted = () if self.answers is None else self.answers.names
        facts = {
            "respondents": f"{len(self)} in {len(self.everyone.n)} cells",
            "grouped by": f"{groups} ({len(self.everyone.domains)} groups)",
            "items": _few([term_of(name) for name in self.everyone.variables]),
            "answers counted": _few(counted),
        }
        listed = [f"{name} ({len(part.names)} variables, n = {int(part.n.sum())})" for name, part in self.sets.items()]
        return facts | {"complete answers": _few(listed)}

    def _parts(self) -> dict[str, Groups]:
        answers = {} if self.answers is None else {_ANSWERS: self.answers.sums}
        return {_EVERYONE: self.everyone} | answers | {f"{_SET}{name}": part for name, part in self.sets.items()}

    def _head(self) -> str:
        answers = self.answers
        facts = {
            "sets": list(self.sets),
            "answers": None if answers is None else [answers.names, [_plain(levels) for levels in answers.levels]],
            "questionnaire": None if self.questionnaire is None else tables_of(self.questionnaire),
            "design": design_table(self.design),
        }
        return json.dumps(facts, ensure_ascii=False)

    def _groupers(self, by: Sequence[str]) -> tuple[str, ...]:
        for name in by:
            if name not in self.by:
                raise UnknownColumnError(
                    f"The summary is grouped by {', '.join(map(repr, self.by)) or 'nothing'}, not by {name!r}: "
                    f"that needs the rows. Make it again with by={[*self.by, name]}."
                )
        return tuple(by)

    def _moments(self, variables: list[Variable], by: tuple[str, ...], rule: str) -> Groups:
        self._check_known(variables)
        at = _positions(self.everyone, variables)
        if rule == "available":
            if at is not None:
                return self._of_everyone(variables, by)
            return self._from_answers(variables, by, rule)
        for part in self.sets.values():
            own = _positions(part, variables)
            if own is not None and len(own) == len(part.names):
                return _few_of(part, variables, by)
        if at is not None:
            every = _few_of(self.everyone, variables, by)
            if (every.counts == every.n[:, None]).all():
                return every._under("listwise")
            for part in self.sets.values():
                if _positions(part, variables) is not None:
                    found = _few_of(part, variables, by)
                    if _as_complete(found, every):
                        return found
        return self._from_answers(variables, by, rule)

    def _of_everyone(self, variables: list[Variable], by: tuple[str, ...]) -> Groups:
        """Sums under "available", with those for residuals where the groups are the same."""
        found = _few_of(self.everyone, variables, by)
        kept = self.everyone.residuals
        if kept is None or by != self.by:
            return found
        auxiliaries = kept.weighted.names[len(kept.weighted.names) - kept.auxiliaries :]
        terms = [*(term_of(variable) for variable in variables), *auxiliaries]
        weighted, base = kept.weighted._select(terms), kept.base._select(terms)
        return replace(found, residuals=ResidualSums(weighted, base, kept.auxiliaries))

    def _from_answers(self, variables: list[Variable], by: tuple[str, ...], rule: str) -> Groups:
        columns = list(dict.fromkeys(column for variable in variables for column in columns_of(variable)))
        recodable = self.answers is not None and all(column in self.answers.names for column in columns)
        if self.answers is not None and recodable and (rule == "available" or len(columns) == 1):
            return self.answers.groups(variables, by, rule)
        if rule == "listwise":
            raise SampleError(
                f"Complete answers to {_few([repr(term_of(variable)) for variable in variables])} together need the "
                f"rows. The summary has complete answers of the sets {_few([*map(repr, self.sets)])}, each as a whole. "
                f"Make it again with sets={{'mine': [{_asked_as(variables)}]}}."
            )
        raise self._not_counted(next(c for c in columns if self.answers is None or c not in self.answers.names))

    def _check_known(self, variables: Iterable[Variable]) -> None:
        known = {
            *self.columns,
            *(column for part in self.sets.values() for v in part.variables for column in columns_of(v)),
        }
        for variable in variables:
            for column in columns_of(variable):
                if column not in known:
                    raise UnknownColumnError.among(column, sorted(known), "this summary")

    def _not_counted(self, name: str) -> SampleError | UnknownColumnError:
        if name not in self.columns:
            return UnknownColumnError.among(name, self.columns, "this summary")
        counted = () if self.answers is None else self.answers.names
        return SampleError(
            f"Single answers to {name!r} need the rows; the summary counts those to {_few([*map(repr, counted)])}. "
            f"Make it again with levels=[…, {name!r}]."
        )

    def _check_alike(self, other: Summary) -> None:
        own = {"by": self.by, "items": self.everyone.variables, "sets": _contents(self.sets), "design": self.design}
        others = {
            "by": other.by,
            "items": other.everyone.variables,
            "sets": _contents(other.sets),
            "design": other.design,
        }
        own |= {"levels": None if self.answers is None else self.answers.names, "questionnaire": self.questionnaire}
        others |= {
            "levels": None if other.answers is None else other.answers.names,
            "questionnaire": other.questionnaire,
        }
        differ = [what for what, value in own.items() if value != others[what]]
        if differ:
            raise SampleError(
                f"Two summaries add up if they sum up the same things; these differ in {', '.join(differ)}. Make both "
                "by the same csat.summarise(…) with the same questionnaire and design."
            )


def load_summary(path: str | Path) -> Summary:
    """Read a summary that `Summary.save` wrote.

    Parameters
    ----------
    path : of the file.

    Returns
    -------
    Summary

    Raises
    ------
    MissingFileError, OptionError
        If there is no such file.
    StoredError
        If the file is cut off, changed, of a newer csat or of other software.
    """
    table = read_table(path)
    parts = set(table.column("part").unique().to_pylist())
    if _HEAD not in parts:
        raise StoredError(f"{str(path)!r} holds the moments of one set only: read it with csat.Groups.load(path).")
    text = table.filter(pa.compute.equal(table.column("part"), _HEAD)).column("text")[0].as_py()
    head = json.loads(text)
    answers = None
    if head["answers"] is not None:
        names, levels = head["answers"]
        answers = AnswerSums(tuple(names), tuple(map(tuple, levels)), cells_of(table, Groups, _ANSWERS))
    asked = head["questionnaire"]
    return Summary(
        cells_of(table, Groups, _EVERYONE),
        {name: cells_of(table, Groups, f"{_SET}{name}") for name in head["sets"]},
        answers,
        None if asked is None else questionnaire_from(asked),
        design_from(head["design"]),
    )


def _positions(part: Groups, variables: Sequence[Variable]) -> list[int] | None:
    """Where the variables stand among those of a part; None if it lacks one."""
    known = part.variables
    return [known.index(variable) for variable in variables] if all(v in known for v in variables) else None


def _few_of(part: Groups, variables: Sequence[Variable], by: tuple[str, ...]) -> Groups:
    return part._over(by)._select([term_of(variable) for variable in variables])


def _as_complete(complete: Groups, every: Groups) -> bool:
    """Whether those who answered a whole set are all who answered these variables: no group has more of them."""
    answered = every.over_domains(every.counts).min(axis=1)
    n = dict(zip(complete.domains, complete.over_domains(complete.n).tolist(), strict=True))
    return [n.get(domain, 0) for domain in every.domains] == answered.tolist()


def _asked_as(variables: Sequence[Variable]) -> str:
    """What to write into a set to get these variables."""
    if all(isinstance(variable, str) for variable in variables):
        return ", ".join(map(repr, variables))
    return "the same Recode and Product variables; for factors and interactions {'outcome': …, 'drivers': […]}"


def _around(part: Groups, other: Groups) -> Groups:
    """The part around the midpoints of another; sums of weights, unlike scores in general, do not depend on them."""
    if np.array_equal(part.midpoint, other.midpoint):
        return part
    return replace(replace(part, score_sums=None).recentre(other.midpoint), score_sums=part.score_sums)


def _contents(sets: Mapping[str, Groups]) -> dict[str, tuple[Variable, ...]]:
    return {name: part.variables for name, part in sets.items()}


def _plain(levels: Iterable[Any]) -> list[Any]:
    return [level.item() if isinstance(level, np.generic) else level for level in levels]


def _few(words: Sequence[str]) -> str:
    more = f" … {len(words)} in all" if len(words) > 8 else ""
    return (", ".join(words[:8]) + more) or "none"
