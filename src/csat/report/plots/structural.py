"""Charts of structural models other than the path diagram: loadings, residuals, means of constructs, correlations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.heat as heat
import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError, check_choice
from csat.report.doubts import beyond_one, gravest_of
from csat.report.names import Names
from csat.report.network.blocks import written
from csat.report.plots.driver import in_short
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.cells import level_of
from csat.report.tables.structural import fit_line, group_text, respondents_of
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.structural import Invariance, LatentMeans, Polychoric, Sem

#: Residual correlation that is worth a look, and the one with the full colour.
LARGE, LIMIT = 0.1, 0.3


def loadings(result: Sem, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """Standardised loadings with intervals, construct by construct; of all groups side by side, or of one."""
    say = words(names.lang).say
    frame = result.standardized("all")
    frame = frame[frame["op"] == "=~"]
    chosen = result.groups if group is None else (result.groups[check_group(result, group)],)
    if len(chosen) > len(style.SERIES):
        raise OptionError(
            f'kind="loadings" draws up to {len(style.SERIES)} groups; there are {len(chosen)}. Name one: group=….'
        )
    parts = [frame[frame["group"] == label] for label in chosen]
    labels = [
        style.wrap(f"{names.construct(lhs)} → {names.code(rhs)}", 44)
        for lhs, rhs in zip(parts[0]["lhs"], parts[0]["rhs"], strict=True)
    ]
    sizes = dict(zip(result.groups, result.sizes, strict=True))
    judged = [names.bases.judge(min(sizes[label], result.measures.n)) for label in chosen]
    notes = _notes_of_loadings(result, names, pd.concat(parts)["estimate"])
    least = 0.3 if len(chosen) == 1 else 0.2 + 0.15 * len(chosen)
    lines = sum(1 + len(note) // style.LINE for note in notes)
    ax = style.axes_for(ax, style.row_height(labels, least) + 1.3 + 0.17 * lines + 0.25 * (len(chosen) > 1))
    texts = [group_text(result, label, names) for label in chosen] if len(chosen) > 1 else []
    draw_parts(ax, labels, parts, judged, texts)
    ax.set_xlabel(say(Word("plot.loading")))
    bases = [base for base in judged for _ in labels]
    style.below(ax, *remarks(bases, names.bases, words(names.lang), level_of(result)), *notes)
    title = Word("title.loadings")
    if len(chosen) > 1:
        for label, colour, mark in zip(chosen, style.SERIES, style.MARKS, strict=False):
            ax.plot([], [], mark, color=colour, label=group_text(result, label, names))
        style.title_over_legend(ax, say(title))
        return ax
    if chosen[0]:
        title = Word("title.of_group", {"title": title, "group": group_text(result, chosen[0], names)})
    ax.set_title(say(title))
    return ax


def draw_parts(
    ax: Axes, labels: list[str], parts: list[pd.DataFrame], judged: list[Base], groups: Sequence[str] = ()
) -> None:
    """Dots of one group, a colour for each construct and figures beside; of several, a colour for each group."""
    alone = len(parts) == 1
    constructs = list(dict.fromkeys(parts[0]["lhs"]))
    of_constructs = [style.SERIES[constructs.index(name) % len(style.SERIES)] for name in parts[0]["lhs"]]
    offsets = [0.0] if alone else np.linspace(-0.3, 0.3, len(parts)).tolist()
    several = groups or [""] * len(parts)
    looks = zip(style.SERIES, style.MARKS, strict=True)
    for part, base, offset, (colour, mark), name in zip(parts, judged, offsets, looks, several, strict=False):
        before = len(ax.lines)
        figures = [part[name].to_numpy(float) for name in ("estimate", "low", "high")]
        colours = of_constructs if alone else [colour] * len(labels)
        draw_rows(ax, labels, [base] * len(labels), *figures, colours=colours, write=written, shown=alone, name=name)
        for line in ax.lines[before:]:
            line.set_ydata(np.asarray(line.get_ydata(), float) + offset)
            if not alone and line.get_marker() == "o":
                line.set_marker(mark)


def _notes_of_loadings(result: Sem, names: Names, values: pd.Series) -> list[str]:
    beyond = any(beyond_one("=~", False, value) for value in values)
    said = (
        *([Word("plot.beyond_one")] if beyond else []),
        *gravest_of(result, names),
        *in_short(respondents_of(result, names)),
    )
    return [words(names.lang).say(note) for note in said]


def residuals(result: Sem, names: Names, ax: Axes | None, *, group: str | None = None) -> Axes:
    """What the model leaves of the correlations, sample less implied; of the first group, or of one."""
    say = words(names.lang).say
    place = 0 if group is None else check_group(result, group)
    label = result.groups[place]
    title = Word("title.residual_correlations")
    if label:
        title = Word("title.of_group", {"title": title, "group": group_text(result, label, names)})
    if names.bases.judge(min(result.sizes[place], result.measures.n)).hidden:
        return style.empty(ax, say(title), " ".join(map(say, respondents_of(result, names))))
    square = result.residuals("cor", label or None)
    values = heat.below_diagonal(square.to_numpy())
    rows, columns = heat.numbered(names.codes(list(square.columns)))
    notes = [say(Word("plot.residual_correlations", {"large": LARGE})), say(fit_line(result, names))]
    ax = heat.draw_matrix(ax, values, rows, columns, limit=LIMIT, least=LARGE, lines=len(notes) + 1, lang=names.lang)
    style.below(ax, *notes)
    ax.set_title(say(title), pad=22)
    return ax


def check_group(result: Sem, group: str) -> int:
    """Place of a group of a model; refuses one that it does not have."""
    check_choice("group", group, result.groups)
    return result.groups.index(group)


def latent_means(result: Invariance | LatentMeans, names: Names, ax: Axes | None) -> Axes:
    """Means of the constructs against the reference group, in standard deviations, with intervals."""
    from csat.structural import Invariance

    say = words(names.lang).say
    by = result.group if isinstance(result, Invariance) else None
    found = result.latent_means() if isinstance(result, Invariance) else result
    title = say(Word("title.latent_means"))
    if found.reason is not None:
        return style.empty(ax, title, say(Word(f"reason.{found.reason.reason}")))
    frame = found.tidy()
    sides = {
        side: [names.category(value) if by is None else names.value(by, value) for value in frame[side]]
        for side in ("group", "against")
    }
    constructs = list(dict.fromkeys(frame["construct"]))
    labels = [
        style.wrap(f"{names.construct(construct)}{'：' if names.lang == 'zh' else ': '}{one} − {other}", 44)
        for construct, one, other in zip(frame["construct"], sides["group"], sides["against"], strict=True)
    ]
    colours = [style.SERIES[constructs.index(name) % len(style.SERIES)] for name in frame["construct"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.3)
    bases = [names.bases.judge(float(n)) for n in found.estimates.n]
    telling.level(found.estimates.level)
    effect, low, high = (frame[name].to_numpy(float) for name in ("effect", "effect_low", "effect_high"))
    draw_rows(ax, labels, bases, effect, low, high, colours=colours, form="bars", null=0.0)
    ax.axvline(0, color=style.INK, lw=0.8, zorder=1)
    ax.set_xlabel(say(Word("plot.latent_means")))
    style.below(ax, *remarks(bases, names.bases, words(names.lang), found.estimates.level))
    ax.set_title(title)
    return ax


def correlations(result: Polychoric, names: Names, ax: Axes | None) -> Axes:
    """Correlations of the latent responses below the diagonal; of the first group."""
    say = words(names.lang).say
    title = say(Word("title.polychoric"))
    if names.bases.judge(result.sizes[0]).hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    square = result.matrix()
    rows, columns = heat.numbered(names.codes(list(square.columns)))
    values = heat.below_diagonal(square.to_numpy())
    ax = heat.draw_matrix(ax, values, rows, columns, limit=1.0, least=0.0, lines=1, lang=names.lang)
    style.below(ax, say(Word("plot.n", {"n": result.sizes[0]})))
    ax.set_title(title, pad=22)
    return ax
