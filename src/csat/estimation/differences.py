"""Do groups differ? Design-based t and F tests of equal means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from csat.errors import OptionError, SampleError, UnknownColumnError
from csat.moments import Groups, Recode, Source, Variable, group_names, one_name, source_of, term_of
from csat.results import Estimates, Shown, Test
from csat.variance import by_domain, combine, degrees_of_freedom, means


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Difference(Shown):
    """Groups compared with one of them, and all with each other.

    groups : the figure of each group (its mean, or its mean rank score).
    estimates : each other group minus the reference; null 0; with two groups this is the t test.
    test : F test that all groups are equal.
    against : label of the reference.
    """

    groups: Estimates
    estimates: Estimates
    test: Test
    against: str

    def tidy(self) -> pd.DataFrame:
        """A row per difference."""
        return self.estimates.tidy()

    def glance(self) -> pd.DataFrame:
        """One row: the test, the number of groups, the reference."""
        return self.test.tidy().assign(groups=len(self.groups.term), against=self.against)


def difference(
    source: Source,
    name: Variable,
    by: str | Sequence[str],
    *,
    against: str | None = None,
    level: float = 0.95,
) -> Difference:
    """Test whether the groups have the same mean.

    The Wald test of a weighted regression on the groups; its linearised covariance is that of the group means.
    Degrees of freedom are those of the residuals, units − strata − (groups − 1): one less than for the
    ``contrast`` of two means, as in R, where `svyttest` and `regTermTest` have 23 and `svycontrast` 24.

    Parameters
    ----------
    source : survey or summary.
    name : the variable.
    by : one or more grouping columns.
    against : the group to compare with, by its label (" × " between several); None: the first.
    level : of the intervals.

    Returns
    -------
    Difference
        ``tidy()`` has the differences with t intervals, ``test`` the F test.

    Raises
    ------
    SampleError
        If fewer than two groups have two answers.
    UnknownColumnError
        If `against` is none of the groups.
    """
    source = source_of(source)
    against = None if against is None else one_name(against, "against")
    if not isinstance(name, Recode):
        name = one_name(name, "name")
    groupers = group_names(by)
    if not groupers:
        raise OptionError("difference needs by=…: the column whose groups are compared.")
    groups = source.groups([name], groupers, "available")
    found = by_domain(combine(means(groups), np.eye(1)), groups, [term_of(name)], "scale", level)
    return compared(found, groups, groupers, against, "equal means")


def compared(found: Estimates, groups: Groups, by: tuple[str, ...], against: str | None, null: str) -> Difference:
    """Differences of one figure between the domains of `groups`, and the F test that there are none."""
    domains = groups.domains
    usable = [i for i in range(len(domains)) if found.n[i] > 1]
    labels = [" × ".join(domain) for domain in domains]
    if len(usable) < 2:
        raise SampleError(
            f"Comparing {found.term[0]!r} needs two groups with at least two answers each; "
            f"{len(usable)} of {len(domains)} groups of {', '.join(by)} have them."
        )
    peer = usable[0] if against is None else _position(against, labels, usable, by)
    others = [i for i in usable if i != peer]
    matrix = np.zeros((len(others), len(domains)))
    matrix[np.arange(len(others)), others] = 1.0
    matrix[:, peer] = -1.0
    keys = {name: tuple(domains[i][j] for i in others) for j, name in enumerate(by)}
    everyone = np.ones((1, len(domains)))
    df = float(degrees_of_freedom(groups, everyone).min()) - len(others)
    differences = found.contrast(
        matrix, [found.term[0]] * len(others), keys | {"against": (labels[peer],) * len(others)}
    )
    n = np.minimum(found.n[others], found.n[peer])
    return Difference(found, replace(differences, df=df, n=n), wald(differences, df, null), labels[peer])


def _position(against: str, labels: Sequence[str], usable: Sequence[int], by: tuple[str, ...]) -> int:
    known = [labels[i] for i in usable]
    if against not in known:
        raise UnknownColumnError(
            f"No group {against!r} with two answers in {', '.join(by)}; there are {', '.join(map(repr, known))}."
        )
    return labels.index(against)


def wald(differences: Estimates, df: float, null: str) -> Test:
    """F test that all `differences` are zero; NaN if the design has too few units to tell."""
    count = len(differences.term)
    values = np.linalg.eigvalsh(differences.vcov)
    if df <= 0 or not values[0] > 1e-12 * values[-1]:
        return Test(null, float("nan"), float(count), df)
    distance = differences.estimate @ np.linalg.solve(differences.vcov, differences.estimate)
    return Test(null, float(distance) / count, float(count), df)
