"""Estimates per period with intervals, and changes that are told from noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.distributions import t_quantile
from csat.errors import OptionError, UnknownColumnError, check_choice
from csat.moments import Groups, Source, group_names, shown
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Shown, insert_before
from csat.scoring import node_keys, nodes_of, score_items, tree_of
from csat.totals import union_means
from csat.trends.periods import EVERY, in_order, within, year_before
from csat.variance import by_domain, combine

UP, DOWN, NOISE = "up", "down", "within noise"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Trend(Shown):
    """Levels and changes of the nodes of the index tree.

    levels : a row per group, period and node; key columns: the groups, ``period``, kind, depth.
    changes : a row per level that has one before it; further key column ``since``; null 0.
    at : (changes,) position of each change's level.
    """

    levels: Estimates
    changes: Estimates
    at: np.ndarray

    @property
    def noise(self) -> np.ndarray:
        """(changes,) half-width of the noise band: a smaller change is not called a move."""
        return t_quantile((1 + self.changes.level) / 2, self.changes.df) * self.changes.se

    @property
    def verdict(self) -> tuple[str, ...]:
        """(changes,) "up", "down" or "within noise"; empty where the change has no standard error, or one of 0."""
        change = self.changes.estimate
        untested = ~(self.changes.se > 0)
        with np.errstate(invalid="ignore"):
            words = np.select([untested, change > self.noise, change < -self.noise], ["", UP, DOWN], NOISE)
        return tuple(words.tolist())

    def tidy(self) -> pd.DataFrame:
        """A row per level, with its ``change since change_se change_p noise verdict`` (empty for the first period)."""
        frame = self.levels.tidy()
        changes = self.changes.tidy()
        columns = {
            "since": changes["since"].to_numpy(object),
            "change": self.changes.estimate,
            "change_se": self.changes.se,
            "change_p": changes["p"].to_numpy(),
            "noise": self.noise,
            "verdict": np.array(self.verdict, object),
        }
        wide: dict[str, Any] = {}
        for name, values in columns.items():
            wide[name] = np.full(len(frame), "" if values.dtype == object else np.nan, values.dtype)
            wide[name][self.at] = values
        return insert_before(frame, "note", wide)

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        verdict = self.verdict
        counts = {"up": verdict.count(UP), "down": verdict.count(DOWN), "within_noise": verdict.count(NOISE)}
        return self.levels.glance().assign(**counts)


def trend(
    source: Source,
    period: str,
    by: str | Sequence[str] | None = None,
    *,
    every: str | None = None,
    since: str = "previous",
    nodes: Sequence[str] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> Trend:
    """Estimate every node of the index tree in every period, and its change.

    Parameters
    ----------
    source : a survey with several periods.
    period : column that names them (quarters, months, dates; other words keep the order of the questionnaire).
    by : further grouping columns; a trend per group.
    every : joins periods to "month", "quarter", "half" or "year" (respondents pooled). None: as they are.
    since : what a change is measured from: "previous" period, "year" (the same period a year before), or the label
        of one period.
    nodes : codes; None: the whole tree.
    level : of the intervals and of the noise band.
    questionnaire : needed if the source has none.

    Returns
    -------
    Trend
        Changes use the joint covariance of both periods: respondents or units that take part in both (declare them
        as the sampling unit) make the standard error of a change smaller, as they should.

    Raises
    ------
    OptionError, UnknownColumnError
        For periods that cannot be read, joined or found.
    """
    if every is not None:
        check_choice("every", every, EVERY)
    asked = tree_of(source, questionnaire)
    wanted = nodes_of(asked, nodes)
    items, matrix = score_items(asked), asked.tree_matrix(wanted)
    groupers = group_names(by)
    if not isinstance(period, str) or period in groupers:
        raise OptionError(f"period names the column of the periods, which is not in by; found {shown(period)}.")
    groups = source.groups(items.variables, (*groupers, period), "available")
    targets = _targets(groups, every)
    joined = replace(groups, domains=tuple(targets), by=(*groupers, "period"))
    found = combine(union_means(groups, list(targets.values())), matrix * items.slope, matrix @ items.offset)
    levels = by_domain(found, joined, wanted, "points", level, node_keys(asked, wanted, len(targets)))
    pairs = _pairs(list(targets), since)
    return Trend(levels, *_changes(levels, list(targets), pairs, wanted, groupers, asked))


def _targets(groups: Groups, every: str | None) -> dict[tuple[str, ...], list[int]]:
    """Positions of the domains that make each group × period, in the order of groups and time."""
    unions: dict[tuple[str, ...], list[int]] = {}
    for position, (*group, label) in enumerate(groups.domains):
        name = within(label, every) if every else label
        unions.setdefault((*group, name), []).append(position)
    periods = in_order(list(dict.fromkeys(key[-1] for key in unions)))
    first_seen = list(dict.fromkeys(key[:-1] for key in unions))
    order = sorted(unions, key=lambda key: (first_seen.index(key[:-1]), periods.index(key[-1])))
    return {key: unions[key] for key in order}


def _pairs(targets: list[tuple[str, ...]], since: str) -> list[tuple[int, int]]:
    """(position of a period, position of the one it is compared with)."""
    periods = in_order(list(dict.fromkeys(key[-1] for key in targets)))
    if not isinstance(since, str) or since not in ("previous", "year", *periods):
        raise UnknownColumnError(
            f"since={since!r} is no period; choose 'previous', 'year' or one of {', '.join(periods)}."
        )
    pairs = []
    for i, (*group, label) in enumerate(targets):
        if since == "previous":
            before = periods[periods.index(label) - 1] if periods.index(label) > 0 else None
        else:
            before = year_before(label, periods) if since == "year" else since
        if before is not None and before != label and (*group, before) in targets:
            pairs.append((i, targets.index((*group, before))))
    return pairs


def _changes(
    levels: Estimates, targets: list[tuple[str, ...]], pairs: list[tuple[int, int]], nodes: Sequence[str],
    groupers: Sequence[str], asked: Questionnaire,
) -> tuple[Estimates, np.ndarray]:  # fmt: skip
    size = len(nodes)
    after = np.array([i * size + j for i, _ in pairs for j in range(size)], int)
    before = np.array([i * size + j for _, i in pairs for j in range(size)], int)
    matrix = np.zeros((len(after), len(levels.term)))
    rows = np.arange(len(after))
    matrix[rows, after], matrix[rows, before] = 1.0, -1.0
    keys: dict[str, tuple[Any, ...]] = {
        name: tuple(targets[i][position] for i, _ in pairs for _ in nodes) for position, name in enumerate(groupers)
    }
    keys |= {"period": tuple(targets[i][-1] for i, _ in pairs for _ in nodes)}
    keys |= {"since": tuple(targets[i][-1] for _, i in pairs for _ in nodes)}
    keys |= node_keys(asked, nodes, len(pairs))
    return levels.contrast(matrix, [levels.term[i] for i in after], keys), after
