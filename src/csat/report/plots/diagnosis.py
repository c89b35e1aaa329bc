"""Charts of a diagnosis: residuals, normal plot, spread, leverage and influence, added variables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.errors import OptionError
from csat.report.names import Names
from csat.report.plots.driver import about, said
from csat.report.plots.labels import name_points
from csat.report.tables.driver import INTERCEPTS, too_few
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.drivers.diagnostics.diagnosis import Diagnosis

#: Points that a chart draws at most; the others are thinned, never those that stick out.
MOST = 2000
#: Rows named in the chart of influence, bins of running quantiles.
NAMED, BINS = 5, 8


def diagnosis(result: Diagnosis, names: Names, ax: Axes | None) -> Axes:
    """Four views at once; on one axes the residuals alone."""
    if ax is not None or _nothing(result, names):
        return residuals(result, names, ax)
    from matplotlib import pyplot

    made = pyplot.subplots(2, 2, figsize=(9.0, 8.4), dpi=110)[1]
    for draw, panel in zip((_residuals, _normal, _spread, _influence), made.ravel(), strict=True):
        draw(panel, result, names)
    made[0, 0].figure.suptitle(_title(result, names), x=0.01, ha="left", fontsize=11.5)
    style.under_panels(made[0, 0].figure, _sentences(result, names))
    return made[0, 0]


def residuals(result: Diagnosis, names: Names, ax: Axes | None) -> Axes:
    """Residuals against fitted values, with running median and quantiles."""
    return _alone(result, names, ax, _residuals)


def normal(result: Diagnosis, names: Names, ax: Axes | None) -> Axes:
    """Standardised residuals against normal quantiles."""
    return _alone(result, names, ax, _normal)


def spread(result: Diagnosis, names: Names, ax: Axes | None) -> Axes:
    """Root of the size of the residuals against fitted values."""
    return _alone(result, names, ax, _spread)


def influence(result: Diagnosis, names: Names, ax: Axes | None) -> Axes:
    """Studentised residuals against leverage, with contours of Cook's distance."""
    return _alone(result, names, ax, _influence)


def _alone(result: Diagnosis, names: Names, ax: Axes | None, draw: Callable[[Axes, Diagnosis, Names], None]) -> Axes:
    sentences, why = _sentences(result, names), _nothing(result, names)
    if why:
        return style.empty(ax, _title(result, names), why)
    ax = style.axes_for(ax, 4.6)
    draw(ax, result, names)
    style.below(ax, *sentences)
    blanks = {"outcome": names.running(result.outcome), "view": ax.get_title(loc="left")}
    ax.set_title(words(names.lang).say(Word("title.diagnosis_view", blanks)), fontsize=11.5)
    return ax


def _nothing(result: Diagnosis, names: Names) -> str:
    """Why there is nothing to draw: too few respondents, or drivers that leave no residuals; else empty."""
    if too_few(len(result.rows), names):
        return _sentences(result, names)[-1]
    exact = result.rows["standardized"].isna().all()
    return words(names.lang).say(Word("note.ended_exact")) if exact else ""


def _title(result: Diagnosis, names: Names) -> str:
    return words(names.lang).say(Word("title.diagnosis", {"outcome": names.running(result.outcome)}))


def _sentences(result: Diagnosis, names: Names) -> list[str]:
    n = len(result.rows)
    telling.once(*said(names, Word("alt.dots", {"count": int(kept(result.rows).sum())})))
    thinned = said(names, Word("plot.thinned", {"drawn": int(kept(result.rows).sum()), "n": n})) if n > MOST else []
    return [*thinned, *about(n, result.left_out, names)]


def kept(rows: pd.DataFrame) -> np.ndarray:
    """(n,) which rows are drawn: all that stick out, and evenly many of the others."""
    n = len(rows)
    if n <= MOST:
        return np.ones(n, bool)
    out = np.zeros(n, bool)
    for column in ("studentized", "leverage", "cooks_d"):
        order = np.argsort(-rows[column].abs().fillna(0).to_numpy(), kind="stable")
        out[order[: MOST // 10]] = True
    rest = np.flatnonzero(~out)
    out[rest[:: -(-len(rest) // (MOST - int(out.sum())))]] = True
    return out


def _dots(ax: Axes, x: pd.Series, y: pd.Series, names: Names, axes: tuple[str, str]) -> None:
    ax.plot(x, y, "o", ms=3.2, color=style.BLUE, alpha=0.4, mec="none", zorder=2)
    ax.set_xlabel(words(names.lang).say(Word(axes[0])))
    ax.set_ylabel(words(names.lang).say(Word(axes[1])))
    ax.grid(visible=True, color=style.RULE, lw=0.6)


def _running(ax: Axes, x: pd.Series, y: pd.Series, quantiles: Sequence[float]) -> None:
    """Quantiles of y within bins of x of equal size."""
    size = min(BINS, len(x) // 15)
    if size < 3:
        return
    order = np.argsort(x.to_numpy(float), kind="stable")
    bins = np.array_split(order, size)
    middles = [float(np.median(x.to_numpy(float)[part])) for part in bins]
    for quantile in quantiles:
        level = [float(np.nanquantile(y.to_numpy(float)[part], quantile)) for part in bins]
        middle = quantile == 0.5
        ax.plot(
            middles, level, color=style.ORANGE, lw=2 if middle else 1.1, ls="-" if middle else (0, (4, 3)), zorder=3
        )


def _residuals(ax: Axes, result: Diagnosis, names: Names) -> None:
    rows = result.rows[kept(result.rows)]
    _dots(ax, rows["fitted"], rows["residual"], names, ("column.fitted", "column.residual"))
    _running(ax, result.rows["fitted"], result.rows["residual"], (0.1, 0.5, 0.9))
    ax.axhline(0, color=style.GREY, lw=1, zorder=1)
    ax.set_title(words(names.lang).say(Word("plot.residuals")), fontsize=10)


def _normal(ax: Axes, result: Diagnosis, names: Names) -> None:
    from scipy.special import ndtri

    rows = result.rows.dropna(subset="standardized").sort_values("standardized")
    place = pd.Series(ndtri((np.arange(len(rows)) + 0.5) / max(len(rows), 1)), rows.index)
    drawn = kept(rows)
    _dots(ax, place[drawn], rows["standardized"][drawn], names, ("plot.normal_quantile", "plot.standardized"))
    ends = np.array([place.min(), place.max()]) if len(place) else np.array([-1.0, 1.0])
    ax.plot(ends, ends, color=style.ORANGE, lw=1.4, zorder=1)
    ax.set_title(words(names.lang).say(Word("plot.qq")), fontsize=10)


def _spread(ax: Axes, result: Diagnosis, names: Names) -> None:
    size = np.sqrt(result.rows["standardized"].abs())
    drawn = kept(result.rows)
    _dots(ax, result.rows["fitted"][drawn], size[drawn], names, ("column.fitted", "plot.root_size"))
    _running(ax, result.rows["fitted"], size, (0.5,))
    ax.set_title(words(names.lang).say(Word("plot.scale_location")), fontsize=10)


def _influence(ax: Axes, result: Diagnosis, names: Names) -> None:
    rows = result.rows[kept(result.rows)]
    _dots(ax, rows["leverage"], rows["studentized"], names, ("column.leverage", "column.studentized"))
    ax.axhline(0, color=style.GREY, lw=1, zorder=1)
    most = result.rows.dropna(subset=["cooks_d", "studentized"]).nlargest(NAMED, "cooks_d")
    reach = float(rows["studentized"].abs().max()) * 1.15 or 1.0
    ax.set(ylim=(-reach, reach), xlim=(0, float(rows["leverage"].max()) * 1.15))
    _contours(ax, result)
    points = most[["leverage", "studentized"]].to_numpy(float)
    name_points(ax, points, [str(row) for row in most.index], size=7.5)
    ax.set_title(words(names.lang).say(Word("plot.influence")), fontsize=10)


def _contours(ax: Axes, result: Diagnosis) -> None:
    """Where Cook's distance is 4/n, 0.5 and 1: D = r²·h/((1 − h)·p), r the internally studentised residual."""
    n, p = len(result.rows), len(result.coefficients)
    h = np.linspace(1e-4, min(0.999, ax.get_xlim()[1]), 200)
    for cook, dashes in ((4 / n, (0, (2, 2))), (0.5, (0, (5, 3))), (1.0, "-")):
        r2 = cook * p * (1 - h) / h
        # From internal to external studentisation: t² = r²·(df − 1)/(df − r²); beyond r² = df there is none.
        with np.errstate(invalid="ignore", divide="ignore"):
            t = np.where(r2 < result.df, np.sqrt(r2 * (result.df - 1) / (result.df - r2)), np.nan)
        inside = t <= ax.get_ylim()[1]
        if not inside.any():
            continue
        for sign in (1, -1):
            ax.plot(h[inside], sign * t[inside], color=style.ORANGE, lw=1, ls=dashes, zorder=1)
        label = "4/n" if cook == 4 / n else f"{cook:g}"
        ax.annotate(
            label, (h[inside][-1], t[inside][-1]), xytext=(2, 0), textcoords="offset points", fontsize=7.5, va="center",
            color=style.ORANGE, annotation_clip=False,
        )  # fmt: skip


def partial(result: Diagnosis, names: Names, ax: Axes | None, term: str | None = None) -> Axes:
    """Added-variable plots: what the other drivers leave of outcome and driver; all drivers, or one.

    Raises
    ------
    OptionError
        If several drivers were to share the one axes given, or there is no such coefficient.
    """
    title = words(names.lang).say(Word("title.partial", {"outcome": names.running(result.outcome)}))
    sentences, why = _sentences(result, names), _nothing(result, names)
    if why:
        return style.empty(ax, title, why)
    terms = [name for name in result.coefficients.index if name not in INTERCEPTS] if term is None else [term]
    if ax is not None and len(terms) > 1:
        raise OptionError(f"There are {len(terms)} drivers: draw them without ax=, or one, term={terms[0]!r}.")
    axes = [style.axes_for(ax, 4.6)] if len(terms) == 1 else _grid(len(terms))
    for panel, one in zip(axes, terms, strict=True):
        _added(panel, result, one, names)
    common = said(names, Word("plot.partial_axes", {"outcome": names.running(result.outcome)}))
    if len(terms) == 1:
        style.below(axes[0], *common, *sentences)
        axes[0].set_title(title)
    else:
        style.under_panels(axes[0].figure, [*common, *sentences])  # type: ignore[arg-type]
        axes[0].figure.suptitle(title, x=0.01, ha="left", fontsize=11.5)
    return axes[0]


def _grid(size: int) -> list[Axes]:
    from matplotlib import pyplot

    across = min(3, size)
    rows = -(-size // across)
    made = pyplot.subplots(rows, across, figsize=(9.0, 2.6 * rows + 1.0), dpi=110, squeeze=False)[1].ravel()
    for spare in made[size:]:
        spare.remove()
    return list(made[:size])


def _added(ax: Axes, result: Diagnosis, term: str, names: Names) -> None:
    found = result.partial(term)
    drawn = found[kept(result.rows)]
    ax.plot(drawn["x_residual"], drawn["y_residual"], "o", ms=2.8, color=style.BLUE, alpha=0.35, mec="none")
    ends = np.array([drawn["x_residual"].min(), drawn["x_residual"].max()])
    ax.plot(ends, float(result.coefficients[term]) * ends, color=style.ORANGE, lw=1.6)
    ax.grid(visible=True, color=style.RULE, lw=0.6)
    ax.set_xlabel(style.wrap(names.driver(term), 30, 2))
