"""What a chart shows, beside its picture: for media that draw their own charts, and for those who cannot see it.

A drawing attaches a `Chart` to its figure; a notebook then keeps it beside the picture. Figures are floats as
computed; decimals belong to the renderers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

from csat.report.description import Kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Under this type a notebook keeps what a chart shows beside its picture.
CHART_MIME = "application/vnd.csat.chart+json"

#: bars : one bar per category and series, from 0. stacked : parts of a whole. diverging : parts on two sides of 0.
#: lines : the categories are in the order of time. dots : a point per category and series, on an axis that need not
#: begin at 0. picture : nothing but the picture can show it (maps, diagrams, several panels).
Form = Literal["bars", "stacked", "diverging", "lines", "dots", "picture"]


@dataclass(frozen=True, slots=True)
class Series:
    """One row of marks of a chart.

    name : in the chart's language; empty where the chart has one series.
    values : (k,) one per category, in the chart's unit; None where there is no figure or it is not shown.
    low, high : (k,) ends of the intervals, None where there is none; empty: the series has no intervals.
    """

    name: str
    values: tuple[float | None, ...]
    low: tuple[float | None, ...] = ()
    high: tuple[float | None, ...] = ()

    @classmethod
    def of(cls, name: str, values: Iterable[float], low: Iterable[float] = (), high: Iterable[float] = ()) -> Self:
        """Make a series of any numbers, numpy's too; what is not finite becomes None."""
        return cls(name, _finite(values), _finite(low), _finite(high))


@dataclass(frozen=True, slots=True)
class Chart:
    """What a chart shows, in words and figures of one language.

    kind : how it is drawn, see `Form`.
    title : as above the picture.
    alt : one or two sentences for a reader who does not see it: what is drawn, how many rows, the highest and the
        lowest with their intervals, what differs.
    categories : (k,) names of the rows or of the moments.
    series : empty for a picture that only has words.
    unit : what the values are, which decides their decimals.
    level : confidence level of the intervals; None without intervals.
    notes : what must stand below it wherever it is drawn again: the base, low-base marks, what was left out.
    native : whether a medium may draw it itself; False where only the picture is honest.
    """

    kind: Form
    title: str
    alt: str
    categories: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()
    unit: Kind = "score"
    level: float | None = None
    notes: tuple[str, ...] = ()
    native: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; `from_dict` undoes it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Self:
        """Build a chart from what `to_dict` gave, before or after JSON."""
        lists = {name: tuple(plain[name]) for name in ("categories", "notes")}
        series = tuple(
            Series(one["name"], *(tuple(one[part]) for part in ("values", "low", "high"))) for one in plain["series"]
        )
        return cls(**{**plain, **lists, "series": series})


def attach(figure: Figure, chart: Chart) -> None:
    """Let a figure bring what it shows into the notebook, beside its picture. A second chart replaces the first."""
    # IPython asks each object for further forms of itself; of a partial, not of a closure, so that figures pickle.
    figure._repr_mimebundle_ = partial(_bundle, chart.to_dict())  # type: ignore[attr-defined]


def _bundle(plain: dict[str, Any], include: object = None, exclude: object = None) -> dict[str, Any]:  # noqa: ARG001
    return {CHART_MIME: plain}


def _finite(values: Iterable[float]) -> tuple[float | None, ...]:
    return tuple(float(value) if math.isfinite(value) else None for value in values)
