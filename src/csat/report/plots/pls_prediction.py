"""Charts of path models of composites: errors of their predictions, and effects that depend on another construct."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import number, signed
from csat.report.names import Names
from csat.report.plots.rows import draw_rows, remarks
from csat.report.tables.pls_groups import construct_text
from csat.report.tables.pls_prediction import at_word, constructs_of, groups_of_slopes, how, title_of_slopes
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.composites import Prediction, Slopes

#: Predictions of the chart of errors: their colour and mark.
MARKS = {"mean": (style.GREY, "x"), "linear": (style.ORANGE, "s"), "pls": (style.BLUE, "o")}
#: Outcomes and groups at most side by side.
MOST_PANELS = 12


def errors(result: Prediction, names: Names, ax: Axes | None) -> Axes:
    """RMSE of every item by path model, linear model and means; both models' figures and Q² in the margin."""
    say = words(names.lang).say
    title = say(Word("title.prediction"))
    base = names.bases.judge(result.n)
    if base.hidden:
        return style.empty(ax, title, say(Word("plot.hidden", {"count": 1, "least": names.bases.suppress})))
    labels = [
        style.wrap(f"{construct_text(construct, names)} · {names.code(item)}", 44)
        for construct, item in zip(result.constructs, result.items, strict=True)
    ]
    ax = style.axes_for(ax, style.row_height(labels) + 1.9)
    for (name, (colour, mark)), shift in zip(MARKS.items(), (0.0, 0.16, -0.16), strict=True):
        ax.plot(
            result.rmse[name], np.arange(len(labels)) + shift, mark, ms=6, ls="none", color=colour, mew=1.5,
            mfc=style.PAPER if base is Base.SMALL else colour, label=say(Word(f"predictor.{name}")),
        )  # fmt: skip
    for name in MARKS:
        telling.rows(labels, result.rmse[name], bases=[base] * len(labels), name=say(Word(f"predictor.{name}")))
    for row, figures in enumerate(zip(result.rmse["pls"], result.rmse["linear"], result.q2, strict=True)):
        style.beside(ax, row, " · ".join(number(float(value), "score") for value in figures), fontsize=8.5)
    style.beside(ax, -0.75, say(Word("plot.rmse_beside")), color=style.GREY, fontsize=8.5)
    style.label_rows(ax, labels)
    ax.set_xlabel(say(Word("plot.rmse")))
    style.below(
        ax, *remarks([base], names.bases, words(names.lang)), say(Word("plot.n", {"n": result.n})),
        *map(say, how(result)),
    )  # fmt: skip
    style.title_over_legend(ax, title)
    return ax


def cvpat(result: Prediction, names: Names, ax: Axes | None) -> Axes:
    """Losses of the path model less those of the benchmarks, with intervals."""
    say = words(names.lang).say
    frame = result.cvpat()
    telling.level(result.differences.level)
    labels = [
        style.wrap(f"{say(construct)} · {say(Word(f'predictor.{other}'))}", 44)
        for construct, other in zip(constructs_of(result, names), frame["benchmark"], strict=True)
    ]
    bases = [names.bases.judge(float(n)) for n in result.differences.n]
    colours = [MARKS[name][0] for name in frame["benchmark"]]
    ax = style.axes_for(ax, style.row_height(labels) + 1.6)
    figures = (frame[name].to_numpy(float) for name in ("difference", "low", "high"))
    draw_rows(
        ax, labels, bases, *figures, write=lambda value: signed(value, "estimate"), colours=colours, kind="estimate",
        form="bars", null=0.0,
    )  # fmt: skip
    ax.axvline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_xlabel(say(Word("plot.cvpat")))
    said = remarks(bases, names.bases, words(names.lang), result.differences.level)
    style.below(ax, *said, say(Word("plot.left_better")), say(Word("plot.n", {"n": result.n})))
    ax.set_title(say(Word("title.cvpat")))
    return ax


def slopes(result: Slopes, names: Names, ax: Axes | None) -> Axes:
    """Lines of the effect at each value of the moderator, with the interval of their slope; a panel per outcome, group.

    Returns the first panel.

    Raises
    ------
    OptionError
        If several panels were to share the one axes given, or there are too many.
    """
    say = words(names.lang).say
    groups = groups_of_slopes(result)
    low, high = result.estimates.interval
    frame = result.tidy().assign(n=result.estimates.n, level=result.levels, low=low, high=high)
    parts = [part for _, part in frame.groupby([*groups, "outcome"], sort=False)]
    if len(parts) > 1 and ax is not None:
        raise OptionError("These slopes have several outcomes or groups, a panel each: draw them without ax=.")
    if len(parts) > MOST_PANELS:
        raise OptionError(f"A chart has up to {MOST_PANELS} outcomes and groups; these slopes have {len(parts)}.")
    made = [ax] if ax is not None else _panels(len(parts))
    outcomes = frame["outcome"].nunique() > 1
    bases = [names.bases.judge(float(n)) for n in frame["n"]]
    for axes, part in zip(made, parts, strict=False):
        first = part.iloc[0]
        where = [names.value(name, first[name]) for name in groups]
        where += [construct_text(first["outcome"], names)] if outcomes else []
        _lines(axes, part, names, " · ".join(where))
    outcome = names.listed([construct_text(name, names) for name in dict.fromkeys(frame["outcome"])])
    about = Word("plot.slope_axes", {"of": construct_text(result.of, names), "outcome": outcome})
    legend = Word("plot.slope_legend", {"moderator": construct_text(result.moderator, names)})
    band = Word("plot.slope_band", {"level": result.estimates.level})
    notes = [say(about), say(legend), say(band), *remarks(bases, names.bases, words(names.lang))]
    title = say(title_of_slopes(result, names))
    if len(parts) == 1:
        style.below(made[0], *notes)
        style.title_over_legend(made[0], title, 24)
    else:
        made[0].figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
        style.under_panels(made[0].figure, notes, 110)  # type: ignore[arg-type]
    return made[0]


def _panels(count: int) -> list[Axes]:
    from matplotlib import pyplot

    columns = min(count, 2)
    rows = -(-count // columns)
    figure, made = pyplot.subplots(
        rows, columns, figsize=(style.FIGURE_WIDTH + 1.2 * (columns - 1), 4.0 * rows + 0.8), dpi=110, squeeze=False,
        sharex=True, sharey=True,
    )  # fmt: skip
    for spare in made.ravel()[count:]:
        figure.delaxes(spare)
    panels = list(made.ravel()[:count])
    for panel in panels[count - columns :]:
        panel.tick_params(labelbottom=True)
    return panels


def _lines(ax: Axes, part: pd.DataFrame, names: Names, title: str) -> None:
    """Lines of one outcome in one group, with the figures of their slopes in the legend."""
    say = words(names.lang).say
    x = np.linspace(-2, 2, 41)
    looks = zip(_colours(len(part)), itertools.cycle(style.DASHES), strict=False)
    for row, (colour, dash) in zip(part.to_dict("records"), looks, strict=True):
        base = names.bases.judge(float(row["n"]))
        if base.hidden:
            continue
        written = [number(float(row[name]), "score") for name in ("estimate", "low", "high")]
        label = f"{say(at_word(row['at']))}{'：' if names.lang == 'zh' else ': '}{written[0]}"
        if np.isfinite(row["low"]) and np.isfinite(row["high"]):
            label += f" [{written[1]}; {written[2]}]"
            ax.fill_between(
                x, row["level"] + row["low"] * x, row["level"] + row["high"] * x, color=colour, alpha=0.1, lw=0
            )
        telling.says(label + ("。" if names.lang == "zh" else "."))
        ax.plot(
            x, row["level"] + row["estimate"] * x, color=colour, lw=1.8, ls=dash, label=label, ms=6, mfc=style.PAPER,
            marker="o" if base is Base.SMALL else "", markevery=10,
        )  # fmt: skip
    ax.grid(visible=True)
    ax.set_xlim(-2, 2)
    if ax.lines:
        style.title_over_legend(ax, style.wrap(title, 60, 2), 24)
        return
    ax.set_title(title)
    hidden = say(Word("base.suppressed", {"least": names.bases.suppress}))
    ax.text(0.5, 0.5, hidden, transform=ax.transAxes, ha="center", color=style.GREY)


def _colours(count: int) -> list[str]:
    """A colour for each line."""
    return [style.SERIES[at % len(style.SERIES)] for at in range(count)]
