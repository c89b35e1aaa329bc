"""Charts of structural models other than the path diagram: loadings, residuals, means of constructs, correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.heat as heat
import csat.report.plots.style as style
from csat.errors import check_choice
from csat.report.doubts import beyond_one, gravest_of
from csat.report.names import Names
from csat.report.network.blocks import written
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
    """Standardised loadings with intervals, construct by construct; of every group, or of one."""
    catalogue = words(names.lang)
    frame = result.standardized("all")
    frame = frame[frame["op"] == "=~"]
    if group is not None:
        frame = frame[frame["group"] == result.groups[check_group(result, group)]]
    constructs = list(dict.fromkeys(frame["lhs"]))
    labels = [
        style.wrap(f"{names.construct(lhs)} → {names.code(rhs)}{_of(result, label, names)}", 44)
        for lhs, rhs, label in zip(frame["lhs"], frame["rhs"], frame["group"], strict=True)
    ]
    colours = [style.SERIES[constructs.index(lhs) % len(style.SERIES)] for lhs in frame["lhs"]]
    estimate, low, high = (frame[name].to_numpy(float) for name in ("estimate", "low", "high"))
    sizes = dict(zip(result.groups, result.sizes, strict=True))
    bases = [names.bases.judge(min(sizes[label], result.measures.n)) for label in frame["group"]]
    beyond = any(beyond_one("=~", False, value) for value in estimate)
    notes = [
        *([catalogue.say(Word("plot.beyond_one"))] if beyond else []),
        *map(catalogue.say, (*gravest_of(result, names), *respondents_of(result, names))),
    ]
    ax = style.axes_for(ax, style.row_height(labels) + 1.3 + 0.17 * sum(1 + len(note) // style.LINE for note in notes))
    draw_rows(ax, labels, bases, estimate, low, high, colours=colours, write=written)
    ax.set_xlabel(catalogue.say(Word("plot.loading")))
    style.below(ax, *remarks(bases, names.bases, catalogue, level_of(result)), *notes)
    ax.set_title(catalogue.say(Word("title.loadings")))
    return ax


def _of(result: Sem, label: str, names: Names) -> str:
    """A group behind a name, in brackets; nothing without groups."""
    if not label:
        return ""
    said = group_text(result, label, names)
    return f"（{said}）" if names.lang == "zh" else f" ({said})"


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
    ax = heat.draw_matrix(ax, values, rows, columns, limit=LIMIT, least=LARGE, lines=len(notes) + 1)
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
    effect, low, high = (frame[name].to_numpy(float) for name in ("effect", "effect_low", "effect_high"))
    draw_rows(ax, labels, bases, effect, low, high, colours=colours)
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
    ax = heat.draw_matrix(ax, values, rows, columns, limit=1.0, least=0.0, lines=1)
    style.below(ax, say(Word("plot.n", {"n": result.sizes[0]})))
    ax.set_title(title, pad=22)
    return ax
