"""A fitted model as text for other programs: Mermaid (Markdown pages, wikis) and DOT (Graphviz)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from csat.errors import OptionError, check_choice
from csat.report.names import Names
from csat.report.network.blocks import written
from csat.report.network.graph import Edge, Graph, Node, graphs_of
from csat.report.tables.structural import group_text
from csat.report.words import Word, words

if TYPE_CHECKING:
    from csat.questionnaire import Questionnaire
    from csat.structural import Sem

#: Characters that Mermaid reads as syntax even between quotation marks.
SPECIAL = frozenset('"#;<>&`%{}[]|\\$')
#: What it takes for the first item of a list.
ITEM = re.compile(r"^(?:\d+[.)]|[-*+])(?= |$)")


def diagram(
    result: Sem,
    form: str = "mermaid",
    lang: str = "en",
    names: Questionnaire | None = None,
    *,
    measurement: bool | None = None,
    group: str | None = None,
) -> str:
    """Write the path diagram of a structural model as text.

    Parameters
    ----------
    result : of `csat.sem`.
    form : "mermaid", or "dot".
    lang : "en" or "zh". names : the questionnaire whose texts stand for the codes.
    measurement : write the indicators; None: if there are 12 or fewer.
    group : label of the only group to write; None: all of them, each in a frame.

    Returns
    -------
    str
        Constructs as rounded nodes with R², observed variables as boxes, standardised values on the arrows. Arrows that
        do not differ from zero (p of 0.05 or more) are dashed, covariances have two heads.

    Raises
    ------
    OptionError
        If `result` is no structural model, or an option is not known.
    """
    from csat.structural import Sem

    if not isinstance(result, Sem):
        raise OptionError(f"diagram writes a result of csat.sem; found {type(result).__name__}.")
    check_choice("form", form, tuple(FORMS))
    graphs = graphs_of(result, Names(lang, names), measurement, group)
    say = words(lang).say
    labels = [
        {node.code: [node.name, *([say(Word("plot.explained", {"r2": node.r2}))] if np.isfinite(node.r2) else [])]
         for node in graph.nodes}
        for graph in graphs
    ]  # fmt: skip
    titles = [group_text(result, graph.group, Names(lang, names)) for graph in graphs]
    return "\n".join(FORMS[form](graphs, labels, titles)) + "\n"


Labels = Mapping[str, Sequence[str]]


def _mermaid(graphs: Sequence[Graph], labels: Sequence[Labels], titles: Sequence[str]) -> Iterator[str]:
    yield "flowchart LR"
    for at, (graph, said, title) in enumerate(zip(graphs, labels, titles, strict=True)):
        ids = _ids(graph, at)
        framed = bool(title)
        if framed:
            yield f'  subgraph g{at}["{for_mermaid(title)}"]'
        for node in graph.nodes:
            yield f"  {ids[node.code]}{_rounded(node, '<br/>'.join(map(for_mermaid, said[node.code])))}"
        for edge in graph.edges:
            yield f'  {ids[edge.source]} {_stroke(edge)}|"{written(edge.value)}"| {ids[edge.target]}'
        if framed:
            yield "  end"


def _rounded(node: Node, text: str) -> str:
    return f'(["{text}"])' if node.latent else f'["{text}"]'


def _stroke(edge: Edge) -> str:
    if edge.both:
        return "<-->" if edge.clear else "<-.->"
    if not edge.clear:
        return "-.->"
    return "==>" if edge.kind == "path" else "-->"


def for_mermaid(text: str) -> str:
    """A text between Mermaid's quotation marks: what it would read as syntax as a numbered character.

    >>> for_mermaid('a "b" #1')
    'a #34;b#34; #35;1'
    """
    flat = "".join(char if char.isprintable() else " " for char in text)
    item = ITEM.match(flat)
    last = item.end() - 1 if item else -1
    return "".join(f"#{ord(char)};" if char in SPECIAL or at == last else char for at, char in enumerate(flat))


def _dot(graphs: Sequence[Graph], labels: Sequence[Labels], titles: Sequence[str]) -> Iterator[str]:
    yield "digraph model {"
    yield "  rankdir=LR;"
    for at, (graph, said, title) in enumerate(zip(graphs, labels, titles, strict=True)):
        ids = _ids(graph, at)
        if title:
            yield f"  subgraph cluster_{at} {{ label={for_dot(title)};"
        for node in graph.nodes:
            shape = "ellipse" if node.latent else "box"
            yield f"  {ids[node.code]} [label={for_dot(chr(10).join(said[node.code]))}, shape={shape}];"
        for edge in graph.edges:
            look = {"label": for_dot(written(edge.value)), **_look(edge)}
            listed = ", ".join(f"{name}={value}" for name, value in look.items())
            yield f"  {ids[edge.source]} -> {ids[edge.target]} [{listed}];"
        if title:
            yield "  }"
    yield "}"


def _look(edge: Edge) -> dict[str, str]:
    look = {"dir": "both", "constraint": "false"} if edge.both else {}
    if not edge.clear:
        return look | {"style": "dashed", "color": "gray40", "fontcolor": "gray40"}
    return look | ({"style": "bold"} if edge.kind == "path" else {})


def for_dot(text: str) -> str:
    r"""A text as a string of DOT, which reads backslashes and HTML's entities.

    >>> for_dot('a "b" & c')
    '"a \\"b\\" &amp; c"'
    """
    flat = "".join(char if char.isprintable() or char == "\n" else " " for char in text)
    for plain, code in (("\\", "\\\\"), ('"', '\\"'), ("&", "&amp;"), ("\n", "\\n")):
        flat = flat.replace(plain, code)
    return f'"{flat}"'


def _ids(graph: Graph, at: int) -> dict[str, str]:
    """Names of nodes that no program can misread."""
    return {node.code: f"n{at}_{number}" for number, node in enumerate(graph.nodes)}


#: Form of the text → who writes its lines.
FORMS: Mapping[str, Callable[[Sequence[Graph], Sequence[Labels], Sequence[str]], Iterator[str]]] = {
    "mermaid": _mermaid,
    "dot": _dot,
}
