"""Squares of numbers in colour: residual and latent correlations, loadings of items on factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.report.format import number
from csat.report.lines import wrap
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Room for the names of the rows and their columns of text, height of a row and of what surrounds them, in inches.
NAMES, COLUMNS, ROW, AROUND = 2.5, 34, 0.27, 1.1
#: Widest cell in inches, size of the numbers in points.
WIDEST, LETTERS = 0.75, 8.0


def draw_matrix(
    ax: Axes | None,
    values: np.ndarray,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    limit: float,
    least: float,
    lines: int,
    lang: str,
) -> Axes:
    """Colour the cells of a matrix and write its larger numbers into them.

    Parameters
    ----------
    values : (r, c); NaN cells stay empty. rows, columns : names.
    limit : size with the full colour, blue above 0 and orange below. least : smaller sizes are written pale.
    lines : of small print below, for the height. lang : "en" or "zh".
    """
    from matplotlib.colors import LinearSegmentedColormap

    labels = [wrap(name, COLUMNS, 2) for name in rows]
    tall = max(1 + label.count("\n") for label in labels)
    height = len(rows) * max(ROW, 0.19 * tall) + AROUND + 0.17 * lines
    ax = style.axes_for(ax, height)
    colours = LinearSegmentedColormap.from_list("csat", [style.ORANGE, style.PAPER, style.BLUE])
    # Half of the full colour, so that ink stays readable on it.
    ax.imshow(
        np.ma.masked_invalid(values), cmap=colours, vmin=-2 * limit, vmax=2 * limit, aspect="auto",
        extent=(-0.5, len(columns) - 0.5, len(rows) - 0.5, -0.5), interpolation="nearest",
    )  # fmt: skip
    size = min(LETTERS, 72 * (style.FIGURE_WIDTH - NAMES) / len(columns) / 2.6)
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            bold = abs(value) >= least
            ax.text(j, i, brief(float(value)), ha="center", va="center", fontsize=size, in_layout=False,
                    color=style.INK if bold else style.GREY, alpha=1.0 if bold else 0.75)  # fmt: skip
    _tell(values, rows, columns, lang)
    ax.set_yticks(range(len(rows)), labels)
    ax.set_xticks(range(len(columns)), columns)
    ax.xaxis.tick_top()
    ax.set(xlim=(-0.5, max(len(columns), (style.FIGURE_WIDTH - NAMES) / WIDEST) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(axis="x", labelsize=8.5, pad=2)
    ax.spines[:].set_visible(False)
    return ax


def _tell(values: np.ndarray, rows: Sequence[str], columns: Sequence[str], lang: str) -> None:
    """Tell the size of the matrix and its largest cell."""
    sizes = np.nan_to_num(np.abs(values), nan=-1.0)
    if sizes.size and sizes.max() >= 0:
        i, j = (int(place) for place in np.unravel_index(int(np.argmax(sizes)), sizes.shape))
        column = rows[j] if columns[j] == str(j + 1) and len(rows) == len(columns) else columns[j]
        names = {"row": _unnumbered(rows[i]), "column": _unnumbered(column)}
        blanks = {"rows": len(rows), "columns": len(columns), "value": brief(float(values[i, j])), **names}
        telling.says(words(lang).say(Word("alt.cells", blanks)))


def _unnumbered(name: str) -> str:
    """A name without the number that `numbered` gave it."""
    return name.split("  ", 1)[-1]


def brief(value: float) -> str:
    """A figure between −1 and 1 in two decimals, without its zero.

    >>> brief(0.128), brief(-0.05), brief(1.02), brief(0.001)
    ('.13', '−.05', '1.02', '.00')
    """
    return number(value, "score").replace("0.", ".", 1) if abs(value) < 0.995 else number(value, "score")


def numbered(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names with their numbers, and the numbers alone for the other side of a square."""
    return [f"{at}  {name}" for at, name in enumerate(names, 1)], [str(at) for at in range(1, len(names) + 1)]


def below_diagonal(square: np.ndarray) -> np.ndarray:
    """(p, p) with NaN on and above the diagonal."""
    return np.where(np.tri(len(square), k=-1, dtype=bool), square, np.nan)
