"""The path diagram of a structural model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.errors import OptionError, check_choice
from csat.report.doubts import gravest_of, impossible
from csat.report.format import number
from csat.report.names import Names
from csat.report.network.blocks import ITEM, LEADING, NAME, SHARE, VALUE, Shape, written
from csat.report.network.graph import Edge, Graph, graphs_of
from csat.report.network.graphviz import dot_places
from csat.report.network.picture import Arrow, Picture, picture_of
from csat.report.plots.driver import in_short
from csat.report.tables.structural import fit_line, group_text, respondents_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.structural import Sem

#: Kind of arrow → title of a picture that has some, the first that applies.
TITLES = {"path": "paths", "covariance": "correlations"}
#: Who places the nodes.
LAYOUTS = ("csat", "graphviz")
#: Fill of constructs; rectangles are white.
FILL = "#eef4f9"
#: Room for a title, and for a line of the notes, in inches; lines left free for whom the picture is about.
TITLE, LINE, SPARE = 0.45, 0.172, 2


def path(
    result: Sem, names: Names, ax: Axes | None, *, measurement: bool | None = None, group: str | None = None,
    layout: str = "csat",
) -> Axes:  # fmt: skip
    """Constructs as ellipses with R², paths with standardised values; one picture per group.

    measurement : draw the indicators; None: few of them. group : label of the only group to draw.
    layout : "csat", or "graphviz", whose program ``dot`` then places the nodes.
    """
    say = words(names.lang).say
    every = graphs_of(result, names, measurement, group)
    graphs = [graph for graph in every if not _hidden(result, graph.group, names)]
    if not graphs:
        return style.empty(ax, say(Word("title.paths")), " ".join(map(say, respondents_of(result, names))))
    if ax is not None and len(graphs) > 1:
        raise OptionError.choose("group", None, result.groups)
    titles = [_title(result, graph, names) for graph in graphs]
    return draw_graphs(graphs, titles, _notes(result, names, graphs, len(every) - len(graphs)), names, ax, layout)


def draw_graphs(
    graphs: Sequence[Graph], titles: Sequence[Word], notes: Sequence[Word | str], names: Names, ax: Axes | None,
    layout: str,
) -> Axes:  # fmt: skip
    """Draw models one above the other, each with its title, and write the notes below; one model on given axes."""
    say = words(names.lang).say
    said = [say(note) for note in notes]
    for graph in graphs:
        telling.says(*map(say, _told(graph, names)))
    pictures = _pictures(graphs, words(names.lang).sentences["plot.explained"], layout)
    axes = [ax] if ax is not None else _panels(pictures, sum(map(_lines, said)))
    for panel, picture, title in zip(axes, pictures, titles, strict=True):
        _draw(panel, picture, picture.scale if ax is None else _fitting(panel, picture))
        panel.set_title(say(title), x=0.01)
    style.notes_under(axes[-1], said)
    return axes[0]


def _told(graph: Graph, names: Names) -> list[Word]:
    """Size of a model, its strongest arrows, what is not clear, what is explained."""
    title = {node.code: node.name for node in graph.nodes}
    own = {node.code for node in graph.nodes if not node.owner}
    edges = [edge for edge in graph.edges if edge.source in own and edge.target in own]
    paths = sorted((edge for edge in edges if not edge.both), key=lambda edge: -abs(edge.value)) or edges
    say = words(names.lang).say
    strongest = [
        say(
            Word("alt.path", {"source": title[edge.source], "target": title[edge.target], "value": written(edge.value)})
        )
        for edge in paths[:3]
    ]
    explained = [say(Word("alt.explained", {"name": node.name, "value": number(node.r2, "score")}))
                 for node in graph.nodes if np.isfinite(node.r2) and not node.owner]  # fmt: skip
    unclear = sum(not edge.clear for edge in edges)
    blanks = {"count": len(edges), "nodes": len(own), "names": names.listed(strongest)}
    return [
        *([Word("alt.paths", blanks)] if strongest else []),
        *([Word("alt.unclear", {"count": unclear})] if unclear else []),
        *([Word("alt.explains", {"names": names.listed(explained)})] if explained else []),
    ]


def _pictures(graphs: Sequence[Graph], r2: str, layout: str) -> list[Picture]:
    check_choice("layout", layout, LAYOUTS)
    return [picture_of(graph, r2, dot_places if layout == "graphviz" else None) for graph in graphs]


def _title(result: Sem, graph: Graph, names: Names) -> Word:
    kinds = {edge.kind for edge in graph.edges}
    title = Word(next((f"title.{key}" for kind, key in TITLES.items() if kind in kinds), "title.loadings"))
    if not graph.group:
        return title
    return Word("title.of_group", {"title": title, "group": group_text(result, graph.group, names)})


def _hidden(result: Sem, group: str, names: Names) -> bool:
    """Whether a group, or the whole, has too few respondents to be shown."""
    size = result.sizes[result.groups.index(group)] if group else result.measures.n
    return names.bases.judge(min(size, result.measures.n)).hidden


def _notes(result: Sem, names: Names, graphs: Sequence[Graph], hidden: int) -> list[Word | str]:
    """What the lines mean, how well the model fits, what speaks against it, who counts, what is not drawn."""
    _, items, others = graphs[0].hidden
    return [
        *notes_of_edges([edge for graph in graphs for edge in graph.edges]),
        *([Word("plot.not_drawn_items", {"count": items})] if items else []),
        *([Word("plot.not_drawn", {"count": others})] if others else []),
        *([Word("plot.hidden", {"count": hidden, "least": names.bases.suppress})] if hidden else []),
        fit_line(result, names),
        *gravest_of(result, names),
        *in_short(respondents_of(result, names)),
    ]


def notes_of_edges(edges: Sequence[Edge]) -> list[Word]:
    """What marks and strokes of the arrows mean, where there are some."""
    return [
        *([Word("plot.beyond_one")] if any(impossible(edge.value) for edge in edges) else []),
        *([Word("plot.dashed")] if not all(edge.clear for edge in edges) else []),
        *([Word("plot.double")] if any(edge.both for edge in edges) else []),
    ]


def _lines(note: str) -> int:
    return 1 + style.wrap(note, style.NOTE_COLUMNS, style.NOTE_LINES).count("\n")


def _fitting(ax: Axes, picture: Picture) -> float:
    """What makes a picture fit axes that are there already."""
    box, dpi = ax.get_window_extent(), ax.figure.dpi
    width, height = picture.size
    return float(min(1.0, box.width / dpi / width, box.height / dpi / height))


def _panels(pictures: Sequence[Picture], lines: int) -> list[Axes]:
    """Axes of a page's width, one above the other, with room for titles and notes; an inch of the data is an inch."""
    from matplotlib import pyplot

    heights = [picture.size[1] * picture.scale for picture in pictures]
    whole = sum(heights) + TITLE * len(pictures) + LINE * (lines + SPARE)
    figure = pyplot.figure(figsize=(style.FIGURE_WIDTH, whole), dpi=110, layout="none")
    out, top = [], whole
    for height in heights:
        top -= TITLE + height
        out.append(figure.add_axes((0.0, top / whole, 1.0, height / whole)))
    return out


def _draw(ax: Axes, picture: Picture, scale: float) -> None:
    """Draw in inches, in the middle of axes as wide as the page."""
    middle = (picture.low[0] + picture.high[0]) / 2
    half = max(picture.size[0], style.FIGURE_WIDTH / scale) / 2
    ax.set(xlim=(middle - half, middle + half), ylim=(picture.low[1], picture.high[1]), aspect="equal")
    ax.axis("off")
    for arrow in picture.arrows:
        _draw_arrow(ax, arrow, scale)
    for shape in picture.shapes:
        _draw_shape(ax, shape, scale)


def _draw_arrow(ax: Axes, arrow: Arrow, scale: float) -> None:
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path
    from matplotlib.patheffects import withStroke

    edge, colour = arrow.edge, _colour(arrow.edge)
    thick = 1.1 + 1.8 * min(1.0, abs(edge.value)) if edge.kind == "path" and edge.clear else 0.9
    ax.add_patch(
        FancyArrowPatch(
            path=Path(arrow.points), arrowstyle="<|-|>" if edge.both else "-|>", color=colour, lw=thick * scale,
            mutation_scale=(7 if edge.kind == "loading" else 10) * scale, ls="-" if edge.clear else (0, (4, 3)),
            shrinkA=0, shrinkB=0, zorder=1,
        )
    )  # fmt: skip
    if arrow.spot is not None:
        # The shipped face has no bold: a stroke makes what is clear heavier.
        heavy = [withStroke(linewidth=0.5 * scale, foreground=colour)] if edge.clear else None
        ax.text(
            arrow.spot[0], arrow.spot[1], arrow.said, ha="center", va="center", fontsize=VALUE * scale, color=colour,
            zorder=4, bbox={"boxstyle": "square,pad=0.08", "fc": style.PAPER, "ec": "none"}, path_effects=heavy,
        )  # fmt: skip


def _colour(edge: Edge) -> str:
    if not edge.clear:
        return style.GREY
    if edge.both:
        return style.INK
    return style.BLUE if edge.value >= 0 else style.ORANGE


def _draw_shape(ax: Axes, shape: Shape, scale: float) -> None:
    from matplotlib.patches import Ellipse, Rectangle

    (x, y), (wide, high) = shape.at, shape.half
    colour, thick = (style.GREY, 0.8) if shape.owner else (style.BLUE, 1.3)
    look: dict[str, Any] = {"ec": colour, "lw": thick * scale, "zorder": 3}
    if shape.round:
        ax.add_patch(Ellipse((x, y), 2 * wide, 2 * high, fc=FILL, **look))
    else:
        ax.add_patch(Rectangle((x - wide, y - high), 2 * wide, 2 * high, fc=style.PAPER, **look))
    how: dict[str, Any] = {"va": "center", "zorder": 4, "linespacing": 1.1}
    name = "\n".join(shape.lines)
    if shape.owner:
        ax.text(x - wide + 0.07, y, name, ha="left", fontsize=ITEM * scale, **how)
        ax.text(x + wide - 0.07, y, shape.said, ha="right", fontsize=ITEM * scale, **how)
        return
    lifted = 0.5 * SHARE * LEADING / 72 if shape.said else 0.0
    ax.text(x, y + lifted, name, ha="center", fontsize=NAME * scale, **how)
    if shape.said:
        below = y + lifted - (len(shape.lines) * NAME + SHARE) * LEADING / 2 / 72
        ax.text(x, below, shape.said, ha="center", fontsize=SHARE * scale, color=style.GREY, **how)
