"""Names of periods: which month they start in, and which longer period they belong to."""

from __future__ import annotations

import re
from collections.abc import Sequence

from csat.errors import OptionError

#: Length of a period → months.
EVERY = {"month": 1, "quarter": 3, "half": 6, "year": 12}

_FORMS = (
    (re.compile(r"(\d{4})\s*[-年]?\s*[Qq]\s*([1-4])"), 3),
    (re.compile(r"(\d{4})\s*年?\s*第?([1-4一二三四])\s*季度?"), 3),
    (re.compile(r"(\d{4})\s*[-年]?\s*[Hh]\s*([12])"), 6),
    (re.compile(r"(\d{4})\s*[-/.年Mm]?\s*(0[1-9]|1[0-2]|[1-9])(?:\s*月)?(?:[-/.]?\d{1,2}(?:[ T].*)?)?"), 1),
    (re.compile(r"(\d{4})\s*年?"), 12),
)
_CHINESE = {"一": 1, "二": 2, "三": 3, "四": 4}


def start_of(label: str) -> tuple[int, int]:
    """Months since year 0 at which a period starts, and its length in months.

    Understands years, halves, quarters, months and dates: 2026, 2026H1, 2026Q3, 2026年三季度, 2026-07, 202607,
    2026-07-15.

    Raises
    ------
    OptionError
        For any other label.

    >>> start_of("2026Q3"), start_of("2026-07")
    ((24318, 3), (24318, 1))
    """
    for form, length in _FORMS:
        found = form.fullmatch(label.strip())
        if found:
            part = found.group(2) if form.groups > 1 else "1"
            number = _CHINESE.get(part) or int(part)
            return 12 * int(found.group(1)) + (number - 1) * length, length
    raise OptionError(
        f"{label!r} is not a period that csat can read. Write years, halves, quarters, months or dates, "
        "e.g. 2026, 2026H1, 2026Q3, 2026-07."
    )


def within(label: str, every: str) -> str:
    """Name of the longer period that `label` lies in.

    >>> within("2026Q3", "half"), within("2026-02", "quarter"), within("2026Q3", "year")
    ('2026H2', '2026Q1', '2026')
    """
    start, length = start_of(label)
    if length > EVERY[every]:
        raise OptionError(f"every={every!r}: {label!r} is longer than that; periods can be joined, not divided.")
    year, month = divmod(start, 12)
    names = {
        "month": f"{year}-{month + 1:02d}",
        "quarter": f"{year}Q{month // 3 + 1}",
        "half": f"{year}H{month // 6 + 1}",
    }
    return names.get(every, f"{year}")


def in_order(labels: Sequence[str]) -> list[str]:
    """Labels in the order of time; an order given by words that are no periods is kept."""
    try:
        return sorted(labels, key=start_of)
    except OptionError:
        return list(labels)


def year_before(label: str, labels: Sequence[str]) -> str | None:
    """The label of the same period a year before, if there is one."""
    start, length = start_of(label)
    return next((other for other in labels if start_of(other) == (start - 12, length)), None)
