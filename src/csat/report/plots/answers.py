"""How answers are spread: bars on two sides of 0, the middle answer halved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import csat.report.plots.style as style
import csat.report.plots.telling as telling
from csat.bases import Base
from csat.errors import OptionError
from csat.report.format import DASH, number
from csat.report.names import Names
from csat.report.plots.evaluation_grades import look, write_on
from csat.report.plots.rows import remarks
from csat.report.words import Word, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from csat.moments.summaries import Levels

#: Answers that are drawn one by one; longer scales are drawn in five bands of their length.
MOST, EDGES = 7, (0.2, 0.4, 0.6, 0.8)
#: A part at least this long carries its share.
LABELLED = 0.055


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Shares of the answers of several rows.

    labels : (k,). parts : (p,) names of the answers or bands, from low to high. shares : (k, p).
    n : (k,) respondents. bases : (k,).
    """

    labels: list[str]
    parts: list[str]
    shares: np.ndarray
    n: np.ndarray
    bases: list[Base]

    @property
    def positive(self) -> np.ndarray:
        """(k,) share above the middle."""
        return self.shares[:, -(len(self.parts) // 2) :].sum(axis=1)

    @property
    def balance(self) -> np.ndarray:
        """(k,) share above the middle less the one below."""
        return self.positive - self.shares[:, : len(self.parts) // 2].sum(axis=1)

    def sorted(self) -> Spread:
        """Rows from the best balance to the worst; those that are not shown last."""
        hidden = np.array([base.hidden for base in self.bases])
        at = np.lexsort((-self.balance, hidden)).tolist()
        labels, bases = [self.labels[i] for i in at], [self.bases[i] for i in at]
        return Spread(labels, self.parts, self.shares[at], self.n[at], bases)


def likert(result: Levels, names: Names, ax: Axes | None) -> Axes:
    """Answers to items on one scale, best balance first: what lies below the middle to the left, above to the right.

    Raises
    ------
    OptionError
        If the items have different answers, or answers that are no numbers.
    """
    catalogue = words(names.lang)
    rows = _spread(result, names).sorted()
    ax = style.axes_for(ax, style.row_height(rows.labels, 0.34) + 1.9)
    _bars(ax, rows)
    style.label_rows(ax, rows.labels)
    style.beside(ax, -0.75, catalogue.say(Word("plot.answers_beside")), color=style.GREY, fontsize=8.5)
    for row, base in enumerate(rows.bases):
        known = not base.hidden and np.isfinite(rows.positive[row])
        text = f"{number(float(rows.positive[row]), 'chance')} · {number(float(rows.n[row]), 'count')}"
        style.beside(ax, row, text if known else DASH, color=style.INK if known else style.GREY, fontsize=9)
    ax.axvline(0, color=style.INK, lw=0.9, zorder=4)
    _axis(ax)
    odd = len(rows.parts) % 2
    ax.set_xlabel(catalogue.say(Word("plot.answers" if odd else "plot.answers_even")))
    _tell(rows, catalogue.say)
    style.below(ax, *remarks(rows.bases, names.bases, catalogue))
    style.title_over_legend(ax, catalogue.say(Word("title.likert")), 64)
    return ax


def _spread(result: Levels, names: Names) -> Spread:
    levels = result.levels[0]
    if any(other != levels for other in result.levels):
        first = next(at for at, other in enumerate(result.levels) if other != levels)
        raise OptionError(
            f'kind="likert" draws items with the same answers; {result.names[0]} and {result.names[first]} have '
            "different ones. Draw those of one scale at a time: survey.levels([…])."
        )
    place = _bands(levels)
    labels: list[str] = []
    bases: list[Base] = []
    texts = names.codes(list(result.names))
    shares, sizes = [], []
    for name, text in zip(result.names, texts, strict=True):
        base = result.bases(name)
        verdicts = names.bases.judge_groups(base.tolist()) if result.by else [names.bases.judge(float(base[0]))]
        for domain, share, n, verdict in zip(result.domains, result.shares(name), base, verdicts, strict=True):
            groups = [names.value(by, value) for by, value in zip(result.by, domain, strict=True)]
            own = [*groups, *([text] if len(result.names) > 1 or not groups else [])]
            mark = telling.OPEN if verdict is Base.SMALL else ""
            labels.append(telling.Label.of(style.wrap(" · ".join(own)) + mark, " · ".join(own) + mark))
            bases.append(verdict)
            shares.append(np.bincount(place, weights=share, minlength=place.max() + 1))
            sizes.append(float(n))
    return Spread(labels, _named(result, place, names), np.array(shares), np.array(sizes), bases)


def _bands(levels: Sequence[Any]) -> np.ndarray:
    """(levels,) which part each answer belongs to, from low to high."""
    numbers = [float(level) for level in levels if isinstance(level, int | float | np.number)]
    if len(numbers) < len(levels) or len(numbers) < 2:
        raise OptionError('kind="likert" draws answers on a scale of numbers; these items have others.')
    if len(numbers) <= MOST:
        return np.arange(len(numbers))
    way = (np.array(numbers) - min(numbers)) / (max(numbers) - min(numbers))
    low, lower, upper, high = (edge for edge in EDGES)
    near = 1e-9
    return (way > low - near).astype(int) + (way > lower - near) + (way > upper + near) + (way > high + near)


def _named(result: Levels, place: np.ndarray, names: Names) -> list[str]:
    """Names of the parts: the answers' own where all items have the same ones, else their numbers."""
    texts = [[names.value(name, level) for level in result.levels[0]] for name in result.names]
    same = all(other == texts[0] for other in texts)
    levels = np.array([float(level) for level in result.levels[0]])
    out = []
    for part in range(int(place.max()) + 1):
        at = np.flatnonzero(place == part)
        ends = levels[at[0]], levels[at[-1]]
        plain = f"{ends[0]:g}" if len(at) == 1 else words(names.lang).say(
            Word("plot.answers_band", {"low": ends[0], "high": ends[1]}))  # fmt: skip
        text = texts[0][int(at[0] if part == 0 else at[-1])]
        named = same and (len(at) == 1 or part in (0, int(place.max()))) and text != f"{levels[at[0]]:g}"
        out.append(f"{plain} {text}" if named and not _is_number(text) else plain)
    return out


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).replace("-", "", 1).isdigit()


def _bars(ax: Axes, rows: Spread) -> None:
    """Parts from low to high, each row beginning so that its middle lies at 0."""
    hidden = np.array([base.hidden for base in rows.bases])
    shares = np.where(hidden[:, None], 0.0, np.nan_to_num(rows.shares))
    count = len(rows.parts)
    left = -(shares[:, : count // 2].sum(axis=1) + (shares[:, count // 2] / 2 if count % 2 else 0.0))
    for part, name in enumerate(rows.parts):
        colour, hatch = look(count - 1 - part, count)
        ax.barh(
            range(len(left)), shares[:, part], left=left, height=0.68, color=colour, hatch=hatch, edgecolor=style.PAPER,
            linewidth=0.6, label=name, zorder=2,
        )  # fmt: skip
        for row in np.flatnonzero(shares[:, part] >= LABELLED).tolist():
            middle = left[row] + shares[row, part] / 2
            write_on(
                ax,
                middle,
                row,
                f"{100 * shares[row, part]:.0f}",
                colour,
                hatched=bool(hatch) or 2 * part + 1 == count,
                fontsize=8,
                zorder=5,
            )
        left = left + shares[:, part]


def _unsigned(share: float, _: int | None) -> str:
    return f"{abs(share):.0%}"


def _axis(ax: Axes) -> None:
    """Per cent on both sides, without signs."""
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    ax.xaxis.set_major_locator(MultipleLocator(0.2))
    ax.xaxis.set_major_formatter(FuncFormatter(_unsigned))


def _tell(rows: Spread, say: Any) -> None:
    """Parts below the middle are told as negative shares, from the middle outwards, the middle in two halves."""
    count = len(rows.parts)
    half = rows.shares[:, count // 2] / 2 if count % 2 else None
    middle = say(Word("plot.answers_half", {"name": rows.parts[count // 2]}))
    for sign, parts in ((-1, range(count // 2 - 1, -1, -1)), (1, range(count - count // 2, count))):
        if half is not None:
            telling.rows(rows.labels, sign * half, bases=rows.bases, name=middle, kind="diverging", unit="percent")
        for part in parts:
            telling.rows(rows.labels, sign * rows.shares[:, part], bases=rows.bases, name=rows.parts[part],
                        kind="diverging", unit="percent")  # fmt: skip
