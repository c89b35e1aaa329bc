"""A path model of composites as nodes and arrows: modes and R² in the nodes, loadings or weights beside the items."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csat.errors import OptionError
from csat.report.names import Names
from csat.report.network.graph import FEW, Edge, Graph, Node, check_measurement
from csat.report.tables.pls_groups import construct_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.composites import Pls

#: Mark of a construct that is corrected for attenuation.
CORRECTED = "*"


def graphs_of_composites(
    result: Pls, names: Names, measurement: bool | None = None, group: str | None = None
) -> tuple[Graph, ...]:
    """The model of every group, or of one.

    Parameters
    ----------
    measurement : draw the items; None: if there are at most `FEW`.
    group : label of a group; None: all.

    Raises
    ------
    OptionError
        If `measurement` is no truth value, or there is no such group.
    """
    check_measurement(measurement)
    every = range(len(result.domains)) if group is None else (position_of(result, group),)
    frame, per = result.tidy(), len(result.tidy()) // len(result.domains)
    return tuple(_graph(result, frame[d * per : (d + 1) * per], d, names, measurement) for d in every)


def position_of(result: Pls, group: str) -> int:
    """Position of a group by its label; of several grouping columns, "a × b"."""
    if group not in result.labels:
        raise OptionError.choose("group", group, result.labels)
    return result.labels.index(group)


def _graph(result: Pls, frame: pd.DataFrame, at: int, names: Names, measurement: bool | None) -> Graph:
    described = result.layout.described
    formed = {code for code, mode in zip(described.constructs, described.modes, strict=True) if mode == "B"}
    constructs = list(dict.fromkeys([*described.constructs, *result.blocks.constructs]))
    paths = _paths(frame[frame["kind"] == "path"])
    measured = _measured(frame, formed)
    higher = [edge for edge in measured if {edge.source, edge.target} <= {*constructs} and edge.source != edge.target]
    known = {(edge.source, edge.target) for edge in paths}
    paths += [
        Edge(e.source, e.target, "path", e.value, e.p) for e in higher if (e.source, e.target) not in known
    ]  # fmt: skip
    owners = _owners(measured, constructs)
    shown = len(owners) <= FEW if measurement is None else measurement
    nodes = [_node(result, code, at, names) for code in constructs]
    if shown:
        nodes += [Node(item, names.code(item), False, owner=owner) for item, owner in owners.items()]
        paths += [edge for edge in measured if _owned(edge, owners)]
    return Graph(result.labels[at], tuple(nodes), tuple(paths), (0 if shown else len(owners), 0, 0))


def _paths(frame: pd.DataFrame) -> list[Edge]:
    rows = zip(*(frame[name] for name in ("rhs", "lhs", "estimate", "p")), strict=True)
    return [Edge(cause, effect, "path", float(value), float(p)) for cause, effect, value, p in rows]


def _measured(frame: pd.DataFrame, formed: set[str]) -> list[Edge]:
    """Loadings from constructs to items; of composites that items form, weights from items to the composite."""
    found = []
    for kind, lhs, rhs, value, p in zip(
        *(frame[name] for name in ("kind", "lhs", "rhs", "estimate", "p")), strict=True
    ):
        if kind == "weight" and lhs in formed:
            found.append(Edge(rhs, lhs, "loading", float(value), float(p)))
        elif kind == "loading" and lhs not in formed:
            found.append(Edge(lhs, rhs, "loading", float(value), float(p)))
    return found


def _owners(measured: list[Edge], constructs: list[str]) -> dict[str, str]:
    """Item → the construct that it stands beside, the one with fewest items if it belongs to several."""
    ends = [(e.source, e.target) if e.source in constructs else (e.target, e.source) for e in measured]
    sizes = {code: sum(owner == code for owner, _ in ends) for code in constructs}
    owners: dict[str, str] = {}
    for owner, item in ends:
        if item not in constructs and (item not in owners or sizes[owner] < sizes[owners[item]]):
            owners[item] = owner
    return {item: owner for code in constructs for item, owner in owners.items() if owner == code}


def _owned(edge: Edge, owners: dict[str, str]) -> bool:
    return owners.get(edge.target) == edge.source or owners.get(edge.source) == edge.target


def _node(result: Pls, code: str, at: int, names: Names) -> Node:
    blocks = result.blocks
    explained = np.nan
    if code in blocks.constructs:
        explained = float(result.solution.r2[at, blocks.constructs.index(code)])
    return Node(code, construct_text(code, names), True, explained, mark=_mark(result, code, names))


def _mark(result: Pls, code: str, names: Names) -> str:
    described = result.layout.described
    if code not in described.constructs:
        return ""
    j = described.constructs.index(code)
    if described.sizes[j] == 1:
        return ""
    said = words(names.lang).say(Word(f"mode_mark.{described.modes[j]}"))
    return said + CORRECTED * bool(described.consistent[j])
