"""Charts of exploratory factor analysis: eigenvalues beside those of uncorrelated items, and loadings as a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import csat.report.plots.heat as heat
import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.names import Names
from csat.report.tables.exploratory import (
    adequacy_line,
    correlations_line,
    fit_line,
    number_of,
    rules_line,
)
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.structural import Efa, FactorNumber

#: Loading that is written in full ink.
LARGE = 0.4


def loadings(result: Efa, names: Names, ax: Axes | None) -> Axes:
    """Loadings in colour, the items of a factor together."""
    say = words(names.lang).say
    title = say(Word("title.efa"))
    if names.bases.judge(result.n).hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    frame = result.tidy()
    rows = names.codes(list(frame["term"]))
    notes = list(
        map(say, (fit_line(result, names), *correlations_line(result, names), Word("plot.n", {"n": result.n})))
    )
    lines = sum(1 + len(note) // style.LINE for note in notes)
    values = frame[list(result.factors)].to_numpy(float)
    ax = heat.draw_matrix(ax, values, rows, result.factors, limit=1.0, least=LARGE, lines=lines, lang=names.lang)
    style.below(ax, *notes)
    ax.set_title(title, pad=22)
    return ax


def scree(result: Efa | FactorNumber, names: Names, ax: Axes | None) -> Axes:
    """Eigenvalues, largest first, and those that uncorrelated items have by chance; kept factors are filled."""
    say = words(names.lang).say
    found = number_of(result)
    title = say(Word("title.factor_number"))
    if names.bases.judge(found.n).hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    places = range(1, len(found.eigenvalues) + 1)
    kept = [place <= found.parallel for place in places]
    ax = style.axes_for(ax, 4.2)
    ax.plot(
        places, found.limit, color=style.ORANGE, lw=1.4, ls="--",
        label=say(Word("plot.random_eigenvalues", {"level": found.level})),
    )  # fmt: skip
    ax.plot(places, found.eigenvalues, color=style.BLUE, lw=1.4, label=say(Word("plot.own_eigenvalues")))
    ax.scatter(
        places, found.eigenvalues, s=36, zorder=3, edgecolor=style.BLUE,
        color=[style.BLUE if keep else style.PAPER for keep in kept],
    )  # fmt: skip
    for key, level in (("plot.own_eigenvalues", found.eigenvalues), ("plot.random_eigenvalues", found.limit)):
        telling.rows(list(map(str, places)), level, name=say(Word(key, {"level": found.level})), kind="lines")
    ax.set_ylim(0, float(found.eigenvalues[0]) * 1.06)
    ax.set_xticks(list(places))
    ax.grid(visible=True, axis="y")
    ax.set(xlabel=say(Word("column.latent_factor")), ylabel=say(Word("column.eigenvalue")))
    notes = (Word("plot.kept_filled"), rules_line(found), adequacy_line(found, names), Word("plot.n", {"n": found.n}))
    style.below(ax, *map(say, notes))
    style.title_over_legend(ax, title)
    return ax
