"""How charts look: colours, fonts, wrapped labels. Nothing here touches matplotlib's global settings."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import numpy as np

import csat.report.plots.telling as telling
from csat.errors import CsatWarning
from csat.report.lines import size_of
from csat.report.lines import wrap as broken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

# Okabe and Ito's colours, told apart by colour-blind readers too.
BLUE, ORANGE, GREEN, PINK, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
SERIES = (BLUE, ORANGE, GREEN, PINK, SKY, AMBER)
#: Marks and strokes of series: told apart without colours too.
MARKS = ("o", "s", "D", "^", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (2, 1.5)), (0, (8, 2, 2, 2)), (0, (1, 1)), (0, (10, 3)))
INK, GREY, RULE, PAPER = "#1f2933", "#6b7680", "#dde2e6", "#ffffff"
#: From very satisfied to very dissatisfied: blue to red through grey, ordered in lightness on each side.
GRADES = ("#2166ac", "#67a9cf", "#d9dee2", "#f4a582", "#b2182b")

OWN_FONT = "csat Sans SC"
#: Installed faces that know more characters than the shipped one, most likely first; all openly licensed.
INSTALLED = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "Droid Sans Fallback")
LAST = "DejaVu Sans"
FIGURE_WIDTH = 8.0
#: Quotation marks, which a Chinese face draws as wide as Chinese characters, and those that fit Latin letters.
PLAIN = str.maketrans("“”‘’", "\"\"''")
QUOTES = frozenset("“”‘’")
#: Columns of small print below a chart that is beside its labels.
LINE = 84
#: Mark of the text under axes without a frame, its columns, and the most lines of a sentence.
NOTES, NOTE_COLUMNS, NOTE_LINES = "notes", 110, 6
#: More rows than these are drawn closer, with labels of up to so many columns.
MANY, LONG = 20, 58
SMALL = 8.5
#: The same of very many rows, which have one line each.
CROWD, LONGEST, SMALLEST = 44, 64, 7.5
#: Columns of a title.
HEADING = 88
#: How far a level is indented, in points.
INDENT = 11
#: Air around a chart in inches, and what part of the figure its place may be off.
EDGE, NEAR = 0.06, 0.02
#: Fill of bars with intervals before them: light, so that the intervals are seen in black and white too.
LIGHT_BLUE, LIGHT_ORANGE, LIGHT_GREY = "#93c6e8", "#f4b183", "#cfd6db"


@cache
def font_families() -> tuple[str, ...]:
    """Faces to draw with, in order: the shipped one, installed Chinese ones, matplotlib's own."""
    from matplotlib import font_manager

    with as_file(files("csat.report") / "fonts" / "csat-sans-sc.ttf") as path:
        font_manager.fontManager.addfont(path)
    known = {entry.name for entry in font_manager.fontManager.ttflist}
    return (OWN_FONT, *(name for name in INSTALLED if name in known), LAST)


@cache
def drawable() -> frozenset[int]:
    """Code points that at least one of the faces has a glyph for."""
    from matplotlib import font_manager

    return frozenset(
        point
        for family in font_families()
        for point in font_manager.get_font(font_manager.findfont(family, fallback_to_default=False)).get_charmap()
    )


def style() -> AbstractContextManager[None]:
    """Settings that hold while a chart is drawn; labels are plain text, never mathematics."""
    import matplotlib

    return matplotlib.rc_context(
        {
            "font.family": list(font_families()),
            "font.size": 9.5,
            "text.color": INK,
            "text.parse_math": False,
            "axes.edgecolor": RULE,
            "axes.labelcolor": GREY,
            "axes.titlelocation": "left",
            "axes.titlesize": 11.5,
            "axes.titlepad": 12,
            # Where it is set, matplotlib need not measure all ticks to move the title out of their way.
            "axes.titley": 1.0,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.spines.left": False,
            "axes.axisbelow": True,
            "axes.unicode_minus": True,
            "xtick.color": GREY,
            "ytick.color": INK,
            "xtick.major.size": 0,
            "ytick.major.size": 0,
            "grid.color": RULE,
            "grid.linewidth": 0.8,
            "legend.frameon": False,
            "legend.fontsize": 9,
            "figure.facecolor": PAPER,
            "figure.constrained_layout.use": True,
        }
    )


def wake_backend() -> None:
    """Let pyplot choose its backend before `style` begins.

    In a notebook this turns interactive mode on; happening inside, the end of the context would turn it off again,
    and no later chart would be shown.
    """
    from matplotlib import pyplot

    pyplot.draw_if_interactive()


def axes_for(ax: Axes | None, height: float, width: float = FIGURE_WIDTH) -> Axes:
    """Give the axes to draw on: the caller's, or those of a new figure of this size in inches."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    return pyplot.subplots(figsize=(width, height), dpi=110)[1]


def finish(ax: Axes) -> Axes:
    """Keep the faces for ticks that are made later, and name characters that no face can draw."""
    from matplotlib.text import Text

    ax.tick_params(labelfontfamily=list(font_families()))
    for text in ax.figure.findobj(Text):
        if isinstance(text, Text) and QUOTES & set(text.get_text()) and not any(map(_chinese, text.get_text())):
            text.set_text(text.get_text().translate(PLAIN))
    texts = [text.get_text() for text in ax.findobj(Text)]
    missing = sorted({char for text in texts for char in text if not char.isspace() and ord(char) not in drawable()})
    if missing:
        named = ", ".join(f"{char} (U+{ord(char):04X})" for char in missing[:8])
        warnings.warn(
            f"No font at hand can draw {named}: the chart shows a box there. "
            f"Install a font that has it, e.g. Noto Sans CJK, and clear matplotlib's font cache.",
            CsatWarning,
            stacklevel=4,
        )
    return ax


def wrap(text: str, most: int = 34, lines: int = 3) -> str:
    """Break a label into lines, see `csat.report.lines.wrap`; the label still knows its whole text."""
    return telling.Label.of(broken(text, most, lines), text)


def settle(ax: Axes) -> None:
    """Give the only axes of a figure the room that their labels leave: measured once, not at every drawing."""
    figure = ax.figure
    if figure.get_layout_engine() is None or len(figure.axes) != 1:
        return
    figure.set_layout_engine("none")  # type: ignore[union-attr]
    title = _headed(ax)
    width, height = figure.get_size_inches() * figure.dpi  # type: ignore[union-attr]
    air = EDGE * figure.dpi
    for _ in range(2):
        if title is not None:
            title.set_x(0.0)
            title.set_in_layout(False)
        with warnings.catch_warnings():
            # `finish` has named the characters that no face has.
            warnings.filterwarnings("ignore", "Glyph .* missing")
            inner, outer = ax.bbox, ax.get_tightbbox()
            top = title.get_window_extent().y1 if title is not None else 0.0
        if outer is None:
            return
        left, low = inner.x0 - outer.x0 + air, inner.y0 - outer.y0 + air
        right, high = outer.x1 - inner.x1 + air, max(outer.y1, top) - inner.y1 + air
        place = ax.get_position()
        wanted = (left / width, low / height, 1 - (left + right) / width, 1 - (low + high) / height)
        ax.set_position((*wanted[:2], max(wanted[2], 0.1), max(wanted[3], 0.1)))
        if title is not None:
            # Flush with the labels, so that a long one has the whole width.
            title.set_x((air - ax.bbox.x0) / ax.bbox.width)
        if np.allclose(wanted, place.bounds, atol=NEAR):
            return


def percent_tick(share: float, _: object = None, whole: float = 1.0) -> str:
    """A tick in per cent of `whole`, with the decimals that it has.

    >>> percent_tick(0.1), percent_tick(0.025), percent_tick(-20, whole=100)
    ('10%', '2.5%', '−20%')
    """
    return f"{round(100 * share / whole, 6):g}%".replace("-", "\u2212")


def _headed(ax: Axes) -> Text | None:
    """The title at the left of axes, in lines that fit the figure."""
    from matplotlib.text import Text

    text = ax.get_title(loc="left")
    title = next((one for one in ax.get_children() if isinstance(one, Text) and text and one.get_text() == text), None)
    if title is not None:
        title.set_text(broken(" ".join(text.split()), HEADING, 2))
    return title


def wrap_rows(texts: Sequence[str]) -> list[str]:
    """Labels of rows; of many rows long and small, so that the chart fits a printed page."""
    if len(texts) > CROWD:
        return [wrap(text, LONGEST, 1) for text in texts]
    return [wrap(text, LONG, 2) if len(texts) > MANY else wrap(text) for text in texts]


def _chinese(char: str) -> bool:
    return "\u2e80" <= char <= "\uffef"


def row_height(labels: Sequence[str], least: float = 0.3) -> float:
    """Height in inches that rows with these wrapped labels need: rows are equally high, so the longest label rules."""
    most = max((1 + label.count("\n") for label in labels), default=1)
    if len(labels) > MANY:
        return len(labels) * max((0.62 if len(labels) > CROWD else 0.8) * least, 0.13 * most + 0.03)
    return len(labels) * max(least, 0.2 * most + 0.06 * (most > 1))


def label_rows(ax: Axes, labels: Sequence[str], grid: str = "x", depths: Sequence[int] = ()) -> None:
    """Name the rows 0, 1, … from the top; with `depths`, from a common left edge, indented by level."""
    ax.set_yticks(range(len(labels)), labels)
    if len(labels) > MANY:
        ax.tick_params(axis="y", labelsize=SMALLEST if len(labels) > CROWD else SMALL)
    if depths:
        ticks = ax.yaxis.get_major_ticks()
        widest = max(
            tick.label1.get_window_extent().width * 72 / ax.figure.dpi + INDENT * depth
            for tick, depth in zip(ticks, depths, strict=True)
        )
        for tick, depth in zip(ticks, depths, strict=True):
            tick.label1.set_horizontalalignment("left")
            tick.set_pad(6 + widest - INDENT * depth)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(visible=True, axis=grid)  # type: ignore[arg-type]


def beside(ax: Axes, y: float, text: str, **how: Any) -> None:
    """Write a figure into the margin to the right of a row."""
    from matplotlib.transforms import ScaledTranslation

    margin = ScaledTranslation(6 / 72, 0, ax.figure.dpi_scale_trans)
    ax.text(1.0, y, text, transform=ax.get_yaxis_transform() + margin, va="center", ha="left", **how)


def legend_bar(ax: Axes, colour: str, hatch: str, label: str) -> None:
    """Give the legend a bar of this look; nothing is drawn in the axes."""
    ax.bar([float("nan")], [float("nan")], color=colour, hatch=hatch, edgecolor=PAPER, label=label)


def title_of(ax: Axes) -> str:
    """Title of axes, or of the figure around several."""
    above = getattr(ax.figure, "_suptitle", None)
    return telling.whole((above.get_text() if above is not None else "") or ax.get_title(loc="left"))


def title_over_legend(ax: Axes, title: str, columns: int = 88) -> int:
    """Put the legend between title and chart, in as many lines as its words need; return how many."""
    from matplotlib.lines import Line2D

    handles, labels = ax.get_legend_handles_labels()
    patches_first = sorted(range(len(labels)), key=lambda place: isinstance(handles[place], Line2D))
    handles, labels = [handles[place] for place in patches_first], [labels[place] for place in patches_first]
    size = sum(sum(map(size_of, label)) + 6 for label in labels)
    lines = min(len(labels), -(-size // columns))
    ax.legend(
        handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=-(-len(labels) // lines),
        borderaxespad=0.2, handlelength=1.2, columnspacing=1.4,
    )  # fmt: skip
    ax.set_title(title, pad=10 + 18 * lines)
    return lines


def empty(ax: Axes | None, title: str, text: str) -> Axes:
    """Say why there is nothing to draw."""
    ax = axes_for(ax, 1.4)
    ax.axis("off")
    ax.text(0, 0.5, text, transform=ax.transAxes, va="center", color=GREY, wrap=True)
    telling.says(text)
    ax.set_title(title)
    return ax


def notes_under(ax: Axes, notes: Sequence[str], most: int = NOTE_COLUMNS) -> None:
    """Write sentences under axes without a frame, each on lines of its own."""
    telling.notes(*notes)
    lines = "\n".join(wrap(note, most, NOTE_LINES) for note in notes)
    if lines:
        ax.annotate(
            lines, (0, 0), xytext=(4, -8), xycoords="axes fraction", textcoords="offset points",
            va="top", ha="left", fontsize=8.5, color=INK, linespacing=1.45, gid=NOTES,
        )  # fmt: skip


def under_panels(figure: Figure, remarks: Sequence[str], most: int = 130) -> None:
    """Write sentences under all panels of a figure."""
    telling.notes(*remarks)
    lines = [""]
    for remark in filter(None, remarks):
        together = f"{lines[-1]}   {remark}".strip()
        if sum(map(size_of, together)) <= most:
            lines[-1] = together
        else:
            lines += wrap(remark, most, 4).split("\n")
    text = figure.supxlabel("\n".join(filter(None, lines)), x=0.01, ha="left", fontsize=8.5, color=GREY)
    text.set_gid(NOTES)
    text.set_linespacing(1.45)


def below(ax: Axes, *remarks: str) -> None:
    """Explain marks in small print below the axis label, or where the figure has its notes."""
    from matplotlib.text import Text

    telling.notes(*([ax.get_xlabel()] if "\n" not in ax.get_xlabel() else []), *remarks)
    under = next((text for text in ax.figure.findobj(Text) if text.get_gid() == NOTES), None)
    if isinstance(under, Text):
        under.set_text("\n".join([under.get_text(), *remarks]))
        return
    lines = [ax.get_xlabel()]
    for remark in filter(None, remarks):
        together = f"{lines[-1]}   {remark}" if len(lines) > 1 else remark
        if len(lines) > 1 and sum(map(size_of, together)) <= LINE:
            lines[-1] = together
        else:
            lines += wrap(remark, LINE, 4).split("\n")
    ax.set_xlabel("\n".join(filter(None, lines)), fontsize=8.5, loc="left", linespacing=1.45)
