"""What the weights shall meet: margins of categories, and totals of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from csat.errors import OptionError, WeightingError

#: How far the targets of two margins may differ in sum, relatively; shares may miss 1 by `SHARE_SLACK`.
SUM_SLACK = 1e-9
SHARE_SLACK = 1e-6

Key = str | tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """Population figures of one column, of several crossed columns, or of one number.

    columns : one, or several that are crossed.
    categories : (C,) each a tuple with one label per column; empty for a number.
    targets : (C,) totals or shares; (1,) for a number.
    """

    columns: tuple[str, ...]
    categories: tuple[tuple[str, ...], ...]
    targets: np.ndarray

    @property
    def name(self) -> str:
        """The columns, joined by a colon."""
        return ":".join(self.columns)

    @property
    def labels(self) -> tuple[str, ...]:
        """(C,) the categories, joined by a colon; one empty label for a number."""
        return tuple(":".join(category) for category in self.categories) or ("",)

    @property
    def numeric(self) -> bool:
        """Whether the target is a total of a number."""
        return not self.categories


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """Everything the weights shall meet: margins of categories first, numbers last."""

    margins: tuple[Margin, ...]
    numbers: tuple[Margin, ...]

    @property
    def all(self) -> tuple[Margin, ...]:
        """Margins, then numbers."""
        return self.margins + self.numbers

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is needed of the data."""
        return tuple(dict.fromkeys(column for margin in self.all for column in margin.columns))

    @property
    def goal(self) -> np.ndarray:
        """(q,) all targets in a row."""
        return np.concatenate([margin.targets for margin in self.all])

    @property
    def places(self) -> list[tuple[str, str]]:
        """(q,) margin and category of each target."""
        return [(margin.name, label) for margin in self.all for label in margin.labels]

    def scaled(self, weight: float, total: float | None) -> Targets:
        """The same targets as totals that agree with each other.

        Parameters
        ----------
        weight : Σ of design weights; what shares are scaled to if nothing says more.
        total : scale every margin to this. None: shares (targets that add up to 1) are scaled to the total of the
            other margins, or to `weight` if all are shares.

        Raises
        ------
        WeightingError
            If margins add up to different totals, or targets look like shares but do not add up to 1.
        """
        if total is not None and not (np.isfinite(total) and total > 0):
            raise OptionError(f"total={total!r}: the size of the population must be a finite number above 0.")
        size = total if total is not None else self._common(weight)
        margins = tuple(replace(m, targets=m.targets * (size / m.targets.sum())) for m in self.margins)
        return replace(self, margins=margins)

    def _common(self, weight: float) -> float:
        sums = [(margin.name, float(margin.targets.sum())) for margin in self.margins]
        for name, found in sums:
            if 0.9 < found < 1.1 and abs(found - 1) > SHARE_SLACK:
                raise WeightingError.at(
                    name, None, f"the shares add up to {found:.8g}, not 1",
                    "Divide them by their sum if they were rounded, or pass total= and csat scales them.",
                )  # fmt: skip
        totals = [(name, found) for name, found in sums if abs(found - 1) > SHARE_SLACK]
        if totals and max(t for _, t in totals) - min(t for _, t in totals) > SUM_SLACK * totals[0][1]:
            raise WeightingError.disagree(totals)
        return totals[0][1] if totals else weight


def label_of(value: Any) -> str:
    """A category as text: 1, 1.0 and "1" are the same."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def read_targets(targets: Mapping[Any, Any] | pd.DataFrame | Targets) -> Targets:
    """Read population targets.

    Parameters
    ----------
    targets : a mapping ``{column: {category: target}}``; ``{(column, column): {(category, category): target}}`` for a
        crossed margin; ``{column: total}`` for a number. Or a DataFrame with the columns margin, category and target,
        where a crossed margin reads ``sex:age`` with categories ``f:18-34`` and a number has an empty category.

    Raises
    ------
    WeightingError
        For a target that is negative, not finite or given twice, or a margin without categories.
    """
    if isinstance(targets, Targets):
        return targets
    listed = _from_frame(targets) if isinstance(targets, pd.DataFrame) else dict(targets)
    margins = [_margin(key, value) for key, value in listed.items()]
    if not margins:
        raise WeightingError("There are no targets: give {column: {category: target}}.")
    return Targets(tuple(m for m in margins if not m.numeric), tuple(m for m in margins if m.numeric))


def _from_frame(frame: pd.DataFrame) -> dict[Key, Any]:
    absent = [name for name in ("margin", "category", "target") if name not in frame.columns]
    if absent:
        raise WeightingError(
            f"The table of targets lacks the column {absent[0]!r}; it needs margin, category and target. "
            f"Found: {', '.join(map(repr, frame.columns))}."
        )
    twice = frame[frame.duplicated(["margin", "category"])]
    if len(twice):
        first = twice.iloc[0]
        raise WeightingError.at(
            str(first["margin"]), label_of(first["category"]), "has two targets in the table", "Keep one of the rows."
        )
    out: dict[Key, Any] = {}
    for name, part in frame.groupby("margin", sort=False):
        columns = tuple(str(name).split(":"))
        key: Key = columns if len(columns) > 1 else columns[0]
        if part["category"].isna().all():
            out[key] = part["target"].iloc[0]
            continue
        words = [label_of(category) for category in part["category"]]
        keys = [tuple(word.split(":")) if len(columns) > 1 else word for word in words]
        out[key] = dict(zip(keys, part["target"], strict=True))
    return out


def _margin(key: Key, value: Any) -> Margin:
    columns = (key,) if isinstance(key, str) else tuple(key)
    name = ":".join(columns)
    if isinstance(value, Mapping | pd.Series):
        pairs = [(_category(name, columns, category), figure) for category, figure in value.items()]
        found = {category: _figure(name, ":".join(category), figure) for category, figure in pairs}
        if sum(found.values()) <= 0:
            raise WeightingError.at(name, None, "has no targets above 0", "List its categories and their totals.")
        if len(found) < len(pairs):
            raise WeightingError.at(name, None, "names a category twice (1 and '1' are the same)", "Keep one of them.")
        return Margin(columns, tuple(found), np.array(list(found.values())))
    return Margin(columns, (), np.array([_number(name, "", value)]))


def _category(name: str, columns: Sequence[str], category: Any) -> tuple[str, ...]:
    labels = tuple(map(label_of, category)) if isinstance(category, tuple) else (label_of(category),)
    if len(labels) != len(columns):
        raise WeightingError.at(
            name, ":".join(labels), f"has {len(labels)} labels for {len(columns)} columns",
            "A crossed margin needs a tuple with one label per column.",
        )  # fmt: skip
    return labels


def _number(name: str, category: str, value: Any) -> float:
    try:
        figure = float(value)
    except (TypeError, ValueError):
        figure = np.nan
    if not np.isfinite(figure):
        raise WeightingError.at(name, category, f"the target {value!r} is not a finite number", "Correct it.")
    return figure


def _figure(name: str, category: str, value: Any) -> float:
    figure = _number(name, category, value)
    if figure < 0:
        raise WeightingError.at(name, category, f"the target {figure:g} is below 0", "Correct it.")
    return figure
