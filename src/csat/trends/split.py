"""A change split into who answered (mix) and how they answered (real change)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError
from csat.moments import Groups, Source, as_names, first_moments
from csat.questionnaire import Questionnaire
from csat.results import Estimates, Shown
from csat.scoring import node_keys, nodes_of, score_items, tree_of
from csat.totals import jacobian_of
from csat.variance import Combined, by_domain, degrees_of_freedom, joint_totals_covariance

PARTS = ("change", "mix", "real")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChangeSplit(Shown):
    """A change and its two parts, which sum to it exactly.

    estimates : a row per part ("change", "mix", "real") and node, with their joint covariance; key column ``part``.
    before, after : the periods. mix : columns whose composition is held against the change.
    """

    estimates: Estimates
    before: str
    after: str
    mix: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """A row per part and node."""
        return self.estimates.tidy()

    def glance(self) -> pd.DataFrame:
        """One row about the whole."""
        return self.estimates.glance().assign(before=self.before, after=self.after, mix=", ".join(self.mix))


def split_change(
    source: Source,
    period: str,
    before: str,
    after: str,
    mix: str | Sequence[str],
    *,
    nodes: Sequence[str] | None = None,
    level: float = 0.95,
    questionnaire: Questionnaire | None = None,
) -> ChangeSplit:
    """Split the change between two periods into mix and real change.

    For each item, change = Σ_g Δp_g·m̄_g (mix: other customers answered) + Σ_g p̄_g·Δm_g (real: they answered
    otherwise), with the weighted shares p_g and means m_g of the groups in both periods, and bars for the mean of
    the two periods. Nodes weigh their items. Source: Kitagawa (1955), J. Am. Stat. Assoc. 50, 1168–1194.

    Parameters
    ----------
    source : a survey with both periods.
    period : column of periods; before, after : two of its labels.
    mix : columns that make the groups g (brand, line, city …).
    nodes : codes; None: the whole tree.
    level, questionnaire : as in `csat.trend`.

    Returns
    -------
    ChangeSplit
        Standard errors by linearisation: shares and means are both estimated.

    Raises
    ------
    SampleError
        If a group has answers in one period only, naming it: its mean in the other does not exist.
    """
    asked = tree_of(source, questionnaire)
    wanted = nodes_of(asked, nodes)
    items = score_items(asked)
    groupers = as_names(mix, "mix")
    as_names([period, before, after], "period, before and after")
    if not groupers or len({period, *groupers}) <= len(groupers):
        raise OptionError(
            "mix needs one or more columns, each once, other than the period, whose composition may have changed."
        )
    groups = source.groups(items.variables, (period, *groupers), "available")
    first, second = _matched(groups, before, after)
    totals = groups.over_domains(groups.gram)[:, 0, :]
    to_nodes = asked.tree_matrix(wanted) * items.slope

    def parts(moved: np.ndarray) -> np.ndarray:
        return _parts(moved, first, second, groups.midpoint, to_nodes)

    estimate = parts(totals[None].astype(complex))[0].real
    vcov = joint_totals_covariance(groups, jacobian_of(parts, totals), parts)
    base = groups.over_domains(groups.counts)
    n = np.minimum(base[first].sum(axis=0), base[second].sum(axis=0))
    of_node = np.where(to_nodes != 0, n, np.iinfo(int).max).min(axis=1)
    member = np.zeros((2, len(groups.domains)))
    member[0, first] = member[1, second] = 1.0
    # As in `trend`: the period with fewer units, of the item with the fewest.
    df = np.where(to_nodes != 0, degrees_of_freedom(groups, member).min(axis=0), np.inf).min(axis=1)
    combined = Combined(estimate, vcov, np.tile(of_node, 3), np.full(len(estimate), np.nan), np.tile(df, 3))
    whole = replace(groups, by=("part",), domains=tuple((part,) for part in PARTS))
    estimates = by_domain(combined, whole, wanted, "points", level, node_keys(asked, wanted, 3), null=0.0)
    return ChangeSplit(estimates, before, after, groupers)


def _matched(groups: Groups, before: str, after: str) -> tuple[list[int], list[int]]:
    """Positions of the groups in both periods, in the same order; every group must have answers in both."""
    periods = dict.fromkeys(domain[0] for domain in groups.domains)
    for label in (before, after):
        if label not in periods:
            raise OptionError(f"No period {label!r}; the periods are {', '.join(map(repr, periods))}.")
    members = {label: {d[1:]: i for i, d in enumerate(groups.domains) if d[0] == label} for label in (before, after)}
    base = groups.over_domains(groups.counts)
    for label, other in ((before, after), (after, before)):
        for group, position in members[other].items():
            here = members[label].get(group)
            if here is None or ((base[here] == 0) & (base[position] > 0)).any():
                raise SampleError(
                    f"Group {' × '.join(group)} has answers in {other} but not to every item in {label}: its share "
                    "of the change cannot be split. Merge it with a similar group, or leave it out of both periods."
                )
    order = list(members[before])
    return [members[before][g] for g in order], [members[after][g] for g in order]


def _parts(
    totals: np.ndarray, first: list[int], second: list[int], midpoint: np.ndarray, to_nodes: np.ndarray
) -> np.ndarray:
    """(B, 3·nodes) change, mix and real change from (B, D, p) totals; analytic, for complex steps."""
    k = to_nodes.shape[1]
    answered, total = first_moments(totals[:, :, None, :], k, "available")
    shares, means = [], []
    for period in (first, second):
        weight, sums = answered[:, period], total[:, period]
        shares.append(weight / weight.sum(axis=1, keepdims=True))
        means.append(midpoint + sums / weight)
    mix = ((shares[1] - shares[0]) * (means[0] + means[1]) / 2).sum(axis=1)
    real = ((means[1] - means[0]) * (shares[0] + shares[1]) / 2).sum(axis=1)
    return np.concatenate([(mix + real) @ to_nodes.T, mix @ to_nodes.T, real @ to_nodes.T], axis=1)
