"""Charts of how well scales are measured, and how far they differ from each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.heat as heat
import csat.report.plots.style as style
from csat.errors import OptionError, check_choice
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.reliability import limits, remark_word
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.measurement import Reliability

#: Figures of a scale in the chart, with their colours.
SHOWN = {"alpha": style.BLUE, "omega": style.GREEN}


def scales(result: Reliability, names: Names, ax: Axes | None) -> Axes:
    """Alpha and omega of every scale with their intervals, and the usual limits."""
    from csat.measurement import LIMITS

    catalogue = words(names.lang)
    frame = result.constructs()
    frame = frame[frame["items"] > 1]
    rows = [(row, name) for row in frame.to_dict("records") for name in SHOWN]
    labels = []
    for row, name in rows:
        groups = [names.value(by, row[by]) for by in result.by]
        measure = catalogue.say(Word(f"column.{name}"))
        labels.append(style.wrap(" · ".join([*groups, names.construct(row["scale"]), measure]), 44))
    bases = [names.bases.judge(float(row["n"])) for row, _ in rows]
    estimate, low, high = (
        np.array([row[f"{name}{end}"] for row, name in rows], float) for end in ("", "_low", "_high")
    )
    notes = [catalogue.say(remark_word(remark, result, names)) for remark in result.remarks if remark.kind is not None]
    lines = sum(1 + len(note) // style.LINE for note in notes)
    ax = style.axes_for(ax, style.row_height(labels) + 1.3 + 0.17 * lines)
    for limit in LIMITS["alpha"]:
        ax.axvline(limit, color=style.GREY, lw=0.9, ls=(0, (4, 3)), zorder=1)
    draw_rows(ax, labels, bases, estimate, low, high, colours=[SHOWN[name] for _, name in rows], write=heat.brief)
    ax.set_xlabel(catalogue.say(Word("plot.reliability")))
    said = catalogue.say(Word("plot.reliability_limits", limits()))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), said, *notes)
    ax.set_title(catalogue.say(Word("title.reliability")))
    return ax


def ratios(result: Reliability, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """HTMT below the diagonal; of the first group, or of one."""
    from csat.measurement import LIMITS

    say = words(names.lang).say
    at = _check_group(result, group)
    domain = result.domains[at]
    title = Word("title.htmt")
    if domain:
        label = " · ".join(names.value(by, value) for by, value in zip(result.by, domain, strict=True))
        title = Word("title.of_group", {"title": title, "group": label})
    codes = [name for name, members in zip(result.scales.names, result.scales.members, strict=True) if len(members) > 1]
    if len(codes) < 2:
        raise OptionError("HTMT compares scales: two with two items or more are needed.")
    if names.bases.judge(result.sizes[at]).hidden:
        return style.empty(ax, say(title), say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    place = {name: i for i, name in enumerate(codes)}
    values = np.full((len(codes), len(codes)), np.nan)
    frame = result.discriminant()
    for name, label in zip(result.by, domain, strict=True):
        frame = frame[frame[name] == label]
    for row in frame.to_dict("records"):
        values[place[row["other"]], place[row["scale"]]] = row["htmt"]
    rows, columns = heat.numbered([names.construct(code) for code in codes])
    notes = [say(Word("plot.htmt", limits())), say(Word("plot.n", {"n": result.sizes[at]}))]
    lines = sum(1 + len(note) // style.LINE for note in notes)
    ax = heat.draw_matrix(ax, values, rows, columns, limit=1.0, least=0.0, lines=lines, lang=names.lang)
    _frame_cells(ax, values, LIMITS["htmt"][0])
    style.below(ax, *notes)
    ax.set_title(say(title), pad=22)
    return ax


def _frame_cells(ax: Axes, values: np.ndarray, least: float) -> None:
    """Frame the cells of a square with a value of `least` or more."""
    from matplotlib.patches import Rectangle

    with np.errstate(invalid="ignore"):
        cells = np.argwhere(values >= least)
    for i, j in cells.tolist():
        ax.add_patch(Rectangle((j - 0.47, i - 0.46), 0.94, 0.92, fill=False, ec=style.ORANGE, lw=1.6, zorder=3))


def _check_group(result: Reliability, group: str | None) -> int:
    """Position of a group, by its labels; the first for None."""
    if group is None:
        return 0
    labels = [" · ".join(domain) for domain in result.domains]
    check_choice("group", group, labels)
    return labels.index(group)
