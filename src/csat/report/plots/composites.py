"""Charts of a path model of composites: its diagram, paths and loadings with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.style as style
from csat.bases import Base
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.network.composites import CORRECTED, graphs_of_composites, position_of
from csat.report.network.graph import Graph
from csat.report.plots.driver import in_short
from csat.report.plots.paths import draw_graphs, notes_of_edges
from csat.report.plots.rows import remarks
from csat.report.plots.structural import draw_parts
from csat.report.tables.composites import errors_of, figures_of, fit_note, remark_word, respondents_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.composites import Pls


def path(
    result: Pls, names: Names, ax: Axes | None, *, measurement: bool | None = None, group: str | None = None,
    layout: str = "csat",
) -> Axes:  # fmt: skip
    """Composites as ellipses with mode and R², paths with standardized values; one picture per group.

    measurement : draw the items; None: few of them. group : label of the only group to draw.
    layout : "csat", or "graphviz", whose program ``dot`` then places the nodes.
    """
    say = words(names.lang).say
    every = graphs_of_composites(result, names, measurement, group)
    graphs = [graph for graph in every if not _base(result, graph.group, names).hidden and _known(graph)]
    if not graphs:
        return style.empty(ax, say(Word("title.pls_paths")), " ".join(map(say, respondents_of(result, names))))
    if ax is not None and len(graphs) > 1:
        raise OptionError.choose("group", None, result.labels)
    notes = _notes_of_diagram(result, names, graphs, len(every) - len(graphs))
    return draw_graphs(graphs, [_title("pls_paths", result, graph.group, names) for graph in graphs], notes, names, ax,
                       layout)  # fmt: skip


def _base(result: Pls, group: str, names: Names) -> Base:
    return names.bases.judge(float(result.layout.n[result.labels.index(group)]))


def _known(graph: Graph) -> bool:
    return all(edge.value == edge.value for edge in graph.edges)


def _title(key: str, result: Pls, group: str, names: Names) -> Word:
    title = Word(f"title.{key}")
    return Word("title.of_group", {"title": title, "group": group_of(result, group, names)}) if group else title


def group_of(result: Pls, label: str, names: Names) -> str:
    """Text of a group by its label."""
    domain = result.domains[result.labels.index(label)]
    return " · ".join(names.value(by, value) for by, value in zip(result.by, domain, strict=True))


def _notes_of_diagram(result: Pls, names: Names, graphs: list[Graph], hidden: int) -> list[Word | str]:
    nodes = [node for graph in graphs for node in graph.nodes]
    return [
        Word("plot.pls_modes"),
        *([Word("plot.pls_corrected")] if any(node.mark.endswith(CORRECTED) for node in nodes) else []),
        *([Word("plot.pls_boxes")] if any(node.owner for node in nodes) else []),
        *notes_of_edges([edge for graph in graphs for edge in graph.edges]),
        *([Word("plot.hidden", {"count": hidden, "least": names.bases.suppress})] if hidden else []),
        fit_note(result),
        *(remark_word(note, names) for note in result.notes),
        *in_short(respondents_of(result, names)),
    ]


def paths(result: Pls, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """Standardized paths with intervals; of all groups side by side, or of one."""
    return _rows(result, names, ax, group, "path")


def loadings(result: Pls, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """Loadings with intervals, construct by construct; of all groups side by side, or of one."""
    return _rows(result, names, ax, group, "loading")


def _rows(result: Pls, names: Names, ax: Axes | None, group: str | None, kind: str) -> Axes:
    say = words(names.lang).say
    labels = list(result.labels)
    chosen = labels if group is None else [labels[position_of(result, group)]]
    if len(chosen) > len(style.SERIES):
        raise OptionError(
            f'kind="{kind}s" draws up to {len(style.SERIES)} groups; there are {len(chosen)}. Name one: group=….'
        )
    frame = figures_of(result, (kind,), names)
    frame = frame[frame["lhs"] != frame["rhs"]].astype({"low": float, "high": float})
    parts = [frame[frame["domain"] == result.domains[labels.index(label)]] for label in chosen]
    judged = [_base(result, label, names) for label in chosen]
    rows = [style.wrap(text, 44) for text in parts[0]["about"]]
    doubts = [remark_word(note, names) for note in result.notes]
    alone = [Word("plot.n", {"n": float(parts[0]["n"].iloc[0])})] if len(chosen) < len(labels) else []
    notes = [say(note) for note in in_short((*alone, *doubts, *respondents_of(result, names), *errors_of(result)))]
    least = 0.3 if len(chosen) == 1 else 0.2 + 0.15 * len(chosen)
    lines = sum(1 + len(note) // style.LINE for note in notes)
    ax = style.axes_for(ax, style.row_height(rows, least) + 1.3 + 0.17 * lines + 0.25 * (len(chosen) > 1))
    if kind == "path":
        ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    texts = [group_of(result, label, names) for label in chosen] if len(chosen) > 1 else []
    draw_parts(ax, rows, parts, judged, texts)
    ax.set_xlabel(say(Word(f"plot.{'pls_path' if kind == 'path' else 'loading'}")))
    bases = [base for base in judged for _ in rows]
    level = result.estimates.level if result.draws is not None else None
    style.below(ax, *remarks(bases, names.bases, words(names.lang), level), *notes)
    key = "pls_paths" if kind == "path" else "pls_loadings"
    if len(chosen) == 1:
        ax.set_title(say(_title(key, result, chosen[0], names)))
        return ax
    for label, colour, mark in zip(chosen, style.SERIES, style.MARKS, strict=False):
        size = say(Word("plot.n", {"n": float(result.layout.n[labels.index(label)])}))
        ax.plot([], [], mark, color=colour, label=f"{group_of(result, label, names)}, {size}")
    style.title_over_legend(ax, say(Word(f"title.{key}")))
    return ax
