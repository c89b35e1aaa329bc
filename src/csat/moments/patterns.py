"""Moments of the respondents who answered the same variables: what methods for missing answers start from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from csat.errors import UnknownColumnError
from csat.moments.source import Source
from csat.moments.summaries import Moments
from csat.moments.variables import Variable, domain_order


@dataclass(frozen=True, eq=False)
class Patterns:
    """Moments per domain and pattern of answered variables; those who answered none are only counted.

    names : (k,) variables. midpoint : (k,) subtracted before summing.
    by : grouping columns; domains : (D,) their groups.
    domain : (C,) position of each cell's domain. answered : (C, k) variables that its respondents answered.
    gram : (C, 1+k, 1+k) Σ w·zzᵀ of z = [1, y], zero where not answered. n : (C,) respondents, unweighted.
    silent : (D,) respondents who answered none of the variables. ungrouped : respondents that belong to no group.
    """

    names: tuple[str, ...]
    midpoint: np.ndarray
    by: tuple[str, ...]
    domains: tuple[tuple[str, ...], ...]
    domain: np.ndarray
    answered: np.ndarray
    gram: np.ndarray
    n: np.ndarray
    silent: np.ndarray
    ungrouped: int = 0

    def of(self, domain: tuple[str, ...]) -> Patterns:
        """The patterns of one domain."""
        if domain not in self.domains:
            known = [" × ".join(labels) for labels in self.domains]
            raise UnknownColumnError.among(" × ".join(domain), known, "the groups")
        at = self.domains.index(domain)
        kept = self.domain == at
        return replace(
            self,
            domains=(domain,),
            domain=np.zeros(int(kept.sum()), int),
            answered=self.answered[kept],
            gram=self.gram[kept],
            n=self.n[kept],
            silent=self.silent[at : at + 1],
        )

    def moments(self, cell: int) -> Moments:
        """Listwise moments of the answered variables of one cell."""
        used = np.flatnonzero(self.answered[cell])
        keep = np.r_[0, 1 + used]
        n = int(self.n[cell])
        names = tuple(self.names[j] for j in used.tolist())
        gram = self.gram[cell][np.ix_(keep, keep)]
        return Moments(names, gram, self.midpoint[used], n, np.full(len(used), n), "listwise")

    @property
    def pairs(self) -> np.ndarray:
        """(D, k, k) respondents, unweighted, who answered both variables; on the diagonal who answered one."""
        out = np.zeros((len(self.domains), len(self.names), len(self.names)), int)
        both = self.answered[:, :, None] & self.answered[:, None, :]
        np.add.at(out, self.domain, both * self.n[:, None, None])
        return out

    def arranged(self, order: Sequence[Sequence[str]]) -> Patterns:
        """The same patterns, groups sorted by the order of labels of each grouping column."""
        at = domain_order(self.domains, order)
        new = np.empty(len(at), int)
        new[at] = np.arange(len(at))
        return replace(
            self, domains=tuple(self.domains[d] for d in at), domain=new[self.domain], silent=self.silent[at]
        )

    def __repr__(self) -> str:
        return (
            f"Patterns of {len(self.names)} variables: {len(self.domains)} domains, {len(self.n)} patterns, "
            f"n = {int(self.n.sum())}"
        )


def join_patterns(parts: Sequence[Patterns]) -> Patterns:
    """Add the patterns of disjoint respondents: cells with the same domain and the same answers add."""
    domains = tuple(sorted({domain for part in parts for domain in part.domains}))
    place = {domain: i for i, domain in enumerate(domains)}
    own = [np.array([place[domain] for domain in part.domains], int) for part in parts]
    codes = np.concatenate(
        [np.column_stack([at[part.domain], part.answered]) for at, part in zip(own, parts, strict=True)]
    )
    cells, where = np.unique(codes, axis=0, return_inverse=True)
    gram = np.zeros((len(cells), *parts[0].gram.shape[1:]))
    np.add.at(gram, where.ravel(), np.concatenate([part.gram for part in parts]))
    n = np.zeros(len(cells), int)
    np.add.at(n, where.ravel(), np.concatenate([part.n for part in parts]))
    silent = np.zeros(len(domains), int)
    for at, part in zip(own, parts, strict=True):
        np.add.at(silent, at, part.silent)
    return replace(
        parts[0],
        domains=domains,
        domain=cells[:, 0].astype(int),
        answered=cells[:, 1:].astype(bool),
        gram=gram,
        n=n,
        silent=silent,
        ungrouped=sum(part.ungrouped for part in parts),
    )


@runtime_checkable
class PatternSource(Source, Protocol):
    """A source that still knows who answered what."""

    def patterns(self, names: Sequence[Variable], by: Sequence[str] = ()) -> Patterns:
        """Moments per domain and pattern of answered variables."""
