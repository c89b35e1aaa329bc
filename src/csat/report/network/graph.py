"""A fitted model as nodes and arrows: what a path diagram, Mermaid and DOT have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.report.names import Names

if TYPE_CHECKING:
    from csat.structural import Sem

#: p from which on an arrow is drawn dashed and grey.
ALPHA = 0.05
#: Most indicators that are drawn unasked.
FEW = 12
#: Most covariances of constructs that are drawn beside paths, and without any.
BESIDE, ALONE = 15, 28

Kind = Literal["path", "loading", "covariance"]


@dataclass(frozen=True, slots=True)
class Node:
    """A construct or an observed variable.

    latent : a construct. r2 : explained share of its variance, NaN if nothing explains it.
    owner : construct whose indicator it is; "" for a node of the structural part. mark : stands before R².
    """

    code: str
    name: str
    latent: bool
    r2: float = np.nan
    owner: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow from a cause to an effect, or a covariance.

    value : standardised. p : of the standardised value; NaN for a fixed one.
    """

    source: str
    target: str
    kind: Kind
    value: float
    p: float

    @property
    def clear(self) -> bool:
        """Whether it differs from zero, or is fixed by the model."""
        return not self.p >= ALPHA

    @property
    def both(self) -> bool:
        """Whether it has a head at either end."""
        return self.kind == "covariance"


@dataclass(frozen=True, slots=True)
class Graph:
    """One group's model.

    group : its label, "" if there are no groups. nodes : the structural part first, then indicators by construct.
    hidden : indicators, covariances of indicators, and covariances of constructs that are left out.
    """

    group: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    hidden: tuple[int, int, int]

    @property
    def structural(self) -> tuple[Node, ...]:
        """Constructs, and observed variables with paths of their own."""
        return tuple(node for node in self.nodes if not node.owner)

    def indicators(self, construct: str) -> tuple[Node, ...]:
        """Indicators drawn with a construct."""
        return tuple(node for node in self.nodes if node.owner == construct)

    def node(self, code: str) -> Node:
        """The node of a code."""
        return next(node for node in self.nodes if node.code == code)


def graphs_of(
    result: Sem, names: Names, measurement: bool | None = None, group: str | None = None
) -> tuple[Graph, ...]:
    """The model of every group, or of one.

    Parameters
    ----------
    measurement : draw the indicators; None: if there are at most `FEW`.
    group : label of a group; None: all.

    Raises
    ------
    OptionError
        If `measurement` is no truth value, or there is no such group.
    """
    check_measurement(measurement)
    if group is not None and group not in result.groups:
        raise OptionError.choose("group", group, result.groups)
    frame = result.standardized("all")
    r2 = result.r2 if "group" in result.r2 else result.r2.assign(group=result.groups[0])
    return tuple(
        _graph(frame[frame["group"] == label], r2[r2["group"] == label], result.latents, label, names, measurement)
        for label in (result.groups if group is None else (group,))
    )


def check_measurement(measurement: object) -> None:
    """Refuse what is neither a truth value nor None."""
    if measurement not in (None, True, False):
        raise OptionError(f"measurement={measurement!r}: write True, False, or None for few indicators only.")


def _graph(
    frame: pd.DataFrame, r2: pd.DataFrame, latents: Sequence[str], label: str, names: Names, measurement: bool | None
) -> Graph:
    edges = [edge for edge in _edges(frame) if not (edge.value == 0 and np.isnan(edge.p))]
    related = [name for edge in edges if edge.kind == "path" for name in (edge.source, edge.target)]
    inner = tuple(dict.fromkeys([*latents, *related]))
    owners = _owners(edges, inner, latents)
    shown = len(owners) <= FEW if measurement is None else measurement
    explained = dict(zip(r2["term"], r2["r2"], strict=True))
    nodes = [Node(code, names.construct(code), code in latents, explained.get(code, np.nan)) for code in inner]
    for construct in latents if shown else ():
        nodes += [Node(code, names.code(code), False, owner=owner) for code, owner in owners.items()
                  if owner == construct]  # fmt: skip
    known = {node.code for node in nodes}
    drawn = [edge for edge in edges if edge.source in known and edge.target in known]
    lost = [edge for edge in edges if edge not in drawn and edge.both]
    among = [edge for edge in drawn if edge.both and edge.source in inner and edge.target in inner]
    if len(among) > (BESIDE if related else ALONE):
        drawn = [edge for edge in drawn if edge not in among]
    else:
        among = []
    return Graph(label, tuple(nodes), tuple(drawn), (0 if shown else len(owners), len(lost), len(among)))


def _edges(frame: pd.DataFrame) -> list[Edge]:
    """Arrows of a group; higher-order loadings count as paths."""
    latents = set(frame.loc[frame["op"].isin(["=~", "<~"]), "lhs"])
    of_paths = frame.loc[frame["op"] == "~", ["lhs", "rhs"]].to_numpy().ravel()
    inner = latents | set(of_paths)
    found = []
    for lhs, op, rhs, value, p in zip(*(frame[name] for name in ("lhs", "op", "rhs", "estimate", "p")), strict=True):
        if op in ("=~", "<~"):
            ends = (lhs, rhs) if op == "=~" else (rhs, lhs)
            found.append(Edge(*ends, "path" if rhs in inner else "loading", float(value), float(p)))
        elif op == "~":
            found.append(Edge(rhs, lhs, "path", float(value), float(p)))
        elif op == "~~" and lhs != rhs:
            found.append(Edge(lhs, rhs, "covariance", float(value), float(p)))
    return found


def _owners(edges: Sequence[Edge], inner: Sequence[str], latents: Sequence[str]) -> dict[str, str]:
    """Indicator → the first construct that it belongs to."""
    owners: dict[str, str] = {}
    for edge in edges:
        if edge.kind == "loading":
            construct, item = (edge.source, edge.target) if edge.source in latents else (edge.target, edge.source)
            if item not in inner:
                owners.setdefault(item, construct)
    return owners
