"""What a drawing shows, told while it draws: `plot` makes of it the `Chart` that goes with the picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from csat.bases import Base
from csat.report.alt import Story, alt
from csat.report.chart import Chart, Form, Series
from csat.report.description import Kind
from csat.report.lines import size_of

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Forms whose axis begins at 0, and lines: other media may draw them themselves.
NATIVE: frozenset[Form] = frozenset({"bars", "stacked", "diverging", "lines"})
#: Mark of a row with a small base where no dot can be open.
OPEN = " ○"


class Label(str):
    """A label with line breaks that still knows its whole text."""

    __slots__ = ("whole",)
    whole: str

    @classmethod
    def of(cls, broken: str, whole: str) -> Label:
        """Keep `whole` beside its broken form."""
        made = cls(broken)
        made.whole = " ".join(whole.split())
        return made


@dataclass(slots=True)
class Told:
    """What the drawings of one figure have told so far."""

    kind: Form = "picture"
    categories: tuple[str, ...] = ()
    series: list[Series] = field(default_factory=list)
    unit: Kind = "score"
    level: float | None = None
    null: float | None = None
    clear: tuple[bool | None, ...] = ()
    notes: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    panels: int = 0

    def chart(self, title: str, level: float, lang: str) -> Chart:
        """Put it together under the title of the picture; `level` holds where the drawing said none."""
        several = self.panels > 1
        intervals = any(end is not None for series in self.series for end in series.low)
        level = self.level if self.level is not None else level
        plain = Chart(
            self.kind, title, "", self.categories, tuple(self.series), self.unit, level if intervals else None,
            tuple(filter(None, self.notes)), self.kind in NATIVE and not several,
        )  # fmt: skip
        story = Story(self.null, self.clear, tuple(self.said), alike=not several)
        text = alt(plain, lang, story)
        empty: dict[str, object] = {"kind": "picture", "categories": (), "series": (), "level": None, "native": False}
        return Chart(**{**_fields(plain), "alt": text, **(empty if several else {})})  # type: ignore[arg-type]


def _fields(chart: Chart) -> dict[str, object]:
    return {name: getattr(chart, name) for name in chart.__dataclass_fields__}


_OPEN: ContextVar[Told | None] = ContextVar("told", default=None)


@contextmanager
def listening() -> Iterator[Told]:
    """Listen to the drawings within."""
    told = Told()
    token = _OPEN.set(told)
    try:
        yield told
    finally:
        _OPEN.reset(token)


def rows(
    labels: Sequence[str],
    values: Iterable[float],
    low: Iterable[float] = (),
    high: Iterable[float] = (),
    *,
    bases: Sequence[Base] = (),
    name: str = "",
    kind: Form = "dots",
    unit: Kind = "score",
    level: float | None = None,
    null: float | None = None,
    clear: Sequence[bool] | np.ndarray = (),
) -> None:
    """Tell a series of figures.

    Parameters
    ----------
    labels : (k,) names of the rows or moments; other labels than before are those of another panel.
    values, low, high : (k,) as computed.
    bases : (k,) verdicts; a hidden figure is told as None, a small base marks its row if there is one series.
    name : of the series. kind, unit : as in `Chart`. level : of the intervals, where the result does not have it.
    null : value that means no difference; None if there is none.
    clear : (k,) where the result itself says that a row differs from `null`; empty: the intervals say it.
    """
    told = _OPEN.get()
    if told is None:
        return
    names = tuple(whole(label) for label in labels)
    series = _kept(Series.of(name, values, low, high), bases)
    if name == "" and Base.SMALL in bases:
        names = tuple(
            one if base is not Base.SMALL or one.endswith(OPEN) else one + OPEN
            for one, base in zip(names, bases, strict=True)
        )
    if told.series and names != told.categories:
        told.panels = max(1, told.panels) + 1
        told.series = [_joined(told.series[0], series)]
        told.categories += names
        return
    told.kind, told.categories, told.unit, told.null = kind, names, unit, null
    told.level = level if level is not None else told.level
    told.clear = tuple(bool(one) for one in clear)
    told.series.append(series)


def shares(
    labels: Sequence[str], parts: Sequence[str], values: np.ndarray, bases: Sequence[Base], kind: Form = "stacked"
) -> None:
    """Tell shares (rows, parts) of a whole; those of hidden rows are told as None."""
    for place, part in enumerate(parts):
        rows(labels, np.asarray(values, float)[:, place], bases=bases, name=part, kind=kind, unit="percent")


def notes(*remarks: str) -> None:
    """Tell what stands below the picture."""
    told = _OPEN.get()
    if told is not None:
        told.notes += [note for note in remarks if note and note not in told.notes]


def level(value: float) -> None:
    """Tell the level of the intervals, where the result itself does not have it."""
    told = _OPEN.get()
    if told is not None:
        told.level = value


def says(*sentences: str) -> None:
    """Tell in words what a picture shows that only its picture can show."""
    told = _OPEN.get()
    if told is not None:
        told.said += [sentence for sentence in sentences if sentence]


def once(*sentences: str) -> None:
    """Tell sentences that were not told yet."""
    told = _OPEN.get()
    if told is not None:
        says(*(sentence for sentence in sentences if sentence not in told.said))


def whole(label: str) -> str:
    r"""Text of a label without its line breaks.

    >>> whole("Ease of top-up\nand payment"), whole("网络\n覆盖")
    ('Ease of top-up and payment', '网络覆盖')
    """
    if isinstance(label, Label):
        return label.whole
    out = ""
    for line in label.split("\n"):
        wide = bool(out) and bool(line) and size_of(out[-1]) == 2 and size_of(line[0]) == 2
        out += line if wide or not out else f" {line}"
    return out


def _kept(series: Series, bases: Sequence[Base]) -> Series:
    """The series without the figures that a small base hides, and without intervals if it has none."""
    hidden = [base.hidden for base in bases] or [False] * len(series.values)
    values, low, high = (
        tuple(None if hide else value for value, hide in zip(row, hidden, strict=True)) if row else ()
        for row in (series.values, series.low, series.high)
    )
    known = tuple(one is not None and other is not None for one, other in zip(low, high, strict=True))
    if not any(known):
        return Series(series.name, values)
    low, high = (
        tuple(end if both and value is not None else None for end, both, value in zip(row, known, values, strict=True))
        for row in (low, high)
    )
    return Series(series.name, values, low, high)


def _joined(one: Series, other: Series) -> Series:
    """Figures of two panels in a row."""
    low, high = (
        tuple(
            end
            for series in (one, other)
            for end in (series.low if side == "low" else series.high) or (None,) * len(series.values)
        )
        for side in ("low", "high")
    )
    return Series("", one.values + other.values, low, high)
